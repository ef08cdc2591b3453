"""Form fields drawn into the page: nothing is left to fill in or to press (ISO 32000-2 §12.5.5, algorithm for appearance streams)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import appearances, syntax
from sanitizers.formats.pdf.syntax import HEX, LITERAL, REGULAR, real
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Value, is_integer
from sanitizers.model import Action

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_HIDDEN, _NO_VIEW = 1 << 1, 1 << 5
_STATE: Final = re.compile(
    LITERAL + rb"|" + HEX + rb"|/" + REGULAR + rb"*+|(?<![^\x00\t\n\f\r \]>)])([qQ])(?!" + REGULAR + rb")|\bBI\b.*?[\s]ID[\s].*?[\s]EI\b",
    re.DOTALL,
)
_PREFIX: Final = "Field"


def draw(copier: Copier, page: Dictionary, widgets: list[tuple[Dictionary, Dictionary]], where: str, *, anew: bool) -> None:
    """Adds the appearance of each widget to the content of a new page. `widgets`: as found and as rebuilt.

    `anew`: looks are made from the values, because the form says that those it brings are out of date.
    """
    resources: Dictionary = page["Resources"]
    objects, groups = dict(resources.get("XObject", {})), dict(resources.get("Properties", {}))
    lines: list[bytes] = []
    for found, widget in widgets:
        form = _form(copier, found, widget, anew=anew)
        placed = _placed(copier, form, widget) if form is not None and _is_shown(widget) else b""
        if not placed:
            continue
        name = _free(objects, _PREFIX)
        objects[name] = form
        line = b"q %b cm %b Do Q\n" % (placed, syntax.encode_name(name))
        if "OC" in widget:
            label = _free(groups, _PREFIX)
            groups[label] = widget["OC"]
            line = b"/OC %b BDC\n%bEMC\n" % (syntax.encode_name(label), line)
        lines.append(line)
    if lines:
        page["Resources"] = {**resources, "XObject": objects, **({"Properties": groups} if groups else {})}
        _append(copier, page, b"".join(lines))
    copier.context.found("pdf.form_flattened", where, Action.REWRITTEN, f"{len(widgets)}")


def _is_shown(widget: Dictionary) -> bool:
    flags = widget.get("F", 0)
    return not (is_integer(flags) and flags & (_HIDDEN | _NO_VIEW))


def _form(copier: Copier, found: Dictionary, widget: Dictionary, *, anew: bool) -> Ref | None:
    """The normal appearance in its present state, or one made from the value."""
    normal: Value = widget.get("AP", {}).get("N")
    kind = appearances.inherited(copier, found, "FT")
    if normal is None or (anew and kind in ("Tx", "Ch")):
        return appearances.appearance(copier, found, widget)
    if isinstance(normal, dict):
        state = widget.get("AS") or appearances.inherited(copier, found, "V")
        normal = normal.get(state if isinstance(state, Name) and state in normal else "Off")
    if anew and not isinstance(normal, Ref):    # a box that is not ticked has its border all the same
        return appearances.appearance(copier, found, widget)
    return normal if isinstance(normal, Ref) else None


def _placed(copier: Copier, form: Ref, widget: Dictionary) -> bytes:
    """The matrix that lays the form's box, turned by its own matrix, onto the annotation's rectangle. Empty: nothing to see."""
    fields = copier.writer.stream(form)[0]
    a, b, c, d, e, f = fields.get("Matrix", (1, 0, 0, 1, 0, 0))
    x0, y0, x1, y1 = fields["BBox"]
    xs = [a * x + c * y + e for x in (x0, x1) for y in (y0, y1)]
    ys = [b * x + d * y + f for x in (x0, x1) for y in (y0, y1)]
    left, bottom, right, top = widget["Rect"]
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    if wide <= 0 or high <= 0 or left == right or bottom == top:
        return b""
    scale_x, scale_y = abs(right - left) / wide, abs(top - bottom) / high
    offset = (min(left, right) - min(xs) * scale_x, min(bottom, top) - min(ys) * scale_y)
    return b" ".join(map(real, (scale_x, 0, 0, scale_y, *offset)))


def _free(taken: Dictionary, prefix: str) -> str:
    number = len(taken) + 1
    while f"{prefix}{number}" in taken:
        number += 1
    return f"{prefix}{number}"


def _append(copier: Copier, page: Dictionary, drawn: bytes) -> None:
    """Behind the page's content, in the graphics state that the page began with, however many of its own it left open or closed."""
    old = page.get("Contents", [])
    streams: list[Ref] = list(old) if isinstance(old, list) else [old]
    content = b"\n".join(map(copier.writer.decoded, streams))
    depth, surplus = 0, list[int]()
    for match in _STATE.finditer(content):
        if match[1] == b"Q" and not depth:
            surplus.append(match.start())
        elif match[1]:
            depth += 1 if match[1] == b"q" else -1
    if surplus:     # to a viewer they mean nothing; inside our own pair they would
        kept = (content[start + 1 : end] for start, end in zip([-1, *surplus], [*surplus, len(content)], strict=True))
        streams = [copier.writer.add_deflated({}, b"".join(kept))]
    before, after = copier.writer.add_deflated({}, b"q\n"), copier.writer.add_deflated({}, b"\n" + b"Q\n" * (1 + depth) + drawn)
    page["Contents"] = [before, *streams, after]
