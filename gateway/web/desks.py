"""One subject on a face: its rows of the interface, and its pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from gateway.web.routes import Route
from gateway.web.signin import SignIn


class Desk(Protocol):
    """What stands beside a face's own handlers."""

    routes: Sequence[Route]

    def install(self, application: web.Application, signin: SignIn) -> None:
        """Add the pages."""
