"""Documents people attach: PDF, .docx and .xlsx. Stored as they came, so everything that could act is refused.

A sieve, not a virus scanner: it finds what a viewer would run or fetch by itself. They are only ever served as
downloads (`unionwork.uploads.serve`).
"""

import io
import re
import zipfile
import zlib
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.core.exceptions import ValidationError

from unionwork.workbook_reader import Refused, check_entries

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OLE = b"\xd0\xcf\x11\xe0"
CHUNK = 1 << 16
MOST_INFLATED = 100 << 20

DAMAGED = "Tệp bị hỏng hoặc chưa tải lên hết: mở tệp xem lại, lưu lại rồi gửi lại."
BOMB = "Tệp nén bất thường (có thể gây hại) nên không được nhận."
LOCKED = "Tệp đặt mật khẩu: bỏ mật khẩu, lưu lại rồi gửi lại."
MACROS = "Tệp có macro nên không được nhận: lưu lại kiểu .docx hoặc .xlsx không macro."
NESTED = "Tệp chứa tệp khác bên trong: bỏ tệp đính kèm, hoặc lưu thành PDF rồi gửi lại."
FETCHES = "Tệp tự lấy nội dung từ mạng: bỏ liên kết đó, hoặc lưu thành PDF rồi gửi lại."
ACTIVE_PDF = (
    "Tệp PDF có mã lệnh, biểu mẫu gửi đi hoặc tệp đính kèm nên không được nhận: in lại thành PDF mới rồi gửi lại."
)


def office_kind(content):
    """DOCX or XLSX, as the archive's list of parts says; "" for another archive. Raises ValidationError."""
    archive = _archive(content)
    try:
        with archive.open("[Content_Types].xml") as part:
            types = part.read(CHUNK * 4).replace(b"\0", b"")
    except KeyError:
        return ""
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError):
        raise ValidationError(DAMAGED) from None
    if b"macroEnabled" in types or b"vbaProject" in types:
        raise ValidationError(MACROS)
    kinds = [kind for kind in (DOCX, XLSX) if f"{kind}.main+xml".encode() in types]
    return kinds[0] if len(kinds) == 1 else ""


def old_office_kind(content):
    """What an OLE file is: an encrypted new document, or one of the old kinds."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise ValidationError(LOCKED)
    return "application/vnd.ms-excel" if "Workbook".encode("utf-16-le") in content else "application/msword"


def check(content, kind):
    """Raises ValidationError when a document of this kind could do anything but be read."""
    if kind == PDF:
        check_pdf(content)
    else:
        check_office(content, kind)


# --- .docx, .xlsx ---

MAIN_PART = {DOCX: "word/document.xml", XLSX: "xl/workbook.xml"}
MARKUP = ("xml", "rels", "vml", "svg")
PICTURES = ("png", "jpg", "jpeg", "jfif", "gif", "bmp", "tif", "tiff", "webp", "emf", "wmf", "wdp", "ico")
HARMLESS = frozenset((*MARKUP, *PICTURES, "odttf", "fntdata", "ttf"))
# Somewhere else than on the reader's own drives.
NETWORK = re.compile(r"\s*([a-z][a-z0-9+.-]+:(?!/{3}[a-z]:)|\\\\|//)", re.I)


def check_office(content, kind):
    """Bounded, unencrypted, without macros, foreign files, XML entities, or parts fetched from a network."""
    archive = _archive(content)
    names = {name.casefold() for name in archive.namelist()}
    if MAIN_PART[kind] not in names:
        raise ValidationError(DAMAGED)
    _check_parts(archive, MOST_INFLATED, within=None)


def _archive(content):
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise ValidationError(DAMAGED) from None
    entries = archive.infolist()
    # Nothing before, nothing behind: what two readers see differently is not stored.
    is_whole = entries and min(entry.header_offset for entry in entries) == 0
    if not is_whole or content[-22:-18] != b"PK\x05\x06":
        raise ValidationError(DAMAGED)
    try:
        check_entries(entries, archive.start_dir)
    except Refused:
        is_locked = any(entry.flag_bits & 1 for entry in entries)
        raise ValidationError(LOCKED if is_locked else BOMB) from None
    return archive


def _check_parts(archive, left, *, within):
    """Reads every part once. `left`: bytes that may still be inflated; `within`: set in the workbook of a chart."""
    for entry in archive.infolist():
        if entry.is_dir():
            continue
        content = _inflate(archive, entry, left)
        left -= len(content)
        name = entry.filename.casefold()
        if content.startswith(b"PK\x03\x04") and name.endswith(".xlsx") and not within:
            left = _check_chart_data(content, left)
            continue
        _check_part(name, content)
    return left


def _check_chart_data(content, left):
    """A chart in a document carries its numbers as a workbook: looked through like one that was sent itself."""
    if office_kind(content) != XLSX:
        raise ValidationError(NESTED)
    return _check_parts(_archive(content), left, within=True)


def _inflate(archive, entry, left):
    """A part, its size counted and not believed."""
    found = io.BytesIO()
    try:
        with archive.open(entry) as part:
            while chunk := part.read(CHUNK):
                found.write(chunk)
                if found.tell() > left:
                    raise ValidationError(BOMB)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        raise ValidationError(DAMAGED) from None
    return found.getvalue()


def _check_part(name, content):
    extension = name.rpartition(".")[2]
    if "vbaproject" in name or "vbadata" in name or "macrosheets/" in name or "activex/" in name:
        raise ValidationError(MACROS)
    if extension == "bin" and "printersettings/" in name:
        return
    if extension not in HARMLESS or content.startswith((b"PK\x03\x04", OLE, b"MZ", b"%PDF-")):
        raise ValidationError(NESTED)
    if extension in MARKUP:
        plain = content.replace(b"\0", b"")  # as UTF-16 too
        if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
            raise ValidationError(BOMB)
    if extension == "rels":
        _check_relations(content)


def _check_relations(content):
    """Links people click are harmless; a template, object or frame loaded from a network is not."""
    try:
        relations = fromstring(content)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise ValidationError(DAMAGED) from None
    for relation in relations:
        is_click = relation.get("Type", "").endswith(("/hyperlink", "/image"))
        if relation.get("TargetMode") == "External" and not is_click and NETWORK.match(relation.get("Target", "")):
            raise ValidationError(FETCHES)


# --- PDF ---


def _names(*names):
    """Finds any of these names; every letter of a name may be written #xx."""
    spelled = (b"".join(b"(?:%c|(?i:#%02x))" % (letter, letter) for letter in name.encode()) for name in names)
    beginnings = b"".join({name[:1].encode() for name in names})
    return re.compile(b"/(?=[#" + beginnings + b"])(?:" + b"|".join(spelled) + b")(?![A-Za-z])")


ACTIVE = _names(
    *("JavaScript", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia", "Rendition"),
    *("SubmitForm", "ImportData", "XFA", "GoToE"),
)
ENCRYPTED = _names("Encrypt")
OBJECT_STREAM = _names("ObjStm", "First")  # viewers go by /First, whatever the type says
FLATE = _names("FlateDecode", "Fl")
OTHER_FILTER = _names("LZWDecode", "LZW", "ASCII85Decode", "A85", "ASCIIHexDecode", "AHx", "RunLengthDecode", "RL")
PREDICTOR = _names("DecodeParms", "DP")
STREAM = re.compile(rb"endstream|stream[ \t]*(?:\r\n|\n|\r)")
MOST_STREAMS = 20_000
MOST_OBJECTS = 32 << 20  # bytes of compressed objects; pictures are not unfolded
WEB_PAGE = re.compile(rb"<script|<html|<svg", re.I)


def check_pdf(content):
    """One PDF and nothing else, unencrypted, without scripts, actions that leave it, or files inside."""
    if b"%%EOF" not in content[-1024:] or b"PK\x05\x06" in content[-(1 << 17) :]:
        raise ValidationError(DAMAGED)
    if WEB_PAGE.search(content[:4096]) or WEB_PAGE.search(content[-4096:]):
        raise ValidationError(ACTIVE_PDF)
    if ENCRYPTED.search(content):
        raise ValidationError(LOCKED)
    if ACTIVE.search(content):
        raise ValidationError(ACTIVE_PDF)
    _check_streams(content)


def _check_streams(content):
    """Objects may stand inside compressed streams: those are looked through too, or refused."""
    left, before = MOST_OBJECTS, 0
    for number, found in enumerate(STREAM.finditer(content)):
        head = content[before : found.start()]  # its dictionary, and whatever stands before that
        before = found.end()
        if number > 2 * MOST_STREAMS:
            raise ValidationError(BOMB)
        if found[0] == b"endstream" or not OBJECT_STREAM.search(head):
            continue
        if OTHER_FILTER.search(head) or PREDICTOR.search(head):
            raise ValidationError(ACTIVE_PDF)  # written so that it cannot be looked through
        if FLATE.search(head):
            inflated = _flate(content, found.end(), left)
            left -= len(inflated)
            if ACTIVE.search(inflated):
                raise ValidationError(ACTIVE_PDF)


def _flate(content, start, left):
    """What a zlib stream at `start` holds. Without its checksum: viewers do not look at it either."""
    try:
        inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(memoryview(content)[start + 2 :], left + 1)
    except zlib.error:
        raise ValidationError(DAMAGED) from None
    if len(inflated) > left:
        raise ValidationError(BOMB)
    return inflated
