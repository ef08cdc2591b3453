"""`sekisho keys list|turn|erase|master`: the keys that blobs are sealed under."""

from __future__ import annotations

import argparse
import getpass

import uvloop

from gateway import config
from gateway.commands import Failure, Usage, stores
from gateway.model import rfc3339
from gateway.storage import copies
from gateway.storage.chosen import keyring
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.storage.keyring import Keyring
from gateway.storage.master import master


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("keys", help="保管の鍵 / the keys that originals and results are sealed under")
    command.add_argument("what", choices=("list", "turn", "erase", "master"))
    command.add_argument("--organisation", metavar="NAME", help="whose; as in the settings when it is left out")
    command.add_argument("--to", metavar="KEY", help="of `master`: the new master key, as storage.key names it")
    command.add_argument("--reason", default="", metavar="TEXT", help="of `erase`: why; kept in the audit record")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.what == "erase" and not (arguments.reason and arguments.organisation):
        raise Usage("keys erase: whose (--organisation), and why (--reason)?")
    if arguments.what == "master" and not arguments.to:
        raise Usage("keys master: to which (--to)?")
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with stores.opened(arguments) as (settings, journal, _):
        ring = keyring(settings, journal)
        if ring is None:
            raise Failure("storage.key is not set: nothing is sealed here")
        try:
            await _do(arguments, ring, journal, arguments.organisation or settings["service.organisation"])
        except StorageError as error:
            raise Failure(str(error)) from None
    return 0


async def _do(arguments: argparse.Namespace, ring: Keyring, journal: Journal, organisation: str) -> None:
    actor, as_json = f"command:{getpass.getuser()}", arguments.json
    if arguments.what == "turn":
        moved = await ring.turn(organisation, actor=actor)
        told = f"{moved}件を新しい鍵へ / {moved} moved under a new key"
        stores.say({"organisation": organisation, "moved": moved}, told, as_json=as_json)
    elif arguments.what == "erase":
        gone = await ring.erase(organisation, actor=actor, reason=arguments.reason)
        stores.say({"organisation": organisation, "destroyed": gone}, f"鍵{gone}本を破棄 / {gone} keys destroyed", as_json=as_json)
    elif arguments.what == "master":
        moved = await ring.move_to(master(arguments.to, config.load(arguments.config).folder), actor=actor)
        told = f"鍵{moved}本を包み直しました。storage.key を改めて再起動 / {moved} keys wrapped anew: set storage.key, restart every node"
        stores.say({"moved": moved, "key": arguments.to}, told, as_json=as_json)
    for row in await journal.ask(copies.standing_keys):
        said: dict[str, object] = {
            "key": row.id, "organisation": row.organisation, "master": row.master, "made_at": rfc3339(row.made_at),
            "retired": row.retired_at is not None, "copies": row.copies,
        }  # fmt: skip
        state = "引退 / retired" if row.retired_at is not None else "使用中 / in use"
        line = f"{row.id:>4}  {row.organisation or '―'}  {rfc3339(row.made_at)}  {row.copies}件  {state}  {row.master}"
        stores.say(said, line, as_json=as_json)
