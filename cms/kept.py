"""Rendered pages on disk: what visitors get without the database being asked.

One folder for each host, one file for each address. A file carries the stamp of the public set it
was rendered from; a new release or word writes a new stamp, and from that moment older files serve
only while a fresh page cannot be rendered. Web processes on several machines share the folder
(`PUBLIC_PAGES_DIR`).

What is withdrawn never comes back: nothing is written but under the folder's lock and the stamp it
was rendered for. A withdrawal writes its stamp first and takes files away afterwards, so a page
that was being rendered meanwhile is either there to be taken, or is refused.
"""

import contextlib
import fcntl
import hashlib
import io
import json
import os
import re
import tempfile
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

from django.conf import settings

IN_MEMORY = 400
TEXT = ("text/", "application/json", "application/xml", "application/atom+xml")
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml"
UNSAFE = re.compile(r"[^\w.-]")


@dataclass(frozen=True)
class Kept:
    """A plain page as rendered: before mode and prefix."""

    stamp: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_text(self) -> bool:
        return self.headers.get("Content-Type", "").startswith(TEXT)

    @property
    def words(self) -> bytes | None:
        """What somebody reads in it, a workbook unpacked; None for what nobody can look into."""
        if self.is_text:
            return self.body
        if not self.headers.get("Content-Type", "").startswith(WORKBOOK):
            return None
        try:
            with zipfile.ZipFile(io.BytesIO(self.body)) as parts:
                text = b"".join(parts.read(name) for name in parts.namelist())
        except zipfile.BadZipFile:
            return None
        # Some writers spell Chinese in numbers.
        return unescape(text.decode(errors="replace")).encode()


def folder() -> Path | None:
    """Where pages are kept; None where nothing is kept."""
    return Path(settings.PUBLIC_PAGES_DIR) if settings.PUBLIC_PAGES_DIR else None


def stamp() -> str:
    """The stamp of the public set now; empty when nothing is kept."""
    root = folder()
    if root is None:
        return ""
    return marked("stamp") or new_stamp()


def new_stamp() -> str:
    """All that is kept is of yesterday from now on."""
    root = folder()
    if root is None:
        return ""
    value = uuid.uuid4().hex
    with _lock(root):
        _write(root / "stamp", value.encode())
    return value


@contextlib.contextmanager
def _lock(root: Path) -> Iterator[None]:
    """One writer at a time, on all machines that share the folder."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def file_of(host: str, path: str, query: str) -> Path:
    digest = hashlib.sha256(f"{path}?{query}".encode()).hexdigest()[:20]
    name = UNSAFE.sub("+", path)[:120]
    return folder() / UNSAFE.sub("+", host) / f"{name}~{digest}"


def read(host: str, path: str, query: str) -> Kept | None:
    if folder() is None:
        return None
    return read_file(file_of(host, path, query))


def read_file(file: Path) -> Kept | None:
    """What a file holds; None for one that is missing or is not ours."""
    try:
        content = file.read_bytes()
        head, body = content.split(b"\n", 1)
        return Kept(**json.loads(head), body=body)
    except (OSError, ValueError, TypeError):
        return None


def write(host: str, path: str, query: str, page: Kept) -> bool:
    """Keep a page; False when the public set has changed since its rendering began.

    Whole or not at all: a reader never sees half a page. A full disk loses nothing.
    """
    head = json.dumps({"stamp": page.stamp, "status": page.status, "headers": page.headers})
    name = str(file_of(host, path, query).relative_to(folder()))
    with contextlib.suppress(OSError):
        return write_for(page.stamp, name, head.encode() + b"\n" + page.body)
    return False


def write_for(wanted: str, name: str, content: bytes) -> bool:
    """Write a file of the folder if `wanted` is still the present stamp; says whether it was."""
    root = folder()
    if root is None:
        return False
    with _lock(root):
        if marked("stamp") != wanted:
            return False
        _write(root / name, content)
    return True


def mark(name: str, value: str) -> None:
    """Remember a word beside the pages; nothing where nothing is kept."""
    root = folder()
    if root is not None:
        _write(root / name, value.encode())


def marked(name: str) -> str:
    """The word remembered under a name; empty when there is none."""
    root = folder()
    try:
        return (root / name).read_text("ascii") if root is not None else ""
    except OSError:
        return ""


def forget(words: Iterable[str]) -> int:
    """Take every page away, on every host, that holds one of these words; says how many.

    A page that answers 410 stays; one nobody can look into goes. To be called after the new stamp:
    see above. Safe to repeat.
    """
    root = folder()
    wanted = {form.encode() for word in words for form in (word, escape(word))}
    if root is None or not wanted:
        return 0
    found = 0
    for file in root.glob("*/*~*"):
        page = read_file(file)
        if page is None or page.status != 200:
            continue
        read = page.words
        if read is None or any(word in file.name.encode() + read for word in wanted):
            file.unlink(missing_ok=True)
            found += 1
    return found


def addresses(host: str) -> list[Path]:
    return sorted((folder() / UNSAFE.sub("+", host)).glob("*~*")) if folder() else []


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
