"""What can go wrong in the stores, in the words the road needs: whether to wait, to hold, or to give up."""

from __future__ import annotations


class StorageError(Exception):
    """A store did not do what it was asked, and nothing of it is visible. Temporary for whoever asked (4xx, 503)."""


class StorageFullError(StorageError):
    """Free space is below the reserve, or the disk says that it is full."""


class HaltedError(StorageError):
    """A person stopped this (緊急停止)."""


class BlobMissingError(StorageError):
    """No such blob."""


class BlobDamagedError(StorageError):
    """The bytes of a blob are not those that its digest names."""


class JournalUnavailableError(StorageError):
    """The database is locked, full or broken."""


class LeaseLostError(Exception):
    """A late worker: its lease ran out and the work is somebody else's now. Nothing was written."""


class NoSuchTransferError(Exception):
    """No transfer or delivery of that id or receipt number."""
