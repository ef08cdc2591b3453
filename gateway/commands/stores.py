"""What the commands that look into an installation share: its settings, its stores opened beside the service, and how they print."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway import config
from gateway.commands import Failure
from gateway.config import Config
from gateway.storage.blobs import Blobs
from gateway.storage.chosen import stores
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.telemetry import log


def arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", type=Path, metavar="FILE")
    command.add_argument("--json", action="store_true", help="one JSON object per line")


@asynccontextmanager
async def opened(given: argparse.Namespace) -> AsyncIterator[tuple[Config, Journal, Blobs]]:
    """Raises Failure when the stores cannot be opened."""
    log.start("error")
    settings = config.load(given.config)
    journal, blobs = stores(settings)
    try:
        await journal.start()
        await blobs.start()
        yield settings, journal, blobs
    except StorageError as error:
        raise Failure(str(error)) from None
    finally:
        await blobs.stop()
        await journal.stop()


def say(row: dict[str, object], line: str, *, as_json: bool) -> None:
    """For people, or for machines."""
    sys.stdout.write((json.dumps(row, ensure_ascii=False) if as_json else line) + "\n")
