"""Small PDF files built by code: a clean one, and one per danger made from it. Everything that looks dangerous is inert."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String

from tests.build import pdf_bytes

CANARY: Final = "canary-7f3a"
SCRIPT: Final = f"app.alert('{CANARY}')"
VISIBLE: Final = ["visible 1", "visible 2"]


def saved(document: Pdf, **options: object) -> bytes:
    stream = io.BytesIO()
    document.save(stream, **{"fix_metadata_version": False, **options})  # type: ignore[arg-type]
    return stream.getvalue()


def clean() -> Pdf:
    """Two pages with a line of text each."""
    document = pikepdf.new()
    font = document.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    for text in VISIBLE:
        page = document.add_blank_page(page_size=(595, 842))
        page.obj.Resources = Dictionary(Font=Dictionary(F1=font))
        page.obj.Contents = document.make_stream(f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode())
    return document


def script() -> Dictionary:
    return Dictionary(Type=Name.Action, S=Name.JavaScript, JS=String(SCRIPT))


def launch() -> Dictionary:
    return Dictionary(S=Name.Launch, F=Dictionary(Type=Name.Filespec, F=String(CANARY), UF=String(CANARY)))


def annotate(document: Pdf, *annotations: Object) -> None:
    """The annotations of the first page."""
    document.pages[0].obj.Annots = Array([document.make_indirect(annotation) for annotation in annotations])


def link(document: Pdf, action: Object) -> None:
    annotate(document, Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 99, 99], A=action))


def _uri(text: str) -> Dictionary:
    return Dictionary(S=Name.URI, URI=String(text))


def _embedded(document: Pdf) -> Dictionary:
    file = document.make_stream(b"MZ" + CANARY.encode(), Type=Name.EmbeddedFile)
    return Dictionary(Type=Name.Filespec, F=String("a.exe"), UF=String("a.exe"), EF=Dictionary(F=file))


def _image(document: Pdf, **more: object) -> Stream:
    fields = {"Type": Name.XObject, "Subtype": Name.Image, "Width": 8, "Height": 8, "ColorSpace": Name.DeviceGray, "BitsPerComponent": 8}
    return Stream(document, bytes(range(64)), {**{f"/{key}": value for key, value in fields.items()}, **more})  # type: ignore[arg-type]


def _shown(document: Pdf, drawing: Object) -> None:
    """An XObject drawn on the first page."""
    page = document.pages[0].obj
    page.Resources.XObject = Dictionary(X1=drawing)
    page.Contents = document.make_stream(page.Contents.read_bytes() + b"\nq 90 0 0 90 100 100 cm /X1 Do Q")


def _form(document: Pdf, content: bytes = b"0 0 1 1 re f", **more: object) -> Stream:
    fields = {"/Type": Name.XObject, "/Subtype": Name.Form, "/BBox": Array([0, 0, 1, 1])}
    return Stream(document, content, {**fields, **{f"/{key}": value for key, value in more.items()}})  # type: ignore[arg-type]


# P01, P03, P04, P06: scripts wherever a document may have one.


def _script_on_opening(document: Pdf) -> None:
    document.Root.OpenAction = script()


def _script_in_a_stream(document: Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=document.make_stream(SCRIPT.encode()))


def _script_in_utf16(document: Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=pikepdf.String("無害 " + SCRIPT), X=String(CANARY))


def _script_of_the_document(document: Pdf) -> None:
    document.Root.AA = Dictionary(WC=script(), DS=script())


def _script_of_a_page(document: Pdf) -> None:
    document.pages[1].obj.AA = Dictionary(O=script(), C=script())


def _script_of_the_page_tree(document: Pdf) -> None:
    document.Root.Pages.AA = Dictionary(O=script())


def _script_of_an_annotation(document: Pdf) -> None:
    annotate(document, Dictionary(Type=Name.Annot, Subtype=Name.Square, Rect=[0, 0, 9, 9], AA=Dictionary(E=script()), A=script()))


def _script_in_a_name_tree(document: Pdf) -> None:
    leaf = document.make_indirect(Dictionary(Limits=[String("x"), String("x")], Names=[String("x"), script()]))
    middle = document.make_indirect(Dictionary(Limits=[String("x"), String("x")], Kids=[leaf]))
    document.Root.Names = Dictionary(JavaScript=Dictionary(Kids=[middle]))


def _script_in_other_name_trees(document: Pdf) -> None:
    tree = Dictionary(Names=[String("x"), script()])
    document.Root.Names = Dictionary(AP=tree, Pages=tree, Templates=tree, URLS=tree, Renditions=tree, AlternatePresentations=tree)


def _script_of_a_bookmark(document: Pdf) -> None:
    _bookmarks(document, script())


def _script_in_a_rendition(document: Pdf) -> None:
    rendition = Dictionary(S=Name.MR, N=String(CANARY), C=Dictionary(S=Name.MCD, D=_embedded(document)))
    action = Dictionary(S=Name.Rendition, OP=0, R=rendition, JS=String(SCRIPT))
    annotate(document, Dictionary(Type=Name.Annot, Subtype=Name.Screen, Rect=[0, 0, 9, 9], A=action, AA=Dictionary(PO=action)))


def _script_behind_a_link(document: Pdf) -> None:
    link(document, Dictionary(S=Name.URI, URI=String("https://town.example.jp/"), JS=String(SCRIPT), Next=[script(), script()]))


def _script_in_a_destination(document: Pdf) -> None:
    page = document.pages[0].obj
    target = Dictionary(D=[page, Name.Fit], S=Name.JavaScript, JS=String(SCRIPT))
    document.Root.Dests = Dictionary(chapter=target)
    document.Root.Names = Dictionary(Dests=Dictionary(Names=[String("chapter"), target]))


def _script_in_a_structure_element(document: Pdf) -> None:
    element = document.make_indirect(Dictionary(Type=Name.StructElem, S=Name.P, A=Dictionary(O=Name.Layout, AA=script()), AF=script()))
    document.Root.StructTreeRoot = document.make_indirect(Dictionary(Type=Name.StructTreeRoot, K=element, AF=_embedded(document)))


def _script_in_a_layer(document: Pdf) -> None:
    group = document.make_indirect(Dictionary(Type=Name.OCG, Name=String("layer"), AA=script(), Usage=Dictionary(X=script())))
    document.Root.OCProperties = Dictionary(OCGs=[group], D=Dictionary(ON=[group], AA=script()), X=script())
    _shown(document, _form(document, OC=group))


# P05, P07, P08: programs and links.


def _bookmarks(document: Pdf, action: Dictionary) -> None:
    inner = document.make_indirect(Dictionary(Title=String("inner"), A=action))
    outer = document.make_indirect(Dictionary(Title=String("outer"), First=inner, Last=inner, Count=1))
    inner.Parent = outer
    root = document.make_indirect(Dictionary(Type=Name.Outlines, First=outer, Last=outer, Count=2))
    outer.Parent = root
    document.Root.Outlines = root


def _launch_from_a_bookmark(document: Pdf) -> None:
    _bookmarks(document, launch())


def _launch_with_parameters(document: Pdf) -> None:
    link(document, Dictionary(S=Name.Launch, Win=Dictionary(F=String("calc.exe"), P=String(CANARY), O=String("open"))))


def _launch_at_the_end_of_a_chain(document: Pdf) -> None:
    action = launch()
    for _ in range(80):
        action = document.make_indirect(Dictionary(S=Name.URI, URI=String("https://town.example.jp/"), Next=action))
    link(document, action)


def _launch_in_an_array_of_actions(document: Pdf) -> None:
    nested = Array([_uri("https://town.example.jp/"), Dictionary(S=Name.Named, N=Name.NextPage, Next=Array([launch(), script()]))])
    link(document, Dictionary(S=Name.GoTo, D=[document.pages[1].obj, Name.Fit], Next=nested))


def _link_by_a_foreign_scheme(document: Pdf) -> None:
    schemes = (
        "search-ms:", "file:///", "javascript:", "ms-officecmd:", "data:text/html,", "\\\\192.0.2.1\\s\\", "//192.0.2.1/", "vbscript:",
        "JaVaScRiPt:", " javascript:", "java\nscript:", "http\x00s:", "",
    )
    rect = [0, 0, 9, 9]
    annotate(document, *(Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=rect, A=_uri(f"{scheme}{CANARY}")) for scheme in schemes))


def _link_base(document: Pdf) -> None:
    document.Root.URI = Dictionary(Base=String(f"file://{CANARY}/"))
    link(document, _uri("relative/page.html"))


def _jump_into_another_file(document: Pdf) -> None:
    link(document, Dictionary(S=Name.GoToR, F=String(f"\\\\192.0.2.1\\{CANARY}"), D=[0, Name.Fit]))


def _jump_into_an_attachment(document: Pdf) -> None:
    target = Dictionary(R=Name.C, N=String(CANARY), T=Dictionary(R=Name.C, N=String(CANARY)))
    link(document, Dictionary(S=Name.GoToE, F=Dictionary(F=String(CANARY)), D=[0, Name.Fit], T=target, NewWindow=True))


def _other_actions(document: Pdf) -> None:
    kinds = ("Thread", "Hide", "SetOCGState", "Trans", "GoToDp", "GoTo3DView", "Sound", "Movie", "ResetForm", "RichMediaExecute")
    rect = [0, 0, 9, 9]
    annotate(document, *(
        Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=rect, A=Dictionary(S=Name(f"/{kind}"), F=String(CANARY), T=String(CANARY)))
        for kind in kinds
    ))


# P09, P10: forms.


def _field(document: Pdf, **more: object) -> None:
    fields = {"/Type": Name.Annot, "/Subtype": Name.Widget, "/FT": Name.Tx, "/T": String("t"), "/Rect": Array([9, 9, 99, 30])}
    field = document.make_indirect(Dictionary({**fields, **{f"/{key}": value for key, value in more.items()}}))
    document.pages[0].obj.Annots = Array([field])
    document.Root.AcroForm = Dictionary(Fields=[field], CO=[field])


def _field_scripts(document: Pdf) -> None:
    _field(document, AA=Dictionary(K=script(), F=script(), V=script(), C=script(), E=script()))


def _field_submits(document: Pdf) -> None:
    target = Dictionary(FS=Name.URL, F=String(f"http://192.0.2.1/{CANARY}"))
    _field(document, A=Dictionary(S=Name.SubmitForm, F=target, Next=Dictionary(S=Name.ImportData, F=String(CANARY))))


def _script_of_a_field_group(document: Pdf) -> None:
    _field(document)
    widget = document.pages[0].obj.Annots[0]
    parent = document.make_indirect(Dictionary(T=String("group"), Kids=[widget], AA=Dictionary(C=script()), A=script()))
    widget.Parent = parent
    document.Root.AcroForm = Dictionary(Fields=[parent])


def _xfa(document: Pdf) -> None:
    packet = document.make_stream(f"<script>{CANARY}</script>".encode())
    document.Root.AcroForm = Dictionary(Fields=[], XFA=[String("template"), packet, String("datasets"), packet])
    document.Root.NeedsRendering = False


# P11, P12: attachments and media.


def _attachment(document: Pdf) -> None:
    document.attachments["setup.exe"] = b"MZ" + CANARY.encode()


def _attachment_annotation(document: Pdf) -> None:
    annotate(document, Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=[0, 0, 9, 9], FS=_embedded(document)))


def _associated_files(document: Pdf) -> None:
    for holder in (document.Root, document.pages[0].obj):
        holder.AF = Array([document.make_indirect(_embedded(document))])
    _shown(document, _form(document, AF=Array([document.make_indirect(_embedded(document))])))


def _portfolio(document: Pdf) -> None:
    _attachment(document)
    document.Root.Collection = Dictionary(Type=Name.Collection, View=Name.D, D=String("setup.exe"), Navigator=Dictionary(X=String(CANARY)))


def _media_annotations(document: Pdf) -> None:
    rect, file = [0, 0, 9, 9], _embedded(document)
    annotate(
        document,
        Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=rect, RichMediaContent=Dictionary(Assets=Dictionary(Names=[String(CANARY), file]))),
        Dictionary(Type=Name.Annot, Subtype=Name("/3D"), Rect=rect, **{"/3DD": document.make_stream(CANARY.encode(), Type=Name("/3D"), OnInstantiate=document.make_stream(SCRIPT.encode()))}),
        Dictionary(Type=Name.Annot, Subtype=Name.Movie, Rect=rect, Movie=Dictionary(F=file), A=True),
        Dictionary(Type=Name.Annot, Subtype=Name.Sound, Rect=rect, Sound=document.make_stream(CANARY.encode(), Type=Name.Sound, R=8000)),
        Dictionary(Type=Name.Annot, Subtype=Name.Screen, Rect=rect, MK=Dictionary(), A=Dictionary(S=Name.Rendition, R=Dictionary(N=String(CANARY)))),
        Dictionary(Type=Name.Annot, Subtype=Name.TrapNet, Rect=rect, Version=[String(CANARY)]),
        Dictionary(Type=Name.Annot, Subtype=Name.PrinterMark, Rect=rect, MN=String(CANARY)),
        Dictionary(Type=Name.Annot, Subtype=Name.Projection, Rect=rect, ExData=Dictionary(X=String(CANARY))),
        Dictionary(Type=Name.Annot, Subtype=Name(f"/{CANARY}"), Rect=rect),
    )  # fmt: skip


# P14, P19, P24 and what else rides along.


def _private_data(document: Pdf) -> None:
    for holder in (document.Root, document.pages[0].obj):
        holder.PieceInfo = Dictionary(App=Dictionary(Private=document.make_stream(CANARY.encode())))


def _unknown_keys(document: Pdf) -> None:
    for holder in (document.Root, document.pages[0].obj, document.pages[0].obj.Resources, document.pages[0].obj.Resources.Font.F1):
        holder[f"/{CANARY}"] = document.make_stream(CANARY.encode())


def _outside_stream(document: Pdf) -> None:
    outside = Dictionary(FS=Name.URL, F=String(f"http://192.0.2.1/{CANARY}"))
    _shown(document, _image(document, **{"/F": outside, "/FFilter": Name.FlateDecode}))


def _outside_content(document: Pdf) -> None:
    page = document.pages[0].obj
    outside = document.make_stream(b"", F=String(CANARY))
    page.Contents = Array([page.Contents, outside])


def _reference_drawing(document: Pdf) -> None:
    _shown(document, _form(document, Ref=Dictionary(F=String(CANARY), Page=0), OPI=Dictionary(X=String(CANARY)), PS=String(CANARY)))


def _picture_replacements(document: Pdf) -> None:
    other = Dictionary(Image=_image(document, **{"/F": String(CANARY)}), DefaultForPrinting=True)
    _shown(document, _image(document, **{"/OPI": Dictionary(X=String(CANARY)), "/Alternates": Array([other])}))


def _postscript_drawing(document: Pdf) -> None:
    program = Stream(document, f"({CANARY}) run".encode(), {"/Type": Name.XObject, "/Subtype": Name.PS})
    _shown(document, program)


def _words_in_content(document: Pdf) -> None:
    page = document.pages[0].obj
    foreign = f"%{CANARY}\n({CANARY}) run /{CANARY} exec <</Private ({CANARY}) /JS ({CANARY})>> pdfmark "
    foreign += f"/X <</{CANARY} ({CANARY}) /Lang (ja)>> DP BT [(a) /{CANARY} <</JS ({CANARY})>>] TJ ET\n"
    page.Contents = document.make_stream(foreign.encode() + page.Contents.read_bytes())


def _words_in_a_character_map(document: Pdf) -> None:
    text = f"/CIDInit /ProcSet findresource begin begincmap %{CANARY}\n1 begincodespacerange <00> <ff> endcodespacerange {{{CANARY}}} exec\n"
    text += f"/Notice ({CANARY}) def\nendcmap"
    document.pages[0].obj.Resources.Font.F1.ToUnicode = document.make_stream(text.encode())


def _font_matrix(document: Pdf) -> None:
    document.pages[0].obj.Resources.Font.F1.FontMatrix = Array([1, 2, 3, 4, 5, String(f"0\\); {SCRIPT}")])


def _function_program(document: Pdf) -> None:
    program = Stream(document, f"{{ ({CANARY}) run }}".encode(), {"/FunctionType": 4, "/Domain": Array([0, 1]), "/Range": Array([0, 1])})
    page = document.pages[0].obj
    page.Resources.ColorSpace = Dictionary(C1=Array([Name.Separation, Name("/x"), Name.DeviceGray, program]))
    page.Contents = document.make_stream(b"/C1 cs 1 scn 0 0 9 9 re f\n" + page.Contents.read_bytes())


def _metadata_document_type(document: Pdf) -> None:
    text = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/{CANARY}">]><x>&e;</x>'.encode()
    document.Root.Metadata = document.make_stream(text, Type=Name.Metadata, Subtype=Name.XML)
    document.pages[0].obj.Metadata = document.make_stream(text, Type=Name.Metadata, Subtype=Name.XML)


def _author(document: Pdf) -> None:
    document.trailer.Info = document.make_indirect(Dictionary(Author=String(CANARY), Creator=String(CANARY), Secret=String(CANARY)))


def _thumbnail(document: Pdf) -> None:
    document.pages[0].obj.Thumb = _image(document, **{"/Comment": String(CANARY)})


def _picture_tail(document: Pdf) -> None:
    """A picture with more behind its last row: kept, the rest is no part of it."""
    image = _image(document, **{"/Comment": String(CANARY)})
    image.write(zlib.compress(bytes(range(64)) + CANARY.encode()), filter=Name.FlateDecode)
    _shown(document, image)


def _dangers() -> dict[str, Callable[[Pdf], None]]:
    helpers = {"_uri", "_embedded", "_image", "_shown", "_form", "_bookmarks", "_field", "_dangers"}
    found = {name: make for name, make in globals().items() if name.startswith("_") and not name.startswith("__") and callable(make)}
    return {name[1:].replace("_", " "): make for name, make in found.items() if name not in helpers}


DANGERS: Final = _dangers()

_SPELT_INDIRECTLY: Final = frozenset((
    "/S", "/JS", "/URI", "/F", "/UF", "/A", "/AA", "/OpenAction", "/Next", "/Names", "/Kids", "/EF", "/FS", "/XFA", "/AF", "/Subtype", "/Title",
    "/Dests", "/D", "/Win", "/PieceInfo", "/Ref", "/OPI", "/Alternates", "/FontMatrix", "/Annots",
))


def indirectly(document: Pdf) -> None:
    """The same document with the values of telling keys as objects of their own, references to references where a name stands."""
    todo: list[Object] = [found for found in document.objects if isinstance(found, Dictionary | Stream | Array)]
    while todo:
        holder = todo.pop()
        for key, value in list(holder.items()) if not isinstance(holder, Array) else []:
            if isinstance(value, Dictionary | Array) and not value.is_indirect:
                todo.append(value)
            if key in _SPELT_INDIRECTLY and not (isinstance(value, Object) and value.is_indirect):
                holder[key] = document.make_indirect(value)
        if isinstance(holder, Array):
            todo += [value for value in holder if isinstance(value, Dictionary | Array) and not value.is_indirect]


def written(danger: str, way: str = "plain") -> bytes:
    """A file with one danger: P02 `packed` in object streams, P03 names in `hexadecimal`, and `indirect`, every telling value behind a reference."""
    document = clean()
    DANGERS[danger](document)
    if way == "indirect":
        indirectly(document)
    if way == "packed":
        return saved(document, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    if way == "hexadecimal":
        qdf = saved(document, qdf=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        return pdf_bytes.renamed(qdf, pdf_bytes.hexadecimal)
    return saved(document, object_stream_mode=pikepdf.ObjectStreamMode.disable)
