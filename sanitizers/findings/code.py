"""The shape of one finding code."""

from __future__ import annotations

from typing import NamedTuple

from sanitizers.model import Severity


class FindingCode(NamedTuple):
    """`<family>.<thing>`, how much it weighs, and one noun phrase for users in each language."""

    code: str
    severity: Severity
    ja: str
    en: str
