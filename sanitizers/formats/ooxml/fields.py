"""Fields of WordprocessingML: those with a meaning inside the document stay, of any other only what it last showed.

A field is a run of characters between `begin` and `end` that may spread over runs and paragraphs and hold other fields, also inside its
instruction. So the instruction is put together as Word would, and a field whose very name comes out of another field is not trusted.
ECMA-376 part 1 §17.16.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from sanitizers import xml
from sanitizers.formats.office import instructions, tree
from sanitizers.formats.office.instructions import Reach
from sanitizers.formats.ooxml.page import Page
from sanitizers.formats.ooxml.vocabulary import clark
from sanitizers.model import Malformed

_CODES: Final = {
    Reach.DDE: "ooxml.dde", Reach.LINK: "ooxml.hyperlink",
    **dict.fromkeys((Reach.EXTERNAL, Reach.OBJECT, Reach.CONTROL), "ooxml.external_field"),
}  # fmt: skip
_DEEPEST: Final = 256

_PARTS: Final = clark("w:fldChar w:instrText w:delInstrText w:fldSimple w:t w:delText")
MARKS: Final = clark("w:fldChar w:instrText w:delInstrText w:fldSimple")
_CHARACTER: Final = clark("w:fldChar")
_INSTRUCTION: Final = clark("w:instrText w:delInstrText")
_SIMPLE: Final = clark("w:fldSimple")
_SPELLED: Final = rb'<([\w.-]+:)?fldChar(?=[\s/>])(?: %b:fldCharType="(begin|separate|end)"(?: %b:(?:dirty|fldLock)="\w*")* ?/?>)?'
_STRANGE: Final = b"AlternateContent"


@dataclass(slots=True)
class _Field:
    begin: xml.Element
    instruction: list[str] = field(default_factory=list)
    pieces: list[xml.Element] = field(default_factory=list)   # of the instruction, to be taken out
    characters: list[xml.Element] = field(default_factory=list)
    nested: bool = False                                      # another field takes part in the instruction
    named: bool = False                                       # the instruction begins with words of its own
    nameless: bool = False                                    # it begins with another field, whose words nobody knows
    separated: bool = False


class Open:
    """Follows the fields through the bytes of a document, element by element, so far as that is sure. `prefix`: of the namespace."""

    def __init__(self, prefix: bytes) -> None:
        self._marks = re.compile(_SPELLED % (prefix, prefix))
        self._prefix = prefix + b":"
        self._depth = 0
        self._sure = True

    def see(self, content: bytes) -> bool:
        """Whether a field is open after this, or may be: alternatives hold the marks of fields that do not stay."""
        marks = self._marks.findall(content)
        if marks and (_STRANGE in content or not all(kind and prefix == self._prefix for prefix, kind in marks)):
            self._sure = False
        for _, kind in marks:
            self._depth = max(self._depth + (kind == b"begin") - (kind == b"end"), 0)
        return self._depth > 0 or not self._sure


def defuse(page: Page) -> None:
    """Walk the whole part once; every field is judged when it ends."""
    if not page.names.elements & MARKS:
        return
    stack: list[_Field] = []
    for element in list(page.root.iter(*_PARTS)):
        if element.tag in _SIMPLE:
            _simple(element, stack, page)
        elif element.tag in _CHARACTER:
            _character(element, stack, page)
        elif element.tag in _INSTRUCTION and not stack:
            tree.remove(element)
            page.found("ooxml.field", "instrText", detail=element.text or "")
        elif stack and not stack[-1].separated:
            stack[-1].instruction.append(element.text or "")
            stack[-1].named = stack[-1].named or bool((element.text or "").strip())
            stack[-1].pieces.append(element)
        elif element.tag in _INSTRUCTION:   # an instruction in the shown result has no meaning
            tree.remove(element)
            page.found("ooxml.field", "instrText", detail=element.text or "")
    for open_field in stack:
        _take_out(open_field, page)


def _character(element: xml.Element, stack: list[_Field], page: Page) -> None:
    kind = next((value for name, value in element.attrib.items() if name.endswith("}fldCharType")), "")
    if kind == "begin":
        if len(stack) >= _DEEPEST:
            raise Malformed(f"fields nested deeper than {_DEEPEST}", where=page.name, code="ooxml.package")
        _nest(stack)
        stack.append(_Field(element, characters=[element]))
    elif not stack:
        tree.remove(element)
        page.found("ooxml.field", f"fldChar {kind}")
    elif kind == "separate":
        stack[-1].separated = True
        stack[-1].characters.append(element)
    else:
        stack[-1].characters.append(element)
        _judge(stack.pop(), page)


def _nest(stack: list[_Field]) -> None:
    """A field begins inside of those that are open."""
    for outer in stack:
        if not outer.separated:
            outer.nested = True
            outer.nameless = outer.nameless or not outer.named


def _simple(element: xml.Element, stack: list[_Field], page: Page) -> None:
    _nest(stack)
    instruction = next((value for name, value in element.attrib.items() if name.endswith("}instr")), "")
    name = instructions.name_of(instruction)
    if not _is_local(name, instruction, nested=False, page=page):
        _report(name, instruction, page)
        tree.unwrap(element)


def _judge(one: _Field, page: Page) -> None:
    instruction = "".join(one.instruction)
    name = _own_name(one)
    if not instruction.strip() and not one.nested:
        return   # an empty field shows nothing and does nothing
    if not _is_local(name, instruction, nested=one.nested, page=page):
        _take_out(one, page)


def _own_name(one: _Field) -> str:
    return "" if one.nameless else instructions.name_of("".join(one.instruction))


def _is_local(name: str, instruction: str, *, nested: bool, page: Page) -> bool:
    return bool(name) and instructions.is_local(instruction, page.context.treatment.link_schemes, nested=nested)


def _take_out(one: _Field, page: Page) -> None:
    """Marks and instruction go, what the field showed stays. MACROBUTTON shows its own last words."""
    instruction = "".join(one.instruction)
    name = instructions.name_of(instruction)
    shown = instruction.split(None, 2)[2:] if name == "MACROBUTTON" else []
    for number, piece in enumerate(one.pieces):
        if shown and number == 0:
            piece.tag = re.sub(r"\}\w+", "}t", piece.tag)
            piece.text = shown[0].strip()
        elif piece.getparent() is not None:
            tree.remove(piece)
    for mark in one.characters:
        if mark.getparent() is not None:
            tree.remove(mark)
    _report(name, instruction, page)


def _report(name: str, instruction: str, page: Page) -> None:
    page.found(_CODES.get(instructions.reach(instruction), "ooxml.field"), name or "field", detail=instruction.strip())
