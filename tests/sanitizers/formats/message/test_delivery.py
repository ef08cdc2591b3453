"""A clean mail keeps its meaning: who, when, what, text in order, attachments."""

from __future__ import annotations

import base64

import pytest

from sanitizers.charset import encode
from sanitizers.formats import message
from sanitizers.model import Limits, Malformed, Verdict
from sanitizers.source import Source
from sanitizers.verify import message as verifier
from tests.build import message as build
from tests.build.context import changes, run
from tests.build.message import ATTACHED, REFUSED, Delivered, attachment, mail, multipart, page, part, parts_mail, text


def test_clean_mail_is_delivered_without_a_finding() -> None:
    mailed = Delivered(parts_mail(text(), attachment()), receipt_no="20261120-000123")
    assert changes(mailed.context) == []
    assert mailed.body == mailed.body_again == "本文です"
    assert mailed.files == {"a.pdf": ATTACHED}
    tree = mailed.tree
    assert (tree["from"], tree["to"], tree["subject"]) == ("山田 <yamada@example.jp>", "soumu@town.example.jp", "test")
    assert (tree["date"], tree["message-id"]) == ("Fri, 20 Nov 2026 09:00:00 +0900", "<1@example.jp>")
    assert tree["x-sekisho-result"] == "CDR; id=20261120-000123"
    assert "受付番号 20261120-000123" in mailed.banner
    assert [leaf.get_content_type() for leaf in tree.walk()] == ["multipart/mixed", "text/plain", "application/pdf"]


def test_same_bytes_for_the_same_mail() -> None:
    assert Delivered(parts_mail(text(), attachment())).bytes == Delivered(parts_mail(text(), attachment())).bytes


def test_engine_end_to_end() -> None:
    outcome = run(mail(b"see http://example.jp/\r\n"), "m.eml")
    assert outcome.report.verdict is Verdict.SANITIZED
    assert outcome.report.mail is not None
    assert outcome.report.mail.author == "山田 <yamada@example.jp>"
    assert outcome.content is not None
    assert run(outcome.content.bytes(), "m.eml").report.verdict is Verdict.CLEAN


def test_facts_are_kept_of_a_mail_that_is_held() -> None:
    held = build.given()
    with pytest.raises(Malformed):
        message.SANITIZER.sanitize(Source(mail(b"x", b"Content-Type: text/plain\r\nContent-Type: text/html\r\n")), held)
    assert held.mail is not None
    assert held.mail.message_id == "<1@example.jp>"


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp", "shift_jis", "euc-jp", "cp50221", "windows-31j", "utf-16"])
def test_japanese_bodies(charset: str) -> None:
    body = base64.encodebytes(encode("①㈱髙﨑 テスト～", charset))
    fields = b"Content-Type: text/plain; charset=" + charset.encode() + b"\r\nContent-Transfer-Encoding: base64\r\n"
    assert Delivered(mail(body, fields)).body == "①㈱髙﨑 テスト～"


def test_unknown_characters_are_counted_and_shown() -> None:
    mailed = Delivered(mail(b"\x1b$B)!4A\x1b(B\r\n", b"Content-Type: text/plain; charset=iso-2022-jp\r\n"))
    assert mailed.body == "〓漢"
    assert "1文字" in mailed.banner
    assert mailed.codes["mail.unknown_characters"] == "rewritten"


def test_format_flowed_and_delsp() -> None:
    flowed = b"Content-Type: text/plain; format=flowed\r\n"
    assert Delivered(mail(b"one \r\ntwo\r\n> q \r\n> r\r\n-- \r\nsig\r\n", flowed)).body == "one two\n> q r\n-- \nsig"
    delsp = b"Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n"
    assert Delivered(mail("日本 \r\n語\r\n".encode(), delsp)).body == "日本語"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("=?ISO-2022-JP?B?GyRCLSEtahsoQg==?=", "①㈱"),
        ("=?utf-8?B?5pel?= =?utf-8?B?5pys?=", "日本"),
        ("=?utf-8?B?5pel5g==?= =?utf-8?B?nKw=?=", "日本"),  # cut inside a character
        ("=?iso-2022-jp?B?GyRCRnw=?= =?iso-2022-jp?B?S1wbKEI=?=", "日本"),  # cut inside an escape state
        ("=?utf-8?q?a=0D=0ABcc:_x@y?=", "a Bcc: x@y"),
        ('"=?utf-8?B?5pel5pys?="', '"日本"'),
        ("Re:=?utf-8*ja?B?5pel5pys?=", "Re:日本"),
        ("=?x-nonsense?Q?abc?=", "abc"),
        ("a\u202egpj.exe", "agpj.exe"),
    ],
)
def test_subjects_of_the_wild(raw: str, shown: str) -> None:
    head = build.HEAD.replace(b"Subject: test", b"Subject: " + raw.encode())
    assert Delivered(mail(head=head)).tree["subject"] == shown


@pytest.mark.parametrize("charset", ["cp932", "iso-2022-jp", "utf-8", "euc-jp"])
def test_raw_japanese_subject(charset: str) -> None:
    head = build.HEAD.replace(b"Subject: test", b"Subject: " + encode("会議のご案内です", charset))
    assert Delivered(mail(head=head)).tree["subject"] == "会議のご案内です"


def test_long_subject_is_folded_and_comes_back() -> None:
    words = "長い件名 " * 60
    head = build.HEAD.replace(b"Subject: test", b"Subject: " + words.encode())
    mailed = Delivered(mail(head=head))
    assert mailed.tree["subject"] == words.strip()
    assert max(len(line) for line in mailed.bytes.split(b"\r\n")) <= 78


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (b"Content-Disposition: attachment; filename*=UTF-8''%E8%B3%87%E6%96%99.pdf", "資料.pdf"),
        (b"Content-Disposition: attachment; filename*0*=UTF-8''%E8%B3%87; filename*1=.pdf", "資.pdf"),
        (b"Content-Disposition: attachment; filename*=iso-2022-jp''%1B%24B%3BqNA%1B%28B.pdf", "資料.pdf"),
        (b'Content-Type: application/pdf; name="=?ISO-2022-JP?B?GyRCO3FOQRsoQi5wZGY=?="', "資料.pdf"),
        (b"Content-Disposition: attachment; filename==?ISO-2022-JP?B?GyRCO3FOQRsoQi5wZGY=?=", "資料.pdf"),
        (b'Content-Disposition: attachment; filename="' + "表示資料".encode("cp932") + b'.pdf"', "表示資料.pdf"),
        (b'Content-Disposition: attachment; filename="' + "資料".encode("iso-2022-jp") + b'.pdf"', "資料.pdf"),
        (b'Content-Disposition: attachment; filename="' + "資料".encode() + b'.pdf"', "資料.pdf"),
        (b"Content-Disposition: attachment; filename=my file.pdf", "my file.pdf"),
        (b'Content-Disposition: attachment; filename="../../etc/x.pdf"', "x.pdf"),
    ],
)
def test_attachment_names_of_the_wild(fields: bytes, name: str) -> None:
    mailed = Delivered(parts_mail(text(), part(base64.encodebytes(ATTACHED), fields, b"Content-Transfer-Encoding: base64")))
    assert list(mailed.files) == [name]
    leaf = next(mailed.tree.iter_attachments())
    assert leaf.get_param("name") == name  # RFC 2047 inside the old parameter says the same


def test_two_attachments_of_one_name() -> None:
    assert list(Delivered(parts_mail(text(), attachment(), attachment())).files) == ["a.pdf", "a (2).pdf"]


def test_blocked_attachment_is_left_out_and_listed() -> None:
    mailed = Delivered(parts_mail(text(), attachment(REFUSED, b"seikyu.exe"), attachment()))
    assert mailed.files == {"a.pdf": ATTACHED}
    assert "添付1 seikyu.exe → 削除（実行形式）" in mailed.banner
    assert mailed.tree["x-sekisho-result"] == "CDR DEL_ATTACH"
    assert mailed.codes["mail.attachment_dropped"] == "removed"


def test_mode_without_attachments() -> None:
    mailed = Delivered(parts_mail(text(), attachment()), mail_attachments=False)
    assert mailed.files == {}
    assert "添付1 a.pdf → 添付しません" in mailed.banner
    assert mailed.context.parts == []


def test_english_notice() -> None:
    mailed = Delivered(parts_mail(page("<p>hi</p>"), attachment()), language="en", receipt_no="20261120-000123")
    assert mailed.banner.split("\n")[1:3] == ["[Sanitized] receipt 20261120-000123", "Body: HTML converted to text"]


def test_imitated_notice_is_quoted_and_ours_is_not_doubled() -> None:
    fake = "─" * 27 + "\n【無害化済み】\n本文：安全です\n" + "─" * 27 + "\n\n本文"
    mailed = Delivered(mail(fake.encode()))
    assert mailed.codes == {"mail.forged_banner": "rewritten"}
    assert mailed.body.startswith("> ──")
    assert mailed.body == mailed.body_again


def test_text_without_encoding_declaration_and_bare_parts() -> None:
    assert Delivered(mail("今日は".encode())).body == "今日は"
    assert Delivered(b"From: a@b.jp\nSubject: x\n\nbody").body == "body"
    assert Delivered(b"From: a@b.jp\r\nSubject: x\r\n\r\n").body == "（本文はありません）"
    assert Delivered(b"From: a@b.jp\r\nSubject: x\r\n").body == "（本文はありません）"


def test_only_an_attachment() -> None:
    mailed = Delivered(build.HEAD + attachment())
    assert mailed.files == {"a.pdf": ATTACHED}
    assert "本文：なし" in mailed.banner


SAID = "来週の会議は水曜日の午前十時から第三会議室で開きます。資料は当日お渡しします。"


@pytest.mark.parametrize("rich", [page(f"<p>{SAID}</p>"), multipart(page(f"<p>{SAID}</p>"), kind=b"related", boundary=b"b2")])
def test_an_alternative_whose_forms_agree_is_its_text(rich: bytes) -> None:
    mailed = Delivered(parts_mail(text(SAID), rich, kind=b"alternative"))
    assert mailed.body == SAID
    assert mailed.codes == {"mail.html_body": "removed"}


def test_alternative_prefers_text_and_falls_back_to_html() -> None:
    both = parts_mail(
        text("同じ内容の本文です。ご確認ください。"), page("<p>同じ内容の本文です。ご確認ください。</p>"), kind=b"alternative"
    )
    assert Delivered(both).body == "同じ内容の本文です。ご確認ください。"
    assert Delivered(both).codes == {"mail.html_body": "removed"}
    poor = parts_mail(text("-"), page("<p>" + "長い本文があります。" * 5 + "詳しくは別紙をご覧ください。</p>"), kind=b"alternative")
    assert "詳しくは" in Delivered(poor).body
    other = parts_mail(
        text("abcdefghijklmnopqrstuvwxyz"),
        page("<p>まったく違う内容がここに書かれています。至急こちらの口座へ振り込んでください。</p>"),
        kind=b"alternative",
    )
    assert Delivered(other).codes == {"mail.alternative_differs": "kept", "mail.html_body": "rewritten"}


def test_related_images_become_attachments() -> None:
    image = part(
        base64.b64encode(ATTACHED), b"Content-Type: application/pdf", b"Content-ID: <i1>", b"Content-Transfer-Encoding: base64"
    )
    related = parts_mail(page('<p>図<img src="cid:i1" alt="図1"></p>'), image, kind=b"related")
    mailed = Delivered(related)
    assert mailed.body == "図 ［図1］"
    assert list(mailed.files.values()) == [ATTACHED]


def test_nested_message_is_quoted_and_its_attachment_taken_out() -> None:
    inner = build.HEAD + multipart(text("中の本文"), attachment(), boundary=b"b2")
    mailed = Delivered(parts_mail(text("外の本文"), part(inner, b"Content-Type: message/rfc822")))
    assert "外の本文\n\n> ―― 添付されたメール ――\n> From: 山田 <yamada@example.jp>" in mailed.body
    assert "> 中の本文" in mailed.body
    assert mailed.files == {"a.pdf": ATTACHED}
    encoded = part(base64.encodebytes(inner), b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: base64")
    assert Delivered(parts_mail(text("外の本文"), encoded)).files == {"a.pdf": ATTACHED}


def test_delivery_report_and_digest() -> None:
    status = part(b"Action: failed\r\nStatus: 5.1.1\r\n", b"Content-Type: message/delivery-status")
    assert "Status: 5.1.1" in Delivered(parts_mail(text(), status, kind=b"report")).body
    digest = parts_mail(b"\r\n" + mail(b"one\r\n"), b"\r\n" + mail(b"two\r\n"), kind=b"digest")
    assert [line for line in Delivered(digest).body.split("\n") if line in ("> one", "> two")] == ["> one", "> two"]


def test_calendar_in_words() -> None:
    event = "SUMMARY:会議\r\nDTSTART:20261120T010000Z\r\nLOCATION:第一\r\n 会議室\r\n"
    ics = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{event}END:VEVENT\r\nEND:VCALENDAR\r\n"
    mailed = Delivered(parts_mail(text(), part(ics.encode(), b"Content-Type: text/calendar; charset=utf-8; method=REQUEST")))
    assert "【予定】会議\nDtstart: 2026-11-20 01:00 UTC\nLocation: 第一会議室" in mailed.body


def test_a_calendar_whose_dates_are_words_says_the_words() -> None:
    event = 'BEGIN:VEVENT\r\nSUMMARY:会議\r\nDTSTART;TZID="Asia/Tokyo":来週\r\nEND:VEVENT\r\n'
    mailed = Delivered(parts_mail(text(), part(event.encode(), b"Content-Type: text/calendar; charset=utf-8")))
    assert "【予定】会議\nDtstart: 来週 (Asia/Tokyo)" in mailed.body


def test_verifier_notices_a_foreign_attachment() -> None:
    mailed = Delivered(parts_mail(text(), attachment()))
    mailed.context.parts.clear()
    with pytest.raises(Exception, match="attachments are not those"):
        verifier.verify(Source(mailed.bytes), Source(b""), mailed.context)


def test_limits_of_the_engine_hold_the_whole_mail() -> None:
    with pytest.raises(Exception, match="parts"):
        run(parts_mail(text(), *[attachment()] * 5), "m.eml", limits=Limits(parts=4))
