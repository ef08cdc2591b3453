"""The flow table says all that the settings open, and the packet filter made of it lets that through and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import cli, config
from gateway.config import Config, ConfigError
from gateway.doctor import flows
from gateway.doctor.flows import Flow, Way
from gateway.house import ROLES
from gateway.shares.document import Share, Smb

NFT = shutil.which("nft") or shutil.which("/usr/sbin/nft")
ALL = frozenset(ROLES)


def given(**changes: str) -> Config:
    return config.load(None, {f"SEKISHO_{name.upper()}": value for name, value in changes.items()})


def rows(settings: Config, roles: frozenset[str] = ALL, shares: dict[str, Share] | None = None) -> dict[str, Flow]:
    return {f"{row.setting} {row.protocol}": row for row in flows.flows(settings, roles, shares or {})}


def test_what_stays_on_the_machine_is_not_in_the_table() -> None:
    assert set(rows(given(mail_authentication="off"))) == set()


def test_every_end_that_the_settings_name() -> None:
    smb = Share(
        name="zeimu", title="税務課", smb=Smb(server="files.example.jp", share="z", folder="", user="u", password="p", port=445)
    )
    settings = given(
        smtp_listen="0.0.0.0:25", smtp_trusted_hops="192.0.2.1,192.0.2.2", drop_listen="10.0.0.1:8080", relay_next_hop="10.9.0.1:25",
        mail_resolvers="192.0.2.53", scanners_clamd="10.0.0.9:3310", scanners_icap="icap://av.example.jp/scan",
        directory_url="ldaps://ldap.example.jp", sso_issuer="https://id.example.jp:9443/x", storage_url="postgresql://u@db.example.jp/x",
        log_syslog="tls://soc.example.jp:6514", monitor_listen="10.0.0.1:8083", monitor_clients="10.0.0.60", monitor_ssh="10.0.0.0/24",
        monitor_proxy="0.0.0.0:443", monitor_time="ntp.example.jp",
    )  # fmt: skip
    table = rows(settings, shares={"zeimu": smb})
    assert {name: (row.way, row.peers, row.port) for name, row in table.items()} == {
        "smtp.listen tcp": (Way.IN, ("192.0.2.1", "192.0.2.2"), 25),
        "drop.listen tcp": (Way.IN, (), 8080),
        "monitor.proxy tcp": (Way.IN, (), 443),
        "monitor.listen tcp": (Way.IN, ("10.0.0.60",), 8083),
        "monitor.ssh tcp": (Way.IN, ("10.0.0.0/24",), 22),
        "relay.next_hop tcp": (Way.OUT, ("10.9.0.1",), 25),
        "mail.resolvers udp": (Way.OUT, ("192.0.2.53",), 53),
        "mail.resolvers tcp": (Way.OUT, ("192.0.2.53",), 53),
        "scanners.clamd tcp": (Way.OUT, ("10.0.0.9",), 3310),
        "scanners.icap tcp": (Way.OUT, ("av.example.jp",), 1344),
        "directory.url tcp": (Way.OUT, ("ldap.example.jp",), 636),
        "sso.issuer tcp": (Way.OUT, ("id.example.jp",), 9443),
        "shares.file tcp": (Way.OUT, ("files.example.jp",), 445),
        "storage.url tcp": (Way.OUT, ("db.example.jp",), 5432),
        "log.syslog tcp": (Way.OUT, ("soc.example.jp",), 6514),
        "monitor.time udp": (Way.OUT, ("ntp.example.jp",), 123),
    }
    assert table["drop.listen tcp"].listen == "10.0.0.1"
    assert table["smtp.listen tcp"].listen == ""


def test_the_outer_side_dials_and_the_inner_one_listens() -> None:
    outer = rows(given(crossing_to="https://10.2.0.5:8443", mail_authentication="off"))
    assert [(row.way, row.peers, row.port) for row in outer.values()] == [(Way.OUT, ("10.2.0.5",), 8443)]
    inner = rows(given(crossing_listen="10.2.0.5:8443", crossing_from="192.0.2.5", mail_authentication="off"))
    assert [(row.way, row.peers, row.port) for row in inner.values()] == [(Way.IN, ("192.0.2.5",), 8443)]
    assert "relay.next_hop tcp" not in rows(given(relay_next_hop="10.2.0.25:25"), frozenset({"gate"}))


def test_a_role_opens_what_is_its_own() -> None:
    settings = given(smtp_listen="0.0.0.0:25", drop_listen="0.0.0.0:80", relay_next_hop="10.2.0.25:25", mail_authentication="off")
    assert set(rows(settings, frozenset({"smtp"}))) == {"smtp.listen tcp"}
    assert set(rows(settings, frozenset({"drop"}))) == {"drop.listen tcp"}
    assert set(rows(settings, frozenset({"deliver"}))) == {"relay.next_hop tcp"}


def test_the_filter_knows_addresses_networks_names_and_both_families() -> None:
    found = {"mail.example.jp": ["10.0.0.25", "fd00::25"]}
    settings = given(
        smtp_listen="0.0.0.0:25", smtp_trusted_hops="192.0.2.0/28,2001:db8::1", relay_next_hop="mail.example.jp:25",
        mail_authentication="off", drop_listen="10.0.0.1:8080",
    )  # fmt: skip
    text = flows.ruleset(flows.flows(settings, ALL, {}), resolve=found.__getitem__)
    assert "ip saddr { 192.0.2.0/28 } tcp dport 25 accept" in text
    assert "ip6 saddr { 2001:db8::1/128 } tcp dport 25 accept" in text
    assert "ip daddr { 10.0.0.1/32 } tcp dport 8080 accept" in text
    assert "ip daddr { 10.0.0.25/32 } tcp dport 25 accept" in text
    assert "ip6 daddr { fd00::25/128 } tcp dport 25 accept" in text


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("postgresql://u@db.example.jp/x", [("db.example.jp", 5432)]),
        ("postgresql://u:p%40ss@db.example.jp:6543/x", [("db.example.jp", 6543)]),
        ("postgresql://u@/x?host=a.example.jp:5432&host=b.example.jp:5433&target_session_attrs=read-write",
         [("a.example.jp", 5432), ("b.example.jp", 5433)]),
        ("postgresql://u@/x?host=a.example.jp,b.example.jp", [("a.example.jp", 5432), ("b.example.jp", 5432)]),
        ("postgresql://u@[fd00::5]/x", [("fd00::5", 5432)]),
        ("postgresql://u@/x?host=/run/postgresql", []),
        ("postgresql://u@/x", []),
        ("postgresql://u@127.0.0.1/x", []),
    ],
)  # fmt: skip
def test_every_server_of_the_database_is_in_the_table(url: str, servers: list[tuple[str, int]]) -> None:
    """Or the packet filter made of it would part a node from its standby."""
    table = [row for row in flows.flows(given(storage_url=url, mail_authentication="off"), ALL, {}) if row.setting == "storage.url"]
    assert [(*row.peers, row.port) for row in table] == servers


@pytest.mark.parametrize(
    ("changes", "peer"),
    [
        ({"audit_anchor_syslog": "udp://log.example.jp"}, ("udp", "log.example.jp", 514)),
        ({"audit_anchor_syslog": "tcp://log.example.jp:6514"}, ("tcp", "log.example.jp", 6514)),
        ({"audit_anchor_timestamp": "http://tsa.example.jp/tsr"}, ("tcp", "tsa.example.jp", 80)),
    ],
)
def test_where_the_record_is_anchored_is_in_the_table(changes: dict[str, str], peer: tuple[str, str, int]) -> None:
    (row,) = flows.flows(given(mail_authentication="off", **changes), ALL, {})
    assert (row.protocol, *row.peers, row.port) == peer


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"log_syslog": "tls://soc.example.jp:99999"}, "log.syslog"),
        ({"tracing_to": "collector"}, "tracing.to"),
        ({"storage_url": "postgresql://u@db.example.jp:port/x"}, "storage.url"),
        ({"storage_url": "postgresql://u@/x?host=a&port=b"}, "storage.url"),
        ({"storage_url": "nowhere"}, "storage.url"),
    ],
)
def test_an_end_that_cannot_be_dialled_is_named(changes: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=f"^{says}: "):
        flows.flows(given(**changes), ALL, {})


def test_a_rule_has_one_family_on_both_ends_and_no_address_twice() -> None:
    """Whom an address of IPv4 does not hear, it needs no rule for."""
    row = Flow(way=Way.IN, protocol="tcp", port=25, peers=("192.0.2.1", "both.example", "both.example", "fd00::1"), zone="", what=("", ""),
               setting="smtp.listen", listen="192.0.2.9")  # fmt: skip
    text = flows.ruleset([row], resolve=lambda _: ("192.0.2.1", "192.0.2.2", "fd00::2"))
    (rule,) = [line.strip() for line in text.splitlines() if "smtp.listen" in line]
    assert rule.startswith("ip daddr { 192.0.2.9/32 } ip saddr { 192.0.2.1/32, 192.0.2.2/32 } tcp dport 25 accept")
    with pytest.raises(ConfigError, match="has no address now"):
        flows.ruleset([row], resolve=lambda _: ())


def test_a_name_without_an_address_is_told() -> None:
    def unknown(host: str) -> list[str]:
        raise OSError("no such name")

    row = flows.flows(given(relay_next_hop="nowhere.invalid:25", mail_authentication="off"), ALL, {})
    with pytest.raises(ConfigError, match=r"nowhere\.invalid"):
        flows.ruleset(row, resolve=unknown)


def test_nothing_of_the_settings_becomes_a_rule_of_its_own() -> None:
    with pytest.raises(ConfigError):
        flows.ruleset([], user='x" accept; #')
    hostile = given(smtp_listen="0.0.0.0:25", smtp_trusted_hops="1.2.3.4 } accept; {", mail_authentication="off")
    with pytest.raises(ConfigError):
        flows.ruleset(flows.flows(hostile, ALL, {}))


@pytest.mark.skipif(NFT is None, reason="nft is not here")
@pytest.mark.parametrize("sample", ["village", "city-outer", "city-inner", "city-outbound"])
def test_nft_reads_the_filter_of_every_sample(sample: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parents[3] / "deploy/settings" / f"{sample}.toml"
    assert cli.main(["flows", "--config", str(file), "--nft", "--user", "root"]) == 0
    text = capsys.readouterr().out.encode()
    assert NFT is not None
    checked = subprocess.run([NFT, "-c", "-f", "-"], input=text, capture_output=True, check=False, timeout=60)
    if b"Operation not permitted" in checked.stderr:
        pytest.skip("nft needs rights that are not ours")
    assert checked.returncode == 0, checked.stderr.decode()


def test_the_command_prints_a_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["flows", "--config", str(Path(__file__).parents[3] / "deploy/settings/city-inner.toml")]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    assert "10.2.0.5:8443" in said
    assert "区間の受渡し" in said
    assert cli.main([*command, "--json"]) == 0
    told = capsys.readouterr().out
    assert any(json.loads(line)["setting"] == "crossing.listen" for line in told.splitlines())


# --------------------------------------------------------------------------------------------------------- a real filter


@pytest.fixture
def segment() -> Iterator[tuple[str, str]]:
    """Two network namespaces joined by a line: (the gateway's, the stranger's), 10.99.0.1 and 10.99.0.2."""
    if NFT is None or shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("needs ip, nft and root")
    mine, theirs = (f"sk{os.getpid()}{side}" for side in "ab")
    made = [["ip", "netns", "add", mine], ["ip", "netns", "add", theirs]]
    made += [["ip", "-n", mine, "link", "add", "va", "type", "veth", "peer", "name", "vb", "netns", theirs]]
    for name, link, address in ((mine, "va", "10.99.0.1/24"), (theirs, "vb", "10.99.0.2/24")):
        made += [["ip", "-n", name, "addr", "add", address, "dev", link], ["ip", "-n", name, "link", "set", link, "up"]]
        made += [["ip", "-n", name, "link", "set", "lo", "up"]]
    try:
        for command in made:
            if subprocess.run(command, capture_output=True, check=False, timeout=20).returncode != 0:
                pytest.skip("network namespaces cannot be made here")
        yield mine, theirs
    finally:
        for name in (mine, theirs):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False, timeout=20)


_LISTEN = """
import selectors, socket, sys
held = selectors.DefaultSelector()
for port in map(int, sys.argv[1:]):
    held.register(socket.create_server(("", port)), selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in held.select():
        key.fileobj.accept()[0].close()
"""
_SCAN = """
import socket, sys
for port in map(int, sys.argv[2:]):
    try:
        socket.create_connection((sys.argv[1], port), 0.4).close()
        print(port)
    except OSError:
        pass
"""


def test_a_port_scan_shows_the_flow_table_alone(segment: tuple[str, str]) -> None:
    mine, theirs = segment
    settings = given(smtp_listen="10.99.0.1:2525", drop_listen="127.0.0.1:8080", crossing_listen="10.99.0.1:8443",
                     crossing_from="10.99.0.77", mail_authentication="off")  # fmt: skip
    rules = flows.ruleset(flows.flows(settings, ALL, {}), user="root")
    ports = ["22", "2525", "5432", "8080", "8082", "8443"]
    listening = subprocess.Popen(["ip", "netns", "exec", mine, sys.executable, "-c", _LISTEN, *ports], stdout=subprocess.PIPE, text=True)
    try:
        assert listening.stdout is not None
        assert listening.stdout.readline() == "ready\n"
        scan = ["ip", "netns", "exec", theirs, sys.executable, "-c", _SCAN, "10.99.0.1", *ports]
        before = subprocess.run(scan, capture_output=True, check=True, timeout=60, text=True).stdout.split()
        assert before == ports
        loaded = subprocess.run(["ip", "netns", "exec", mine, str(NFT), "-f", "-"], input=rules.encode(), capture_output=True, check=False)
        if loaded.returncode != 0:
            pytest.skip(f"the filter cannot be loaded here: {loaded.stderr.decode()[:200]}")
        after = subprocess.run(scan, capture_output=True, check=True, timeout=60, text=True).stdout.split()
        assert after == ["2525"], "8443 is for the outer side's address alone, and nobody else gets in"
        out = ["ip", "netns", "exec", mine, sys.executable, "-c", _SCAN, "10.99.0.2", "80", "443"]
        assert subprocess.run(out, capture_output=True, check=True, timeout=60, text=True).stdout == ""
    finally:
        listening.kill()
        listening.wait()


def test_names_are_looked_up() -> None:
    assert "127.0.0.1" in flows.resolved("localhost") or "::1" in flows.resolved("localhost")
