"""One file of each kind that can be locked, under a password."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Callable
from typing import Any, Final

import docx
import openpyxl
import pikepdf
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from msoffcrypto.format.ooxml import OOXMLFile

from tests.build import archive
from tests.build import odf as odf_build
from tests.build import rar as rar_build
from tests.build import zip as zip_build

TEXT: Final = "来月の資料です。\n".encode()


def pdf(password: str) -> bytes:
    stream = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(stream, encryption=pikepdf.Encryption(owner="owner", user=password, R=6))
    return stream.getvalue()


def word(password: str) -> bytes:
    document = docx.Document()
    document.add_paragraph("資料")
    return _office(document, password)


def excel(password: str) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["資料", 1])
    return _office(book, password)


def _office(document: Any, password: str) -> bytes:
    """[MS-OFFCRYPTO] agile encryption, as Office 2010 and later write it."""
    plain, secret = io.BytesIO(), io.BytesIO()
    document.save(plain)
    plain.seek(0)
    OOXMLFile(plain).encrypt(password, secret)
    return secret.getvalue()


def standard(package: bytes, password: str) -> dict[str, bytes]:
    """[MS-OFFCRYPTO] 2.3.4.5: standard encryption, as Office 2007 wrote it; the streams of the compound file."""
    salt = bytes(range(16))
    digest = hashlib.sha1(salt + password.encode("utf-16-le")).digest()
    for turn in range(50_000):
        digest = hashlib.sha1(turn.to_bytes(4, "little") + digest).digest()
    digest = hashlib.sha1(digest + bytes(4)).digest().ljust(64, b"\0")
    key = hashlib.sha1(bytes(byte ^ 0x36 for byte in digest[:20]) + b"\x36" * 44).digest()[:16]

    def sealed(plain: bytes) -> bytes:
        return Cipher(AES(key), ECB()).encryptor().update(plain.ljust(-(-len(plain) // 16) * 16, b"\0"))

    provider = "Microsoft Enhanced RSA and AES Cryptographic Provider\0".encode("utf-16-le")
    header = struct.pack("<8I", 0x24, 0, 0x660E, 0x8004, 128, 0x18, 0, 0) + provider
    verifier = bytes(range(16, 32))
    checked = struct.pack("<I", 16) + salt + sealed(verifier) + struct.pack("<I", 20) + sealed(hashlib.sha1(verifier).digest())
    info = struct.pack("<HHII", 3, 2, 0x24, len(header)) + header + checked
    return {"EncryptionInfo": info, "EncryptedPackage": len(package).to_bytes(8, "little") + sealed(package)}


def zip_aes(password: str) -> bytes:
    return zip_build.build(zip_build.aes(zip_build.Entry(b"a.txt", TEXT), password.encode()))


def zip_traditional(password: str) -> bytes:
    return zip_build.build(zip_build.traditional(zip_build.Entry(b"a.txt", TEXT), password.encode()))


def sevenzip(password: str) -> bytes:
    return archive.locked_sevenzip({"a.txt": TEXT}, password)


def rar(password: str) -> bytes:
    return rar_build.rar5({"a.txt": TEXT}, password, names_too=True)


def old_rar(password: str) -> bytes:
    return rar_build.rar4({"a.txt": TEXT}, password)


def attachecase(password: str) -> bytes:
    return archive.attachecase({"a.txt": TEXT}, password)


def odt(password: str) -> bytes:
    return odf_build.odt().encrypt(password).bytes()


KINDS: Final[dict[str, Callable[[str], bytes]]] = {
    "a.pdf": pdf, "a.docx": word, "a.xlsx": excel, "a.odt": odt, "aes.zip": zip_aes, "traditional.zip": zip_traditional, "a.7z": sevenzip,
    "a.rar": rar, "old.rar": old_rar, "a.atc": attachecase,
}  # fmt: skip
