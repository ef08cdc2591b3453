"""The second opinion on calendars and address cards: every line by a list of its own, no address that starts something."""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from typing import Final

from sanitizers.context import Context
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import text
from sanitizers.verify.parts import Parts

_BLOCKS: Final = frozenset(("VCALENDAR VEVENT VTODO VJOURNAL VFREEBUSY VTIMEZONE STANDARD DAYLIGHT VALARM VCARD").split(" "))
# Names that carry files, pages, sounds, keys, or something to start.
_CARRIERS: Final = re.compile(
    r"ATTACH|X-ALT-DESC|IMAGE|CONFERENCE|SOURCE|STRUCTURED-DATA|SOUND|KEY|LOGO|AGENT|XML|FBURL|CALURI|CALADRURI|STYLED-DESCRIPTION|X-GOOGLE-CONFERENCE"
)
_ACTIVE: Final = re.compile(r"\s*(?:javascript|vbscript|data|file|ms-[a-z]+|search-ms|\\\\|//)", re.IGNORECASE)
_PICTURE: Final = re.compile(r"(?:data:image/(?:jpeg|png|gif);base64,)?([A-Za-z0-9+/]+={0,2})")
_ADDRESSES: Final = frozenset({"URL", "ATTENDEE", "ORGANIZER", "IMPP", "MEMBER", "RELATED"})


def verify(output: Source, original: Source, context: Context) -> None:
    """As text, and line by line. Raises VerificationFailed."""
    text.verify(output, output, context)
    ours, theirs = _blocks(output), _blocks(original)
    if ours - theirs:
        raise VerificationFailed("more blocks than before")
    if ours != theirs and not any(finding.code == "vobject.component" for finding in context.findings):
        raise VerificationFailed("a block is missing")
    parts = Parts(context)
    open_blocks: list[str] = []
    for line in _lines(output):
        head, colon, value = _parted(line)
        if not colon:
            raise VerificationFailed("a line without a value")
        name = head.partition(";")[0].rpartition(".")[2].upper()
        _check(name, value)
        if name == "PHOTO":
            _check_photo(value, context.kind, parts)
        if name == "BEGIN":
            open_blocks.append(value)
        elif name == "END" and (not open_blocks or open_blocks.pop() != value):
            raise VerificationFailed("blocks do not match")
    if open_blocks:
        raise VerificationFailed("blocks do not match")


def _lines(source: Source) -> list[str]:
    unfolded = re.sub("\r\n[ \t]", "", text.decoded(source.bytes()))
    return [line for line in unfolded.split("\r\n") if line]


def _blocks(source: Source) -> Counter[str]:
    """How many of each known block begin, however the lines end."""
    begins = re.findall(r"^BEGIN:[ \t]*([A-Za-z-]+)", text.decoded(source.bytes()), re.MULTILINE | re.IGNORECASE)
    return Counter(name.upper() for name in begins if name.upper() in _BLOCKS)


def _parted(line: str) -> tuple[str, str, str]:
    """Split at the first colon outside of quotes."""
    quoted = False
    for at, char in enumerate(line):
        if char == '"':
            quoted = not quoted
        elif char == ":" and not quoted:
            return line[:at], ":", line[at + 1 :]
    return line, "", ""


def _check(name: str, value: str) -> None:
    if _CARRIERS.fullmatch(name):
        raise VerificationFailed(f"{name} is left")
    if name == "BEGIN" and value.upper() not in _BLOCKS:
        raise VerificationFailed(f"BEGIN:{value[:40]} is left")
    if name == "ACTION" and value.strip().upper() in ("EMAIL", "PROCEDURE"):
        raise VerificationFailed("an alarm that does something")
    if name in _ADDRESSES and _ACTIVE.match(value):
        raise VerificationFailed(f"{name} starts something")


def _check_photo(value: str, kind: Kind, parts: Parts) -> None:
    picture = _PICTURE.fullmatch(value)
    if kind is not Kind.VCF or picture is None:
        raise VerificationFailed("a picture from elsewhere")
    try:
        parts.check(base64.b64decode(picture[1]), "PHOTO")
    except binascii.Error:
        raise VerificationFailed("PHOTO is not base64") from None


VERIFIERS: Final = {Kind.ICS: verify, Kind.VCF: verify}
