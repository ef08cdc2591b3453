"""任用の区分, and what of the drop and of mail an account may use (小諸市 対策基準 5.1(2)③).

会計年度任用職員 begin without both. Turning one on is somebody's word: who, when and why stand beside the account and in the record.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from gateway.people.roles import RefusedError, Title
from gateway.storage import accounts as rows
from gateway.storage import permits
from gateway.storage.accounts import Account

_LONGEST_TEXT: Final = 500
_YOURSELF: Final = "自分自身には許可できません。 / nobody permits it to himself"


class Employment(StrEnum):
    """How somebody is employed."""

    REGULAR = "regular"
    FISCAL_YEAR = "fiscal_year"
    CONTRACTED = "contracted"


class Feature(StrEnum):
    """What may be given to an account and taken from it."""

    DROP = "drop"
    MAIL = "mail"


EMPLOYMENTS: Final[dict[Employment, Title]] = {
    Employment.REGULAR: Title("常勤", "regular"),
    Employment.FISCAL_YEAR: Title("会計年度任用職員", "fiscal-year appointment"),
    Employment.CONTRACTED: Title("委託等", "contracted"),
}
FEATURES: Final[dict[Feature, Title]] = {
    Feature.DROP: Title("取込みの利用", "use of the drop"),
    Feature.MAIL: Title("メールの受信", "receiving mail"),
}
# To whom nothing is given that nobody has asked for.
WITHOUT: Final = frozenset({Employment.FISCAL_YEAR})


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of an account; None: nothing, so that it stays as it is. `reason`: why something is permitted."""

    employment: Employment | None = None
    drop: bool | None = None
    mail: bool | None = None
    reason: str = ""

    @property
    def features(self) -> dict[Feature, bool]:
        said = {Feature.DROP: self.drop, Feature.MAIL: self.mail}
        return {one: on for one, on in said.items() if on is not None}


def uses(account: Account) -> dict[Feature, bool]:
    """What this account may use now."""
    return {Feature.DROP: account.may_drop, Feature.MAIL: account.may_mail}


def begins(terms: Terms) -> dict[Feature, bool]:
    """What a new account of these terms may use before anything is given to it."""
    return dict.fromkeys(Feature, terms.employment not in WITHOUT)


def first(terms: Terms) -> dict[str, Any]:
    """With what it is made: arguments of `storage.accounts.add`."""
    has = begins(terms)
    return {"employment": terms.employment or Employment.REGULAR, "may_drop": has[Feature.DROP], "may_mail": has[Feature.MAIL]}


def unexplained(before: dict[Feature, bool], terms: Terms) -> str:
    """Why these terms cannot be followed, in words for people; empty if they can."""
    given = [FEATURES[one] for one, on in terms.features.items() if on and not before[one]]
    if given and not terms.reason.strip():
        return f"{'、'.join(one.ja for one in given)}を許可する理由がありません / {', '.join(one.en for one in given)}: no reason why"
    return "許可の理由が長すぎます / the reason is too long" if len(terms.reason) > _LONGEST_TEXT else ""


def unsaid(connection: Connection, account: Account, terms: Terms) -> list[Feature]:
    """What it has from before without anybody's word, although its class begins without, and for which these terms say why."""
    if (terms.employment or Employment(account.employment)) not in WITHOUT or not terms.reason.strip():
        return []
    recorded = {one.feature for one in permits.of(connection, account.id)}
    return [one for one, on in terms.features.items() if on and uses(account)[one] and one not in recorded]


def follow(connection: Connection, account_id: int, terms: Terms, *, at: float, actor: str) -> None:
    """What these terms say, in the caller's transaction; a class alone takes nothing away. Raises RefusedError where something is given
    without a reason, or to oneself."""
    account = rows.by_id(connection, account_id)
    assert account is not None
    before, reason = uses(account), terms.reason.strip()
    if why := unexplained(before, terms):
        raise RefusedError(why)
    given = [*(one for one, on in terms.features.items() if on and not before[one]), *unsaid(connection, account, terms)]
    if given and (by := rows.by_login(connection, actor)) is not None and by.person == account.person:
        raise RefusedError(_YOURSELF)
    if terms.employment is not None:
        rows.changed(connection, account, at=at, actor=actor, employment=terms.employment)
    for one in given:
        permits.give(connection, account, one, reason=reason, at=at, actor=actor)
    for one, on in terms.features.items():
        if before[one] and not on:
            permits.take(connection, account, one, reason=reason, at=at, actor=actor)
