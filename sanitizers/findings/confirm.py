"""Finding codes of the confirmed road: kinds whose structure is checked, and whose original may go out with an approval."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode("confirm.structure", Severity.INFO, "構造の確認（末尾まで適合）", "structure checked to the end"),
    FindingCode("confirm.approval_needed", Severity.LOW, "承認待ちの原本", "original that waits for an approval"),
    FindingCode("confirm.approved", Severity.LOW, "承認により原本のまま取込み", "original let through by an approval"),
    FindingCode("confirm.foreign", Severity.MEDIUM, "外部参照や埋込みオブジェクト", "reference elsewhere, or embedded object"),
    FindingCode("confirm.visio", Severity.LOW, "再構成できないVisio図面", "Visio drawing that cannot be rebuilt"),
    FindingCode("confirm.publisher", Severity.LOW, "再構成できないPublisher文書", "Publisher document that cannot be rebuilt"),
    FindingCode("confirm.project", Severity.LOW, "再構成できないProject計画", "Project plan that cannot be rebuilt"),
    FindingCode("confirm.access", Severity.LOW, "再構成できないAccessデータベース", "Access database that cannot be rebuilt"),
    FindingCode("confirm.hanako", Severity.LOW, "再構成できない花子・三四郎文書", "Hanako or Sanshiro document that cannot be rebuilt"),
    FindingCode("confirm.old_ichitaro", Severity.LOW, "再構成できない旧版の一太郎文書", "old Ichitaro document that cannot be rebuilt"),
)
