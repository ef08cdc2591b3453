"""Messages that mail programs read differently are held, dangers are gone, and floods end at the limits."""

from __future__ import annotations

import base64
import binascii
import re

import pytest

from sanitizers.scan import compile_rules
from tests.build import message as build
from tests.build.message import HEAD, Delivered, attachment, mail, multipart, outcome, page, part, parts_mail, text

BASE64 = b"Content-Transfer-Encoding: base64\r\n"
LEAF = b"Content-Type: text/plain\r\n\r\nx"


def _uu(data: bytes) -> bytes:
    return b"".join(binascii.b2a_uu(data[at : at + 45]).replace(b"\n", b"\r\n") for at in range(0, len(data), 45))


@pytest.mark.parametrize(
    "data",
    [
        parts_mail(text(), text()).replace(b"--b1\r\n", b"--b1x\r\n", 1).replace(b"--b1\r\n", b"--b1x\r\n", 1),
        parts_mail(text("a\r\n--b1x")),
        mail(b"a\r--b1\r\n" + LEAF + b"\r\n--b1\r\n" + LEAF, b"Content-Type: multipart/mixed; boundary=b1\r\n"),
        parts_mail(part(multipart(text()), b"X-A: b"), text()).replace(b"X-A: b\r\n\r\n", b""),
        parts_mail(multipart(text(), end=b""), text()),
        parts_mail(multipart(multipart(text(), end=b""), boundary=b"b2", end=b""), text()),
    ],
)
def test_lines_that_resemble_a_boundary_hold_the_mail(data: bytes) -> None:
    """Besides the torture cases, which hold all other ambiguities."""
    assert outcome(data) == "mail.ambiguous"


RULES = compile_rules({"a.yar": 'rule Virus { meta: severity = "high" strings: $a = "virus in hiding" condition: $a }'})
VIRUS = b"a virus in hiding, long enough to be found"


@pytest.mark.parametrize(
    "data",
    [
        mail(base64.b64encode(VIRUS), b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n"),
        mail(b"aGVsbG8=\r\n" + base64.b64encode(VIRUS), BASE64),
        mail(base64.b64encode(VIRUS[:20]) + b"!!" + base64.b64encode(VIRUS[20:]), BASE64),
        mail(b"virus =69n hi=\r\nding", b"Content-Transfer-Encoding: quoted-printable, base64\r\n"),
        mail(b"begin 644 x\r\n" + _uu(VIRUS) + b"`\r\nend\r\n", b"Content-Transfer-Encoding: x-uuencode, base64\r\n"),
        mail(b"begin 644 x\r\n" + _uu(VIRUS).replace(b"\r\n", b"S\r\n") + b"`\r\nend\r\n", b"Content-Transfer-Encoding: x-uuencode, base64\r\n"),
        parts_mail(text(), attachment(VIRUS, b"a.bin", b"application/octet-stream")),
        HEAD + page("virus&#32;in <!-- virus in hiding -->".replace("virus in", "virus\u0020in")),
    ],
)
def test_what_any_reading_finds_is_looked_at_by_the_rules(data: bytes) -> None:
    ended = build.by_smtp(data, scanner=RULES)
    reports = [ended.report, *ended.report.parts]
    assert ("blocked", "malware") in [(report.verdict, report.reason) for report in reports]


WEAK = compile_rules({"a.yar": 'rule Word { meta: severity = "low" strings: $a = "virus in hiding" condition: $a }'})


def test_what_a_weak_rule_finds_in_a_mail_that_is_held_is_told_and_leaves_it_held() -> None:
    plain = b"From: yamada@example.jp\r\n"
    ended = build.by_smtp(mail(b"virus in hiding\r\n--b1 ", b"Content-Type: multipart/mixed\r\n", plain), scanner=WEAK)
    assert (ended.report.verdict, ended.report.reason) == ("held", "malformed")
    assert {match.rule for match in ended.report.matches} == {"Word"}


def test_a_multipart_of_nothing_is_an_empty_text() -> None:
    assert Delivered(mail(b"\r\n \r\n", b"Content-Type: multipart/mixed; boundary=b1\r\n")).body == "（本文はありません）"



@pytest.mark.parametrize(
    ("data", "body"),
    [
        (parts_mail(text("hello")).replace(b"\r\n", b"\n"), "hello"),
        (parts_mail(text("hello"), extra=b"; boundary=b1"), "hello"),
        (mail(b"hello", b"Content-Type: text/plain charset=utf-8\r\n"), "hello"),
        (mail(b"hello", b'Content-Type: text/plain; charset="utf-8\r\n'), "hello"),
        (mail(b"hello", b"Content-Type: text\r\n"), "hello"),
        (mail(b"hello", b"Content-Transfer-Encoding: 7-bit\r\n"), "hello"),
        (b"From x@y Thu Feb 22 11:20:31 2007\n" + mail(b"hello").replace(b"\r\n", b"\n"), "hello"),
    ],
)
def test_sloppiness_that_all_programs_read_alike_is_delivered(data: bytes, body: str) -> None:
    assert Delivered(data).body == body


@pytest.mark.parametrize(
    "data",
    [
        build.HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000)),  # 28
        build.HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 5000 + b"x",
        build.HEAD + multipart(*[b""] * 100_000),  # 29
        mail(b"x", b"X-A: b\r\n" * 100_000),  # 30
        mail(b"x", b"X-A: b\r\n" + b" c\r\n" * 100_000),
        mail(b"x", b"To: " + b"a@b.jp, " * 100_000 + b"\r\n"),  # 31
    ],
)
def test_floods_end_at_a_limit(data: bytes) -> None:
    assert outcome(data) == "file.limit_exceeded"


def test_nested_comments_and_many_addresses_are_read_in_one_pass() -> None:
    assert outcome(mail(head=build.HEAD + b"Cc: " + b"(" * 100_000 + b"x@y.jp\r\n")) == "delivered"
    mailed = Delivered(mail(head=build.HEAD.replace(b"To: soumu@town.example.jp", b"To: " + b"a@b.jp,\r\n " * 1500 + b"c@d.jp")))
    assert mailed.codes == {"mail.addresses_cut": "removed"}


def test_data_outside_of_the_parts_is_not_delivered() -> None:
    outside = parts_mail(text(), end=b"\r\n--b1--\r\nContent-Type: text/html\r\n\r\n<script>")
    mailed = Delivered(outside)
    assert mailed.codes == {"mail.preamble": "removed"}
    assert mailed.body == "本文です"


@pytest.mark.parametrize("line", ["begin 644 x.exe", "=ybegin line=128 name=x", "(This file must be converted with BinHex 4.0)"])
def test_lines_that_look_like_files_are_made_harmless(line: str) -> None:
    mailed = Delivered(mail(b"a\r\n" + line.encode() + b"\r\nb\r\n"))
    assert mailed.body == f"a\n> {line}\nb"
    assert mailed.codes == {"mail.begin_line": "rewritten"}


def test_signatures_are_taken_off() -> None:
    signature = part(
        b"x", b"Content-Type: application/pkcs7-signature; name=smime.p7s", b"Content-Disposition: attachment; filename=smime.p7s"
    )
    mailed = Delivered(parts_mail(text(), signature, kind=b"signed"))
    assert (mailed.body, mailed.files) == ("本文です", {})
    assert mailed.codes == {"mail.signature": "removed"}
    assert "電子署名" in mailed.banner


def test_opaque_signature_is_unwrapped_and_encryption_held() -> None:
    inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "署名された本文".encode()
    signed = base64.encodebytes(_signed_data(inner))
    fields = b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n" + BASE64
    assert Delivered(mail(signed, fields)).body == "署名された本文"
    sealed = mail(
        base64.encodebytes(_der(0x30, bytes.fromhex("06092a864886f70d010703"))), fields.replace(b"signed-data", b"enveloped-data")
    )
    mailed = Delivered(sealed)
    assert mailed.context.parts[0].reason == "encrypted"
    assert "保留（S/MIMEまたはPGPで暗号化）" in mailed.banner
    assert mailed.tree["x-sekisho-result"] == "HOLD"
    pgp = parts_mail(
        part(b"Version: 1", b"Content-Type: application/pgp-encrypted"),
        part(b"-----BEGIN PGP", b"Content-Type: application/octet-stream"),
        kind=b"encrypted",
    )
    assert Delivered(pgp).context.parts[0].reason == "encrypted"


@pytest.mark.parametrize(("layers", "ends"), [(1, "sanitized"), (8, "sanitized"), (9, "held")])
def test_signed_texts_in_signed_texts_end_at_a_limit(layers: int, ends: str) -> None:
    body = "本文\n"
    for _ in range(layers):
        escaped = "".join("- " + line if line.startswith("-") else line for line in body.splitlines(keepends=True))
        body = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{escaped}-----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----\n"
    ended = build.by_smtp(mail(body.encode()))
    assert ended.report.verdict == ends
    assert (ended.content is None) == (ends == "held")
    assert ended.content is None or build.read_message(ended.content.bytes()).body == "本文"


def test_headers_are_an_allow_list() -> None:
    fields = (
        b"Received: from x\r\nDKIM-Signature: v=1\r\nX-Internal: 1\r\nX-Sekisho-Result: NONE\r\nReturn-Receipt-To: a@b.jp\r\n"
        b"References: <a@b> junk <c@d>\r\nList-Unsubscribe: <http://x>\r\nBcc: z@z.jp\r\nAuto-Submitted: auto-replied (x)\r\n"
    )
    mailed = Delivered(mail(b"hello", fields), receipt_no="20261120-000123\r\nX: y")
    kept = {
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "references",
        "auto-submitted",
        "x-sekisho-result",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
    }
    assert {name.lower() for name in mailed.tree} == kept
    assert mailed.tree["references"] == "<a@b> <c@d>"
    assert mailed.codes == {"mail.receipt_request": "removed"}


@pytest.mark.parametrize(
    ("sender", "address", "code"),
    [
        (b"a@example.jp, b@evil.example", "a@example.jp", "mail.several_from"),
        (b"a@example.jp\r\nFrom: b@evil.example", "a@example.jp", "mail.several_from"),
        (b'"mayor@town.example.jp" <x@evil.example>', "x@evil.example", "mail.name_spoof"),
        (b"Undisclosed: x@example.jp;", "x@example.jp", None),
        (b"(c (d)) x@example.jp (e)", "x@example.jp", None),
        (b"nobody", "unknown@invalid", "mail.invalid_address"),
        (b"<x@example.jp\0>", "unknown@invalid", "mail.invalid_address"),
        (b"<abc..d.@docomo.ne.jp>", '"abc..d."@docomo.ne.jp', None),
    ],
)
def test_exactly_one_sender(sender: bytes, address: str, code: str | None) -> None:
    mailed = Delivered(mail(head=build.HEAD.replace(b"From: =?UTF-8?B?5bGx55Sw?= <yamada@example.jp>", b"From: " + sender)))
    assert len(mailed.tree["from"].addresses) == 1
    assert re.search(rb"^From: (?:.* <)?" + re.escape(address.encode()) + rb">?\r$", mailed.bytes, re.MULTILINE)
    assert set(mailed.codes) == ({code} if code else set())


def test_differing_reply_address_is_pointed_out() -> None:
    mailed = Delivered(mail(b"x", b"Reply-To: x@evil.example\r\n"))
    assert mailed.codes == {"mail.reply_to_differs": "kept"}
    assert "x@evil[.]example" in mailed.banner or "x@evil.example" in mailed.banner


def test_controls_and_direction_marks_leave_the_text() -> None:
    mailed = Delivered(mail("a\u202eb\x1b[31mc\u2066d\ttab\r\n".encode()))
    assert mailed.body == "ab[31mcd\ttab"
    assert mailed.codes == {"mail.control_characters": "removed"}


def test_bare_line_ends_are_reported_and_gone() -> None:
    mailed = Delivered(mail(b"a\rb\nc\r\n.\r\n"))
    assert mailed.body == "a\nb\nc\n."
    assert mailed.codes == {"mail.bare_newline": "rewritten"}


def test_links_are_defanged_and_the_second_pass_finds_none() -> None:
    mailed = Delivered(
        mail(b"see https://www.example.jp/a?u=http://b.example and www.c.example \\\\srv\\x ftp://d.example x@e.example\r\n")
    )
    assert mailed.body == (
        "see hxxps://www[.]example[.]jp/a?u=hxxp://b[.]example and www[.]c[.]example [\\\\]srv\\x ftp[:]//d[.]example x@e.example"
    )
    assert mailed.tree["x-sekisho-result"] == "REP_LINK"
    kept = Delivered(mail(b"https://www.example.jp/\r\n"), mail_links_defanged=False)
    assert (kept.body, kept.codes) == ("https://www.example.jp/", {})


def test_html_dangers_are_gone_and_told() -> None:
    body = page(
        '<script>x()</script><p onclick="y()">見える</p><p style="display:none">隠れ</p><img src="http://t.example/p.gif">'
        '<a href="http://evil.example/">https://bank.example/</a><a href="javascript:z()">押す</a><form action="http://f.example"></form>'
    )
    mailed = Delivered(build.HEAD + body)
    assert mailed.codes == {
        "mail.html_active": "removed",
        "mail.hidden_text": "removed",
        "mail.remote_image": "removed",
        "mail.active_link": "removed",
        "mail.link_mismatch": "rewritten",
        "mail.html_body": "rewritten",
        "mail.link": "rewritten",
    }
    assert "隠れ" not in mailed.text
    assert "x()" not in mailed.text
    assert "hxxps://bank[.]example/〈※表示と異なるリンク先：hxxp://evil[.]example/〉押す" in mailed.body


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes((size,)) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes((tag,)) + length + content


def _signed_data(content: bytes) -> bytes:
    inner = _der(
        0x30, bytes.fromhex("06092a864886f70d010701") + _der(0xA0, _der(0x24, _der(0x04, content[:9]) + _der(0x04, content[9:])))
    )
    signed = _der(0x30, b"\x02\x01\x01" + _der(0x31, b"") + inner + _der(0x31, b""))
    return _der(0x30, bytes.fromhex("06092a864886f70d010702") + _der(0xA0, signed))
