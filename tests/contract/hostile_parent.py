"""A warm parent whose children misbehave: the first word of the input says how. Started by tests in place of `sanitizers.parent`.

The hostile code runs where a format's code would run: inside the child, behind all walls.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from sanitizers import child, engine, formats, parent, verify, wire
from sanitizers.context import Context, Rebuilt
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.jail import kernel
from sanitizers.model import Kind
from sanitizers.source import Source
from sanitizers.wire import FrameType


def _good(source: Source, _: Context) -> Rebuilt:
    return Rebuilt(Source(b"rebuilt: " + source.bytes()), Kind.TEXT)


def _crash(*_: object) -> Rebuilt:
    raise RuntimeError("a bug")


def _segfault(*_: object) -> Rebuilt:
    ctypes.string_at(0)
    raise AssertionError


def _abort(*_: object) -> Rebuilt:
    os.abort()


def _exit_quietly(*_: object) -> Rebuilt:
    os._exit(0)


def _spin(*_: object) -> Rebuilt:
    while True:
        pass


def _spin_deaf(*_: object) -> Rebuilt:
    """Burns no CPU and hears no polite signal."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGXCPU})
    while True:
        time.sleep(0.05)


def _burn(*_: object) -> Rebuilt:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


def _eat_memory(*_: object) -> Rebuilt:
    hoard = []
    while True:
        hoard.append(bytearray(64 << 20))


def _flood_output(_: Source, context: Context) -> Rebuilt:
    return Rebuilt(Source(b"x" * (context.limits.expanded_bytes + 1)), Kind.TEXT)


def _flood_report(*_: object) -> Rebuilt:
    frame = wire.encode_frame(FrameType.PROGRESS, b"x" * 500)
    while True:
        os.write(child.REPORT_FD, frame * 100)


def _garbage(*_: object) -> Rebuilt:
    while True:
        os.write(child.REPORT_FD, os.urandom(4096))


def _long_frame(*_: object) -> Rebuilt:
    os.write(child.REPORT_FD, b"\x03\xff\xff\xff\xff")
    time.sleep(60)
    raise AssertionError


def _forged_report(_: Source, context: Context) -> Rebuilt:
    """Claims a delivery of bytes that it did not write."""
    report = (
        '{"path":"%s","verdict":"clean","reason":null,"input":{"name":"x","size":%d,"sha256":"%s","kind":"text"},'
        '"output":{"name":"x","size":3,"sha256":"%s","kind":"text"},"policy":"","rules":"","schema":"sekisho.report/1"}'
    ) % (context.name, 13, "0" * 64, "1" * 64)
    os.write(child.REPORT_FD, wire.encode_frame(FrameType.REPORT, report.encode()))
    os._exit(0)


def _shown_instead(*_: object) -> Rebuilt:
    """Answers as if it had only been asked to show the file."""
    os.write(child.REPORT_FD, wire.encode_frame(FrameType.SHOWN, b"{}"))
    os._exit(0)


def _swap_output(_: Source, context: Context) -> Rebuilt:
    """Writes other bytes into the output after the engine has verified what it will report: the digests cannot agree."""
    os.write(child.OUTPUT_FD, b"unsanitised bytes first")
    return Rebuilt(Source(b"clean"), Kind.TEXT)


def _fork(*_: object) -> Rebuilt:
    os.fork()
    raise AssertionError


def _raw_clone(*_: object) -> Rebuilt:
    kernel.syscall(56 if kernel.MACHINE == "x86_64" else 220, 17, 0, 0, 0, 0)
    raise AssertionError


def _open_file(*_: object) -> Rebuilt:
    return Rebuilt(Source(open("/etc/passwd", "rb").read()), Kind.TEXT)


def _create_file(*_: object) -> Rebuilt:
    with open("/tmp/sekisho-escape", "wb") as stream:
        stream.write(b"x")
    return Rebuilt(Source(b"escaped"), Kind.TEXT)


def _connect(*_: object) -> Rebuilt:
    socket.create_connection(("127.0.0.1", 22), timeout=1)
    raise AssertionError


def _unix_socket(*_: object) -> Rebuilt:
    socket.socketpair()
    raise AssertionError


def _execute(*_: object) -> Rebuilt:
    os.execv("/bin/sh", ["sh", "-c", "true"])


def _kill_parent(*_: object) -> Rebuilt:
    os.kill(os.getppid(), signal.SIGKILL)
    raise AssertionError


def _trace_parent(*_: object) -> Rebuilt:
    kernel.syscall(101 if kernel.MACHINE == "x86_64" else 117, 16, os.getppid(), 0, 0)
    raise AssertionError


def _run_data(*_: object) -> Rebuilt:
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    if libc.mmap(None, 4096, 7, 0x22, -1, 0) != ctypes.c_void_p(-1).value:
        return Rebuilt(Source(b"escaped"), Kind.TEXT)
    raise PermissionError


def _unshare_again(*_: object) -> Rebuilt:
    kernel.unshare(kernel.CLONE_NEWUSER)
    return Rebuilt(Source(b"escaped"), Kind.TEXT)


def _raise_limits(*_: object) -> Rebuilt:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return Rebuilt(Source(b"escaped"), Kind.TEXT)


def _many_descriptors(*_: object) -> Rebuilt:
    while True:
        os.dup(child.SOURCE_FD)


def _write_source(*_: object) -> Rebuilt:
    os.write(child.SOURCE_FD, b"changed")
    return Rebuilt(Source(b"escaped"), Kind.TEXT)


def _environment(*_: object) -> Rebuilt:
    return Rebuilt(Source(repr(sorted(os.environ.items())).encode()), Kind.TEXT)


def _list_folder(*_: object) -> Rebuilt:
    return Rebuilt(Source(repr(os.listdir("/")).encode()), Kind.TEXT)


_NEW_THREAD = 0x003D_0F00
_EXIT = 60 if kernel.MACHINE == "x86_64" else 93
_CLONE = 56 if kernel.MACHINE == "x86_64" else 220


def _thread(source: Source, context: Context) -> Rebuilt:
    """The deed that the second word names, done in a second thread of the child. What it raises or returns is the child's own."""
    ends: list[Rebuilt | BaseException] = []

    def run() -> None:
        try:
            ends.append(DEEDS[source.bytes().split()[1].decode()](source, context))
        except BaseException as error:  # noqa: BLE001 - told by the first thread
            ends.append(error)

    other = threading.Thread(target=run)
    other.start()
    other.join()
    if isinstance(ends[0], BaseException):
        raise ends[0]
    return ends[0]


def _clones(*_: object) -> Rebuilt:
    """A thread with a namespace of its own, and all that is less or more than a thread. Tells how each ended."""
    flags = [_NEW_THREAD | new for new in (kernel.CLONE_NEWUSER, kernel.CLONE_NEWNET, kernel.CLONE_NEWNS, kernel.CLONE_NEWIPC)]
    flags += [_NEW_THREAD & ~(1 << bit) for bit in range(32) if _NEW_THREAD >> bit & 1]
    flags += [0, signal.SIGCHLD, 0x4100 | signal.SIGCHLD, _NEW_THREAD | signal.SIGCHLD, _NEW_THREAD | 0x2000, _NEW_THREAD | 0x8000]
    return Rebuilt(Source(" ".join(sorted({_outcome(lambda flag=flag: _clone(flag)) for flag in flags})).encode()), Kind.TEXT)


def _clone(flags: int) -> None:
    if kernel.syscall(_CLONE, ctypes.c_ulong(flags), 0, 0, 0, 0) == 0:
        os._exit(0)


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return str(error.strerror)
    return "done"


def _thread_flood(*_: object) -> Rebuilt:
    """As many threads as there can be, all at once."""
    threading.stack_size(64 << 10)
    over = threading.Event()
    count = 0
    try:
        while count < 10_000:
            threading.Thread(target=over.wait, daemon=True).start()
            count += 1
    except RuntimeError:
        pass
    time.sleep(0.5)
    over.set()
    return Rebuilt(Source(f"threads: {count}".encode()), Kind.TEXT)


def _first_thread_leaves(*_: object) -> Rebuilt:
    """Only the other thread is left, and it hears nothing."""
    threading.Thread(target=_spin_deaf, daemon=True).start()
    kernel.syscall(_EXIT, 0)
    raise AssertionError


def _who(*_: object) -> Rebuilt:
    return Rebuilt(Source(str(os.getpid()).encode()), Kind.TEXT)


def _descriptors(*_: object) -> Rebuilt:
    """Those that are open, and what the one behind the job's says to a reader."""
    opened = []
    for fd in range(256):
        try:
            os.fstat(fd)
        except OSError:
            continue
        opened.append(fd)
    return Rebuilt(Source(repr(opened).encode()), Kind.TEXT)


def _linger(*_: object) -> Rebuilt:
    """Says all that it has to say, and does not end."""
    os._exit = lambda _: time.sleep(60)
    return Rebuilt(Source(b"said"), Kind.TEXT)


def _write_late(*_: object) -> Rebuilt:
    """Writes into the output again and again once the report is out."""
    os._exit = lambda _: _write_evil()
    return Rebuilt(Source(b"honest"), Kind.TEXT)


def _write_evil() -> NoReturn:
    while True:
        with contextlib.suppress(OSError):
            os.pwrite(child.OUTPUT_FD, b"evil", 0)


DEEDS = {name.removeprefix("_"): deed for name, deed in list(globals().items()) if name.startswith("_") and callable(deed)}


def act(source: Source, context: Context) -> Rebuilt:
    return DEEDS[source.bytes().split()[0].decode()](source, context)


if __name__ == "__main__":
    play = Sanitizer("hostile", frozenset({Kind.TEXT}), act, "", "", "", "")
    engine.identify.identify = lambda *_: Kind.TEXT  # type: ignore[assignment]
    engine.identify.mismatch = lambda *_: None  # type: ignore[assignment]
    formats.BY_KIND[Kind.TEXT] = play
    verify.VERIFIERS[Kind.TEXT] = lambda *_: None
    engine.Engine._second_pass = lambda *_: None  # type: ignore[method-assign]
    sys.exit(parent.main())
