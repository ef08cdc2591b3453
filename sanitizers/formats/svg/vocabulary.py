"""Which elements, attributes and properties a drawing may have.

Spec: SVG 1.1 (second edition) appendix M and N, SVG 2 chapters 5 to 14, Filter Effects 1, CSS Masking 1.
"""

from __future__ import annotations

import re
from typing import Final

SVG: Final = "http://www.w3.org/2000/svg"
XLINK: Final = "http://www.w3.org/1999/xlink"
XML: Final = "http://www.w3.org/XML/1998/namespace"
XHTML: Final = "http://www.w3.org/1999/xhtml"

FILTERS: Final = frozenset({
    "feBlend", "feColorMatrix", "feComponentTransfer", "feComposite", "feConvolveMatrix", "feDiffuseLighting", "feDisplacementMap",
    "feDistantLight", "feDropShadow", "feFlood", "feFuncA", "feFuncB", "feFuncG", "feFuncR", "feGaussianBlur", "feImage", "feMerge",
    "feMergeNode", "feMorphology", "feOffset", "fePointLight", "feSpecularLighting", "feSpotLight", "feTile", "feTurbulence",
})  # fmt: skip
ELEMENTS: Final = FILTERS | {
    "svg", "g", "defs", "symbol", "use", "title", "desc", "switch", "a", "view",
    "path", "rect", "circle", "ellipse", "line", "polyline", "polygon",
    "text", "tspan", "textPath", "image", "style",
    "linearGradient", "radialGradient", "stop", "pattern", "clipPath", "mask", "marker", "filter",
}  # fmt: skip
SCRIPTS: Final = frozenset({"script", "handler", "listener"})
FOREIGN: Final = frozenset({"foreignObject", "iframe", "object", "embed", "audio", "video", "canvas", "html", "body"})
ANIMATIONS: Final = frozenset({"animate", "animateColor", "animateMotion", "animateTransform", "set", "mpath", "discard"})
FONTS: Final = frozenset({
    "font", "font-face", "font-face-src", "font-face-uri", "glyph", "missing-glyph", "hkern", "vkern", "glyphRef", "altGlyph",
})  # fmt: skip
TEXTS: Final = frozenset({"title", "desc", "text", "tspan", "textPath", "style", "a"})
TEXT_ONLY: Final = frozenset({"title", "desc"})
# Elements that say nothing without a reference.
NEED_REFERENCE: Final = frozenset({"use", "image", "feImage", "textPath"})
REFER_INSIDE: Final = frozenset({"use", "textPath", "linearGradient", "radialGradient", "pattern", "filter"})
PICTURES: Final = frozenset({"image", "feImage"})

_NUMBERS: Final = re.compile(r"[0-9eE+\-.,%\sa-z]*", re.IGNORECASE)
_PATH: Final = re.compile(r"[MmZzLlHhVvCcSsQqTtAaEe0-9+\-.,\s]*")
_TRANSFORM: Final = re.compile(r"(?:[a-zA-Z]+\s*\([0-9eE+\-.,\s%a-z]*\)|none|[\s,])*")
_NAME: Final = re.compile(r"[^\s<>\"'`\\()&\x00-\x1f]+")
_NAMES: Final = re.compile(r"[^<>\"'`\\()&]*")
_WORDS: Final = re.compile(r"[A-Za-z0-9 .,#_\-/:+]*")
_TEXT: Final = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f]*")


def _all(pattern: re.Pattern[str], names: str) -> dict[str, re.Pattern[str]]:
    return dict.fromkeys(names.split(), pattern)


# Attribute -> what its whole value must be. Properties and references are looked at elsewhere.
ATTRIBUTES: Final[dict[str, re.Pattern[str]]] = {
    **_all(
        _NUMBERS,
        "x y x1 y1 x2 y2 cx cy r rx ry fx fy fr width height points pathLength viewBox offset dx dy rotate textLength startOffset "
        "markerWidth markerHeight refX refY orient filterRes values k1 k2 k3 k4 order kernelMatrix divisor bias targetX targetY "
        "kernelUnitLength surfaceScale diffuseConstant specularConstant specularExponent azimuth elevation pointsAtX pointsAtY pointsAtZ "
        "limitingConeAngle z stdDeviation radius scale baseFrequency numOctaves seed tableValues slope intercept amplitude exponent",
    ),
    **_all(_PATH, "d"),
    **_all(_TRANSFORM, "gradientTransform patternTransform"),
    **_all(_NAME, "id in in2 result"),
    **_all(_NAMES, "class"),
    **_all(
        _WORDS,
        "preserveAspectRatio gradientUnits spreadMethod patternUnits patternContentUnits clipPathUnits maskUnits maskContentUnits "
        "markerUnits lengthAdjust method spacing side filterUnits primitiveUnits type mode operator edgeMode preserveAlpha "
        "xChannelSelector yChannelSelector stitchTiles version baseProfile zoomAndPan systemLanguage requiredFeatures lang role media "
        "target aria-hidden focusable",
    ),
    **_all(_TEXT, "aria-label"),
}
# Left behind without a word: they say how to read the file, not what it shows.
SILENT: Final = frozenset({
    "contentScriptType", "contentStyleType", "baseProfile", "externalResourcesRequired", "tabindex", "rel",
    f"{{{XLINK}}}type", f"{{{XLINK}}}show", f"{{{XLINK}}}actuate", f"{{{XLINK}}}title", f"{{{XLINK}}}role", f"{{{XLINK}}}arcrole",
})  # fmt: skip

PROPERTIES: Final = frozenset({
    "alignment-baseline", "baseline-shift", "block-progression", "clip", "clip-path", "clip-rule", "color",
    "color-interpolation", "color-interpolation-filters", "color-rendering", "color-profile", "cursor", "direction",
    "display", "dominant-baseline", "enable-background", "fill", "fill-opacity", "fill-rule", "filter", "flood-color",
    "flood-opacity", "font", "font-family", "font-feature-settings", "font-kerning", "font-size", "font-size-adjust",
    "font-stretch", "font-style", "font-variant", "font-variant-alternates", "font-variant-caps", "font-variant-east-asian",
    "font-variant-ligatures", "font-variant-numeric", "font-variant-position", "font-variation-settings", "font-weight",
    "glyph-orientation-horizontal", "glyph-orientation-vertical", "image-rendering", "inline-size", "isolation", "kerning",
    "letter-spacing", "lighting-color", "line-height", "marker", "marker-end", "marker-mid", "marker-start", "mask",
    "mask-type", "mix-blend-mode", "opacity", "overflow", "paint-order", "pointer-events", "shape-inside", "shape-margin",
    "shape-padding", "shape-rendering", "solid-color", "solid-opacity", "stop-color", "stop-opacity", "stroke",
    "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-opacity",
    "stroke-width", "text-align", "text-anchor", "text-align-last", "text-decoration", "text-decoration-color",
    "text-decoration-line", "text-decoration-style", "text-indent", "text-orientation", "text-overflow", "text-rendering",
    "text-transform", "transform", "transform-box", "transform-origin", "unicode-bidi", "vector-effect", "visibility",
    "white-space", "word-spacing", "writing-mode", "x", "y", "cx", "cy", "r", "rx", "ry", "width", "height", "d",
})  # fmt: skip
FUNCTIONS: Final = frozenset({
    "rgb", "rgba", "hsl", "hsla", "matrix", "translate", "translatex", "translatey", "scale", "scalex", "scaley", "rotate",
    "skew", "skewx", "skewy", "blur", "brightness", "contrast", "drop-shadow", "grayscale", "hue-rotate", "invert",
    "opacity", "saturate", "sepia", "rect", "inset", "circle", "ellipse", "polygon", "path",
})  # fmt: skip
