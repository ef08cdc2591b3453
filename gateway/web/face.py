"""One face: an aiohttp application with the headers, the errors and the health pages that all faces have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.web.problem import Handler, problem, problems

# What stops this face from taking in, scanning and storing right now; empty when it is ready.
Readiness = Callable[[], Awaitable[list[str]]]

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "sekisho",
}


@web.middleware
async def _headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response


def face(readiness: Readiness, *, body_limit: int = 1 << 20) -> web.Application:
    """An application that answers /healthz, /readyz and /metrics; the face adds its own routes. `body_limit` in bytes."""
    application = web.Application(middlewares=[_headers, problems], client_max_size=body_limit)

    async def ready(_: web.Request) -> web.Response:
        reasons = await readiness()
        return problem(503, "; ".join(reasons)) if reasons else web.json_response({"ready": True})

    application.router.add_get("/healthz", _alive)
    application.router.add_get("/readyz", ready)
    application.router.add_get("/metrics", _metrics)
    return application


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Listener:
    """A face on an address."""

    def __init__(self, application: web.Application, address: tuple[str, int]) -> None:
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False)
        self._address = address

    async def start(self) -> None:
        """Raises OSError when the address is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, *self._address, reuse_address=True).start()

    async def stop(self) -> None:
        await self._runner.cleanup()
