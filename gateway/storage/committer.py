"""One thread that writes, many that ask: group commit.

Whatever is asked while the disk is busy with the last commit goes into the next one, at most 64 operations or what five
milliseconds hold; narrow ones (`gateway.storage.narrow`) with narrow ones only. Each operation has a savepoint of its own, so that
one that fails takes nothing with it, and each caller is answered after COMMIT, never before.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from gateway.storage import narrow
from gateway.storage.database import in_transaction
from gateway.storage.faults import JournalUnavailableError
from gateway.telemetry import log

T = TypeVar("T")
Operation = Callable[[Connection], T]

_log = log.get(__name__)
_MOST_OPERATIONS: Final = 64
_LONGEST_SECONDS: Final = 0.005


class _Request(Generic[T]):
    """One operation on its way, and the caller who waits for it."""

    def __init__(self, operation: Operation[T], *, narrow: bool) -> None:
        self._operation = operation
        self.narrow = narrow
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[T] = self.loop.create_future()
        self._result: T
        self._error: Exception | None = None

    def run(self, connection: Connection) -> None:
        self._error = None
        self._result = self._operation(connection)

    def fail(self, error: Exception) -> None:
        self._error = error

    def settle(self) -> None:
        """In the caller's loop."""
        if self.answer.done():
            return
        if self._error is not None:
            self.answer.set_exception(self._error)
        else:
            self.answer.set_result(self._result)


class Committer:
    """The writer. `start` and `stop` are called from threads that may block."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # With SQLite every transaction is alone.
        self._beside_others = engine.dialect.name != "sqlite"
        self._next: _Request[Any] | None = None
        self._asked: queue.SimpleQueue[_Request[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="journal-writer", daemon=True)
        self._open = False
        # Nothing is ever asked behind the word that ends the thread.
        self._door = threading.Lock()

    def start(self) -> None:
        self._thread.start()
        self._open = True

    def stop(self) -> None:
        """Commits what was asked until now."""
        with self._door:
            if not self._open:
                return
            self._open = False
            self._asked.put(None)
        self._thread.join()

    async def submit(self, operation: Operation[T], *, narrow: bool = False) -> T:
        """The operation's result once it is durable. Raises what the operation raised, or JournalUnavailableError."""
        request = _Request(operation, narrow=narrow and self._beside_others)
        with self._door:
            if not self._open:
                raise JournalUnavailableError("journal: closed")
            self._asked.put(request)
        return await request.answer

    # ------------------------------------------------------------------------------------------ in the writer's thread

    def _work(self) -> None:
        connection: Connection | None = None
        while (first := self._first()) is not None:
            batch = [first]
            try:
                if connection is None:
                    connection = self._engine.connect()
                self._commit(connection, batch)
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing was committed and every caller is told
                self._give_up(connection, batch, error)
                connection = None
            _reply(batch)
        if connection is not None:
            connection.close()

    def _first(self) -> _Request[Any] | None:
        request, self._next = self._next, None
        return self._asked.get() if request is None else request

    def _commit(self, connection: Connection, batch: list[_Request[Any]]) -> None:
        """Fills `batch` as it goes. Raises when nothing of it was committed."""
        put_off = narrow.begin(connection) if batch[0].narrow else None
        try:
            with connection.begin():
                _run(connection, batch[0])
                self._gather(connection, batch)
                if put_off is not None:
                    put_off.do(connection)
        finally:
            narrow.end(connection)

    def _gather(self, connection: Connection, batch: list[_Request[Any]]) -> None:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while len(batch) < _MOST_OPERATIONS and time.monotonic() < deadline:
            try:
                request = self._asked.get_nowait()
            except queue.Empty:
                return
            if request is None:
                self._asked.put(None)
                return
            if request.narrow != batch[0].narrow:
                self._next = request
                return
            batch.append(request)
            _run(connection, request)

    def _give_up(self, connection: Connection | None, batch: list[_Request[Any]], error: Exception) -> None:
        _log.error("the journal could not commit", operations=len(batch), error=str(error))
        for request in batch:
            request.fail(_unavailable(error))
        if connection is not None:
            try:
                connection.invalidate()
                connection.close()
            except Exception:  # noqa: BLE001 - a connection that cannot even be closed is left behind
                _log.exception("a broken journal connection could not be closed")


def _reply(batch: list[_Request[Any]]) -> None:
    """Each loop is woken once for all of its callers."""
    for loop in {request.loop for request in batch}:
        try:
            loop.call_soon_threadsafe(_settle, [request for request in batch if request.loop is loop])
        except RuntimeError:
            # The callers' loop is closed; what was committed is committed.
            pass


def _settle(requests: list[_Request[Any]]) -> None:
    for request in requests:
        request.settle()


def _run(connection: Connection, request: _Request[Any]) -> None:
    connection.exec_driver_sql("SAVEPOINT operation")
    put_off = narrow.put_off(connection)
    before = 0 if put_off is None else len(put_off)
    try:
        request.run(connection)
    except Exception as error:  # it is the caller's to judge; the others in the batch go on
        if not in_transaction(connection.connection):
            # After a full or broken disk SQLite rolls back everything by itself.
            raise
        connection.exec_driver_sql("ROLLBACK TO operation")
        if put_off is not None:
            put_off.back_to(before)
        request.fail(_unavailable(error) if isinstance(error, DBAPIError) else error)
    connection.exec_driver_sql("RELEASE operation")


def _unavailable(error: Exception) -> JournalUnavailableError:
    what = error.orig if isinstance(error, DBAPIError) else error
    told = JournalUnavailableError(f"journal: {what}")
    told.__cause__ = error
    return told
