"""Evidence: good files are kept, hostile ones are refused with a sentence that helps."""

import io
import struct
import zipfile

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook
from PIL import Image

from supervision.models import Attachment, Event, EventKind
from supervision.services import files
from supervision.services.acts import ActRefused
from supervision.services.files import add_attachment, check_upload
from tests.factories import NOON, AssignmentFactory, ReportFactory

TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
RELS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}'
RELS += "</Relationships>"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def container(main="word/document.xml", *, compression=zipfile.ZIP_DEFLATED, **parts) -> bytes:
    """A small office file; `parts` are added by name, given as a dictionary `extra`."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr(main, "<w:document>进展</w:document>")
        for name, content in parts.get("extra", {}).items():
            archive.writestr(name, content)
    return stream.getvalue()


def workbook() -> bytes:
    stream = io.BytesIO()
    book = Workbook()
    book.active["A1"] = "研发机构"
    book.active["A2"].hyperlink = "https://example.org/"
    book.save(stream)
    return stream.getvalue()


def picture(kind="JPEG", size=(20, 10), **options) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, "red").save(stream, kind, **options)
    return stream.getvalue()


def bomb() -> bytes:
    return container(extra={"word/big.xml": b"0" * 30_000_000})


def encrypted() -> bytes:
    data = bytearray(container())
    local, central = data.find(b"PK\x03\x04"), data.find(b"PK\x01\x02")
    data[local + 6] |= 1
    data[central + 8] |= 1
    return bytes(data)


def lying() -> bytes:
    """Says that a member is a few bytes long, unpacks to more."""
    data = bytearray(container(extra={"word/big.xml": b"0" * 100_000}))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    return bytes(data)


def relation(kind, target, mode="External"):
    return RELS.format(
        f'<Relationship Id="r" Type="x/{kind}" Target="{target}" TargetMode="{mode}"/>'
    )


PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
HOSTILE = {
    "bomb.docx": bomb(),
    "many.docx": container(extra={f"word/{n}.xml": "x" for n in range(2100)}),
    "dotdot.docx": container(extra={"word/../../../etc/cron.d/x": "x"}),
    "absolute.docx": container(extra={"/etc/passwd": "x"}),
    "backslash.docx": container(extra={"word/..\\..\\x.xml": "x"}),
    "drive.docx": container(extra={"C:/x.xml": "x"}),
    "macro.docx": container(extra={"word/vbaProject.bin": b"x"}),
    "macro-renamed.docx": container(extra={"word/x.bin": files.OLE + b"x"}),
    "macro-type.docx": container(extra={"word/s.xml": "<t>macroEnabled.main+xml</t>"}),
    "embedded.docx": container(extra={"word/embeddings/oleObject1.bin": b"x"}),
    "activex.xlsx": container("xl/workbook.xml", extra={"xl/activeX/a.xml": "x"}),
    "links.xlsx": container("xl/workbook.xml", extra={"xl/externalLinks/e1.xml": "<x/>"}),
    "template.docx": container(
        extra={"word/_rels/settings.xml.rels": relation("attachedTemplate", "http://x/t.dotm")}
    ),
    "image-link.docx": container(
        extra={"word/_rels/document.xml.rels": relation("image", "http://x/pixel.png")}
    ),
    "unc.docx": container(extra={"word/_rels/d.xml.rels": relation("hyperlink", "file://x/y")}),
    "script-link.docx": container(
        extra={"word/_rels/d.xml.rels": relation("hyperlink", "javascript:alert(1)")}
    ),
    "dde.docx": container(extra={"word/f.xml": "<w:instrText>DDEAUTO c:\\\\cmd</w:instrText>"}),
    "dde2.docx": container(extra={"word/f.xml": "<w:instrText> DDE cmd</w:instrText>"}),
    "xxe.docx": container(extra={"word/x.xml": '<!DOCTYPE a [<!ENTITY e SYSTEM "f">]><a>&e;</a>'}),
    "xxe-rels.docx": container(extra={"word/_rels/x.rels": "<!DOCTYPE a []><a/>"}),
    "utf16.docx": container(extra={"word/x.xml": "<!DOCTYPE a []><a/>".encode("utf-16")}),
    "nested.docx": container(extra={"word/inner.zip": container()}),
    "nested-renamed.docx": container(extra={"word/media/image1.png": container()}),
    "encrypted.docx": encrypted(),
    "lying.docx": lying(),
    "old.docx": files.OLE + b"\x00" * 600,
    "prefix.docx": b"MZ" + container(),
    "suffix.docx": container() + b"<script>",
    "not-word.docx": container("xl/workbook.xml"),
    "not-excel.xlsx": container(),
    "cut.docx": container()[:-30],
    "text.docx": b"hello",
    "text.pdf": b"hello",
    "shifted.pdf": b"\n" + PDF,
    "zip.pdf": PDF + container(),
    "tail.pdf": PDF + b"x" * 4000,
    "locked.pdf": PDF.replace(b"/Root", b"/Encrypt 2 0 R/Root"),
    "script.pdf": PDF.replace(b"/Root", b"/OpenAction<</S/JavaScript>>/Root"),
    "launch.pdf": PDF.replace(b"/Root", b"/OpenAction<</S/Launch>>/Root"),
    "attached.pdf": PDF.replace(b"/Root", b"/EmbeddedFiles 3 0 R/Root"),
    "html.jpg": b"<html><script>alert(1)</script>",
    "png-as.jpg": picture("PNG"),
    "jpg-as.png": picture("JPEG"),
    "cut.jpg": picture()[:100],
    "wide.png": picture("PNG", size=(20_001, 1)),
    "large.png": picture("PNG", size=(8000, 7000)),
    "page.html": b"<html></html>",
    "drawing.svg": b"<svg/>",
    "macros.xlsm": workbook(),
    "table.csv": b"1,2",
    "archive.zip": container(),
    "none": b"x",
    "double.pdf.exe": PDF,
    "empty.pdf": b"",
}


def upload(name, content) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_name(name):
    with pytest.raises(ActRefused) as refusal:
        check_upload(upload(name, HOSTILE[name]))

    assert name in refusal.value.message


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("月报.xlsx", workbook(), "xlsx"),
        ("报告.docx", container(), "docx"),
        ("意见.PDF", PDF, "pdf"),
        ("现场.jpeg", picture(), "jpg"),
        ("图.png", picture("PNG"), "png"),
        (
            "链接.docx",
            container(
                extra={"word/_rels/d.xml.rels": relation("hyperlink", "https://example.org")}
            ),
            "docx",
        ),
    ],
)
def test_a_good_file_passes(name, content, kind):
    checked = check_upload(upload(name, content))

    assert (checked.name, checked.kind) == (name, kind)
    if kind in ("xlsx", "docx", "pdf"):
        assert checked.content == content


def test_a_picture_is_drawn_anew_without_what_it_carried():
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    exif[0x0112] = 6  # turned by a quarter
    content = picture(exif=exif, comment=b"<?php secret") + b"PK\x03\x04 appended"

    checked = check_upload(upload("p.jpg", content))

    with Image.open(io.BytesIO(checked.content)) as drawn:
        assert not drawn.getexif()
        assert drawn.size == (10, 20)
    assert b"secret" not in checked.content
    assert b"appended" not in checked.content


def test_a_transparent_png_stays_transparent():
    stream = io.BytesIO()
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(stream, "PNG")

    checked = check_upload(upload("p.png", stream.getvalue()))

    with Image.open(io.BytesIO(checked.content)) as drawn:
        assert drawn.getpixel((0, 0))[3] == 0


def test_too_large_is_refused(settings):
    settings.UPLOAD_MAX_BYTES = 10

    with pytest.raises(ActRefused):
        check_upload(upload("a.pdf", PDF))


def test_a_name_is_cleaned_of_paths_and_marks():
    checked = check_upload(upload("x.pdf", PDF))
    assert checked.name == "x.pdf"
    assert files._clean_name("..\\..\\盗\u202efdp.pdf\n") == "盗fdp.pdf"
    assert len(files._clean_name("长" * 300 + ".pdf")) == 200


def test_a_file_is_kept_under_a_random_name(city):
    assignment = AssignmentFactory(organization=city.bureau)

    row = add_attachment(
        assignment=assignment, by=city.liaison, at=NOON, upload=upload("意见.pdf", PDF)
    )

    assert row.original_name == "意见.pdf"
    assert "意见" not in row.file.name
    assert row.file.read() == PDF
    assert Event.objects.get(kind=EventKind.FILE_ADDED).data["sha256"] == row.sha256


@pytest.mark.parametrize("who", ["officer", "other_liaison", "county_head", "leader", "stranger"])
def test_only_the_own_body_adds_files(city, who):
    assignment = AssignmentFactory(organization=city.bureau)

    with pytest.raises(PermissionDenied):
        add_attachment(
            assignment=assignment, by=getattr(city, who), at=NOON, upload=upload("a.pdf", PDF)
        )


def test_what_has_ended_takes_no_files(city):
    assignment = AssignmentFactory(organization=city.bureau, status="completed")

    with pytest.raises(ActRefused):
        add_attachment(assignment=assignment, by=city.liaison, at=NOON, upload=upload("a.pdf", PDF))


def test_a_return_handed_in_takes_no_files(city):
    report = ReportFactory(status="submitted", period__assignment__organization=city.bureau)

    with pytest.raises(ActRefused):
        add_attachment(
            assignment=report.period.assignment,
            report=report,
            by=city.liaison,
            at=NOON,
            upload=upload("a.pdf", PDF),
        )
    assert not Attachment.objects.exists()


def test_files_of_an_unreleased_return_stay_with_the_body(city):
    report = ReportFactory(status="draft", period__assignment__organization=city.bureau)
    row = add_attachment(
        assignment=report.period.assignment,
        report=report,
        by=city.liaison,
        at=NOON,
        upload=upload("a.pdf", PDF),
    )

    assert list(Attachment.objects.visible_to(city.liaison)) == [row]
    assert not Attachment.objects.visible_to(city.officer)
