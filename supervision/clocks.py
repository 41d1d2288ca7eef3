"""Reading: whose desk is late. What waits now, and the frozen facts of a year, desk by desk.

The office's own line stands before the bodies' (domain.md, section 6.3).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import CharField, Count, F, Min, Q, Value
from django.db.models.fields.json import KT
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from supervision import permissions
from supervision.history import DESK_NAMES
from supervision.models import (
    Assignment,
    Event,
    EventKind,
    Organization,
    Role,
    SupervisionItem,
    User,
)
from supervision.rules.limits import Unit
from supervision.rules.waiting import Clock, latest_over
from supervision.rules.working_days import WorkingCalendar
from supervision.services.effects import midnight
from supervision.services.reviewer_clocks import DESKS, Desk
from supervision.services.settings import limits, working_calendar
from supervision.waiting import QUEUES, Queue

# Charged to the body: its own head signs off. Code of the desk: path to the body.
BODY_QUEUES = {
    "sign-offs": "period__assignment__organization_id",
    "closing-sign-offs": "organization_id",
}
# Code of the desk: the queue of /desk/reviews/ in which its matters lie.
QUEUE_OF = {desk.code: desk.code for desk in DESKS if desk.code in QUEUES} | {
    "decisions": Queue.EXTENSIONS
}
OF_PUBLICATION = ("releases", "secrecy-reviews")
# What a leader decides personally, so that the queue opens for a leader too.
LEADERS_QUEUES = ("approvals", "decisions")
# REVIEW_OVERDUE is the body's for its own sign-offs only.
BODY_FACTS = (
    EventKind.ACCEPT_OVERDUE,
    EventKind.BECAME_OVERDUE,
    EventKind.MILESTONE_MISSED,
    EventKind.PERIOD_CLOSED,
    EventKind.REVIEW_OVERDUE,
)
ONE_DAY = timedelta(days=1)
ROLE_NAMES = {
    Role.OFFICER: _("Supervision officers"),
    Role.OFFICE_HEAD: _("Head of the supervision office"),
    Role.LEADER: _("Leaders in charge"),
    Role.REVIEWER: _("Reviewers of public editions"),
}


@dataclass(frozen=True)
class OfficeRow:
    """One queue of the office: who must act, what lies there, and how often it was over its limit.

    `limit_days` in the unit of the limit; `waiting` and `over` are of today, `year_over` frozen.
    """

    desk_name: str
    queue_name: str
    limit_days: int
    waiting: int
    over: int
    year_over: int
    url: str = ""


@dataclass(frozen=True)
class BodyRow:
    """One body: shares in hand, those past their date, papers too long with its head, the year."""

    body: Organization
    waiting: int
    over: int
    sign_off_over: int
    cells: tuple[int, ...]

    @property
    def year_over(self) -> int:
        return sum(self.cells)


@dataclass(frozen=True)
class Clocks:
    """Both halves of the page; `cells` are in the order of `BODY_FACTS`."""

    office: list[OfficeRow]
    bodies: list[BodyRow]
    years: list[int]

    @property
    def office_total(self) -> dict[str, int]:
        names = ("waiting", "over", "year_over")
        return {name: sum(getattr(row, name) for row in self.office) for name in names}

    @property
    def bodies_total(self) -> dict:
        names = ("waiting", "over", "sign_off_over", "year_over")
        cells = [sum(row.cells[index] for row in self.bodies) for index in range(len(BODY_FACTS))]
        return {name: sum(getattr(row, name) for row in self.bodies) for name in names} | {
            "cells": cells
        }


def read_clocks(user: User, *, today: date, year: int) -> Clocks:
    """Whose desk is late, as far as `user` sees it; a leader sees the desks of the own items.

    The number of queries depends neither on the rows nor on the desks nor on the bodies.
    """
    calendar, table = working_calendar(), limits()
    facts = _facts(user, year)
    office, sign_offs_over = [], Counter()
    sees_all = permissions.sees_all_items(user)
    desks = [desk for desk in DESKS if sees_all or desk.code not in OF_PUBLICATION]
    lying = _lying(desks, user, today, table, calendar)
    for desk in desks:
        waiting, over = lying[desk.code]
        if desk.code in BODY_QUEUES:
            sign_offs_over += over
            continue
        office.append(
            OfficeRow(
                desk_name=str(ROLE_NAMES[Role(desk.desk[0])]),
                queue_name=str(DESK_NAMES[desk.code]),
                limit_days=table[desk.limit, ""][0],
                waiting=waiting.total(),
                over=over.total(),
                year_over=sum(
                    count for (queue, _body), count in facts.items() if queue == desk.code
                ),
                url=_url_of(desk.code, user),
            )
        )
    names = [str(name) for name in ROLE_NAMES.values()]
    office.sort(key=lambda row: names.index(row.desk_name))
    return Clocks(office, _bodies(user, today, facts, sign_offs_over), _years(user, today))


def _lying(
    desks: Iterable[Desk], user: User, today: date, table: Mapping, calendar: WorkingCalendar
) -> dict[str, tuple[Counter, Counter]]:
    """By desk and body what lies there, and what longer than its limit: one statement for all."""
    found, latest, parts = {}, {}, []
    for desk in desks:
        rows = desk.rows()
        if not permissions.sees_all_items(user):
            if "assignment_id" in desk.links:
                seen = Assignment.objects.visible_to(user).values("pk")
                rows = rows.filter(**{f"{desk.links['assignment_id']}__in": seen})
            else:
                rows = rows.filter(pk__in=SupervisionItem.objects.visible_to(user).values("pk"))
        value, unit = table[desk.limit, ""]
        day = latest_over(today, Clock(value, Unit(unit)), calendar)
        latest[desk.code] = midnight(day + ONE_DAY)
        found[desk.code] = (Counter(), Counter())
        parts.append(
            rows.order_by()
            .annotate(
                desk_code=Value(desk.code, output_field=CharField()),
                body=F(BODY_QUEUES.get(desk.code, "pk")),
            )
            .values_list("desk_code", "body", "since_at")
        )
    for code, body, since_at in parts[0].union(*parts[1:], all=True):
        waiting, over = found[code]
        waiting[body] += 1
        over[body] += since_at is not None and since_at < latest[code]
    return found


def _url_of(code: str, user: User) -> str:
    """Where the queue can be looked at; empty when this user has no such page."""
    if code in OF_PUBLICATION:
        return reverse("supervision:releases") if permissions.sees_releases(user) else ""
    if not user.is_office and code not in LEADERS_QUEUES:
        return ""
    return f"{reverse('supervision:reviews')}?kind={QUEUE_OF[code]}"


def _facts(user: User, year: int) -> Counter:
    """Frozen facts of a year: (queue of a desk or kind of the fact, body) → how many."""
    no_return = Q(kind=EventKind.PERIOD_CLOSED, data__is_filed=False)
    others = [kind for kind in BODY_FACTS if kind != EventKind.PERIOD_CLOSED]
    rows = (
        Event.objects.visible_to(user)
        .filter(Q(kind__in=others) | no_return)
        .filter(happened_at__gte=midnight(date(year, 1, 1)))
        .filter(happened_at__lt=midnight(date(year + 1, 1, 1)))
        .annotate(queue=KT("data__queue"))
        .values_list("kind", "queue", "organization_id")
        .annotate(count=Count("pk"))
    )
    found = Counter()
    for kind, queue, body, count in rows:
        is_office = kind == EventKind.REVIEW_OVERDUE and queue not in BODY_QUEUES
        found[queue if is_office else kind, body] += count
    return found


def _bodies(user: User, today: date, facts: Counter, sign_offs_over: Counter) -> list[BodyRow]:
    """The bodies in the official order that have a share in hand or a fact of the year."""
    is_late = Q(due_date__lt=today) | Q(status=Assignment.Status.PENDING, accept_due_date__lt=today)
    in_hand = {
        body: (waiting, over)
        for body, waiting, over in Assignment.objects.visible_to(user)
        .with_the_body()
        .order_by()
        .values_list("organization_id")
        .annotate(waiting=Count("pk"), over=Count("pk", filter=is_late))
    }
    named = {body for (code, body), count in facts.items() if code in BODY_FACTS and count}
    bodies = Organization.objects.filter(pk__in={*in_hand, *named, *sign_offs_over} - {None})
    return [
        BodyRow(
            body,
            *in_hand.get(body.pk, (0, 0)),
            sign_offs_over[body.pk],
            tuple(facts[kind, body.pk] for kind in BODY_FACTS),
        )
        for body in bodies.order_by("kind_position", "position", "pk")
    ]


def _years(user: User, today: date) -> list[int]:
    """Years from the first fact to the present one, the latest first."""
    first = (
        Event.objects.visible_to(user)
        .filter(kind__in=BODY_FACTS)
        .aggregate(first=Min("happened_at"))["first"]
    )
    begin = timezone.localdate(first).year if first else today.year
    return list(range(today.year, min(begin, today.year) - 1, -1))
