"""Mails built byte by byte, clean and hostile, and pages of HTML."""

from __future__ import annotations

import base64
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import NamedTuple

from sanitizers.context import Context, Outcome
from sanitizers.engine import Engine
from sanitizers.formats import message
from sanitizers.model import Authentication, Job, Kind, LimitExceeded, Malformed, PartInfo, Reason, Refused, Report, Treatment, Verdict
from sanitizers.scan import NO_RULES, Scanner
from sanitizers.source import Source
from sanitizers.verify import message as verify_message
from tests.build.context import changes, context

HEAD = (
    b"From: =?UTF-8?B?5bGx55Sw?= <yamada@example.jp>\r\nTo: soumu@town.example.jp\r\nSubject: test\r\n"
    b"Date: Fri, 20 Nov 2026 09:00:00 +0900\r\nMessage-ID: <1@example.jp>\r\n"
)
ATTACHED = b"%PDF-1.4 stands for a file that the engine delivers"
REFUSED = b"MZ stands for a file that the engine refuses"


def mail(body: bytes = b"hello\r\n", fields: bytes = b"", head: bytes = HEAD) -> bytes:
    """A message of one part: the usual header, `fields` (each with its CRLF), and a body as it stands."""
    return head + fields + b"\r\n" + body


def part(body: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([*fields, b"", body])


def multipart(
    *parts: bytes, kind: bytes = b"mixed", boundary: bytes = b"b1", end: bytes = b"\r\n--b1--\r\n", extra: bytes = b""
) -> bytes:
    """The fields and body of a multipart, to go behind other fields."""
    body = b"".join(b"\r\n--" + boundary + b"\r\n" + one for one in parts)
    if boundary != b"b1" and end == b"\r\n--b1--\r\n":
        end = b"\r\n--" + boundary + b"--\r\n"
    return b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"' + extra + b"\r\n" + body + end


def parts_mail(*parts: bytes, **options: bytes) -> bytes:
    return HEAD + b"MIME-Version: 1.0\r\n" + multipart(*parts, **options)


def text(body: str = "本文です", charset: str = "utf-8") -> bytes:
    return part(body.encode(charset), b"Content-Type: text/plain; charset=" + charset.encode(), b"Content-Transfer-Encoding: 8bit")


def page(body: str) -> bytes:
    return part(body.encode(), b"Content-Type: text/html; charset=utf-8", b"Content-Transfer-Encoding: 8bit")


def attachment(content: bytes = ATTACHED, name: bytes = b"a.pdf", kind: bytes = b"application/pdf") -> bytes:
    return part(
        base64.encodebytes(content),
        b"Content-Type: " + kind + b'; name="' + name + b'"',
        b'Content-Disposition: attachment; filename="' + name + b'"',
        b"Content-Transfer-Encoding: base64",
    )


def given(size: int = 1 << 20, **treatment: object) -> Context:
    """A Context whose engine delivers everything unchanged, except what begins with MZ; a part's kind is PDF or TEXT."""
    made = context("m.eml", Kind.EML, size=size, **treatment)  # type: ignore[arg-type]

    def examine(name: str, source: Source, where: str, depth: int) -> Outcome:
        kind = Kind.PDF if source.head(4) == b"%PDF" else Kind.PE if source.head(2) == b"MZ" else Kind.TEXT
        info = PartInfo(name=name, size=len(source), sha256=source.sha256, kind=kind)
        if kind is Kind.PE:
            report = Report(path=name, verdict=Verdict.BLOCKED, reason=Reason.FORBIDDEN_KIND, input=info, output=None)
            return Outcome(report, None)
        return Outcome(Report(path=name, verdict=Verdict.CLEAN, reason=None, input=info, output=info), source)

    made.examine = examine
    return made


class Delivered:
    """A sanitized message: checked by the verifier and a second pass, and read again by Python's own parser."""

    def __init__(self, data: bytes, **treatment: object) -> None:
        self.context = given(len(data), **treatment)
        self.bytes = message.SANITIZER.sanitize(Source(data), self.context).content.bytes()
        verify_message.verify(Source(self.bytes), Source(data), self.context)
        again = given(len(self.bytes), **treatment)
        second = message.SANITIZER.sanitize(Source(self.bytes), again).content.bytes()
        assert changes(again) == []
        self.second = BytesParser(EmailMessage, policy=policy.default).parsebytes(second)
        self.tree = BytesParser(EmailMessage, policy=policy.default).parsebytes(self.bytes)

    @property
    def codes(self) -> dict[str, str]:
        return {finding.code: finding.action.value for finding in self.context.findings}

    @property
    def text(self) -> str:
        return _text(self.tree)

    @property
    def banner(self) -> str:
        return self.text.split("\n\n", 1)[0]

    @property
    def body(self) -> str:
        """The text below the notice."""
        return self.text.split("\n\n", 1)[1].rstrip("\n")

    @property
    def body_again(self) -> str:
        return _text(self.second).split("\n\n", 1)[1].rstrip("\n")

    @property
    def files(self) -> dict[str, bytes]:
        return {leaf.get_filename() or "": leaf.get_payload(decode=True) for leaf in self.tree.iter_attachments()}  # type: ignore[misc]


def by_smtp(data: bytes, *, scanner: Scanner = NO_RULES, authentication: Authentication | None = None, **treatment: object) -> Outcome:
    """The whole engine over a mail, as after the door: it is a mail however little of one it shows."""
    job = Job(name="message.eml", door="smtp", treatment=Treatment(**treatment), authentication=authentication)  # type: ignore[arg-type]
    return Engine(job, scanner, len(data)).run(Source(data))


class Received(NamedTuple):
    """A delivered message as its reader sees it."""

    subject: str
    text: str
    names: tuple[str, ...]

    @property
    def body(self) -> str:
        """The text below the notice."""
        return self.text.split("\n\n", 1)[1].rstrip("\n")


def read_message(data: bytes) -> Received:
    """As Python's own parser reads it."""
    tree = BytesParser(EmailMessage, policy=policy.default).parsebytes(data)
    return Received(str(tree["subject"]), _text(tree), tuple(leaf.get_filename() or "" for leaf in tree.iter_attachments()))


def read_text(data: bytes) -> str:
    """The text of a composed message, as Python's own parser reads it."""
    return _text(BytesParser(EmailMessage, policy=policy.default).parsebytes(data))


def _text(tree: EmailMessage) -> str:
    leaf = next(leaf for leaf in tree.walk() if leaf.get_content_type() == "text/plain")
    payload = leaf.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def outcome(data: bytes) -> str:
    """`delivered` or the finding code of the refusal."""
    try:
        Delivered(data)
    except (Malformed, LimitExceeded, Refused) as refusal:
        return refusal.code
    return "delivered"
