"""One table per face: what the router serves under /api/ and what the OpenAPI document says of it are the same rows.

The document names every answer that an operation gives, those that all of them give included: who asks is not known (401) or may not
(403), a store cannot be reached (503).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aiohttp import web

DOCUMENT: Final = "/api/v1/openapi.json"
_VARIABLE: Final = re.compile(r"\{(\w+)\}")
_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_JSON: Final = {"application/json": {"schema": {"type": "object"}}}
_TEXT: Final = {"type": "string"}
_WORD: Final = re.compile(r"\w+")
_ALWAYS: Final = {401: "log-in required", 403: "not permitted", 503: "the stores cannot be reached, or this is stopped"}
_COOKIE: Final = "`__Host-` stands before its name where there is TLS; what changes something needs the page's word in X-CSRF-Token as well"
# What every face answers without asking who it is: path → what it is, its good answer, its faults.
MACHINES: Final[Mapping[str, tuple[str, Mapping[str, Any], Mapping[int, str]]]] = {
    DOCUMENT: ("this document", _JSON, {}),
    "/healthz": ("alive", _JSON, {}),
    "/readyz": ("can take in, scan and store now", _JSON, {503: "it cannot; why"}),
    "/metrics": ("numbers for Prometheus", {"text/plain": {"schema": {"type": "string"}}}, {}),
}


class Route(NamedTuple):
    """One operation. `content`: media types of its good answer; `body`: those it takes; `query`, `headers` (of the question), `told`
    (headers of the good answer) and `faults`: name or status → meaning."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    good: int = 200
    content: Mapping[str, Any] = _JSON
    body: Mapping[str, Any] = {}
    query: Mapping[str, str] = {}
    faults: Mapping[int, str] = {}
    headers: Mapping[str, str] = {}
    told: Mapping[str, str] = {}


def install(application: web.Application, title: str, routes: Sequence[Route]) -> None:
    """Routes of `routes`, and the document about them at DOCUMENT."""
    written = document(title, routes)

    async def describe(_: web.Request) -> web.Response:
        return web.json_response(written)

    # No implicit HEAD: what is not in the table is not served.
    for route in routes:
        application.router.add_route(route.method, route.path, route.handler)
    application.router.add_route("GET", DOCUMENT, describe)


def document(title: str, routes: Sequence[Route]) -> dict[str, Any]:
    """OpenAPI 3.1. `info.version` is that of the interface, never the product's."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "security": [{"token": []}, {"session": []}],
        "paths": paths | {path: {"get": _for_all(*said)} for path, said in MACHINES.items()},
        "components": {"schemas": {"Problem": _problem_schema()}, "securitySchemes": _security(title)},
    }


def _for_all(summary: str, content: Mapping[str, Any], faults: Mapping[int, str]) -> dict[str, Any]:
    """What every face answers without asking who it is."""
    return {"summary": summary, "operationId": summary.replace(" ", "_"), "security": [], "responses": _answers(200, content, {}, faults)}


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _operation_id(route),
        "responses": _answers(route.good, route.content, route.told, _ALWAYS | dict(route.faults)),
    }
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.body:
        operation["requestBody"] = {"required": True, "content": dict(route.body)}
    return operation


def _operation_id(route: Route) -> str:
    """A name that generated clients can use."""
    words = _WORD.findall(route.path.removeprefix("/api/v1"))
    return "_".join([route.method.lower(), *words])


def _answers(good: int, content: Mapping[str, Any], told: Mapping[str, str], faults: Mapping[int, str]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "OK"} | ({"content": dict(content)} if content else {})
    if told:
        answer["headers"] = {name: {"description": meaning, "schema": _TEXT} for name, meaning in told.items()}
    problems = {str(status): {"description": meaning, "content": _PROBLEM} for status, meaning in sorted(faults.items())}
    return {str(good): answer} | problems


def _parameters(route: Route) -> list[dict[str, Any]]:
    in_path = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in _VARIABLE.findall(route.path)]
    in_query = [{"name": name, "in": "query", "description": meaning, "schema": _TEXT} for name, meaning in route.query.items()]
    return in_path + in_query + [
        {"name": name, "in": "header", "description": meaning, "schema": _TEXT} for name, meaning in route.headers.items()
    ]


def _problem_schema() -> dict[str, Any]:
    return {"type": "object", "required": ["type", "status", "title"],
            "properties": {"type": _TEXT, "status": {"type": "integer"}, "title": _TEXT, "detail": _TEXT, "receipt_no": _TEXT}}  # fmt: skip


def _security(title: str) -> dict[str, Any]:
    return {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": f"sekisho-{title}", "description": _COOKIE},
    }
