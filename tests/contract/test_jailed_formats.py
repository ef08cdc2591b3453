"""What formats need in spite of the walls: real samples through real jailed children, one for each way in which a library once wanted more."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator

import pikepdf
import pytest

from gateway.publishing import rulesets
from gateway.road import memory
from gateway.road.workers import Workers
from sanitizers.model import Job, Reason, Report, Verdict


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    crew = Workers(rulesets.read(rulesets.builtin_folder()), 1)
    await crew.start()
    yield crew
    await crew.stop()


async def through(workers: Workers, name: str, data: bytes, *passwords: str) -> Report:
    with memory.filled("input", data) as writable:
        source = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
        try:
            sanitized = await workers.sanitize(source, Job(name=name, passwords=passwords, rules=workers.rules_version))
        finally:
            os.close(source)
    if sanitized.output_fd is not None:
        os.close(sanitized.output_fd)
    return sanitized.report


def locked_pdf(revision: int, password: str) -> bytes:
    stream = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(stream, encryption=pikepdf.Encryption(owner="owner", user=password, R=revision, aes=revision > 3, metadata=revision > 3))
    return stream.getvalue()


@pytest.mark.parametrize("revision", [3, 4, 6])
async def test_an_encrypted_pdf_opens_in_the_jail(workers: Workers, revision: int) -> None:
    """AES-256 (revision 6) makes qpdf ask for a random device."""
    data = locked_pdf(revision, "秘密" if revision == 6 else "secret")
    assert (await through(workers, "a.pdf", data)).reason is Reason.ENCRYPTED
    assert (await through(workers, "a.pdf", data, "wrong", "secret", "秘密")).verdict is Verdict.SANITIZED


async def test_a_test_virus_is_blocked_at_the_first_look(workers: Workers) -> None:
    eicar = "X5O!P%@AP[4\\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!" + "$H+H*"
    report = await through(workers, "a.txt", eicar.encode())
    assert (report.verdict, report.reason) == (Verdict.BLOCKED, Reason.MALWARE)
