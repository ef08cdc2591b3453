"""What the road speaks about: transfers, their states, deliveries, zones and lanes. Plain data, no I/O."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Final

import msgspec

from sanitizers.model import Kind, Reason, Verdict


class Door(StrEnum):
    """Where a transfer came in."""

    SMTP = "smtp"
    DROP = "drop"
    API = "api"
    CLI = "cli"


class State(StrEnum):
    """Where a transfer stands. `TRANSITIONS` says where it may go from there."""

    RECEIVED = "received"
    PROCESSING = "processing"
    RELEASED = "released"
    HELD = "held"
    BLOCKED = "blocked"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    UNDELIVERABLE = "undeliverable"
    DISPOSED = "disposed"


# Every edge there is. A starred state of a worker (PROCESSING, DELIVERING) is left by its worker, or by its lease running out.
TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    State.RECEIVED: frozenset({State.PROCESSING}),
    State.PROCESSING: frozenset({
        State.RELEASED,
        State.HELD,
        State.BLOCKED,
        State.RECEIVED,         # child or whole service lost: tried again, under a limit
    }),
    State.HELD: frozenset({
        State.PROCESSING,       # password given, rules changed, an operator's word
        State.RELEASED,         # approved
        State.DISPOSED,
    }),
    State.BLOCKED: frozenset({State.DISPOSED}),
    State.RELEASED: frozenset({
        State.DELIVERING,
        State.HELD,             # an operator stops what has not left yet
        State.PROCESSING,       # a password given later opens a part of an upload
        State.DISPOSED,         # retention passed: collected at the pickup, never mailed
    }),
    State.DELIVERING: frozenset({
        State.DELIVERED,
        State.DEFERRED,
        State.UNDELIVERABLE,
        State.RELEASED,         # given back untried
    }),
    State.DEFERRED: frozenset({State.DELIVERING, State.HELD}),
    State.DELIVERED: frozenset({
        State.PROCESSING,       # a password given later opens a part of a mail, which is then sent once more
        State.HELD,             # a file whose share has it is not handed out of its box any more
        State.DISPOSED,
    }),
    State.UNDELIVERABLE: frozenset({
        State.RELEASED,         # an operator sends it again
        State.HELD,             # a file that no share took, and that its box hands out
        State.DISPOSED,
    }),
    State.DISPOSED: frozenset(),
}


class IllegalTransitionError(Exception):
    """A step that the table does not have: a fault of the caller, never of the data's owner."""

    def __init__(self, receipt_no: str, old: State, new: State) -> None:
        super().__init__(f"{receipt_no}: {old} may not become {new}")
        self.old = old
        self.new = new


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A network segment. Names come from the settings; nothing in the code knows a particular one."""

    name: str
    title: str = ""


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """A direction of travel: from one zone to another, by which doors, under which policy, to which destinations."""

    name: str
    source: Zone
    target: Zone
    doors: frozenset[Door] = frozenset(Door)
    policy: str = ""
    destinations: tuple[str, ...] = ()


INBOUND: Final = Lane(name="inbound", source=Zone(name="outer"), target=Zone(name="inner"))


# How others than a mail address or a log-in name stand among the recipients of a transfer: `share:zeimu`, `department:7` (its id: two
# bodies may have departments of one name), `group:2` (a restricted group), `person:tanaka` (担当者限定).
SHARE: Final = "share:"
DEPARTMENT: Final = "department:"
GROUP: Final = "group:"
PERSON: Final = "person:"


class SlipApproval(StrEnum):
    """Whether a file that somebody brought waits for another's word."""

    NONE = ""
    NEEDED = "needed"
    GIVEN = "given"


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """取込み票: what a person says of a file when he brings it. `folder`: its folder where a whole one was brought."""

    purpose: str = ""
    classification: str = ""
    reason: str = ""
    folder: str = ""
    approval: SlipApproval = SlipApproval.NONE


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What policy made of a report. `note`: one line for the operator, never shown to senders."""

    verdict: Verdict
    reason: Reason | None = None
    note: str = ""

    @property
    def state(self) -> State:
        if self.verdict.delivers:
            return State.RELEASED
        return State.BLOCKED if self.verdict is Verdict.BLOCKED else State.HELD


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The rebuilt file of a transfer, in the blob store under its SHA-256."""

    name: str
    size: int
    sha256: str
    kind: Kind


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What a door knows about a transfer when its bytes are durable. Times are seconds since 1970, sizes bytes."""

    door: Door
    name: str
    size: int
    sha256: str
    received_at: float
    sender: str = ""
    recipients: tuple[str, ...] = ()
    organisation: str = ""
    lane: str = INBOUND.name
    client: str = ""                # address of who handed it in
    smtputf8: bool = False
    wishes: str = ""                # what the sender wants to hear (RFC 3461), in the post's own writing
    slip: Slip | None = None        # of an upload


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One mail or one upload on its way. `sender` and `recipients` are the envelope's; what a header says stands in the report."""

    id: int
    receipt_no: str
    organisation: str
    lane: str
    door: Door
    state: State
    verdict: Verdict | None
    reason: Reason | None
    received_at: float
    changed_at: float
    sender: str
    recipients: tuple[str, ...]
    message_id: str | None
    subject: str | None
    name: str
    size: int
    sha256: str
    blob: str | None                # None once it was disposed of
    result: Result | None
    attempts: int
    client: str
    smtputf8: bool
    policy: str
    rules: str
    note: str

    @property
    def at_rest(self) -> bool:
        """Nobody works on it and no mail of it is about to leave: a password may open more of it."""
        return self.state in (State.HELD, State.DELIVERED) or (self.state is State.RELEASED and self.door is not Door.SMTP)

    @property
    def can_be_stopped(self) -> bool:
        """Whether there is something that has not left: a mail that was sent is gone, a file stays in its box when its share has it."""
        ended = self.state in (State.DELIVERED, State.UNDELIVERABLE)
        return State.HELD in TRANSITIONS[self.state] and not (ended and self.door is Door.SMTP)

    def listed(self) -> dict[str, object]:
        """The line of `sekisho transfer list --json` (contracts.md §4)."""
        return {
            "receipt_no": self.receipt_no,
            "door": self.door,
            "state": self.state,
            "verdict": self.verdict,
            "reason": self.reason,
            "received_at": rfc3339(self.received_at),
            "sender": self.sender,
            "recipients": list(self.recipients),
            "message_id": self.message_id,
            "size": self.size,
            "sha256": self.sha256,
            "name": self.name,
            "subject": self.subject,
            "organisation": self.organisation,
            "lane": self.lane,
            "attempts": self.attempts,
            "policy": self.policy,
            "rules": self.rules,
            "note": self.note,
        }


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer in the hands of one worker until `lease_until`. Every write of that worker carries the token."""

    transfer: Transfer
    token: str
    lease_until: float


class RecipientState(StrEnum):
    """Where one recipient of one delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    STOPPED = "stopped"             # an operator stopped it; release starts it again


class Purpose(StrEnum):
    """What a delivery carries."""

    MAIL = "mail"                   # the transfer itself
    SHARE = "share"                 # the transfer itself, as a file for a share
    BOX = "box"                     # the transfer itself, as a file for boxes of the inner side, where that is another installation
    NOTICE = "notice"               # that it is held or blocked, to its recipients
    DIGEST = "digest"               # what is held for one recipient, with others of that time
    BOUNCE = "bounce"               # that it could not be delivered, to its sender
    RECALL = "recall"               # that something was found in it later, to the inner side, which keeps back what is still there

    @property
    def carries_transfer(self) -> bool:
        """The transfer's state follows this delivery."""
        return self in CARRYING


CARRYING: Final = (Purpose.MAIL, Purpose.SHARE, Purpose.BOX)


class Way(msgspec.Struct, frozen=True):
    """Who takes which deliveries out. `hold`: seconds that what carries a transfer waits first, so that a person can still stop it."""

    purposes: frozenset[Purpose]
    hold: float = 0.0


BY_POST: Final = frozenset({Purpose.MAIL, Purpose.NOTICE, Purpose.DIGEST, Purpose.BOUNCE})
TO_SHARES: Final = frozenset({Purpose.SHARE})
# Where the inner side is another installation: all that goes there, and what alone goes by post on this side.
ACROSS: Final = frozenset({Purpose.MAIL, Purpose.SHARE, Purpose.BOX, Purpose.NOTICE, Purpose.DIGEST, Purpose.RECALL})
BOUNCES: Final = frozenset({Purpose.BOUNCE})


class Addressee(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient of a delivery and what became of it. `due`: when it may be tried next."""

    address: str
    state: RecipientState = RecipientState.WAITING
    attempts: int = 0
    due: float | None = None
    code: int = 0
    enhanced: str = ""
    text: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one or more recipients of the next hop. While claimed, `token` is set and only due recipients are in it."""

    id: int
    transfer_id: int
    receipt_no: str
    purpose: Purpose
    sender: str
    blob: str
    size: int
    smtputf8: bool
    first_at: float
    recipients: tuple[Addressee, ...]
    wishes: str = ""                # of the mail itself: what its sender wants to hear (RFC 3461)
    token: str = ""


def day_of(at: float) -> str:
    """`YYYYMMDD` of a moment in the installation's own time zone, as receipt numbers begin."""
    return dt.datetime.fromtimestamp(at, dt.UTC).astimezone().strftime("%Y%m%d")


def rfc3339(at: float) -> str:
    """A moment with its offset, to the millisecond: `2026-11-20T09:00:00.000+09:00`."""
    return dt.datetime.fromtimestamp(at, dt.UTC).astimezone().isoformat(timespec="milliseconds")
