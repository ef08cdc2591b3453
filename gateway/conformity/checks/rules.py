"""Scanners, rules and policy, and how they change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.conformity.checks.judging import MONTH, Check, always, holds, scanners, yes

CHECKS: Final[Mapping[str, Check]] = {
    "scanner_required": holds(
        "検査エンジンの常駐",
        lambda facts: any(one.required for one in facts.heard) and not any(one.required and one.trouble for one in facts.heard),
        lambda facts: "必須：" + ("、".join(facts.settings["scanners.required"]) or "なし（検知ルールだけで検査）"),
        scanners,
    ),
    "signature_age": holds(
        "パターンの更新",
        lambda facts: bool(facts.heard) and not any(one.stale for one in facts.heard),
        lambda facts: f"期限：{facts.settings['scanners.stale'] / 3_600:.0f}時間",
        lambda facts: "、".join(f"{one.scanner}：{'不明' if one.age is None else f'{one.age / 3_600:.0f}時間前'}" for one in facts.heard)
        or "外部の検査エンジンは設定されていません",
    ),
    "rescan": holds(
        "定期の再検査",
        lambda facts: facts.settings["policy.rescan_days"] > 0,
        lambda facts: f"ルール・パターンの変更時に直近{facts.settings['policy.rescan_days']}日分",
        lambda _: "後から検知したものは受領者とともに記録し、通知します",
    ),
    "bundles": always("インターネットに接続しない更新", "署名付きの更新ファイルを検証して取り込み、前の版に戻せます"),
    "rule_origin": always("ルールの出所", "版ごとに起案者・承認者・日時・理由を記録します"),
    "four_eyes": holds(
        "二人での変更",
        lambda facts: bool(facts.settings["policy.four_eyes"]),
        lambda facts: f"policy.four_eyes = {yes(facts.settings['policy.four_eyes'])}",
        lambda _: "起案者以外の承認がなければ公開できません",
    ),
    "publishing_recorded": always("変更の記録", "変更前後の差分、起案・承認・公開した人と理由を版として残します"),
    "not_for_outside": always(
        "非公開の文書",
        lambda facts: "ルール・ポリシー・自己点検票・監視項目の画面と出力に「取扱注意」を表示。画面からの出力は役割で制限し記録します："
        f"{MONTH} {facts.counted['guarded']}件",
    ),
    "backtest": always("適用前の試行", lambda facts: f"直近{facts.settings['policy.backtest_days']}日の原本で試してから公開します"),
}
