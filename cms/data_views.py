"""Open data and feeds: stable addresses, read only."""

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cms import feeds, snapshot
from cms import open_data as data
from cms.filters import refuse_parameters
from cms.models import SiteFrame
from cms.standby import ask
from cms.views import gone, is_withdrawn


def _licence(request) -> str:
    return ask(lambda: SiteFrame.for_request(request).licence, lambda standby: standby.licence)


@require_safe
def open_data(request):
    """What there is to fetch, what the columns mean, on which terms."""
    refuse_parameters(request)
    current = snapshot.shown_to(request)
    return render(
        request,
        "cms/open_data.html",
        {
            "snapshot": current,
            "snapshot_date": current.released_at,
            "tables": list(data.TABLES.values()),
            "formats": list(data.FORMATS),
            "dictionaries": [
                (table, data.dictionary_rows(table)[0], data.dictionary_rows(table)[1:])
                for table in data.TABLES.values()
            ],
            "codes": list(snapshot.STATUSES.items()),
            "causes": list(snapshot.CAUSES.items()),
            "licence": _licence(request),
            "feeds": list(feeds.groups_with_feeds(current)),
        },
    )


@require_safe
def open_data_file(request, edition: str, table: str, form: str):
    """One table of one edition, or of what is public now under `latest`."""
    refuse_parameters(request)
    if table not in data.TABLES or form not in data.FORMATS:
        raise Http404
    current = snapshot.shown_to(request)
    source = current if edition == data.LATEST else current.past.edition(edition)
    if source is None:
        if edition in current.past.gone:
            return gone(request)
        raise Http404
    found = data.TABLES[table]
    if form == "json":
        shape = data.as_json(found, source, edition=edition, licence=_licence(request))
        return JsonResponse(shape, json_dumps_params={"ensure_ascii": False, "indent": 1})
    content = data.as_csv(found, source) if form == "csv" else data.as_xlsx(found, source)
    response = HttpResponse(content, content_type=data.FORMATS[form])
    response["Content-Disposition"] = f'attachment; filename="{table}-{edition}.{form}"'
    return response


@require_safe
def feed(request, kind: str, key: str):
    """Verified events as Atom: of everything, a theme, a unit, a county or an item."""
    refuse_parameters(request)
    if kind not in (*feeds.KINDS, "all"):
        raise Http404
    found = feeds.feed_of(snapshot.shown_to(request), kind, key)
    if found is None:
        if kind == "item" and is_withdrawn(key):
            return gone(request)
        raise Http404
    base = f"{request.scheme}://{request.get_host()}"
    return render(
        request,
        "cms/feed.xml",
        {"feed": found, "base": base, "address": base + request.path},
        content_type="application/atom+xml; charset=utf-8",
    )
