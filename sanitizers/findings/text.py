"""Finding codes of plain text, CSV, XML, JSON, calendars and address cards."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode("text.control_characters", Severity.MEDIUM, "制御文字", "control characters"),
    FindingCode("text.bidi_override", Severity.MEDIUM, "文字方向の制御文字", "characters that reverse the direction of text"),
    FindingCode("text.invisible", Severity.LOW, "見えない文字", "invisible characters"),
    FindingCode("text.undecodable", Severity.LOW, "読めない文字（〓に置換）", "unreadable characters (replaced by 〓)"),
    FindingCode("text.encoding", Severity.INFO, "文字コードの変更（UTF-8）", "encoding changed to UTF-8"),
    FindingCode("csv.formula", Severity.MEDIUM, "数式として実行されるセル", "cell that a spreadsheet would run"),
    FindingCode("markup.stylesheet", Severity.MEDIUM, "外部スタイルシートの指定", "reference to a style sheet"),
    FindingCode("markup.processing_instruction", Severity.LOW, "処理命令", "processing instruction"),
    FindingCode("markup.comment", Severity.INFO, "コメント", "comment"),
    FindingCode("markup.active_element", Severity.HIGH, "ブラウザーなどが実行する要素", "element that a browser acts on"),
    FindingCode("json.malformed", Severity.MEDIUM, "JSONの構造の破損", "JSON that is not well-formed"),
    FindingCode("json.duplicate_key", Severity.MEDIUM, "キーの重複", "duplicate key"),
    FindingCode("mht.converted", Severity.INFO, "HTML形式への変換", "web archive converted to HTML"),
    FindingCode("mht.part", Severity.LOW, "ページの付属ファイル", "file that belongs to the page"),
    FindingCode("vobject.property", Severity.LOW, "予定表・連絡先の不要な項目", "property of a calendar or card that is not needed"),
    FindingCode("vobject.component", Severity.MEDIUM, "予定表・連絡先の不要な部品", "component of a calendar or card that is not needed"),
    FindingCode("vobject.parameter", Severity.LOW, "予定表・連絡先の不要な属性", "parameter of a calendar or card that is not needed"),
    FindingCode("vobject.link", Severity.MEDIUM, "許可されていない種類のリンク", "link of a kind that is not allowed"),
    FindingCode("vobject.photo", Severity.LOW, "無害化できない顔写真", "picture that could not be rebuilt"),
    FindingCode("vobject.line", Severity.LOW, "読めない行", "line that cannot be read"),
)
