"""After a release: every public page rendered anew, and which of them really changed.

What changed is told by the bytes, so the list can be neither too short nor too long: a page whose
text is the same keeps its ETag, and a reader's browser gets 304 for it.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.test import Client

from cms import kept
from cms.following import catch_up, keep_standby
from cms.middleware import OTHER

START = ("/", "/site-map/", "/sitemap.xml", "/robots.txt", "/fragment/", "/progress/items.csv")
LINK = re.compile(rb'href="([^"#]*)"|<loc>([^<]*)</loc>')
# The file that says for which stamp all pages were rendered last; the worker's tick reads it.
RENDERED = "rendered-for"
# A loop in the links of a page, however it came about, ends here.
MOST_PAGES = 20_000


@dataclass
class Result:
    """`changed` and `gone`: (host, path) whose kept bytes are others now, or no longer there."""

    rendered: int = 0
    changed: set[tuple[str, str]] = field(default_factory=set)
    gone: set[tuple[str, str]] = field(default_factory=set)


def keep_all(*, is_forced: bool = True) -> Result:
    """Render all pages without a query on every kept host, following links from the landing page.

    Without `is_forced` nothing is done when the last run was for the present stamp.
    """
    result = Result()
    catch_up()
    stamp = kept.stamp()
    if not stamp or (not is_forced and kept.marked(RENDERED) == stamp):
        return result
    keep_standby()
    for host in settings.PUBLIC_KEPT_HOSTS:
        _keep_host(host, result)
    kept.mark(RENDERED, stamp)
    return result


def _keep_host(host: str, result: Result) -> None:
    scheme = urlsplit(settings.SITE_URL).scheme
    place = f"{scheme}-{host}"
    client = Client(raise_request_exception=False, headers={"host": host})
    before = {file.name: file for file in kept.addresses(place)}
    todo, seen = list(START), set()
    while todo and len(seen) < MOST_PAGES:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        old = kept.read(place, path, "")
        answer = client.get(path, secure=scheme == "https")
        if answer.status_code != 200:
            continue
        result.rendered += 1
        page = kept.read(place, path, "")
        if page is not None and (old is None or old.body != page.body):
            result.changed.add((host, path))
        before.pop(kept.file_of(place, path, "").name, None)
        for one, other in LINK.findall(answer.content):
            target = urlsplit(urljoin(f"{scheme}://{host}{path}", (one or other).decode()))
            inside = target.path.removeprefix(settings.PUBLIC_PREFIX) or "/"
            if target.netloc == host and not target.query and _is_plain(inside):
                todo.append(inside)
    # What no link leads to any more: withdrawn items answer 410 and stay, all others go.
    for name, file in before.items():
        page = kept.read_file(file)
        if page is None or page.status == 200:
            file.unlink(missing_ok=True)
            result.gone.add((host, name))


def _is_plain(path: str) -> bool:
    is_public = path.startswith("/") and not path.startswith(OTHER)
    return is_public and not path.startswith(("/elder", "/contrast", "/text-"))
