"""The desk's navigation by duty, and the small values lists are made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from supervision import permissions
from supervision.rules.search import LONGEST_QUERY


@dataclass(frozen=True)
class Link:
    """What navigation, tabs, chips and breadcrumbs are made of."""

    label: str
    url: str = ""
    count: int | None = None
    is_active: bool = False
    is_current: bool = False


# Address name, label, further address names under the same entry.
HOME = ("home", _("Home"), ("mine", "clocks"))
ITEMS = (
    "items",
    _("Items"),
    ("item", "item_milestones", "item_new", "item_edit", "item_act", "items_dispatch"),
)
REVIEWS = ("reviews", _("Reviews"), ("review", "review_act"))
DECISIONS = ("reviews", _("Decisions"), ("review", "review_act"))
MATRIX = ("matrix", _("Matrix"), ("timeline",))
DOCUMENTS = ("documents", _("Documents"), ("document", "document_act", "tables"))
RELEASES = ("releases", _("Public editions"), ("release", "release_edit", "release_act"))
SETTINGS = (
    "settings",
    _("Rules and settings"),
    (
        "ladder",
        "limits",
        "lights",
        "light_scheme",
        "organizations",
        "organizations_change",
        "calendar",
        "calendar_load",
        "calendar_moves",
        "calendar_notice",
    ),
)
TABLES = ("ledgers", _("Tables"), ("exports", "packs", "ledger"))
AUDIT = ("audit", _("Records"), ())
LETTERS = (
    "letters",
    _("Letters"),
    ("letter", "letter_act", "letter_circular", "letter_templates", "letter_template"),
)
RETURNS = ("returns", _("Progress returns"), ("returns_of", "report"))


def entries_for(user) -> list[tuple]:
    """The entries of a user's navigation, by duty; nothing for an account without one."""
    found = [HOME]
    if user.is_office:
        found += [REVIEWS, ITEMS, MATRIX, LETTERS, TABLES, DOCUMENTS, RELEASES, AUDIT, SETTINGS]
    elif user.has_role(permissions.LEADER, permissions.PRINCIPAL):
        found += [DECISIONS, ITEMS, MATRIX, LETTERS, TABLES]
    elif user.is_body:
        found += [RETURNS, ITEMS, LETTERS, TABLES]
    if permissions.sees_releases(user) and RELEASES not in found:
        found.append(RELEASES)
    if permissions.sees_rules(user) and SETTINGS not in found:
        found.append(SETTINGS)
    if permissions.reads_audit(user) and AUDIT not in found:
        found.append(AUDIT)
    return found


def desk_nav(request) -> list[Link]:
    """Links of the top bar; empty for anonymous visitors."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    match = getattr(request, "resolver_match", None)
    here = match.url_name if match and match.app_name == "supervision" else ""
    return [
        Link(
            label=label,
            url=reverse(f"supervision:{name}"),
            is_current=here == name or here in others,
        )
        for name, label, others in entries_for(user)
    ]


def desk_search(request) -> dict:
    """The search field of the top bar; empty for whoever has nothing to look through.

    The search page has a larger one of its own.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not permissions.searches(user):
        return {}
    match = getattr(request, "resolver_match", None)
    if match is not None and match.view_name == "supervision:search":
        return {}
    return {"url": reverse("supervision:search"), "longest": LONGEST_QUERY}


def query_without(request, *names: str) -> str:
    """The parameters of the address except `names`, encoded."""
    kept = [
        (name, value)
        for name, values in request.GET.lists()
        for value in values
        if value and name not in names
    ]
    return urlencode(kept)


def chips(request, name: str, choices: Iterable[tuple[str, str, int | None]]) -> list[Link]:
    """Chips that set one parameter of the address, the first one ("all") clearing it."""
    rest = query_without(request, name, "page", "print")
    chosen = request.GET.get(name, "")
    found = []
    for value, label, count in choices:
        query = "&".join(part for part in (rest, urlencode({name: value}) if value else "") if part)
        found.append(Link(label=label, url=f"?{query}", count=count, is_active=value == chosen))
    return found


def page_of(request, rows, size: int, *, name: str = "page") -> Page:
    """The page the address asks for by `name`; a number out of range gives the nearest page."""
    return Paginator(rows, size).get_page(request.GET.get(name))
