"""Key files: made once, for their owner only, and never overwritten."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

from gateway.storage.disk import Disk
from gateway.storage.faults import StorageError

_SEALING_BYTES: Final = 32


def signing_key(folder: Path, disk: Disk | None = None) -> Ed25519PrivateKey:
    """`receipt.key`, made at the first start, and beside it `receipt.pub` for those who check. Raises StorageError."""
    disk = disk or Disk()
    secret, public = folder / "receipt.key", folder / "receipt.pub"
    try:
        if not secret.exists():
            disk.make_folder(folder)
            made = Ed25519PrivateKey.generate()
            _write_once(disk, secret, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        key = load_pem_private_key(secret.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise StorageError("receipt.key: not an Ed25519 key")
        if not public.exists():
            _write_once(disk, public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
            public.chmod(0o644)
    except OSError as error:
        raise StorageError(f"receipt.key: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:      # a TypeError: it has a password
        raise StorageError("receipt.key: cannot be read as a key") from error
    return key


def sealing_key(folder: Path, disk: Disk | None = None) -> bytes:
    """`secrets.key`, 32 octets, made at the first need: under it stand the secrets that have to be read again. Raises StorageError."""
    disk = disk or Disk()
    file = folder / "secrets.key"
    try:
        if not file.exists():
            disk.make_folder(folder)
            _write_once(disk, file, secrets.token_bytes(_SEALING_BYTES))
        key = file.read_bytes()
    except OSError as error:
        raise StorageError(f"secrets.key: {error.strerror}") from error
    if len(key) != _SEALING_BYTES:
        raise StorageError("secrets.key: not a key")
    return key


def _write_once(disk: Disk, path: Path, content: bytes) -> None:
    """Whole or not at all; whoever comes second leaves the first one's file."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = disk.create(unfinished)
    try:
        try:
            disk.write(fd, content)
            disk.flush(fd)
        finally:
            disk.close(fd)
        os.link(unfinished, path)
    except FileExistsError:
        pass
    finally:
        disk.remove(unfinished)
    disk.flush_folder(path.parent)
