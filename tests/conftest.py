"""For every test: random examples are the same in each run, so that a run says something of the change and not of the dice.

`SEKISHO_DICE=1` throws them anew; what is found then becomes an example of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.build.swift import Swift

settings.register_profile("same", derandomize=True)
settings.load_profile("default" if os.environ.get("SEKISHO_DICE") else "same")


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
