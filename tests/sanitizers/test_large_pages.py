"""The warm parent's memory in large pages: which places, and that nothing changes but the pages."""

from __future__ import annotations

import errno

import pytest

from sanitizers import large_pages
from sanitizers.jail import kernel

MB2 = 2 << 20


@pytest.mark.parametrize(
    ("line", "places"),
    [
        ("7f0000100000-7f0000700000 rw-p 00000000 00:00 0 ", [0x7F0000200000, 0x7F0000400000]),
        ("55e000000000-55e000200000 rw-p 00000000 00:00 0                          [heap]", [0x55E000000000]),
        ("7f0000000000-7f0000400000 rw-p 00000000 00:00 0 [anon:arena]", [0x7F0000000000, 0x7F0000200000]),
        ("7f0000000000-7f00001ff000 rw-p 00000000 00:00 0 ", []),
        ("7f0000000000-7f0000400000 r--p 00000000 00:00 0 ", []),
        ("7f0000000000-7f0000400000 rw-s 00000000 00:01 1024 /memfd:source (deleted)", []),
        ("7f0000000000-7f0000400000 rw-p 00001000 fd:00 77 /usr/lib/libx.so", []),
        ("7ffc00000000-7ffc00400000 rw-p 00000000 00:00 0                          [stack]", []),
    ],
)
def test_only_own_memory_without_a_file_behind_it(line: str, places: list[int]) -> None:
    assert list(large_pages._places(line)) == places


def test_what_lies_in_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    advise = kernel.advise

    def counted(address: int, length: int, advice: int) -> None:
        asked.append(address)
        advise(address, length, advice)

    monkeypatch.setattr(kernel, "advise", counted)
    block = bytearray(range(256)) * (8 * MB2 // 256)
    large_pages.gather()
    assert asked
    assert bytes(block) == bytes(range(256)) * (8 * MB2 // 256)


def test_a_kernel_without_the_call_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.EINVAL, "no such advice")

    monkeypatch.setattr(kernel, "advise", refuse)
    large_pages.gather()
