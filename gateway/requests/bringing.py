"""取込み: what has to be said of a file that is brought in, where it may go, and whose word it needs before it is handed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import msgspec
from sqlalchemy import Connection

from gateway.model import DEPARTMENT, GROUP, PERSON, IllegalTransitionError, Slip, SlipApproval, State, Transfer
from gateway.people.roles import RefusedError
from gateway.requests.approvals import Approvals, Kind, Request, RequestState
from gateway.requests.operating import Deed, Operating
from gateway.road.boxes import Boxes, Fill
from gateway.storage import boxes as box_rows
from gateway.storage import slips
from gateway.storage.accounts import Account, by_login
from gateway.storage.faults import LeaseLostError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.settling import NotAllowedError
from gateway.storage.transfers import find
from gateway.telemetry import log
from gateway.telling.notices import REASONS

_log = log.get(__name__)

UNKNOWN: Final = "不明"
FIELDS: Final = ("purpose", "classification", "reason", "folder")
_LONGEST: Final = {"purpose": 100, "classification": 50, "reason": 500, "folder": 500}
_MOST_PERSONS: Final = 20
# So long after its file a request is made by him who took it in; later it was forgotten.
_FORGOTTEN_SECONDS: Final = 60.0
_REMEMBERED_SECONDS: Final = 7 * 86_400.0
_NEEDED: Final = "業務名と取込みの理由を入力してください / the purpose and the reason are needed"
_TOO_LONG: Final = "入力が長すぎます / too long"
_NO_CLASS: Final = "情報資産の分類を選んでください / choose a classification"
_DISPOSED: Final = "ファイルは廃棄されました。 / the file was disposed of"
_BLOCKED: Final = "ファイルが遮断されました（{ja}）。承認しても通りません。 / the file was blocked ({en}); no approval lets it pass"
_NO_PLACE: Final = "この受取先は使えません / no such destination"


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """The body's own rules. `approval`: always, for an `unknown` classification, or never; `required`: purpose and reason must be said."""

    classifications: tuple[str, ...] = ()
    approval: str = "never"
    required: bool = False


class Bringing:
    """`shares`: address → title of the shares of the inner side; `boxes`: those that may be full."""

    def __init__(
        self,
        journal: Journal,
        approvals: Approvals,
        operating: Operating,
        usage: Usage,
        shares: Mapping[str, str],
        *,
        boxes: Boxes | None = None,
    ) -> None:
        self.usage = usage
        self._journal = journal
        self._approvals = approvals
        self._operating = operating
        self._shares = dict(shares)
        self._boxes = boxes
        approvals.when_approved(Kind.FILE, within=_given, then=self._go)
        approvals.besides(self.ask_for_the_forgotten)

    async def destinations(self, account: Account) -> dict[str, str]:
        """Where this person's files may go besides the own box, address → title: the boxes of his departments and groups, the shares."""
        boxes = await self._journal.ask(lambda connection: box_rows.of(connection, account))
        return {address: title for address, title in boxes.items() if address.startswith((DEPARTMENT, GROUP))} | self._shares

    async def fills(self, account: Account) -> list[Fill]:
        """How full this person's boxes are."""
        return [] if self._boxes is None else await self._boxes.of(account)

    async def chosen(self, account: Account, asked: Sequence[str]) -> tuple[str, ...]:
        """The destinations asked for, once each. `person:tanaka` is anybody who may fetch files. Raises RefusedError."""
        wanted = tuple(dict.fromkeys(one for one in asked if one))
        offered = await self.destinations(account)
        persons = [one.removeprefix(PERSON) for one in wanted if one.startswith(PERSON)]
        if len(persons) > _MOST_PERSONS:
            raise RefusedError(_NO_PLACE)
        known = await self._journal.ask(lambda connection: {one for one in persons if _fetches(connection, one)})
        if any(one not in offered and one.removeprefix(PERSON) not in known for one in wanted):
            raise RefusedError(_NO_PLACE)
        if self._boxes is not None:
            await self._boxes.roomy(account, wanted)
        return wanted

    def slip(self, said: Mapping[str, str]) -> Slip:
        """What was said, checked. Raises RefusedError."""
        given = {name: " ".join(said.get(name, "").split()) for name in FIELDS}
        if any(len(value) > _LONGEST[name] for name, value in given.items()):
            raise RefusedError(_TOO_LONG)
        if self.usage.required and not (given["purpose"] and given["reason"]):
            raise RefusedError(_NEEDED)
        choices = (*self.usage.classifications, UNKNOWN) if self.usage.classifications else ()
        if given["classification"] not in (*choices, *(() if self.usage.required and choices else ("",))):
            raise RefusedError(_NO_CLASS)
        unknown = given["classification"] == UNKNOWN
        needed = self.usage.approval == "always" or (self.usage.approval == "unknown" and unknown)
        return Slip(**given, approval=SlipApproval.NEEDED if needed else SlipApproval.NONE)

    async def ask(self, account: Account, receipt_no: str, *, reason: str = "", approver: str = "") -> Request | None:
        """For the approval that a file waits for, unless it was asked for already. `reason`: another than that of its slip; `approver`:
        whom the requester wants to decide it. Raises RefusedError."""
        transfer = await self._journal.find(receipt_no)
        slip = await self.of(transfer)
        if slip is None or slip.approval is not SlipApproval.NEEDED or transfer.sender != account.login:
            return None
        asked = await self._approvals.listed(subject=receipt_no, kinds=[Kind.FILE], states=[RequestState.REQUESTED])
        if asked:
            return asked[0]
        reason = reason or slip.reason or slip.purpose or "取込み / import"
        said = {"ファイル": transfer.name, "業務名": slip.purpose, "分類": slip.classification, "フォルダー": slip.folder}
        detail = {name: value for name, value in said.items() if value}
        return await self._approvals.request(Kind.FILE, receipt_no, account, reason, detail=detail, approver=approver)

    async def ask_or_leave(self, account: Account, receipt_no: str) -> None:
        """The same right after a file was taken in: that stands whatever becomes of the request, which is made later if it fails now."""
        try:
            await self.ask(account, receipt_no)
        except (RefusedError, StorageError) as error:
            _log.error("an approval is asked for later", receipt_no=receipt_no, why=str(error))

    async def ask_for_the_forgotten(self, at: float) -> None:
        """Now and then: what waits for an approval that nobody was asked for, because the service died between file and request."""
        since, before = at - _REMEMBERED_SECONDS, at - _FORGOTTEN_SECONDS
        for receipt_no in await self._journal.ask(lambda connection: slips.unasked(connection, Kind.FILE, since=since, before=before)):
            login = (await self._journal.find(receipt_no)).sender
            account = await self._journal.ask(partial(by_login, login=login))
            if account is not None:
                await self.ask_or_leave(account, receipt_no)

    async def of(self, transfer: Transfer) -> Slip | None:
        return await self._journal.ask(lambda connection: slips.of(connection, transfer.id))

    async def _go(self, request: Request) -> None:
        """After the last word: what is ready goes; what is not ready yet goes by itself when it is."""
        transfer = await self._journal.find(request.subject)
        if transfer.state is not State.HELD:
            return
        try:
            await self._operating.act(Deed.RELEASE, transfer, actor=f"request {request.number}", note="approved")
        except (NotAllowedError, IllegalTransitionError, LeaseLostError) as error:
            # Held for another reason as well: the approval does not lift that.
            _log.warning("approved, and still held", receipt_no=request.subject, why=str(error))


def _given(connection: Connection, request: Request) -> None:
    """Raises RefusedError where nothing would follow."""
    transfer = find(connection, request.subject)
    if why := stays_outside(transfer):
        raise RefusedError(why)
    last = request.decisions[-1] if request.decisions else None
    slips.approve(connection, transfer.id, transfer.receipt_no, at=request.changed_at, actor=last.login if last is not None else "")


def stays_outside(transfer: Transfer) -> str:
    """Why no approval brings it in any more, in words for who asked; empty where one may. What is held for another reason as well goes by
    itself once that is settled."""
    if transfer.state is State.BLOCKED:
        return blocked(transfer)
    return _DISPOSED if transfer.state is State.DISPOSED else ""


def blocked(transfer: Transfer) -> str:
    assert transfer.reason is not None
    reason = REASONS[transfer.reason]
    return _BLOCKED.format(ja=reason.ja, en=reason.en)


def _fetches(connection: Connection, login: str) -> bool:
    account = by_login(connection, login)
    return account is not None and not account.disabled
