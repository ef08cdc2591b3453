"""Interactive forms (ISO 32000-2 §12.7): fields that can be filled in, without actions, scripts, XFA or signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf import annots, contents, files, leftovers, signatures
from sanitizers.formats.pdf.annots import WIDGET, default_appearance
from sanitizers.formats.pdf.shapes import LEFT, OMIT, Shape, array, boolean, either, integer, name, one_of, shape, string
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Stream, Value
from sanitizers.model import Action, LimitExceeded

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_DEPTH: Final = 100
_MAX_FIELDS: Final = 200_000


def _value(copier: Copier, value: Value, where: str) -> Value:
    """Text, a state, or a choice of several; long text may stand in a stream."""
    found = copier.resolve(value)
    if isinstance(found, Stream):
        text = copier.content_of(found, where)
        return OMIT if text is None else text
    if isinstance(found, dict):
        signatures.report(copier, found, where)
        return LEFT
    return _TEXTS(copier, found, where)


_TEXTS: Final = either(string, name, array(either(string, name)))
_OPTIONS: Final = array(either(string, array(string, 2, 2)))
_FIELD: Final = {
    "FT": one_of("Btn", "Tx", "Ch", "Sig"), "T": string, "TU": string, "TM": string, "Ff": integer, "V": _value, "DV": _value,
    "MaxLen": integer, "DA": default_appearance, "Q": integer, "Opt": _OPTIONS, "TI": integer, "I": array(integer),
}
_FIELD_SILENT: Final = "Kids Parent RV DS P Subtype Type"
_FIELD_ONLY: Final = shape(_FIELD, _FIELD_SILENT)
_MERGED: Final = shape({**WIDGET, **_FIELD}, _FIELD_SILENT)
_PURE_WIDGET: Final = shape(WIDGET, _FIELD_SILENT)
_FORM: Final = shape({"NeedAppearances": boolean, "DA": default_appearance, "Q": integer}, "Fields DR SigFlags CO")


class Form:
    """The AcroForm of one document while it is rebuilt. Widgets of the pages must have their references in `copier.annotations`."""

    def __init__(self, copier: Copier, catalog: Dictionary) -> None:
        self._copier = copier
        self._source = copier.reader.dictionary(catalog.get("AcroForm"))
        self.resources = copier.reader.dictionary(self._source.get("DR"))
        self.flattened = copier.context.treatment.pdf_forms_flattened
        self.outdated = copier.resolve(self._source.get("NeedAppearances")) is True
        self._parents: dict[Ref, Ref] = {}      # node of the input -> its new parent
        self._kids: dict[Ref, list[Ref]] = {}   # node of the output -> its kids
        self._signed: set[Ref] = set()

    def fields(self) -> Dictionary | None:
        """The new AcroForm, or None when there is none. Widgets are written later, by `widget`."""
        copier = self._copier
        if not self._source:
            return None
        new = copier.fields(self._source, _FORM, "form")
        new["Fields"] = self._tree()
        if self.resources:
            every = [copier.reader.dictionary(self.resources.get(category)).keys() for category in copier.categories]
            new["DR"] = contents.resources(copier, self.resources, frozenset().union(*every), "form/DR")
        if self.flattened and new["Fields"]:    # those with a widget are drawn, page by page
            copier.context.found("pdf.form_flattened", "form", Action.REWRITTEN, f"{len(new['Fields'])}")
        return new if (new["Fields"] or "NeedAppearances" in new) and not self.flattened else None

    def _tree(self) -> list[Ref]:
        """Every node once, from the roots down; returns the new roots."""
        roots: list[Ref] = []
        reader = self._copier.reader
        todo: list[tuple[Value, Ref | None, int]] = [(node, None, 0) for node in reversed(reader.array(self._source.get("Fields")))]
        seen: set[Ref] = set()
        count = 0
        while todo:
            node, parent, depth = todo.pop()
            found = reader.resolve(node)
            if not isinstance(found, dict) or (isinstance(node, Ref) and node in seen):
                continue
            if isinstance(node, Ref):
                seen.add(node)
            count += 1
            if depth > _DEPTH or count > _MAX_FIELDS:
                raise LimitExceeded("form fields", where="form")
            kids = reader.array(found.get("Kids"))
            if self._is_signed(found):
                self._signed |= {kid for kid in (node, *kids) if isinstance(kid, Ref)}
                continue
            new = self._node(node, found, parent)
            if new is None:
                continue
            (roots if parent is None else self._kids[parent]).append(new)
            self._kids.setdefault(new, [])
            todo += [(kid, new, depth + 1) for kid in reversed(kids)]
        return roots

    def _node(self, node: Value, found: Dictionary, parent: Ref | None) -> Ref | None:
        """The new reference of a field, or None for a widget that no page shows. A field that is no widget is written here."""
        copier = self._copier
        new = copier.annotations.get(node) if isinstance(node, Ref) else None
        if new is not None:
            if parent is not None:
                self._parents[node] = parent
            return new
        if not {"T", "FT", "Kids"} & found.keys():
            return None
        new = copier.writer.reserve()
        where = f"form/{_label(copier, found)}"
        shown = {key: value for key, value in found.items() if key not in WIDGET or key in _FIELD or key in ("A", "AA")}
        fields = copier.fields(shown, _FIELD_ONLY, where)
        if parent is not None:
            fields["Parent"] = parent
        self._kids[new] = fields["Kids"] = []
        copier.writer.put(new, fields)
        return new

    def _is_signed(self, found: Dictionary) -> bool:
        copier = self._copier
        if copier.resolve(found.get("FT")) != "Sig" or not isinstance(copier.resolve(found.get("V")), dict):
            return False
        _value(copier, found["V"], f"form/{_label(copier, found)}")
        return True

    def widget(self, ref: Value, found: Dictionary, where: str) -> Dictionary:
        """A widget annotation, with its field when both are one. What was signed keeps only its looks."""
        copier = self._copier
        own = copier.annotations.get(ref) if isinstance(ref, Ref) else None
        if (isinstance(ref, Ref) and ref in self._signed) or self._is_signed(found):
            for key in ("A", "AA", "SV", "Lock"):
                if key in found:
                    leftovers.report(copier, key, found[key], where)
            return annots.stamp(copier, found, where)
        parent = self._parents.get(ref) if isinstance(ref, Ref) else None
        kind: Shape = _PURE_WIDGET if parent is not None and "T" not in found and "FT" not in found else _MERGED
        if kind is _PURE_WIDGET:
            found = {key: value for key, value in found.items() if key not in _FIELD}
        else:
            found = {**self._inherited(found, parent), **found}
        new = {"Subtype": Name("Widget"), **copier.fields(found, kind, where)}
        if parent is not None:
            new["Parent"] = parent
        if own is not None and (kids := self._kids.get(own)):
            new["Kids"] = kids
        return new

    def _inherited(self, found: Dictionary, parent: Ref | None) -> Dictionary:
        """What a widget outside the field tree would have inherited from the parents that are not copied."""
        inherited: Dictionary = {}
        node = found
        for _ in range(_DEPTH if parent is None else 0):
            if "Parent" not in node:
                break
            node = self._copier.reader.dictionary(node["Parent"])
            inherited = {**{key: value for key, value in node.items() if key in _FIELD}, **inherited}
        for value in inherited.values():    # each widget gets a copy of its own
            self._copier.budget.spend_bytes(_weight(self._copier.resolve(value)))
        return inherited


def _weight(value: Value) -> int:
    """About how many bytes a value takes in the output."""
    if isinstance(value, list):
        return sum(map(_weight, value)) + 8
    return len(value) if isinstance(value, bytes) else 8


def _label(copier: Copier, found: Dictionary) -> str:
    """The partial name of a field, to find it by."""
    text = copier.resolve(found.get("T"))
    return files.text(text)[:60] or "?"
