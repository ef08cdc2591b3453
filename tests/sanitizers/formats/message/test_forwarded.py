"""Mail that a machine sent on: each mark is found however it is written, and what people send, answer and forward themselves bears none."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest

from sanitizers.engine import Engine
from sanitizers.formats.message.forwarded import MARKS, marks
from sanitizers.formats.message.header import read_header
from sanitizers.model import Job, Treatment, Verdict
from sanitizers.scan import NO_RULES
from sanitizers.source import Source
from tests.build.message import HEAD, attachment, by_smtp, mail, part, parts_mail, text
from tests.build.zip import Entry
from tests.build.zip import build as zip_file

AUTHOR = b"From: =?UTF-8?B?5bGx55Sw?= <yamada@example.jp>\r\n"
LIST = b"List-Id: \xe8\xad\xb0\xe4\xba\x8b <giji.example.jp>\r\nList-Post: <mailto:giji@example.jp>\r\nPrecedence: list\r\nSender: giji-bounces@example.jp\r\n"


def found(data: bytes, **treatment: Any) -> dict[str, str]:
    """Field → what is said of it, of a mail that is rebuilt all the same."""
    outcome = by_smtp(data, **({"mail_forwards_held": True} | treatment))
    assert outcome.report.verdict in (Verdict.CLEAN, Verdict.SANITIZED)
    assert outcome.content is not None
    ours = [finding for finding in outcome.report.findings if finding.code == "mail.forwarded"]
    assert {finding.action.value for finding in ours} <= {"kept"}
    return {finding.where: finding.detail for finding in ours}


# The header of each program that sends mail on, and the fields by which it is known.
FORWARDED = {
    "an unregistered word": (b"Auto-Submitted: auto-forwarded\r\n", {"Auto-Submitted"}),
    "a filter's notification": (b'Auto-Submitted: auto-notified; owner-email="yamada@example.jp"\r\n', {"Auto-Submitted"}),
    "resent": (b"Resent-Date: Fri, 20 Nov 2026 10:00:00 +0900\r\nResent-From: yamada@example.jp\r\nResent-To: y@isp.example\r\n", {"Resent-*"}),
    "X.400": (b"Autoforwarded: TRUE\r\n", {"Autoforwarded"}),
    "a forwarder": (b"X-Autoforward: yes\r\n", {"X-Autoforward"}),
    "another": (b"X-Autoforwarded: 1\r\n", {"X-Autoforwarded"}),
    "a third": (b"X-AutoForwarded-By: yamada@example.jp\r\n", {"X-Autoforwarded-By"}),
    "an Exchange transport rule for it": (b"X-Forwarded: True\r\n", {"X-Forwarded"}),
    "Gmail": (
        b"X-Forwarded-To: y@isp.example\r\nX-Forwarded-For: yamada@example.jp y@isp.example\r\nDelivered-To: yamada@example.jp\r\n",
        {"X-Forwarded-To", "X-Forwarded-For", "Delivered-To"},
    ),
    "Exchange within its organisation": (b"X-MS-Exchange-Organization-AutoForwarded: true\r\n", {"X-MS-Exchange-Organization-AutoForwarded"}),
    "an Outlook rule": (
        b"\r\n".join((b"X-MS-Exchange-Inbox-Rules-Loop: yamada@example.jp", b"auto-submitted: auto-generated",
                     b"x-ms-exchange-generated-message-source: Mailbox Rules Agent", b"X-MS-Exchange-MessageSentRepresentingType: 1", b"")),
        {"X-MS-Exchange-Inbox-Rules-Loop", "X-MS-Exchange-Generated-Message-Source"},
    ),
    "a forwarding mailbox": (b"X-MS-Exchange-ForwardingLoop: yamada@example.jp;\r\n 44d81603-6a98-429d-8ab9-bb947b669639\r\n", {"X-MS-Exchange-ForwardingLoop"}),
    "Dovecot": (b"X-Sieve: Pigeonhole Sieve 0.5.19\r\nX-Sieve-Redirected-From: yamada@example.jp\r\n", {"X-Sieve-Redirected-From"}),
    "Zimbra": (b"X-Zimbra-Forwarded: yamada@example.jp\r\n", {"X-Zimbra-Forwarded"}),
    "Postfix with .forward, procmail": (b"X-Original-To: yamada@example.jp\r\nDelivered-To: yamada@example.jp\r\n", {"X-Original-To", "Delivered-To"}),
    "Exim": (b"Envelope-to: yamada@example.jp\r\nDelivery-date: Fri, 20 Nov 2026 09:00:00 +0900\r\n", {"Envelope-To"}),
    "what came in through this gateway": (b"X-Sekisho-Result: CHG_TEXT; id=20261120-000001\r\n", {"X-Sekisho-Result"}),
}


@pytest.mark.parametrize("who", FORWARDED)
def test_what_a_machine_sends_on_bears_its_mark(who: str) -> None:
    fields, names = FORWARDED[who]
    assert found(mail(fields=fields)).keys() == names


def test_every_mark_of_the_table_has_a_program_that_writes_it() -> None:
    assert {mark.name for mark in MARKS} == {name for _, names in FORWARDED.values() for name in names}
    assert len({mark.name for mark in MARKS}) == len(MARKS)


def test_an_operator_is_told_which_field_says_so_and_who_writes_it() -> None:
    said = found(mail(fields=b"X-Forwarded-For: yamada@example.jp\r\n\ty@isp.example\r\nX-Sieve-Redirected-From: =?utf-8?B?5bGx55Sw?= <y@x>\r\n"))
    assert said == {"X-Forwarded-For": "Gmail: yamada@example.jp y@isp.example", "X-Sieve-Redirected-From": "Dovecot Sieve: 山田 <y@x>"}


@pytest.mark.parametrize("field", ["Date", "From", "Sender", "To", "Cc", "Bcc", "Message-ID", "Reply-To", "Subject", "X"])
def test_each_field_of_a_resent_block_is_one(field: str) -> None:
    assert found(mail(fields=f"Resent-{field}: x\r\n".encode())).keys() == {"Resent-*"}


# What people and machines send that nobody forwarded.
SENT = {
    "a mail": b"",
    "転送 by hand": b"Subject: FW: =?utf-8?B?5rqW5YKZ?=\r\nIn-Reply-To: <9@isp.example>\r\nReferences: <8@isp.example> <9@isp.example>\r\nThread-Topic: x\r\n",
    "a reply": b"Subject: Re: x\r\nIn-Reply-To: <9@isp.example>\r\nReferences: <9@isp.example>\r\n",
    "the post of a list": LIST,
    "the post of a list behind Postfix": LIST + b"X-Original-To: giji@example.jp\r\nDelivered-To: giji@lists.example.jp\r\nX-BeenThere: giji@example.jp\r\n",
    "the post of a list behind Exim": LIST + b"Envelope-to: giji@example.jp\r\n",
    "a vacation reply": b"Auto-Submitted: auto-replied (vacation)\r\nIn-Reply-To: <9@isp.example>\r\nX-Sieve: Pigeonhole Sieve 0.5.19\r\nPrecedence: bulk\r\n",
    "a cron job": b"Auto-Submitted: auto-generated\r\n",
    "not by itself": b"Auto-Submitted: no\r\n",
    "a bounce": b"Auto-Submitted: auto-replied\r\nX-Failed-Recipients: x@y.example\r\n",
    "for somebody else": b"Sender: hisho@example.jp\r\n",
    "any mail of Exchange Online": b"X-MS-Exchange-MessageSentRepresentingType: 1\r\nX-LD-Processed: 44d81603,ExtAddr\r\nX-MS-Has-Attach:\r\n",
    "with a copy by a transport rule": b"X-MS-Exchange-Transport-Rules-Loop: 1\r\n",
    "an agent that is no rule": b"X-MS-Exchange-Generated-Message-Source: Transport Message Recall Routing Agent\r\n",
    "any mail of Gmail": b"X-Forwarded-Encrypted: i=1; AJvYcCUw@vger.kernel.org\r\nX-Gm-Message-State: AOJu0\r\n",
    "a robot": b"X-Loop: soumu@example.jp\r\n",
    "X.400 that says no": b"Autoforwarded: FALSE\r\nX-Autoforward: no\r\nX-MS-Exchange-Organization-AutoForwarded: false\r\nX-Forwarded: 0\r\n",
    "names that only begin alike": b"Resent: x\r\nX-Resent-From: x\r\nX-Forwarded-Proto: https\r\nDelivered-Topic: x\r\n",
    "the words in a text": b"Subject: Auto-Submitted: auto-forwarded, Resent-From: a@b\r\n",
}


@pytest.mark.parametrize("what", SENT)
def test_what_nobody_forwarded_bears_none(what: str) -> None:
    assert found(mail(fields=SENT[what])) == {}


def test_marks_in_the_text_and_in_what_is_attached_are_none_of_the_mail() -> None:
    fields = b"".join(fields for fields, _ in FORWARDED.values())
    assert found(mail(fields + b"\r\nhello\r\n")) == {}
    attached = part(mail(fields=fields), b"Content-Type: message/rfc822")
    assert found(parts_mail(text(), attached)) == {}
    assert found(parts_mail(part(b"hello\r\n", b"Content-Type: text/plain", fields.strip()))) == {}


def test_a_mail_in_an_archive_is_a_file() -> None:
    inside = zip_file(Entry(b"a.eml", mail(fields=FORWARDED["Gmail"][0])))
    outcome = by_smtp(parts_mail(text(), attachment(inside, b"a.zip", b"application/zip")), mail_forwards_held=True)
    nested = [part for part in outcome.report.tree() if part.input.name.endswith("a.eml")]
    assert [part.verdict.delivers for part in nested] == [True]
    assert not [finding for part in outcome.report.tree() for finding in part.findings if finding.code == "mail.forwarded"]


@pytest.mark.parametrize(("name", "own"), [("X-Original-To", 1), ("Delivered-To", 1), ("Envelope-To", 1), ("X-Forwarded-For", 0), ("Resent-From", 0)])
def test_what_somebody_of_a_list_has_sent_on_to_him_was_delivered_twice(name: str, own: int) -> None:
    again = b"".join(b"%s: %d@example.jp\r\n" % (name.encode(), number) for number in range(own + 1))
    mark = next(mark for mark in MARKS if fnmatchcase(name.lower(), mark.name.lower()))
    assert found(mail(fields=LIST + again)).keys() == {mark.name}
    assert (found(mail(fields=LIST + again.split(b"\r\n")[0] + b"\r\n")) == {}) is bool(own)
    assert found(mail(fields=again.replace(b"0@", b"list@") + b"List-Id:\r\n")).keys() == {mark.name}, "a list without a name is none"


# ----------------------------------------------------------------------------------------------- however it is written

SPELLED = {
    "small": b"x-forwarded-for: y@isp.example\r\n",
    "capital": b"X-FORWARDED-FOR: y@isp.example\r\n",
    "mixed": b"x-fOrWaRdEd-FoR: y@isp.example\r\n",
    "space before the colon": b"X-Forwarded-For \t: y@isp.example\r\n",
    "no space after it": b"X-Forwarded-For:y@isp.example\r\n",
    "folded": b"X-Forwarded-For:\r\n y@isp.example\r\n",
    "folded twice": b"X-Forwarded-For:\r\n\t\r\n y@isp.example\r\n",
    "bare LF": b"X-Forwarded-For: y@isp.example\n",
    "twice": b"X-Forwarded-For: y@isp.example\r\nx-forwarded-for: z@isp.example\r\n",
    "empty": b"X-Forwarded-For:\r\n",
    "8 bit": b"X-Forwarded-For: \x93\xfa\x96{ <y@isp.example>\r\n",
    "after a line that is no field": b"this is no field\r\nX-Forwarded-For: y@isp.example\r\n",
}


@pytest.mark.parametrize("how", SPELLED)
def test_however_the_field_is_written(how: str) -> None:
    assert found(mail(fields=SPELLED[how])).keys() == {"X-Forwarded-For"}
    assert found(SPELLED[how] + mail()).keys() == {"X-Forwarded-For"}, "before all others"


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (b"auto-forwarded", True),
        (b"Auto-Forwarded", True),
        (b"AUTO-FORWARDED", True),
        (b"(a comment) auto-forwarded (another)", True),
        (b"auto-forwarded(glued);x=y", True),
        (b"\r\n auto-forwarded\r\n ;x=y", True),
        (b'auto-forwarded; why="auto-replied"', True),
        (b"auto-notified", True),
        (b"x-new-word", True),                      # an extension that nobody knows
        (b"", True),
        (b"(auto-replied)", True),                  # says nothing outside of its comment
        (b"(auto-replied", True),                   # a comment without an end
        (b"auto-replied (", True),
        (b"auto-replied auto-forwarded", True),
        (b"auto-replied, auto-forwarded", True),
        (b"auto-(x)replied", True),                 # a comment parts words
        (b'"auto-replied"', True),                  # a token, not a quoted string
        (b"auto_replied", True),
        (b"=?utf-8?q?auto-replied?=", True),
        (b"auto-replied\xa0", True),
        (b"auto-repl\xc3\xaded", True),
        (b"; auto-replied", True),
        (b"auto-replied", False),
        (b"Auto-Replied", False),
        (b"AUTO-GENERATED", False),
        (b"No", False),
        (b"(vacation) auto-replied (a (nested (one)) \\) \\( there)", False),
        (b"\r\n (folded)\r\n\tauto-replied\r\n (auto-forwarded)", False),
        (b'auto-replied; why="auto-forwarded"', False),
        (b'auto-replied;x="("', False),
        (b"auto-replied (zimbra; vacation)", False),
        (b"no;", False),
    ],
)
def test_auto_submitted_by_its_grammar(value: bytes, held: bool) -> None:
    assert (found(mail(fields=b"Auto-Submitted: " + value + b"\r\n")).keys() == {"Auto-Submitted"}) is held


def test_one_of_two_is_enough_in_any_order() -> None:
    one, other = b"Auto-Submitted: auto-replied\r\n", b"auto-submitted: auto-forwarded\r\n"
    for fields in (one + other, other + one):
        assert found(mail(fields=fields)) == {"Auto-Submitted": "RFC 3834: auto-forwarded"}
    assert found(mail(fields=one + one)) == {}


@pytest.mark.parametrize("name", ["Autoforwarded", "X-Autoforward", "X-Autoforwarded", "X-Forwarded", "X-MS-Exchange-Organization-AutoForwarded"])
@pytest.mark.parametrize(("value", "held"), [("true", True), ("(no) yes", True), ("", True), ("falsely", True), ("False (not yet)", False), ("NO", False), ("0", False)])
def test_a_flag_that_is_not_denied_stands(name: str, value: str, held: bool) -> None:
    assert bool(found(mail(fields=f"{name}: {value}\r\n".encode()))) is held


@pytest.mark.parametrize(
    ("value", "held"),
    [(b"MAILBOX RULES AGENT", True), (b"Mailbox\r\n Rules   Agent", True), (b"x" * 1_500 + b" Mailbox Rules Agent", True), (b"Journal Agent", False), (b"", False)],
)
def test_the_agent_that_carries_out_rules_is_named(value: bytes, held: bool) -> None:
    assert bool(found(mail(fields=b"X-MS-Exchange-Generated-Message-Source: " + value + b"\r\n"))) is held


def test_many_marks_cost_one_finding_each() -> None:
    fields = b"".join(b"X-Forwarded-For: %d\r\n" % number for number in range(1_000)) + b"".join(b"Resent-%d: x\r\n" % number for number in range(900))
    assert found(mail(fields=fields)) == {"X-Forwarded-For": "Gmail: 0", "Resent-*": "RFC 5322: resent: x"}


def test_comments_without_an_end_are_read_in_one_pass() -> None:
    assert found(mail(fields=b"Auto-Submitted: " + b"(" * 200_000 + b"\r\n")).keys() == {"Auto-Submitted"}


# ------------------------------------------------------------------------------------------------------ who wrote it

DOMAINS = ("example.jp", "town.example.lg.jp")


@pytest.mark.parametrize(
    ("author", "strange"),
    [
        (b"From: yamada@example.jp\r\n", ""),
        (b"From: \xe5\xb1\xb1\xe7\x94\xb0 <Yamada@EXAMPLE.JP>\r\n", ""),
        (b"From: yamada@zeimu.example.jp\r\n", ""),                                     # below one of ours
        (b"from: =?utf-8?B?5bGx55Sw?=\r\n <yamada@town.example.lg.jp> (x@isp.example)\r\n", ""),
        (b"From: sato@isp.example\r\nSender: yamada@example.jp\r\n", "sato@isp.example"),    # redirected by a rule
        (b"From: sato@isp.example\r\n" + LIST, "sato@isp.example"),                     # a list of ours sends on what came from outside
        (b"From: sato@isp.example\r\n", "sato@isp.example"),
        (b"From: yamada@badexample.jp\r\n", "yamada@badexample.jp"),
        (b"From: yamada@example.jp.isp.example\r\n", "yamada@example.jp.isp.example"),
        (b"From: yamada@lg.jp\r\n", "yamada@lg.jp"),
        (b'From: "yamada@example.jp" <sato@isp.example>\r\n', "sato@isp.example"),
        (b"From: yamada@example.jp, sato@isp.example\r\n", "sato@isp.example"),
        (b"From: yamada@example.jp\r\nFrom: sato@isp.example\r\n", "sato@isp.example"),
        (b"From: yamada\r\n", "unknown@invalid"),
        (b"From:\r\n", "nobody"),
        (b"X-From: yamada@example.jp\r\n", "nobody"),
    ],
)
def test_mail_from_nobody_of_ours_was_sent_on(author: bytes, strange: str) -> None:
    data = mail(head=HEAD.replace(AUTHOR, author))
    assert found(data, mail_author_domains=DOMAINS) == ({"From": f"sender is none of ours: {strange}"} if strange else {})
    assert found(data) == {}, "where nobody said which are ours, nobody is asked"


@pytest.mark.parametrize(("domain", "known"), [("EXAMPLE.jp", True), ("@example.jp", True), ("isp.example", False), ("", False), ("ample.jp", False)])
def test_domains_as_people_write_them(domain: str, known: bool) -> None:
    assert (found(mail(), mail_author_domains=(domain,)) == {}) is known


def test_at_most_three_strangers_are_named() -> None:
    header, _ = read_header(b"From: " + b", ".join(b"%d@isp.example" % number for number in range(9)) + b"\r\n\r\n", 0, 200)
    (one,) = marks(header, DOMAINS)
    assert one.detail == "sender is none of ours: 0@isp.example, 1@isp.example, 2@isp.example"


# -------------------------------------------------------------------------------------------------- where it is asked


def test_nothing_is_said_where_policy_does_not_want_it_held() -> None:
    fields = b"".join(fields for fields, _ in FORWARDED.values())
    assert found(mail(fields=fields), mail_forwards_held=False, mail_author_domains=("isp.example",)) == {}
    assert Treatment().mail_forwards_held is False


@pytest.mark.parametrize("door", ["drop", "cli", "icap"])
def test_a_file_that_somebody_brings_was_not_sent_on(door: str) -> None:
    data = mail(fields=FORWARDED["Gmail"][0])
    job = Job(name="a.eml", door=door, treatment=Treatment(mail_forwards_held=True, mail_author_domains=DOMAINS))
    assert [finding.code for finding in Engine(job, NO_RULES, len(data)).run(Source(data)).report.findings if "forward" in finding.code] == []


def test_a_mail_that_is_refused_for_another_reason_says_it_too() -> None:
    data = mail(fields=FORWARDED["Gmail"][0] + b"Content-Type: text/plain\r\nContent-Type: text/html\r\n")
    outcome = by_smtp(data, mail_forwards_held=True)
    assert outcome.content is None
    assert {finding.code for finding in outcome.report.findings} >= {"mail.forwarded", "mail.ambiguous"}
