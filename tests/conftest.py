"""For every test: random examples are the same in each run, so that a run says something of the change and not of the dice; and what is
dear and the same for all is done once.

`SEKISHO_DICE=1` throws them anew; what is found then becomes an example of its own.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.build.swift import Swift

# How long an example takes says something of the machine, which others may keep busy.
settings.register_profile("dice", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("dice"), derandomize=True)
settings.load_profile("dice" if os.environ.get("SEKISHO_DICE") else "same")


# Byte code of the tests and of what they start is kept, whatever the account's environment says of programs in general: with none,
# every worker and every service would compile every module anew. This runs before there are workers, which inherit it.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    sys.dont_write_bytecode = False


_WAITING = frozenset({"contract", "e2e", "deploy"})


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Thousands of tests are collected and stay: nothing of it is garbage that would be worth looking for, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of several workers half begin with what waits for processes and browsers, so that it is not left over for the end; the others
    keep the processors at work meanwhile. Tests of one module stay together, and each worker's share is as long."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    modules: dict[Path, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.path, []).append(item)
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    waiting = [path for path in modules if path.parent.name in _WAITING]
    for number, path in enumerate(waiting):
        shares[number % max(1, workers // 2)] += modules.pop(path)
    for module in modules.values():
        min(shares, key=len).extend(module)
    items[:] = [item for share in shares for item in share]


def pytest_collection_finish() -> None:
    """What the migrations make is made once in a run; tests of the migrations themselves call them."""
    if "gateway.storage.journal" in sys.modules:
        from tests.build.database import begin_with_it

        begin_with_it()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL that lives as long as this run."""
    from tests.build.postgres import PROGRAMS, server

    if PROGRAMS is None:
        pytest.skip("PostgreSQL is not here")
    with server() as address:
        yield address


@pytest.fixture(scope="session")
def swift() -> Iterator[Swift]:
    """An object store that lives as long as this run."""
    from tests.build.swift import HERE, server

    if not HERE:
        pytest.skip("Swift is not here")
    with server() as started:
        yield started
