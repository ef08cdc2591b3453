"""How a check is written down: what of an installation answers a clause, and with what evidence, judged from its facts."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.conformity.facts import Facts


class Standing(StrEnum):
    """適・否."""

    FITS = "fits"
    FAILS = "fails"


class Judged(NamedTuple):
    """`setting` and `evidence` for people, in Japanese."""

    standing: Standing
    setting: str
    evidence: str


class Check(NamedTuple):
    """One check, by its Japanese title."""

    title: str
    judge: Callable[[Facts], Judged]


ALWAYS: Final = "常時有効（設定で無効にできません）"
MONTH: Final = "直近30日"


def always(title: str, evidence: str | Callable[[Facts], str]) -> Check:
    """What no setting can switch off."""
    return Check(title, lambda facts: Judged(Standing.FITS, ALWAYS, evidence(facts) if callable(evidence) else evidence))


def holds(title: str, good: Callable[[Facts], bool], setting: Callable[[Facts], str], evidence: Callable[[Facts], str]) -> Check:
    """What depends on settings or on people: 適 while it is `good`."""
    return Check(
        title, lambda facts: Judged(Standing.FITS if good(facts) else Standing.FAILS, setting(facts), evidence(facts))
    )


def minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f}分" if seconds < 7_200 else f"{seconds / 3_600:.0f}時間"


def yes(flag: object) -> str:
    return "有効" if flag else "無効"


def spelt(addresses: list[tuple[str, int]]) -> str:
    return "、".join(f"{host}:{port}" for host, port in addresses)


def scanners(facts: Facts) -> str:
    said = [f"{one.scanner}（{'必須' if one.required else '任意'}：{one.trouble or '応答'}）" for one in facts.heard]
    return "、".join(said) or "外部の検査エンジンは設定されていません"
