"""What the tests of PDF must notice when it is switched off; forms, annotations, attachments and signatures have a table of their own.

`python -m tests.mutation.pdf` prints each rule with the test that fails without it.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import sanitizers.formats.pdf as package
from sanitizers.formats.pdf import content, contents, images
from sanitizers.formats.pdf.shapes import LEFT, Shape
from sanitizers.formats.pdf.values import Name, Stream
from tests.build import pdf as build
from tests.mutation.runner import Mutant, main

_PDF = "sanitizers.formats.pdf"
_VERIFY = "sanitizers.verify"
_NEVER = re.compile(r"(?!)")
_NEVER_BYTES = re.compile(rb"(?!)")
_HERE = "tests/sanitizers/formats/pdf"
_UNUSED = ("links._WRAPPING", "pages._NODE")     # shapes that only name what is left: what they let in goes nowhere
_KEYS = f"{_HERE}/test_dangers.py::test_an_entry_that_no_dictionary_has_is_left_behind_everywhere"
_GONE = f"{_HERE}/test_dangers.py::test_a_danger_is_gone_and_reported"
_WORDS, _MAPS, _PROGRAMS = (f"{_GONE}[{danger}-plain]" for danger in ("words in content", "words in a character map", "function program"))
_SCANNED = f"{_HERE}/test_dangers.py::test_scripts_are_shown_to_the_scanner_as_text"
_CASES, _FONTS, _IMAGES, _REVISIONS, _BOMBS = (f"{_HERE}/test_{name}.py" for name in ("cases", "fonts", "images", "revisions", "bombs"))


class _All:
    """Contains whatever it is asked for."""

    def __contains__(self, _item: object) -> bool:
        return True


def _copied(copier: Any, value: Any, where: str, depth: int = 0) -> Any:
    """Anything at all, as a sanitizer that trusts its input would copy it."""
    found = copier.resolve(value)
    if depth > 8:
        return LEFT
    if isinstance(found, dict):
        made = {key: _copied(copier, item, where, depth + 1) for key, item in found.items() if key not in ("Parent", "P")}
        return {key: item for key, item in made.items() if item is not LEFT}
    if isinstance(found, list):
        return [item for item in (_copied(copier, item, where, depth + 1) for item in found) if item is not LEFT]
    if isinstance(found, Stream):
        return copier.writer.add_deflated({}, copier.content_of(found, where) or b"")
    return found


def _shapes() -> Iterator[tuple[str, Shape]]:
    """Every shape of the package with the path to it, however it is wrapped into rules; each once."""
    seen: set[int] = set()

    def walk(path: str, found: object) -> Iterator[tuple[str, Shape]]:
        if id(found) in seen:
            return
        seen.add(id(found))
        if isinstance(found, Shape):
            yield path, found
            found = found.rules
        if isinstance(found, dict):
            for key, item in found.items():
                yield from walk(f"{path}.{key}", item)
        for cell in getattr(found, "__closure__", None) or ():
            inner = cell.cell_contents
            for item in inner if isinstance(inner, tuple) and not isinstance(inner, Shape) else (inner,):
                yield from walk(path, item)

    for module in pkgutil.iter_modules(package.__path__, f"{_PDF}."):
        loaded = importlib.import_module(module.name)
        for name, found in vars(loaded).items():
            if isinstance(found, Shape | dict) or getattr(found, "__module__", "") == f"{_PDF}.shapes":
                yield from walk(f"{module.name.rpartition('.')[2]}.{name}", found)


def _admit(shape: Shape, *keys: str) -> None:
    assert isinstance(shape.rules, dict)
    shape.rules.update(dict.fromkeys(keys, _copied))


def _admitting(module: str, attribute: str, *keys: str) -> Callable[[], None]:
    return lambda: _admit(getattr(importlib.import_module(f"{_PDF}.{module}"), attribute), *keys)


def _silent(*_: Any, **__: Any) -> None:
    return None


def _whole(data: bytes, *_: Any) -> Any:
    return data


def _as_it_is(how: str) -> Callable[..., Any]:
    """A codec passed on undecoded."""
    return lambda _copier, decoded, _geometry: images.Samples({"BitsPerComponent": 1, "Filter": Name(how)}, decoded.data)


def _trusted_content(data: bytes, _inline: object) -> content.Content:
    return content.Content(data, frozenset(name[1:].decode("latin-1") for name in re.findall(rb"/[^\s/\[\]()<>]+", data)))


def _every_resource(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda copier, source, _names, where: original(copier, source, _All(), where)


def _trusted_function(copier: Any, stream: Any, where: str) -> Any:
    return copier.writer.add_deflated(_copied(copier, stream.fields, where) | {"Filter": None}, copier.content_of(stream, where))


def _postscript(copier: Any, value: Any, where: str) -> Any:
    return _copied(copier, value, where)


def _all_names(copier: Any, catalog: Any, destinations: Any) -> Any:
    return {**_copied(copier, catalog.get("Names") or {}, ""), **({"Dests": destinations} if destinations else {})}


MUTANTS: tuple[Mutant, ...] = (
    # By construction: an entry that a table lets in is found, whichever table it is.
    *(Mutant(f"keys of {path}", "", partial(_admit, shape, build.CANARY), _KEYS) for path, shape in _shapes() if path not in _UNUSED),
    Mutant("OpenAction of the catalog", "", _admitting("document", "_CATALOG", "OpenAction"), _CASES),
    Mutant("AA of the catalog", "", _admitting("document", "_CATALOG", "AA"), f"{_GONE}[script of the document-plain]"),
    Mutant("AF and Collection of the catalog", "", _admitting("document", "_CATALOG", "AF", "Collection"), _CASES),
    Mutant("Metadata of the catalog", "", _admitting("document", "_CATALOG", "Metadata"), _CASES),
    Mutant("AA of a page", "", _admitting("pages", "_PAGE", "AA"), _CASES),
    Mutant("AF, PieceInfo and Thumb of a page", "", _admitting("pages", "_PAGE", "AF", "PieceInfo", "Thumb"), _CASES),
    Mutant("Ref, OPI and PS of a drawing", "", _admitting("xobjects", "_FORM", "Ref", "OPI", "PS"), _CASES),
    Mutant("OPI and Alternates of a picture", "", _admitting("images", "_SHAPE", "OPI", "Alternates"), _CASES),
    Mutant("PostScript drawings", f"{_PDF}.resources:CATEGORIES[XObject]", _postscript, _CASES),
    Mutant("actions of links and bookmarks", f"{_PDF}.links:_SCHEME", re.compile(rb"()"), _CASES),
    Mutant("actions in place of links", "", lambda: _admit(importlib.import_module(f"{_PDF}.outlines")._ITEM, "A"), _CASES),
    Mutant("the name dictionary", f"{_PDF}.document:_names", _all_names, _CASES),
    Mutant("opening is not reported", f"{_PDF}.document:_open_action", _silent, _CASES),
    Mutant("what stays behind is not reported", f"{_PDF}.leftovers:report", _silent, _CASES),
    Mutant("actions are not reported", f"{_PDF}.leftovers:actions", _silent, _CASES),
    Mutant("nothing is reported", f"{_PDF}.copier:Copier.drop", _silent, _CASES),
    Mutant("scripts are not scanned", f"{_PDF}.leftovers:script", _silent, _SCANNED),
    Mutant("scripts of the name tree", f"{_PDF}.leftovers:scripts", _silent, _CASES),
    Mutant("hidden layers are not reported", f"{_PDF}.layers:_report_hidden", _silent, _CASES),
    # Content streams and what they name.
    Mutant("content as it is", f"{_PDF}.content:rebuild", _trusted_content, _WORDS),
    Mutant("runs of anything", f"{_PDF}.operators:run", lambda data, _position: len(data), _WORDS),
    Mutant("any operator", f"{_PDF}.content:_fit", lambda _word, operands: operands, _WORDS),
    Mutant("any property list", f"{_PDF}.content:_FITS[P]", lambda value: value, _WORDS),
    Mutant("any operand in an array", f"{_PDF}.content:_FITS[a]", lambda value: value, _WORDS),
    Mutant("resources that nothing uses", f"{_PDF}.contents:resources", _every_resource(contents.resources), _FONTS),
    Mutant("inline pictures as they are", f"{_PDF}.images:inline_image",
           lambda _copier, _fields, data: b"BI /W 16 /H 12 /CS /RGB /BPC 8 ID " + data + b"\nEI", _IMAGES),
    Mutant("streams from outside", f"{_PDF}.copier:external", lambda _fields: False, _CASES),
    Mutant("any program in a function", f"{_PDF}.functions:calculator", _whole, _PROGRAMS),
    Mutant("any word in a program", f"{_PDF}.functions:_OPERATORS", _All(), _PROGRAMS),
    Mutant("samples behind the last", f"{_PDF}.functions:_sampled", _trusted_function),
    Mutant("profiles as they are", f"{_PDF}.icc:rebuild", _whole, _IMAGES),
    Mutant("any tag of a profile", f"{_PDF}.icc:_TAGS", _All(), _IMAGES),
    Mutant("any type in a profile", f"{_PDF}.icc:_TYPES", _All(), _IMAGES),
    # Pictures.
    Mutant("JBIG2 as it is", f"{_PDF}.images:_BY_FILTER[JBIG2Decode]", _as_it_is("JBIG2Decode"), _CASES),
    Mutant("JPEG 2000 as it is", f"{_PDF}.images:_jpx",
           lambda _copier, _fields, data, _geometry: images.Samples({"Filter": Name("JPXDecode")}, data), _CASES),
    Mutant("JPEG as it is", f"{_PDF}.images:_BY_FILTER[DCTDecode]", _as_it_is("DCTDecode"), _IMAGES),
    Mutant("fax as it is", f"{_PDF}.images:_BY_FILTER[CCITTFaxDecode]", _as_it_is("CCITTFaxDecode"), _IMAGES),
    Mutant("bytes behind the last row", f"{_PDF}.images:_Geometry.length", 1 << 40, _IMAGES),
    Mutant("comments in JPEG", f"{_PDF}.jpeg:rebuild", lambda data, _transform, _budget: (data, 3), _IMAGES),
    # Fonts.
    *(Mutant(f"{name} programs as they are", f"{_PDF}.{module}:rebuild", value, _FONTS) for name, module, value in (
        ("Type 1", "type1", lambda data: (data, data.index(b"eexec\n") + 6, len(data) - data.index(b"eexec\n") - 6 - 532, 0)),
        ("CFF", "cff", lambda data: (data, False, 0)), ("TrueType", "sfnt", lambda data: (data, 0)),
    )),
    Mutant("any FontMatrix in a program", f"{_PDF}.type1:_matrix",
           lambda clear: re.findall(rb"/FontMatrix[^\n]*", clear), _FONTS),
    Mutant("any Type 1 glyph", f"{_PDF}.type1:sound_type1", lambda _program: True, _FONTS),
    Mutant("comments and strings in Type 1", f"{_PDF}.type1:_UNREAD", _NEVER_BYTES, _FONTS),
    Mutant("several masters", f"{_PDF}.type1:_refuse_masters", _silent, _FONTS),
    Mutant("any entry of CFF", f"{_PDF}.cff:_TOP", _All(), _FONTS),
    Mutant("any private entry of CFF", f"{_PDF}.cff:_IN_PRIVATE", _All(), _FONTS),
    Mutant("any CFF glyph", f"{_PDF}.charstrings:Checker.followed", lambda _self, program, _local: program, _FONTS),
    Mutant("any table of a font", f"{_PDF}.sfnt:_TABLES", _All(), _FONTS),
    Mutant("names of a font", f"{_PDF}.sfnt:_REPLACED", {}, _FONTS),
    Mutant("any TrueType glyph", f"{_PDF}.glyf:_bad", lambda _glyphs: set(), _FONTS),
    Mutant("offsets of glyphs", f"{_PDF}.glyf:_rising", lambda offsets, _size: offsets, _FONTS),
    Mutant("instructions that do not exist", f"{_PDF}.glyf:_ADJUST", _NEVER_BYTES, _FONTS),
    Mutant("fonts that do not parse", f"{_PDF}.fontfiles:_usable", lambda _data: False, _FONTS),
    Mutant("glyphs left empty are not reported", f"{_PDF}.fontfiles:Rewritten.emptied", 0, _FONTS),
    Mutant("any word in a character map", f"{_PDF}.cmaps:_WORDS", _All(), _MAPS),
    Mutant("any text in a character map", f"{_PDF}.cmaps:_TEXTS", _All(), _MAPS),
    Mutant("any name of a character map", f"{_PDF}.cmaps:_NAMED", re.compile(rb"", re.DOTALL)),
    # Around and beneath the document.
    Mutant("what lies around is not reported", f"{_PDF}.revisions:report", _silent, _REVISIONS),
    Mutant("unfinished updates", f"{_PDF}.revisions:refuse_ambiguous", _silent, _REVISIONS),
    Mutant("linearized means never updated", f"{_PDF}.revisions:_is_linearized", lambda _data: True, _REVISIONS),
    Mutant("not linearized", f"{_PDF}.revisions:_is_linearized", lambda _data: False, _REVISIONS),
    # Limits.
    Mutant("side of a page", f"{_PDF}.pages:_MAX_SIDE", 1 << 60, f"{_CASES}::test_p21_page_trees_without_end"),
    Mutant("levels of objects", f"{_PDF}.copier:_NESTED", 150, _BOMBS),
    Mutant("filters on a stream", f"{_PDF}.filters:_CHAIN", 1 << 20, _BOMBS),
    Mutant("broken instructions", f"{_PDF}.content:_MAX_LEFT", 1 << 40, _BOMBS),
    Mutant("widths of a font", f"{_PDF}.fonts:_MAX_CID_WIDTHS", 1 << 40, _BOMBS),
    Mutant("words of a program", f"{_PDF}.functions:_MAX_TOKENS", 1 << 40, _BOMBS),
    *(Mutant(f"counting {name}", f"sanitizers.budget:Budget.{method}", _silent, first) for name, method, first in (
        ("bytes", "spend_bytes", _BOMBS), ("pixels", "check_frame", _BOMBS),
        ("pages", "spend_pages", f"{_HERE}/test_dangers.py::test_pages_past_the_limit_hold_the_file"),
    )),
    # The second opinion.
    *(
        Mutant(f"second opinion on {name}", f"{_VERIFY}.{target}", value, first if "/" in first else f"tests/sanitizers/verify/test_{first}.py")
        for name, target, value, first in (
            ("names", "pdf:_FORBIDDEN", frozenset(), "pdf"), ("attached files", "pdf:_ATTACHING", frozenset(), _CASES),
            ("kinds", "pdf:_FORBIDDEN_KINDS", frozenset(), "pdf"), ("outside streams", "pdf:_FOREIGN", _NEVER_BYTES, "pdf"),
            ("filters", "pdf:_DECODES", _All(), "pdf"), ("links", "pdf:_check_links", _silent, "pdf"),
            ("names written oddly", "pdf:_ODDLY", _NEVER_BYTES, "pdf"), ("sizes of pages", "pdf_pages:_compare_sizes", _silent, "pdf_pages"),
            ("looks of pages", "pdf_pages:FLOOR", -1.0, "pdf_pages"), ("the table", "pdf_walk:_check_table", _silent, "pdf"),
        )
    ),
)  # fmt: skip
TESTS = (_CASES, f"{_HERE}/test_dangers.py", *(f"{_HERE}/test_{name}.py" for name in (
    "catalog", "fonts", "japanese", "images", "revisions", "bombs", "annotations", "forms", "attachments", "encryption", "metadata",
)), "tests/sanitizers/verify/test_pdf.py", "tests/sanitizers/verify/test_pdf_pages.py")  # fmt: skip

if __name__ == "__main__":
    main(MUTANTS, TESTS)
