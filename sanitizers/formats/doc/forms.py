"""Form fields and what stands behind pictures in the data stream: [MS-DOC] 2.9.78 (FFData), 2.9.158 (NilPICFAndBinData)."""

from __future__ import annotations

from typing import Final

from sanitizers.formats.doc import markup, plc
from sanitizers.formats.doc.sprms import unpack
from sanitizers.model import Malformed

_TEXT, _CHECK, _DROP = 0, 1, 2
_KINDS: Final = ("regular", "number", "date", "currentDate", "currentTime", "calculated")
_UNTOUCHED: Final = 25  # iRes: nobody has chosen yet
_LONGEST: Final = 255
_MOST: Final = 64  # entries
_LARGEST: Final = 1 << 16  # bytes of a field: more than its longest texts have


def write(data: bytes, at: int) -> tuple[str, bool]:
    """w:ffData, and whether it named macros; empty for what cannot be read."""
    try:
        size, head = unpack("<iH", data, at)
        return _written(data[at + head : at + min(size, head + _LARGEST)]) if 0 < head < size else ("", False)
    except Malformed:
        return "", False


def _written(data: bytes) -> tuple[str, bool]:
    version, bits, longest, height = unpack("<IHHH", data)
    if version != 0xFFFF_FFFF:
        return "", False
    kind, result = bits & 3, bits >> 2 & 0x1F
    name, at = _string(data, 10)
    if kind == _TEXT:
        default, at = _string(data, at)
        chosen = 0
    else:
        default, (chosen,), at = "", unpack("<H", data, at), at + 2
    form, at = _string(data, at)
    _, at = _string(data, at)
    _, at = _string(data, at)
    entry, at = _string(data, at)
    leave, at = _string(data, at)
    chosen = chosen if result == _UNTOUCHED else result
    own = ""
    if kind == _TEXT:
        own = _text(bits >> 11 & 7, default, longest, form)
    elif kind == _CHECK:
        size = markup.value("size", height) if bits & 0x400 and height else "<w:sizeAuto/>"
        own = f"<w:checkBox>{size}{markup.switch('default', on=chosen == 1)}</w:checkBox>"
    elif kind == _DROP:
        entries = "".join(f"<w:listEntry w:val={markup.attribute(one[:_LONGEST])}/>" for one in plc.strings(data[at:], _MOST))
        own = f"<w:ddList>{markup.value('result', chosen)}{entries}</w:ddList>"
    enabled = markup.switch("enabled", on=not bits & 0x200)
    again = markup.switch("calcOnExit", on=bool(bits & 0x4000))
    return f"<w:ffData><w:name w:val={markup.attribute(name[:_LONGEST])}/>{enabled}{again}{own}</w:ffData>", bool(entry or leave)


def _text(kind: int, default: str, longest: int, form: str) -> str:
    said = markup.value("type", _KINDS[kind]) if 0 < kind < len(_KINDS) else ""
    said += f"<w:default w:val={markup.attribute(default[:_LONGEST])}/>" if default else ""
    said += markup.value("maxLength", longest) if longest else ""
    said += f"<w:format w:val={markup.attribute(form[:_LONGEST])}/>" if form else ""
    return f"<w:textInput>{said}</w:textInput>"


def _string(data: bytes, at: int) -> tuple[str, int]:
    (length,) = unpack("<H", data, at)
    text = data[at + 2 : at + 2 + 2 * length].decode("utf-16-le", "replace")
    return text, at + 4 + 2 * length
