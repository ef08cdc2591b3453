"""Transfers with real files, sanitised by the engine, as the pages of previews show them; and documents that try to reach out."""

from __future__ import annotations

import io

import msgspec
from PIL import Image

from gateway.model import Door
from sanitizers.model import Report, Verdict
from tests.build import message, ooxml, pdf
from tests.build.context import run
from tests.build.face import Town
from tests.build.transfer import NOW, arrival, claimed, settlement

# What nothing may ever ask for; port 9 of loopback answers nobody.
OUTSIDE = "http://127.0.0.1:9/canary"
HOSTILE_NAME = '"><img src=x onerror=alert(1)>\u202egpj.exe.pdf'


async def through(
    place: Town, data: bytes, name: str, *, sender: str = "tanaka", door: Door = Door.DROP, given: Report | None = None, output: bytes = b""
) -> str:
    """Its whole way, without the jail, or the report that is given and what came out with it. The receipt number."""
    if given is None:
        outcome = run(data, name, language="ja")
        given, output = outcome.report, outcome.content.bytes() if outcome.content is not None else b""
    given = msgspec.structs.replace(given, policy="policy-1", rules="rules-1")
    blob = await place.blobs.put(data)
    if output:
        await place.blobs.put(output)
    came = arrival(data, door=door, sender=sender, recipients=(sender,), name=name, sha256=blob.digest)
    _, receipt_no = await place.journal.accept(came)
    claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
    await place.journal.settle(claim, settlement(given), at=NOW)
    assert given.verdict is not Verdict.CONFIRMED
    return receipt_no


def picture(width: int = 40, height: int = 20, colour: tuple[int, int, int] = (200, 30, 30), kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(stream, kind)
    return stream.getvalue()


def reaching_pdf(outside: str = OUTSIDE) -> bytes:
    """Two pages, a script when it opens, and a link that leads outside."""
    document = pdf.clean()
    document.Root.OpenAction = pdf.script()
    pdf.link(document, pdf.Dictionary(S=pdf.Name.URI, URI=pdf.String(outside)))
    return pdf.saved(document)


def reaching_document(outside: str = OUTSIDE) -> bytes:
    """A template from elsewhere, and words that are markup."""
    pack = ooxml.docx(ooxml.paragraph("&lt;script&gt;alert(1)&lt;/script&gt;") + ooxml.paragraph("本文の二行目"))
    pack.part("word/vbaProject.bin", ooxml.OLE).part("word/settings.xml", "<w:settings/>")
    return pack.link("word/settings.xml", "rId1", "attachedTemplate", outside, external=True).bytes()


def reaching_drawing(outside: str = OUTSIDE) -> bytes:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="90" height="60"><script>fetch("{outside}")</script>'
        f'<image xlink:href="{outside}" width="9" height="9"/><rect width="90" height="60" fill="#0a0" onload="alert(1)"/></svg>'
    ).encode()


def reaching_mail(*attached: tuple[bytes, bytes], outside: str = OUTSIDE) -> bytes:
    page = f'<html><body><p>本文です</p><img src="{outside}"><script>alert(1)</script><a href="{outside}">ここ</a></body></html>'
    return message.parts_mail(message.page(page), *(message.attachment(content, name) for content, name in attached))
