"""The papers that go over with a file or a mail, and the frame in which they travel: the same for every way.

    b"SEKISHO\\x01"  length of the papers (4 octets, big-endian)  papers (JSON)  report (zlib)  content

The papers bind everything else: the envelope, the digests and sizes of report and content, and the signed receipt. They are signed
with Ed25519 as a receipt is: over the compact JSON with sorted keys in UTF-8, without `signature`. Each set is used once (`nonce`);
what is carried has a name of its own (`crossing`), the same in every attempt, so that a second attempt is known for what it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import struct
from collections.abc import Mapping
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.model import Door, Purpose, Result, Slip
from gateway.receipts import Receipt, ReceiptError, Signer
from gateway.receipts import verify as verify_receipt
from sanitizers.model import Reason, Verdict

SCHEMA: Final = "sekisho.crossing/1"
MAGIC: Final = b"SEKISHO\x01"
OPENING: Final = struct.Struct(f">{len(MAGIC)}sI")
# A mail has at most some thousand recipients; a report of 20,000 parts takes some 10 MB, zlib some more.
LONGEST_PAPERS: Final = 1 << 20
LARGEST_REPORT: Final = 64 << 20


class RefusedError(Exception):
    """What came is not let in. `why`: one word for the counter and the log; the text is one line."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


class Papers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times are seconds since 1970, sizes octets. `sha256` and `size`: of the content, which is the result of the transfer where `purpose`
    carries it, else a message of ours to `recipients` about it."""

    crossing: str
    nonce: str
    sent_at: float
    key: str
    lane: str
    source: str
    target: str
    purpose: Purpose
    receipt_no: str
    organisation: str
    door: Door
    sender: str
    recipients: tuple[str, ...]
    received_at: float
    name: str
    input_sha256: str
    input_size: int
    smtputf8: bool
    wishes: str
    sha256: str
    size: int
    report_sha256: str
    report_size: int
    verdict: Verdict
    reason: Reason | None = None
    policy: str = ""
    rules: str = ""
    message_id: str | None = None
    subject: str | None = None
    slip: Slip | None = None
    result: Result | None = None
    receipt: str = ""
    signature: str = ""
    schema: str = SCHEMA

    def signed(self) -> bytes:
        """The bytes that the signature covers."""
        document = msgspec.structs.asdict(self)
        del document["signature"]
        return msgspec.json.encode(document, order="sorted")


def name_of(papers: Papers, delivery_id: int, first_at: float) -> str:
    """What this is called in every attempt. A journal restored from a backup may count its deliveries anew, so the number is not enough."""
    what = (papers.key, papers.receipt_no, papers.purpose, delivery_id, first_at, papers.sha256, papers.recipients)
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()


def sealed(papers: Papers, signer: Signer, *, sent_at: float) -> bytes:
    """The opening and the papers as they travel, signed, good for one time."""
    fresh = msgspec.structs.replace(papers, nonce=secrets.token_hex(16), sent_at=sent_at, key=signer.id, signature="")
    signature = base64.b64encode(signer.sign(fresh.signed())).decode()
    document = msgspec.json.encode(msgspec.structs.replace(fresh, signature=signature), order="sorted")
    return OPENING.pack(MAGIC, len(document)) + document


def opening(head: bytes) -> int:
    """How long the papers are. Raises RefusedError."""
    magic, length = OPENING.unpack(head)
    if magic != MAGIC or not 0 < length <= LONGEST_PAPERS:
        raise RefusedError("format", "not what an outer side sends")
    return int(length)


def read(document: bytes, keys: Mapping[str, Ed25519PublicKey]) -> Papers:
    """Papers that one of `keys` (by their id) signed. Raises RefusedError; nothing in them was believed before that."""
    try:
        papers = msgspec.json.decode(document, type=Papers)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError("format", f"papers cannot be read: {error}") from None
    if papers.schema != SCHEMA:
        raise RefusedError("format", f"papers of another kind: {papers.schema[:40]}")
    key = keys.get(papers.key)
    if key is None:
        raise RefusedError("key", f"signed with a key that is not known here: {papers.key[:16]}")
    try:
        key.verify(base64.b64decode(papers.signature.encode(), validate=True), papers.signed())
    except (binascii.Error, InvalidSignature):
        raise RefusedError("signature", "the signature is not of that key") from None
    if not 0 <= papers.report_size <= LARGEST_REPORT or papers.size < 0:
        raise RefusedError("format", "sizes that cannot be")
    if papers.purpose is Purpose.BOUNCE:
        raise RefusedError("format", "a bounce does not go this way")
    return papers


def check_receipt(papers: Papers, keys: Mapping[str, Ed25519PublicKey]) -> Receipt | None:
    """The receipt speaks of this content and of this transfer; what carries no transfer has none. Raises RefusedError."""
    if not papers.purpose.carries_transfer:
        if papers.receipt or papers.result is not None:
            raise RefusedError("receipt", "a message that would be a delivery")
        return None
    try:
        receipt = verify_receipt(papers.sha256, papers.receipt, keys)
    except ReceiptError as error:
        raise RefusedError("receipt", str(error)) from None
    result = papers.result
    told = (papers.receipt_no, papers.organisation, papers.verdict, papers.input_sha256, papers.input_size, papers.size)
    signed = (
        receipt.receipt_no, receipt.organisation, receipt.verdict, receipt.input_sha256, receipt.input_size, receipt.output_size
    )  # fmt: skip
    if told != signed or result is None or (result.sha256, result.size) != (papers.sha256, papers.size):
        raise RefusedError("receipt", "the receipt speaks of something else")
    return receipt
