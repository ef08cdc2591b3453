"""`sekisho backup FILE`, `sekisho restore FILE`: everything in one sealed file, and back into an empty folder."""

from __future__ import annotations

import argparse
import getpass
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
import uvloop

from gateway import backup, config
from gateway.backup import Contents, RestoreError
from gateway.commands import Failure, Usage, stores
from gateway.storage.blobs import Blobs
from gateway.storage.chosen import database
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.telemetry import log

_SHORTEST = 12


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, said in (("backup", "バックアップ / back up while running"), ("restore", "復元 / restore into an empty folder")):
        command = commands.add_parser(name, help=said)
        command.add_argument("file", type=Path, metavar="FILE")
        command.add_argument("--password-file", type=Path, required=True, metavar="FILE", help="its first line seals the backup, UTF-8")
        stores.arguments(command)
        command.set_defaults(run=_back_up if name == "backup" else _restore)


def _back_up(arguments: argparse.Namespace) -> int:
    passphrase = _passphrase(arguments.password_file)
    settings = config.load(arguments.config)
    folder = settings.path("storage.path")
    if not database(settings) and not (folder / "sekisho.db").exists():
        raise Failure("there is no installation to back up")
    unfinished = arguments.file.with_name(f".{arguments.file.name}.part")
    try:
        target = os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb")
    except OSError as error:
        raise Failure(str(error)) from None
    try:
        with target:
            contents = uvloop.run(_written(arguments, folder, target, passphrase))
            target.flush()
            os.fsync(target.fileno())
        unfinished.replace(arguments.file)
        uvloop.run(_recorded(arguments, contents))
    except (OSError, sqlite3.Error) as error:
        raise Failure(str(error)) from None
    finally:
        unfinished.unlink(missing_ok=True)      # whatever stopped it: half a backup is none
    _say(contents, as_json=arguments.json)
    return 0


async def _written(arguments: argparse.Namespace, folder: Path, target: BinaryIO, passphrase: str) -> Contents:
    async with stores.opened(arguments) as (_, journal, blobs):
        return await backup.write(folder, blobs, target, passphrase, time.time(), journal=journal)


async def _recorded(arguments: argparse.Namespace, contents: Contents) -> None:
    """In the record of the house that was backed up, so that its administrators see how old their last backup is."""
    actor, detail = f"command:{getpass.getuser()}", msgspec.to_builtins(contents)
    async with stores.opened(arguments) as (_, journal, _blobs):
        await journal.record(at=time.time(), actor=actor, action="backup.made", subject=arguments.file.name, detail=detail)


def _restore(arguments: argparse.Namespace) -> int:
    log.start("error")
    passphrase = _passphrase(arguments.password_file)
    settings = config.load(arguments.config)
    folder = settings.path("storage.path")
    try:
        with arguments.file.open("rb") as source:
            contents = uvloop.run(backup.restore(source, folder, passphrase, lambda: _stores(arguments)))
    except (OSError, RestoreError, StorageError) as error:
        raise Failure(str(error)) from None
    _say(contents, as_json=arguments.json)
    return 0


@asynccontextmanager
async def _stores(arguments: argparse.Namespace) -> AsyncIterator[tuple[Journal, Blobs]]:
    async with stores.opened(arguments) as (_, journal, blobs):
        yield journal, blobs


def _passphrase(file: Path) -> str:
    try:
        first = file.read_text("utf-8-sig").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"--password-file: {error}") from None
    if len(first) < _SHORTEST:
        raise Usage(f"--password-file: its first line must have at least {_SHORTEST} characters")
    return first


def _say(contents: Contents, *, as_json: bool) -> None:
    ja = f"転送 {contents.transfers}件、監査 {contents.audit_entries}件、原本と結果 {contents.blobs}件"
    en = f"transfers {contents.transfers}, audit entries {contents.audit_entries}, blobs {contents.blobs}, gone {contents.gone}"
    stores.say(msgspec.to_builtins(contents), f"{ja} / {en}", as_json=as_json)
