"""Tables of a report: the same rows on paper and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from gateway.auditing.events import said
from gateway.people.requests import RULES, Kind
from gateway.people.roles import TITLES, Role
from gateway.printing import paper
from gateway.registers.incidents import KINDS
from gateway.reports.figures import Figures
from gateway.storage.approvals import RequestState
from gateway.storage.ledger import Entry
from gateway.storage.statistics import WAITING
from gateway.telling.notices import REASONS, VERDICTS
from gateway.web.words import when
from sanitizers.model import Reason, Verdict

# On paper stand so many rows; all of them stand in the CSV.
_ON_PAPER: Final = 400
# What a spreadsheet would run as a formula.
_RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Sheet(NamedTuple):
    """One table. `name` is ASCII, for the file; `widths` are relative."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()
    right: frozenset[int] = frozenset()

    def on_paper(self) -> Iterator[paper.Block]:
        """Heading and table, cut where a page would have too many rows."""
        yield paper.Heading(self.title, 2)
        if not self.rows:
            yield paper.Paragraph("なし / none")
            return
        yield paper.Table(self.head, self.rows[:_ON_PAPER], self.widths, self.right)
        if len(self.rows) > _ON_PAPER:
            yield paper.Paragraph(f"ほか{len(self.rows) - _ON_PAPER}件はCSVにあります。 / the rest stands in the CSV", small=True)


def as_csv(sheets: Sequence[Sheet]) -> bytes:
    """As a spreadsheet of a Japanese desk opens it: UTF-8 with a mark, CR LF, nothing that it would run; a title before each table."""
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\r\n")
    for place, sheet in enumerate(sheets):
        if place:
            table.writerow(())
        table.writerow((sheet.title,))
        table.writerow(sheet.head)
        table.writerows([cell(value) for value in row] for row in sheet.rows)
    return written.getvalue().encode("utf-8-sig", "replace")


def cell(value: str) -> str:
    return "'" + value if value.startswith(_RUNS) else value


# --------------------------------------------------------------------------------------------------------------- rows

_STATES: Final = {
    RequestState.REQUESTED: "承認待ち", RequestState.APPROVED: "承認", RequestState.REFUSED: "差戻し",
    RequestState.WITHDRAWN: "取下げ", RequestState.EXPIRED: "期限切れ", RequestState.CLOSED: "自動終了",
}  # fmt: skip
_DECISIONS: Final = {"approved": "承認", "approved_alone": "自己承認", "refused": "差戻し"}
_DOORS: Final = {"smtp": "メール", "drop": "取込み画面", "api": "API", "cli": "コマンド"}
NUMBER: Final = frozenset({1})


def verdict(name: str) -> str:
    return "処理中" if name == WAITING else VERDICTS[Verdict(name)].ja + ("（除去なし）" if name == Verdict.CLEAN else "")


def traffic(figures: Figures) -> Sheet:
    rows = [(verdict(name), f"{count:,}", f"{figures.verdicts_before.get(name, 0):,}") for name, count in figures.verdicts.items()]
    rows.append(("計", f"{figures.received:,}", f"{sum(figures.verdicts_before.values()):,}"))
    return Sheet("traffic", "通過と判定 / traffic", ("判定", "件数", "前の期間"), tuple(rows), (3, 1, 1), frozenset({1, 2}))


def reasons(figures: Figures) -> Sheet:
    rows = tuple((REASONS[Reason(name)].ja if name in set(Reason) else name, f"{count:,}") for name, count in figures.reasons.items())
    return Sheet("reasons", "保留・遮断の理由 / why something was held", ("理由", "件数"), rows, (4, 1), NUMBER)


def doors(figures: Figures) -> Sheet:
    return Sheet("doors", "入口 / doors", ("入口", "件数"), _counts(figures.doors, _DOORS), (4, 1), NUMBER)


def ranked(figures: Figures) -> Iterator[Sheet]:
    """The first of each: kinds, rules, senders, departments."""
    ranks = figures.ranks
    for name, title, found in (
        ("kinds", "形式 / kinds", ranks.kinds),
        ("rules", "検知ルール / rules", ranks.rules),
        ("senders", "差出人・利用者 / senders", ranks.senders),
        ("departments", "所属 / departments", ranks.departments),
    ):
        yield Sheet(
            name,
            f"{title}（上位 / first {len(found)}）",
            ("名称", "件数"),
            tuple((one, f"{count:,}") for one, count in found),
            (4, 1),
            NUMBER,
        )


def requests(figures: Figures) -> Sheet:
    rows = tuple((_kind(kind), _STATES.get(RequestState(state), state), f"{count:,}") for (kind, state), count in figures.requests.items())
    return Sheet("requests", "申請・承認 / requests", ("種類", "状態", "件数"), rows, (4, 2, 1), frozenset({2}))


def incidents(figures: Figures) -> Sheet:
    """Incidents and faults that were noticed in the period."""
    rows = tuple(
        (one.number, KINDS[one.kind][0], one.title, when(one.noticed_at), "完了" if one.closed_at is not None else "対応中", one.response)
        for one in figures.incidents
    )
    return Sheet(
        "incidents", "事案・障害 / incidents and faults", ("番号", "種別", "件名", "認知日時", "状態", "対応"), rows, (2, 2, 3, 2, 1, 4)
    )


def exceptions(figures: Figures) -> Sheet:
    """Exceptions that held, with how often something went by them."""
    rows = tuple(
        (one.number, f"{one.kind} {one.action}", one.sha256[:16] or one.sender or one.account, one.requester, one.approver,
         when(one.expires_at), str(one.uses), one.reason)
        for one in figures.exceptions
    )  # fmt: skip
    head = ("番号", "内容", "対象", "申請者", "許可者", "期限", "使用", "理由")
    return Sheet("exceptions", "例外措置 / exceptions", head, rows, (2, 2, 2.4, 1.5, 1.5, 2, 0.8, 3), frozenset({6}))


def signed(figures: Figures) -> Sheet:
    """Inspections that somebody put a name to."""
    rows = tuple(
        (one.subject, one.period, when(one.at), one.actor, str(one.seen), "良" if one.good else "要対応", one.note)
        for one in figures.signed
    )
    head = ("点検", "期間", "確認日時", "確認者", "件数", "判定", "所見")
    return Sheet("inspections", "点検の記録 / inspections", head, rows, (2.4, 1.2, 2, 1.4, 0.8, 1, 3), frozenset({4}))


def disposals(figures: Figures) -> Sheet:
    """Records of what was disposed of."""
    rows = tuple(
        (one.number, one.what, when(one.at), one.actor, f"{one.count:,}", one.oldest, one.youngest, one.method) for one in figures.disposals
    )
    head = ("番号", "種類", "日時", "実施者", "件数", "最初", "最後", "方法")
    return Sheet("disposals", "廃棄記録 / disposals", head, rows, (2, 1.4, 2, 1.2, 1, 2, 2, 2.4), frozenset({4}))


def deeds(figures: Figures) -> Sheet:
    rows = tuple((said(action), f"{count:,}") for action, count in figures.deeds.items())
    return Sheet("deeds", "権限・ルールの変更の件数 / changes of privileges and rules", ("操作", "件数"), rows, (4, 1), NUMBER)


def entries(name: str, title: str, found: Iterable[Entry]) -> Sheet:
    rows = tuple((str(entry.seq), entry.at[:19], entry.actor, said(entry.action), entry.subject, entry.detail) for entry in found)
    return Sheet(name, title, ("番号", "日時（UTC）", "操作者", "操作", "対象", "詳細"), rows, (0.8, 2, 1.3, 2.2, 1.8, 4))


def decided(figures: Figures) -> Sheet:
    """Requests, and who decided what about them."""
    rows = tuple(
        (row["number"], _kind(row["kind"]), row["subject"], row["requester"], row["reason"], row["person"],
         _DECISIONS.get(row["decision"], row["decision"]), when(row["at"]), row["note"])
        for row in figures.decided
    )  # fmt: skip
    head = ("申請番号", "種類", "対象", "申請者", "理由", "承認者", "結果", "日時", "所見")
    return Sheet("decisions", "申請と承認の記録 / requests and decisions", head, rows, (1.3, 2, 2.4, 1.2, 2.4, 1.2, 1, 2, 2))


def privileged(figures: Figures) -> Sheet:
    """Accounts that may do more than bring and fetch, as they stand now."""
    rows = tuple(
        (row["login"], row["name"], TITLES[Role(row["role"])].ja, "停止" if row["disabled"] else "有効",
         when(row["last_login_at"]) if row["last_login_at"] is not None else "—")
        for row in figures.privileged
    )  # fmt: skip
    return Sheet(
        "privileged",
        "特権IDの一覧（作成時点） / privileged accounts",
        ("ログイン名", "氏名", "役割", "状態", "最終利用"),
        rows,
        (2, 2, 3, 1, 2),
    )


def _kind(name: str) -> str:
    return RULES[Kind(name)].ja if name in set(Kind) else name


def _counts(found: Mapping[str, int], words: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    return tuple((words.get(name, name), f"{count:,}") for name, count in found.items())


def bytes_said(size: int) -> str:
    """A size for people; rounded down."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}"
        size //= 1024
    return f"{size:,} TiB"
