"""What the tests of Office packages must notice when it is switched off. `python -m tests.mutation.ooxml` prints each rule with the test that fails."""

from __future__ import annotations

import re
from typing import Any

from sanitizers.formats.office import functions, instructions, pictures
from sanitizers.formats.ooxml import drawing, properties, rebuild, relationships, stretches, vocabulary
from sanitizers.formats.ooxml.relationships import How, Role
from tests.mutation.runner import Mutant, main

_OOXML = "sanitizers.formats.ooxml"
_OFFICE = "sanitizers.formats.office"
_VERIFY = "sanitizers.verify"
_DANGERS = "tests/sanitizers/formats/ooxml/test_dangers.py::test_is_gone_and_said"
_KEPT = "tests/sanitizers/formats/ooxml/test_kept.py"
_FORMULAS = "tests/sanitizers/formats/ooxml/test_formulas.py"
_LIMITS = "tests/sanitizers/formats/ooxml/test_limits.py"
_MACROS = "tests/sanitizers/formats/ooxml/test_macros.py"
_SECOND = "tests/sanitizers/verify/test_ooxml.py"
_APART = "tests/sanitizers/formats/ooxml/test_stretches.py"
_NEVER = re.compile(r"(?!)")
_NEVER_BYTES = re.compile(rb"(?!)")
_ALWAYS = re.compile(r"", re.DOTALL)


class _All(dict[Any, Any]):
    """Holds everything: what is asked for is what is found."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, key: Any) -> Any:
        return key


class _Any(frozenset[Any]):
    def __contains__(self, _: object) -> bool:
        return True


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _false(*_: Any, **__: Any) -> bool:
    return False


def _true(*_: Any, **__: Any) -> bool:
    return True


def _as_it_is(_name: str, data: bytes, _where: str, _context: Any, *_: Any) -> pictures.Picture:
    return pictures.Picture(data, "png")


def _all_bound() -> None:
    """Every item is taken for one that a control is bound to."""
    setattr(rebuild.Rebuild, "bound", property(lambda _self: _Anything(), lambda _self, _value: None))  # noqa: B010 - an attribute of its instances


class _Anything(frozenset[str]):
    def __contains__(self, _item: object) -> bool:
        return True


def _any_package(self: Any, part: str) -> None:
    self._store(part, self.package.read(part), "xlsx", relationships.EMBEDDED_TYPES["xlsx"])


# What is let in by itself, each with the sample that has it. Objects and controls are not among the elements: handlers take them out first.
_ELEMENTS = {
    "w:altChunk": "O17 altChunk RTF", "w:subDoc": "O27 sub-document", "w:attachedTemplate": "O04 template by http", "w:mailMerge": "O27 mail merge",
    "w:frameset": "O27 frameset", "w:control": "O16 ActiveX in a picture", "w:embedRegular": "O23 font", "a:videoFile": "O20 linked video",
    "a:snd": "O20 sound", "w:foo": "O22 unknown element", "w:docVars w:docVar": "document variables",
    "x:externalReferences x:externalReference": "O10 ddeLink",
}  # fmt: skip
_ATTRIBUTES = {
    "{urn:schemas-microsoft-com:office:office}href": "O06 VML picture by href", "src": "O06 VML picture by src",
    f"{{{vocabulary.SPACES['w'][0]}}}foo": "O22 unknown attribute",
}  # fmt: skip
_FIELDS = {
    "DDE": "O08 plain DDE", "DDEAUTO": "O08 lower case", "MACROBUTTON": "O09 MACROBUTTON", "INCLUDEPICTURE": "O09 INCLUDEPICTURE", "LINK": "O09 LINK",
    **{word: f"O09 {word}" for word in ("INCLUDETEXT", "INCLUDE", "IMPORT", "EMBED", "DATABASE", "RD")},
    **dict.fromkeys(("QUOTE", "ASK", "SET", "ADDIN", "PRINT", "AUTOTEXTLIST"), ""),
}  # fmt: skip
_FUNCTIONS = "CALL REGISTER EXEC RTD WEBSERVICE FILTERXML IMAGE EVALUATE GET.WORKSPACE".split()
_RELATIONSHIPS = {
    "vbaProject": "O02 purged VBA", "oleObject": "O13 OLE package", "control": "O16 ActiveX", "aFChunk": "O17 altChunk RTF",
    "subDocument": "O27 sub-document", "attachedTemplate": "O04 template by http", "frame": "O27 frame", "mailMergeSource": "O27 mail merge",
    "externalLink": "O10 ddeLink", "connections": "O12 connections", "queryTable": "O12 query table", "powerPivotData": "O12 data model",
    "xmlMaps": "O12 XML maps", "webextensiontaskpanes": "O19 web extension", "extensibility": "O18 custom UI", "audio": "O20 sound",
    "video": "O20 linked video", "font": "O23 font", "printerSettings": "O22 printer settings", "thumbnail": "O22 thumbnail",
    "origin": "O22 signature", "slideUpdateUrl": "O27 slide update",
}  # fmt: skip
_ALWAYS_OUTSIDE = {"subDocument", "attachedTemplate", "frame", "mailMergeSource", "slideUpdateUrl", "video"}     # there is no part to take
_SAID_OTHERWISE = {"aFChunk", "subDocument", "mailMergeSource", "frame", "video", "audio", "font", "control", "oleObject", "attachedTemplate", "externalLink"}


def _case(name: str) -> str:
    return f"{_DANGERS}[{name}]" if name else _FORMULAS


def _role(key: str, case: str) -> Mutant:
    anything = Role(How.XML, _All(), _Any(), True)
    return Mutant(f"relationship {key}", f"{_OOXML}.rebuild:ROLES", {**relationships.ROLES, key: anything}, _case(case))


def _handlers() -> list[Mutant]:
    functions_of_handlers = {one.__module__.rpartition(".")[2] + "." + one.__name__: one for one in stretches.HANDLERS.values()}
    return [
        Mutant(f"handler {name}", f"{_OOXML}.stretches:HANDLERS", {tag: one for tag, one in stretches.HANDLERS.items() if one is not gone}, _DANGERS)
        for name, gone in sorted(functions_of_handlers.items())
    ]


MUTANTS: tuple[Mutant, ...] = (
    *(
        Mutant(f"element {name}", f"{_OOXML}.vocabulary:ELEMENTS", vocabulary.ELEMENTS | vocabulary.clark(name), _case(case))
        for name, case in _ELEMENTS.items()
    ),
    *(
        Mutant(f"attribute {name}", f"{_OOXML}.vocabulary:ATTRIBUTES", vocabulary.ATTRIBUTES | {name}, _case(case))
        for name, case in _ATTRIBUTES.items()
    ),
    Mutant("every element", f"{_OOXML}.page:_strip_elements", _nothing, _DANGERS),
    Mutant("every attribute", f"{_OOXML}.page:_strip_attributes", _nothing, _DANGERS),
    *(_role(key, case) for key, case in _RELATIONSHIPS.items() if key not in _ALWAYS_OUTSIDE),
    *_handlers(),
    *(Mutant(f"field {word}", f"{_OFFICE}.instructions:LOCAL", instructions.LOCAL | {word}, _case(case)) for word, case in _FIELDS.items()),
    Mutant("links of fields", f"{_OFFICE}.links:field_allowed", _true, _FORMULAS),
    Mutant("fields whose name comes out of a field", f"{_OOXML}.fields:_own_name", lambda one: instructions.name_of("".join(one.instruction)),
           _case("O08 name out of a field before an allowed one")),
    Mutant("nesting of fields", f"{_OOXML}.fields:_DEEPEST", 1 << 30, _LIMITS),
    *(Mutant(f"function {name}", f"{_OFFICE}.formulas:FUNCTIONS", functions.FUNCTIONS | {name}, _FORMULAS) for name in _FUNCTIONS),
    Mutant("names of other workbooks", f"{_OFFICE}.formulas:_judge", _nothing, _FORMULAS),
    Mutant("links of formulas", f"{_OFFICE}.formulas:_link", _nothing, _FORMULAS),
    Mutant("schemes", f"{_OFFICE}.links:allowed", _true, _FORMULAS),
    Mutant("places", f"{_OFFICE}.links:is_place", _true, _case("O07 place in another file")),
    Mutant("macro sheets", f"{_OOXML}.sheet:_settle_sheets", _nothing, _case("O03 macro sheet")),
    Mutant("sheets are not counted anew", f"{_OOXML}.sheet:_renumber", _nothing, _DANGERS.replace("is_gone_and_said", "number_of_sheets_is_counted_anew")),
    Mutant("names that start macros", f"{_OOXML}.sheet:_AUTO", _NEVER, _case("O03 Auto_Open without its prefix")),
    Mutant("names that are functions", f"{_OOXML}.sheet:_MACRO_MARKS", (), _case("O03 name that is a macro")),
    Mutant("built-in names", f"{_OOXML}.sheet:_BUILT_IN", _Any(), _case("O03 built-in name that is none")),
    Mutant("pivot tables of other sources", f"{_OOXML}.sheet:is_local_cache", _true, _case("O12 pivot table of another workbook")),
    Mutant("actions", f"{_OOXML}.drawing:_JUMPS", _ALWAYS, _case("O20 program")),
    Mutant("styles of VML", f"{_OOXML}.drawing:_VML_STYLE", _NEVER, _case("O06 VML style")),
    Mutant("references", f"{_OOXML}.drawing:REFERRERS", frozenset(), _case("O17 altChunk RTF")),
    *(
        Mutant(f"references of {tag.rpartition('}')[2]}", f"{_OOXML}.drawing:REFERRERS", drawing.REFERRERS - vocabulary.clark(spelled), _DANGERS)
        for spelled in ("a:blip", "a:hlinkClick", "w:hyperlink", "c:externalData", "v:imagedata")
        for tag in list(vocabulary.clark(spelled))[:1]
    ),
    Mutant("pictures as they are", f"{_OFFICE}.pictures:rebuild", _as_it_is, _case("O23 EMF")),
    Mutant("embedded files as they are", f"{_OOXML}.rebuild:Rebuild._take_package", _any_package, _case("O14 embedded workbook")),
    Mutant("content types", f"{_OOXML}.rebuild:ROLES", {key: role._replace(content_types=_All()) for key, role in relationships.ROLES.items()}, _case("O22 known type, other content type")),
    Mutant("root elements", f"{_OOXML}.rebuild:ROLES", {key: role._replace(roots=_Any()) for key, role in relationships.ROLES.items()},
           _DANGERS.replace("is_gone_and_said", "o22_a_root_that_does_not_belong_is_refused")),
    Mutant("macro kinds", f"{_OOXML}.rebuild:PLAIN_MAIN_TYPE", dict.fromkeys(relationships.PLAIN_MAIN_TYPE, "application/vnd.ms-word.document.macroEnabled.main+xml"), _DANGERS.replace("is_gone_and_said", "o28_macro_kinds_become_plain_kinds")),
    Mutant("alternatives", f"{_OOXML}.page:resolve_alternatives", _nothing, _KEPT),
    Mutant("relationship types by their last word", f"{_OOXML}.relationships:_MICROSOFT", re.compile(r".*/([\w-]+)"), _case("O22 foreign type of a known word")),
    Mutant("authors", f"{_OOXML}.properties:_CORE", {**properties._CORE, "creator": "dc:creator", "lastModifiedBy": "cp:lastModifiedBy"}, _KEPT),
    Mutant("company and template", f"{_OOXML}.properties:_report", _nothing, _KEPT),
    Mutant("the version of the application", f"{_OOXML}.properties:_VERSION", _ALWAYS, _KEPT),
    Mutant("all properties are marks", f"{_OOXML}.properties:MARK", _ALWAYS, _KEPT),
    Mutant("no property is a mark", f"{_OOXML}.properties:MARK", _NEVER, _KEPT),
    Mutant("custom XML that nothing is bound to", "", _all_bound, _LIMITS),
    Mutant("long texts in custom XML", f"{_OOXML}.custom_xml:_LONGEST_TEXT", 1 << 40, _LIMITS),
    Mutant("large custom XML", f"{_OOXML}.custom_xml:_LARGEST", 1 << 40, _LIMITS),
    Mutant("comments against policy", f"{_OOXML}.comments:drop", _nothing, _MACROS),
    Mutant("parts of comments against policy", f"{_OOXML}.comments:ROLES", frozenset(), _MACROS),
    Mutant("macros are named", f"{_OFFICE}.vba:describe", lambda *_: "", _MACROS),
    Mutant("source of macros is scanned", f"{_OFFICE}.vba:_scan", _nothing, _MACROS),
    Mutant("source of macros without an end", f"{_OFFICE}.vba:LimitExceeded", type("Quiet", (Exception,), {}), _MACROS),
    Mutant("parts that nothing refers to", f"{_OOXML}.rebuild:Rebuild._report_unreached", _nothing, _case("O22 orphan")),
    *(
        Mutant(f"what is said of {key}", f"{_OOXML}.rebuild:DROPPED[{key}]", "ooxml.unknown_part", _case(case))
        for key, case in _RELATIONSHIPS.items()
        if key not in _SAID_OTHERWISE
    ),
    Mutant("apart: elements with a rule", f"{_OOXML}.stretches:_HARMLESS", stretches._HARMLESS._replace(elements=vocabulary.ELEMENTS), _APART),
    Mutant("apart: elements of cells", f"{_OOXML}.stretches:_CELLS", stretches._CELLS._replace(elements=_Any()), _APART),
    Mutant("apart: attributes of any meaning", f"{_OOXML}.stretches:_QUIET", _Any(), _APART),
    Mutant("apart: comments against policy", f"{_OOXML}.stretches:_WITHOUT_COMMENTS", stretches._HARMLESS, _APART),
    Mutant("apart: revision ids stay", f"{_OOXML}.stretches:_REVISIONS", rb"(?!)", _APART),
    Mutant("apart: open fields", f"{_OOXML}.fields:Open.see", _false, _APART),
    Mutant("apart: formulas of rows", f"{_OOXML}.sheet:formulas_stay", _true, _APART),
    Mutant("apart: copies before their formula", f"{_OOXML}.rebuild:Rebuild._rows", lambda self, apart, frame: [*self._pieces(apart, frame)], _APART),
    Mutant("apart: texts that are written otherwise", f"{_OFFICE}.tags:_UNUSUAL", {}, _APART),
    Mutant("apart: comments and ends with blanks", f"{_OFFICE}.tags:_NO_ELEMENT", (b"?",), _APART),
    Mutant("apart: lone signs in text", f"{_OFFICE}.tags:Tags._texts", lambda *_: iter(()), _APART),
    Mutant("apart: a sign that the text has", f"{_OFFICE}.excerpt:_unused_sign", lambda _data: chr(0xF0000).encode(), _APART),
    Mutant("apart: broken stretches", "sanitizers.xml:check", _nothing, _APART),
    Mutant("cells", f"{_OOXML}.sheet:count_cells", lambda _data: 0, _LIMITS),
    Mutant("chains of names", f"{_OOXML}.sheet:_MOST_ROUNDS", 1 << 20, _LIMITS),
    Mutant("the password that hides nothing", f"{_OOXML}.encrypted:DEFAULT_PASSWORD", "x", _DANGERS.replace("is_gone_and_said", "o26_an_encrypted_package_is_opened_and_cleaned")),
    Mutant("rounds of hashing", f"{_OOXML}.encrypted:_MOST_ROUNDS", 1 << 40, _LIMITS),
    Mutant("kinds under a password", f"{_OOXML}.encrypted:ooxml.KINDS", _Any(),
           _DANGERS.replace("is_gone_and_said", "o26_another_kind_under_a_password_is_held")),
    *(
        Mutant(f"second opinion: {name}", f"{_VERIFY}.{module}:{name}", value, _SECOND)
        for module, name, value in (
            ("ooxml_markup", "_FORBIDDEN_ELEMENTS", frozenset()), ("spelled", "prove_plain", _nothing), ("ooxml_markup", "_KNOWN_SPACE", re.compile(rb"")),
            ("ooxml_markup", "_check_alternatives", _nothing), ("ooxml_markup", "_check_references", _nothing), ("ooxml_calls", "_FORBIDDEN_FIELD", _NEVER_BYTES),
            ("ooxml_calls", "_FIELDS", _Any()), ("ooxml_calls", "_FORBIDDEN_FORMULA", _NEVER_BYTES), ("ooxml_calls", "_HYPERLINK", _NEVER_BYTES),
            ("ooxml_calls", "_LOADED", _NEVER_BYTES), ("ooxml_calls", "_NAME_THAT_STARTS", _NEVER_BYTES), ("ooxml_package", "_TYPE_SPACES", ("",)),
            ("ooxml_calls", "_JUMP", re.compile(rb".*")), ("ooxml_calls", "_CLICK_MACRO", _NEVER_BYTES), ("ooxml_calls", "leads_nowhere_else", _true),
            ("ooxml_package", "_FORBIDDEN_NAMES", _NEVER), ("ooxml_package", "_RELATIONSHIP_TYPE", _NEVER), ("parts", "Parts.check", _nothing),
            ("ooxml_package", "_OTHER_TYPES", _Any()), ("ooxml_package", "_check_layout", _nothing), ("ooxml_package", "_check_reached", _nothing),
            ("ooxml_package", "_check_main", _nothing), ("ooxml_package", "_check_links", _nothing), ("ooxml_meaning", "_cells", len), ("ooxml_meaning", "_LEAST", 0.0),
        )
    ),
)  # fmt: skip
TESTS = (
    "tests/sanitizers/formats/ooxml/test_dangers.py", _KEPT, _APART, "tests/sanitizers/formats/office", _SECOND, _FORMULAS, _MACROS, _LIMITS,
)  # fmt: skip

if __name__ == "__main__":
    main(MUTANTS, TESTS)
