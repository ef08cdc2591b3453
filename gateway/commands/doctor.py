"""`sekisho doctor`: which walls of the jail stand here, and whether clock, disk, database, certificates, scanners, settings and all servers
that have to be reached are in order."""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import platform
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import uvloop

from gateway import config, policy
from gateway.commands import Failure
from gateway.config import Config, ConfigError
from gateway.doctor import machine
from gateway.doctor.flows import Flow, Way, flows
from gateway.doctor.machine import Check
from gateway.fittings import certificates_shown, read_panel, read_policy, read_shares
from gateway.house import ROLES
from gateway.publishing import rulesets
from gateway.road.workers import REQUIRED_WALLS, JailUnavailable, Workers
from gateway.telemetry import log

# What a kernel of our day offers; a missing one is said, a missing required one is a fault.
_KNOWN_WALLS: Final = (
    *REQUIRED_WALLS,
    "unprivileged-user",
    "user-namespace",
    "network-namespace",
    "mount-namespace",
    "ipc-namespace",
    "landlock",
)
# For a health check of a container: longer than a face takes when it is well.
_ALIVE_SECONDS: Final = 4.0


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("doctor", help="点検 / which walls of the jail stand, and is the house in order")
    command.add_argument("--config", type=Path, metavar="FILE")
    command.add_argument("--json", action="store_true")
    command.add_argument("--alive", action="store_true", help="only whether the service here is ready, for health checks")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    log.start("error")
    settings = config.load(arguments.config)
    if arguments.alive:
        return _alive(settings)
    checks = uvloop.run(_all(settings))
    for check in checks:
        line = json.dumps(check._asdict(), ensure_ascii=False) if arguments.json else f"{check.state:<5} {check.name:<24} {check.detail}"
        sys.stdout.write(line + "\n")
    if failed := [check.name for check in checks if check.state == "fail"]:
        raise Failure(f"not in order: {', '.join(failed)}")
    return 0


def _alive(settings: Config) -> int:
    """Asks the service itself, where monitoring would. Raises Failure."""
    where = config.address(settings["monitor.listen"]) if settings["monitor.listen"] else settings["admin.listen"]
    connection = http.client.HTTPConnection(_local(where[0]), where[1], timeout=_ALIVE_SECONDS)
    try:
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise Failure(f"{where[0]}:{where[1]}: {type(error).__name__}") from None
    finally:
        connection.close()
    if status != http.client.OK:
        raise Failure(f"answered {status}")
    return 0


def _local(host: str) -> str:
    """Where an address that means all of them is reached from here."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not opened


async def _all(settings: Config) -> list[Check]:
    checks = [check async for check in _jail(settings)]
    checks += [machine.clock(), *machine.disk(settings)]
    checks += await asyncio.to_thread(lambda: list(machine.database(settings)))
    checks += machine.shown(certificates_shown(settings).items(), time.time())
    checks += await machine.reach(_flows(settings, checks))
    checks += await machine.line(settings)
    checks += [check async for check in _scanners(settings)]
    checks += _policy(settings)
    if os.geteuid() == 0:
        checks.append(Check("user", "warn", "asked as root: what the service's own user may do was not seen"))
    return checks


def _flows(settings: Config, checks: list[Check]) -> list[Flow]:
    """Whoever has to be reached; a setting that is none is told as a check. The next hop is asked for wherever it is."""
    host, port = settings["relay.next_hop"]
    what = ("メールの配送", "mail goes out")
    first = Flow(way=Way.OUT, protocol="tcp", port=port, peers=(host,), zone="", what=what, setting="relay.next_hop")
    try:
        return [first, *flows(settings, frozenset(ROLES), read_shares(settings))]
    except ConfigError as error:
        checks.append(Check("settings", "fail", str(error)))
        return [first]


async def _jail(settings: Config) -> AsyncIterator[Check]:
    folder = settings.path("policy.rules") if settings["policy.rules"] else rulesets.builtin_folder()
    try:
        rules = rulesets.read(folder)
        workers = Workers(rules, 1)
        await workers.start()
    except (OSError, ValueError) as error:
        yield Check("rules", "fail", str(error))
        return
    except JailUnavailable as error:
        yield Check("jail", "fail", str(error))
        return
    await workers.stop()
    yield Check("rules", "ok", f"version {workers.rules_version}")
    for wall in _KNOWN_WALLS:
        found = next((standing for standing in workers.walls if standing.startswith(wall)), None)
        yield Check(f"jail: {wall}", "ok" if found else "warn", found or f"not offered by {platform.system()} {platform.release()}")
    yield Check("jail", "ok", "a trial child failed at every forbidden deed")


async def _scanners(settings: Config) -> AsyncIterator[Check]:
    """Each is asked about a file of no interest: an answer, and how old its signatures are."""
    try:
        panel = read_panel(settings)
    except ConfigError as error:
        yield Check("scanners", "fail", str(error))
        return
    if not panel.seats:
        yield Check("scanners", "warn", "no other scanner is set up: the YARA rules alone look for malware")
    elif not any(seat.required for seat in panel.seats):
        yield Check("scanners", "warn", "none is required: while they are silent everything passes without their word")
    for heard in await panel.standing():
        age = "" if heard.age is None else f", signatures {heard.age / 3600:.0f} h old"
        name = f"scanner: {heard.scanner}"
        if heard.trouble:
            yield Check(name, "fail" if heard.required else "warn", heard.trouble)
        else:
            yield Check(name, "ok", f"answers{age}{'' if heard.required else ', not required'}")
    if panel.lists.deny or panel.lists.allow:
        yield Check("lists of digests", "ok", f"{len(panel.lists.deny)} denied, {len(panel.lists.allow)} allowed")


def _policy(settings: Config) -> list[Check]:
    """The document of the settings; what is published meanwhile `sekisho policy show` tells."""
    try:
        chosen = read_policy(settings)
    except ConfigError as error:
        return [Check("policy", "fail", str(error))]
    said = [Check("policy", "warn", warning) for warning in policy.warnings(chosen)]
    return [Check("policy", "ok", f"{chosen.name}, version {chosen.version}, {len(chosen.layers)} layers"), *said]
