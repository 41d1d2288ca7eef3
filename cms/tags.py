"""What the inspection of government sites finds wrong with the head of a page.

The one validator, for the command that inspects the site, the suite and the proofs. Pure: text in,
faults in words out. Source: public-site.md, section 2; the levels are those of
国办发〔2017〕47号, whose text was not at hand: build to it, claim nothing.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser

from django.utils.translation import gettext as _

LEVELS = {
    1: frozenset({"SiteName", "SiteDomain", "SiteIDCode"}),
    2: frozenset({"ColumnName", "ColumnDescription", "ColumnKeywords", "ColumnType"}),
    3: frozenset({"ArticleTitle", "PubDate", "ContentSource", "Keywords", "Description", "Url"}),
}
SEVERAL = frozenset({"ColumnType", "Image"})
OTHERS = frozenset({"viewport", "robots"})
LEFTOVERS = frozenset(
    {
        "网站名称",
        "网站域名",
        "网站标识码",
        "栏目名称",
        "栏目描述",
        "栏目关键词",
        "文章标题",
        "来源",
        "描述",
        "关键词",
        "标题",
        "None",
        "null",
        "undefined",
    }
)
ARTICLES = (
    re.compile(r"^/progress/[0-9a-z-]+/$"),
    re.compile(r"^/bulletins/.+/$"),
    re.compile(r"^/editions/.+/$"),
    re.compile(r"^/(about|method|privacy)/$"),
)


class Head(HTMLParser):
    """Meta tags, title, the headings of level one, and whatever runs or styles in place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.meta: list[tuple[str, str]] = []
        self.headings: list[str] = []
        self.titles: list[str] = []
        self.inline: list[str] = []
        self.sources: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.canonical = ""
        self.has_search = False
        self.lang = ""
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.lang = given.get("lang", "")
        if tag == "meta" and "name" in given:
            self.meta.append((given["name"], given.get("content", "")))
        if tag == "link" and given.get("rel") == "canonical":
            self.canonical = given.get("href", "")
        elif tag in ("script", "img", "iframe", "link", "source", "embed", "object"):
            self.sources.append(given.get("src") or given.get("href") or given.get("data", ""))
        if tag == "form" and given.get("role") == "search":
            self.has_search = True
        if tag == "a" and "href" in given:
            self.links.append((given["href"], given.get("rel", "")))
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.inline.append(tag)
        if tag == "script" and not given.get("src"):
            self.inline.append(tag)
        if tag in ("h1", "title") and "svg" not in self._open:
            (self.headings if tag == "h1" else self.titles).append("")
        if tag in ("h1", "title", "svg"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag in self._open:
            self._open.remove(tag)

    def handle_data(self, data):
        if "svg" in self._open:
            return
        if "h1" in self._open:
            self.headings[-1] += data
        elif "title" in self._open:
            self.titles[-1] += data


CORRECTIONS = "/corrections/"


def levels_of(path: str) -> set[int]:
    """The levels of tags a page needs; `path` is without mode and prefix."""
    if path == "/":
        return {1}
    if any(pattern.match(path) for pattern in ARTICLES):
        return {1, 2, 3}
    return {1, 2}


def faults(path: str, text: str, *, is_column: bool = False) -> list[str]:
    """What is wrong with the tags of a page; empty when all is well.

    `is_column`: the site hangs under a portal, so that its landing page is a column too.
    """
    head = Head(text)
    tags: dict[str, list[str]] = {}
    for name, content in head.meta:
        tags.setdefault(name, []).append(content)
    levels = levels_of(path) | ({2} if is_column else set())
    # A list of corrections is an article from the first correction on: before it has no moment.
    if path == CORRECTIONS and "ArticleTitle" in tags:
        levels |= {3}
    return [
        *_tag_faults(tags, levels),
        *_format_faults(tags, head),
        *_page_faults(tags, head, levels),
    ]


def _tag_faults(tags: dict[str, list[str]], levels: set[int]) -> Iterator[str]:
    known = frozenset().union(*LEVELS.values())
    wanted = frozenset().union(*(LEVELS[level] for level in levels))
    for name in sorted(wanted - set(tags)):
        yield _("the tag {name} is missing").format(name=name)
    for name in sorted((known - wanted) & set(tags)):
        yield _("the tag {name} does not belong on this page").format(name=name)
    lower = [name.lower() for name in tags]
    right = {name.lower(): name for name in known}
    for name, contents in tags.items():
        if len(contents) > 1 and name not in SEVERAL:
            yield _("the tag {name} stands more than once").format(name=name)
        if lower.count(name.lower()) > 1:
            yield _("the tag {name} is there twice, differing in case only").format(name=name)
        if name not in known and name.lower() in right:
            yield _("the tag {name} must be written {right}").format(
                name=name, right=right[name.lower()]
            )
        for content in contents:
            if not content.strip() or content.strip() in LEFTOVERS or "{" in content:
                yield _("the tag {name} is empty or a leftover of a template").format(name=name)


def _format_faults(tags: dict[str, list[str]], head: Head) -> Iterator[str]:
    first = {name: contents[0] for name, contents in tags.items()}
    if not re.fullmatch(r"\d{10}|bm\d{8}", first.get("SiteIDCode", "")):
        yield _("the tag {name} has the wrong form").format(name="SiteIDCode")
    if "/" in first.get("SiteDomain", ""):
        yield _("the tag {name} has the wrong form").format(name="SiteDomain")
    if "ColumnName" in first and first["ColumnName"] == first.get("ColumnDescription"):
        yield _("the tag {name} repeats the name").format(name="ColumnDescription")
    if "PubDate" in first and not _is_moment(first["PubDate"]):
        yield _("the tag {name} has the wrong form").format(name="PubDate")
    if "Url" in first and first["Url"] != head.canonical:
        yield _("the tag {name} is not the address of the page").format(name="Url")


def _is_moment(text: str) -> bool:
    """`2026-06-10 09:05`, in the 24-hour clock, and a day that exists."""
    try:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007
    except ValueError:
        return False
    return f"{moment:%Y-%m-%d %H:%M}" == text


def _page_faults(tags: dict[str, list[str]], head: Head, levels: set[int]) -> Iterator[str]:
    headings = [text.strip() for text in head.headings]
    if len(headings) != 1 or not headings[0]:
        yield _("there is not exactly one heading of level one")
    if len(head.titles) != 1 or not head.titles[0].strip():
        yield _("the page has no title")
    if head.lang != "zh-CN":
        yield _("the language of the page is not zh-CN")
    if 3 in levels and tags.get("ArticleTitle") != headings:
        yield _("the tag {name} is not the heading of the page").format(name="ArticleTitle")


def shared_titles(pages: dict[str, str]) -> list[str]:
    """Titles that two addresses carry; each page has a name of its own. `pages`: path to text."""
    holders: dict[str, list[str]] = {}
    for path, text in pages.items():
        holders.setdefault(" ".join(Head(text).titles), []).append(path)
    return [f"{title!r}: {paths}" for title, paths in holders.items() if len(paths) > 1]
