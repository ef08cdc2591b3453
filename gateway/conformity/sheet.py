"""自己点検票: every clause with what answers it, judged."""

from __future__ import annotations

import tomllib
from collections import Counter
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from gateway.conformity.checks import CHECKS, Judged, Standing
from gateway.conformity.facts import Facts


class Answer(StrEnum):
    """適, 否, not answered by the product, a duty of the organisation, a boundary."""

    FITS = "fits"
    FAILS = "fails"
    OPEN = "open"
    DUTY = "duty"
    APART = "apart"


TITLES: Final = {
    Answer.FITS: ("適", "fits"),
    Answer.FAILS: ("否", "does not"),
    Answer.OPEN: ("未対応", "not answered"),
    Answer.DUTY: ("運用", "by the organisation"),
    Answer.APART: ("対象外", "not applicable"),
}


class Profile(StrEnum):
    """What an installation is for. A body whose files come in only is not asked about those that leave."""

    BOTH = "both"
    INBOUND = "inbound"
    NO_LGWAN = "no-lgwan"


PROFILES: Final = {
    Profile.BOTH: ("双方向（LGWAN接続系あり）", "both directions"),
    Profile.INBOUND: ("取込みのみ", "inbound only"),
    Profile.NO_LGWAN: ("LGWAN接続系なし", "no LGWAN tier"),
}
_LACKS: Final = {Profile.BOTH: frozenset[str](), Profile.INBOUND: frozenset({"outbound"}), Profile.NO_LGWAN: frozenset({"lgwan"})}
TRAITS: Final = frozenset[str]().union(*_LACKS.values())


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One clause of a policy. `kind`: M enforced, S supported, X a boundary; `of`: traits without which it is not applicable."""

    id: str
    policy: str
    at: str
    quote: str
    kind: str
    checks: tuple[str, ...]
    of: tuple[str, ...] = ()


class Row(msgspec.Struct, frozen=True):
    """A clause and its answer; `answers`: title, standing, setting and evidence of each check."""

    clause: Clause
    answer: Answer
    answers: tuple[tuple[str, Judged], ...]


@cache
def clauses() -> tuple[Clause, ...]:
    """In the order of the document."""
    text = resources.files("gateway.conformity").joinpath("clauses.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["clause"], tuple[Clause, ...])


def sheet(facts: Facts, policy: str = "", profile: Profile | None = None) -> list[Row]:
    """`policy`: only that body's clauses, empty: all; `profile`: None: that of the settings."""
    judged = {name: check.judge(facts) for name, check in CHECKS.items()}
    lacks = _LACKS[Profile(facts.settings["service.profile"]) if profile is None else profile]
    return [_row(clause, judged, lacks) for clause in clauses() if policy in ("", clause.policy)]


def sums(rows: list[Row]) -> dict[Answer, int]:
    counted = Counter(row.answer for row in rows)
    return {answer: counted[answer] for answer in Answer}


def _row(clause: Clause, judged: dict[str, Judged], lacks: frozenset[str]) -> Row:
    if lacks.intersection(clause.of):
        return Row(clause, Answer.APART, ())
    answers = tuple((CHECKS[name].title, judged[name]) for name in clause.checks)
    if not answers:
        answer = {"M": Answer.OPEN, "S": Answer.DUTY}.get(clause.kind, Answer.APART)
    else:
        answer = Answer.FAILS if any(one.standing is Standing.FAILS for _, one in answers) else Answer.FITS
    return Row(clause, answer, answers)
