"""Every connection that this installation opens or takes, from its settings: the flow table, and the packet filter made of it.

What is not in the table is not needed. A connection that stays on the machine (loopback, a socket file) is not in it either.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import msgspec

from gateway import config
from gateway.config import Config, ConfigError
from gateway.crossing.segments import lane as lane_of
from gateway.model import Lane
from gateway.shares.document import Share
from gateway.storage import postgresql
from gateway.storage.faults import JournalUnavailableError

_SMTP, _HTTPS, _ICAP, _LDAP, _LDAPS, _SYSLOG, _NTP, _DNS = 25, 443, 1344, 389, 636, 514, 123, 53
_PORTS: Final = {"https": _HTTPS, "http": 80, "icap": _ICAP, "ldap": _LDAP, "ldaps": _LDAPS, "udp": _SYSLOG, "tcp": _SYSLOG}
ANY: Final = "any"


class Way(StrEnum):
    IN = "in"
    OUT = "out"


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `peers`: addresses, networks or host names of the other end, empty for any; `zone`: where it is; `listen`: our address,
    empty for all of ours; `what` in Japanese and English."""

    way: Way
    protocol: str
    port: int
    peers: tuple[str, ...]
    zone: str
    what: tuple[str, str]
    setting: str
    listen: str = ""

    def words(self) -> tuple[str, ...]:
        """As columns for people."""
        peers, own = ", ".join(self.peers) or ANY, self.listen or "*"
        there = ", ".join(f"{one}:{self.port}" for one in self.peers or (ANY,))
        ends = (peers, f"{own}:{self.port}") if self.way is Way.IN else ("*", there)
        return (self.way.value, self.protocol, *ends, self.zone, f"{self.what[0]} / {self.what[1]}", self.setting)


HEAD: Final = ("", "", "from", "to", "zone", "用途 / for", "setting")


def flows(settings: Config, roles: frozenset[str], shares: Mapping[str, Share]) -> tuple[Flow, ...]:
    """Of a service with these roles. Raises ConfigError."""
    lane = lane_of(settings)
    rows = [*_doors(settings, roles, lane), *_crossing(settings, roles, lane), *_post(settings, roles, lane)]
    rows += [*_asked(settings, roles, lane), *_shares(settings, roles, shares, lane), *_stores(settings, lane)]
    return tuple(row for row in rows if not _stays(row))


def _stays(flow: Flow) -> bool:
    if flow.way is Way.IN:
        return _loopback(flow.listen)
    return bool(flow.peers) and all(_loopback(peer) for peer in flow.peers)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in(setting: str, address: tuple[str, int], zone: str, what: tuple[str, str], peers: Iterable[str] = ()) -> Flow:
    host = "" if address[0] in ("", "0.0.0.0", "::") else address[0]  # noqa: S104 - what the settings say, not what is opened here
    return Flow(
        way=Way.IN, protocol="tcp", port=address[1], peers=tuple(peers), zone=zone, what=what, setting=setting, listen=host
    )


def _out(setting: str, place: tuple[str, int], zone: str, what: tuple[str, str], protocol: str = "tcp") -> Flow:
    host, port = place
    return Flow(way=Way.OUT, protocol=protocol, port=port, peers=(host,) if host else (), zone=zone, what=what, setting=setting)


def _doors(settings: Config, roles: frozenset[str], lane: Lane) -> Iterator[Flow]:
    source, target = lane.source.name, lane.target.name
    if "smtp" in roles:
        for one in settings["smtp.listen"]:
            yield _in("smtp.listen", one, source, ("メールの受付", "mail comes in"), settings["smtp.trusted_hops"])
    if "drop" in roles:
        yield _in("drop.listen", settings["drop.listen"], source, ("取込み画面", "drop pages"))
    if "pickup" in roles:
        yield _in("pickup.listen", settings["pickup.listen"], target, ("受取り画面", "pickup pages"))
    if "admin" in roles:
        yield _in("admin.listen", settings["admin.listen"], target, ("管理画面", "administration"))
    home = _home(settings, lane)
    if roles & {"drop", "pickup", "admin"}:
        for one in settings["monitor.proxy"]:
            yield _in("monitor.proxy", one, home, ("画面（TLS終端）", "pages, by the proxy before them"))
    if settings["monitor.listen"]:
        yield _in("monitor.listen", config.address(settings["monitor.listen"]), home, ("監視", "monitoring"), settings["monitor.clients"])
    if settings["monitor.ssh"]:
        yield _in("monitor.ssh", ("", 22), home, ("保守", "maintenance (SSH)"), settings["monitor.ssh"])


def _home(settings: Config, lane: Lane) -> str:
    """The zone in which this machine is looked after: an outer side is outside with all that serves it."""
    return lane.source.name if settings["crossing.to"] else lane.target.name


def _crossing(settings: Config, roles: frozenset[str], lane: Lane) -> Iterator[Flow]:
    what = ("区間の受渡し", "over to the inner side")
    if "deliver" in roles and str(settings["crossing.to"]).startswith("https://"):
        yield _dialled("crossing.to", settings["crossing.to"], lane.target.name, what)
    if "gate" in roles and settings["crossing.listen"]:
        yield _in("crossing.listen", config.address(settings["crossing.listen"]), lane.source.name, what, settings["crossing.from"])


def _post(settings: Config, roles: frozenset[str], lane: Lane) -> Iterator[Flow]:
    if "deliver" in roles:
        yield _out("relay.next_hop", settings["relay.next_hop"], _home(settings, lane), ("メールの配送", "mail goes out"))
    if "worker" in roles and settings["mail.authentication"] == "check":
        for host in settings["mail.resolvers"] or ("",):
            for protocol in ("udp", "tcp"):
                yield _out("mail.resolvers", (host, _DNS), lane.source.name, ("送信者の照会", "questions about senders"), protocol)


def _asked(settings: Config, roles: frozenset[str], lane: Lane) -> Iterator[Flow]:
    if "worker" in roles and settings["scanners.clamd"] and "/" not in settings["scanners.clamd"]:
        yield _out("scanners.clamd", config.address(settings["scanners.clamd"]), lane.source.name, ("ウイルス検査", "scanner"))
    if "worker" in roles and settings["scanners.icap"]:
        yield _dialled("scanners.icap", settings["scanners.icap"], lane.source.name, ("ウイルス検査", "scanner"))
    if roles & {"drop", "pickup", "admin"}:
        zone = _home(settings, lane)
        if settings["directory.url"]:
            yield _dialled("directory.url", settings["directory.url"], zone, ("ディレクトリーの照会", "directory of people"))
        if settings["sso.issuer"]:
            yield _dialled("sso.issuer", settings["sso.issuer"], zone, ("シングルサインオン", "single sign-on"))


def _shares(settings: Config, roles: frozenset[str], shares: Mapping[str, Share], lane: Lane) -> Iterator[Flow]:
    if "deliver" not in roles or settings["crossing.to"]:
        return
    for share in shares.values():
        for kind in ("smb", "sftp"):
            if (place := getattr(share, kind, None)) is not None:
                host = getattr(place, "server", "") or getattr(place, "host", "")
                yield _out("shares.file", (host, place.port), lane.target.name, (f"{share.title}への配送", f"share {share.name}"))


def _stores(settings: Config, lane: Lane) -> Iterator[Flow]:
    zone = _home(settings, lane)
    if where := settings["storage.url"] or settings["storage.database"]:
        for place in _database(where):
            yield _out("storage.url", place, zone, ("データベース", "database"))
    if settings["storage.s3_endpoint"]:
        yield _dialled("storage.s3_endpoint", settings["storage.s3_endpoint"], zone, ("オブジェクト保管", "object store"))
    if settings["log.syslog"]:
        yield _dialled("log.syslog", settings["log.syslog"], zone, ("SOCへのログ", "log to a SOC"))
    if settings["tracing.to"]:
        yield _dialled("tracing.to", settings["tracing.to"], zone, ("トレースの収集", "traces"))
    for name in ("audit.anchor_syslog", "audit.anchor_timestamp"):
        if settings[name]:
            yield _dialled(name, settings[name], zone, ("監査記録の証拠", "anchors of the audit record"))
    for host in settings["monitor.time"]:
        yield _out("monitor.time", (host, _NTP), zone, ("時刻同期", "clock"), "udp")


def _database(url: str) -> list[tuple[str, int]]:
    """Raises ConfigError."""
    try:
        return postgresql.servers(url)
    except JournalUnavailableError as error:
        raise ConfigError(f"storage.url: {error}") from None


def _dialled(setting: str, url: str, zone: str, what: tuple[str, str]) -> Flow:
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS.get(parts.scheme) or 0
    except ValueError:
        port = 0
    if not parts.hostname or not port:
        raise ConfigError(f"{setting}: no host and port in {url!r}")
    return _out(setting, (parts.hostname, port), zone, what, "udp" if parts.scheme == "udp" else "tcp")


# -------------------------------------------------------------------------------------------------------- packet filter

Resolve = Callable[[str], Iterable[str]]


def resolved(host: str) -> tuple[str, ...]:
    """Addresses of a host name as they are now. Raises OSError."""
    return tuple(sorted({str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}))


def ruleset(rows: Iterable[Flow], *, user: str = "sekisho", resolve: Resolve = resolved) -> str:
    """For `nft -f`: what comes in is dropped but for the table; what the service's own user sends is, too. Others of the machine may send.

    Host names are written as their addresses of today. Raises ConfigError for a name that has none.
    """
    rows = tuple(rows)
    lines = ["#!/usr/sbin/nft -f", "# 関所の通信表から作りました / made of the flow table: sekisho flows --nft"]
    lines += ["table inet sekisho", "delete table inet sekisho", "table inet sekisho {"]
    lines += ["  chain input {", "    type filter hook input priority filter; policy drop;", *_COMMON, *_ICMP]
    lines += [line for row in rows if row.way is Way.IN for line in _rules(row, "saddr", resolve)]
    lines += ["  }", "  chain forward {", "    type filter hook forward priority filter; policy drop;", "  }"]
    lines += ["  chain output {", "    type filter hook output priority filter; policy accept;"]
    lines.append(f'    meta skuid "{_name(user)}" jump service')
    lines += ["  }", "  chain service {", "    ct state established,related accept", '    oifname "lo" accept']
    lines += [line for row in rows if row.way is Way.OUT for line in _rules(row, "daddr", resolve)]
    return "\n".join([*lines, "    counter reject with icmpx type admin-prohibited", "  }", "}"]) + "\n"


_COMMON: Final = (
    "    ct state established,related accept",
    "    ct state invalid drop",
    '    iifname "lo" accept',
)
_ICMP: Final = (
    "    icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept",
    "    icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept",
    "    icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept",
)


def _name(user: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", user):
        raise ConfigError(f"not the name of a user: {user!r}")
    return user


def _rules(row: Flow, end: str, resolve: Resolve) -> Iterator[str]:
    """One for each family of addresses."""
    said = re.sub(r"[^a-z0-9_.]", "", row.setting)
    own = _split([row.listen], resolve) if row.listen else {}
    if not row.peers:
        families: dict[str, list[str]] = {"": []}
    else:
        families = _split(row.peers, resolve)
    for family, addresses in sorted(families.items()):
        to = {name: f"{name} daddr {{ {', '.join(found)} }} " for name, found in own.items()}
        if own and family and family not in own:
            continue
        ours = "".join(to.values()) if not family else to.get(family, "")
        theirs = f"{family} {end} {{ {', '.join(addresses)} }} " if family else ""
        yield f'    {ours}{theirs}{row.protocol} dport {row.port} accept comment "{said}"'


def _split(hosts: Iterable[str], resolve: Resolve) -> dict[str, list[str]]:
    """Addresses and networks by family, names through `resolve`."""
    found: dict[str, list[str]] = {}
    for host in hosts:
        for address in _addresses(host, resolve):
            family = "ip" if address.version == 4 else "ip6"
            if str(address) not in found.setdefault(family, []):
                found[family].append(str(address))
    return found


def _addresses(host: str, resolve: Resolve) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(host, strict=False)]
    except ValueError:
        pass
    try:
        found = [ipaddress.ip_network(one.partition("%")[0]) for one in resolve(host)]
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{host}: has no address now ({error})") from None
    if not found:
        raise ConfigError(f"{host}: has no address now")
    return found
