"""What a page that only reads has read once, it does not read again.

The calendar, the limits and the light schemes are asked for in many places of one page. While a
GET is answered they are kept; an act (POST), a job and a command read what is true at that moment.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TypeVar

T = TypeVar("T")
_kept: ContextVar[dict | None] = ContextVar("kept", default=None)


@contextmanager
def reading() -> Iterator[None]:
    """Until the end of this block the functions under `read_once` are asked at most once."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def is_reading() -> bool:
    """Whether a page that only reads is being answered."""
    return _kept.get() is not None


def read_once(function: Callable[[], T]) -> Callable[[], T]:
    """Keep what the function returned while a page is being read. Nobody changes that value."""

    @wraps(function)
    def asked() -> T:
        kept = _kept.get()
        if kept is None:
            return function()
        if function not in kept:
            kept[function] = function()
        return kept[function]

    return asked
