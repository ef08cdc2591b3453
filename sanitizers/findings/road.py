"""Finding codes of the road itself: what it knows about a transfer that the jail does not."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode("road.reused", Severity.INFO, "同じ内容の前の結果を再利用", "result of the same bytes, made before"),
    FindingCode("road.sender_stopped", Severity.MEDIUM, "中継停止中の差出人", "sender who is stopped"),
    FindingCode("road.exception", Severity.LOW, "例外措置による取扱い", "treated by an exception"),
)
