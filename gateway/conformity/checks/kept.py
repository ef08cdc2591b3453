"""What is kept: sealed, backed up, given up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.conformity.checks.judging import Check, always, holds, yes
from sanitizers.model import ENGINE_VERSION

CHECKS: Final[Mapping[str, Check]] = {
    "sealed_at_rest": holds(
        "保存時の暗号化",
        lambda facts: bool(facts.settings["storage.key"]),
        lambda facts: f"storage.key = {facts.settings['storage.key'].partition(':')[0] or '未設定'}",
        lambda _: "原本と結果を一つずつ別の鍵（AES-256-GCM）で封緘し、その鍵を団体ごとの鍵で封緘します",
    ),
    "crypto_erase": holds(
        "復元できない消去",
        lambda facts: bool(facts.settings["storage.key"]),
        lambda facts: f"storage.key = {facts.settings['storage.key'].partition(':')[0] or '未設定'}",
        lambda facts: f"消去と同時にその鍵を廃棄し、控えからも復元できません。廃棄済み {facts.counted['disposed']:,}件",
    ),
    "evidence": always(
        "証拠保全", lambda facts: f"保全中 {facts.counted['evidence']}件。解除するまで、誰にも、期限が来ても消去できません"
    ),
    "investigations": always(
        "利用状況の調査", lambda facts: f"事案番号と理由が必要で、問い自体を記録します。調査 {facts.counted['investigations']}件"
    ),
    "box_quota": holds(
        "受取箱の容量",
        lambda facts: facts.settings["pickup.quota"] > 0 and facts.settings["pickup.quota_shared"] > 0,
        lambda facts: f"個人 {facts.settings['pickup.quota'] >> 30:,} GiB、"
        f"課・グループ {facts.settings['pickup.quota_shared'] >> 30:,} GiB",
        lambda _: "使用量を画面に示し、80%と100%で知らせ、満杯の箱には入れません",
    ),
    "backed_up": holds(
        "定期の控え",
        lambda facts: facts.counted["backups"] > 0,
        lambda _: "sekisho-backup.timer（毎日）または sekisho backup",
        lambda facts: f"直近7日の控え {facts.counted['backups']}回",
    ),
    "restored": holds(
        "復元訓練",
        lambda facts: facts.counted["restored"] > 0,
        lambda _: "復元にかかった時間と結果を記録します",
        lambda facts: f"直近12か月に成功した復元訓練 {facts.counted['restored']}回",
    ),
    "redundant": holds(
        "冗長化",
        lambda facts: facts.counted["nodes"] > 1 and bool(facts.settings["storage.blobs"]),
        lambda facts: f"データベースの共有 {yes(facts.settings['storage.url'] or facts.settings['storage.database'])}、"
        f"オブジェクトストレージ {yes(facts.settings['storage.blobs'])}",
        lambda facts: f"稼働中のノード {max(1, facts.counted['nodes'])}台。一台が止まると、他が処理を引き継ぎます",
    ),
    "resumes": always("切断と再開", "切断されている間は送る側に残り、再開すると重複も欠落もなく引き渡します"),
    "components": always(
        "構成部品の管理", f"無害化 {ENGINE_VERSION}。部品はすべて版とハッシュを固定し、sekisho sbom（CycloneDX）で一覧にします"
    ),
    "synthetic": always("試験データ", "試験と負荷のデータはプログラムで作成し、実際のメールやファイルは使いません"),
    "direction": always(
        "方向の構成",
        lambda facts: f"経路 {facts.settings['lane.name']}：{facts.settings['lane.source']} → {facts.settings['lane.target']}。"
        "取込みだけの構成も選べます（service.profile）",
    ),
    "early_disposal": holds(
        "期限前の廃棄の許可",
        lambda facts: bool(facts.settings["approvals.disposal"]),
        lambda facts: f"approvals.disposal = {yes(facts.settings['approvals.disposal'])}",
        lambda _: "画面からの期限前の廃棄は申請者以外の管理者の承認で行い、廃棄記録に残します（機器上のコマンドは記録だけです）",
    ),
    "exceptions_reviewed": holds(
        "例外措置の定期確認",
        lambda facts: facts.counted["exceptions_reviewed"] > 0 or facts.counted["young"] > 0,
        lambda _: "四半期ごとにCISOが一覧を確認して署名します",
        lambda facts: ("最初の確認の時期がまだ来ていません。" if facts.counted["young"] else "")
        + f"直近の四半期の確認 {facts.counted['exceptions_reviewed']}回、期限切れの例外措置 {facts.counted['ended']}件（効力を持ちません）",
    ),
}
