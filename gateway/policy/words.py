"""What each value of a policy document is called where people read it: Japanese, English."""

from __future__ import annotations

from typing import Final

from gateway.policy.document import KindAction, Strength

LIMITS: Final[dict[str, tuple[str, str]]] = {
    "input_bytes": ("受け付ける大きさ", "bytes of one file or mail, such as 512MiB"),
    "expanded_bytes": ("展開後の合計", "bytes of everything unpacked, such as 2GiB"),
    "expansion_ratio": ("展開の倍率", "unpacked bytes for each byte that came"),
    "expansion_floor": ("倍率を問わない大きさ", "bytes that even a small file may unpack to"),
    "parts": ("部品の数", "files and parts inside one transfer"),
    "depth": ("入れ子の深さ", "files inside files"),
    "wall_seconds": ("処理時間（秒）", "seconds for one transfer"),
    "cpu_seconds": ("CPU時間（秒）", "seconds of processor time"),
    "memory_bytes": ("メモリ", "bytes of memory, such as 2GiB"),
    "pixels": ("1枚の画素数", "pixels of one picture"),
    "frames": ("コマ数", "frames of one picture"),
    "pages": ("ページ数", "pages of one document"),
    "cells": ("セル数", "cells of one spreadsheet"),
}

TREATMENT: Final[dict[str, tuple[str, str]]] = {
    "link_schemes": ("残すリンクの種類", "schemes of links that stay"),
    "mail_links_defanged": ("メール本文のリンクを押せない形にする", "links in mail texts are written so that they cannot be pressed"),
    "mail_charset": ("届けるメールの文字コード", "character set of delivered mails"),
    "mail_attachments": ("メールの添付を無害化して届ける（いいえ：本文と一覧のみ）", "mails keep their rebuilt attachments"),
    "mail_notice_at_end": ("お知らせを本文の後に置く", "our notice stands below the text"),
    "mail_passwords_tried": ("別のメールで届いたパスワードを試す", "passwords in a later mail are tried on what is locked"),
    "mail_subject_mark": ("件名の前に付ける印", "put before the subject"),
    "mail_forwards_held": ("自動転送されたメールを保留する", "mails that were forwarded automatically are held"),
    "mail_author_domains": (
        "差出人のドメイン（これ以外の差出人は自動転送とみなす。空：問わない）",
        "domains of senders: any other is taken for forwarded (empty: not asked)",
    ),
    "pdf_attachments": ("PDFの添付を無害化して残す", "attachments of a PDF stay, rebuilt"),
    "pdf_forms_flattened": ("PDFの入力欄を固定する", "forms of a PDF become part of the page"),
    "pdf_properties_kept": ("残すPDFの文書情報", "properties of a PDF that stay"),
    "pdf_links_removed": ("PDFのリンクを除く", "no link leaves a PDF"),
    "pdf_strict_pixels": ("PDFを画像にする（厳格）", "every page of a PDF as pixels"),
    "comments_kept": ("Officeのコメントと変更履歴を残す", "Office comments and tracked changes stay"),
    "capture_date_kept": ("写真の撮影日を残す", "the date of photographs stays"),
    "picture_codes": ("画像の中のQRコード", "QR codes in pictures"),
    "low_bits_cleared": ("画素の最下位ビットを消す", "lowest bits of pixels are cleared"),
    "svg_as_pixels": ("SVGを画像にする", "drawings go out as PNG"),
    "metafiles_as_pixels": ("EMF・WMFを画像にする", "metafiles go out as PNG"),
    "bad_member_holds_archive": ("1つでも届けられなければ書庫全体を保留する", "one bad member holds the whole archive"),
    "pages_as_text": ("HTMLを本文だけにする", "web pages go out as plain text"),
    "unrebuilt_as_text": (
        "再構成できない文書（Word 6・95、枠のある一太郎）の本文を届ける",
        "of documents that cannot be rebuilt (Word 6 and 95, Ichitaro with frames) the text alone goes out",
    ),
    "text_as_utf8": ("テキストをUTF-8にする", "text goes out in UTF-8"),
    "confirmed_kinds": ("確認済みとして原本を通せる形式", "kinds whose original may pass with an approval"),
    "forbidden_extensions": ("追加で遮断する拡張子", "extensions that are blocked besides the built-in list"),
    "language": ("届けるファイルの中のお知らせの言語", "language of notices inside delivered files: ja or en"),
}

# Of values that are one of a few words.
CHOICES: Final[dict[str, str]] = {
    "utf-8": "UTF-8",
    "iso-2022-jp": "ISO-2022-JP",
    "ignored": "何もしない / ignored",
    "reported": "報告する / reported",
    "covered": "覆う / covered",
}

ACTIONS: Final[dict[KindAction, tuple[str, str]]] = {
    KindAction.CONFIRM: ("確認して原本を通す", "original, confirmed"),
    KindAction.SANITIZE: ("無害化", "rebuilt"),
    KindAction.TEXT: ("本文のみ", "text only"),
    KindAction.PIXELS: ("画像化", "pixels"),
    KindAction.HOLD: ("保留", "hold"),
    KindAction.BLOCK: ("遮断", "block"),
}

STRENGTHS: Final[dict[Strength, tuple[str, str]]] = {
    Strength.SECURITY: ("最大セキュリティ", "most secure"),
    Strength.STANDARD: ("標準", "standard"),
    Strength.FIDELITY: ("最大整合性", "most faithful"),
}
