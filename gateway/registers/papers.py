"""Papers of the registers: an incident's report as a draft (報告書案), a review, the contacts, the sheet of logs (ログ定義書)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from gateway.auditing.events import EVENTS, TITLES, Class
from gateway.auditing.retention import Kept
from gateway.periods import Period
from gateway.printing.paper import Block, Facts, Heading, Paper, Paragraph, Signatures, Table
from gateway.registers.incidents import KINDS, Incident, Reach, Register, Step
from gateway.registers.reviews import Subject
from gateway.storage.approvals import Request
from gateway.storage.contacts import Contact
from gateway.storage.exceptions import Grant
from gateway.storage.signoffs import SignOff
from gateway.web.words import when

_NOTHING: Final = "（未記入）"
_STEPS: Final = {
    "opened": "記録の開始", "reported": "追加の報告", "changed": "記載", "noted": "経過", "told": "連絡", "acknowledged": "対応の引受け",
    "recovered": "復旧", "closed": "完了", "reopened": "再開",
}  # fmt: skip
_HOW: Final = {"mail": "メール", "share": "共有フォルダ", "pickup": "受取り画面"}
_REGISTERS: Final = {Register.INCIDENT: "情報セキュリティ事案報告書（案）", Register.FAULT: "障害報告書（案）"}
_FIELDS: Final = {
    "title": "件名", "scope": "影響範囲", "response": "対応", "cause": "原因", "prevention": "再発防止策", "reported_to": "報告先",
    "occurred_at": "発生日時", "noticed_at": "認知日時", "recovered_at": "復旧日時",
}  # fmt: skip


class Head(NamedTuple):
    """What stands on every paper."""

    number: str
    organisation: str
    at: float

    def paper(self, title: str, blocks: Sequence[Block], *, wide: bool = False) -> Paper:
        number = f"文書番号 {self.number}"
        return Paper(title=title, blocks=tuple(blocks), number=number, issued=when(self.at), organisation=self.organisation, wide=wide)


def step_said(step: Step) -> tuple[str, str]:
    """What happened and its text; what was written is told field by field."""
    if step.what != "changed":
        return _STEPS.get(step.what, step.what), step.text
    fields = json.loads(step.text)
    lines = [f"{_FIELDS.get(name, name)}：{_value(value)}" for name, value in fields.items()]
    return _STEPS["changed"], "\n".join(lines)


def _value(value: Any) -> str:
    return when(value) if isinstance(value, float | int) else str(value or _NOTHING)


def incident(head: Head, one: Incident, steps: Sequence[Step], reach: Reach | None, contacts: Sequence[Contact]) -> Paper:
    """The report of an incident or fault (事案報告書), as it goes to who is answerable."""
    facts = (
        ("管理番号", one.number),
        ("種別", KINDS[one.kind][0]),
        ("件名", one.title or _NOTHING),
        ("発生日時", _moment(one.occurred_at)),
        ("認知日時", when(one.noticed_at)),
        ("復旧日時", _moment(one.recovered_at)),
        ("認知した者・報告者", one.opened_by),
        ("対応者", one.acknowledged_by or _NOTHING),
        ("対象（受付番号）", one.receipt_no or "—"),
        ("状態", "対応中" if one.closed_at is None else f"完了（{when(one.closed_at)}、{one.closed_by}）"),
    )
    texts = (
        ("影響範囲", one.scope),
        ("対応", one.response),
        ("原因", one.cause),
        ("再発防止策", one.prevention),
        ("報告先", one.reported_to),
    )
    blocks: list[Block] = [Signatures(("CISO", "責任者", "管理者", "作成")), Facts(facts), Heading("内容")]
    blocks.append(Facts(tuple((name, text or _NOTHING) for name, text in texts), 0.2))
    if reach is not None:
        blocks += _reach(reach)
    blocks.append(Heading("経過"))
    rows = tuple((when(step.at), step.actor, *step_said(step)) for step in steps)
    blocks.append(Table(("日時", "者", "事項", "内容"), rows, (2, 1.3, 1.6, 5)))
    blocks += [Heading("緊急連絡網"), _chain(contacts)]
    return head.paper(_REGISTERS[one.register], blocks)


def _moment(at: float | None) -> str:
    return _NOTHING if at is None else when(at)


def _reach(reach: Reach) -> list[Block]:
    received = tuple((one.receipt_no, one.who, _HOW.get(one.how, one.how), _moment(one.at)) for one in reach.received)
    same = tuple((one.receipt_no, when(one.received_at), one.sender, one.name) for one in reach.same)
    return [
        Heading("受け取った者"),
        Table(("受付番号", "者", "経路", "日時"), received, (2, 3, 1.2, 2), empty="受け取った者はいません。"),
        Heading("同じ内容のほかの受付"),
        Table(("受付番号", "受付日時", "差出人", "ファイル名"), same, (2, 2, 3, 3), empty="ありません。"),
        Paragraph(f"同じ差出人からのほかの受付：{reach.sender}件。後からの検知：{'、'.join(reach.late) or 'なし'}。", small=True),
    ]


def _chain(contacts: Sequence[Contact]) -> Table:
    rows = tuple(
        (str(one.level or "—"), one.title, one.name, one.phone, one.phone_after_hours, one.mail, f"{one.minutes}分" if one.level else "")
        for one in contacts
    )
    head = ("順位", "職", "氏名", "電話", "時間外", "メール", "次へ")
    return Table(head, rows, (0.7, 2, 1.8, 1.8, 1.8, 3, 0.8), empty="登録されていません。")


def exception(head: Head, one: Grant, request: Request | None, departments: str) -> Paper:
    """例外措置申請書 with what became of it."""
    bound = (("ファイル（SHA-256）", one.sha256), ("差出人", one.sender), ("利用者", one.account))
    revoked = "" if one.revoked_at is None else f"{when(one.revoked_at)}　{one.revoked_by}"
    facts = (
        ("例外番号", one.number),
        ("申請番号", one.request),
        ("申請者", one.requester if request is None else f"{request.requester.name}（{one.requester}）"),
        ("所属", departments or (request.department if request is not None else "") or _NOTHING),
        ("申請日", "—" if request is None else when(request.requested_at)),
        ("対象の形式と取扱い", f"{one.kind}　{one.action}"),
        *((name, value) for name, value in bound if value),
        ("期間", f"{when(one.granted_at)} ～ {when(one.expires_at)}"),
        ("理由", one.reason),
        ("想定されるリスク", one.risk or _NOTHING),
        ("代替策", one.alternative or _NOTHING),
        ("審査結果", f"許可（{one.approver}）"),
        ("CISO許可日", when(one.granted_at)),
        ("審査の所見", _NOTHING if request is None or not request.decisions else request.decisions[-1].note or _NOTHING),
        ("使用", f"{one.uses}回" + ("" if one.used_at is None else f"（最終 {when(one.used_at)}）")),
        ("取消し", revoked or "—"),
    )
    return head.paper("例外措置申請書", [Signatures(("CISO", "責任者", "管理者", "申請者")), Facts(facts)])


def contact_list(head: Head, contacts: Sequence[Contact]) -> Paper:
    return head.paper(
        "緊急連絡網", [_chain(contacts), Paragraph("応答がないときは「次へ」の時間の後に次の順位へ連絡します。", small=True)], wide=True
    )


# What each column of a review is called; a column that is not here stands under its own name.
COLUMNS: Final = {
    "at": "日時", "last": "最後", "actor": "操作者", "what": "操作", "about": "対象", "count": "件数", "detail": "詳細", "number": "番号",
    "requester": "申請者", "approver": "許可者", "kind": "種別", "action": "取扱い", "bound": "対象", "reason": "理由", "risk": "リスク",
    "alternative": "代替策", "granted_at": "許可日", "expires_at": "期限", "revoked_at": "取消し", "uses": "使用", "title": "件名",
    "state": "状態", "noticed_at": "認知日時", "closed_at": "完了", "response": "対応", "prevention": "再発防止", "level": "順位",
    "name": "氏名", "mail": "メール", "phone": "電話", "phone_after_hours": "時間外", "changed_at": "更新", "changed_by": "更新者",
}  # fmt: skip


def review(head: Head, subject: Subject, period: Period, rows: Sequence[dict[str, Any]], signed: SignOff | None) -> Paper:
    """What was to be looked at, and who has signed it."""
    names = list(rows[0]) if rows else []
    table = Table(
        tuple(COLUMNS.get(name, name) for name in names) or ("結果",), tuple(tuple(cell(row[name]) for name in names) for row in rows)
    )
    facts = [("対象 / subject", subject.ja), ("期間 / period", f"{period.ja}（{period.name}）"), ("件数 / rows", str(len(rows)))]
    if signed is not None:
        facts += [("確認者 / signed by", f"{signed.actor}　{when(signed.at)}"), ("判定 / judgement", "良" if signed.good else "要対応"),
                  ("所見 / findings", signed.note or "—"), ("確認した内容のSHA-256", signed.sha256)]  # fmt: skip
    blocks: list[Block] = [Signatures(("確認者", "作成")), Facts(tuple(facts)), table]
    return head.paper(f"{subject.ja}　点検記録", blocks, wide=True)


def cell(value: Any) -> str:
    """A moment of the record or of a register is told as people tell it, to the minute."""
    text = str(value)
    return text[:16].replace("T", " ") if len(text) > 18 and text[4:5] == "-" and text[10:11] == "T" else text


def log_definition(head: Head, kept: Kept, anchored: Sequence[str]) -> Paper:
    """ログ定義書: every action that can stand in the record, from the code's own table."""
    days = "無期限" if not kept.audit else f"{kept.audit}日"
    facts = (
        ("名称", "監査ログ（ハッシュ連鎖、追記のみ）"),
        (
            "項目",
            "seq 番号／at 日時（UTC、RFC 3339、マイクロ秒）／actor 操作者／action 操作／subject 対象／detail 詳細（JSON）／prev_hash／hash",
        ),
        ("hash", "SHA-256（[seq, at, actor, action, subject, detail, prev_hash] のJSON）"),
        ("改ざんの検知", f"連鎖の検証、アンカー：{'、'.join(anchored) or '未設定'}"),
        ("転送の記録", "無期限" if not kept.transfers else f"ファイルの廃棄から{kept.transfers}日"),
        ("保存期間", f"{days}。期限後は保存期間の処理だけが消去し、廃棄記録を残します。"),
        ("閲覧", "監査担当、CISO、CSIRT。照会は調査番号を要し、照会自体を記録します。"),
        ("秘匿", "パスワード、ファイルの内容は記録しません。"),
    )
    blocks: list[Block] = [Facts(facts, 0.2)]
    for of in Class:
        rows = tuple((name, event.ja, event.subject, event.detail) for name, event in EVENTS.items() if event.of is of)
        blocks += [
            Heading(f"{TITLES[of][0]} / {TITLES[of][1]}", 2),
            Table(("action", "意味", "subject", "detail"), rows, (2.2, 3, 2.4, 4.4)),
        ]
    return head.paper("ログ定義書", blocks)
