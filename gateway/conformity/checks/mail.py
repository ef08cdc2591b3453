"""Mail, and the ways that are open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.conformity.checks.judging import Check, Judged, Standing, always, holds, spelt, yes
from gateway.conformity.facts import Facts


def _opened(facts: Facts) -> str:
    if facts.openings is None:
        return "待ち受けているポートを確かめられません"
    passed = "IP転送が有効です" if facts.openings.forwards else "IP転送なし"
    if facts.unlisted:
        return f"表にない待受け：{spelt(facts.unlisted)}。{passed}"
    return f"待受け {len(facts.openings.listening)}件はすべて表のとおり。{passed}"


CHECKS: Final[Mapping[str, Check]] = {
    "no_relay": holds(
        "中継の禁止",
        lambda facts: bool(facts.settings["smtp.domains"]),
        lambda facts: "受け付けるドメイン：" + "、".join(facts.settings["smtp.domains"]),
        lambda _: "これ以外の宛先は550 5.7.1で断ります",
    ),
    "size_limit": holds(
        "容量の上限",
        lambda facts: facts.settings["smtp.size_limit"] > 0,
        lambda facts: f"メール {facts.settings['smtp.size_limit'] >> 20} MiB",
        lambda _: "超えるものは552 5.3.4で断り、黙って捨てません",
    ),
    "one_recipient": always("宛先を知らせない通知", "通知に他の宛先は載りません"),
    "mail_warnings": holds(
        "不自然なメールの警告",
        lambda facts: facts.settings["mail.authentication"] != "off",
        lambda facts: f"送信ドメイン認証：{facts.settings['mail.authentication']}",
        lambda _: "認証の結果、表示名の偽り、紛らわしい名前を本文の先頭に示します",
    ),
    "mail_tls": holds(
        "メールの通信の暗号化",
        lambda facts: bool(facts.settings["smtp.tls_certificate"]) and facts.settings["relay.tls"] != "never",
        lambda facts: f"受信 {yes(facts.settings['smtp.tls_certificate'])}、配送先へは {facts.settings['relay.tls']}",
        lambda _: "STARTTLS",
    ),
    "flow_table": holds(
        "必要な通信だけ",
        lambda facts: facts.openings is not None and not facts.openings.forwards and not facts.unlisted,
        lambda facts: f"フロー表の受付ポート：{'、'.join(map(str, sorted(facts.ports))) or 'なし'}（sekisho flows）",
        _opened,
    ),
    "mynumber": always(
        "マイナンバー利用事務系を宛先にしない",
        lambda facts: f"宛先の区域：{facts.settings['lane.target']}（{facts.settings['lane.target_class']}）。mynumber では起動しません",
    ),
    "trusted_hops": Check(
        "前段のサーバー",
        lambda facts: Judged(
            Standing.FITS, "信頼する前段：" + ("、".join(facts.settings["smtp.trusted_hops"]) or "なし"), "接続元の記録を引き継ぎます"
        ),
    ),
    "queue_waits": always("障害時の継続", "処理できない間は受け付けて待たせ、通しません"),
}
