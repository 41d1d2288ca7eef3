"""The whole public site with a coming edition: every address of it, walked link by link.

The very views that answer the public answer here, with the set of the release, before the release;
what differs is put in afterwards, as it is for modes and prefixes (`cms.dress`): the links lead on
within the preview. For those who publish; kept by nobody.
"""

from django.http import Http404, HttpRequest
from django.urls import Resolver404, resolve
from wagtail.models import PreviewableMixin

from cms import modes, preview
from cms.dress import dress, warn_of_exits
from cms.middleware import canonical_query
from supervision.models import Release
from supervision.public_address import public_origin

# What takes a form: a preview changes nothing.
NOT_SHOWN = frozenset({"follow", "follow_sent", "follow_confirm", "follow_leave"})


class NextAddress(PreviewableMixin):
    """One address of the public site, answered to Wagtail's request of a preview."""

    def __init__(self, path: str, query: str) -> None:
        self.mode, self.path = modes.read(path)
        self.query = query

    def get_full_url(self) -> str:
        return public_origin() + self.path

    full_url = property(get_full_url)

    def _get_dummy_headers(self, original_request=None):
        return super()._get_dummy_headers(original_request) | {"QUERY_STRING": self.query}

    def serve_preview(self, request, mode_name):
        """What the public gets here after the release.

        Raises Http404 for what is no address of the public site, PermissionDenied for people who
        have no part in publishing.
        """
        preview.prepare(request, mode_name)
        try:
            match = resolve(self.path, urlconf="cms.urls")
        except Resolver404:
            raise Http404 from None
        if match.url_name in NOT_SHOWN:
            raise Http404
        response = match.func(request, *match.args, **match.kwargs)
        return response.render() if hasattr(response, "render") else response


def show(request: HttpRequest, release: Release, path: str, *, base: str):
    """The answer of a public address as it will be with the release; links lead to `base`.

    Raises Http404 for a parameter the address does not know.
    """
    address = NextAddress(path, request.META.get("QUERY_STRING", ""))
    query = canonical_query(address.path, address.query)
    if query is None:
        raise Http404
    response = address.make_preview_request(request, preview.mode_of(release))
    if response.get("Content-Type", "").startswith("text/html"):
        host = address._get_dummy_headers(request)["HTTP_HOST"]
        response.content = dress(
            warn_of_exits(response.content, host),
            mode=address.mode,
            path=address.path,
            query=query,
            prefix=base,
            files="",
        )
    for header in ("ETag", "Content-Length"):
        if header in response:
            del response[header]
    if "Content-Disposition" in response:
        # Never taken for the file that is public.
        name = response["Content-Disposition"].replace('filename="', 'filename="preview-')
        response["Content-Disposition"] = name
    return preview.keep_from_all(response)
