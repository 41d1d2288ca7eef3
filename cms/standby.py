"""What public pages ask of the database, in one file beside the kept pages: read while it is away.

A filter or a search nobody has asked for yet is then rendered from this file, and so is a page that
a withdrawal has taken from what is kept. The file belongs to one stamp: a release, a withdrawal or
an editor's word ends it and writes it anew. It is signed, because it is read back as objects.
"""

import logging
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import DatabaseError
from django.utils.crypto import constant_time_compare, salted_hmac

from cms import kept

if TYPE_CHECKING:
    from cms.snapshot import PublicSet

logger = logging.getLogger(__name__)
T = TypeVar("T")
# After the database did not answer, the standby does for so long without asking. It is of the
# present stamp, so nobody reads anything old.
PATIENCE_SECONDS = 5


@dataclass(frozen=True)
class PageRow:
    """A page of the tree as maps and the navigation name it. `path` begins and ends with a slash"""

    title: str
    path: str
    published_at: datetime | None
    is_in_menu: bool


@dataclass(frozen=True)
class Standby:
    """The public set and the words around it, as of one stamp.

    `withdrawn` are the addresses that answer 410; `tree` maps a path to the page of the tree.
    """

    stamp: str
    public: "PublicSet"
    withdrawn: frozenset[str]
    frame: dict[str, str]
    licence: str
    rows: list[PageRow]
    tree: dict[str, Any] = field(default_factory=dict)


_read: dict[str, Standby] = {}
_failed_at = float("-inf")


def keep(standby: Standby) -> bool:
    """Write the file; False when its stamp is no longer the present one."""
    content = pickle.dumps(standby)
    return kept.write_for(standby.stamp, "standby", _signature(content) + b"\n" + content)


def load() -> Standby | None:
    """The file of the present stamp; None when there is none, or somebody else wrote it."""
    stamp, root = kept.stamp(), kept.folder()
    if root is None or not stamp:
        return None
    if stamp not in _read:
        try:
            signature, content = (root / "standby").read_bytes().split(b"\n", 1)
        except (OSError, ValueError):
            return None
        if not constant_time_compare(signature, _signature(content)):
            logger.error("The file of standby was not written by this site")
            return None
        # Our own objects: the signature holds.
        found = pickle.loads(content)
        if found.stamp != stamp:
            return None
        _read.clear()
        _read[stamp] = found
    return _read.get(stamp)


def ask(database: Callable[[], T], instead: Callable[[Standby], T]) -> T:
    """What the database says, or the standby while it is away.

    Raises DatabaseError when there is no standby of the present stamp.
    """
    global _failed_at
    if time.monotonic() - _failed_at < PATIENCE_SECONDS and (found := load()) is not None:
        return instead(found)
    try:
        return database()
    except DatabaseError:
        _failed_at = time.monotonic()
        found = load()
        if found is None:
            raise
        return instead(found)


def all_is_well() -> None:
    """Forget that the database was away, and what was read from the file."""
    global _failed_at
    _failed_at = float("-inf")
    _read.clear()


def _signature(content: bytes) -> bytes:
    return salted_hmac("cms.standby", content, algorithm="sha256").hexdigest().encode()
