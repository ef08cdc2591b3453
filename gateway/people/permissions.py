"""権限表: who may do what, in one table, and what each endpoint is. What is not in it nobody may.

An administrator is an ordinary user until he elevates himself for a while, with a reason; `elevated` names the roles of which that is
asked. Whether a thing is one's own, and who may decide a request, is looked at where it is done: this table opens doors, not files.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from gateway.people.roles import Role


class Action(StrEnum):
    """What can be permitted."""

    SELF = "self"                       # one's own password, sessions, second factors, absences
    DROP = "drop"                       # bring files in, see what became of one's own
    PICKUP = "pickup"                   # take delivered files
    ASK = "requests.ask"                # make requests, see and decide those that are one's own to see and decide
    LOOK = "transfers.look"             # everything that crossed, counts, walls, results
    OPERATE = "transfers.operate"       # act on what is held
    PEOPLE = "people.look"              # accounts, departments, sessions
    MANAGE = "people.manage"            # make, move, disable, reset


class Grant(NamedTuple):
    """Roles that may, and those of them that have to elevate themselves first."""

    roles: frozenset[Role]
    elevated: frozenset[Role] = frozenset()


_EVERYBODY: Final = frozenset(Role)
_TOWN: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR, Role.CISO})
_HOUSE: Final = frozenset({Role.OPERATOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.CISO, Role.CSIRT, Role.CONTRACTOR})
_CHIEF: Final = frozenset({Role.ADMINISTRATOR})

PERMISSIONS: Final[dict[Action, Grant]] = {
    Action.SELF: Grant(_EVERYBODY),
    Action.DROP: Grant(_TOWN),
    Action.PICKUP: Grant(_TOWN),
    Action.ASK: Grant(_TOWN | {Role.OPERATOR, Role.CSIRT, Role.AUDITOR}),
    Action.LOOK: Grant(_HOUSE),
    Action.OPERATE: Grant(frozenset({Role.OPERATOR, Role.ADMINISTRATOR}), _CHIEF),
    Action.PEOPLE: Grant(frozenset({Role.ADMINISTRATOR, Role.AUDITOR, Role.CISO})),
    Action.MANAGE: Grant(_CHIEF, _CHIEF),
}

# Who may stand before a face at all.
FACES: Final[dict[str, frozenset[Role]]] = {"drop": _TOWN, "pickup": _TOWN, "admin": _HOUSE}

# Endpoints that all faces have.
_OWN: Final = (
    "/logout", "/password", "/second", "/second/passkey/options", "/second/passkey", "/account", "/account/factors",
    "/account/factors/totp", "/account/factors/totp/qr.svg", "/account/factors/recovery", "/account/factors/passkey/options",
    "/account/factors/passkey", "/account/factors/{factor}/remove", "/account/sessions/{handle}/end", "/account/absences",
    "/account/absences/{absence}/end", "/elevate", "/elevate/end",
)  # fmt: skip
_REQUESTS: Final = (
    "/requests", "/requests/{number}", "/requests/{number}/{word}", "/api/v1/requests", "/api/v1/requests/{number}",
    *(f"/api/v1/requests/{{number}}/{word}" for word in ("approve", "refuse", "withdraw", "proceed")),
)  # fmt: skip
_EXCEPTIONS: Final = (
    "/exceptions", "/exceptions/{number}/revoke", "/api/v1/exceptions", "/api/v1/exceptions/{number}", "/api/v1/exceptions/{number}/revoke",
)  # fmt: skip
_PEOPLE: Final = (
    "/people", "/people/{login}", "/people/{login}/{deed}", "/people-import", "/people-import/follow", "/departments",
    "/departments/place", "/departments/close", "/groups", "/groups/dissolve", "/api/v1/people", "/api/v1/people/{login}",
    *(f"/api/v1/people/{{login}}/{deed}" for deed in ("disable", "enable", "unlock", "reset", "forget-factors", "end-sessions")),
    "/api/v1/people-import", "/api/v1/people-import/preview", "/api/v1/departments", "/api/v1/groups", "/api/v1/groups/{name}",
)  # fmt: skip
_EVERYWHERE: Final = dict.fromkeys(_OWN, Action.SELF) | dict.fromkeys((*_REQUESTS, *_EXCEPTIONS), Action.ASK)

# (face, method or *, path as the router has it) → what it is.
ENDPOINTS: Final[dict[tuple[str, str, str], Action]] = {
    **{(face, "*", path): action for face in ("drop", "admin") for path, action in _EVERYWHERE.items()},
    **{("pickup", "*", path): Action.SELF for path in _OWN},
    **{("admin", "GET", path): Action.PEOPLE for path in _PEOPLE},
    **{("admin", method, path): Action.MANAGE for path in _PEOPLE for method in ("POST", "PUT", "PATCH")},
}

# What a face's other endpoints are: reading, and everything else.
_OTHERWISE: Final[dict[str, tuple[Action, Action]]] = {
    "drop": (Action.DROP, Action.DROP),
    "pickup": (Action.PICKUP, Action.PICKUP),
    "admin": (Action.LOOK, Action.OPERATE),
}
_READING: Final = frozenset({"GET", "HEAD"})


def action(face: str, method: str, path: str) -> Action:
    """What an endpoint is. `path`: as the router has it, variables in braces."""
    method = "GET" if method == "HEAD" else method
    found = ENDPOINTS.get((face, method, path)) or ENDPOINTS.get((face, "*", path))
    if found is not None:
        return found
    reading, other = _OTHERWISE[face]
    return reading if method in _READING else other


def permitted(face: str, method: str, path: str, role: Role) -> bool:
    """Whether that role may, elevated if need be."""
    return role in FACES[face] and role in PERMISSIONS[action(face, method, path)].roles


def needs_elevation(face: str, method: str, path: str, role: Role) -> bool:
    return role in PERMISSIONS[action(face, method, path)].elevated
