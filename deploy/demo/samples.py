"""The poisoned sample mail and its attachments, built by code. Everything that looks dangerous in them is inert."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

import pikepdf
from PIL import Image, ImageDraw

from deploy.demo import vba

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_CT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_CT_MACRO = "application/vnd.ms-word.document.macroEnabled.main+xml"

# Stands in for a program: the first bytes of one, and no code.
PROGRAM = b"MZ" + b"\x90\x00\x03\x00\x00\x00\x04\x00" + b"This program stands in for malware and does nothing.\r\n"


def mail() -> EmailMessage:
    """From outside to a clerk: an HTML body with a script and a disguised link, and four attachments."""
    message = EmailMessage()
    message["From"] = "取引先 太郎 <taro@partner.example>"
    message["To"] = "clerk@town.example.jp"
    message["Subject"] = "【至急】見積書と現場写真の送付について"
    message["Date"] = format_datetime(datetime(2026, 11, 20, 9, 30, tzinfo=UTC))
    message["Message-ID"] = "<sample-1@partner.example>"
    message.set_content(HTML, subtype="html")
    for name, kind, data in attachments():
        main, _, sub = kind.partition("/")
        message.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return message


HTML = """<html><head><script>document.location='https://192.0.2.1/steal'</script></head><body>
<h1>見積書の送付</h1><p>いつもお世話になっております。①見積書、㈱山田工務店の現場写真を送付します。</p>
<p>内容は<a href="https://192.0.2.1/login?u=1">https://www.town.example.jp/</a>でも確認できます。</p>
<table><tr><th>項目</th><th>金額</th></tr><tr><td>舗装工事</td><td>1,200,000円</td></tr></table>
<img src="https://192.0.2.1/pixel.gif" width="1" height="1"></body></html>"""


def attachments() -> list[tuple[str, str, bytes]]:
    """Name, media type, bytes."""
    return [
        ("様式1.docm", "application/vnd.ms-word.document.macroEnabled.12", docx(macro=True)),
        ("見積書.pdf", "application/pdf", pdf()),
        ("現場写真.jpg", "image/jpeg", photo()),
        ("資料一式.zip", "application/zip", archive()),
    ]


def docx(*, macro: bool = False) -> bytes:
    """A one-paragraph document; with a macro project when asked."""
    parts = {
        "[Content_Types].xml": _content_types(macro=macro),
        "_rels/.rels": _relationships(("rId1", f"{_R}/officeDocument", "word/document.xml")),
        "word/document.xml": f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:document xmlns:w="{_W}"><w:body><w:p><w:r><w:t>'
        "申請書：ここに氏名を記入してください。</w:t></w:r></w:p></w:body></w:document>",
    }
    if macro:
        parts["word/_rels/document.xml.rels"] = _relationships(
            ("rId1", "http://schemas.microsoft.com/office/2006/relationships/vbaProject", "vbaProject.bin")
        )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive_file:
        for name, text in parts.items():
            archive_file.writestr(name, text)
        if macro:
            archive_file.writestr("word/vbaProject.bin", vba.project())
    return stream.getvalue()


def _content_types(*, macro: bool) -> str:
    binary = '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>' if macro else ""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{binary}'
        f'<Override PartName="/word/document.xml" ContentType="{_CT_MACRO if macro else _CT}"/></Types>'
    )


def _relationships(*rows: tuple[str, str, str]) -> str:
    body = "".join(f'<Relationship Id="{name}" Type="{kind}" Target="{target}"/>' for name, kind, target in rows)
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{body}</Relationships>'
    )


def pdf() -> bytes:
    """One page of text, JavaScript that runs on opening, and an embedded program."""
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(595, 842))
    font = document.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica))
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    page.Contents = document.make_stream(b"BT /F1 24 Tf 72 720 Td (Quotation 2026-11-20) Tj ET")
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('stands in for an attack');")
    document.attachments["setup.exe"] = PROGRAM
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def photo() -> bytes:
    """A picture with EXIF (camera, date, position) and bytes of something else after its end."""
    picture = Image.new("RGB", (640, 480), "#7799bb")
    draw = ImageDraw.Draw(picture)
    for step in range(0, 480, 24):
        draw.line((0, step, 640, 480 - step), fill=(step // 2, 120, 200 - step // 3), width=6)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Sample Camera", "Model 1"
    exif.get_ifd(0x8769)[0x9003] = "2026:11:19 10:15:00"
    exif.get_ifd(0x8825)[1], exif.get_ifd(0x8825)[2] = "N", (35.0, 41.0, 22.0)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=88, exif=exif)
    return stream.getvalue() + PROGRAM


def archive() -> bytes:
    """A program and a harmless document."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive_file:
        archive_file.writestr("請求書.exe", PROGRAM)
        archive_file.writestr("申請書.docx", docx())
    return stream.getvalue()
