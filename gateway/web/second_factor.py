"""The pages of the second factor: showing it at the log-in, setting it up, taking it back."""

from __future__ import annotations

import io
from typing import Final

import segno
from aiohttp import web

from gateway.people.accounts import RefusedError
from gateway.people.factors import Place
from gateway.web.problem import problem
from gateway.web.signin import SignIn, entered, posted
from gateway.web.words import when

_PASSKEY: Final = "passkey"
_LONGEST: Final = 1 << 16


class SecondFactorPages:
    """Handlers that every face installs."""

    def __init__(self, signin: SignIn) -> None:
        self._signin = signin
        self._factors = signin.accounts.factors

    def install(self, application: web.Application) -> None:
        router = application.router
        router.add_get("/second", self._ask)
        router.add_post("/second", self._confirm)
        router.add_post("/second/passkey/options", self._passkey_wanted)
        router.add_post("/second/passkey", self._passkey_shown)
        router.add_get("/account/factors", self._list)
        router.add_post("/account/factors", self._finish_totp)
        router.add_post("/account/factors/totp", self._start_totp)
        router.add_get("/account/factors/totp/qr.svg", self._qr)
        router.add_post("/account/factors/recovery", self._recovery)
        router.add_post("/account/factors/passkey/options", self._passkey_offered)
        router.add_post("/account/factors/passkey", self._passkey_made)
        router.add_post("/account/factors/{factor}/remove", self._remove)

    # ------------------------------------------------------------------------------------------------------ at the log-in

    async def _ask(self, request: web.Request) -> web.Response:
        return await self._ask_page(request)

    async def _ask_page(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        session = entered(request).session
        if session.confirmed or not session.factors:
            raise web.HTTPSeeOther("/")
        kinds = {one.kind for one in await self._factors.listed(session.account)}
        return self._signin.page(request, "second.html", status, error=error, kinds=kinds)

    async def _confirm(self, request: web.Request) -> web.StreamResponse:
        inside, given = entered(request), await posted(request)
        try:
            await self._factors.confirm(inside.session.account, str(given.get("code", "")), inside.value, request.remote or "")
        except RefusedError as refusal:
            return await self._ask_page(request, 401, str(refusal))
        raise web.HTTPSeeOther("/password" if inside.session.account.must_change else "/")

    async def _passkey_wanted(self, request: web.Request) -> web.Response:
        inside = entered(request)
        options = await self._factors.ask_passkey(inside.session.account, inside.value, _place(request))
        return web.Response(text=options, content_type="application/json")

    async def _passkey_shown(self, request: web.Request) -> web.Response:
        inside = entered(request)
        try:
            await self._factors.confirm_passkey(
                inside.session.account, await _body(request), inside.session.challenge,
                session=inside.value, client=request.remote or "", place=_place(request),
            )  # fmt: skip
        except RefusedError as refusal:
            return problem(401, str(refusal))
        return web.json_response({"next": "/"})

    # ---------------------------------------------------------------------------------------------------------- setting up

    async def _list(self, request: web.Request) -> web.Response:
        return await self._list_page(request)

    async def _list_page(self, request: web.Request, status: int = 200, error: str = "", codes: tuple[str, ...] = ()) -> web.Response:
        session = entered(request).session
        account = session.account
        found = [
            {"id": one.id, "kind": one.kind, "title": one.title, "since": when(one.created_at),
             "used": when(one.used_at) if one.used_at else ""}
            for one in await self._factors.listed(account)
        ]  # fmt: skip
        try:
            started = await self._factors.started_totp(account)
        except RefusedError as refusal:
            started, error = None, error or str(refusal)
        return self._signin.page(
            request,
            "factors.html",
            status,
            error=error,
            factors=found,
            started=started,
            codes=codes,
            left=await self._factors.recovery_left(account),
            required=not found and self._signin.accounts.customs.needs_second_factor(account),
        )

    async def _start_totp(self, request: web.Request) -> web.StreamResponse:
        await self._factors.start_totp(entered(request).session.account)
        raise web.HTTPSeeOther("/account/factors")

    async def _finish_totp(self, request: web.Request) -> web.StreamResponse:
        inside, given = entered(request), await posted(request)
        account = inside.session.account
        try:
            await self._factors.finish_totp(account, str(given.get("code", "")), str(given.get("title", "")), inside.value)
        except RefusedError as refusal:
            return await self._list_page(request, 400, str(refusal))
        return await self._with_codes(request)

    async def _with_codes(self, request: web.Request) -> web.StreamResponse:
        """The first authenticator brings the recovery codes along; later ones leave them as they are."""
        account = entered(request).session.account
        if await self._factors.recovery_left(account):
            raise web.HTTPSeeOther("/account/factors")
        return await self._list_page(request, codes=tuple(await self._factors.new_recovery_codes(account)))

    async def _qr(self, request: web.Request) -> web.Response:
        try:
            started = await self._factors.started_totp(entered(request).session.account)
        except RefusedError:            # the page says so
            started = None
        if started is None:
            raise web.HTTPNotFound
        drawn = io.BytesIO()
        segno.make(started.address, error="m", micro=False).save(drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff")
        return web.Response(body=drawn.getvalue(), content_type="image/svg+xml")

    async def _recovery(self, request: web.Request) -> web.StreamResponse:
        account = entered(request).session.account
        return await self._list_page(request, codes=tuple(await self._factors.new_recovery_codes(account)))

    async def _passkey_offered(self, request: web.Request) -> web.Response:
        inside = entered(request)
        options = await self._factors.offer_passkey(inside.session.account, inside.value, _place(request))
        return web.Response(text=options, content_type="application/json")

    async def _passkey_made(self, request: web.Request) -> web.Response:
        inside = entered(request)
        try:
            await self._factors.add_passkey(
                inside.session.account, await _body(request), inside.session.challenge,
                title=request.query.get("title", ""), session=inside.value, place=_place(request),
            )  # fmt: skip
        except RefusedError as refusal:
            return problem(400, str(refusal))
        return web.json_response({"next": "/account/factors"})

    async def _remove(self, request: web.Request) -> web.StreamResponse:
        account, number = entered(request).session.account, request.match_info["factor"]
        if not (number.isascii() and number.isdigit() and len(number) < 18):
            return problem(404)
        if not await self._factors.remove(account, int(number), account.login):
            return problem(404)
        raise web.HTTPSeeOther("/account/factors")


def _place(request: web.Request) -> Place:
    """Browsers bind a passkey to the name in their address line."""
    origin = request.headers.get("Origin", "")
    if origin.partition("://")[2] != request.host:
        raise web.HTTPForbidden
    return Place(request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host, origin)


async def _body(request: web.Request) -> str:
    try:
        text = await request.text()
    except (UnicodeDecodeError, LookupError):
        raise web.HTTPBadRequest from None
    if len(text) > _LONGEST:
        raise web.HTTPRequestEntityTooLarge(_LONGEST)
    return text
