"""Key files: whole or not at all, one for whoever comes first, and nothing else is taken for a key."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from gateway.storage.disk import Disk
from gateway.storage.faults import StorageError
from gateway.storage.keys import sealing_key, signing_key
from tests.build.transfer import FaultyDisk


def test_the_sealing_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    key = sealing_key(tmp_path / "new")
    assert (len(key), sealing_key(tmp_path / "new")) == (32, key)
    (file,) = (tmp_path / "new").iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("secrets.key", 0o600)


@pytest.mark.parametrize("step", ["make_folder", "create", "write", "flush", "flush_folder"])
def test_a_key_that_cannot_be_kept_is_not_used(tmp_path: Path, step: str) -> None:
    with pytest.raises(StorageError, match=r"secrets\.key: Input/output error"):
        sealing_key(tmp_path / "new" if step == "make_folder" else tmp_path, FaultyDisk(step))
    left = [path.name for path in tmp_path.rglob("*.key*")]
    assert left == (["secrets.key"] if step == "flush_folder" else [])


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secrets.key").write_bytes(content)
    with pytest.raises(StorageError, match="not a key"):
        sealing_key(tmp_path)


@pytest.mark.parametrize("body", ["", "eA==", base64.b64encode(bytes.fromhex("302b020100300606042a0304050420") + bytes(32)).decode()])
def test_what_is_no_key_of_receipts_is_refused(tmp_path: Path, body: str) -> None:
    """Also one of an algorithm that nobody knows."""
    (tmp_path / "receipt.key").write_text(f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
    with pytest.raises(StorageError, match=r"receipt\.key: cannot be read as a key"):
        signing_key(tmp_path)


def test_a_key_of_receipts_with_a_password_is_refused(tmp_path: Path) -> None:
    locked = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (tmp_path / "receipt.key").write_bytes(locked)
    with pytest.raises(StorageError, match=r"receipt\.key: cannot be read as a key"):
        signing_key(tmp_path)


class Late(Disk):
    """Between the question whether there is a key and the writing of one, another process makes its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, path: Path) -> int:
        fd = super().create(path)
        for name in ("secrets.key", "receipt.key"):
            if name in path.name:
                (self._folder / name).write_bytes(self.other(name))
        return fd

    def other(self, name: str) -> bytes:
        return b"k" * 32 if name == "secrets.key" else (self._folder / "other" / name).read_bytes()


def test_two_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    assert sealing_key(tmp_path, Late(tmp_path)) == b"k" * 32
    other = signing_key(tmp_path / "other")
    assert signing_key(tmp_path, Late(tmp_path)).private_bytes_raw() == other.private_bytes_raw()
    assert not list(tmp_path.glob(".*")), "and no unfinished one"
