"""Answers of timestamping authorities that prove nothing: each is refused, and says why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.auditing.timestamps import TimestampError, answered, question, verified
from tests.build.pdf_signing import der
from tests.build.stamping import STAMPS, Holder, issue, reply, twice

DIGEST = hashlib.sha256(b"head").digest()
NONCE = 1 << 62


def stamped(signer: Holder, *sent: x509.Certificate) -> bytes:
    proof = reply(signer, DIGEST, NONCE, *sent)
    answered(proof, DIGEST, NONCE)
    return proof


# ---------------------------------------------------------------------------------------------------- whose word counts


def chain(links: Sequence[bool | None]) -> list[Holder]:
    """Whom the installation trusts, those below, each with what its basic constraints say, and one that stamps at the end."""
    holders = [issue("root", ca=True)]
    for number, ca in enumerate(links):
        holders.append(issue(f"between {number}", holders[-1], ca=ca))
    return [*holders, issue("stamps", holders[-1], uses=STAMPS)]


@pytest.mark.parametrize("links", [(), (True,), (True, True)])
def test_who_was_issued_by_one_that_is_trusted_is_believed(links: Sequence[bool]) -> None:
    root, *between, signer = chain(links)
    proof, stranger = stamped(signer, *(one.certificate for one in between)), issue("stranger", ca=True).certificate
    assert verified(proof, DIGEST, [stranger, root.certificate]) == ("2026-11-20T01:02:03Z", "CN=stamps")
    assert verified(proof, DIGEST, [stranger, signer.certificate]).signer == "CN=stamps", "itself"


@pytest.mark.parametrize(
    ("links", "sent"),
    [
        ((True,), False),       # nobody shows the way
        ((False,), True),       # it may sign no certificate
        ((None,), True),        # it does not say that it may
        ((True,) * 7, True),    # longer than any honest way
    ],
)  # fmt: skip
def test_who_was_issued_by_nobody_that_is_trusted_is_not(links: Sequence[bool | None], sent: bool) -> None:
    root, *between, signer = chain(links)
    proof = stamped(signer, *(one.certificate for one in between if sent))
    assert verified(proof, DIGEST).signer == "CN=stamps", "where nobody is named, anybody is believed"
    with pytest.raises(TimestampError, match="nobody who is trusted"):
        verified(proof, DIGEST, [root.certificate])


def test_those_that_issue_each_other_lead_nowhere() -> None:
    first, second = issue("first", ca=True), issue("second", ca=True)
    crossed = [issue("first", second, key=first.key, ca=True), issue("second", first, key=second.key, ca=True)]
    proof = stamped(issue("stamps", first, uses=STAMPS), *(one.certificate for one in crossed))
    with pytest.raises(TimestampError, match="nobody who is trusted"):
        verified(proof, DIGEST, [issue("root", ca=True).certificate])


# ------------------------------------------------------------------------------------------------ what its certificate is


@pytest.mark.parametrize(
    ("uses", "critical", "days"),
    [
        ((), True, (-1, 5)),
        ((ExtendedKeyUsageOID.CODE_SIGNING,), True, (-1, 5)),
        ((*STAMPS, ExtendedKeyUsageOID.SERVER_AUTH), True, (-1, 5)),
        (STAMPS, False, (-1, 5)),
        (STAMPS, True, (-9, -1)),
        (STAMPS, True, (1, 9)),
    ],
    ids=["says nothing", "for something else", "for more", "may be overlooked", "over", "to come"],
)
def test_a_certificate_is_for_stamps_and_nothing_else_and_within_its_time(
    uses: Sequence[x509.ObjectIdentifier], critical: bool, days: tuple[int, int]
) -> None:
    signer = issue("stamps", uses=uses, critical=critical, days=days)
    with pytest.raises(TimestampError, match="not one for time stamps, or was not valid at that time"):
        verified(stamped(signer), DIGEST, [signer.certificate])


def test_a_certificate_that_cannot_be_read_proves_nothing() -> None:
    root = issue("root", ca=True)
    with pytest.raises(TimestampError, match="cannot be read"):
        verified(stamped(twice(issue("stamps", uses=STAMPS))), DIGEST)
    between = issue("between", root, ca=True)
    proof = stamped(issue("stamps", between, uses=STAMPS), twice(between).certificate)
    with pytest.raises(TimestampError, match="nobody who is trusted"):
        verified(proof, DIGEST, [root.certificate])


# --------------------------------------------------------------------------------------------------------- what it says


def replies() -> Iterator[tuple[bytes, str]]:
    granted, token = der(0x30, der(2, b"\0")), der(0x30, der(4, DIGEST))
    signer = issue("stamps", uses=STAMPS)
    yield reply(signer, DIGEST, NONCE, status=2), "refused with status 2"
    yield der(0x30, granted), "refused with status 0"
    yield reply(signer, DIGEST, NONCE + 1), "not about what was asked"
    yield reply(signer, bytes(32), NONCE), "not about what was asked"
    yield der(0x31, granted, token), "not a timestamp response"
    yield der(0x30, der(0x31, der(2, b"\0")), token), "not a timestamp response"
    yield der(0x30, granted, token) + b"\0", "not a timestamp response"
    yield b"\x30\x80\0\0", "not a timestamp response"
    yield b"\x30\x85\0\0\0\0\1\0", "not a timestamp response"
    yield der(0x30, granted, der(0x30, b"\x04\x09")), "not about what was asked"
    deep = der(4, question(DIGEST, NONCE))
    for _ in range(30):
        deep = der(0x30, deep)
    yield der(0x30, granted, deep), "not about what was asked"


@pytest.mark.parametrize(("said", "why"), list(replies()))
def test_an_answer_that_says_something_else_is_refused(said: bytes, why: str) -> None:
    with pytest.raises(TimestampError, match=why):
        answered(said, DIGEST, NONCE)
