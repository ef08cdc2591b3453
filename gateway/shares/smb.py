"""A folder of an SMB 3 share, through smbprotocol: signed and encrypted, never as a guest."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterable, Iterator
from typing import Any, Final, Self

import smbclient
from smbprotocol.exceptions import SMBException

from gateway.shares.document import Smb

_BLOCK: Final = 1 << 20
_CONNECT_SECONDS: Final = 15


class SmbFolder:
    """`gateway.shares.placing.Folder`; `with SmbFolder(place) as folder` connects and leaves. Every failure is an OSError."""

    def __init__(self, place: Smb) -> None:
        self._place = place
        # Of this visit alone: a connection that died in the night is nobody's trouble in the morning.
        self._connections: dict[str, Any] = {}

    def __enter__(self) -> Self:
        place = self._place
        with _as_os_errors():
            smbclient.register_session(
                place.server,
                username=place.user,
                password=place.password,
                port=place.port,
                encrypt=True,
                require_signing=True,
                connection_timeout=_CONNECT_SECONDS,
                connection_cache=self._connections,
            )
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(SMBException, OSError, ValueError):
            smbclient.reset_connection_cache(fail_on_error=False, connection_cache=self._connections)

    def size(self, name: str) -> int | None:
        try:
            with _as_os_errors():
                found: int = smbclient.stat(self._path(name), follow_symlinks=False, **self._how).st_size
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        return found

    def read(self, name: str) -> Iterator[bytes]:
        with _as_os_errors(), smbclient.open_file(self._path(name), mode="rb", share_access="r", **self._how) as file:
            while block := file.read(_BLOCK):
                yield block

    def write(self, name: str, content: Iterable[bytes]) -> None:
        self.remove(name)
        with _as_os_errors(), smbclient.open_file(self._path(name), mode="xb", **self._how) as file:
            for block in content:
                file.write(block)
            file.flush()
            file.raw.fd.flush()     # the server's disk, not its memory

    def rename(self, old: str, new: str) -> None:
        with _as_os_errors():
            smbclient.rename(self._path(old), self._path(new), **self._how)

    def remove(self, name: str) -> None:
        try:
            with _as_os_errors():
                smbclient.remove(self._path(name), **self._how)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise

    @property
    def _how(self) -> dict[str, Any]:
        return {"connection_cache": self._connections, "port": self._place.port}

    def _path(self, name: str) -> str:
        parts = [self._place.server, self._place.share, *self._place.folder.split("/"), name]
        return "\\\\" + "\\".join(part for part in parts if part)


@contextlib.contextmanager
def _as_os_errors() -> Iterator[None]:
    """The library's own errors are many; to the courier all of them mean: not now."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EEXIST and not isinstance(error, FileExistsError):
            raise FileExistsError(errno.EEXIST, "is there") from error
        raise
    except (SMBException, ValueError) as error:
        raise OSError(errno.EIO, f"{type(error).__name__}: {error}") from error
