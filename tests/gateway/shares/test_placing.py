"""A file on a share: whole or not at all, never in the place of another, and once."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from gateway.shares.directory import Directory
from gateway.shares.placing import ChangedOnTheWayError, place
from tests.build.transfer import digest

CONTENT = b"what may go in" * 1000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Directory]:
    with Directory(tmp_path) as opened:
        yield opened


def put(folder: Directory, name: str = "様式1.xlsx", content: bytes = CONTENT) -> str:
    return place(folder, name, [content[:5], content[5:]], size=len(content), digest=digest(content))


def test_the_file_is_there_and_nothing_else(folder: Directory, tmp_path: Path) -> None:
    assert put(folder) == "様式1.xlsx"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"様式1.xlsx": CONTENT}


def test_another_of_that_name_is_never_replaced(folder: Directory, tmp_path: Path) -> None:
    names = [put(folder, content=bytes([number]) * 10) for number in range(3)]
    assert names == ["様式1.xlsx", "様式1 (2).xlsx", "様式1 (3).xlsx"]
    assert [(tmp_path / name).read_bytes()[0] for name in names] == [0, 1, 2]


@pytest.mark.parametrize(("name", "second"), [("README", "README (2)"), (".profile", ".profile (2)"), ("a.tar.gz", "a.tar (2).gz")])
def test_the_number_stands_before_the_extension(folder: Directory, name: str, second: str) -> None:
    put(folder, name)
    assert put(folder, name, b"another") == second


def test_the_same_file_again_is_there_once(folder: Directory, tmp_path: Path) -> None:
    """The journal was lost between the rename and its commit: the courier comes again."""
    assert put(folder) == put(folder)
    assert len(list(tmp_path.iterdir())) == 1


def test_what_an_earlier_attempt_left_half_written_is_thrown_away(folder: Directory, tmp_path: Path) -> None:
    (tmp_path / f".sekisho-{digest(CONTENT)[:32]}.part").write_bytes(b"half")
    put(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["様式1.xlsx"]


def test_a_link_in_the_way_is_not_followed(folder: Directory, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "victim"
    outside.write_bytes(b"mine")
    (tmp_path / f".sekisho-{digest(CONTENT)[:32]}.part").symlink_to(outside)
    (tmp_path / "様式1.xlsx").symlink_to(outside)
    assert put(folder) == "様式1 (2).xlsx"
    assert outside.read_bytes() == b"mine"


def test_without_hard_links_nothing_is_replaced_either(folder: Directory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "link", no_links)
    assert [put(folder), put(folder, content=b"another")] == ["様式1.xlsx", "様式1 (2).xlsx"]
    assert (tmp_path / "様式1.xlsx").read_bytes() == CONTENT


def test_somebody_takes_the_name_at_the_last_moment(folder: Directory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Directory.rename

    def taken(self: Directory, old: str, new: str) -> None:
        if new == "様式1.xlsx":
            (tmp_path / new).write_bytes(b"theirs")
        rename(self, old, new)

    monkeypatch.setattr(Directory, "rename", taken)
    assert put(folder) == "様式1 (2).xlsx"
    assert (tmp_path / "様式1.xlsx").read_bytes() == b"theirs"


def test_a_disk_that_changes_bytes_is_found_out(folder: Directory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Directory.write

    def worse(self: Directory, name: str, content: Iterable[bytes]) -> None:
        write(self, name, [b"".join(content).replace(b"may", b"MAY", 1)])

    monkeypatch.setattr(Directory, "write", worse)
    with pytest.raises(ChangedOnTheWayError):
        put(folder)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), Directory(tmp_path / "gone"):
        pass


class Busy(Directory):
    """Somebody takes each name just before it would be given."""

    def rename(self, old: str, new: str) -> None:
        self.write(new, [b"another's"])
        raise FileExistsError(errno.EEXIST, "is there")


def test_when_every_name_is_taken_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.shares.placing._MOST_NAMES", 3)
    with Busy(tmp_path) as folder, pytest.raises(FileExistsError, match="3 files of that name"):
        put(folder)
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == ["様式1 (2).xlsx", "様式1 (3).xlsx", "様式1.xlsx"]


def test_somebody_puts_the_very_same_file_there_meanwhile(tmp_path: Path) -> None:
    """Another node with the same delivery, whose lease had run out: there is one file, and nothing is left of the second attempt."""

    class Beaten(Directory):
        def rename(self, old: str, new: str) -> None:
            self.write(new, [b"another's"])
            self.write("様式1 (2).xlsx", [CONTENT])
            raise FileExistsError(errno.EEXIST, "is there")

    with Beaten(tmp_path) as folder:
        assert put(folder) == "様式1 (2).xlsx"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["様式1 (2).xlsx", "様式1.xlsx"]
