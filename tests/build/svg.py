"""Drawings for tests."""

from __future__ import annotations

import base64

CANARY = "sekisho-canary-2026"
SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def drawing(inside: str = "", attributes: str = "", before: str = "") -> bytes:
    """A whole document around some elements, with one visible circle."""
    return f'{before}<svg {SVG} width="100" height="80" viewBox="0 0 100 80" {attributes}><circle id="seen" r="9"/>{inside}</svg>'.encode()


def data_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


RICH = drawing(
    """
    <title>図面　第一案</title><desc>説明</desc>
    <style type="text/css">.a > rect, #b:hover { fill: url(#g1); stroke: #ff0000; font-family: "MS ゴシック", sans-serif } /* x */
      text { font: italic bold 12px/30px serif; writing-mode: vertical-rl }</style>
    <defs>
      <linearGradient id="g1" x1="0%" gradientTransform="rotate(45 .5 .5)"><stop offset="0" stop-color="rgb(1, 2, 3)"/></linearGradient>
      <radialGradient id="g2" xlink:href="#g1" fx="1"/>
      <pattern id="p" width="4" height="4" patternUnits="userSpaceOnUse"><path d="M0,0 L4-1e2 A1 1 0 0 1 2,2z"/></pattern>
      <clipPath id="c"><rect width="5" height="5"/></clipPath><mask id="m"><use href="#s"/></mask>
      <marker id="k" orient="auto" markerWidth="2"><polygon points="0,0 1,1 2,0"/></marker>
      <symbol id="s" viewBox="0 0 5 5"><ellipse rx="1" ry="2"/></symbol>
      <filter id="f"><feGaussianBlur in="SourceGraphic" stdDeviation="2"/><feColorMatrix type="matrix" values="1 0 0 0 0"/></filter>
    </defs>
    <g class="a" style="opacity:.5;filter:url(#f);mask:url('#m')" transform="translate(1,2) scale(.5)" clip-path="url(#c)">
      <rect x="1" fill="url(#p) #fff" stroke-dasharray="1,2"/><use xlink:href="#s" x="3"/><line x1="1" marker-end="url(#k)"/>
      <text x="1 2 3" text-anchor="middle" xml:space="preserve">縦書き <tspan dy="1em">外字&#xE000;</tspan></text>
      <a xlink:href="https://example.jp/?a=1&amp;b=2" target="_blank"><polyline points="1,2 3,4"/></a>
    </g>"""
)
