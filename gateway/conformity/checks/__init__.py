"""The checks of the self-check, each by its name: what of this installation answers a clause, and with what evidence.

A check that no setting can switch off says so (常時有効); one that depends on settings or on people is judged by what stands now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.conformity.checks import content, house, kept, mail, people, rules
from gateway.conformity.checks.judging import Check, Judged, Standing

__all__ = ["CHECKS", "Check", "Judged", "Standing"]

CHECKS: Final[Mapping[str, Check]] = {
    name: check for room in (content, rules, kept, mail, people, house) for name, check in room.CHECKS.items()
}
