"""Finding codes of the image family: `image.*` for pixels in any container, `svg.*` for drawings in XML."""

from sanitizers.findings.code import FindingCode
from sanitizers.model import Severity

CODES: tuple[FindingCode, ...] = (
    FindingCode("image.gps", Severity.MEDIUM, "撮影場所（GPS情報）", "place where the picture was taken (GPS)"),
    FindingCode("image.metadata", Severity.INFO, "画像のメタデータ（Exif・XMPなど）", "picture metadata (Exif, XMP and the like)"),
    FindingCode("image.comment", Severity.LOW, "画像内のコメント", "comment in the picture"),
    FindingCode("image.thumbnail", Severity.INFO, "縮小画像（サムネイル）", "thumbnail"),
    FindingCode("image.private_chunk", Severity.LOW, "画像内の独自データ", "private data inside the picture"),
    FindingCode("image.hidden_data", Severity.MEDIUM, "画像の構造の隙間のデータ", "bytes hidden between the parts of the picture"),
    FindingCode("image.trailing_data", Severity.MEDIUM, "画像の末尾の余分なデータ", "data after the end of the picture"),
    FindingCode("image.color_profile", Severity.INFO, "カラープロファイル（sRGBに統一）", "colour profile (made sRGB)"),
    FindingCode("image.depth_reduced", Severity.INFO, "階調の縮減（8ビット）", "colour depth reduced to 8 bits"),
    FindingCode("image.frames_dropped", Severity.LOW, "2枚目以降の画像", "further pictures in the same file"),
    FindingCode("image.converted", Severity.INFO, "画像形式の変換", "picture converted to another format"),
    FindingCode("image.malformed", Severity.MEDIUM, "画像の構造の破損", "broken picture"),
    FindingCode("image.truncated", Severity.MEDIUM, "途中で切れた画像", "picture that ends too early"),
    FindingCode("image.decoder", Severity.MEDIUM, "復号できない画像", "picture that cannot be decoded"),
    FindingCode("image.active_text", Severity.HIGH, "画素に隠されたスクリプト等", "active text spelled by the pixels"),
    FindingCode("svg.script", Severity.HIGH, "SVG内のスクリプト", "script in the drawing"),
    FindingCode("svg.event_handler", Severity.HIGH, "SVGのイベント属性", "event handlers in the drawing"),
    FindingCode("svg.foreign_object", Severity.HIGH, "SVGに埋め込まれたHTML等", "foreign content such as HTML in the drawing"),
    FindingCode("svg.external_reference", Severity.HIGH, "SVGの外部参照", "reference to another file or site"),
    FindingCode("svg.active_link", Severity.HIGH, "許可されない種類のリンク", "links of a kind that is not allowed"),
    FindingCode("svg.animation", Severity.LOW, "SVGのアニメーション", "animation in the drawing"),
    FindingCode("svg.stylesheet", Severity.MEDIUM, "外部スタイルシートの指定", "external style sheet"),
    FindingCode("svg.style", Severity.LOW, "許可されないスタイル指定", "style that is not allowed"),
    FindingCode("svg.font", Severity.LOW, "SVG内のフォント", "font in the drawing"),
    FindingCode("svg.image_dropped", Severity.MEDIUM, "SVG内の画像（取り除かれたもの）", "picture left out of the drawing"),
    FindingCode("svg.element", Severity.LOW, "許可されない要素", "elements that are not allowed"),
    FindingCode("svg.attribute", Severity.LOW, "許可されない属性", "attributes that are not allowed"),
    FindingCode("svg.metadata", Severity.INFO, "SVGのメタデータ", "metadata in the drawing"),
    FindingCode("svg.dtd", Severity.LOW, "SVGの文書型宣言", "document type declaration"),
    FindingCode("svg.namespace", Severity.INFO, "名前空間の補完", "missing namespace supplied"),
    FindingCode("svg.malformed", Severity.MEDIUM, "SVGの構造の破損", "broken drawing"),
)
