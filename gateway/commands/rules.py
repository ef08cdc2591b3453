"""`sekisho rules check|list|backtest`: whether the YARA rules compile, which there are, what they would have done to past traffic."""

from __future__ import annotations

import argparse
import json
import sys
import time
import tomllib
from pathlib import Path

import msgspec
import uvloop

from gateway import policy, rulesets
from gateway.backtest import Backtest, Difference, Summary
from gateway.commands import Failure, Usage, reading, stores
from gateway.house import read_policy
from gateway.workers import Workers

_DAY_SECONDS = 86_400


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("rules", help="YARAルール / check and list the YARA rules")
    command.add_argument("what", choices=("check", "list", "backtest"))
    command.add_argument("--rules", type=Path, metavar="DIR", help="a folder instead of the built-in rules")
    command.add_argument("--policy", type=Path, metavar="FILE", help="backtest: a policy document instead of the one in force")
    command.add_argument("--days", type=int, default=7, metavar="N", help="backtest: traffic of the last N days")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    files = reading(lambda: rulesets.read(arguments.rules or rulesets.builtin_folder()))
    if arguments.what == "list":
        return _list(files, as_json=arguments.json)
    if arguments.what == "backtest":
        return uvloop.run(_backtest(files, arguments))
    version = uvloop.run(_compile(files))
    count = sum(name.endswith(".yar") for name in files)
    _print({"files": count, "version": version}, f"{count} files compile, version {version}", as_json=arguments.json)
    return 0


async def _compile(files: dict[str, str]) -> str:
    """In a warm parent, as in the service. Raises Failure with rule file and line."""
    workers = Workers(files, 1)
    try:
        await workers.start()
    except ValueError as error:
        raise Failure(str(error)) from None
    await workers.stop()
    return workers.rules_version


async def _backtest(files: dict[str, str], arguments: argparse.Namespace) -> int:
    """One line per transfer that would have gone another way, then the sums. Works beside a running service."""
    if arguments.days < 1:
        raise Usage("--days: at least 1")
    async with stores.opened(arguments) as (settings, journal, blobs):
        chosen = read_policy(settings)
        if arguments.policy is not None:
            chosen = reading(lambda: policy.load(arguments.policy.read_text("utf-8")))
        workers = Workers(files, settings["workers.jobs"], jail_required=settings["jail.required"])
        try:
            await workers.start()
        except ValueError as error:
            raise Failure(str(error)) from None
        try:
            test = Backtest(journal, blobs, workers, chosen, jobs=settings["workers.jobs"])
            async for found in test.run(time.time() - arguments.days * _DAY_SECONDS):
                _print(_row(found), _line(found), as_json=arguments.json)
        finally:
            await workers.stop()
        _print({"summary": msgspec.to_builtins(test.summary)}, _sums(test.summary), as_json=arguments.json)
    return 0


def _row(found: Difference) -> dict[str, object]:
    return {"receipt_no": found.transfer.receipt_no, "organisation": found.transfer.organisation, "new": list(found.new),
            "lost": list(found.lost), "before": found.before, "after": found.after}  # fmt: skip


def _line(found: Difference) -> str:
    rules = " ".join([*(f"+{name}" for name in found.new), *(f"-{name}" for name in found.lost)])
    return f"{found.transfer.receipt_no}  {found.before or '-'} → {found.after}  {rules}"


def _sums(summary: Summary) -> str:
    ja = f"検査 {summary.tested}件、変化 {summary.changed}件、原本なし {summary.gone}件、失敗 {summary.failed}件"
    en = f"tested {summary.tested}, changed {summary.changed}, no longer kept {summary.gone}, failed {summary.failed}"
    lines = [f"{ja} / {en}"]
    for sign, counted in (("+", summary.new), ("-", summary.lost)):
        lines += [f"{sign}{name}: {count}" for name, count in counted.most_common()]
    return "\n".join(lines)


def _list(files: dict[str, str], *, as_json: bool) -> int:
    catalog = reading(lambda: tomllib.loads(files.get("catalog.toml", "")))
    for name, row in sorted(catalog.items()):
        _print({"rule": name, **row}, f"{row.get('state', '?'):<11} {name:<40} {row.get('why_ja', '')}", as_json=as_json)
    return 0


def _print(row: dict[str, object], line: str, *, as_json: bool) -> None:
    sys.stdout.write((json.dumps(row, ensure_ascii=False) if as_json else line) + "\n")
