"""The text of an imported document, cut into its clauses. Pure: text in, text out.

Chapters are headed 一、二、三、. Inside one, clauses are headed （一）（二）…; a chapter
without such heads numbers its paragraphs by their order. Web copies lose brackets and
quotation marks, so both widths of every mark are taken and one bracket of a head may be missing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

NUMERALS = "〇一二三四五六七八九十百"
DIGITS = "零一二三四五六七八九"
MAX_TITLE = 40

CHAPTER = re.compile(rf"^([{NUMERALS}]+)、\s*([^。；;]{{1,{MAX_TITLE}}})$")
HEAD = re.compile(rf"^(?:[(（]\s*([{NUMERALS}]+)\s*[)）]?|([{NUMERALS}]+)\s*[)）])\s*(?=\S)")
DUTY = re.compile(r"[(（]([^()（）]+?)负责[)）]?[。.]?\s*$")
LABEL = re.compile(r"(?:责任|牵头|主办|配合|协办)(?:单位|部门)\s*[:：]")
LABELLED = re.compile(rf"[(（]({LABEL.pattern}[^()（）]+)[)）]?[。.]?\s*$")
SEPARATORS = re.compile(r"[、,，;；\s]+")
SENTENCE_END = re.compile(r"[。！？!?：:；;)）”\"]$")


@dataclass(frozen=True)
class ClauseText:
    """One clause as printed. `bodies` are the names in its closing bracket, in order."""

    number: str
    title: str
    text: str
    bodies: tuple[str, ...]


@dataclass(frozen=True)
class ChapterText:
    """One chapter; `lead_in` is what stands before its first clause."""

    number: str
    title: str
    lead_in: str
    clauses: tuple[ClauseText, ...]


@dataclass(frozen=True)
class DocumentText:
    """`head` holds the lines before the first chapter: number, issuer, title, addressees."""

    head: tuple[str, ...]
    chapters: tuple[ChapterText, ...]
    tail: tuple[str, ...]

    @property
    def clauses(self) -> dict[str, ClauseText]:
        """Every clause by its full number, such as 二（一）."""
        return {clause.number: clause for part in self.chapters for clause in part.clauses}


def split_clauses(text: str) -> dict[str, str]:
    """The quoted text of every clause by its full number, such as 二（一）, in document order.

    Goals under the headings of a first part are clauses here too: 一（一）, 一（二）…
    """
    return {number: clause.text for number, clause in read_document_text(text).clauses.items()}


def read_document_text(text: str) -> DocumentText:
    """Cut a whole document. Lines after its last sentence (signature, date) go to `tail`."""
    lines = [line for line in (_clean(raw) for raw in text.splitlines()) if line]
    head: list[str] = []
    parts: list[tuple[str, str, list[str]]] = []
    for line in lines:
        heading = CHAPTER.match(line)
        if heading:
            parts.append((heading[1], heading[2], []))
        elif parts:
            parts[-1][2].append(line)
        else:
            head.append(line)
    tail: list[str] = []
    if parts:
        paragraphs = parts[-1][2]
        while paragraphs and not _is_sentence(paragraphs[-1]):
            tail.insert(0, paragraphs.pop())
    chapters = tuple(_chapter(number, title, body) for number, title, body in parts)
    return DocumentText(tuple(head), chapters, tuple(tail))


def bodies_of(text: str) -> tuple[str, ...]:
    """The bodies in the bracket that closes a clause, exactly as written; empty without one."""
    found = DUTY.search(text) or LABELLED.search(text)
    if not found:
        return ()
    names = SEPARATORS.split(LABEL.sub("、", found[1]))
    # A clause may close with a plain remark; 分别/共同 belong to 负责, not to the last name.
    return tuple(re.sub(r"(分别|共同|具体|按职责分工)$", "", name) for name in names if name)


def chinese_number(number: int) -> str:
    """1 to 99 as a document numbers its clauses: 一, 十, 十一, 二十, 二十一."""
    tens, ones = divmod(number, 10)
    start = "" if not tens else "十" if tens == 1 else DIGITS[tens] + "十"
    return start + (DIGITS[ones] if ones else "")


def _clean(line: str) -> str:
    return re.sub(r"[\s\u3000\xa0\ufeff]+", " ", line).strip()


def _is_sentence(paragraph: str) -> bool:
    """Whether a paragraph belongs to the body: it holds a full stop or names who is responsible."""
    return "。" in paragraph or bool(bodies_of(paragraph))


def _chapter(number: str, title: str, lines: list[str]) -> ChapterText:
    if any(HEAD.match(line) for line in lines):
        lead_in, groups = _by_heads(_joined(lines, opens=HEAD.match))
    else:
        lead_in, groups = _by_paragraphs(_joined(lines, opens=_is_headed))
    clauses = []
    for mark, parts in groups:
        text = "\n".join(parts)
        clauses.append(
            ClauseText(f"{number}（{mark}）", _title(HEAD.sub("", text)), text, bodies_of(text))
        )
    return ChapterText(number, title, "\n".join(lead_in), tuple(clauses))


def _joined(lines: list[str], *, opens: Callable[[str], object]) -> list[str]:
    """Paragraphs again: a line that ends within a sentence goes on in the next one.

    Some copies lose a paragraph's last full stop, so a line that opens a clause is never joined.
    """
    paragraphs: list[str] = []
    for line in lines:
        if paragraphs and not SENTENCE_END.search(paragraphs[-1]) and not opens(line):
            paragraphs[-1] += line
        else:
            paragraphs.append(line)
    return paragraphs


def _by_heads(paragraphs: list[str]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    lead_in: list[str] = []
    groups: list[tuple[str, list[str]]] = []
    for paragraph in paragraphs:
        head = HEAD.match(paragraph)
        if head:
            groups.append((head[1] or head[2], [paragraph]))
        elif groups:
            groups[-1][1].append(paragraph)
        else:
            lead_in.append(paragraph)
    return lead_in, groups


def _by_paragraphs(paragraphs: list[str]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Number the paragraphs that open with a short heading sentence; others belong to the last."""
    lead_in: list[str] = []
    groups: list[tuple[str, list[str]]] = []
    for paragraph in paragraphs:
        if _is_headed(paragraph):
            groups.append((chinese_number(len(groups) + 1), [paragraph]))
        elif groups:
            groups[-1][1].append(paragraph)
        else:
            lead_in.append(paragraph)
    return lead_in, groups


def _is_headed(paragraph: str) -> bool:
    """Whether a paragraph opens with a short heading sentence and goes on after it."""
    title = _title(paragraph)
    is_short = 0 < len(title) <= MAX_TITLE and not re.search(r"[,，：:]", title)
    return is_short and len(paragraph) > len(title) + 1


def _title(text: str) -> str:
    """The heading sentence: everything before the first full stop, or the first line."""
    return text.partition("\n")[0].partition("。")[0].strip()
