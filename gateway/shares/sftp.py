"""A folder of an SFTP server (SSH File Transfer Protocol 3), through paramiko, which is told nothing unless its key is the one known.

A rename that would replace a file is refused by the protocol itself (draft-ietf-secsh-filexfer-02, 6.5). Version 3 cannot be told to
put a file on disk: what is read back is what the server says it has.
"""

from __future__ import annotations

import contextlib
import errno
import hmac
import io
import stat
from collections.abc import Iterable, Iterator
from typing import Final, Self

import paramiko

from gateway.shares.document import Sftp

_BLOCK: Final = 1 << 20
_CONNECT_SECONDS: Final = 15.0
# One answer of a server at its slowest.
_ANSWER_SECONDS: Final = 120.0
# What a server may sign with that has an RSA key; SHA-1 is not among them.
_RSA: Final = ("rsa-sha2-512", "rsa-sha2-256")


class SftpFolder:
    """`gateway.shares.placing.Folder`; `with SftpFolder(place) as folder` connects and leaves. Every failure is an OSError."""

    def __init__(self, place: Sftp) -> None:
        self._place = place

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened, _as_os_errors():
            place = self._place
            transport = paramiko.Transport((place.server, place.port))
            opened.callback(transport.close)
            transport.banner_timeout = transport.auth_timeout = _CONNECT_SECONDS
            kind, _, key = place.host_key.partition(" ")
            transport.get_security_options().key_types = _RSA if kind == "ssh-rsa" else (kind,)
            transport.start_client(timeout=_CONNECT_SECONDS)
            if not hmac.compare_digest(transport.get_remote_server_key().get_base64(), key):
                raise PermissionError(errno.EACCES, "the server has another key than the one that is written down")
            if place.key:
                transport.auth_publickey(place.user, _private(place.key))
            else:
                transport.auth_password(place.user, place.password)
            client = paramiko.SFTPClient.from_transport(transport)
            if client is None:
                raise OSError(errno.EPROTO, "no SFTP here")
            client.get_channel().settimeout(_ANSWER_SECONDS)
            self._client = client
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(paramiko.SSHException, OSError, EOFError):
            self._opened.close()

    def size(self, name: str) -> int | None:
        try:
            with _as_os_errors():
                found = self._client.lstat(self._path(name))
        except FileNotFoundError:
            return None
        regular = found.st_mode is not None and stat.S_ISREG(found.st_mode)
        return found.st_size if regular and found.st_size is not None else -1

    def read(self, name: str) -> Iterator[bytes]:
        with _as_os_errors(), self._client.open(self._path(name), "rb") as file:
            file.prefetch()
            while block := file.read(_BLOCK):
                yield block

    def write(self, name: str, content: Iterable[bytes]) -> None:
        self.remove(name)
        with _as_os_errors(), self._client.open(self._path(name), "wbx") as file:
            file.set_pipelined(True)
            for block in content:
                file.write(block)

    def rename(self, old: str, new: str) -> None:
        if self.size(new) is not None:
            raise FileExistsError(errno.EEXIST, "is there")
        with _as_os_errors():
            self._client.rename(self._path(old), self._path(new))

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError), _as_os_errors():
            self._client.remove(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._place.folder}/{name}" if self._place.folder else name


def _private(pem: str) -> paramiko.PKey:
    """Of any kind. Raises SSHException."""
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with contextlib.suppress(paramiko.SSHException):
            return kind.from_private_key(io.StringIO(pem))
    raise paramiko.SSHException("not a private key")


@contextlib.contextmanager
def _as_os_errors() -> Iterator[None]:
    """The library's own errors are many; to the courier all of them mean: not now."""
    try:
        yield
    except OSError:
        raise
    except (paramiko.SSHException, EOFError, ValueError) as error:
        raise OSError(errno.EIO, f"{type(error).__name__}: {error}") from error
