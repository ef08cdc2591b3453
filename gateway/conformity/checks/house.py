"""The record, what is looked after, and how the house stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.conformity.checks.judging import ALWAYS, Check, Judged, Standing, always, holds, spelt, yes
from gateway.conformity.facts import Facts


def _inside(address: tuple[str, int]) -> bool:
    """Not every interface of the machine."""
    return address[0] not in ("0.0.0.0", "::", "")  # noqa: S104 - looked for, not bound


def _faces(facts: Facts) -> list[tuple[str, int]]:
    return [facts.settings[f"{face}.listen"] for face in ("drop", "pickup", "admin")]


CHECKS: Final[Mapping[str, Check]] = {
    "record": always("記録の取得と保存", lambda facts: f"{facts.counted['record']:,}件。変更・削除できません（期限後の消去を除く）"),
    "log_definition": always(
        "ログ定義書", lambda facts: f"保存期間 {facts.settings['retention.audit'] or '無期限'}（日）。監査ログの画面で印刷できます"
    ),
    "inspected": always("ログの点検", lambda facts: f"毎月の点検項目と期限。直近90日の確認 {facts.counted['inspected']}件"),
    "anchored": holds(
        "記録のアンカー",
        lambda facts: any(facts.settings[f"audit.anchor_{place}"] for place in ("file", "syslog", "timestamp")),
        lambda facts: "、".join(place for place in ("file", "syslog", "timestamp") if facts.settings[f"audit.anchor_{place}"]) or "未設定",
        lambda _: "末尾の切取りと全体の作り直しは、別の場所のアンカーとの照合で検知します",
    ),
    "faults": always("障害の記録", lambda facts: f"重大な警報で自動的に記録を開始。対応中 {facts.counted['faults']}件"),
    "incidents": always("事案の記録と報告書案", lambda facts: f"影響範囲、経過、報告書（案）。対応中 {facts.counted['incidents']}件"),
    "contacts": holds(
        "緊急連絡網と連絡の引上げ",
        lambda facts: facts.counted["contacts"] > 0,
        lambda facts: f"登録 {facts.counted['contacts']}名",
        lambda _: "引受けがなければ次の順位へ知らせ、知らせた日時を残します",
    ),
    "audit_pack": always("監査パック", "年度ごとに、統計・承認・例外・権限・変更・点検・廃棄を一つにまとめます"),
    "record_intact": holds(
        "記録の改ざん防止",
        lambda facts: not facts.record_fault,
        lambda _: ALWAYS,
        lambda facts: f"末尾までの検証：{facts.record_fault or '正常'}（全体は sekisho audit verify）",
    ),
    "disposal": always("廃棄の記録", lambda facts: f"廃棄済み {facts.counted['disposed']:,}件。日時・担当者・理由を記録します"),
    "retention": holds(
        "保存期間",
        lambda facts: 1 <= facts.policy.original_days <= 365,
        lambda facts: f"原本 {facts.policy.original_days}日、受取り {facts.settings['pickup.days']}日",
        lambda _: "期間が過ぎたものは自動で消去します",
    ),
    "shares": Check(
        "指定の保存先",
        lambda facts: Judged(Standing.FITS, f"shares.file = {facts.settings['shares.file'] or 'なし'}", "課の共有フォルダーに直接届けます"),
    ),
    "backup": always("設定・記録の控え", "設定・記録・原本を一つの封緘したファイルにし、sekisho restoreで戻します"),
    "durable": always("受付の確実さ", "ディスクに書き込んでから250を返し、停止時は処理中のものを待ちます"),
    "watched": always("常時監視", "/healthz、/readyz、/metrics、概況の画面"),
    "soc": always("外部への通報", "すべての出来事をJSONの記録で出力します"),
    "emergency": always("緊急停止", "受付・配送・両方を一人で直ちに止められ、記録されます"),
    "web_surface": always("画面の堅牢さ", "一覧にある操作だけに応じ、版や内部を示さず、厳格なCSPで外部を読み込みません"),
    "web_tls": holds(
        "画面の通信の暗号化",
        lambda facts: facts.customs.secure,
        lambda facts: f"people.behind_tls = {yes(facts.customs.secure)}",
        lambda _: "HTTPSだけで使い、HSTSを示します",
    ),
    "inside_only": holds(
        "内側からだけの利用",
        lambda facts: all(_inside(address) for address in _faces(facts)),
        lambda facts: spelt(_faces(facts)),
        lambda _: "画面ごとに別の接続口です",
    ),
    "exceptions": always(
        "例外措置",
        lambda facts: f"有効 {facts.counted['exceptions']}件、30日以内に期限 {facts.counted['ending']}件、"
        f"期限切れ {facts.counted['ended']}件（効力を持ちません）",
    ),
    "emergency_exceptions": holds(
        "緊急例外と事後報告",
        lambda facts: facts.counted["emergencies_late"] == 0,
        lambda facts: f"approvals.unavoidable = {yes(facts.settings['approvals.unavoidable'])}。24時間まで、理由は必須、CISOへ自動で報告",
        lambda facts: f"使用 {facts.counted['emergencies']}件、CISOの確認待ち {facts.counted['emergencies_unseen']}件、"
        f"期限（24時間）を過ぎたもの {facts.counted['emergencies_late']}件",
    ),
    "same_file": always("同じファイルの受領者", "転送の画面から一度に調べられます"),
    "self_check": always("自己点検", "この画面です"),
    "privilege_review": holds(
        "権限の棚卸し",
        lambda facts: facts.counted["reviewed"] > 0,
        lambda _: "全アカウントの棚卸しを別の人が確認して完了（変更・削除が実施されるまで完了できません）",
        lambda facts: f"直近6か月に完了した棚卸し {facts.counted['reviewed']}回、90日以上未使用のID {facts.counted['unused']}件",
    ),
    "clock": holds(
        "時刻の同期",
        lambda facts: facts.counted["synchronised"] > 0,
        lambda _: "OSの時刻同期（状態はカーネルから取得）",
        lambda facts: "同期しています" if facts.counted["synchronised"] else "同期していません",
    ),
}
