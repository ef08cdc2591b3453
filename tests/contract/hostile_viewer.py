"""A warm parent whose children misbehave when they are to show something: the first word of the file says how."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from sanitizers import child, parent, preview, preview_words, wire
from sanitizers.model import Job
from sanitizers.preview_words import Look, Shown
from sanitizers.source import Source
from sanitizers.wire import FrameType

Answer = tuple[Shown, bytes]


def _say(payload: bytes, kind: FrameType = FrameType.SHOWN) -> NoReturn:
    os.write(child.REPORT_FD, wire.encode_frame(kind, payload))
    os._exit(0)


def _spin() -> Answer:
    while True:
        pass


def _sleep() -> Answer:
    time.sleep(60)
    raise AssertionError


def _crash() -> Answer:
    raise RuntimeError("a bug")


def _connect() -> Answer:
    socket.create_connection(("127.0.0.1", 22), timeout=1)
    raise AssertionError


def _open_file() -> Answer:
    with open("/etc/passwd", "rb") as stream:
        return Shown(lines=(stream.read(100).decode(),)), b""


def _fork() -> Answer:
    os.fork()
    raise AssertionError


def _eat() -> Answer:
    return Shown(lines=(str(len(bytearray(8 << 30))),)), b""


_DEEDS: dict[str, Callable[[], Answer]] = {
    "good": lambda: (Shown(lines=("good",), drawn=(1, 2)), b"\1\2\3\4\5\6"),
    "spin": _spin,
    "sleep": _sleep,
    "crash": _crash,
    "connect": _connect,
    "open_file": _open_file,
    "fork": _fork,
    "eat": _eat,
    "too_few_pixels": lambda: (Shown(drawn=(100, 100)), b"\0" * 30),
    "too_many_pixels": lambda: (Shown(drawn=(1, 1)), b"\0" * 3_000_000),
    "pixels_unannounced": lambda: (Shown(), b"\x89PNG"),
    "a_report": lambda: _say(b"{}", FrameType.REPORT),
    "no_json": lambda: _say(b"\xff\xfe"),
    "too_long": lambda: _say(b'{"lines":["' + b"x" * 100_000 + b'"]}'),
    "too_deep": lambda: _say(b'{"gist":' * 5_000),
    "silent": lambda: os._exit(0),
    "twice": lambda: (os.write(child.REPORT_FD, wire.encode_frame(FrameType.SHOWN, preview_words.encode(Shown()))), (Shown(), b""))[1],
}


def _act(job: Job, look: Look, source: Source) -> Answer:
    del job, look
    return _DEEDS[source.bytes().decode()]()


if __name__ == "__main__":
    preview.show = _act
    sys.exit(parent.main())
