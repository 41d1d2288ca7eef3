"""Walking the public site as any reader can: from page to page, in this process."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.conf import settings
from django.test import Client

from cms import modes

START = ("/", "/site-map/", "/sitemap.xml", "/robots.txt", "/feeds/all.xml")
LINKS = {"href", "src", "action"}


class Links(HTMLParser):
    """Every address a page names, whether a reader follows it or the browser fetches it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.followed: list[str] = []
        self.fetched: list[str] = []
        self._in_loc = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        for name in LINKS & set(given):
            is_fetched = name == "src" or (tag == "link" and given.get("rel") != "alternate")
            if tag == "link" and given.get("rel") in ("canonical", "self"):
                is_fetched = False
            (self.fetched if is_fetched else self.followed).append(given[name] or "")
        self._in_loc = tag == "loc"

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        self._in_loc = False

    def handle_data(self, data):
        if self._in_loc and data.strip():
            self.followed.append(data.strip())


@dataclass
class Answer:
    """What one address answered, and the addresses it names."""

    address: str
    status: int
    kind: str
    headers: dict[str, str]
    content: bytes
    has_cookies: bool
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    @property
    def is_page(self) -> bool:
        return self.kind == "text/html"


class Reader:
    """An anonymous reader of the site at `base_url`; follows at most one parameter at a time."""

    def __init__(self, base_url: str = "") -> None:
        parts = urlsplit(base_url or settings.SITE_URL)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.is_secure = parts.scheme == "https"
        self.client = Client(raise_request_exception=False, headers={"host": parts.netloc})

    def get(self, address: str) -> Answer:
        response = self.client.get(address, secure=self.is_secure)
        content = b"".join(response) if response.streaming else response.content
        kind = response.headers.get("Content-Type", "").split(";")[0].strip()
        answer = Answer(
            address=address,
            status=response.status_code,
            kind=kind,
            headers=dict(response.headers),
            content=content,
            has_cookies=bool(response.cookies),
        )
        if kind == "text/html" or kind.endswith("xml"):
            self._note_links(answer)
        return answer

    def _note_links(self, answer: Answer) -> None:
        found = Links(answer.text)
        for target, addresses in ((answer.links, found.followed), (answer.fetched, found.fetched)):
            for link in addresses:
                inside = self.inside(answer.address, link)
                if inside is None:
                    answer.outside.append(link)
                elif inside not in target:
                    target.append(inside)

    def inside(self, page: str, link: str) -> str | None:
        """The address of a link on this site, without its fragment; None when it leads away."""
        parts = urlsplit(urljoin(self.origin + page, link))
        if f"{parts.scheme}://{parts.netloc}" != self.origin:
            return None
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def crawl(self, start: Iterable[str] = START) -> dict[str, Answer]:
        """Every address that can be reached, each once."""
        todo, found = list(start), {}
        while todo:
            address = todo.pop()
            if address in found or is_asset(address) or not is_followed(address):
                continue
            found[address] = self.get(address)
            todo += found[address].links
        return found


def is_asset(address: str) -> bool:
    return urlsplit(address).path.startswith("/" + settings.STATIC_URL.strip("/") + "/")


def is_followed(address: str) -> bool:
    """Two parameters at once show no other rows than one at a time; modes show the same page.

    Of the modes of reading only elder mode is walked, without filters.
    """
    parts = urlsplit(address)
    mode, _path = modes.read(parts.path.removeprefix(settings.PUBLIC_PREFIX) or "/")
    most = {modes.PLAIN: 1, modes.Mode(is_elder=True): 0}.get(mode, -1)
    is_exit = mode == modes.PLAIN and parts.path.endswith("/leaving/")
    return is_exit or len(parse_qsl(parts.query, keep_blank_values=True)) <= most
