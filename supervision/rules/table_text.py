"""What somebody typed into a table: dates in words, several bodies in a cell, headings."""

import calendar
import re
import unicodedata
from collections.abc import Collection
from datetime import date, timedelta

ONGOING_WORDS = ("长期", "持续", "常年", "全年坚持", "每年")
DIGITS = {char: str(number) for number, char in enumerate("〇一二三四五六七八九")} | {"零": "0"}
# An Excel serial number of a plausible day: 1982 to 2064.
SERIAL = range(30_000, 60_000)
SERIAL_ZERO = date(1899, 12, 30)
PLAIN = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})")
WORDS = re.compile(
    r"(?:(\d{4})年)?"
    r"(?:(\d{1,2})月(?:份)?(?:(\d{1,2})[日号]?|(上旬|中旬|下旬|底|末|初))?"
    r"|第?([1-4])季度(?:末|底)?|(上半年|下半年)|(年底|年末|底|末|年内|内)?)"
    r"(?:之前|以前|前|止)?"
)
QUARTER_WORDS = str.maketrans("一二三四", "1234")
SEPARATORS = re.compile(r"[\n\r、,;；，/]+|\s{1,}")
AND = re.compile(r"(?<=[一-龥])及(?=[一-龥])")
SUFFIX = re.compile(r"(?:\(?(?:牵头|负责|配合|参与)\)?|等(?:单位|部门)?)$")


def plain(value: object) -> str:
    """Half-width digits and letters, one kind of blank, nothing around it."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = unicodedata.normalize("NFKC", str(value)).replace("\u3000", " ")
    return re.sub(r"[ \t]+", " ", text).strip()


def _arabic(text: str) -> str:
    """Chinese numerals of years, months and days as digits: 二〇一七, 六, 十二, 三十一."""

    def tens(match: re.Match) -> str:
        left, right = match.group(1), match.group(2)
        return str(int(DIGITS.get(left, "1")) * 10 + int(DIGITS.get(right, "0")))

    text = re.sub(r"([一二三]?)十([一二三四五六七八九]?)", tens, text)
    return "".join(DIGITS.get(char, char) for char in text)


def parse_day(value: object, *, year: int | None = None) -> date | None:
    """The last day somebody meant: “2017年6月底”, “2017.6.30”, “六月底前”, a date, a serial number.

    A month alone means its last day, a year alone its last day; `year` stands in where none is
    written. None means ongoing work. Raises ValueError for what is no date, or has no year.
    """
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if int(value) == value and int(value) in SERIAL:
            return SERIAL_ZERO + timedelta(days=int(value))
        value = int(value) if int(value) == value else value
    text = plain(value).replace(" ", "")
    if not text:
        raise ValueError("empty")
    if any(word in text for word in ONGOING_WORDS):
        return None
    text = _arabic(text)
    for pattern in (PLAIN, COMPACT):
        if match := pattern.fullmatch(re.sub(r"(?:日|号)?(?:之前|以前|前)?$", "", text)):
            return date(*(int(part) for part in match.groups()))
    if match := re.fullmatch(r"(\d{4})[-/.](\d{1,2})", text):
        return _month_end(int(match.group(1)), int(match.group(2)))
    match = WORDS.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(text)
    return _from_words(match, year)


def _from_words(match: re.Match, year: int | None) -> date:
    said, month, day, part, quarter, half, _end = match.groups()
    full = int(said) if said else year
    if full is None:
        raise ValueError("no year")
    if month:
        number = int(month)
        if day:
            return date(full, number, int(day))
        if part in ("上旬", "中旬", "初"):
            return date(full, number, 20 if part == "中旬" else 10)
        return _month_end(full, number)
    if quarter:
        return _month_end(full, int(quarter) * 3)
    return _month_end(full, 6 if half == "上半年" else 12)


def _month_end(year: int, month: int) -> date:
    if not 1 <= month <= 12:
        raise ValueError(month)
    return date(year, month, calendar.monthrange(year, month)[1])


def split_bodies(value: object, *, known: Collection[str] = ()) -> list[str]:
    """The bodies named in one cell, in order, each once.

    By line breaks, 、, ，, ；, blanks and “及”; a name that is `known` as a whole stays whole.
    """
    found: list[str] = []
    text = unicodedata.normalize("NFKC", str(value or "")).replace("\u3000", " ")
    for part in SEPARATORS.split(text):
        word = SUFFIX.sub("", part.strip(" 。.:：()（）"))
        pieces = [word] if word in known else AND.split(word)
        found += [SUFFIX.sub("", piece.strip()) for piece in pieces]
    return list(dict.fromkeys(name for name in found if name))


# Words of headings, the more telling first. Source: domain.md, section 8.
HEADINGS: dict[str, tuple[str, ...]] = {
    "title": ("工作任务", "重点任务", "主要任务", "任务名称", "任务", "事项", "项目"),
    "requirement": ("具体要求", "工作内容", "具体内容", "目标任务", "要求", "内容", "措施"),
    "lead": ("牵头单位", "主办单位", "责任单位", "承办单位", "牵头部门", "责任部门"),
    "support": ("配合单位", "协办单位", "参与单位", "配合部门", "协助单位"),
    "due": ("完成时限", "办结时限", "完成时间", "时限", "时间节点", "期限"),
    "chapter": ("类别", "章节", "部分", "分类"),
    "remarks": ("备注", "说明"),
}
IGNORED = ""


def guess_field(heading: str, taken: Collection[str] = ()) -> str:
    """Which field a heading most likely means; empty when none, or when it is `taken`."""
    text = plain(heading).replace(" ", "").replace("\n", "")
    best = ("", 0)
    for field, words in HEADINGS.items():
        for word in words:
            if word in text and len(word) > best[1] and field not in taken:
                best = (field, len(word))
    return best[0]
