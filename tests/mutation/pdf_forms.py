"""What the tests of forms, annotations, attachments, signatures, revisions, metadata and the catalog's parts must notice when it is off.

`python -m tests.mutation.pdf_forms` prints each rule with the test that fails without it.
"""

from __future__ import annotations

import re
from typing import Any

from sanitizers.cms import Check
from sanitizers.formats.pdf import annots, document, forms, layers, outlines, structure
from sanitizers.formats.pdf.shapes import LEFT, Shape
from sanitizers.formats.pdf.values import Name, Stream
from tests.mutation.runner import Mutant, main

_PDF = "sanitizers.formats.pdf"
_NEVER = re.compile(r"(?!)")
_NEVER_BYTES = re.compile(rb"(?!)")


def _copied(copier: Any, value: Any, where: str, depth: int = 0) -> Any:
    """Anything at all, as a sanitizer that trusts its input would copy it."""
    found = copier.resolve(value)
    if depth > 8:
        return LEFT
    if isinstance(found, dict):
        made = {key: _copied(copier, item, where, depth + 1) for key, item in found.items() if key not in ("Parent", "P", "Popup", "Kids")}
        return {key: item for key, item in made.items() if item is not LEFT}
    if isinstance(found, list):
        return [item for item in (_copied(copier, item, where, depth + 1) for item in found) if item is not LEFT]
    if isinstance(found, Stream):
        return copier.writer.add_deflated({"Type": Name("EmbeddedFile")}, copier.content_of(found, where) or b"")
    return found


def _first(name: str) -> str:
    return f"tests/sanitizers/formats/pdf/test_{name}.py"


def _with(shape: Shape, *keys: str) -> Shape:
    return Shape({**shape.rules, **dict.fromkeys(keys, _copied)}, shape.silent)


def _whole(copier: Any, found: Any, where: str) -> Any:
    return _copied(copier, found, where)


def _silent(*_: Any, **__: Any) -> None:
    return None


def _attached_as_it_is(copier: Any, stream: Any, fields: Any, where: str, name: str) -> None:
    from sanitizers.formats.pdf import attachments

    attachments._attach(copier, name, copier.content_of(stream, where) or b"", fields)


def _appended(copier: Any, page: Any, drawn: bytes) -> None:
    old = page.get("Contents", [])
    page["Contents"] = [*(old if isinstance(old, list) else [old]), copier.writer.add_deflated({}, b"\n" + drawn)]


MUTANTS: tuple[Mutant, ...] = (
    Mutant("any scheme in a link", f"{_PDF}.links:_uri", lambda copier, value: copier.resolve(value), _first("annotations")),
    Mutant("links stay that policy removes", f"{_PDF}.links:_outward", lambda _copier, uri, _where: {"S": Name("URI"), "URI": uri}, _first("annotations")),
    Mutant("actions are not looked at", f"{_PDF}.leftovers:actions", _silent, _first("forms")),
    Mutant("AA of a field", f"{_PDF}.forms:_MERGED", _with(forms._MERGED, "AA"), _first("forms")),
    Mutant("A of a field", f"{_PDF}.forms:_MERGED", _with(forms._MERGED, "A"), _first("forms")),
    Mutant("AA of a node", f"{_PDF}.forms:_FIELD_ONLY", _with(forms._FIELD_ONLY, "AA"), _first("forms")),
    Mutant("AA of a pure widget", f"{_PDF}.forms:_PURE_WIDGET", _with(forms._PURE_WIDGET, "AA"), _first("forms")),
    Mutant("rich text of a field", f"{_PDF}.forms:_MERGED", _with(forms._MERGED, "RV"), _first("forms")),
    Mutant("order of calculation", f"{_PDF}.forms:_FORM", _with(forms._FORM, "CO"), _first("forms")),
    Mutant("XFA", f"{_PDF}.forms:_FORM", _with(forms._FORM, "XFA"), _first("forms")),
    Mutant("a form that is only XFA", f"{_PDF}.xfa:examine", _silent, _first("forms")),
    Mutant("dynamic by its configuration", f"{_PDF}.xfa:_DYNAMIC", _NEVER_BYTES, _first("forms")),
    *(
        Mutant(f"{key} of {subtype}", f"{_PDF}.annots:SHAPES[{subtype}]", _with(annots.SHAPES[subtype], key), _first("annotations"))
        for subtype in sorted(annots.SHAPES.keys() - {"Popup"}) for key in ("A", "AA", "PA")
        if (subtype, key) != ("Link", "A")
    ),
    Mutant("what a dropped annotation did", f"{_PDF}.annots:_DOING", (), _first("annotations")),
    Mutant("every subtype", f"{_PDF}.annots:is_kept", lambda _copier, _found: True, _first("annotations")),
    Mutant("a stamp with all it had", f"{_PDF}.annots:stamp", _whole, _first("annotations")),
    Mutant("a popup of nothing", f"{_PDF}.annots:_is_markup", lambda _copier, _value: True, _first("annotations")),
    Mutant("files of the name tree", f"{_PDF}.attachments:listed", _silent, _first("attachments")),
    Mutant("files of AF and FS", f"{_PDF}.attachments:met", _silent, _first("attachments")),
    Mutant("files as they are", f"{_PDF}.attachments:_stream", _attached_as_it_is, _first("attachments")),
    Mutant("the wrapper of an encrypted document", f"{_PDF}.attachments:_is_payload", lambda _copier, _fields: False, _first("attachments")),
    Mutant("attachments as nobody delivered them", "sanitizers.verify.pdf_attached:check", _silent, _first("attachments")),
    Mutant("a signed field stays a field", f"{_PDF}.forms:Form._is_signed", lambda _self, _found: False, _first("signatures")),
    Mutant("a signature is not reported", f"{_PDF}.signatures:report", _silent, _first("signatures")),
    Mutant("signed digests", "sanitizers.cms:_digest", lambda _algorithm, _pieces: b"", _first("signatures")),
    Mutant("signature values", "sanitizers.cms:_verify_value", _silent, _first("signatures")),
    Mutant("what a signature covers", "sanitizers.cms:_verify", lambda _found, _content: True, _first("signatures")),
    Mutant("stamps over something else", "sanitizers.cms:check_time_stamp", lambda _data, _content: Check(True, "x", "2026-11-20T01:02:03Z", True), _first("signatures")),
    Mutant("flattened fields", f"{_PDF}.flatten:draw", _silent, _first("forms")),
    Mutant("hidden fields", f"{_PDF}.flatten:_is_shown", lambda _widget: True, _first("forms")),
    Mutant("graphics states left open", f"{_PDF}.flatten:_append", _appended, _first("forms")),
    Mutant("one spelling of a password", f"{_PDF}.passwords:spellings", lambda password: [password.encode()], _first("encryption")),
    Mutant("passwords as they are", f"{_PDF}.passwords:prepared", lambda password: password, _first("encryption")),
    Mutant("passwords of UTF-8 only", f"{_PDF}.passwords:_EARLIER", (), _first("encryption")),
    Mutant("rights services", f"{_PDF}.reader:_NO_PASSWORD", _NEVER, _first("encryption")),
    Mutant("all metadata", f"{_PDF}.metadata:_is_kept", lambda _copier, _key: True, _first("metadata")),
    Mutant("owners of labels", f"{_PDF}.metadata:_OWNER", _NEVER, _first("metadata")),
    Mutant("labels", f"{_PDF}.metadata:MARK", _NEVER, _first("metadata")),
    Mutant("what only XMP says", f"{_PDF}.metadata:_lifted", lambda _copier, _data: {}, _first("metadata")),
    Mutant("persons in XMP", f"{_PDF}.metadata:_PERSONAL", _NEVER_BYTES, _first("metadata")),
    Mutant("an update that was not finished", f"{_PDF}.revisions:refuse_ambiguous", _silent, _first("revisions")),
    Mutant("earlier revisions and data around are not said", f"{_PDF}.revisions:report", _silent, _first("revisions")),
    Mutant("AA of a bookmark", f"{_PDF}.outlines:_ITEM", _with(outlines._ITEM, "AA"), _first("catalog")),
    Mutant("words in a page label", f"{_PDF}.document:_LABEL", _with(document._LABEL, "AA"), _first("catalog")),
    Mutant("anything in a layer", f"{_PDF}.layers:_GROUP", _with(layers._GROUP, "AA"), _first("catalog")),
    Mutant("anything in the layers' configuration", f"{_PDF}.layers:_CONFIGURATION", _with(layers._CONFIGURATION, "AA"), _first("catalog")),
    Mutant("anything in an element of structure", f"{_PDF}.structure:_ELEMENT", _with(structure._ELEMENT, "AA"), _first("catalog")),
    Mutant("anything in an attribute of structure", f"{_PDF}.structure:_ATTRIBUTE", _with(structure._ATTRIBUTE, *structure._ATTRIBUTE.rules), _first("catalog")),
    Mutant("AA of the catalog", f"{_PDF}.document:_CATALOG", _with(document._CATALOG, "AA"), _first("dangers")),
    Mutant("anything on opening", f"{_PDF}.document:_CATALOG", _with(document._CATALOG, "OpenAction"), _first("dangers")),
    Mutant("any viewer preference", f"{_PDF}.document:_CATALOG", _with(document._CATALOG, "ViewerPreferences"), _first("catalog")),
)
TESTS = tuple(
    _first(name)
    for name in ("forms", "annotations", "attachments", "signatures", "revisions", "encryption", "metadata", "catalog", "dangers")
)

if __name__ == "__main__":
    main(MUTANTS, TESTS)
