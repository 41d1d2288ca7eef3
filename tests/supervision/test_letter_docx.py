"""The paper itself: values in the file, and what LibreOffice makes of them on the page."""

import io
import re
import subprocess
import zipfile
from itertools import pairwise

import pytest
from docx import Document
from docx.oxml.ns import qn
from PIL import Image

from supervision.letters import geometry as g
from supervision.letters.docx import SecrecyMark, build_letter

DPI = 200
MM = DPI / 25.4
POINT = DPI / 72
LONG = "国" * (28 * 50)


def paper(**changes) -> dict:
    """A yellow sheet with everything a letter may have."""
    return {
        "kind": "urging_yellow",
        "has_red_head": True,
        "issuer": "云溪市人民政府督查室",
        "number": "政督催〔2026〕8号",
        "title": "催办通知单",
        "colour": "yellow",
        "colour_word": "黄单",
        "to": "市工信局",
        "paragraphs": [
            {
                "level": 0,
                "text": "你单位承办的事项办结时限为2026年6月1日。现予第2次催办。",
            },
            {"level": 1, "text": "一、抓紧办理"},
            {"level": 2, "text": "（一）查明原因"},
            {"level": 0, "text": "请逐项说明未按时办结的原因，分清主观原因和客观原因，尽快办结。"},
        ],
        "signature": "云溪市人民政府督查室",
        "signer": "",
        "date": "2026年6月10日",
        "note": "（联系人：王敏，电话：2010000）",
        "copies_label": "抄送：",
        "copies": "市政府分管领导",
        "printed_by": "云溪市人民政府督查室",
        "printed_on": "2026年6月10日印发",
        "line_pitch_twips": g.TWIPS_PER_LINE,
        "template_version": 1,
        "annex": None,
        "annex_label": "",
        "annex_note": "",
        "slip": None,
    } | changes


SLIP = {
    "title": "回执",
    "rows": [["文号", "政督催〔2026〕8号"], ["签收人", ""]],
    "tall": "办理进展",
    "sign": "签字",
}
ANNEX = {
    "annex": {
        "title": "逾期未办结任务清单",
        "columns": ["序号", "单位", "事项", "办结时限", "逾期天数"],
        "rows": [[str(n), "市工信局", "建立研发机构", "2026-05-01", "20"] for n in range(1, 60)],
    },
    "annex_label": "附件",
    "annex_note": "附件：逾期未办结任务清单",
}


# The file


def opened(content: dict) -> Document:
    return Document(io.BytesIO(build_letter(content)))


def values(node, tag: str) -> dict[str, str]:
    found = node.find(f".//{qn('w:' + tag)}")
    return {name.rpartition("}")[2]: value for name, value in found.attrib.items()}


def test_page_margins_and_grid_are_those_of_the_standard():
    section = opened(paper()).sections[0]._sectPr

    assert values(section, "pgSz") == {"w": "11906", "h": "16838"}
    margins = values(section, "pgMar")
    assert (margins["left"], margins["right"], margins["bottom"]) == ("1587", "1474", "1984")
    assert abs(int(margins["top"]) - 2098) <= 57  # 37 ± 1 mm
    assert values(section, "docGrid") == {
        "type": "linesAndChars",
        "linePitch": "580",
        "charSpace": "-848",
    }


def fonts_by_text(document) -> dict[str, tuple[str, int]]:
    found = {}
    for run in document.element.body.iter(qn("w:r")):
        text = "".join(node.text or "" for node in run.iter(qn("w:t")))
        if text:
            found[text] = (values(run, "rFonts")["eastAsia"], int(values(run, "sz")["val"]))
    return found


def test_fonts_and_sizes_by_name():
    fonts = fonts_by_text(opened(paper(**ANNEX)))

    assert fonts["催办通知单"] == ("方正小标宋简体", 44)
    assert fonts["政督催〔2026〕8号"] == ("仿宋_GB2312", 32)
    assert fonts["市工信局："] == ("仿宋_GB2312", 32)
    assert fonts["一、抓紧办理"] == ("黑体", 32)
    assert fonts["（一）查明原因"] == ("楷体_GB2312", 32)
    assert fonts["抄送：市政府分管领导。"] == ("仿宋_GB2312", 28)
    assert fonts["附件"] == ("黑体", 32)
    assert fonts["云溪市人民政府督查室"][0] in ("方正小标宋简体", "仿宋_GB2312")


def test_every_line_of_text_has_the_exact_pitch():
    document = opened(paper())
    pitches = {
        (values(p._p, "spacing")["line"], values(p._p, "spacing")["lineRule"])
        for p in document.paragraphs
        if p.text and "号" not in p.text and "黄单" not in p.text and p.text[0] != "云"
    }

    assert pitches == {("580", "exact")}


def test_the_offices_line_pitch_is_taken():
    document = opened(paper(line_pitch_twips=560))

    body = next(p for p in document.paragraphs if p.text.startswith("请逐项"))
    assert values(body._p, "spacing")["line"] == "560"


@pytest.mark.parametrize("colour", g.SHEETS)
def test_a_colour_sheet_carries_its_word_on_its_colour(colour):
    document = opened(paper(colour=colour, colour_word="某单"))

    title = next(p for p in document.paragraphs if p.text.startswith("催办通知单"))
    badge = next(run for run in title.runs if "某单" in run.text)
    assert values(badge._r, "shd")["fill"] == g.SHEETS[colour][0]


def test_page_numbers_stand_right_on_odd_and_left_on_even_pages():
    document = opened(paper())
    section = document.sections[0]

    assert document.settings.odd_and_even_pages_header_footer
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        paragraph = footer.paragraphs[0]
        assert values(paragraph._p, "jc")["val"] == side
        assert values(paragraph._p, "ind")[side] == "280"
        assert "PAGE" in paragraph._p.xml
        assert paragraph.text == "— 1 —"


def test_the_closing_block_has_thick_outer_and_thin_inner_rules():
    table = opened(paper()).tables[-1]
    cells = [row.cells[0]._tc for row in table.rows]

    def rule(cell, side):
        return cell.find(f".//{qn('w:tcBorders')}/{qn('w:' + side)}").get(qn("w:sz"))

    assert [rule(cells[0], "top"), rule(cells[-1], "bottom")] == ["8", "8"]
    assert rule(cells[0], "bottom") == rule(cells[-1], "top") == "6"


def test_the_same_letter_gives_the_same_bytes_without_anybodys_name():
    first, second = build_letter(paper(slip=SLIP)), build_letter(paper(slip=SLIP))

    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as container:
        assert {entry.date_time for entry in container.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = container.read("docProps/core.xml").decode()
        assert "python-docx" not in core
        assert re.findall(r"<(?:dc:creator|cp:lastModifiedBy)>([^<]+)", core) == []
        assert not [name for name in container.namelist() if "customXml" in name]
    assert len(first) < 60_000


@pytest.mark.parametrize("word", ["秘密", "机密", "绝密"])
@pytest.mark.parametrize("place", ["title", "note", "copies", "to"])
def test_a_mark_of_secrecy_is_refused_wherever_it_stands(word, place):
    with pytest.raises(SecrecyMark):
        build_letter(paper(**{place: f"{word}★1年"}))


def test_a_mark_in_the_annex_is_refused_too():
    annex = {**ANNEX["annex"], "rows": [["1", "绝密", "", "", ""]]}

    with pytest.raises(SecrecyMark):
        build_letter(paper(**{**ANNEX, "annex": annex}))


# On the page


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Draw letters with LibreOffice: name → (text of each page, picture of each page)."""
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "grid": paper(
            has_red_head=False,
            title="测",
            colour="",
            paragraphs=[{"level": 0, "text": LONG}, {"level": 0, "text": "完毕。"}],
        ),
        "sheet": paper(slip=SLIP),
        "circular": paper(colour="", colour_word="", **ANNEX),
    }
    for name, content in made.items():
        (folder / f"{name}.docx").write_bytes(build_letter(content))
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation=file://{folder}/profile",
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            str(folder),
            *(str(folder / f"{name}.docx") for name in made),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    drawn = {}
    for name in made:
        pdf = folder / f"{name}.pdf"
        subprocess.run(["pdftoppm", "-r", str(DPI), "-png", pdf, folder / name], check=True)
        text = subprocess.run(
            ["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True, text=True
        ).stdout
        pictures = sorted(folder.glob(f"{name}-*.png"))
        drawn[name] = (
            text.split("\f")[: len(pictures)],
            [Image.open(path).convert("RGB") for path in pictures],
        )
        info = subprocess.run(["pdfinfo", pdf], check=True, capture_output=True, text=True).stdout
        drawn[name] += (info,)
    return drawn


def ink(picture, box) -> tuple[int, int, int, int]:
    """The smallest box around everything dark inside `box`, in dots of the whole page."""
    part = picture.crop(box).convert("L").point(lambda value: 255 if value < 128 else 0)
    found = part.getbbox()
    return (found[0] + box[0], found[1] + box[1], found[2] + box[0], found[3] + box[1])


def text_box(picture) -> tuple[int, int, int, int]:
    """The page without the line of its number."""
    return (0, 0, picture.width, round((297 - 33) * MM))


def line_tops(picture) -> list[int]:
    """Top of each line of text, dot by dot down the page."""
    left, top, right, bottom = ink(picture, text_box(picture))
    part = picture.crop((left, top, right, bottom)).convert("L")
    dark = part.point(lambda value: 255 if value < 128 else 0)
    tops, was_dark = [], False
    for y in range(dark.height):
        is_dark = dark.crop((0, y, dark.width, y + 1)).getbbox() is not None
        if is_dark and not was_dark:
            tops.append(top + y)
        was_dark = is_dark
    return tops


def test_the_page_is_a4(pages):
    size = re.search(r"Page size:\s+([\d.]+) x ([\d.]+)", pages["grid"][2])

    assert abs(float(size[1]) - 595.28) < 0.5
    assert abs(float(size[2]) - 841.89) < 0.5


def test_a_full_page_has_22_lines_of_28_characters(pages):
    lines = [line.strip() for line in pages["grid"][0][1].splitlines() if "国" in line]

    assert len(lines) == 22
    assert {len(line) for line in lines} == {28}


def test_the_text_block_lies_where_the_standard_puts_it(pages):
    picture = pages["grid"][1][1]
    left, top, right, bottom = ink(picture, text_box(picture))
    # A glyph does not fill its square. Of an exact line four fifths lie above the base line, and
    # the square reaches a little below it.
    side = 16 * POINT * 0.05
    last_base = bottom - 16 * POINT * 0.07
    first_base = last_base - 21 * 29 * POINT

    assert abs((left - side) / MM - 28) <= 1
    assert abs((picture.width - right - side) / MM - 26) <= 1
    assert abs((first_base - 0.8 * 29 * POINT) / MM - 37) <= 1
    assert abs((picture.height - last_base - 0.2 * 29 * POINT) / MM - 35) <= 1
    assert abs((bottom - top) / POINT - (21 * 29 + 16 * 0.86)) <= 1


def test_the_line_pitch_on_the_page_is_29_points(pages):
    tops = line_tops(pages["grid"][1][1])

    pitch = (tops[-1] - tops[0]) / (len(tops) - 1) / POINT
    assert len(tops) == 22
    assert abs(pitch - 29) <= 0.1
    steps = [(b - a) / POINT for a, b in pairwise(tops)]
    assert max(abs(step - 29) for step in steps) <= 0.5


def red_rows(picture) -> list[int]:
    """Rows with bright red ink."""
    red, green, _blue = picture.split()
    mask = Image.eval(red, lambda v: 255 if v > 200 else 0)
    dark = Image.eval(green, lambda v: 255 if v < 80 else 0)
    both = Image.composite(mask, Image.new("L", mask.size), dark)
    return [
        y for y in range(both.height) if both.crop((0, y, both.width, y + 1)).getbbox() is not None
    ]


def test_the_red_head_begins_35_mm_below_the_top_of_the_text_block(pages):
    rows = red_rows(pages["sheet"][1][0])

    assert abs(rows[0] / MM - (37 + 35)) <= 1.5


def test_the_red_rule_lies_4_mm_under_the_number_and_is_156_mm_wide(pages):
    picture = pages["sheet"][1][0]
    rule = red_rows(picture)[-1]
    above = picture.crop((0, round(rule - 12 * MM), picture.width, rule - 8)).convert("L")
    number = above.point(lambda value: 255 if value < 128 else 0).getbbox()
    gap = (above.height + 8 - number[3]) / MM
    width = ink(picture, (0, rule - 3, picture.width, rule + 1))

    assert abs(gap - 4) <= 1
    assert abs((width[2] - width[0]) / MM - 156) <= 1


def test_the_page_number_stands_7_mm_below_the_text_block_on_its_side(pages):
    for number, picture in enumerate(pages["grid"][1][:2], start=1):
        below = (0, round((297 - 33) * MM), picture.width, picture.height)
        left, top, right, bottom = ink(picture, below)
        middle = (top + bottom) / 2 / MM
        assert abs(middle - (297 - 35 + 7)) <= 1
        if number % 2:
            assert abs((picture.width - right) / MM - (26 + 4.9)) <= 1.5
        else:
            assert abs(left / MM - (28 + 4.9)) <= 1.5


def test_the_closing_block_ends_on_the_last_line_of_the_last_page(pages):
    for name in ("sheet", "circular"):
        texts, pictures, _info = pages[name]
        assert "印发" in texts[-1]
        assert not any("印发" in text for text in texts[:-1])
        _left, _top, _right, bottom = ink(pictures[-1], text_box(pictures[-1]))
        assert abs(bottom / MM - (297 - 35)) <= 1


def test_no_page_is_empty_and_no_signature_stands_alone(pages):
    for texts, _pictures, _info in pages.values():
        for text in texts:
            words = re.sub(r"—\s*\d+\s*—|\s", "", text)
            assert words
            if "2026年6月10日（联系人" in words:
                assert not words.startswith("云溪市"), "the signature stands alone on its page"


def test_the_receipt_slip_has_a_page_of_its_own(pages):
    texts = pages["sheet"][0]

    assert "回执" in texts[-1]
    assert "请逐项" not in texts[-1]


def test_the_annex_repeats_its_head_and_loses_no_row(pages):
    texts = pages["circular"][0]
    with_rows = [text for text in texts if "建立研发机构" in text]

    assert len(with_rows) >= 2
    assert [text for text in with_rows if "序号" not in text] == []
    assert sum(text.count("建立研发机构") for text in texts) == 59


def test_the_first_page_shows_text_of_the_body(pages):
    assert "你单位承办的" in pages["sheet"][0][0]
