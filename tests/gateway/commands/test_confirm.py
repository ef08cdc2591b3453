"""`sekisho transfer confirm`: a drawing whose structure is sound leaves as it came, by policy and a recorded person's word, and not else."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import msgspec
import pytest

from gateway.model import Door
from sanitizers.model import Action, Finding, Kind, Reason, Report, Severity, Verdict
from tests.build.drawing import dxf
from tests.build.face import Town
from tests.build.transfer import NOW, arrival, claimed, digest, report, settlement
from tests.gateway.commands.conftest import Installation


def waiting(content: bytes) -> Report:
    """As the engine reports a drawing that waits for an approval."""
    given = report(Verdict.HELD, Reason.UNSUPPORTED_KIND, source=content, kind=Kind.DXF)
    finding = Finding(code="confirm.approval_needed", severity=Severity.LOW, action=Action.REFUSED, where="図面.dxf")
    return msgspec.structs.replace(given, findings=(finding,))


def held(sekisho: Installation, content: bytes, given: Report) -> str:
    async def before(place: Town) -> str:
        await place.blobs.put(content)
        came = arrival(content, door=Door.DROP, sender="tanaka", recipients=("tanaka",), name="図面.dxf")
        _, receipt_no = await place.journal.accept(came)
        claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
        await place.journal.settle(claim, settlement(given), at=NOW)
        return receipt_no

    return sekisho.prepare(before)


@pytest.fixture
def drawings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy.toml").write_text('[treatment]\nconfirmed_kinds = ["dxf"]\n', "utf-8")
    monkeypatch.setenv("SEKISHO_POLICY_FILE", str(tmp_path / "policy.toml"))


@pytest.mark.usefixtures("drawings")
def test_it_leaves_as_it_came_and_who_said_so_is_written_down(sekisho: Installation) -> None:
    receipt_no = held(sekisho, dxf(), waiting(dxf()))
    done = sekisho("transfer", "confirm", receipt_no, "--reason", "測量図、差出人に確認済み", "--json")
    assert done.status == 0, done.err
    (row,) = done.rows
    assert (row["state"], row["verdict"]) == ("released", "confirmed")
    shown = json.loads(sekisho("transfer", "show", receipt_no).out)
    assert shown["report"]["output"]["sha256"] == digest(dxf())
    assert shown["receipt"]
    approved = [one for one in shown["report"]["findings"] if one["code"] == "confirm.approved"]
    assert [one["detail"] for one in approved] == [f"command:{getpass.getuser()}"]


@pytest.mark.usefixtures("drawings")
def test_hidden_bytes_do_not_pass_whoever_says_so(sekisho: Installation) -> None:
    content = dxf() + b"MZ hidden"
    receipt_no = held(sekisho, content, waiting(content))
    sekisho("transfer", "confirm", receipt_no, "--reason", "x")
    (row,) = sekisho("transfer", "list", "--json").rows
    assert (row["state"], row["verdict"]) == ("held", "held")


def test_without_policy_nothing_passes(sekisho: Installation) -> None:
    receipt_no = held(sekisho, dxf(), waiting(dxf()))
    sekisho("transfer", "confirm", receipt_no, "--reason", "x")
    (row,) = sekisho("transfer", "list", "--json").rows
    assert (row["state"], row["verdict"]) == ("held", "held")


@pytest.mark.usefixtures("drawings")
def test_what_cannot_be_confirmed_says_so(sekisho: Installation) -> None:
    locked = held(sekisho, b"PK", report(Verdict.HELD, Reason.ENCRYPTED, source=b"PK"))
    sekisho("transfer", "confirm", locked, "--reason", "x").failed(1, "nothing of it waits")
    sekisho("transfer", "confirm", locked).failed(2, "--reason")
