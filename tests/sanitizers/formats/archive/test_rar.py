"""RAR under a password: opened with it, whichever version and whether the names are locked too; anything else stays shut."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sanitizers.context import Outcome
from sanitizers.model import LimitExceeded, Reason, Verdict
from tests.build.context import run
from tests.build.rar import rar4, rar5

TEXT = "来月の資料です。\r\n".encode()
MEMBERS = {"a.txt": TEXT, "資料/b.txt": TEXT * 100}
PLAIN: dict[str, Callable[[], bytes]] = {"RAR 5": lambda: rar5(MEMBERS), "RAR 4": lambda: rar4({"a.txt": TEXT, "b.txt": TEXT * 100})}
LOCKED: dict[str, Callable[[], bytes]] = {
    "RAR 5": lambda: rar5(MEMBERS, "秘密"), "RAR 5, plain checksums": lambda: rar5(MEMBERS, "秘密", tweaked=False),
    "RAR 5, names too": lambda: rar5(MEMBERS, "秘密", names_too=True),
    "RAR 4": lambda: rar4({"a.txt": TEXT, "b.txt": TEXT * 100}, "秘密"),
    "RAR 4, names too": lambda: rar4({"a.txt": TEXT, "b.txt": TEXT * 100}, "秘密", names_too=True),
    "RAR 4, half of it": lambda: rar4({"a.txt": TEXT, "b.txt": TEXT * 100}, "秘密", locked=frozenset({"b.txt"})),
}  # fmt: skip
CORPUS = Path(os.environ.get("SEKISHO_CORPUS", Path(__file__).parents[5] / "shared" / "corpus"))


def contents(outcome: Outcome) -> list[bytes]:
    assert outcome.content is not None, outcome.report
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as archive:
        return [archive.read(info) for info in archive.infolist()]


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


@pytest.mark.parametrize("kind", PLAIN)
def test_the_builder_writes_what_libarchive_reads(kind: str) -> None:
    outcome = run(PLAIN[kind](), "x.rar")
    assert contents(outcome) == [TEXT, TEXT * 100]
    assert codes(outcome) == {"archive.container_converted"}


@pytest.mark.parametrize("kind", LOCKED)
def test_it_opens_with_its_password_and_with_no_other(kind: str) -> None:
    data = LOCKED[kind]()
    for passwords in ((), ("wrong",)):
        outcome = run(data, "x.rar", passwords=passwords)
        assert (outcome.content, outcome.report.verdict, outcome.report.reason) == (None, Verdict.HELD, Reason.ENCRYPTED)
    opened = run(data, "x.rar", passwords=("wrong", "秘密"))
    assert contents(opened) == [TEXT, TEXT * 100]
    assert codes(opened) == {"archive.container_converted", "file.decrypted"}


@pytest.mark.parametrize("kind", LOCKED)
def test_what_is_locked_is_listed_where_it_can_be_read(kind: str) -> None:
    detail = run(LOCKED[kind](), "x.rar").report.findings[-1].detail
    assert ("a.txt" in detail) == ("names too" not in kind)


@pytest.mark.parametrize(
    "data",
    [
        rar5(MEMBERS, "p", crc_off=1), rar5(MEMBERS, "p", tweaked=False, crc_off=1), rar4({"a.txt": TEXT}, "p", crc_off=1),
        rar5(MEMBERS, "p", check_off=1), rar5(MEMBERS, "p", rounds=4)[:-40], rar5(MEMBERS, "p", names_too=True)[:-60],
    ],
)  # fmt: skip
def test_a_wrong_checksum_or_a_cut_end_is_refused(data: bytes) -> None:
    outcome = run(data, "x.rar", passwords=("p",))
    assert outcome.content is None
    assert outcome.report.reason in (Reason.MALFORMED, Reason.ENCRYPTED)


@pytest.mark.parametrize("data", [rar5(MEMBERS, "p", volume=True), rar5(MEMBERS, "p", volume=True, names_too=True)])
def test_a_volume_of_a_locked_set_is_held_as_such(data: bytes) -> None:
    assert "archive.multi_volume" in codes(run(data, "x.rar", passwords=("p",)))


def test_old_locks_say_what_to_ask_for() -> None:
    outcome = run(rar4({"a.txt": TEXT}, "p", version=20), "x.rar", passwords=("p",))
    assert (outcome.report.reason, codes(outcome)) == (Reason.UNSUPPORTED_KIND, {"archive.locked"})
    assert "ask the sender" in outcome.report.findings[-1].detail


@pytest.mark.parametrize("names_too", [True, False])
def test_too_many_rounds_are_refused_before_they_are_made(names_too: bool) -> None:
    with pytest.raises(LimitExceeded):
        run(rar5(MEMBERS, "p", names_too=names_too, said_rounds=24), "x.rar", passwords=("p",))


@pytest.mark.parametrize("kind", LOCKED)
def test_every_truncation_ends_in_a_refusal(kind: str) -> None:
    whole = LOCKED[kind]()
    for size in range(20, len(whole) - 30, max(7, len(whole) // 40) if "4" not in kind else len(whole) // 6):
        outcome = run(whole[:size], "x.rar", passwords=("秘密",))
        assert outcome.content is None or TEXT * 100 not in contents(outcome)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="corpus is absent")
def test_what_winrar_locked_is_opened() -> None:
    data = (CORPUS / "archive/rarfile/rar5-psw.rar").read_bytes()
    made = run(data, "x.rar", passwords=("password",))
    assert [len(content) for content in contents(made)] == [2048, 2048]
