"""Rule files, asked about: the compiler runs in a process of its own behind the walls, and only its answer comes here."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.road import memory
from gateway.road.warm_parent import ENVIRONMENT, JailUnavailable
from sanitizers import wire
from sanitizers.rule_words import MOST_BYTES, RuleAnswer, RuleFault, RuleQuestion

__all__ = ["RuleAnswer", "RuleCheckError", "RuleFault", "check", "cost", "foreign"]

_COMMAND: Final = (sys.executable, "-I", "-m", "sanitizers.rule_check")
_SECONDS: Final = 330.0
_MOST_ANSWER: Final = 64 << 20


class RuleCheckError(ValueError):
    """Rule files that cannot be taken. `faults`: file, line, rule and why; the text is the first of them."""

    def __init__(self, faults: tuple[RuleFault, ...]) -> None:
        super().__init__(said(faults[0]))
        self.faults = faults


def said(fault: RuleFault) -> str:
    """One line."""
    where = f"{fault.file}:{fault.line}" if fault.line else fault.file
    return f"{where}: {fault.rule + ': ' if fault.rule else ''}{fault.text}"


async def check(files: Mapping[str, str], *, jail_required: bool = True) -> RuleAnswer:
    """A whole set with its catalog. Raises RuleCheckError when it does not compile, JailUnavailable."""
    return await _whole(RuleQuestion(files=dict(files), jail_required=jail_required))


async def cost(files: Mapping[str, str], *, jail_required: bool = True) -> RuleAnswer:
    """The same, and each rule measured: takes seconds."""
    return await _whole(RuleQuestion(files=dict(files), cost=True, jail_required=jail_required))


async def foreign(files: Mapping[str, str], given: Mapping[str, str], *, jail_required: bool = True) -> RuleAnswer:
    """What of `given` compiles beside `files`, rule by rule. Raises RuleCheckError when there is too much of it, JailUnavailable."""
    return await _asked(RuleQuestion(files=dict(files), foreign=dict(given), jail_required=jail_required))


async def _whole(question: RuleQuestion) -> RuleAnswer:
    answer = await _asked(question)
    if answer.faults:
        raise RuleCheckError(answer.faults)
    return answer


async def _asked(question: RuleQuestion) -> RuleAnswer:
    written = msgspec.json.encode(question)
    if len(written) > MOST_BYTES:
        raise RuleCheckError((RuleFault(file="", line=0, rule="", text=f"larger than {MOST_BYTES >> 20} MiB"),))
    with memory.filled("question", written) as fd:
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            f"--question={fd}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=(fd,),
            env=ENVIRONMENT,
            start_new_session=True,
        )
        untrusted, errors = await _heard(process)
    if process.returncode != 0:
        last = wire.printable(errors.strip().rpartition(b"\n")[2][-500:])
        raise JailUnavailable(f"the rules could not be looked at: status {process.returncode} {last}")
    try:
        return msgspec.json.decode(untrusted, type=RuleAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise JailUnavailable(f"the rules could not be looked at: {error}") from None


async def _heard(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """What it says, as far as anybody wants to hear. It never outlives this."""
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(_SECONDS):
            answer, errors = await asyncio.gather(_most(process.stdout, _MOST_ANSWER), _most(process.stderr, 1 << 16))
            await process.wait()
            return answer, errors
    except TimeoutError:
        return b"", b"no answer in time"
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _most(stream: asyncio.StreamReader, most: int) -> bytes:
    """All of it, or nothing of what is longer; that is read to its end all the same, or whoever says it would wait for a reader."""
    blocks, size = [], 0
    while block := await stream.read(1 << 16):
        size += len(block)
        if size <= most:
            blocks.append(block)
    return b"".join(blocks) if size <= most else b""
