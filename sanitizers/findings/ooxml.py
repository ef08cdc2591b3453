"""Finding codes of OOXML: `ooxml.*`, and `xml.*` for what any XML can have."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode("xml.dtd", Severity.HIGH, "XMLの文書型宣言（DTD）", "document type declaration in XML"),
    FindingCode("xml.malformed", Severity.MEDIUM, "XMLの構造の破損", "XML that is not well-formed"),
    FindingCode("ooxml.package", Severity.MEDIUM, "Office文書の構造の破損または矛盾", "broken or contradictory Office package"),
    FindingCode("ooxml.vba", Severity.HIGH, "VBAマクロ", "VBA macros"),
    FindingCode(
        "ooxml.macro_sheet", Severity.HIGH, "Excel 4.0マクロシート・ダイアログシート", "Excel 4.0 macro sheet or dialog sheet"
    ),
    FindingCode("ooxml.macro_name", Severity.HIGH, "マクロを起動する名前の定義", "defined name that starts a macro"),
    FindingCode("ooxml.macro_link", Severity.MEDIUM, "マクロの呼出し", "call of a macro"),
    FindingCode("ooxml.activex", Severity.HIGH, "ActiveXコントロール", "ActiveX control"),
    FindingCode("ooxml.ole_object", Severity.HIGH, "OLEオブジェクト（表示画像は保持）", "OLE object (its picture stays)"),
    FindingCode("ooxml.embedded_file", Severity.MEDIUM, "埋め込まれたファイル", "embedded file"),
    FindingCode(
        "ooxml.alt_chunk", Severity.HIGH, "別形式の文書の取込み（altChunk）", "imported document of another format (altChunk)"
    ),
    FindingCode("ooxml.sub_document", Severity.HIGH, "サブ文書への参照", "reference to a sub-document"),
    FindingCode("ooxml.external_template", Severity.HIGH, "テンプレートの参照", "attached template"),
    FindingCode("ooxml.external_image", Severity.MEDIUM, "外部から読み込む画像", "picture loaded from outside"),
    FindingCode("ooxml.external_reference", Severity.HIGH, "外部への参照", "reference to something outside"),
    FindingCode(
        "ooxml.external_link", Severity.MEDIUM, "他のブックへの参照（値は保持）", "reference to another workbook (values stay)"
    ),
    FindingCode(
        "ooxml.external_field", Severity.HIGH, "外部を読み込むフィールド", "field that loads from outside (its text stays)"
    ),
    FindingCode(
        "ooxml.field", Severity.MEDIUM, "許可されないフィールド（表示は保持）", "field that is not allowed (its text stays)"
    ),
    FindingCode("ooxml.dde", Severity.HIGH, "DDE（他のプログラムの呼出し）", "DDE (calls another program)"),
    FindingCode(
        "ooxml.formula", Severity.HIGH, "許可されない関数を含む数式（値は保持）",
        "formula with a function that is not allowed (value stays)",
    ),
    FindingCode("ooxml.hyperlink", Severity.LOW, "許可されない種類のリンク", "link of a kind that is not allowed"),
    FindingCode("ooxml.action", Severity.HIGH, "クリックで動作する操作", "action on a click"),
    FindingCode("ooxml.mail_merge", Severity.HIGH, "差し込み印刷のデータ元", "mail merge source"),
    FindingCode("ooxml.frame", Severity.MEDIUM, "フレーム", "frames"),
    FindingCode("ooxml.media", Severity.LOW, "音声・動画（表示画像は保持）", "sound or video (its picture stays)"),
    FindingCode("ooxml.connection", Severity.HIGH, "外部データの接続・クエリ", "data connection or query"),
    FindingCode("ooxml.custom_xml", Severity.LOW, "文書に使われていないカスタムXML", "custom XML that the document does not use"),
    FindingCode("ooxml.custom_data", Severity.LOW, "アドインなどが残したデータ", "data left by add-ins"),
    FindingCode("ooxml.custom_ui", Severity.HIGH, "リボン・メニューのカスタマイズ", "customised ribbon or menus"),
    FindingCode("ooxml.web_extension", Severity.HIGH, "Webアドイン", "web add-in"),
    FindingCode("ooxml.embedded_font", Severity.LOW, "埋込みフォント", "embedded font"),
    FindingCode("ooxml.printer_settings", Severity.INFO, "プリンターの設定", "printer settings"),
    FindingCode("ooxml.thumbnail", Severity.INFO, "縮小表示の画像", "thumbnail"),
    FindingCode("ooxml.signature", Severity.LOW, "電子署名", "digital signature"),
    FindingCode("ooxml.comments", Severity.INFO, "コメント・変更履歴", "comments and tracked changes"),
    FindingCode(
        "ooxml.picture_replaced", Severity.LOW, "再構成できない画像（無地の画像に置換）",
        "picture that cannot be rebuilt (replaced)",
    ),
    FindingCode("ooxml.unknown_part", Severity.MEDIUM, "許可されない種類の部品", "part of a kind that is not allowed"),
    FindingCode("ooxml.unknown_markup", Severity.LOW, "許可されない要素・属性", "elements or attributes that are not allowed"),
    FindingCode("ooxml.unreferenced_part", Severity.LOW, "どこからも参照されない部品", "part that nothing refers to"),
    FindingCode("ooxml.dangling", Severity.INFO, "参照先のない参照", "reference to nothing"),
)
