"""考核计分表 by body, and 分县进展: counts of frozen verdicts, never of today's colours alone."""

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Count, F, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from supervision.models import (
    Criterion,
    Event,
    EventKind,
    Letter,
    LetterKind,
    Organization,
    Outcome,
)
from supervision.overview import light_up
from supervision.rules.scores import score
from supervision.spreadsheets.column_sets.scope import Scope, batches_of
from supervision.spreadsheets.ledger import CountyCounts, county_values
from supervision.spreadsheets.print_sheet import Column, Row

SCORES = (
    Column("project", pgettext_lazy("sheet", "Assessed project"), 16, is_merged=True),
    Column("content", pgettext_lazy("sheet", "What is assessed"), 30),
    Column("base", pgettext_lazy("sheet", "Base points"), 10, "number", is_summed=True),
    Column("standard", pgettext_lazy("sheet", "Standard"), 46),
    Column("count", pgettext_lazy("sheet", "Cases"), 8, "number"),
    Column("plus", pgettext_lazy("sheet", "Points added"), 10, "number", is_summed=True),
    Column("minus", pgettext_lazy("sheet", "Points deducted"), 10, "number", is_summed=True),
    Column("points", pgettext_lazy("sheet", "Score"), 10, "number", is_summed=True),
)
COUNTIES = (
    Column("county", pgettext_lazy("sheet", "County, city or district"), 30),
    Column("all", pgettext_lazy("sheet", "Number of tasks"), 16, "number"),
    Column("done", pgettext_lazy("sheet", "Closed"), 16, "number"),
    Column("on_schedule", pgettext_lazy("sheet", "On schedule"), 16, "number"),
    Column("behind", pgettext_lazy("sheet", "Behind"), 16, "number"),
    Column("overdue", pgettext_lazy("sheet", "Overdue"), 16, "number"),
    Column("rate", pgettext_lazy("sheet", "Completion rate"), 16, "percent"),
)


def _facts(scope: Scope) -> dict[str, dict[int, int]]:
    """How often each fact stands on record, by body: one grouped query a fact."""
    shares = scope.lit_shares()
    events = Event.objects.filter(assignment__in=shares)

    def of(rows, name: str = "organization") -> dict[int, int]:
        return dict(rows.order_by().values_list(name).annotate(n=Count("pk")))

    returned = shares.filter(times_returned__gte=2)
    letters = Letter.objects.filter(assignment__in=shares, status=Letter.Status.ISSUED)
    answered_late = Q(replied_at__isnull=False) & Q(
        pk__in=letters.annotate(
            answered=TruncDate("replied_at", tzinfo=timezone.get_current_timezone())
        )
        .filter(answered__gt=F("reply_due_date"))
        .values("pk")
    )
    yellow = of(letters.filter(kind=LetterKind.URGING_YELLOW))
    return {
        "period_missed": of(events.filter(kind=EventKind.PERIOD_CLOSED, data__is_filed=False)),
        "report_sent_back": of(events.filter(kind=EventKind.REPORT_SENT_BACK)),
        "answered_late": of(letters.filter(answered_late)),
        "returned_twice": of(returned),
        "second_yellow": {body: count - 1 for body, count in yellow.items() if count > 1},
        "red_sheet": of(letters.filter(kind=LetterKind.URGING_RED)),
        "completed_on_time": of(shares.filter(outcome=Outcome.ON_TIME)),
    }


def score_rows(scope: Scope) -> Iterator[Row]:
    """The sheet of every body that has a share here: base, counted facts, points.

    A body without a share is not scored (domain.md, section 11.1).
    """
    facts = _facts(scope)
    criteria = list(Criterion.objects.filter(is_active=True).order_by("position", "pk"))
    bodies = Organization.objects.filter(
        pk__in=scope.lit_shares().values("organization")
    ).in_official_order()
    for body in bodies:
        for criterion in criteria:
            count = facts.get(criterion.fact, {}).get(body.pk, 0)
            found = score(
                base=criterion.base_points,
                each=criterion.points_each,
                count=count,
                most=criterion.most_points,
            )
            yield Row(
                {
                    "project": criterion.project,
                    "content": criterion.content,
                    "base": _plain(criterion.base_points) if criterion.base_points else None,
                    "standard": criterion.standard,
                    "count": count if criterion.points_each else None,
                    "plus": _plain(found.plus) if found.plus else None,
                    "minus": _plain(found.minus) if found.minus else None,
                    "points": _plain(found.points),
                },
                str(body),
            )


def _plain(value: Decimal) -> float | int:
    return int(value) if value == int(value) else float(value)


def county_rows(scope: Scope) -> Iterator[Row]:
    counts = CountyCounts()
    rows = scope.in_order(scope.lit_shares())
    for batch in batches_of(rows):
        for share in light_up(
            scope.shares().filter(pk__in=[row.pk for row in batch]), today=scope.today
        ):
            counts.add(share)
    for name, found in counts.rows():
        yield Row(county_values(name, found))
