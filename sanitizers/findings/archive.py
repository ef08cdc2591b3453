"""Finding codes of the archive family."""

from sanitizers.findings.code import FindingCode

CODES: tuple[FindingCode, ...] = ()
