"""Finding codes of the rtf family."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode("rtf.object", Severity.HIGH, "埋込みオブジェクト（OLE）", "embedded object (OLE)"),
    FindingCode("rtf.external_file", Severity.HIGH, "外部ファイル・テンプレートの指定", "template or other file outside"),
    FindingCode("rtf.dde", Severity.HIGH, "DDEフィールド", "DDE field"),
    FindingCode("rtf.macro", Severity.HIGH, "マクロの呼出し", "call of a macro"),
    FindingCode("rtf.external_field", Severity.HIGH, "外部を参照するフィールド", "field that reads from outside"),
    FindingCode("rtf.field", Severity.LOW, "許可されていないフィールド", "field that is not allowed"),
    FindingCode("rtf.link", Severity.MEDIUM, "許可されていないリンク", "link that is not allowed"),
    FindingCode("rtf.mail_merge", Severity.MEDIUM, "差込み印刷のデータ接続", "data source for mail merge"),
    FindingCode("rtf.embedded_font", Severity.MEDIUM, "埋込みフォント", "embedded font"),
    FindingCode("rtf.data_store", Severity.LOW, "文書に付属するXMLデータ", "XML data that goes with the document"),
    FindingCode("rtf.private_data", Severity.LOW, "作成ソフト専用データ", "private data of the authoring program"),
    FindingCode("rtf.document_variable", Severity.LOW, "マクロ用の文書変数", "document variable for macros"),
    FindingCode("rtf.html", Severity.MEDIUM, "埋め込まれたHTML", "HTML carried along"),
    FindingCode("rtf.custom_xml", Severity.LOW, "XMLタグ・スマートタグ", "XML or smart tags"),
    FindingCode("rtf.binary", Severity.HIGH, "本文中のバイナリデータ", "binary data amid the text"),
    FindingCode("rtf.protection", Severity.INFO, "編集保護のパスワード", "password against editing"),
    FindingCode("rtf.old_drawing", Severity.LOW, "旧形式の図形", "drawing in the form of Word 6"),
    FindingCode("rtf.shape_property", Severity.LOW, "図形の許可されていない属性", "property of a shape that is not allowed"),
    FindingCode("rtf.comment", Severity.LOW, "コメント", "comment"),
    FindingCode("rtf.picture_replaced", Severity.MEDIUM, "無害化できない画像", "picture that could not be rebuilt"),
    FindingCode("rtf.unknown_destination", Severity.LOW, "未知の区画", "unknown destination"),
    FindingCode("rtf.unknown_word", Severity.INFO, "未知の制御語", "unknown control word"),
    FindingCode("rtf.number", Severity.MEDIUM, "範囲外の数値", "number out of range"),
    FindingCode("rtf.unbalanced", Severity.LOW, "閉じられていない括弧", "group that is not closed"),
    FindingCode("rtf.trailing_data", Severity.HIGH, "末尾の余分なデータ", "data after the end"),
)
