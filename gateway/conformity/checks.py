"""The checks of the self-check, each by its name: what of this installation answers a clause, and with what evidence.

A check that no setting can switch off says so (常時有効); one that depends on settings or on people is judged by what stands now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.conformity.facts import Facts
from gateway.policy import warnings
from sanitizers.model import ENGINE_VERSION


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


_ALWAYS: Final = "常時有効（設定で無効にできません）"
_MONTH: Final = "直近30日"


def _always(title: str, evidence: str | Callable[[Facts], str]) -> Check:
    return Check(title, lambda facts: Judged(Standing.FITS, _ALWAYS, evidence(facts) if callable(evidence) else evidence))


def _if(title: str, holds: Callable[[Facts], bool], setting: Callable[[Facts], str], evidence: Callable[[Facts], str]) -> Check:
    return Check(
        title, lambda facts: Judged(Standing.FITS if holds(facts) else Standing.FAILS, setting(facts), evidence(facts))
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f}分" if seconds < 7_200 else f"{seconds / 3_600:.0f}時間"


def _yes(flag: object) -> str:
    return "有効" if flag else "無効"


def _scanners(facts: Facts) -> str:
    said = [f"{one.scanner}（{'必須' if one.required else '任意'}：{one.trouble or '応答'}）" for one in facts.heard]
    return "、".join(said) or "外部の検査エンジンは設定されていません"


def _passing(facts: Facts) -> str:
    counted = facts.counted
    return f"{_MONTH}：受付 {counted['received']:,}件、判定待ち {counted['undecided']:,}件、通過 {counted['delivered']:,}件"


def _inside(address: tuple[str, int]) -> bool:
    """Not every interface of the machine."""
    return address[0] not in ("0.0.0.0", "::", "")  # noqa: S104 - looked for, not bound


def _faces(facts: Facts) -> list[tuple[str, int]]:
    return [facts.settings[f"{face}.listen"] for face in ("drop", "pickup", "admin")]


def _opened(facts: Facts) -> str:
    if facts.openings is None:
        return "待ち受けているポートを確かめられません"
    passed = "IP転送が有効です" if facts.openings.forwards else "IP転送なし"
    if facts.unlisted:
        return f"表にない待受け：{_spelt(facts.unlisted)}。{passed}"
    return f"待受け {len(facts.openings.listening)}件はすべて表のとおり。{passed}"


def _spelt(addresses: list[tuple[str, int]]) -> str:
    return "、".join(f"{host}:{port}" for host, port in addresses)


# ---- what crosses

_CONTENT: Final[Mapping[str, Check]] = {
    "one_verdict": _always("一つの受付に一つの判定", _passing),
    "one_road": _always("メールもファイルも同じ処理", "受付の入口によらず同じ処理・同じ判定です"),
    "mail_text": _always("メールのテキスト化", lambda facts: f"{_MONTH}：メール {facts.counted['mails']:,}件をテキスト化"),
    "rebuilt": _always("危険因子の除去", lambda facts: f"無害化 {ENGINE_VERSION}、ルール {facts.rules}。別の実装で検証してから通します"),
    "confirmed": Check(
        "確認済み（原本のまま）",
        lambda facts: Judged(
            Standing.FITS,
            "対象の形式：" + ("、".join(facts.policy.treatment.confirmed_kinds) or "なし"),
            "構造の検証と、申請者以外の人の承認がある場合だけ原本を通します",
        ),
    ),
    "receipts": _if(
        "無害化証明",
        lambda facts: facts.counted["unproven"] == 0,
        lambda _: _ALWAYS,
        lambda facts: f"{_MONTH}：通過 {facts.counted['delivered']:,}件のうち証明のないもの {facts.counted['unproven']:,}件",
    ),
    "suspicion": _always("疑わしいものは通さない", "重大度が高いルールに一致したもの、読み解けないもの、検証できないものは通しません"),
    "zones": _always("区域の名前は設定", "区域と経路の名前は設定から取ります"),
    "scanned": _always("入口での検査", lambda facts: f"すべての階層を検知ルール {facts.rules} で検査。{_scanners(facts)}"),
    "executables": _always("実行形式の遮断", "名前ではなく内容で判別して遮断します。許可する方法はありません"),
    "limits": _always(
        "過大な負荷の防止",
        lambda facts: f"1件の上限：{facts.policy.limits.input_bytes >> 20:,} MiB、{facts.policy.limits.wall_seconds:.0f}秒、"
        f"{facts.policy.limits.memory_bytes >> 20:,} MiBのメモリー",
    ),
    "faithful": _always("正しく反映された出力", "形式に応じてページ数・文字・絵の一致を検証し、合わないものは通しません"),
    "classification_kept": _always("分類の表示を残す", "ファイル名、ヘッダー・フッター、分類のプロパティは残します"),
    "signatures": _always("電子署名の検証", "無害化の前に検証し、署名者と結果を無害化証明に記録します"),
    "attachecase": _always("アタッシュケースの判別", "内容で判別し、パスワードで開けるものは開いて無害化します"),
    "passwords": _always("暗号化ファイル", "パスワードはメモリー上だけで使い、保存しません。1件5回まで"),
    "jail": _if(
        "解析の隔離",
        lambda facts: bool(facts.settings["jail.required"]) and bool(facts.walls),
        lambda facts: f"jail.required = {_yes(facts.settings['jail.required'])}",
        lambda facts: "隔離の壁：" + ("、".join(facts.walls) or "なし"),
    ),
    "versions": _always("版の記録", lambda facts: f"無害化 {ENGINE_VERSION}、ルール {facts.rules}、ポリシー {facts.policy.version}"),
    "relaxations": _if(
        "緩和の設定",
        lambda facts: not warnings(facts.policy),
        lambda facts: f"ポリシー {facts.policy.name}",
        lambda facts: "；".join(warnings(facts.policy)) or "緩和はありません",
    ),
}

# ---- scanners and rules

_RULES: Final[Mapping[str, Check]] = {
    "scanner_required": _if(
        "検査エンジンの常駐",
        lambda facts: any(one.required for one in facts.heard) and not any(one.required and one.trouble for one in facts.heard),
        lambda facts: "必須：" + ("、".join(facts.settings["scanners.required"]) or "なし（検知ルールだけで検査）"),
        _scanners,
    ),
    "signature_age": _if(
        "パターンの更新",
        lambda facts: bool(facts.heard) and not any(one.stale for one in facts.heard),
        lambda facts: f"期限：{facts.settings['scanners.stale'] / 3_600:.0f}時間",
        lambda facts: "、".join(f"{one.scanner}：{'不明' if one.age is None else f'{one.age / 3_600:.0f}時間前'}" for one in facts.heard)
        or "外部の検査エンジンは設定されていません",
    ),
    "rescan": _if(
        "定期の再検査",
        lambda facts: facts.settings["policy.rescan_days"] > 0,
        lambda facts: f"ルール・パターンの変更時に直近{facts.settings['policy.rescan_days']}日分",
        lambda _: "後から検知したものは受領者とともに記録し、通知します",
    ),
    "bundles": _always("インターネットに接続しない更新", "署名付きの更新ファイルを検証して取り込み、前の版に戻せます"),
    "rule_origin": _always("ルールの出所", "版ごとに起案者・承認者・日時・理由を記録します"),
    "four_eyes": _if(
        "二人での変更",
        lambda facts: bool(facts.settings["policy.four_eyes"]),
        lambda facts: f"policy.four_eyes = {_yes(facts.settings['policy.four_eyes'])}",
        lambda _: "起案者以外の承認がなければ公開できません",
    ),
    "publishing_recorded": _always("変更の記録", "変更前後の差分、起案・承認・公開した人と理由を版として残します"),
    "backtest": _always("適用前の試行", lambda facts: f"直近{facts.settings['policy.backtest_days']}日の原本で試してから公開します"),
}

# ---- mail

_MAIL: Final[Mapping[str, Check]] = {
    "no_relay": _if(
        "中継の禁止",
        lambda facts: bool(facts.settings["smtp.domains"]),
        lambda facts: "受け付けるドメイン：" + "、".join(facts.settings["smtp.domains"]),
        lambda _: "これ以外の宛先は550 5.7.1で断ります",
    ),
    "size_limit": _if(
        "容量の上限",
        lambda facts: facts.settings["smtp.size_limit"] > 0,
        lambda facts: f"メール {facts.settings['smtp.size_limit'] >> 20} MiB",
        lambda _: "超えるものは552 5.3.4で断り、黙って捨てません",
    ),
    "one_recipient": _always("宛先を知らせない通知", "通知に他の宛先は載りません"),
    "mail_warnings": _if(
        "不自然なメールの警告",
        lambda facts: facts.settings["mail.authentication"] != "off",
        lambda facts: f"送信ドメイン認証：{facts.settings['mail.authentication']}",
        lambda _: "認証の結果、表示名の偽り、紛らわしい名前を本文の先頭に示します",
    ),
    "mail_tls": _if(
        "メールの通信の暗号化",
        lambda facts: bool(facts.settings["smtp.tls_certificate"]) and facts.settings["relay.tls"] != "never",
        lambda facts: f"受信 {_yes(facts.settings['smtp.tls_certificate'])}、配送先へは {facts.settings['relay.tls']}",
        lambda _: "STARTTLS",
    ),
    "flow_table": _if(
        "必要な通信だけ",
        lambda facts: facts.openings is not None and not facts.openings.forwards and not facts.unlisted,
        lambda facts: f"フロー表の受付ポート：{'、'.join(map(str, sorted(facts.ports))) or 'なし'}（sekisho flows）",
        _opened,
    ),
    "mynumber": _always(
        "マイナンバー利用事務系を宛先にしない",
        lambda facts: f"宛先の区域：{facts.settings['lane.target']}（{facts.settings['lane.target_class']}）。mynumber では起動しません",
    ),
    "trusted_hops": Check(
        "前段のサーバー",
        lambda facts: Judged(
            Standing.FITS, "信頼する前段：" + ("、".join(facts.settings["smtp.trusted_hops"]) or "なし"), "接続元の記録を引き継ぎます"
        ),
    ),
    "queue_waits": _always("障害時の継続", "処理できない間は受け付けて待たせ、通しません"),
}

# ---- people

_PEOPLE: Final[Mapping[str, Check]] = {
    "permissions": _always("権限表", "画面と操作ごとに役割を定めた表によります。表にない操作は誰にもできません"),
    "people_import": _always("利用者の登録・変更・抹消", lambda facts: f"利用者 {facts.counted['accounts']:,}人。CSV等で一括変更"),
    "second_factor": _if(
        "多要素認証",
        lambda facts: facts.customs.second_factor != "off",
        lambda facts: {"off": "無効", "privileged": "特権のある人に必須", "all": "全員に必須"}[facts.customs.second_factor],
        lambda facts: f"特権 {facts.counted['privileged']}人、うち未登録 {facts.counted['factorless']}人（次のログインで登録を求めます）",
    ),
    "lockout": _if(
        "ログイン試行の制限",
        lambda facts: facts.customs.failures <= 10 and facts.customs.failures_privileged <= facts.customs.failures,
        lambda facts: f"{facts.customs.failures}回（特権 {facts.customs.failures_privileged}回）で{_minutes(facts.customs.locked)}",
        lambda _: "どの理由でも同じ言葉で断ります",
    ),
    "timeouts": _if(
        "タイムアウト",
        lambda facts: facts.customs.idle <= 3_600 and facts.customs.longest <= 86_400,
        lambda facts: f"無操作 {_minutes(facts.customs.idle)}（特権 {_minutes(facts.customs.idle_privileged)}）、"
        f"最長 {_minutes(facts.customs.longest)}",
        lambda _: "サーバー側で終わらせます",
    ),
    "elevation": _if(
        "特権の時間制限",
        lambda facts: facts.customs.elevation > 0,
        lambda facts: _minutes(facts.customs.elevation) if facts.customs.elevation else "無効",
        lambda _: "理由を入力し、時間が来ると自動で終わります",
    ),
    "temporary": _always("仮のパスワード", lambda facts: f"{_minutes(facts.customs.temporary)}で失効。変更するまで何もできません"),
    "previous_login": _always("前回のログインの表示", "前回のログイン・ログアウト、端末、その後の失敗回数を示します"),
    "sessions": _always("セッションの管理", "一覧と終了、初めての端末の通知"),
    "password_rule": _always("パスワードの条件", "12文字以上、推測しやすいものは不可"),
    "secrets": _always("認証情報の保護", "argon2idで保存し、複製からは何も開けません"),
    "no_builtin": _always("初期設定のID", "組込みのID・パスワードはありません。admin、rootなどの名前は使えません"),
    "no_remember": _always("パスワードの記憶", "利用者のパスワードを記憶する機能はありません"),
    "no_anonymous": _always("ログインの必要", "ログインなしで使える画面・リンクはありません"),
    "shared_ids": _always("共用ID", "利用者の一覧が必要で、承認と特権には使えません"),
    "boxes": _always("受取箱の権限", "課の受取箱は所属する人だけ、担当者限定は名指しされた人だけが見られます"),
    "suspension": _always("利用の停止", "停止すると、その場で全セッションが終わります"),
    "separation": _if(
        "監査する人とされる人",
        lambda facts: facts.counted["auditors"] > 0,
        lambda _: _ALWAYS,
        lambda facts: f"監査担当 {facts.counted['auditors']}人。運用・管理の役割とは兼ねられません",
    ),
    "not_alone": _always("申請者と承認者", lambda facts: f"申請 {facts.counted['requests']:,}件。自分の申請は代決でも承認できません"),
    "unavoidable": Check(
        "止むを得ない場合",
        lambda facts: Judged(
            Standing.FITS,
            f"approvals.unavoidable = {_yes(facts.settings['approvals.unavoidable'])}",
            f"自己承認 {facts.counted['alone']}件。理由を記録し、上位者に自動で報告します",
        ),
    ),
    "heads": _if(
        "課室等の長の承認",
        lambda facts: facts.counted["departments"] > 0 and facts.counted["headless"] == 0,
        lambda facts: f"回答がなければ{facts.settings['approvals.patience'] / 3_600:.0f}時間で上位者へ",
        lambda facts: f"課室等 {facts.counted['departments']}、うち所属長の登録がないもの {facts.counted['headless']}",
    ),
    "titles": _always("役割の名称", "主な役割をポリシーの役職名で表示します"),
    "purpose": Check(
        "業務名",
        lambda facts: Judged(Standing.FITS, f"入力：{'必須' if facts.settings['drop.required'] else '任意'}", "取込み票に記録します"),
    ),
    "classification_asked": _if(
        "情報資産の分類",
        lambda facts: bool(facts.settings["drop.classifications"]),
        lambda facts: "、".join(facts.settings["drop.classifications"]) or "設定されていません",
        lambda _: "取込み票に記録します",
    ),
    "unknown_asked": _if(
        "分類が不明な場合",
        lambda facts: facts.settings["drop.approval"] != "never",
        lambda facts: f"drop.approval = {facts.settings['drop.approval']}",
        lambda _: "所属長の承認を待ちます",
    ),
}

# ---- the house

_HOUSE: Final[Mapping[str, Check]] = {
    "record": _always("記録の取得と保存", lambda facts: f"{facts.counted['record']:,}件。変更・削除できません（期限後の消去を除く）"),
    "log_definition": _always(
        "ログ定義書", lambda facts: f"保存期間 {facts.settings['retention.audit'] or '無期限'}（日）。監査ログの画面で印刷できます"
    ),
    "inspected": _always("ログの点検", lambda facts: f"毎月の点検項目と期限。直近90日の確認 {facts.counted['inspected']}件"),
    "anchored": _if(
        "記録のアンカー",
        lambda facts: any(facts.settings[f"audit.anchor_{place}"] for place in ("file", "syslog", "timestamp")),
        lambda facts: "、".join(place for place in ("file", "syslog", "timestamp") if facts.settings[f"audit.anchor_{place}"]) or "未設定",
        lambda _: "末尾の切取りと全体の作り直しは、別の場所のアンカーとの照合で検知します",
    ),
    "faults": _always("障害の記録", lambda facts: f"重大な警報で自動的に記録を開始。対応中 {facts.counted['faults']}件"),
    "incidents": _always("事案の記録と報告書案", lambda facts: f"影響範囲、経過、報告書（案）。対応中 {facts.counted['incidents']}件"),
    "contacts": _if(
        "緊急連絡網と連絡の引上げ",
        lambda facts: facts.counted["contacts"] > 0,
        lambda facts: f"登録 {facts.counted['contacts']}名",
        lambda _: "引受けがなければ次の順位へ知らせ、知らせた日時を残します",
    ),
    "audit_pack": _always("監査パック", "年度ごとに、統計・承認・例外・権限・変更・点検・廃棄を一つにまとめます"),
    "record_intact": _if(
        "記録の改ざん防止",
        lambda facts: not facts.record_fault,
        lambda _: _ALWAYS,
        lambda facts: f"末尾までの検証：{facts.record_fault or '正常'}（全体は sekisho audit verify）",
    ),
    "disposal": _always("廃棄の記録", lambda facts: f"廃棄済み {facts.counted['disposed']:,}件。日時・担当者・理由を記録します"),
    "retention": _if(
        "保存期間",
        lambda facts: 1 <= facts.policy.original_days <= 365,
        lambda facts: f"原本 {facts.policy.original_days}日、受取り {facts.settings['pickup.days']}日",
        lambda _: "期間が過ぎたものは自動で消去します",
    ),
    "shares": Check(
        "指定の保存先",
        lambda facts: Judged(Standing.FITS, f"shares.file = {facts.settings['shares.file'] or 'なし'}", "課の共有フォルダーに直接届けます"),
    ),
    "backup": _always("設定・記録の控え", "設定・記録・原本を一つの封緘したファイルにし、sekisho restoreで戻します"),
    "durable": _always("受付の確実さ", "ディスクに書き込んでから250を返し、停止時は処理中のものを待ちます"),
    "watched": _always("常時監視", "/healthz、/readyz、/metrics、概況の画面"),
    "soc": _always("外部への通報", "すべての出来事をJSONの記録で出力します"),
    "emergency": _always("緊急停止", "受付・配送・両方を一人で直ちに止められ、記録されます"),
    "web_surface": _always("画面の堅牢さ", "一覧にある操作だけに応じ、版や内部を示さず、厳格なCSPで外部を読み込みません"),
    "web_tls": _if(
        "画面の通信の暗号化",
        lambda facts: facts.customs.secure,
        lambda facts: f"people.behind_tls = {_yes(facts.customs.secure)}",
        lambda _: "HTTPSだけで使い、HSTSを示します",
    ),
    "inside_only": _if(
        "内側からだけの利用",
        lambda facts: all(_inside(address) for address in _faces(facts)),
        lambda facts: _spelt(_faces(facts)),
        lambda _: "画面ごとに別の接続口です",
    ),
    "exceptions": _always(
        "例外措置",
        lambda facts: f"有効 {facts.counted['exceptions']}件、30日以内に期限 {facts.counted['ending']}件、"
        f"期限切れ {facts.counted['ended']}件（効力を持ちません）",
    ),
    "same_file": _always("同じファイルの受領者", "転送の画面から一度に調べられます"),
    "self_check": _always("自己点検", "この画面です"),
}

# ---- what is looked after

_LOOKED_AFTER: Final[Mapping[str, Check]] = {
    "privilege_review": _if(
        "権限の棚卸し",
        lambda facts: facts.counted["reviewed"] > 0,
        lambda _: "全アカウントの棚卸しを別の人が確認して完了（変更・削除が実施されるまで完了できません）",
        lambda facts: f"直近6か月に完了した棚卸し {facts.counted['reviewed']}回、90日以上未使用のID {facts.counted['unused']}件",
    ),
    "clock": _if(
        "時刻の同期",
        lambda facts: facts.counted["synchronised"] > 0,
        lambda _: "OSの時刻同期（状態はカーネルから取得）",
        lambda facts: "同期しています" if facts.counted["synchronised"] else "同期していません",
    ),
}

CHECKS: Final[Mapping[str, Check]] = {**_CONTENT, **_RULES, **_MAIL, **_PEOPLE, **_HOUSE, **_LOOKED_AFTER}
