"""Finding codes of 一太郎 documents: `jtd.*`."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode("jtd.malformed", Severity.MEDIUM, "一太郎文書の構造の破損または矛盾", "broken or contradictory Ichitaro document"),
    FindingCode("jtd.unproven", Severity.LOW, "構造を確認できない部品（枠・図形・シート等）", "part of a document that cannot be judged"),
    FindingCode("jtd.macro", Severity.HIGH, "一太郎マクロ", "macros"),
    FindingCode("jtd.object", Severity.HIGH, "埋込みオブジェクト", "embedded object"),
    FindingCode("jtd.unpacked", Severity.INFO, "圧縮文書（展開して保存）", "compressed document (stored unpacked)"),
    FindingCode("jtd.values_kept", Severity.INFO, "書式の値（枠組みのみ確認して保持）", "values of styles (only their frame was checked)"),
    FindingCode(
        "jtd.as_text", Severity.INFO, "本文のみの取出し（枠・図形等のある文書）", "text alone (of a document with frames or figures)"
    ),
    FindingCode(
        "jtd.part_left", Severity.MEDIUM, "枠・図形等（本文のみのため含まれない）", "frames, figures, sheets (only the text came along)"
    ),
)
