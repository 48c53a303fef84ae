"""Photos: decoded and written anew, so that nothing of the sent file is left but the picture."""

import io
import logging
import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from PIL import Image, ImageOps

logger = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP")
LONG_SIDE = 1600
LARGEST = 250_000  # bytes as stored
THUMBNAIL_SIDE = 192
MOST_PIXELS = 16_000_000
MOST_PIXELS_OF_ONE_SCAN = 50_000_000  # a phone's JPEG is decoded at a fraction of its size, the others stand in memory
MOST_WORK = 500_000_000  # pixels times scans: a progressive JPEG of 300 KB can ask for a minute of passes
MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
START_OF_SCAN, END_OF_IMAGE = b"\xda", b"\xd9"
STEPS = [(side, quality) for side in (LONG_SIDE, 1280, 1024, 800, 640) for quality in (80, 70, 60, 50, 40)]

DAMAGED = "Ảnh bị hỏng hoặc chưa tải lên hết: chụp hoặc chọn lại ảnh khác."
ANIMATED = "Ảnh động không nhận: chụp hoặc chọn một ảnh tĩnh."
TOO_LARGE = "Ảnh có kích thước quá lớn: thu nhỏ còn dưới 16 triệu điểm ảnh rồi gửi lại."


@dataclass(frozen=True)
class Photo:
    content: bytes
    thumbnail: bytes
    perceptual: str


def rewrite(content):
    """The picture in `content` as a JPEG of ≤ 1600 px and ≤ 250 KB without metadata. Raises ValidationError."""
    picture = _decode(content)
    thumbnail = _jpeg(_within(picture, THUMBNAIL_SIDE), 70)
    return Photo(_small(picture), thumbnail, perceptual_hash(picture))


def perceptual_hash(picture):
    """64 bits in hex: whether each of 9 × 8 grey fields is darker than its right neighbour. "" when nothing is seen."""
    fields = picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    if max(fields) - min(fields) < 8:  # a blank sheet looks like every other blank sheet
        return ""
    rows = [fields[start : start + 9] for start in range(0, 72, 9)]
    bits = "".join("1" if row[i] < row[i + 1] else "0" for row in rows for i in range(8))
    return f"{int(bits, 2):016x}"


def distance(one, other):
    """Number of differing bits of two perceptual hashes."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _decode(content):
    """The picture, upright, on white, no longer than we keep."""
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        _check_size(image, content)
        image.draft("RGB", (LONG_SIDE, LONG_SIDE))
        image.load()
        image = _within(ImageOps.exif_transpose(image), LONG_SIDE)
        # A new picture, because `info` (comments, profiles) travels along with every copy.
        clean = Image.new("RGB", image.size, "white")
        clean.paste(image, mask=image if image.mode == "RGBA" else None)
    except ValidationError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValidationError(TOO_LARGE) from None
    except Exception as error:  # Pillow knows some dozen ways to fail on a broken file
        logger.info("Photo refused: %s", type(error).__name__)
        raise ValidationError(DAMAGED) from None
    return clean


def _check_size(image, content):
    pixels = image.size[0] * image.size[1]
    scans = _scans(content) if image.format in ("JPEG", "MPO") else 0
    if pixels > (MOST_PIXELS_OF_ONE_SCAN if scans == 1 else MOST_PIXELS) or pixels * scans > MOST_WORK:
        raise ValidationError(TOO_LARGE)
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":  # MPO: a phone's photo and its preview
        raise ValidationError(ANIMATED)


def _scans(content):
    """How many passes over the picture a JPEG asks for; what stands behind its end (a phone's film) is not counted."""
    place, scans = 2, 0
    while found := MARKER.search(content, place):
        if found[1] == END_OF_IMAGE:
            break
        scans += found[1] == START_OF_SCAN
        place = found.end() + int.from_bytes(content[found.end() : found.end() + 2])
    return scans


def _within(image, side):
    """A copy no longer than `side`; palettes become colours first, so that they can be blended."""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    scale = min(1, side / max(image.size))
    size = [max(1, round(length * scale)) for length in image.size]
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)


def _small(picture):
    for side, quality in STEPS:
        content = _jpeg(picture if side >= max(picture.size) else _within(picture, side), quality)
        if len(content) <= LARGEST:
            break
    return content


def _jpeg(picture, quality):
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality, optimize=True)
    return stream.getvalue()
