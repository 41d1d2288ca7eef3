"""Several short lists of different kinds in one statement.

A page shows a few rows of many kinds: requests, letters, files. Each list is written down as the
queryset it is; `read_together` joins them by UNION ALL, so that a page with ten small lists waits
for the database once. Meant for what a page shows, not for long lists: every value travels as text.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.models import F, QuerySet, Value, Window
from django.db.models.expressions import BaseExpression
from django.db.models.functions import RowNumber
from django.db.models.query import ModelIterable, get_related_populators
from django.utils.dateparse import parse_date, parse_datetime

PLACE = "place_in_list"


def read_together(**lists: QuerySet) -> dict[str, list]:
    """The rows of every queryset by its name, in one statement.

    Each list is in the order of its queryset. What a queryset says of `select_related`, `defer`,
    annotations and a slice holds as if it were read alone; `values_list` gives tuples. Raises
    ValueError for `prefetch_related`, which would be a statement of its own, and for `distinct`,
    which the place in the list would undo.
    """
    return Together(**lists).read()


def figures(rows: QuerySet, **aggregates) -> QuerySet:
    """Aggregates over a queryset as a list of one row, to be read together with other lists."""
    return rows.order_by().values(over_all=Value(1)).annotate(**aggregates).values_list(*aggregates)


class Together:
    """The same, made ready once for lists that are asked for again and again."""

    def __init__(self, **lists: QuerySet) -> None:
        self.parts = {
            name: _Part(number, rows) for number, (name, rows) in enumerate(lists.items())
        }
        filled = [part for part in self.parts.values() if part.sql]
        width = max((part.width for part in filled), default=0)
        self.sql = " UNION ALL ".join(part.select(width) for part in filled)
        self.params = [value for part in filled for value in part.params]

    def read(self) -> dict[str, list]:
        found: dict[int, list] = {part.number: [] for part in self.parts.values()}
        if self.sql:
            with connections[next(iter(self.parts.values())).using].cursor() as cursor:
                cursor.execute(self.sql, self.params)
                for number, *values in cursor.fetchall():
                    found[number].append(values)
        return {name: part.read(found[part.number]) for name, part in self.parts.items()}


class _Part:
    """One queryset: its SQL with every column as text, and the way back to its rows."""

    def __init__(self, number: int, rows: QuerySet) -> None:
        if rows._prefetch_related_lookups or rows.query.distinct:
            raise ValueError("Neither prefetch_related nor distinct can be read together.")
        self.number, self.using, self.rows = number, rows.db, rows
        ordering = rows.query.order_by
        if not ordering and rows.query.group_by is None:
            ordering = rows.query.get_meta().ordering
        rows = rows.annotate(**{PLACE: Window(RowNumber(), order_by=_as_orders(ordering) or None)})
        self.compiler = rows.query.get_compiler(self.using)
        try:
            self.sql, self.params = self.compiler.as_sql(with_col_aliases=True)
        except EmptyResultSet:
            self.sql, self.params = "", ()
            return
        self.decoders = [_decoder(expression) for expression, *_rest in self.compiler.select]
        self.width = len(self.decoders)

    def select(self, width: int) -> str:
        names = [alias for _expression, _sql, alias in self.compiler.select]
        columns = [f"CAST({_quoted(self.compiler, name)} AS text)" for name in names]
        columns += ["CAST(NULL AS text)"] * (width - self.width)
        return f"SELECT {self.number}, {', '.join(columns)} FROM ({self.sql}) AS part{self.number}"

    def read(self, texts: list[Sequence[str | None]]) -> list:
        """The rows, in their places: as Django makes them of a result of its own."""
        if not texts:
            return []
        compiler, decoders = self.compiler, self.decoders
        decoded = [
            [
                None if text is None else decode(text)
                for decode, text in zip(decoders, row, strict=False)
            ]
            for row in texts
        ]
        place = compiler.annotation_col_map[PLACE]
        decoded.sort(key=lambda row: row[place])
        if not issubclass(self.rows._iterable_class, ModelIterable):
            return [tuple(row[:place] + row[place + 1 :]) for row in decoded]
        return [self._made(row) for row in decoded]

    def _made(self, row: list) -> models.Model:
        compiler, info = self.compiler, self.compiler.klass_info
        first, last = info["select_fields"][0], info["select_fields"][-1] + 1
        names = [column[0].target.attname for column in compiler.select[first:last]]
        made = info["model"].from_db(self.using, names, row[first:last])
        for populator in get_related_populators(info, compiler.select, self.using):
            populator.populate(row, made)
        for name, position in compiler.annotation_col_map.items():
            if name != PLACE:
                setattr(made, name, row[position])
        return made


def _quoted(compiler, name: str) -> str:
    return compiler.connection.ops.quote_name(name)


def _as_orders(ordering: Sequence) -> list[BaseExpression]:
    found = []
    for one in ordering:
        if isinstance(one, str):
            name = one.removeprefix("-")
            one = F(name).desc() if one.startswith("-") else F(name).asc()
        found.append(one)
    return found


def _decoder(expression: Any) -> Callable[[str], Any]:
    """From the text of a column back to what the model's field holds."""
    field = expression.output_field
    while getattr(field, "remote_field", None):
        field = field.target_field
    for kinds, decode in DECODERS:
        if isinstance(field, kinds):
            return decode(field)
    return str


def _moment(_field) -> Callable[[str], Any]:
    def decode(text: str):
        moment = parse_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    return decode


def _number(field) -> Callable[[str], Decimal]:
    places = Decimal(1).scaleb(-field.decimal_places) if field.decimal_places is not None else None
    return lambda text: Decimal(text).quantize(places) if places else Decimal(text)


# The first kind that fits decides: a moment is a date as well.
DECODERS: tuple[tuple[tuple[type, ...], Callable], ...] = (
    ((models.BooleanField,), lambda field: lambda text: text in ("1", "true", "t")),
    ((models.IntegerField,), lambda field: int),
    ((models.DecimalField,), _number),
    ((models.FloatField,), lambda field: float),
    ((models.DateTimeField,), _moment),
    ((models.DateField,), lambda field: parse_date),
    ((models.UUIDField,), lambda field: UUID),
    ((models.JSONField,), lambda field: lambda text: json.loads(text, cls=field.decoder)),
)
