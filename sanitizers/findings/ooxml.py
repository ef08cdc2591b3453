"""Finding codes of the ooxml family."""

from sanitizers.findings.code import FindingCode

CODES: tuple[FindingCode, ...] = ()
