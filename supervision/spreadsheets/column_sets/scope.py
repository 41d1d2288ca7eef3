"""What a table shows: whose rows, which filter, which order, on which paper."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from supervision.models import (
    Assignment,
    Organization,
    PolicyDocument,
    SupervisionItem,
    User,
)
from supervision.overview import light_up
from supervision.spreadsheets.layout import A3, A4
from supervision.spreadsheets.ledger import BY_BODY, BY_CHAPTER
from supervision.spreadsheets.print_sheet import PER_CHAPTER, RUNNING

PAPERS = {"a4": A4, "a3": A3}
ORDERS = (BY_CHAPTER, BY_BODY)
NUMBERINGS = (RUNNING, PER_CHAPTER)
# Shares read at a time.
BATCH = 1_000


@dataclass
class Scope:
    """The rows `user` may see, narrowed by the filters of the screen, as they stand on `today`.

    `columns` are names of `column_choices`; empty for all.
    """

    user: User
    today: date
    as_of: datetime
    document: PolicyDocument | None = None
    body: Organization | None = None
    leader: User | None = None
    kind: str = ""
    state: str = ""
    light: str = ""
    period: str = ""
    order: str = BY_CHAPTER
    numbering: str = RUNNING
    paper: str = "a4"
    unit_name: str = ""
    columns: frozenset[str] = frozenset()
    _lit: set[int] | None = field(default=None, repr=False)

    def shares(self) -> QuerySet[Assignment]:
        """The shares of this scope, in no order yet."""
        rows = Assignment.objects.visible_to(self.user).filter(transferred_to=None)
        if self.document is not None:
            rows = rows.filter(item__document=self.document)
        if self.body is not None:
            rows = rows.filter(organization=self.body)
        if self.leader is not None:
            rows = rows.filter(item__leader=self.leader)
        if self.kind:
            rows = rows.filter(item__kind=self.kind)
        if self.state:
            rows = rows.filter(item__status=self.state)
        return rows

    def lit_shares(self) -> QuerySet[Assignment]:
        """The same, and only those whose light was asked for."""
        rows = self.shares()
        if not self.light:
            return rows
        if self._lit is None:
            self._lit = {
                share.pk
                for batch in in_batches(rows.order_by("pk"))
                for share in light_up(
                    Assignment.objects.filter(pk__in=[row.pk for row in batch]), today=self.today
                )
                if share.lamp.code == self.light
            }
        return rows.filter(pk__in=self._lit)

    def items(self) -> QuerySet[SupervisionItem]:
        """The items of this scope, drafts included for those who see them."""
        rows = SupervisionItem.objects.visible_to(self.user).exclude(
            status=SupervisionItem.Status.CANCELLED
        )
        if self.document is not None:
            rows = rows.filter(document=self.document)
        if self.body is not None:
            rows = rows.filter(pk__in=self.shares().values("item"))
        if self.leader is not None:
            rows = rows.filter(leader=self.leader)
        if self.kind:
            rows = rows.filter(kind=self.kind)
        if self.state:
            rows = rows.filter(status=self.state)
        if self.light:
            rows = rows.filter(pk__in=self.lit_shares().values("item"))
        return rows

    def in_order(self, rows: QuerySet, prefix: str = "", *last: str) -> QuerySet:
        """Rows that hang on a share (`prefix` says how) in the order of the paper, then `last`."""
        body = (
            f"{prefix}organization__kind_position",
            f"{prefix}organization__position",
            f"{prefix}organization_id",
        )
        chapter = (
            f"{prefix}item__document__issued_date",
            f"{prefix}item__document_id",
            f"{prefix}item__position",
            f"{prefix}item_id",
        )
        order = (*body, *chapter) if self.order == BY_BODY else (*chapter, *body)
        return rows.order_by(*order, *last, "pk")

    def band_of(self, share: Assignment) -> str:
        """The line above: the body, or the chapter of the document."""
        if self.order == BY_BODY:
            return str(share.organization)
        return self.chapter_of(share.item)

    @staticmethod
    def chapter_of(item: SupervisionItem) -> str:
        return _("%(document)s %(chapter)s") % {
            "document": item.document,
            "chapter": item.get_kind_display(),
        }


def in_batches(rows: QuerySet, size: int = BATCH) -> Iterable[list]:
    """The rows in parts, each read with its own prefetches; the order must be a total one."""
    keys = list(rows.values_list("pk", flat=True))
    for start in range(0, len(keys), size):
        chosen = keys[start : start + size]
        place = {pk: number for number, pk in enumerate(chosen)}
        yield sorted(rows.model._default_manager.filter(pk__in=chosen), key=lambda r: place[r.pk])


def batches_of(rows: QuerySet, size: int = BATCH) -> Iterable[list]:
    """The same, keeping what the queryset joins and prefetches."""
    keys = list(rows.values_list("pk", flat=True))
    for start in range(0, len(keys), size):
        chosen = keys[start : start + size]
        place = {pk: number for number, pk in enumerate(chosen)}
        yield sorted(rows.filter(pk__in=chosen), key=lambda row: place[row.pk])


def day(value: date | None) -> str:
    return value.isoformat() if value else ""
