"""Accounts as the settings of an installation want them."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from gateway.config import Config
from gateway.people import single_sign_on
from gateway.people.accounts import Accounts, Directory
from gateway.people.customs import Customs
from gateway.storage.journal import Journal
from gateway.storage.keys import sealing_key
from gateway.storage.sealer import Sealer


def customs(settings: Config) -> Customs:
    """`people.*`: how accounts are kept here."""
    return Customs(
        failures=settings["people.failures"],
        failures_privileged=settings["people.failures_privileged"],
        locked=settings["people.locked"],
        idle=settings["people.idle"],
        idle_privileged=settings["people.idle_privileged"],
        longest=settings["people.longest"],
        temporary=settings["people.temporary"],
        second_factor=settings["people.second_factor"],
        elevation=settings["people.elevation"],
        secure=settings["people.behind_tls"],
        notice=settings["people.notice"],
        visits=settings["people.visits"],
    )


def accounts(settings: Config, journal: Journal, clock: Callable[[], float]) -> Accounts:
    """The key of secrets is made when the first secret is sealed. Raises ConfigError."""
    folder = settings.path("storage.path")
    return Accounts(
        journal,
        clock,
        customs(settings),
        sealer=Sealer(lambda: sealing_key(folder)),
        directory=_directory(settings),
        sso=single_sign_on.of(settings, journal, clock),
    )


def _directory(settings: Config) -> Directory | None:
    """Its library is loaded where one is set: most installations have none, and each start would pay."""
    found: Directory | None = importlib.import_module("gateway.people.directory").of(settings) if settings["directory.url"] else None
    return found
