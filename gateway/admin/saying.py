"""What the desk says of a transfer's record, of deeds and of conditions: Japanese first."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Final

from gateway.model import Door, State
from gateway.requests.operating import Deed, Way
from gateway.storage.ledger import Entry
from gateway.web.words import when
from sanitizers.findings import CODES
from sanitizers.model import Reason

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
_DOORS: Final[Mapping[Door, str]] = {
    Door.SMTP: "メール / mail",
    Door.DROP: "取込み画面 / drop",
    Door.API: "API",
    Door.CLI: "コマンド / command",
}

# Name of a condition, its label, its values with their words.
CHOICES: Final = (
    ("state", ("状態", "State"), tuple((str(state), said) for state, said in _STATES.items())),
    ("reason", ("理由", "Reason"), tuple((str(one), f"{CODES[f'file.{one}'].ja} / {CODES[f'file.{one}'].en}") for one in Reason)),
    ("door", ("入口", "Door"), tuple((str(door), said) for door, said in _DOORS.items())),
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


def step(entry: Entry) -> dict[str, str]:
    """One entry of the record, for a table: the moment, what happened, by whom, and what was written down with it."""
    detail = json.loads(entry.detail)
    said = "、".join(f"{name}: {_short(value)}" for name, value in detail.items() if value not in ("", None, []))
    moment = dt.datetime.fromisoformat(entry.at)
    at = f"{when(moment.timestamp())}:{moment:%S}"
    return {"at": at, "said": _EVENTS.get(entry.action, entry.action), "actor": entry.actor, "detail": said}


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
