"""`sekisho receipt verify FILE RECEIPT`: does the receipt speak of this very file, and did the owner of the key sign it? Offline."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import msgspec

from gateway import config, receipts
from gateway.commands import Failure, reading, stores
from gateway.receipts import ReceiptError


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("receipt", help="無害化証明の検証 / verify a receipt")
    command.add_argument("what", choices=("verify",))
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("receipt", type=Path, metavar="RECEIPT")
    command.add_argument("--key", type=Path, metavar="PEM", help="public key; by default that of this installation")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    key = arguments.key or config.load(arguments.config).path("storage.path") / "receipt.pub"
    digest = reading(lambda: _digest(arguments.file))
    document, public_key = reading(arguments.receipt.read_bytes), reading(key.read_bytes)
    try:
        receipt = receipts.verify(digest, document, public_key)
    except ReceiptError as error:
        raise Failure(str(error)) from None
    row = msgspec.structs.asdict(receipt)
    stores.say(row, f"証明は有効です / valid: {receipt.receipt_no} {receipt.verdict} {receipt.issued_at}", as_json=arguments.json)
    return 0


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
