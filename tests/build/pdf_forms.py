"""PDF forms built by code: every kind of field with its looks, annotations with actions, XFA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String

from tests.build import pdf as build

CANARY = build.CANARY
MULTILINE, PASSWORD, RADIO, PUSH, COMBO, RICH, COMB = 1 << 12, 1 << 13, 1 << 15, 1 << 16, 1 << 17, 1 << 25, 1 << 24


def looks(document: Pdf, text: str = "", size: tuple[int, int] = (150, 20), colour: str = "0.8 0.9 1") -> pikepdf.Object:
    """An appearance: a filled box with a text on it."""
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    drawn = f"{colour} rg 0 0 {size[0]} {size[1]} re f 0 g /Tx BMC q BT /Helv 12 Tf 2 5 Td ({text}) Tj ET Q EMC"
    return document.make_stream(
        drawn.encode(), Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, *size], Resources=Dictionary(Font=Dictionary(Helv=font)),
    )


def actions() -> dict[str, Any]:
    """Everything that an annotation or a field can do by itself, with canaries."""
    script = Dictionary(S=Name.JavaScript, JS=String(f"app.alert('{CANARY}')"))
    launch = Dictionary(S=Name.Launch, F=String(CANARY), Next=Array([script, Dictionary(S=Name.SubmitForm, F=String(f"https://{CANARY}/"))]))
    return {
        "A": Dictionary(S=Name.URI, URI=String("https://town.example.jp/"), Next=launch),
        "AA": Dictionary(E=script, D=launch, K=script, F=script, V=script, C=script, PO=script),
        "PA": Dictionary(S=Name.URI, URI=String(f"file:///{CANARY}")),
    }


def widget(document: Pdf, rectangle: list[int], /, **fields: Any) -> pikepdf.Object:
    """A widget on the first page, merged with its field."""
    made = document.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Widget, Rect=rectangle, F=4, **fields))
    page = document.pages[0].obj
    if "/Annots" not in page:
        page.Annots = Array()
    page.Annots.append(made)
    return made


def _button(document: Pdf, rectangle: list[int], state: str, on: str, **fields: Any) -> pikepdf.Object:
    shown = Dictionary({f"/{on}": looks(document, "X", (20, 20)), "/Off": looks(document, "", (20, 20), "1 1 0.8")})
    return widget(document, rectangle, AS=Name(f"/{state}"), AP=Dictionary(N=shown), **fields)


def form(*, acting: bool = False) -> Pdf:
    """Two pages; the first has each kind of field, filled in. `acting`: with actions and scripts in every place."""
    document = build.clean()
    more = actions() if acting else {}
    drawn = {"AP": Dictionary(N=looks(document, "Taro"))}
    fields = [
        widget(document, [50, 600, 200, 620], FT=Name.Tx, T=String("name"), V=String("Taro"), DV=String("?"), TU=String("氏名"), **drawn, **more),
        widget(document, [50, 560, 200, 580], FT=Name.Tx, T=String("住所"), V=String("小諸市"), Ff=MULTILINE, **drawn, **more),
        widget(document, [50, 520, 200, 540], FT=Name.Tx, T=String("zip"), V=String("3848501"), Ff=COMB, MaxLen=7, **drawn, **more),
        _button(document, [50, 490, 70, 510], "Yes", "Yes", FT=Name.Btn, T=String("agreed"), V=Name.Yes, **more),
        _button(document, [90, 490, 110, 510], "Off", "Yes", FT=Name.Btn, T=String("other"), V=Name.Off, **more),
        widget(document, [50, 430, 200, 450], FT=Name.Ch, T=String("town"), Ff=COMBO, V=String("k"), AP=Dictionary(N=looks(document, "Komoro")),
               Opt=Array([Array([String("k"), String("Komoro")]), Array([String("u"), String("Ueda")])]), **more),
        widget(document, [50, 400, 200, 420], FT=Name.Ch, T=String("list"), V=Array([String("a"), String("b")]), Ff=1 << 21, I=[0, 1],
               Opt=Array([String("a"), String("b"), String("c")]), AP=Dictionary(N=looks(document, "a b")), **more),
        widget(document, [50, 370, 200, 390], FT=Name.Btn, T=String("press"), Ff=PUSH, MK=Dictionary(CA=String("Send")), H=Name.P,
               AP=Dictionary(N=looks(document, "Send")), **more),
        _radio(document, more),
        _group(document, more),
    ]
    font = document.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    document.Root.AcroForm = Dictionary(
        Fields=Array(fields), DR=Dictionary(Font=Dictionary(Helv=font)), DA=String("/Helv 12 Tf 0 g"), NeedAppearances=False,
    )
    if acting:
        document.Root.AcroForm.CO = Array([fields[0]])
        document.Root.AcroForm.XFA = Array([String("template"), document.make_stream(f"<template>{CANARY}</template>".encode())])
    return document


def _radio(document: Pdf, more: dict[str, Any]) -> pikepdf.Object:
    parent = document.make_indirect(Dictionary(FT=Name.Btn, T=String("colour"), Ff=RADIO, V=Name.Red))
    if "AA" in more:
        parent.AA = more["AA"]
    parent.Kids = Array([
        _button(document, [50, 460, 70, 480], "Red", "Red", Parent=parent, **more),
        _button(document, [90, 460, 110, 480], "Off", "Blue", Parent=parent, **more),
    ])
    return parent


def _group(document: Pdf, more: dict[str, Any]) -> pikepdf.Object:
    """`person.age`: a node without a type above a field."""
    parent = document.make_indirect(Dictionary(T=String("person")))
    kid = widget(document, [50, 340, 200, 360], FT=Name.Tx, T=String("age"), V=String("42"), Parent=parent,
                 AP=Dictionary(N=looks(document, "42")), RV=String("<p>42</p>"), Ff=RICH, **more)
    parent.Kids = Array([kid])
    return parent


def xfa(*, dynamic: bool, fields: bool) -> Pdf:
    """XFA beside fields on a page, or with a page that only asks to wait."""
    document = form() if fields else build.clean()
    if not fields:
        document.Root.AcroForm = Dictionary(Fields=Array())
    document.Root.AcroForm.XFA = Array([String("config"), document.make_stream(
        b"<config xmlns='http://www.xfa.org/schema/xci/3.1/'><acrobat7><dynamicRender>%b</dynamicRender></acrobat7><x>%b</x></config>"
        % (b"required" if dynamic else b"forbidden", CANARY.encode())
    )])
    return document


def _media(document: Pdf) -> dict[str, Any]:
    stream = document.make_stream(CANARY.encode(), Type=Name.EmbeddedFile)
    file = Dictionary(Type=Name.Filespec, F=String(f"{CANARY}.exe"), EF=Dictionary(F=stream))
    return {
        "FileAttachment": {"FS": file},
        "Movie": {"Movie": Dictionary(F=file), "T": String(CANARY)},
        "Sound": {"Sound": document.make_stream(CANARY.encode(), Type=Name.Sound, R=8000)},
        "Screen": {"MK": Dictionary(CA=String("x")), "T": String(CANARY)},
        "RichMedia": {"RichMediaContent": Dictionary(X=String(CANARY)), "RichMediaSettings": Dictionary()},
        "3D": {"3DD": document.make_stream(CANARY.encode(), Type=Name("/3D"), Subtype=Name.U3D), "3DV": Dictionary(XN=String(CANARY))},
        "Redact": {"OverlayText": String(CANARY)},
        "PrinterMark": {"MN": Name(f"/{CANARY}")},
        "TrapNet": {"LastModified": String(CANARY)},
        "Projection": {"ExData": Dictionary(X=String(CANARY))},
        "Unheard": {"X": String(CANARY)},
    }


_QUADS = [50, 620, 200, 620, 50, 600, 200, 600]
KEPT: dict[str, dict[str, Any]] = {
    "Link": {"Border": [0, 0, 2], "C": [1, 0, 0], "H": Name.I},
    "Text": {"Contents": String("note"), "Name": Name.Comment, "Open": False},
    "FreeText": {"Contents": String("free"), "DA": String("/Helv 12 Tf 0 g"), "Q": 1},
    "Line": {"L": [50, 600, 200, 620], "LE": Array([Name("/None"), Name.OpenArrow]), "C": [1, 0, 0]},
    "Square": {"C": [1, 0, 0], "IC": [1, 1, 0], "BS": Dictionary(W=2, S=Name.S)},
    "Circle": {"C": [1, 0, 0], "IC": [1, 1, 0]},
    "Polygon": {"Vertices": [50, 600, 200, 600, 100, 620], "C": [1, 0, 0]},
    "PolyLine": {"Vertices": [50, 600, 200, 600, 100, 620], "C": [1, 0, 0]},
    "Highlight": {"QuadPoints": _QUADS, "C": [1, 1, 0]},
    "Underline": {"QuadPoints": _QUADS, "C": [1, 0, 0]},
    "Squiggly": {"QuadPoints": _QUADS, "C": [1, 0, 0]},
    "StrikeOut": {"QuadPoints": _QUADS, "C": [1, 0, 0]},
    "Caret": {"Contents": String("insert"), "Sy": Name.P},
    "Stamp": {"Name": Name.Approved},
    "Ink": {"InkList": Array([Array([50, 600, 100, 620, 200, 600])]), "C": [0, 0, 1]},
    "Watermark": {"FixedPrint": Dictionary(Type=Name.FixedPrint, Matrix=[1, 0, 0, 1, 0, 0], H=0, V=0)},
}
FLATTENED = ("FileAttachment", "Movie", "Sound", "Screen", "RichMedia", "3D", "Redact", "PrinterMark", "TrapNet", "Projection", "Unheard")


def annotated(subtype: str, *, shown: bool, acting: bool = False) -> Pdf:
    """A page with one annotation and, for markup, its popup. `shown`: it has an appearance of its own."""
    document = build.clean()
    fields = dict(KEPT[subtype] if subtype in KEPT else _media(document)[subtype])
    if shown:
        fields["AP"] = Dictionary(N=looks(document, subtype))
    if acting:
        fields |= actions()
    annotation = document.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name(f"/{subtype}"), Rect=[50, 600, 200, 620], F=4, **fields))
    document.pages[0].obj.Annots = Array([annotation])
    if subtype != "Link":
        popup = document.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=Name.Popup, Rect=[300, 600, 400, 700], Parent=annotation, Open=False)
        )
        annotation.Popup = popup
        document.pages[0].obj.Annots.append(popup)
    return document


def values(document: Pdf) -> dict[str, str]:
    """Every terminal field by its full name, with type and value, by a walk over the tree."""
    found: dict[str, str] = {}

    def walk(node: pikepdf.Object, above: str, kind: str) -> None:
        name = ".".join(filter(None, (above, str(node.get("/T", "")))))
        kind = str(node.get("/FT", kind))
        kids = [kid for kid in node.get("/Kids", []) if "/T" in kid]
        for kid in kids:
            walk(kid, name, kind)
        if not kids:
            value = node.get("/V")
            found[name] = f"{kind} {[str(item) for item in value] if isinstance(value, Array) else value}"

    for root in document.Root.AcroForm.Fields:
        walk(root, "", "")
    return found


Maker = Callable[[Pdf], None]
