"""Receipts: what they bind, and everything that must not verify."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway import receipts
from gateway.receipts import ReceiptError, Signer
from gateway.storage.faults import StorageError
from gateway.storage.keys import signing_key
from sanitizers.model import Action, Finding, Severity, Verdict
from tests.build.transfer import BODY, NOW, RESULT, FaultyDisk, digest, held, report


def issue(key: Ed25519PrivateKey, verdict: Verdict = Verdict.SANITIZED) -> str:
    given = report(parts=(held(), report(parts=(held(),))))
    return Signer(key).issue(
        given, verdict, receipt_no="20261118-000001", organisation="町", output_sha256=digest(RESULT), output_size=len(RESULT), at=NOW
    )


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def test_a_receipt_binds_all_it_has_to(key: Ed25519PrivateKey) -> None:
    receipt = receipts.verify(digest(RESULT), issue(key), public(key))
    assert (receipt.output_sha256, receipt.input_sha256) == (digest(RESULT), digest(BODY))
    assert (receipt.verdict, receipt.findings, receipt.receipt_no) == (Verdict.SANITIZED, 2, "20261118-000001")
    assert (receipt.policy, receipt.rules, receipt.engine) == ("policy-1", "rules-1", "0.1.0")
    assert receipt.issued_at.startswith("2026-11-1")


def test_anybody_can_check_the_signature_by_the_written_rule(key: Ed25519PrivateKey) -> None:
    document = json.loads(issue(key))
    signature = base64.b64decode(document.pop("signature"))
    signed = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    key.public_key().verify(signature, signed)


@pytest.mark.parametrize("field", sorted(json.loads(issue(Ed25519PrivateKey.generate()))))
def test_no_field_can_be_changed(key: Ed25519PrivateKey, field: str) -> None:
    document = json.loads(issue(key))
    value = document[field]
    document[field] = value + 1 if isinstance(value, int) else "clean" if field == "verdict" else value[:-1] + "?"
    with pytest.raises(ReceiptError):
        receipts.verify(digest(RESULT), json.dumps(document), public(key))


@pytest.mark.parametrize(
    "document",
    ["", "{}", "[]", "not json", "\udc80".encode("utf-8", "surrogatepass"), b"\xff", "null", b'{"x":' + b"[" * 100_000],
    ids=["empty", "object", "list", "text", "surrogate", "byte", "null", "endlessly nested"],
)
def test_garbage_is_no_receipt(key: Ed25519PrivateKey, document: str | bytes) -> None:
    with pytest.raises(ReceiptError):
        receipts.verify(digest(RESULT), document, public(key))


@pytest.mark.parametrize("signature", ["", "***", "署名", "AAAA"])
def test_a_signature_that_is_none_is_refused(key: Ed25519PrivateKey, signature: str) -> None:
    document = json.loads(issue(key)) | {"signature": signature}
    with pytest.raises(ReceiptError, match="not of this key"):
        receipts.verify(digest(RESULT), json.dumps(document, ensure_ascii=False), public(key))


def test_of_several_keys_the_named_one_counts(key: Ed25519PrivateKey) -> None:
    known = {Signer(key).id: key.public_key()}
    assert receipts.verify(digest(RESULT), issue(key), known).key == Signer(key).id
    with pytest.raises(ReceiptError, match="not known here"):
        receipts.verify(digest(RESULT), issue(Ed25519PrivateKey.generate()), known)


def test_nothing_unsigned_rides_along(key: Ed25519PrivateKey) -> None:
    document = json.loads(issue(key)) | {"note": "trust me"}
    with pytest.raises(ReceiptError, match="note"):
        receipts.verify(digest(RESULT), json.dumps(document), public(key))


def test_another_file_another_key_and_a_refusal_do_not_verify(key: Ed25519PrivateKey) -> None:
    with pytest.raises(ReceiptError, match="another file"):
        receipts.verify(digest(BODY), issue(key), public(key))
    with pytest.raises(ReceiptError, match="not of this key"):
        receipts.verify(digest(RESULT), issue(key), public(Ed25519PrivateKey.generate()))
    with pytest.raises(ReceiptError, match="held"):
        receipts.verify(digest(RESULT), issue(key, Verdict.HELD), public(key))
    other = generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for pem in (b"", b"garbage", other):
        with pytest.raises(ReceiptError, match="public key"):
            receipts.verify(digest(RESULT), issue(key), pem)


# ------------------------------------------------------------------------------------------------------------- the key


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = signing_key(tmp_path / "var")
    assert stat.S_IMODE((tmp_path / "var" / "receipt.key").stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / "var").iterdir()) == ["receipt.key", "receipt.pub"]
    again = signing_key(tmp_path / "var")
    assert public(first) == public(again) == (tmp_path / "var" / "receipt.pub").read_bytes()
    assert receipts.verify(digest(RESULT), issue(again), (tmp_path / "var" / "receipt.pub").read_bytes())


@pytest.mark.parametrize("step", ["make_folder", "create", "write", "flush", "flush_folder"])
def test_a_key_that_cannot_be_kept_is_not_used(tmp_path: Path, step: str) -> None:
    (tmp_path / "var").mkdir()
    with pytest.raises(StorageError):
        signing_key(tmp_path / "var", FaultyDisk(step))
    assert [path.name for path in (tmp_path / "var").iterdir() if path.name != "receipt.key"] == []


def test_a_key_that_is_no_key_stops_the_start(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"", b"garbage", other):
        (tmp_path / "receipt.key").write_bytes(content)
        with pytest.raises(StorageError, match=r"receipt\.key"):
            signing_key(tmp_path)


def test_a_receipt_says_who_signed_and_who_approved(key: Ed25519PrivateKey) -> None:
    def found(code: str, detail: str) -> Finding:
        return Finding(code=code, severity=Severity.LOW, action=Action.REMOVED, where="x", detail=detail)

    inner = msgspec.structs.replace(report(), findings=(found("pdf.signature", "山田 太郎, 2026-11-20, intact"),))
    given = msgspec.structs.replace(report(parts=(inner,)), findings=(found("confirm.approved", "shinsa"),))
    document = Signer(key).issue(
        given, Verdict.SANITIZED, receipt_no="1", organisation="", output_sha256=digest(RESULT), output_size=len(RESULT), at=NOW
    )
    receipt = receipts.verify(digest(RESULT), document, public(key))
    assert (receipt.signatures, receipt.approved_by) == (("message.eml: 山田 太郎, 2026-11-20, intact",), "shinsa")
    for name, value in (("signatures", []), ("approved_by", "someone")):
        changed = json.loads(document) | {name: value}
        with pytest.raises(ReceiptError):
            receipts.verify(digest(RESULT), json.dumps(changed), public(key))


def test_the_first_receipts_had_neither_and_still_verify(key: Ed25519PrivateKey) -> None:
    assert not {"signatures", "approved_by"} & json.loads(issue(key)).keys()
