"""The whole document: catalog, what came with it, and the one revision that goes out (ISO 32000-2 §7.7.2)."""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.pdf import (
    attachments,
    layers,
    leftovers,
    links,
    metadata,
    outlines,
    pages,
    pixels,
    resources,
    revisions,
    structure,
    trees,
    xfa,
)
from sanitizers.formats.pdf.copier import Copier
from sanitizers.formats.pdf.forms import Form
from sanitizers.formats.pdf.reader import open_pdf
from sanitizers.formats.pdf.shapes import boolean, integer, name, one_of, record, shape, string, typed
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Value, is_integer
from sanitizers.formats.pdf.writer import Writer
from sanitizers.model import Kind
from sanitizers.source import Source

_BOXES: Final = one_of("MediaBox", "CropBox", "BleedBox", "TrimBox", "ArtBox")
_PREFERENCES: Final = record(shape(
    {
        **dict.fromkeys(("HideToolbar", "HideMenubar", "HideWindowUI", "FitWindow", "CenterWindow"), boolean),
        "DisplayDocTitle": boolean, "PickTrayByPDFSize": boolean,
        "NonFullScreenPageMode": name, "Direction": one_of("L2R", "R2L"), "PrintScaling": one_of("None", "AppDefault"),
        "Duplex": one_of("Simplex", "DuplexFlipShortEdge", "DuplexFlipLongEdge"), "NumCopies": integer,
        **dict.fromkeys(("ViewArea", "ViewClip", "PrintArea", "PrintClip"), _BOXES),
    },
    "PrintPageRange Enforce",
))
_CATALOG: Final = shape(
    {
        "Type": typed("Catalog"), "Lang": string, "ViewerPreferences": _PREFERENCES,
        "MarkInfo": record(shape({"Marked": boolean, "UserProperties": boolean, "Suspects": boolean})),
        "PageMode": one_of("UseNone", "UseOutlines", "UseThumbs", "UseOC", "UseAttachments", "FullScreen"),
        "PageLayout": one_of("SinglePage", "OneColumn", "TwoColumnLeft", "TwoColumnRight", "TwoPageLeft", "TwoPageRight"),
    },
    "Pages Metadata Version Extensions Dests Outlines AcroForm StructTreeRoot OCProperties PageLabels Names OpenAction OutputIntents "
    "NeedsRendering",
)
_LABEL: Final = shape({"S": one_of("D", "R", "r", "A", "a"), "P": string, "St": integer}, "Type")
_HANDLED_NAMES: Final = frozenset({"Dests", "EmbeddedFiles", "AP", "Pages", "Templates"})


def sanitize(source: Source, context: Context) -> Rebuilt:
    """The document anew. Raises Malformed, Encrypted or LimitExceeded."""
    if context.treatment.pdf_strict_pixels and not pixels.is_drawn(source, context):
        source = pixels.draw(source, context)
    reader = open_pdf(source, context)
    revisions.report(source, reader, context)
    copier = Copier(reader, Writer(discarded=context.second_pass), context, resources.CATEGORIES)
    catalog = reader.dictionary(reader.trailer.get("Root"))
    root = _catalog(copier, catalog)
    info = metadata.information(copier, catalog)
    revisions.refuse_ambiguous(source, reader)
    version = b"2.0" if reader.version.startswith("2") else b"1.7"
    return Rebuilt(Source(copier.writer.finish(root, info, version)), Kind.PDF)


def _catalog(copier: Copier, catalog: Dictionary) -> Ref:
    """Pages first, since everything else points at them."""
    leaves = pages.collect(copier, catalog)
    new = copier.fields(catalog, _CATALOG, "catalog")
    parent = copier.writer.reserve()
    destinations = links.named(copier, catalog)
    form = Form(copier, catalog)
    xfa.examine(copier, catalog, widgets=any(copier.resolve(kept[1].get("Subtype")) == "Widget" for leaf in leaves for kept in leaf.kept))
    fields = form.fields()
    for leaf in leaves:
        pages.write(copier, leaf, parent, form)
    copier.writer.put(parent, {"Type": Name("Pages"), "Kids": [leaf.ref for leaf in leaves], "Count": len(leaves)})
    new["Pages"] = parent
    optional: dict[str, Value] = {
        "AcroForm": fields,
        "Outlines": outlines.outlines(copier, catalog.get("Outlines")),
        "PageLabels": _labels(copier, catalog.get("PageLabels")),
        "StructTreeRoot": structure.structure(copier, catalog),
        "OCProperties": _layers(copier, catalog),
        "Names": _names(copier, catalog, destinations),
    }
    new |= {key: value for key, value in optional.items() if value}
    _open_action(copier, catalog, leaves)
    return copier.writer.add(new)


def _layers(copier: Copier, catalog: Dictionary) -> Value:
    if "OCProperties" not in catalog:
        return None
    found = layers.properties(copier, catalog["OCProperties"], "catalog/OCProperties")
    return found if isinstance(found, dict) else None


def _labels(copier: Copier, value: Value) -> Ref | None:
    rows = {}
    for key, label in trees.walk(copier.reader, value, "Nums"):
        if is_integer(key):
            rows[key] = copier.fields(copier.reader.dictionary(label), _LABEL, "catalog/PageLabels")
    return trees.write(copier.writer, sorted(rows.items()), "Nums") if rows else None


def _names(copier: Copier, catalog: Dictionary, destinations: Ref | None) -> Dictionary:
    """Named destinations stay; scripts, attachments and the rest of the name dictionary are reported."""
    found = copier.reader.dictionary(catalog.get("Names"))
    for key, value in found.items():
        if key == "JavaScript":
            leftovers.scripts(copier, value)
        elif key == "EmbeddedFiles":
            attachments.listed(copier, value)
        elif key not in _HANDLED_NAMES:
            copier.leave(key, value, "catalog/Names")
    kept: dict[str, Ref | None] = {"Dests": destinations, "EmbeddedFiles": attachments.tree(copier)}
    return {key: ref for key, ref in kept.items() if ref is not None}


def _open_action(copier: Copier, catalog: Dictionary, leaves: list[pages.Page]) -> None:
    """Left behind always. Silently only where it did no more than show the first page, which viewers do anyway."""
    found = copier.resolve(catalog.get("OpenAction"))
    if found is None:
        return
    target = found.get("D") if isinstance(found, dict) and copier.resolve(found.get("S")) == "GoTo" and "Next" not in found else found
    explicit = links.explicit(copier, target, "") if isinstance(target, list) else None
    if isinstance(explicit, list) and explicit[0] == leaves[0].ref:
        return
    copier.drop("pdf.open_action", "catalog/OpenAction")
    if isinstance(found, dict):
        leftovers.actions(copier, found, "catalog/OpenAction")
