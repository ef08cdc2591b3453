"""AttachéCase files whose list, contents or end do not tell the truth."""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import NamedTuple

import pytest

from sanitizers.formats.archive import atc
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed, Reason, Refused, Unsupported, Verdict
from sanitizers.source import BLOCK, Source
from tests.build import archive as fake
from tests.build.context import run

TEXT = "本文\r\n".encode()


def entry(name: bytes = b"a.txt", data: bytes = TEXT, *, size: int | None = None, attributes: int = 32) -> bytes:
    """One file or folder of the list."""
    said = len(data) if size is None else size
    md5 = hashlib.md5(data).digest() if said and not attributes & 16 else b""
    return struct.pack("<H", len(name)) + name + struct.pack("<q5i", said, attributes, 20261120, 90000, 20261120, 90000) + md5


def written(listed: bytes, body: bytes = TEXT, *, deflated: bool = True, token: bytes = b"_AttacheCaseData") -> bytes:
    """A file with this list and this content, locked with "p"."""
    salt = b"saltsalt"
    made = hashlib.pbkdf2_hmac("sha1", b"p", salt, 1000, 48)
    head = struct.pack("<HBB16sII16s8s", 4100, 3, 0, token, 140, len(listed) + 4, bytes(16), salt)
    return head + fake._cbc(made, b"atc4" + listed) + fake._cbc(made, zlib.compress(body, wbits=-15) if deflated else body)


def refusal(data: bytes, **limits: int) -> Refused:
    given = fake.context("x.atc", Kind.ATC, size=len(data), passwords=("p",), limits=Limits(**limits))
    with pytest.raises(Refused) as caught:
        atc.SANITIZER.sanitize(Source(data), given)
    return caught.value


class Wrong(NamedTuple):
    data: bytes
    detail: str
    refusal: type[Refused] = Malformed
    code: str = "archive.malformed"


WRONG = {
    "no header": Wrong(bytes(100), "no AttachéCase header"),
    "half a header": Wrong(written(entry())[:40], "no AttachéCase header"),
    "a public key": Wrong(written(entry(), token=b"_AttacheCase_Rsa"), "public key", Unsupported, "archive.attachecase"),
    "a list cut short": Wrong(written(entry()[:-20]), "list of files"),
    "a name that runs over": Wrong(written(b"\xff\xff" + entry()[2:]), "list of files"),
    "a size below nothing": Wrong(written(entry(size=-1)), "list of files"),
    "a folder with content": Wrong(written(entry(attributes=16)), "list of files"),
    "a name that is no text": Wrong(written(entry(b"\x83\\.txt")), "file name"),
    "a body that is no AES": Wrong(written(entry())[:-16], "body"),
    "less than is listed": Wrong(written(entry(size=99)), "shorter than listed"),
    "nothing where a file is listed": Wrong(written(entry(), b"", deflated=False), "cut short"),
    "more than is listed": Wrong(written(entry(), TEXT + b"MZ"), "longer than listed"),
    "a block more than is listed": Wrong(written(entry(data=bytes(BLOCK)), bytes(BLOCK + 1)), "longer than listed"),
    "something where only a folder is listed": Wrong(written(entry(b"d\\", b"", attributes=16), b"MZ"), "longer than listed"),
    "another content": Wrong(written(entry(), TEXT[::-1]), "checksum"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_lies_is_refused(what: str) -> None:
    wrong = WRONG[what]
    caught = refusal(wrong.data)
    assert (type(caught), caught.code) == (wrong.refusal, wrong.code)
    assert wrong.detail in caught.detail


def test_too_many_members_and_too_large_ones_are_refused() -> None:
    assert type(refusal(written(entry() * 3), parts=2)) is LimitExceeded
    assert type(refusal(written(entry(size=1 << 40)))) is LimitExceeded


def test_folders_and_empty_files_need_no_content_at_all() -> None:
    outcome = run(written(entry(b"d\\", b"", attributes=16) + entry(b"d\\a.txt", b""), b"", deflated=False), "x.atc", passwords=("p",))
    assert outcome.report.verdict is Verdict.SANITIZED


@pytest.mark.parametrize("start", [0, 3, BLOCK - 30, BLOCK - 20, BLOCK - 10, 2 * BLOCK])
def test_the_data_behind_a_program_are_found_wherever_they_begin(start: int) -> None:
    assert atc.place(memoryview(bytes(start) + written(entry()))) == start


def test_a_token_without_room_before_it_is_none() -> None:
    assert atc.place(memoryview(b"MZ_AttacheCaseData" + bytes(99))) == -1
    assert atc.place(memoryview(bytes(2 * BLOCK))) == -1


def test_a_lie_is_told_to_the_person_as_a_broken_file() -> None:
    outcome = run(WRONG["more than is listed"].data, "x.atc", passwords=("p",))
    assert (outcome.content, outcome.report.verdict, outcome.report.reason) == (None, Verdict.HELD, Reason.MALFORMED)
