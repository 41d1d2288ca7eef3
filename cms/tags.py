"""What the inspection of government sites finds wrong with the head of a page.

Pure: text in, faults out. Source: public-site.md, section 2; the levels are those of
国办发〔2017〕47号, whose text was not at hand: build to it, claim nothing.
"""

import re
from datetime import datetime
from html.parser import HTMLParser

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
    known = frozenset().union(*LEVELS.values())
    found = [f"{name} is missing" for level in levels for name in sorted(LEVELS[level] - set(tags))]
    unwanted = known - frozenset().union(*(LEVELS[level] for level in levels))
    found += [f"{name} does not belong here" for name in sorted(unwanted & set(tags))]
    for name, contents in tags.items():
        if len(contents) > 1 and name not in SEVERAL:
            found.append(f"{name} stands twice")
        for content in contents:
            if not content.strip() or content.strip() in LEFTOVERS or "{" in content:
                found.append(f"{name} is empty or a leftover: {content!r}")
    lower = [name.lower() for name in tags]
    found += [
        f"{name} differs only in case" for name in sorted(set(lower)) if lower.count(name) > 1
    ]
    right_case = {name.lower(): name for name in known}
    found += [
        f"{name} should be {right_case[name.lower()]}"
        for name in tags
        if name not in known and name.lower() in right_case
    ]
    found += _formats(tags, head)
    if len(head.headings) != 1 or not head.headings[0].strip():
        found.append(f"headings {head.headings}")
    if len(head.titles) != 1 or not head.titles[0].strip():
        found.append(f"titles {head.titles}")
    if head.lang != "zh-CN":
        found.append(f"lang {head.lang!r}")
    if 3 in levels and tags.get("ArticleTitle") != [text.strip() for text in head.headings]:
        found.append(f"ArticleTitle {tags.get('ArticleTitle')} is not {head.headings}")
    return found


def _formats(tags: dict[str, list[str]], head: Head) -> list[str]:
    found = []
    if not re.fullmatch(r"\d{10}|bm\d{8}", tags.get("SiteIDCode", [""])[0]):
        found.append("SiteIDCode is no code")
    if "/" in tags.get("SiteDomain", [""])[0]:
        found.append("SiteDomain has a scheme or a path")
    if "ColumnName" in tags and tags.get("ColumnDescription") == tags["ColumnName"]:
        found.append("ColumnDescription repeats the name")
    if "PubDate" in tags:
        moment = tags["PubDate"][0]
        try:
            is_moment = datetime.strptime(moment, "%Y-%m-%d %H:%M").strftime(  # noqa: DTZ007
                "%Y-%m-%d %H:%M"
            )
        except ValueError:
            is_moment = ""
        if is_moment != moment:
            found.append(f"PubDate {moment!r}")
    if "Url" in tags and tags["Url"] != [head.canonical]:
        found.append(f"Url {tags['Url']} is not the canonical {head.canonical!r}")
    return found


def shared_titles(pages: dict[str, str]) -> list[str]:
    """Titles that two addresses carry; each page has a name of its own. `pages`: path to text."""
    holders: dict[str, list[str]] = {}
    for path, text in pages.items():
        holders.setdefault(" ".join(Head(text).titles), []).append(path)
    return [f"{title!r}: {paths}" for title, paths in holders.items() if len(paths) > 1]
