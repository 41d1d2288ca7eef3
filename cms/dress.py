"""A rendered page made ready for a reader: his mode, the portal's prefix, exits that warn.

Pages are rendered once, plain; what differs between modes is text that is put in here: classes of
the body, the switches, and the first part of every link. No database, no clock.
"""

import re
from html import escape, unescape
from urllib.parse import urlencode, urlsplit

from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from cms.modes import ELDER_POINTS, PLAIN, Mode

SWITCHES = b"<!--modes-->"
STYLES = b"<!--mode-styles-->"
BODY = b'<body class="public'
# What is the same in every mode: files and the other areas of this host.
FILES = ("/static/", "/media/", "/documents/", "/desk/", "/cms/", "/admin/", "/healthz")
LOCAL = re.compile(rb'\b(href|action|src)="(/(?!/)[^"]*)"')
EXIT = re.compile(rb'(<a\b[^>]*?\bhref=")(https?://[^"]+)"')
# Addresses the footer must link to as they are (public-site.md, section 3).
OFFICIAL = frozenset(
    {"zfwzgl.www.gov.cn", "bszs.conac.cn", "beian.miit.gov.cn", "beian.mps.gov.cn"}
)


def exit_key(url: str) -> str:
    """Proves that an address of the warning page was made by us: nobody lends our name."""
    return salted_hmac("cms.exit", url, algorithm="sha256").hexdigest()[:16]


def is_own_exit(url: str, key: str) -> bool:
    return url.startswith(("http://", "https://")) and constant_time_compare(exit_key(url), key)


def exit_address(url: str) -> str:
    return "/leaving/?" + urlencode({"key": exit_key(url), "url": url})


def warn_of_exits(body: bytes, host: str) -> bytes:
    """Links to other sites lead over the warning page; the footer's official ones stay."""

    def replaced(match: re.Match) -> bytes:
        url = unescape(match[2].decode())
        target = urlsplit(url).hostname or ""
        if target in OFFICIAL or target == host.split(":")[0]:
            return match[0]
        if b'rel="external' in match[1]:
            return match[0]
        return match[1] + escape(exit_address(url)).encode() + b'"'

    return EXIT.sub(replaced, body)


def place(body: bytes, *, links: str, files: str) -> bytes:
    """Put `links` before every link of the page, `files` before files and the desk's areas."""
    if not links:
        return body

    def placed(match: re.Match) -> bytes:
        name, address = match[1], match[2]
        before = files if address.startswith(_FILES) or name == b"src" else links
        return b'%s="%s%s"' % (name, before.encode(), address)

    return LOCAL.sub(placed, body)


def dress(
    body: bytes, *, mode: Mode, path: str, query: str, prefix: str, files: str | None = None
) -> bytes:
    """The page in this mode, under this prefix (`/column` or empty); its files elsewhere if told"""
    files = prefix if files is None else files
    body = place(body, links=prefix + mode.prefix, files=files)
    if mode.css:
        body = body.replace(BODY, BODY + b" " + mode.css.encode(), 1)
    if mode.is_elder:
        sheet = f'<link rel="stylesheet" href="{files}{static("supervision/elder.css")}">'
        body = body.replace(STYLES, sheet.encode(), 1)
    if SWITCHES in body:
        body = body.replace(SWITCHES, _switches(mode, path, query, prefix).encode(), 1)
    return body


_FILES = tuple(name.encode() for name in FILES)


def relocate(text: bytes, *, origin: str, prefix: str) -> bytes:
    """Absolute addresses of this site under the prefix: maps, feeds, data, the canonical link."""
    if not prefix:
        return text
    return re.sub(
        re.escape(origin.encode()) + rb"(?!%s)/" % re.escape(prefix.encode()),
        f"{origin}{prefix}/".encode(),
        text,
    )


def address(mode: Mode, path: str, query: str = "", prefix: str = "") -> str:
    return f"{prefix}{mode.prefix}{path}" + (f"?{query}" if query else "")


def _switches(mode: Mode, path: str, query: str, prefix: str) -> str:
    def link(label: str, wanted: Mode, *, is_on: bool = False) -> dict:
        return {"label": label, "url": address(wanted, path, query, prefix), "is_on": is_on}

    contrast = mode.is_contrast
    if mode.is_elder:
        step = ELDER_POINTS.index(mode.points)
        sizes = [
            link(_("{points} pt").format(points=points), mode.but(points=points), is_on=here)
            for points in ELDER_POINTS
            for here in [points == ELDER_POINTS[step]]
        ]
    else:
        sizes = [
            link(label, mode.but(text=text), is_on=mode.text == text)
            for label, text in ((_("small"), "small"), (_("middle"), ""), (_("large"), "large"))
        ]
    return render_to_string(
        "public/_modes.html",
        {
            "elder": link(
                _("Elder mode"),
                Mode(is_contrast=contrast, is_elder=not mode.is_elder),
                is_on=mode.is_elder,
            ),
            "contrast": link(
                _("High contrast"), mode.but(is_contrast=not contrast), is_on=contrast
            ),
            "sizes": sizes,
            "is_elder": mode.is_elder,
            "plain_url": address(PLAIN, path, query, prefix),
        },
    )
