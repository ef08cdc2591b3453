"""What we compose is one tree to readers of different makes: nothing in it can be read in two ways."""

from __future__ import annotations

import base64
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizers.formats.message.words import header_text
from tests.build.mail_readers import READERS
from tests.build.message import Delivered, by_smtp, mail, multipart, part, parts_mail, text
from tests.build.torture_content import CASES as CONTENT
from tests.build.torture_structure import CASES as STRUCTURE
from tests.build.torture_structure import MEMO, file

DELIVERED = [case for case in (*STRUCTURE, *CONTENT) if case.ends == "delivered" and case.number not in (31, 56, 66)]
NAMES = ("memo.txt", "資料①髙﨑.txt", "a'b%20c.txt", 'quote"d.txt', "長い名前" * 15 + ".txt", "a; b=c.txt", "=?utf-8?B?5pel?=.txt", "emoji😀.txt", "(x) y.txt", "b\\c.txt")


def agreed(*mails: bytes) -> list[list[str]]:
    """The names of the leaves of each mail, which all readers must give alike."""
    found = {name: read(list(mails)) for name, read in READERS.items()}
    first = found.pop("ours")
    for name, trees in found.items():
        assert trees == first, name
    return [[leaf.name for leaf in leaves] for leaves in first]


def test_there_are_four_makes_of_readers() -> None:
    if not {"Perl", "Courier"} & READERS.keys():
        pytest.skip("neither MIME-tools nor reformime is here")
    assert len({name.partition(",")[0] for name in READERS}) >= 4


def test_every_delivered_torture_case_reads_alike() -> None:
    made = [outcome.content for case in DELIVERED if (outcome := by_smtp(case.built()))]
    assert len(agreed(*[content.bytes() for content in made if content is not None])) == len(DELIVERED)


@pytest.mark.parametrize("treatment", [{}, {"mail_charset": "iso-2022-jp"}, {"language": "en"}, {"mail_attachments": False}])
def test_names_and_settings_read_alike(treatment: dict[str, object]) -> None:
    made = by_smtp(parts_mail(text(), *[file(name.replace('"', '\\"').replace("\\c", "\\\\c")) for name in NAMES]), **treatment).content
    assert made is not None
    assert len(agreed(made.bytes())[0]) == (1 if "mail_attachments" in treatment else len(NAMES) + 1)


def test_long_headers_read_alike() -> None:
    head = 'Subject: {}\r\nFrom: "{}" <a@b.jp>\r\nTo: {}\r\n'.format("長い件名" * 90, "長い名前" * 40, ", ".join(f"受信者{n} <r{n}@example.jp>" for n in range(300)))
    made = Delivered(mail(head=head.encode()))
    assert made.tree["subject"] == "長い件名" * 90
    assert len(made.tree["to"].addresses) == 300
    agreed(made.bytes)


_WORDS = st.text(st.characters(codec="utf-8") | st.sampled_from("あ漢①〓😀\"\\;:=?<>()@,.%'*\r\n\t \u202e\u3000ﾃ"), max_size=60)
_QUICK = ("ours", "Python, old", "Python, new", "Rust")


@settings(max_examples=60, deadline=None)
@given(subject=_WORDS, sender=_WORDS, name=_WORDS, body=_WORDS, charset=st.sampled_from(["utf-8", "iso-2022-jp"]))
def test_whatever_is_said_reads_alike(subject: str, sender: str, name: str, body: str, charset: str) -> None:
    def word(said: str) -> bytes:
        return b"=?utf-8?B?" + base64.b64encode(said.encode()) + b"?="

    head = b"Subject: " + word(subject) + b"\r\nFrom: " + word(sender) + b" <a@b.jp>\r\nTo: c@d.jp\r\n"
    attached = part(MEMO, b"Content-Type: text/plain", b"Content-Disposition: attachment; filename*=utf-8''" + quote(name + ".txt", safe="").encode())
    made = by_smtp(head + multipart(text(body), attached), mail_charset=charset)
    assert made.content is not None, made.report.findings
    trees = [READERS[reader]([made.content.bytes()]) for reader in _QUICK]
    assert all(tree == trees[0] for tree in trees)
    said = BytesParser(EmailMessage, policy=policy.default).parsebytes(made.content.bytes())
    assert str(said["subject"]) == header_text(word(subject)) or charset != "utf-8"    # ISO-2022-JP has one pair for ¦ and ￤
    assert said["from"].addresses[0].addr_spec == "a@b.jp"


def test_a_mail_by_somebody_else_would_be_noticed() -> None:
    """The comparison can fail: a mail that these readers do not read alike."""
    odd = mail(b"aGVsbG8=", b"Content-Transfer-Encoding:\r\n base64\r\nContent-Type: application/x; name*0*=utf-8''%E6; name*1=a.txt\r\n")
    with pytest.raises(AssertionError):
        agreed(odd)


