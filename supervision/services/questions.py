"""A question asked every half minute: is anything due? Composing it costs more than the answer.

The statement of a queryset is kept in the process and asked as it stands. Only when something
comes back is the queryset itself evaluated. The daily wide sweep never goes this way, so that a
mistake here is found and told (reliability.md, section 2).
"""

from collections.abc import Callable, Hashable, Iterable

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

KEPT_AT_MOST = 200
_kept: dict[Hashable, tuple[str, tuple]] = {}


def ask(key: Hashable, rows: Callable[[], QuerySet], *, is_wide: bool = False) -> Iterable:
    """The rows of the queryset `rows` composes; nothing at the price of one bare statement.

    `key` holds every value that goes into the statement, today among them: an equal key must
    mean an equal statement. With `is_wide` the queryset is asked without the short cut.
    """
    if is_wide:
        return rows()
    statement = _kept.get(key)
    if statement is None:
        queryset = rows()
        try:
            statement = queryset.query.sql_with_params()
        except EmptyResultSet:
            return []
        if len(_kept) >= KEPT_AT_MOST:
            _kept.clear()
        _kept[key] = statement
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        is_empty = cursor.fetchone() is None
    return [] if is_empty else rows()
