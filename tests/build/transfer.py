"""Transfers, reports, stores and workers as the tests of the road need them: built by code, no jail and no parser."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.model import Arrival, Claim, Decision, Door, Result, State, Transfer
from gateway.policy import Facts
from gateway.receipts import Signer
from gateway.road import memory
from gateway.road.workers import Sanitized
from gateway.storage.blobs import Blob, InUse
from gateway.storage.disk import Disk
from gateway.storage.faults import BlobDamagedError, BlobMissingError, StorageError
from gateway.storage.settling import Settlement, pack
from sanitizers.model import Action, Finding, Job, Kind, MailFacts, PartInfo, Reason, Report, Severity, Verdict

NOW = 1_795_000_000.0           # 18 November 2026
DAY = 86_400.0
BODY = b"what came in"
RESULT = b"what goes out"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def arrival(content: bytes = BODY, **changes: object) -> Arrival:
    given: dict[str, object] = {
        "door": Door.SMTP,
        "name": "message.eml",
        "size": len(content),
        "sha256": digest(content),
        "received_at": NOW,
        "sender": "sender@example.com",
        "recipients": ("kakari@town.example.jp",),
    }
    return Arrival(**(given | changes))  # type: ignore[arg-type]


def transfer(*, with_result: bool = False, **changes: object) -> Transfer:
    """A transfer as the journal would give it, RECEIVED unless told otherwise."""
    came = arrival()
    given: dict[str, object] = {
        "id": 1,
        "receipt_no": "20261118-000001",
        "state": State.RECEIVED,
        "verdict": None,
        "reason": None,
        "changed_at": NOW,
        "message_id": None,
        "subject": None,
        "blob": came.sha256,
        "result": Result(name="message.eml", size=len(RESULT), sha256=digest(RESULT), kind=Kind.EML) if with_result else None,
        "attempts": 0,
        "policy": "policy-1",
        "rules": "rules-1",
        "note": "",
    }
    known = {name: value for name, value in msgspec.structs.asdict(came).items() if name in Transfer.__struct_fields__}
    return Transfer(**(known | given | changes))


def info(content: bytes, name: str = "message.eml", kind: Kind = Kind.EML) -> PartInfo:
    return PartInfo(name=name, size=len(content), sha256=digest(content), kind=kind)


def report(
    verdict: Verdict = Verdict.SANITIZED,
    reason: Reason | None = None,
    *,
    source: bytes = BODY,
    output: bytes | None = None,
    kind: Kind = Kind.EML,
    parts: tuple[Report, ...] = (),
    policy: str = "policy-1",
    mail: MailFacts | None = None,
) -> Report:
    """A report that agrees with itself, about `source`; a delivering one has the output `RESULT` unless told otherwise."""
    delivered = RESULT if output is None and verdict.delivers else output
    findings: tuple[Finding, ...] = ()
    if reason is not None:
        findings = (Finding(code="file.encrypted", severity=Severity.LOW, action=Action.REFUSED, where=""),)
    return Report(
        path="message.eml",
        verdict=verdict,
        reason=reason,
        input=info(source, kind=kind),
        output=None if delivered is None else info(delivered, kind=kind),
        findings=findings,
        parts=parts,
        policy=policy,
        rules="rules-1",
        mail=mail,
    )


def held(reason: Reason = Reason.ENCRYPTED) -> Report:
    return report(Verdict.HELD, reason)


def settlement(given: Report | None = None, decision: Decision | None = None) -> Settlement:
    """What the pipeline would settle for a report that policy agrees with."""
    given = given or report()
    decision = decision or Decision(verdict=given.verdict, reason=given.reason)
    output = given.output
    result = None if output is None else Result(name=output.name, size=output.size, sha256=output.sha256, kind=output.kind)
    return Settlement(
        decision=decision,
        policy=given.policy,
        rules=given.rules,
        packed=pack(given),
        result=result,
        receipt="{}" if decision.verdict.delivers else None,
    )


def signer() -> Signer:
    return Signer(Ed25519PrivateKey.generate())


# -------------------------------------------------------------------------------------------------------------- stores


class MemoryBlobs:
    """The contract of blobs without a disk, for tests of what stands on it."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.put_at: dict[str, float] = {}
        self.now = NOW

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def begin(self, *, owner: str = "") -> MemoryWriter:
        return MemoryWriter(self)

    async def put(self, content: bytes | int, *, owner: str = "") -> Blob:
        if isinstance(content, int):
            content = os.pread(content, os.fstat(content).st_size, 0)
        name = digest(content)
        self.kept[name], self.put_at[name] = content, self.now
        return Blob(name, len(content))

    async def open(self, digest: str, *, check: bool = False) -> int:
        content = await self.read(digest) if check else self._bytes(digest)
        with memory.filled("blob", content) as fd:
            return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)

    async def read(self, digest: str) -> bytes:
        content = self._bytes(digest)
        if hashlib.sha256(content).hexdigest() != digest:
            raise BlobDamagedError(digest)
        return content

    async def exists(self, digest: str) -> bool:
        return digest in self.kept

    async def delete(self, digest: str) -> None:
        if not _is_digest(digest):
            raise BlobMissingError(digest)
        self.kept.pop(digest, None)

    async def sweep(self, in_use: InUse, older_than: float) -> int:
        gone = [name for name in self.kept if self.put_at[name] < older_than and not await in_use(name)]
        for name in gone:
            del self.kept[name]
        return len(gone)

    def _bytes(self, digest: str) -> bytes:
        if digest not in self.kept:
            raise BlobMissingError(digest)
        return self.kept[digest]


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


class MemoryWriter:
    def __init__(self, store: MemoryBlobs) -> None:
        self._store = store
        self._content = bytearray()
        self._over = False

    async def write(self, chunk: bytes) -> None:
        self._content += chunk

    async def commit(self) -> Blob:
        if self._over:
            raise StorageError("blobs: aborted")
        return await self._store.put(bytes(self._content))

    async def abort(self) -> None:
        self._over = True
        self._content.clear()


class FaultyDisk(Disk):
    """A disk whose `step` (the name of a call) fails with `error` from the `after`-th time on, `times` times."""

    def __init__(self, step: str = "", error: int = errno.EIO, *, after: int = 0, times: int = 1_000_000) -> None:
        self.step, self.error, self.after, self.times = step, error, after, times
        self.calls: list[str] = []

    def _maybe(self, name: str) -> None:
        self.calls.append(name)
        if name != self.step:
            return
        if self.after > 0:
            self.after -= 1
        elif self.times > 0:
            self.times -= 1
            raise OSError(self.error, os.strerror(self.error))

    def make_folder(self, folder: Path) -> None:
        self._maybe("make_folder")
        super().make_folder(folder)

    def create(self, path: Path) -> int:
        self._maybe("create")
        return super().create(path)

    def open(self, path: Path) -> int:
        self._maybe("open")
        return super().open(path)

    def write(self, fd: int, content: bytes | bytearray | memoryview) -> None:
        try:
            self._maybe("write")
        except OSError:
            # A disk fills up in the middle of a write.
            os.write(fd, memoryview(content)[: len(content) // 2])
            raise
        super().write(fd, content)

    def flush(self, fd: int) -> None:
        self._maybe("flush")
        super().flush(fd)

    def flush_folder(self, folder: Path) -> None:
        self._maybe("flush_folder")
        super().flush_folder(folder)

    def move(self, old: Path, new: Path) -> None:
        self._maybe("move")
        super().move(old, new)

    def remove(self, path: Path) -> None:
        self._maybe("remove")
        super().remove(path)

    def free_bytes(self, folder: Path) -> int:
        self._maybe("free_bytes")
        return super().free_bytes(folder)


# ------------------------------------------------------------------------------------------------------------- workers

Answer = Callable[[Job, bytes], Report]


class FakeWorkers:
    """Workers without a jail: `answer` makes the report, the output is `RESULT`."""

    def __init__(self, answer: Answer | None = None, output: bytes = RESULT) -> None:
        self.rules_version = "rules-1"
        self.jobs: list[Job] = []
        self.output = output
        self.answer = answer or (lambda job, source: report(source=source, policy=job.policy))

    async def sanitize(self, source_fd: int, job: Job, progress: Callable[[str], None] = lambda _: None) -> Sanitized:
        assert fcntl.fcntl(source_fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        self.jobs.append(job)
        progress(job.name)
        given = self.answer(job, os.pread(source_fd, os.fstat(source_fd).st_size, 0))
        if not given.verdict.delivers:
            return Sanitized(given, None)
        fd = memory.create("output")
        os.write(fd, self.output)
        memory.seal(fd)
        return Sanitized(given, fd)


def lost(job: Job, source: bytes) -> Report:
    return report(Verdict.HELD, Reason.WORKER_CRASHED, source=source, policy=job.policy)


def claimed(claims: list[Claim]) -> Claim:
    (claim,) = claims
    return claim


def at(**given: object) -> Facts:
    """What policy is asked about."""
    return Facts(**({"people": ("kakari@a.example.jp",), "door": Door.SMTP} | given))  # type: ignore[arg-type]
