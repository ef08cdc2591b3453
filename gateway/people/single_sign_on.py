"""Single sign-on by OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636, RFC 9700).

What a log-in has to remember while the person is at the provider is sealed into a cookie of his own browser; nothing of it is kept here.
Whoever comes back is known by issuer and subject. The first time, and only then, he is the account of that log-in name.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection

from gateway.config import Config, ConfigError
from gateway.people import passwords
from gateway.people.roles import RefusedError
from gateway.storage import accounts as rows
from gateway.storage.accounts import Account
from gateway.storage.journal import Journal
from gateway.storage.keys import sealing_key
from gateway.storage.sealed import SealBrokenError
from gateway.storage.sealer import Sealer

_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
_SCOPE: Final = "openid profile email"
_ABOUT: Final = "sso"
_PATIENCE: Final = 600.0
_SECONDS: Final = 10.0
_LARGEST: Final = 1 << 20
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_LEEWAY: Final = 60
_REFUSED: Final = (
    "シングルサインオンでログインできませんでした。もう一度お試しください。 / single sign-on did not succeed, please try again"
)
_STRANGER: Final = (
    "この職員の利用者登録がありません。情報システム担当へ連絡してください。 / you are not registered here: ask the system staff"
)


class SignOnError(Exception):
    """The provider does not answer, or not as it should. One line, for the log."""


class Provider(NamedTuple):
    """A provider as settings name it. `login`: the claim that holds the log-in name."""

    issuer: str
    client_id: str
    client_secret: str = ""
    login: str = "preferred_username"


class Pending(msgspec.Struct, frozen=True):
    """What is remembered while somebody is at the provider."""

    state: str
    nonce: str
    verifier: str
    until: float


class _Endpoints(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class SingleSignOn:
    """One provider. `clock`: seconds since 1970."""

    def __init__(self, provider: Provider, journal: Journal, clock: Callable[[], float], sealer: Sealer) -> None:
        self._provider = provider
        self._journal = journal
        self._clock = clock
        self._sealer = sealer

    async def begin(self, back: str) -> tuple[str, str]:
        """Where to send the browser, and what it has to bring back. `back`: our own address. Raises SignOnError."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        pending = Pending(state, nonce, verifier, self._clock() + _PATIENCE)
        digest = hashlib.sha256(pending.verifier.encode()).digest()
        async with _session() as session:
            endpoints = await self._endpoints(session)
        query = {"response_type": "code", "client_id": self._provider.client_id, "redirect_uri": back, "scope": _SCOPE,
                 "state": pending.state, "nonce": pending.nonce, "code_challenge_method": "S256",
                 "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode()}  # fmt: skip
        joint = "&" if "?" in endpoints.authorization_endpoint else "?"
        return f"{endpoints.authorization_endpoint}{joint}{urlencode(query)}", self._sealer.seal(msgspec.json.encode(pending), _ABOUT)

    async def finish(self, code: str, state: str, remembered: str, back: str) -> Account:
        """Who came back. Raises RefusedError in words for him, SignOnError for the log."""
        pending = self._pending(remembered)
        if pending is None or not secrets.compare_digest(pending.state.encode(), state.encode("utf-8", "replace")) or not code:
            raise RefusedError(_REFUSED)
        claims = await self._claims(code, pending, back)
        subject, login = claims.get("sub"), claims.get(self._provider.login)
        if not isinstance(subject, str) or not subject:
            raise SignOnError("sso: no subject")
        return await self._account(f"{self._provider.issuer} {subject}", login.lower() if isinstance(login, str) else "")

    def _pending(self, remembered: str) -> Pending | None:
        try:
            pending = msgspec.json.decode(self._sealer.open(remembered, _ABOUT), type=Pending)
        except (SealBrokenError, msgspec.MsgspecError):
            return None
        return pending if pending.until > self._clock() else None

    async def _account(self, federated: str, login: str) -> Account:
        at, void = self._clock(), await asyncio.to_thread(passwords.hashed, secrets.token_urlsafe())

        def found(connection: Connection) -> Account | None:
            known = rows.by_federated(connection, federated)
            if known is not None:
                return known
            named = rows.by_login(connection, login) if login else None
            # A shared account is nobody's, and one that is somebody's already does not change hands.
            if named is None or named.federated or named.shared or named.disabled:
                return None
            rows.federated(connection, named, federated, void, at=at)
            return rows.by_login(connection, login)

        account = await self._journal.write(found)
        if account is None or account.disabled:
            raise RefusedError(_STRANGER)
        return account

    # --------------------------------------------------------------------------------------------------- at the provider

    async def _claims(self, code: str, pending: Pending, back: str) -> dict[str, Any]:
        """Of the identity token that the code stands for, verified (Core 3.1.3.7). Raises SignOnError."""
        provider = self._provider
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "client_id": provider.client_id,
                "code_verifier": pending.verifier}  # fmt: skip
        headers = {"Authorization": _basic(provider)} if provider.client_secret else {}
        async with _session() as session:
            endpoints = await self._endpoints(session)
            answer = await _json(session.post(endpoints.token_endpoint, data=form, headers=headers, allow_redirects=False))
            keys = await _json(session.get(endpoints.jwks_uri, allow_redirects=False))
        try:
            token = jwt.decode(str(answer.get("id_token", "")), KeySet.import_key_set(keys), algorithms=_ALGORITHMS)  # type: ignore[arg-type]
            registry = jwt.JWTClaimsRegistry(
                now=int(self._clock()), leeway=_LEEWAY,
                iss={"essential": True, "value": provider.issuer}, aud={"essential": True, "value": provider.client_id},
                exp={"essential": True}, iat={"essential": True}, nonce={"essential": True, "value": pending.nonce},
            )  # fmt: skip
            registry.validate(token.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise SignOnError(f"sso: {type(error).__name__}: {error}") from None
        audience = token.claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and token.claims.get("azp") != provider.client_id:
            raise SignOnError("sso: for several audiences and not for us")
        return dict(token.claims)

    async def _endpoints(self, session: aiohttp.ClientSession) -> _Endpoints:
        where = f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = await _json(session.get(where, allow_redirects=False))
        try:
            endpoints = msgspec.convert(found, _Endpoints)
        except msgspec.ValidationError as error:
            raise SignOnError(f"sso: {error}") from None
        addresses = (endpoints.authorization_endpoint, endpoints.token_endpoint, endpoints.jwks_uri)
        if endpoints.issuer != self._provider.issuer or not all(_guarded(address) for address in addresses):
            raise SignOnError("sso: the provider names another issuer, or addresses without TLS")
        return endpoints


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS), trust_env=False)


async def _json(request: Any) -> dict[str, Any]:
    """Raises SignOnError."""
    try:
        async with request as answer:
            body = await answer.content.read(_LARGEST + 1)
            while len(body) <= _LARGEST and (more := await answer.content.read(_LARGEST + 1)):
                body += more
            if answer.status != 200 or len(body) > _LARGEST:
                raise SignOnError(f"sso: {answer.method} answers {answer.status}")
            found = msgspec.json.decode(body)
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise SignOnError(f"sso: {type(error).__name__}: {error}") from None
    if not isinstance(found, dict):
        raise SignOnError("sso: not an object")
    return found


def _basic(provider: Provider) -> str:
    """RFC 6749, 2.3.1: both halves encoded as in a form."""
    both = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
    return f"Basic {base64.b64encode(both.encode()).decode()}"


def _guarded(address: str) -> bool:
    """TLS, or this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


# ------------------------------------------------------------------------------------------------------------- settings


def of(settings: Config, journal: Journal, clock: Callable[[], float]) -> SingleSignOn | None:
    """As the settings want it; None where no provider is set. Raises ConfigError."""
    issuer, folder = settings["sso.issuer"], settings.path("storage.path")
    if not issuer:
        return None
    if not _guarded(issuer):
        raise ConfigError("sso.issuer: must begin with https://")
    if not settings["sso.client_id"]:
        raise ConfigError("sso.client_id: must be set")
    secret = ""
    if settings["sso.secret_file"]:
        try:
            secret = Path(settings.path("sso.secret_file")).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"sso.secret_file: {error}") from None
    provider = Provider(issuer, settings["sso.client_id"], secret, settings["sso.login"])
    return SingleSignOn(provider, journal, clock, Sealer(lambda: sealing_key(folder)))
