"""Signed receipts (無害化証明): a small JSON document that binds what went out to what came in and to who judged it.

The signature is Ed25519 over the document without its `signature`, as compact JSON with sorted keys in UTF-8. Whoever has the
public key can check a file offline; a field that is not in `Receipt` makes a receipt invalid, so that nothing unsigned can
ride along.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from gateway.model import rfc3339
from sanitizers.model import Finding, Report, Verdict

SCHEMA: Final = "sekisho.receipt/1"


# Fields that the first receipts did not have: left out where they are empty, so that those still verify.
_LATER: Final = ("signatures", "approved_by")
_SIGNATURES: Final = frozenset({"pdf.signature", "pdf.signature_broken", "mail.signature", "mail.signature_invalid"})
_APPROVED: Final = "confirm.approved"


class ReceiptError(ValueError):
    """A receipt that proves nothing; one line says why."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed. `findings`: how many, over all parts. `key`: which key signed (`key_id`).

    `signatures`: what was found out about electronic signatures, which a rebuilt file cannot keep. `approved_by`: who let originals in it
    pass (確認済み).
    """

    receipt_no: str
    organisation: str
    verdict: Verdict
    input_sha256: str
    input_size: int
    output_sha256: str
    output_size: int
    findings: int
    policy: str
    rules: str
    engine: str
    issued_at: str
    key: str
    signatures: tuple[str, ...] = ()
    approved_by: str = ""
    signature: str = ""
    schema: str = SCHEMA

    def signed(self) -> bytes:
        """The bytes that the signature covers."""
        document = self.document()
        del document["signature"]
        return msgspec.json.encode(document, order="sorted")

    def document(self) -> dict[str, object]:
        """As it is written."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value or name not in _LATER}


def key_id(key: Ed25519PublicKey) -> str:
    """The first 16 hex digits of the SHA-256 of the raw public key."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


class Signer:
    """Issues receipts with the installation's key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._id = key_id(key.public_key())

    @property
    def id(self) -> str:
        """By which receipts name the key."""
        return self._id

    def sign(self, content: bytes) -> bytes:
        """64 octets of Ed25519. What is signed says in itself what it is (`schema`), so that no paper passes for another."""
        return self._key.sign(content)

    @property
    def public_key(self) -> bytes:
        """PEM."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def issue(
        self,
        report: Report,
        verdict: Verdict,
        *,
        receipt_no: str,
        organisation: str,
        output_sha256: str,
        output_size: int,
        at: float,
    ) -> str:
        """The receipt of a delivery, as the JSON document that goes with it. `verdict` is the decision's, not the report's."""
        receipt = Receipt(
            receipt_no=receipt_no,
            organisation=organisation,
            verdict=verdict,
            input_sha256=report.input.sha256,
            input_size=report.input.size,
            output_sha256=output_sha256,
            output_size=output_size,
            findings=sum(len(part.findings) for part in report.tree()),
            signatures=tuple(f"{where}: {finding.detail}" for where, finding in _found(report, _SIGNATURES)),
            approved_by=next((finding.detail for _, finding in _found(report, {_APPROVED})), ""),
            policy=report.policy,
            rules=report.rules,
            engine=report.engine,
            issued_at=rfc3339(at),
            key=self._id,
        )
        signature = base64.b64encode(self._key.sign(receipt.signed())).decode()
        return msgspec.json.encode(msgspec.structs.replace(receipt, signature=signature).document(), order="sorted").decode()


def _found(report: Report, codes: Collection[str]) -> Iterator[tuple[str, Finding]]:
    """Findings with these codes, each with the name of its part."""
    for part in report.tree():
        for finding in part.findings:
            if finding.code in codes:
                yield part.input.name, finding


def verify(output_sha256: str, document: bytes | str, public_key: bytes | Mapping[str, Ed25519PublicKey]) -> Receipt:
    """Does `document` speak of the file with that SHA-256, and did the owner of `public_key` (PEM) sign it? Raises ReceiptError.

    Of several keys, by their ids, the one that the receipt names.
    """
    try:
        receipt = msgspec.json.decode(document, type=Receipt)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReceiptError(f"not a receipt: {error}") from None
    if receipt.schema != SCHEMA:
        raise ReceiptError(f"a receipt of another kind: {receipt.schema[:40]}")
    try:
        signature = base64.b64decode(receipt.signature.encode(), validate=True)
        key = public(public_key) if isinstance(public_key, bytes) else public_key.get(receipt.key)
        if key is None:
            raise ReceiptError(f"signed with a key that is not known here: {receipt.key[:16]}")
        key.verify(signature, receipt.signed())
    except (binascii.Error, InvalidSignature):
        raise ReceiptError("the signature is not of this key") from None
    if not receipt.verdict.delivers:
        raise ReceiptError(f"a receipt of something {receipt.verdict}")
    if receipt.output_sha256 != output_sha256:
        raise ReceiptError(f"speaks of another file (SHA-256 {receipt.output_sha256[:12]}…)")
    return receipt


def public(pem: bytes) -> Ed25519PublicKey:
    """Raises ReceiptError."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise ReceiptError("the public key cannot be read") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ReceiptError("the public key is not Ed25519")
    return key
