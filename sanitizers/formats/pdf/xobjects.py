"""External objects (ISO 32000-2 §8.8): images and forms; PostScript and reference XObjects stay behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import contents, images
from sanitizers.formats.pdf.colours import COLOUR_SPACE
from sanitizers.formats.pdf.layers import membership
from sanitizers.formats.pdf.shapes import LEFT, MATRIX, OMIT, RECTANGLE, boolean, integer, record, shape, typed
from sanitizers.formats.pdf.values import Name, Ref, Stream, Value

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

GROUP: Final = record(shape({"Type": typed("Group"), "S": typed("Transparency"), "CS": COLOUR_SPACE, "I": boolean, "K": boolean}))
_FORM: Final = shape(
    {
        "BBox": RECTANGLE, "Matrix": MATRIX, "Group": GROUP, "StructParent": integer, "StructParents": integer, "OC": membership,
    },
    "Type Subtype FormType Name LastModified Metadata Length Filter DecodeParms DL Resources PTEX.FileName PTEX.PageNumber PTEX.InfoDict "
    "PTEX.PageBox",
)


def xobject(copier: Copier, value: Value, where: str) -> Value:
    """An image or a form, copied once."""
    found = copier.resolve(value)
    if not isinstance(found, Stream):
        return OMIT
    ref = value if isinstance(value, Ref) else found.ref
    match copier.resolve(found.fields.get("Subtype")):
        case "Image":
            return copier.once(ref, images.image, lambda: images.image(copier, found, where), where)
        case "Form":
            return form(copier, ref, where)
        case "PS":
            copier.drop("pdf.postscript_xobject", where)
            return LEFT
    return OMIT


def form(copier: Copier, value: Value, where: str) -> Value:
    """A form XObject. One without resources of its own takes those around it (PDF 1.1)."""
    found = copier.resolve(value)
    if not isinstance(found, Stream):
        return OMIT
    ref = value if isinstance(value, Ref) else found.ref
    own = copier.resolve(found.fields.get("Resources"))
    role = form if isinstance(own, dict) else (form, id(copier.around))
    return copier.once(ref, role, lambda: _form(copier, found, own if isinstance(own, dict) else copier.around, where), where)


def _form(copier: Copier, found: Stream, resources: dict[str, Value], where: str) -> Value:
    fields = copier.fields(found.fields, _FORM, where)
    if "BBox" not in fields:
        return LEFT  # most viewers draw nothing; where PDFium does, the page is held for its looks
    with contents.within(copier, resources):
        content = contents.stream(copier, found, where)
    head = {"Type": Name("XObject"), "Subtype": Name("Form"), **fields}
    head["Resources"] = contents.resources(copier, resources, content.names, where)
    return copier.writer.add_deflated(head, content.data)
