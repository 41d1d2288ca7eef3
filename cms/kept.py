"""Rendered pages on disk: what visitors get without the database being asked.

One folder for each host, one file for each address. A file carries the stamp of the public set it
was rendered from; a new release or word writes a new stamp, and from that moment older files serve
only while a fresh page cannot be rendered. A withdrawn address loses its file first. Web processes
on several machines share the folder (`PUBLIC_PAGES_DIR`).
"""

import contextlib
import hashlib
import json
import os
import re
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

IN_MEMORY = 400
UNSAFE = re.compile(r"[^\w.-]")


@dataclass(frozen=True)
class Kept:
    """A plain page as rendered: before mode and prefix."""

    stamp: str
    status: int
    headers: dict[str, str]
    body: bytes


def folder() -> Path | None:
    """Where pages are kept; None where nothing is kept."""
    return Path(settings.PUBLIC_PAGES_DIR) if settings.PUBLIC_PAGES_DIR else None


def stamp() -> str:
    """The stamp of the public set now; empty when nothing is kept."""
    root = folder()
    if root is None:
        return ""
    try:
        return (root / "stamp").read_text("ascii")
    except OSError:
        return new_stamp()


def new_stamp() -> str:
    """All that is kept is of yesterday from now on."""
    root = folder()
    if root is None:
        return ""
    value = uuid.uuid4().hex
    _write(root / "stamp", value.encode())
    return value


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


def write(host: str, path: str, query: str, page: Kept) -> None:
    """Whole or not at all: a reader never sees half a page. A full disk loses nothing."""
    head = json.dumps({"stamp": page.stamp, "status": page.status, "headers": page.headers})
    with contextlib.suppress(OSError):
        _write(file_of(host, path, query), head.encode() + b"\n" + page.body)


def mark(file: Path, stamp: str) -> None:
    _write(file, stamp.encode())


def forget(slug: str) -> int:
    """Take the files of one item away, on every host. Safe to repeat."""
    root = folder()
    if root is None:
        return 0
    files = [*root.glob(f"*/*+{slug}[+.]*"), *root.glob(f"*/*+{slug}~*")]
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


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
