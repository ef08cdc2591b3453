"""What the tests of OpenDocument must notice when it is switched off. `python -m tests.mutation.odf` prints each rule with the test that fails."""

from __future__ import annotations

import re
from typing import Any

from sanitizers.formats.odf import rebuild, values, vocabulary
from sanitizers.formats.office.tags import PLAIN_VALUE
from tests.mutation.runner import Mutant, main

_ODF = "sanitizers.formats.odf"
_VERIFY = "sanitizers.verify.odf"
_APART = "tests/sanitizers/formats/odf/test_stretches.py"
_DANGERS = "tests/sanitizers/formats/odf/test_dangers.py"
_LOCKED, _PACKAGE = "tests/sanitizers/formats/odf/test_encryption.py", "tests/sanitizers/formats/odf/test_package.py"
_NEVER = re.compile(r"(?!)")
_NEVER_BYTES = re.compile(rb"(?!)")
_ALWAYS = re.compile(r"", re.DOTALL)
_NAMES = vocabulary.SPACES | {"script": "urn:oasis:names:tc:opendocument:xmlns:script:1.0", "svg": vocabulary.SPACES["svg"]}

# Elements that must stay behind: each is let in by itself. Not here: those that only stand inside one of these.
_ELEMENTS = (
    "office:scripts office:event-listeners text:script office:dde-source text:dde-connection-decls table:dde-links "
    "draw:object-ole draw:plugin draw:applet draw:floating-frame text:section-source table:table-source table:cell-range-source anim:audio anim:command "
    "table:error-macro table:database-source-sql table:database-source-table table:database-source-query table:source-service "
    "form:connection-resource svg:font-face-src text:alphabetical-index-auto-mark-file"
).split()


def _clark(spelled: str) -> str:
    prefix, _, local = spelled.partition(":")
    return f"{{{_NAMES[prefix]}}}{local}"


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _false(*_: Any, **__: Any) -> bool:
    return False


def _true(*_: Any, **__: Any) -> bool:
    return True


MUTANTS: tuple[Mutant, ...] = (
    *(Mutant(f"element {name}", f"{_ODF}.vocabulary:ELEMENTS", vocabulary.ELEMENTS | {_clark(name)}) for name in _ELEMENTS),
    Mutant("every element", f"{_ODF}.page:_strip_elements", _nothing),
    Mutant("every attribute", f"{_ODF}.vocabulary:is_attribute", _true),
    Mutant("links of any scheme", f"{_ODF}.page:_hyperlink", _nothing),
    Mutant("links that open by themselves", f"{_ODF}.page:_ACTUATE", "{}none"),
    Mutant("links on areas and buttons", f"{_ODF}.page:_AREAS", frozenset()),
    Mutant("references of other elements", f"{_ODF}.page:_link", _nothing),
    Mutant("fields of macros and databases", f"{_ODF}.page:UNWRAPPED", ("{}none",)),
    Mutant("pilots without a source", f"{_ODF}.page:_drop_empty_pilots", _nothing),
    Mutant("properties of controls", f"{_ODF}.page:_property_values", lambda _element: iter(())),
    Mutant("values of extensions", f"{_ODF}.values:leads_out", _false),
    *(
        Mutant(f"value of {name.rpartition('}')[2]}", f"{_ODF}.values:WATCHED", values.WATCHED - {name})
        for name in sorted(
            _clark(spelled)
            for spelled in "table:formula style:condition form:linked-cell table:cell-range-address text:url form:image-data "
            "form:control-implementation field:type".split()
        )
    ),
    Mutant("formulas that reach out", f"{_ODF}.formulas:_ELSEWHERE", _NEVER),
    Mutant("functions", f"{_ODF}.formulas:_call", _nothing),
    Mutant("functions of Excel", "sanitizers.formats.office.formulas:danger", _nothing),
    Mutant("names from outside", f"{_ODF}.named:remove", lambda _root, _schemes: {}),
    Mutant("names used by names", f"{_ODF}.formulas:names", lambda _formula: set()),
    Mutant("pictures from outside", f"{_ODF}.page:_PICTURES", frozenset()),
    Mutant("pictures as they are", f"{_ODF}.rebuild:Rebuild._member", lambda _self, _page, href: href),
    Mutant("a picture in another format", f"{_ODF}.rebuild:Rebuild._other", _false),
    Mutant("objects of any kind", f"{_ODF}.page:_OBJECT", "{}none"),
    Mutant("folders of any name", f"{_ODF}.rebuild:_relative", lambda member, page: f"../{member}"),
    Mutant("other members are not reported", f"{_ODF}.rebuild:Rebuild._report_rest", _nothing),
    *(Mutant(f"what is said of {name}", f"{_ODF}.rebuild:_CODES[{name}]", "odf.unknown_member") for name in rebuild._CODES if name not in ("media", "Media")),
    Mutant("signatures", f"{_ODF}.rebuild:_code", lambda name: rebuild._CODES.get(name.partition("/")[0], "odf.unknown_member")),
    Mutant("RDF", f"{_ODF}.rdf:says_nothing", _true),
    Mutant("empty scripts", f"{_ODF}.page:_is_empty", _false),
    Mutant("authors and templates", f"{_ODF}.properties:_TRACES", frozenset()),
    Mutant("all properties are marks", f"{_ODF}.properties:MARK", _ALWAYS),
    Mutant("no property is a mark", f"{_ODF}.properties:MARK", _NEVER),
    Mutant("strings of settings", f"{_ODF}.properties:_keeps", _true),
    Mutant("comments against policy", f"{_ODF}.comments:drop", _false),
    Mutant("apart: elements with a rule", f"{_ODF}.stretches:_WATCHED", frozenset(), _APART),
    Mutant("apart: links", f"{_ODF}.stretches:_LOUD", frozenset(), _APART),
    Mutant("apart: values that are judged", f"{_ODF}.stretches:_Judge._is_harmless", _true, _APART),
    Mutant("apart: formulas are judged", f"{_ODF}.stretches:_JUDGED", frozenset(), _APART),
    Mutant("apart: values of extensions", f"{_ODF}.stretches:_NO_SIGN", PLAIN_VALUE, _APART),
    Mutant("apart: blanks", f"{_ODF}.stretches:_NUMBER", PLAIN_VALUE, _APART),
    Mutant("apart: names from outside", f"{_ODF}.stretches:named.bad", lambda _root, _schemes: {}, _APART),
    Mutant("repeated cells", f"{_ODF}.cells:spend", _nothing, _PACKAGE),
    Mutant("blanks", f"{_ODF}.cells:_MOST_BLANKS", 1 << 40, _PACKAGE),
    Mutant("rounds of hashing", f"{_ODF}.encryption:_MOST_ROUNDS", 1 << 40, _LOCKED),
    Mutant("passes of Argon2", f"{_ODF}.encryption:_MOST_PASSES", 1 << 40, _LOCKED),
    Mutant("lanes of Argon2", f"{_ODF}.encryption:_MOST_LANES", 1 << 40, _LOCKED),
    Mutant("checksum of a password", f"{_ODF}.encryption:_CHECKSUMS", {}, _LOCKED),
    Mutant("codes of names", f"{_ODF}.page:_CODES_OF_NAMES", {}, _DANGERS),
    *(
        Mutant(f"second opinion on {name[1:].lower()}", f"{_VERIFY}:{name}", value)
        for name, value in {
            "_FORBIDDEN_ELEMENTS": frozenset(), "_COMMAND": _NEVER_BYTES, "_SELF_OPENING": _NEVER_BYTES, "_FORBIDDEN_FORMULA": _NEVER_BYTES,
            "_KNOWN_SPACE": re.compile(rb""), "_is_inside": _true, "_is_link": _true,
        }.items()
    ),
)  # fmt: skip
TESTS = ("tests/sanitizers/formats/odf",)

if __name__ == "__main__":
    main(MUTANTS, TESTS)
