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
    DISPOSAL = "file.disposal"      # 期限前の廃棄
    EMERGENCY = "exception.emergency"   # 緊急例外: for a day, in force before anybody else looked at it
    DELEGATE = "delegate"           # 代行者（代決者）の指名
    REPORT = "report"               # 事後報告 of what went ahead without a second person
    EMERGENCY_REPORT = "report.emergency"


class Rule(NamedTuple):
    """How a kind is decided: one person for each step, each step's chain from below upwards. `inspected`: the approver has to say that
    he looked at it; `unavoidable`: 止むを得ない場合 there is a way without a second person, which is reported upwards by itself, by a
    request of the kind `report`; `due`: of a report, seconds within which it has to be looked at, 0: none."""

    ja: str
    en: str
    steps: tuple[tuple[Rank, ...], ...]
    days: float = 14
    inspected: bool = False
    unavoidable: bool = False
    report: Kind = Kind.REPORT
    due: float = 0


_LINE: Final = (Rank.HEAD, Rank.ABOVE, Rank.ADMINISTRATOR, Rank.CISO)
_HOUSE: Final = (Rank.ADMINISTRATOR, Rank.CISO)
_NEVER: Final = 3_650.0         # days: a report stays until somebody has looked at it
RULES: Final[dict[Kind, Rule]] = {
    Kind.FILE: Rule("ファイルの取込み", "bringing a file in", (_LINE,), unavoidable=True),
    Kind.CONFIRMED: Rule("確認済みの取込み（原本のまま）", "a confirmed original", (_LINE,), inspected=True),
    Kind.ORIGINAL: Rule("原本の取出し", "taking an original out", (_LINE,)),
    Kind.ANALYSIS: Rule("原本の取出し（解析用）", "taking an original out for analysis", (_HOUSE,), days=7),
    Kind.MACRO: Rule("マクロ付き取込み", "bringing a file in with its macros", (_LINE, _HOUSE)),
    Kind.EXCEPTION: Rule("例外措置", "an exception", ((Rank.CISO,),), days=30),
    Kind.RULES: Rule("検知ルールの公開", "publishing rules", (_HOUSE,), unavoidable=True),
    Kind.POLICY: Rule("ポリシーの公開", "publishing a policy", (_HOUSE,), unavoidable=True),
    Kind.VISIT: Rule("委託事業者の作業", "a vendor's visit", (_HOUSE,)),
    Kind.DISPOSAL: Rule("期限前の廃棄", "disposing of originals early", (_HOUSE,), days=7),
    Kind.EMERGENCY: Rule("緊急例外", "an emergency exception", (_HOUSE,), days=1, unavoidable=True, report=Kind.EMERGENCY_REPORT),
    Kind.DELEGATE: Rule("代行者（代決者）の指名", "naming a delegate", ((Rank.CISO,),), days=30, unavoidable=True),
    Kind.REPORT: Rule("事後報告の確認", "a report afterwards", ((Rank.HEAD, Rank.ABOVE, Rank.CISO, Rank.ADMINISTRATOR),), days=_NEVER),
    Kind.EMERGENCY_REPORT: Rule(
        "緊急例外の事後報告", "a report of an emergency exception", ((Rank.CISO, Rank.ADMINISTRATOR),), days=_NEVER, due=86_400
    ),
}
REPORTS: Final = frozenset({Kind.REPORT, Kind.EMERGENCY_REPORT})
