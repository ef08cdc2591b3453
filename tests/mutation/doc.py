"""What the tests of Word documents must notice when it is switched off: `python -m tests.mutation.doc`."""

from __future__ import annotations

import re
from typing import Any

from sanitizers.formats.doc import fields, forms
from sanitizers.formats.doc.rebuild import _REPORTED
from sanitizers.formats.office import instructions
from sanitizers.formats.office.pictures import Picture
from tests.mutation.runner import Mutant, main

_DOC = "sanitizers.formats.doc"
_INSTRUCTIONS = "sanitizers.formats.office.instructions"
_DANGERS = "tests/sanitizers/formats/doc/test_dangers.py"
_BROKEN = "tests/sanitizers/formats/doc/test_broken.py"
_BESIDE = "tests/sanitizers/formats/office/test_beside.py"
_NEVER = re.compile(r"(?!)")
_BAD = {"DDE", "DDEAUTO", "INCLUDETEXT", "INCLUDEPICTURE", "LINK", "DATABASE", "MACROBUTTON", "AUTOTEXT", "CONTROL", "EMBED", "QUOTE", "NEXTIF"}


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _macros_kept(data: bytes, at: int) -> tuple[str, bool]:
    return _written(data, at)[0], False


def _never_nested(self: fields.Fields) -> None:
    """A field inside of an instruction counts for nothing."""


_written = forms.write

MUTANTS: tuple[Mutant, ...] = (
    *(Mutant(f"field {name}", f"{_INSTRUCTIONS}:LOCAL", instructions.LOCAL | {name}, _DANGERS) for name in sorted(_BAD - {"EMBED", "QUOTE"})),
    Mutant("fields that are nested", f"{_DOC}.fields:Fields._nest", _never_nested, _DANGERS),
    Mutant("targets of links", f"{_INSTRUCTIONS}:links.allowed", lambda *_: True, _DANGERS),
    Mutant("places of links", f"{_INSTRUCTIONS}:links.is_place", lambda *_: True, _DANGERS),
    *(Mutant(f"word on fields of {reach.name}", f"{_DOC}.fields:_CODES[{reach}]", "doc.comments", _DANGERS) for reach in fields._CODES if reach is not instructions.Reach.UNKNOWN),
    Mutant("words of a macro button", f"{_DOC}.fields:_SHOWN", _NEVER, _DANGERS),
    Mutant("ruby", f"{_DOC}.fields:_RUBY", _NEVER),
    *(Mutant(f"word on {which.name.lower()}", f"{_DOC}.rebuild:_REPORTED[{which}]", "doc.comments", _DANGERS) for which in _REPORTED),
    *(Mutant(f"word on {name!r}", f"{_DOC}.rebuild:_CODES[{name}]", "doc.comments", _DANGERS) for name in ("macros", "objectpool", "\x01ole10native")),
    Mutant("word on storages", f"{_DOC}.rebuild:beside.report", _nothing, _DANGERS),
    Mutant("sources of macros", "sanitizers.formats.office.vba:_scan", _nothing, _BESIDE),
    Mutant("names of macros", "sanitizers.formats.office.beside:vba.describe", lambda *_: "", _BESIDE),
    Mutant("layers beside the text", "sanitizers.context:Context.scan_layer", _nothing, _BESIDE),
    Mutant("passwords of masks", "sanitizers.formats.office.masks:verifier", lambda _: 0x12345678, _BROKEN),
    Mutant("bytes that a mask leaves", "sanitizers.formats.office.masks:unmasked", lambda stream, password: stream, _BROKEN),
    Mutant("word on parts", f"{_DOC}.rebuild:_report_parts", _nothing, _DANGERS),
    Mutant("commands of macros", f"{_DOC}.rebuild:_has_macros", lambda *_: False, _DANGERS),
    Mutant("templates", f"{_DOC}.templates:report", _nothing, _DANGERS),
    Mutant("ordinary templates", f"{_DOC}.templates:_ORDINARY", frozenset(), _DANGERS),
    Mutant("authors", "sanitizers.formats.office.properties:_GONE", {}, _DANGERS),
    Mutant("all properties are marks", "sanitizers.formats.office.properties:MARK", re.compile(""), _DANGERS),
    Mutant("no property is a mark", "sanitizers.formats.office.properties:MARK", _NEVER),
    Mutant("macros of forms", f"{_DOC}.runs:forms.write", _macros_kept, _DANGERS),
    Mutant("pictures as they are", f"{_DOC}.drawings:pictures.rebuild", lambda _n, data, *_: Picture(data, "png")),
    Mutant("linked pictures", f"{_DOC}.drawings:_SHAPE_FILE", 0x65, _DANGERS),
    Mutant("old generations", f"{_DOC}.fib:WORD_97", 0, _BROKEN),
    Mutant("older generations", f"{_DOC}.fib:_OLDER", frozenset(), _BROKEN),
    Mutant("verifier of a password", f"{_DOC}.encryption:DocumentRC4.verifypw", lambda *_: True, _BROKEN),
    Mutant("verifier of another password", f"{_DOC}.encryption:DocumentRC4CryptoAPI.verifypw", lambda *_: True, _BROKEN),
    Mutant("depth of fields", f"{_DOC}.fields:_DEEPEST", 1 << 20, _BROKEN),
    Mutant("depth of tables", f"{_DOC}.story:_DEEPEST", 1 << 20, _BROKEN),
    Mutant("depth of styles", f"{_DOC}.styles:_DEEPEST", 1 << 20, _BROKEN),
    Mutant("second opinion on letters", "sanitizers.verify.doc:_LEAST", 0, _BROKEN),
    Mutant("second opinion on what fields are told", "sanitizers.verify.doc:_BEGIN", "\x12", _BROKEN),
)  # fmt: skip
TESTS = ("tests/sanitizers/formats/doc",)

if __name__ == "__main__":
    main(MUTANTS, TESTS)
