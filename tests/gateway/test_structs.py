"""Types are learnt before there are threads: what two of them learn at once kills the process."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from gateway import structs
from gateway.storage.settling import Settlement
from sanitizers.model import Job, Report

MANY = """
import sys, threading
import msgspec
from gateway import structs
sys.setswitchinterval(1e-6)
for number in range(150):
    inner = msgspec.defstruct(f"Inner{number}", [(f"f{index}", "list[int] | None", None) for index in range(30)])
    outer = msgspec.defstruct(f"Outer{number}", [("one", inner), ("many", list[inner])])
    if "learn" in sys.argv:
        structs.learn()
    ready = threading.Barrier(4)
    def read():
        ready.wait()
        msgspec.json.decode(b'{"one": {}, "many": [{}]}', type=outer)
    crew = [threading.Thread(target=read) for _ in range(4)]
    [one.start() for one in crew]
    [one.join() for one in crew]
"""


def test_threads_that_read_what_was_learnt_live() -> None:
    done = subprocess.run([sys.executable, "-c", MANY, "learn"], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_struct_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[type] = []
    monkeypatch.setattr(msgspec.json, "Decoder", seen.append)
    structs.learn()
    assert {Report, Job, Settlement} <= set(seen)


def test_an_unreadable_struct_stops_nobody() -> None:
    class Odd(msgspec.Struct):
        what: list[Nowhere]  # type: ignore[name-defined]  # noqa: F821

    structs.learn()
