"""`sekisho transfer list|show|release|hold|retry|unlock|confirm|delete`: what crossed, what is held and why, an operator's word."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uvloop

from gateway.commands import Failure, Usage, stores
from gateway.config import Config, ConfigError
from gateway.fittings import what_is_in_force
from gateway.model import IllegalTransitionError, State, Transfer, rfc3339
from gateway.receipts import Signer
from gateway.requests.operating import JAILED, Deed, Operating, possible
from gateway.requests.unlocking import BusyError, Unlocking
from gateway.road import memory
from gateway.road.pipeline import Pipeline, StoppedByScannersError
from gateway.road.workers import JailUnavailable, Workers
from gateway.storage.blobs import Blobs
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.keys import signing_key
from gateway.storage.search import Filter
from gateway.storage.settling import NotAllowedError

_DEEDS = ("release", "hold", "retry", "unlock", "confirm", "delete")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("transfer", help="転送の一覧と操作 / list transfers, show one, act on what is held")
    command.add_argument("what", choices=("list", "show", *_DEEDS))
    command.add_argument("receipt_no", nargs="?", metavar="RECEIPT_NO")
    command.add_argument("--state", choices=[str(state) for state in State], action="append", default=[])
    command.add_argument("--search", metavar="TEXT", help="in sender, subject, name and receipt number")
    command.add_argument("--limit", type=int, default=-1, metavar="N", help="at most so many, the youngest first; all by default")
    command.add_argument("--reason", default="", metavar="TEXT", help="why an operator acts; kept in the audit record")
    command.add_argument("--as-pixels", action="store_true", help="retry: PDFs that cannot be rebuilt, as pictures of their pages")
    command.add_argument("--password-file", metavar="FILE", help="unlock: candidates, one per line, UTF-8; - reads standard input")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.what != "list" and not arguments.receipt_no:
        raise Usage(f"transfer {arguments.what}: which RECEIPT_NO?")
    if (arguments.what == "unlock") != (arguments.password_file is not None):
        raise Usage("--password-file goes with unlock")
    if arguments.as_pixels and arguments.what != "retry":
        raise Usage("--as-pixels goes with retry")
    if arguments.what == "confirm" and not arguments.reason:
        raise Usage("transfer confirm: --reason is recorded with your name, and needed")
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with stores.opened(arguments) as (settings, journal, blobs):
        if arguments.what == "list":
            return await _list(journal, arguments)
        try:
            transfer = await journal.find(arguments.receipt_no)
            if arguments.what == "show":
                return await _show(journal, transfer)
            if arguments.what == "unlock":
                await _unlock(settings, journal, blobs, transfer, arguments)
            else:
                await _act(settings, journal, blobs, transfer, arguments)
        except NoSuchTransferError:
            raise Failure(f"{arguments.receipt_no}: no such transfer") from None
        except (IllegalTransitionError, NotAllowedError) as error:
            raise Failure(str(error)) from None
        changed = await journal.find(arguments.receipt_no)
        stores.say(changed.listed(), _line(changed), as_json=arguments.json)
    return 0


async def _list(journal: Journal, arguments: argparse.Namespace) -> int:
    states = tuple(State(value) for value in arguments.state)
    for transfer in await journal.transfers(Filter(states=states, text=arguments.search, limit=arguments.limit)):
        stores.say(transfer.listed(), _line(transfer), as_json=arguments.json)
    return 0


async def _show(journal: Journal, transfer: Transfer) -> int:
    report = msgspec.to_builtins(await journal.report(transfer.id))
    receipt = await journal.receipt(transfer.id)
    shown = transfer.listed() | {"report": report, "receipt": json.loads(receipt) if receipt else None}
    sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=1) + "\n")
    return 0


async def _act(settings: Config, journal: Journal, blobs: Blobs, transfer: Transfer, arguments: argparse.Namespace) -> None:
    deed = Deed.AS_PIXELS if arguments.as_pixels else Deed(arguments.what)
    said = {"actor": _actor(), "note": arguments.reason}
    signer = Signer(signing_key(settings.path("storage.path")))
    if deed not in JAILED:
        await Operating(journal, signer, time.time).act(deed, transfer, **said)
        return
    if deed not in possible(transfer, await journal.report(transfer.id)):
        # Said before a jail is built for nothing.
        await Operating(journal, signer, time.time).act(deed, transfer, **said)
    async with _pipeline(settings, journal, blobs) as pipeline:
        await Operating(journal, signer, time.time, pipeline).act(deed, transfer, **said)


async def _unlock(settings: Config, journal: Journal, blobs: Blobs, transfer: Transfer, arguments: argparse.Namespace) -> None:
    """Each candidate counts as a try, until nothing is locked any more."""
    memory.keep_out_of_dumps()
    candidates = _candidates(arguments.password_file)
    async with _pipeline(settings, journal, blobs) as pipeline:
        unlocking = Unlocking(journal, pipeline, time.time)
        opened = False
        for password in candidates:
            tried = await unlocking.attempt(await journal.transfer(transfer.id), password, actor=_actor())
            opened = opened or tried.opened
            if not tried.locked:
                return
    if not opened:
        raise Failure(f"{transfer.receipt_no}: no password fits")


@asynccontextmanager
async def _pipeline(settings: Config, journal: Journal, blobs: Blobs) -> AsyncIterator[Pipeline]:
    """A road of this command's own, with its own jail. Raises Failure."""
    rules, chosen, panel = await what_is_in_force(settings, journal)
    workers = Workers(rules, 1, jail_required=settings["jail.required"])
    try:
        await workers.start()
        signer = Signer(signing_key(settings.path("storage.path")))
        yield Pipeline(journal, blobs, workers, chosen, signer, pickup_url=settings["pickup.url"], panel=panel)
    except (JailUnavailable, ConfigError, BusyError, StoppedByScannersError) as error:
        raise Failure(str(error)) from None
    finally:
        await workers.stop()


def _actor() -> str:
    return f"command:{getpass.getuser()}"


def _candidates(file: str) -> list[str]:
    """Never from the command line itself, which every process of the machine can read."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"--password-file: {error}") from None
    return [line for line in text.splitlines() if line]


def _line(transfer: Transfer) -> str:
    verdict = transfer.verdict or "-"
    reason = f" ({transfer.reason})" if transfer.reason else ""
    when = rfc3339(transfer.received_at)[:19]
    what = transfer.subject or transfer.name
    return f"{transfer.receipt_no}  {when}  {transfer.door:<5} {transfer.state:<13} {verdict}{reason}  {transfer.sender}  {what}"
