"""The receiver of one SMTP session as a pure state machine: octets in, actions out. RFC 5321, 1870, 2034, 2920, 3207, 3461, 6152, 6531.

The shell (`mail.session`) feeds it what the client sent, takes one action at a time, does it, and reports back where an action has
an outcome. Nothing here waits, opens or remembers a message.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mail import parameters, transaction
from mail.actions import Act, Action, Begin, Send, Write
from mail.data import DataReader, Flaw
from mail.replies import HANG_UP, Reply, Trouble, gravest
from mail.transaction import Transaction

_LONGEST_LINE: Final = 2048
_MOST_UNREAD: Final = 1 << 16
_DRAINED: Final = 1 << 20
_FLAWS: Final = {
    Flaw.BARE_NEWLINE: Trouble.BARE_NEWLINE,
    Flaw.NUL: Trouble.NUL,
    Flaw.TOO_LARGE: Trouble.TOO_LARGE,
    Flaw.LOOP: Trouble.LOOP,
}

Ask = Callable[[str, str], Reply | None]


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """`size_limit` in octets. `postmaster_domain`: where `<postmaster>` without a domain goes.

    `strict_pipelining`: a client that speaks where it has to wait is sent away. `dsn`: offer RFC 3461; only where its wishes are
    kept.
    """

    hostname: str = "localhost"
    size_limit: int = 20 << 20
    max_recipients: int = 1000
    refuse_bare_newlines: bool = True
    strict_pipelining: bool = True
    most_hops: int = 50
    most_errors: int = 20
    most_idle_commands: int = 100
    starttls: bool = False
    dsn: bool = False
    postmaster_domain: str = ""


class _Phase(Enum):
    COMMAND = "command"
    OPENING = "opening"
    DATA = "data"
    COMMITTING = "committing"
    SECURING = "securing"
    OVER = "over"


class Receiver:
    """One session.

    `ask(verb, address)` is asked before each step: CONNECT, a verb, RCPT with its address, `.` at the end of the content. A reply
    refuses the step in its place (a 421 ends the session, HANG_UP without a word); None lets it happen. `trusted`: this client may
    speak for others.
    """

    def __init__(self, settings: ReceiverSettings, client_ip: str, ask: Ask, *, trusted: bool = False) -> None:
        self._settings = settings
        self._client = {"ADDR": client_ip, "NAME": ""}
        self._ask = ask
        self._tls = False
        self._trusted = trusted
        self._unread = bytearray()
        self._actions: deque[Action] = deque()
        self._phase = _Phase.COMMAND
        self._helo: str | None = None
        self._esmtp = False
        self._forwarded: dict[str, str] = {}
        self._errors = 0
        self._idle_commands = 0
        self._after_content = False
        self._transaction: Transaction | None = None
        if self._refused_by_rule("CONNECT"):
            self._close()
        else:
            self._actions.append(Send(f"220 {settings.hostname} ESMTP\r\n".encode()))

    # ------------------------------------------------------------------------------------------------- for the shell

    @property
    def in_data(self) -> bool:
        """Content is expected: a minimum rate applies."""
        return self._phase is _Phase.DATA

    @property
    def idle(self) -> bool:
        """Between transactions: the session may be ended without losing anything."""
        return self._phase is _Phase.COMMAND and self._transaction is None

    def receive(self, octets: bytes) -> None:
        """What the client sent."""
        if self._phase is not _Phase.OVER:
            self._unread += octets

    def next(self) -> Action | None:
        """The next thing to do; None when the client must speak, or an outcome is awaited."""
        while not self._actions and self._step():
            pass
        return self._actions.popleft() if self._actions else None

    def begun(self) -> None:
        """The incoming message is open."""
        if self._spoke_early():
            self._actions.append(Act.ABORT)
            return self._end_with(Trouble.EARLY_DATA)
        assert self._transaction is not None
        self._phase = _Phase.DATA
        limit, refuse, hops = self._settings.size_limit, self._settings.refuse_bare_newlines, self._settings.most_hops
        self._transaction.data = DataReader(limit, refuse_bare_newlines=refuse, most_hops=hops)
        return self._say(Trouble.GO_AHEAD.value)

    def committed(self, receipt_no: str) -> None:
        """The message is durable."""
        self._phase, self._transaction, self._idle_commands = _Phase.COMMAND, None, 0
        self._say(Trouble.QUEUED.value, receipt_no)

    def refused(self, trouble: Trouble) -> None:
        """Begin, Write or Commit failed. Inside the content the client is told only after its end (RFC 5321 4.2.5)."""
        if self._phase is _Phase.DATA:
            assert self._transaction is not None
            self._transaction.broken = self._transaction.broken or trouble
            return
        self._phase = _Phase.COMMAND
        self._transaction = None
        self._say(trouble.value)

    def secured(self) -> None:
        """TLS stands: everything before it is forgotten (RFC 3207 4.2)."""
        self._tls = True
        self._helo = None
        self._unread.clear()
        self._transaction = None
        self._phase = _Phase.COMMAND

    def end(self, trouble: Trouble) -> None:
        """The shell ends the session: time-out, too slow, closing."""
        if self._phase is _Phase.DATA:
            self._actions.append(Act.ABORT)
        self._end_with(trouble)

    # ------------------------------------------------------------------------------------------------------- steps

    def _step(self) -> bool:
        """One line or one block. False when nothing can be done with what there is."""
        if self._phase is _Phase.DATA:
            return self._read_content()
        if self._phase is not _Phase.COMMAND:
            return False
        end = self._unread.find(b"\n")
        if end < 0:
            if len(self._unread) > _MOST_UNREAD:
                self._end_with(Trouble.LINE_TOO_LONG)
            return False
        line = bytes(self._unread[: end + 1])
        del self._unread[: end + 1]
        self._command(line)
        return True

    def _read_content(self) -> bool:
        """The end is judged in a step of its own: by then it is known whether the last block could be written."""
        current = self._transaction
        assert current is not None
        data = current.data
        assert data is not None
        if data.done:
            self._finish(current, data)
            return True
        if not self._unread:
            return False
        content = data.feed(bytes(self._unread))
        self._unread.clear()
        if content and not data.flaws and current.broken is None:
            self._actions.append(Write(content))
        if not data.done and data.size > self._settings.size_limit + _DRAINED:
            # Enough was drained: whoever goes on sending does not want to hear.
            self.end(Trouble.TOO_LARGE)
        return True

    def _finish(self, current: Transaction, data: DataReader) -> None:
        self._unread += data.leftover
        self._after_content = bool(data.leftover)
        troubles = [_FLAWS[flaw] for flaw in data.flaws] + ([current.broken] if current.broken else [])
        answer = self._ask(".", "") if not troubles else gravest(troubles).value
        if answer is None:
            self._phase = _Phase.COMMITTING
            self._actions.append(Act.COMMIT)
            return
        self._actions.append(Act.ABORT)
        self._phase = _Phase.COMMAND
        self._transaction = None
        self._say(answer)

    def _command(self, line: bytes) -> None:
        pipelined, self._after_content = self._after_content, False
        if pipelined and self._settings.strict_pipelining and not (self._esmtp and _verb(line) in self._VERBS):
            # After the end of one message only commands may follow: anything else is a message that somebody wanted to be two.
            self._end_with(Trouble.EARLY_DATA)
        elif len(line) > _LONGEST_LINE:
            self._say(Trouble.LINE_TOO_LONG.value)
        elif not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            self._say(Trouble.BARE_NEWLINE_COMMAND.value)
        else:
            self._dispatch(line[:-2])

    def _dispatch(self, line: bytes) -> None:
        verb = _verb(line)
        handler = self._VERBS.get(verb)
        if handler is None:
            return self._say(Trouble.UNKNOWN_COMMAND.value)
        try:
            rest = line.decode("utf-8").partition(" ")[2]
        except UnicodeDecodeError:
            return self._say(Trouble.SYNTAX.value)
        if verb != b"RCPT" and self._refused_by_rule(verb.decode()):
            return None
        return handler(self, rest)

    # ------------------------------------------------------------------------------------------------------ commands

    def _ehlo(self, name: str) -> None:
        if not self._greeted(name, esmtp=True):
            return
        settings = self._settings
        lines = [settings.hostname, "PIPELINING", f"SIZE {settings.size_limit}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        lines += ["DSN"] if settings.dsn else []
        lines += ["STARTTLS"] if settings.starttls and not self._tls else []
        lines += [f"XFORWARD {' '.join(parameters.XFORWARD_NAMES)}"] if self._trusted else []
        words = [f"250-{line}\r\n" for line in lines[:-1]] + [f"250 {lines[-1]}\r\n"]
        self._actions.append(Send("".join(words).encode()))

    def _hello(self, name: str) -> None:
        if self._greeted(name, esmtp=False):
            self._actions.append(Send(f"250 {self._settings.hostname}\r\n".encode()))

    def _greeted(self, name: str, *, esmtp: bool) -> bool:
        name = name.strip()
        if self._spoke_early():
            self._end_with(Trouble.EARLY_DATA)
            return False
        if not name or len(name) > 255 or not name.isprintable():
            self._say(Trouble.SYNTAX.value)
            return False
        self._helo, self._esmtp = name, esmtp
        self._transaction = None
        return True

    def _mail(self, rest: str) -> None:
        if self._helo is None or self._transaction is not None:
            return self._say(Trouble.BAD_SEQUENCE.value)
        opened = transaction.opened(rest, size_limit=self._settings.size_limit, dsn=self._settings.dsn)
        if isinstance(opened, Trouble):
            return self._say(opened.value)
        self._transaction = opened
        return self._say(Trouble.SENDER_OK.value)

    def _rcpt(self, rest: str) -> None:
        current, settings = self._transaction, self._settings
        if current is None:
            return self._say(Trouble.BAD_SEQUENCE.value)
        utf8, domain = current.mail.smtputf8, settings.postmaster_domain
        read = transaction.recipient(rest, smtputf8=utf8, postmaster_domain=domain, dsn=settings.dsn)
        if isinstance(read, Trouble):
            return self._say(read.value)
        if self._refused_by_rule("RCPT", read[0]):
            return None
        if read[0] not in current.recipients and len(current.recipients) >= settings.max_recipients:
            return self._say(Trouble.TOO_MANY_RECIPIENTS.value)
        current.recipients.setdefault(*read)
        return self._say(Trouble.RECIPIENT_OK.value)

    def _start_data(self, rest: str) -> None:
        current = self._transaction
        if rest or current is None:
            return self._say(Trouble.SYNTAX.value if rest else Trouble.BAD_SEQUENCE.value)
        if not current.recipients:
            return self._say(Trouble.NO_RECIPIENTS.value)
        if self._spoke_early():
            # DATA ends a group (RFC 2920 3.1): content that is already here was meant for a server with other ears.
            return self._end_with(Trouble.EARLY_DATA)
        self._phase = _Phase.OPENING
        # XFORWARD speaks for one message only (Postfix XFORWARD_README).
        client, self._forwarded = self._client | {"HELO": self._helo or ""} | self._forwarded, {}
        return self._actions.append(Begin(current.envelope(client, tls=self._tls)))

    def _xforward(self, rest: str) -> None:
        if not self._trusted:
            return self._not_here(rest)
        if self._transaction is not None:
            return self._say(Trouble.BAD_SEQUENCE.value)
        said = parameters.of_xforward(rest)
        if said is None:
            return self._say(Trouble.SYNTAX.value)
        # What the hop does not know either stays what we see ourselves, but for a name, which would be the hop's own.
        self._forwarded |= {key: value for key, value in said.items() if value or key == "NAME"}
        return self._say(Trouble.OK.value)

    def _rset(self, rest: str) -> None:
        if rest:
            return self._say(Trouble.SYNTAX.value)
        self._transaction = None
        return self._harmless(Trouble.OK)

    def _noop(self, _: str) -> None:
        self._harmless(Trouble.OK)

    def _vrfy(self, _: str) -> None:
        self._harmless(Trouble.CANNOT_VERIFY)

    def _not_here(self, _: str) -> None:
        self._say(Trouble.NO_SUCH_COMMAND.value)

    def _harmless(self, trouble: Trouble) -> None:
        self._idle_commands += 1
        if self._idle_commands > self._settings.most_idle_commands:
            return self._end_with(Trouble.TOO_MANY_ERRORS)
        return self._say(trouble.value)

    def _starttls(self, rest: str) -> None:
        if not self._settings.starttls or self._tls:
            return self._not_here(rest)
        if rest or self._unread:
            # Commands sent along in the clear would be executed as if they had come under TLS (CVE-2011-0411).
            return self._end_with(Trouble.EARLY_DATA)
        self._phase = _Phase.SECURING
        return self._actions.extend([Send(Trouble.READY_FOR_TLS.value.line()), Act.STARTTLS])

    def _quit(self, _: str) -> None:
        self._end_with(Trouble.BYE)

    _VERBS: Final[dict[bytes, Callable[[Receiver, str], None]]] = {
        b"EHLO": _ehlo,
        b"HELO": _hello,
        b"MAIL": _mail,
        b"RCPT": _rcpt,
        b"DATA": _start_data,
        b"RSET": _rset,
        b"NOOP": _noop,
        b"VRFY": _vrfy,
        b"QUIT": _quit,
        b"STARTTLS": _starttls,
        b"XFORWARD": _xforward,
        **dict.fromkeys((b"AUTH", b"BDAT", b"EXPN", b"HELP", b"TURN", b"ETRN", b"XCLIENT"), _not_here),
    }

    # -------------------------------------------------------------------------------------------------------- small

    def _spoke_early(self) -> bool:
        return bool(self._unread) and self._settings.strict_pipelining

    def _refused_by_rule(self, verb: str, recipient: str = "") -> bool:
        answer = self._ask(verb, recipient)
        if answer is not None:
            self._say(answer)
        return answer is not None

    def _say(self, reply: Reply, more: str = "") -> None:
        if reply is HANG_UP:
            return self._close()
        self._actions.append(Send(reply.line(more), reply.reason))
        if reply.code == 421:
            return self._close()
        if reply.code >= 500:
            self._errors += 1
            if self._errors == self._settings.most_errors:
                self._end_with(Trouble.TOO_MANY_ERRORS)
        return None

    def _end_with(self, trouble: Trouble) -> None:
        self._phase = _Phase.OVER
        self._actions.append(Send(trouble.value.line(), trouble.value.reason))
        self._close()

    def _close(self) -> None:
        self._phase = _Phase.OVER
        self._unread.clear()
        self._actions.append(Act.CLOSE)


def _verb(line: bytes) -> bytes:
    return line.rstrip(b"\r\n").partition(b" ")[0].upper()
