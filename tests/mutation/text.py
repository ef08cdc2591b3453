"""What the tests of text, tables, pages, structured text, calendars and drawings must notice when it is switched off.

`python -m tests.mutation.text` prints each rule with the test that fails without it.
"""

from __future__ import annotations

import re
from typing import Any

from sanitizers.formats import html, structured, vobject
from sanitizers.model import Kind
from tests.mutation.runner import Mutant, main

_FORMATS = "sanitizers.formats"
_CONFIRM = "sanitizers.confirm"
_VERIFY = "sanitizers.verify"
_TESTS = "tests/sanitizers/formats"
_NEVER = re.compile(r"(?!)")
_NEVER_BYTES = re.compile(rb"(?!)")
_ANY = re.compile(r"[\s\S]*")
_ANY_BYTES = re.compile(rb"[\s\S]*")
_TEXT, _CSV, _HTML = f"{_TESTS}/test_text.py", f"{_TESTS}/test_csv.py", f"{_TESTS}/test_html.py"
_XML, _CARDS, _DRAWINGS = f"{_TESTS}/test_structured.py", f"{_TESTS}/test_vobject.py", "tests/sanitizers/confirm"


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _true(*_: Any, **__: Any) -> bool:
    return True


def _false(*_: Any, **__: Any) -> bool:
    return False


def _without(mapping: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in mapping.items() if key != name}


_ELEMENTS = ("script", "style", "template", "iframe", "embed", "object", "form", "button", "input", "svg", "math", "img", "base", "link")
_SIGNS = tuple("=+-@\t\uff1d\uff0b\uff0d\uff20\u2212")
_ALL_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\u2212\t\r"

MUTANTS: tuple[Mutant, ...] = (
    Mutant("text: escapes", f"{_FORMATS}.text:_ESCAPES", _NEVER, _TEXT),
    Mutant("text: controls", f"{_FORMATS}.text:_CONTROLS", _NEVER, _TEXT),
    Mutant("text: other line ends", f"{_FORMATS}.text:_BREAKS", _NEVER, _TEXT),
    Mutant("text: directions", f"{_FORMATS}.text:_BIDI", _NEVER, _TEXT),
    Mutant("text: invisible characters", f"{_FORMATS}.text:_INVISIBLE", _NEVER, _TEXT),
    Mutant("text: the quick look", f"{_FORMATS}.text:_ORDINARY", _ANY, _TEXT),
    Mutant("text: joiners and selectors", f"{_FORMATS}.text:_belongs", _true, _TEXT),
    Mutant("text: unreadable bytes", f"{_FORMATS}.text:_ACCIDENTS", 1 << 30, _TEXT),
    Mutant("text: byte order mark", f"{_FORMATS}.text:_BOMS", {}, _TEXT),
    Mutant("text: UTF-8 by policy", f"{_FORMATS}.text:write", lambda text, encoding, bom, _context: bom + text.encode(encoding), _TEXT),
    *(Mutant(f"csv: {sign!r}", f"{_FORMATS}.csv:_SIGNS", _ALL_SIGNS.replace("\\-" if sign == "-" else sign, ""), _CSV) for sign in _SIGNS),
    Mutant("csv: blanks before the sign", f"{_FORMATS}.csv:_BEFORE", "", _CSV),
    Mutant("csv: delimiters of other programs", f"{_FORMATS}.csv:_DELIMITERS", ",", _CSV),
    Mutant("csv: a delimiter of its own", f"{_FORMATS}.csv:_DECLARED", _NEVER, _CSV),
    Mutant("csv: what a number is", f"{_FORMATS}.csv:_NUMBER", _ANY, _CSV),
    Mutant("csv: how long a number is", f"{_FORMATS}.csv:_LONGEST_NUMBER", 1, _CSV),
    Mutant("csv: what harms", f"{_FORMATS}.csv:_HARMFUL", _NEVER, _CSV),
    Mutant("csv: what a constant is", f"{_FORMATS}.csv:_CONSTANT", re.compile(r'="[^"]*"'), _CSV),
    *(Mutant(f"html: {name}", f"{_FORMATS}.html:_TEXT", html._TEXT | {name}, f"{_TESTS}/test_cases.py") for name in _ELEMENTS if name not in html._WITH_CONTENT),
    *(Mutant(f"html: {name}", f"{_FORMATS}.html:_WITH_CONTENT", _without(html._WITH_CONTENT, name), _HTML) for name in _ELEMENTS if name in html._WITH_CONTENT),
    *(Mutant(f"html: attribute {name}", f"{_FORMATS}.html:_ATTRIBUTES", html._ATTRIBUTES | {name: None}, _HTML) for name in ("onclick", "onerror")),
    Mutant("html: attributes that load", f"{_FORMATS}.html:_LOADING", frozenset(), _HTML),
    Mutant("html: properties of styles", f"{_FORMATS}.html:_STYLE_VALUE", _ANY, _HTML),
    Mutant("html: what hides", f"{_FORMATS}.html:_HIDES", _NEVER, _HTML),
    Mutant("html: links of any scheme", f"{_FORMATS}.html:_Writer._target", lambda _self, href: href, _HTML),
    Mutant("html: head", f"{_FORMATS}.html:_look_at_head", _nothing, _HTML),
    Mutant("html: nesting", f"{_FORMATS}.html:parsable", _true, _HTML),
    Mutant("html: read again until it stays", f"{_FORMATS}.html:_settled", lambda body: body, _HTML),
    Mutant("html: second parser", f"{_VERIFY}.html:_cleaned", lambda body, _schemes: body, _HTML),
    Mutant("html: second list of elements", f"{_VERIFY}.html:_Walk.handle_starttag", _nothing, _HTML),
    Mutant("html: second look at comments", f"{_VERIFY}.html:_Walk.handle_comment", _nothing, _HTML),
    Mutant("xml: document types", f"{_FORMATS}.structured:_DELIVERY", _ANY, _XML),
    Mutant("xml: places of document types", f"{_FORMATS}.structured:_DOCTYPE", re.compile(r"<!DOCTYPE ([\w.-]+) SYSTEM ([\"'])(.*?)\2[^>]*>"), _XML),
    Mutant("xml: what was dropped", f"{_FORMATS}.structured:_report_dropped", _nothing, _XML),
    *(Mutant(f"xml: {name}", f"{_FORMATS}.structured:_ACTIVE", structured._ACTIVE - {name}, _XML) for name in sorted(structured._ACTIVE)),
    Mutant("xml: text behind an element", f"{_FORMATS}.structured:_keep_tail", _nothing, _XML),
    Mutant("json: keys twice", f"{_FORMATS}.structured:_unique", _nothing, _XML),
    Mutant("json: constants", f"{_FORMATS}.structured:_refuse_constant", _nothing, _XML),
    Mutant("json: depth", f"{_FORMATS}.structured:_refuse_depth", _nothing, _XML),
    Mutant("json: cost", f"{_FORMATS}.structured:_JSON_COST", 0, _XML),
    Mutant("cards: components", f"{_FORMATS}.vobject:_COMPONENTS[ics]", vobject._COMPONENTS[Kind.ICS] | {"X-EVIL"}, _CARDS),
    *(
        Mutant(f"cards: {name}", f"{_FORMATS}.vobject:_PROPERTIES[{kind}]", vobject._PROPERTIES[kind] | {name}, _CARDS)
        for kind, name in ((Kind.ICS, "ATTACH"), (Kind.ICS, "X-ALT-DESC"), (Kind.VCF, "KEY"), (Kind.VCF, "SOUND"), (Kind.VCF, "LOGO"))
    ),
    Mutant("cards: alarms that act", f"{_FORMATS}.vobject:_BLOCKING_ACTIONS", frozenset(), _CARDS),
    Mutant("cards: addresses", f"{_FORMATS}.vobject:_ADDRESSES", frozenset(), _CARDS),
    Mutant("cards: parameters", f"{_FORMATS}.vobject:_PARAMETERS", vobject._PARAMETERS | {"ALTREP", "X-EVIL", "DIR"}, _CARDS),
    Mutant("mht: parts inside parts", f"{_FORMATS}.mht:_DEEPEST", 1 << 30, f"{_TESTS}/test_mht.py"),
    Mutant("second opinion: hidden characters", f"{_VERIFY}.text:_HIDDEN", _NEVER, "tests/sanitizers/verify/test_text.py"),
    Mutant("second opinion: the quick look", f"{_VERIFY}.text:_SEEN", _ANY, "tests/sanitizers/verify/test_text.py"),
    Mutant("second opinion: visible characters", f"{_VERIFY}.text:_same_characters", _nothing, "tests/sanitizers/verify/test_text.py"),
    Mutant("second opinion: cells", f"{_VERIFY}.text:_check_row", _nothing, "tests/sanitizers/verify/test_text.py"),
    Mutant("second opinion: document types", f"{_VERIFY}.text:_DELIVERY_DTD", _ANY, "tests/sanitizers/verify/test_text.py"),
    Mutant("second opinion: properties", f"{_VERIFY}.vobject:_check", _nothing, "tests/sanitizers/verify/test_vobject.py"),
    Mutant("drawings: policy and approval", f"{_CONFIRM}:CHECKS", {}, _DRAWINGS),
    Mutant("dxf: what is foreign", f"{_CONFIRM}.dxf:_FOREIGN", _NEVER_BYTES, _DRAWINGS),
    Mutant("dxf: names elsewhere", f"{_CONFIRM}.dxf:_ELSEWHERE", _NEVER_BYTES, _DRAWINGS),
    Mutant("dxf: values", f"{_CONFIRM}.dxf:_check_value", _nothing, _DRAWINGS),
    Mutant("dxf: sections", f"{_CONFIRM}.dxf:_SECTIONS", frozenset({b"HEADER", b"TABLES", b"BLOCKS", b"ENTITIES", b"OBJECTS", b"EVIL"}), _DRAWINGS),
    Mutant("p21, sfc: names elsewhere", f"{_CONFIRM}.step:_ELSEWHERE", _NEVER, _DRAWINGS),
    Mutant("p21: comments", f"{_CONFIRM}.step:_without_comments", lambda text: re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL), _DRAWINGS),
    Mutant("p21: depth", f"{_CONFIRM}.step:_DEEPEST", 1 << 30, _DRAWINGS),
    Mutant("shp: records", f"{_CONFIRM}.shape:_check_record", _nothing, _DRAWINGS),
    Mutant("dbf: types of fields", f"{_CONFIRM}.shape:_TYPES", frozenset("CNFLDI@O+MBGP"), _DRAWINGS),
    Mutant("dbf: controls", f"{_CONFIRM}.shape:_CONTROL", _NEVER_BYTES, _DRAWINGS),
)  # fmt: skip
TESTS = (
    *(f"{_TESTS}/test_{name}.py" for name in ("text", "csv", "html", "structured", "vobject", "mht", "cases")),
    "tests/sanitizers/confirm", "tests/sanitizers/verify/test_text.py", "tests/sanitizers/verify/test_vobject.py",
)  # fmt: skip

if __name__ == "__main__":
    main(MUTANTS, TESTS)
