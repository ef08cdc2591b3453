"""Who is told of a request by mail: the one who is asked, then the one who asked, each alone; and that the list works without any mail."""

from __future__ import annotations

import email
import email.policy
import os
from pathlib import Path

import pytest

from gateway.people.accounts import Account, Role
from gateway.requests.approvals import Kind
from gateway.storage.blobs import opened
from gateway.storage.faults import StorageError
from gateway.telling.notices import Office
from gateway.telling.request_mails import RequestMails
from tests.build.face import Town, quick_passwords, town


async def known(place: Town, login: str, *, head: bool = False) -> Account:
    await place.accounts.add(login, login, Role.STAFF, "test", f"{login}@town.example.jp")
    account = await place.accounts.find(login)
    assert account is not None
    await place.staff.move(account, ["税務課"], "test", head=head)
    return account


async def mails(place: Town, receipt_no: str) -> list[tuple[str, str]]:
    """Recipient and text of each notice that was queued, in order."""
    found = []
    for one in await place.journal.deliveries((await place.journal.find(receipt_no)).id):
        if one.purpose != "notice":
            continue
        async with opened(place.blobs, one.blob, check=True) as fd:
            message = email.message_from_bytes(os.pread(fd, 1 << 16, 0), policy=email.policy.default)
        assert message["To"] == one.recipients[0].address
        assert len(one.recipients) == 1
        found.append((one.recipients[0].address, f"{message['Subject']}\n{message.get_content()}"))  # type: ignore[attr-defined]
    return found


async def test_the_asked_and_then_the_asker_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as place:
        place.approvals._within.clear()
        place.approvals._then.clear()
        queued: list[int] = []
        office = Office("postmaster@town.example.jp", "sekisho.example")
        place.approvals.heard = RequestMails(place.journal, place.blobs, office, place.clock, lambda: queued.append(1)).tell
        await place.staff.add_department("税務課", "test")
        clerk, heads = await known(place, "tanaka"), [await known(place, login, head=True) for login in ("kacho", "fuku")]
        receipt_no = await place.settled("tanaka")
        request = await place.approvals.request(Kind.ORIGINAL, receipt_no, clerk, "<secret reason>")
        told = await mails(place, receipt_no)
        assert sorted(to for to, _ in told) == ["fuku@town.example.jp", "kacho@town.example.jp"]
        assert all(request.number in text and "承認をお願いします" in text and "secret" not in text for _, text in told)
        await place.approvals.refuse(request.number, heads[0], "別の方法で")
        told = (await mails(place, receipt_no))[2:]
        assert [to for to, _ in told] == ["tanaka@town.example.jp"]
        assert "差し戻されました" in told[0][1]
        assert "Request: " + request.number in told[0][1]
        assert len(queued) == 2
        await place.approvals.request(Kind.EXCEPTION, "no transfer", clerk, "x")

        async def full(*_: object) -> None:
            raise StorageError("full")

        monkeypatch.setattr(place.blobs, "put", full)
        again = await place.approvals.request(Kind.ORIGINAL, receipt_no, clerk, "x")
        assert [one.number for one in await place.approvals.waiting_for(heads[0])] == [again.number], "without a mail too"
