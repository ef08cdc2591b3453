"""Codes that any kind of file can have: what the engine itself finds."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES = (
    FindingCode("file.malformed", Severity.MEDIUM, "形式の破損または曖昧な構造", "broken or ambiguous structure"),
    FindingCode("file.unsupported_kind", Severity.LOW, "再構成できない形式", "kind that cannot be rebuilt"),
    FindingCode("file.encrypted", Severity.LOW, "暗号化（パスワードが必要）", "encryption (a password is needed)"),
    FindingCode("file.limit_exceeded", Severity.HIGH, "処理上限の超過", "processing limit exceeded"),
    FindingCode("file.timeout", Severity.HIGH, "処理時間の超過", "processing time exceeded"),
    FindingCode("file.worker_crashed", Severity.HIGH, "処理プロセスの異常終了", "processing stopped abnormally"),
    FindingCode("file.forbidden_kind", Severity.HIGH, "取込みが禁止された形式", "kind that is not allowed to cross"),
    FindingCode("file.malware", Severity.HIGH, "不正プログラムの疑い", "suspected malware"),
    FindingCode("file.verification_failed", Severity.HIGH, "無害化後の検証に不合格", "result did not pass verification"),
    FindingCode("file.policy", Severity.MEDIUM, "ポリシーによる制限", "restriction by policy"),
    FindingCode("file.kind_mismatch", Severity.MEDIUM, "拡張子と内容の不一致", "name and content disagree"),
    FindingCode("file.unsafe_name", Severity.MEDIUM, "危険なファイル名", "unsafe file name"),
    FindingCode("file.decrypted", Severity.INFO, "パスワードで復号し、暗号化せずに保存", "opened with a password, stored in the clear"),
    FindingCode("file.metadata", Severity.INFO, "作成者情報などのメタデータ", "metadata such as the author"),
)
