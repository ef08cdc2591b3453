"""What the road asks about rule files, and what it is answered: plain data, both sides import it."""

from __future__ import annotations

from typing import Final

import msgspec

# Larger sets are refused before anybody reads them.
MOST_BYTES: Final = 32 << 20


class RuleQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """`files`: file name → text, with the catalog. `foreign`: files from elsewhere, of which only what compiles is wanted, beside `files`.
    `cost`: measure every rule."""

    files: dict[str, str]
    foreign: dict[str, str] = {}
    cost: bool = False
    jail_required: bool = True


class RuleFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why a rule, or a whole file (`rule` is empty), does not compile or is not taken. `line` counts from 1; 0: none in particular."""

    file: str
    line: int
    rule: str
    text: str


class RuleAt(msgspec.Struct, frozen=True, kw_only=True):
    """Where a rule stands."""

    name: str
    file: str
    line: int


class RuleCost(msgspec.Struct, frozen=True, kw_only=True):
    """Time of one rule alone over a mixed sample, in milliseconds for each MiB."""

    name: str
    file: str
    ms_per_mib: float


class RuleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`taken`: of the foreign files, what compiles. `version`: of `files`, as the warm parent will say it."""

    version: str = ""
    rules: tuple[RuleAt, ...] = ()
    faults: tuple[RuleFault, ...] = ()
    taken: dict[str, str] = {}
    costs: tuple[RuleCost, ...] = ()
