"""取扱注意: rules, settings and how the house stands are not for outside. Their pages say so, what is taken out of them says so in its
name, and who took it stands in the record.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from aiohttp import web

from gateway.people.permissions import permitted
from gateway.people.roles import Role
from gateway.storage.journal import Journal
from gateway.web.signin import account_of

MARK: Final = "取扱注意"


async def taken(request: web.Request, journal: Journal, at: float) -> None:
    """Writes down who takes what out. `at`: seconds since 1970."""
    await journal.record(at=at, actor=account_of(request).login, action="guarded.exported", subject=request.path, detail={})


def may_take(request: web.Request, path: str) -> bool:
    """Whether he who looks at the page may take that out of it."""
    return permitted("admin", "GET", path, Role(account_of(request).role))


def table(name: str, content: bytes) -> web.Response:
    """A CSV under that name."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{MARK}_{name}')}.csv"}
    return web.Response(body=content, content_type="text/csv", charset="utf-8", headers=headers)
