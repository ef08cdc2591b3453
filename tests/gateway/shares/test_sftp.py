"""A folder of a real SFTP server: another name first, read back, renamed; the server's key is looked at before anything is said."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from gateway.shares.placing import ChangedOnTheWayError, place
from gateway.shares.sftp import SftpFolder
from tests.build.sftp import Server, sftp

DATA = b"sekisho " * 400_000        # more than one block
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with sftp(tmp_path / "sftp") as made:
        yield made


def put(folder: SftpFolder, name: str, data: bytes = DATA) -> str:
    return place(folder, name, [data[:1_000_000], data[1_000_000:]], size=len(data), digest=hashlib.sha256(data).hexdigest())


def there(server: Server) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (server.folder / "取込み").iterdir()}


def test_a_file_is_put_once_and_replaces_nothing(server: Server) -> None:
    with SftpFolder(server.place()) as folder:
        assert put(folder, "願書.docx") == "願書.docx"
        assert put(folder, "願書.docx") == "願書.docx", "the same again is there already"
        assert put(folder, "願書.docx", b"another") == "願書 (2).docx"
        with pytest.raises(FileExistsError):
            folder.rename("願書.docx", "願書 (2).docx")
        assert folder.size("取らぬ狸") is None
        folder.remove("取らぬ狸")
    assert there(server) == {"願書.docx": DATA, "願書 (2).docx": b"another"}


def test_a_key_instead_of_a_password(server: Server) -> None:
    with SftpFolder(server.place(key=server.user_key, password="")) as folder:
        assert put(folder, "a.txt", b"x") == "a.txt"


def test_a_link_is_no_file(server: Server) -> None:
    (server.folder / "取込み" / "a.txt").symlink_to("/etc/hostname")
    with SftpFolder(server.place()) as folder:
        assert folder.size("a.txt") == -1
        assert put(folder, "a.txt", b"x") == "a (2).txt"


@pytest.mark.parametrize("algorithm", ["ssh-rsa", "ecdsa-sha2-nistp256"])
def test_other_kinds_of_host_keys(tmp_path: Path, algorithm: str) -> None:
    with sftp(tmp_path / "other", algorithm) as server, SftpFolder(server.place()) as folder:
        assert put(folder, "a.txt", b"x") == "a.txt"


@pytest.mark.parametrize(
    "changes", [{"password": "chigau"}, {"user": "nobody"}, {"folder": "どこにもない"}, {"port": 1}, {"server": "127.0.0.2"}, {"key": "no key"}], ids=str
)
def test_what_does_not_work_is_an_oserror(server: Server, changes: dict[str, object]) -> None:
    with pytest.raises(OSError), SftpFolder(server.place(**changes)) as folder:
        put(folder, "a.txt", b"x")
    assert there(server) == {}


@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ssh-rsa"])
def test_a_server_with_another_key_is_told_nothing(server: Server, algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import paramiko

    told: list[object] = []
    monkeypatch.setattr(paramiko.Transport, "auth_password", lambda *given, **_: told.append(given))
    other = " ".join(asyncssh.generate_private_key(algorithm).export_public_key().decode().split()[:2])
    with pytest.raises(OSError), SftpFolder(server.place(host_key=other)):
        pass
    assert told == []


def test_what_comes_back_changed_is_taken_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SftpFolder, "read", lambda *_: iter([b"another"]))
    with SftpFolder(server.place()) as folder, pytest.raises(ChangedOnTheWayError):
        put(folder, "a.txt", b"x")
    assert there(server) == {}
