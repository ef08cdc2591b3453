"""Small PDF files built by code: a clean one, and one per danger made from it. Everything that looks dangerous is inert."""

from __future__ import annotations

import io
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String

CANARY = "canary-7f3a"
SCRIPT = f"app.alert('{CANARY}')"


def saved(document: Pdf, **options: object) -> bytes:
    stream = io.BytesIO()
    document.save(stream, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def clean() -> Pdf:
    """Two pages with a line of text each."""
    document = pikepdf.new()
    font = document.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    for number in (1, 2):
        page = document.add_blank_page(page_size=(595, 842))
        page.obj.Resources = Dictionary(Font=Dictionary(F1=font))
        page.obj.Contents = document.make_stream(f"BT /F1 24 Tf 72 720 Td (visible {number}) Tj ET".encode())
    return document


def _script() -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String(SCRIPT))


def _link(document: Pdf, action: Dictionary) -> None:
    annotation = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 99, 99], A=action)
    document.pages[0].obj.Annots = Array([document.make_indirect(annotation)])


def _open_action(document: Pdf) -> None:
    document.Root.OpenAction = _script()


def _page_action(document: Pdf) -> None:
    document.pages[1].obj.AA = Dictionary(O=_script())


def _name_tree(document: Pdf) -> None:
    leaf = document.make_indirect(Dictionary(Names=[String("x"), _script()]))
    document.Root.Names = Dictionary(JavaScript=Dictionary(Kids=[leaf]))


def _outline_launch(document: Pdf) -> None:
    inner = document.make_indirect(Dictionary(Title=String("inner"), A=Dictionary(S=Name.Launch, F=String(CANARY))))
    outer = document.make_indirect(Dictionary(Title=String("outer"), First=inner, Last=inner, Count=1))
    inner.Parent = outer
    root = document.make_indirect(Dictionary(Type=Name.Outlines, First=outer, Last=outer, Count=2))
    outer.Parent = root
    document.Root.Outlines = root


def _next_chain(document: Pdf) -> None:
    action = Dictionary(S=Name.Launch, F=String(CANARY))
    for _ in range(80):
        action = document.make_indirect(Dictionary(S=Name.URI, URI=String("https://town.example.jp/"), Next=action))
    _link(document, action)


def _bad_scheme(document: Pdf) -> None:
    _link(document, Dictionary(S=Name.URI, URI=String(f"search-ms:{CANARY}")))


def _attachment(document: Pdf) -> None:
    document.attachments["setup.exe"] = b"MZ" + CANARY.encode()


def _attachment_annotation(document: Pdf) -> None:
    embedded = document.make_stream(b"MZ" + CANARY.encode(), Type=Name.EmbeddedFile)
    file = Dictionary(Type=Name.Filespec, F=String("a.exe"), EF=Dictionary(F=embedded))
    annotation = Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=[0, 0, 9, 9], FS=file)
    document.pages[0].obj.Annots = Array([document.make_indirect(annotation)])


def _xfa(document: Pdf) -> None:
    document.Root.AcroForm = Dictionary(Fields=[], XFA=document.make_stream(f"<x>{CANARY}</x>".encode()))


def _field_script(document: Pdf) -> None:
    field = document.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("t"), Rect=[9, 9, 99, 30], AA=Dictionary(K=_script()))
    )
    document.pages[0].obj.Annots = Array([field])
    document.Root.AcroForm = Dictionary(Fields=[field])


def _rich_media(document: Pdf) -> None:
    annotation = Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=[0, 0, 9, 9], RichMediaContent=Dictionary(X=String(CANARY)))
    document.pages[0].obj.Annots = Array([document.make_indirect(annotation)])


def _piece_info(document: Pdf) -> None:
    document.pages[0].obj.PieceInfo = Dictionary(App=Dictionary(Private=String(CANARY)))


DANGERS: dict[str, Callable[[Pdf], None]] = {
    name.strip("_"): make for name, make in list(globals().items())
    if name.startswith("_") and callable(make) and name not in ("_script", "_link") and not name.startswith("__")
}  # fmt: skip
