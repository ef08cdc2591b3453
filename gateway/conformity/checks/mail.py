"""Mail, and the ways that are open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.conformity.checks.judging import Check, Judged, Standing, always, holds, spelt, yes
from gateway.conformity.facts import Facts
from gateway.policy import effective, layers


def _opened(facts: Facts) -> str:
    if facts.openings is None:
        return "待ち受けているポートを確かめられません"
    passed = "IP転送が有効です" if facts.openings.forwards else "IP転送なし"
    if facts.unlisted:
        return f"表にない待受け：{spelt(facts.unlisted)}。{passed}"
    return f"待受け {len(facts.openings.listening)}件はすべて表のとおり。{passed}"


def _forwarding(facts: Facts) -> Judged:
    """自動転送: held where mail leaves for the Internet. Nothing in the gateway itself sends mail to anybody but its recipients."""
    lane = layers.Facts(organisation=facts.settings["service.organisation"], lane=facts.settings["lane.name"])
    held = effective(facts.policy, lane).treatment
    domains = "、".join(held.mail_author_domains) or "問わない"
    setting = f"mail_forwards_held = {yes(held.mail_forwards_held)}、差出人のドメイン：{domains}"
    excepted = [layer.name for layer in facts.policy.layers if layer.treatment.get("mail_forwards_held") is False]
    leaves = facts.settings["lane.target_class"] == "internet"
    said = "ゲートウェイに、宛先を加える・変える転送の設定はありません。" + (
        f"自動転送のメールは保留します。例外：{'、'.join(excepted) or 'なし'}"
        if leaves
        else f"この導入の宛先の区域（{facts.settings['lane.target_class']}）は外部ではありません"
    )
    return Judged(Standing.FAILS if leaves and not held.mail_forwards_held else Standing.FITS, setting, said)


def _sender_limits(facts: Facts) -> Judged:
    """内部からの迷惑メール: whoever sends too much is stopped where mail leaves for the Internet."""
    mails, recipients = facts.settings["smtp.sender_mails_per_hour"], facts.settings["smtp.sender_recipients_per_hour"]
    leaves = facts.settings["lane.target_class"] == "internet"
    limits = "、".join(f"{name} {most or '上限なし'}" for name, most in (("メール", mails), ("宛先", recipients)))
    said = f"超えた差出人のメールは保留して管理者へ知らせます。中継停止中の差出人 {facts.counted['senders_stopped']}人（sekisho emergency）"
    if not leaves:
        said = f"この導入の宛先の区域（{facts.settings['lane.target_class']}）は外部ではありません。{said}"
    standing = Standing.FAILS if leaves and not (mails and recipients) else Standing.FITS
    return Judged(standing, f"差出人1人の1時間の上限：{limits}", said)


CHECKS: Final[Mapping[str, Check]] = {
    "no_relay": holds(
        "中継の禁止",
        lambda facts: bool(facts.settings["smtp.domains"]),
        lambda facts: "受け付けるドメイン：" + "、".join(facts.settings["smtp.domains"]),
        lambda _: "これ以外の宛先は550 5.7.1で断ります",
    ),
    "forwarding": Check("自動転送の禁止", _forwarding),
    "sender_limits": Check("大量送信の検知と中継停止", _sender_limits),
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
