"""What a fact of the calendar is before it is written: its shape, its key, its moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import CharField, Exists, Func, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from supervision.models import (
    Event,
    EventKind,
    ExtensionRequest,
)

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Effect:
    """A fact that should exist: `on_date` is its day, `expects` what the row must still hold."""

    kind: EventKind
    fact_key: str
    assignment_id: int
    on_date: date
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)
    expects: Mapping[str, Any] = field(default_factory=dict, hash=False)
    milestone_id: int | None = None
    period_id: int | None = None


def midnight(day: date) -> datetime:
    """00:00 local of that day."""
    return timezone.make_aware(datetime.combine(day, time.min))


class _SpelledOut(Func):
    """A state written into the statement itself instead of being bound as a parameter."""

    template = "'%(state)s'"
    arity = 0
    output_field = CharField()

    def __init__(self, state: str) -> None:
        if not state.replace("_", "").isalpha():
            raise ValueError(f"not a state: {state!r}")
        super().__init__(state=state)


def spelled_out(*states: str) -> list[Func]:
    """Values for `status__in` in the words and the order of a partial index's condition.

    SQLite uses such an index only when it finds the same list; of parameters it knows nothing.
    """
    return [_SpelledOut(state) for state in states]


def has_fact(*parts) -> Exists:
    """Whether an event with this key exists; strings starting with "=" are taken literally."""
    pieces: list = []
    for part in parts:
        if pieces:
            pieces.append(Value(":"))
        literal = part.startswith("=")
        pieces.append(Value(part[1:]) if literal else Cast(OuterRef(part), CharField()))
    return Exists(Event.objects.filter(fact_key=Concat(*pieces, output_field=CharField())))


# As the partial index of open due dates says it: see `spelled_out`.
BODY = Q(status__in=spelled_out("pending", "in_progress", "returned"))
IN_TIME_REQUEST = Q(
    status__in=[ExtensionRequest.Status.SUBMITTED, ExtensionRequest.Status.ENDORSED],
    is_late=False,
)


def is_held_open() -> Exists:
    """Whether a request for more time, filed in time, waits: nothing is due meanwhile."""
    return Exists(ExtensionRequest.objects.filter(IN_TIME_REQUEST, assignment=OuterRef("pk")))
