"""Finding codes of the image family."""

from sanitizers.findings.code import FindingCode

CODES: tuple[FindingCode, ...] = ()
