"""The stores that the settings choose: where the journal is, where the blobs lie, and under which key."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from gateway.config import Config, ConfigError
from gateway.storage.blobs import Blobs
from gateway.storage.catalogued import CataloguedBlobs
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.storage.keyring import Keyring
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.master import master
from gateway.storage.s3 import Bucket, Credentials, Place
from gateway.storage.s3_blobs import ObjectShelf

_THIS_MACHINE: Final = ("127.0.0.1", "::1", "localhost")


def database(settings: Config) -> str:
    """The address of its PostgreSQL database; empty: a file."""
    return str(settings["storage.url"] or settings["storage.database"])


def stores(settings: Config) -> tuple[Journal, Blobs]:
    """Journal and blobs of an installation, not started, the journal to be started first. Raises ConfigError.

    The commands use them beside a running service.
    """
    journal = Journal(database(settings) or settings.path("storage.path") / "sekisho.db")
    return journal, blobs(settings, journal)


def blobs(settings: Config, journal: Journal) -> Blobs:
    """As the settings say; that journal keeps where they lie. Raises ConfigError."""
    folder = settings.path("storage.path")
    local = LocalBlobs(folder / "blobs", reserve=settings["storage.reserve"])
    sealed = keyring(settings, journal)
    if not settings["storage.blobs"] and sealed is None:
        return local
    shelf = ObjectShelf(_bucket(settings), folder / "spool") if settings["storage.blobs"] else local
    return CataloguedBlobs(shelf, journal, sealed, owner=settings["service.organisation"])


def keyring(settings: Config, journal: Journal) -> Keyring | None:
    """None: blobs are kept as they are. Raises ConfigError."""
    if not settings["storage.key"]:
        return None
    try:
        return Keyring(journal, master(settings["storage.key"], settings.folder))
    except StorageError as error:
        raise ConfigError(str(error)) from None


def _bucket(settings: Config) -> Bucket:
    scheme, _, where = settings["storage.blobs"].partition("://")
    name, _, prefix = where.partition("/")
    if scheme != "s3" or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{2,62}", name):
        raise ConfigError("storage.blobs: must be s3://bucket or s3://bucket/prefix")
    endpoint = urlsplit(settings["storage.s3_endpoint"])
    if endpoint.scheme not in ("http", "https") or not endpoint.hostname:
        raise ConfigError("storage.s3_endpoint: must be https://host[:port]")
    if endpoint.scheme == "http" and endpoint.hostname not in _THIS_MACHINE and not settings["storage.key"]:
        raise ConfigError("storage.s3_endpoint: without TLS only on this machine, or with storage.key")
    place = Place(f"{endpoint.scheme}://{endpoint.netloc}", name, settings["storage.s3_region"], f"{prefix.strip('/')}/".lstrip("/"))
    try:
        key_id, secret = settings.path("storage.s3_credentials").read_text("utf-8").split()
    except (OSError, ValueError):
        raise ConfigError("storage.s3_credentials: must be a file of two lines, access key and secret") from None
    return Bucket(place, Credentials(key_id, secret))
