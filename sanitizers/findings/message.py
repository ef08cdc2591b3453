"""Finding codes of the message family."""

from sanitizers.findings.code import FindingCode

CODES: tuple[FindingCode, ...] = ()
