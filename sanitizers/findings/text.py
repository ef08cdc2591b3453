"""Finding codes of the text family."""

from sanitizers.findings.code import FindingCode

CODES: tuple[FindingCode, ...] = ()
