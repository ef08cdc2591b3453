"""Jailed children that do as the first word of their input says (`tests/contract/hostile_parent.py`)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import psutil

from gateway.road import memory
from gateway.road.workers import Sanitized, Workers
from sanitizers.model import Job, Limits

HOSTILE = (sys.executable, str(Path(__file__).parents[1] / "contract" / "hostile_parent.py"))
LIMITS = Limits(wall_seconds=2.0, cpu_seconds=1, memory_bytes=160 << 20, expanded_bytes=16 << 20)
# For what never waits for its time to run out: a busy machine must not turn a crash into a time-out.
PATIENT = msgspec.structs.replace(LIMITS, wall_seconds=60.0, cpu_seconds=30)
# What a child does that wants out, by its name in tests/contract/hostile_parent.py.
ESCAPES = (
    "fork", "raw_clone", "open_file", "create_file", "connect", "unix_socket", "execute", "kill_parent", "trace_parent", "run_data",
    "unshare_again", "raise_limits", "many_descriptors", "write_source", "list_folder",
)  # fmt: skip


def warm_parents() -> list[psutil.Process]:
    """Those of this process that live. Servers of other tests of the session are its children too."""
    return [child for child in psutil.Process().children() if any("parent" in word for word in _words(child))]


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []       # it has just gone


async def play(workers: Workers, deed: str, limits: Limits = LIMITS) -> Sanitized:
    with memory.filled("input", deed.encode()) as writable:
        source = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
        try:
            return await workers.sanitize(source, Job(name="sample.txt", limits=limits))
        finally:
            os.close(source)


def content(sanitized: Sanitized) -> bytes:
    assert sanitized.output_fd is not None
    try:
        return os.pread(sanitized.output_fd, 1 << 20, 0)
    finally:
        os.close(sanitized.output_fd)
