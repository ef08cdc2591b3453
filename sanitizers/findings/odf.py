"""Finding codes of OpenDocument: `odf.*`."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode(
        "odf.package", Severity.MEDIUM, "OpenDocument文書の構造の破損または矛盾", "broken or contradictory OpenDocument package"
    ),
    FindingCode("odf.macro", Severity.HIGH, "マクロ・スクリプト", "macros and scripts"),
    FindingCode("odf.event_listener", Severity.HIGH, "イベントで動作する処理", "event listener"),
    FindingCode("odf.external_reference", Severity.HIGH, "外部への参照", "reference to something outside"),
    FindingCode("odf.external_image", Severity.MEDIUM, "外部から読み込む画像", "picture loaded from outside"),
    FindingCode("odf.form_submission", Severity.MEDIUM, "フォームの送信先", "place that a form sends to"),
    FindingCode("odf.hyperlink", Severity.LOW, "許可されない種類のリンク", "link of a kind that is not allowed"),
    FindingCode("odf.self_opening", Severity.MEDIUM, "自動的に開くリンク（クリック時に変更）", "link that opened by itself"),
    FindingCode("odf.dde", Severity.HIGH, "DDE（他のプログラムの呼出し）", "DDE (calls another program)"),
    FindingCode("odf.object", Severity.HIGH, "埋込みオブジェクト（表示画像は保持）", "embedded object (its picture stays)"),
    FindingCode(
        "odf.formula", Severity.HIGH, "許可されない関数を含む数式（値は保持）",
        "formula with a function that is not allowed (value stays)",
    ),
    FindingCode("odf.media", Severity.LOW, "音声・動画・プラグイン", "sound, video or plug-in"),
    FindingCode("odf.database", Severity.HIGH, "外部データの接続", "data connection"),
    FindingCode("odf.settings", Severity.INFO, "アプリケーションの設定", "settings of the application"),
    FindingCode("odf.signature", Severity.LOW, "電子署名", "digital signature"),
    FindingCode("odf.thumbnail", Severity.INFO, "縮小表示の画像", "thumbnail"),
    FindingCode("odf.version", Severity.LOW, "過去の版", "earlier version of the document"),
    FindingCode("odf.rdf", Severity.LOW, "RDFメタデータ", "RDF metadata"),
    FindingCode("odf.font", Severity.LOW, "埋込みフォント", "embedded or linked font"),
    FindingCode("odf.comments", Severity.INFO, "コメント・変更履歴（変更は承諾）", "comments and tracked changes (accepted)"),
    FindingCode(
        "odf.picture_replaced", Severity.LOW, "再構成できない画像（無地の画像に置換）", "picture that cannot be rebuilt (replaced)"
    ),
    FindingCode("odf.unknown_member", Severity.MEDIUM, "許可されない種類の部品", "member of a kind that is not allowed"),
    FindingCode("odf.unknown_markup", Severity.LOW, "許可されない要素・属性", "elements or attributes that are not allowed"),
)
