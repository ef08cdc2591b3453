"""What the desk says of a transfer's record, of deeds and of conditions: Japanese first."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

from gateway.model import Delivery, Purpose, RecipientState, State
from gateway.requests.operating import Deed, Way
from gateway.storage.ledger import Entry
from gateway.web.view import english
from gateway.web.words import DOORS, when
from sanitizers.findings import CODES
from sanitizers.model import Reason, Severity

# Deed → Japanese, English, how its button looks.
DEEDS: Final[Mapping[Deed, tuple[str, str, str]]] = {
    Deed.RELEASE: ("無害化した結果を通す", "release the result", ""),
    Deed.HOLD: ("止める", "hold", "second"),
    Deed.RETRY: ("もう一度処理する", "process again", "second"),
    Deed.AGAIN: ("方法を選んで処理し直す", "process again, in a way chosen", "second"),
    Deed.AS_PIXELS: ("画像にして通す", "as pictures of its pages", "second"),
    Deed.CONFIRM: ("原本を目視確認して通す", "confirm the original", "second"),
    Deed.KEEP: ("証拠として保全する", "keep as evidence", "second"),
    Deed.LET_GO: ("証拠保全を解く", "end keeping it as evidence", "second"),
    Deed.DELETE: ("廃棄する", "delete", "danger"),
}

# Way of processing again → Japanese, English.
WAYS: Final[Mapping[Way, tuple[str, str]]] = {
    Way.POLICY: ("いまのポリシー・ルールで", "by policy and rules of now"),
    Way.SECURITY: ("最大セキュリティで", "with the most security"),
    Way.STANDARD: ("標準以上の強さで", "at least as the standard has it"),
    Way.PIXELS: ("すべてのページを画像にして", "all pages as pictures"),
}

_STATES: Final[Mapping[State, str]] = {
    State.RECEIVED: "受付済み / received",
    State.PROCESSING: "処理中 / in work",
    State.RELEASED: "通過 / released",
    State.HELD: "保留 / held",
    State.BLOCKED: "遮断 / blocked",
    State.DELIVERING: "配送中 / being delivered",
    State.DELIVERED: "配送済み / delivered",
    State.DEFERRED: "配送待ち / deferred",
    State.UNDELIVERABLE: "配送不能 / undeliverable",
    State.DISPOSED: "廃棄済み / disposed",
}
SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.INFO: "情報 / info",
    Severity.LOW: "低 / low",
    Severity.MEDIUM: "中 / medium",
    Severity.HIGH: "高 / high",
}
_PURPOSES: Final[Mapping[Purpose, str]] = {
    Purpose.MAIL: "メール / the mail",
    Purpose.SHARE: "共有フォルダー / share",
    Purpose.BOX: "受取箱 / box",
    Purpose.NOTICE: "お知らせ / notice",
    Purpose.DIGEST: "まとめのお知らせ / digest",
    Purpose.BOUNCE: "差出人への不達通知 / bounce",
}
_REACHED: Final[Mapping[RecipientState, str]] = {
    RecipientState.WAITING: "待機中 / waiting",
    RecipientState.DELIVERED: "配送済み / delivered",
    RecipientState.FAILED: "配送不能 / failed",
    RecipientState.STOPPED: "停止 / stopped",
}
# Who did it, where that is no person.
_OURSELVES: Final = {"road": "関所（自動） / Sekisho itself", "sekisho": "関所（自動） / Sekisho itself"}

# Name of a condition, its label, its values with their words.
CHOICES: Final = (
    ("state", ("状態", "State"), tuple((str(state), said) for state, said in _STATES.items())),
    ("reason", ("理由", "Reason"), tuple((str(one), f"{CODES[f'file.{one}'].ja} / {CODES[f'file.{one}'].en}") for one in Reason)),
    ("door", ("入口", "Door"), tuple((str(door), said) for door, said in DOORS.items())),
)

_EVENTS: Final[Mapping[str, str]] = {
    **{f"transfer.{state}": said for state, said in _STATES.items()},
    "transfer.notice": "保留の通知 / notice of the hold",
    "transfer.password": "パスワードの試行 / password tried",
    "transfer.late_hit": "後からの検知 / late hit",
    "delivery.result": "配送の結果 / result of the delivery",
    "file.collected": "受取り / collected",
    "file.previewed": "安全なプレビュー / safe preview",
    "evidence.kept": "証拠保全 / kept as evidence",
    "evidence.let_go": "証拠保全の解除 / no longer kept as evidence",
    "original.taken": "原本の取出し（解析用） / original taken out for analysis",
    "exception.used": "例外措置の適用 / exception used",
}


# What stands in an entry, where it is not called by its Japanese name already; a state that the event itself names is not said twice.
_NAMES: Final = {
    "door": "入口", "recipients": "宛先数", "sender": "差出人", "size": "バイト数", "attempts": "回数", "from": "前の状態",
    "policy": "ポリシー", "rules": "ルール", "result_sha256": "結果のSHA-256", "verdict": "判定", "reason": "理由", "note": "備考",
    "kind": "形式", "name": "名前",
    "address": "宛先", "code": "応答コード", "text": "応答", "sha256": "SHA-256", "request": "申請", "until": "期限", "state": "状態",
}  # fmt: skip
_SAID_BEFORE: Final = frozenset({"to"})


def step(entry: Entry) -> dict[str, str]:
    """One entry of the record, for a table: the moment, what happened, by whom, and what was written down with it."""
    detail = json.loads(entry.detail)
    told = (
        f"{name if english() else _NAMES.get(name, name)}: {_short(value)}"
        for name, value in detail.items()
        if value not in ("", None, []) and name not in _SAID_BEFORE
    )
    said = "、".join(told)
    moment = dt.datetime.fromisoformat(entry.at)
    at = f"{when(moment.timestamp())}:{moment:%S}"
    actor = _OURSELVES.get(entry.actor, entry.actor)
    return {"at": at, "said": _EVENTS.get(entry.action, entry.action), "actor": actor, "detail": said}


def delivery(given: Delivery) -> dict[str, Any]:
    """For a table: what it carries, and where each recipient stands."""
    recipients = [
        {"address": one.address, "state": _REACHED[one.state], "attempts": one.attempts, "code": one.code, "text": one.text}
        for one in given.recipients
    ]
    return {"purpose": _PURPOSES[given.purpose], "recipients": recipients}


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
