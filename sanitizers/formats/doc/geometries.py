"""Kinds of shapes: MSOSPT of [MS-ODRAW] 2.4.24 → names of ECMA-376 part 1 §20.1.10.56. Facts, no code."""

from __future__ import annotations

from typing import Final

_FLOW_CHARTS: Final = (
    "Process Decision InputOutput PredefinedProcess InternalStorage Document Multidocument Terminator Preparation ManualInput"
    " ManualOperation Connector PunchedCard PunchedTape SummingJunction Or Collate Sort Extract Merge OfflineStorage OnlineStorage"
    " MagneticTape MagneticDisk MagneticDrum Display Delay"
)
GEOMETRIES: Final[dict[int, str]] = {
    1: "rect", 2: "roundRect", 3: "ellipse", 4: "diamond", 5: "triangle", 6: "rtTriangle", 7: "parallelogram", 8: "trapezoid", 9: "hexagon",
    10: "octagon", 11: "plus", 12: "star5", 13: "rightArrow", 15: "homePlate", 16: "cube", 19: "arc", 20: "line", 21: "plaque", 22: "can",
    23: "donut", 32: "straightConnector1", 33: "bentConnector2", 34: "bentConnector3", 35: "bentConnector4", 36: "bentConnector5",
    37: "curvedConnector2", 38: "curvedConnector3", 39: "curvedConnector4", 40: "curvedConnector5", 41: "callout1", 42: "callout2",
    43: "callout3", 44: "accentCallout1", 45: "accentCallout2", 46: "accentCallout3", 47: "borderCallout1", 48: "borderCallout2",
    49: "borderCallout3", 50: "accentBorderCallout1", 51: "accentBorderCallout2", 52: "accentBorderCallout3", 53: "ribbon", 54: "ribbon2",
    55: "chevron", 56: "pentagon", 57: "noSmoking", 58: "star8", 59: "star16", 60: "star32", 61: "wedgeRectCallout",
    62: "wedgeRoundRectCallout", 63: "wedgeEllipseCallout", 64: "wave", 65: "foldedCorner", 66: "leftArrow", 67: "downArrow",
    68: "upArrow", 69: "leftRightArrow", 70: "upDownArrow", 71: "irregularSeal1", 72: "irregularSeal2", 73: "lightningBolt", 74: "heart",
    75: "rect", 76: "quadArrow", 77: "leftArrowCallout", 78: "rightArrowCallout", 79: "upArrowCallout", 80: "downArrowCallout",
    81: "leftRightArrowCallout", 82: "upDownArrowCallout", 83: "quadArrowCallout", 84: "bevel", 85: "leftBracket", 86: "rightBracket",
    87: "leftBrace", 88: "rightBrace", 89: "leftUpArrow", 90: "bentUpArrow", 91: "bentArrow", 92: "star24", 93: "stripedRightArrow",
    94: "notchedRightArrow", 95: "blockArc", 96: "smileyFace", 97: "verticalScroll", 98: "horizontalScroll", 99: "circularArrow",
    101: "uturnArrow", 102: "curvedRightArrow", 103: "curvedLeftArrow", 104: "curvedUpArrow", 105: "curvedDownArrow", 106: "cloudCallout",
    107: "ellipseRibbon", 108: "ellipseRibbon2", **{109 + n: f"flowChart{name}" for n, name in enumerate(_FLOW_CHARTS.split())},
    176: "flowChartAlternateProcess", 177: "flowChartOffpageConnector", 182: "leftRightUpArrow", 183: "sun", 184: "moon",
    185: "bracketPair", 186: "bracePair", 187: "star4", 188: "doubleWave", 202: "rect",
}  # fmt: skip
WORD_ART: Final = frozenset(range(136, 176))
ARROWS: Final = {1: "triangle", 2: "stealth", 3: "diamond", 4: "oval", 5: "arrow"}
