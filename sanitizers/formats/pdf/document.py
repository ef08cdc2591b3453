"""The whole document: catalog, what came with it, and the one revision that goes out (ISO 32000-2 §7.7.2)."""

from __future__ import annotations

import re
from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.pdf import files, layers, leftovers, links, metadata, outlines, pages, resources, structure, trees
from sanitizers.formats.pdf.copier import Copier
from sanitizers.formats.pdf.forms import Form
from sanitizers.formats.pdf.reader import Reader, open_pdf
from sanitizers.formats.pdf.shapes import boolean, integer, name, one_of, record, shape, string, typed
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Value, is_integer
from sanitizers.formats.pdf.writer import Writer
from sanitizers.model import Action, Kind, Malformed
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
    reader = open_pdf(source, context)
    _report_wrapping(source, reader, context)
    copier = Copier(reader, Writer(), context, resources.CATEGORIES)
    catalog = reader.dictionary(reader.trailer.get("Root"))
    if not catalog:
        raise Malformed("no catalog")
    root = _catalog(copier, catalog)
    info = metadata.information(copier, catalog)
    version = b"2.0" if reader.version.startswith("2") else b"1.7"
    return Rebuilt(Source(copier.writer.finish(root, info, version)), Kind.PDF)


def _catalog(copier: Copier, catalog: Dictionary) -> Ref:
    """Pages first, since everything else points at them."""
    leaves = pages.collect(copier, catalog)
    new = copier.fields(catalog, _CATALOG, "catalog")
    parent = copier.writer.reserve()
    destinations = links.named(copier, catalog)
    form = Form(copier, catalog)
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
            files.report_scripts(copier, value)
        elif key == "EmbeddedFiles":
            files.report_attachments(copier, value)
        elif key not in _HANDLED_NAMES:
            copier.leave(key, value, "catalog/Names")
    return {"Dests": destinations} if destinations is not None else {}


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


def _report_wrapping(source: Source, reader: Reader, context: Context) -> None:
    """What lies around and beneath the current revision: none of it is copied."""
    data = source.bytes()
    start = data.find(b"%PDF-", 0, 4096)
    if start > 0 and data[:start].strip(b"\x00\t\n\f\r \xef\xbb\xbf"):
        context.found("pdf.leading_data", "", Action.REMOVED, f"{start} bytes")
    end = data.rfind(b"%%EOF")
    if end >= 0 and (rest := data[end + 5 :].strip(b"\x00\t\n\f\r \x1a")):
        context.found("pdf.trailing_data", "", Action.REMOVED, f"{len(rest)} bytes")
    if "Prev" in reader.trailer and not _is_linearized(data):
        context.found("pdf.old_revision", "", Action.REMOVED)
    if reader.password is not None:
        code = "file.decrypted" if reader.password else "pdf.encryption"
        context.found(code, "", Action.REWRITTEN)


def _is_linearized(data: bytes) -> bool:
    """Linearized and not updated since: the length in its first object is the file's own."""
    match = re.search(rb"/Linearized\b[^>]*?/L\s+([0-9]+)|/L\s+([0-9]+)[^>]*?/Linearized\b", data[:2048])
    return match is not None and abs(int(match[1] or match[2]) - len(data.rstrip())) < 16

