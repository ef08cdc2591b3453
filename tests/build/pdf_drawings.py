"""PDF pages drawn with everything that a content stream can name: colour spaces, functions, patterns, shadings, states, masks, glyph procedures."""

from __future__ import annotations

import io

from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String
from PIL import Image, ImageCms

from tests.build import pdf as build
from tests.build import pdf_forms


def drawn() -> Pdf:
    """Two pages of text, the first with one of each."""
    document = build.clean()
    page = document.pages[0].obj
    page.Resources.ColorSpace = Dictionary(_spaces(document))
    page.Resources.Shading = Dictionary(_shadings(document))
    page.Resources.Pattern = Dictionary(_patterns(document))
    page.Resources.XObject = Dictionary(_objects(document))
    page.Resources.ExtGState = Dictionary(_states(document))
    page.Resources.Properties = Dictionary(P1=Dictionary(Lang=String("ja"), ActualText=String("x")), L1=_layer(document))
    page.Resources.Font.T3, page.Resources.Font.F2 = _glyphs(document), _described(document)
    document.Root.StructTreeRoot = _structure(document)
    page.Group = Dictionary(Type=Name.Group, S=Name.Transparency, CS=Name.DeviceRGB)
    parts = [page.Contents.read_bytes(), b"q"]
    parts += [b"%b cs %b 10 %d 20 20 re f" % (name.encode(), colour, 30 + 25 * row) for row, (name, colour) in enumerate(_COLOURS.items())]
    parts += [b"q 60 %d 40 40 re W n %b sh Q" % (30 + 50 * row, name.encode()) for row, name in enumerate(page.Resources.Shading)]
    parts += [b"/Pattern cs %b scn 120 %d 40 40 re f" % (name.encode(), 30 + 50 * row) for row, name in enumerate(page.Resources.Pattern)]
    parts += [b"q 40 0 0 40 180 %d cm %b Do Q" % (30 + 50 * row, name.encode()) for row, name in enumerate(page.Resources.XObject)]
    parts += [b"q %b gs 0 0 1 rg 240 %d 40 40 re f Q" % (name.encode(), 30 + 50 * row) for row, name in enumerate(page.Resources.ExtGState)]
    parts += [b"/Span /P1 BDC BT /T3 40 Tf 300 30 Td (aa) Tj ET EMC /OC /L1 BDC BT /F2 9 Tf 1 0 0 1 300 99 Tm (layer) Tj ET EMC Q"]
    page.Contents = document.make_stream(b"\n".join(parts))
    return document


_COLOURS = {
    "/Grey": b"0.5 sc", "/Rgb": b"1 0.5 0 sc", "/Lab": b"50 40 -40 sc", "/Icc": b"0 0.5 1 sc", "/Indexed": b"1 sc", "/Spot": b"0.7 scn",
    "/Sampled": b"0.4 scn", "/Several": b"0.3 0.6 scn", "/Stitched": b"0.6 scn",
}


def _calculator(document: Pdf, program: bytes, inputs: int, outputs: int) -> Stream:
    return Stream(document, program, {"/FunctionType": 4, "/Domain": Array([0, 1] * inputs), "/Range": Array([0, 1] * outputs)})


def _ramp(document: Pdf, *colour: float) -> Object:
    return document.make_indirect(Dictionary(FunctionType=2, Domain=[0, 1], C0=[1] * len(colour), C1=list(colour), N=1))


def _stitched(document: Pdf) -> Object:
    ramps = [_ramp(document, 1, 0, 0), _ramp(document, 0, 0, 1)]
    return document.make_indirect(Dictionary(FunctionType=3, Domain=[0, 1], Functions=ramps, Bounds=[0.5], Encode=[0, 1, 0, 1]))


def _samples(document: Pdf) -> Stream:
    fields = {"/FunctionType": 0, "/Domain": Array([0, 1]), "/Range": Array([0, 1] * 3), "/Size": Array([2]), "/BitsPerSample": 8}
    return Stream(document, b"\xff\xff\xff\x00\x80\x00", fields)  # type: ignore[arg-type]


def _spaces(document: Pdf) -> dict[str, Object]:
    white = [0.95, 1, 1.09]
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgb = Name.DeviceRGB
    return {
        "/Grey": Array([Name.CalGray, Dictionary(WhitePoint=white, Gamma=2.2)]),
        "/Rgb": Array([Name.CalRGB, Dictionary(WhitePoint=white, Gamma=[2.2] * 3)]),
        "/Lab": Array([Name.Lab, Dictionary(WhitePoint=white, Range=[-100, 100, -100, 100])]),
        "/Icc": Array([Name.ICCBased, document.make_stream(profile, N=3, Alternate=rgb)]),
        "/Indexed": Array([Name.Indexed, rgb, 1, String("\x00\x00\x00\x7f\x00\x7f")]),
        "/Spot": Array([Name.Separation, Name("/朱"), rgb, _calculator(document, b"{ 1 exch sub dup 1 exch }", 1, 3)]),
        "/Sampled": Array([Name.Separation, Name("/緑"), rgb, _samples(document)]),
        "/Several": Array([Name.DeviceN, Array([Name("/朱"), Name("/藍")]), rgb, _calculator(document, b"{ 2 copy add 2 div }", 2, 3)]),
        "/Stitched": Array([Name.Separation, Name("/縞"), rgb, _stitched(document)]),
    }  # fmt: skip


def _shadings(document: Pdf) -> dict[str, Object]:
    common = {"ColorSpace": Name.DeviceRGB, "Background": [1, 1, 0], "Extend": [True, True]}
    field = {"ShadingType": 1, "ColorSpace": Name.DeviceRGB, "Matrix": [100, 0, 0, 100, 60, 30]}
    mesh = b"".join(bytes((0, x, y, *colour)) for x, y, colour in ((0, 0, (255, 0, 0)), (255, 0, (0, 255, 0)), (0, 255, (0, 0, 255))))
    return {
        "/S1": Dictionary(**field, Function=_calculator(document, b"{ 0.5 }", 2, 3)),
        "/S2": Dictionary(**common, ShadingType=2, Coords=[60, 80, 100, 120], Function=_ramp(document, 1, 0, 0)),
        "/S3": Dictionary(**common, ShadingType=3, Coords=[80, 150, 2, 80, 150, 20], Function=_stitched(document)),
        "/S4": document.make_stream(
            mesh, ShadingType=4, ColorSpace=Name.DeviceRGB, BitsPerCoordinate=8, BitsPerComponent=8, BitsPerFlag=8,
            Decode=[60, 100, 180, 220, 0, 1, 0, 1, 0, 1],
        ),
    }  # fmt: skip


def _patterns(document: Pdf) -> dict[str, Object]:
    shading = Dictionary(ShadingType=2, ColorSpace=Name.DeviceRGB, Coords=[120, 80, 160, 120], Function=_ramp(document, 0, 0, 1))
    state = Dictionary(Type=Name.ExtGState, SA=True)
    return {
        "/P1": document.make_stream(
            b"1 0 0 rg 0 0 4 4 re f", Type=Name.Pattern, PatternType=1, PaintType=1, TilingType=1, BBox=[0, 0, 8, 8], XStep=8, YStep=8,
            Resources=Dictionary(),
        ),
        "/P2": Dictionary(Type=Name.Pattern, PatternType=2, Shading=document.make_indirect(shading), ExtGState=state),
    }  # fmt: skip


def _picture(document: Pdf, data: bytes, space: Object = Name.DeviceGray, side: int = 8, **more: object) -> Stream:
    fields = {"/Type": Name.XObject, "/Subtype": Name.Image, "/Width": side, "/Height": side, "/ColorSpace": space, "/BitsPerComponent": 8}
    return document.make_indirect(Stream(document, data, {**fields, **{f"/{key}": value for key, value in more.items()}}))  # type: ignore[arg-type]


def _objects(document: Pdf) -> dict[str, Object]:
    grey = bytes(range(0, 256, 4))
    stencil = Stream(document, b"\xaa\x55" * 4, {"/Type": Name.XObject, "/Subtype": Name.Image, "/Width": 8, "/Height": 8, "/ImageMask": True})
    jpeg = io.BytesIO()
    Image.linear_gradient("L").resize((8, 8)).save(jpeg, "JPEG", quality=95)
    encoded = _picture(document, b"")
    encoded.write(jpeg.getvalue(), filter=Name.DCTDecode)
    return {
        "/I1": _picture(document, grey * 3, Name.DeviceRGB, SMask=_picture(document, grey[::-1])),
        "/I2": _picture(document, grey, Mask=document.make_indirect(stencil)),
        "/I3": encoded,
        "/X1": document.make_stream(
            b"0 0.5 0 rg 0 0 1 1 re f", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 1, 1], Resources=Dictionary(),
            Group=Dictionary(Type=Name.Group, S=Name.Transparency, I=True),
        ),
    }  # fmt: skip


def _states(document: Pdf) -> dict[str, Object]:
    veil = document.make_stream(
        b"0.5 g 0 0 600 800 re f", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 600, 800], Resources=Dictionary(),
        Group=Dictionary(Type=Name.Group, S=Name.Transparency, CS=Name.DeviceGray),
    )  # fmt: skip
    font = document.pages[0].obj.Resources.Font.F1
    return {
        "/G1": Dictionary(Type=Name.ExtGState, ca=0.5, CA=0.5, BM=Name.Multiply, LW=2, D=Array([Array([3]), 0]), Font=Array([font, 9])),
        "/G2": Dictionary(Type=Name.ExtGState, SMask=Dictionary(Type=Name.Mask, S=Name.Luminosity, G=veil, TR=Name.Identity)),
        "/G3": Dictionary(Type=Name.ExtGState, TR2=Name.Default, BG2=Name.Default),
    }


def _layer(document: Pdf) -> Object:
    usage = Dictionary(
        View=Dictionary(ViewState=Name.ON), Print=Dictionary(PrintState=Name.ON, Subtype=Name.Watermark), Export=Dictionary(ExportState=Name.ON),
        Zoom=Dictionary(min=0, max=9), Language=Dictionary(Lang=String("ja"), Preferred=Name.ON), PageElement=Dictionary(Subtype=Name.BG),
    )  # fmt: skip
    group = document.make_indirect(Dictionary(Type=Name.OCG, Name=String("層"), Usage=usage))
    document.Root.OCProperties = Dictionary(OCGs=[group], D=Dictionary(Order=[group]))
    return group


def _structure(document: Pdf) -> Object:
    """One element in a namespace of PDF 2.0, with attributes of two owners."""
    root = document.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    space = document.make_indirect(Dictionary(Type=Name.Namespace, NS=String("http://iso.org/pdf2/ssn")))
    table = Dictionary(O=Name.Table, Headers=[String("h")], Scope=Name.Column)
    element = Dictionary(Type=Name.StructElem, S=Name.TH, P=root, NS=space, A=Array([Dictionary(O=Name.Layout, Width=90), table, 0]))
    root.K, root.Namespaces = document.make_indirect(element), Array([space])
    return root


def _described(document: Pdf) -> Object:
    """A font of the viewer's with all that a descriptor may say."""
    descriptor = Dictionary(
        Type=Name.FontDescriptor, FontName=Name.Helvetica, Flags=32, FontBBox=[-200, -200, 1000, 900], ItalicAngle=0, Ascent=800, Descent=-200,
        CapHeight=700, StemV=80, Style=Dictionary(Panose=String("\x00" * 12)),
    )  # fmt: skip
    return Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name.Helvetica, FontDescriptor=document.make_indirect(descriptor),
                      Encoding=Name.WinAnsiEncoding)  # fmt: skip


def annotated(*dropped: str) -> Pdf:
    """An annotation of every kind that is kept, a button, and the kinds in `dropped`."""
    document = build.clean()
    shown = Dictionary(N=pdf_forms.looks(document, "x"))
    kinds = {**pdf_forms.KEPT, **{kind: {} for kind in dropped}}
    found = [
        Dictionary({"/Type": Name.Annot, "/Subtype": Name(f"/{kind}"), "/Rect": Array([50, 40 * row, 200, 40 * row + 20]), "/F": 4, "/AP": shown,
                    **{f"/{key}": _fresh(value) for key, value in fields.items()}})
        for row, (kind, fields) in enumerate(kinds.items())
    ]  # fmt: skip
    found[0].BS = Dictionary(Type=Name.Border, W=1, S=Name.D, D=[3])
    found[list(kinds).index("Square")].BE = Dictionary(S=Name.C, I=1)
    icon = Dictionary(SW=Name.A, S=Name.P, A=[0.5, 0.5], FB=False)
    found.append(Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Btn, Ff=pdf_forms.PUSH, T=String("b"), Rect=[300, 40, 400, 60], F=4, AP=shown,
        MK=Dictionary(CA=String("x"), IF=icon),
    ))  # fmt: skip
    build.annotate(document, *found)
    document.Root.AcroForm = Dictionary(Fields=[document.pages[0].obj.Annots[-1]], DA=String("/Helv 0 Tf 0 g"))
    return document


def _fresh(value: object) -> object:
    """A copy that belongs to no document yet."""
    return Object.parse(value.unparse()) if isinstance(value, Object) else value


def _glyphs(document: Pdf) -> Object:
    """A Type 3 font of one letter."""
    return document.make_indirect(Dictionary(
        Type=Name.Font, Subtype=Name.Type3, FontBBox=[0, 0, 10, 10], FontMatrix=[0.1, 0, 0, 0.1, 0, 0], FirstChar=97, LastChar=97, Widths=[12],
        CharProcs=Dictionary(a=document.make_stream(b"12 0 0 0 10 10 d1 0 0 10 10 re f")), Resources=Dictionary(),
        Encoding=Dictionary(Type=Name.Encoding, Differences=[97, Name.a]),
    ))  # fmt: skip


def poisoned(document: Pdf) -> int:
    """Foreign entries, a text and a stream, in every dictionary of the document; returns how many got them."""
    foreign = document.make_indirect(Dictionary(X=document.make_stream(build.CANARY.encode()), Y=String(build.CANARY)))
    todo: list[Object] = [found for found in document.objects if isinstance(found, Dictionary | Stream | Array)]
    count = 0
    while todo:
        holder = todo.pop()
        inner = list(holder) if isinstance(holder, Array) else list(holder.values())
        todo += [value for value in inner if isinstance(value, Dictionary | Array) and not value.is_indirect]
        if not isinstance(holder, Array) and holder.objgen != foreign.objgen:
            holder[f"/{build.CANARY}"], holder[f"/{build.CANARY}s"] = foreign, String(build.CANARY)
            count += 1
    return count
