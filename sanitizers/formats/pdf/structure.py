"""The structure tree (ISO 32000-2 §14.7), which readers for the blind need: elements with their texts, without attached files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sanitizers.formats.pdf import trees
from sanitizers.formats.pdf.shapes import OMIT, array, either, integer, name, shape, string
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Value, is_integer, is_number
from sanitizers.model import LimitExceeded

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_MAX_ELEMENTS: Final = 2_000_000
_MAX_ATTRIBUTES: Final = 200


def _attributes(copier: Copier, value: Value, where: str) -> Value:
    """An attribute object, a class name, or an array of them with revision numbers (§14.7.6)."""
    found = copier.resolve(value)
    if isinstance(found, list):
        return [new for new in (_attribute(copier, item, where) for item in found[:_MAX_ATTRIBUTES]) if new is not OMIT]
    return _attribute(copier, found, where)


def _attribute(copier: Copier, value: Value, where: str) -> Value:
    found = copier.resolve(value)
    if is_integer(found):
        return found
    if not isinstance(found, dict) or not isinstance(copier.resolve(found.get("O")), Name):
        return OMIT
    return copier.fields(found, _ATTRIBUTE, where)


def _plain(copier: Copier, value: Value, _where: str, depth: int = 0) -> Value:
    """Attribute values: numbers, names, texts and arrays of them."""
    found = copier.resolve(value)
    if isinstance(found, bool | Name | bytes) or is_number(found):
        return found
    if depth > 3 or not isinstance(found, list):
        return OMIT
    items = [_plain(copier, item, "", depth + 1) for item in found[:10_000]]
    return OMIT if OMIT in items else items


# The standard attributes of each owner (§14.8.5): how an element is laid out, lists and fields, tables, artifacts and notes.
_ATTRIBUTE: Final = shape(
    dict.fromkeys((
        "O Placement WritingMode BackgroundColor BorderColor BorderStyle BorderThickness Padding Color SpaceBefore SpaceAfter "
        "StartIndent EndIndent TextIndent TextAlign BBox Width Height BlockAlign InlineAlign TBorderStyle TPadding LineHeight "
        "BaselineShift TextPosition TextDecorationType TextDecorationColor TextDecorationThickness RubyAlign RubyPosition "
        "GlyphOrientationVertical ColumnCount ColumnGap ColumnWidths ListNumbering ContinuedList ContinuedFrom Role Checked "
        "checked Desc RowSpan ColSpan Headers Scope Summary Short Type Subtype Attached NoteType"
    ).split(), _plain),
    "NS",
)
_NAMESPACE: Final = shape({"NS": string}, "Type Schema RoleMapNS")


def _namespace(copier: Copier, value: Value, where: str) -> Value:
    if not isinstance(value, Ref) or not isinstance(copier.resolve(value), dict):
        return OMIT
    make = {"Type": Name("Namespace"), **copier.fields(copier.resolve(value), _NAMESPACE, where)}
    return copier.once(value, "namespace", lambda: make, where)


_ELEMENT: Final = shape(
    {
        "S": name, "ID": string, "A": _attributes, "C": either(name, array(either(name, integer))), "R": integer, "T": string,
        "Lang": string, "Alt": string, "E": string, "ActualText": string, "NS": _namespace, "PhoneticAlphabet": name, "Phoneme": string,
    },
    "Type P Pg K Ref",
)


def structure(copier: Copier, catalog: Dictionary) -> Ref | None:
    """The tree anew, or None when it holds no element."""
    root = copier.reader.dictionary(catalog.get("StructTreeRoot"))
    if not root:
        return None
    return _Tree(copier, root).build()


class _Tree:
    def __init__(self, copier: Copier, root: Dictionary) -> None:
        self._copier = copier
        self._root = root
        self._elements: dict[Ref, Ref] = {}
        self._texts: list[tuple[Value, Value]] = []     # ID tree
        self._count = 0

    def build(self) -> Ref | None:
        copier, root = self._copier, self._root
        ref = copier.writer.reserve()
        fields: Dictionary = {"Type": Name("StructTreeRoot")}
        kids = self._walk(ref)
        if not kids:
            return None
        fields["K"] = kids
        fields["ParentTree"] = self._parents()
        for key in ("RoleMap", "ClassMap"):
            entries = copier.reader.dictionary(root.get(key))
            rule: Any = name if key == "RoleMap" else _attributes
            mapped = {entry: rule(copier, value, "structure") for entry, value in entries.items()}
            if mapped := {entry: value for entry, value in mapped.items() if value is not OMIT}:
                fields[key] = mapped
        if is_integer(following := copier.resolve(root.get("ParentTreeNextKey"))):
            fields["ParentTreeNextKey"] = following
        if self._texts:
            unique = dict(self._texts)
            fields["IDTree"] = trees.write(copier.writer, sorted(unique.items()), "Names")
        namespaces = [_namespace(copier, item, "structure") for item in copier.reader.array(root.get("Namespaces"))]
        if namespaces := [item for item in namespaces if isinstance(item, Ref)]:
            fields["Namespaces"] = namespaces
        return copier.writer.put(ref, fields)

    def _walk(self, root: Ref) -> list[Value]:
        """All elements from the root down, each once; returns the root's kids."""
        top: list[Value] = []
        todo = [(kid, root, top) for kid in reversed(self._kids(self._root.get("K")))]
        while todo:
            kid, parent, siblings = todo.pop()
            found = self._copier.resolve(kid)
            if not isinstance(found, dict) or "S" not in found:
                if (item := self._content_item(found)) is not None:
                    siblings.append(item)
                continue
            if isinstance(kid, Ref) and kid in self._elements:
                continue
            new, under = self._element(kid, found, parent)
            siblings.append(new)
            todo += [(grandkid, new, under) for grandkid in reversed(self._kids(found.get("K")))]
        return top

    def _kids(self, value: Value) -> list[Value]:
        found = self._copier.resolve(value)
        if isinstance(found, list):
            return found
        return [] if found is None else [value]

    def _element(self, kid: Value, found: Dictionary, parent: Ref) -> tuple[Ref, list[Value]]:
        self._count += 1
        if self._count > _MAX_ELEMENTS:
            raise LimitExceeded("structure elements", where="structure")
        copier = self._copier
        new, under = copier.writer.reserve(), list[Value]()
        if isinstance(kid, Ref):
            self._elements[kid] = new
        fields = copier.fields(found, _ELEMENT, "structure")
        fields["P"] = parent
        if "K" in found:
            fields["K"] = under
        if (page := self._page(found)) is not None:
            fields["Pg"] = page
        if "ID" in fields:
            self._texts.append((fields["ID"], new))
        copier.writer.put(new, fields)
        return new, under

    def _page(self, found: Dictionary) -> Ref | None:
        page = found.get("Pg")
        return self._copier.pages.get(page) if isinstance(page, Ref) else None

    def _content_item(self, found: Value) -> Value:
        """A marked-content number, or a reference to marked content or to an annotation."""
        if is_integer(found):
            return found
        if not isinstance(found, dict):
            return None
        copier = self._copier
        page = self._page(found)
        where: Dictionary = {} if page is None else {"Pg": page}
        content = copier.resolve(found.get("MCID"))
        if is_integer(content):
            return {"Type": Name("MCR"), **where, "MCID": content}
        target = found.get("Obj")
        new = copier.annotations.get(target) if isinstance(target, Ref) else None
        return None if new is None else {"Type": Name("OBJR"), **where, "Obj": new}

    def _parents(self) -> Ref:
        """The parent tree: which elements the marked content of a page, or an annotation, belongs to."""
        copier = self._copier
        rows: dict[int, Value] = {}
        for key, value in trees.walk(copier.reader, self._root.get("ParentTree"), "Nums"):
            if not is_integer(key):
                continue
            if isinstance(value, Ref) and value in self._elements:
                rows[key] = self._elements[value]
                continue
            items = copier.resolve(value)
            if isinstance(items, list):
                known = [self._elements.get(item) if isinstance(item, Ref) else None for item in items]
                rows[key] = copier.writer.add(known)
        return trees.write(copier.writer, sorted(rows.items()), "Nums")

