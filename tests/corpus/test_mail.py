"""Every real mail, .msg and winmail.dat: a text mail comes out, readable to all, with no letter lost; what stays behind stays for its right reason."""

from __future__ import annotations

import email
from email import policy
from pathlib import Path
from typing import Any

import pytest

from tests.build.corpus import ask
from tests.build.mail_readers import READERS
from tests.build.message import read_message
from tests.corpus.conftest import Run

pytestmark = pytest.mark.corpus

FOLDERS = ("mail/", "msg/", "tnef/")
# Parts that are not delivered, by mail: all of them are broken, cut short, of no known kind, or empty in the corpus itself.
STAYING: dict[str, dict[str, str]] = {
    "attachment_message_rfc822.eml": {"broken.pdf": "malformed"},
    "attachment_pdf.eml": {"broken.pdf": "malformed"},
    "attachment_with_base64_encoded_name.eml": {"This is a test.pdf": "unsupported_kind"},
    "attachment_with_encoded_name.eml": {"01 Quien Te DijŠat. Pitbull.mp3": "unsupported_kind"},
    "content_transfer_encoding_x_uuencode.eml": {"PGP_Cmts_on_12-14-01_Pkg.doc": "unsupported_kind"},
    "raw_email_with_nested_attachment.eml": {"truncated.png": "malformed"},
    "data-before-name.tnef": {"AUTOEXEC.BAT": "forbidden_kind", "CONFIG.SYS": "forbidden_kind"},
    "minimal_attachment.tnef": {"attachment1": "unsupported_kind"},
}
SAYING = {    # subject, words of the text
    "japanese.eml": ("まみむめも", "かきくえこ"),
    "japanese_iso_2022.eml": ("まみむめも", "すみません。"),
    "japanese_shift_jis.eml": ("test", "今後ともよろしくお願い申し上げます！"),
    "sample0.eml": ("投稿0", "投稿テスト"),
    "test.eml": ("Test Email - テストメール", "吾輩は猫である。名前はまだない。"),
}


def _rows(run: Run) -> list[dict[str, Any]]:
    return [row for row in run.reports if row["path"].startswith(FOLDERS)]


def _made(run: Run) -> dict[str, bytes]:
    return {Path(row["path"]).name: (run.output / row["output"]["path"]).read_bytes() for row in _rows(run) if row["output"]}


def test_every_message_is_delivered(corpus_run: Run) -> None:
    assert {row["path"]: row["reason"] for row in _rows(corpus_run) if row["output"] is None} == {}
    assert len(_rows(corpus_run)) >= 31
    assert {row["output"]["kind"] for row in _rows(corpus_run)} == {"eml"}


def test_what_stays_behind_stays_for_its_right_reason(corpus_run: Run) -> None:
    staying = {
        Path(row["path"]).name: {part["input"]["name"]: part["reason"] for part in row["parts"] if part["output"] is None} for row in _rows(corpus_run)
    }
    # Word files wait for the day when somebody rebuilds them, wherever they are met.
    staying = {name: {part: reason for part, reason in parts.items() if not part.endswith("1402.doc")} for name, parts in staying.items()}
    assert {name: parts for name, parts in staying.items() if parts} == STAYING


def test_no_letter_that_can_be_read_is_shown_as_unknown(corpus_run: Run) -> None:
    for name, data in _made(corpus_run).items():
        made = read_message(data)
        assert "\ufffd" not in made.text + made.subject, name
        assert "〓" not in made.text + made.subject, name
    for name, (subject, words) in SAYING.items():
        made = read_message(_made(corpus_run)[name])
        assert made.subject == subject
        assert words in made.text


def test_every_result_is_one_tree_to_all_readers(corpus_run: Run) -> None:
    mails = list(_made(corpus_run).values())
    trees = [read(mails) for read in READERS.values()]
    assert all(tree == trees[0] for tree in trees)


def test_every_result_is_text_and_attachments_only(corpus_run: Run) -> None:
    for name, data in _made(corpus_run).items():
        tree = email.message_from_bytes(data, policy=policy.default)
        types = [leaf.get_content_type() for leaf in tree.walk()]
        assert types[0] in ("text/plain", "multipart/mixed"), name
        assert not {"text/html", "message/rfc822", "application/ms-tnef"} & set(types), name
        assert b"\n" not in data.replace(b"\r\n", b""), name


_LETTERS = """
import email, json, re, sys
from collections import Counter
from email import policy
from pathlib import Path
import lxml.html
from sanitizers.charset import decode_html
from sanitizers.formats.message.htmltext import render

HIDDEN = re.compile(r"display\\s*:\\s*none|visibility\\s*:\\s*hidden|font-size\\s*:\\s*0(?![.\\d]*[1-9])", re.I)
NEVER = {"script", "style", "head", "title", "template", "iframe", "noframes", "noembed", "audio", "video", "datalist", "frameset", "rp"}

def visible(node):
    if not isinstance(node.tag, str):
        return [node.tail or ""]
    hidden = node.tag in NEVER or node.get("hidden") is not None or HIDDEN.search(node.get("style") or "")
    said = [] if hidden else [node.text or "", *(text for child in node for text in visible(child))]
    return [*said, node.tail or ""]

def letters(text):
    return Counter(re.findall(r"\\w", text))

def pages():
    for path in sorted(Path(sys.argv[1]).joinpath("html").rglob("*.htm*")):
        yield path.name, path.read_bytes(), None
    for path in sorted(Path(sys.argv[1]).joinpath("mail").rglob("*.eml")):
        for leaf in email.message_from_bytes(path.read_bytes(), policy=policy.compat32).walk():
            if leaf.get_content_type() == "text/html":
                yield path.name, leaf.get_payload(decode=True), leaf.get_content_charset()

sys.setrecursionlimit(20000)
answer = {}
for name, data, charset in pages():
    text = decode_html(data, charset).text
    parser = lxml.html.HTMLParser(huge_tree=True, encoding="utf-8")
    said = "".join(visible(lxml.html.document_fromstring(text.encode(), parser=parser)))
    lost = letters(said) - letters(render(text, ("http", "https", "mailto", "tel")).text)
    answer.setdefault(name, []).append([sum(letters(said).values()), dict(lost)])
print(json.dumps(answer))
"""


def test_no_visible_letter_of_html_is_lost(corpus_run: Run) -> None:
    """Compared with what another parser (libxml2) finds visible."""
    found = ask(_LETTERS)
    assert len(found) >= 12
    assert sum(count for counts in found.values() for count, _ in counts) > 50_000
    assert {name: lost for name, counts in found.items() for _, lost in counts if lost} == {}
