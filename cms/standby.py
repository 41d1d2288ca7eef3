"""All that public pages show, in one file beside the kept pages: no reader waits for a database.

What is not kept, such as a filter or a search nobody has asked for yet, is rendered from this file,
whether the database answers, is away or hangs. The file belongs to one stamp: a release, a
withdrawal or an editor's word ends it and writes it anew; until then pages ask the database. It is
signed, because it is read back as objects.
"""

import logging
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.utils.crypto import constant_time_compare, salted_hmac

from cms import kept

if TYPE_CHECKING:
    from cms.moved import Moved
    from cms.snapshot import PublicSet

logger = logging.getLogger(__name__)
T = TypeVar("T")


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

    `withdrawn` are the addresses that answer 410; `tree` maps a path to the page of the tree,
    `moved` an old address to where it leads now, `documents` the number of a file that editors may
    link to its address.
    """

    stamp: str
    public: "PublicSet"
    withdrawn: frozenset[str]
    frame: dict[str, str]
    licence: str
    is_demonstration: bool
    rows: list[PageRow]
    tree: dict[str, Any] = field(default_factory=dict)
    moved: "dict[str, Moved]" = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)


_read: dict[str, Standby] = {}


def keep(standby: Standby) -> bool:
    """Write the file; False when its stamp is no longer the present one."""
    content = pickle.dumps(standby)
    return kept.write_for(standby.stamp, "standby", _signature(content) + b"\n" + content)


def load() -> Standby | None:
    """The file of the present stamp; None when there is none, or somebody else wrote it."""
    stamp, root = kept.stamp(), kept.folder()
    if root is None or not stamp:
        return None
    found = _read.get(stamp)
    if found is not None:
        return found
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
    # Other threads read meanwhile: each has what it found itself.
    _read.clear()
    _read[stamp] = found
    return found


def ask(database: Callable[[], T], instead: Callable[[Standby], T]) -> T:
    """What the standby of the present stamp says, or the database while there is none."""
    found = load()
    return database() if found is None else instead(found)


def forget() -> None:
    """Read the file anew when it is asked for next."""
    _read.clear()


def _signature(content: bytes) -> bytes:
    # The number changes with the layout: a file of an earlier version is not read.
    return salted_hmac("cms.standby.2", content, algorithm="sha256").hexdigest().encode()
