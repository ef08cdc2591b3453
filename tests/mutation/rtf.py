"""What the tests of RTF must notice when it is switched off. `python -m tests.mutation.rtf` prints each rule with the test that fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sanitizers.formats.office import instructions
from sanitizers.formats.office.pictures import Picture
from sanitizers.formats.rtf import rebuild, writer
from tests.mutation.runner import Mutant, main

_RTF = "sanitizers.formats.rtf"
_VERIFY = "sanitizers.verify.rtf"
_DESTINATION = rebuild.Rebuild._destination
_LET_IN = (
    "object objdata template nextfile filetbl mailmerge fldinst datastore themedata docvar private fontemb htmltag xmlopen ffentrymcr author "
    "company doccomm hlinkbase do passwordhash userprops"
).split()


def _let_in(name: str) -> Callable[..., bytes]:
    """One destination copied like any text."""

    def destination(self: Any, found: str, rest: Any) -> bytes:
        return b"\\*" + writer.word(found) + self._content(rest) if found == name else _DESTINATION(self, found, rest)

    return destination


def _anything(_self: Any, _code: str, _detail: str) -> None:
    return None


def _picture_as_it_is(_name: str, data: bytes, *_: Any) -> Picture:
    return Picture(data, "png")


MUTANTS: tuple[Mutant, ...] = (
    *(Mutant(f"\\{name}", f"{_RTF}.rebuild:Rebuild._destination", _let_in(name)) for name in _LET_IN),
    Mutant("unknown destinations", f"{_RTF}.rebuild:Rebuild._takes_all", lambda self, name, *, star: name in self._special),
    Mutant("nothing is reported", f"{_RTF}.rebuild:Rebuild._left", _anything),
    Mutant("every field", "sanitizers.formats.office.instructions:is_local", lambda *_, **__: True),
    *(Mutant(f"field {name}", "sanitizers.formats.office.instructions:LOCAL", instructions.LOCAL | {name}) for name in ("DDE", "DDEAUTO", "LINK", "INCLUDETEXT", "FILLIN")),
    Mutant("every link", "sanitizers.formats.office.links:field_allowed", lambda *_: True),
    Mutant("every property of a shape", f"{_RTF}.shapes:is_plain", lambda _name, _value: True),
    Mutant("lists of points as they are", f"{_RTF}.shapes:_POINTS", re.compile(r"([0-9]+);([0-9]+)(;.*)")),
    Mutant("names of pictures", f"{_RTF}.shapes:TEXTS", frozenset({"pibName"})),
    Mutant("every number", f"{_RTF}.rebuild:words.fits", lambda _word, _number: True),
    Mutant("overrides of lists", f"{_RTF}.words:_OVERRIDES", frozenset(range(-9, 99))),
    Mutant("pictures as they are", "sanitizers.formats.office.pictures:rebuild", _picture_as_it_is),
    Mutant("binary data as text", f"{_RTF}.rebuild:Binary", type("Nothing", (), {})),
    Mutant("bytes as they are", f"{_RTF}.writer:text", lambda letters: letters),
    Mutant("what follows a letter", f"{_RTF}.tokens:_WIDEST", 0),
    Mutant("depth", f"{_RTF}.tokens:_DEPTH", 100_000),
    Mutant("fonts", f"{_RTF}.rebuild:_FONTS", 1 << 30),
    Mutant("marks of a classification", f"{_RTF}.rebuild:MARK", re.compile(r"")),
    Mutant("comments by policy", f"{_RTF}.rebuild:COMMENTS", frozenset()),
    Mutant("verify: words", f"{_VERIFY}:_FORBIDDEN", frozenset()),
    Mutant("verify: destinations", f"{_VERIFY}:_STARRED", re.compile(rb"")),
    Mutant("verify: pictures", f"{_VERIFY}:_check_pictures", lambda *_: None),
    Mutant("verify: digits", f"{_VERIFY}:_LONGEST_DIGITS", 1 << 30),
    Mutant("verify: fields", f"{_VERIFY}:_check_fields", lambda *_: None),
    Mutant("verify: spelling", f"{_VERIFY}:_SPELT", re.compile(rb".*", re.DOTALL)),
    Mutant("verify: the same words", f"{_VERIFY}:_said", lambda _data: None),
)
TESTS = ("tests/sanitizers/formats/rtf/test_rtf.py",)

if __name__ == "__main__":
    main(MUTANTS, TESTS)
