"""`sekisho transfer unlock`: passwords from a file or a pipe, each a try that is counted, and nothing without a jail."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gateway.commands import transfer
from gateway.model import Door
from gateway.road import memory
from gateway.road.workers import JailUnavailable
from sanitizers.model import Kind, Reason, Verdict
from tests.build import locked
from tests.build.face import Town
from tests.build.transfer import NOW, arrival, claimed, report, settlement
from tests.gateway.commands.conftest import Installation

PASSWORD = "ひみつ-1234"


@pytest.fixture(autouse=True)
def dumps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Core files of this test run stay as they are; how often the command would have switched them off."""
    told: list[str] = []
    monkeypatch.setattr(memory, "keep_out_of_dumps", lambda: told.append("off"))
    return told


@pytest.fixture
def held(sekisho: Installation) -> str:
    content = locked.pdf(PASSWORD)

    async def before(place: Town) -> str:
        await place.blobs.put(content)
        came = arrival(content, door=Door.DROP, sender="tanaka", recipients=("tanaka",), name="資料.pdf")
        _, receipt_no = await place.journal.accept(came)
        claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
        waits = report(Verdict.HELD, Reason.ENCRYPTED, source=content, kind=Kind.PDF)
        await place.journal.settle(claim, settlement(waits), at=NOW)
        return receipt_no

    return sekisho.prepare(before)


def test_a_wrong_password_is_told_and_the_right_one_opens(
    sekisho: Installation, held: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dumps: list[str]
) -> None:
    words = tmp_path / "words"
    words.write_text("wrong\n", "utf-8")
    sekisho("transfer", "unlock", held, "--password-file", words).failed(1, "no password fits")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\nother\n{PASSWORD}\nnever tried\n"))
    opened = sekisho("transfer", "unlock", held, "--password-file", "-", "--json")
    assert opened.status == 0, opened.err
    (row,) = opened.rows
    assert (row["state"], row["verdict"]) == ("released", "sanitized")
    assert dumps == ["off", "off"]
    told = sekisho("audit", "export").out
    assert told.count("transfer.password_tried") + told.count("password") >= 3
    assert PASSWORD not in told and "wrong" not in told


def test_passwords_that_cannot_be_read_are_wrong_usage(sekisho: Installation, held: str, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")
    for file in ("none", "binary"):
        sekisho("transfer", "unlock", held, "--password-file", tmp_path / file).failed(2, "--password-file")


def test_without_a_jail_nothing_is_tried(sekisho: Installation, held: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoJail:
        def __init__(self, *_: object, **__: object) -> None: ...

        async def start(self) -> None:
            raise JailUnavailable("no seccomp here")

        async def stop(self) -> None: ...

    monkeypatch.setattr(transfer, "Workers", NoJail)
    (tmp_path / "words").write_text("x\n")
    sekisho("transfer", "unlock", held, "--password-file", tmp_path / "words").failed(1, "no seccomp here")
    assert sekisho("transfer", "list", "--json").rows[0]["state"] == "held"
