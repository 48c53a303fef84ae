"""Files from strangers: forty hostile ones are refused in words or come out harmless, honest ones come through."""

import io
import struct
import zipfile
import zlib
from types import SimpleNamespace

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import InMemoryStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from PIL import Image, ImageDraw, PngImagePlugin

from unionwork import documents, photos
from unionwork.uploads import DOCUMENTS, DOCX, PDF, PHOTOS, XLSX, accept, clean_name, serve

SCRIPT = b"<script>alert(document.cookie)</script>"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def send(content, name="tep.jpg", **how):
    return accept(SimpleUploadedFile(name, content), **how)


def refusal(content, **how):
    with pytest.raises(ValidationError) as refused:
        send(content, **how)
    return refused.value.messages[0]


def scene(size=(640, 480)):
    """A picture with something to see in it."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    for i in range(6):
        draw.ellipse(
            [i * 97 % size[0], i * 61 % size[1], i * 97 % size[0] + 90, i * 61 % size[1] + 70], (i * 40, 90, 30)
        )
    return image


def encoded(image, kind="JPEG", **how):
    stream = io.BytesIO()
    image.save(stream, kind, **how)
    return stream.getvalue()


def gps():
    exif = Image.Exif()
    exif[0x0112] = 6  # lying on its side
    exif[0x010E] = SCRIPT.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (21.0, 2.0, 3.5), 3: "E", 4: (105.0, 50.0, 1.25)})
    return exif


# --- Honest files ------------------------------------------------------------------


def test_a_phones_photo_becomes_small_upright_and_says_nothing_about_where():
    sent = encoded(scene((3264, 2448)), exif=gps(), comment=SCRIPT, quality=95)
    upload = send(sent, "ảnh hiến máu.JPG")
    image = Image.open(io.BytesIO(upload.content))
    assert (upload.name, upload.content_type, image.format) == ("ảnh hiến máu.jpg", "image/jpeg", "JPEG")
    assert image.size == (1200, 1600)
    assert (dict(image.getexif()), upload.size) == ({}, len(upload.content))
    assert upload.size <= 250_000
    assert not any(mark in upload.content + upload.thumbnail for mark in (b"Exif", b"GPS", b"script", b"http"))
    assert max(Image.open(io.BytesIO(upload.thumbnail)).size) == 192


def test_even_noise_comes_within_250_kb():
    assert send(encoded(Image.effect_noise((1600, 1200), 90).convert("RGB"), quality=60)).size <= 250_000


def test_every_photo_format_becomes_jpeg_and_glass_becomes_white():
    glass = Image.new("RGBA", (300, 200), (255, 0, 0, 0))
    palette = Image.new("P", (300, 200))
    palette.info["transparency"] = 0
    sent = [encoded(glass, "PNG"), encoded(glass, "WEBP"), encoded(palette, "PNG", transparency=0)]
    sent += [encoded(Image.new(mode, (300, 200), "white"), "TIFF" if mode == "F" else "PNG") for mode in ("1", "LA")]
    sent += [encoded(Image.new("CMYK", (300, 200)), "JPEG")]
    for content in sent:
        image = Image.open(io.BytesIO(send(content).content))
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (300, 200))
        assert min(image.getpixel((150, 100))) > 250


def test_the_same_picture_is_known_again_and_another_is_not():
    first = send(encoded(scene())).perceptual
    again = send(encoded(scene().resize((1500, 1125)), "PNG")).perceptual
    other = send(encoded(scene().transpose(Image.Transpose.FLIP_LEFT_RIGHT))).perceptual
    assert photos.distance(first, again) <= 4
    assert photos.distance(first, other) > 4
    assert send(encoded(Image.new("RGB", (300, 300), "white"))).perceptual == ""


def pdf(body=b"", *, objects=b"", end=b"%%EOF\n"):
    head = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R " + body + b" >>\nendobj\n"
    return head + b"2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n" + objects + b"startxref\n9\n" + end


def stream(content, head=b"/Filter /FlateDecode", checksum=True):
    packed = zlib.compress(content)
    packed = packed if checksum else packed[:-4] + b"\0\0\0\0"
    return b"3 0 obj\n<< /Length %d %s >>\nstream\n%s\nendstream\nendobj\n" % (len(packed), head, packed)


def office(kind=DOCX, parts=(), *, method=zipfile.ZIP_DEFLATED, types="", comment=b""):
    main = "word/document.xml" if kind == DOCX else "xl/workbook.xml"
    content = {
        "[Content_Types].xml": f'<Types><Override PartName="/{main}" ContentType="{kind}.main+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"/>',
        main: "<document/>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, part in (content | dict(parts)).items():
            archive.writestr(name, part)
        archive.comment = comment
    return buffer.getvalue()


def relation(kind, target, mode="External"):
    part = f'<Relationship Id="a" Type="{OFFICE}/{kind}" Target="{target}" TargetMode="{mode}"/>'
    return {"word/_rels/document.xml.rels": f'<Relationships xmlns="{RELATIONS}">{part}</Relationships>'}


def workbook():
    stream = io.BytesIO()
    openpyxl.Workbook().save(stream)
    return stream.getvalue()


HONEST = {
    "pdf": (pdf(), PDF),
    "pdf with compressed objects": (
        pdf(objects=stream(b"<< /Type /Page >>", b"/Type /ObjStm /Filter /FlateDecode")),
        PDF,
    ),
    "pdf of a scanner": (pdf(objects=stream(encoded(scene()), b"/Filter /DCTDecode")), PDF),
    "docx": (office(), DOCX),
    "docx with links, own template, chart": (
        office(
            parts=relation("hyperlink", "https://tinhdoan.example/")
            | {
                "word/_rels/settings.xml.rels": relation("attachedTemplate", "file:///C:/a/b.dotx")[
                    "word/_rels/document.xml.rels"
                ]
            }
            | {"word/embeddings/so-lieu.xlsx": workbook(), "word/media/image1.png": encoded(scene(), "PNG")}
        ),
        DOCX,
    ),
    "xlsx": (workbook(), XLSX),
}


@pytest.mark.parametrize(("content", "kind"), HONEST.values(), ids=HONEST)
def test_an_honest_document_is_kept_as_it_came(content, kind):
    upload = send(content, "Kế hoạch 03.bin")
    extension = {PDF: "pdf", DOCX: "docx", XLSX: "xlsx"}[kind]
    assert (upload.content, upload.content_type, upload.name) == (content, kind, f"Kế hoạch 03.{extension}")
    assert (upload.thumbnail, upload.perceptual) == (None, "")


def test_only_the_kinds_asked_for_are_taken():
    assert refusal(pdf(), kinds=PHOTOS) == "Không nhận loại tệp này: chọn ảnh JPEG, PNG, WebP."
    assert refusal(encoded(scene()), kinds=DOCUMENTS).endswith("chọn tệp PDF, Word (.docx), Excel (.xlsx).")


# --- Hostile files -----------------------------------------------------------------


def png_of(width, height):
    """A PNG of a few bytes that says it is that large."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def jpeg_of(width, height):
    content = bytearray(encoded(scene((64, 64))))
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def repeated(size, times):
    """A progressive JPEG whose last pass is asked for again and again."""
    content = encoded(scene(size), progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * times + content[-2:]


def noted(text):
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", text)
    return encoded(scene(), "PNG", pnginfo=info)


def animated():
    return encoded(scene(), "WEBP", save_all=True, append_images=[scene().rotate(9)], duration=9)


JPEG, PNG, WEBP = encoded(scene()), encoded(scene(), "PNG"), encoded(scene(), "WEBP")
ZIP = office()
BOMB = {"word/media/image1.png": bytes(2 << 20)}
TOO_MUCH = b"\xff\xd8\xff" + bytes(10 << 20)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LOCKED_OFFICE = OLE + "EncryptedPackage".encode("utf-16-le") + bytes(99)
FROM_AFAR = relation("attachedTemplate", "https://evil.example/a.dotm")
PACKED_SCRIPT = stream(b"<< /S /JavaScript >>", b"/Type /ObjStm /Filter /FlateDecode")
LOL = '<!DOCTYPE a [<!ENTITY b "lol"><!ENTITY c "&b;&b;&b;">]><document>&c;</document>'

UNKNOWN = "Không nhận loại tệp này: chọn ảnh JPEG, PNG, WebP hoặc tệp PDF, Word (.docx), Excel (.xlsx)."
HURT = "Ảnh bị hỏng hoặc chưa tải lên hết: chụp hoặc chọn lại ảnh khác."
HUGE = "Ảnh có kích thước quá lớn: thu nhỏ còn dưới 16 triệu điểm ảnh rồi gửi lại."
TORN = "Tệp bị hỏng hoặc chưa tải lên hết: mở tệp xem lại, lưu lại rồi gửi lại."
BURSTING = "Tệp nén bất thường (có thể gây hại) nên không được nhận."
MACRO = "Tệp có macro nên không được nhận: lưu lại kiểu .docx hoặc .xlsx không macro."
NESTED = "Tệp chứa tệp khác bên trong: bỏ tệp đính kèm, hoặc lưu thành PDF rồi gửi lại."
FETCHING = "Tệp tự lấy nội dung từ mạng: bỏ liên kết đó, hoặc lưu thành PDF rồi gửi lại."
ACTING = "Tệp PDF có mã lệnh, biểu mẫu gửi đi hoặc tệp đính kèm nên không được nhận: in lại thành PDF mới rồi gửi lại."
LOCKED = "Tệp đặt mật khẩu: bỏ mật khẩu, lưu lại rồi gửi lại."

REFUSED = {
    "empty": (b"", "Tệp rỗng: chọn lại tệp rồi gửi lại."),
    "too large": (TOO_MUCH, "Tệp lớn hơn 10 MB: thu nhỏ hoặc chia thành nhiều tệp rồi gửi lại."),
    "html": (b"<!doctype html>" + SCRIPT, UNKNOWN),
    "html after a byte order mark": (b"\xef\xbb\xbf<html>" + SCRIPT, UNKNOWN),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', UNKNOWN),
    "svg after an xml head": (b'<?xml version="1.0"?><svg onload="alert(1)"/>', UNKNOWN),
    "gif": (encoded(scene(), "GIF"), UNKNOWN),
    "gif with a script": (b"GIF89a/*" + SCRIPT + b"*/=1;", UNKNOWN),
    "bmp": (encoded(scene(), "BMP"), UNKNOWN),
    "tiff": (encoded(scene(), "TIFF"), UNKNOWN),
    "windows program": (b"MZ\x90\0" + bytes(200), UNKNOWN),
    "linux program": (b"\x7fELF\x02\x01\x01" + bytes(200), UNKNOWN),
    "shell script": (b"#!/bin/sh\nrm -rf ~\n", UNKNOWN),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", UNKNOWN),
    "zip": (office("x"), UNKNOWN),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), None),
    "old word": (OLE + bytes(600), None),
    "locked office file": (LOCKED_OFFICE, LOCKED),
    "torn jpeg": (JPEG[: len(JPEG) // 2], HURT),
    "torn png": (PNG[: len(PNG) // 2], HURT),
    "torn webp": (WEBP[: len(WEBP) // 2], HURT),
    "only a jpeg's beginning": (b"\xff\xd8\xff\xe0" + SCRIPT, HURT),
    "only a png's beginning": (b"\x89PNG\r\n\x1a\n" + SCRIPT, HURT),
    "png bomb": (png_of(60_000, 60_000), HUGE),
    "png just too large": (png_of(4001, 4000), HUGE),
    "jpeg bomb": (jpeg_of(65_000, 65_000), HUGE),
    "progressive jpeg just too large": (encoded(Image.new("L", (4001, 4001)), progressive=True), HUGE),
    "jpeg of a thousand passes": (repeated((1000, 800), 990), HUGE),
    "moving webp": (animated(), "Ảnh động không nhận: chụp hoặc chọn một ảnh tĩnh."),
    "docx bomb": (office(parts=BOMB), BURSTING),
    "docx of a thousand parts": (office(parts={f"word/{i}.xml": "" for i in range(1000)}), BURSTING),
    "docx with entities": (office(parts={"word/document.xml": LOL}), BURSTING),
    "docx with entities in utf-16": (office(parts={"word/document.xml": LOL.encode("utf-16")}), BURSTING),
    "docm": (office(types='<a ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>'), MACRO),
    "xlsx with a macro": (office(XLSX, parts={"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0"}), MACRO),
    "docx with a program": (office(parts={"word/embeddings/oleObject1.bin": b"\xd0\xcf\x11\xe0"}), NESTED),
    "docx with a web page": (office(parts={"word/afchunk.htm": SCRIPT}), NESTED),
    "docx with a program as a picture": (office(parts={"word/media/image1.png": b"MZ\x90\0"}), NESTED),
    "docx in a docx": (office(parts={"word/embeddings/a.docx": ZIP}), NESTED),
    "docx with a macro in its chart": (
        office(parts={"word/embeddings/a.xlsx": office(XLSX, parts={"xl/vbaProject.bin": b"x"})}),
        MACRO,
    ),
    "docx with a template from afar": (office(parts=FROM_AFAR), FETCHING),
    "docx with an object from a share": (office(parts=relation("oleObject", "file:////evil.example/a")), FETCHING),
    "docx behind a program": (b"PK\x03\x04MZ" + ZIP, TORN),
    "docx with a script behind": (ZIP + SCRIPT, TORN),
    "docx with a script in its comment": (office(comment=SCRIPT), TORN),
    "torn docx": (ZIP[:-30], TORN),
    "docx without a document": (office(parts={}).replace(b"word/document.xml", b"word/dokument.xml"), TORN),
    "torn pdf": (pdf(end=b""), TORN),
    "pdf with a script": (pdf(b"/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"), ACTING),
    "pdf with a script spelled oddly": (pdf(b"/OpenAction << /S /J#61va#53cript /JS (x) >>"), ACTING),
    "pdf that starts a program": (pdf(b"/OpenAction << /S /Launch /F (cmd.exe) >>"), ACTING),
    "pdf with a file inside": (pdf(b"/Names << /EmbeddedFiles 5 0 R >>"), ACTING),
    "pdf with a script compressed": (pdf(objects=PACKED_SCRIPT), ACTING),
    "pdf with a script compressed and a wrong sum": (
        pdf(objects=stream(b"<< /S /JavaScript >>", b"/Type /ObjStm /Filter [/Fl#61teDecode]", checksum=False)),
        ACTING,
    ),
    "pdf with a script compressed behind much else": (
        pdf(objects=stream(b"<< /S /JavaScript >>", b"/First 1 /Filter /FlateDecode /A (" + b" " * 99_999 + b")")),
        ACTING,
    ),
    "pdf with objects hidden twice": (
        pdf(objects=stream(b"3c3c2f53", b"/Type /ObjStm /Filter [/FlateDecode /ASCIIHexDecode]")),
        ACTING,
    ),
    "locked pdf": (pdf(b"/Encrypt 7 0 R"), LOCKED),
    "pdf and zip": (pdf() + ZIP + b"%%EOF", TORN),
    "pdf and html": (pdf().replace(b"1 0 obj", SCRIPT + b"1 0 obj"), ACTING),
    "html that says it is a pdf": (SCRIPT + pdf(), UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED)
def test_hostile_files_are_refused_in_words(content, words):
    said = refusal(content, name="anh.jpg")
    assert said == (words or said)
    assert said != UNKNOWN or words == UNKNOWN  # what people honestly send is told what to do instead


def test_a_pdf_may_not_unfold_without_end(monkeypatch):
    objects = b"/Type /ObjStm /First 5 /Filter /FlateDecode"
    monkeypatch.setattr(documents, "MOST_OBJECTS", 1 << 20)
    assert send(pdf(objects=stream(bytes(1 << 20), objects) + stream(bytes(1 << 20)))).content_type == PDF
    assert refusal(pdf(objects=stream(bytes(1 << 20), objects) + stream(b"x", objects))) == BURSTING
    monkeypatch.setattr(documents, "MOST_STREAMS", 2)
    assert refusal(pdf(objects=stream(b"x") * 3)) == BURSTING


HARMLESS = {
    "jpeg and html": JPEG + SCRIPT,
    "jpeg and zip": JPEG + ZIP,
    "jpeg with a script in its comment": encoded(scene(), comment=SCRIPT + b"PK\x03\x04"),
    "jpeg with a script in its exif": encoded(scene(), exif=gps()),
    "jpeg with a script as its profile": encoded(scene(), icc_profile=SCRIPT),
    "progressive jpeg": encoded(scene(), progressive=True, comment=SCRIPT),
    "jpeg and a film": JPEG + b"\xff\xda\xff\xd8script" * 9999,
    "png and html": PNG + SCRIPT,
    "png with a note": noted(SCRIPT.decode()),
    "png with much to say": noted("PK\x03\x04" + SCRIPT.decode() * 99),
    "webp and zip": WEBP + ZIP,
    "webp with xmp": encoded(scene(), "WEBP", xmp=SCRIPT),
}


@pytest.mark.parametrize("content", HARMLESS.values(), ids=HARMLESS)
def test_what_rides_along_with_a_photo_is_left_behind(content):
    upload = send(content, "a.php")
    assert upload.content[:3] + upload.content[-2:] == b"\xff\xd8\xff\xff\xd9"
    assert not any(mark in upload.content + upload.thumbnail for mark in (b"script", b"PK\x03\x04", b"Exif"))
    assert (upload.content_type, upload.name) == ("image/jpeg", "a.jpg")


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\Ảnh\\hoạt động.JPEG", "hoạt động.jpg"),
        ("ảnh\u202egpj.exe", "ảnh gpj.jpg"),
        ("a\0b\r\nSet-Cookie: x.jpg", "a b Set-Cookie- x.jpg"),
        ("Hoa\u0323t đo\u0323\u0302ng.png", "Hoạt động.jpg"),
        ("", "tep.jpg"),
        ("...", "tep.jpg"),
        (None, "tep.jpg"),
        ("\ud800x.jpg", "x.jpg"),
        ("Báo cáo quý 1. Tháng 3", "Báo cáo quý 1. Tháng 3.jpg"),
        ("dài" * 200 + ".jpg", ("dài" * 200)[:196] + ".jpg"),
        ('a"<b>|?*.jpg', "a--b----.jpg"),
    ],
)
def test_a_name_is_only_a_name(name, clean):
    assert clean_name(name, "jpg") == clean


# --- Handing out -------------------------------------------------------------------


def stored(content):
    storage = InMemoryStorage()
    name = storage.save("a", SimpleUploadedFile("a", content))
    return SimpleNamespace(open=lambda mode: storage.open(name, mode))


def test_what_is_handed_out_can_do_nothing():
    picture = serve(stored(b"x"), name="Ảnh 1.jpg", content_type="image/jpeg", download=False)
    paper = serve(stored(b"y"), name='Kế "hoạch".pdf', content_type=PDF, download=True)
    assert b"".join(picture.streaming_content) + b"".join(paper.streaming_content) == b"xy"
    for response in (picture, paper):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert picture.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert picture.headers["Content-Disposition"] == "inline; filename*=utf-8''%E1%BA%A2nh%201.jpg"
    assert (paper.headers["Content-Type"], paper.headers["Cache-Control"]) == (PDF, "private, no-store")
    assert paper.headers["Content-Disposition"] == "attachment; filename*=utf-8''K%E1%BA%BF%20%22ho%E1%BA%A1ch%22.pdf"


def test_a_file_that_is_gone_is_not_found():
    with pytest.raises(Http404):
        serve(
            SimpleNamespace(open=lambda mode: InMemoryStorage().open("x", mode)),
            name="a",
            content_type=PDF,
            download=True,
        )
