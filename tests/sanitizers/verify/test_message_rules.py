"""The second opinion on composed mail, rule by rule: fields, lines, what two readers see, Japanese of old programs, what is alive in a text."""

from __future__ import annotations

import base64

import pytest

from sanitizers.model import PartInfo, Report, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import message as verifier
from sanitizers.verify.message import _Piece
from tests.build import message as build
from tests.sanitizers.verify.test_message import ATTACHED, HEAD, check, composed

ALL = [
    *HEAD, "Cc: b@example.jp", "Reply-To: c@example.jp", "In-Reply-To: <0@example.jp>", "References: <0@example.jp>", "Auto-Submitted: auto-generated",
    "Authentication-Results: town.example.jp; spf=pass",
]  # fmt: skip
OURS = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64"


def _tree(head: bytes, parts: int = 0) -> None:
    verifier._check_trees(head, parts)


def _head(*fields: str) -> bytes:
    return "\r\n".join(fields).encode()


PLAIN = ("From: a@example.jp", "Subject: s", "X-Sekisho-Result: CDR", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64")
MIXED = (*PLAIN[:4], 'Content-Type: multipart/mixed; boundary="b"')


def _mixed(*parts: str, fields: tuple[str, ...] = MIXED) -> bytes:
    return _head(*fields) + b"\r\n\r\n" + b"".join(b"--b\r\n" + part.encode() + b"\r\n\r\nQUJD\r\n" for part in parts) + b"--b--\r\n"


TEXT = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64"
FILE = 'Content-Type: {}; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="a.pdf"'


def test_every_field_that_we_write_passes() -> None:
    check(composed(ALL))
    check(composed(["Received: by hop.invalid; Fri, 20 Nov 2026 09:00:00 +0900"] * 101 + ALL[1:]))
    check(composed([*HEAD, "Cc: " + "a" * 994]))
    with pytest.raises(VerificationFailed, match="998"):
        check(composed([*HEAD, "Cc: " + "a" * 995]))


@pytest.mark.parametrize("place", range(6))
def test_a_field_that_must_be_there_is_missed(place: int) -> None:
    _tree(_head(*PLAIN) + b"\r\n\r\nQUJD\r\n")
    fields = tuple(field for number, field in enumerate(PLAIN) if number != place)
    if PLAIN[place].startswith("Content-Transfer"):
        _tree(_head(*fields) + b"\r\n\r\nQUJD\r\n")
        return
    with pytest.raises(VerificationFailed, match="header fields"):
        _tree(_head(*fields) + b"\r\n\r\nQUJD\r\n")


@pytest.mark.parametrize("char", ["\x7f", "\x80", "\xff", "\x00", "\x1f", "\t"])
def test_a_header_is_of_characters_that_are_seen(char: str) -> None:
    verifier._check_header_bytes(b"a ~")
    with pytest.raises(VerificationFailed, match="control or 8-bit"):
        verifier._check_header_bytes(b"a" + char.encode("latin-1"))


def test_the_header_of_each_part_is_looked_at() -> None:
    data = composed(name="memo.pdf")
    assert data.count(b' name="memo.pdf"') == 1
    with pytest.raises(VerificationFailed, match="line ends other"):
        check(data.replace(b' name="memo.pdf"', b' name="memo\r.pdf"'))


def test_a_part_that_was_not_delivered_is_not_looked_for() -> None:
    given = build.given()
    info = PartInfo(name="a.pdf", size=len(ATTACHED), sha256=Source(ATTACHED).sha256, kind=build.given().kind)
    for output in (None, info):
        given.parts.append(Report(path="a.pdf", verdict=Verdict.CLEAN, reason=None, input=info, output=output))
    verifier.verify(Source(composed()), Source(b""), given)


# --------------------------------------------------------------------------------------------------------------- descriptions


def test_a_text_is_described_behind_the_header_or_alone_in_its_part() -> None:
    assert verifier._check_shapes([_Piece(b"", b"")], b"From: a\r\n" + OURS) == b"utf-8"
    assert verifier._check_shapes([_Piece(OURS, b"")], b"") == b"utf-8"
    for pieces, alone in (
        ([_Piece(b"", b"")], OURS),                                     # a message without a sender
        ([_Piece(b"", b"")], b"X-" + OURS),                             # the field is another one
        ([_Piece(b"X-Other: 1\r\n" + OURS, b"")], b""),
        ([_Piece(b"X" + OURS, b"")], b""),
        ([_Piece(OURS, b"")], b"From: a\r\nSubject: b"),
    ):
        with pytest.raises(VerificationFailed, match="not described as text"):
            verifier._check_shapes(pieces, alone)


@pytest.mark.parametrize(
    "body",
    [
        b"QUJD", b"QUJD\r", b"QUJD\n", b"QU\r\nJD", b"QUJD\r\n\r\n", b"QU JD\r\n", b"QUJD\n\r", b"A" * 76 + b"\n\r" + b"QUJD\r\n", b"A" * 80 + b"\r\n",
        b"A" * 76 + b"\rA\nAAA\r\n", b"A" * 75 + b"\rA\nAAA\r\n", b"A" * 75 + b"\r\nA\r\n", b"A" * 76 + b"\rQUJD\r\n\n", b"A" * 77 + b"\r\nQUJ\r\n", (b"A" * 76 + b"\r\n") * 2 + b"A" * 75 + b"\r\nA\r\n",
    ],
)  # fmt: skip
def test_a_body_is_of_lines_of_76_characters_and_nothing_else(body: bytes) -> None:
    with pytest.raises(VerificationFailed, match="body is not"):
        verifier._decoded(body)


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 113, 114, 115, 171, 5000])
def test_a_body_of_any_size_is_read(size: int) -> None:
    data = bytes(range(256)) * 20
    assert verifier._decoded(base64.encodebytes(data[:size]).replace(b"\n", b"\r\n")) == data[:size]


# ---------------------------------------------------------------------------------------------------------------------- trees


def test_a_tree_is_a_text_and_its_attachments() -> None:
    _tree(_mixed(TEXT, FILE.format("application/pdf")), 2)
    for data, parts in (
        (_mixed(TEXT, FILE.format("application/pdf")), 3), (_mixed(TEXT, FILE.format("application/pdf")), 1), (_mixed(FILE.format("application/pdf")), 1),
        (_mixed(TEXT, fields=(*PLAIN[:4], 'Content-Type: multipart/related; boundary="b"')), 1),
        (_mixed(TEXT.replace("text/plain", "text/enriched")), 1), (_head(*PLAIN) + b"\r\n\r\nQUJD\r\n", 1),
    ):  # fmt: skip
        with pytest.raises(VerificationFailed, match="unexpected tree"):
            _tree(data, parts)


@pytest.mark.parametrize("kind", ["text/html", "message/rfc822", "application/xhtml+xml", "image/svg+xml"])
def test_an_attachment_is_never_what_a_mail_program_shows_by_itself(kind: str) -> None:
    with pytest.raises(VerificationFailed, match=r"unexpected tree|defect"):
        _tree(_mixed(TEXT, FILE.format(kind)), 2)
    assert kind in verifier._NEVER_TYPES


def test_what_a_reader_takes_for_a_defect_is_one() -> None:
    whole = _mixed(TEXT, FILE.format("application/pdf"))
    with pytest.raises(VerificationFailed, match="defect"):
        _tree(whole.replace(b"--b--\r\n", b""), 2)


@pytest.mark.parametrize("author", ["a@example.jp, b@example.jp", "a@@example.jp", "", "group: a@example.jp, b@example.jp;"])
def test_from_is_one_address_without_a_fault(author: str) -> None:
    with pytest.raises(VerificationFailed, match=r"From is not one|defect"):
        _tree(_head(f"From: {author}", *PLAIN[1:]) + b"\r\n\r\nQUJD\r\n")


@pytest.mark.parametrize("name", ["a\x01.pdf", "a\x7f.pdf", "..\\a.pdf", "a/b.pdf", ""])
def test_a_name_has_no_control_and_no_path(name: str) -> None:
    from email.message import Message

    leaf = Message()
    leaf["Content-Type"], leaf["Content-Transfer-Encoding"] = "application/pdf", "base64"
    leaf.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
    with pytest.raises(VerificationFailed, match="unsafe name"):
        verifier._check_attachment(leaf)


# ----------------------------------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize(
    "text", ["、。亜熙ソ能表―～", "漾滌", "ｱｲｳﾊﾟ", "㈱①髙﨑", "abcｱ日", "".join(chr(code) for code in range(0x3041, 0x3094)), "ァヶΑω─╂", "纊黑", "仝、弌黑"]
)
def test_japanese_of_old_programs_is_read_as_it_was_written(text: str) -> None:
    from sanitizers.charset import encode

    assert verifier._iso_2022_jp(encode(text, "iso-2022-jp-ms")) == text


def test_each_pair_of_the_standard_is_read() -> None:
    """Against Python's own codec for JIS X 0208, row after row."""
    for row in range(0x21, 0x75):
        for cell in range(0x21, 0x7F):
            try:
                letter = (b"\x1b$B" + bytes((row, cell)) + b"\x1b(B").decode("iso2022_jp")
                shifted = letter.encode("shift_jis")
            except UnicodeError:
                continue
            assert verifier._shifted(row, cell) == shifted


@pytest.mark.parametrize("char", ["\u202a", "\u202c", "\u202e", "\u2066", "\u2068", "\u2069"])
def test_no_mark_turns_the_text(char: str) -> None:
    with pytest.raises(VerificationFailed, match="direction"):
        check(composed(text=f"a{char}b\n"))


def test_characters_beside_those_marks_pass() -> None:
    check(composed(text="a\u2029\u202fb\u2065\u206ac\t\n".replace("\u2065", "")))


def test_what_is_no_text_of_its_encoding_is_refused() -> None:
    given = build.given()
    for body, charset in ((b"\xff", b"utf-8"), (b"\xed\xa0\x80", b"utf-8"), (b"\xff", b"iso-2022-jp"), (b"\x1b$B\x21", b"iso-2022-jp"), (b"\x1b$B\xff\xff\x1b(B", b"iso-2022-jp")):
        with pytest.raises(VerificationFailed, match="text is not"):
            verifier._check_text(body, charset, given)


def test_links_are_dead_only_where_policy_wants_them_dead() -> None:
    text = b"https://a.jp/ www.a.jp\n"
    verifier._check_text(text, b"utf-8", build.given(mail_links_defanged=False))
    for one in (b"https://a.jp/", b"WWW.A.JP", b"x ftp://a"):
        with pytest.raises(VerificationFailed, match="live link"):
            verifier._check_text(one, b"utf-8", build.given(mail_links_defanged=True))


def test_a_page_of_nobody_is_no_page_of_ours() -> None:
    for given in ({"pickup_url": "", "receipt_no": "1"}, {"pickup_url": "https://g", "receipt_no": ""}):
        with pytest.raises(VerificationFailed, match="live link"):
            verifier._check_text(b"https://g/transfers/1 /transfers/1", b"utf-8", build.given(mail_links_defanged=True, **given))
    verifier._check_text(b"a:// https:/transfers/1//b.jp", b"utf-8", build.given(mail_links_defanged=True, pickup_url="", receipt_no="1"))
    verifier._check_text(b"https://g/transfers/1", b"utf-8", build.given(mail_links_defanged=True, pickup_url="https://g", receipt_no="1"))
