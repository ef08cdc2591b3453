"""What an operator may do with one transfer, by command or at the desk: each deed checked, done, and written down with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from gateway.model import TRANSITIONS, IllegalTransitionError, State, Transfer
from gateway.policy import Strength, locked, releasable, strengths, unconfirmed, unrebuilt
from gateway.receipts import Signer
from gateway.road.pipeline import LONGEST, MOST_TRIES, Pipeline
from gateway.storage import disposals, evidence, settling
from gateway.storage.faults import LeaseLostError
from gateway.storage.journal import Journal
from gateway.storage.settling import NotAllowedError
from sanitizers.model import BLOCKING_REASONS, Report, Verdict


class Deed(StrEnum):
    """The deeds, as commands and the interface name them."""

    RELEASE = "release"
    HOLD = "hold"
    RETRY = "retry"
    AGAIN = "again"                 # here and now, in a way that is chosen
    AS_PIXELS = "as-pixels"
    CONFIRM = "confirm"
    KEEP = "keep"                   # 証拠保全
    LET_GO = "let-go"
    DELETE = "delete"


class Way(StrEnum):
    """How something is processed again, always by the rules and scanners of now: as policy says, at least in one of the strengths, or
    each page of a PDF and each drawing as a picture. None is milder than policy: that is a matter for an exception (例外措置)."""

    POLICY = "policy"
    SECURITY = "security"
    STANDARD = "standard"
    PIXELS = "pixels"


CHOSEN: Final[Mapping[Way, Mapping[str, object]]] = {
    Way.POLICY: {},
    **{way: strengths.VALUES[Strength(way)] for way in (Way.SECURITY, Way.STANDARD)},
    Way.PIXELS: {"pdf_strict_pixels": True, "svg_as_pixels": True, "metafiles_as_pixels": True},
}

# Those that need a jail of their own, here and now.
JAILED: Final = frozenset({Deed.AGAIN, Deed.AS_PIXELS, Deed.CONFIRM})
# What takes a deed back, as long as it is possible.
BACK: Final[Mapping[Deed, Deed]] = {
    Deed.RELEASE: Deed.HOLD, Deed.HOLD: Deed.RELEASE, Deed.KEEP: Deed.LET_GO, Deed.LET_GO: Deed.KEEP,
}  # fmt: skip
_RETRIED: Final = frozenset({State.HELD, State.UNDELIVERABLE})


# Those that are over in a moment, so that many of them are.
MANY: Final = frozenset(Deed) - JAILED


def possible(transfer: Transfer, report: Report | None, *, kept: bool = False) -> tuple[Deed, ...]:
    """What may be asked for where it stands now; `kept`: as evidence. Whether it then succeeds is another question."""
    rests, further = transfer.at_rest, TRANSITIONS[transfer.state]
    waits = transfer.can_be_stopped and transfer.state is not State.PROCESSING
    may = {
        Deed.RELEASE: transfer.state is State.HELD and _release_as(transfer, report) is not None,
        Deed.HOLD: waits,
        Deed.RETRY: transfer.state in _RETRIED and (transfer.blob is not None or transfer.state is State.UNDELIVERABLE),
        Deed.AGAIN: _reworkable(transfer),
        Deed.AS_PIXELS: rests and transfer.blob is not None and bool(unrebuilt(report)),
        Deed.CONFIRM: rests and transfer.blob is not None and bool(unconfirmed(report)),
        Deed.KEEP: not kept and transfer.state is not State.DISPOSED,
        Deed.LET_GO: kept,
        Deed.DELETE: State.DISPOSED in further and not kept,
    }
    return tuple(deed for deed in Deed if may[deed])


class Operating:
    """`pipeline`: for what has to go through the jail again; None where there is none at hand. `wake` is told that there is work."""

    def __init__(
        self,
        journal: Journal,
        signer: Signer,
        clock: Callable[[], float],
        pipeline: Pipeline | None = None,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._signer = signer
        self._clock = clock
        self._pipeline = pipeline
        self._wake = wake

    async def act(
        self, deed: Deed, transfer: Transfer, *, actor: str, note: str, way: Way = Way.POLICY, password: str = ""
    ) -> None:
        """`way`, `password`: of AGAIN. Raises NotAllowedError or IllegalTransitionError, each one line for him who asked; what
        `Pipeline.confirm` raises."""
        at = self._clock()
        if deed is Deed.HOLD:
            await self._journal.hold(transfer.id, at=at, actor=actor, note=note)
        elif deed is Deed.RETRY:
            await self._journal.retry(transfer.id, at=at, actor=actor, note=note)
            self._wake()
        elif deed is Deed.DELETE:
            await self._delete([transfer], at=at, actor=actor, note=note)
        elif deed in (Deed.KEEP, Deed.LET_GO):
            await self._evidence(deed, transfer, at=at, actor=actor, note=note)
        elif deed is Deed.RELEASE:
            await self._release(transfer, at=at, actor=actor, note=note)
        elif deed is Deed.AGAIN:
            await self._again(transfer, way, password, actor=actor, note=note)
        elif deed is Deed.CONFIRM:
            await self._confirm(transfer, actor=actor, note=note)
        else:
            await self._as_pixels(transfer, actor=actor, note=note)

    async def act_on_many(self, deed: Deed, wanted: Sequence[Transfer], *, actor: str, note: str) -> dict[str, str]:
        """One of MANY on each; receipt number → why not, of those on which it could not be done. Those that are deleted together have one
        disposal record. Raises NotAllowedError if the deed is for one at a time."""
        if deed not in MANY:
            raise NotAllowedError(f"{deed}: one at a time")
        refused: dict[str, str] = {}
        if deed is Deed.DELETE:
            refused = await self._delete(wanted, at=self._clock(), actor=actor, note=note, sure=False)
        else:
            for transfer in wanted:
                try:
                    await self.act(deed, transfer, actor=actor, note=note)
                except (NotAllowedError, IllegalTransitionError, LeaseLostError) as error:
                    refused[transfer.receipt_no] = str(error)
        detail: dict[str, object] = {"deed": deed, "note": note, "asked": len(wanted), "refused": len(refused)}
        await self._journal.record(at=self._clock(), actor=actor, action="transfers.many", subject="", detail=detail)
        return refused

    async def _delete(self, wanted: Sequence[Transfer], *, at: float, actor: str, note: str, sure: bool = True) -> dict[str, str]:
        """With a disposal record (廃棄記録) of those that went. `sure`: raises what kept one back."""
        return await self._journal.write(lambda connection: disposed(connection, wanted, at=at, actor=actor, note=note, sure=sure))

    async def _evidence(self, deed: Deed, transfer: Transfer, *, at: float, actor: str, note: str) -> None:
        if not note:
            raise NotAllowedError(f"{transfer.receipt_no}: evidence needs a reason")
        if transfer.state is State.DISPOSED:
            raise NotAllowedError(f"{transfer.receipt_no}: 廃棄済みです / it was disposed of")
        change = evidence.keep if deed is Deed.KEEP else evidence.let_go
        if not await self._journal.write(lambda connection: change(connection, transfer, at=at, actor=actor, reason=note)):
            raise NotAllowedError(f"{transfer.receipt_no}: " + _KEPT[deed])

    async def _release(self, transfer: Transfer, *, at: float, actor: str, note: str) -> None:
        """Only what was rebuilt and held by policy; an original leaves by `confirm` alone."""
        report = await self._journal.report(transfer.id)
        verdict = _release_as(transfer, report)
        if verdict is None or report is None or transfer.result is None:
            raise NotAllowedError(f"{transfer.receipt_no}: there is no rebuilt result to release")
        receipt = self._signer.issue(
            report,
            verdict,
            receipt_no=transfer.receipt_no,
            organisation=transfer.organisation,
            output_sha256=transfer.result.sha256,
            output_size=transfer.result.size,
            at=at,
        )
        await self._journal.release(transfer.id, verdict, at=at, actor=actor, receipt=receipt, note=note)
        self._wake()

    async def _confirm(self, transfer: Transfer, *, actor: str, note: str) -> None:
        """確認済み: the originals in it that policy would let through, on this person's word. Nobody confirms what he brought himself."""
        if not transfer.at_rest or not unconfirmed(await self._journal.report(transfer.id)):
            raise NotAllowedError(f"{transfer.receipt_no}: nothing of it waits for an approval")
        if not note:
            raise NotAllowedError(f"{transfer.receipt_no}: an approval needs a reason")
        if actor == transfer.sender:
            raise NotAllowedError(f"{transfer.receipt_no}: nobody approves what he brought himself")
        if self._pipeline is None or not await self._pipeline.confirm(transfer, actor=actor, note=note):
            raise NotAllowedError(f"{transfer.receipt_no}: policy lets no original of it through")

    async def _again(self, transfer: Transfer, way: Way, password: str, *, actor: str, note: str) -> None:
        """What came before gives way; a mail that had left is sent once more. The password is counted, used and forgotten."""
        number, passwords = transfer.receipt_no, (password,) if password else ()
        if not _reworkable(transfer):
            raise NotAllowedError(f"{number}: 原本があり、処理も配送もしていないものだけです / only what rests, with its original")
        if not note:
            raise NotAllowedError(f"{number}: processing it again needs a reason")
        if actor == transfer.sender:
            raise NotAllowedError(f"{number}: nobody chooses how his own file is processed")
        if password:
            if len(password) > LONGEST or "\0" in password or not locked(await self._journal.report(transfer.id)):
                raise NotAllowedError(f"{number}: パスワードを待つ部分がありません / nothing waits for a password")
            await self._journal.begin_try(transfer.id, most=MOST_TRIES, at=self._clock(), actor=actor)
        said = f"again ({way}{', password' if password else ''}): {note}"
        chosen = CHOSEN[way]
        if self._pipeline is None or not await self._pipeline.again(transfer, actor=actor, note=said, chosen=chosen, passwords=passwords):
            raise NotAllowedError(f"{number}: よい結果にならず、元のままです / nothing better came of it: it stays")

    async def _as_pixels(self, transfer: Transfer, *, actor: str, note: str) -> None:
        """The strictest way, for a PDF that no other way brings across."""
        if not transfer.at_rest or not unrebuilt(await self._journal.report(transfer.id)):
            raise NotAllowedError(f"{transfer.receipt_no}: it has no PDF that could not be rebuilt")
        if self._pipeline is None or not await self._pipeline.as_pixels(transfer, actor=actor, note=note):
            raise NotAllowedError(f"{transfer.receipt_no}: its pages cannot be drawn either")


def disposed(
    connection: Connection,
    wanted: Sequence[Transfer],
    *,
    at: float,
    actor: str,
    note: str,
    sure: bool = False,
    said: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """With one disposal record (廃棄記録) of those that went, which says `said` as well; receipt number → why it stayed, of the others.
    `sure`: raises that instead, NotAllowedError or IllegalTransitionError."""
    refused, gone = {}, list[str]()
    for transfer in wanted:
        try:
            if evidence.kept(connection, transfer.id) is not None:
                raise NotAllowedError(f"{transfer.receipt_no}: {_AS_EVIDENCE}")
            settling.dispose(connection, transfer.id, at=at, actor=actor, note=note)
            gone.append(transfer.receipt_no)
        except (NotAllowedError, IllegalTransitionError) as error:
            if sure:
                raise
            refused[transfer.receipt_no] = str(error)
    if gone:
        detail = {"reason": note, "receipt_nos": gone, **said}
        disposals.add(connection, what="transfer", count=len(gone), oldest=min(gone), youngest=max(gone), at=at, actor=actor, detail=detail)
    return refused


def why_it_stays(connection: Connection, transfer: Transfer) -> str:
    """Why it could not be disposed of now; empty where it could."""
    if evidence.kept(connection, transfer.id) is not None:
        return f"{transfer.receipt_no}: {_AS_EVIDENCE}"
    return "" if State.DISPOSED in TRANSITIONS[transfer.state] else f"{transfer.receipt_no}: {_NOT_NOW}"


_AS_EVIDENCE: Final = "証拠保全中です / it is kept as evidence"
_NOT_NOW: Final = "処理中または廃棄済みです / at work, or disposed of already"
_KEPT: Final = {Deed.KEEP: "すでに証拠保全中です / kept already", Deed.LET_GO: "証拠保全中ではありません / not kept"}


def _reworkable(transfer: Transfer) -> bool:
    """What is blocked for good (malware) is never let out by another way of processing it."""
    return transfer.at_rest and transfer.blob is not None and transfer.reason not in BLOCKING_REASONS


def _release_as(transfer: Transfer, report: Report | None) -> Verdict | None:
    """What an operator stopped after its verdict goes on with that verdict."""
    stopped = transfer.state is State.HELD and transfer.verdict is not None and transfer.verdict.delivers
    return transfer.verdict if stopped else releasable(transfer, report)
