"""What the tests of pictures and drawings must notice when it is switched off. `python -m tests.mutation.image` prints each rule with the test that fails."""

from __future__ import annotations

import re
from typing import Any

from sanitizers.formats.image import exif, tiff_tags
from sanitizers.formats.svg import vocabulary
from sanitizers.verify import image as second
from tests.mutation.runner import Mutant, main

_IMAGE = "sanitizers.formats.image"
_SVG = "sanitizers.formats.svg"
_VERIFY = "sanitizers.verify.image"
_TESTS = "tests/sanitizers/formats/image"
_DRAWINGS = "tests/sanitizers/formats/test_svg.py"
_NEVER = re.compile(r"(?!)")
_NEVER_BYTES = re.compile(rb"(?!)")
_ANYTHING = re.compile(rb".*", re.DOTALL)
_ANY_TEXT = re.compile(r".*", re.DOTALL)


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _false(*_: Any, **__: Any) -> bool:
    return False


def _true(*_: Any, **__: Any) -> bool:
    return True


def _same(first: Any, *_: Any, **__: Any) -> Any:
    return first


def _kept(facts: Any, _context: Any) -> Any:
    return facts.taken


PIXELS: tuple[Mutant, ...] = (
    Mutant("pixels of a frame", "sanitizers.budget:Budget.check_frame", _nothing, f"{_TESTS}/test_image.py"),
    Mutant("pixels of an animation", f"{_IMAGE}.codec:check_total", _nothing, f"{_TESTS}/test_containers.py"),
    Mutant("encodings that speak", f"{_IMAGE}.codec:speaks", _false, f"{_TESTS}/test_jpeg.py"),
    Mutant("mark-up in an encoding", f"{_IMAGE}.codec:_TAGS", _NEVER_BYTES, f"{_TESTS}/test_bmp.py"),
    Mutant("archives in an encoding", f"{_IMAGE}.codec:_ARCHIVES", (), f"{_TESTS}/test_codec.py"),
    Mutant("failures of decoders", f"{_IMAGE}.codec:_BROKEN", (SyntaxError,), f"{_TESTS}/test_image.py"),
    Mutant("profiles", f"{_IMAGE}.colour:transform", _nothing, f"{_TESTS}/test_jpeg.py"),
    Mutant("profiles that mean sRGB", f"{_IMAGE}.colour:Transform.does_nothing", _false, f"{_TESTS}/test_jpeg.py"),
    Mutant("turning upright", f"{_IMAGE}.exif:turned", _same, f"{_TESTS}/test_jpeg.py"),
    Mutant("metadata and places are reported", f"{_IMAGE}.exif:report", _nothing, f"{_TESTS}/test_jpeg.py"),
    Mutant("dates against policy", f"{_IMAGE}.exif:kept_date", _kept, f"{_TESTS}/test_jpeg.py"),
    Mutant("dates that are none", f"{_IMAGE}.exif:_DATE", _ANYTHING, f"{_TESTS}/test_jpeg.py"),
    Mutant("order of a palette", f"{_IMAGE}.palette:in_order", lambda _colours, used, _alpha=b"": list(used), f"{_TESTS}/test_png.py"),
    Mutant("colours that no pixel uses", f"{_IMAGE}.palette:used_indices", lambda _picture: list(range(7)), f"{_TESTS}/test_png.py"),
    Mutant("QR codes", f"{_IMAGE}.pixels:without_codes", _same, f"{_TESTS}/test_cases.py"),
    Mutant("covering of QR codes", f"{_IMAGE}.pixels:_cover", _nothing, f"{_TESTS}/test_cases.py"),
    Mutant("lowest bits", f"{_IMAGE}.pixels:lowered", _same, f"{_TESTS}/test_cases.py"),
    Mutant("lowest bits of palettes", f"{_IMAGE}.pixels:lowered_colours", _same, f"{_TESTS}/test_cases.py"),
)
CONTAINERS: tuple[Mutant, ...] = (
    Mutant("JPEG: other segments", f"{_IMAGE}.jpeg_segments:_application", _nothing, f"{_TESTS}/test_jpeg.py"),
    Mutant("JPEG: bytes between segments", f"{_IMAGE}.jpeg_segments:_MARKER", re.compile(rb"[\xff\xed\xe2\xe1]+[^\x00\xff]"), f"{_TESTS}/test_jpeg.py"),
    Mutant("JPEG: number of scans", f"{_IMAGE}.jpeg_segments:_MAX_SCANS", 1 << 30, f"{_TESTS}/test_jpeg.py"),
    Mutant("JPEG: quantiser tables of the author", f"{_IMAGE}.jpeg:_plain", _same, f"{_TESTS}/test_jpeg.py"),
    Mutant("JPEG: cut-off pictures", f"{_IMAGE}.jpeg:_refuse_truncated", _nothing, f"{_TESTS}/test_jpeg.py"),
    Mutant("PNG: texts", f"{_IMAGE}.png_chunks:_TEXT", frozenset(), f"{_TESTS}/test_png.py"),
    Mutant("PNG: private chunks", f"{_IMAGE}.png_chunks:_unknown", _nothing, f"{_TESTS}/test_png.py"),
    Mutant("PNG: chunks of the encoder", f"{_IMAGE}.png:_trimmed", _nothing, f"{_TESTS}/test_png.py"),
    Mutant("PNG: other chunks", f"{_IMAGE}.png_chunks:_ancillary", _nothing, f"{_TESTS}/test_png.py"),
    Mutant("GIF: comments", f"{_IMAGE}.gif_blocks:_COMMENT", -1, f"{_TESTS}/test_containers.py"),
    Mutant("GIF: looping", f"{_IMAGE}.gif_blocks:_looping", _nothing, f"{_TESTS}/test_containers.py"),
    Mutant("TIFF: metadata", f"{_IMAGE}.tiff_tags:_METADATA", frozenset(), f"{_TESTS}/test_containers.py"),
    Mutant("TIFF: tags of other things", f"{_IMAGE}.tiff_tags:_TECHNICAL", frozenset(range(1 << 16)) - {tiff_tags.ICC}, f"{_TESTS}/test_containers.py"),
    Mutant("TIFF: bytes that nothing refers to", f"{_IMAGE}.tiff_tags:_says_something", _false, f"{_TESTS}/test_containers.py"),
    Mutant("TIFF: fax stays fax", f"{_IMAGE}.tiff:_WAYS", (("tiff_lzw", "tiff_lzw"),), f"{_TESTS}/test_containers.py"),
    Mutant("WebP: other chunks", f"{_IMAGE}.webp_chunks:_ALPHA", 0, f"{_TESTS}/test_image.py"),
    Mutant("WebP: quality", f"{_IMAGE}.vp8:quality", lambda _frame: 100.0, f"{_TESTS}/test_containers.py"),
    Mutant("BMP: bit masks", f"{_IMAGE}.bmp_pixels:_check_masks", _nothing, f"{_TESTS}/test_bmp.py"),
    Mutant("BMP: profiles", f"{_IMAGE}.bmp_header:_profile", lambda _view, _length, end, _context: (None, end), f"{_TESTS}/test_bmp.py"),
    Mutant("icons: gaps and tails", f"{_IMAGE}.ico:_report_gaps", _nothing, f"{_TESTS}/test_containers.py"),
    Mutant("HEIF: other boxes", f"{_IMAGE}.heif:_walk", _nothing, f"{_TESTS}/test_heif.py"),
    Mutant("HEIF: what Exif says", f"{_IMAGE}.heif:_facts", lambda *_: exif.NOTHING, f"{_TESTS}/test_image.py"),
    Mutant("JPEG 2000: metadata", f"{_IMAGE}.jp2:_METADATA", frozenset(), f"{_TESTS}/test_containers.py"),
    Mutant("JPEG 2000: lossless stays lossless", f"{_IMAGE}.jp2:_reversible", _false, f"{_TESTS}/test_image.py"),
)


_LET_IN = "script foreignObject animate set font metadata blink".split()
_VERIFIERS = "tests/sanitizers/verify"
_SECOND_TESTS = f"{_VERIFIERS}/test_image.py"
DRAWINGS: tuple[Mutant, ...] = (
    *(Mutant(f"SVG: element {name}", f"{_SVG}.vocabulary:ELEMENTS", vocabulary.ELEMENTS | {name}, _DRAWINGS) for name in _LET_IN),
    *(
        Mutant(f"SVG: attribute {name}", f"{_SVG}.vocabulary:ATTRIBUTES", vocabulary.ATTRIBUTES | {name: _ANY_TEXT}, _DRAWINGS)
        for name in ("onclick", "onSEKISHO", "ping", "{http://www.w3.org/XML/1998/namespace}base")
    ),
    Mutant("SVG: values of paths", f"{_SVG}.vocabulary:ATTRIBUTES[d]", _ANY_TEXT, _DRAWINGS),
    Mutant("SVG: event handlers are named", f"{_SVG}:_Drawing._left_behind", _nothing, _DRAWINGS),
    Mutant("SVG: fragments", f"{_SVG}:_FRAGMENT", _ANY_TEXT, _DRAWINGS),
    Mutant("SVG: schemes of links", f"{_SVG}:_LINK", _NEVER, _DRAWINGS),
    Mutant("SVG: properties of paint", f"{_SVG}.style:value", _same, _DRAWINGS),
    Mutant("SVG: functions of styles", f"{_SVG}.style:FUNCTIONS", vocabulary.FUNCTIONS | {"expression", "image-set"}, _DRAWINGS),
    Mutant("SVG: rules of style sheets", f"{_SVG}.style:_statement", _nothing, _DRAWINGS),
    Mutant("SVG: loose text", f"{_SVG}:_Drawing._characters", lambda _self, text, _name: text, _DRAWINGS),
    Mutant("SVG: elements without a reference", f"{_SVG}.vocabulary:NEED_REFERENCE", frozenset(), _DRAWINGS),
    Mutant("SVG: repetition", f"{_SVG}:_check_repetition", _nothing, _DRAWINGS),
    Mutant("SVG: places that are named", f"{_SVG}:_MAX_PLACES", 1 << 30, _DRAWINGS),
    Mutant("SVG: pictures inside", f"{_SVG}:_Drawing._picture", lambda _self, target, _name: target, _DRAWINGS),
    Mutant("SVG: instructions before the root", f"{_SVG}.prolog:_skip", lambda text, at, _context: at + len(text[at:]) - len(text[at:].lstrip()), _DRAWINGS),
    Mutant("SVG: size of entities", "sanitizers.budget:Budget.spend_bytes", _nothing, _DRAWINGS),
)
SECOND_OPINION: tuple[Mutant, ...] = (
    Mutant("second opinion: order of segments", f"{_VERIFY}:_JPEG_ORDER", _ANYTHING, _SECOND_TESTS),
    Mutant("second opinion: segments", f"{_VERIFY}:_JPEG_LENGTHS", dict.fromkeys(range(256), 1 << 16), _SECOND_TESTS),
    Mutant("second opinion: content of segments", f"{_VERIFY}:_JPEG_PLAIN", dict.fromkeys((0xE0, 0xE1, 0xEE), _ANYTHING), _SECOND_TESTS),
    Mutant("second opinion: Exif", f"{_VERIFY}:_EXIF", _ANYTHING, f"{_VERIFIERS}/test_image_png.py"),
    Mutant("second opinion: chunks", f"{_VERIFY}:_PNG_CHUNKS", second._PNG_CHUNKS | dict.fromkeys((b"tEXt", b"seKi")), f"{_VERIFIERS}/test_image_png.py"),
    Mutant("second opinion: rows of PNG", f"{_VERIFY}:_check_rows", _nothing, f"{_VERIFIERS}/test_image_png.py"),
    Mutant("second opinion: tags", f"{_VERIFY}:_TIFF_TAGS", dict.fromkeys(range(1 << 16)), f"{_VERIFIERS}/test_image_tiff.py"),
    Mutant("second opinion: strips", f"{_VERIFY}:_check_parts", _nothing, f"{_VERIFIERS}/test_image_tiff.py"),
    Mutant("second opinion: chunks of WebP", f"{_VERIFY}:_check_riff", _nothing, f"{_VERIFIERS}/test_image_webp.py"),
    Mutant("second opinion: mark-up", f"{_VERIFY}:_MARK_UP", _NEVER_BYTES, _SECOND_TESTS),
    Mutant("second opinion: size and frames", f"{_VERIFY}:_compare", _nothing, _SECOND_TESTS),
    Mutant("second opinion: everything", f"{_VERIFY}:_require", _nothing, _SECOND_TESTS),
    *(
        Mutant(f"second opinion on drawings: {name[1:].lower()}", f"sanitizers.verify.svg:{name}", value, _DRAWINGS)
        for name, value in {
            "_ELEMENTS": _ANY_TEXT, "_ATTRIBUTE": _ANY_TEXT, "_INSIDE": _ANY_TEXT, "_REACHING": _NEVER, "_Walk._picture": _nothing,
            "_Walk.foreign": _nothing, "_Walk._reference": _nothing,
        }.items()
    ),
)  # fmt: skip
_META = "sanitizers.formats.metafile"
_METAFILES = "tests/sanitizers/formats/metafile"


def _raw_emf(kind: int, record: bytes, _drawing: Any) -> bytes:
    return record


METAFILES: tuple[Mutant, ...] = (
    Mutant("EMF: every record", f"{_META}.emf_records:made", _raw_emf, _METAFILES),
    Mutant("EMF: comments", f"{_META}.emf:_COMMENT", -1, _METAFILES),
    Mutant("EMF: what a comment is", f"{_META}.emf:_comment", _nothing, _METAFILES),
    Mutant("EMF: EMF+ alone", f"{_META}.emf:_PLUS_HEADER", -1, _METAFILES),
    Mutant("EMF: escapes", f"{_META}.emf:_ESCAPES", frozenset(), _METAFILES),
    Mutant("EMF: numbers of objects", f"{_META}.emf_records:_check_handle", _nothing, _METAFILES),
    Mutant("EMF: lengths of fixed records", f"{_META}.emf_records:_fixed", lambda _kind, record: record, _METAFILES),
    Mutant("EMF: numbers of points", f"{_META}.emf_records:_points", lambda _kind, record, _width: record, _METAFILES),
    Mutant("EMF: names of fonts", f"{_META}.emf_records:_VARIABLE[82]", _raw_emf, _METAFILES),
    Mutant("EMF: gaps in texts", f"{_META}.emf_records:_VARIABLE[84]", _raw_emf, _METAFILES),
    Mutant("EMF: regions", f"{_META}.emf_records:_VARIABLE[75]", _raw_emf, _METAFILES),
    Mutant("EMF: gradients", f"{_META}.emf_records:_VARIABLE[118]", _raw_emf, _METAFILES),
    Mutant("EMF: polygons", f"{_META}.emf_records:_VARIABLE[8]", _raw_emf, _METAFILES),
    Mutant("EMF: pictures", f"{_META}.emf_records:_blit", _raw_emf, _METAFILES),
    Mutant("EMF: transforms", f"{_META}.emf_records:_TRANSFORMS", frozenset(), _METAFILES),
    Mutant("WMF: escapes", f"{_META}.wmf:_ESCAPE", -1, _METAFILES),
    Mutant("WMF: every record", f"{_META}.wmf_records:made", lambda _function, data, _context: data, _METAFILES),
    Mutant("WMF: places of objects", f"{_META}.wmf_records:CREATES", frozenset(), _METAFILES),
    Mutant("WMF: pictures", f"{_META}.wmf_records:_bitmap", lambda _function, data, _context: data, _METAFILES),
    Mutant("second opinion: EMF records", "sanitizers.verify.metafile:_EMF", frozenset(range(1 << 10)), _METAFILES),
    Mutant("second opinion: WMF records", "sanitizers.verify.metafile:_WMF", frozenset(range(1 << 16)), _METAFILES),
    Mutant("second opinion: metafiles that speak", "sanitizers.verify.metafile:_MARK_UP", _NEVER_BYTES, _METAFILES),
)
MUTANTS = (*PIXELS, *CONTAINERS, *DRAWINGS, *METAFILES, *SECOND_OPINION)
TESTS = (_TESTS, _DRAWINGS, _METAFILES, _SECOND_TESTS)

if __name__ == "__main__":
    main(MUTANTS, TESTS)
