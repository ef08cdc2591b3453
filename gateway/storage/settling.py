"""How the work on a transfer ends, and what an operator may do with it: every function runs inside the writer's transaction."""

from __future__ import annotations

import zlib
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gateway.model import SHARE, Claim, Decision, Door, IllegalTransitionError, Purpose, Result, State, Transfer
from gateway.storage import copies, deliveries, evidence, exceptions, ledger, results, rule_matches, senders, slips, text_search, transfers
from gateway.storage.blobs import Blob
from gateway.storage.search import blob_in_use
from gateway.storage.senders import Stop
from gateway.storage.tables import password_tries, reports
from gateway.storage.tables import transfers as transfers_table
from sanitizers.findings import CODES
from sanitizers.model import BLOCKING_REASONS, Action, Finding, Reason, Report, Verdict

_COMPRESSION: Final = 3
_STOPPED: Final = CODES["road.sender_stopped"]
# Made here and not where it is used, which is in threads (gateway.structs).
_REPORTS: Final = msgspec.json.Decoder(Report)
_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite_insert, "postgresql": postgresql_insert}


# A file whose import somebody else has to approve: rebuilt, and ready to go.
AWAITING_APPROVAL: Final = Decision(verdict=Verdict.HELD, reason=Reason.POLICY, note="取込みの承認待ち / waits for approval")
SENDER_STOPPED: Final = Decision(verdict=Verdict.HELD, reason=Reason.POLICY, note=senders.NOTE)


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How the work on a claim ended. `packed`: the report by `pack`; `receipt`: the signed receipt of a delivery."""

    decision: Decision
    policy: str = ""
    rules: str = ""
    packed: bytes | None = None
    result: Result | None = None
    receipt: str | None = None
    message_id: str | None = None
    subject: str | None = None
    matches: frozenset[str] = frozenset()       # rules that matched somewhere in it
    names: tuple[str, ...] = ()                 # of the parts in it
    key: str = ""                               # under which its result may be given again; empty: never
    reused: bool = False                        # its result is one of before
    exceptions: tuple[str, ...] = ()            # numbers of those that it went by


class NotAllowedError(Exception):
    """An operator asked for what nobody may do; one line."""


def pack(report: Report) -> bytes:
    """A report as the journal keeps it."""
    return zlib.compress(msgspec.json.encode(report), _COMPRESSION)


def unpack(packed: bytes) -> Report:
    return _REPORTS.decode(zlib.decompress(packed))


def report_of(connection: Connection, transfer_id: int) -> tuple[Report | None, str | None]:
    """The last report of a transfer and the receipt of its delivery."""
    row = connection.execute(select(reports).where(reports.c.transfer_id == transfer_id)).one_or_none()
    if row is None:
        return None, None
    return (unpack(row.report) if row.report is not None else None), row.receipt


def settle(connection: Connection, claim: Claim, settlement: Settlement, at: float, *, anew: bool = False) -> Decision:
    """The decision, what it rests on, and what follows from it, at once. `anew`: as another mail beside the one that was delivered.

    The decision that stands: what waits for somebody's approval is held, ready to go. Raises LeaseLostError for a late worker,
    ResultGoneError when a result of before was disposed of meanwhile.
    """
    settlement = _waiting(connection, claim.transfer, settlement)
    decision, result = settlement.decision, settlement.result
    if decision.verdict.delivers != (settlement.receipt is not None) or (decision.verdict.delivers and result is None):
        raise ValueError("a delivery has a result and a receipt, and nothing else has a receipt")
    if result is not None:
        copies.must_stand(connection, result.sha256)
    if settlement.reused and result is not None:
        results.must_stand(connection, Blob(result.sha256, result.size))
    changes: dict[str, Any] = {
        "verdict": decision.verdict,
        "reason": decision.reason,
        "policy": settlement.policy,
        "rules": settlement.rules,
        "message_id": settlement.message_id,
        "subject": settlement.subject,
    }
    for field in ("name", "size", "sha256", "kind"):
        changes[f"result_{field}"] = getattr(result, field, None)
    # Whom a stopped sender wrote to hears nothing of it: they may be a thousand.
    owing = not decision.verdict.delivers and decision != SENDER_STOPPED
    transfers.move(connection, claim.transfer, decision.state, at=at, note=decision.note, token=claim.token, owing=owing, **changes)
    kept = {"transfer_id": claim.transfer.id, "report": settlement.packed, "receipt": settlement.receipt}
    connection.execute(_KEEP[connection.dialect.name], kept)
    rule_matches.keep(connection, claim.transfer.id, settlement.matches, claim.transfer.received_at)
    _found_by(connection, claim.transfer, settlement)
    for number in settlement.exceptions:
        exceptions.used(connection, number, claim.transfer.receipt_no, at)
    if decision.verdict.delivers and result is not None:
        if settlement.key and settlement.packed is not None and not settlement.reused:
            blob = Blob(result.sha256, result.size)
            results.remember(connection, settlement.key, claim.transfer.id, blob=blob, packed=settlement.packed, at=at)
        _send(connection, claim.transfer, Blob(result.sha256, result.size), at, anew=anew)
    return decision


def _waiting(connection: Connection, transfer: Transfer, settlement: Settlement) -> Settlement:
    """What would go but waits for somebody's word: the same result, held and ready to go."""
    if not settlement.decision.verdict.delivers:
        return settlement
    if slips.waits(connection, transfer.id):
        return msgspec.structs.replace(settlement, decision=AWAITING_APPROVAL, receipt=None)
    stop = senders.stopped(connection, transfer)
    return settlement if stop is None else _kept_back(settlement, stop)


def _kept_back(settlement: Settlement, stop: Stop) -> Settlement:
    """With the finding why."""
    packed = settlement.packed
    if packed is not None:
        report = unpack(packed)
        why = Finding(code=_STOPPED.code, severity=_STOPPED.severity, action=Action.KEPT, where="", detail=stop.reason[:500])
        packed = pack(msgspec.structs.replace(report, findings=(*report.findings, why)))
    return msgspec.structs.replace(settlement, decision=SENDER_STOPPED, receipt=None, packed=packed)


def _found_by(connection: Connection, transfer: Transfer, settlement: Settlement) -> None:
    known = (transfer.receipt_no, transfer.sender, *transfer.recipients, transfer.name, transfer.sha256)
    learnt = (settlement.subject or "", settlement.result.name if settlement.result is not None else "", *settlement.names)
    text_search.put(connection, transfer.id, (*known, *learnt))


def reopened(connection: Connection, transfer: Transfer, settlement: Settlement, *, at: float, actor: str, note: str) -> None:
    """A password or an approval lets more of it out: what was decided before gives way, a mail that had left is sent once more.

    Raises IllegalTransitionError or LeaseLostError when the transfer has moved on meanwhile.
    """
    if not transfer.at_rest:
        raise IllegalTransitionError(transfer.receipt_no, transfer.state, State.PROCESSING)
    claim = transfers.lease(connection, transfer, at, at, actor=actor, note=note)
    settle(connection, claim, settlement, at, anew=transfer.state is State.DELIVERED)


def _kept(make: Any, *names: str) -> Any:
    statement = make(reports).values({name: bindparam(name) for name in ("transfer_id", *names)})
    return statement.on_conflict_do_update(index_elements=["transfer_id"], set_={name: statement.excluded[name] for name in names})


_KEEP: Final = {dialect: _kept(make, "report", "receipt") for dialect, make in _INSERT.items()}
_KEEP_RECEIPT: Final = {dialect: _kept(make, "receipt") for dialect, make in _INSERT.items()}


def _send(connection: Connection, transfer: Transfer, content: Blob, at: float, *, anew: bool = False) -> None:
    """A mail goes into the outbox, a file to the shares it is meant for; any other file waits where it is fetched."""
    purpose, recipients = _bound_for(transfer)
    if not recipients or (not anew and deliveries.restart(connection, transfer.id, at, content)):
        return
    deliveries.queue(
        connection,
        transfer.id,
        purpose,
        sender=transfer.sender,
        recipients=recipients,
        blob=content,
        smtputf8=transfer.smtputf8,
        at=at,
    )


def _bound_for(transfer: Transfer) -> tuple[Purpose, tuple[str, ...]]:
    if transfer.door is Door.SMTP:
        return Purpose.MAIL, transfer.recipients
    return Purpose.SHARE, tuple(one for one in transfer.recipients if one.startswith(SHARE))


def queue_notice(connection: Connection, transfer_id: int, content: Blob, at: float) -> None:
    """The one notice of a mail that stays inside. It has no sender, so that nobody answers it with another notice."""
    due = (transfers_table.c.id == transfer_id) & (transfers_table.c.notice == transfers.OWED)
    if connection.execute(update(transfers_table).where(due).values(notice=transfers.QUEUED)).rowcount != 1:
        return
    transfer = transfers.load(connection, transfer_id)
    if transfer.recipients:
        deliveries.queue(
            connection,
            transfer_id,
            Purpose.NOTICE,
            sender="",
            recipients=transfer.recipients,
            blob=content,
            smtputf8=transfer.smtputf8,
            at=at,
        )
    ledger.append(connection, at=at, actor=transfers.ROAD, action="transfer.notice", subject=transfer.receipt_no, detail={})


# ----------------------------------------------------------------------------------------------------------- passwords


def begin_try(connection: Connection, transfer_id: int, *, most: int, at: float, actor: str) -> int:
    """One more password is about to be tried; how many may follow it. Raises NotAllowedError after `most`. Durable before the try, so that
    nobody gets more of them by stopping the service. The password itself is not written anywhere."""
    transfer = transfers.load(connection, transfer_id)
    tried = connection.execute(select(password_tries.c.tries).where(password_tries.c.transfer_id == transfer_id)).scalar_one_or_none() or 0
    if tried >= most:
        raise NotAllowedError(f"{transfer.receipt_no}: {most} passwords were tried")
    _count_tries(connection, transfer_id, tried + 1)
    ledger.append(connection, at=at, actor=actor, action="transfer.password", subject=transfer.receipt_no, detail={"try": tried + 1})
    return most - tried - 1


def forget_tries(connection: Connection, transfer_id: int) -> None:
    """One fitted: what is locked besides may be tried as often again."""
    _count_tries(connection, transfer_id, 0)


def _count_tries(connection: Connection, transfer_id: int, tries: int) -> None:
    statement = _INSERT[connection.dialect.name](password_tries).values(transfer_id=transfer_id, tries=tries)
    connection.execute(statement.on_conflict_do_update(index_elements=["transfer_id"], set_={"tries": tries}))


# ----------------------------------------------------------------------------------------------------------- operators


def retry(connection: Connection, transfer_id: int, *, at: float, lease_until: float, actor: str, note: str) -> Claim | None:
    """What is held is worked on again, from the first attempt; what could not be delivered is sent again (None).

    Raises NotAllowedError, IllegalTransitionError.
    """
    transfer = transfers.load(connection, transfer_id)
    if transfer.state is State.UNDELIVERABLE:
        transfers.move(connection, transfer, State.RELEASED, at=at, actor=actor, note=note)
        deliveries.restart(connection, transfer_id, at)
        return None
    if transfer.state is State.HELD and transfer.blob is None:
        raise NotAllowedError(f"{transfer.receipt_no}: the original was disposed of")
    if transfer.state is not State.HELD:
        raise IllegalTransitionError(transfer.receipt_no, transfer.state, State.PROCESSING)
    again = msgspec.structs.replace(transfer, attempts=0)
    return transfers.lease(connection, again, at, lease_until, actor=actor, note=note)


def release(connection: Connection, transfer_id: int, verdict: Verdict, *, at: float, actor: str, note: str, receipt: str) -> None:
    """The result of a transfer that policy held is let go. Raises NotAllowedError."""
    transfer = transfers.load(connection, transfer_id)
    if transfer.reason in BLOCKING_REASONS or not verdict.delivers:
        raise NotAllowedError(f"{transfer.receipt_no}: {transfer.reason or verdict} is never released")
    if transfer.result is None:
        raise NotAllowedError(f"{transfer.receipt_no}: there is no sanitised result")
    if slips.waits(connection, transfer_id):
        raise NotAllowedError(f"{transfer.receipt_no}: it waits for the approval that was asked for")
    transfers.move(connection, transfer, State.RELEASED, at=at, actor=actor, note=note, verdict=verdict, reason=None)
    connection.execute(_KEEP_RECEIPT[connection.dialect.name], {"transfer_id": transfer_id, "receipt": receipt})
    _send(connection, transfer, Blob(transfer.result.sha256, transfer.result.size), at)


def hold(connection: Connection, transfer_id: int, *, at: float, actor: str, note: str) -> None:
    """Stop what has not left yet. The verdict stays as it was; release sends it on. Raises IllegalTransitionError."""
    transfer = transfers.load(connection, transfer_id)
    if not transfer.can_be_stopped:
        raise IllegalTransitionError(transfer.receipt_no, transfer.state, State.HELD)
    transfers.move(connection, transfer, State.HELD, at=at, actor=actor, note=note)
    deliveries.stop(connection, transfer_id)


def dispose(connection: Connection, transfer_id: int, *, at: float, actor: str, note: str) -> None:
    """Original and result are given up; the row, the report and the audit record stay. Keys of their own are destroyed at once (暗号消去);
    the next sweep takes the bytes. Raises IllegalTransitionError."""
    transfer = transfers.load(connection, transfer_id)
    if (transfer.state is State.RELEASED and _bound_for(transfer)[1]) or evidence.kept(connection, transfer_id) is not None:
        raise IllegalTransitionError(transfer.receipt_no, transfer.state, State.DISPOSED)
    transfers.move(connection, transfer, State.DISPOSED, at=at, actor=actor, note=note, blob=None, result_sha256=None)
    for digest in (transfer.blob, transfer.result.sha256 if transfer.result is not None else None):
        if digest is not None and not blob_in_use(connection, digest) and (gone := copies.give_up(connection, digest, at)):
            detail: dict[str, object] = {"sha256": digest, "copies": len(gone)}
            ledger.append(connection, at=at, actor=actor, action="blob.erased", subject=transfer.receipt_no, detail=detail)
