"""The way to the provider of single sign-on and back."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gateway.people.accounts import RefusedError
from gateway.people.single_sign_on import SignOnError, SingleSignOn
from gateway.telemetry import log
from gateway.web.signin import SignIn

_log = log.get(__name__)

_SILENT: Final = (
    "シングルサインオンがいまは使えません。しばらくしてからもう一度お試しください。 / single sign-on does not work now, please try later"
)


class SsoPages:
    """Handlers that every face installs where a provider is set."""

    def __init__(self, signin: SignIn, sso: SingleSignOn) -> None:
        self._signin = signin
        self._sso = sso
        self._secure = signin.accounts.customs.secure
        # Not Strict: it has to come along when the provider sends the browser back.
        self._cookie = f"{'__Host-' if self._secure else ''}sekisho-{signin.face}-sso"

    def install(self, application: web.Application) -> None:
        self._signin.way_in("/login/sso", "シングルサインオン", "Single sign-on")
        application.router.add_get("/login/sso", self._begin)
        application.router.add_get("/login/sso/back", self._back)

    async def _begin(self, request: web.Request) -> web.StreamResponse:
        try:
            address, remembered = await self._sso.begin(self._here(request))
        except SignOnError as error:
            _log.error("single sign-on does not work", error=str(error))
            return self._signin.log_in_page(request, 503, _SILENT)
        response = web.Response(status=303, headers={"Location": address})
        response.set_cookie(self._cookie, remembered, httponly=True, samesite="Lax", secure=self._secure, path="/", max_age=600)
        return response

    async def _back(self, request: web.Request) -> web.StreamResponse:
        query, remembered = request.query, request.cookies.get(self._cookie, "")
        try:
            account = await self._sso.finish(query.get("code", ""), query.get("state", ""), remembered, self._here(request))
            value = await self._signin.accounts.admit(account, self._signin.face, request.remote or "", "sso")
        except RefusedError as refusal:
            return self._signin.log_in_page(request, 401, str(refusal))
        except SignOnError as error:
            _log.error("single sign-on does not work", error=str(error))
            return self._signin.log_in_page(request, 503, _SILENT)
        # A page and no redirect: a session cookie that is Strict does not go along on a way that began at another house.
        response = self._signin.page(request, "sso.html")
        self._signin.keep(response, value)
        response.del_cookie(self._cookie, path="/", secure=self._secure, httponly=True, samesite="Lax")
        return response

    def _here(self, request: web.Request) -> str:
        return f"{'https' if self._secure else request.scheme}://{request.host}/login/sso/back"
