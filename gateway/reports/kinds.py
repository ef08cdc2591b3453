"""The three reports: a day for whoever looks after the house, a month for the committee, a fiscal year for the audit (監査パック)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.auditing.verification import Proof
from gateway.periods import Every, Period
from gateway.printing.paper import Block, Facts, Heading, NewPage, Paper, Paragraph, Signatures
from gateway.registers.reviews import Due
from gateway.reports import tables
from gateway.reports.figures import Figures, compared
from gateway.reports.tables import Sheet
from gateway.web.words import when
from sanitizers.model import Verdict


class Kind(StrEnum):
    """Which report."""

    DAILY = "daily"
    MONTHLY = "monthly"
    YEARLY = "yearly"


class Told(NamedTuple):
    """All that a report is made of. `proof`: None where the record was not walked for it."""

    period: Period
    before: Period
    figures: Figures
    due: tuple[Due, ...]
    proof: Proof | None
    organisation: str
    at: float


class Form(NamedTuple):
    """One kind: how it is called, its period, what it is made of, who puts his seal on it."""

    ja: str
    en: str
    every: Every
    sheets: Callable[[Figures], list[Sheet]]
    seals: tuple[str, ...]


def _day(figures: Figures) -> list[Sheet]:
    return [tables.traffic(figures), tables.reasons(figures), tables.doors(figures), tables.incidents(figures), tables.requests(figures)]


def _month(figures: Figures) -> list[Sheet]:
    return [
        *_day(figures), *tables.ranked(figures), tables.exceptions(figures), tables.deeds(figures),
        tables.entries("alone", "自己承認（止むを得ない場合） / approved alone", figures.alone),
        tables.signed(figures), tables.disposals(figures),
    ]  # fmt: skip


def _year(figures: Figures) -> list[Sheet]:
    return [
        *_month(figures), tables.decided(figures),
        tables.entries("changes", "ルール・ポリシーの変更と緊急停止 / changes of rules and policy", figures.changes),
        tables.entries("powers", "アカウント・権限の変更 / changes of accounts and privileges", figures.powers), tables.privileged(figures),
    ]  # fmt: skip


FORMS: Final[Mapping[Kind, Form]] = {
    Kind.DAILY: Form("日次報告", "daily report", Every.DAY, _day, ()),
    Kind.MONTHLY: Form("月次報告", "monthly report", Every.MONTH, _month, ("委員長", "CISO", "管理者", "作成")),
    Kind.YEARLY: Form("監査パック", "audit pack", Every.YEAR, _year, ("CISO", "監査責任者", "管理者", "作成")),
}


def paper_of(kind: Kind, told: Told, number: str) -> Paper:
    """On A4, landscape where rows are long."""
    form = FORMS[kind]
    blocks: list[Block] = [Signatures(form.seals)] if form.seals else []
    blocks += [Heading("概要 / summary"), Facts(_summary(told))]
    if told.proof is not None:
        blocks += [Heading("監査ログの完全性 / the record"), Facts(_proof(told.proof))]
    if told.due:
        blocks += [Heading("点検の状況 / inspections"), Facts(tuple(_due(one) for one in told.due))]
    blocks += [NewPage()] if form.seals else []
    blocks.append(Heading("内訳 / details"))
    for sheet in form.sheets(told.figures):
        blocks += sheet.on_paper()
    blocks.append(Paragraph(_NOTE, small=True))
    return Paper(
        title=f"{form.ja}　{told.period.ja}",
        blocks=tuple(blocks),
        number=f"文書番号 {number}",
        issued=when(told.at),
        organisation=told.organisation,
        wide=kind is Kind.YEARLY,
    )


_NOTE: Final = "この報告は記録から自動的に作成しました。 / made from the records by the system"


def _summary(told: Told) -> tuple[tuple[str, str], ...]:
    figures = told.figures
    made = sum(figures.requests.values())
    standing = sum(one.closed_at is None for one in figures.incidents)
    live = sum(one.live(told.period.until - 1) for one in figures.exceptions)
    return (
        ("期間 / period", f"{told.period.ja}（{told.period.name}）"),
        ("受付 / received", f"{compared({'': figures.received}, {'': sum(figures.verdicts_before.values())}, '')}"),
        ("無害化して通過 / let through", _compared(figures, Verdict.CLEAN, Verdict.SANITIZED, Verdict.CONFIRMED)),
        ("保留 / held", _compared(figures, Verdict.HELD)),
        ("遮断 / blocked", _compared(figures, Verdict.BLOCKED)),
        ("受け付けた量 / volume", tables.bytes_said(figures.size)),
        ("事案・障害 / incidents, faults", f"{len(figures.incidents)}件（うち対応中 {standing}件）"),
        ("申請 / requests", f"{made}件、自己承認 {len(figures.alone)}件"),
        ("例外措置 / exceptions", f"期間中に有効 {len(figures.exceptions)}件、期間末に有効 {live}件"),
        ("ログイン失敗 / failed log-ins", f"{figures.failures}件"),
    )


def _compared(figures: Figures, *verdicts: Verdict) -> str:
    now, before = sum(figures.verdicts[one] for one in verdicts), sum(figures.verdicts_before[one] for one in verdicts)
    return compared({"": now}, {"": before}, "")


def _proof(proof: Proof) -> tuple[tuple[str, str], ...]:
    found, last = proof.verified, proof.anchors[-1] if proof.anchors else None
    state = f"正常（{found.entries:,}件）" if found.broken is None else f"異常（{found.broken}件目：{found.why}）"
    return (
        ("検証の結果 / verification", f"{state}　{when(proof.at)}"),
        ("最終の記録 / last row", f"{found.head.seq:,}　{found.head.hash}"),
        ("アンカー / anchors", f"{len(proof.anchors)}件、最終 {last.at}" if last is not None else "なし"),
    )


def _due(one: Due) -> tuple[str, str]:
    title = f"{one.subject.ja}（{one.period.ja}）"
    if one.signed is None:
        return title, f"{'期限超過' if one.overdue else '未確認'}（期限 {when(one.by)[:-6]}）"
    return title, f"{'良' if one.signed.good else '要対応'}（{one.signed.actor}、{when(one.signed.at)}）"
