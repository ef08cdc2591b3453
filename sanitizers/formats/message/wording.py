"""The words that a sanitized message carries, Japanese and English: data, and nothing else."""

from __future__ import annotations

from typing import Final, NamedTuple

from sanitizers.model import Reason


class Words(NamedTuple):
    """All texts of one language."""

    title: str
    receipt: str
    body: str
    body_html: str
    body_plain: str
    body_same: str
    body_none: str
    links: str
    attachment: str
    arrow: str
    removed: str
    changed: str
    rebuilt: str
    unchanged: str
    listed_only: str
    held: str
    blocked: str
    executable: str
    sealed: str
    waiting: str
    waiting_how: str
    warning: str
    reply_to: str
    spoof: str
    mismatch: str
    hidden: str
    signature: str
    unknown: str
    separator: str
    opened: str
    closed: str
    forwarded: str
    partial: str
    external: str
    empty: str
    event: str
    for_whom: str
    authentication: str
    unchecked: str
    slash: str
    beware: str
    envelope: str
    until: str
    day: str
    opened_by: str
    turned: str
    signer: str
    forged_signature: str
    results: dict[str, str]
    reasons: dict[Reason, str]
    unseen: str
    opening_page: str


JA: Final = Words(
    title="【無害化済み】",
    receipt="受付番号 {}",
    body="本文：",
    body_html="HTMLをテキストに変換",
    body_plain="HTML形式を除き、テキスト形式を表示",
    body_same="テキスト（変換なし）",
    body_none="なし",
    links="リンク{}件を無効化（hxxps://で表示）",
    attachment="添付{}",
    arrow=" → ",
    removed="{}を除去",
    changed="{}を修正",
    rebuilt="無害化済み",
    unchanged="無害化済み・除去した内容なし",
    listed_only="添付しません（一覧のみ）",
    held="保留（{}）",
    blocked="削除（{}）",
    executable="削除（実行形式）",
    sealed="保留（S/MIMEまたはPGPで暗号化）",
    waiting="保留中の添付：",
    waiting_how="受取箱の「保留中のメール」で状況の確認と配信の依頼ができます",
    warning="注意：",
    reply_to="返信先が差出人と異なります（{}）",
    spoof="差出人の表示名に別のアドレスがあります（{}）",
    mismatch="表示と異なるリンク先が{}件あります",
    hidden="見えない文字を除去しました",
    signature="電子署名は無害化により外しました（検証は原本で行えます）",
    unknown="表示できない文字が{}文字あります（〓で表示）",
    separator="、",
    opened="（",
    closed="）",
    forwarded="―― 添付されたメール ――",
    partial="［分割されたメールの一部のため、取り出していません］",
    external="［本文は外部に置かれています。取得していません：{}］",
    empty="（本文はありません）",
    event="【予定】",
    for_whom="（{}）",
    authentication="送信ドメイン認証：",
    unchecked="確認できませんでした",
    slash="／",
    beware=" ※なりすましに注意",
    envelope="配送上の差出人：",
    until="原本の保管期限：",
    opening_page="パスワードの入力：",
    day="令和{era}年{month}月{day}日",
    opened_by="暗号化された添付ファイルのパスワードが同じメールに書かれています",
    turned="添付ファイル名に文字の並びを入れ替える制御文字がありました（{}）",
    signer="電子署名の署名者：{}（署名は本文と一致。証明書の発行元は確認していません）",
    forged_signature="電子署名が本文と一致しません",
    results={
        "pass": "合格",
        "fail": "不合格",
        "softfail": "不合格の疑い",
        "neutral": "判定なし",
        "none": "設定なし",
        "policy": "不合格",
        "temperror": "確認できず",
        "permerror": "設定誤り",
    },
    reasons={
        Reason.ENCRYPTED: "要パスワード：受取箱で入力してください",
        Reason.MALWARE: "不正プログラムの疑い",
        Reason.FORBIDDEN_KIND: "取込みが禁止された形式",
        Reason.UNSUPPORTED_KIND: "再構成できない形式",
        Reason.MALFORMED: "形式の破損または曖昧な構造",
        Reason.LIMIT_EXCEEDED: "処理上限の超過",
        Reason.TIMEOUT: "処理時間の超過",
        Reason.WORKER_CRASHED: "処理の異常終了",
        Reason.VERIFICATION_FAILED: "無害化後の検証に不合格",
        Reason.KIND_MISMATCH: "拡張子と内容の不一致",
        Reason.POLICY: "ポリシーによる制限",
    },
    unseen="背景と同じ色で見えない文字が{}か所あります（〔※〕を付けて表示）",
)

EN: Final = Words(
    title="[Sanitized]",
    receipt=" receipt {}",
    body="Body: ",
    body_html="HTML converted to text",
    body_plain="HTML form left out, text form shown",
    body_same="text (not converted)",
    body_none="none",
    links="{} link(s) disabled (shown as hxxps://)",
    attachment="Attachment {}",
    arrow=" -> ",
    removed="removed: {}",
    changed="changed: {}",
    rebuilt="sanitized",
    unchanged="sanitized (nothing had to be removed)",
    listed_only="not attached (listed only)",
    held="held ({})",
    blocked="deleted ({})",
    executable="deleted (executable)",
    sealed="held (encrypted with S/MIME or PGP)",
    waiting="Held attachments: ",
    waiting_how="see what became of them, or ask for delivery, in the pickup box",
    warning="Caution: ",
    reply_to="replies go to someone other than the sender ({})",
    spoof="the sender's display name shows another address ({})",
    mismatch="{} link(s) lead elsewhere than they say",
    hidden="hidden text was removed",
    signature="the digital signature was taken off (it can be checked on the original)",
    unknown="{} character(s) could not be read (shown as 〓)",
    separator=", ",
    opened=" (",
    closed=")",
    forwarded="---- attached message ----",
    partial="[Piece of a split message: not taken out]",
    external="[The body is kept elsewhere and was not fetched: {}]",
    empty="(no body)",
    event="[Event] ",
    for_whom=" ({})",
    authentication="Sender authentication: ",
    unchecked="could not be checked",
    slash=" / ",
    beware=" - beware of impersonation",
    envelope="Envelope sender: ",
    until="Original kept until: ",
    opening_page="Enter the password here: ",
    day="{year}-{month:02}-{day:02}",
    opened_by="the password of an encrypted attachment is written in the same mail",
    turned="the name of an attachment held characters that turn the writing direction ({})",
    signer="signed by {} (the signature fits the text; the issuer of the certificate was not checked)",
    forged_signature="the digital signature does not fit the text",
    results={
        "pass": "pass",
        "fail": "FAIL",
        "softfail": "soft fail",
        "neutral": "neutral",
        "none": "none",
        "policy": "FAIL",
        "temperror": "could not be checked",
        "permerror": "wrongly configured",
    },
    reasons={
        Reason.ENCRYPTED: "needs a password: enter it in the pickup box",
        Reason.MALWARE: "suspected malware",
        Reason.FORBIDDEN_KIND: "kind that may not cross",
        Reason.UNSUPPORTED_KIND: "kind that cannot be rebuilt",
        Reason.MALFORMED: "broken or ambiguous structure",
        Reason.LIMIT_EXCEEDED: "processing limit exceeded",
        Reason.TIMEOUT: "processing time exceeded",
        Reason.WORKER_CRASHED: "processing stopped abnormally",
        Reason.VERIFICATION_FAILED: "result did not pass verification",
        Reason.KIND_MISMATCH: "name and content disagree",
        Reason.POLICY: "restriction by policy",
    },
    unseen="text in the colour of its background in {} place(s) (marked with 〔※〕)",
)


def words(language: str) -> Words:
    return EN if language.lower().startswith("en") else JA
