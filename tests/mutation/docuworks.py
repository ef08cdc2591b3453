"""What the tests of DocuWorks must notice when it is switched off: `python -m tests.mutation.docuworks`."""

from __future__ import annotations

import re
from typing import Any

from sanitizers.model import Kind
from tests.mutation.runner import Mutant, main

_OURS = "sanitizers.confirm.docuworks"
_NEVER = re.compile(r"(?!)")


class _Everything(frozenset[Any]):
    def __contains__(self, _: object) -> bool:
        return True

    def __len__(self) -> int:
        return 1 << 20


def _nothing(*_: Any) -> None:
    return None


MUTANTS: tuple[Mutant, ...] = (
    Mutant("classes of objects", f"{_OURS}:_CLASSES", _Everything()),
    Mutant("kinds of values", f"{_OURS}:_VALUES", _Everything()),
    Mutant("length of values", f"{_OURS}:_LONGEST", 1 << 30),
    Mutant("names of what is elsewhere", f"{_OURS}:_ELSEWHERE", _NEVER),
    Mutant("drawings", f"{_OURS}:_check_picture", _nothing),
    Mutant("values of drawings", f"{_OURS}:_OF_PICTURE", _Everything()),
    Mutant("kinds of drawings", f"{_OURS}:_PICTURES", _Everything(Kind)),
    Mutant("how drawings are packed", f"{_OURS}:_METHOD", b"\5"),
    Mutant("heads", f"{_OURS}:_check_head", _nothing),
    Mutant("line ends", f"{_OURS}:_LINE_ENDS", b"\1\n\1\1"),
    Mutant("depth of objects", f"{_OURS}:_DEEPEST", 2),
    Mutant("number of values", f"{_OURS}:_MOST", 1 << 30),
    Mutant("the way of the confirmed", "sanitizers.confirm:CHECKS[xdw]", lambda *_: "nothing was looked at"),
    Mutant("names of what nobody rebuilds", "sanitizers.confirm:_UNBUILT", {}),
)

if __name__ == "__main__":
    main(MUTANTS, ("tests/sanitizers/confirm/test_docuworks.py",))
