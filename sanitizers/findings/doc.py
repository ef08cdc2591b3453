"""Finding codes of Word 97-2003 documents: `doc.*`."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode(
        "doc.malformed", Severity.MEDIUM, "Word 97-2003文書の構造の破損または矛盾", "broken or contradictory Word 97-2003 document"
    ),
    FindingCode("doc.macro", Severity.HIGH, "VBAマクロ・マクロのコマンド", "VBA macros or commands of macros"),
    FindingCode("doc.object", Severity.HIGH, "埋込みオブジェクト（表示画像は保持）", "embedded object (its picture stays)"),
    FindingCode("doc.control", Severity.HIGH, "ActiveXコントロール", "ActiveX control"),
    FindingCode("doc.dde", Severity.HIGH, "DDE（他のプログラムの呼出し。表示は保持）", "DDE (calls another program; its text stays)"),
    FindingCode(
        "doc.external_field", Severity.HIGH, "外部を読み込むフィールド（表示は保持）", "field that loads from outside (its text stays)"
    ),
    FindingCode("doc.field", Severity.MEDIUM, "許可されないフィールド（表示は保持）", "field that is not allowed (its text stays)"),
    FindingCode("doc.hyperlink", Severity.LOW, "許可されない種類のリンク", "link of a kind that is not allowed"),
    FindingCode("doc.template", Severity.HIGH, "テンプレートの参照", "attached template"),
    FindingCode("doc.mail_merge", Severity.HIGH, "差し込み印刷のデータ元", "mail merge source"),
    FindingCode("doc.sub_document", Severity.HIGH, "サブ文書への参照", "reference to a sub-document"),
    FindingCode("doc.glossary", Severity.LOW, "定型句（AutoText）の文書", "document of AutoText entries"),
    FindingCode("doc.variables", Severity.LOW, "文書変数", "document variables"),
    FindingCode(
        "doc.linked_picture",
        Severity.MEDIUM,
        "外部から読み込む画像（保存された画像は保持）",
        "picture loaded from outside (its stored copy stays)",
    ),
    FindingCode("doc.drawing", Severity.LOW, "図形（変換できないため削除）", "drawing (cannot be converted)"),
    FindingCode("doc.form_field", Severity.MEDIUM, "フォームのマクロ", "macros of a form field"),
    FindingCode("doc.comments", Severity.INFO, "コメント・変更履歴", "comments and tracked changes"),
    FindingCode(
        "doc.picture_replaced", Severity.LOW, "再構成できない画像（無地の画像に置換）", "picture that cannot be rebuilt (replaced)"
    ),
    FindingCode(
        "doc.as_text", Severity.INFO, "本文のみの取出し（再構成できない世代の文書）", "text alone (of a document too old to be rebuilt)"
    ),
    FindingCode(
        "doc.picture_left", Severity.LOW, "画像・図形（本文のみのため含まれない）", "pictures and drawings (only the text came along)"
    ),
    FindingCode("doc.unknown_stream", Severity.LOW, "許可されない種類の部品", "stream of a kind that is not allowed"),
)
