"""What stays behind, called by its name. Nothing here decides what is copied: that is the shapes' doing alone."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import attachments, trees
from sanitizers.formats.pdf.values import Dictionary, Name, Stream, Value

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_BY_KEY: Final = {
    "JavaScript": "pdf.javascript", "JS": "pdf.javascript", "OpenAction": "pdf.open_action", "AA": "pdf.additional_actions",
    "EmbeddedFiles": "pdf.embedded_file", "EF": "pdf.embedded_file", "AF": "pdf.embedded_file", "FS": "pdf.embedded_file",
    "Collection": "pdf.portfolio", "XFA": "pdf.xfa", "Renditions": "pdf.multimedia", "Movie": "pdf.multimedia", "Sound": "pdf.multimedia",
    "RichMediaContent": "pdf.rich_media", "RichMediaSettings": "pdf.rich_media", "3DD": "pdf.rich_media", "3DV": "pdf.rich_media",
    "PieceInfo": "pdf.piece_info", "Thumb": "pdf.thumbnail", "Ref": "pdf.reference_xobject", "PS": "pdf.postscript_xobject",
    "OPI": "pdf.opi", "Alternates": "pdf.alternate_image", "SpiderInfo": "pdf.web_capture", "IDS": "pdf.web_capture",
    "URLS": "pdf.web_capture", "Perms": "pdf.signature", "DSS": "pdf.signature", "Legal": "pdf.signature",
    "SV": "pdf.signature", "Lock": "pdf.signature", "PresSteps": "pdf.multimedia", "Trans": "pdf.transition",
    "FFilter": "pdf.external_stream", "FDecodeParms": "pdf.external_stream", "URI": "pdf.unsafe_link", "FontMatrix": "pdf.font_matrix",
}
_BY_ACTION: Final = {
    "JavaScript": "pdf.javascript", "Launch": "pdf.launch", "GoToR": "pdf.goto_remote", "GoToE": "pdf.goto_remote",
    "URI": "pdf.unsafe_link",
    "SubmitForm": "pdf.submit_form", "ImportData": "pdf.import_data", "Rendition": "pdf.multimedia", "Movie": "pdf.multimedia",
    "Sound": "pdf.multimedia", "RichMediaExecute": "pdf.rich_media", "GoTo3DView": "pdf.rich_media",
}
_BY_ANNOTATION: Final = {
    "RichMedia": "pdf.rich_media", "3D": "pdf.rich_media", "Movie": "pdf.multimedia",
    "Sound": "pdf.multimedia", "Screen": "pdf.multimedia",
}
_ACTIONS: Final = frozenset({"A", "PA", "Next"})
_FILES: Final = frozenset({"AF", "FS"})
_CHAIN: Final = 200
_SCRIPTS: Final = 1000


def report(copier: Copier, key: str, value: Value, where: str) -> None:
    """One key that no shape knows."""
    place = f"{where}/{key}" if where else key
    value = copier.resolve(value)
    if key in _ACTIONS and isinstance(value, dict | list):
        actions(copier, value, place)
        return
    if key in _FILES and isinstance(value, dict | list):
        attachments.met(copier, value, place)
        return
    copier.drop(_BY_KEY.get(key, "pdf.unknown_key"), place)
    if key == "AA" and isinstance(value, dict):
        for trigger, action in value.items():
            actions(copier, action, f"{place}/{trigger}")
    elif key in ("JavaScript", "OpenAction"):
        actions(copier, value, place)


def scripts(copier: Copier, value: Value) -> None:
    """The document-level scripts (§12.6.4.17); their text goes to the scanner."""
    where = "catalog/Names/JavaScript"
    copier.drop("pdf.javascript", where)
    for _, action in islice(trees.walk(copier.reader, value, "Names"), _SCRIPTS):
        actions(copier, action, where)


def actions(copier: Copier, value: Value, where: str) -> None:
    """An action that is not copied, and every one that it would have led to. JavaScript is shown to the scanner."""
    queue, seen = [value], 0
    while queue and seen < _CHAIN:
        action = copier.resolve(queue.pop())
        seen += 1
        if isinstance(action, list):
            queue += action[:_CHAIN]
        elif isinstance(action, dict):
            _action(copier, action, where)
            queue += [action[key] for key in ("Next",) if key in action]


def _action(copier: Copier, action: Dictionary, where: str) -> None:
    kind = copier.resolve(action.get("S"))
    if isinstance(kind, Name):
        copier.drop(_BY_ACTION.get(kind, "pdf.other_action"), where, f"/S /{kind[:40]}")
    script(copier, action.get("JS"), where)


def script(copier: Copier, value: Value, where: str) -> None:
    """JavaScript text, for the scanner; it is not copied."""
    value = copier.resolve(value)
    if isinstance(value, Stream):
        value = copier.content_of(value, where)
    if isinstance(value, bytes) and value:
        text = value.decode("utf-16", "replace").encode() if value[:2] in (b"\xfe\xff", b"\xff\xfe") else value
        copier.context.scan_layer(text, where)


def annotation(copier: Copier, subtype: Value, where: str) -> None:
    """An annotation whose subtype is not copied."""
    kind = subtype if isinstance(subtype, Name) else Name("?")
    copier.drop(_BY_ANNOTATION.get(kind, "pdf.annotation_dropped"), where, f"/{kind[:40]}")
