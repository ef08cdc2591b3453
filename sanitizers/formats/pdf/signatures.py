"""Digital signatures (ISO 32000-2 §12.8): checked against the input before the rebuilding voids them, and reported.

Whether the certificate can be trusted is not judged: that needs lists and a clock, which are not here.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from sanitizers import cms
from sanitizers.cms import Check
from sanitizers.der import Broken
from sanitizers.formats.pdf.files import text
from sanitizers.formats.pdf.values import Dictionary, is_integer

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_CHECKS: Final[dict[str, Callable[[bytes, cms.Pieces], Check]]] = {
    "adbe.pkcs7.detached": cms.check_detached, "ETSI.CAdES.detached": cms.check_detached, "adbe.pkcs7.sha1": cms.check_sha1,
    "ETSI.RFC3161": cms.check_time_stamp,
}
_WHITE: Final = b"\x00\t\n\f\r "
# So much of one file may be hashed for all of its signatures together: whoever puts in a thousand of them gets no answer for most.
_HASHED: Final = 2 << 30
_MOST: Final = 200              # signatures that are checked, however small the file


class _Range(NamedTuple):
    """What a signature covers: the bytes before and after itself, itself, and how many bytes follow."""

    pieces: list[memoryview]
    contents: bytes
    after: int


def report(copier: Copier, found: Dictionary, where: str) -> None:
    """One signature dictionary: who, when, intact or not, and over how much of the file."""
    covered = None
    try:
        covered = _covered(copier, found)
        check = _check(copier, found, covered)
    except Broken as why:
        detail = f"{_claimed(copier, found)}; cannot be checked: {why}"
    else:
        state = "intact" if check.intact else "BROKEN: not what was signed"
        by = "time stamp" if check.stamped else "signer's clock"
        time = f"{check.time} by {by}" if check.time else f"time not signed, said to be {_time(copier, found) or 'unknown'}"
        detail = f"{check.signer}; {time}; {state}"
        if not check.intact:
            copier.drop("pdf.signature_broken", where, check.signer)
    if covered is not None:
        detail += f"; {covered.after} bytes were added after signing" if covered.after else "; covers the whole file"
    copier.drop("pdf.signature", where, f"{detail}; trust in the certificate not judged")


def _check(copier: Copier, found: Dictionary, covered: _Range) -> Check:
    kind = copier.named(found.get("SubFilter"))
    if kind not in _CHECKS:
        raise Broken(f"/{str(kind)[:40]}")
    return _CHECKS[kind](covered.contents, covered.pieces)


def _covered(copier: Copier, found: Dictionary) -> _Range:
    """All of the file up to some place, but for the hexadecimal string that is the signature. Raises Broken for any other range."""
    numbers = [copier.resolve(item) for item in copier.reader.array(found.get("ByteRange"))]
    if len(numbers) != 4 or not all(map(is_integer, numbers)):
        raise Broken("no usable /ByteRange")
    view = copier.reader.source.view
    copier.hashed += max(len(view), _HASHED // _MOST)
    if copier.hashed > _HASHED:
        raise Broken("too many signatures")
    start, first, second, length = numbers
    end = second + length
    if start != 0 or not 0 < first < second <= end <= len(view):
        raise Broken("a /ByteRange outside the file")
    gap = bytes(view[first:second]).strip(_WHITE)
    try:
        contents = binascii.unhexlify(gap[1:-1].translate(None, _WHITE)) if gap[:1] + gap[-1:] == b"<>" else None
    except binascii.Error:
        contents = None
    if contents is None or contents != copier.resolve(found.get("Contents")):
        raise Broken("the gap of /ByteRange holds something else")
    return _Range([view[:first], view[second:end]], contents, len(bytes(view[end:]).strip(_WHITE)))


def _claimed(copier: Copier, found: Dictionary) -> str:
    """Who signed and when, as the dictionary says without proof."""
    return f"said to be by {text(copier.resolve(found.get('Name'))) or 'unknown'}, {_time(copier, found) or 'time unknown'}"


def _time(copier: Copier, found: Dictionary) -> str:
    return text(copier.resolve(found.get("M")))[:40]
