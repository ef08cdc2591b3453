"""What the audit record can say: one row for each action, so that the sheet of logs (ログ定義書) and every page name it alike.

A test walks the code and fails when an action is written down that has no row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Class(StrEnum):
    """What an entry is about; each has its title."""

    TRANSFER = "transfer"
    PERSON = "person"
    PRIVILEGE = "privilege"
    REQUEST = "request"
    POLICY = "policy"
    OPERATION = "operation"
    RECORD = "record"


TITLES: Final[Mapping[Class, tuple[str, str]]] = {
    Class.TRANSFER: ("ファイル・メールの通過", "what crosses"),
    Class.PERSON: ("利用者の認証", "people log in"),
    Class.PRIVILEGE: ("アカウント・権限の変更", "accounts and privileges"),
    Class.REQUEST: ("申請・承認・例外措置", "requests, approvals, exceptions"),
    Class.POLICY: ("ルール・ポリシーの変更", "rules and policy"),
    Class.OPERATION: ("運用・事案・障害", "operation, incidents, faults"),
    Class.RECORD: ("記録の管理", "care of the records"),
}


class Event(NamedTuple):
    """One action: its class, what it is called, what `subject` names, and what stands in `detail`."""

    of: Class
    ja: str
    en: str
    subject: str
    detail: str


_RECEIPT: Final = "受付番号 / receipt number"
_LOGIN: Final = "ログイン名 / log-in name"
_REQUEST: Final = "申請番号 / request"
_VERSION: Final = "版 / version"
_MOVED: Final = "from, to, verdict, reason, policy, rules, attempts, result_sha256, note"
_ASKED: Final = "kind, about"
_WRITTEN: Final = "version, sha256, author, reason, before"
_INCIDENT: Final = "kind, receipt_no, text"


def _transfers() -> dict[str, Event]:
    states = {
        "processing": ("処理開始", "work begins"), "received": ("受付", "taken in"), "released": ("通過", "released"),
        "held": ("保留", "held"), "blocked": ("遮断", "blocked"), "delivering": ("配送中", "being delivered"),
        "delivered": ("配送済み", "delivered"), "deferred": ("配送待ち", "deferred"), "undeliverable": ("配送不能", "undeliverable"),
        "disposed": ("廃棄", "disposed of"),
    }  # fmt: skip
    rows = {f"transfer.{state}": Event(Class.TRANSFER, ja, en, _RECEIPT, _MOVED) for state, (ja, en) in states.items()}
    rows["transfer.received"] = Event(Class.TRANSFER, "受付", "taken in", _RECEIPT, "door, sender, size, sha256, client; from, to")
    return rows | {
        "transfer.notice": Event(Class.TRANSFER, "保留の通知", "notice of the hold", _RECEIPT, ""),
        "transfer.password": Event(Class.TRANSFER, "パスワードの試行", "a password was tried", _RECEIPT, "tries"),
        "transfer.late_hit": Event(Class.TRANSFER, "後からの検知", "late hit", _RECEIPT, "names, received_by"),
        "transfer.unreadable": Event(Class.TRANSFER, "読めない行", "a row that cannot be read", _RECEIPT, "error"),
        "delivery.result": Event(Class.TRANSFER, "配送の結果", "result of a delivery", _RECEIPT, "purpose, recipients, states, codes"),
        "delivery.unreadable": Event(Class.TRANSFER, "読めない配送", "a delivery that cannot be read", _RECEIPT, "error"),
        "digest.sent": Event(Class.TRANSFER, "保留の一覧の送付", "digest sent", "", "slot, mails"),
        "file.collected": Event(Class.TRANSFER, "受取り", "a file was fetched", _RECEIPT, ""),
        "slip.approved": Event(Class.TRANSFER, "取込みの承認", "an import was approved", _RECEIPT, ""),
        "evidence.kept": Event(Class.TRANSFER, "証拠保全", "kept as evidence", _RECEIPT, "reason"),
        "evidence.let_go": Event(Class.TRANSFER, "証拠保全の解除", "no longer evidence", _RECEIPT, "reason"),
        "file.previewed": Event(Class.TRANSFER, "安全なプレビューの閲覧", "a safe preview was looked at", _RECEIPT, "side, part, request"),
        "original.opened": Event(Class.TRANSFER, "原本の取出しの許可", "an original may be taken out", _RECEIPT, "request"),
        "original.taken": Event(Class.TRANSFER, "原本の取出し", "an original was taken out", _RECEIPT, "sha256, size"),
        "transfers.many": Event(Class.TRANSFER, "一括操作", "many at once", "", "deed, note, asked, refused"),
        "crossing.refused": Event(Class.TRANSFER, "片方向転送の拒否", "a push was refused", "", "why"),
        "blob.erased": Event(Class.TRANSFER, "内容の消去", "content erased", _RECEIPT, ""),
    }


_PEOPLE: Final = {
    "login": Event(Class.PERSON, "ログイン", "log-in", _LOGIN, "face, client"),
    "login.confirmed": Event(Class.PERSON, "多要素認証", "second factor", _LOGIN, "by"),
    "login.failed": Event(Class.PERSON, "ログイン失敗", "log-in failed", _LOGIN, "face, client, failures"),
    "login.new_terminal": Event(Class.PERSON, "初めての端末からのログイン", "log-in from a new terminal", _LOGIN, "client"),
    "logout": Event(Class.PERSON, "ログアウト", "log-out", _LOGIN, ""),
    "session.ended": Event(Class.PERSON, "セッションの終了", "a session was ended", _LOGIN, "session"),
    "password.changed": Event(Class.PERSON, "パスワードの変更", "password changed", _LOGIN, ""),
    "elevation.begun": Event(Class.PRIVILEGE, "特権の行使開始", "elevation begun", _LOGIN, "until, reason"),
    "elevation.ended": Event(Class.PRIVILEGE, "特権の行使終了", "elevation ended", _LOGIN, ""),
    "account.added": Event(Class.PRIVILEGE, "アカウントの追加", "account added", _LOGIN, "role, employment"),
    "account.changed": Event(Class.PRIVILEGE, "アカウントの変更", "account changed", _LOGIN, "before, after"),
    "account.disabled": Event(Class.PRIVILEGE, "アカウントの停止", "account disabled", _LOGIN, "reason"),
    "account.enabled": Event(Class.PRIVILEGE, "アカウントの再開", "account enabled", _LOGIN, ""),
    "account.unlocked": Event(Class.PRIVILEGE, "ロックの解除", "account unlocked", _LOGIN, ""),
    "account.federated": Event(Class.PRIVILEGE, "外部認証との結び付け", "bound to single sign-on", _LOGIN, "issuer"),
    "account.placed": Event(Class.PRIVILEGE, "所属の変更", "departments of an account", _LOGIN, "places"),
    "account.shared": Event(Class.PRIVILEGE, "共用IDの利用者", "who shares an account", _LOGIN, "members"),
    "feature.permitted": Event(Class.PRIVILEGE, "取込み・メールの利用の許可", "drop or mail permitted", _LOGIN, "feature, reason"),
    "feature.withdrawn": Event(Class.PRIVILEGE, "取込み・メールの利用の停止", "drop or mail taken away", _LOGIN, "feature, reason"),
    "department.added": Event(Class.PRIVILEGE, "所属の追加", "department added", "所属 / department", ""),
    "department.placed": Event(Class.PRIVILEGE, "所属の移動", "department moved", "所属 / department", ""),
    "department.closed": Event(Class.PRIVILEGE, "所属の廃止", "department closed", "所属 / department", ""),
    "group.set": Event(Class.PRIVILEGE, "グループの設定", "group set", "グループ / group", "members"),
    "group.dissolved": Event(Class.PRIVILEGE, "グループの廃止", "group dissolved", "グループ / group", ""),
    "absence.added": Event(Class.PRIVILEGE, "不在・代決者の登録", "absence and delegate", _LOGIN, "delegate, nominee, from, until"),
    "absence.delegated": Event(Class.PRIVILEGE, "代決者の承認", "delegate approved", _LOGIN, "delegate, from, until, request"),
    "absence.ended": Event(Class.PRIVILEGE, "不在の終了", "absence ended", _LOGIN, ""),
    "factor.added": Event(Class.PRIVILEGE, "認証要素の登録", "second factor added", _LOGIN, "kind, name"),
    "factor.removed": Event(Class.PRIVILEGE, "認証要素の削除", "second factor removed", _LOGIN, "kind, name"),
    "factor.reset": Event(Class.PRIVILEGE, "認証要素の初期化", "second factors reset", _LOGIN, "reason"),
    "recovery.issued": Event(Class.PRIVILEGE, "回復用コードの発行", "recovery codes issued", _LOGIN, ""),
    "recovery.used": Event(Class.PERSON, "回復用コードの使用", "a recovery code was used", _LOGIN, ""),
    "token.added": Event(Class.PRIVILEGE, "APIトークンの発行", "token issued", _LOGIN, "name, faces, until"),
    "review.begun": Event(Class.PRIVILEGE, "権限棚卸しの開始", "privilege review begun", "棚卸し / review", "accounts, due"),
    "review.decided": Event(Class.PRIVILEGE, "権限棚卸しの判断", "privilege review decided", "棚卸し / review", "login, decision, note"),
    "review.closed": Event(Class.PRIVILEGE, "権限棚卸しの完了", "privilege review closed", "棚卸し / review", "note"),
    "visit.granted": Event(Class.PRIVILEGE, "委託事業者の作業の許可", "a vendor's visit granted", _LOGIN, "request, from, until, purpose"),
    "visit.ended": Event(Class.PRIVILEGE, "委託事業者の作業の打切り", "a vendor's visit ended", _LOGIN, "reason"),
    "token.revoked": Event(Class.PRIVILEGE, "APIトークンの失効", "token revoked", _LOGIN, "name"),
}  # fmt: skip

_REQUESTS: Final = {
    "request.made": Event(Class.REQUEST, "申請", "asked for", _REQUEST, f"{_ASKED}, reason"),
    "request.approved": Event(Class.REQUEST, "承認", "approved", _REQUEST, f"{_ASKED}, step, principal, inspected, note"),
    "request.approved_alone": Event(Class.REQUEST, "自己承認（止むを得ない場合）", "approved alone", _REQUEST, f"{_ASKED}, step, note"),
    "request.refused": Event(Class.REQUEST, "差戻し", "refused", _REQUEST, f"{_ASKED}, step, principal, note"),
    "request.withdrawn": Event(Class.REQUEST, "取下げ", "withdrawn", _REQUEST, _ASKED),
    "request.expired": Event(Class.REQUEST, "申請の期限切れ", "ran out", _REQUEST, _ASKED),
    "request.closed": Event(Class.REQUEST, "申請の自動終了", "closed by itself", _REQUEST, f"{_ASKED}, why"),
    "request.escalated": Event(Class.REQUEST, "上位者への回付", "carried up", _REQUEST, f"{_ASKED}, level"),
    "request.carried_out": Event(Class.REQUEST, "承認の実行", "carried out", _REQUEST, _ASKED),
    "exception.granted": Event(Class.REQUEST, "例外措置の許可", "exception granted", "例外番号 / number", "request, kind, action, until"),
    "exception.revoked": Event(Class.REQUEST, "例外措置の取消し", "exception revoked", "例外番号 / number", "reason"),
    "exception.used": Event(Class.REQUEST, "例外措置の適用", "exception used", "例外番号 / number", "receipt_no"),
}


def _policies() -> dict[str, Event]:
    stages = {
        "draft": ("起案", "drafted"), "submitted": ("提出", "submitted"), "approved": ("承認", "approved"),
        "published": ("公開", "published"), "withdrawn": ("取下げ", "withdrawn"), "in_force": ("適用", "in force"),
        "rollback": ("前の版への復帰", "rolled back"),
    }  # fmt: skip
    subjects = {"rules": ("検知ルール", "rules"), "policy": ("ポリシー", "policy"), "lists": ("リスト", "lists")}
    rows = {
        f"{subject}.{stage}": Event(Class.POLICY, f"{of_ja}の{ja}", f"{of_en} {en}", _VERSION, _WRITTEN)
        for subject, (of_ja, of_en) in subjects.items()
        for stage, (ja, en) in stages.items()
    }
    return rows | {
        "rules.backtest": Event(Class.POLICY, "検知ルールの試行", "back-test of rules", _VERSION, "backtest, since"),
        "policy.backtest": Event(Class.POLICY, "ポリシーの試行", "back-test of a policy", _VERSION, "backtest, since"),
        "backtest.stop": Event(Class.POLICY, "試行の中止", "back-test stopped", _VERSION, ""),
        "rescan.begin": Event(Class.POLICY, "再検査の開始", "second look begun", "", "cause"),
        "bundle.make": Event(Class.POLICY, "更新ファイルの作成", "bundle made", "更新番号 / bundle", "sha256"),
        "bundle.import": Event(
            Class.POLICY, "更新ファイルの取込み", "bundle taken in", "更新番号 / bundle", "sha256, key, origin, left_out"
        ),
        "bundle.rollback": Event(Class.POLICY, "更新の取消し", "bundle undone", "更新番号 / bundle", "reason, done"),
    }


_HALT: Final = "停止の対象 / what is stopped"
_DOCUMENT: Final = "文書番号 / document"
_CASE: Final = "調査番号 / case"
_CONTENTS: Final = "taken_at, transfers, audit_entries, audit_hash, blobs, gone"
_KEY: Final = "鍵の番号 / key"
_OPERATION: Final = {
    **{
        f"incident.{what}": Event(Class.OPERATION, f"事案・障害：{ja}", f"incident or fault {en}", "事案番号 / number", _INCIDENT)
        for what, ja, en in (
            ("opened", "記録の開始", "opened"), ("reported", "追加の報告", "reported again"), ("changed", "記載", "written"),
            ("noted", "経過の追記", "noted"), ("told", "連絡", "told"), ("acknowledged", "対応の引受け", "taken on"),
            ("recovered", "復旧", "recovered"), ("closed", "完了", "closed"), ("reopened", "再開", "opened again"),
        )
    },
    "emergency.halt": Event(Class.OPERATION, "緊急停止", "emergency stop", _HALT, "reason"),
    "emergency.resume": Event(Class.OPERATION, "緊急停止の解除", "resumed", _HALT, "reason"),
    "sender.stop": Event(Class.OPERATION, "差出人の中継停止", "sender of mail stopped", "差出人 / sender", "reason"),
    "sender.release": Event(Class.OPERATION, "差出人の中継停止の解除", "sender of mail released", "差出人 / sender", "reason"),
    "scanner.silent": Event(Class.OPERATION, "ウイルス検査の無応答", "a required scanner is silent", "", "why, waiting"),
    "scanner.heard": Event(Class.OPERATION, "ウイルス検査の復旧", "scanners answer again", "", ""),
    "announcement.made": Event(Class.OPERATION, "お知らせの掲示", "announced", "", "title, text, tone, faces, from, until"),
    "announcement.withdrawn": Event(Class.OPERATION, "お知らせの取下げ", "announcement withdrawn", "", ""),
    "contact.set": Event(Class.OPERATION, "緊急連絡網の変更", "contact set", "", "level, title, name, mail, phone, minutes"),
    "contact.removed": Event(Class.OPERATION, "緊急連絡網からの削除", "contact removed", "", ""),
    "letter.queued": Event(Class.OPERATION, "報告・連絡メールの作成", "letter queued", "", "recipients"),
    "letter.result": Event(Class.OPERATION, "報告・連絡メールの結果", "result of a letter", "", "recipient, state, text"),
    "box.quota": Event(Class.OPERATION, "受取箱の容量の設定", "quota of a box", "受取箱 / box", "quota"),
    "backup.made": Event(Class.OPERATION, "バックアップの作成", "backup made", "ファイル名 / file", _CONTENTS),
    "drill.recorded": Event(Class.OPERATION, "復元試験の記録", "drill recorded", "番号 / number", "kind, held, outcome, note"),
}  # fmt: skip

_RECORD: Final = {
    "audit.anchored": Event(Class.RECORD, "監査ログのアンカー", "record anchored", "行番号 / row", "seq, hash, places"),
    "audit.verified": Event(Class.RECORD, "監査ログの検証", "record verified", "行番号 / row", "entries, broken, why, anchors"),
    "audit.exported": Event(Class.RECORD, "監査ログの出力", "record exported", "", "since, until, entries, sha256"),
    "audit.purged": Event(Class.RECORD, "監査ログの期限後の消去", "cut after its time", "行番号 / row", "seq, hash, entries, from, to"),
    "guarded.exported": Event(Class.RECORD, "取扱注意の文書の出力", "rules or settings taken out", "アドレス / address", ""),
    "transfers.exported": Event(Class.RECORD, "通過記録の出力", "list of transfers exported", "", "conditions"),
    "document.fetched": Event(Class.RECORD, "文書の取出し", "a document was fetched", _DOCUMENT, "sha256"),
    "document.printed": Event(Class.RECORD, "文書の作成", "document made", _DOCUMENT, "kind, about, sha256, size"),
    "disposal.recorded": Event(Class.RECORD, "廃棄記録", "disposal recorded", "廃棄番号 / number", "what, count, oldest, youngest, method"),
    "inspection.signed": Event(Class.RECORD, "点検の確認", "inspection signed", "点検の対象 / subject", "period, seen, sha256, good, note"),
    "inspection.overdue": Event(Class.RECORD, "点検の督促", "reminded of an inspection", "点検の対象 / subject", "period"),
    "investigation.opened": Event(Class.RECORD, "調査の開始", "investigation opened", _CASE, "purpose, ordered_by"),
    "investigation.queried": Event(Class.RECORD, "調査での照会", "queried for an investigation", _CASE, "asked, found"),
    "investigation.closed": Event(Class.RECORD, "調査の終了", "investigation closed", _CASE, ""),
    "key.made": Event(Class.RECORD, "保存鍵の作成", "key made", _KEY, ""),
    "key.turned": Event(Class.RECORD, "保存鍵の更新", "key rotated", _KEY, ""),
    "key.erased": Event(Class.RECORD, "保存鍵の消去", "key erased", _KEY, ""),
    "key.master": Event(Class.RECORD, "主鍵の変更", "master key changed", _KEY, ""),
    "key.destroyed": Event(Class.RECORD, "保存鍵の破棄", "key destroyed", _KEY, ""),
}  # fmt: skip

EVENTS: Final[Mapping[str, Event]] = _transfers() | _PEOPLE | _REQUESTS | _policies() | _OPERATION | _RECORD


def said(action: str) -> str:
    """`ログイン / log-in`; an action of another version stands for itself."""
    found = EVENTS.get(action)
    return action if found is None else f"{found.ja} / {found.en}"
