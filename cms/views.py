"""Public addresses that are no pages of the tree: item addresses, downloads, maps."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from openpyxl import Workbook
from wagtail.models import Site
from wagtail.views import serve

from cms import snapshot
from cms.dress import is_own_exit
from cms.feeds import groups_with_feeds
from cms.filters import LEGENDS, Filters, refuse_parameters
from cms.models import ItemPage, ProgressPage
from cms.open_data import workbook_bytes
from cms.search import LONGEST_QUERY, SHOWN
from cms.standby import PageRow, Standby, ask
from supervision.middleware import STRICT
from supervision.models import PublicItem
from supervision.spreadsheets.cells import csv_lines, text_row

WIDTHS = {"A": 8, "B": 12, "C": 10, "D": 34, "E": 14, "F": 16, "G": 30, "H": 12, "N": 60}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def headings() -> list[str]:
    return [
        _("Public number"),
        _("Part of the document"),
        _("Clause"),
        _("Item"),
        _("Theme"),
        _("Lead"),
        _("Supports"),
        _("Status"),
        _("Original due date"),
        _("Due date"),
        _("Working days moved"),
        _("Completed on"),
        _("Last verified on"),
        _("Progress"),
    ]


def row_of(entry: snapshot.Entry) -> list:
    return [
        entry.number,
        str(entry.kind_word),
        entry.clause,
        entry.title,
        entry.theme,
        entry.lead,
        "、".join(entry.supports),
        str(entry.status_word),
        entry.data["original_due_date"] or "",
        entry.data["due_date"] or "",
        entry.moved_working_days,
        entry.data["completed_date"] or "",
        entry.data["verified_date"] or "",
        entry.data["progress_text"],
    ]


@require_safe
def item(request, slug: str):
    """An item's page: 410 once withdrawn, 404 when it was never public."""
    if snapshot.shown_to(request).find(slug) is None:
        if is_withdrawn(slug):
            return gone(request)
        raise Http404
    if hasattr(request, "coming"):
        return _item_in_memory(slug).serve(request)
    return page(request, f"progress/{slug}/")


def _item_in_memory(slug: str) -> ItemPage:
    """The page of an item for a preview: nothing undisclosed exists as a page."""
    found = ItemPage.objects.filter(slug=slug).first()
    if found is not None:
        return found
    parent = get_object_or_404(ProgressPage)
    return ItemPage(slug=slug, title=slug, url_path=f"{parent.url_path}{slug}/", path="")


@require_safe
def page(request, path: str):
    """A page of the tree."""

    def kept(standby: Standby) -> HttpResponse:
        found = standby.tree.get(f"/{path}")
        if found is None:
            raise Http404
        return found.serve(request)

    return ask(lambda: serve(request, path), kept)


def is_withdrawn(slug: str) -> bool:
    """Whether an address that is not public now was so once: it answers 410, not 404."""
    return ask(
        PublicItem.objects.filter(slug=slug).exists, lambda standby: slug in standby.withdrawn
    )


def gone(request) -> HttpResponse:
    response = render(request, "errors/410.html", status=410)
    response["Cache-Control"] = "no-store"
    return response


def _context(source) -> dict:
    return {
        "snapshot": source,
        "snapshot_date": source.released_at,
        "statuses": list(snapshot.STATUSES.values()),
    }


@require_safe
def changes(request):
    """Everything the editions have told, newest first."""
    refuse_parameters(request)
    current = snapshot.shown_to(request)
    told = [
        (edition, [fact for fact in edition.facts if fact.kind != "progress"])
        for edition in current.past.editions
    ]
    return render(
        request,
        "cms/changes.html",
        _context(current) | {"told": [pair for pair in told if pair[1]]},
    )


@require_safe
def corrections(request):
    """What earlier editions had wrong."""
    refuse_parameters(request)
    return render(request, "cms/corrections.html", _context(snapshot.shown_to(request)))


@require_safe
def editions(request):
    """The editions by their months."""
    refuse_parameters(request)
    return render(request, "cms/editions.html", _context(snapshot.shown_to(request)))


@require_safe
def edition(request, key: str):
    """What was public with the edition of a month; 410 once nothing of it may be read."""
    refuse_parameters(request)
    past = snapshot.shown_to(request).past
    found = past.edition(key)
    if found is None:
        if key in past.gone:
            return gone(request)
        raise Http404
    return render(request, "cms/edition.html", _context(found) | {"edition": found})


@require_safe
def search(request):
    """Everything that holds the words: the exact title first, by relevance or by time."""
    refuse_parameters(request, ("q", "sort"))
    query, sort = request.GET.get("q", ""), request.GET.get("sort", "")
    if len(query) > LONGEST_QUERY or sort not in ("", "time"):
        raise Http404
    current = snapshot.shown_to(request)
    hits = current.index.find(query, by_time=sort == "time")
    return render(
        request,
        "cms/search.html",
        _context(current)
        | {
            "search_query": query,
            "words": query.strip(),
            "found": [hit.document.entry for hit in hits],
            "hits": hits[:SHOWN],
            "total": len(hits),
            "is_by_time": sort == "time",
        },
    )


@require_safe
def item_json(request, slug: str):
    """The released facts of one item with its history, as data."""
    refuse_parameters(request)
    current = snapshot.shown_to(request)
    entry = current.find(slug)
    if entry is None:
        if is_withdrawn(slug):
            return gone(request)
        raise Http404
    return JsonResponse(
        {
            "number": entry.number,
            "document": entry.document,
            **entry.data,
            "history": [
                {
                    "id": fact.urn,
                    "kind": fact.kind,
                    "date": fact.day.isoformat(),
                    "edition": fact.edition,
                    "text": fact.text,
                }
                for fact in current.past.facts_of(slug)
            ],
        },
        json_dumps_params={"ensure_ascii": False, "indent": 1},
    )


@require_safe
def items_csv(request):
    """Exactly the list on the screen, as CSV."""
    found = Filters(request.GET).apply(snapshot.shown_to(request).entries)
    rows = [headings(), *(row_of(entry) for entry in found)]
    response = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="items.csv"'
    return response


@require_safe
def items_xlsx(request):
    """Exactly the list on the screen, as a workbook."""
    current = snapshot.shown_to(request)
    found = Filters(request.GET).apply(current.entries)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Progress"))
    sheet.freeze_panes = "A2"
    for column, width in WIDTHS.items():
        sheet.column_dimensions[column].width = width
    sheet.append(text_row(sheet, headings()))
    for entry in found:
        sheet.append(text_row(sheet, row_of(entry)))
    content = workbook_bytes(book, current.released_at)
    response = HttpResponse(content, content_type=XLSX)
    response["Content-Disposition"] = 'attachment; filename="items.xlsx"'
    return response


def _live_pages(request) -> list[PageRow]:
    """The pages of the tree but the items, as the maps name them."""

    def read() -> list[PageRow]:
        site = Site.find_for_request(request)
        if site is None:
            return []
        pages = site.root_page.get_descendants(inclusive=True).live().public()
        return [
            PageRow(
                page.title, page.get_url(request) or "/", page.last_published_at, page.show_in_menus
            )
            for page in pages.not_type(ItemPage).order_by("path")
        ]

    return ask(read, lambda standby: standby.rows)


def linked_pages(current: snapshot.PublicSet) -> list[str]:
    """Names of the made pages that have something to show: an empty one is linked nowhere."""
    filled = {
        "changes": current.past.facts,
        "corrections": current.past.corrections,
        "editions": current.past.editions,
        "open_data": current.entries,
    }
    return [name for name, rows in filled.items() if rows]


@require_safe
def site_map(request):
    """All public pages for people."""
    refuse_parameters(request)
    current = snapshot.shown_to(request)
    return render(
        request,
        "cms/site_map.html",
        {
            "pages": _live_pages(request),
            "current": current,
            "entries": current.entries,
            "feeds": [
                (kind, key, name, LEGENDS[kind]) for kind, key, name in groups_with_feeds(current)
            ],
        },
    )


@require_safe
def sitemap_xml(request):
    """All public pages for search engines: exactly the released set."""
    refuse_parameters(request)
    current = snapshot.shown_to(request)
    base = f"{request.scheme}://{request.get_host()}"
    addresses = [(base + row.path, row.published_at) for row in _live_pages(request)]
    for name in linked_pages(current):
        addresses.append((base + reverse(f"cms:{name}"), current.released_at))
    addresses += [(base + edition.url, edition.released_at) for edition in current.past.editions]
    addresses += [(base + entry.url, entry.changed_at) for entry in current.entries]
    return render(
        request, "cms/sitemap.xml", {"addresses": addresses}, content_type="application/xml"
    )


@require_safe
def leaving(request):
    """A notice before a link to another site; only addresses that our own pages carry."""
    target = request.GET.get("url", "")
    if not is_own_exit(target, request.GET.get("key", "")):
        raise Http404
    host = urlsplit(target).hostname or ""
    return render(request, "public/leaving.html", {"target": target, "target_host": host})


@require_safe
def fragment(request):
    """Status words only, for a frame in the pages of a portal that the settings name."""
    response = render(request, "public/fragment.html", {"snapshot": snapshot.shown_to(request)})
    embedders = " ".join(settings.PUBLIC_EMBEDDERS)
    if embedders:
        response["Content-Security-Policy"] = STRICT.replace(
            "frame-ancestors 'none'", f"frame-ancestors {embedders}"
        )
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.xframe_options_exempt = True
    return response


@require_safe
def robots(request):
    refuse_parameters(request)
    text = "User-agent: *\nDisallow: /desk/\nDisallow: /cms/\nDisallow: /admin/\n"
    text += f"Sitemap: {request.build_absolute_uri(reverse('cms:sitemap_xml'))}\n"
    return HttpResponse(text, content_type="text/plain")
