"""What `sekisho rules` and `sekisho policy` share: versions, their steps, their back-tests."""

from __future__ import annotations

import argparse
import os
import pwd
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import msgspec

from gateway import policy
from gateway.commands import Failure, Usage, stores
from gateway.config import Config
from gateway.fittings import fitted, read_policy_text, read_rules
from gateway.model import rfc3339
from gateway.publishing.backtest import Summary, most
from gateway.publishing.trials import Trials, low_priority
from gateway.publishing.versions import POLICY_FILE, NoSuchVersionError, NotAnotherPersonError, NotNowError, Publishing, Subject, Version
from gateway.road.workers import JailUnavailable
from gateway.storage.blobs import Blobs
from gateway.storage.journal import Journal
from gateway.storage.publishing import Publication
from gateway.storage.trials import Changed

# Each takes the number of a version, but `rollback`, which may go without, and those that list.
STEPS: Final = ("submit", "approve", "publish", "withdraw", "rollback", "diff", "try", "versions", "history")


class Desk(NamedTuple):
    """An installation, opened for these commands."""

    settings: Config
    journal: Journal
    blobs: Blobs
    publishing: Publishing


def arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--note", default="", metavar="TEXT", help="what it is for, or why; kept in the audit record")
    command.add_argument("--days", type=int, default=None, metavar="N", help="traffic of the last N days (back-test 7, statistics 30)")
    stores.arguments(command)


@asynccontextmanager
async def opened(given: argparse.Namespace) -> AsyncIterator[Desk]:
    """Raises Failure, in one line, for whatever the house refuses."""
    async with stores.opened(given) as (settings, journal, blobs):
        publishing = Publishing(
            journal,
            time.time,
            lambda text: fitted(policy.load(text), settings),
            four_eyes=settings["policy.four_eyes"],
            jail_required=settings["jail.required"],
        )
        try:
            yield Desk(settings, journal, blobs, publishing)
        except (NotNowError, NotAnotherPersonError, NoSuchVersionError, JailUnavailable, ValueError) as error:
            raise Failure(str(error)) from None


async def files_in_force(desk: Desk, subject: Subject) -> dict[str, str]:
    """Of the settings before the first start of the service."""
    files = await desk.publishing.files_in_force(subject)
    if files is not None:
        return files
    return read_rules(desk.settings) if subject is Subject.RULES else {POLICY_FILE: read_policy_text(desk.settings)}


async def begin(desk: Desk) -> None:
    """Before a change: what the settings name is version 1, also where the service has not run yet."""
    if await desk.publishing.in_force(Subject.RULES) is None or await desk.publishing.in_force(Subject.POLICY) is None:
        await desk.publishing.seen_on_disk({subject: await files_in_force(desk, subject) for subject in (Subject.RULES, Subject.POLICY)})


async def step(desk: Desk, subject: Subject, given: argparse.Namespace) -> int:
    """One of STEPS. Raises Usage."""
    if given.what == "versions":
        await _listed(desk, subject, as_json=given.json)
        return 0
    if given.what == "history":
        for publication in await desk.publishing.history(subject):
            stores.say(_publication(publication), _publication_line(publication), as_json=given.json)
        return 0
    number = _number(given)
    if given.what == "rollback":
        if not given.note:
            raise Usage("rollback: why? (--note)")
        done = await desk.publishing.rollback(subject, actor=actor(), reason=given.note, version_id=number)
        return _told(done, as_json=given.json)
    if number is None:
        raise Usage(f"{given.what}: which version? (NUMBER)")
    version = await desk.publishing.version(number, subject)
    if given.what == "diff":
        sys.stdout.write(await desk.publishing.difference(version.id) + "\n")
        return 0
    if given.what == "try":
        return await _try(desk, version, given)
    return _told(await _stepped(desk, version, given), as_json=given.json)


async def _stepped(desk: Desk, version: Version, given: argparse.Namespace) -> Version:
    publishing, note = desk.publishing, given.note
    if given.what == "submit":
        return await publishing.submit(version.id, actor=actor(), note=note)
    if given.what == "approve":
        return await publishing.approve(version.id, actor=actor(), reason=note)
    if given.what == "withdraw":
        return await publishing.withdraw(version.id, actor=actor(), reason=note)
    return await publishing.publish(version.id, actor=actor(), reason=note)


async def _try(desk: Desk, version: Version, given: argparse.Namespace) -> int:
    """In this process, beside a running service; kept with the version as if it had been asked for on the pages."""
    test = trials(desk)
    asked = await test.ask(version, actor=actor(), days=given.days)
    done = await test.run_one(asked.id)
    if done is None:
        raise Failure("another process is at this back-test already")
    for found in await test.differences(done.id):
        stores.say(changed_row(found), changed_line(found), as_json=given.json)
    summary = msgspec.json.decode(done.summary, type=Summary)
    stores.say({"backtest": done.id, "state": done.state, "summary": msgspec.to_builtins(summary)}, sums(summary), as_json=given.json)
    return 0 if done.state == "done" else 1


def trials(desk: Desk) -> Trials:
    """The back-tests of an installation: with its journal, its rules and its limits, at low priority."""
    settings, jail = desk.settings, desk.settings["jail.required"]
    return Trials(
        desk.journal,
        desk.blobs,
        desk.publishing,
        lambda text: fitted(policy.load(text), settings),
        time.time,
        new_workers=lambda rules: low_priority(rules, settings["workers.jobs"], jail_required=jail),
        clean=settings.path("policy.clean_set") if settings["policy.clean_set"] else None,
        days=settings["policy.backtest_days"],
        jobs=settings["workers.jobs"],
        jail_required=jail,
    )


def actor() -> str:
    """The account of the machine that acts; behind `sudo`, who called it. The environment alone is not believed."""
    uid = os.getuid()
    name = os.environ.get("SUDO_USER", "") if uid == 0 else ""
    try:
        return f"command:{name or pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"command:uid{uid}"


# ------------------------------------------------------------------------------------------------------------- printing


def drafted(version: Version, *, as_json: bool) -> int:
    return _told(version, as_json=as_json)


def row(version: Version, *, in_force: bool = False) -> dict[str, object]:
    """A version as `--json` tells it."""
    return {
        "number": version.id, "version": version.version, "stage": version.stage, "in_force": in_force, "author": version.author,
        "at": rfc3339(version.at), "note": version.note, "sha256": version.sha256, "based_on": version.based_on,
    }  # fmt: skip


def changed_row(found: Changed) -> dict[str, object]:
    name = "clean" if found.transfer_id is None else "receipt_no"
    return {name: found.name, "organisation": found.organisation, "new": list(found.new), "lost": list(found.lost),
            "before": found.before, "after": found.after}  # fmt: skip


def changed_line(found: Changed) -> str:
    rules = " ".join([*(f"+{name}" for name in found.new), *(f"-{name}" for name in found.lost)])
    return f"{found.name}  {found.before or '-'} → {found.after}  {rules}"


def sums(summary: Summary) -> str:
    """What a back-test found, in lines for a person."""
    ja = f"検査 {summary.tested}件、変化 {summary.changed}件、原本なし {summary.gone}件、失敗 {summary.failed}件"
    en = f"tested {summary.tested}, changed {summary.changed}, no longer kept {summary.gone}, failed {summary.failed}"
    lines = [f"{ja} / {en}"]
    for sign, counted in (("+", summary.new), ("-", summary.lost), ("clean ", summary.clean_hits)):
        lines += [f"{sign}{name}: {count}" for name, count in most(counted)]
    lines += [f"遅い / slow {one.rule}: {one.ms_per_mib} ms/MiB" for one in summary.slow]
    return "\n".join([*lines, summary.error] if summary.error else lines)


async def _listed(desk: Desk, subject: Subject, *, as_json: bool) -> None:
    standing = (await desk.publishing.standing()).get(subject)
    for version in await desk.publishing.listed(subject):
        mark = "*" if version.id == standing else " "
        begun = f"{rfc3339(version.at)[:19]}  {version.author}  {version.note}"
        line = f"{mark}{version.id:>5}  {version.version:<16}  {version.stage:<10}  {begun}"
        stores.say(row(version, in_force=version.id == standing), line, as_json=as_json)


def _told(version: Version, *, as_json: bool) -> int:
    stores.say(row(version), f"{version.subject} {version.id}  {version.version}  {version.stage}", as_json=as_json)
    return 0


def _publication(one: Publication) -> dict[str, object]:
    return {"number": one.version_id, "version": one.version, "at": rfc3339(one.at), "actor": one.actor, "reason": one.reason}


def _publication_line(one: Publication) -> str:
    return f"{rfc3339(one.at)[:19]}  {one.version_id:>5}  {one.version:<16}  {one.actor}  {one.reason}"


def _number(given: argparse.Namespace) -> int | None:
    if not given.names:
        return None
    if len(given.names) > 1 or not given.names[0].isdigit():
        raise Usage(f"{given.what}: the NUMBER of a version")
    return int(given.names[0])
