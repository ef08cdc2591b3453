"""What the tests of 一太郎 documents must notice when it is switched off: `python -m tests.mutation.jtd`."""

from __future__ import annotations

from typing import Any

from sanitizers.formats.jtd import store
from sanitizers.verify import jtd as opinion
from tests.mutation.runner import Mutant, main

_JTD = "sanitizers.formats.jtd"


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _as_it_was(stream: bytes) -> bytes:
    return stream


class _Everything(frozenset[int]):
    def __contains__(self, _: object) -> bool:
        return True


MUTANTS: tuple[Mutant, ...] = (
    Mutant("streams that nobody knows", f"{_JTD}.rebuild:_judge", _nothing),
    Mutant("storages that nobody knows", f"{_JTD}.rebuild:_judge_storages", _nothing),
    Mutant("what lies beside a compressed document", f"{_JTD}.rebuild:_judge_wrapping", _nothing),
    Mutant("word on authors", f"{_JTD}.rebuild:_GONE", {}),
    Mutant("word on what else is said", f"{_JTD}.rebuild:_METADATA", frozenset()),
    Mutant("macros that are empty", f"{_JTD}.rebuild:_EMPTY_MACROS", _Everything()),
    Mutant("class of the document", f"{_JTD}.rebuild:_CLASS", bytes(12)),
    Mutant("size of what nobody can judge", f"{_JTD}.rebuild:_LARGEST", 1 << 40),
    Mutant("text as it was", f"{_JTD}.rebuild:_READERS[DocumentText]", _as_it_was),
    Mutant("values as they were", f"{_JTD}.rebuild:_READERS[DocumentPeripheralThree]", _as_it_was),
    Mutant("fonts as they were", f"{_JTD}.rebuild:_READERS[Font]", _as_it_was),
    Mutant("styles as they were", f"{_JTD}.rebuild:_READERS[DocumentEditStyles]", _as_it_was),
    Mutant("controls", f"{_JTD}.text:_CONTROLS", _Everything()),
    Mutant("heads of lines", f"{_JTD}.text:_KNOWN[16]", _nothing),
    Mutant("cells", f"{_JTD}.text:_KNOWN[48]", _nothing),
    Mutant("numbers of records", f"{_JTD}.text:_KNOWN[0]", _nothing),
    Mutant("looks", f"{_JTD}.text:_covered", lambda data, at: int.from_bytes(data[at + 1 : at + 5], "big")),
    Mutant("properties", f"{_JTD}.text:_PROPERTIES", range(256)),
    Mutant("sizes of properties", f"{_JTD}.text:_LONGEST", 255),
    Mutant("second opinion on streams", "sanitizers.verify.jtd:_STREAMS", opinion._STREAMS | {"Payload"}),
    Mutant("second opinion on the table", "sanitizers.verify.jtd:_listed", _nothing),
    Mutant("second opinion on words", "sanitizers.verify.jtd:runs", lambda _: [store.MAGIC]),
)  # fmt: skip
TESTS = ("tests/sanitizers/formats/jtd",)

if __name__ == "__main__":
    main(MUTANTS, TESTS)
