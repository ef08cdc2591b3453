"""What rebuilding a PDF costs beside the tools that only rewrite it, in one run: 100 pages of text and 20 pages of scans, built here.

    python perf/bench_pdf.py [--rounds N] [--profile]

Prints milliseconds of processor time, the least of all rounds since other work on the machine only ever adds to it: of programs the whole
run, of ourselves and of pikepdf a call in a fresh fork of a warm process. Then the ratios to qpdf and to ourselves, the size of the result
and the peak of resident memory. `pictures alone` decodes and encodes the pictures of the scans and no more. The ratios are the figures to
compare between machines; aims: text at most 3 x qpdf and at least 3 x faster than Ghostscript, scans at most 1.2 x the pictures alone.
Programs that are not installed are left out and named. `--profile` prints where our own time goes instead.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import io
import multiprocessing
import os
import pstats
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import pikepdf
from fontTools.ttLib import TTFont
from pikepdf import Array, Dictionary, Name, Pdf, String, sanitize
from PIL import Image, ImageDraw, ImageFont

from gateway.publishing import rulesets
from gateway.road.warm_parent import ENVIRONMENT
from sanitizers import warming
from sanitizers.engine import Engine
from sanitizers.formats.pdf import bilevel, values
from sanitizers.model import Job
from sanitizers.scan import Scanner, compile_rules
from sanitizers.source import Source

_A4: Final = (595, 842)
_WORDS: Final = (
    "barrier station traveller document gateway municipality report budget section annual council water road school tax office "
    "form resident register plan meeting record page table total figure amount year month prefecture city town village"
).split()
_PROGRAMS: Final[dict[str, tuple[str, ...]]] = {
    "qpdf": ("qpdf", "--object-streams=generate", "IN", "OUT"),
    "mutool clean": ("mutool", "clean", "-gggg", "IN", "OUT"),
    "ghostscript": ("gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=pdfwrite", "-sOutputFile=OUT", "IN"),
}
_REMOVALS: Final = (
    sanitize.remove_attachments, sanitize.remove_collection, sanitize.remove_external_access, sanitize.remove_javascript,
    sanitize.remove_multimedia, sanitize.remove_private_app_data, sanitize.remove_search_index, sanitize.remove_thumbnails,
    sanitize.remove_web_capture,
)  # fmt: skip
_OURS: Final = ("sekisho", "pikepdf.sanitize", "pictures alone")


class Measured(NamedTuple):
    """Least milliseconds of processor time of a round, size of what came out, peak of resident memory of the process in MiB."""

    milliseconds: float
    size: int
    peak: float


# ------------------------------------------------------------------------------------------------------------------- samples


def text_sample(pages: int = 100) -> bytes:
    """Pages of justified text in four embedded fonts, with rules, links and bookmarks."""
    rng = random.Random(1)
    document = pikepdf.new()
    fonts = Dictionary({f"/F{index}": _font(document, index) for index in range(4)})
    for number in range(pages):
        page = document.add_blank_page(page_size=_A4)
        page.obj.Resources = Dictionary(Font=fonts)
        page.obj.Contents = document.make_stream(_text(rng, number))
        link = Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=[60, 40, 200, 52], Border=[0, 0, 0],
            A=Dictionary(S=Name.URI, URI=String(f"https://town.example.jp/{number}")),
        )  # fmt: skip
        page.obj.Annots = Array([document.make_indirect(link)])
    with document.open_outline() as outline:
        outline.root.extend(pikepdf.OutlineItem(f"Section {number}", number) for number in range(0, pages, 5))
    return _saved(document)


def _font(document: Pdf, index: int) -> pikepdf.Object:
    """A TrueType font, made wider for each index, so that each has a program of its own."""
    loaded = ImageFont.load_default(10)
    assert isinstance(loaded, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    font = TTFont(io.BytesIO(loaded.font_bytes))
    for name in font.getGlyphOrder():
        width, bearing = font["hmtx"][name]
        font["hmtx"][name] = (width + 10 * index, bearing)
    stream = io.BytesIO()
    font.save(stream)
    program = document.make_stream(stream.getvalue(), Length1=len(stream.getvalue()))
    scale, cmap = 1000 / font["head"].unitsPerEm, font.getBestCmap()
    widths = [round(font["hmtx"][cmap[code]][0] * scale) if code in cmap else 0 for code in range(32, 127)]
    descriptor = Dictionary(
        Type=Name.FontDescriptor, FontName=Name(f"/Sample{index}"), Flags=32, FontBBox=[-200, -300, 1200, 1000], ItalicAngle=0, Ascent=900,
        Descent=-200, CapHeight=700, StemV=80, FontFile2=program,
    )  # fmt: skip
    return document.make_indirect(Dictionary(
        Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name(f"/Sample{index}"), FirstChar=32, LastChar=126, Widths=widths,
        Encoding=Name.WinAnsiEncoding, FontDescriptor=document.make_indirect(descriptor),
    ))  # fmt: skip


def _text(rng: random.Random, number: int) -> bytes:
    lines = [b"0.5 w 60 790 m 535 790 l S", b"BT /F1 16 Tf 60 800 Td (Section %d) Tj ET" % number]
    for line in range(52):
        words = " ".join(rng.choices(_WORDS, k=12))
        pieces = " ".join(f"({words[start : start + 6]}){rng.randrange(-40, 40)}" for start in range(0, len(words), 6))
        lines.append(f"BT /F{rng.randrange(4)} 9.5 Tf 0 0 0 rg 1 0 0 1 60 {770 - 14 * line} Tm [{pieces}] TJ ET".encode())
        if line % 10 == 9:
            lines.append(b"0.9 0.9 0.9 rg 60 %d 475 1 re f" % (766 - 14 * line))
    return b"\n".join(lines)


def scan_sample(pages: int = 20) -> bytes:
    """Pages that are one picture each: in turns a colour JPEG of 200 or 150 dpi and a bilevel fax of 300 dpi."""
    document = pikepdf.new()
    for number in range(pages):
        data, width, height = _fax(number) if number % 2 else _photograph(number, 150 if number % 3 == 0 else 200)
        picture = document.make_stream(data, Type=Name.XObject, Subtype=Name.Image, Width=width, Height=height)
        if number % 2:
            picture.ColorSpace, picture.BitsPerComponent, picture.Filter = Name.DeviceGray, 1, Name.CCITTFaxDecode
            picture.DecodeParms = Dictionary(K=-1, Columns=width, Rows=height)
        else:
            picture.ColorSpace, picture.BitsPerComponent, picture.Filter = Name.DeviceRGB, 8, Name.DCTDecode
        page = document.add_blank_page(page_size=_A4)
        page.obj.Resources = Dictionary(XObject=Dictionary(Im0=picture))
        page.obj.Contents = document.make_stream(b"q 595 0 0 842 0 0 cm /Im0 Do Q")
    return _saved(document)


def _paper(number: int, dpi: int) -> Image.Image:
    """A page of text in grey, as large as A4 at `dpi`."""
    rng, size = random.Random(number), (round(8.27 * dpi), round(11.69 * dpi))
    image = Image.new("L", size, 255)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(dpi // 7)
    for line in range(50):
        draw.text((dpi // 2, dpi // 2 + line * dpi // 5), " ".join(rng.choices(_WORDS, k=11)), fill=20, font=font)
    return image


def _photograph(number: int, dpi: int) -> tuple[bytes, int, int]:
    paper = _paper(number, dpi)
    grain = Image.effect_noise(paper.size, 12)
    tint = Image.linear_gradient("L").resize(paper.size).point(lambda level: 200 + level // 5)
    stream = io.BytesIO()
    Image.merge("RGB", (Image.blend(paper, tint, 0.3), Image.blend(paper, grain, 0.1), paper)).save(stream, "JPEG", quality=80)
    return stream.getvalue(), *paper.size


def _fax(number: int) -> tuple[bytes, int, int]:
    bits = _paper(number, 300).convert("1", dither=Image.Dither.NONE)
    return bilevel.fax(bits), *bits.size


def _saved(document: Pdf) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


# --------------------------------------------------------------------------------------------------------------- competitors


def _sekisho(data: bytes) -> Callable[[], bytes]:
    scanner: Scanner = compile_rules(rulesets.read(rulesets.builtin_folder()))
    warming.warm_up(scanner)    # as the warm parent does

    def once() -> bytes:
        outcome = Engine(Job(name="a.pdf"), scanner, len(data)).run(Source(data))
        assert outcome.content is not None, outcome.report
        return outcome.content.bytes()

    return once


def _pikepdf(data: bytes) -> Callable[[], bytes]:
    def once() -> bytes:
        with pikepdf.open(io.BytesIO(data)) as document:
            for remove in _REMOVALS:
                remove(document)
            return _saved(document)

    return once


def _pictures(data: bytes) -> Callable[[], bytes]:
    """Decode and encode each picture of the scans, as the sanitizer must."""
    with pikepdf.open(io.BytesIO(data)) as document:
        found = [page.obj.Resources.XObject.Im0 for page in document.pages]
        pictures = [(one.read_raw_bytes(), one.Filter == Name.DCTDecode, (int(one.Width), int(one.Height))) for one in found]

    def once() -> bytes:
        return b"".join(_jpeg_again(raw) if is_jpeg else _fax_again(raw, size) for raw, is_jpeg, size in pictures)

    return once


def _jpeg_again(raw: bytes) -> bytes:
    stream = io.BytesIO()
    with Image.open(io.BytesIO(raw)) as image:
        image.save(stream, "JPEG", quality="keep", subsampling="keep", optimize=image.width * image.height < 4_000_000)
    return stream.getvalue()


def _fax_again(raw: bytes, size: tuple[int, int]) -> bytes:
    how = {"Filter": values.Name("CCITTFaxDecode"), "DecodeParms": {"K": -1, "Columns": size[0], "Rows": size[1]}}
    space = {"Width": size[0], "Height": size[1], "BitsPerComponent": 1, "ColorSpace": values.Name("DeviceGray")}
    picture = bilevel.decode({**space, **how}, raw)
    assert picture is not None
    return bilevel.fax(picture.convert("1", dither=Image.Dither.NONE))


# ------------------------------------------------------------------------------------------------------------------- measuring


def _child(competitor: str, path: Path, rounds: int) -> Measured:
    """One competitor of ours in a process of its own, which prints what it measured."""
    command = [sys.executable, __file__, "--only", competitor, str(path), "--rounds", str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **ENVIRONMENT})
    milliseconds, size, peak = map(float, done.stdout.split())
    return Measured(milliseconds, int(size), peak)


def _measure_here(competitor: str, path: Path, rounds: int) -> None:
    """Each round in a fork of this process, as a transfer is in one of the warm parent: nothing is remembered from the round before."""
    data = path.read_bytes()
    once = {"sekisho": _sekisho, "pikepdf.sanitize": _pikepdf, "pictures alone": _pictures}[competitor](data)
    gc.collect()
    gc.freeze()     # as the warm parent does
    measured = [_forked(once) for _ in range(rounds)]
    print(min(time for time, _, _ in measured), measured[0][1], max(peak for _, _, peak in measured))


def _forked(once: Callable[[], bytes]) -> Measured:
    receiver, sender = multiprocessing.get_context("fork").Pipe(duplex=False)

    def run() -> None:
        started = time.process_time()
        size = len(once())
        used = time.process_time() - started
        sender.send(Measured(used * 1000, size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    measured: Measured = receiver.recv()
    process.join()
    return measured


# A process of its own between the benchmark and a program, so that the peak is of this program and of no other child.
_STOPWATCH: Final = """
import resource, subprocess, sys
times, before = [], 0
for _ in range(int(sys.argv[1])):
    subprocess.run(sys.argv[2:], check=False, capture_output=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    times.append(used.ru_utime + used.ru_stime - before)
    before = used.ru_utime + used.ru_stime
print(min(times) * 1000, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def _program(words: tuple[str, ...], path: Path, rounds: int) -> Measured:
    result = path.with_suffix(".out.pdf")
    command = [{"IN": str(path)}.get(word, word.replace("OUT", str(result))) for word in words]
    done = subprocess.run([sys.executable, "-c", _STOPWATCH, str(rounds), *command], capture_output=True, text=True, check=True)
    milliseconds, peak = map(float, done.stdout.split())
    return Measured(milliseconds, result.stat().st_size, peak)


def _table(title: str, path: Path, rounds: int, ours: tuple[str, ...]) -> None:
    size = path.stat().st_size
    print(f"\n{title}: {size} bytes\n{'':<18}{'ms':>10}{'x qpdf':>9}{'x sekisho':>11}{'size':>8}{'peak MiB':>10}")
    rows = {name: _child(name, path, rounds) for name in ours}
    for name, words in _PROGRAMS.items():
        if shutil.which(words[0]):
            rows[name] = _program(words, path, rounds)
        else:
            print(f"{name:<18}not installed")
    floor = rows.get("qpdf", rows["sekisho"]).milliseconds
    for name, row in rows.items():
        ratios = f"{row.milliseconds / floor:>9.2f}{row.milliseconds / rows['sekisho'].milliseconds:>11.2f}"
        print(f"{name:<18}{row.milliseconds:>10.1f}{ratios}{row.size / size:>8.2f}{row.peak:>10.0f}")
    if "pictures alone" in rows:
        print(f"sekisho / pictures alone: {rows['sekisho'].milliseconds / rows['pictures alone'].milliseconds:.2f}")


def _profile(data: bytes) -> None:
    profile = cProfile.Profile()
    profile.runcall(_sekisho(data))
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--only", choices=_OURS, help=argparse.SUPPRESS)
    arguments.add_argument("path", nargs="?", type=Path, help=argparse.SUPPRESS)
    arguments.add_argument("--profile", action="store_true")
    given = arguments.parse_args()
    if given.only:
        _measure_here(given.only, given.path, given.rounds)
        return
    samples = {"100 pages of text": text_sample(), "20 pages of scans": scan_sample()}
    with tempfile.TemporaryDirectory() as folder:
        for title, data in samples.items():
            if given.profile:
                print(f"== {title}")
                _profile(data)
                continue
            path = Path(folder) / f"{title.replace(' ', '-')}.pdf"
            path.write_bytes(data)
            _table(title, path, given.rounds, _OURS if "scans" in title else _OURS[:2])


if __name__ == "__main__":
    main()
