"""A directory of this machine, which other programs may write into as well: no link in it is ever followed."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Self

_BLOCK: Final = 1 << 20
_MODE: Final = 0o660
_NO_HARD_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class Directory:
    """`gateway.shares.placing.Folder` over one directory, held open while it is used: `with Directory(path) as folder`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def __enter__(self) -> Self:
        self._fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def size(self, name: str) -> int | None:
        try:
            found = os.stat(name, dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else -1

    def read(self, name: str) -> Iterator[bytes]:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._fd)
        with os.fdopen(fd, "rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                yield block

    def write(self, name: str, content: Iterable[bytes]) -> None:
        self.remove(name)
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE, dir_fd=self._fd)
        with os.fdopen(fd, "wb", buffering=0) as file:
            for block in content:
                rest = memoryview(block)
                while rest:
                    rest = rest[file.write(rest) :]
            os.fsync(file.fileno())

    def rename(self, old: str, new: str) -> None:
        try:
            os.link(old, new, src_dir_fd=self._fd, dst_dir_fd=self._fd, follow_symlinks=False)
            os.unlink(old, dir_fd=self._fd)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            # The name is taken by an empty file of ours first: nobody else can have it then.
            os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE, dir_fd=self._fd))
            os.rename(old, new, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        os.fsync(self._fd)

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._fd)
