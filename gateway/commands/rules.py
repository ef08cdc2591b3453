"""`sekisho rules …`: the YARA rules, which there are and what they find; changing them as drafts, trying and publishing drafts.

    check | backtest [--rules DIR]          a folder, without the database: does it compile, what would it have done to past traffic
    list                                    the rules in force: state, matches, why they exist
    draft --rules DIR | import PATH… | state RULE… --state STATE       a new draft
    late                                    what was found, by newer rules or signatures, in what had been let through
    versions | diff N | try N | submit N | approve N | publish N | withdraw N | rollback [N] | history
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import msgspec
import uvloop

from gateway import policy
from gateway.commands import Failure, Usage, reading, stores, versions
from gateway.commands.versions import Desk
from gateway.fittings import read_policy
from gateway.model import rfc3339
from gateway.publishing import rule_check, rulesets
from gateway.publishing.backtest import Backtest
from gateway.publishing.versions import Subject, policy_text
from gateway.road.workers import Workers
from gateway.storage import rescans, rule_matches
from gateway.storage.rule_matches import Matches

_DAY_SECONDS = 86_400
_BACKTEST_DAYS, _STATISTICS_DAYS = 7, 30


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("rules", help="YARAルール / the YARA rules: check, list, try, publish")
    command.add_argument("what", choices=("check", "list", "backtest", "late", "draft", "import", "state", *versions.STEPS))
    command.add_argument("names", nargs="*", metavar="NAME", help="number of a version, names of rules, or paths to import")
    command.add_argument("--rules", type=Path, metavar="DIR", help="a folder instead of the rules in force")
    command.add_argument("--policy", type=Path, metavar="FILE", help="backtest: a policy document instead of the one in force")
    command.add_argument("--state", choices=rulesets.STATES, help="state: what the rules are to become")
    versions.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.days is not None and arguments.days < 1:
        raise Usage("--days: at least 1")
    if arguments.what in ("check", "list") and arguments.rules is not None:
        files = reading(lambda: rulesets.read(arguments.rules))
        return uvloop.run(_check(files, arguments)) if arguments.what == "check" else _list(files, {}, as_json=arguments.json)
    if arguments.what == "check":
        return uvloop.run(_check(reading(lambda: rulesets.read(rulesets.builtin_folder())), arguments))
    if arguments.what == "draft" and arguments.rules is None:
        raise Usage("rules draft: of which folder? (--rules)")
    if arguments.what == "import" and not arguments.names:
        raise Usage("rules import: which files or folders?")
    if arguments.what == "state" and not (arguments.names and arguments.state):
        raise Usage("rules state: which rules, and which --state?")
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with versions.opened(arguments) as desk:
        if arguments.what == "list":
            since = time.time() - (arguments.days or _STATISTICS_DAYS) * _DAY_SECONDS
            matches = await desk.journal.ask(lambda connection: rule_matches.totals(connection, since))
            return _list(await versions.files_in_force(desk, Subject.RULES), matches, as_json=arguments.json)
        if arguments.what == "late":
            return await _late(desk, as_json=arguments.json)
        if arguments.what == "backtest":
            return await _backtest(desk, arguments)
        if arguments.what in ("draft", "import", "state"):
            await versions.begin(desk)
            return await _drafted(desk, arguments)
        return await versions.step(desk, Subject.RULES, arguments)


async def _drafted(desk: Desk, arguments: argparse.Namespace) -> int:
    note, actor, publishing = arguments.note, versions.actor(), desk.publishing
    if arguments.what == "draft":
        files = reading(lambda: rulesets.read(arguments.rules))
        return versions.drafted(await publishing.draft(Subject.RULES, files, actor=actor, note=note), as_json=arguments.json)
    if arguments.what == "state":
        states = dict.fromkeys(arguments.names, arguments.state)
        return versions.drafted(await publishing.set_states(states, actor=actor, note=note), as_json=arguments.json)
    given = reading(lambda: rulesets.read_foreign(Path(name) for name in arguments.names))
    version, answer = await publishing.take_foreign(given, actor=actor, note=note)
    for fault in answer.faults:
        stores.say(msgspec.to_builtins(fault), f"✕ {rule_check.said(fault)}", as_json=arguments.json)
    taken, left_out = len(answer.rules), len(answer.faults)
    line = f"{taken}件を評価状態で取り込み、{left_out}件を除外 / {taken} taken in evaluation, {left_out} left out"
    stores.say({"taken": taken, "left_out": left_out}, line, as_json=arguments.json)
    if version is None:
        raise Failure("nothing of it compiles")
    return versions.drafted(version, as_json=arguments.json)


async def _check(files: dict[str, str], arguments: argparse.Namespace) -> int:
    """In a warm parent, as in the service. Raises Failure with rule file and line."""
    workers = Workers(files, 1)
    try:
        await workers.start()
    except ValueError as error:
        raise Failure(str(error)) from None
    await workers.stop()
    count, version = sum(name.endswith(".yar") for name in files), workers.rules_version
    stores.say({"files": count, "version": version}, f"{count} files compile, version {version}", as_json=arguments.json)
    return 0


async def _backtest(desk: Desk, arguments: argparse.Namespace) -> int:
    """One line per transfer that would have gone another way, then the sums. Works beside a running service; nothing of it is kept."""
    files = await versions.files_in_force(desk, Subject.RULES)
    if arguments.rules is not None:
        files = reading(lambda: rulesets.read(arguments.rules))
    chosen = read_policy(desk.settings, policy_text(await versions.files_in_force(desk, Subject.POLICY)))
    if arguments.policy is not None:
        chosen = reading(lambda: policy.load(arguments.policy.read_text("utf-8")))
    jobs = desk.settings["workers.jobs"]
    workers = Workers(files, jobs, jail_required=desk.settings["jail.required"])
    await workers.start()
    try:
        test = Backtest(desk.journal, desk.blobs, workers, chosen, jobs=jobs)
        async for found in test.run(time.time() - (arguments.days or _BACKTEST_DAYS) * _DAY_SECONDS):
            stores.say(versions.changed_row(found), versions.changed_line(found), as_json=arguments.json)
    finally:
        await workers.stop()
    stores.say({"summary": msgspec.to_builtins(test.summary)}, versions.sums(test.summary), as_json=arguments.json)
    return 0


async def _late(desk: Desk, *, as_json: bool) -> int:
    """The youngest first, with who has received it."""
    for hit in await desk.journal.ask(lambda connection: rescans.late_hits(connection, 1_000)):
        got = ", ".join((*hit.received_by.delivered, *hit.received_by.collected)) or "-"
        stores.say(msgspec.to_builtins(hit), f"{hit.receipt_no}  {rfc3339(hit.at)[:19]}  {hit.name}  → {got}", as_json=as_json)
    return 0


def _list(files: dict[str, str], matches: dict[str, Matches], *, as_json: bool) -> int:
    """Every rule of the catalog: state, transfers in which it matched, when last, why it exists."""
    rows = reading(lambda: rulesets.catalog(files))
    for name, row in sorted(rows.items()):
        count, last_at = matches.get(name, (0, None))
        last = "" if last_at is None else rfc3339(last_at)[:10]
        said = {"rule": name, **row, "matches": count, "last_match": last or None}
        line = f"{row.get('state', 'enabled'):<11} {name:<40} {count:>6}  {last:<10}  {row.get('why_ja', '')}"
        stores.say(said, line, as_json=as_json)
    return 0
