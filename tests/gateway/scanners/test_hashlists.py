"""Lists of digests: read to the letter or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gateway.scanners.hashlists import HashListError, HashLists, read

ONE, TWO, THREE = (hashlib.sha256(word).hexdigest() for word in (b"one", b"two", b"three"))


def written(folder: Path, content: str | bytes, name: str = "list.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_list_as_people_and_tools_write_it(tmp_path: Path) -> None:
    text = f"\ufeff# 拒否リスト\r\n\r\n{ONE}\r\n  {TWO.upper()}\tマルウェア 二号 # 2026\r\n   # in between\n{THREE} *dropper.exe"
    lists = HashLists.load(deny=[written(tmp_path, text)])
    assert lists.denied(ONE) == ONE
    assert lists.denied(TWO) == "マルウェア 二号 # 2026"
    assert lists.denied(THREE.upper()) == "dropper.exe"
    assert lists.denied(hashlib.sha256(b"four").hexdigest()) is None
    assert len(lists.deny) == 3


def test_a_digest_without_a_name_is_called_by_itself_in_small_letters(tmp_path: Path) -> None:
    assert HashLists.load(deny=[written(tmp_path, ONE.upper())]).denied(ONE) == ONE


def test_lists_are_joined_and_the_first_name_stays(tmp_path: Path) -> None:
    first = written(tmp_path, f"{ONE} first\n{ONE} again\n", "a.txt")
    second = written(tmp_path, f"{ONE} second\n{TWO} two\n", "b.txt")
    lists = HashLists.load(allow=[first, second])
    assert (lists.allowed(ONE), lists.allowed(TWO), lists.denied(ONE)) == ("first", "two", None)


def test_denied_outweighs_allowed(tmp_path: Path) -> None:
    path = written(tmp_path, f"{ONE} both\n")
    lists = HashLists.load(deny=[path], allow=[path])
    assert (lists.denied(ONE), lists.allowed(ONE)) == ("both", None)


def test_an_empty_list_says_nothing(tmp_path: Path) -> None:
    assert read(written(tmp_path, "")) == {}
    assert read(written(tmp_path, "\n# nobody yet\n")) == {}
    assert HashLists().denied(ONE) is None


@pytest.mark.parametrize(
    "line",
    [
        ONE[:-1],
        ONE + "0",
        ONE[:-1] + "g",
        "0x" + ONE,
        f"evil.exe {ONE}",
        f"{ONE},name",
        f"{ONE}:68:name",
        hashlib.md5(b"one").hexdigest(),
        f"{ONE} name\x07",
        f"{ONE} na\u202eme",
        f"{ONE} a\rb",
        "\uff10" * 64,
        f"{ONE} {'n' * 2000}",
        f"{ONE} 名前".encode("cp932"),
        b"\0",
    ],
)
def test_one_bad_line_refuses_the_list_and_is_named(tmp_path: Path, line: str | bytes) -> None:
    bad = line if isinstance(line, bytes) else line.encode()
    path = written(tmp_path, f"{TWO}\n".encode() + bad + b"\n")
    with pytest.raises(HashListError, match=r"^list\.txt:2: [\x20-\x7e]+$"):
        HashLists.load(deny=[path])


def test_a_list_that_is_not_there_is_no_empty_list(tmp_path: Path) -> None:
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(HashListError):
            HashLists.load(allow=[path])


def test_a_list_that_is_larger_than_any_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.scanners.hashlists._FILE_BYTES", 100)
    with pytest.raises(HashListError, match=r"^list\.txt: larger than"):
        HashLists.load(deny=[written(tmp_path, f"{ONE}\n".encode() * 2)])


@pytest.mark.parametrize("digest", ["", "abc", ONE[:-2], "x" * 64])
def test_only_a_whole_digest_is_looked_up(digest: str) -> None:
    with pytest.raises(ValueError):
        HashLists().denied(digest)
