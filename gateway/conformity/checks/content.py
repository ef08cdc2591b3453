"""What crosses, and what is done to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.conformity.checks.judging import ALWAYS, MONTH, Check, Judged, Standing, always, holds, scanners, yes
from gateway.conformity.facts import Facts
from gateway.policy import effective, layers, warnings
from sanitizers.model import ENGINE_VERSION

_APPROVED: Final = "持ち出すすべてのファイルに課室等の長の承認が必要です（止むを得ない自己承認は上位者へ報告）"
_OTHER: Final = {"": "逆方向の導入は設定されていません", "none": "逆方向の通信はありません"}


def _goes_out(facts: Facts) -> bool:
    """This installation serves the way from inside to the Internet."""
    return bool(facts.settings["lane.target_class"] == "internet")


def _lacks(facts: Facts) -> list[str]:
    """What a way out has to have and this one has not: scanned, without metadata, on another person's word."""
    lane = layers.Facts(organisation=facts.settings["service.organisation"], lane=facts.settings["lane.name"])
    treatment = effective(facts.policy, lane).treatment
    metadata = treatment.comments_kept or treatment.capture_date_kept or bool(treatment.pdf_properties_kept)
    wanted = {
        "必須の検査エンジン": bool(facts.settings["scanners.required"]),
        "メタデータの除去": not metadata,
        "すべての取込みの承認": facts.settings["drop.approval"] == "always",
    }
    return [name for name, there in wanted.items() if not there]


def _both_ways(facts: Facts) -> Judged:
    """Two installations, one for each direction; each judges itself and knows that there is the other."""
    lacks, other = _lacks(facts) if _goes_out(facts) else [], facts.settings["lane.other"]
    way = f"{facts.settings['lane.source']} → {facts.settings['lane.target']}"
    if not other:
        lacks = [*lacks, "逆方向の導入（lane.other）"]
    said = _OTHER.get(other) or f"逆方向：{other}（別の導入で同じ処理、その自己点検票で判定）"
    found = "不足：" + "、".join(lacks) if lacks else "どの方向も同じ無害化・検査・記録です"
    return Judged(Standing.FAILS if lacks else Standing.FITS, f"この導入の方向：{way}。{said}", found)


def _given_out(facts: Facts) -> Judged:
    """情報の提供: nothing leaves without another person's word."""
    approval, other = facts.settings["drop.approval"], facts.settings["lane.other"]
    if _goes_out(facts):
        good, setting = approval == "always", f"drop.approval = {approval}"
        found = _APPROVED if good else "承認なしで持ち出せます"
    else:
        good, setting = bool(other), f"lane.other = {other or '未設定'}"
        found = "この導入は取込み用です。" + (_OTHER.get(other) or f"持出しは逆方向の導入（{other}）で判定します")
    return Judged(Standing.FITS if good else Standing.FAILS, setting, found)


def _passing(facts: Facts) -> str:
    counted = facts.counted
    return f"{MONTH}：受付 {counted['received']:,}件、判定待ち {counted['undecided']:,}件、通過 {counted['delivered']:,}件"


CHECKS: Final[Mapping[str, Check]] = {
    "one_verdict": always("一つの受付に一つの判定", _passing),
    "one_road": always("メールもファイルも同じ処理", "受付の入口によらず同じ処理・同じ判定です"),
    "both_ways": Check("両方向の無害化", _both_ways),
    "given_out": Check("外部への提供の許可", _given_out),
    "mail_text": always("メールのテキスト化", lambda facts: f"{MONTH}：メール {facts.counted['mails']:,}件をテキスト化"),
    "rebuilt": always("危険因子の除去", lambda facts: f"無害化 {ENGINE_VERSION}、ルール {facts.rules}。別の実装で検証してから通します"),
    "confirmed": Check(
        "確認済み（原本のまま）",
        lambda facts: Judged(
            Standing.FITS,
            "対象の形式：" + ("、".join(facts.policy.treatment.confirmed_kinds) or "なし"),
            "構造の検証と、申請者以外の人の承認がある場合だけ原本を通します",
        ),
    ),
    "receipts": holds(
        "無害化証明",
        lambda facts: facts.counted["unproven"] == 0,
        lambda _: ALWAYS,
        lambda facts: f"{MONTH}：通過 {facts.counted['delivered']:,}件のうち証明のないもの {facts.counted['unproven']:,}件",
    ),
    "suspicion": always("疑わしいものは通さない", "重大度が高いルールに一致したもの、読み解けないもの、検証できないものは通しません"),
    "zones": always("区域の名前は設定", "区域と経路の名前は設定から取ります"),
    "scanned": always("入口での検査", lambda facts: f"すべての階層を検知ルール {facts.rules} で検査。{scanners(facts)}"),
    "executables": always("実行形式の遮断", "名前ではなく内容で判別して遮断します。許可する方法はありません"),
    "limits": always(
        "過大な負荷の防止",
        lambda facts: f"1件の上限：{facts.policy.limits.input_bytes >> 20:,} MiB、{facts.policy.limits.wall_seconds:.0f}秒、"
        f"{facts.policy.limits.memory_bytes >> 20:,} MiBのメモリー",
    ),
    "faithful": always("正しく反映された出力", "形式に応じてページ数・文字・絵の一致を検証し、合わないものは通しません"),
    "classification_kept": always("分類の表示を残す", "ファイル名、ヘッダー・フッター、分類のプロパティは残します"),
    "signatures": always("電子署名の検証", "無害化の前に検証し、署名者と結果を無害化証明に記録します"),
    "attachecase": always("アタッシュケースの判別", "内容で判別し、パスワードで開けるものは開いて無害化します"),
    "passwords": always("暗号化ファイル", "パスワードはメモリー上だけで使い、保存しません。1件5回まで"),
    "jail": holds(
        "解析の隔離",
        lambda facts: bool(facts.settings["jail.required"]) and bool(facts.walls),
        lambda facts: f"jail.required = {yes(facts.settings['jail.required'])}",
        lambda facts: "隔離の壁：" + ("、".join(facts.walls) or "なし"),
    ),
    "versions": always("版の記録", lambda facts: f"無害化 {ENGINE_VERSION}、ルール {facts.rules}、ポリシー {facts.policy.version}"),
    "relaxations": holds(
        "緩和の設定",
        lambda facts: not warnings(facts.policy),
        lambda facts: f"ポリシー {facts.policy.name}",
        lambda facts: "；".join(warnings(facts.policy)) or "緩和はありません",
    ),
}
