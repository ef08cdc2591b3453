"""One face: an aiohttp application with the headers, the errors and the health pages that all faces have."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web, web_response
from prometheus_client import CONTENT_TYPE_LATEST, PLATFORM_COLLECTOR, REGISTRY, generate_latest

from gateway.web.problem import problem, problems

# What stops this face from taking in, scanning and storing right now; empty when it is ready.
Readiness = Callable[[], Awaitable[list[str]]]

# How long requests in hand may last when the face closes.
_LAST_SECONDS: Final = 10.0
# Bytes of a form or of JSON; files come in streams.
_LARGEST_FORM: Final = 1 << 20

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: browsers then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "sekisho",
}


# aiohttp names itself and its version where no application answers: a request that is not HTTP.
vars(web_response)["SERVER_SOFTWARE"] = "sekisho"
# It would tell everybody the version of the interpreter.
REGISTRY.unregister(PLATFORM_COLLECTOR)


async def _headers(_: web.Request, response: web.StreamResponse) -> None:
    """On every answer as it leaves, also on redirects and streams; a handler may be stricter, never more lenient by leaving one out."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


def face(readiness: Readiness) -> web.Application:
    """An application that answers /healthz, /readyz and /metrics; the face adds its own routes."""
    application = web.Application(middlewares=[problems], client_max_size=_LARGEST_FORM)
    application.on_response_prepare.append(_headers)

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
    """A face on an address, by HTTPS where `tls` is given."""

    def __init__(self, application: web.Application, address: tuple[str, int], *, tls: ssl.SSLContext | None = None) -> None:
        self.application = application
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=_LAST_SECONDS)
        self._address = address
        self._tls = tls

    async def start(self) -> None:
        """Raises OSError when the address is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, *self._address, reuse_address=True, ssl_context=self._tls).start()

    async def stop(self) -> None:
        """Closes the address, lets requests in hand finish for a moment. A second time does nothing."""
        await self._runner.cleanup()
