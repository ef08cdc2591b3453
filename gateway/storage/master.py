"""The master key of an installation: under it stand the keys of the organisations, and nothing else.

    file:PATH           32 octets, or 64 hexadecimal digits, in a file of the service's own
    credential:NAME     the same as a credential of systemd (LoadCredential, LoadCredentialEncrypted; systemd.exec(5))
    hook:PROGRAM        a program that wraps and unwraps: for PKCS#11 modules and key services, whose keys never come out

A hook is run as `PROGRAM wrap` and `PROGRAM unwrap`, with two lines on its standard input: base64 of the octets, and what they belong to.
It answers with one line, base64, and status 0.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import subprocess
from pathlib import Path
from typing import Final, Protocol

from gateway.storage.faults import StorageError
from gateway.storage.sealed import SealBrokenError
from gateway.storage.sealer import Sealer

_OCTETS: Final = 32
_HOOK_SECONDS: Final = 30.0
_LONGEST_ANSWER: Final = 65_536


class Master(Protocol):
    """`name` tells one master key from another and says nothing of it. All calls may block; they raise StorageError."""

    name: str

    def wrap(self, key: bytes, about: str) -> str: ...

    def unwrap(self, wrapped: str, about: str) -> bytes:
        """`about` as it was said when it was wrapped."""


def master(where: str, folder: Path) -> Master:
    """As the setting `storage.key` says; paths are relative to `folder`. Raises StorageError."""
    how, _, what = where.partition(":")
    if how == "hook" and what:
        return HookMaster(folder / what)
    if how == "file" and what:
        return LocalMaster(_octets(folder / what))
    if how == "credential" and re.fullmatch(r"[\w.-]+", what):
        return LocalMaster(_octets(Path(os.environ.get("CREDENTIALS_DIRECTORY", "/run/credentials")) / what))
    raise StorageError("storage.key: must be file:PATH, credential:NAME or hook:PROGRAM")


def _octets(path: Path) -> bytes:
    try:
        held = path.read_bytes()
    except OSError as error:
        raise StorageError(f"storage.key: {path.name}: {error.strerror}") from error
    if len(held) == _OCTETS:
        return held
    try:
        key = bytes.fromhex(held.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != _OCTETS:
        raise StorageError(f"storage.key: {path.name}: must hold {_OCTETS} octets, or their {2 * _OCTETS} hexadecimal digits")
    return key


class LocalMaster:
    """A key in the hands of the service."""

    def __init__(self, key: bytes) -> None:
        self.name = hashlib.sha256(b"sekisho master key\0" + key).hexdigest()[:16]
        self._sealer = Sealer(lambda: key)

    def wrap(self, key: bytes, about: str) -> str:
        return self._sealer.seal(key, about)

    def unwrap(self, wrapped: str, about: str) -> bytes:
        try:
            return self._sealer.open(wrapped, about)
        except SealBrokenError:
            raise StorageError("storage.key: another master key than this one") from None


class HookMaster:
    """A key in somebody else's hands."""

    def __init__(self, program: Path) -> None:
        self.name = f"hook:{program.name}"
        self._program = program

    def wrap(self, key: bytes, about: str) -> str:
        return base64.b64encode(self._asked("wrap", key, about)).decode()

    def unwrap(self, wrapped: str, about: str) -> bytes:
        return self._asked("unwrap", base64.b64decode(wrapped), about)

    def _asked(self, what: str, octets: bytes, about: str) -> bytes:
        said = base64.b64encode(octets) + b"\n" + about.encode().replace(b"\n", b" ") + b"\n"
        try:
            answer = subprocess.run(  # noqa: S603 - the operator names the program
                [self._program, what], input=said, stdout=subprocess.PIPE, timeout=_HOOK_SECONDS, check=True
            ).stdout
            octets = base64.b64decode(answer[:_LONGEST_ANSWER].strip(), validate=True)
        except (OSError, subprocess.SubprocessError, binascii.Error) as error:
            raise StorageError(f"storage.key: {self._program.name} {what}: {type(error).__name__}") from error
        if not octets:
            raise StorageError(f"storage.key: {self._program.name} {what}: no answer")
        return octets
