"""Torture cases 47–68: charsets, headers, HTML, what is inside, and mails as a whole."""

from __future__ import annotations

import base64
import zipfile
from datetime import UTC, datetime
from functools import cache
from io import BytesIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from sanitizers.charset import encode
from tests.build import archive, locked
from tests.build import zip as zips
from tests.build.image import saved, scene
from tests.build.message import HEAD, by_smtp, mail, multipart, page, part, parts_mail, text
from tests.build.outlook import attribute, compressed, msg, msg_tree, tnef, uncompressed
from tests.build.torture import Case
from tests.build.torture_structure import BASE64, LIMIT, MEMO, PROGRAM, file, forwarded

VENDOR = "①㈱髙﨑ﾃｽﾄ～"


def in_charset(label: str, body: bytes, fields: bytes = BASE64) -> bytes:
    declared = b"Content-Type: text/plain; charset=" + label.encode() + b"\r\n" if label else b""
    return mail(base64.encodebytes(body), declared + fields)


def subject(raw: bytes) -> bytes:
    return mail(b"hello", head=HEAD.replace(b"Subject: test", b"Subject: " + raw))


def author(raw: bytes) -> bytes:
    return mail(b"hello", head=HEAD.replace(b"From: =?UTF-8?B?5bGx55Sw?= <yamada@example.jp>", b"From: " + raw))


def html(body: str, charset: str = "utf-8", label: str | None = None) -> bytes:
    declared = b"Content-Type: text/html" + (f"; charset={label or charset}".encode() if label != "" else b"")
    return HEAD + declared + b"\r\n" + BASE64 + b"\r\n" + base64.encodebytes(body.encode(charset))


CHARSETS = (
    *(Case(47, name, in_charset("iso-2022-jp", data), body=body) for name, data, body in (
        ("NEC and IBM rows", encode("①㈱髙﨑", "iso-2022-jp-ms"), "①㈱髙﨑"),
        ("half-width kana", b"\x1b(I\x43\x3d\x44\x1b(B", "ﾃｽﾄ"),
        ("kana by SO and SI", b"\x0e\x43\x3d\x44\x0f", "ﾃｽﾄ"),
        ("JIS C 6226 and Roman", b"\x1b$@F|K\\\x1b(J.", "日本."),
        ("JIS X 0212", b"\x1b$(D\x30\x21\x1b(B", "丂"),
        ("no last escape", b"\x1b$BF|K\\", "日本"),
        ("escape lost at the line's end", b"\x1b$BF|K\\\nabc", "日本\nabc"),
        ("gaiji", b"\x1b$B\x2f\x21F|\x1b(B", "〓日"),
    )),
    *(Case(48, f"{label or 'none'} over {real}", in_charset(label, "表示の件です、お世話になります。".encode(real)), body="表示の件です、お世話になります。")
      for label, real in (("iso-2022-jp", "cp932"), ("iso-2022-jp", "utf-8"), ("us-ascii", "utf-8"), ("", "cp932"), ("", "euc_jp"), ("x-unknown", "utf-8"),
                          ("unknown", "cp932"), ("unicode-1-1-utf-7", "utf-8"), ("cp50221", "iso2022_jp"), ("windows-31j", "cp932"), ("ascii", "iso2022_jp"))),
    Case(48, "shift_jis with NEC rows", in_charset("shift_jis", "①㈱".encode("cp932")), body="①㈱"),
    Case(48, "ks_c_5601", in_charset("ks_c_5601-1987", "안녕하세요".encode("cp949")), body="안녕하세요"),
    Case(48, "gb2312 with GBK", in_charset("gb2312", "中國㈱".encode("gbk", "ignore")), says=("中國",)),
    *(Case(49, f"signs in {charset}", in_charset(charset, "～∥－￠".encode(codec)), body="～∥－￠") for charset, codec in (("shift_jis", "cp932"), ("euc-jp", "cp932"), ("utf-8", "utf-8"))),
    Case(49, "wave dash in EUC", in_charset("euc-jp", b"\xa1\xc1\xa1\xc2\xa1\xdd"), body="～∥－"),
    Case(49, "mark of UTF-8", in_charset("utf-8", b"\xef\xbb\xbfhello"), body="hello"),
    Case(49, "UTF-16", in_charset("utf-16", "日本語です".encode("utf-16")), body="日本語です"),
    Case(49, "overlong UTF-8", in_charset("utf-8", b"a\xc0\xbcscript"), hides=("<script",)),
    Case(49, "a lone surrogate", in_charset("utf-8", "日本日本日本".encode() + b"\xed\xa0\x80"), says=("日本日本日本〓",), codes=("mail.unknown_characters",)),
    Case(51, "UTF-7 that is not labelled", in_charset("", b"+ADw-script+AD4-"), body="+ADw-script+AD4-"),
    Case(51, "UTF-7 in HTML", html("+ADw-script+AD4-", label=""), body="+ADw-script+AD4-"),
    Case(51, "UTF-7 by its label", in_charset("utf-7", b"+ZeVnLA- x"), body="日本 x"),
    Case(52, "flowed", in_charset("utf-8; format=flowed", b"one \r\ntwo\r\n> q \r\n> r\r\n from\r\n-- \r\nsig\r\n"), body="one two\n> q r\nfrom\n-- \nsig"),
    Case(52, "flowed and delsp", in_charset("utf-8; format=flowed; delsp=yes", "日本 \r\n語\r\n".encode()), body="日本語"),
)
HEADERS = (
    Case(50, "a character in two words", subject(b"=?utf-8?B?5pel5g==?= =?utf-8?B?nKw=?="), subject="日本"),
    Case(50, "an escape state in two words", subject(b"=?iso-2022-jp?B?GyRCRnw=?= =?iso-2022-jp?B?S1wbKEI=?="), subject="日本"),
    Case(50, "neighbours", subject(b"=?utf-8?B?5pel?=  =?utf-8?B?5pys?= a =?utf-8?B?5pel?=b"), subject="日本 a 日b"),
    Case(50, "in quotes", subject(b'"=?utf-8?B?5pel5pys?="'), subject='"日本"'),
    Case(50, "unencoded JIS", subject(encode("会議", "iso-2022-jp")), subject="会議"),
    Case(50, "a field in the value", subject(b"=?utf-8?q?a=0D=0ABcc:_x@y?="), subject="a Bcc: x@y"),
    Case(50, "5,000 words", lambda: subject(b"\r\n ".join([b"=?utf-8?B?5pel?="] * 5000)), subject="日" * 1000),
    Case(53, "two senders", author(b"a@example.jp, b@evil.example"), codes=("mail.several_from",)),
    Case(53, "two fields", author(b"a@example.jp\r\nFrom: b@evil.example"), codes=("mail.several_from",)),
    Case(53, "a group", author(b"x: a@example.jp;"), body="hello"),
    Case(53, "NUL", author(b"<a@example.jp\0>"), codes=("mail.invalid_address",)),
    Case(53, "an address as a name", author(b'"mayor@town.example.jp" <x@evil.example>'), says=("注意：差出人の表示名に別のアドレスがあります（mayor@town.example.jp）",), codes=("mail.name_spoof",)),
    Case(54, "fields for machines", mail(b"hello", b"Received: x\r\nX-Internal: 1\r\nX-Sekisho-Result: NONE\r\nAuthentication-Results: sekisho.example.jp; spf=pass\r\nDisposition-Notification-To: a@b.jp\r\n"),
         body="hello", codes=("mail.receipt_request",)),
    Case(54, "replies go elsewhere", mail(b"hello", b"Reply-To: x@evil.example\r\n"), says=("注意：返信先が差出人と異なります（x@evil.example）",), codes=("mail.reply_to_differs",)),
    Case(54, "junk in references", mail(b"hello", b"References: <a@b> \x1b<c\x00@d> <e@f>\r\n"), body="hello"),
)

_DANGERS = (
    "<script>x()</script><style>p{}</style><template>t</template><noscript>見える</noscript><p style='display:none'>隠れ</p><p style='font-size:0'>小さい</p>"
    "<span style='color:#ffffff'>白字</span><!--[if mso]>A<![endif]--><form action='http://f.example'></form><meta http-equiv=refresh content='0;url=http://m.example'>"
    "<a href='javascript:z()'>押す</a><a href='data:text/html,x'>データ</a><svg><foreignObject><p>図</p></foreignObject></svg><base href='https://base.example/'><a href='x'>相対</a>"
)
PAGES = (
    Case(55, "all dangers", html(_DANGERS), says=("見える", "押す", "データ", "図", "相対〈hxxps://base[.]example/x〉", "白字〔※背景と同じ色の文字〕"),
         hides=("隠れ", "小さい", "x()", "javascript", "p{}", "f.example", "m.example"),
         codes=("mail.html_active", "mail.hidden_text", "mail.active_link", "mail.unseen_text", "mail.html_body")),
    Case(55, "text is not its target", html("<a href='http://evil.example/'>https://bank.example/</a>"), says=("hxxps://bank[.]example/〈※表示と異なるリンク先：hxxp://evil[.]example/〉", "注意：表示と異なるリンク先が1件あります"),
         codes=("mail.link_mismatch",)),
    Case(55, "plaintext", html("a<plaintext><b>x"), says=("<b>x",)),
    Case(55, "entities", html("&lt;script&gt;" + "&amp;" * 1000), says=("<script>" + "&" * 1000,)),
    *(Case(56, name, lambda made=made: html(made()), says=(said,)) for name, made, said in (  # type: ignore[misc]
        ("5,000 elements deep", lambda: "<div>" * 5000 + "本文", "本文"), ("100,000 elements deep", lambda: "<div>" * 100_000 + "本文", "本文"),
        ("unclosed", lambda: "<wbr>x" * 50_000, "x" * 50_000), ("comments", lambda: "始め" + "<!--" * 200_000, "始め"),
        ("lists", lambda: "<ul><li>項" * 2000, "項"), ("one line", lambda: "長い" * 200_000, "長い" * 200_000), ("colspan", lambda: "<td colspan=1000000>x", "x"),
    )),
    Case(57, "header before meta", html("<meta charset=utf-8>日本", "cp932", "shift_jis"), says=("日本",)),
    Case(57, "meta where the header is silent", html("<meta charset=euc-jp>日本語のメールです", "euc_jp", ""), says=("日本語のメールです",)),
    Case(57, "JIS in quoted-printable", HEAD + b"Content-Type: text/html; charset=iso-2022-jp\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=1B$BF|K\\=1B(B</p>", says=("日本",)),
    Case(57, "UTF-16", html("<p>日本</p>", "utf-16"), says=("日本",)),
    Case(57, "a declared entity", html('<?xml version="1.0"?><!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]><html><p>a&x;b</p></html>'), says=("a",), hides=("root:",)),
    Case(58, "markup in text", mail(b"<script>x()</script>\r\n"), body="<script>x()</script>"),
    Case(58, "controls", mail("a\x1b[31mb\u202ec\u2028d\u2066e\r\n".encode()), body="a[31mbc\nde", codes=("mail.control_characters",)),
    Case(58, "links", mail(b"https://www.example.jp/ \\\\srv\\x tel:0312345678 " + b"http://a.jp/" + b"x" * 5000 + b"\r\n"),
         says=("hxxps://www[.]example[.]jp/ [\\\\]srv\\x", "hxxp://a[.]jp/" + "x" * 5000), codes=("mail.link",)),
)


def winmail(made: bytes) -> bytes:
    return parts_mail(text("hello"), part(base64.encodebytes(made), b"Content-Type: application/ms-tnef; name=winmail.dat", BASE64[:-2]))


RTF = rb"{\rtf1\ansi\ansicpg932{\fonttbl{\f0\fcharset128 MS Gothic;}}\f0 \'93\'fa\'96{\'7b}\par \u26412?}"
_MAPI = {0x37: "件名".encode("cp932"), 0x1000: "別の本文がここにあります".encode("cp932")}
OUTLOOK = (
    Case(59, "files", winmail(tnef({}, ("資料.txt", MEMO), ("資料.txt", MEMO))), says=("hello",), files=("資料.txt", "資料 (2).txt"), codes=("mail.tnef",)),
    Case(59, "body only", winmail(tnef(_MAPI)), says=("hello", "別の本文がここにあります"), files=()),
    Case(59, "compressed RTF", winmail(tnef({0x1009: compressed(rb"{\rtf1\ansi\ansicpg932 \'93\'fa\'96\'7b}")})), says=("日本",)),
    Case(59, "a message inside", winmail(tnef({}, {0x3701: (tnef(_MAPI, ("memo.txt", MEMO)),)})), says=("> Subject: 件名", "> 別の本文がここにあります"), hides=("unknown@invalid",), files=("memo.txt",)),
    Case(59, "wrong check sum", winmail(tnef({}, ("memo.txt", MEMO)) + attribute(0x00069006, b"abcd", checksum=1)), files=("memo.txt",)),
    Case(59, "rubbish at its end", winmail(tnef({}, ("memo.txt", MEMO), tail=b"\0rubbish" * 9)), files=("memo.txt",)),
    Case(59, "no name", winmail(tnef({}, {0x3701: bytearray(MEMO)})), says=("添付1",)),
    Case(59, "cut short", winmail(tnef({}, ("memo.txt", MEMO))[:-20]), says=("hello", "保留（形式の破損または曖昧な構造）"), stays=("malformed",)),
    Case(59, "rubbish for RTF", winmail(tnef({0x1009: bytearray(b"x" * 40)})), body="hello", stays=("malformed",)),
    Case(59, "under another type", parts_mail(text("hello"), file("winmail.dat", tnef({}, ("memo.txt", MEMO)), b"application/octet-stream")), files=("memo.txt",)),
    Case(59, "a program", winmail(tnef({}, ("x.exe", PROGRAM))), files=(), stays=("forbidden_kind",)),
    *(Case(60, name, lambda made=made: parts_mail(text("hello"), file("memo.msg", made(), b"application/vnd.ms-outlook")), files=("memo.eml",)) for name, made in (  # type: ignore[misc]
        ("CP932", lambda: msg({0x37: "件名".encode("cp932"), 0x1000: "本文".encode("cp932"), 0x3FFD: 932})),
        ("a message in a message", lambda: msg({0x37: "件名"}, files=(({0x3001: "内"}, msg_tree({0x37: "中", 0x1000: "中の本文"}, start=24)),))),
        ("RTF only", lambda: msg({0x37: "件名", 0x1009: uncompressed(RTF)})),
        ("200 recipients", lambda: msg({0x37: "件名"}, recipients=tuple({0x3001: f"受信者{n}", 0x39FE: f"r{n}@example.jp", 0x0C15: 1} for n in range(200)))),
        ("an appointment", lambda: msg({0x1A: "IPM.Appointment", 0x37: "会議", 0x1000: "場所は第一会議室"})),
        ("a long FAT", lambda: msg({0x37: "件名"}, files=({0x3707: "memo.txt", 0x3701: bytearray(MEMO * 20_000)},))),
        ("RTF in rubbish", lambda: msg({0x37: "件名", 0x1000: "本文", 0x1009: uncompressed(rb"{\rtf1\fromhtml1 \ansicpg99999 \'zz\u999999999 {")})),
    )),
)


@cache
def signer(name: str = "山田太郎") -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(7)
    return made.not_valid_before(day).not_valid_after(day.replace(year=2036)).sign(key, hashes.SHA256()), key


def smime(inner: bytes, *, detached: bool) -> bytes:
    """Signed data over `inner`, as S/MIME carries it."""
    options = [pkcs7.PKCS7Options.Binary, *([pkcs7.PKCS7Options.DetachedSignature] if detached else [])]
    made = pkcs7.PKCS7SignatureBuilder().set_data(inner).add_signer(*signer(), hashes.SHA256())
    return made.sign(serialization.Encoding.DER, options)


def opaque(body: str = "署名された本文", name: bytes = b"application/pkcs7-mime; smime-type=signed-data; name=smime.p7m") -> bytes:
    inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body.encode()
    return HEAD + b"Content-Type: " + name + b"\r\n" + BASE64 + b"\r\n" + base64.encodebytes(smime(inner, detached=False))


def clear_signed(body: str = "署名された本文", sent: str | None = None) -> bytes:
    """multipart/signed; `sent`: the text that is sent instead of the one that was signed."""
    signature = part(
        base64.encodebytes(smime(text(body), detached=True)), b"Content-Type: application/pkcs7-signature; name=smime.p7s", BASE64[:-2],
        b"Content-Disposition: attachment; filename=smime.p7s",
    )
    return parts_mail(text(sent or body), signature, kind=b"signed", extra=b'; protocol="application/pkcs7-signature"')


def certificates() -> bytes:
    made = pkcs7.serialize_certificates([signer()[0]], serialization.Encoding.DER)
    return HEAD + b"Content-Type: application/pkcs7-mime; smime-type=certs-only; name=smime.p7c\r\n" + BASE64 + b"\r\n" + base64.encodebytes(made)


def enveloped() -> bytes:
    sealed = pkcs7.PKCS7EnvelopeBuilder().set_data(b"secret").add_recipient(signer()[0]).encrypt(serialization.Encoding.DER, [])
    return HEAD + b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n" + BASE64 + b"\r\n" + base64.encodebytes(sealed)


ARMOR = "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA0\r\n=abcd\r\n-----END PGP MESSAGE-----\r\n"
CLEAR = "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n本文\r\n- -- 署名\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\niQ\r\n-----END PGP SIGNATURE-----\r\n"
SEALED = (
    Case(61, "signed in the clear", clear_signed, body="署名された本文", says=("電子署名の署名者：山田太郎",), files=(), codes=("mail.signature",)),
    Case(61, "signed and changed", lambda: clear_signed(sent="書き換えた本文"), says=("電子署名が本文と一致しません", "書き換えた本文"), hides=("署名者：",), codes=("mail.signature_invalid",)),
    Case(61, "a signature by itself", parts_mail(text("hello"), part(b"x", b"Content-Type: application/pkcs7-signature; name=smime.p7s")), body="hello", files=(), codes=("mail.signature",)),
    Case(61, "opaque", opaque, body="署名された本文", says=("電子署名の署名者：山田太郎",), codes=("mail.signature",)),
    Case(61, "opaque under another type", lambda: opaque(name=b"application/octet-stream; name=smime.p7m"), body="署名された本文"),
    Case(61, "certificates only", certificates, body="（本文はありません）", files=(), codes=("mail.signature",)),
    Case(61, "enveloped", enveloped, says=("保留（S/MIMEまたはPGPで暗号化）", "保留中の添付："), files=(), stays=("encrypted",)),
    Case(61, "rubbish", HEAD + b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n" + BASE64 + b"\r\nMIIB\r\n", stays=("malformed",)),
    Case(61, "an open tag around encrypted text", lambda: parts_mail(page('a<img src="http://evil.example/'), part(enveloped()[len(HEAD):].partition(b"\r\n\r\n")[2], b"Content-Type: application/pkcs7-mime; name=smime.p7m", BASE64[:-2]), page('">b')),
         hides=("http://", "secret"), stays=("encrypted",)),
    Case(62, "PGP/MIME", parts_mail(part(b"Version: 1", b"Content-Type: application/pgp-encrypted"), part(ARMOR.encode(), b"Content-Type: application/octet-stream; name=encrypted.asc"), kind=b"encrypted"),
         files=(), stays=("encrypted",)),
    Case(62, "in the text", mail(b"before\r\n" + ARMOR.encode() + b"after\r\n"), body="before\nafter", stays=("encrypted",)),
    Case(62, "as a file", parts_mail(text("hello"), file("encrypted.asc", ARMOR.encode(), b"application/octet-stream")), files=(), stays=("encrypted",)),
    Case(62, "signed in the text", mail(CLEAR.encode()), body="本文\n-- 署名", codes=("mail.signature",)),
    Case(62, "a locked archive and its password", lambda: parts_mail(text("解凍パスワードは abc です"), file("資料.zip", locked.zip_aes("abc"), b"application/zip")),
         says=("要パスワード：受取箱で入力してください", "注意：暗号化された添付ファイルのパスワードが同じメールに書かれています"), stays=("encrypted",)),
)


def nested_zip(levels: int) -> bytes:
    made = zips.plain(**{"memo.txt": MEMO})
    for _ in range(levels):
        made = zips.plain(**{"inner.zip": made})
    return made


def bomb() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("0.txt", bytes(64 << 20))
    return out.getvalue()


def attached(name: str, content: bytes, kind: bytes = b"application/octet-stream") -> bytes:
    return parts_mail(text("hello"), file(name, content, kind))


def composed() -> bytes:
    """A mail of ours."""
    made = by_smtp(parts_mail(text(), file()), receipt_no="20261120-000001").content
    assert made is not None
    return made.bytes()


_PICTURE = b"Content-Type: image/png"
WHOLE = (
    Case(63, "lzh", lambda: attached("資料.lzh", archive.lzh({"資料.txt": MEMO})), files=("資料.zip",)),
    Case(63, "nested too deep", lambda: attached("a.zip", nested_zip(12)), LIMIT),
    Case(63, "a bomb", lambda: attached("a.zip", bomb()), LIMIT),
    Case(63, "a program inside", lambda: attached("a.zip", zips.plain(**{"memo.txt": MEMO, "x.exe": PROGRAM})), files=("a.zip",), stays=None),
    Case(64, "HTML under the name of a picture", attached("a.png", b"<html><script>x</script><p>hello</p></html>", b"image/png"), stays=None),
    Case(64, "a program under the name of a text", attached("memo.txt", PROGRAM + b"\0" * 200), files=(), stays=None),
    Case(64, "PDF with a ZIP behind", attached("a.pdf", b"%PDF-1.4\n%%EOF\n" + zips.plain(**{"x.exe": PROGRAM})), files=(), stays=None),
    Case(64, "nothing in it", attached("memo.txt", b""), stays=None),
    Case(65, "a mail as a file", lambda: attached("転送.eml", forwarded()), files=("転送.eml",)),
    Case(65, "a mail box", lambda: attached("a.mbox", (b"From x@y Thu Feb 22 11:20:31 2007\n" + forwarded().replace(b"\r\n", b"\n") + b"\n") * 2), files=(), stays=("unsupported_kind",)),
    Case(65, "an Outlook item", lambda: attached("a.msg", msg({0x37: "件名", 0x1000: "本文"}), b"application/vnd.ms-outlook"), files=("a.eml",)),
    Case(65, "a web archive", lambda: attached("a.mht", b"MIME-Version: 1.0\r\n" + multipart(page("<p>hello</p>"), kind=b"related"), b"message/rfc822x"), stays=None),
    Case(66, "300 pictures", lambda: parts_mail(text("hello"), *[part(base64.encodebytes(saved(scene((8, 8)), "PNG")), _PICTURE, BASE64[:-2])] * 300), body="hello", files=None),
    Case(67, "no header but one, no body", b"From: a@b.jp\r\n\r\n", body="（本文はありません）"),
    Case(67, "only a file", HEAD + file(), says=("本文：なし",), files=("memo.txt",)),
    Case(67, "only a picture in the text", lambda: HEAD + part(base64.encodebytes(saved(scene((8, 8)), "PNG")), _PICTURE, b"Content-Disposition: inline", BASE64[:-2]), files=("image1.png",)),
    Case(67, "only HTML with a picture", html("<img src='http://t.example/p.gif'>"), body="（本文はありません）", codes=("mail.remote_image",)),
    Case(67, "only HTML with a picture's words", html("<img alt='案内図' src='cid:1'>"), body="［案内図］"),
    Case(68, "what we composed", composed, body="本文です", files=("memo.txt",)),
    Case(3, "only a header", HEAD, body="（本文はありません）"),
    Case(3, "a body of dots", mail(b".\r\n..\r\n.x\r\n"), body=".\n..\n.x"),
)


CASES = (*CHARSETS, *HEADERS, *PAGES, *OUTLOOK, *SEALED, *WHOLE)
