"""The receiver as a transcript: no sockets, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from mail.actions import Act, Action, Begin, Send, Write
from mail.envelope import Envelope, Notify, Wishes
from mail.receiver import Receiver, ReceiverSettings
from mail.replies import HANG_UP, Reply, Trouble
from tests.build.smtp import OURS

SETTINGS = ReceiverSettings(hostname="mx.example.jp", size_limit=1000, max_recipients=3, postmaster_domain=OURS)
START = b"EHLO c\r\n"
ENVELOPE = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<clerk@town.example.jp>\r\n"


@dataclass
class Talk:
    """A shell that does everything at once and writes down what happened."""

    settings: ReceiverSettings = SETTINGS
    trusted: bool = False
    fails: dict[str, Trouble] = field(default_factory=dict)
    rules: dict[tuple[str, str], Reply] = field(default_factory=dict)
    early: bytes = b""
    said: list[bytes] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    stored: list[bytes] = field(default_factory=list)
    content: bytes = b""

    def __post_init__(self) -> None:
        self.receiver = Receiver(self.settings, "192.0.2.1", self._ask, trusted=self.trusted)
        self.hears(b"")

    def _ask(self, verb: str, recipient: str) -> Reply | None:
        if (verb, recipient) in self.rules:
            return self.rules[verb, recipient]
        return Trouble.NO_RELAY.value if verb == "RCPT" and not recipient.endswith("@" + OURS) else None

    def hears(self, octets: bytes) -> list[bytes]:
        """The replies to these octets."""
        before = len(self.said)
        self.receiver.receive(octets)
        while (action := self.receiver.next()) is not None:
            self._do(action)
            if action is Act.CLOSE:
                break
        return self.said[before:]

    def _do(self, action: Action) -> None:
        if isinstance(action, Send):
            self.said.append(action.octets)
            self.reasons.append(action.reason)
        elif isinstance(action, Write):
            self._step("write", lambda: None)
            self.content += action.content
        elif isinstance(action, Begin):
            self.envelopes.append(action.envelope)
            self.receiver.receive(self.early)
            self._step("begin", self.receiver.begun)
        elif action is Act.COMMIT:
            self.stored.append(self.content)
            self._step("commit", lambda: self.receiver.committed("20261120-000001"))
            self.content = b""
        elif action is Act.STARTTLS:
            self.acts.append("starttls")
            self.receiver.secured()
        else:
            self.acts.append(action.value)

    def _step(self, step: str, well: object) -> None:
        if step in self.fails:
            self.receiver.refused(self.fails[step])
        else:
            well()  # type: ignore[operator]


def codes(replies: list[bytes]) -> list[bytes]:
    return [reply[:3] for reply in replies]


def test_a_whole_session() -> None:
    talk = Talk()
    assert talk.said == [b"220 mx.example.jp ESMTP\r\n"]
    [ehlo] = talk.hears(START)
    assert ehlo.split(b"\r\n")[:-1] == [
        b"250-mx.example.jp", b"250-PIPELINING", b"250-SIZE 1000", b"250-8BITMIME", b"250-SMTPUTF8", b"250 ENHANCEDSTATUSCODES",
    ]  # fmt: skip
    assert codes(talk.hears(ENVELOPE)) == [b"250", b"250"]
    assert talk.hears(b"DATA\r\n") == [b"354 End data with <CR><LF>.<CR><LF>\r\n"]
    assert talk.hears(b"Subject: x\r\n\r\n..body\r\n.\r\n") == [b"250 2.0.0 Ok: queued as 20261120-000001\r\n"]
    assert talk.hears(b"QUIT\r\n") == [b"221 2.0.0 Bye\r\n"]
    assert talk.acts == ["close"]
    assert talk.stored == [b"Subject: x\r\n\r\n.body\r\n"]
    assert talk.envelopes == [Envelope("a@b.example", ("clerk@town.example.jp",), "192.0.2.1", "c")]


def test_any_cut_is_the_same_session() -> None:
    script = [START, ENVELOPE, b"DATA\r\n", b"x\r\n.\r\n", ENVELOPE, b"DATA\r\n", b".\r\n", b"QUIT\r\n"]
    whole, single = Talk(), Talk()
    for octets in script:
        whole.hears(octets)
        for octet in octets:
            single.hears(bytes([octet]))
    assert single.said == whole.said
    assert single.stored == whole.stored == [b"x\r\n", b""]


def test_parameters_reach_the_envelope() -> None:
    talk = Talk()
    talk.hears(START)
    talk.hears(b"mail from:<\xe5\xb7\xae@b.example> size=77 body=8bitmime smtputf8\r\nrcpt to: <A@TOWN.example.jp>\r\nDATA\r\n")
    [envelope] = talk.envelopes
    assert (envelope.size, envelope.eight_bit, envelope.smtputf8) == (77, True, True)
    assert (envelope.sender, envelope.recipients) == ("差@b.example", ("A@town.example.jp",))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:<a@b.example> SIZE=1001", b"552 5.3.4"),
        (b"MAIL FROM:<a@b.example> SIZE=-1", b"501 5.5.4"),
        (b"MAIL FROM:<a@b.example> SIZE=" + b"9" * 30, b"501 5.5.4"),
        (b"MAIL FROM:<a@b.example> BODY=BINARYMIME", b"555 5.5.4"),
        (b"MAIL FROM:<a@b.example> RET=HDRS", b"555 5.5.4"),
        (b"MAIL FROM:<a@b.example> AUTH=<>", b"555 5.5.4"),
        (b"MAIL FROM:<a@b.example> SIZE=1 SIZE=2", b"555 5.5.4"),
        (b"MAIL FROM:<a@b.example> SMTPUTF8=1", b"501 5.5.4"),
        (b"MAIL FROM:<a b@b.example>", b"501 5.1.7"),
        (b"MAIL FROM:<\xe5\xb7\xae@b.example>", b"501 5.1.7"),
        (b"MAIL FROM:<\xff@b.example>", b"501 5.5.4"),
        (b"MAIL FROM:a@b.example", b"501 5.5.4"),
        (b"RCPT TO:<clerk@town.example.jp>", b"503 5.5.1"),
        (b"DATA", b"503 5.5.1"),
        (b"DATA now", b"501 5.5.4"),
        (b"RSET now", b"501 5.5.4"),
        (b"EHLO", b"501 5.5.4"),
        (b"HELO \x07", b"501 5.5.4"),
        (b"EXPN all", b"502 5.5.1"),
        (b"BDAT 5", b"502 5.5.1"),
        (b"AUTH PLAIN", b"502 5.5.1"),
        (b"STARTTLS", b"502 5.5.1"),
        (b"XFORWARD ADDR=192.0.2.9", b"502 5.5.1"),
        (b"GET / HTTP/1.1", b"500 5.5.2"),
        (b"", b"500 5.5.2"),
        (b"NOOP " + b"x" * 3000, b"500 5.5.2"),
        (b"VRFY clerk", b"252 2.5.0"),
        (b"NOOP x", b"250 2.0.0"),
    ],
)
def test_lines_by_themselves(line: bytes, code: bytes) -> None:
    talk = Talk()
    talk.hears(START)
    [reply] = talk.hears(line + b"\r\n")
    assert reply.startswith(code)
    assert talk.envelopes == []
    assert bool(talk.reasons[-1]) == (code[:1] in b"45")


def test_mail_needs_a_greeting_and_comes_once() -> None:
    talk = Talk()
    assert codes(talk.hears(b"MAIL FROM:<a@b.example>\r\n")) == [b"503"]
    talk.hears(START)
    assert codes(talk.hears(b"MAIL FROM:<a@b.example>\r\nMAIL FROM:<c@d.example>\r\n")) == [b"250", b"503"]


@pytest.mark.parametrize("line", [b"NOOP\n", b"MAIL FROM:<a\r@b>\r\n", b"NO\0OP\r\n", b"MAIL FROM:<a@b>\rRCPT TO:<x@y>\n"])
def test_bare_line_ends_in_commands(line: bytes) -> None:
    talk = Talk()
    talk.hears(START)
    assert codes(talk.hears(line)) == [b"500"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("clerk@town.example.jp", b"250"),
        ("CLERK@Town.Example.JP", b"250"),
        ("postmaster", b"250"),
        ("PostMaster", b"250"),
        ("clerk@ext.example", b"550 5.7.1"),
        ("clerk@sub.town.example.jp", b"550 5.7.1"),
        ("clerk@town.example.jp.ext.example", b"550 5.7.1"),
        ("a%ext.example@town.example.jp", b"553 5.1.3"),
        ("ext.example!a@town.example.jp", b"553 5.1.3"),
        ("@town.example.jp:a@ext.example", b"553 5.1.3"),
        ('"a@ext.example"@town.example.jp', b"553 5.1.3"),
        ("a@[127.0.0.1]", b"553 5.1.3"),
        ("a@[IPv6:::1]", b"553 5.1.3"),
        ("clerk@town.example.jp.", b"553 5.1.3"),
        ("clerk@town.example.jp ", b"553 5.1.3"),
        ("clerk@town.example.jp\t", b"553 5.1.3"),
        ("a@ext.example,clerk@town.example.jp", b"553 5.1.3"),
        ("役場@town.example.jp", b"553 5.1.3"),
        ("x" * 250 + "@town.example.jp", b"553 5.1.3"),
        ("root", b"553 5.1.3"),
        ("", b"553 5.1.3"),
    ],
)
@pytest.mark.parametrize("sender", ["", "boss@town.example.jp", "a@ext.example"])
def test_no_relay_in_any_spelling(path: str, code: bytes, sender: str) -> None:
    talk = Talk()
    talk.hears(START)
    talk.hears(f"MAIL FROM:<{sender}>\r\n".encode())
    [reply] = talk.hears(f"RCPT TO:<{path}>\r\n".encode())
    assert reply.startswith(code)
    assert codes(talk.hears(b"DATA\r\n")) == ([b"354"] if code == b"250" else [b"554"])


def test_a_path_after_a_path_is_no_address() -> None:
    talk = Talk()
    talk.hears(START + b"")
    talk.hears(b"MAIL FROM:<>\r\n")
    assert talk.hears(b"RCPT TO:<x@ext.example>@town.example.jp\r\n")[0].startswith(b"501")


def test_recipients_are_counted_once_and_up_to_the_limit() -> None:
    talk = Talk()
    talk.hears(START)
    talk.hears(b"MAIL FROM:<a@b.example>\r\n")
    paths = ["a@town.example.jp", "A@town.example.jp", "a@TOWN.example.jp", "no@ext.example", "b@town.example.jp", "c@town.example.jp"]
    replies = talk.hears("".join(f"RCPT TO:<{path}>\r\n" for path in [*paths, paths[0]]).encode())
    assert [reply[:9] for reply in replies] == [
        b"250 2.1.5", b"250 2.1.5", b"250 2.1.5", b"550 5.7.1", b"250 2.1.5", b"452 4.5.3", b"250 2.1.5",
    ]  # fmt: skip
    talk.hears(b"DATA\r\n")
    assert talk.envelopes[0].recipients == ("a@town.example.jp", "A@town.example.jp", "b@town.example.jp")


# -------------------------------------------------------------------------------------------------------- pipelining


def test_a_group_of_commands_is_answered_in_order() -> None:
    talk = Talk()
    talk.hears(START)
    assert codes(talk.hears(b"NOOP\r\n" + ENVELOPE + b"RCPT TO:<x@ext.example>\r\nDATA\r\n")) == [b"250", b"250", b"250", b"550", b"354"]
    assert codes(talk.hears(b"x\r\n.\r\n" + ENVELOPE + b"DATA\r\n")) == [b"250", b"250", b"250", b"354"]
    assert codes(talk.hears(b".\r\nQUIT\r\n")) == [b"250", b"221"]
    assert talk.stored == [b"x\r\n", b""]


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO c\r\nMAIL FROM:<a@b.example>\r\n",
        b"HELO c\r\nQUIT\r\n",
    ],
)
def test_who_does_not_wait_for_the_greeting_is_sent_away(octets: bytes) -> None:
    talk = Talk()
    assert codes(talk.hears(octets)) == [b"554"]
    assert talk.acts == ["close"]


def test_content_before_354_is_refused_and_nothing_stored() -> None:
    together, later = Talk(), Talk(early=b"Subject: smuggled\r\n.\r\n")
    for talk in (together, later):
        talk.hears(START + b"")
        talk.hears(ENVELOPE)
    assert codes(together.hears(b"DATA\r\nSubject: x\r\n.\r\nQUIT\r\n")) == [b"554"]
    assert codes(later.hears(b"DATA\r\n")) == [b"554"]
    assert (together.acts, later.acts) == (["close"], ["abort", "close"])
    assert together.stored == later.stored == []


@pytest.mark.parametrize(("greeting", "after"), [(b"EHLO c\r\n", b"Subject: x\r\n"), (b"EHLO c\r\n", b"\r\n"), (b"HELO c\r\n", b"RSET\r\n")])
def test_after_the_end_only_commands_of_a_pipelining_client(greeting: bytes, after: bytes) -> None:
    talk = Talk()
    talk.hears(greeting)
    talk.hears(ENVELOPE)
    talk.hears(b"DATA\r\n")
    assert codes(talk.hears(b"x\r\n.\r\n" + after)) == [b"250", b"554"]
    assert talk.acts == ["close"]


def test_pipelining_may_be_free() -> None:
    talk = Talk(ReceiverSettings(strict_pipelining=False))
    assert codes(talk.hears(START + ENVELOPE + b"DATA\r\nx\r\n.\r\nQUIT\r\n")) == [b"250", b"250", b"250", b"354", b"250", b"221"]
    assert talk.stored == [b"x\r\n"]


# ----------------------------------------------------------------------------------------------------------- content


@pytest.mark.parametrize(
    ("content", "reply"),
    [
        (b"x" * 1001, b"552 5.3.4"),
        (b"a\nb", b"550 5.5.2"),
        (b"a\rb", b"550 5.5.2"),
        (b"a\0b", b"550 5.6.0"),
        (b"Received: x\r\n" * 51, b"554 5.4.6"),
        (b"\n" + b"x" * 1001, b"550 5.5.2"),
    ],
)
def test_flaws_are_told_at_the_end_and_the_session_goes_on(content: bytes, reply: bytes) -> None:
    talk = Talk()
    talk.hears(START)
    talk.hears(ENVELOPE + b"DATA\r\n")
    assert talk.hears(content) == []
    assert talk.hears(b"\r\n.\r\n")[0].startswith(reply)
    assert (talk.acts, talk.stored) == (["abort"], [])
    assert codes(talk.hears(ENVELOPE + b"DATA\r\n")) == [b"250", b"250", b"354"]


def test_exactly_the_limit_is_taken() -> None:
    talk = Talk()
    talk.hears(START)
    talk.hears(ENVELOPE + b"DATA\r\n")
    assert codes(talk.hears(b"x" * 998 + b"\r\n.\r\n")) == [b"250"]


def test_a_lie_about_the_size_is_drained_for_a_while_and_then_cut() -> None:
    talk = Talk()
    talk.hears(START)
    talk.hears(b"MAIL FROM:<a@b.example> SIZE=10\r\nRCPT TO:<clerk@town.example.jp>\r\nDATA\r\n")
    heard = 0
    while "close" not in talk.acts:
        assert heard < 2 << 20
        talk.hears(b"x" * 65536)
        heard += 65536
    assert heard > 1 << 20
    assert talk.said[-1].startswith(b"552 5.3.4")
    assert talk.content == b""


@pytest.mark.parametrize("step", ["begin", "write", "commit"])
@pytest.mark.parametrize(("trouble", "reply"), [(Trouble.NOT_NOW, b"451 4.3.0"), (Trouble.FULL, b"452 4.3.1")])
@pytest.mark.parametrize("at_once", [False, True])
def test_our_failures_are_temporary_and_the_session_goes_on(step: str, trouble: Trouble, reply: bytes, at_once: bool) -> None:
    talk = Talk(fails={step: trouble})
    talk.hears(START)
    replies = talk.hears(ENVELOPE + b"DATA\r\n")
    if step != "begin":
        replies = talk.hears(b"x\r\n.\r\n") if at_once else talk.hears(b"x\r\n") + talk.hears(b".\r\n")
    assert replies[-1].startswith(reply)
    talk.fails.clear()
    talk.content, talk.stored = b"", []
    assert codes(talk.hears(ENVELOPE + b"DATA\r\n")) == [b"250", b"250", b"354"]
    assert codes(talk.hears(b"y\r\n.\r\n")) == [b"250"]
    assert talk.stored == [b"y\r\n"]
    assert "close" not in talk.acts


def test_what_can_never_be_taken_is_said_even_when_we_failed_too() -> None:
    talk = Talk(fails={"write": Trouble.FULL})
    talk.hears(START)
    talk.hears(ENVELOPE + b"DATA\r\n")
    talk.hears(b"clean\r\n")
    talk.hears(b"dirty\n")
    assert talk.hears(b"\r\n.\r\n")[0].startswith(b"550 5.5.2")


# -------------------------------------------------------------------------------------------------------------- limits


def test_errors_end_the_session() -> None:
    talk = Talk(ReceiverSettings(most_errors=3))
    talk.hears(START)
    assert codes(talk.hears(b"A\r\nB\r\nC\r\nNOOP\r\n")) == [b"500", b"500", b"500", b"421"]
    assert talk.acts == ["close"]


def test_idle_commands_end_the_session_unless_mail_comes_in_between() -> None:
    talk = Talk(ReceiverSettings(most_idle_commands=3))
    talk.hears(START)
    for _ in range(4):
        talk.hears(b"NOOP\r\nRSET\r\n" + ENVELOPE + b"DATA\r\n")
        talk.hears(b".\r\n")
    assert len(talk.stored) == 4
    assert codes(talk.hears(b"NOOP\r\n" * 4)) == [b"250"] * 3 + [b"421"]


def test_a_line_without_an_end() -> None:
    talk = Talk()
    assert talk.hears(b"x" * 65537)[0].startswith(b"500")
    assert talk.acts == ["close"]
    assert talk.hears(b"x" * 65537) == []


def test_rules_refuse_any_step() -> None:
    later = Reply(450, "4.7.1", "later")
    talk = Talk(rules={("MAIL", ""): later})
    talk.hears(START)
    assert talk.hears(b"MAIL FROM:<a@b.example>\r\n") == [b"450 4.7.1 later\r\n"]
    talk = Talk(rules={(".", ""): Reply(554, "5.7.1", "no")})
    talk.hears(START)
    talk.hears(ENVELOPE + b"DATA\r\n")
    assert talk.hears(b"x\r\n.\r\n") == [b"554 5.7.1 no\r\n"]
    assert (talk.stored, talk.acts) == ([], ["abort"])
    talk = Talk(rules={("RCPT", "clerk@town.example.jp"): HANG_UP})
    talk.hears(START)
    assert codes(talk.hears(ENVELOPE)) == [b"250"]
    assert talk.acts == ["close"]
    talk = Talk(rules={("CONNECT", ""): Reply(554, "5.7.1", "go away")})
    assert (talk.said, talk.acts) == ([b"554 5.7.1 go away\r\n"], ["close"])
    talk = Talk(rules={("DATA", ""): Reply(421, "4.3.2", "bye")})
    talk.hears(START)
    assert codes(talk.hears(ENVELOPE + b"DATA\r\nNOOP\r\n")) == [b"250", b"250", b"421"]


# ---------------------------------------------------------------------------------------------------- TLS, DSN, hops


def test_tls_forgets_what_was_said_in_the_clear() -> None:
    talk = Talk(ReceiverSettings(starttls=True))
    assert b"STARTTLS" in talk.hears(START)[0]
    assert codes(talk.hears(b"STARTTLS\r\n")) == [b"220"]
    assert talk.acts == ["starttls"]
    assert codes(talk.hears(b"MAIL FROM:<a@b.example>\r\n")) == [b"503"]
    assert b"STARTTLS" not in talk.hears(START)[0]
    talk.hears(ENVELOPE + b"DATA\r\n")
    assert talk.envelopes[0].tls


def test_commands_sent_along_with_starttls_are_not_executed() -> None:
    talk = Talk(ReceiverSettings(starttls=True))
    talk.hears(START)
    assert codes(talk.hears(b"STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n")) == [b"554"]
    assert talk.acts == ["close"]


def test_the_wishes_of_rfc_3461_where_they_are_offered() -> None:
    talk = Talk(ReceiverSettings(dsn=True))
    assert b"250-DSN\r\n" in talk.hears(START)[0] or b"250 DSN\r\n" in talk.hears(START)[0]
    talk.hears(b"MAIL FROM:<a@b.example> RET=hdrs ENVID=x+2By\r\n")
    replies = talk.hears(
        b"RCPT TO:<a@town.example.jp> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+40old.example\r\nRCPT TO:<b@town.example.jp>\r\n"
        b"RCPT TO:<c@town.example.jp> NOTIFY=NEVER,SUCCESS\r\nRCPT TO:<d@town.example.jp> ORCPT=a\r\nDATA\r\n"
    )
    assert codes(replies) == [b"250", b"250", b"501", b"501", b"354"]
    for words, code in (("SIZE=1", b"555"), ("NOTIFY=NEVER RET=FULL", b"555"), ("ORCPT=rfc822;a+4", b"501"), ("ORCPT=rfc822;" + "a" * 600, b"501")):
        wrong = Talk(ReceiverSettings(dsn=True))
        wrong.hears(START)
        wrong.hears(b"MAIL FROM:<a@b.example>\r\n")
        assert codes(wrong.hears(f"RCPT TO:<a@town.example.jp> {words}\r\n".encode())) == [code]
    [envelope] = talk.envelopes
    assert envelope.wishes == Wishes("x+y", "HDRS", {"a@town.example.jp": Notify(("SUCCESS", "DELAY"), "rfc822;a+40old.example")})


def test_wishes_that_are_not_offered_are_not_heard() -> None:
    talk = Talk()
    talk.hears(START)
    talk.hears(b"MAIL FROM:<a@b.example>\r\n")
    assert codes(talk.hears(b"RCPT TO:<a@town.example.jp> NOTIFY=NEVER\r\n")) == [b"555"]


def test_a_trusted_hop_does_not_change_its_word_within_a_message() -> None:
    talk = Talk(trusted=True)
    talk.hears(START)
    talk.hears(b"MAIL FROM:<a@b.example>\r\n")
    assert codes(talk.hears(b"XFORWARD ADDR=198.51.100.7\r\n")) == [b"503"]


def test_a_trusted_hop_speaks_for_another_for_one_message() -> None:
    talk = Talk(trusted=True)
    assert b"XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE" in talk.hears(START)[0]
    assert codes(talk.hears(b"XFORWARD NAME=mail.x.example ADDR=IPv6:2001:db8::1\r\nXFORWARD HELO=x.example PORT=[UNAVAILABLE]\r\n")) == [
        b"250", b"250",
    ]  # fmt: skip
    for _ in range(2):
        talk.hears(ENVELOPE + b"DATA\r\n")
        talk.hears(b".\r\n")
    first, second = talk.envelopes
    assert (first.client_ip, first.client_name, first.helo) == ("2001:db8::1", "mail.x.example", "x.example")
    assert (second.client_ip, second.client_name, second.helo) == ("192.0.2.1", "", "c")


@pytest.mark.parametrize("words", [b"", b"ADDR=nonsense", b"WHO=x", b"NAME=a+0D+0Ab", b"ADDR=1.2.3.4 ADDR=1.2.3.4", b"NAME=" + b"x" * 300])
def test_xforward_is_read_strictly(words: bytes) -> None:
    talk = Talk(trusted=True)
    talk.hears(START)
    assert codes(talk.hears(b"XFORWARD " + words + b"\r\n")) == [b"501"]


def test_an_unknown_address_stays_what_we_see() -> None:
    talk = Talk(trusted=True)
    talk.hears(START)
    talk.hears(b"XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]\r\n" + ENVELOPE + b"DATA\r\n")
    assert (talk.envelopes[0].client_ip, talk.envelopes[0].client_name) == ("192.0.2.1", "")


def test_the_end_of_the_shell() -> None:
    talk = Talk()
    talk.hears(START)
    talk.hears(ENVELOPE + b"DATA\r\n")
    talk.receiver.end(Trouble.TOO_SLOW)
    assert codes(talk.hears(b"")) == [b"421"]
    assert talk.acts == ["abort", "close"]
    assert talk.hears(b"NOOP\r\n") == []
