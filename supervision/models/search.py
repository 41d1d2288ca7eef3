"""What can be found on the desk: one row for each thing that has words in it."""

from collections.abc import Sequence

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext_lazy as _

from supervision import permissions
from supervision.models.assignments import Assignment
from supervision.models.items import SupervisionItem
from supervision.models.letters import Letter


class SearchKind(models.TextChoices):
    """What was found, in the order in which kinds are shown."""

    ITEM = "item", _("Items")
    CLAUSE = "clause", _("Clauses")
    MILESTONE = "milestone", _("Milestones")
    RETURN = "return", _("Returns")
    EXTENSION = "extension", _("Extension requests")
    OBJECTION = "objection", _("Objections")
    CLOSING = "closing", _("Closing reports")
    LETTER = "letter", _("Letters")


def _holds(field: str, word: str) -> Q:
    """Faster than LIKE, and no character of the word means anything but itself (decision 0010)."""
    return Q(GreaterThan(StrIndex(F(field), Value(word)), Value(0)))


class SearchEntryQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Found is only what its item, or the share it belongs to, lets the user see.

        A letter is found by whom it may reach, whatever it is about.
        """
        if permissions.sees_all_items(user):
            return self
        letters = Letter.objects.visible_to(user).filter(status__in=Letter.SENT_STATES)
        return self.filter(
            ~Q(kind=SearchKind.LETTER)
            & (
                Q(assignment=None, item__in=SupervisionItem.objects.visible_to(user))
                | Q(assignment__in=Assignment.objects.visible_to(user))
            )
            | Q(kind=SearchKind.LETTER, subject_uid__in=letters.values("uid"))
        )

    def matching(self, words: Sequence[str]):
        """Rows that hold every one of the folded terms, in title or text; none without a term."""
        if not words:
            return self.none()
        rows = self
        for word in words:
            rows = rows.filter(_holds("key", word))
        return rows

    def best_first(self, words: Sequence[str]):
        """Hits in the title first, then by kind, then the newest."""
        in_title = Q()
        for word in words:
            in_title &= _holds("title_key", word)
        kinds = [When(kind=kind, then=place) for place, kind in enumerate(SearchKind.values)]
        return self.order_by(
            Case(When(in_title, then=Value(0)), default=Value(1)),
            Case(*kinds, default=Value(len(kinds))),
            F("subject_date").desc(nulls_last=True),
            "pk",
        )


class SearchEntry(models.Model):
    """The words of one row, as written and folded (`rules.search.fold`).

    `subject_uid` names the row that `kind` says. `assignment` is empty for what everybody who sees
    the item may read. Written only by `services.search`; it can be made anew from the rows.
    """

    kind = models.CharField(_("kind"), max_length=12, choices=SearchKind.choices)
    subject_uid = models.UUIDField(unique=True, editable=False)
    item = models.ForeignKey(
        SupervisionItem, on_delete=models.CASCADE, null=True, related_name="search_entries"
    )
    assignment = models.ForeignKey(
        Assignment, on_delete=models.CASCADE, null=True, related_name="search_entries"
    )
    label = models.CharField(_("period"), max_length=20, blank=True)
    subject_date = models.DateField(_("date"), null=True)
    title = models.CharField(_("title"), max_length=200, blank=True)
    text = models.TextField(_("text"), blank=True)
    title_key = models.TextField(blank=True, editable=False)
    key = models.TextField(editable=False)

    objects = SearchEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("search entry")
        verbose_name_plural = _("search entries")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.title}".strip()
