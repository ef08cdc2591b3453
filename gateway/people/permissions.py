"""権限表: who may do what, in one table, and what each endpoint is. What is not in it nobody may.

An administrator is an ordinary user until he elevates himself for a while, with a reason; `elevated` names the roles of which that is
asked. Whether a thing is one's own, and who may decide a request, is looked at where it is done: this table opens doors, not files.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    PREVIEW = "transfers.preview"       # look at what was delivered: text and pixels
    ORIGINAL = "transfers.original"     # look at an original in the same way
    TAKE_OUT = "transfers.take_out"     # an original for analysis, in a locked archive; who else has to say yes is looked at there
    OPERATE = "transfers.operate"       # act on what is held
    EXPORT = "rules.export"             # take rules, settings and how the house stands out of it
    PUBLISH = "rules.publish"           # draft, approve and publish rules and policy: which of these is looked at where it is done
    PEOPLE = "people.look"              # accounts, departments, sessions
    HALT = "emergency"                  # 緊急停止 and resumption: nobody elevates himself first
    REVIEW = "people.review"            # 権限棚卸し
    VISIT = "vendor.visit"              # ask for a vendor's visit, end one
    REGISTER = "registers.look"         # incidents, faults, announcements, contacts, papers that were printed
    KEEP = "registers.keep"             # write into them
    AUDIT = "audit.look"                # is the record whole; what was inspected
    INSPECT = "audit.inspect"           # walk the record, sign inspections: whose they are is looked at where it is done
    INVESTIGATE = "audit.investigate"   # search the record of people's deeds under a case number
    REPORT = "reports"                  # make reports and fetch them
    MANAGE = "people.manage"            # make, move, disable, reset


class Grant(NamedTuple):
    """Roles that may, and those of them that have to elevate themselves first."""

    roles: frozenset[Role]
    elevated: frozenset[Role] = frozenset()


_EVERYBODY: Final = frozenset(Role)
_TOWN: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR, Role.CISO})
_HOUSE: Final = frozenset({Role.OPERATOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.CISO, Role.CSIRT, Role.CONTRACTOR})
_REGISTERS: Final = frozenset({Role.OPERATOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.CISO, Role.CSIRT})
_CHIEF: Final = frozenset({Role.ADMINISTRATOR})
_INSPECTING: Final = frozenset({Role.OPERATOR, Role.ADMINISTRATOR, Role.CSIRT})

PERMISSIONS: Final[dict[Action, Grant]] = {
    Action.SELF: Grant(_EVERYBODY),
    Action.DROP: Grant(_TOWN),
    Action.PICKUP: Grant(_TOWN),
    Action.ASK: Grant(_TOWN | {Role.OPERATOR, Role.CSIRT, Role.AUDITOR}),
    Action.LOOK: Grant(_HOUSE),
    Action.PREVIEW: Grant(_INSPECTING),
    Action.ORIGINAL: Grant(_INSPECTING, _CHIEF),
    Action.TAKE_OUT: Grant(_INSPECTING, _CHIEF),
    Action.OPERATE: Grant(frozenset({Role.OPERATOR, Role.ADMINISTRATOR}), _CHIEF),
    Action.EXPORT: Grant(_REGISTERS),
    Action.PUBLISH: Grant(frozenset({Role.ADMINISTRATOR, Role.OPERATOR, Role.CISO}), _CHIEF),
    Action.PEOPLE: Grant(frozenset({Role.ADMINISTRATOR, Role.AUDITOR, Role.CISO})),
    Action.HALT: Grant(frozenset({Role.OPERATOR, Role.ADMINISTRATOR, Role.CISO, Role.CSIRT})),
    Action.REVIEW: Grant(frozenset({Role.ADMINISTRATOR, Role.CISO}), _CHIEF),
    Action.VISIT: Grant(frozenset({Role.ADMINISTRATOR, Role.OPERATOR, Role.CISO})),
    Action.REGISTER: Grant(_REGISTERS),
    Action.KEEP: Grant(_REGISTERS - {Role.AUDITOR}),
    Action.AUDIT: Grant(_REGISTERS - {Role.OPERATOR}),
    Action.INSPECT: Grant(_REGISTERS - {Role.OPERATOR}),
    Action.INVESTIGATE: Grant(frozenset({Role.AUDITOR, Role.CISO, Role.CSIRT})),
    Action.REPORT: Grant(_REGISTERS),
    Action.MANAGE: Grant(_CHIEF, _CHIEF),
}

# Who may stand before a face at all.
FACES: Final[dict[str, frozenset[Role]]] = {"drop": _TOWN, "pickup": _TOWN, "admin": _HOUSE}

# What each endpoint is: (face, method or *, path as the router has it) → action. A path that ends in `/**` stands for everything below;
# the longest one that fits counts, and a named method before `*`.
_OWN: Final = ("/logout", "/password", "/second", "/second/**", "/account", "/account/**", "/elevate", "/elevate/end")
_ASKING: Final = ("/requests", "/requests/**", "/api/v1/requests", "/api/v1/requests/**", "/exceptions", "/exceptions/**",
                  "/api/v1/exceptions", "/api/v1/exceptions/**")  # fmt: skip
_LOOKING: Final = ("/", "/transfers", "/transfers/{receipt_no}", "/api/v1/overview", "/api/v1/overview/events",
                   "/api/v1/transfers",
                   "/api/v1/transfers.csv", "/api/v1/transfers.xlsx", "/api/v1/transfers/{receipt_no}", "/conformity", "/api/v1/conformity",
                   "/api/v1/rescans", "/api/v1/rules", "/api/v1/rules/**", "/api/v1/policy",
                   "/api/v1/policy/**", "/api/v1/rulesets", "/api/v1/rulesets/**", "/api/v1/policies", "/api/v1/policies/**",
                   "/rules", "/rules/**", "/policy", "/policy/**")  # fmt: skip
_EXPORTED: Final = ("/api/v1/conformity.csv", "/api/v1/monitored.csv", "/api/v1/rulesets/{version}", "/api/v1/policies/{version}")
_PUBLISHING: Final = ("/rules", "/rules/**", "/policy", "/policy/**", "/api/v1/rules", "/api/v1/rules/**", "/api/v1/policy",
                      "/api/v1/policy/**", "/api/v1/rulesets", "/api/v1/rulesets/**", "/api/v1/policies",
                      "/api/v1/policies/**")  # fmt: skip
_PEOPLE: Final = ("/people", "/people/**", "/people-import", "/people-import/**", "/departments", "/departments/**", "/groups",
                  "/groups/**", "/api/v1/people", "/api/v1/people/**", "/api/v1/people-import", "/api/v1/people-import/**",
                  "/api/v1/departments", "/api/v1/groups", "/api/v1/groups/**")  # fmt: skip
_REVIEWS: Final = ("/reviews", "/reviews/**", "/api/v1/reviews", "/api/v1/reviews/**")
_VISITS: Final = ("/visits", "/visits/**", "/api/v1/visits", "/api/v1/visits/**")
_CARE: Final = ("/drills", "/api/v1/drills", "/monitored", "/api/v1/monitored")
_BRINGING: Final = ("/", "/transfers/**", "/api/v1/destinations", "/api/v1/transfers", "/api/v1/transfers/**", "/api/v1/uploads",
                    "/api/v1/uploads/**")  # fmt: skip
_TAKING: Final = ("/", "/zip", "/api/v1/boxes", "/transfers/**", "/api/v1/transfers", "/api/v1/transfers/**")
_KEPT: Final = ("/incidents", "/incidents/**", "/announcements", "/announcements/**", "/contacts", "/contacts/**",
                "/api/v1/incidents", "/api/v1/incidents.csv", "/api/v1/incidents/**", "/api/v1/announcements",
                "/api/v1/announcements/**", "/api/v1/contacts", "/api/v1/contacts/**")  # fmt: skip
_PAPERS: Final = ("/documents/{number}", "/api/v1/documents", "/api/v1/documents/{number}")
_INSPECTED: Final = ("/audit", "/audit/**", "/api/v1/audit", "/api/v1/audit/**", "/inspections", "/inspections/**", "/api/v1/inspections",
                     "/api/v1/inspections/**")  # fmt: skip
_CASES: Final = ("/audit/cases", "/audit/cases/**", "/api/v1/audit/cases", "/api/v1/audit/cases/**")
_REPORTS: Final = ("/reports", "/api/v1/reports")


def _rows(face: str, method: str, paths: tuple[str, ...], action: Action) -> dict[tuple[str, str, str], Action]:
    return {(face, method, path): action for path in paths}


ENDPOINTS: Final[dict[tuple[str, str, str], Action]] = {
    **_rows("drop", "*", _OWN, Action.SELF),
    **_rows("drop", "*", _ASKING, Action.ASK),
    **_rows("drop", "*", _BRINGING, Action.DROP),
    **_rows("pickup", "*", _OWN, Action.SELF),
    **_rows("pickup", "*", _TAKING, Action.PICKUP),
    **_rows("admin", "*", _OWN, Action.SELF),
    **_rows("admin", "*", _ASKING, Action.ASK),
    **_rows("admin", "GET", _LOOKING, Action.LOOK),
    **_rows("admin", "GET", _EXPORTED, Action.EXPORT),
    **_rows("admin", "GET", ("/transfers/{receipt_no}/preview/result", "/api/v1/transfers/{receipt_no}/preview/result",
                             "/api/v1/transfers/{receipt_no}/preview/result/page.png"), Action.PREVIEW),
    **_rows("admin", "GET", ("/transfers/{receipt_no}/preview", "/transfers/{receipt_no}/preview/original",
                             "/api/v1/transfers/{receipt_no}/preview/original", "/api/v1/transfers/{receipt_no}/preview/difference",
                             "/api/v1/transfers/{receipt_no}/preview/original/page.png"), Action.ORIGINAL),
    **_rows("admin", "*", ("/transfers/{receipt_no}/original", "/api/v1/transfers/{receipt_no}/original",
                           "/api/v1/transfers/{receipt_no}/original/take", "/api/v1/transfers/{receipt_no}/original.zip"),
            Action.TAKE_OUT),
    **_rows("admin", "POST", ("/transfers", "/transfers/**", "/api/v1/transfers", "/api/v1/transfers/**"), Action.OPERATE),
    **_rows("admin", "*", _PUBLISHING, Action.PUBLISH),
    **_rows("admin", "GET", (*_KEPT, *_PAPERS), Action.REGISTER),
    **_rows("admin", "*", _KEPT, Action.KEEP),
    **_rows("admin", "POST", ("/exceptions/{number}/print",), Action.REGISTER),
    **_rows("admin", "GET", _INSPECTED, Action.AUDIT),
    **_rows("admin", "*", _INSPECTED, Action.INSPECT),
    **_rows("admin", "GET", _CASES, Action.INVESTIGATE),
    **_rows("admin", "*", _CASES, Action.INVESTIGATE),
    **_rows("admin", "*", _REPORTS, Action.REPORT),
    **_rows("drop", "GET", ("/api/v1/announcements",), Action.SELF),
    **_rows("pickup", "GET", ("/api/v1/announcements",), Action.SELF),
    **_rows("admin", "GET", _PEOPLE, Action.PEOPLE),
    **_rows("admin", "*", _PEOPLE, Action.MANAGE),
    **_rows("admin", "GET", _REVIEWS, Action.PEOPLE),
    **_rows("admin", "*", _REVIEWS, Action.REVIEW),
    **_rows("admin", "GET", (*_VISITS, *_CARE, "/emergency", "/api/v1/emergency"), Action.LOOK),
    **_rows("admin", "POST", ("/emergency", "/api/v1/emergency/**"), Action.HALT),
    **_rows("admin", "*", _VISITS, Action.VISIT),
    **_rows("admin", "POST", ("/drills", "/api/v1/drills"), Action.OPERATE),
}


def action(face: str, method: str, path: str) -> Action | None:
    """What an endpoint is; None if nobody has said so. `path`: as the router has it, variables in braces."""
    for where in _wider(path):
        for how in ("GET" if method == "HEAD" else method, "*"):
            if (found := ENDPOINTS.get((face, how, where))) is not None:
                return found
    return None


def _wider(path: str) -> Iterator[str]:
    """The path itself, then everything below each folder that it is in, from the nearest."""
    yield path
    while path:
        path = path.rpartition("/")[0]
        if path:
            yield f"{path}/**"


def permitted(face: str, method: str, path: str, role: Role) -> bool:
    """Whether that role may, elevated if need be."""
    what = action(face, method, path)
    return what is not None and role in FACES[face] and role in PERMISSIONS[what].roles


def needs_elevation(face: str, method: str, path: str, role: Role) -> bool:
    what = action(face, method, path)
    return what is None or role in PERMISSIONS[what].elevated
