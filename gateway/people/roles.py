"""What an account is for, under the titles of the policies; which of them exclude each other; and how a refusal is said.

所属長 (情報セキュリティ管理者 of a 課) is no role: it is said of a membership, because it follows the department and not the person.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Role(StrEnum):
    """What an account may be. Auditor and those who run the house are never one person."""

    STAFF = "staff"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    CISO = "ciso"
    CSIRT = "csirt"
    AUDITOR = "auditor"
    CONTRACTOR = "contractor"


class Title(NamedTuple):
    """How policies and pages call a role."""

    ja: str
    en: str

    def __str__(self) -> str:
        return f"{self.ja} / {self.en}"


TITLES: Final[dict[Role, Title]] = {
    Role.STAFF: Title("利用者（職員）", "staff"),
    Role.OPERATOR: Title("情報システム担当者（運用担当）", "operator"),
    Role.ADMINISTRATOR: Title("情報システム管理者", "administrator"),
    Role.CISO: Title("最高情報セキュリティ責任者（CISO）", "chief information security officer"),
    Role.CSIRT: Title("CSIRT", "incident response"),
    Role.AUDITOR: Title("監査担当", "auditor"),
    Role.CONTRACTOR: Title("委託事業者", "contractor"),
}
HEAD: Final = Title("情報セキュリティ管理者（所属長）", "head of department")

# Roles with power over others' things: a second factor is asked, mistakes lock sooner, sessions end sooner.
PRIVILEGED: Final = frozenset({Role.OPERATOR, Role.ADMINISTRATOR, Role.CISO, Role.CSIRT, Role.CONTRACTOR, Role.AUDITOR})

# 監査を受ける者とその監査を実施する者: an auditor runs nothing, whatever other account he has.
_AUDITED: Final = frozenset({Role.OPERATOR, Role.ADMINISTRATOR, Role.CISO, Role.CSIRT, Role.CONTRACTOR})


def exclusive(one: Role, other: Role) -> bool:
    """Whether one person may not have both (兼務の禁止)."""
    return {one, other} & {Role.AUDITOR} != set() and {one, other} & _AUDITED != set()


class RefusedError(Exception):
    """Why somebody may not do what he asked, in the words shown to him."""
