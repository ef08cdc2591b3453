"""`sekisho user add|list|disable|reset|token`: accounts. A temporary password or a token is printed once and kept nowhere."""

from __future__ import annotations

import argparse
import getpass
import time

import uvloop

from gateway.commands import Failure, Usage, stores
from gateway.people import reception
from gateway.people.accounts import Account, Accounts, LoginTakenError, RefusedError, Role

_DAY_SECONDS = 86_400


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("user", help="利用者 / accounts")
    command.add_argument("what", choices=("add", "list", "disable", "reset", "token"))
    command.add_argument("login", nargs="?", metavar="LOGIN")
    command.add_argument("--name", default="", help="as shown to others")
    command.add_argument("--mail", default="", metavar="ADDRESS", help="whose mails this person may open with a password")
    command.add_argument("--role", choices=[str(role) for role in Role], default=str(Role.STAFF))
    command.add_argument("--days", type=int, default=90, help="for how long a token is valid")
    stores.arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.what != "list" and not arguments.login:
        raise Usage(f"user {arguments.what}: which LOGIN?")
    if arguments.days < 1:
        raise Usage("--days: at least 1")
    return uvloop.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with stores.opened(arguments) as (settings, journal, _blobs):
        accounts, actor = reception.accounts(settings, journal, time.time), f"command:{getpass.getuser()}"
        if arguments.what == "list":
            for one in await accounts.listed():
                stores.say(_row(one), f"{one.login:<24} {one.role:<14} {one.name}", as_json=arguments.json)
            return 0
        if arguments.what == "add":
            return await _add(accounts, arguments, actor)
        account = await accounts.find(arguments.login)
        if account is None:
            raise Failure(f"{arguments.login}: no such account")
        if arguments.what == "disable":
            await accounts.disable(account, actor)
        elif arguments.what == "reset":
            _secret("password", await accounts.reset_password(account, actor), as_json=arguments.json)
        elif account.disabled:
            raise Failure(f"{arguments.login}: this account is disabled")
        else:
            token = await accounts.issue_token(account, "command", arguments.days * _DAY_SECONDS, actor)
            _secret("token", token, as_json=arguments.json)
    return 0


async def _add(accounts: Accounts, arguments: argparse.Namespace, actor: str) -> int:
    try:
        password = await accounts.add(arguments.login, arguments.name, Role(arguments.role), actor, arguments.mail)
    except LoginTakenError:
        raise Failure(f"{arguments.login}: this log-in name is taken") from None
    except RefusedError as refusal:
        raise Usage(str(refusal)) from None
    _secret("password", password, as_json=arguments.json)
    return 0


def _secret(what: str, value: str, *, as_json: bool) -> None:
    stores.say({what: value}, value, as_json=as_json)


def _row(account: Account) -> dict[str, object]:
    return {"login": account.login, "name": account.name, "mail": account.mail, "role": account.role, "disabled": account.disabled}
