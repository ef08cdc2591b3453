"""What lies around and beneath the current revision (ISO 32000-2 §7.5.5, §7.5.6): none of it is copied, and none may be mistaken for it."""

from __future__ import annotations

import re
from typing import Final

from sanitizers.context import Context
from sanitizers.formats.pdf.reader import Reader
from sanitizers.model import Action, Malformed
from sanitizers.source import Source

_AROUND: Final = b"\x00\t\n\f\r "
_HEADER_WITHIN: Final = 4096
# The first section of a linearized file ends with `startxref 0`: that is no end of a revision.
_END: Final = re.compile(rb"startxref[\x00\t\n\f\r ]++(?!0+[\r\n])[0-9]++[\x00\t\n\f\r ]++%%EOF")
_OBJECT: Final = re.compile(rb"[\r\n ][0-9]{1,10} [0-9]{1,5} obj\b")
_LINEARIZED: Final = re.compile(rb"/Linearized\b[^>]*?/L\s+([0-9]+)|/L\s+([0-9]+)[^>]*?/Linearized\b")


def report(source: Source, reader: Reader, context: Context) -> None:
    """Data before the header and after the end, earlier revisions, encryption."""
    data = source.bytes()
    start = data.find(b"%PDF-", 0, _HEADER_WITHIN)
    if start > 0 and data[:start].strip(_AROUND + b"\xef\xbb\xbf"):
        context.found("pdf.leading_data", "", Action.REMOVED, f"{start} bytes")
    end = data.rfind(b"%%EOF")
    if end >= 0 and (rest := data[end + 5 :].strip(_AROUND + b"\x1a")):
        context.found("pdf.trailing_data", "", Action.REMOVED, f"{len(rest)} bytes")
    if "Prev" in reader.trailer and not _is_linearized(data):
        context.found("pdf.old_revision", "", Action.REMOVED)
    if reader.password is not None:
        code = "file.decrypted" if reader.password else "pdf.encryption"
        context.found(code, "", Action.REWRITTEN)


def refuse_ambiguous(source: Source, reader: Reader) -> None:
    """To be asked last, because a table may turn out wrong at any object. Raises Malformed, or LimitExceeded for an object stream.

    Where the cross-reference table had to be rebuilt from the objects in the file, readers agree on the last object of each number. They do
    not where objects follow the end of the last whole revision: some go back to that revision, others take what there is of the next one.
    """
    if not any("reconstruct" in warning for warning in reader.warnings()):
        return
    data = source.bytes()
    ends = [match.end() for match in _END.finditer(data)]
    if ends and _OBJECT.search(data, ends[-1]):
        raise Malformed("an update that was not finished: readers could show either revision", code="pdf.ambiguous_revision")


def _is_linearized(data: bytes) -> bool:
    """Linearized and not updated since: the length in its first object is the file's own."""
    match = _LINEARIZED.search(data[:2048])
    return match is not None and abs(int(match[1] or match[2]) - len(data.rstrip())) < 16
