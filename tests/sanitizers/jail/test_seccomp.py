"""The filter, read by an interpreter of its own: what it answers to every call of both architectures."""

from __future__ import annotations

import ctypes
import errno
import re
from pathlib import Path

import pytest

from sanitizers.jail import kernel, seccomp

X86, ARM = "x86_64", "aarch64"
AUDIT = {X86: 0xC000003E, ARM: 0xC00000B7}      # linux/audit.h
HEADERS = {X86: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", ARM: "/usr/include/asm-generic/unistd.h"}
KILL, ALLOW = "kill", "allow"
# What computing needs: memory, time, descriptors that are already there, its own signals, its own end.
PASSES = {
    X86: {
        0, 1, 3, 5, 7, 8, 11, 12, 13, 14, 15, 17, 18, 19, 20, 24, 25, 28, 32, 35, 39, 60, 63, 72, 77, 79, 96, 98, 99, 100, 102, 104, 107,
        108, 110, 131, 186, 202, 204, 219, 228, 229, 230, 231, 271, 273, 309, 318, 334,
    },
    ARM: {
        17, 23, 25, 46, 57, 62, 63, 64, 65, 66, 67, 68, 73, 80, 93, 94, 98, 99, 101, 113, 114, 115, 123, 124, 128, 132, 134, 135, 139, 153,
        160, 165, 168, 169, 172, 173, 174, 175, 176, 177, 178, 179, 214, 215, 216, 233, 278, 293,
    },
}  # fmt: skip
FAILS = {
    X86: dict.fromkeys((2, 4, 6, 21, 89, 137, 257, 262, 267, 269, 439), errno.EACCES)
    | {16: errno.ENOTTY, 302: errno.EPERM, 332: errno.ENOSYS, 435: errno.ENOSYS, 56: errno.EAGAIN},
    ARM: dict.fromkeys((43, 48, 56, 78, 79, 439), errno.EACCES)
    | {29: errno.ENOTTY, 261: errno.EPERM, 291: errno.ENOSYS, 435: errno.ENOSYS, 220: errno.EAGAIN},
}
MAPS = {X86: (9, 10), ARM: (222, 226)}          # mmap, mprotect
CLONE = {X86: 56, ARM: 220}
NEWFSTATAT = {X86: 262, ARM: 79}


@pytest.fixture(params=[X86, ARM])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(kernel, "MACHINE", request.param)
    return str(request.param)


def answer(machine: str, number: int, arguments: dict[int, int] | None = None, arch: int | None = None) -> str | int:
    """What the filter says: `KILL`, `ALLOW`, or the errno that the call fails with. linux/bpf_common.h, linux/seccomp.h."""
    words = {0: number, 4: AUDIT[machine] if arch is None else arch}
    for index, value in (arguments or {}).items():
        words[16 + 8 * index], words[20 + 8 * index] = value & 0xFFFFFFFF, value >> 32
    steps, at, accumulator = seccomp._program(), 0, 0
    while True:
        code, jump_true, jump_false, value = steps[at]
        at += 1
        match code:
            case 0x20:                          # BPF_LD | BPF_W | BPF_ABS
                accumulator = words.get(value, 0)
            case 0x15:                          # BPF_JMP | BPF_JEQ | BPF_K
                at += jump_true if accumulator == value else jump_false
            case 0x35:                          # BPF_JGE
                at += jump_true if accumulator >= value else jump_false
            case 0x45:                          # BPF_JSET
                at += jump_true if accumulator & value else jump_false
            case 0x06:                          # BPF_RET | BPF_K
                return {0x80000000: KILL, 0x7FFF0000: ALLOW}.get(value) or value - 0x50000
            case _:
                raise AssertionError(f"instruction {code:#x}")


def test_every_call_has_the_answer_it_is_meant_to_have(machine: str) -> None:
    maps = dict.fromkeys(MAPS[machine], ALLOW)
    wanted = dict.fromkeys(PASSES[machine], ALLOW) | FAILS[machine] | maps
    assert {number: said for number in range(1_024) if (said := answer(machine, number)) != KILL} == wanted


@pytest.mark.parametrize("number", [0x40000000, 0x40000000 + 1, 0xFFFFFFFF])
def test_a_call_of_the_x32_table_kills(machine: str, number: int) -> None:
    assert answer(machine, number) == KILL


def test_a_call_of_another_architecture_kills(machine: str) -> None:
    for arch in (0, 0x40000003, AUDIT[machine] - 1, AUDIT[ARM if machine == X86 else X86]):
        assert answer(machine, min(PASSES[machine]), arch=arch) == KILL


@pytest.mark.parametrize(("protection", "said"), [(0, ALLOW), (1, ALLOW), (3, ALLOW), (4, errno.EACCES), (5, errno.EACCES), (7, errno.EACCES)])
def test_memory_may_be_written_and_never_run(machine: str, protection: int, said: str | int) -> None:
    for number in MAPS[machine]:
        assert answer(machine, number, {2: protection}) == said
        assert answer(machine, number, {1: 4, 3: 4}) == ALLOW


def test_a_descriptor_may_be_looked_at_and_no_path(machine: str) -> None:
    assert answer(machine, NEWFSTATAT[machine], {3: 0x1000}) == ALLOW           # AT_EMPTY_PATH
    assert answer(machine, NEWFSTATAT[machine], {3: 0x1100}) == ALLOW
    assert answer(machine, NEWFSTATAT[machine], {3: 0x100}) == errno.EACCES     # AT_SYMLINK_NOFOLLOW
    assert answer(machine, NEWFSTATAT[machine], {3: 0xEFFF}) == errno.EACCES
    assert answer(machine, NEWFSTATAT[machine], {2: 0x1000}) == errno.EACCES


def test_clone_makes_a_thread_and_nothing_else(machine: str) -> None:
    thread = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x80000 | 0x100000 | 0x200000
    assert answer(machine, CLONE[machine], {0: thread}) == ALLOW
    for flags in (0, 17, thread | 17, thread & ~0x10000, thread | 0x10000000, thread | 0x02000000, thread + 1, thread - 1):
        assert answer(machine, CLONE[machine], {0: flags}) == errno.EAGAIN


def test_the_numbers_are_those_of_the_kernel(machine: str) -> None:
    header = Path(HEADERS[machine])
    if not header.exists():
        pytest.skip("the kernel's headers are not here")
    found = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\n", header.read_text("ascii")))
    found["newfstatat"] = found.get("newfstatat") or found["fstatat"]
    known = {name: numbers[machine == ARM] for name, numbers in seccomp._NUMBERS.items() if numbers[machine == ARM] is not None}
    assert {name: int(found[name]) for name in known} == known


def test_a_call_that_one_architecture_lacks_is_no_step(machine: str) -> None:
    missing = [name for name, numbers in seccomp._NUMBERS.items() if numbers[machine == ARM] is None]
    assert sorted(missing) == ([] if machine == X86 else ["access", "lstat", "open", "poll", "readlink", "stat"])
    assert all(not seccomp._when(name, seccomp._returns(0)) for name in missing)


def test_the_program_goes_to_the_kernel_as_it_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []

    def syscall(number: int, *arguments: object) -> int:
        program = arguments[2]._obj    # type: ignore[attr-defined]
        assert ctypes.sizeof(program) == 16, "struct sock_fprog: u16 len, a pointer"
        assert bytes(program)[:2] == program.length.to_bytes(2, "little")
        operation, flags = (arguments[0].value, arguments[1].value)    # type: ignore[attr-defined]
        said.append((number, operation, flags, ctypes.string_at(program.filter, 8 * program.length)))
        return 0

    monkeypatch.setattr(kernel, "syscall", syscall)
    seccomp.lock()
    assert said == [(kernel.SECCOMP, 1, 0, seccomp._packed())]      # SECCOMP_SET_MODE_FILTER
    assert len(said[0][3]) == 8 * len(seccomp._program())


def test_a_step_is_eight_bytes_in_the_order_of_the_kernel() -> None:
    """struct sock_filter: u16 code, u8 jt, u8 jf, u32 k."""
    assert seccomp._packed()[:16] == bytes((0x20, 0, 0, 0, 4, 0, 0, 0, 0x15, 0, 1, 0)) + AUDIT[kernel.MACHINE].to_bytes(4, "little")


def test_without_a_table_there_is_no_filter_and_no_jail(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seccomp.supported() is True
    monkeypatch.setattr(kernel, "MACHINE", "riscv64")
    assert seccomp.supported() is False
    monkeypatch.setattr(seccomp, "_FILTER", None)
    with pytest.raises(OSError, match="no seccomp table for riscv64") as caught:
        seccomp.lock()
    assert caught.value.errno == errno.ENOSYS
