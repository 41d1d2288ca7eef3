"""The whole site as files: every address a reader can reach, links kept, under any path.

Links between the files are relative, so that the copy works wherever it is mounted. What files
cannot do is taken out: searching, choosing two filters at once, following by mail, and the switches
of reading but for elder mode. A file that is no longer public is removed before anything is
written.
"""

import hashlib
import json
import posixpath
import re
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _

from cms.crawl import Answer, Reader, is_asset, is_followed

MANIFEST = ".site-export.json"
ANCHOR = re.compile(r"<a\b([^>]*?)\shref=\"([^\"]*)\"([^>]*)>(.*?)</a>", re.S)
ATTRIBUTE = re.compile(r"\b(href|src)=\"([^\"]*)\"")
MODES = re.compile(r"<nav class=\"modes\".*?</nav>", re.S)
SIZES = re.compile(r"<ul class=\"modes-sizes\">.*?</ul>", re.S)
SWITCH = re.compile(r"<li><a href=\"([^\"]*)\".*?</li>\n?", re.S)
FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.S)
CSS_LINK = re.compile(r"url\([\"']?([^\"')]+)[\"']?\)")


class ExportRefused(Exception):
    """The directory holds something else, or the site has a page that does not answer."""


@dataclass
class Written:
    """What an export did."""

    files: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def file_of(address: str) -> str:
    """The file of an address below the directory of the copy."""
    parts = urlsplit(address)
    path = parts.path.lstrip("/")
    if path == "" or path.endswith("/"):
        path += "index.html"
    if parts.query:
        stem, dot, suffix = path.rpartition(".")
        mark = hashlib.sha256(parts.query.encode()).hexdigest()[:12]
        path = f"{stem}-{mark}{dot}{suffix}"
    return path


def link_to(source: str, target: str) -> str:
    """The relative link from one file to another; a folder's page is named by its folder."""
    found = posixpath.relpath(target, posixpath.dirname(source) or ".")
    if posixpath.basename(found) == "index.html":
        folder = posixpath.dirname(found)
        return f"{folder}/" if folder else "./"
    return found


def export_site(directory: Path, *, base_url: str = "") -> Written:
    """Write the site below `directory`; `base_url` is where the copy will be read.

    Raises ExportRefused for a directory that holds other things, or when a page does not answer
    200: half a site is not written.
    """
    manifest = directory / MANIFEST
    if directory.exists() and any(directory.iterdir()) and not manifest.exists():
        raise ExportRefused(
            _("{directory} is not empty and holds no copy of the site.").format(directory=directory)
        )
    reader = Reader()
    pages = reader.crawl()
    wrong = [answer.address for answer in pages.values() if answer.status != 200]
    if wrong:
        raise ExportRefused(
            _("These pages do not answer: {addresses}").format(addresses=", ".join(wrong))
        )
    pages = {address: answer for address, answer in pages.items() if not _is_following(address)}
    base = (base_url or reader.origin).rstrip("/")
    files = {file_of(a): _content(answer, pages, reader, base) for a, answer in pages.items()}
    files |= _assets({link for answer in pages.values() for link in answer.fetched})
    return _write(directory, manifest, files)


def _is_following(address: str) -> bool:
    """Whether it belongs to following by mail, which needs somebody who answers."""
    return reverse("cms:follow") in urlsplit(address).path


def _content(answer: Answer, pages: dict[str, Answer], reader: Reader, base: str) -> bytes:
    if answer.is_page:
        return _rewritten(answer, pages, reader, base).encode()
    if answer.kind.endswith("xml") or answer.kind == "text/plain":
        return answer.text.replace(reader.origin + "/", base + "/").encode()
    return answer.content


def _rewritten(answer: Answer, pages: dict[str, Answer], reader: Reader, base: str) -> str:
    here = file_of(answer.address)

    def place(link: str) -> str | None:
        """Where a link leads in the copy; None when there is nothing."""
        link = unescape(link)
        inside = reader.inside(answer.address, link)
        if inside is None or link.startswith("#"):
            return link
        if link.startswith(reader.origin):
            return base + link.removeprefix(reader.origin)
        fragment = urlsplit(link).fragment
        if is_asset(inside) or (inside in pages and is_followed(inside)):
            return link_to(here, file_of(inside)) + (f"#{fragment}" if fragment else "")
        return None

    def anchor(match: re.Match) -> str:
        before, link, after, words = match.groups()
        words = ATTRIBUTE.sub(attribute, words)
        target = place(link)
        if target is None and _is_following(link):
            return ""
        if target is None:
            return f"<span{before}{after}>{words}</span>"
        return f'<a{before} href="{escape(target)}"{after}>{words}</a>'

    def attribute(match: re.Match) -> str:
        target = place(match[2])
        return match[0] if target is None else f'{match[1]}="{escape(target)}"'

    def switches(nav: re.Match) -> str:
        """Only those that lead somewhere: a copy of plain pages and of elder mode has no sizes."""
        shown = SIZES.sub("", nav[0])
        return SWITCH.sub(lambda match: "" if place(match[1]) is None else match[0], shown)

    text = MODES.sub(switches, FORM.sub("", answer.text))
    parts, last = [], 0
    for match in ANCHOR.finditer(text):
        parts += [ATTRIBUTE.sub(attribute, text[last : match.start()]), anchor(match)]
        last = match.end()
    return "".join([*parts, ATTRIBUTE.sub(attribute, text[last:])])


def _assets(links: set[str]) -> dict[str, bytes]:
    """The files pages fetch, and those the style sheets among them fetch."""
    todo, found = [link for link in links if is_asset(link)], {}
    while todo:
        link = urlsplit(todo.pop()).path
        name = file_of(link)
        if name in found:
            continue
        found[name] = _asset(link)
        if link.endswith(".css"):
            for other in CSS_LINK.findall(found[name].decode()):
                if not other.startswith(("data:", "#")):
                    todo.append(posixpath.normpath(posixpath.join(posixpath.dirname(link), other)))
    return found


def _asset(link: str) -> bytes:
    name = link.removeprefix("/" + settings.STATIC_URL.strip("/") + "/")
    collected = Path(settings.STATIC_ROOT) / name
    if collected.is_file():
        return collected.read_bytes()
    source = finders.find(name)
    if source is None:
        raise ExportRefused(_("The file {name} is missing.").format(name=name))
    return Path(source).read_bytes()


def _write(directory: Path, manifest: Path, files: dict[str, bytes]) -> Written:
    written = Written()
    directory.mkdir(parents=True, exist_ok=True)
    known = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else []
    for name in sorted(set(known) - set(files)):
        (directory / name).unlink(missing_ok=True)
        written.removed.append(name)
    # Named before they are there: a copy cut short is still known as ours, file by file.
    manifest.write_text(json.dumps(sorted(files), indent=1) + "\n", encoding="utf-8")
    for name, content in files.items():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.read_bytes() == content:
            continue
        beside = target.with_name(f".{target.name}.new")
        beside.write_bytes(content)
        beside.replace(target)
        written.files.append(name)
    return written
