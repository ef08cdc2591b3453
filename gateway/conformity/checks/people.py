"""Who may do what, and on whose word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.conformity.checks.judging import ALWAYS, Check, Judged, Standing, always, holds, minutes, yes

CHECKS: Final[Mapping[str, Check]] = {
    "permissions": always("権限表", "画面と操作ごとに役割を定めた表によります。表にない操作は誰にもできません"),
    "people_import": always("利用者の登録・変更・抹消", lambda facts: f"利用者 {facts.counted['accounts']:,}人。CSV等で一括変更"),
    "second_factor": holds(
        "多要素認証",
        lambda facts: facts.customs.second_factor != "off",
        lambda facts: {"off": "無効", "privileged": "特権のある人に必須", "all": "全員に必須"}[facts.customs.second_factor],
        lambda facts: f"特権 {facts.counted['privileged']}人、うち未登録 {facts.counted['factorless']}人（次のログインで登録を求めます）",
    ),
    "lockout": holds(
        "ログイン試行の制限",
        lambda facts: facts.customs.failures <= 10 and facts.customs.failures_privileged <= facts.customs.failures,
        lambda facts: f"{facts.customs.failures}回（特権 {facts.customs.failures_privileged}回）で{minutes(facts.customs.locked)}",
        lambda _: "どの理由でも同じ言葉で断ります",
    ),
    "timeouts": holds(
        "タイムアウト",
        lambda facts: facts.customs.idle <= 3_600 and facts.customs.longest <= 86_400,
        lambda facts: f"無操作 {minutes(facts.customs.idle)}（特権 {minutes(facts.customs.idle_privileged)}）、"
        f"最長 {minutes(facts.customs.longest)}",
        lambda _: "サーバー側で終わらせます",
    ),
    "elevation": holds(
        "特権の時間制限",
        lambda facts: facts.customs.elevation > 0,
        lambda facts: minutes(facts.customs.elevation) if facts.customs.elevation else "無効",
        lambda _: "理由を入力し、時間が来ると自動で終わります",
    ),
    "temporary": always("仮のパスワード", lambda facts: f"{minutes(facts.customs.temporary)}で失効。変更するまで何もできません"),
    "previous_login": always("前回のログインの表示", "前回のログイン・ログアウト、端末、その後の失敗回数を示します"),
    "sessions": always("セッションの管理", "一覧と終了、初めての端末の通知"),
    "password_rule": always("パスワードの条件", "12文字以上、推測しやすいものは不可"),
    "secrets": always("認証情報の保護", "argon2idで保存し、複製からは何も開けません"),
    "no_builtin": always("初期設定のID", "組込みのID・パスワードはありません。admin、rootなどの名前は使えません"),
    "no_remember": always("パスワードの記憶", "利用者のパスワードを記憶する機能はありません"),
    "no_anonymous": always("ログインの必要", "ログインなしで使える画面・リンクはありません"),
    "shared_ids": always("共用ID", "利用者の一覧が必要で、承認と特権には使えません"),
    "boxes": always("受取箱の権限", "課の受取箱は所属する人だけ、担当者限定は名指しされた人だけが見られます"),
    "suspension": always("利用の停止", "停止すると、その場で全セッションが終わります"),
    "separation": holds(
        "監査する人とされる人",
        lambda facts: facts.counted["auditors"] > 0,
        lambda _: ALWAYS,
        lambda facts: f"監査担当 {facts.counted['auditors']}人。運用・管理の役割とは兼ねられません",
    ),
    "not_alone": always("申請者と承認者", lambda facts: f"申請 {facts.counted['requests']:,}件。自分の申請は代決でも承認できません"),
    "unavoidable": Check(
        "止むを得ない場合",
        lambda facts: Judged(
            Standing.FITS,
            f"approvals.unavoidable = {yes(facts.settings['approvals.unavoidable'])}",
            f"自己承認 {facts.counted['alone']}件。理由を記録し、上位者に自動で報告します",
        ),
    ),
    "delegates": always(
        "特権を代行する者",
        lambda facts: f"本人の指名、CISOの承認、期間のすべてがなければ代決できません。有効 {facts.counted['delegates']}人、"
        f"承認待ち {facts.counted['nominations']}件",
    ),
    "features": holds(
        "取込みとメールの利用の許可",
        lambda facts: facts.counted["unpermitted"] == 0,
        lambda _: "会計年度任用職員は初めから不可",
        lambda facts: f"会計年度任用職員 {facts.counted['fiscal_year']}人、許可の記録なしで使えるもの {facts.counted['unpermitted']}人。"
        "許可した人・日時・理由を記録します。取込み（API を含む）とメールの受信で確かめます。メールの送信は見ません",
    ),
    "heads": holds(
        "課室等の長の承認",
        lambda facts: facts.counted["departments"] > 0 and facts.counted["headless"] == 0,
        lambda facts: f"回答がなければ{facts.settings['approvals.patience'] / 3_600:.0f}時間で上位者へ",
        lambda facts: f"課室等 {facts.counted['departments']}、うち所属長の登録がないもの {facts.counted['headless']}",
    ),
    "titles": always("役割の名称", "主な役割をポリシーの役職名で表示します"),
    "purpose": Check(
        "業務名",
        lambda facts: Judged(Standing.FITS, f"入力：{'必須' if facts.settings['drop.required'] else '任意'}", "取込み票に記録します"),
    ),
    "classification_asked": holds(
        "情報資産の分類",
        lambda facts: bool(facts.settings["drop.classifications"]),
        lambda facts: "、".join(facts.settings["drop.classifications"]) or "設定されていません",
        lambda _: "取込み票に記録します",
    ),
    "unknown_asked": holds(
        "分類が不明な場合",
        lambda facts: facts.settings["drop.approval"] != "never",
        lambda facts: f"drop.approval = {facts.settings['drop.approval']}",
        lambda _: "所属長の承認を待ちます",
    ),
}
