"""お知らせ above every page of a face of staff, for as long as they are announced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web

from gateway.storage import announcements
from gateway.storage.announcements import Announcement
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.telemetry import log
from gateway.web.routes import Route
from gateway.web.signin import SignIn

_log = log.get(__name__)

# A page is shown more often than something is announced.
_FRESH_SECONDS: Final = 10.0


class Announced:
    """A desk without pages of its own. `clock`: seconds since 1970."""

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._clock = clock
        self._face = ""
        self._known: tuple[float, list[Announcement]] | None = None
        self.routes: Sequence[Route] = (
            Route("GET", "/api/v1/announcements", self._tell, "what is announced to staff now",
                  content={"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}),
        )  # fmt: skip

    def install(self, application: web.Application, signin: SignIn) -> None:  # noqa: ARG002 - shown on pages that others add
        self._face = signin.face
        signin.announced = self.current

    async def current(self) -> list[Announcement]:
        """The gravest first. A store that fails announces nothing, and the page is shown."""
        now = self._clock()
        if self._known is None or not self._known[0] <= now < self._known[0] + _FRESH_SECONDS:
            try:
                found = await self._journal.ask(lambda connection: announcements.current(connection, self._face, now))
            except StorageError as error:
                _log.error("announcements cannot be read", error=str(error))
                return []
            self._known = now, found
        return self._known[1]

    async def _tell(self, _: web.Request) -> web.Response:
        return web.json_response([{"title": one.title, "text": one.text, "tone": one.tone} for one in await self.current()])
