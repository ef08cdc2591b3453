"""A first time for what most children do, in the warm parent: code that has run is faster, and its child writes to fewer pages.

The samples are made here; nothing that came from outside is touched, and what comes of them is thrown away.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import pikepdf
from PIL import Image

from sanitizers import wire
from sanitizers.engine import Engine
from sanitizers.model import Job
from sanitizers.scan import Scanner
from sanitizers.source import Source

# From the second time on the interpreter knows the types that it meets, and writes no more into the code.
_ROUNDS: Final = 3
_MAIL: Final = """\
From: =?utf-8?b?6Zai?= <a@example.jp>
To: b@example.jp
Subject: =?utf-8?b?6Zai5omA?=
Date: Fri, 20 Nov 2026 09:00:00 +0900
Message-ID: <1@example.jp>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="-"

---
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

6Zai5omAIGh0dHBzOi8vd3d3LmV4YW1wbGUuanAvDQo=
---
Content-Type: text/plain; charset=utf-8; name="a.txt"
Content-Disposition: attachment; filename="a.txt"
Content-Transfer-Encoding: base64

6Zai5omADQo=
-----
"""


def warm_up(scanner: Scanner) -> None:
    """Raises nothing: a child has its own word about what does not work."""
    for name, data in _samples():
        for _ in range(_ROUNDS):
            try:
                outcome = Engine(Job(name=name), scanner, len(data)).run(Source(data))
                wire.encode_report(outcome.report)
            except Exception:  # noqa: BLE001 - a bug of ours shows where it counts, in a child
                break


def _samples() -> Iterator[tuple[str, bytes]]:
    yield "a.txt", "関所 the barrier\r\n".encode() * 3
    yield "a.eml", _MAIL.replace("\n", "\r\n").encode()
    picture = Image.new("RGB", (40, 30), (200, 100, 50))
    for name, plugin in (("a.jpg", "JPEG"), ("a.png", "PNG")):
        stream = io.BytesIO()
        picture.save(stream, plugin)
        yield name, stream.getvalue()
    yield "a.pdf", _page()


def _page() -> bytes:
    stream = io.BytesIO()
    with pikepdf.new() as document:
        page = document.add_blank_page(page_size=(200, 100))
        page.Contents = document.make_stream(b"q 1 0 0 RG 10 10 50 20 re S Q")
        document.save(stream)
    return stream.getvalue()
