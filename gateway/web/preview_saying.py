"""What preview pages say: answers of the jail as rows for templates, beside what the report says of the same parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from gateway.web import words
from sanitizers import preview_words
from sanitizers.findings import CODES
from sanitizers.model import Action, Finding, Report
from sanitizers.preview_words import MOST_OCTETS, Look, Piece, Shown, View

VIEWS: Final = ((View.CONTENT, "内容", "Content"), (View.PARTS, "構造", "Structure"), (View.BYTES, "16進表示", "Bytes"))
_SIGNS: Final = {"+": "追加 / added", "-": "削除 / removed"}
_OUTCOMES: Final = {
    "same": ("同じ", "same", ""), "rewritten": ("作り直し", "rebuilt", "ok"), "gone": ("結果に無し", "not in the result", "wait"),
    "new": ("新規", "new", "ok"),
}  # fmt: skip
_DONE: Final = {
    Action.REMOVED: ("除去", "removed"), Action.REWRITTEN: ("変更", "rewritten"), Action.KEPT: ("そのまま", "kept"),
    Action.REFUSED: ("拒否", "refused"),
}  # fmt: skip
_UNKNOWN: Final = "表示できません / cannot be shown"
_MOST_FINDINGS: Final = 6


def fault(reason: str) -> str:
    """Why something is not shown."""
    code = CODES.get(f"file.{reason}")
    return _UNKNOWN if code is None else f"{code.ja} / {code.en}"


def one_side(shown: Shown, look: Look, report: Report | None, side: str) -> dict[str, Any]:
    """One view of one file, or of a part of it."""
    page = min(look.page + 1, max(shown.pages, 1))
    return {
        "shown": shown,
        "fault": fault(shown.fault) if shown.fault else "",
        "views": VIEWS,
        "way": str(look.view),
        "part": _spelled(look.part),
        "above": _spelled(look.part[:-1]) if look.part else None,
        "page": page,
        "width": look.width,
        "start": look.start,
        "octets": preview_words.octets(shown, look.start),
        "before": max(0, look.start - MOST_OCTETS) if look.start else None,
        "after": look.start + MOST_OCTETS if look.start + MOST_OCTETS < shown.size else None,
        "parts": [_row(piece, report, side) for piece in shown.parts],
        "findings": _findings(report, shown.sha256) if look.part or side == "original" else [],
    }


def both_sides(shown: Shown, original: Shown, result: Shown, report: Report | None, *, part: tuple[int, ...], other: tuple[int, ...],
               page: int) -> dict[str, Any]:  # fmt: skip
    """Original and result side by side: pages, how alike, lines that differ, and what became of each part."""
    found = shown.difference
    pages = min(found.pages) if found is not None else 0
    page = max(1, min(page, max(found.pages) if found is not None else 1))
    alike = found.alike if found is not None else ()
    return {
        "difference": found,
        "fault": fault(shown.fault) if shown.fault else "",
        "part": _spelled(part),
        "other": _spelled(other),
        "page": page,
        "pages": pages,
        "page_links": page_numbers(page, max(found.pages) if found is not None else 0),
        "drawn": bool(found is not None and max(found.pages)),
        "alike": [(number, _percent(value), "ok" if value > 0.99 else "wait") for number, value in enumerate(alike, 1)],
        "least": _percent(min(alike)) if alike else "",
        "this_page": _percent(alike[page - 1]) if page <= len(alike) else "",
        "kept": _percent(found.equal / max(found.lines)) if found is not None and max(found.lines) else "",
        "changes": [(change.sign, change.text, _SIGNS.get(change.sign, "")) for change in found.changes] if found is not None else [],
        "pairs": pairs(original, result, report),
        "looking_at": (_named(original, part), _named(result, other)),
    }


def pairs(original: Shown, result: Shown, report: Report | None) -> list[dict[str, Any]]:
    """What became of each part of the original, and what is only in the result."""
    fate = {one.input.sha256: one.output.sha256 for one in report.tree() if one.output is not None} if report is not None else {}
    by_digest = {piece.sha256: piece for piece in reversed(result.parts)}
    by_name = {(len(piece.part), piece.name): piece for piece in reversed(result.parts)}
    met: set[tuple[int, ...]] = set()
    rows = []
    for piece in original.parts:
        twin = by_digest.get(fate.get(piece.sha256, "")) or by_digest.get(piece.sha256) or by_name.get((len(piece.part), piece.name))
        if twin is not None:
            met.add(twin.part)
        outcome = "gone" if twin is None else "same" if twin.sha256 == piece.sha256 else "rewritten"
        told, en, tone = _OUTCOMES[outcome]
        row = _row(piece, report, "original")
        rows.append(row | {"said": row["said"] or f"{told} / {en}", "tone": row["tone"] or tone} | _twin(twin))
    ja, en, tone = _OUTCOMES["new"]
    only = {"said": f"{ja} / {en}", "tone": tone, "only": True}
    return [*rows, *(_row(piece, None, "result") | only | _twin(piece) for piece in result.parts if piece.part not in met)]


def _twin(piece: Piece | None) -> dict[str, Any]:
    return {"twin": None, "twin_name": ""} if piece is None else {"twin": _spelled(piece.part), "twin_name": piece.name}


def page_numbers(page: int, pages: int) -> list[int]:
    """Those worth a link: the first, the last, and those around the one that is shown; 0 for a gap."""
    wanted = sorted({one for one in (1, 2, page - 2, page - 1, page, page + 1, page + 2, pages - 1, pages) if 0 < one <= pages})
    shown: list[int] = []
    for one in wanted:
        if shown and one != shown[-1] + 1:
            shown.append(0)
        shown.append(one)
    return shown


def _row(piece: Piece, report: Report | None, side: str) -> dict[str, Any]:
    """One part of a structure; of an original with what the report says of it."""
    told = _told(report, piece.sha256) if report is not None and side == "original" else None
    findings = told["findings"] if told is not None else []
    if not findings and report is not None and side == "original":
        findings = [_finding(one) for one in report.findings if one.where == piece.name][:_MOST_FINDINGS]
    return {
        "part": _spelled(piece.part), "depth": len(piece.part) - 1, "name": piece.name, "kind": piece.kind, "size": piece.size,
        "sha256": piece.sha256, "fault": fault(piece.fault) if piece.fault else "", "said": told["said"] if told is not None else "",
        "tone": told["tone"] if told is not None else "", "findings": findings, "only": False,
    }  # fmt: skip


def _told(report: Report, sha256: str) -> dict[str, Any] | None:
    """What the report says of the part of that digest."""
    found = next((one for one in report.tree() if one.input.sha256 == sha256), None)
    return None if found is None else words.parts(msgspec.structs.replace(found, parts=()))[0]


def _findings(report: Report | None, sha256: str) -> Sequence[str]:
    told = _told(report, sha256) if report is not None else None
    return told["findings"] if told is not None else []


def _finding(one: Finding) -> str:
    code = CODES.get(one.code)
    (ja, en), (done_ja, done_en) = (code.ja, code.en) if code is not None else (one.code, one.code), _DONE[one.action]
    return f"{ja}（{done_ja}） / {en} ({done_en})"


def _named(tree: Shown, part: tuple[int, ...]) -> str:
    return next((piece.name for piece in tree.parts if piece.part == part), tree.name)


def _percent(share: float) -> str:
    """Never rounded up to the whole."""
    return "100 %" if share == 1 else f"{int(share * 1_000) / 10:.1f} %"


def _spelled(part: tuple[int, ...]) -> str:
    return ".".join(map(str, part))
