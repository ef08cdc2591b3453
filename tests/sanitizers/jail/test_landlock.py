"""What Landlock is asked for, on every version of its interface."""

from __future__ import annotations

import errno
import os
import struct
from typing import Any

import pytest

from sanitizers.jail import kernel, landlock

# Rights on files of each version (linux/landlock.h): 13 at first; refer, truncate and device control came later. All of them are denied.
FILES = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF, 6: 0xFFFF, 7: 0xFFFF}


class Kernel:
    """Notes what it is asked, and hands out a descriptor."""

    def __init__(self, abi: int = 1, refuses: int = -1) -> None:
        self.abi, self.refuses, self.asked, self.fd = abi, refuses, [], -1      # type: ignore[var-annotated]

    def syscall(self, number: int, *arguments: Any) -> int:
        if number == self.refuses:
            raise OSError(errno.EPERM, "no")
        if number == 444:
            ruleset, size, flags = arguments
            self.asked.append(("create", size.value, bytes(ruleset._obj)[: size.value] if ruleset is not None else b"", flags.value))
            if flags.value == 1:
                return self.abi
            self.fd = os.open(os.devnull, os.O_RDONLY)
            return self.fd
        self.asked.append(("restrict", arguments[0].value == self.fd, arguments[1].value))
        return 0


def open_still(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.mark.parametrize("abi", sorted(FILES))
def test_everything_that_the_version_knows_is_denied(abi: int, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Kernel()
    monkeypatch.setattr(kernel, "syscall", here.syscall)
    landlock.deny_all(abi)
    # Files always; TCP ports (bind, connect) from the fourth version, abstract sockets and signals from the sixth.
    words = [FILES[abi], *([3] if abi >= 4 else []), *([3] if abi >= 6 else [])]
    assert here.asked == [("create", 8 * len(words), struct.pack(f"={len(words)}Q", *words), 0), ("restrict", True, 0)]
    assert not open_still(here.fd)


def test_a_rule_set_that_is_not_taken_is_an_error_and_leaves_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Kernel(refuses=446)
    monkeypatch.setattr(kernel, "syscall", here.syscall)
    with pytest.raises(OSError, match="no"):
        landlock.deny_all(1)
    assert not open_still(here.fd)


def test_the_version_is_the_kernels_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Kernel(abi=5)
    monkeypatch.setattr(kernel, "syscall", here.syscall)
    assert landlock.version() == 5
    assert here.asked == [("create", 0, b"", 1)]
    monkeypatch.setattr(kernel, "syscall", Kernel(refuses=444).syscall)
    assert landlock.version() == 0
