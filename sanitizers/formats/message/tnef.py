"""winmail.dat: a stream of attributes, some of them lists of MAPI properties, as an Outlook item.

Wrong checksums and rubbish after the last attribute are passed over, as every reader does; an attribute longer than the file is not.
Spec: MS-OXTNEF.
"""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.formats.message import mapi
from sanitizers.formats.message.mapi import File, Item, Properties
from sanitizers.model import LimitExceeded, Malformed

SIGNATURE: Final = b"\x78\x9f\x3e\x22"
_IMESSAGE: Final = bytes.fromhex("0703020000000000c000000000000046")
_SUBJECT, _BODY, _MESSAGE_CODE_PAGE = 0x8004, 0x800C, 0x9007
_PROPERTIES, _RECIPIENTS, _ATTACHMENT = 0x9003, 0x9004, 0x9005
_RENDERING, _TITLE, _CONTENT = 0x9002, 0x8010, 0x800F
_FIXED: Final = {0x2: 4, 0x3: 4, 0x4: 4, 0x5: 8, 0x6: 8, 0x7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE: Final = (mapi.STRING8, mapi.UNICODE, mapi.BINARY, mapi.OBJECT)
_WHOLE: Final = (0x2, 0x3, 0xB, 0x14, 0x40)
_MULTIPLE: Final = 0x1000
_NO_FIELDS: Final = 1 << 16


def read(data: bytes, depth: int = 0) -> Item:
    """The item in a TNEF stream. Raises Malformed and LimitExceeded."""
    if depth > mapi.DEPTH_LIMIT:
        raise LimitExceeded(f"TNEF nested more than {mapi.DEPTH_LIMIT} levels")
    if not data.startswith(SIGNATURE):
        raise Malformed("no TNEF signature", code="mail.tnef_broken")
    item = Item()
    try:
        for level, tag, value in _attributes(data):
            (_of_message if level == 1 else _of_attachment)(item, tag, value, depth)
    except (struct.error, IndexError) as error:
        raise Malformed("TNEF shorter than it says", code="mail.tnef_broken") from error
    return item


def _attributes(data: bytes) -> list[tuple[int, int, bytes]]:
    """(1 for the message or 2 for an attachment, tag, value) in order."""
    found, at = [], 6
    while at + 9 <= len(data) and data[at] in (1, 2):
        level, tag, size = struct.unpack_from("<BH2xI", data, at)
        if at + 9 + size > len(data):
            raise Malformed("TNEF attribute longer than the file", code="mail.tnef_broken")
        found.append((level, tag, data[at + 9 : at + 9 + size]))
        at += 9 + size + 2
        if len(found) > mapi.PROPERTY_LIMIT:
            raise LimitExceeded(f"more than {mapi.PROPERTY_LIMIT} TNEF attributes")
    return found


def _of_message(item: Item, tag: int, value: bytes, depth: int) -> None:
    if tag == _MESSAGE_CODE_PAGE:
        item.code_page = struct.unpack_from("<I", value)[0]
    elif tag == _SUBJECT:
        item.properties.setdefault(mapi.SUBJECT, value)
    elif tag == _BODY:
        item.properties.setdefault(mapi.BODY, value)
    elif tag == _PROPERTIES:
        item.properties |= _List(value, depth).properties()
    elif tag == _RECIPIENTS:
        rows = _List(value, depth)
        item.recipients = [rows.properties() for _ in range(rows.count())]


def _of_attachment(item: Item, tag: int, value: bytes, depth: int) -> None:
    """Attributes of one attachment follow its rendering data; some writers leave that out."""
    if tag == _RENDERING or not item.files:
        item.files.append(File())
    file = item.files[-1]
    if tag == _TITLE:
        file.properties.setdefault(mapi.SHORT_NAME, value)
    elif tag == _CONTENT:
        file.content = value
    elif tag == _ATTACHMENT:
        values = _List(value, depth)
        file.properties |= values.properties()
        file.item = values.item
        content = file.properties.pop(mapi.DATA, b"")
        if isinstance(content, bytes) and content:
            file.content = content


class _List:
    """A cursor over MAPI properties (MS-OXTNEF §2.1.3.4)."""

    def __init__(self, data: bytes, depth: int) -> None:
        self._data = data
        self._at = 0
        self._depth = depth
        self.item: Item | None = None  # an attached message, if one of the properties was one

    def count(self) -> int:
        number = int(struct.unpack_from("<I", self._data, self._at)[0])
        self._at += 4
        if number > mapi.PROPERTY_LIMIT:
            raise LimitExceeded(f"{number} MAPI properties")
        return number

    def properties(self) -> Properties:
        found: Properties = {}
        for _ in range(self.count()):
            kind, tag = struct.unpack_from("<HH", self._data, self._at)
            self._at += 4
            if tag >= 0x8000:
                self._pass_name()
            value = self._value(kind, tag)
            if value is not None and tag < 0x8000:
                found[tag] = value
        return found

    def _pass_name(self) -> None:
        """A named property: a GUID, then a number or a text."""
        kind = struct.unpack_from("<I", self._data, self._at + 16)[0]
        self._at += 20
        if kind == 0:
            self._at += 4
        else:
            self._bytes()

    def _bytes(self) -> bytes:
        size = struct.unpack_from("<I", self._data, self._at)[0]
        start = self._at + 4
        if start + size > len(self._data):
            raise Malformed("MAPI property longer than its list", code="mail.tnef_broken")
        self._at = start + (size + 3) // 4 * 4
        return self._data[start : start + size]

    def _value(self, kind: int, tag: int) -> str | bytes | int | None:
        """The value, or the first of several; None for types that say nothing here."""
        single = kind & ~_MULTIPLE
        if single in _VARIABLE:
            values = [self._bytes() for _ in range(self.count())]
            return self._variable(single, tag, values[0]) if values else None
        size = _FIXED.get(single)
        if size is None:
            if single in (0, 1):
                return None
            raise Malformed(f"MAPI property of type {kind:#06x}", code="mail.tnef_broken")
        number = self.count() if kind & _MULTIPLE else 1
        raw = self._data[self._at : self._at + size]
        self._at += size * number
        if self._at > len(self._data):
            raise Malformed("MAPI property longer than its list", code="mail.tnef_broken")
        return int.from_bytes(raw, "little") if single in _WHOLE else None

    def _variable(self, kind: int, tag: int, value: bytes) -> str | bytes:
        if kind == mapi.UNICODE:
            return value.decode("utf-16-le", "surrogatepass") if len(value) % 2 == 0 else value.decode("utf-16-le", "ignore")
        if kind == mapi.OBJECT and tag == mapi.DATA:
            if value.startswith(_IMESSAGE):
                self.item = read(value[16:], self._depth + 1)
                return b""
            return value[16:]
        return value
