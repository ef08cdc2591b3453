"""An OpenID provider on loopback: discovery, authorization code with PKCE, tokens signed RS256, and every way to get it wrong."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote, urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "sekisho-town", "a client's secret"


@cache
def _key() -> RSAKey:
    """Made once: it takes long."""
    return RSAKey.generate_key(2048, {"kid": "1"}, private=True)


@dataclass
class Idp:
    """`claims` override what a token says (None takes one away); `answers` override what discovery says."""

    clock: Callable[[], float]
    issuer: str = ""
    subject: str = "sub-1"
    login: str = "tanaka"
    claims: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "1"})
    key: RSAKey = field(default_factory=_key)
    signing: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/.well-known/openid-configuration", self._discovery)
        application.router.add_get("/authorize", self._authorize)
        application.router.add_post("/token", self._token)
        application.router.add_get("/keys", self._keys)
        return application

    async def _discovery(self, _: web.Request) -> web.Response:
        where = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return web.json_response({"issuer": self.issuer} | {name: f"{self.issuer}/{path}" for name, path in where.items()} | self.answers)

    async def _authorize(self, request: web.Request) -> web.Response:
        """The person is known and agrees at once."""
        query = request.query
        assert (query["response_type"], query["client_id"], query["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = dict(query)
        return web.Response(status=303, headers={"Location": f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"})

    async def _token(self, request: web.Request) -> web.Response:
        given = await request.post()
        asked = self.codes.pop(str(given.get("code")), None)
        login = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(str(given.get("code_verifier")).encode()).digest()).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"] or given.get("redirect_uri") != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if [unquote(half) for half in login.split(":")] != [CLIENT, SECRET]:
            return web.json_response({"error": "invalid_client"}, status=401)
        now = int(self.clock())
        claims = {"iss": self.issuer, "sub": self.subject, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": asked["nonce"],
                  "preferred_username": self.login}  # fmt: skip
        claims = {name: value for name, value in (claims | self.claims).items() if value is not None}
        token = jwt.encode(self.header, claims, self.signing or self.key, algorithms=[self.header["alg"]])
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": token})

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response(KeySet([self.key]).as_dict(private=False))


@asynccontextmanager
async def idp(clock: Callable[[], float]) -> AsyncIterator[Idp]:
    made = Idp(clock)
    async with TestServer(made.application()) as server:
        made.issuer = str(server.make_url("")).rstrip("/")
        yield made
