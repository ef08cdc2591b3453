"""What can be asked for, and whose word it needs: one table."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from gateway.people.authority import Rank


class Kind(StrEnum):
    """What can be asked for."""

    FILE = "file.import"            # 取込み
    CONFIRMED = "file.confirmed"    # 確認済み（原本のまま）: with 目視確認
    ORIGINAL = "file.original"      # 原本の取出し
    ANALYSIS = "file.analysis"      # 原本の取出し（解析用）, by those who look after the house
    MACRO = "file.macro"            # マクロ付き取込み
    EXCEPTION = "exception"         # 例外措置
    RULES = "rules.publish"
    POLICY = "policy.publish"
    VISIT = "vendor.visit"          # 委託事業者の作業
    REPORT = "report"               # 事後報告 of what went ahead without a second person


class Rule(NamedTuple):
    """How a kind is decided: one person for each step, each step's chain from below upwards. `inspected`: the approver has to say that
    he looked at it; `unavoidable`: 止むを得ない場合 there is a way without a second person, which is reported upwards by itself."""

    ja: str
    en: str
    steps: tuple[tuple[Rank, ...], ...]
    days: float = 14
    inspected: bool = False
    unavoidable: bool = False


_LINE: Final = (Rank.HEAD, Rank.ABOVE, Rank.ADMINISTRATOR, Rank.CISO)
RULES: Final[dict[Kind, Rule]] = {
    Kind.FILE: Rule("ファイルの取込み", "bringing a file in", (_LINE,), unavoidable=True),
    Kind.CONFIRMED: Rule("確認済みの取込み（原本のまま）", "a confirmed original", (_LINE,), inspected=True),
    Kind.ORIGINAL: Rule("原本の取出し", "taking an original out", (_LINE,)),
    Kind.ANALYSIS: Rule("原本の取出し（解析用）", "taking an original out for analysis", ((Rank.ADMINISTRATOR, Rank.CISO),), days=7),
    Kind.MACRO: Rule("マクロ付き取込み", "bringing a file in with its macros", (_LINE, (Rank.ADMINISTRATOR, Rank.CISO))),
    Kind.EXCEPTION: Rule("例外措置", "an exception", ((Rank.CISO,),), days=30),
    Kind.RULES: Rule("検知ルールの公開", "publishing rules", ((Rank.ADMINISTRATOR, Rank.CISO),), unavoidable=True),
    Kind.POLICY: Rule("ポリシーの公開", "publishing a policy", ((Rank.ADMINISTRATOR, Rank.CISO),), unavoidable=True),
    Kind.VISIT: Rule("委託事業者の作業", "a vendor's visit", ((Rank.ADMINISTRATOR, Rank.CISO),)),
    Kind.REPORT: Rule("事後報告の確認", "a report afterwards", ((Rank.HEAD, Rank.ABOVE, Rank.CISO, Rank.ADMINISTRATOR),), days=3_650),
}
