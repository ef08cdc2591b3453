"""`sekisho sanitize` and `sekisho inspect`: files and folders, the same way as in the service.

Exit status: 0 every input was delivered · 3 at least one held, none blocked · 4 at least one blocked · 2 wrong usage ·
1 the program itself failed.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, TextIO

import msgspec
import uvloop
from tqdm import tqdm

from gateway import policy
from gateway.commands import Failure, Usage, reading
from gateway.model import INBOUND, Door
from gateway.policy import Policy
from gateway.publishing import rulesets
from gateway.road.workers import Workers, lost_report
from gateway.telemetry import log
from sanitizers.model import EXTENSIONS, Job, PartInfo, Reason, Report, Verdict

_BLOCK: Final = 1 << 20
_HELD_STATUS, _BLOCKED_STATUS = 3, 4
_MAX_PASSWORDS: Final = 1_000


class Input(NamedTuple):
    """One file: where it lies and its path below the input that was named."""

    path: Path
    relative: Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sanitize = commands.add_parser("sanitize", help="無害化する / sanitise files and folders")
    sanitize.add_argument("-o", "--output", type=Path, required=True, metavar="OUTDIR", help="folder for what is delivered")
    sanitize.add_argument("--report", metavar="FILE|-", help="JSON Lines, one object per input file")
    sanitize.set_defaults(run=run_sanitize)
    inspect = commands.add_parser("inspect", help="点検する / print the report without writing output")
    inspect.set_defaults(run=run_inspect, report="-", output=None)
    inspect.add_argument("--layers", action="store_true", help="with --policy: which layers hold for these facts, on standard error")
    for command in (sanitize, inspect):
        _as_if(command)
        command.add_argument("inputs", nargs="+", type=Path, metavar="INPUT")
        command.add_argument("--policy", type=Path, metavar="FILE")
        command.add_argument("--rules", type=Path, metavar="DIR", help="folder of YARA rules instead of the built-in ones")
        command.add_argument("--password-file", type=Path, metavar="FILE", help="one candidate per line, UTF-8")
        command.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
        command.add_argument("--no-progress", action="store_true")


def _as_if(command: argparse.ArgumentParser) -> None:
    """Facts that a policy in layers asks about."""
    command.add_argument("--organisation", default="", metavar="NAME", help="policy: as if of this organisation")
    command.add_argument("--department", action="append", default=[], metavar="NAME", help="policy: of this one, the outermost first")
    command.add_argument("--for", dest="person", default="", metavar="WHO", help="policy: for this address or log-in name")
    command.add_argument("--from", dest="sender", default="", metavar="WHO", help="policy: from this address")
    command.add_argument("--door", default="cli", choices=[*Door], help="policy: as if by this door")
    command.add_argument("--lane", default=INBOUND.name, metavar="NAME", help="policy: as if on this lane")


def run_sanitize(arguments: argparse.Namespace) -> int:
    return uvloop.run(_run(arguments))


run_inspect = run_sanitize


async def _run(arguments: argparse.Namespace) -> int:
    log.start("warning")
    inputs = list(_walk(arguments.inputs, arguments.output))
    rules = reading(lambda: rulesets.read(arguments.rules or rulesets.builtin_folder()))
    document = reading(lambda: policy.load(arguments.policy.read_text("utf-8")) if arguments.policy else Policy())
    chosen = policy.effective(document, _facts(arguments))
    if getattr(arguments, "layers", False):
        sys.stderr.write(policy.told(document, chosen))
    passwords = reading(lambda: _passwords(arguments.password_file)) if arguments.password_file else ()
    if arguments.jobs < 1:
        raise Usage("--jobs: at least 1")
    workers = Workers(rules, arguments.jobs)
    try:
        await workers.start()
    except ValueError as error:
        raise Usage(f"--rules: {error}") from None
    try:
        with _report_file(arguments.report) as report_file:
            batch = _Batch(workers, chosen, passwords, arguments.output, report_file, quiet=arguments.no_progress, inputs=inputs)
            return await batch.run(arguments.jobs)
    except ExceptionGroup as group:
        # An output or the report could not be written: what was reported until now stands, the rest was not done.
        failed, others = group.split(OSError)
        if failed is None or others is not None:
            raise
        raise Failure(str(_first(failed))) from None
    finally:
        await workers.stop()


def _facts(arguments: argparse.Namespace) -> policy.Facts:
    person = arguments.person
    return policy.Facts(
        organisation=arguments.organisation,
        lane=arguments.lane,
        door=arguments.door,
        sender=arguments.sender,
        people=(person,),
        departments={person: tuple(arguments.department)},
    )


@contextmanager
def _report_file(name: str | None) -> Iterator[TextIO | None]:
    if name is None or name == "-":
        yield sys.stdout if name else None
        return
    with reading(lambda: open(name, "w", encoding="utf-8")) as stream:  # noqa: PTH123 - a device or a pipe is fine too
        yield stream


class _Batch:
    """All inputs of one call: each is sanitised, written if delivered, and reported, in the order in which they finish."""

    def __init__(
        self,
        workers: Workers,
        chosen: Policy,
        passwords: tuple[str, ...],
        output: Path | None,
        report_file: TextIO | None,
        *,
        quiet: bool,
        inputs: list[Input],
    ) -> None:
        self._workers = workers
        self._policy = chosen
        self._passwords = passwords
        self._output = output
        self._report_file = report_file
        self._inputs = inputs
        # An output never takes the place that another input's own name would have.
        self._taken = {item.relative for item in inputs}
        self._verdicts: set[Verdict] = set()
        self._bar = tqdm(total=len(inputs), unit="file", disable=quiet or not sys.stderr.isatty())

    async def run(self, jobs: int) -> int:
        queue = iter(self._inputs)
        async with asyncio.TaskGroup() as crew:
            for _ in range(jobs):
                crew.create_task(self._work(queue))
        self._bar.close()
        if Verdict.BLOCKED in self._verdicts:
            return _BLOCKED_STATUS
        return _HELD_STATUS if Verdict.HELD in self._verdicts else 0

    async def _work(self, queue: Iterator[Input]) -> None:
        for item in queue:
            report = await self._one(item)
            self._verdicts.add(report.verdict)
            self._say(item, report)
            self._bar.update()

    async def _one(self, item: Input) -> Report:
        job = Job(
            name=_text(item.relative.name),
            limits=self._policy.limits,
            treatment=self._policy.treatment,
            passwords=self._passwords,
            policy=self._policy.version,
            rules=self._workers.rules_version,
        )
        try:
            source = os.open(item.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            return _unreadable(item, job, error)
        try:
            if not stat.S_ISREG(os.fstat(source).st_mode):
                return _unreadable(item, job, OSError("not a regular file"))
            sanitized = await self._workers.sanitize(source, job)
        finally:
            os.close(source)
        decision = policy.decide(sanitized.report, self._policy)
        report = msgspec.structs.replace(sanitized.report, verdict=decision.verdict, reason=decision.reason)
        if sanitized.output_fd is None:
            return msgspec.structs.replace(report, path=_text(item.relative))
        try:
            if not report.verdict.delivers or report.output is None:
                return msgspec.structs.replace(report, path=_text(item.relative), output=None)
            return self._deliver(item, report, report.output, sanitized.output_fd)
        finally:
            os.close(sanitized.output_fd)

    def _deliver(self, item: Input, report: Report, output: PartInfo, fd: int) -> Report:
        target = self._target(item, output)
        if self._output is not None:
            _write(self._output / target, fd)
        output = msgspec.structs.replace(output, name=_text(target.name), path=_text(target))
        return msgspec.structs.replace(report, path=_text(item.relative), output=output)

    def _target(self, item: Input, output: PartInfo) -> Path:
        """The input's relative path with the extension of the true kind; `a.docm.docx` where `a.docx` is another's."""
        extensions = EXTENSIONS[output.kind]
        if item.relative.suffix.lower().removeprefix(".") in extensions:
            return item.relative
        target, number = item.relative.with_suffix(f".{extensions[0]}"), 1
        while target in self._taken:
            again = "" if number == 1 else f".{number}"
            target, number = item.relative.with_name(f"{item.relative.name}{again}.{extensions[0]}"), number + 1
        self._taken.add(target)
        return target

    def _say(self, item: Input, report: Report) -> None:
        if self._report_file is not None:
            self._report_file.write(msgspec.json.encode(report).decode() + "\n")
            self._report_file.flush()
        if self._report_file is not sys.stdout:
            tqdm.write(_line(item, report), file=sys.stdout)


def _line(item: Input, report: Report) -> str:
    if report.output is not None:
        name = "" if report.output.name == report.input.name else f" → {report.output.name}"
        return f"{report.verdict:<9} {_text(item.relative)}{name}"
    return f"{report.verdict:<9} {_text(item.relative)} ({report.reason})"


# ------------------------------------------------------------------------------------------------------ files of the caller


def _walk(named: list[Path], output: Path | None) -> Iterator[Input]:
    """Every file once, folders sorted. Raises Usage for an input that is not there, or that lies where output goes."""
    seen: dict[Path, Path] = {}
    yield from _found(named, seen)
    if output is None:
        return
    folders = {file.parent.resolve() for file in seen.values()}
    for relative in seen:
        if (output / relative).parent.resolve() in folders:
            raise Usage(f"{output}: output would lie beside the inputs")
    for path in named:
        if path.is_dir() and output.resolve().is_relative_to(path.resolve()):
            raise Usage(f"{output}: lies inside the input {path}")


def _found(named: list[Path], seen: dict[Path, Path]) -> Iterator[Input]:
    for path in named:
        if not path.exists():
            raise Usage(f"{path}: no such file or folder")
        base = path if path.is_dir() else path.parent
        for file in sorted(_files(path)):
            relative = file.relative_to(base)
            if relative in seen:
                raise Usage(f"{seen[relative]} and {file} would both be written to {relative}")
            seen[relative] = file
            yield Input(file, relative)


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    closed: list[Path] = []
    for folder, _, names in os.walk(path, onerror=lambda error: closed.append(Path(error.filename))):
        for name in names:
            yield Path(folder, name)
    # A folder that cannot be listed is reported as one input that cannot be read, not passed over.
    yield from closed


def _first(group: BaseExceptionGroup[OSError]) -> OSError | BaseExceptionGroup[OSError]:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _write(target: Path, fd: int) -> None:
    """Whole or not at all: under another name first, then in place. Never through a link."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}.part")
    with suppress(FileNotFoundError):
        unfinished.unlink()
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "wb") as stream:
            offset = 0
            while block := os.pread(fd, _BLOCK, offset):
                stream.write(block)
                offset += len(block)
        unfinished.replace(target)
    except OSError:
        with suppress(FileNotFoundError):
            unfinished.unlink()
        raise


def _unreadable(item: Input, job: Job, error: OSError) -> Report:
    report = lost_report(job, 0, hashlib.sha256(b"").hexdigest(), Reason.MALFORMED, f"cannot be read: {error.strerror or error}")
    return msgspec.structs.replace(report, path=_text(item.relative))


def _text(path: Path | str) -> str:
    """A name that is not UTF-8 is shown with replacement characters; the file itself keeps its bytes."""
    return os.fsencode(path).decode("utf-8", "replace")


def _passwords(file: Path) -> tuple[str, ...]:
    lines = tuple(line for line in file.read_text("utf-8-sig").splitlines() if line)
    if len(lines) > _MAX_PASSWORDS:
        raise ValueError(f"{file}: more than {_MAX_PASSWORDS} passwords")
    return lines
