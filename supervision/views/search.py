"""Search across items, clauses, milestones, returns, requests, closing reports and letters."""

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supervision import permissions
from supervision.models import Organization, ProgressReport, SearchEntry, SearchKind
from supervision.rules.search import LONGEST_QUERY, excerpt, mark, terms
from supervision.timebox import TookTooLong, at_most
from supervision.views.navigation import Link, chips, page_of, query_without

PAGE_SIZE = 20
SECONDS = 3.0
BODIES_SHOWN = 8


@login_required
@require_safe
def search(request):
    """What the user may see and what holds every word of the question; hits in titles first."""
    query = request.GET.get("q", "").strip()
    kind = request.GET.get("kind", "")
    words = terms(query) if len(query) <= LONGEST_QUERY else ()
    context = {
        "q": query[:LONGEST_QUERY],
        "longest": LONGEST_QUERY,
        "is_too_long": len(query) > LONGEST_QUERY,
        "is_asked": bool(words),
        "is_without_words": bool(query) and not words and len(query) <= LONGEST_QUERY,
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Search"))],
    }
    if words:
        try:
            with at_most(SECONDS):
                context |= _found(request, words, kind if kind in SearchKind.values else "")
        except TookTooLong:
            context |= {"is_asked": False, "took_too_long": True}
    return render(request, "desk/search.html", context)


def _found(request, words, kind: str) -> dict:
    user = request.user
    rows = SearchEntry.objects.visible_to(user).matching(words)
    counts = dict(rows.values_list("kind").annotate(Count("pk")).order_by("kind"))
    shown = rows.filter(kind=kind) if kind else rows
    shown = shown.best_first(words).select_related("item", "assignment__organization")
    page = page_of(
        request,
        _Counted(shown, counts.get(kind, 0) if kind else sum(counts.values())),
        PAGE_SIZE,
    )
    hits = list(page.object_list)
    # A return the body writes on again is shown to others on the share's own page.
    readable = set(
        ProgressReport.objects.visible_to(user)
        .filter(uid__in=[entry.subject_uid for entry in hits])
        .values_list("uid", flat=True)
    )
    for entry in hits:
        entry.url = _url_of(entry, user, readable)
        entry.heading = mark(entry.title or str(entry.item), words if entry.title else ())
        entry.excerpt = excerpt(entry.text, words)
    return {
        "bodies": bodies_named(request.GET.get("q", ""))
        if permissions.sees_all_items(user)
        else [],
        "page_obj": page,
        "hits": hits,
        "total": sum(counts.values()),
        "query": query_without(request, "page"),
        "kind_chips": chips(
            request,
            "kind",
            [("", _("All"), sum(counts.values()))]
            + [
                (value, str(label), counts[value])
                for value, label in SearchKind.choices
                if counts.get(value)
            ],
        ),
    }


def bodies_named(query: str) -> list[Organization]:
    """Bodies whose present, former or other name holds the question, with who came before, after.

    A former name leads to the body that carries the work on, and the present one to its history.
    """
    query = query.strip()
    named = (
        Q(short_name__icontains=query)
        | Q(full_name__icontains=query)
        | Q(aliases__name__icontains=query)
    )
    around = Q(successor_links__new__in=Organization.objects.filter(named)) | Q(
        predecessor_links__old__in=Organization.objects.filter(named)
    )
    return list(
        Organization.objects.filter(named | around)
        .distinct()
        .in_official_order()
        .prefetch_related("successor_links__new", "predecessor_links__old")[:BODIES_SHOWN]
    )


class _Counted:
    """Rows whose number is known already: the paginator need not count them again."""

    def __init__(self, rows, count: int) -> None:
        self.rows = rows
        self.known = count

    def __getitem__(self, index):
        return self.rows[index]

    def __len__(self) -> int:
        return self.known


def _url_of(entry: SearchEntry, user, readable: set) -> str:
    """Where the hit is to be read."""
    name = "supervision:{}".format
    if entry.kind == SearchKind.RETURN and entry.subject_uid in readable:
        return reverse(name("report"), args=[entry.subject_uid])
    if entry.kind == SearchKind.LETTER:
        return reverse(name("letter"), args=[entry.subject_uid])
    if entry.assignment is not None:
        anchor = {
            SearchKind.MILESTONE: f"milestone-{entry.subject_uid}",
            SearchKind.RETURN: "returns",
            SearchKind.CLOSING: "closing",
        }.get(entry.kind, "requests")
        return reverse(name("assignment"), args=[entry.assignment.uid]) + f"#{anchor}"
    if entry.item is not None:
        return reverse(name("item"), args=[entry.item.uid])
    if permissions.sees_all_items(user):
        return reverse(name("documents"))
    return ""
