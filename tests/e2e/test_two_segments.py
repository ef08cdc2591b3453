"""A city in two segments, each service in a network of its own behind the packet filter that its flow table says: a mail from the Internet
side reaches the mail server of the inner one, a cable that is pulled loses and doubles nothing, and a scan of every port of either side,
from every side, shows what the table says and nothing else."""

from __future__ import annotations

import contextlib
import shutil
import smtplib
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from gateway import config
from gateway.doctor import flows
from gateway.doctor.flows import Way
from tests.build import network
from tests.build.certificates import Authority
from tests.build.cluster import NextHop, next_hop, waited
from tests.build.network import Network, Place
from tests.e2e.service import Service

NFT = shutil.which("nft") or shutil.which("/usr/sbin/nft")
ARRIVES_SECONDS = 120.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(NFT is None or not network.possible(), reason="needs nft, ip and root"),
]

OUTER_ROLES, INNER_ROLES = "smtp,drop,worker,deliver,admin", "gate,pickup,admin,deliver"


class City:
    """`internet` · outer ·(the line between)· inner · `office` and `mail`, its server. Who dials whom is said by their settings."""

    def __init__(self, folder: Path, outside: Network, between: Network, inside: Network) -> None:
        self.between = between
        self.internet, self.outer = outside.place("internet"), outside.place("outer")
        self.inner, self.office, self.mail = inside.place("inner"), inside.place("office"), inside.place("mail")
        self.to_inner = (between.join("outer", self.outer), between.join("inner", self.inner))
        self.services = {"outer": self._service(folder, "outer", OUTER_ROLES), "inner": self._service(folder, "inner", INNER_ROLES)}
        outer, inner = self.to_inner
        authority = Authority(folder)
        for name, address in (("outer", "outer.city.example.jp"), ("inner", inner)):
            held = authority.issue(address, file=name)
            self.services[name].environment |= {
                "SEKISHO_CROSSING_CERTIFICATE": str(held.certificate), "SEKISHO_CROSSING_KEY": str(held.key),
                "SEKISHO_CROSSING_AUTHORITY": str(authority.file),
            }  # fmt: skip
        self.services["outer"].environment |= {
            "SEKISHO_SMTP_LISTEN": f"{self.outer.address}:2525", "SEKISHO_SMTP_TRUSTED_HOPS": self.internet.address,
            "SEKISHO_CROSSING_TO": f"https://{inner}:8443", "SEKISHO_RELAY_NEXT_HOP": f"{self.internet.address}:25",
        }  # fmt: skip
        self.services["inner"].environment |= {
            "SEKISHO_CROSSING_LISTEN": f"{inner}:8443", "SEKISHO_CROSSING_FROM": outer, "SEKISHO_CROSSING_CLIENTS": "outer.city.example.jp",
            "SEKISHO_CROSSING_KEYS": str(folder / "outer/receipt.pub"), "SEKISHO_RELAY_NEXT_HOP": f"{self.mail.address}:25",
            "SEKISHO_MONITOR_LISTEN": f"{self.inner.address}:8083", "SEKISHO_MONITOR_CLIENTS": self.office.address,
            "SEKISHO_PICKUP_LISTEN": f"{self.inner.address}:8081",
        }  # fmt: skip

    def _service(self, folder: Path, name: str, roles: str) -> Service:
        words = {"SEKISHO_SERVICE_HOSTNAME": f"{name}.city.example.jp", "SEKISHO_LANE_SOURCE": "インターネット接続系",
                 "SEKISHO_LANE_TARGET": "LGWAN接続系", "SEKISHO_MAIL_AUTHENTICATION": "off", "SEKISHO_NOTICES_DIGEST": ""}  # fmt: skip
        return Service(folder / name, 25, words, roles=roles, smtp=2525, drop=8080, pickup=8081, admin=8082)

    @property
    def places(self) -> dict[str, Place]:
        return {"outer": self.outer, "inner": self.inner}

    def start(self) -> None:
        """Both, and what else listens on such machines: a database, a shell."""
        for name in ("outer", "inner"):
            with self.places[name].inside():
                self.services[name].start(300)

    def filtered(self, name: str) -> None:
        """By the filter that the command prints."""
        assert NFT is not None
        service = self.services[name]
        with self.places[name].inside():
            rules = service.command("flows", "--nft", "--user", "root", "--role", service.roles)
            assert rules.returncode == 0, rules.stderr
            subprocess.run([NFT, "-f", "-"], input=rules.stdout.encode(), check=True, timeout=60)

    def unfiltered(self, name: str) -> None:
        """As somebody would who has taken that machine."""
        assert NFT is not None
        with self.places[name].inside():
            subprocess.run([NFT, "flush", "ruleset"], check=True, timeout=60)

    def table(self, name: str, address: str, peer: str) -> set[int]:
        """Ports of that address that the flow table opens to that peer."""
        service = self.services[name]
        rows = flows.flows(config.load(None, service._environment()), frozenset(service.roles.split(",")), {})
        return {row.port for row in rows if row.way is Way.IN and row.listen in ("", address) and (not row.peers or peer in row.peers)}

    def send(self, number: int) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "a@partner.example", "kakari@town.example.jp", f"No. {number}"
        message["Message-ID"] = f"<{number}@partner.example>"
        message.set_content("お世話になっております。")
        message.add_alternative("<p>お世話になっております。<script>1</script></p>", subtype="html")
        with self.internet.inside(), smtplib.SMTP(self.outer.address, 2525, timeout=60) as client:
            client.send_message(message)

    def stop(self) -> None:
        for service in self.services.values():
            if service.process is not None and service.process.poll() is None:
                service.kill()


@pytest.fixture
def city(tmp_path: Path) -> Iterator[tuple[City, NextHop]]:
    with contextlib.ExitStack() as opened:
        networks = [opened.enter_context(network.network(number)) for number in range(3)]
        made = City(tmp_path, *networks)
        # What listens on such a machine beside the service and is nobody's business.
        for place in made.places.values():
            opened.enter_context(place.listening(5432))
        hop = opened.enter_context(next_hop(made.mail))
        opened.callback(made.stop)
        made.start()
        yield made, hop


def test_through_the_filters_over_a_cut_cable_and_past_a_scan(city: tuple[City, NextHop]) -> None:
    """In one, as the services take long to start."""
    made, hop = city
    assert {2525, 5432} <= made.internet.scanned(made.outer.address), "without its filter everything can be seen"
    for name in made.places:
        made.filtered(name)
    made.send(1)
    assert waited(lambda: hop.arrived[1] == 1, ARRIVES_SECONDS), made.services["inner"].log()[-2_000:]
    made.between.cut("inner")
    for number in range(2, 6):
        made.send(number)
    assert not waited(lambda: len(hop.arrived) > 1, 3), "there is no other way"
    made.between.mend("inner")
    assert waited(lambda: len(hop.arrived) == 5, ARRIVES_SECONDS), made.services["outer"].log()[-2_000:]
    assert set(hop.arrived.values()) == {1}
    assert not hop.dirty
    scan(made)


def scan(made: City) -> None:
    """From each side to each address that can be reached from there. The filter of whoever scans is not what protects."""
    outer, inner = made.to_inner
    seen = {"internet → outer": (made.internet, "outer", made.outer.address, made.internet.address)}
    seen["office → inner"] = (made.office, "inner", made.inner.address, made.office.address)
    seen["mail server → inner"] = (made.mail, "inner", made.inner.address, made.mail.address)
    found = {way: (place.scanned(address), made.table(name, address, peer)) for way, (place, name, address, peer) in seen.items()}
    found["outer → inner, by its own filter"] = (made.outer.scanned(inner), {8443})
    made.unfiltered("outer")
    found["outer, taken → inner"] = (made.outer.scanned(inner), made.table("inner", inner, outer))
    made.filtered("outer")
    made.unfiltered("inner")
    found["inner, taken → outer"] = (made.inner.scanned(outer), made.table("outer", outer, inner))
    assert {way: open_ for way, (open_, _) in found.items()} == {way: told for way, (_, told) in found.items()}
    assert {way: open_ for way, (open_, _) in found.items()} == {
        "internet → outer": {2525},
        "office → inner": {8081, 8083},
        "mail server → inner": {8081},
        "outer → inner, by its own filter": {8443},
        "outer, taken → inner": {8443},
        "inner, taken → outer": set(),
    }
