"""Finding codes of the confirmed road: kinds whose structure is checked, and whose original may go out with an approval."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode("confirm.structure", Severity.INFO, "構造の確認（末尾まで適合）", "structure checked to the end"),
    FindingCode("confirm.approval_needed", Severity.LOW, "承認待ちの原本", "original that waits for an approval"),
    FindingCode("confirm.approved", Severity.LOW, "承認により原本のまま取込み", "original let through by an approval"),
    FindingCode("confirm.foreign", Severity.MEDIUM, "外部参照や埋込みオブジェクト", "reference elsewhere, or embedded object"),
)
