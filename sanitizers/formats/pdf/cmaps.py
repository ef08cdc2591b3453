"""Character maps (ISO 32000-2 §9.7.5, §9.10.3; Adobe Technical Note 5014): of the PostScript, only the words of a CMap."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf.shapes import LEFT, OMIT, integer, name, record, shape, shared, string, typed
from sanitizers.formats.pdf.values import Name, Stream, Value

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_WORDS: Final = frozenset(
    b"begincmap endcmap usecmap begincodespacerange endcodespacerange begincidchar endcidchar begincidrange endcidrange "
    b"beginnotdefchar endnotdefchar beginnotdefrange endnotdefrange beginbfchar endbfchar beginbfrange endbfrange "
    b"beginusematrix endusematrix beginrearrangedfont endrearrangedfont "
    b"CMapName begin end def dict dup pop findresource defineresource currentdict true false".split()
)
_TOKEN: Final = re.compile(
    rb"%[^\r\n]*+"
    rb"|(<<|>>|[\[\]]|<[0-9A-Fa-f\x00\t\n\f\r ]*+>|\((?:[^()\\]++|\\[\x00-\xff])*+\)|/[^\x00\t\n\f\r ()<>\[\]{}/%]*+"
    rb"|[+-]?[0-9]++(?:\.[0-9]*+)?(?![^\x00\t\n\f\r ()<>\[\]{}/%]))"
    rb"|([^\x00\t\n\f\r ()<>\[\]{}/%]++)"
)
_TEXTS: Final = (b"/Registry", b"/Ordering")     # the only texts that a reader looks at
# A predefined CMap is looked up by this name, in some readers as a file.
_NAMED: Final = re.compile(rb"[A-Za-z0-9-]{1,64}")
_ENDS_LINE: Final = re.compile(rb"begin|end|def|usecmap|pop")


def rewrite(data: bytes) -> tuple[bytes, bool]:
    """The CMap anew, one instruction a line, and whether any word had to be left out."""
    lines: list[bytes] = []
    line: list[bytes] = []
    dropped = False
    for match in _TOKEN.finditer(data):
        value, word = match[1], match[2]
        if value is not None:
            line.append(b"()" if value[:1] == b"(" and (not line or line[-1] not in _TEXTS) else value)
        elif word is not None and word in _WORDS and not (word == b"usecmap" and not (line and _NAMED.fullmatch(line[-1][1:]))):
            line.append(word)
            if _ENDS_LINE.match(word):
                lines.append(b" ".join(line))
                line = []
        elif word is not None:
            dropped = True
            while line and line[-1][:1] in (b"(", b"/"):
                line.pop()
    lines.append(b" ".join(line))
    return b"\n".join(lines), dropped


_SYSTEM: Final = record(shape({"Registry": string, "Ordering": string, "Supplement": integer}))
_KEYS: Final = "Type Length Filter DecodeParms DL Metadata"


def _encoding(copier: Copier, value: Value, where: str) -> Value:
    """The CMap of a composite font: the name of a predefined one, or a stream."""
    found = copier.resolve(value)
    if isinstance(found, Name):
        return found if _NAMED.fullmatch(found.encode("utf-8", "surrogateescape")) else OMIT
    return _map(copier, found, where)


def _map(copier: Copier, found: Value, where: str) -> Value:
    if not isinstance(found, Stream):
        return OMIT
    fields = copier.fields(found.fields, _CMAP, where)
    data = copier.content_of(found, where)
    if data is None:
        return LEFT
    text, dropped = rewrite(data)
    if dropped:
        copier.drop("pdf.invalid_cmap", where)
    return copier.writer.add_deflated(fields, text)


ENCODING: Final = shared(_encoding)
_CMAP: Final = shape({"Type": typed("CMap"), "CMapName": name, "CIDSystemInfo": _SYSTEM, "WMode": integer, "UseCMap": ENCODING}, _KEYS)
TO_UNICODE: Final = ENCODING
