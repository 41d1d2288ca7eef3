"""From the frozen content of a letter to the bytes of its DOCX. Same content, same bytes.

Pure: no clock, no database. The container is written anew with fixed dates and without anybody's
name in it. Source: GB/T 9704-2012 as listed in domain.md, section 7.3.
"""

import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from supervision.letters import geometry as g
from supervision.rules.letter_text import Level, secrecy_word, title_lines, width_of

FIXED_MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001 a container wants plain numbers
ZIP_MOMENT = (1980, 1, 1, 0, 0, 0)
UNWANTED_PARTS = (
    "customXml",
    "thumbnail",
    "extended-properties",
    "numbering",
    "stylesWithEffects",
    "theme",
    "webSettings",
)


class SecrecyMark(ValueError):
    """The paper would carry a mark of state secrecy; the builder refuses it."""


def build_letter(content: Mapping[str, Any]) -> bytes:
    """Draw one letter. `content` is what `letter_content.compose` froze.

    Raises SecrecyMark when any of its texts carries a mark of state secrecy.
    """
    word = secrecy_word(_texts(content))
    if word:
        raise SecrecyMark(word)
    return _Builder(content).build()


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [text for one in value for text in _texts(one)]


def element(tag: str, /, *children: BaseOxmlElement, **attributes: object) -> BaseOxmlElement:
    """A WordprocessingML element; attributes are written without their prefix."""
    made = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), str(value))
    made.extend(children)
    return made


class _Builder:
    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self.pitch = content.get("line_pitch_twips") or g.TWIPS_PER_LINE
        self.document = Document()
        self.body = self.document.element.body

    def build(self) -> bytes:
        self.strip()
        self.set_page()
        self.head()
        self.text()
        self.sign()
        if self.content.get("annex"):
            self.annex(self.content["annex"])
        if self.content.get("slip"):
            self.slip(self.content["slip"])
        self.imprint()
        return self.write()

    # The container

    def strip(self) -> None:
        """Leave of python-docx's own template only what the letter uses."""
        for child in list(self.body):
            if child.tag != qn("w:sectPr"):
                self.body.remove(child)
        core = self.document.core_properties
        for name in ("author", "last_modified_by", "comments", "title", "keywords", "subject"):
            setattr(core, name, "")
        core.created = core.modified = FIXED_MOMENT
        core.revision = 1
        for part in (self.document.part.package, self.document.part):
            for key, relation in list(part.rels.items()):
                if any(word in relation.reltype for word in UNWANTED_PARTS):
                    del part.rels[key]
        self.set_settings()
        styles = self.document.styles.element
        for style in list(styles):
            is_default = style.get(qn("w:default")) == "1"
            if style.tag == qn("w:latentStyles") or (style.tag == qn("w:style") and not is_default):
                styles.remove(style)
        normal = self.document.styles["Normal"].element
        for child in list(normal):
            if child.tag in (qn("w:rPr"), qn("w:pPr")):
                normal.remove(child)
        normal.append(
            element(
                "pPr",
                element("snapToGrid", val=0),
                element("spacing", before=0, after=0, line=self.pitch, lineRule="exact"),
                element("jc", val="left"),
            )
        )
        normal.append(self.run_properties(g.FONT_BODY, g.SIZE_3))
        defaults_of_runs = self.run_properties(g.FONT_BODY, g.SIZE_3)
        defaults_of_runs.append(element("lang", val="en-US", eastAsia="zh-CN"))
        defaults = styles.find(qn("w:docDefaults"))
        if defaults is not None:
            styles.remove(defaults)
        styles.insert(
            0,
            element(
                "docDefaults",
                element("rPrDefault", defaults_of_runs),
                element("pPrDefault", element("pPr", element("spacing", before=0, after=0))),
            ),
        )

    def set_settings(self) -> None:
        """Leave of the settings what shapes the page; nobody's revision numbers."""
        settings = self.document.settings.element
        for child in list(settings):
            if child.tag not in (qn("w:compat"), qn("w:characterSpacingControl")):
                settings.remove(child)
        settings.append(element("themeFontLang", val="en-US", eastAsia="zh-CN"))

    def set_page(self) -> None:
        section = self.document.sections[0]
        properties = section._sectPr
        for child in list(properties):
            properties.remove(child)
        properties.append(element("pgSz", w=g.PAGE_WIDTH, h=g.PAGE_HEIGHT))
        properties.append(
            element(
                "pgMar",
                top=g.MARGIN_TOP,
                right=g.MARGIN_RIGHT,
                bottom=g.MARGIN_BOTTOM,
                left=g.MARGIN_LEFT,
                header=g.mm(15),
                footer=g.mm(35 - g.PAGE_NUMBER_DROP_MM) - 210,
                gutter=0,
            )
        )
        properties.append(
            element(
                "docGrid",
                type="linesAndChars",
                linePitch=g.GRID_LINE_PITCH,
                charSpace=g.GRID_CHAR_SPACE,
            )
        )
        self.document.settings.odd_and_even_pages_header_footer = True
        self.page_number(section.footer, side="right")
        self.page_number(section.even_page_footer, side="left")

    def page_number(self, footer, *, side: str) -> None:
        """Digits between dashes, one character in from the outer edge."""
        footer.is_linked_to_previous = False
        paragraph = footer.paragraphs[0]
        self.shape(paragraph, align=side, line=420, **{side: 2 * g.TWIPS_PER_POINT * 7})
        for text, kind in (("— ", ""), ("", "begin"), ("PAGE", "code"), ("", "separate"),
                           ("1", ""), ("", "end"), (" —", "")):  # fmt: skip
            run = self.run(paragraph, text if not kind else "", g.FONT_PAGE_NUMBER, g.SIZE_4)
            if kind == "code":
                code = element("instrText")
                code.text = f" {text} "
                run._r.append(code)
            elif kind:
                run._r.append(element("fldChar", fldCharType=kind))

    def write(self) -> bytes:
        """Save, then write the container again: sorted, stored, dated 1980, by nobody."""
        saved = io.BytesIO()
        self.document.save(saved)
        out = io.BytesIO()
        with zipfile.ZipFile(saved) as source, zipfile.ZipFile(out, "w") as target:
            names = sorted(
                source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)
            )
            for name in names:
                entry = zipfile.ZipInfo(name, ZIP_MOMENT)
                entry.compress_type = zipfile.ZIP_STORED
                entry.create_system = 0
                target.writestr(entry, source.read(name))
        return out.getvalue()

    # Paragraphs and runs

    def run_properties(
        self, font: str, size: int, *, colour: str = "", fill: str = ""
    ) -> BaseOxmlElement:
        properties = element(
            "rPr", element("rFonts", ascii=font, hAnsi=font, eastAsia=font, cs=font)
        )
        if colour:
            properties.append(element("color", val=colour))
        if size == g.SIZE_3:
            properties.append(element("spacing", val=g.SQUEEZE))
        properties.append(element("sz", val=size))
        properties.append(element("szCs", val=size))
        if fill:
            properties.append(element("shd", val="clear", color="auto", fill=fill))
        return properties

    def run(
        self, paragraph: Paragraph, text: str, font: str, size: int, *, colour="", fill=""
    ) -> Run:
        run = paragraph.add_run(text)
        run._r.insert(0, self.run_properties(font, size, colour=colour, fill=fill))
        return run

    def shape(
        self,
        paragraph: Paragraph,
        *,
        align: str = "left",
        line: int | None = None,
        before: int = 0,
        left: int = 0,
        right: int = 0,
        first: int = 0,
        is_kept: bool = False,
        is_page_start: bool = False,
        rules: Mapping[str, tuple[int, str, int]] | None = None,
        tab: int = 0,
    ) -> Paragraph:
        """Set everything about a paragraph; elements stand in the order the schema asks for.

        Text is set flush left: 28 squeezed characters fill the line, and LibreOffice loses the
        last comma of a justified line under a character grid.
        """
        properties = paragraph._p.get_or_add_pPr()
        for child in list(properties):
            properties.remove(child)
        if is_kept:
            properties.append(element("keepNext"))
        if is_page_start:
            properties.append(element("pageBreakBefore"))
        properties.append(element("widowControl"))
        if rules:
            borders = element("pBdr")
            for side in ("top", "bottom", "between"):
                if side in rules:
                    size, colour, space = rules[side]
                    borders.append(element(side, val="single", sz=size, space=space, color=colour))
            properties.append(borders)
        if tab:
            properties.append(element("tabs", element("tab", val="right", pos=tab)))
        properties.append(element("overflowPunct", val=0))
        properties.append(element("autoSpaceDE", val=0))
        properties.append(element("autoSpaceDN", val=0))
        # The squeeze of the characters does in every program what the grid does in some.
        properties.append(element("snapToGrid", val=0))
        properties.append(
            element("spacing", before=before, after=0, line=line or self.pitch, lineRule="exact")
        )
        properties.append(element("ind", left=left, right=right, firstLine=first))
        properties.append(element("jc", val=align))
        return paragraph

    def add(self, text: str, *, font=g.FONT_BODY, size=g.SIZE_3, colour="", **shape) -> Paragraph:
        paragraph = self.shape(self.document.add_paragraph(), **shape)
        if text:
            self.run(paragraph, text, font, size, colour=colour)
        return paragraph

    def blank(self, count: int = 1, *, is_kept: bool = False) -> None:
        for _number in range(count):
            self.add("", is_kept=is_kept)

    # The parts of the paper, in order

    def head(self) -> None:
        content = self.content
        if content["has_red_head"]:
            size = mark_size(content["issuer"])
            line = size * 10 + 80
            # The line begins where the mark is to begin, less the air above its glyphs.
            self.add(
                content["issuer"],
                font=g.FONT_TITLE,
                size=size,
                colour=g.RED,
                align="center",
                line=line,
                before=g.mm(g.MARK_DROP_MM) - (line - size * 10) // 2,
            )
            self.blank(2)
            rule = {"bottom": (g.RULE_HEAD, g.RED, 6)}
            self.add(content["number"], align="center", rules=rule)
            self.blank(2)
        self.title(content["title"], content["colour"], content["colour_word"])
        if not content["has_red_head"]:
            self.add(content["number"], align="center")
        self.blank()

    def title(self, title: str, colour: str = "", colour_word: str = "") -> None:
        lines = title_lines(title, g.TITLE_CHARACTERS)
        for number, line in enumerate(lines, start=1):
            paragraph = self.add(
                line, font=g.FONT_TITLE, size=g.SIZE_2, align="center", line=700, is_kept=True
            )
            if colour and number == len(lines):
                fill, ink = g.SHEETS[colour]
                self.run(paragraph, "　", g.FONT_TITLE, g.SIZE_SMALL_2)
                self.run(
                    paragraph,
                    f"　{colour_word}　",
                    g.FONT_FIRST,
                    g.SIZE_SMALL_2,
                    colour=ink,
                    fill=fill,
                )

    def text(self) -> None:
        content = self.content
        if content["to"]:
            self.add(f"{content['to']}：", align="left")
        fonts = {
            Level.FIRST: g.FONT_FIRST,
            Level.SECOND: g.FONT_SECOND,
            Level.TEXT: g.FONT_BODY,
        }
        count = len(content["paragraphs"])
        texts = sum(one["level"] == Level.TEXT for one in content["paragraphs"])
        for number, one in enumerate(content["paragraphs"], start=1):
            level = Level(one["level"])
            self.add(
                one["text"],
                font=fonts[level],
                first=round(2 * g.CHARACTER),
                # A heading stays with its text, the last words with the signature; a long last
                # paragraph, or the only one, would take everything along to the next page.
                is_kept=level is not Level.TEXT
                or (number == count and texts > 1 and len(one["text"]) <= g.KEPT_CHARACTERS),
            )
        if content["annex_note"]:
            self.blank(is_kept=True)
            self.add(content["annex_note"], first=round(2 * g.CHARACTER), is_kept=True)

    def sign(self) -> None:
        """Issuer centred over the date, the date four characters from the right edge."""
        signature, day = self.content["signature"], self.content["date"]
        self.blank(2, is_kept=True)
        overhang = (width_of(signature) - width_of(day)) / 2
        right_day = max(float(g.SIGN_INDENT_CHARACTERS), 2 + overhang)
        right_name = right_day - overhang
        has_note = bool(self.content["note"])
        self.add(signature, align="right", right=round(right_name * g.CHARACTER), is_kept=True)
        self.add(day, align="right", right=round(right_day * g.CHARACTER), is_kept=has_note)
        if has_note:
            self.add(self.content["note"], first=round(2 * g.CHARACTER), align="left")

    def annex(self, annex: Mapping[str, Any]) -> None:
        self.add(
            self.content["annex_label"],
            font=g.FONT_FIRST,
            align="left",
            is_page_start=True,
            is_kept=True,
        )
        self.blank(is_kept=True)
        self.title(annex["title"])
        self.blank(is_kept=True)
        widths = column_widths(annex["columns"])
        rows = [annex["columns"], *annex["rows"]]
        table = self.table(widths)
        for number, cells in enumerate(rows):
            row = self.row(table, height=520, is_head=number == 0)
            for column, (text, width) in enumerate(zip(cells, widths, strict=True)):
                self.cell(
                    row,
                    text,
                    width,
                    font=g.FONT_FIRST if number == 0 else g.FONT_BODY,
                    size=g.SIZE_SMALL_4,
                    line=380,
                    align="left" if column in (1, 2) and number else "center",
                )

    def slip(self, slip: Mapping[str, Any]) -> None:
        self.add(
            slip["title"],
            font=g.FONT_TITLE,
            size=g.SIZE_2,
            align="center",
            line=700,
            is_page_start=True,
            is_kept=True,
        )
        self.blank(is_kept=True)
        widths = [g.mm(42), g.TEXT_WIDTH - g.mm(42)]
        table = self.table(widths)
        for label, value in slip["rows"]:
            row = self.row(table, height=680)
            self.cell(row, label, widths[0], font=g.FONT_FIRST, size=g.SIZE_4, line=400)
            self.cell(row, value, widths[1], size=g.SIZE_4, line=400, align="left")
        row = self.row(table, height=3600)
        self.cell(row, slip["tall"], widths[0], font=g.FONT_FIRST, size=g.SIZE_4, line=400)
        self.cell(row, "", widths[1], size=g.SIZE_4, line=400, align="left")
        row = self.row(table, height=1000)
        self.cell(row, slip["sign"], widths[0], font=g.FONT_FIRST, size=g.SIZE_4, line=400)
        self.cell(row, "", widths[1], size=g.SIZE_4, line=400, align="left")

    def imprint(self) -> None:
        """The closing block at the foot of the last page: outer rules thick, the inner one thin."""
        content = self.content
        lines = []
        if content["copies"]:
            lines.append((f"{content['copies_label']}{content['copies']}。", ""))
        lines.append((content["printed_by"], content["printed_on"]))
        # Between two tables stands a paragraph, or they become one.
        self.add("", line=20)
        table = self.table([g.TEXT_WIDTH], is_at_foot=True)
        for number, (left, right) in enumerate(lines, start=1):
            row = self.row(table, height=560)
            rules = {
                "top": g.RULE_OUTER if number == 1 else g.RULE_INNER,
                "bottom": g.RULE_OUTER if number == len(lines) else g.RULE_INNER,
            }
            width = g.TEXT_WIDTH
            paragraph = self.cell(
                row, left, width, size=g.SIZE_4, line=440, align="left", rules=rules
            )
            if right:
                paragraph.add_run().add_tab()
                self.run(paragraph, right, g.FONT_BODY, g.SIZE_4)
        # A table must be followed by a paragraph; this one takes no room.
        self.add("", line=20)

    # Tables

    def table(self, widths: list[int], *, is_at_foot: bool = False) -> BaseOxmlElement:
        """An empty table; `is_at_foot` lays it on the last lines of its page, without a frame."""
        properties = element("tblPr")
        if is_at_foot:
            properties.append(
                element(
                    "tblpPr",
                    leftFromText=0,
                    rightFromText=0,
                    topFromText=0,
                    bottomFromText=0,
                    vertAnchor="margin",
                    # Measured from the page: only so does every program let a full-width one float.
                    horzAnchor="page",
                    tblpX=g.MARGIN_LEFT,
                    tblpYSpec="bottom",
                )
            )
        properties.append(element("tblW", w=sum(widths), type="dxa"))
        properties.append(element("tblInd", w=0, type="dxa"))
        borders = element("tblBorders")
        for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
            borders.append(element(side, val="single", sz=g.RULE_INNER, space=0, color="000000"))
        if not is_at_foot:
            properties.append(borders)
        properties.append(element("tblLayout", type="fixed"))
        margin = 80
        properties.append(
            element(
                "tblCellMar",
                element("left", w=margin, type="dxa"),
                element("right", w=margin, type="dxa"),
            )
        )
        grid = element("tblGrid", *(element("gridCol", w=width) for width in widths))
        table = element("tbl", properties, grid)
        self.body.insert(len(self.body) - 1, table)
        return table

    def row(self, table: BaseOxmlElement, *, height: int, is_head: bool = False):
        properties = element(
            "trPr", element("cantSplit"), element("trHeight", val=height, hRule="atLeast")
        )
        if is_head:
            properties.append(element("tblHeader"))
        row = element("tr", properties)
        table.append(row)
        return row

    def cell(
        self,
        row: BaseOxmlElement,
        text: str,
        width: int,
        *,
        font: str = g.FONT_BODY,
        size: int = g.SIZE_4,
        line: int = 400,
        align: str = "center",
        rules: Mapping[str, int] | None = None,
    ) -> Paragraph:
        """A cell with one paragraph; with `rules` it stands at the foot of the paper."""
        properties = element("tcPr", element("tcW", w=width, type="dxa"))
        if rules:
            borders = element("tcBorders")
            for side, size_of_rule in rules.items():
                borders.append(
                    element(side, val="single", sz=size_of_rule, space=0, color="000000")
                )
            properties.append(borders)
        properties.append(element("vAlign", val="center"))
        paragraph = Paragraph(element("p"), self.document._body)
        indent = size * 10 if rules else 0
        tab = width - 2 * indent if rules else 0
        self.shape(paragraph, align=align, line=line, left=indent, right=indent, tab=tab)
        if text:
            self.run(paragraph, text, font, size)
        row.append(element("tc", properties, paragraph._p))
        return paragraph


def mark_size(issuer: str) -> int:
    """Half points at which the issuer's mark fits on one line, within the usual bounds."""
    fitting = g.TEXT_WIDTH / 10 / max(width_of(issuer), 1) * 0.96
    return max(min(int(fitting), g.SIZE_MARK_MAX), g.SIZE_MARK_MIN)


def column_widths(columns: list[str]) -> list[int]:
    """Widths of the annex table: number, body, item, date, days."""
    given = [g.mm(12), g.mm(32), 0, g.mm(30), g.mm(22)]
    given[2] = g.TEXT_WIDTH - sum(given)
    return given[: len(columns)]
