"""What the tests of presentations must notice when it is switched off: `python -m tests.mutation.ppt`."""

from __future__ import annotations

import re
from typing import Any

from sanitizers.formats.office.pictures import Picture
from sanitizers.formats.ppt import document, grammar, links, options, persist, records, shapes, slides, text
from tests.mutation.runner import Mutant, main

_PPT = "sanitizers.formats.ppt"
_KEPT_TESTS, _DANGERS, _BROKEN = (f"tests/sanitizers/formats/ppt/test_{name}.py" for name in ("kept", "dangers", "broken"))


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _kept(record: Any, _place: Any) -> bytes:
    """Any rule: the record stays as it was."""
    return records.again(record)


def _left_in_place(data: Any, known: Any, place: Any) -> bytes:
    """A walk that keeps what has no rule."""
    return b"".join(known[one.kind](one, place) if one.kind in known else records.again(one) for one in records.children(data))


def _show_kept() -> None:
    slides._GRAMMARS[slides.SLIDE][0x03F9] = _kept


def _text_ids_kept() -> None:
    options.__dict__.update(_NUMBERS=options._NUMBERS | {0x80}, _TEXT_ID=-1)


def _nobody(stream: bytes, user: bytes) -> persist.Edit:
    return _read(stream, user)._replace(user=False)


def _again(self: document.Rebuilding, number: int, kinds: Any, place: Any) -> int:
    self._taken.discard(number)
    return _add(self, number, kinds, place)


class _Everything(frozenset[int]):
    def __contains__(self, _: object) -> bool:
        return True


_read = persist.read
_add = document.Rebuilding._add

MUTANTS: tuple[Mutant, ...] = (
    *(Mutant(f"word on {kind:04X}", f"{_PPT}.grammar:REPORTED[{kind}]", "ppt.comments", _DANGERS) for kind in
      (0x1006, 0x07E4, 0x0FB8, 0x0406, 0x1389, 0x1785)),
    *(Mutant(f"action {action}", f"{_PPT}.links:_CODES[{action}]", "ppt.comments", _DANGERS) for action in links._CODES),
    *(Mutant(f"word on object {kind:04X}", f"{_PPT}.links:_OBJECTS[{kind}]", "ppt.comments", _DANGERS) for kind in (0x0FCE, 0x0FEE)),
    Mutant("unknown records of the walk", f"{_PPT}.slides:walk", _left_in_place, _DANGERS),
    Mutant("unknown records of containers", f"{_PPT}.grammar:walk", _left_in_place, _DANGERS),
    Mutant("word on unknown records", f"{_PPT}.grammar:Place.left", _nothing, _DANGERS),
    Mutant("word on broken records", f"{_PPT}.grammar:Place.broken", lambda *_: b"", _DANGERS),
    Mutant("layouts of numbers", f"{_PPT}.shapes:_SHAPE[{0xF00F}]", _kept, _DANGERS),
    Mutant("ends of names", f"{_PPT}.grammar:ended", bytes, _DANGERS),
    Mutant("ends of words of properties", f"{_PPT}.options:ended", bytes, _DANGERS),
    Mutant("targets of links", f"{_PPT}.links:_stays", lambda *_: True, _DANGERS),
    Mutant("schemes of links", f"{_PPT}.links:allowed", lambda *_: True, _DANGERS),
    Mutant("places of links", f"{_PPT}.links:is_place", lambda *_: True, _DANGERS),
    Mutant("links into files", f"{_PPT}.links:_FILES", frozenset(), _DANGERS),
    Mutant("characters of links that are gone", f"{_PPT}.shapes:_WORDS[{0x0FDF}]", _kept, _DANGERS),
    Mutant("objects of shapes", f"{_PPT}.shapes:_DATA[{shapes._OBJECT}]", _kept, _DANGERS),
    Mutant("flag of objects", f"{_PPT}.shapes:_OLE_FLAG", 0, _DANGERS),
    Mutant("sounds of animations", f"{_PPT}.shapes:_DATA[{0x1014}]", grammar.nest({0x0FF1: _kept, 0x07E6: _kept}), _DANGERS),
    Mutant("sounds of slides", "", _show_kept, _DANGERS),
    Mutant("pictures by links", f"{_PPT}.options:_FLAGS", frozenset(), _DANGERS),
    Mutant("names of pictures", f"{_PPT}.options:_NAMES", frozenset(), _DANGERS),
    Mutant("links of shapes", f"{_PPT}.options:_HYPERLINK", -1, _DANGERS),
    Mutant("scripts of shapes", f"{_PPT}.options:_SCRIPT", -1, _DANGERS),
    Mutant("numbers of text boxes", "", _text_ids_kept, _DANGERS),
    Mutant("sizes of arrays", f"{_PPT}.options:_array", bytes, _DANGERS),
    Mutant("runs of texts", f"{_PPT}.shapes:_WORDS[{0x0FA1}]", _kept, _DANGERS),
    Mutant("bits of formats", f"{_PPT}.text:_PARAGRAPH", (*text._PARAGRAPH, (0x8000_0000, 4)), _DANGERS),
    Mutant("names of fonts", f"{_PPT}.document:_ENVIRONMENT[{0x07D5}]", grammar.nest({0x0FB7: _kept}), _DANGERS),
    Mutant("name of a running show", f"{_PPT}.document:_play", _kept, _DANGERS),
    Mutant("word on macros", f"{_PPT}.document:_macros", lambda *_: b"", _DANGERS),
    Mutant("tags of others", f"{_PPT}.tags:_OWN", frozenset({"VENDOR", "___PPT9", "___PPT10", "___PPT12"}), _DANGERS),
    Mutant("what later versions put into tags", f"{_PPT}.tags:_left", _kept, _DANGERS),
    Mutant("comments against policy", f"{_PPT}.tags:_SLIDES[{0x2EE0}]", _kept, _KEPT_TESTS),
    Mutant("animations that play", f"{_PPT}.animation:_plays", lambda *_: False, _DANGERS),
    Mutant("animations that command", f"{_PPT}.animation:_COMMAND", -1, _DANGERS),
    Mutant("kinds of values in animations", f"{_PPT}.animation:_NODE[{0xF131}]", _kept, _DANGERS),
    Mutant("pictures as they are", f"{_PPT}.pictures:pictures.rebuild", lambda _n, data, *_: Picture(data, "png"), _DANGERS),
    Mutant("last user", f"{_PPT}.persist:read", _nobody, _DANGERS),
    Mutant("word on storages", f"{_PPT}.rebuild:beside.report", _nothing, _DANGERS),
    Mutant("authors", "sanitizers.formats.office.properties:_GONE", {}, _DANGERS),
    Mutant("every property is a mark", "sanitizers.formats.office.properties:MARK", re.compile(""), _DANGERS),
    Mutant("no property is a mark", "sanitizers.formats.office.properties:MARK", re.compile("(?!)"), _KEPT_TESTS),
    Mutant("parts that are named twice", f"{_PPT}.document:Rebuilding._add", _again, _BROKEN),
    Mutant("depth of groups", f"{_PPT}.grammar:_DEEPEST", 900, _BROKEN),
    Mutant("second opinion on streams", "sanitizers.verify.ppt:_STREAMS", frozenset({"PowerPoint Document", "Current User", "Payload", "Pictures"}), _BROKEN),
    Mutant("second opinion on records", "sanitizers.verify.ppt:_ATOMS", _Everything(), _BROKEN),
    Mutant("second opinion on actions", "sanitizers.verify.ppt:_ACTIONS", _Everything(), _BROKEN),
    Mutant("second opinion on links", "sanitizers.verify.ppt:_check_link", _nothing, _BROKEN),
    Mutant("second opinion on pictures", "sanitizers.verify.ppt:_check_picture", _nothing, _BROKEN),
    Mutant("second opinion on words", "sanitizers.verify.ppt:_text", lambda *_: "", _BROKEN),
)  # fmt: skip
TESTS = ("tests/sanitizers/test_cfb_writer.py", "tests/sanitizers/formats/ppt")


if __name__ == "__main__":
    main(MUTANTS, TESTS)
