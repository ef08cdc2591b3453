"""The receiver of one SMTP session as a pure state machine: octets in, actions out. RFC 5321, 1870, 2034, 2920, 3207, 6152, 6531.

The shell (`mail.server`) feeds it what the client sent, takes one action at a time, does it, and reports back where an action has an outcome.
Nothing here waits, opens or remembers a message.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mail import address
from mail.data import DataReader, Flaw
from mail.envelope import Envelope
from mail.replies import Trouble

_LONGEST_LINE: Final = 2048
_MOST_UNREAD: Final = 1 << 16
_DRAINED: Final = 1 << 20
_FLAWS: Final = {
    Flaw.BARE_NEWLINE: Trouble.BARE_NEWLINE,
    Flaw.NUL: Trouble.NUL,
    Flaw.TOO_LARGE: Trouble.TOO_LARGE,
    Flaw.LOOP: Trouble.LOOP,
}


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """`size_limit` in octets. `postmaster_domain`: where `<postmaster>` without a domain goes."""

    hostname: str = "localhost"
    size_limit: int = 20 << 20
    max_recipients: int = 1000
    refuse_bare_newlines: bool = True
    most_hops: int = 50
    most_errors: int = 20
    most_idle_commands: int = 100
    starttls: bool = False
    postmaster_domain: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    """Write these octets to the client."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Begin:
    """Open an incoming message; report with `begun` or `refused`."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Write:
    """The next content of the incoming message; report a failure with `refused`."""

    content: bytes


class Act(Enum):
    """Actions without a value. COMMIT: report with `committed` or `refused`. STARTTLS: report with `secured`."""

    COMMIT = "commit"
    ABORT = "abort"
    CLOSE = "close"
    STARTTLS = "starttls"


Action = Send | Begin | Write | Act


class _Phase(Enum):
    COMMAND = "command"
    OPENING = "opening"
    DATA = "data"
    COMMITTING = "committing"
    SECURING = "securing"
    OVER = "over"


class Receiver:
    """One session. `accepts` says whether a recipient address is ours."""

    def __init__(self, settings: ReceiverSettings, client_ip: str, accepts: Callable[[str], bool], *, tls: bool = False) -> None:
        self._settings = settings
        self._client_ip = client_ip
        self._accepts = accepts
        self._tls = tls
        self._unread = bytearray()
        self._actions: list[Action] = [Send(f"220 {settings.hostname} ESMTP\r\n".encode())]
        self._phase = _Phase.COMMAND
        self._helo: str | None = None
        self._errors = 0
        self._idle_commands = 0
        self._broken: Trouble | None = None
        self._data: DataReader | None = None
        self._sender: str | None = None
        self._recipients: dict[str, None] = {}
        self._size, self._eight_bit, self._smtputf8 = 0, False, False

    # ------------------------------------------------------------------------------------------------- for the shell

    @property
    def in_data(self) -> bool:
        """Content is expected: a minimum rate applies."""
        return self._phase is _Phase.DATA

    @property
    def idle(self) -> bool:
        """Between transactions: the session may be ended without losing anything."""
        return self._phase is _Phase.COMMAND and self._sender is None

    def receive(self, octets: bytes) -> None:
        """What the client sent."""
        if self._phase is not _Phase.OVER:
            self._unread += octets

    def next(self) -> Action | None:
        """The next thing to do; None when the client must speak, or an outcome is awaited."""
        while not self._actions and self._step():
            pass
        return self._actions.pop(0) if self._actions else None

    def begun(self) -> None:
        """The incoming message is open."""
        self._phase = _Phase.DATA
        self._data = DataReader(
            self._settings.size_limit,
            refuse_bare_newlines=self._settings.refuse_bare_newlines,
            most_hops=self._settings.most_hops,
        )
        self._say(Trouble.GO_AHEAD)

    def committed(self, receipt_no: str) -> None:
        """The message is durable."""
        self._phase = _Phase.COMMAND
        self._reset()
        self._say(Trouble.QUEUED, receipt_no)

    def refused(self, trouble: Trouble) -> None:
        """Begin, Write or Commit failed. Inside the content the client is told only after its end (RFC 5321 4.2.5)."""
        if self._phase is _Phase.DATA:
            self._broken = self._broken or trouble
            return
        self._phase = _Phase.COMMAND
        self._reset()
        self._say(trouble)

    def secured(self) -> None:
        """TLS stands: everything before it is forgotten (RFC 3207 4.2)."""
        self._tls = True
        self._helo = None
        self._unread.clear()
        self._reset()
        self._phase = _Phase.COMMAND

    def end(self, trouble: Trouble) -> None:
        """The shell ends the session: time-out, too many connections, closing."""
        if self._phase is _Phase.DATA:
            self._actions.append(Act.ABORT)
        self._say(trouble)
        self._close()

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
                self.end(Trouble.LINE_TOO_LONG)
            return False
        line = bytes(self._unread[: end + 1])
        del self._unread[: end + 1]
        self._command(line)
        return True

    def _read_content(self) -> bool:
        if not self._unread or self._data is None:
            return False
        content = self._data.feed(bytes(self._unread))
        self._unread.clear()
        if self._data.flaw is None and self._broken is None and content:
            self._actions.append(Write(content))
        if self._data.done:
            self._unread += self._data.leftover
            self._finish(self._data)
        elif self._data.size > self._settings.size_limit + _DRAINED:
            # Enough was drained: whoever goes on sending does not want to hear.
            self._actions.append(Act.ABORT)
            self._say(Trouble.TOO_LARGE)
            self._close()
        return True

    def _finish(self, data: DataReader) -> None:
        trouble = self._broken or (_FLAWS[data.flaw] if data.flaw is not None else None)
        if trouble is None:
            self._phase = _Phase.COMMITTING
            self._actions.append(Act.COMMIT)
            return
        self._actions.append(Act.ABORT)
        self._phase = _Phase.COMMAND
        self._reset()
        self._say(trouble)

    def _command(self, line: bytes) -> None:
        if len(line) > _LONGEST_LINE:
            self._say(Trouble.LINE_TOO_LONG)
        elif not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            self._say(Trouble.BARE_NEWLINE_COMMAND)
        else:
            self._dispatch(line[:-2])

    def _dispatch(self, line: bytes) -> None:
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            return self._say(Trouble.SYNTAX)
        verb, _, rest = text.partition(" ")
        handler = self._VERBS.get(verb.upper())
        return handler(self, rest) if handler is not None else self._say(Trouble.UNKNOWN_COMMAND)

    # ------------------------------------------------------------------------------------------------------ commands

    def _ehlo(self, name: str) -> None:
        if not self._greeted(name):
            return
        lines = [self._settings.hostname, "PIPELINING", f"SIZE {self._settings.size_limit}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if self._settings.starttls and not self._tls:
            lines.append("STARTTLS")
        words = [f"250{' ' if line is lines[-1] else '-'}{line}\r\n" for line in lines]
        self._actions.append(Send("".join(words).encode()))

    def _hello(self, name: str) -> None:
        if self._greeted(name):
            self._actions.append(Send(f"250 {self._settings.hostname}\r\n".encode()))

    def _greeted(self, name: str) -> bool:
        name = name.strip()
        if not name or len(name) > 255 or not name.isprintable():
            self._say(Trouble.SYNTAX)
            return False
        self._helo = name
        self._reset()
        return True

    def _mail(self, rest: str) -> None:
        if self._helo is None or self._sender is not None:
            return self._say(Trouble.BAD_SEQUENCE)
        parsed = address.argument(rest, "FROM:")
        if parsed is None:
            return self._say(Trouble.SYNTAX)
        path, words = parsed
        parameters = _parameters(words)
        if parameters is None or not parameters.keys() <= {"SIZE", "BODY", "SMTPUTF8"}:
            return self._say(Trouble.UNKNOWN_PARAMETER)
        if not self._take_parameters(parameters):
            return None
        if path and address.split(path, smtputf8=self._smtputf8) is None:
            return self._say(Trouble.BAD_SENDER)
        self._sender = path
        return self._say(Trouble.SENDER_OK)

    def _take_parameters(self, parameters: dict[str, str]) -> bool:
        size, body = parameters.get("SIZE", "0"), parameters.get("BODY", "7BIT").upper()
        if not size.isascii() or not size.isdigit() or len(size) > 20 or body not in ("7BIT", "8BITMIME") or parameters.get("SMTPUTF8"):
            self._say(Trouble.SYNTAX)
            return False
        if int(size) > self._settings.size_limit:
            self._say(Trouble.TOO_LARGE)
            return False
        self._size, self._eight_bit, self._smtputf8 = int(size), body == "8BITMIME", "SMTPUTF8" in parameters
        return True

    def _rcpt(self, rest: str) -> None:
        if self._sender is None:
            return self._say(Trouble.BAD_SEQUENCE)
        parsed = address.argument(rest, "TO:")
        if parsed is None:
            return self._say(Trouble.SYNTAX)
        path, words = parsed
        if words:
            return self._say(Trouble.UNKNOWN_PARAMETER)
        if path.lower() == "postmaster" and self._settings.postmaster_domain:
            path = f"{path}@{self._settings.postmaster_domain}"
        if address.split(path, smtputf8=self._smtputf8) is None:
            return self._say(Trouble.BAD_RECIPIENT)
        if not self._accepts(path):
            return self._say(Trouble.NO_RELAY)
        if path not in self._recipients:
            if len(self._recipients) >= self._settings.max_recipients:
                return self._say(Trouble.TOO_MANY_RECIPIENTS)
            self._recipients[path] = None
        return self._say(Trouble.RECIPIENT_OK)

    def _start_data(self, rest: str) -> None:
        if rest or self._sender is None:
            return self._say(Trouble.SYNTAX if rest else Trouble.BAD_SEQUENCE)
        if not self._recipients:
            return self._say(Trouble.NO_RECIPIENTS)
        if self._unread:
            # DATA ends a group (RFC 2920 3.1): content that is already here was meant for a server with other ears.
            self._say(Trouble.EARLY_DATA)
            return self._close()
        self._phase = _Phase.OPENING
        envelope = Envelope(
            sender=self._sender,
            recipients=tuple(self._recipients),
            client_ip=self._client_ip,
            helo=self._helo or "",
            tls=self._tls,
            size=self._size,
            eight_bit=self._eight_bit,
            smtputf8=self._smtputf8,
        )
        return self._actions.append(Begin(envelope))

    def _rset(self, rest: str) -> None:
        if rest:
            return self._say(Trouble.SYNTAX)
        self._reset()
        return self._harmless(Trouble.OK)

    def _noop(self, _: str) -> None:
        self._harmless(Trouble.OK)

    def _vrfy(self, _: str) -> None:
        self._harmless(Trouble.CANNOT_VERIFY)

    def _not_here(self, _: str) -> None:
        self._say(Trouble.NO_SUCH_COMMAND)

    def _harmless(self, trouble: Trouble) -> None:
        self._idle_commands += 1
        if self._idle_commands > self._settings.most_idle_commands:
            return self.end(Trouble.TOO_MANY_ERRORS)
        return self._say(trouble)

    def _starttls(self, rest: str) -> None:
        if not self._settings.starttls or self._tls:
            return self._say(Trouble.NO_SUCH_COMMAND)
        if rest or self._unread:
            # Commands sent along in the clear would be executed as if they had come under TLS (CVE-2011-0411).
            self._say(Trouble.EARLY_DATA)
            return self._close()
        self._phase = _Phase.SECURING
        self._actions += [Send(Trouble.READY_FOR_TLS.value.line()), Act.STARTTLS]
        return None

    def _quit(self, _: str) -> None:
        self._say(Trouble.BYE)
        self._close()

    _VERBS: Final[dict[str, Callable[[Receiver, str], None]]] = {
        "EHLO": _ehlo,
        "HELO": _hello,
        "MAIL": _mail,
        "RCPT": _rcpt,
        "DATA": _start_data,
        "RSET": _rset,
        "NOOP": _noop,
        "VRFY": _vrfy,
        "QUIT": _quit,
        "STARTTLS": _starttls,
        "AUTH": _not_here,
        "BDAT": _not_here,
        "EXPN": _not_here,
        "HELP": _not_here,
        "TURN": _not_here,
        "ETRN": _not_here,
    }

    # -------------------------------------------------------------------------------------------------------- small

    def _reset(self) -> None:
        self._sender = None
        self._recipients = {}
        self._size, self._eight_bit, self._smtputf8 = 0, False, False
        self._broken = None
        self._data = None

    def _say(self, trouble: Trouble, more: str = "") -> None:
        reply = trouble.value
        self._actions.append(Send(reply.line(more)))
        if reply.code >= 500:
            self._errors += 1
            if self._errors == self._settings.most_errors:
                self._actions.append(Send(Trouble.TOO_MANY_ERRORS.value.line()))
                self._close()

    def _close(self) -> None:
        self._phase = _Phase.OVER
        self._unread.clear()
        self._actions.append(Act.CLOSE)


def _parameters(words: str) -> dict[str, str] | None:
    """ESMTP parameters by upper-cased keyword; None for one that is written twice or wrongly."""
    found: dict[str, str] = {}
    for word in words.split():
        key, _, value = word.partition("=")
        if not key.isascii() or not key.replace("-", "").isalnum() or key.upper() in found:
            return None
        found[key.upper()] = value
    return found
