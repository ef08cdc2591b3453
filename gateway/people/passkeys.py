"""Passkeys (WebAuthn Level 2): what a browser is asked for, and whether what it answers is right. Pure: challenge in, plain values out.

Loaded when the first passkey is met (`factors`): the library costs ten megabytes and a tenth of a second, and many towns have none.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import NamedTuple

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.people.factors import Place
from gateway.storage.factors import Factor

# What the library raises for an answer that is none, or of another place or challenge.
_WRONG = (WebAuthnException, ValueError, KeyError, TypeError)


class Asked(NamedTuple):
    """What the browser needs (JSON), and the challenge in it (base64url), which its answer must bear."""

    options: str
    challenge: str


class Made(NamedTuple):
    """A new passkey: its id (base64url), its public key (COSE, base64) and its signature count."""

    credential: str
    key: str
    counter: int


def to_make(place: Place, *, issuer: str, user: bytes, login: str, name: str, known: Iterable[Factor]) -> Asked:
    """For a new one; who has one of `known` is told so by the browser. `user`: at most 64 bytes, nobody's name."""
    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=issuer,
        user_id=user,
        user_name=login,
        user_display_name=name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_described(known),
    )
    return Asked(webauthn.options_to_json(options), bytes_to_base64url(options.challenge))


def made(given: str, challenge: str, place: Place) -> Made | None:
    """What the browser made; None where it is not right."""
    try:
        seen = webauthn.verify_registration_response(
            credential=given,
            expected_challenge=_challenge(challenge),
            expected_rp_id=place.host,
            expected_origin=place.origin,
        )
    except _WRONG:
        return None
    return Made(bytes_to_base64url(seen.credential_id), base64.b64encode(seen.credential_public_key).decode(), seen.sign_count)


def to_sign(place: Place, known: Iterable[Factor]) -> Asked:
    """For a signature by one of `known`."""
    options = webauthn.generate_authentication_options(rp_id=place.host, allow_credentials=_described(known))
    return Asked(webauthn.options_to_json(options), bytes_to_base64url(options.challenge))


def signed(factor: Factor, given: str, challenge: str, place: Place) -> int | None:
    """The signature count, if this passkey signed that challenge here."""
    try:
        return webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=_challenge(challenge),
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=base64.b64decode(factor.secret),
            credential_current_sign_count=factor.counter,
        ).new_sign_count
    except _WRONG:
        return None


def _described(known: Iterable[Factor]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential)) for one in known]


def _challenge(challenge: str) -> bytes:
    """Where none was asked nothing is right: no challenge of ours is so short."""
    return base64url_to_bytes(challenge or "none")
