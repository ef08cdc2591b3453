"""PDF: little input that wants much time or memory ends at a limit, or is cut where viewers cut it."""

from __future__ import annotations

import resource
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from sanitizers.formats.pdf import content, outlines, structure
from sanitizers.model import LimitExceeded, Limits, Verdict
from tests.build import pdf as build
from tests.build import pdf_bytes, pdf_catalog
from tests.build.context import run
from tests.build.pdf_bytes import deflated, one_page, stream

_TOP = Path(__file__).resolve().parents[4]
_SECONDS = 60       # a hanging child must not hang the tests; what ends in time takes well under a second
# Runs the engine on a file in a process with little memory and prints how it ended.
_SCRIPT = """
import sys
from sanitizers.model import LimitExceeded
from tests.build.context import run
try:
    report = run(open(sys.argv[1], "rb").read(), "a.pdf").report
    print(report.reason or report.verdict)
except LimitExceeded as limit:
    print(limit.reason)
"""


def _other_filters() -> bytes:
    """RunLength in ASCII85 in deflate, 64 times what it was in each step."""
    runs = b"\x81\x00" * (2 << 20)
    return pdf_bytes.document({**one_page(), 4: stream(zlib.compress(runs), b"/Filter[/FlateDecode/RunLengthDecode]")})


def _object_stream() -> bytes:
    """An object stream of a gigabyte."""
    packed = pdf_bytes.zeros(1024)
    body = pdf_bytes.document({number: text for number, text in one_page().items() if number != 5})
    body = body[: body.rindex(b"xref\n0 1")]
    offsets = {number: body.index(b"%d 0 obj" % number) for number in (1, 2, 3, 4)}
    offsets[6] = len(body)
    body += b"6 0 obj\n" + stream(packed, b"/Filter/FlateDecode/Type/ObjStm/N 1/First 4") + b"\nendobj\n"
    start = offsets[7] = len(body)
    places = [(b"\x02", 6) if number == 5 else (b"\x01", offsets.get(number, 0)) for number in range(8)]
    rows = [kind + place.to_bytes(4, "big") + b"\x00" for kind, place in places]
    return body + b"7 0 obj\n" + deflated(b"".join(rows), b"/Type/XRef/Size 8/W[1 4 1]/Root 1 0 R") + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start


def _deep_page_tree() -> bytes:
    """Each level names the next twice: 2^200 pages."""
    levels = {number: b"<</Type/Pages/Kids[%d 0 R %d 0 R]/Count 9>>" % (number + 1, number + 1) for number in range(6, 206)}
    return pdf_bytes.document({**one_page(), 2: b"<</Type/Pages/Kids[6 0 R]/Count 1>>", **levels, 206: b"<</Type/Pages/Kids[3 0 R]/Count 1>>"})


def _huge_image() -> bytes:
    """30,000 x 30,000 samples of nothing."""
    fields = b"/Type/XObject/Subtype/Image/Width 30000/Height 30000/ColorSpace/DeviceRGB/BitsPerComponent 8"
    return pdf_bytes.document(one_page(b"/I Do", b"/XObject<</I 6 0 R>>", {6: deflated(b"\x00", fields)}))


def _deep_content() -> bytes:
    return pdf_bytes.document({**one_page(), 4: deflated(b"[" * 500_000)})


def _deep_pairs() -> bytes:
    return pdf_bytes.document({**one_page(), 4: deflated((b"[" * 499 + b"0 " * 2000) * 100)})


def _open_strings() -> bytes:
    return pdf_bytes.document({**one_page(), 4: deflated(b"(" * 600_000)})


def _stray_bytes() -> bytes:
    return pdf_bytes.document({**one_page(), 4: deflated(b"] " * 600_000)})


def _inline_images() -> bytes:
    return pdf_bytes.document({**one_page(), 4: deflated(b"BI /W 1 /H 1 ID \x80 EI\x80 " * 50_000)})


def _deep_objects() -> bytes:
    return pdf_bytes.document({**one_page(), 5: b"<</X" + b"[" * 100_000 + b"]" * 100_000 + b">>"})


def _deep_functions() -> bytes:
    """Stitching functions in stitching functions, all direct."""
    function = b"<</FunctionType 2/Domain[0 1]/N 1>>"
    for _ in range(150):
        function = b"<</FunctionType 3/Domain[0 1]/Bounds[]/Encode[0 1]/Functions[%b]>>" % function
    return pdf_bytes.document(one_page(b"/C cs 1 scn", b"/ColorSpace<</C[/Separation/x/DeviceGray %b]>>" % function))


def _deep_transfer() -> bytes:
    return pdf_bytes.document(one_page(b"/G gs", b"/ExtGState<</G<</TR%b/Identity%b>>>>" % (b"[" * 400, b"]" * 400)))


def _deep_fonts() -> bytes:
    """Type 3 fonts in the resources of type 3 fonts, all direct."""
    font = b"<<>>"
    for _ in range(120):
        font = b"<</Type/Font/Subtype/Type3/CharProcs<</a 6 0 R>>/Resources<</Font<</a %b>>>>>>" % font
    return pdf_bytes.document(one_page(b"/a 1 Tf", b"/Font<</a %b>>" % font, {6: stream(b"/a 1 Tf")}))


def _calculator() -> bytes:
    function = deflated(b"{" + b"dup " * 500_000 + b"}", b"/FunctionType 4/Domain[0 1]/Range[0 1]")
    return pdf_bytes.document(one_page(b"/C cs 1 scn", b"/ColorSpace<</C[/Separation/x/DeviceGray 6 0 R]>>", {6: function}))


def _forms_in_forms() -> bytes:
    """A chain of 200 forms, each of which draws the next twice: 2^200 drawings."""
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</X %d 0 R>>>>"
    forms = {number: stream(b"/X Do /X Do", form % (number + 1)) for number in range(6, 206)}
    return pdf_bytes.document(one_page(b"/X Do", b"/XObject<</X 6 0 R>>", forms))


def _form_draws_itself() -> bytes:
    form = stream(b"/X Do", b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</X 6 0 R>>>>")
    return pdf_bytes.document(one_page(b"/X Do", b"/XObject<</X 6 0 R>>", {6: form}))


def _pattern_paints_itself() -> bytes:
    fields = b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9/Resources<</Pattern<</P 6 0 R>>>>"
    pattern = stream(b"/Pattern cs /P scn 0 0 9 9 re f", fields)
    return pdf_bytes.document(one_page(b"/Pattern cs /P scn 0 0 99 99 re f", b"/Pattern<</P 6 0 R>>", {6: pattern}))


def _glyph_shows_itself() -> bytes:
    font = b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/CharProcs<</a 7 0 R>>/Resources<</Font<</T 6 0 R>>>>>>"
    return pdf_bytes.document(one_page(b"BT /T 9 Tf (a) Tj ET", b"/Font<</F1 5 0 R/T 6 0 R>>", {6: font, 7: stream(b"9 0 d0 BT /T 9 Tf (a) Tj ET")}))


def _widths() -> bytes:
    widths = b"/W[0[" + b"500 " * 300_000 + b"]]"
    more = {
        5: b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[6 0 R]>>",
        6: b"<</Type/Font/Subtype/CIDFontType2/BaseFont/X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>%b>>" % widths,
    }
    return pdf_bytes.document(one_page(more=more))


def _table_loop() -> bytes:
    data = pdf_bytes.document(one_page())
    start = data.rindex(b"xref\n0 1")
    return data.replace(b"/Root 1 0 R", b"/Prev %d/XRefStm %d/Root 1 0 R" % (start, start))


def _length_of_itself() -> bytes:
    return pdf_bytes.document({**one_page(), 4: b"<</Length 4 0 R>>\nstream\nBT /F1 24 Tf 20 250 Td (visible) Tj ET\nendstream"})


def _reference_loop() -> bytes:
    return pdf_bytes.document({**one_page(), 4: b"6 0 R", 6: b"4 0 R"})


def _bookmark_loop() -> bytes:
    catalog = b"/Outlines 6 0 R"
    more = {6: b"<</First 7 0 R/Last 7 0 R>>", 7: b"<</Title(a)/Parent 6 0 R/Next 8 0 R/First 7 0 R>>", 8: b"<</Title(b)/Next 7 0 R/First 6 0 R>>"}
    return pdf_bytes.document(one_page(more=more, catalog=catalog))


def _name_tree_loop() -> bytes:
    more = {6: b"<</Kids[6 0 R 7 0 R 6 0 R]>>", 7: b"<</Kids[6 0 R 7 0 R]/Names[(a)[3 0 R/Fit]]>>"}
    return pdf_bytes.document(one_page(more=more, catalog=b"/Names<</Dests 6 0 R/JavaScript 6 0 R/EmbeddedFiles 6 0 R>>/PageLabels 6 0 R"))


def _structure_loop() -> bytes:
    more = {6: b"<</K 7 0 R/ParentTree 6 0 R/Kids[6 0 R]>>", 7: b"<</S/P/P 7 0 R/K[7 0 R 7 0 R 6 0 R 8 0 R]>>", 8: b"<</S/P/K[7 0 R 8 0 R]>>"}
    return pdf_bytes.document(one_page(more=more, catalog=b"/StructTreeRoot 6 0 R"))


def _action_loop() -> bytes:
    more = {6: b"<</S/JavaScript/JS(x)/Next[6 0 R 6 0 R 6 0 R 6 0 R]>>"}
    return pdf_bytes.document(one_page(more=more, catalog=b"/OpenAction 6 0 R/AA<</WC 6 0 R>>"))


LIMIT, BROKEN, CUT, CLEAN, DIFFERENT = "limit_exceeded", "malformed", "sanitized", "clean", "verification_failed"
# In a process of their own, with the memory of a jail.
HEAVY: dict[Callable[[], bytes], tuple[str, ...]] = {
    _other_filters: (LIMIT,), _object_stream: (LIMIT, BROKEN),
}  # fmt: skip
LIGHT: dict[Callable[[], bytes], tuple[str, ...]] = {
    _huge_image: (LIMIT,), _widths: (LIMIT,), _deep_content: (CUT,), _deep_pairs: (CUT,), _stray_bytes: (LIMIT,), _deep_functions: (LIMIT,), _deep_fonts: (LIMIT,),
    _forms_in_forms: (LIMIT,), _deep_page_tree: (CUT,), _calculator: (CUT,), _deep_transfer: (CUT,),
    _open_strings: (CUT,), _inline_images: (CUT,), _deep_objects: (CUT, CLEAN, DIFFERENT), _form_draws_itself: (CUT,),
    _pattern_paints_itself: (CUT,), _glyph_shows_itself: (CUT, DIFFERENT), _table_loop: (CLEAN, CUT), _length_of_itself: (CLEAN,),
    _reference_loop: (CLEAN,), _bookmark_loop: (CUT,), _name_tree_loop: (CUT,), _structure_loop: (CLEAN, CUT), _action_loop: (CUT,),
}  # fmt: skip


@pytest.mark.parametrize("make", HEAVY, ids=lambda make: make.__name__[1:])
def test_a_heavy_bomb_ends_at_a_limit(make: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(path)], cwd=_TOP, capture_output=True, timeout=_SECONDS, check=False, preexec_fn=_jail_sized, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in HEAVY[make]


def _jail_sized() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (Limits().memory_bytes,) * 2)


@pytest.mark.parametrize("make", LIGHT, ids=lambda make: make.__name__[1:])
def test_a_light_bomb_ends_at_a_limit_or_where_viewers_cut_it(make: Callable[[], bytes]) -> None:
    try:
        report = run(make(), "a.pdf").report
    except LimitExceeded as limit:
        end: str = limit.reason
    else:
        end = report.reason or report.verdict
    assert end in LIGHT[make]


@pytest.mark.parametrize(("module", "limit"), [(outlines, "_MAX_ITEMS"), (outlines, "_DEPTH"), (structure, "_MAX_ELEMENTS")])
def test_what_is_counted_ends_at_its_limit(module: ModuleType, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = build.saved(pdf_catalog.guided())
    assert run(data, "a.pdf").content is not None
    monkeypatch.setattr(module, limit, 0)
    with pytest.raises(LimitExceeded):
        run(data, "a.pdf")


def _lzw() -> bytes:
    """Each code stands for one zero more than the one before it: seven megabytes in five kilobytes."""
    codes = [(256, 9), (0, 9), *((code, min(12, (code + 1).bit_length())) for code in range(258, 4095))]
    bits = "".join(f"{code:0{width}b}" for code, width in codes)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


@pytest.mark.parametrize(
    ("name", "data"),
    [("FlateDecode", zlib.compress(bytes(1 << 20))), ("LZWDecode", _lzw()), ("RunLengthDecode", b"\x81\x00" * 8192), ("ASCII85Decode", b"z" * (1 << 18))],
)
def test_every_filter_stops_at_the_budget(name: str, data: bytes) -> None:
    bomb = pdf_bytes.document({**pdf_bytes.one_page(), 4: stream(data, b"/Filter/" + name.encode())})
    with pytest.raises(LimitExceeded):
        run(bomb, "a.pdf", limits=Limits(expanded_bytes=100_000))


def test_streams_share_one_budget() -> None:
    """Each of them alone is within it."""
    parts = {number: deflated(b" " * 60_000) for number in range(6, 9)}
    bomb = pdf_bytes.document({**pdf_bytes.one_page(), **parts, 3: pdf_bytes.one_page()[3].replace(b"4 0 R/R", b"[6 0 R 7 0 R 8 0 R]/R")})
    assert run(bomb, "a.pdf", limits=Limits(expanded_bytes=400_000)).content is not None
    with pytest.raises(LimitExceeded):
        run(bomb, "a.pdf", limits=Limits(expanded_bytes=100_000))


def test_so_many_filters_have_no_reader() -> None:
    def filtered(count: int) -> bytes:
        data = b"0 0 9 9 re f"
        for _ in range(count):
            data = data.hex().encode()
        return pdf_bytes.document({**pdf_bytes.one_page(), 4: stream(data, b"/Filter[%b]" % (b"/AHx" * count))})

    assert run(filtered(8), "a.pdf").report.verdict is Verdict.CLEAN
    assert "pdf.unreadable_stream" in {finding.code for finding in run(filtered(9), "a.pdf").report.findings}


def test_broken_instructions_are_counted_not_timed() -> None:
    """What reads a stream with a million open brackets looks at each once: the budget of broken instructions ends it, or the data does."""
    with pytest.raises(LimitExceeded):
        content.rebuild(b"] " * 300_000, lambda _fields, _data: None)
    for opening in (b"[", b"(", b"<<", b"[ 0 ", b"<</A ", b"/A <<"):
        assert not content.rebuild(opening * 60_000, lambda _fields, _data: None).complete
