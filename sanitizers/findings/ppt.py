"""Finding codes of PowerPoint 97-2003 presentations: `ppt.*`."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode(
        "ppt.malformed",
        Severity.MEDIUM,
        "PowerPoint 97-2003プレゼンテーションの構造の破損または矛盾",
        "broken or contradictory PowerPoint 97-2003 presentation",
    ),
    FindingCode("ppt.macro", Severity.HIGH, "VBAマクロ、マクロを起動する動作設定", "VBA macros, or an action that runs one"),
    FindingCode("ppt.program", Severity.HIGH, "プログラムを起動する動作設定", "action that runs a program"),
    FindingCode(
        "ppt.object",
        Severity.HIGH,
        "埋込みオブジェクト・コントロール（表示画像は保持）",
        "embedded object or control (its picture stays)",
    ),
    FindingCode("ppt.external_link", Severity.HIGH, "外部ファイルへのリンク", "link to another file"),
    FindingCode("ppt.hyperlink", Severity.LOW, "許可されない種類のリンク", "link of a kind that is not allowed"),
    FindingCode("ppt.media", Severity.MEDIUM, "動画・音声", "film or sound object"),
    FindingCode("ppt.sound", Severity.LOW, "効果音", "sound of an effect"),
    FindingCode("ppt.embedded_font", Severity.MEDIUM, "埋込みフォント", "embedded font"),
    FindingCode("ppt.animation", Severity.LOW, "音声・動画などを動かすアニメーション", "animation that plays or commands something"),
    FindingCode("ppt.comments", Severity.INFO, "コメント", "comments"),
    FindingCode("ppt.mail", Severity.LOW, "メール送信の情報", "data of a mail"),
    FindingCode("ppt.tag", Severity.LOW, "アドイン等の追加データ", "data of add-ins"),
    FindingCode(
        "ppt.picture_replaced", Severity.LOW, "再構成できない画像（無地の画像に置換）", "picture that cannot be rebuilt (replaced)"
    ),
    FindingCode("ppt.broken_record", Severity.LOW, "構造が壊れたレコード", "record that is broken"),
    FindingCode("ppt.unknown_record", Severity.LOW, "許可されない種類のレコード", "record of a kind that is not allowed"),
    FindingCode("ppt.unknown_stream", Severity.LOW, "許可されない種類の部品", "stream of a kind that is not allowed"),
)
