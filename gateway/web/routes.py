"""One table per face: what the router serves under /api/ and what the OpenAPI document says of it are the same rows."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aiohttp import web

DOCUMENT: Final = "/api/v1/openapi.json"
_VARIABLE: Final = re.compile(r"\{(\w+)\}")
_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_JSON: Final = {"application/json": {"schema": {"type": "object"}}}


class Route(NamedTuple):
    """One operation. `content`: media types of its good answer; `body`: those it takes; `query` and `faults`:
    name or status → meaning."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    good: int = 200
    content: Mapping[str, Any] = _JSON
    body: Mapping[str, Any] = {}
    query: Mapping[str, str] = {}
    faults: Mapping[int, str] = {}


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
    paths[DOCUMENT] = {"get": {"summary": "this document", "security": [], "responses": {"200": {"description": "OK", "content": _JSON}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {"schemas": {"Problem": _problem_schema()}, "securitySchemes": _security(title)},
    }


def _operation(route: Route) -> dict[str, Any]:
    faults = {401: "log-in required", 403: "not permitted"} | dict(route.faults)
    answers: dict[str, Any] = {str(route.good): {"description": "OK", "content": dict(route.content)}}
    answers |= {str(status): {"description": meaning, "content": _PROBLEM} for status, meaning in sorted(faults.items())}
    operation: dict[str, Any] = {"summary": route.summary, "responses": answers}
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.body:
        operation["requestBody"] = {"required": True, "content": dict(route.body)}
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    text = {"type": "string"}
    in_path = [{"name": name, "in": "path", "required": True, "schema": text} for name in _VARIABLE.findall(route.path)]
    return in_path + [{"name": name, "in": "query", "description": meaning, "schema": text} for name, meaning in route.query.items()]


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    return {"type": "object", "required": ["type", "status", "title"],
            "properties": {"type": text, "status": {"type": "integer"}, "title": text, "detail": text, "receipt_no": text}}  # fmt: skip


def _security(title: str) -> dict[str, Any]:
    return {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": f"sekisho-{title}"},
    }
