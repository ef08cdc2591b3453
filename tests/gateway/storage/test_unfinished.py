"""Uploads that are not whole yet, on a disk that fails: an append is told only when it is flushed, and what is no upload is none."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.storage.faults import StorageError, StorageFullError
from gateway.storage.unfinished import Begun, NoSuchUploadError, Unfinished, WrongOffsetError
from tests.build.transfer import NOW, FaultyDisk

BEGUN = Begun(owner="tanaka", name="願書.pdf", length=10, at=NOW)


@pytest.fixture
def healthy(tmp_path: Path) -> Unfinished:
    return Unfinished(tmp_path / "uploads")


@pytest.mark.parametrize("step", ["make_folder", "free_bytes", "create", "write", "flush", "flush_folder"])
def test_what_could_not_be_begun_is_told_and_is_swept(tmp_path: Path, healthy: Unfinished, step: str) -> None:
    with pytest.raises(StorageError, match="uploads: No space left"):
        Unfinished(tmp_path / "uploads", disk=FaultyDisk(step, errno.ENOSPC)).begin(BEGUN)
    healthy.sweep(NOW + 1)
    assert not (tmp_path / "uploads").exists() or list((tmp_path / "uploads").iterdir()) == []


def test_what_would_not_fit_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(StorageFullError):
        Unfinished(tmp_path / "uploads", reserve=1 << 62).begin(BEGUN)


@pytest.mark.parametrize("step", ["write", "flush"])
def test_an_append_that_failed_can_be_made_again_from_where_it_stands(tmp_path: Path, healthy: Unfinished, step: str) -> None:
    number = healthy.begin(BEGUN)
    with pytest.raises(StorageError, match="uploads: Input/output error"):
        Unfinished(tmp_path / "uploads", disk=FaultyDisk(step)).append(number, 0, b"01234567")
    _, come = healthy.about(number)
    assert healthy.append(number, come, b"0123456789"[come:]) == 10
    assert b"".join(healthy.blocks(number)) == b"0123456789"


@pytest.mark.parametrize("step", ["create", "write", "flush", "move", "flush_folder"])
def test_what_could_not_become_a_transfer_is_still_an_upload(tmp_path: Path, healthy: Unfinished, step: str) -> None:
    number = healthy.begin(BEGUN)
    healthy.append(number, 0, b"0123456789")
    with pytest.raises(StorageError, match="uploads: "):
        Unfinished(tmp_path / "uploads", disk=FaultyDisk(step)).become(number, "20261118-000001")
    assert b"".join(healthy.blocks(number)) == b"0123456789"
    (tmp_path / "uploads" / f"{number}.new").unlink(missing_ok=True)
    if step != "flush_folder":
        assert healthy.about(number)[0].receipt_no == ""
        healthy.become(number, "20261118-000001")
    assert healthy.about(number)[0].receipt_no == "20261118-000001"
    with pytest.raises(WrongOffsetError):
        healthy.append(number, 10, b"")


WRONG: dict[str, Callable[[Unfinished, str], object]] = {
    "an offset that is not the end": lambda uploads, number: uploads.append(number, 3, b"x"),
    "more than was announced": lambda uploads, number: uploads.append(number, 0, b"x" * 11),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_append_at_another_place_is_refused(healthy: Unfinished, what: str) -> None:
    number = healthy.begin(BEGUN)
    with pytest.raises(WrongOffsetError):
        WRONG[what](healthy, number)
    assert healthy.about(number)[1] == 0


@pytest.mark.parametrize("number", ["", "../" + "a" * 29, "A" * 32, "0" * 32])
def test_what_is_no_upload_is_none(healthy: Unfinished, number: str) -> None:
    for call in (healthy.about, lambda one: healthy.append(one, 0, b"x"), lambda one: healthy.become(one, "x")):
        with pytest.raises(NoSuchUploadError):
            call(number)


def test_notes_that_cannot_be_read_belong_to_nobody_and_are_swept(tmp_path: Path, healthy: Unfinished) -> None:
    whole, torn = healthy.begin(BEGUN), healthy.begin(BEGUN)
    (tmp_path / "uploads" / f"{torn}.json").write_bytes(b'{"owner": "tana')
    (tmp_path / "uploads" / "notes.txt").write_text("not ours")
    assert healthy.of("tanaka") == 1
    assert healthy.sweep(NOW - 1) == 1
    assert {path.name for path in (tmp_path / "uploads").iterdir()} == {f"{whole}.json", f"{whole}.part", "notes.txt"}


def test_a_folder_that_cannot_be_read_is_trouble_and_no_missing_upload(tmp_path: Path, healthy: Unfinished) -> None:
    number = healthy.begin(BEGUN)
    (tmp_path / "uploads" / f"{number}.json").unlink()
    (tmp_path / "uploads" / f"{number}.json").mkdir()
    with pytest.raises(StorageError, match="uploads: Is a directory"):
        healthy.about(number)
