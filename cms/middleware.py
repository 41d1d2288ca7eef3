"""First in the list: the public site is answered from rendered pages, before anything else.

A page is rendered once for each public set; mode and prefix are put in afterwards (`cms.dress`).
What is not kept is rendered from the standby (`cms.standby`); without one, and with the database
away, the pages of the last set go on serving.
"""

import hashlib
import re
import time
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.http import HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect

from cms import kept, moved
from cms.dress import address, dress, relocate, warn_of_exits
from cms.filters import NAMES
from cms.kept import Kept
from cms.modes import Mode, read

# What is not the public site.
DESK = ("/desk/", "/cms/", "/admin/")
OTHER = ("/static/", "/media/", "/documents/", "/healthz", *DESK)
# Which parameters an address knows; the first pattern that fits counts, all others know none.
PARAMETERS = (
    (re.compile(r"^/progress/(items\.\w+)?$"), frozenset(NAMES)),
    (re.compile(r"^/(search|changes|corrections)/$"), frozenset({*NAMES, "page"})),
    (re.compile(r"^/leaving/$"), frozenset({"url", "key"})),
    (re.compile(r"^/follow/$"), frozenset({"topic"})),
)
MAX_AGE_SECONDS = 60
# After a page could not be rendered, older ones serve for so long, unless there is a new public
# set meanwhile; then one request tries and the others go on being served.
PATIENCE_SECONDS = 1
# In no address that leads anywhere: the request ends as an ordinary 404.
NOWHERE = "/-/"


def canonical_query(path: str, raw: str) -> str | None:
    """The query with sorted, known names; None when one is unknown or stands twice."""
    if not raw:
        return ""
    pairs = parse_qsl(raw, keep_blank_values=True)
    allowed = next((names for pattern, names in PARAMETERS if pattern.match(path)), frozenset())
    names = [name for name, _value in pairs]
    if len(set(names)) < len(names) or set(names) - allowed:
        return None
    return urlencode(sorted(pair for pair in pairs if pair[1]))


class PublicSiteMiddleware:
    """Modes, prefix, hosts, and the pages kept for the public."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.memory: dict[tuple, tuple[str, Kept]] = {}
        # For which stamp a rendering failed last, and when.
        self.failed: tuple[str, float] = ("", float("-inf"))

    def __call__(self, request):
        if getattr(request, "is_dummy", False):
            # The editor's preview: neither kept nor served from what is kept.
            return self.get_response(request)
        prefix = settings.PUBLIC_PREFIX
        path = request.path_info
        if prefix and path.startswith(prefix + "/"):
            path = path[len(prefix) :]
            self._move(request, path)
        # Not `get_host`: a wrong name is refused further in, and nothing of it is kept.
        host = (request.META.get("HTTP_HOST") or request.META["SERVER_NAME"]).lower()
        name = host.rsplit(":", 1)[0]
        if path.startswith(OTHER):
            if path.startswith(DESK) and name in settings.PUBLIC_HOSTS:
                self._move(request, NOWHERE)
            return self.get_response(request)
        if name in settings.DESK_HOSTS:
            if path == "/":
                return HttpResponsePermanentRedirect("/desk/")
            self._move(request, NOWHERE)
            return self.get_response(request)
        mode, path = read(path)
        self._move(request, path)
        if request.method not in ("GET", "HEAD"):
            return self._answered(request, self.get_response(request), host, mode, path)
        query = canonical_query(path, request.META.get("QUERY_STRING", ""))
        if query is None:
            self._move(request, NOWHERE)
            request.META["QUERY_STRING"] = ""
            return self._no_store(self.get_response(request))
        return self._public(request, host, mode, path, query)

    @staticmethod
    def _move(request, path: str) -> None:
        request.path = request.path_info = path

    def _public(self, request, host: str, mode: Mode, path: str, query: str):
        stamp = kept.stamp()
        key = (request.scheme, host, mode, path, query)
        found = self.memory.get(key)
        if stamp and found is not None and found[0] == stamp:
            return self._answer(request, found[1])
        place = f"{request.scheme}-{host}"
        page = kept.read(place, path, query) if stamp else None
        if page is None or (page.stamp != stamp and self._may_try(stamp)):
            page = self._render(request, host, path, query, stamp, page)
        if not isinstance(page, Kept):
            return self._redirected(page, mode)
        dressed = self._dressed(request, host, page, mode, path, query)
        if stamp and page.stamp == stamp:
            if len(self.memory) >= kept.IN_MEMORY:
                self.memory.clear()
            self.memory[key] = (stamp, dressed)
        return self._answer(request, dressed)

    def _may_try(self, stamp: str) -> bool:
        """Whether an older page is worth a rendering now."""
        failed_stamp, failed_at = self.failed
        if failed_stamp != stamp:
            return True
        if time.monotonic() - failed_at < PATIENCE_SECONDS:
            return False
        self.failed = (stamp, time.monotonic())
        return True

    def _render(self, request, host: str, path: str, query: str, stamp: str, old: Kept | None):
        """A fresh page, or the old one while none can be had, or an answer that is not kept."""
        method, request.method = request.method, "GET"
        response = self.get_response(request)
        request.method = method
        if response.status_code >= 500 and old is not None:
            self.failed = (stamp, time.monotonic())
            return old
        if response.status_code < 500:
            self.failed = ("", float("-inf"))
        if response.status_code == 404 and (found := moved.find(path)) is not None:
            kind = HttpResponsePermanentRedirect if found.is_permanent else HttpResponseRedirect
            return kind(found.target)
        is_private = response.cookies or "Cookie" in response.get("Vary", "")
        if response.status_code not in (200, 410) or is_private:
            return self._no_store(response)
        # A form with a token of its own: dressed like every page, and never kept.
        is_fresh = "no-store" in response.get("Cache-Control", "") and response.status_code == 200
        content = b"".join(response.streaming_content) if response.streaming else response.content
        headers = {
            header: value
            for header, value in response.items()
            if header.lower() not in ("content-length", "vary", "etag", "cache-control")
        }
        if is_fresh:
            headers["Cache-Control"] = "no-store"
        if headers.get("Content-Type", "").startswith("text/html"):
            content = warn_of_exits(content, host)
        page = Kept("" if is_fresh else stamp, response.status_code, headers, content)
        if page.stamp and not query and host in settings.PUBLIC_KEPT_HOSTS:
            kept.write(f"{request.scheme}-{host}", path, query, page)
        return page

    def _dressed(self, request, host, page: Kept, mode: Mode, path: str, query: str) -> Kept:
        kind = page.headers.get("Content-Type", "")
        body, prefix = page.body, settings.PUBLIC_PREFIX
        if "text/html" in kind:
            body = dress(body, mode=mode, path=path, query=query, prefix=prefix)
        if page.is_text:
            body = relocate(body, origin=f"{request.scheme}://{host}", prefix=prefix)
        headers = dict(page.headers)
        headers["Content-Length"] = str(len(body))
        if page.status == 200 and "Cache-Control" not in headers:
            headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            headers["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
        else:
            headers["Cache-Control"] = "no-store"
        return Kept(page.stamp, page.status, headers, body)

    def _answered(self, request, response, host: str, mode: Mode, path: str):
        """The answer to a form that was sent: in the reader's mode, kept nowhere."""
        self._redirected(response, mode)
        if response.get("Content-Type", "").startswith("text/html") and not response.streaming:
            prefix = settings.PUBLIC_PREFIX
            body = dress(
                warn_of_exits(response.content, host), mode=mode, path=path, query="", prefix=prefix
            )
            response.content = relocate(body, origin=f"{request.scheme}://{host}", prefix=prefix)
            response["Content-Length"] = str(len(response.content))
        return self._no_store(response)

    def _answer(self, request, page: Kept) -> HttpResponse:
        etag = page.headers.get("ETag")
        asked = request.META.get("HTTP_IF_NONE_MATCH", "")
        if etag and asked and (etag in asked or asked == "*"):
            response = HttpResponse(status=304)
            del response["Content-Type"]
            for name, value in page.headers.items():
                if name not in ("Content-Type", "Content-Length", "Content-Disposition"):
                    response[name] = value
            return response
        body = b"" if request.method == "HEAD" else page.body
        response = HttpResponse(body, status=page.status)
        for name, value in page.headers.items():
            response[name] = value
        return response

    def _redirected(self, response, mode: Mode):
        """A redirect inside the site keeps mode and prefix."""
        target = response.get("Location", "")
        if target.startswith("/") and not target.startswith(("//", *OTHER)):
            response["Location"] = address(mode, target, prefix=settings.PUBLIC_PREFIX)
        return response

    @staticmethod
    def _no_store(response):
        if response.status_code >= 400:
            response["Cache-Control"] = "no-store"
        return response
