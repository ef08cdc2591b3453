"""What the service counts and measures of itself, for /metrics (Prometheus): every meter once, its meaning in Japanese and English.

Counters and times are written where things happen; what stands in the stores is looked up now and then by `gateway.telemetry.watch`.
`monitored` lists what is really exported: the sheet of monitored items (監視項目一覧) is made of it. No label ever holds an address,
a file name or anything else of a sender's: labels have few values, all of them ours.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from gateway.model import Decision, Door, RecipientState, Transfer
from sanitizers.model import Report

_WORK: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_ROAD: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0)
_LAG: Final = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)

# ------------------------------------------------------------------------------------------------------- what happens

received_files: Final = Counter("sekisho_received", "受け付けたメールとファイルの数 / mails and files taken in", ["door"])
received_bytes: Final = Counter("sekisho_received_bytes", "受け付けたバイト数 / bytes taken in", ["door"])
settled_files: Final = Counter("sekisho_settled", "判定と理由ごとの数 / decisions by verdict and reason", ["door", "verdict", "reason"])
road_seconds: Final = Histogram(
    "sekisho_road_seconds", "受付から判定までの秒数 / seconds from receipt to decision", ["door"], buckets=_ROAD
)
jail_seconds: Final = Histogram(
    "sekisho_jail_seconds", "隔離環境での無害化の秒数 / seconds in the jail for one mail or file", ["verdict"], buckets=_WORK
)
settled_deliveries: Final = Counter(
    "sekisho_deliveries",
    "配送の結果（経路別、宛先ごと） / deliveries by way and outcome, each recipient one",
    ["way", "outcome"],
)
receipts_refused: Final = Counter(
    "sekisho_crossings_refused",
    "証明が確かめられず内側が受け取らなかった数 / files that the inner side refused because of their receipt",
    ["reason"],
)
crossings: Final = Counter("sekisho_crossings", "内側が受け取った数 / files that the inner side took in", ["outcome"])
loop_lag: Final = Histogram("sekisho_loop_lag_seconds", "処理ループの遅れ / how late the event loop comes", buckets=_LAG)

# ------------------------------------------------------------------------------------------------------ how it stands

# The product's own version is nobody's business who only reaches a face.
build: Final = Gauge("sekisho_build_info", "規則とポリシーの版（値は1） / what is in force, value 1", ["rules", "policy"])
ready: Final = Gauge("sekisho_ready", "受付と処理ができるか（1か0） / whether it can take in, scan and store")
walls: Final = Gauge("sekisho_jail_wall", "隔離の壁が立っているか（値は1） / walls of the jail that stand", ["wall"])
halted: Final = Gauge("sekisho_halted", "緊急停止しているか（1か0） / whether intake or delivery is stopped by a person", ["what"])
transfers: Final = Gauge("sekisho_transfers", "状態ごとの件数 / transfers in each state", ["state"])
oldest: Final = Gauge(
    "sekisho_oldest_seconds", "状態ごとの最も古いものの経過秒数 / age of the oldest transfer in each state", ["state"]
)
undelivered: Final = Gauge("sekisho_undelivered", "配送が終わっていない数 / deliveries that are not at their end")
owed_notices: Final = Gauge("sekisho_owed_notices", "送っていない保留通知の数 / notices that are still to be written")
disk_free: Final = Gauge("sekisho_disk_free_bytes", "保存先の空き容量 / free bytes where everything is kept")
disk_size: Final = Gauge("sekisho_disk_size_bytes", "保存先の総容量 / size of the disk where everything is kept")
disk_reserve: Final = Gauge("sekisho_disk_reserve_bytes", "これを下回ると受付を止める空き容量 / free bytes below which intake stops")
clock_synchronised: Final = Gauge("sekisho_clock_synchronised", "時刻が同期しているか（1か0） / whether the clock is synchronised")
clock_offset: Final = Gauge("sekisho_clock_offset_seconds", "時刻源とのずれ / offset of the clock from its source, as the kernel knows it")
clock_error: Final = Gauge("sekisho_clock_error_seconds", "時刻の最大誤差 / largest error of the clock that the kernel assumes")
certificate: Final = Gauge(
    "sekisho_certificate_expires_timestamp_seconds", "証明書の期限（1970年からの秒数） / when a certificate expires", ["use"]
)
audit_entries: Final = Gauge("sekisho_audit_entries", "監査記録の件数 / entries of the audit record")
watched: Final = Gauge("sekisho_watched_timestamp_seconds", "これらの値を最後に調べた時刻 / when these values were last looked up")


def received(door: Door, size: int) -> None:
    """A mail or a file is durable. `size` in bytes."""
    received_files.labels(door.value).inc()
    received_bytes.labels(door.value).inc(size)


def worked(report: Report) -> None:
    """The jail has answered."""
    jail_seconds.labels(report.verdict.value).observe(report.elapsed_ms / 1000)


def settled(transfer: Transfer, decision: Decision, at: float) -> None:
    """A decision is durable. `at`: seconds since 1970."""
    settled_files.labels(transfer.door.value, decision.verdict.value, decision.reason or "").inc()
    road_seconds.labels(transfer.door.value).observe(max(0.0, at - transfer.received_at))


def delivered(way: str, state: RecipientState) -> None:
    """What became of one recipient in one attempt. `way`: `mail`, `share` or `inner`."""
    outcome = "deferred" if state is RecipientState.WAITING else state.value
    settled_deliveries.labels(way, outcome).inc()


class Item(NamedTuple):
    """One thing that can be watched. `kind`: counter, gauge, histogram or summary; `title` in Japanese and English."""

    name: str
    kind: str
    title: tuple[str, str]


def monitored() -> tuple[Item, ...]:
    """Everything of ours that this process exports, by name; what the Prometheus client adds about the process comes after it."""
    found = [Item(_exported(one.name, one.type), one.type, _both(one.documentation)) for one in REGISTRY.collect()]
    return tuple(sorted(found, key=lambda item: (not item.name.startswith("sekisho_"), item.name)))


def _exported(name: str, kind: str) -> str:
    return f"{name}_total" if kind == "counter" else name


def _both(documentation: str) -> tuple[str, str]:
    japanese, slash, english = documentation.partition(" / ")
    return (japanese, english) if slash else (documentation, documentation)
