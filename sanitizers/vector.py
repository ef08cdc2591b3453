"""A drawing of our own making (SVG), as pixels: by policy, for places where no program shall read drawings.

A jailed process opens no file: the font is mapped into memory when this module is loaded, and given to resvg when it draws. resvg looks
for families by name and leaves out text of families that it does not have, so all text is set in the one that is there.
"""

from __future__ import annotations

import copy
import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import resvg
from resvg import usvg

from sanitizers import xml
from sanitizers.context import Context
from sanitizers.model import Malformed, Unsupported

SVG: Final = "http://www.w3.org/2000/svg"
# Longer side in pixels: small drawings are drawn larger, as they have no pixels of their own; very large ones smaller.
LEAST, MOST = 1_600, 8_000
_FONTS: Final = {
    "Noto Sans CJK JP": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "IPAexGothic": "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
    "IPAGothic": "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
}
_FAMILY: Final = re.compile(r"(font-family:)[^;}]*|(font:[^;}]*?[0-9.]+[a-z%]*(?:/[0-9.]+[a-z%]*)?)\s[^;}]*")

Element = Any  # lxml's elements have no public type


def _first_font() -> tuple[str, mmap.mmap] | None:
    for family, path in _FONTS.items():
        if Path(path).is_file():
            with Path(path).open("rb") as file:
                return family, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return None


_FONT: Final = _first_font()


def draw(root: Element, context: Context, code: str) -> bytes:
    """A PNG with transparency. Raises Unsupported where there is text but no font, Malformed with `code` where nothing can be drawn."""
    options = usvg.Options.default()
    drawing = copy.deepcopy(root)
    if next(drawing.iter(f"{{{SVG}}}text"), None) is not None:
        if _FONT is None:
            raise Unsupported("no font is installed to draw the text with")
        family, data = _FONT
        options.load_font_data(data[:])
        options.font_family = family
        _set_family(drawing, family)
    with _drawing(code):
        width, height = _tree(drawing, options).int_size()
        scale = min(max(1.0, LEAST / max(width, height)), MOST / max(width, height))
        drawing.set("width", str(max(1, round(width * scale))))
        drawing.set("height", str(max(1, round(height * scale))))
        if drawing.get("viewBox") is None:
            drawing.set("viewBox", f"0 0 {width} {height}")
        tree = _tree(drawing, options)
        context.budget.check_frame(*tree.int_size())
        return resvg.render(tree, (1, 0, 0, 0, 1, 0))


def _tree(drawing: Element, options: usvg.Options) -> usvg.Tree:
    return usvg.Tree.from_str(xml.serialize(drawing).decode(), options)


def _set_family(drawing: Element, family: str) -> None:
    """In attributes, styles and style sheets, which are all written by our own rules."""
    for element in drawing.iter():
        element.attrib.pop("font-family", None)
        if element.get("style"):
            element.set("style", _one_family(element.get("style"), family))
        if element.tag == f"{{{SVG}}}style" and element.text:
            element.text = _one_family(element.text, family)
    drawing.set("font-family", family)


def _one_family(css: str, family: str) -> str:
    return _FAMILY.sub(lambda found: f"{found[1] or found[2]} '{family}'", css)


@contextmanager
def _drawing(code: str) -> Iterator[None]:
    """resvg's binding panics on drawings without a size and the like; its exception has no name that can be imported."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Malformed(f"cannot be drawn: {error}"[:200], code=code) from None
