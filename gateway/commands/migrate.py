"""`sekisho migrate --to FILE`: a whole installation into other stores, each row and each byte counted and compared."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import shutil
import time
from pathlib import Path

import uvloop
from sqlalchemy import Connection, text

from gateway import backup, config
from gateway.commands import Failure, Usage, stores
from gateway.config import Config
from gateway.storage import copies, transplant
from gateway.storage.blobs import Blobs, opened
from gateway.storage.chosen import database
from gateway.storage.chosen import stores as chosen
from gateway.storage.faults import BlobMissingError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.transplant import Tally
from gateway.telemetry import log

_PLACE = ("storage.blobs", "storage.s3_endpoint", "storage.key")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("migrate", help="別のデータベースへ移す / move an installation into other stores")
    command.add_argument("--to", type=Path, required=True, metavar="FILE", help="the settings of the installation as it is to be")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    log.start("error")
    old, new = config.load(arguments.config), config.load(arguments.to)
    if _journal_of(old) == _journal_of(new):
        raise Usage("migrate: both settings name the same database")
    try:
        sent, blobs = uvloop.run(_moved(old, new))
    except (StorageError, OSError) as error:
        raise Failure(str(error)) from None
    for table, found in sent.items():
        if found.rows:
            row: dict[str, object] = {"table": table, "rows": found.rows, "sha256": found.sha256}
            stores.say(row, f"{table:<22} {found.rows:>10}  {found.sha256[:16]}", as_json=arguments.json)
    ja = f"{sum(found.rows for found in sent.values())}行が一致、ファイル{blobs}件を移動。旧データベースは受付と配信を停止しました。"
    en = "all rows agree; the old journal takes nothing in and lets nothing out any more"
    stores.say({"rows": sum(found.rows for found in sent.values()), "blobs": blobs}, f"{ja} / {en}", as_json=arguments.json)
    return 0


async def _moved(old: Config, new: Config) -> tuple[dict[str, Tally], int]:
    source, target = chosen(old), chosen(new)
    try:
        for journal in (source[0], target[0]):
            await journal.start()
        who = {"actor": f"command:{getpass.getuser()}", "where": _journal_of(new)}
        sent = await asyncio.to_thread(transplant.move, source[0].writer, target[0].writer, at=time.time(), **who)
        _take_keys_along(old, new)
        return sent, 0 if _place_of(old) == _place_of(new) else await _put_anew(source, target)
    finally:
        for journal in (source[0], target[0]):
            await journal.stop()


async def _put_anew(source: tuple[Journal, Blobs], target: tuple[Journal, Blobs]) -> int:
    """Every blob that a row refers to; how many. What retention has taken is not there, as before."""
    (old_journal, old), (journal, new) = source, target
    await journal.write(copies.forget_all)
    await old.start()
    await new.start()
    put = 0
    try:
        for digest in await old_journal.ask(_referred):
            try:
                async with opened(old, digest, check=True) as fd:
                    if (await new.put(fd)).digest != digest:
                        raise StorageError(f"{digest}: other bytes arrived")
                put += 1
            except BlobMissingError:
                continue
    finally:
        await new.stop()
        await old.stop()
    return put


def _referred(connection: Connection) -> list[str]:
    return list(connection.execute(text(backup.REFERRED)).scalars())


def _journal_of(settings: Config) -> str:
    """Without what may stand in it as a password."""
    where = database(settings)
    return where.rpartition("@")[2] if where else str(settings.path("storage.path").resolve() / "sekisho.db")


def _place_of(settings: Config) -> tuple[object, ...]:
    return (settings.path("storage.path").resolve() if not settings["storage.blobs"] else "", *(settings[name] for name in _PLACE))


def _take_keys_along(old: Config, new: Config) -> None:
    here, there = old.path("storage.path"), new.path("storage.path")
    there.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in backup.KEYS:
        if (here / name).exists() and not (there / name).exists():
            shutil.copy2(here / name, there / name)
