"""`sekisho exception add|list|show|approve|revoke`: 例外措置, asked for by one account and granted by another.

Who asks or grants is who the API token is of: on this machine too nobody acts under another's name.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from pathlib import Path

import msgspec
import uvloop

from gateway.commands import Failure, Usage, reading, stores
from gateway.commands.versions import actor
from gateway.config import Config
from gateway.people import reception
from gateway.requests.approvals import Approvals, Kind, NoSuchRequestError, RefusedError
from gateway.requests.exceptions import Exceptions, NoSuchExceptionError
from gateway.storage.accounts import Account
from gateway.storage.exceptions import Grant
from gateway.storage.journal import Journal
from gateway.web.exception_pages import Asked, listed


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("exception", help="例外措置 / exceptions from policy: time-limited, bound, granted by another person")
    command.add_argument("what", choices=("add", "list", "show", "approve", "revoke"))
    command.add_argument("number", nargs="?", metavar="NUMBER", help="approve: of the request (S-…); show, revoke: of the exception (EX-…)")
    command.add_argument("--kind", metavar="KIND", help="add: the true kind, such as dxf")
    command.add_argument("--action", metavar="ACTION", help="add: confirm, sanitize, text, pixels, hold or block")
    command.add_argument("--sha256", default="", metavar="HEX", help="add: for this file alone")
    command.add_argument("--sender", default="", metavar="WHO", help="add: from this address or @domain alone")
    command.add_argument("--account", default="", metavar="WHO", help="add: for this log-in name or address alone")
    command.add_argument("--until", metavar="DAY", help="add: the last day, as 2027-03-31; within a year")
    command.add_argument("--reason", default="", metavar="TEXT", help="why; kept in the audit record")
    command.add_argument("--token-file", metavar="FILE", help="add, approve: the API token of whoever acts; - reads standard input")
    command.add_argument("--all", action="store_true", help="list: those that are over too")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.what in ("show", "approve", "revoke") and not arguments.number:
        raise Usage(f"exception {arguments.what}: which NUMBER?")
    if arguments.what in ("add", "approve") and not arguments.token_file:
        raise Usage(f"exception {arguments.what}: --token-file says who acts")
    if arguments.what in ("add", "revoke") and not arguments.reason:
        raise Usage(f"exception {arguments.what}: --reason is recorded, and needed")
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with stores.opened(arguments) as (settings, journal, _):
        approvals = Approvals(journal, time.time)
        exceptions = Exceptions(journal, approvals, time.time)
        try:
            if arguments.what == "list":
                for one in await exceptions.listed(over=arguments.all):
                    _say(one, as_json=arguments.json)
            elif arguments.what == "show":
                _say(await exceptions.find(arguments.number), as_json=arguments.json)
            elif arguments.what == "revoke":
                _say(await exceptions.revoke(arguments.number, actor(), arguments.reason), as_json=arguments.json)
            else:
                await _act(arguments, exceptions, approvals, await _account(arguments, settings, journal))
        except NoSuchExceptionError:
            raise Failure(f"{arguments.number}: no such exception, or it is over") from None
        except NoSuchRequestError:
            raise Failure(f"{arguments.number}: no such request") from None
        except RefusedError as refusal:
            raise Failure(str(refusal)) from None
    return 0


async def _act(arguments: argparse.Namespace, exceptions: Exceptions, approvals: Approvals, account: Account) -> None:
    if arguments.what == "approve":
        if (await approvals.find(arguments.number)).kind != Kind.EXCEPTION:
            raise Failure(f"{arguments.number}: not a request for an exception")
        await approvals.approve(arguments.number, account, arguments.reason)
        _say(next(one for one in await exceptions.listed() if one.request == arguments.number), as_json=arguments.json)
        return
    given = {name: getattr(arguments, name) for name in ("kind", "action", "until", "reason", "sha256", "sender", "account")}
    try:
        asked = msgspec.convert(given, Asked)
    except msgspec.ValidationError as error:
        raise Usage(f"exception add: {error}") from None
    made = await exceptions.request(account, asked.wanted(asked.ends), asked.reason)
    stores.say({"request": made.number, "state": made.state}, f"{made.number}: 承認待ち / waits for approval", as_json=arguments.json)


async def _account(arguments: argparse.Namespace, settings: Config, journal: Journal) -> Account:
    def read() -> str:
        return sys.stdin.readline() if arguments.token_file == "-" else Path(arguments.token_file).read_text("utf-8")  # noqa: S105

    account = await reception.accounts(settings, journal, time.time).by_token(reading(read).strip(), "admin")
    if account is None:
        raise Failure("--token-file: not a token that is in force")
    return account


def _say(one: Grant, *, as_json: bool) -> None:
    now = time.time()
    until = dt.datetime.fromtimestamp(one.expires_at, dt.UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    state = "有効 / in force" if one.live(now) else "終了 / over"
    bound = ", ".join(value for value in (one.sha256, one.sender, one.account) if value)
    stores.say(listed(one, now), f"{one.number}  {one.kind} {one.action}  {bound}  〜{until}  {state}  {one.requester} → {one.approver}",
               as_json=as_json)  # fmt: skip
