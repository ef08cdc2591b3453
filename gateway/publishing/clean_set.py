"""Files that are known to be clean and must stay so under any rules: a few that are built here, and those of a folder."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from gateway.model import Door, State, Transfer

_MOST_FILES: Final = 5_000
_MOST_BYTES: Final = 256 << 20


class Sample(NamedTuple):
    """One clean file."""

    name: str
    content: bytes

    def transfer(self) -> Transfer:
        """As if it had been brought in by nobody."""
        return Transfer(
            id=0, receipt_no="", organisation="", lane="inbound", door=Door.CLI, state=State.RECEIVED, verdict=None, reason=None,
            received_at=0.0, changed_at=0.0, sender="", recipients=(), message_id=None, subject=None, name=self.name,
            size=len(self.content), sha256="", blob=None, result=None, attempts=0, client="", smtputf8=False, policy="", rules="", note="",
        )  # fmt: skip


def samples(folder: Path | None) -> Iterator[Sample]:
    """The built ones, then the files of the folder and of the folders in it, by name. Raises OSError."""
    yield from _built()
    for path in files_of(folder):
        with path.open("rb") as file:
            yield Sample(path.name, file.read(_MOST_BYTES))


def files_of(folder: Path | None) -> list[Path]:
    """The first 5,000."""
    found = [] if folder is None else sorted(path for path in folder.rglob("*") if path.is_file())
    return found[:_MOST_FILES]


def count(folder: Path | None) -> int:
    """How many samples there are."""
    return len(files_of(folder)) + sum(1 for _ in _built())


_TEXT: Final = "件名：定例会議の開催について\r\n\r\n関係各位\r\n\r\n下記のとおり開催します。\r\n日時：4月10日 10時\r\n場所：第2会議室\r\n"
_PAGE: Final = (
    '<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>お知らせ</title></head>'
    '<body><h1>お知らせ</h1><p>窓口は平日8時30分から開いています。<a href="https://www.town.example.jp/">町のページ</a></p></body></html>'
)


def _built() -> Iterator[Sample]:
    text = _TEXT.encode()
    yield Sample("clean.txt", text)
    yield Sample("clean-cp932.txt", _TEXT.encode("cp932"))
    yield Sample("clean.csv", "氏名,住所\r\n関 太郎,関町1丁目\r\n".encode())
    yield Sample("clean.html", _PAGE.encode())
    yield Sample("clean.eml", _mail(text))
    yield Sample("clean.png", _picture())
    yield Sample("clean.pdf", _document())


def _mail(text: bytes) -> bytes:
    head = (
        b"From: sender@example.jp\r\nTo: kakari@town.example.jp\r\nSubject: meeting\r\nDate: Wed, 18 Nov 2026 09:00:00 +0900\r\n"
        b"Message-ID: <clean@example.jp>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head + base64.encodebytes(text).replace(b"\n", b"\r\n")


def _picture() -> bytes:
    """PNG (ISO/IEC 15948): eight by eight grey points."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    rows = b"".join(b"\x00" + bytes(range(row, row + 8)) for row in range(8))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _document() -> bytes:
    """PDF (ISO 32000-2): one page with a line of text."""
    drawn = b"BT /F1 18 Tf 72 720 Td (Minutes of the meeting) Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    made, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(made)
