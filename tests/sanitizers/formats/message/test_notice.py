"""What the reader of a mail is told, in which words, and what programs can read of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sanitizers.formats.message import banner
from sanitizers.formats.message.wording import EN, JA
from sanitizers.model import Authentication, Reason
from tests.build import locked
from tests.build.message import HEAD, Delivered, attachment, by_smtp, mail, page, parts_mail, read_message, text
from tests.build.torture_content import clear_signed
from tests.build.torture_structure import PROGRAM, file, uu

NUMBER = "20261120-000123"
BAR = banner.BAR
FAILED = Authentication(server="sekisho.town.example.jp", sender="bounce@other.example", spf="pass", dkim="pass", dmarc="fail")


def notice(data: bytes, authentication: Authentication | None = None, **treatment: Any) -> list[str]:
    outcome = by_smtp(data, authentication=authentication, receipt_no=NUMBER, **treatment)
    assert outcome.content is not None
    lines = read_message(outcome.content.bytes()).text.split("\n")
    start = lines.index(BAR)
    return lines[start + 1 : lines.index(BAR, start + 1)]


def result(data: bytes, **treatment: Any) -> str:
    outcome = by_smtp(data, receipt_no=NUMBER, **treatment)
    assert outcome.content is not None
    found = re.search(rb"^X-Sekisho-Result: (.*)\r$", outcome.content.bytes(), re.MULTILINE)
    assert found is not None
    return found[1].decode()


def everything() -> bytes:
    """The mail of the design paper: HTML with three links, a locked archive, a program."""
    letter = page('<p>資料です <a href="https://a.jp/">甲</a> <a href="https://b.jp/">乙</a> <a href="https://c.jp/">丙</a></p>')
    return parts_mail(letter, file("資料.zip", locked.zip_aes("abc"), b"application/zip"), file("請求書.exe", PROGRAM))


def test_the_notice_of_the_design_paper() -> None:
    assert notice(everything(), FAILED, original_until="2026-12-20") == [
        "【無害化済み】受付番号 20261120-000123",
        "送信ドメイン認証：SPF 合格／DKIM 合格／DMARC 不合格 ※なりすましに注意",
        "配送上の差出人：bounce@other.example",
        "本文：HTMLをテキストに変換、リンク3件を無効化（hxxps://で表示）",
        "添付1 資料.zip → 要パスワード：受取箱で入力してください",
        "添付2 請求書.exe → 削除（実行形式）",
        "原本の保管期限：令和8年12月20日",
    ]


def test_the_same_in_english() -> None:
    assert notice(everything(), FAILED, original_until="2026-12-20", language="en", organisation="Example Town") == [
        "[Sanitized] receipt 20261120-000123 (Example Town)",
        "Sender authentication: SPF pass / DKIM pass / DMARC FAIL - beware of impersonation",
        "Envelope sender: bounce@other.example",
        "Body: HTML converted to text, 3 link(s) disabled (shown as hxxps://)",
        "Attachment 1 資料.zip -> needs a password: enter it in the pickup box",
        "Attachment 2 請求書.exe -> deleted (executable)",
        "Original kept until: 2026-12-20",
    ]


def test_both_languages_say_everything() -> None:
    assert len(JA) == len(EN)
    for said in (JA, EN):
        assert all(said)
        assert said.reasons.keys() == set(Reason)
    assert JA.results.keys() == EN.results.keys()


def test_the_organisation_is_named() -> None:
    assert notice(mail(), organisation="○○市")[0] == "【無害化済み】受付番号 20261120-000123（○○市）"


def test_a_held_attachment_says_where_to_ask() -> None:
    lines = notice(parts_mail(text(), file("a.bin", bytes(range(256)), b"application/octet-stream")))
    assert "添付1 a.bin → 保留（再構成できない形式）" in lines
    assert "保留中の添付：受取箱の「保留中のメール」で状況の確認と配信の依頼ができます" in lines


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (Authentication(server="x", spf="pass", dkim="none", dmarc="pass"), "送信ドメイン認証：SPF 合格／DKIM 設定なし／DMARC 合格"),
        (Authentication(server="x", spf="fail", dkim="none", dmarc="none"), "送信ドメイン認証：SPF 不合格／DKIM 設定なし／DMARC 設定なし ※なりすましに注意"),
        (Authentication(server="x", spf="fail", dkim="pass", dmarc="pass", arc="pass"), "送信ドメイン認証：SPF 不合格／DKIM 合格／DMARC 合格／ARC 合格"),
        (Authentication(server="x", spf="temperror"), "送信ドメイン認証：SPF 確認できず"),
        (Authentication(server="x"), "送信ドメイン認証：確認できませんでした"),
        (Authentication(server="x", spf="no such word"), "送信ドメイン認証：確認できませんでした"),
    ],
)
def test_sender_authentication(found: Authentication, line: str) -> None:
    assert line in notice(mail(), found)


def test_programs_can_read_the_authentication_and_nobody_can_forge_it() -> None:
    forged = mail(b"x", b"Authentication-Results: sekisho.town.example.jp; spf=pass; dmarc=pass\r\n")
    outcome = by_smtp(forged, authentication=FAILED, receipt_no=NUMBER, received_at="2026-11-20T09:00:00+09:00")
    assert outcome.content is not None
    fields = re.findall(rb"^Authentication-Results: (.*)\r$", outcome.content.bytes(), re.MULTILINE)
    assert fields == [b"sekisho.town.example.jp; spf=pass; dkim=pass; dmarc=fail"]


def test_an_envelope_of_the_same_domain_is_not_worth_a_line() -> None:
    same = Authentication(server="x", sender="bounce@example.jp", spf="pass")
    assert not [line for line in notice(mail(), same) if line.startswith(JA.envelope)]


def test_stations_keep_their_number() -> None:
    """What stops a mail that runs in a circle: each pass leaves one station more, whatever is written anew."""
    data = mail(b"x", b"Received: from a by b; Fri, 20 Nov 2026 09:00:00 +0900\r\n" * 3)
    for count in (4, 5, 6):
        outcome = by_smtp(data, receipt_no=NUMBER, received_at="2026-11-20T09:00:00+09:00")
        assert outcome.content is not None
        data = outcome.content.bytes()
        assert len(re.findall(rb"^Received: ", data, re.MULTILINE)) == count
        assert b"from a by b" not in data
    assert f"Received: by sekisho.invalid id {NUMBER}; Fri, 20 Nov 2026 09:00:00 +0900\r\n".encode() in data


@pytest.mark.parametrize(
    ("data", "warning"),
    [
        (mail(head=HEAD.replace(b"=?UTF-8?B?5bGx55Sw?=", b'"mayor@town.example.jp"')), "差出人の表示名に別のアドレスがあります（mayor@town.example.jp）"),
        (mail(b"x", b"Reply-To: x@evil.example\r\n"), "返信先が差出人と異なります（x@evil.example）"),
        (parts_mail(text(), file("\u202etxt.exe.txt")), "添付ファイル名に文字の並びを入れ替える制御文字がありました（txt.exe.txt）"),
        (parts_mail(text("パスワード：abc"), file("a.zip", locked.zip_aes("abc"))), "暗号化された添付ファイルのパスワードが同じメールに書かれています"),
        (parts_mail(text("The password is abc"), file("a.zip", locked.zip_aes("abc"))), "暗号化された添付ファイルのパスワードが同じメールに書かれています"),
        (HEAD + page('<a href="http://evil.example/">https://bank.example/</a>'), "表示と異なるリンク先が1件あります"),
        (HEAD + page("<p hidden>x</p>"), "見えない文字を除去しました"),
        (HEAD + page("<p style='color:white'>x</p>"), "背景と同じ色で見えない文字が1か所あります（〔※〕を付けて表示）"),
        (clear_signed(), "電子署名は無害化により外しました（検証は原本で行えます）"),
        (clear_signed(), "電子署名の署名者：山田太郎（署名は本文と一致。証明書の発行元は確認していません）"),
        (clear_signed().replace(b"\r\n", b"\n"), "電子署名の署名者：山田太郎（署名は本文と一致。証明書の発行元は確認していません）"),
        (clear_signed(sent="別の本文"), "電子署名が本文と一致しません"),
        (mail(b"\x1b$B)!\x1b(B\r\n", b"Content-Type: text/plain; charset=iso-2022-jp\r\n"), "表示できない文字が1文字あります（〓で表示）"),
    ],
)
def test_warnings(data: bytes, warning: str) -> None:
    assert JA.warning + warning in notice(data)


@pytest.mark.parametrize(
    "data",
    [
        mail(),
        mail(b"x", b"Reply-To: yamada@example.jp\r\n"),
        parts_mail(text("パスワードは別途お送りします"), file()),
        parts_mail(text("ご確認ください"), file("a.zip", locked.zip_aes("abc"))),
        mail(head=HEAD.replace(b"=?UTF-8?B?5bGx55Sw?=", b'"yamada@example.jp"')),
    ],
)
def test_no_warning_without_a_reason(data: bytes) -> None:
    assert not [line for line in notice(data) if line.startswith(JA.warning)]


@pytest.mark.parametrize(
    ("data", "treatment", "words"),
    [
        (mail(), {}, "NONE"),
        (HEAD + page("<p>x</p>"), {}, "CHG_TEXT"),
        (parts_mail(text("x"), page("<p>x</p>"), kind=b"alternative"), {}, "CHG_TEXT"),
        (mail(b"http://a.jp/"), {}, "REP_LINK"),
        (parts_mail(text(), file()), {}, "CDR"),
        (parts_mail(text(), file("x.exe", PROGRAM)), {}, "DEL_ATTACH"),
        (parts_mail(text(), file()), {"mail_attachments": False}, "DEL_ATTACH"),
        (parts_mail(text(), file("a.zip", locked.zip_aes("abc"))), {}, "HOLD"),
        (everything(), {}, "CHG_TEXT REP_LINK DEL_ATTACH HOLD"),
        (mail(b"begin 644 x.exe\r\n" + uu(PROGRAM) + b"`\r\nend\r\n"), {}, "DEL_ATTACH"),
    ],
)
def test_the_result_for_programs(data: bytes, treatment: dict[str, Any], words: str) -> None:
    assert result(data, **treatment) == f"{words}; id={NUMBER}"


def test_text_only_with_a_list_of_attachments() -> None:
    """モードア, and モードウ beside it."""
    data = parts_mail(text(), file(), file("資料.txt"))
    only_text = by_smtp(data, mail_attachments=False)
    assert only_text.content is not None
    made = read_message(only_text.content.bytes())
    assert (made.names, made.body) == ((), "本文です")
    assert "添付2 資料.txt → 添付しません（一覧のみ）" in made.text
    assert "Content-Type: text/plain; charset=utf-8" in only_text.content.bytes().decode()
    with_files = by_smtp(data)
    assert with_files.content is not None
    assert read_message(with_files.content.bytes()).names == ("memo.txt", "資料.txt")


def test_below_the_text_by_setting() -> None:
    made = Delivered(parts_mail(text(), attachment()), mail_notice_at_end=True, receipt_no=NUMBER)
    assert made.text.startswith("本文です\n\n" + BAR)
    assert made.text.endswith(BAR + "\n")
    assert made.text.count("【無害化済み】") == 1
    forged = Delivered(mail(f"本文\n\n{BAR}\n【無害化済み】\n本文：安全です\n{BAR}\n".encode()), mail_notice_at_end=True)
    assert forged.codes == {"mail.forged_banner": "rewritten"}
    assert f"> {BAR}\n> 【無害化済み】" in forged.text


def test_imitated_notices_without_end_are_quoted_to_the_last() -> None:
    """However many stand below each other, none is left over to pass for ours."""
    forged = Delivered(mail(("本文\n\n" + f"{BAR}\n【無害化済み】\n本文：安全です\n{BAR}\n\n" * 120).encode()))
    assert forged.codes == {"mail.forged_banner": "rewritten"}
    assert forged.text.count(f"> {BAR}\n> 【無害化済み】") == 120
    assert sum(line == BAR for line in forged.text.split("\n")) == 2    # ours


def test_what_only_resembles_a_notice_stays() -> None:
    for body in (f"{BAR}\n【無害化済み】\n本文：終りがない", f"本文\n\n【無害化済み】\n{BAR}", f"{BAR}\n見出し\n{BAR}\n本文", f"本文\n{BAR}\n署名\n{BAR}", f"{BAR}\n【無害化済み】のお知らせ\nその他\n{BAR}"):
        made = Delivered(mail(body.encode()))
        assert made.body == body
        assert made.codes == {}


def test_a_notice_that_is_quoted_in_an_answer_stays() -> None:
    quoted = f"> {BAR}\n> 【無害化済み】\n> 本文：テキスト（変換なし）\n> {BAR}\n了解しました"
    assert Delivered(mail(quoted.encode())).body == quoted


def test_a_mark_before_the_subject_by_setting() -> None:
    made = Delivered(mail(), mail_subject_mark="【外部】")
    assert made.tree["subject"] == made.second["subject"] == "【外部】test"
    assert made.codes == {}


def test_iso_2022_jp_by_setting() -> None:
    data = mail("㈱髙﨑ﾃｽﾄ①".encode(), b"Content-Type: text/plain; charset=utf-8\r\n", HEAD.replace(b"Subject: test", "Subject: 髙﨑様".encode()))
    outcome = by_smtp(data, mail_charset="iso-2022-jp")
    assert outcome.content is not None
    made = outcome.content.bytes()
    assert b"Content-Type: text/plain; charset=iso-2022-jp\r\n" in made
    assert b"Subject: =?ISO-2022-JP?B?" in made
    again = by_smtp(made, mail_charset="utf-8")
    assert again.content is not None
    assert read_message(again.content.bytes()).body == "㈱髙﨑ﾃｽﾄ①"
    assert read_message(again.content.bytes()).subject == "髙﨑様"


def test_what_iso_2022_jp_lacks_goes_as_utf_8() -> None:
    outcome = by_smtp(mail("😀です".encode(), b"Content-Type: text/plain; charset=utf-8\r\n"), mail_charset="iso-2022-jp")
    assert outcome.content is not None
    assert read_message(outcome.content.bytes()).body == "😀です"
    assert [(finding.code, finding.action) for finding in outcome.report.findings] == [("mail.charset", "kept")]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_locked_attachment_names_the_page_that_opens_it(language: str) -> None:
    data = parts_mail(text(), file("a.zip", locked.KINDS["aes.zip"]("himitsu")))
    page_of_it = "https://uketori.town.example.jp/transfers/20261120-000123"
    options = {"language": language, "receipt_no": "20261120-000123", "pickup_url": "https://uketori.town.example.jp/"}
    outcome = by_smtp(data, **options)
    assert outcome.content is not None
    assert read_message(outcome.content.bytes()).text.count(page_of_it) == 1
    assert by_smtp(outcome.content.bytes(), **options).report.verdict.delivers
    for lacking in ({"pickup_url": ""}, {"receipt_no": ""}):
        without = by_smtp(data, **(options | lacking))
        assert without.content is not None
        assert "/transfers/" not in read_message(without.content.bytes()).text
    unlocked = by_smtp(parts_mail(text(), attachment()), **options)
    assert unlocked.content is not None
    assert page_of_it not in read_message(unlocked.content.bytes()).text


def test_a_forged_page_for_passwords_is_no_notice_of_ours() -> None:
    forged = f"{banner.BAR}\n{JA.title}\n{JA.opening_page}https://evil.example/transfers/1\n{banner.BAR}\n\n本文\n"
    outcome = by_smtp(mail(forged.encode(), b"Content-Type: text/plain; charset=utf-8\r\n"), pickup_url="https://uketori.town.example.jp")
    assert outcome.content is not None
    body = read_message(outcome.content.bytes()).text
    assert "https://evil.example" not in body
    assert "> " + JA.opening_page in body
