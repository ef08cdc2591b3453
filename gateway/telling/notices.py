"""The words we send people, Japanese and English: why something stays inside, and the notice that says so.

Nothing that a sender wrote stands in a notice but the domain of his address, written so that no mail program makes a link of it; the
postmaster reads the address of one who was stopped.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from email.utils import formatdate
from typing import Final, NamedTuple

from gateway.model import Transfer, rfc3339
from gateway.storage.senders import Stop
from sanitizers.findings import CODES
from sanitizers.model import Action, Reason, Report, Verdict


class Words(NamedTuple):
    """One thing said twice."""

    ja: str
    en: str

    def said(self, language: str) -> str:
        return self.en if language == "en" else self.ja


REASONS: Final[dict[Reason, Words]] = {
    Reason.ENCRYPTED: Words("パスワードで保護されています", "it is protected by a password"),
    Reason.MALWARE: Words("不正プログラムの疑いがあります", "it is suspected to be malicious"),
    Reason.FORBIDDEN_KIND: Words("取込みが禁止された形式です", "it is of a kind that may not cross"),
    Reason.UNSUPPORTED_KIND: Words("無害化に対応していない形式です", "it is of a kind that cannot be sanitised"),
    Reason.MALFORMED: Words("形式が壊れているか、あいまいです", "it is broken or ambiguous"),
    Reason.LIMIT_EXCEEDED: Words("大きさや数が処理の上限を超えています", "it is larger than the limits allow"),
    Reason.TIMEOUT: Words("処理が時間内に終わりませんでした", "it could not be processed in time"),
    Reason.WORKER_CRASHED: Words("処理が異常終了しました", "its processing stopped abnormally"),
    Reason.VERIFICATION_FAILED: Words("無害化後の検証に合格しませんでした", "the result did not pass verification"),
    Reason.KIND_MISMATCH: Words("名前と内容が一致していません", "its name and its content disagree"),
    Reason.POLICY: Words("ポリシーにより保留されました", "policy holds it back"),
}
_NO_REASON: Final = Words("確認が必要です", "it has to be looked at")

VERDICTS: Final[dict[Verdict, Words]] = {
    Verdict.CLEAN: Words("無害化済み", "sanitised, nothing had to be removed"),
    Verdict.SANITIZED: Words("無害化済み", "sanitised"),
    Verdict.CONFIRMED: Words("確認済み（原本のまま）", "confirmed (the original)"),
    Verdict.HELD: Words("保留", "held"),
    Verdict.BLOCKED: Words("受け取れません", "blocked"),
}

_WHAT_NOW: Final = {
    Verdict.HELD: Words(
        "原本は安全な場所に保管しています。必要な場合は、受付番号を添えてシステム担当へお問い合わせください。",
        "The original is kept in a safe place. If you need it, tell the system staff the receipt number.",
    ),
    Verdict.BLOCKED: Words(
        "このメールは配信されません。心当たりがある場合は、受付番号を添えてシステム担当へお問い合わせください。",
        "This mail will not be delivered. If you expected it, tell the system staff the receipt number.",
    ),
}
_GREETING: Final = Words("あなた宛てのメールを次の理由でお届けしていません。", "A mail to you was not delivered.")
_RECEIPT: Final = Words("受付番号", "Receipt")
_RECEIVED: Final = Words("受付日時", "Received")
_FROM: Final = Words("差出人のドメイン", "Sender's domain")
_REASON: Final = Words("理由", "Reason")
_FOUND: Final = Words("検出された内容", "Found")
_OPEN_HERE: Final = Words("パスワードはこちらで入力できます", "Enter the password here")
_DIGEST: Final = Words("あなた宛ての次のメールをお届けしていません。", "These mails to you were not delivered.")
_SILENT: Final = Words(
    "必須のウイルス検査が応答しません。応答するまで何も取り込まれません。受信は続き、届いたものは待機します。復旧すると自動的に再開します。",
    "A required scanner does not answer. Nothing passes until it does; mail and files are still taken in and wait. All goes on by itself.",
)
_WAITING: Final = Words("待機中", "Waiting")
_STOPPED: Final = Words(
    "1時間に送信できる数を超えた差出人のメールを止めました。以後は受け付けて保留し、失いません。迷惑メールや不正なプログラムが疑われます。",
    "A sender sent more in an hour than he may. His mail is still taken in and held, nothing is lost. It may be spam, or a program's work.",
)
_SENDER: Final = Words("差出人", "Sender")
_LET_GO: Final = "sekisho emergency status / sekisho emergency resume --sender"
_PLAIN_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_LATE_HIT: Final = Words(
    "新しいルールまたはパターンで、すでに通したものから検出しました。受け取った人へ連絡してください。",
    "Newer rules or signatures have found something in what was let through. Tell those who received it.",
)
_GOT_IT: Final = Words("受け取った人", "Received by")
_MORE: Final = Words("ほか{}通", "and {} more")
_NUMBER: Final = Words("申請番号", "Request")
_WHERE: Final = Words("「申請・承認」の画面で確認してください。", "See the page of requests.")
_MOST_CAUSES: Final = 8
_MOST_IN_DIGEST: Final = 100


class Office(NamedTuple):
    """Who sends notices. `hostname` for the message id; `organisation` may be empty."""

    sender: str
    hostname: str
    organisation: str = ""
    language: str = "ja"
    pickup_url: str = ""


def held_notice(transfer: Transfer, report: Report | None, office: Office, at: float) -> bytes:
    """The mail to the recipients of a mail that stays inside: RFC 5322, ASCII, CRLF."""
    verdict = transfer.verdict if transfer.verdict is Verdict.BLOCKED else Verdict.HELD
    subject = Words(
        f"【{VERDICTS[verdict].ja}】メールをお届けできません（受付番号 {transfer.receipt_no}）",
        f"[{VERDICTS[verdict].en}] A mail could not be delivered (receipt {transfer.receipt_no})",
    )
    bodies = [_body(transfer, verdict, report, office, language) for language in _languages(office)]
    headers = [
        *_opening(_addressed(transfer.recipients), subject, office, at),
        ("Message-ID", f"<{transfer.receipt_no}.notice@{office.hostname}>"),
        ("X-Sekisho-Result", f"HOLD; id={transfer.receipt_no}; policy={transfer.policy}"),
    ]
    return _written(headers, bodies)


def digest_notice(address: str, held: Sequence[Transfer], office: Office, at: float) -> bytes:
    """What came to be held for one recipient, in the order given: RFC 5322, ASCII, CRLF."""
    subject = Words(f"【保留】お届けしていないメールが{len(held)}通あります", f"[held] {len(held)} mails were not delivered")
    bodies = [_digest_body(held, office, language) for language in _languages(office)]
    name = f"<{held[-1].receipt_no}.{int(at)}.digest@{office.hostname}>"
    return _written([*_opening(_addressed([address]), subject, office, at), ("Message-ID", name)], bodies)


def request_notice(address: str, number: str, words: Sequence[Words], office: Office, at: float) -> bytes:
    """To one person, about a request: its kind, what is asked of him or became of it, and why. RFC 5322, ASCII, CRLF."""
    kind, said, *why = words
    subject = Words(f"【申請・承認】{said.ja}（{kind.ja}、申請番号 {number}）", f"[request {number}] {said.en}: {kind.en}")
    bodies = [
        "\n".join((
            f"{kind.said(language)}: {said.said(language)}",
            *(f"{_REASON.said(language)}: {one.said(language)}" for one in why),
            "",
            f"{_NUMBER.said(language)}: {number}",
            _WHERE.said(language),
        ))
        for language in _languages(office)
    ]
    name = f"<{number}.{int(at)}.request@{office.hostname}>"
    return _written([*_opening(_addressed([address]), subject, office, at), ("Message-ID", name)], bodies)


def late_hit_notice(transfer: Transfer, names: Sequence[str], received: Sequence[str], office: Office, at: float) -> bytes:
    """To the postmaster: something that was let through is known to be bad now. RFC 5322, ASCII, CRLF."""
    subject = Words(
        f"【要対応】配送済みのファイルから検出（受付番号 {transfer.receipt_no}）",
        f"[act now] found in what was delivered (receipt {transfer.receipt_no})",
    )
    bodies = [_late_hit_body(transfer, names, received, language) for language in _languages(office)]
    name = f"<{transfer.receipt_no}.{int(at)}.late@{office.hostname}>"
    return _written([*_opening(_addressed([office.sender]), subject, office, at), ("Message-ID", name)], bodies)


def scanner_notice(note: str, waiting: int, office: Office, at: float) -> bytes:
    """To the postmaster: a required scanner is silent, and nothing goes on until it answers. RFC 5322, ASCII, CRLF."""
    subject = Words("【要対応】ウイルス検査が応答しません（取込み待ち）", "[act now] a required scanner is silent, everything waits")
    bodies = [
        "\n".join([_SILENT.said(language), "", f"{note[:300]}", f"{_WAITING.said(language)}: {waiting}", f"{rfc3339(at)}"])
        for language in _languages(office)
    ]
    name = f"<scanner.{int(at)}.silent@{office.hostname}>"
    return _written([*_opening(_addressed([office.sender]), subject, office, at), ("Message-ID", name)], bodies)


def sender_notice(stop: Stop, office: Office) -> bytes:
    """To the postmaster: somebody sent more than he may and is stopped. RFC 5322, ASCII, CRLF."""
    subject = Words("【要対応】差出人の中継を停止しました", "[act now] a sender of mail was stopped")
    who = stop.sender if _PLAIN_ADDRESS.fullmatch(stop.sender) else f"…@{_domain(stop.sender)}"
    bodies = [
        "\n".join([_STOPPED.said(language), "", f"{_SENDER.said(language)}: {who}", stop.reason, rfc3339(stop.since), "", _LET_GO])
        for language in _languages(office)
    ]
    name = f"<{int(stop.since)}.{hashlib.sha256(stop.sender.encode()).hexdigest()[:16]}.sender@{office.hostname}>"
    return _written([*_opening(_addressed([office.sender]), subject, office, stop.since), ("Message-ID", name)], bodies)


def opening(address: str, subject: Words, office: Office, at: float) -> list[tuple[str, str]]:
    """The first headers of a mail to one person; a message id is still missing."""
    return _opening(_addressed([address]), subject, office, at)


def written(headers: Sequence[tuple[str, str]], bodies: Sequence[str]) -> bytes:
    """These headers and one text, which may stand in several languages: RFC 5322, ASCII, CRLF."""
    return _written(headers, bodies)


def _late_hit_body(transfer: Transfer, names: Sequence[str], received: Sequence[str], language: str) -> str:
    return "\n".join([
        _LATE_HIT.said(language),
        "",
        f"{_RECEIPT.said(language)}: {transfer.receipt_no}",
        f"{_RECEIVED.said(language)}: {rfc3339(transfer.received_at)}",
        f"{_FROM.said(language)}: {_domain(transfer.sender)}",
        f"{_FOUND.said(language)}: {', '.join(names[:_MOST_CAUSES])}",
        f"{_GOT_IT.said(language)}: {', '.join(received[:_MOST_IN_DIGEST]) or '-'}",
    ])


def _digest_body(held: Sequence[Transfer], office: Office, language: str) -> str:
    lines = [_DIGEST.said(language), ""]
    for transfer in held[:_MOST_IN_DIGEST]:
        reason = REASONS[transfer.reason] if transfer.reason is not None else _NO_REASON
        lines += [
            f"{_RECEIPT.said(language)}: {transfer.receipt_no}",
            f"  {_RECEIVED.said(language)}: {rfc3339(transfer.received_at)}",
            f"  {_FROM.said(language)}: {_domain(transfer.sender)}",
            f"  {_REASON.said(language)}: {reason.said(language)}",
            *_link(transfer, office, language),
        ]
    if len(held) > _MOST_IN_DIGEST:
        lines.append(_MORE.said(language).format(len(held) - _MOST_IN_DIGEST))
    lines += ["", _WHAT_NOW[Verdict.HELD].said(language)]
    return "\n".join([*lines, office.organisation] if office.organisation else lines)


def _link(transfer: Transfer, office: Office, language: str) -> list[str]:
    """Where a person can help himself."""
    if transfer.reason is not Reason.ENCRYPTED or not office.pickup_url:
        return []
    return [f"{_OPEN_HERE.said(language)}: {office.pickup_url.rstrip('/')}/transfers/{transfer.receipt_no}"]


def _opening(to: str, subject: Words, office: Office, at: float) -> list[tuple[str, str]]:
    return [
        ("From", f"<{office.sender}>"),
        ("To", to),
        ("Subject", _encoded(subject.said(office.language))),
        ("Date", formatdate(at, localtime=True)),
        ("Auto-Submitted", "auto-generated"),
    ]


def _written(headers: Sequence[tuple[str, str]], bodies: Sequence[str]) -> bytes:
    """One text in two languages, as octets."""
    body = [("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8"), ("Content-Transfer-Encoding", "base64")]
    text = "\r\n".join("\r\n\r\n".join(bodies).splitlines()) + "\r\n"
    head = "".join(f"{name}: {value}\r\n" for name, value in (*headers, *body))
    return head.encode("ascii") + b"\r\n" + base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")


def _languages(office: Office) -> tuple[str, str]:
    return ("en", "ja") if office.language == "en" else ("ja", "en")


def _body(transfer: Transfer, verdict: Verdict, report: Report | None, office: Office, language: str) -> str:
    reason = REASONS[transfer.reason] if transfer.reason is not None else _NO_REASON
    lines = [
        _GREETING.said(language),
        "",
        f"{_RECEIPT.said(language)}: {transfer.receipt_no}",
        f"{_RECEIVED.said(language)}: {rfc3339(transfer.received_at)}",
        f"{_FROM.said(language)}: {_domain(transfer.sender)}",
        f"{_REASON.said(language)}: {reason.said(language)}",
    ]
    if causes := list(_causes(report, language)):
        lines.append(f"{_FOUND.said(language)}: {', '.join(causes[:_MOST_CAUSES])}")
    lines += _link(transfer, office, language)
    lines += ["", _WHAT_NOW[verdict].said(language)]
    return "\n".join([*lines, office.organisation] if office.organisation else lines)


def _causes(report: Report | None, language: str) -> Iterator[str]:
    """What was refused, each thing once, in the words of its finding code."""
    waiting, seen = [report] if report is not None else [], set()
    while waiting:
        part = waiting.pop(0)
        waiting.extend(part.parts)
        for finding in part.findings:
            code = CODES.get(finding.code)
            if finding.action is Action.REFUSED and code is not None and code not in seen:
                seen.add(code)
                yield Words(code.ja, code.en).said(language)


def _domain(sender: str) -> str:
    domain = re.sub(r"[^A-Za-z0-9.-]", "?", sender.rpartition("@")[2])[:253]
    return domain.replace(".", "[.]") or "-"


def _addressed(recipients: Sequence[str]) -> str:
    """One recipient sees himself; several do not see each other."""
    if len(recipients) == 1 and _PLAIN_ADDRESS.fullmatch(recipients[0]):
        return f"<{recipients[0]}>"
    return "undisclosed-recipients:;"


def _encoded(text: str) -> str:
    """RFC 2047: encoded words of at most 75 characters, broken between characters."""
    words, current = [], ""
    for letter in text:
        if len((current + letter).encode()) > _WORD_BYTES:
            words.append(current)
            current = ""
        current += letter
    return "\r\n ".join(f"=?UTF-8?B?{base64.b64encode(word.encode()).decode()}?=" for word in [*words, current])


_WORD_BYTES: Final = 45         # 60 characters of base64, and 12 around them
