"""Finding codes of the pdf family."""

from sanitizers.findings.code import FindingCode

CODES: tuple[FindingCode, ...] = ()
