"""Finding codes of Excel 97-2003 workbooks: `xls.*`, and of compound files: `cfb.*`."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode("cfb.malformed", Severity.MEDIUM, "複合ファイルの構造の破損または矛盾", "broken or contradictory compound file"),
    FindingCode(
        "xls.malformed", Severity.MEDIUM, "Excel 97-2003ブックの構造の破損または矛盾", "broken or contradictory Excel 97-2003 workbook"
    ),
    FindingCode("xls.macro", Severity.HIGH, "VBAマクロ", "VBA macros"),
    FindingCode("xls.macro_sheet", Severity.HIGH, "Excel 4.0マクロシート・ダイアログシート", "Excel 4.0 macro or dialog sheet"),
    FindingCode("xls.macro_name", Severity.HIGH, "マクロを起動する名前", "name that starts a macro"),
    FindingCode(
        "xls.macro_link", Severity.HIGH, "マクロシートを参照する数式（値は保持）", "formula that refers to a macro sheet (value stays)"
    ),
    FindingCode("xls.dde", Severity.HIGH, "DDE・OLEリンク（他のプログラムの呼出し。値は保持）", "DDE or OLE link (value stays)"),
    FindingCode("xls.external_link", Severity.MEDIUM, "外部ブックへの参照（値は保持）", "reference to another workbook (value stays)"),
    FindingCode("xls.connection", Severity.HIGH, "外部データの接続・Webクエリ", "data connection or web query"),
    FindingCode(
        "xls.formula",
        Severity.MEDIUM,
        "許可されない、または解釈できない数式（値は保持）",
        "formula that is not allowed or not understood (value stays)",
    ),
    FindingCode("xls.hyperlink", Severity.LOW, "許可されない種類のリンク", "link of a kind that is not allowed"),
    FindingCode("xls.object", Severity.HIGH, "埋込みオブジェクト・コントロール", "embedded object or control"),
    FindingCode("xls.chart_redrawn", Severity.INFO, "描き直したグラフ", "chart that was drawn anew"),
    FindingCode("xls.chart", Severity.LOW, "グラフ（変換できないため削除）", "chart (cannot be converted)"),
    FindingCode("xls.drawing", Severity.LOW, "図形（変換できないため削除）", "drawing (cannot be converted)"),
    FindingCode("xls.pivot", Severity.LOW, "ピボットテーブルの元データ（表示値は保持）", "source of a pivot table (what it shows stays)"),
    FindingCode("xls.comments", Severity.INFO, "コメント", "comments"),
    FindingCode(
        "xls.picture_replaced", Severity.LOW, "再構成できない画像（無地の画像に置換）", "picture that cannot be rebuilt (replaced)"
    ),
    FindingCode("xls.unknown_stream", Severity.LOW, "許可されない種類の部品", "stream of a kind that is not allowed"),
)
