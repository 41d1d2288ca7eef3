"""Evidence: what a file must be like to be kept, and how it is kept.

Kinds are told by content, and the extension must agree. Office files are looked through as ZIP
containers before anything parses them; pictures are drawn anew, which drops whatever else they
carried. Source: security.md, section 5.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from supervision import permissions
from supervision.models import (
    Assignment,
    Attachment,
    EventKind,
    Milestone,
    ProgressReport,
    User,
)
from supervision.services.acts import ActRefused, record_event, require

KINDS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "png": "image/png",
}
EXTENSIONS = {"xlsx": "xlsx", "docx": "docx", "pdf": "pdf", "jpg": "jpg", "jpeg": "jpg"} | {
    "png": "png"
}
ACCEPT = ",".join(f".{extension}" for extension in EXTENSIONS)

MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_MEMBERS = 2000
MAX_RATIO = 100
MAX_PICTURE_PIXELS = 50_000_000
MAX_PICTURE_SIDE = 20_000
CHUNK = 1 << 20
OVERLAP = 512

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08")
ARCHIVE_SUFFIXES = frozenset(
    [
        ".zip",
        ".rar",
        ".7z",
        ".gz",
        ".tar",
        ".bz2",
        ".xz",
        ".jar",
        ".xlsx",
        ".docx",
        ".pptx",
        ".xlsm",
        ".docm",
        ".pptm",
        ".xlsb",
    ]
)
MAIN_PARTS = {"xlsx": "xl/workbook.xml", "docx": "word/document.xml"}
MACRO_PARTS = frozenset({"vbaproject.bin", "vbadata.xml", "vbaprojectsignature.bin"})
DDE = re.compile(rb"<ddeLink|DDEAUTO|<w:(?:instrText|fldSimple)[^>]{0,200}>?[^<]{0,40}\bDDE\b")
ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
PDF_ACTIVE = (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/RichMedia")


@dataclass(frozen=True)
class CheckedFile:
    """A file that passed: its name for people, its kind, and the bytes that will be kept."""

    name: str
    kind: str
    content: bytes


def check_upload(upload: UploadedFile) -> CheckedFile:
    """Look an uploaded file through. Raises ActRefused that says what to do about it."""
    name = _clean_name(upload.name or "")
    kind = EXTENSIONS.get(PurePosixPath(name).suffix.lower().lstrip("."))
    if kind is None:
        raise ActRefused(
            _(
                "“%(name)s”: only xlsx, docx, pdf, jpg and png files are kept. Save it as one of "
                "these and add it again."
            )
            % {"name": name}
        )
    if upload.size is None or upload.size > settings.UPLOAD_MAX_BYTES:
        raise ActRefused(
            _("“%(name)s” is larger than %(limit)s. Make it smaller or split it first.")
            % {"name": name, "limit": filesizeformat(settings.UPLOAD_MAX_BYTES)}
        )
    content = upload.read(settings.UPLOAD_MAX_BYTES + 1)
    if not content:
        raise ActRefused(_("“%(name)s” is empty. Choose the file again.") % {"name": name})
    if content.startswith(OLE):
        raise ActRefused(
            _(
                "“%(name)s” is encrypted or in an old Office format. Remove the password, save it "
                "as xlsx or docx, and add it again."
            )
            % {"name": name}
        )
    if kind in MAIN_PARTS:
        _check_office(name, kind, content)
    elif kind == "pdf":
        _check_pdf(name, content)
    else:
        content = _redraw(name, kind, content)
    return CheckedFile(name, kind, content)


def _clean_name(name: str) -> str:
    """The last part of a path, without control characters or marks that reverse the text."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(char for char in last if char.isprintable()).strip(" .")
    if len(shown) <= 200:
        return shown
    suffix = PurePosixPath(shown).suffix[:10]
    return shown[: 200 - len(suffix)] + suffix


def _mismatch(name: str) -> ActRefused:
    return ActRefused(
        _(
            "“%(name)s” is damaged, or its content is not what its extension says. Open it on your "
            "computer, save it anew and add it again."
        )
        % {"name": name}
    )


def _active(name: str) -> ActRefused:
    return ActRefused(
        _(
            "“%(name)s” contains macros, embedded objects, scripts or links to other files. Save a "
            "copy without them (or print it to PDF) and add that."
        )
        % {"name": name}
    )


def _bomb(name: str) -> ActRefused:
    return ActRefused(
        _(
            "“%(name)s” unpacks to far more than a document of its size should hold. Print it to "
            "PDF and add that."
        )
        % {"name": name}
    )


def _check_office(name: str, kind: str, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as container:
            _check_container(name, kind, content, container)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError) as error:
        raise _mismatch(name) from error
    except (OSError, ValueError, RuntimeError, UnicodeError) as error:
        raise _mismatch(name) from error
    except Exception as error:
        if type(error).__module__ in ("zlib", "lzma"):
            raise _mismatch(name) from error
        raise


def _check_container(name: str, kind: str, content: bytes, container: zipfile.ZipFile) -> None:
    """Directory first, members after: nothing is unpacked before its size is known."""
    members = container.infolist()
    end = content.rfind(b"PK\x05\x06")
    if (
        not content.startswith(b"PK\x03\x04")
        or min((member.header_offset for member in members), default=1) != 0
        or end + 22 != len(content)
    ):
        raise _mismatch(name)
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if (
        len(members) > MAX_MEMBERS
        or unpacked > MAX_UNPACKED_BYTES
        or unpacked > MAX_RATIO * max(packed, 1)
    ):
        raise _bomb(name)
    names = [member.filename for member in members]
    if len(set(names)) != len(names) or not {"[Content_Types].xml", MAIN_PARTS[kind]} <= set(names):
        raise _mismatch(name)
    for member in members:
        _check_member_name(name, member)
    for member in members:
        _check_member(name, container, member)


def _check_member_name(name: str, member: zipfile.ZipInfo) -> None:
    path = member.orig_filename
    parts = path.split("/")
    if (
        path.startswith("/")
        or ".." in parts
        or "\\" in path
        or "\x00" in path
        or re.match(r"[A-Za-z]:", path)
        or member.flag_bits & 0x1
    ):
        raise _mismatch(name)
    lowered = path.lower()
    last = lowered.rsplit("/", 1)[-1]
    if (
        last in MACRO_PARTS
        or PurePosixPath(last).suffix in ARCHIVE_SUFFIXES
        or "/embeddings/" in lowered
        or "/activex/" in lowered
        or "/externallinks/" in lowered
        or last.startswith("oleobject")
    ):
        raise _active(name)


def _check_member(name: str, container: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Unpack one member as a stream: its true size, its checksum, what it carries."""
    lowered = member.filename.lower()
    is_xml = lowered.endswith((".xml", ".rels", ".vml"))
    is_relations = lowered.endswith(".rels")
    kept = io.BytesIO()
    tail = b""
    for number, chunk in enumerate(_chunks(container, member)):
        if number == 0 and chunk.startswith((OLE, *ARCHIVES)):
            raise _active(name)
        if number == 0 and is_xml and chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise _mismatch(name)
        if is_xml:
            window = tail + chunk
            if ENTITIES.search(window):
                raise _mismatch(name)
            if DDE.search(window) or b"macroEnabled" in window:
                raise _active(name)
            tail = window[-OVERLAP:]
        if is_relations:
            if kept.tell() > 5 * CHUNK:
                raise _bomb(name)
            kept.write(chunk)
    if is_relations:
        _check_relations(name, kept.getvalue())


def _chunks(container: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with container.open(member) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _check_relations(name: str, content: bytes) -> None:
    """Nothing may be fetched from elsewhere; a plain hyperlink is only text one can click."""
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as error:
        raise _mismatch(name) from error
    for relation in root:
        kind = relation.get("Type", "").rsplit("/", 1)[-1].lower()
        target = relation.get("Target", "").strip().lower()
        is_external = relation.get("TargetMode", "").lower() == "external"
        is_link = kind == "hyperlink" and target.startswith(("http://", "https://", "mailto:", "#"))
        if (is_external and not is_link) or kind in ("oleobject", "vbaproject", "attachedtemplate"):
            raise _active(name)


def _check_pdf(name: str, content: bytes) -> None:
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-2048:]:
        raise _mismatch(name)
    if zipfile.is_zipfile(io.BytesIO(content)):
        raise _mismatch(name)
    if b"/Encrypt" in content:
        raise ActRefused(
            _("“%(name)s” is protected by a password. Remove the protection and add it again.")
            % {"name": name}
        )
    if any(mark in content for mark in PDF_ACTIVE):
        raise _active(name)


def _redraw(name: str, kind: str, content: bytes) -> bytes:
    """The same picture from its dots alone: no EXIF, no comment, nothing appended."""
    wanted = {"jpg": "JPEG", "png": "PNG"}[kind]
    try:
        with Image.open(io.BytesIO(content), formats=[wanted]) as picture:
            width, height = picture.size
            if max(width, height) > MAX_PICTURE_SIDE or width * height > MAX_PICTURE_PIXELS:
                raise ActRefused(
                    _(
                        "“%(name)s” has %(width)s × %(height)s dots, which is too many. Make the "
                        "picture smaller and add it again."
                    )
                    % {"name": name, "width": width, "height": height}
                )
            upright = ImageOps.exif_transpose(picture)
            mode = "RGBA" if kind == "png" and "transparency" in upright.info else None
            if upright.mode not in ("L", "RGB") + (("RGBA", "LA") if kind == "png" else ()):
                mode = mode or ("RGBA" if kind == "png" and "A" in upright.mode else "RGB")
            plain = upright.convert(mode) if mode else upright
            fresh = Image.new(plain.mode, plain.size)
            fresh.paste(plain)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _mismatch(name) from error
    drawn = io.BytesIO()
    if kind == "jpg":
        fresh.save(drawn, "JPEG", quality=90)
    else:
        fresh.save(drawn, "PNG")
    return drawn.getvalue()


@transaction.atomic
def add_attachment(
    *,
    assignment: Assignment,
    by: User,
    at: datetime,
    upload: UploadedFile,
    report: ProgressReport | None = None,
    milestone: Milestone | None = None,
) -> Attachment:
    """Keep one file of evidence under a random name.

    Raises PermissionDenied, ActRefused when the share has ended, the return is out of the
    writer's hands, or the file is not acceptable.
    """
    require(permissions.can_add_file(assignment, by))
    if not assignment.is_open:
        raise ActRefused(_("This share has ended; no file can be added to it any more."))
    if report is not None and report.status not in ProgressReport.EDITABLE_STATES:
        raise ActRefused(
            _("This return is “%(state)s” and cannot be changed now.")
            % {"state": report.get_status_display()}
        )
    checked = check_upload(upload)
    row = Attachment(
        assignment=assignment,
        report=report,
        milestone=milestone,
        original_name=checked.name,
        kind=checked.kind,
        size_bytes=len(checked.content),
        sha256=hashlib.sha256(checked.content).hexdigest(),
        uploaded_by=by,
        uploaded_at=at,
    )
    row.file.save(checked.name, ContentFile(checked.content), save=False)
    try:
        with transaction.atomic():
            row.save()
            record_event(
                EventKind.FILE_ADDED,
                assignment=assignment,
                milestone=milestone,
                period=report.period if report else None,
                by=by,
                at=at,
                data={"name": checked.name, "sha256": row.sha256},
            )
    except Exception:
        row.file.delete(save=False)
        raise
    return row
