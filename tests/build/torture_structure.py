"""Torture cases 18–46: the structure of messages, transfer encodings, headers and names."""

from __future__ import annotations

import base64
import binascii

from tests.build.message import HEAD, mail, multipart, page, part, parts_mail, text
from tests.build.torture import Case

MIXED = b"Content-Type: multipart/mixed; boundary=b1\r\n"
BASE64 = b"Content-Transfer-Encoding: base64\r\n"
LEAF = b"Content-Type: text/plain\r\n\r\nhello\r\n"
INSIDE = b"\r\n--b1\r\n" + LEAF + b"--b1--\r\n"
MEMO = "添付の内容です\n".encode()
PROGRAM = b"MZ\x90\x00" + bytes(60)
AMBIGUOUS = "mail.ambiguous"
LIMIT = "file.limit_exceeded"


def file(name: str | bytes = "memo.txt", content: bytes = MEMO, kind: bytes = b"text/plain", encoding: bytes = b"base64") -> bytes:
    raw = name if isinstance(name, bytes) else name.encode()
    body = base64.encodebytes(content).replace(b"\n", b"\r\n") if encoding == b"base64" else content
    return part(body, b"Content-Type: " + kind, b'Content-Disposition: attachment; filename="' + raw + b'"', b"Content-Transfer-Encoding: " + encoding)


def named(*fields: bytes, content: bytes = MEMO) -> bytes:
    """A mail with one attachment that is described by `fields`."""
    return parts_mail(text(), part(base64.encodebytes(content), *fields, b"Content-Transfer-Encoding: base64"))


def with_type(value: bytes, body: bytes = INSIDE) -> bytes:
    return mail(body, b"Content-Type: " + value + b"\r\n")


def encoded(encoding: bytes, body: bytes) -> bytes:
    return mail(body, b"Content-Transfer-Encoding: " + encoding + b"\r\n")


def uu(data: bytes) -> bytes:
    return b"".join(binascii.b2a_uu(data[at : at + 45]).replace(b"\n", b"\r\n") for at in range(0, len(data), 45))


UUENCODED = b"begin 644 memo.txt\r\n" + uu(MEMO) + b"`\r\nend\r\n"


def yenc(data: bytes, name: bytes = b"memo.txt", part_of: bytes = b"") -> bytes:
    coded = b"".join(
        bytes(((byte + 42) % 256,)) if (byte + 42) % 256 not in (0, 10, 13, 61) else b"=" + bytes(((byte + 106) % 256,)) for byte in data
    )
    begin = b"=ybegin " + part_of + b"line=128 size=%d name=" % len(data) + name + b"\r\n"
    return begin + (b"=ypart begin=1 end=9\r\n" if part_of else b"") + coded + b"\r\n=yend size=%d\r\n" % len(data)


HQX = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
PLAIN64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def binhex(data: bytes, name: bytes = b"memo.txt", fork: bytes = b"") -> bytes:
    head = bytes((len(name),)) + name + b"\0TEXTttxt\0\0" + len(data).to_bytes(4, "big") + len(fork).to_bytes(4, "big")
    packed = b"".join(piece + binascii.crc_hqx(piece, 0).to_bytes(2, "big") for piece in (head, data, fork)).replace(b"\x90", b"\x90\0")
    letters = base64.b64encode(packed).rstrip(b"=").translate(bytes.maketrans(PLAIN64, HQX))
    lines = (b":" + letters + b":").join((b"", b""))
    return b"(This file must be converted with BinHex 4.0)\r\n\r\n" + b"\r\n".join(lines[at : at + 64] for at in range(0, len(lines), 64)) + b"\r\n"


# What Perl's Convert::BinHex makes of 24 times the letter a, a text with two marks in it, and a resource fork.
OF_PERL = (
    b"(This file must be converted with BinHex 4.0)\r\n"
    b":#'ePE@mZG(Kd!&4&@&4dG(Kd!!!!!!!P!!!!%+V,B@&KB@&KB@&KB@&KB@&KB@&\r\nKB@&KB@&KN!#3!#\"NBA4K)'C[FQX+5Z0bFh*MFR0bBh*cFQ0bFh*MAXd!:\r\n"
)


def nested(levels: int) -> bytes:
    return HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))


def forwarded(subject: str = "転送する件名") -> bytes:
    head = HEAD.replace(b"Subject: test", b"Subject: " + subject.encode("iso-2022-jp"))
    return head + multipart(text("中の本文"), file(), boundary=b"b2")


EXTERNAL = b'Content-Type: message/external-body; access-type=%s; name="x"; site="ftp.evil.example"; url="http://evil.example/x"'

MIME = (
    Case(18, "text first", with_type(b"text/plain\r\nContent-Type: multipart/mixed; boundary=b1"), AMBIGUOUS),
    Case(18, "multipart first", with_type(b"multipart/mixed; boundary=b1\r\nContent-Type: text/plain"), AMBIGUOUS),
    Case(18, "the same twice", with_type(b"text/plain\r\nContent-type: text/plain", b"hello"), body="hello"),
    Case(19, "two encodings", encoded(b"base64\r\nContent-Transfer-Encoding: quoted-printable", b"aGVsbG8="), AMBIGUOUS),
    Case(19, "a list of encodings", encoded(b"base64, quoted-printable", b"aGVsbG8="), AMBIGUOUS),
    Case(19, "two words", encoded(b"quoted-printable base64", b"aGVsbG8="), AMBIGUOUS),
    Case(19, "junk behind the word", encoded(b"base64junk", b"aGVsbG8="), AMBIGUOUS),
    Case(20, "folded", encoded(b"\r\n base64", b"aGVsbG8="), body="hello"),
    Case(20, "mixed case", encoded(b"BaSe64", b"aGVsbG8="), body="hello"),
    Case(20, "with a comment", encoded(b"base64 (really)", b"aGVsbG8="), body="hello"),
    Case(21, "base64 on a multipart", HEAD + BASE64 + multipart(text()), AMBIGUOUS),
    Case(21, "base64 on a message", parts_mail(text("外"), part(base64.encodebytes(forwarded()), b"Content-Type: message/rfc822", BASE64[:-2])),
         says=("外", "> 中の本文", "転送する件名"), files=("memo.txt",)),
    Case(22, "in segments", with_type(b"multipart/mixed; boundary*0=b; boundary*1=1"), AMBIGUOUS),
    Case(22, "with a charset", with_type(b"multipart/mixed; boundary*=utf-8''b1"), AMBIGUOUS),
    Case(22, "a segment twice", with_type(b"multipart/mixed; boundary*0=b1; boundary*0=b2"), AMBIGUOUS),
    Case(23, "two boundaries", with_type(b"multipart/mixed; boundary=b1; boundary=b2"), AMBIGUOUS),
    Case(23, "in quotes", with_type(b'multipart/mixed; boundary="b1"'), body="hello"),
    Case(23, "with a comment", with_type(b"multipart/mixed; boundary=b1 (x)"), body="hello"),
    Case(23, "a space at its end", with_type(b'multipart/mixed; boundary="b1 "'), AMBIGUOUS),
    Case(23, "single quotes", with_type(b"multipart/mixed; boundary='b1'"), AMBIGUOUS),
    Case(23, "empty", with_type(b'multipart/mixed; boundary=""'), AMBIGUOUS),
    Case(23, "seventy-one and more", with_type(b"multipart/mixed; boundary=" + b"b" * 90, b"--" + b"b" * 90 + b"\r\n" + LEAF), body="hello"),
    Case(24, "an encoded word", with_type(b"multipart/mixed; boundary==?utf-8?q?b1?="), AMBIGUOUS),
    Case(24, "partly encoded", with_type(b'multipart/mixed; boundary="b=?utf-8?q?1?="'), AMBIGUOUS),
    Case(25, "inner extends outer", parts_mail(text("外"), multipart(text("内"), boundary=b"b1-2")), body="外\n\n内"),
    Case(25, "outer extends inner", parts_mail(text("外"), multipart(text("内"), boundary=b"b"), boundary=b"b1"), body="外\n\n内"),
    Case(25, "inner equals outer", parts_mail(multipart(text("内"), boundary=b"b1"), text("外")), AMBIGUOUS),
    Case(25, "outer end inside inner", parts_mail(multipart(text("内"), boundary=b"b2", end=b"\r\n--b1-- \r\n"), text("外")), AMBIGUOUS),
    Case(26, "no last boundary", parts_mail(text("hello"), end=b""), body="hello"),
    Case(26, "no boundary parameter", with_type(b"multipart/mixed"), AMBIGUOUS),
    Case(26, "no boundary parameter and no part", with_type(b"multipart/mixed", b"hello"), body="hello"),
    Case(26, "another boundary in the body", with_type(b"multipart/mixed; boundary=other"), AMBIGUOUS),
    Case(26, "no subtype", with_type(b"multipart; boundary=b1"), body="hello"),
    Case(27, "in the preamble", mail(part(MEMO, b'Content-Disposition: attachment; filename="x.exe"') + INSIDE, MIXED), body="hello", files=(), codes=("mail.preamble",)),
    Case(27, "in the epilogue", parts_mail(text("hello"), end=b"\r\n--b1--\r\n" + file("x.exe", PROGRAM)), body="hello", files=(), codes=("mail.preamble",)),
    Case(27, "a part after the last boundary", parts_mail(text(), end=b"\r\n--b1--\r\n\r\n--b1\r\n" + file("x.exe", PROGRAM)), AMBIGUOUS),
    Case(28, "20 multiparts", nested(20) + LEAF, body="hello"),
    Case(28, "40 multiparts", nested(40) + LEAF, LIMIT),
    Case(28, "1,000 multiparts", lambda: nested(1000), LIMIT),
    Case(28, "5,000 messages", lambda: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 5000 + b"x", LIMIT),
    Case(29, "100,000 parts", lambda: HEAD + multipart(*[b""] * 100_000), LIMIT),
    Case(30, "100,000 fields", lambda: mail(b"x", b"X-A: b\r\n" * 100_000), LIMIT),
    Case(30, "a field of 5 MB", lambda: mail(b"x", b"X-A: b\r\n" + b" c\r\n" * 1_200_000), LIMIT),
    Case(30, "a line without a colon", mail(b"hello", b"X-Broken\r\nX-B: c\r\n"), body="hello"),
    Case(30, "a type behind a broken line", mail(b"x", b"Broken line\r\nContent-Type: text/html\r\n"), AMBIGUOUS),
    Case(30, "space before the colon", mail(b"x", b"Content-Type : text/html\r\n"), AMBIGUOUS),
    Case(30, "NUL in the value", mail(b"x", b"Content-Type: text/html\0\r\n"), AMBIGUOUS),
    Case(30, "VT in the name", mail(b"x", b"Content\x0b-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n"), AMBIGUOUS),
    Case(30, "a field after a bare CR", mail(b"x", b"X-A: b\rContent-Type: text/html\r\n"), AMBIGUOUS),
    Case(31, "20,000 addresses", lambda: mail(head=HEAD.replace(b"soumu@town.example.jp", b"soumu@town.example.jp,\r\n " * 5000 + b"a@b.jp")), codes=("mail.addresses_cut",)),
    Case(31, "900 comments", lambda: mail(b"hello", b"Cc: " + b"(" * 900 + b")" * 900 + b" x@y.jp\r\n"), body="hello"),
    Case(32, "no MIME-Version", parts_mail(text("hello")).replace(b"MIME-Version: 1.0\r\n", b""), body="hello"),
    Case(33, "HTML says something else", parts_mail(text("abcdefghijklmnopqrstuvwxyz"), page("<p>まったく違う内容がここに書かれています。至急こちらの口座へ。</p>"), kind=b"alternative"),
         says=("至急こちらの口座へ",), codes=("mail.alternative_differs",)),
    Case(33, "a program as third form", parts_mail(text("hello"), page("<p>hello</p>"), file("x.exe", PROGRAM), kind=b"alternative"), body="hello", stays=("forbidden_kind",)),
    Case(33, "unreferenced part of related", parts_mail(page("<p>hello</p>"), file(), kind=b"related"), body="hello", files=("memo.txt",)),
    Case(33, "text beside an alternative", parts_mail(text("始め"), multipart(text("終り"), page("<p>終り</p>"), kind=b"alternative", boundary=b"b2")), body="始め\n\n終り"),
    Case(34, "digest", parts_mail(b"\r\n" + mail(b"one\r\n"), b"\r\n" + mail(b"two\r\n"), kind=b"digest"), says=("> one", "> two")),
    Case(34, "parallel", parts_mail(text("一"), text("二"), kind=b"parallel"), body="一\n\n二"),
    Case(34, "x-mixed-replace", parts_mail(text("一"), text("二"), kind=b"x-mixed-replace"), body="一\n\n二"),
    Case(34, "appledouble", parts_mail(text("hello"), multipart(part(b"fork", b"Content-Type: application/applefile"), file(), kind=b"appledouble", boundary=b"b2")),
         body="hello", files=("memo.txt",), codes=("mail.resource_fork",)),
    Case(35, "partial as a whole", with_type(b"message/partial; id=a; number=1; total=3", b"x"), "mail.partial"),
    Case(35, "the last one", with_type(b"message/partial; id=a; number=3; total=3", b"x"), "mail.partial"),
    Case(35, "partial as a part", parts_mail(text("hello"), part(b"x", b"Content-Type: message/partial; id=a; number=2")), says=("hello", "分割されたメール"), codes=("mail.partial",)),
    *(Case(36, kind.decode(), parts_mail(text("hello"), part(b"\r\n", EXTERNAL % kind)), says=("hello", "hxxp://evil[.]example/x"), files=(), codes=("mail.external_body",))
      for kind in (b"URL", b"anon-ftp", b"local-file")),
    Case(37, "a message inside", parts_mail(text("外"), part(forwarded(), b"Content-Type: message/rfc822")), says=("外", "> Subject: 転送する件名", "> 中の本文"), files=("memo.txt",)),
    Case(37, "message/global", parts_mail(text("外"), part(forwarded(), b"Content-Type: message/global")), says=("> 中の本文",), files=("memo.txt",)),
    Case(37, "headers only", parts_mail(text("hello"), part(b"Subject: x\r\n", b"Content-Type: text/rfc822-headers")), body="hello\n\nSubject: x"),
    Case(38, "delivery status", parts_mail(text(), part(b"Status: 5.1.1\r\n", b"Content-Type: message/delivery-status"), kind=b"report"), says=("Status: 5.1.1",)),
    Case(38, "receipt", parts_mail(text(), part(b"Disposition: displayed\r\n", b"Content-Type: message/disposition-notification"), kind=b"report"), says=("Disposition: displayed",)),
    Case(38, "calendar", with_type(b"text/calendar; charset=utf-8", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261120T010000Z\r\nDTSTART:20261120T010000Z\r\nSUMMARY:会議\r\nATTACH:http://evil.example/x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".encode()),
         says=("【予定】会議",), hides=("evil",)),
    Case(38, "AMP", parts_mail(text("hello"), part(b"<html amp4email>", b"Content-Type: text/x-amp-html"), kind=b"alternative"), body="hello", codes=("mail.alternative_dropped",)),
    Case(38, "enriched", with_type(b"text/enriched", b"<bold>hello</bold> a<<b"), body="hello a<b"),
    Case(38, "RTF", parts_mail(text("hello"), part(rb"{\rtf1 x}", b"Content-Type: text/rtf; name=a.rtf")), body="hello", stays=None),
)

ENCODINGS = (
    Case(39, "junk between the letters", encoded(b"base64", base64.b64encode(b"hello") + b"!!" + base64.b64encode(b"evil")), AMBIGUOUS),
    Case(39, "letters behind the padding", encoded(b"base64", b"aGVsbG8=ZXZpbA=="), AMBIGUOUS),
    Case(39, "split by padding", encoded(b"base64", b"aG=1=2VsbG8="), AMBIGUOUS),
    Case(39, "no padding", encoded(b"base64", b"aGVsbG8"), body="hello"),
    Case(39, "too much padding", encoded(b"base64", b"aGVsbG8===="), body="hello"),
    Case(39, "odd lines and blank ones", encoded(b"base64", b"aGV\r\n\r\nsbG\x0b8\r=\r\n"), body="hello"),
    Case(39, "a header at its end", encoded(b"base64", b"aGVsbG8=\r\nX: y\r\n"), AMBIGUOUS),
    Case(40, "space before the line's end", encoded(b"quoted-printable", b"hel= \t\r\nlo"), body="hello"),
    Case(40, "lower-case, unknown and cut escapes", encoded(b"quoted-printable", b"=e6=97=A5=X="), body="日=X"),
    Case(40, "8-bit letters", encoded(b"quoted-printable", "日=E6=97=A5".encode()), body="日日"),
    *(Case(41, name.decode(), parts_mail(text("hello"), part(UUENCODED, b'Content-Disposition: attachment; filename="memo.txt"', b"Content-Transfer-Encoding: " + name)), body="hello", files=("memo.txt",))
      for name in (b"x-uuencode", b"x-uue", b"uuencode")),
    Case(41, "without begin and end", parts_mail(text("hello"), file("memo.txt", uu(MEMO), encoding=b"x-uuencode")), body="hello", files=("memo.txt",)),
    Case(41, "uuencode in the text", mail(b"a\r\n" + UUENCODED + b"b\r\n"), body="a\nb", files=("memo.txt",), codes=("mail.uuencode",)),
    Case(41, "uuencode in HTML", HEAD + page("<p>a<pre>" + UUENCODED.decode().replace("&", "&amp;").replace("<", "&lt;") + "</pre>b"), says=("a", "b"), hides=("begin 644",), files=("memo.txt",)),
    Case(41, "yEnc", encoded(b"8bit", b"a\r\n" + yenc(MEMO) + b"b\r\n"), body="a\nb", files=("memo.txt",)),
    Case(41, "yEnc in two pieces", encoded(b"8bit", b"a\r\n" + yenc(MEMO[:12], part_of=b"part=1 ") + yenc(MEMO[12:], part_of=b"part=2 ")), body="a", files=("memo.txt",)),
    Case(41, "BinHex", mail(b"a\r\n" + binhex(MEMO, fork=b"fork") + b"b\r\n"), body="a\nb", files=("memo.txt",)),
    Case(41, "BinHex of Perl", mail(b"a\r\n" + OF_PERL + b"b\r\n"), body="a\nb", files=("memo.txt",)),
    Case(41, "BinHex with a wrong check sum", mail(OF_PERL.replace(b"BA4K", b"BA5K")), says=("> (This file must be converted",), files=()),
    Case(41, "BinHex as a part", parts_mail(text("hello"), file("memo.hqx", binhex(MEMO), b"application/mac-binhex40", b"7bit")), body="hello", files=("memo.txt",)),
    Case(41, "a program in uuencode", mail(b"a\r\nbegin 644 x.exe\r\n" + uu(PROGRAM) + b"`\r\nend\r\n"), body="a", files=(), stays=("forbidden_kind",)),
    Case(41, "only its first line", mail(b"a\r\nbegin 644 x.exe\r\nb\r\n"), body="a\n> begin 644 x.exe\nb", codes=("mail.begin_line",)),
    Case(42, "base64 of base64", encoded(b"base64", base64.b64encode(base64.b64encode(b"hello"))), body="aGVsbG8="),
    Case(42, "quoted base64", encoded(b"quoted-printable", b"aGVsbG8=3D"), body="aGVsbG8="),
    Case(43, "8-bit under 7bit", encoded(b"7bit", "日本".encode()), body="日本"),
    Case(43, "NUL under 8bit", encoded(b"8bit", b"a\0b"), body="ab"),
    Case(43, "binary", encoded(b"binary", "日\n本\r\n".encode()), body="日\n本"),
)

NAMES = (
    Case(44, "RFC 2231", named(b"Content-Disposition: attachment; filename*=UTF-8''%E8%B3%87%E6%96%99.txt"), files=("資料.txt",)),
    Case(44, "RFC 2047 in quotes", named(b'Content-Disposition: attachment; filename="=?ISO-2022-JP?B?GyRCO3FOQRsoQi50eHQ=?="'), files=("資料.txt",)),
    *(Case(44, f"raw {charset}", named(b'Content-Disposition: attachment; filename="' + "表示資料".encode(charset) + b'.txt"'), files=("表示資料.txt",))
      for charset in ("cp932", "utf-8", "iso-2022-jp")),
    Case(44, "two that promise different kinds", named(b"Content-Disposition: attachment; filename=evil.exe; filename*=utf-8''%E8%B3%87.txt"), AMBIGUOUS),
    Case(44, "two of one kind", named(b"Content-Disposition: attachment; filename=memo.txt; filename*=utf-8''%E8%B3%87.txt"), files=("資.txt",)),
    Case(45, "type and disposition disagree", named(b"Content-Type: text/plain; name=a.exe", b"Content-Disposition: attachment; filename=a.txt"), AMBIGUOUS),
    Case(45, "two names", named(b'Content-Disposition: attachment; filename="a.txt"; filename="a.exe"'), AMBIGUOUS),
    Case(45, "segments", named(b"Content-Disposition: attachment; filename*0=a.; filename*1=exe", content=PROGRAM), files=(), stays=("forbidden_kind",)),
    *(Case(46, given, named(b'Content-Disposition: attachment; filename="' + given.encode() + b'"'), files=(safe,), codes=codes)
      for given, safe, codes in (
          ("../../etc/memo.txt", "memo.txt", ("file.unsafe_name",)), ("\u202ememo.txt", "memo.txt", ("file.unsafe_name",)),
          ("C:\\x\\memo.txt", "memo.txt", ()), ("か\u3099.txt", "が.txt", ()),
      )),
    Case(46, "NUL", named(b'Content-Disposition: attachment; filename="memo.exe\0.txt"'), AMBIGUOUS),
    Case(46, "a line end", named(b'Content-Disposition: attachment; filename="=?utf-8?q?me=0D=0Amo.txt?="'), files=("memo.txt",)),
    Case(46, "a device", named(b'Content-Disposition: attachment; filename="CON.txt"'), codes=()),
    Case(46, "1,000 letters", named('Content-Disposition: attachment; filename="{}.txt"'.format("長" * 1000).encode())),
    Case(46, "two extensions", named(b'Content-Disposition: attachment; filename="memo.pdf.exe"'), files=(), stays=("forbidden_kind",)),
    Case(46, "full-width letters", named('Content-Disposition: attachment; filename="memo．ｅｘｅ"'.encode()), files=(), stays=("forbidden_kind",)),
    Case(46, "dots and spaces at its end", named(b'Content-Disposition: attachment; filename="memo.exe. ."'), files=(), stays=("forbidden_kind",)),
)
CASES = (*MIME, *ENCODINGS, *NAMES)
