"""`sekisho doctor`: which walls of the jail stand here, and whether disk, rules, settings and next hop are in order."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

import uvloop

from gateway import config, log, policy
from gateway.commands import Failure
from gateway.config import Config, ConfigError
from gateway.fittings import read_panel, read_policy
from gateway.publishing import rulesets
from gateway.workers import REQUIRED_WALLS, JailUnavailable, Workers

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
_CONNECT_SECONDS: Final = 3.0


class Check(NamedTuple):
    """One thing looked at: `state` is ok, warn or fail."""

    name: str
    state: str
    detail: str


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("doctor", help="点検 / which walls of the jail stand, and is the house in order")
    command.add_argument("--config", type=Path, metavar="FILE")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    log.start("error")
    settings = config.load(arguments.config)
    checks = uvloop.run(_all(settings))
    for check in checks:
        line = json.dumps(check._asdict(), ensure_ascii=False) if arguments.json else f"{check.state:<5} {check.name:<24} {check.detail}"
        sys.stdout.write(line + "\n")
    if failed := [check.name for check in checks if check.state == "fail"]:
        raise Failure(f"not in order: {', '.join(failed)}")
    return 0


async def _all(settings: Config) -> list[Check]:
    checks = [check async for check in _jail(settings)]
    checks += [_storage(settings), _space(settings), _flush(settings)]
    checks.append(await _next_hop(settings))
    checks += [check async for check in _scanners(settings)]
    checks += _policy(settings)
    return checks


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


def _storage(settings: Config) -> Check:
    path = settings.path("storage.path")
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not os.access(existing, os.W_OK):
        return Check("storage", "fail", f"{existing} cannot be written")
    return Check("storage", "ok", str(path))


def _space(settings: Config) -> Check:
    path = settings.path("storage.path")
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    free, reserve = shutil.disk_usage(existing).free, settings["storage.reserve"]
    state = "ok" if free > 2 * reserve else "warn" if free > reserve else "fail"
    return Check("disk space", state, f"{free >> 20} MiB free, intake stops below {reserve >> 20} MiB")


def _flush(settings: Config) -> Check:
    """A disk that acknowledges a flush in no time may be lying about it; only its maker can tell."""
    path = settings.path("storage.path")
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    probe = existing / ".sekisho-doctor"
    started = time.perf_counter()
    try:
        fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(fd, b"x")
            os.fsync(fd)
        finally:
            os.close(fd)
            probe.unlink()
    except OSError as error:
        return Check("disk flush", "fail", error.strerror or str(error))
    return Check("disk flush", "ok", f"{(time.perf_counter() - started) * 1000:.2f} ms for one fsync")


async def _next_hop(settings: Config) -> Check:
    host, port = settings["relay.next_hop"]
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        return Check("next hop", "warn", f"{host}:{port} does not answer ({type(error).__name__})")
    writer.close()
    return Check("next hop", "ok", f"{host}:{port} answers")


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
