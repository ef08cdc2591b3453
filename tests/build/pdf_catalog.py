"""PDF with all that a reader finds its way by: bookmarks, page labels, named places, layers, a structure tree, preferences."""

from __future__ import annotations

from pikepdf import Array, Dictionary, Name, Object, Pdf, String

from tests.build import pdf as build

LABELS = ["表-i", "1"]
BOOKMARKS = ["第1章", "第1節", "第2章", "町の頁"]


def guided() -> Pdf:
    """Two pages with everything; each part alone by the functions below."""
    document = build.clean()
    named(document)
    bookmarks(document)
    labels(document)
    layers(document)
    structure(document)
    document.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True, Direction=Name.R2L, PrintScaling=Name("/None"), Duplex=Name.Simplex)
    document.Root.PageLayout = Name.TwoColumnRight
    document.Root.PageMode = Name.UseOutlines
    return document


def named_of_old(document: Pdf) -> None:
    """A named place in the dictionary that came before the name tree."""
    document.Root.Dests = Dictionary(old=Dictionary(D=Array([document.pages[0].obj, Name.FitH, 700])))


def named(document: Pdf) -> None:
    """A named place in a name tree of two levels."""
    second = document.pages[1].obj
    leaf = document.make_indirect(Dictionary(Limits=[String("new"), String("new")], Names=[String("new"), Array([second, Name.XYZ, 10, 20, 0])]))
    document.Root.Names = Dictionary(Dests=Dictionary(Kids=[leaf]))


def bookmarks(document: Pdf) -> None:
    """Two chapters, one of them with a section; bold, coloured, closed; a destination, a name, an action and a link."""
    second = document.pages[1].obj
    chapter, section, other, town = (document.make_indirect(Dictionary(Title=String(title))) for title in BOOKMARKS)
    root = document.make_indirect(Dictionary(Type=Name.Outlines, First=chapter, Last=town, Count=3))
    chapter.Dest, chapter.C, chapter.F = Array([second, Name.Fit]), Array([1, 0, 0]), 2
    section.Dest = String("new")
    other.A = Dictionary(S=Name.GoTo, D=Array([second, Name.XYZ, 72, 700, None]))
    town.A = Dictionary(S=Name.URI, URI=String("https://town.example.jp/"))
    chapter.First, chapter.Last, chapter.Count, section.Parent = section, section, -1, chapter
    for before, after in ((chapter, other), (other, town)):
        before.Next, after.Prev = after, before
    for item in (chapter, other, town):
        item.Parent = root
    document.Root.Outlines = root


def labels(document: Pdf) -> None:
    document.Root.PageLabels = Dictionary(Nums=[0, Dictionary(S=Name.r, P=String("表-")), 1, Dictionary(S=Name.D, St=1)])


def layers(document: Pdf) -> None:
    """A red square on a layer that is on, a blue one on a layer that is off, a green one that shows while the blue one does not."""
    red, blue = (
        document.make_indirect(Dictionary(Type=Name.OCG, Name=String(name), Intent=Name.View, Usage=Dictionary(Print=Dictionary(PrintState=state))))
        for name, state in (("赤", Name.ON), ("青", Name.OFF))
    )
    unless = document.make_indirect(Dictionary(Type=Name.OCMD, OCGs=[blue], P=Name.AllOff, VE=[Name.Not, blue]))
    page = document.pages[0].obj
    page.Resources.Properties = Dictionary(R=red, B=blue, U=unless)
    drawn = (("R", "1 0 0", 100), ("B", "0 0 1", 200), ("U", "0 1 0", 300))
    squares = b"".join(f"/OC /{name} BDC {colour} rg {x} 300 50 50 re f EMC\n".encode() for name, colour, x in drawn)
    page.Contents = document.make_stream(page.Contents.read_bytes() + b"\n" + squares)
    document.Root.OCProperties = Dictionary(
        OCGs=[red, blue], D=Dictionary(Name=String("既定"), BaseState=Name.ON, OFF=[blue], Order=[String("層"), [red, blue]], RBGroups=[[red, blue]],
                                       AS=[Dictionary(Event=Name.Print, Category=[Name.Print], OCGs=[red, blue])]),
    )  # fmt: skip


def structure(document: Pdf) -> None:
    """A heading whose text is marked content, and a figure with a description; both pages in Japanese."""
    page = document.pages[0].obj
    page.Contents = document.make_stream(b"/H1 <</MCID 0>> BDC " + page.Contents.read_bytes() + b" EMC /Figure <</MCID 1>> BDC 0 0 1 1 re f EMC")
    page.StructParents, page.Tabs = 0, Name.S
    root = document.make_indirect(Dictionary(Type=Name.StructTreeRoot, RoleMap=Dictionary(Midashi=Name.H1)))
    whole = document.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Document, P=root, Lang=String("ja")))
    heading = document.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Midashi, P=whole, Pg=page, K=0, T=String("題"), ID=String("h")))
    figure = document.make_indirect(Dictionary(
        Type=Name.StructElem, S=Name.Figure, P=whole, Pg=page, Alt=String("図の説明"), ActualText=String("図"),
        K=Dictionary(Type=Name.MCR, Pg=page, MCID=1), A=[Dictionary(O=Name.Layout, Placement=Name.Block, BBox=[0, 0, 1, 1])],
    ))  # fmt: skip
    whole.K, root.K = Array([heading, figure]), whole
    root.ParentTree = Dictionary(Nums=[0, Array([heading, figure])])
    root.ParentTreeNextKey = 1
    root.IDTree = Dictionary(Names=[String("h"), heading])
    document.Root.StructTreeRoot = root
    document.Root.MarkInfo = Dictionary(Marked=True)
    document.Root.Lang = String("ja-JP")


def script_everywhere(document: Pdf) -> None:
    """A script, or a word, in each dictionary that the guides are made of."""
    named_of_old(document)
    script = build.script()
    root = document.Root
    holders: list[Object] = [
        root.Outlines, root.Outlines.First, root.Outlines.First.First, root.OCProperties, root.OCProperties.D, root.OCProperties.OCGs[0],
        root.StructTreeRoot, root.StructTreeRoot.K, root.StructTreeRoot.K.K[1], root.ViewerPreferences, root.MarkInfo, root.PageLabels.Nums[1],
        root.Dests.old,
    ]  # fmt: skip
    for holder in holders:
        holder.AA, holder.JS, holder[f"/{build.CANARY}"] = Dictionary(O=script), String(build.SCRIPT), String(build.CANARY)
    root.StructTreeRoot.K.K[1].A[0].X = Dictionary(JS=String(build.SCRIPT))
    root.StructTreeRoot.K.K[1].A[0].Padding = Dictionary(JS=String(build.SCRIPT))
    root.Outlines.First.Next.A.Next = script
