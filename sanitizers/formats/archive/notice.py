"""The short text that stands in an archive where a member was left out. Japanese first; English after it, or alone if asked for."""

from __future__ import annotations

from typing import Final

from sanitizers import names
from sanitizers.model import PartInfo, Reason, Treatment

ENDING_JA: Final = "無害化通知.txt"
ENDING_EN: Final = "sanitisation-notice.txt"
TITLE_JA: Final = "【無害化通知】"
TITLE_EN: Final = "[Sanitisation notice]"

_REASONS: Final[dict[Reason, tuple[str, str]]] = {
    Reason.ENCRYPTED: ("暗号化されているため、中を確認できません。", "It is encrypted and cannot be looked into."),
    Reason.MALWARE: ("不正プログラムの疑いがあります。", "It is suspected malware."),
    Reason.FORBIDDEN_KIND: ("取込みが禁止された種類のファイルです。", "Files of this kind may not be taken in."),
    Reason.UNSUPPORTED_KIND: ("無害化に対応していない種類のファイルです。", "Files of this kind cannot be sanitised."),
    Reason.MALFORMED: ("壊れているか、構造が曖昧です。", "It is broken or ambiguous."),
    Reason.LIMIT_EXCEEDED: ("大きさなどの上限を超えています。", "It exceeds a limit."),
    Reason.TIMEOUT: ("処理時間の上限を超えました。", "It took too long."),
    Reason.WORKER_CRASHED: ("処理が異常終了しました。", "Its processing stopped abnormally."),
    Reason.VERIFICATION_FAILED: ("無害化後の検証に合格しませんでした。", "The result did not pass verification."),
    Reason.KIND_MISMATCH: ("拡張子と内容が一致しません。", "Its name and content disagree."),
    Reason.POLICY: ("ポリシーにより取り込めません。", "Policy does not let it through."),
}


def name(member: str, treatment: Treatment) -> str:
    """The notice's path beside the member that it stands for."""
    folder, slash, last = member.rpartition("/")
    ending = ENDING_JA if treatment.language == "ja" else ENDING_EN
    room = names.LONGEST - len(ending.encode()) - 1
    return f"{folder}{slash}{names.shortened(last, room)}.{ending}"


def text(member: str, reason: Reason, part: PartInfo | None, treatment: Treatment) -> bytes:
    """The notice: which member, why, and by which number to ask. Plain UTF-8 text with CRLF for Windows."""
    shown = names.shortened(member.rpartition("/")[2], names.LONGEST)
    ja = [
        TITLE_JA,
        "次のファイルは取り込まれませんでした。",
        f"ファイル名: {shown}",
        f"理由: {_REASONS[reason][0]}",
        *([f"大きさ: {part.size} バイト", f"SHA-256: {part.sha256}"] if part else []),
        *([f"受付番号: {treatment.receipt_no}"] if treatment.receipt_no else []),
        "必要な場合は、情報システム担当へお問い合わせください。",
        "",
    ]
    en = [
        TITLE_EN,
        "This file was not let in.",
        f"Name: {shown}",
        f"Reason: {_REASONS[reason][1]}",
        *([f"Size: {part.size} bytes", f"SHA-256: {part.sha256}"] if part else []),
        *([f"Receipt number: {treatment.receipt_no}"] if treatment.receipt_no else []),
        "If you need it, ask your system administrators.",
    ]
    lines = [*ja, *en] if treatment.language == "ja" else en
    return ("\r\n".join(lines) + "\r\n").encode()
