"""The codec floor: what decoding and encoding the same bytes costs with no product around it, beside the whole engine, in one run.

    python perf/floor.py [--seed N] [--count N] [--rounds N] [FILE ...]

Without files it takes the reference mix (`traffic.files`). The floor of a picture is Pillow once there and back with the product's options;
of a PDF qpdf (opened and written) and its pictures once; of OOXML and ODF inflate, parse, serialise, deflate (isal); of an archive inflate
and deflate plus its members; of text decode and encode. Old binary formats have no bare codec and stand apart. `engine`: identify,
scan, rebuild, verify, and the second pass, in this process, no jail. Seconds of processor time, the least of the rounds; the ratio is
the figure. Aim: at most 1.6 for the whole.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pikepdf
from isal import isal_zlib
from lxml import etree
from PIL import Image, ImageSequence

from gateway.publishing import rulesets
from perf import traffic
from perf.traffic import File
from sanitizers.engine import Engine
from sanitizers.model import Job
from sanitizers.scan import Scanner, compile_rules
from sanitizers.source import Source

_PACKAGES: Final = frozenset({"docx", "xlsx", "pptx", "odt", "ods", "odp"})
_PICTURES: Final[dict[str, tuple[str, dict[str, object]]]] = {
    "jpg": ("JPEG", {"quality": 88}),
    "png": ("PNG", {"compress_level": 3}),
    "tif": ("TIFF", {"compression": "group4"}),
    "gif": ("GIF", {}),
}
# Without a bare codec, and what stays inside.
APART: Final = frozenset({"doc", "xls", "ppt", "jtd", "held"})
_TEXTS: Final = frozenset({"csv", "txt", "html"})


class Row(NamedTuple):
    """Of all files of one kind: how many, bytes, seconds of the floor and of the engine."""

    count: int
    octets: int
    floor: float
    engine: float

    @property
    def ratio(self) -> float:
        return self.engine / self.floor if self.floor else float("inf")


def bare(file: File) -> int:
    """Bytes that came out of the bare codecs."""
    suffix = file.name.rpartition(".")[2]
    if suffix == "pdf":
        return _pdf(file.data)
    if suffix in _PACKAGES:
        return _package(file.data)
    if suffix in _PICTURES:
        return _picture(file.data, *_PICTURES[suffix])
    if suffix == "zip" and file.delivers:
        return _archive(file.data)
    if suffix in _TEXTS:
        return len(file.data.decode("utf-8", "replace").encode())
    return 0


def _picture(data: bytes, plugin: str, options: dict[str, object]) -> int:
    picture, out = Image.open(io.BytesIO(data)), io.BytesIO()
    frames = [frame.copy() for frame in ImageSequence.Iterator(picture)] if getattr(picture, "n_frames", 1) > 1 else [picture]
    several = {"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}
    frames[0].save(out, plugin, **several, **options)
    return len(out.getvalue())


def _pdf(data: bytes) -> int:
    out, octets = io.BytesIO(), 0
    with pikepdf.open(io.BytesIO(data)) as document:
        for page in document.pages:
            for image in page.get_images().values():
                picture, encoded = pikepdf.PdfImage(image).as_pil_image(), io.BytesIO()
                if picture.mode == "1":
                    picture.save(encoded, "TIFF", compression="group4")
                else:
                    picture.save(encoded, "JPEG", quality=80)
                octets += len(encoded.getvalue())
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, recompress_flate=True)
    return len(out.getvalue()) + octets


def _package(data: bytes) -> int:
    octets = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            raw = _inflated(data, info)
            if info.filename.endswith((".xml", ".rels")):
                parser = etree.XMLParser(resolve_entities=False, no_network=True, collect_ids=False)
                raw = etree.tostring(etree.fromstring(raw, parser), encoding="UTF-8", xml_declaration=True, standalone=True)
            elif (suffix := info.filename.rpartition(".")[2].replace("jpeg", "jpg")) in _PICTURES:
                _picture(raw, *_PICTURES[suffix])
            octets += _deflated(raw)
    return octets


def _archive(data: bytes) -> int:
    octets = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            raw = _inflated(data, info)
            bare(File(info.filename, raw))
            octets += _deflated(raw)
    return octets


def _inflated(data: bytes, info: zipfile.ZipInfo) -> bytes:
    start = info.header_offset + 30
    start += int.from_bytes(data[start - 4 : start - 2], "little") + int.from_bytes(data[start - 2 : start], "little")
    body = memoryview(data)[start : start + info.compress_size]
    return isal_zlib.decompress(body, -15) if info.compress_type == zipfile.ZIP_DEFLATED else bytes(body)


def _deflated(data: bytes) -> int:
    deflater = isal_zlib.compressobj(isal_zlib.ISAL_DEFAULT_COMPRESSION, isal_zlib.DEFLATED, -15)
    return len(deflater.compress(data) + deflater.flush())


def whole(file: File, scanner: Scanner) -> int:
    """Bytes that came out of the engine; raises AssertionError when a file went another way than it must."""
    outcome = Engine(Job(name=file.name), scanner, len(file.data)).run(Source(file.data))
    assert (outcome.content is not None) is file.delivers, (file.name, outcome.report)
    return 0 if outcome.content is None else len(outcome.content)


def spent(work: Callable[[], object], rounds: int) -> float:
    """Seconds of processor time, the least of the rounds: other work on the machine only ever adds to it."""
    least = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        work()
        least = min(least, time.process_time() - began)
    return least


def measure(given: Sequence[File], rounds: int) -> dict[str, Row]:
    """By kind of file."""
    scanner = compile_rules(rulesets.read(rulesets.builtin_folder()))
    rows: dict[str, Row] = defaultdict(lambda: Row(0, 0, 0.0, 0.0))
    for file in given:
        kind = file.name.rpartition(".")[2] if file.delivers else "held"
        row = rows[kind]
        floor = spent(lambda file=file: bare(file), rounds)  # type: ignore[misc]
        engine = spent(lambda file=file: whole(file, scanner), rounds)  # type: ignore[misc]
        rows[kind] = Row(row.count + 1, row.octets + len(file.data), row.floor + floor, row.engine + engine)
    return dict(rows)


def total(rows: dict[str, Row]) -> Row:
    return Row(*(sum(column) for column in zip(*rows.values(), strict=True)))


def line(kind: str, row: Row, share: float) -> str:
    ratio = f"{row.ratio:8.2f}{share:8.0%}" if kind not in APART else f"{'apart':>8}"
    return f"{kind:8}{row.count:6}{row.octets / 1e6:9.2f}{row.floor:10.3f}{row.engine:10.3f}{ratio}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args()
    chosen = [File(path.name, path.read_bytes()) for path in given.files] or traffic.files(given.seed, given.count)
    rows = measure(chosen, given.rounds)
    print(f"{'kind':8}{'files':>6}{'MB':>9}{'floor s':>10}{'engine s':>10}{'ratio':>8}{'share':>8}")
    whole_of_it = total({kind: row for kind, row in rows.items() if kind not in APART})
    for kind, row in sorted(rows.items(), key=lambda item: -item[1].engine):
        print(line(kind, row, row.engine / whole_of_it.engine))
    print(line("all", whole_of_it, 1.0))


if __name__ == "__main__":
    main()
