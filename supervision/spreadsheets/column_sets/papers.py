"""Registers of what happened: 延期登记, 催办登记, 整改清单."""

from collections.abc import Iterator

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from supervision.models import (
    URGING_KINDS,
    Assignment,
    DateChange,
    Event,
    EventKind,
    Letter,
    Outcome,
)
from supervision.spreadsheets.column_sets.scope import Scope, batches_of, day
from supervision.spreadsheets.print_sheet import NUMBER, Column, Row

EXTENSIONS = (
    Column("number", pgettext_lazy("sheet", "Register number"), 18, "centre", is_merged=True),
    Column("body", pgettext_lazy("sheet", "Body"), 16, is_merged=True),
    Column("old", pgettext_lazy("sheet", "Original limit"), 13, "centre"),
    Column("new", pgettext_lazy("sheet", "Present limit"), 13, "centre"),
    Column("days", pgettext_lazy("sheet", "Working days extended"), 10, "number", is_summed=True),
    Column("total", pgettext_lazy("sheet", "In all so far"), 10, "number"),
    Column("reason", pgettext_lazy("sheet", "Reason"), 50, "text", is_long=True),
    Column("agreed_by", pgettext_lazy("sheet", "Agreed by"), 12, "centre"),
    Column("agreed_on", pgettext_lazy("sheet", "Agreed on"), 13, "centre"),
)
URGING = (
    Column("paper", pgettext_lazy("sheet", "Letter number"), 24, "centre"),
    Column("number", pgettext_lazy("sheet", "Register number"), 18, "centre"),
    Column("body", pgettext_lazy("sheet", "Body"), 18),
    Column("times", pgettext_lazy("sheet", "Which time"), 8, "number"),
    Column("days", pgettext_lazy("sheet", "Days overdue"), 10, "number"),
    Column("sent", pgettext_lazy("sheet", "Sent at"), 17, "centre"),
    Column("received", pgettext_lazy("sheet", "Signed for"), 24, "centre"),
    Column("reply", pgettext_lazy("sheet", "Reply"), 40, "text", is_long=True),
)
RECTIFICATION = (
    Column(NUMBER, pgettext_lazy("sheet", "No."), 5, "centre"),
    Column("problem", pgettext_lazy("sheet", "Problem"), 44, "text", is_long=True),
    Column("demand", pgettext_lazy("sheet", "What is to be put right"), 34, "text", is_long=True),
    Column("body", pgettext_lazy("sheet", "Body responsible"), 16, "top", is_merged=True),
    Column("limit", pgettext_lazy("sheet", "To be put right by"), 13, "centre"),
    Column("done", pgettext_lazy("sheet", "What was done"), 40, "text", is_long=True),
    Column("closed", pgettext_lazy("sheet", "Closed out"), 10, "centre"),
)
FOUND_WANTING = (EventKind.SENT_BACK, EventKind.CHECK_FAILED, EventKind.REPORT_SENT_BACK)


def extension_rows(scope: Scope) -> Iterator[Row]:
    """Every granted extension, with the running total of working days of its share."""
    rows = DateChange.objects.filter(
        cause=DateChange.Cause.EXTENSION, milestone=None, assignment__in=scope.lit_shares()
    ).select_related("assignment__item__document", "assignment__organization", "agreed_by")
    totals: dict[int, int] = {}
    for batch in batches_of(scope.in_order(rows, "assignment__", "changed_at")):
        for change in batch:
            share = change.assignment
            totals[share.pk] = totals.get(share.pk, 0) + change.working_days
            yield Row(
                {
                    "number": share.item.number or "",
                    "body": str(share.organization),
                    "old": day(change.old_date),
                    "new": day(change.new_date),
                    "days": change.working_days,
                    "total": totals[share.pk],
                    "reason": change.reason,
                    "agreed_by": str(change.agreed_by or ""),
                    "agreed_on": day(timezone.localdate(change.changed_at)),
                },
                scope.band_of(share),
            )


def urging_rows(scope: Scope) -> Iterator[Row]:
    """Every urging sheet that was issued: which one it is of its share, receipt and reply."""
    earlier = (
        Letter.objects.filter(
            assignment=OuterRef("assignment"),
            kind__in=URGING_KINDS,
            status__in=Letter.SENT_STATES,
            issued_at__lte=OuterRef("issued_at"),
        )
        .order_by()
        .values("assignment")
        .annotate(count=Count("pk"))
        .values("count")
    )
    rows = (
        Letter.objects.visible_to(scope.user)
        .filter(
            kind__in=URGING_KINDS,
            status__in=Letter.SENT_STATES,
            assignment__in=scope.lit_shares(),
        )
        .annotate(times=Subquery(earlier[:1]))
        .defer("content")
        .select_related(
            "assignment__item__document", "assignment__organization", "organization", "received_by"
        )
    )
    for batch in batches_of(scope.in_order(rows, "assignment__", "issued_at")):
        for letter in batch:
            share = letter.assignment
            sent = timezone.localtime(letter.issued_at)
            late = (sent.date() - share.due_date).days if share.due_date else 0
            void = letter.status == Letter.Status.VOID
            yield Row(
                {
                    "paper": f"{letter.number}{_('(void)')}" if void else letter.number,
                    "number": share.item.number or "",
                    "body": str(letter.organization or share.organization),
                    "times": letter.times,
                    "days": max(late, 0),
                    "sent": sent.strftime("%Y-%m-%d %H:%M"),
                    "received": _signed(letter),
                    "reply": letter.reply_text or pgettext("sheet", "Not answered yet"),
                },
                scope.band_of(share),
            )


def _signed(letter: Letter) -> str:
    if letter.received_at is None:
        return pgettext("sheet", "Not signed for yet")
    return _("%(name)s\n%(moment)s") % {
        "name": letter.received_by or "",
        "moment": timezone.localtime(letter.received_at).strftime("%Y-%m-%d %H:%M"),
    }


def rectification_rows(scope: Scope) -> Iterator[Row]:
    """What a review or a check found wanting, taken from the records; what came of it.

    A closing that was sent back is closed out with the share; a return with its acceptance.
    """
    later = Event.objects.filter(
        assignment=OuterRef("assignment"), happened_at__gt=OuterRef("happened_at")
    ).order_by("happened_at", "pk")
    handed_in = later.filter(
        Q(kind=EventKind.SUBMITTED) | Q(kind=EventKind.REPORT_SUBMITTED, period=OuterRef("period"))
    )
    accepted = later.filter(kind=EventKind.REPORT_APPROVED, period=OuterRef("period"))
    rows = (
        Event.objects.visible_to(scope.user)
        .filter(kind__in=FOUND_WANTING, assignment__in=scope.lit_shares())
        .annotate(
            handed_in_at=Subquery(handed_in.values("happened_at")[:1]),
            accepted_at=Subquery(accepted.values("happened_at")[:1]),
            period_label=F("period__label"),
        )
        .select_related("assignment__item__document", "assignment__organization")
    )
    for batch in batches_of(scope.in_order(rows, "assignment__", "happened_at")):
        for event in batch:
            share: Assignment = event.assignment
            is_return = event.kind == EventKind.REPORT_SENT_BACK
            is_closed = (
                event.accepted_at is not None
                if is_return
                else share.outcome in (Outcome.ON_TIME, Outcome.LATE)
            )
            yield Row(
                {
                    "problem": event.reason,
                    "demand": _("Correct the return for %(period)s of “%(item)s” and file it again")
                    % {"period": event.period_label, "item": share.item.title}
                    if is_return
                    else _("Put “%(item)s” right and apply for completion again")
                    % {"item": share.item.title},
                    "body": str(share.organization),
                    "limit": event.data.get("rework_due_date") or day(share.due_date),
                    "done": _done(event, is_closed),
                    "closed": pgettext("sheet", "Yes") if is_closed else pgettext("sheet", "No"),
                },
                scope.band_of(share),
            )


def _done(event: Event, is_closed: bool) -> str:
    if event.handed_in_at is None:
        return pgettext("sheet", "Not handed in again yet")
    on = day(timezone.localdate(event.handed_in_at))
    if is_closed:
        return _("Handed in again on %(date)s, accepted") % {"date": on}
    return _("Handed in again on %(date)s, being reviewed") % {"date": on}
