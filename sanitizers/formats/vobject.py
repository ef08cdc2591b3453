"""Calendars (ICS) and address cards (VCF): lines of name, parameters and value.

Removes: attachments, HTML descriptions, sounds, keys, remote pictures, alarms that send mail or start programs, unknown properties.
Keeps:   known components and properties with their values, pictures of people (rebuilt), the encoding.
Refuses: blocks that do not match, what is no list of properties.
Spec:    RFC 5545 (iCalendar), RFC 6350, RFC 2426, vCard 2.1.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from sanitizers import charset
from sanitizers.context import Context, Rebuilt
from sanitizers.formats import text as plain
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Kind, Malformed
from sanitizers.source import Source

_COMPONENTS: Final = {
    Kind.ICS: frozenset({"VCALENDAR", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE", "STANDARD", "DAYLIGHT", "VALARM"}),
    Kind.VCF: frozenset({"VCARD"}),
}
_PROPERTIES: Final = {
    Kind.ICS: frozenset({
        "BEGIN", "END", "VERSION", "PRODID", "CALSCALE", "METHOD", "NAME", "COLOR", "REFRESH-INTERVAL", "CATEGORIES", "CLASS", "COMMENT",
        "DESCRIPTION", "GEO", "LOCATION", "PERCENT-COMPLETE", "PRIORITY", "RESOURCES", "STATUS", "SUMMARY", "COMPLETED", "DTEND", "DUE",
        "DTSTART", "DURATION", "FREEBUSY", "TRANSP", "TZID", "TZNAME", "TZOFFSETFROM", "TZOFFSETTO", "ATTENDEE", "CONTACT", "ORGANIZER",
        "RECURRENCE-ID", "RELATED-TO", "URL", "UID", "EXDATE", "EXRULE", "RDATE", "RRULE", "ACTION", "REPEAT", "TRIGGER", "ACKNOWLEDGED",
        "CREATED", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "REQUEST-STATUS", "X-WR-CALNAME", "X-WR-CALDESC", "X-WR-TIMEZONE",
        "X-WR-RELCALID", "X-LIC-LOCATION", "X-PUBLISHED-TTL", "X-APPLE-CALENDAR-COLOR", "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR", "X-WR-ALARMUID",
        "X-PRIMARY-CALENDAR", "X-CALSTART", "X-CALEND", "X-CLIPSTART", "X-CLIPEND", "X-OWNER", "X-MS-OLK-FORCEINSPECTOROPEN",
        "X-MS-OLK-CONFTYPE", "X-MS-OLK-APPTSEQTIME", "X-MS-OLK-AUTOFILLLOCATION", "X-MS-OLK-AUTOSTARTCHECK", "X-MS-OLK-WKHRSTART",
        "X-MS-OLK-WKHREND", "X-MS-OLK-WKHRDAYS",
    }),
    Kind.VCF: frozenset({
        "BEGIN", "END", "VERSION", "PRODID", "REV", "UID", "KIND", "CLASS", "FN", "N", "NICKNAME", "BDAY", "ANNIVERSARY", "GENDER", "ADR",
        "LABEL", "TEL", "EMAIL", "MAILER", "IMPP", "LANG", "TZ", "GEO", "TITLE", "ROLE", "ORG", "MEMBER", "RELATED", "CATEGORIES", "NOTE",
        "SORT-STRING", "NAME", "URL", "PHOTO", "X-PHONETIC-FIRST-NAME", "X-PHONETIC-MIDDLE-NAME", "X-PHONETIC-LAST-NAME", "X-PHONETIC-ORG",
        "X-ABLABEL", "X-ABSHOWAS", "X-REDUCTION", "X-GNO", "X-GN", "X-DCM-SOUND",
    }),
}  # fmt: skip
# Families of vendor properties whose values are tokens and numbers: busy states, ids and flags.
_VENDOR: Final = re.compile(r"X-(?:MICROSOFT-(?:CDO|DISALLOW|MSN|ONLINE|LOCATION)[A-Z-]*|MOZ-[A-Z-]+|MS-CARDPICTURE-?|GOOGLE-CALENDAR-ID)")
_PLAIN_VALUE: Final = re.compile(r"[^<>\\]{0,500}")
_PARAMETERS: Final = frozenset({
    "CN", "CUTYPE", "DELEGATED-FROM", "DELEGATED-TO", "LANGUAGE", "MEMBER", "PARTSTAT", "RANGE", "RELATED", "RELTYPE", "ROLE", "RSVP",
    "SENT-BY", "TZID", "VALUE", "FBTYPE", "EMAIL", "TYPE", "PREF", "PID", "ALTID", "SORT-AS", "LABEL", "GEO", "TZ", "CALSCALE", "CHARSET",
    "ENCODING", "X-NUM-GUESTS", "SCHEDULE-AGENT", "SCHEDULE-STATUS", "WORK", "HOME", "VOICE", "FAX", "CELL", "PAGER", "MSG", "INTERNET",
    "DOM", "INTL", "POSTAL", "PARCEL", "QUOTED-PRINTABLE", "BASE64", "VIDEO", "CAR", "ISDN", "BBS", "MODEM", "JPEG", "PNG", "GIF", "X-CELL",
})  # fmt: skip
_ADDRESSES: Final = frozenset({"ATTENDEE", "ORGANIZER", "URL", "IMPP", "MEMBER", "RELATED", "TEL", "EMAIL"})
_ALWAYS: Final = frozenset({"mailto", "tel", "urn", "geo", "sip", "sips", "xmpp", "uuid", "invalid", "fax", "im"})
_SCHEME: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]{1,30}):(?!\d)")
_LINE: Final = re.compile(
    r"(?:([A-Za-z0-9-]{1,60})\.)?([A-Za-z0-9-]{1,60})"
    r'((?:;[A-Za-z0-9-]{1,60}(?:=(?:"[^"]*"|[^",;:]*)(?:,(?:"[^"]*"|[^",;:]*))*)?)*):(.*)',
    re.DOTALL,
)
_PARAMETER: Final = re.compile(r';([A-Za-z0-9-]{1,60})((?:=(?:"[^"]*"|[^",;:]*)(?:,(?:"[^"]*"|[^",;:]*))*)?)')
_FOLD: Final = re.compile("\r?\n[ \t]")
_QUOTED_PRINTABLE: Final = re.compile(r"=?QUOTED-PRINTABLE$", re.IGNORECASE)
_DATA_URL: Final = re.compile(r"data:image/[a-z+]{1,10};base64,", re.IGNORECASE)
_PICTURES: Final = {Kind.JPEG: "JPEG", Kind.PNG: "PNG", Kind.GIF: "GIF"}
_BLOCKING_ACTIONS: Final = frozenset({"EMAIL", "PROCEDURE"})
_OCTETS: Final = 75


class Line(NamedTuple):
    """One property: its group (`item1`), upper-case name, parameters as written, and value."""

    group: str
    name: str
    parameters: tuple[tuple[str, str], ...]
    value: str

    def __str__(self) -> str:
        group = f"{self.group}." if self.group else ""
        return group + self.name + "".join(f";{name}{value}" for name, value in self.parameters) + ":" + self.value


def sanitize(source: Source, context: Context) -> Rebuilt:
    """The known properties of the known components, folded anew; see the module's first lines."""
    text, encoding, bom = plain.read(source, context)
    text = plain.clean(text, context)
    kept = _kept(list(_lines(text, context)), context)
    written = "".join(_folded(str(line), encoding) + "\r\n" for line in kept)
    return Rebuilt(Source(plain.write(written, encoding, bom, context)), context.kind)


def _lines(text: str, context: Context) -> Iterator[Line]:
    """Every line that can be read as a property; the others are reported."""
    for line in _unfolded(text):
        match = _LINE.fullmatch(line)
        if match is None:
            context.found("vobject.line", "", Action.REMOVED)
            continue
        parameters = tuple((name.upper(), value) for name, value in _PARAMETER.findall(match[3]))
        yield Line(match[1] or "", match[2].upper(), parameters, match[4])


def _unfolded(text: str) -> Iterator[str]:
    """Whole lines; a quoted-printable value of vCard 2.1 goes on behind a `=` at the end of its line."""
    pieces: list[str] = []
    for raw in _FOLD.sub("", text).replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        quoted = "QUOTED-PRINTABLE" in (pieces[0] if pieces else raw)[:200].upper()
        if quoted and raw.endswith("="):
            pieces.append(raw[:-1])
            continue
        pieces.append(raw)
        if line := "".join(pieces).strip("\n"):
            yield line
        pieces = []
    if pieces:
        yield "".join(pieces)


def _kept(lines: list[Line], context: Context) -> list[Line]:
    """Known lines of known components; raises Malformed where the blocks do not match."""
    context.budget.spend_cells(len(lines))
    out: list[Line] = []
    open_blocks: list[str] = []
    dropped = 0     # depth at which a dropped component began
    ends = _doomed_alarms(lines)
    for number, line in enumerate(lines):
        value = line.value.strip().upper()
        if line.name == "BEGIN":
            open_blocks.append(value)
            if not dropped and (value not in _COMPONENTS[context.kind] or number in ends):
                context.found("vobject.component", value[:60])
                dropped = len(open_blocks)
        elif not open_blocks:
            raise Malformed("a property outside of every block")
        if not dropped and (new := _property(line, context)):
            out.append(new)
        if line.name == "END":
            if value != open_blocks.pop():
                raise Malformed(f"END:{value[:60]} ends something else")
            if len(open_blocks) < dropped:
                dropped = 0
    if open_blocks or not out:
        raise Malformed("a block without its end")
    return out


def _doomed_alarms(lines: list[Line]) -> set[int]:
    """Numbers of the lines that begin an alarm which would send mail or start a program."""
    doomed, begins = set(), 0
    for number, line in enumerate(lines):
        if line.name == "BEGIN":
            begins = number
        elif line.name == "ACTION" and line.value.strip().upper() in _BLOCKING_ACTIONS:
            doomed.add(begins)
    return doomed


def _property(line: Line, context: Context) -> Line | None:
    if line.name == "PHOTO" and context.kind is Kind.VCF:
        return _photo(line, context)
    known = line.name in _PROPERTIES[context.kind] or (_VENDOR.fullmatch(line.name) and _PLAIN_VALUE.fullmatch(line.value))
    if not known:
        context.found("vobject.property", line.name)
        return None
    if line.name in _ADDRESSES and not _allowed(line.value, context.treatment.link_schemes):
        context.found("vobject.link", line.name)
        return None
    parameters = tuple(parameter for parameter in line.parameters if parameter[0] in _PARAMETERS)
    if len(parameters) < len(line.parameters):
        left = {name for name, _ in line.parameters} - _PARAMETERS
        context.found("vobject.parameter", f"{line.name};{min(left)}")
    return _decoded(Line(line.group, line.name, parameters, line.value), context)


def _allowed(address: str, schemes: tuple[str, ...]) -> bool:
    """A scheme that policy lets through, or none; a path to another computer's share is none of them."""
    if address.lstrip().startswith(("\\", "//")):
        return False
    scheme = _SCHEME.match(address)
    return scheme is None or scheme[1].lower() in _ALWAYS or scheme[1].lower() in schemes


def _decoded(line: Line, context: Context) -> Line:
    """A quoted-printable value is cleaned like all other text, and quoted again."""
    if not any(_QUOTED_PRINTABLE.match(value) or name == "QUOTED-PRINTABLE" for name, value in line.parameters):
        return line
    label = next((value[1:].strip('"') for name, value in line.parameters if name == "CHARSET"), None)
    decoded = charset.decode(quopri.decodestring(line.value.encode("utf-8", "replace")), label)
    text = plain.clean(decoded.text, context)
    if text == decoded.text and not decoded.replaced:
        return line
    if decoded.replaced:
        context.found("text.undecodable", line.name, Action.REWRITTEN, f"{decoded.replaced}")
    quoted = "".join(f"={byte:02X}" for byte in charset.encode(text, decoded.charset))
    return line._replace(value=quoted)


def _photo(line: Line, context: Context) -> Line | None:
    """The picture of a person, round the whole engine; one that would be fetched from elsewhere stays behind."""
    inline = _DATA_URL.match(line.value)
    try:
        data = base64.b64decode(re.sub(r"\s", "", line.value[inline.end() if inline else 0 :]), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        context.found("vobject.property", line.name)
        return None
    context.budget.spend_bytes(len(data))
    outcome = context.embed("photo", data, "PHOTO")
    output = outcome.report.output
    name = _PICTURES.get(output.kind) if output else None
    if outcome.content is None or name is None:
        context.found("vobject.photo", "PHOTO")
        return None
    written = base64.b64encode(outcome.content.bytes()).decode("ascii")
    if inline:
        return Line(line.group, line.name, (), f"data:image/{name.lower()};base64,{written}")
    old = any(parameter in (("ENCODING", "=BASE64"), ("BASE64", "")) for parameter in line.parameters)
    encoding = (("ENCODING", "=BASE64"), (name, "")) if old else (("ENCODING", "=b"), ("TYPE", f"={name}"))
    return Line(line.group, line.name, encoding, written)


def _folded(line: str, encoding: str) -> str:
    """At most 75 octets of UTF-8 a line (RFC 5545 3.1); other encodings, and what vCard 2.1 breaks in its own way, stay unfolded."""
    if encoding not in ("utf-8", "us-ascii") or len(line.encode()) <= _OCTETS or "QUOTED-PRINTABLE" in line[:200].upper():
        return line
    pieces, size, start = [], 0, 0
    for at, char in enumerate(line):
        size += len(char.encode())
        if size > _OCTETS:
            pieces.append(line[start:at])
            start, size = at, len(char.encode()) + 1
    return "\r\n ".join([*pieces, line[start:]])


SANITIZER: Final = Sanitizer(
    family="calendar and address card",
    kinds=frozenset({Kind.ICS, Kind.VCF}),
    sanitize=sanitize,
    removes="attachments, HTML descriptions, sounds, remote pictures, alarms that send or start something, unknown properties",
    keeps="known components and properties, pictures of people (rebuilt), the encoding",
    refuses="blocks that do not match",
    spec="RFC 5545, RFC 6350, vCard 2.1",
)
