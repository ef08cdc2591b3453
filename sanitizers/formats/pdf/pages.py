"""The page tree and its pages (ISO 32000-2 §7.7.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sanitizers.formats.pdf import annots, contents, flatten
from sanitizers.formats.pdf.shapes import OMIT, integer, name, number, shape
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Value, is_number
from sanitizers.formats.pdf.xobjects import GROUP
from sanitizers.model import LimitExceeded, Malformed

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier
    from sanitizers.formats.pdf.forms import Form

_INHERITED: Final = ("Resources", "MediaBox", "CropBox", "Rotate")
_DEPTH: Final = 500
_MAX_SIDE: Final = 200_000      # in points: 70 m, more than any plotter
_LETTER: Final = [0, 0, 612, 792]
_PAGE: Final = shape(
    {"UserUnit": number, "Group": GROUP, "StructParents": integer, "Tabs": name},
    "Type Parent Contents Resources Annots MediaBox CropBox BleedBox TrimBox ArtBox Rotate LastModified Metadata Dur B PZ "
    "SeparationInfo VP Hid ProcSet pdftk_PageNum",
)
_NODE: Final = shape({}, "Type Parent Kids Count Resources MediaBox CropBox Rotate")
_MAX_ANNOTATIONS: Final = 200_000


class Page(NamedTuple):
    """A leaf of the page tree with what it inherits, its new reference, and the annotations that will be kept."""

    fields: Dictionary
    ref: Ref
    number: int
    kept: list[tuple[Value, Dictionary, Ref]]


def collect(copier: Copier, catalog: Dictionary) -> list[Page]:
    """All pages in order, each with a reference in the output. Raises Malformed when there is none, LimitExceeded past the limit."""
    pages: list[Page] = []
    todo: list[tuple[Value, Dictionary, int]] = [(catalog.get("Pages"), {}, 0)]
    seen: set[Ref] = set()
    while todo:
        node, inherited, depth = todo.pop()
        found = copier.resolve(node)
        if not isinstance(found, dict):
            continue
        own = {**inherited, **{key: found[key] for key in _INHERITED if copier.resolve(found.get(key)) is not None}}
        if "Kids" not in found or copier.resolve(found.get("Type")) == "Page":
            pages.append(_leaf(copier, node, {**found, **own}, len(pages) + 1))
            continue
        if depth > _DEPTH or (isinstance(node, Ref) and node in seen):
            copier.drop("pdf.loop", "page tree")
            continue
        if isinstance(node, Ref):
            seen.add(node)
        copier.fields(found, _NODE, "page tree")
        kids = copier.reader.array(found.get("Kids"))
        if len(kids) + len(pages) + len(todo) > copier.context.limits.pages * 4:
            raise LimitExceeded(f"more than {copier.context.limits.pages} pages", where="page tree")
        todo += [(kid, own, depth + 1) for kid in reversed(kids)]
    if not pages:
        raise Malformed("no pages")
    return pages


def _leaf(copier: Copier, node: Value, fields: Dictionary, page_number: int) -> Page:
    copier.budget.spend_pages()
    ref = copier.writer.reserve()
    if isinstance(node, Ref):
        copier.pages.setdefault(node, ref)
    kept: list[tuple[Value, Dictionary, Ref]] = []
    for index, item in enumerate(copier.reader.array(fields.get("Annots"))[:_MAX_ANNOTATIONS]):
        found = copier.resolve(item)
        if not isinstance(found, dict):
            continue
        if not annots.is_kept(copier, found):
            annots.report(copier, found, f"page {page_number}/annotation {index + 1}")
            continue
        new = copier.writer.reserve()
        if isinstance(item, Ref):
            copier.annotations.setdefault(item, new)
        kept.append((item, found, new))
    return Page(fields, ref, page_number, kept)


def write(copier: Copier, page: Page, parent: Ref, form: Form) -> None:
    """One page: boxes, content, the resources that it uses, annotations."""
    where = f"page {page.number}"
    fields: Dictionary = {"Type": Name("Page"), "Parent": parent, **_boxes(copier, page.fields)}
    fields |= copier.fields(page.fields, _PAGE, where)
    resources = copier.reader.dictionary(page.fields.get("Resources"))
    with contents.within(copier, resources):
        streams, names = contents.page(copier, page.fields.get("Contents"), where)
    fields["Resources"] = contents.resources(copier, resources, names, where)
    if streams:
        fields["Contents"] = streams[0] if len(streams) == 1 else streams
    if page.kept:
        with contents.within(copier, form.resources or resources):
            _annotations(copier, page, fields, form, where)
    copier.writer.put(page.ref, fields)


def _annotations(copier: Copier, page: Page, fields: Dictionary, form: Form, where: str) -> None:
    """The kept annotations of a page; widgets become part of its content where forms are flattened."""
    shown: list[Value] = []
    drawn: list[tuple[Dictionary, Dictionary]] = []
    for index, (old, found, new) in enumerate(page.kept):
        made = _annotation(copier, old, found, form, f"{where}/annotation {index + 1}")
        if form.flattened and copier.resolve(found.get("Subtype")) == "Widget":
            drawn.append((found, made))
            if isinstance(old, Ref):
                copier.annotations.pop(old, None)
        else:
            shown.append(copier.writer.put(new, {**made, "P": page.ref}))
    if shown:
        fields["Annots"] = shown
    if drawn:
        flatten.draw(copier, fields, drawn, where, anew=form.outdated)


def _annotation(copier: Copier, old: Value, found: Dictionary, form: Form, where: str) -> Dictionary:
    subtype = copier.named(found.get("Subtype"))
    if subtype == "Widget":
        new = form.widget(old, found, where)
    else:
        if subtype not in annots.SHAPES:
            annots.report(copier, found, where)
        new = annots.annotation(copier, found, where)
    return {"Type": Name("Annot"), "Rect": [0, 0, 0, 0], **new}


def _boxes(copier: Copier, fields: Dictionary) -> Dictionary:
    """Boxes with rising corners, and a rotation in quarters. Raises LimitExceeded for a page larger than 70 m."""
    new: Dictionary = {"MediaBox": _box(copier, fields.get("MediaBox")) or _LETTER}
    for key in ("CropBox", "BleedBox", "TrimBox", "ArtBox"):
        if key in fields and (box := _box(copier, fields[key])) is not None:
            new[key] = box
    rotation = copier.resolve(fields.get("Rotate"))
    if is_number(rotation) and rotation % 360:
        new["Rotate"] = int(rotation) % 360 // 90 * 90
    return new


def _box(copier: Copier, value: Value) -> list[Value] | None:
    corners = [number(copier, item, "") for item in copier.reader.array(value)]
    if len(corners) != 4 or OMIT in corners:
        return None
    left, right = sorted((corners[0], corners[2]))
    bottom, top = sorted((corners[1], corners[3]))
    if right - left > _MAX_SIDE or top - bottom > _MAX_SIDE:
        raise LimitExceeded(f"a page of {right - left} x {top - bottom} points", where="MediaBox")
    return [left, bottom, right, top] if right > left and top > bottom else None

