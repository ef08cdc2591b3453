"""`sekisho bundle make|verify|import|rollback|key`: rules, lists and ClamAV databases in one signed file, for sites without a way out.

    key FILE                                a new pair of keys: FILE, and FILE.pub for `updates.key` of those who import
    make FILE --key KEY [--rules DIR] [--deny FILE] [--allow FILE] [--clamav DIR]      without --rules: the rules in force
    verify FILE | import FILE | rollback
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import msgspec
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway import config
from gateway.commands import Failure, Usage, reading, stores, versions
from gateway.commands.versions import Desk
from gateway.config import Config
from gateway.model import rfc3339
from gateway.publishing import bundle, rulesets
from gateway.publishing.bundle import Manifest
from gateway.publishing.updates import Updates
from gateway.publishing.versions import ALLOW_FILE, DENY_FILE, Stage, Subject
from gateway.receipts import key_id


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("bundle", help="更新ファイル / signed updates for sites without a way out")
    command.add_argument("what", choices=("make", "verify", "import", "rollback", "key"))
    command.add_argument("file", nargs="?", type=Path, metavar="FILE")
    command.add_argument("--key", type=Path, metavar="FILE", help="make: private key; verify: public key instead of updates.key")
    command.add_argument("--rules", type=Path, metavar="DIR", help="make: a folder of rules instead of those in force")
    command.add_argument("--deny", type=Path, metavar="FILE", help="make: digests that are blocked")
    command.add_argument("--allow", type=Path, metavar="FILE", help="make: digests that the scanners are not asked about")
    command.add_argument("--clamav", type=Path, metavar="DIR", help="make: folder of ClamAV's databases (*.cvd, *.cld)")
    command.add_argument("--note", default="", metavar="TEXT", help="what it is for, or why it is taken back")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.what != "rollback" and arguments.file is None:
        raise Usage(f"bundle {arguments.what}: which FILE?")
    if arguments.what == "key":
        return reading(lambda: _new_key(arguments))
    if arguments.what == "verify":
        return _verify(arguments)
    if arguments.what == "make" and arguments.key is None:
        raise Usage("bundle make: signed with which --key?")
    if arguments.what == "rollback" and not arguments.note:
        raise Usage("bundle rollback: why? (--note)")
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with versions.opened(arguments) as desk:
        if arguments.what == "make":
            return await _make(desk, arguments)
        clamav = desk.settings.path("updates.clamav") if desk.settings["updates.clamav"] else None
        updates = Updates(desk.journal, desk.publishing, _key(desk.settings), time.time, clamav)
        if arguments.what == "rollback":
            for line in await updates.take_back(actor=versions.actor(), reason=arguments.note):
                stores.say({"done": line}, line, as_json=arguments.json)
            return 0
        await versions.begin(desk)
        try:
            with arguments.file.open("rb") as stream:
                taken = await updates.take(stream, actor=versions.actor())
        except OSError as error:
            raise Failure(f"{arguments.file.name}: {error.strerror}") from None
        rules = f"{taken.rules.id} ({taken.rules.stage})" if taken.rules else "-"
        lists = str(taken.lists.id) if taken.lists else "-"
        line = f"bundle {taken.serial}  rules {rules}  lists {lists}  clamav {', '.join(taken.databases) or '-'}"
        stores.say(msgspec.to_builtins(taken), line, as_json=arguments.json)
    return 0


async def _make(desk: Desk, arguments: argparse.Namespace) -> int:
    """Rules in force go out with the word of who approved them (H-25)."""
    origin = {"organisation": desk.settings["service.organisation"], "made_by": versions.actor()}
    if arguments.rules is not None:
        rules = reading(lambda: rulesets.read(arguments.rules))
    else:
        rules = await versions.files_in_force(desk, Subject.RULES)
        origin |= await _approval(desk)
    lists = {name: path for name, path in ((DENY_FILE, arguments.deny), (ALLOW_FILE, arguments.allow)) if path is not None}
    databases = [] if arguments.clamav is None else [path for path in sorted(arguments.clamav.iterdir()) if path.suffix in (".cvd", ".cld")]
    contents, key, at = bundle.contents_of(rules, lists, databases), reading(lambda: bundle.private_key(arguments.key)), time.time()

    def written() -> Manifest:
        with arguments.file.open("xb") as target:
            return bundle.make(target, contents, key, serial=int(at), made_at=rfc3339(at), note=arguments.note, origin=origin)

    manifest = reading(written)
    detail = {"files": [item.path for item in manifest.files], "key": manifest.key, **origin}
    await desk.journal.record(at=at, actor=versions.actor(), action="bundle.make", subject=f"bundle-{manifest.serial}", detail=detail)
    return _told(manifest, as_json=arguments.json)


async def _approval(desk: Desk) -> dict[str, str]:
    standing = await desk.publishing.in_force(Subject.RULES)
    if standing is None:
        return {}
    approved = [step.actor for step in await desk.publishing.steps(standing.id) if step.stage is Stage.APPROVED]
    return {"version": standing.version, "author": standing.author, "approved_by": ", ".join(approved)}


def _verify(arguments: argparse.Namespace) -> int:
    key = reading(lambda: bundle.public_key(arguments.key)) if arguments.key is not None else _key(config.load(arguments.config))
    try:
        with arguments.file.open("rb") as stream:
            return _told(bundle.checked(stream, key).manifest, as_json=arguments.json)
    except OSError as error:
        raise Usage(f"{arguments.file.name}: {error.strerror}") from None
    except ValueError as error:
        raise Failure(f"{arguments.file.name}: {error}") from None


def _told(manifest: Manifest, *, as_json: bool) -> int:
    line = f"bundle {manifest.serial}  {manifest.made_at}  {len(manifest.files)} files  key {manifest.key}  {manifest.note}"
    stores.say(msgspec.to_builtins(manifest), line, as_json=as_json)
    return 0


def _key(settings: Config) -> Ed25519PublicKey:
    if not settings["updates.key"]:
        raise Usage("updates.key: names no key; without one no bundle is taken")
    return reading(lambda: bundle.public_key(settings.path("updates.key")))


def _new_key(arguments: argparse.Namespace) -> int:
    """Never over a key that is there."""
    key, public = Ed25519PrivateKey.generate(), arguments.file.with_name(arguments.file.name + ".pub")
    fd = os.open(arguments.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with public.open("xb") as file:
        file.write(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    name = key_id(key.public_key())
    stores.say({"key": name, "public": str(public)}, f"key {name}, public half in {public}", as_json=arguments.json)
    return 0
