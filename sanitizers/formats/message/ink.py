"""The colour of text and of what is behind it, as far as attributes and inline styles say: white on white is not meant to be seen.

Only a hint: style sheets and pictures may put another colour behind, so such text is shown and marked, not dropped.
Spec: CSS Color 4 §6 (names, hexadecimal, rgb), HTML §15.3 (bgcolor, text, color).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_NAMES: Final = {
    "white": "ffffff", "black": "000000", "red": "ff0000", "lime": "00ff00", "green": "008000", "blue": "0000ff", "yellow": "ffff00",
    "silver": "c0c0c0", "gray": "808080", "grey": "808080", "navy": "000080", "snow": "fffafa", "ivory": "fffff0", "whitesmoke": "f5f5f5",
}  # fmt: skip
_STYLE: Final = re.compile(r"(?<![-\w])(color|background(?:-color|-image)?)\s*:\s*([^;]{0,200})", re.IGNORECASE)
_HEX: Final = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-z])")
_RGB: Final = re.compile(r"rgba?\(\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*(?:[,/]\s*(?:1(?:\.0*)?|100%)\s*)?\)")


class Ink(NamedTuple):
    """Two colours as six hexadecimal digits; '' where nothing is known."""

    text: str = "000000"
    ground: str = "ffffff"

    @property
    def unseen(self) -> bool:
        return self.text != "" and self.text == self.ground


def below(above: Ink, tag: str, attributes: dict[str, str | None]) -> Ink:
    """The ink inside an element. Links have a colour of their own."""
    text, ground = above
    if tag == "a":
        text = ""
    if value := attributes.get("color") or attributes.get("text"):
        text = _colour(value)
    if value := attributes.get("bgcolor"):
        ground = _colour(value)
    if attributes.get("background"):
        ground = ""
    for name, value in _STYLE.findall(attributes.get("style") or ""):
        if name.lower() == "color":
            text = _colour(value)
        elif "url(" in value.lower() or "gradient" in value.lower():
            ground = ""
        elif value.strip().lower() not in ("none", "transparent", "inherit", "initial", "unset"):
            ground = _colour(value)
    return Ink(text, ground)


def _colour(value: str) -> str:
    value = value.replace("!important", "").strip().lower()
    if value in _NAMES:
        return _NAMES[value]
    if match := _HEX.match(value):
        return match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
    if match := _RGB.match(value):
        return "".join(f"{min(int(number), 255):02x}" for number in match.groups())
    return ""
