"""Files from people: told by what they hold, never by name or sender; made harmless before they are stored.

Photos are decoded and written anew (`unionwork.photos`), documents are searched and stored as they came
(`unionwork.documents`). `serve` hands a stored file out; who may have it is the calling view's to say.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass

import filetype
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404

from unionwork import documents, photos
from unionwork.text import nfc

MEGABYTE = 1 << 20
PDF, DOCX, XLSX = documents.PDF, documents.DOCX, documents.XLSX
EXTENSIONS = {"image/jpeg": "jpg", PDF: "pdf", DOCX: "docx", XLSX: "xlsx"}
PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})
DOCUMENTS = frozenset({PDF, DOCX, XLSX})
EVERYTHING = PHOTOS | DOCUMENTS
WORDS = {PHOTOS: "ảnh JPEG, PNG, WebP", DOCUMENTS: "tệp PDF, Word (.docx), Excel (.xlsx)"}
# What people send although it is not taken, and what they can do about it.
INSTEAD = {
    "image/heic": "Ảnh HEIC của iPhone chưa mở được: chọn Cài đặt → Camera → Định dạng → Tương thích nhất.",
    "application/msword": "Tệp .doc đời cũ: mở bằng Word, lưu lại kiểu .docx hoặc PDF rồi gửi lại.",
    "application/vnd.ms-excel": "Tệp .xls đời cũ: mở bằng Excel, lưu lại kiểu .xlsx hoặc PDF rồi gửi lại.",
}
LONGEST_NAME = 200
CACHE_YEAR = "private, max-age=31536000, immutable"


@dataclass(frozen=True)
class Upload:
    """A file that may be stored. `perceptual`: 64-bit picture hash in hex, "" for documents and blank pictures."""

    content: bytes
    content_type: str
    name: str
    size: int
    sha256: str
    thumbnail: bytes | None
    perceptual: str


def accept(file, *, kinds=EVERYTHING, largest=10 * MEGABYTE):
    """The upload as it may be stored. Raises ValidationError with what the sender can do about it.

    `kinds`: PHOTOS, DOCUMENTS or EVERYTHING; `largest`: bytes as sent.
    """
    content = _read(file, largest)
    kind = _kind(content)
    if kind not in kinds:
        wanted = " hoặc ".join(words for group, words in WORDS.items() if group & kinds)
        raise ValidationError(INSTEAD.get(kind, f"Không nhận loại tệp này: chọn {wanted}."))
    if kind in PHOTOS:
        photo = photos.rewrite(content)
        return _upload(file, photo.content, "image/jpeg", photo.thumbnail, photo.perceptual)
    documents.check(content, kind)
    return _upload(file, content, kind)


def clean_name(name, extension):
    """A file name to show and to download under: no path, nothing invisible, ≤ 200 characters, the true extension."""
    name = re.split(r"[/\\]", name or "")[-1]
    name = nfc("".join(c if unicodedata.category(c)[0] != "C" else " " for c in name))
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", re.sub(r'[<>:"|?*]', "-", name)).strip(" .")
    return f"{stem[: LONGEST_NAME - len(extension) - 1].strip() or 'tep'}.{extension}"


def serve(file, *, name, content_type, download):
    """A stored file as an answer that a browser only shows or saves, whatever it holds. 404 when it is not there."""
    try:
        response = FileResponse(file.open("rb"), as_attachment=download, filename=name, content_type=content_type)
    except (FileNotFoundError, ValueError):  # ValueError: no file was ever stored in this field
        raise Http404 from None
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # A stored picture never changes; a document must not stay behind on a shared computer.
    is_picture = content_type.startswith("image/") and not download
    response.headers["Cache-Control"] = CACHE_YEAR if is_picture else "private, no-store"
    return response


def _read(file, largest):
    """The whole content, however long the sender says it is."""
    file.seek(0)
    content = file.read(largest + 1)
    if not content:
        raise ValidationError("Tệp rỗng: chọn lại tệp rồi gửi lại.")
    if len(content) > largest:
        limit = f"{largest // MEGABYTE} MB"
        raise ValidationError(f"Tệp lớn hơn {limit}: thu nhỏ hoặc chia thành nhiều tệp rồi gửi lại.")
    return content


def _kind(content):
    """The content type that the content itself speaks of; "" when unknown."""
    if content.startswith(b"PK\x03\x04"):
        return documents.office_kind(content)
    if content.startswith(documents.OLE):
        return documents.old_office_kind(content)
    if content.startswith(b"%PDF-"):
        return PDF
    found = filetype.guess_mime(content[:8192]) or ""
    return "image/heic" if found in ("image/heic", "image/heif") else found if found in PHOTOS else ""


def _upload(file, content, content_type, thumbnail=None, perceptual=""):
    return Upload(
        content=content,
        content_type=content_type,
        name=clean_name(getattr(file, "name", ""), EXTENSIONS[content_type]),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        thumbnail=thumbnail,
        perceptual=perceptual,
    )
