"""Web archives come out as the page that is in them, and nothing else."""

from __future__ import annotations

import pytest

from sanitizers.model import Kind, Reason, Verdict
from tests.build.context import run

PAGE = '<html><head><title>お知らせ</title></head><body><h1>能登の予定表</h1><p>①㈱髙橋</p><img src="cid:1"></body></html>'


def archive(page: bytes = PAGE.encode(), charset: str = "utf-8", extra: tuple[tuple[str, str, bytes], ...] = ()) -> bytes:
    """A page and other parts, as Word and browsers write them."""
    head = b'From: <Saved by a browser>\r\nSubject: page\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="=b"\r\n\r\n'
    body = [f"--=b\r\nContent-Type: text/html; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".encode() + page]
    body += [f"--=b\r\nContent-Type: {kind}\r\nContent-Location: {where}\r\n\r\n".encode() + data for kind, where, data in extra]
    return head + b"\r\n".join([*body, b"--=b--\r\n"])


@pytest.mark.parametrize("charset", ["utf-8", "cp932", "euc-jp"])
def test_the_page_comes_out_as_html(charset: str) -> None:
    page = PAGE if charset != "euc-jp" else PAGE.replace("①㈱髙", "")
    outcome = run(archive(page.encode(charset.replace("-", "_")), {"cp932": "Shift_JIS"}.get(charset, charset)), "page.mht")
    assert outcome.content is not None, outcome.report
    assert (outcome.report.input.kind, outcome.report.verdict) == (Kind.MHT, Verdict.SANITIZED)
    assert outcome.report.output is not None
    assert (outcome.report.output.kind, outcome.report.output.name) == (Kind.HTML, "page.html")
    text = outcome.content.bytes().decode()
    assert "能登の予定表" in text
    assert "<title>お知らせ</title>" in text
    assert "mht.converted" in {finding.code for finding in outcome.report.findings}
    assert run(outcome.content.bytes(), "page.html").report.verdict is Verdict.CLEAN


def test_what_belongs_to_the_page_stays_behind_and_is_told() -> None:
    page = PAGE.replace("</body>", '<script>alert(1)</script><iframe src="x"></iframe></body>').encode()
    others = (("text/css", "style.css", b"p{behavior:url(x)}"), ("application/octet-stream", "evil.exe", b"MZ123"), ("text/html", "f.html", b"<script>x</script>"))
    outcome = run(archive(page, extra=others), "page.mht")
    assert outcome.content is not None
    out = outcome.content.bytes()
    assert not any(word in out for word in (b"script", b"iframe", b"MZ123", b"behavior", b"img"))
    told = [finding.where for finding in outcome.report.findings if finding.code == "mht.part"]
    assert told == ["style.css", "evil.exe", "f.html"]
    assert "html.script" in {finding.code for finding in outcome.report.parts[0].findings}


def test_an_archive_without_a_page_is_refused() -> None:
    outcome = run(archive().replace(b"Content-Type: text/html; charset", b"Content-Type: image/png; charset"), "page.mht")
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)


@pytest.mark.parametrize(("depth", "reason"), [(1, None), (15, None), (16, Reason.MALFORMED), (200, Reason.MALFORMED), (5000, Reason.MALFORMED)])
def test_parts_inside_parts_end_somewhere(depth: int, reason: Reason | None) -> None:
    head = b"From: <x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b0\r\n\r\n"
    inner = b"".join(b"--b%d\r\nContent-Type: multipart/related; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(depth))
    page = b"--b%d\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" % depth + PAGE.encode() + b"\r\n--b%d--\r\n" % depth
    outcome = run(head + inner + page, "page.mht")
    assert outcome.report.reason is reason
    assert (outcome.content is None) == (reason is not None)


def test_policy_may_want_it_as_text() -> None:
    outcome = run(b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\nSnapshot-Content-Location: http://x/\r\n\r\n<html><body><p>words</p></body></html>\r\n", "a.mht", pages_as_text=True)
    assert outcome.content is not None, outcome.report
    assert outcome.content.bytes() == b"words\r\n"


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b'<?xml version="1.0"?><job id="x"><script language="JScript">x()</script></job>', Reason.FORBIDDEN_KIND),    # a script of Windows
        (b'<?xml version="1.0"?><a><b>data</b></a>', Reason.UNSUPPORTED_KIND),                                          # data, and no page
    ],
)  # fmt: skip
def test_a_page_that_is_none_is_not_delivered(page: bytes, reason: Reason) -> None:
    outcome = run(archive(page), "page.mht")
    assert (outcome.content, outcome.report.reason) == (None, reason)
