"""What pages say about a transfer: state and verdict in the words of users, findings by their declared texts."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from gateway.model import Door, State, Transfer
from gateway.storage.sessions import Session
from gateway.storage.settling import AWAITING_APPROVAL
from gateway.web import view
from sanitizers.findings import CODES
from sanitizers.model import Action, Finding, Report, Verdict

# Moments are told in the calendar of him who looks.
when = view.when

_STATES: Final = {
    State.RECEIVED: ("受付済み", "received", "wait"),
    State.PROCESSING: ("処理中", "in work", "wait"),
    State.HELD: ("保留", "held", "stop"),
    State.BLOCKED: ("受け取れません", "blocked", "stop"),
    State.DISPOSED: ("廃棄済み", "disposed", "stop"),
    State.UNDELIVERABLE: ("配送できません", "undeliverable", "stop"),
    State.DEFERRED: ("配送待ち", "waiting for the next hop", "wait"),
    State.DELIVERING: ("配送中", "being delivered", "wait"),
}
_VERDICTS: Final = {
    Verdict.CLEAN: ("無害化済み（除去なし）", "clean", "ok"),
    Verdict.SANITIZED: ("無害化済み", "sanitised", "ok"),
    Verdict.CONFIRMED: ("確認済み（原本のまま）", "confirmed original", "ok"),
}
VERDICTS_SAID: Final = {verdict: f"{ja} / {en}" for verdict, (ja, en, _) in _VERDICTS.items()}
DOORS: Final = {
    Door.SMTP: "メール / mail",
    Door.DROP: "取込み / drop",
    Door.API: "API",
    Door.CLI: "コマンド / command",
}
# 受付 → 検査 → 無害化 → 承認 → 受取可
STEPS: Final = (("受付", "Received"), ("検査", "Scan"), ("無害化", "Sanitise"), ("承認", "Approve"), ("受取可", "Ready"))
_DONE: Final = {
    Action.REMOVED: ("除去", "removed"),
    Action.REWRITTEN: ("変更", "rewritten"),
    Action.KEPT: ("そのまま", "kept"),
    Action.REFUSED: ("拒否", "refused"),
}
# What the script of the drop says.
DROP: Final = {
    "sending": "送信しています / sending",
    "sent": "送信が終わりました / all sent",
    "files": "件を送信しています / files are being sent",
    "at_work": "検査・無害化しています / at work: ",
    "too_large": "ファイルの上限を超えています / larger than the limit",
    "unsaid": "業務名・分類・理由・受取先を確かめてください / please check purpose, classification, reason and destination",
    "failed": "受け付けられませんでした。もう一度お試しください / not accepted, please try again",
}
_SHOWN: Final = 12
# In a line of a list; the page of one transfer has them all.
_SHOWN_IN_LINE: Final = 4
_MOST_PARTS: Final = 500


def row(transfer: Transfer, report: Report | None = None) -> dict[str, Any]:
    """One line of a list."""
    ja, en, tone = _STATES.get(transfer.state) or _VERDICTS.get(transfer.verdict or Verdict.SANITIZED, _VERDICTS[Verdict.SANITIZED])
    if transfer.state is State.HELD and transfer.note == AWAITING_APPROVAL.note:
        ja, en, tone = "承認待ち（無害化は済んでいます）", "waiting for approval; it is sanitised", "wait"
    elif transfer.reason is not None:
        code = CODES[f"file.{transfer.reason}"]
        ja, en = f"{ja}（理由：{code.ja}）", f"{en}: {code.en}"
    return {
        "receipt_no": transfer.receipt_no,
        "door": DOORS[transfer.door],
        "sender": transfer.sender,
        "name": transfer.subject or transfer.name,
        "output": transfer.result.name if transfer.result else transfer.name,
        "said": f"{ja} / {en}",
        "tone": tone,
        "step": step(transfer),
        "at": when(transfer.received_at),
        "ready": transfer.state in (State.RELEASED, State.DELIVERED) and transfer.result is not None,
        "findings": removed(report) if report is not None else [],
    }


def said(transfer: Transfer) -> dict[str, object]:
    """State and verdict in words, their tone, and the step."""
    told = row(transfer)
    return {"said": view.said(told["said"]), "tone": told["tone"], "step": step(transfer)}


def step(transfer: Transfer) -> int:
    """How many of STEPS it has behind it, the one that it stands at included; 0 where it stands at none of them any more."""
    if transfer.state is State.HELD and transfer.note == AWAITING_APPROVAL.note:
        return 4
    through = transfer.result is not None and transfer.verdict is not None and transfer.verdict.delivers
    stands = {State.RECEIVED: 1, State.PROCESSING: 2, State.HELD: 0, State.BLOCKED: 0, State.DISPOSED: 0}
    return stands.get(transfer.state, len(STEPS) if through else 0)


def parts(report: Report) -> list[dict[str, Any]]:
    """The whole tree of a report, depth first: each part with its verdict and what was done to it."""
    rows: list[dict[str, Any]] = []
    waiting = [(report, 0)]
    while waiting and len(rows) < _MOST_PARTS:
        part, depth = waiting.pop()
        ja, en, tone = _VERDICTS.get(part.verdict, ("保留" if part.verdict is Verdict.HELD else "受け取れません", part.verdict, "stop"))
        if part.reason is not None:
            code = CODES[f"file.{part.reason}"]
            ja, en = f"{ja}（{code.ja}）", f"{en}: {code.en}"
        output = part.output.name if part.output is not None and part.output.name != part.input.name else ""
        rows.append({"name": part.input.name, "output": output, "depth": depth, "said": f"{ja} / {en}", "tone": tone,
                     "findings": [_told(finding) for finding in part.findings[:_SHOWN]]})  # fmt: skip
        waiting.extend((inner, depth + 1) for inner in reversed(part.parts))
    return rows


def _told(finding: Finding) -> str:
    """`マクロを除去 / macro removed：word/vbaProject.bin`."""
    (code_ja, code_en), (ja, en) = _named(finding.code), _DONE[finding.action]
    where = f"：{finding.where}" if finding.where else ""
    return f"{code_ja}（{ja}） / {code_en} ({en}){where}"


def _named(code: str) -> tuple[str, str]:
    """Japanese and English; a report of another version may have codes that this one does not know."""
    known = CODES.get(code)
    return (code, code) if known is None else (known.ja, known.en)


def removed(report: Report) -> list[str]:
    """What was taken out or rewritten, here and in all parts: `マクロ（2個） / macro (2)`."""
    counted: Counter[str] = Counter()
    for part in report.tree():
        counted.update(finding.code for finding in part.findings if finding.action.changes)
    told = [(*_named(code), count) for code, count in counted.most_common(_SHOWN_IN_LINE)]
    further = len(counted) - len(told)
    more = [f"ほか{further}種類 / {further} more"] if further else []
    return [f"{ja}（{count}個） / {en} ({count})" for ja, en, count in told] + more


def previous_login(session: Session) -> str:
    """Shown after log-in, so that somebody else's log-in is noticed."""
    if session.previous_at is None:
        return ""
    ja, en = [f"前回のログイン：{when(session.previous_at)}（端末 {session.previous_from}）"], [
        f"Last log-in {when(session.previous_at)} from {session.previous_from}"
    ]
    if session.previous_logout_at is not None and session.previous_logout_at > session.previous_at:
        ja.append(f"前回のログアウト：{when(session.previous_logout_at)}")
        en.append(f"log-out {when(session.previous_logout_at)}")
    if session.failed_since:
        ja.append(f"その後のログイン失敗：{session.failed_since}回")
        en.append(f"{session.failed_since} failed attempts since")
    if session.new_terminal:
        ja.append(f"初めての端末からのログインです（{session.client}）")
        en.append(f"this is a new terminal ({session.client})")
    if view.now().language == "en":
        return f"{'; '.join(en)}. Not you? Tell the system staff."
    return f"{'／'.join(ja)}。心当たりがない場合は情報システム担当へ連絡してください。 / not you? tell the system staff"


def elevation(session: Session) -> str:
    """Shown as long as a privilege is being used."""
    until = when(session.elevated_until)[-5:]
    return f"Elevated until {until}" if view.now().language == "en" else f"特権を行使中（{until}まで） / elevated"
