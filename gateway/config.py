"""Every setting of the product, once: its key, default, unit and one line of meaning.

Settings come from a TOML file and from the environment, which wins (`SEKISHO_SMTP_LISTEN=…` sets `[smtp] listen`; lists are
comma-separated). Relative paths are relative to the configuration file. `sekisho config` prints the whole as a commented file.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final


class ConfigError(Exception):
    """A bad setting. The text names the key and is one line."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of one section: how its value is read, its default as it would stand in the file, and what it means."""

    section: str
    key: str
    read: Callable[[Any], object]
    default: object
    meaning: str

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}"

    @property
    def environment(self) -> str:
        return f"SEKISHO_{self.section}_{self.key}".upper()


# ------------------------------------------------------------------------------------------------- how values are read

_SIZE: Final = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB|TiB)?")
_SIZE_UNITS: Final = {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_TIME_UNITS: Final = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def text(value: Any) -> str:
    """Raises ValueError, as all of these: what the value must be."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def flag(value: Any) -> bool:
    """`true` or `false`, of the environment as letters. Raises ValueError."""
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def whole(value: Any) -> int:
    """A whole number above zero. Raises ValueError."""
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("must be a whole number above 0")
    return value


def count(value: Any) -> int:
    """A whole number; 0 means no limit."""
    return 0 if value in (0, "0") and not isinstance(value, bool) else whole(value)


def size(value: Any) -> int:
    """Bytes: `20 MiB`, `512 KiB` or a plain number. Raises ValueError."""
    match = _SIZE.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise ValueError("must be a size such as 20 MiB")
    return int(match[1]) * _SIZE_UNITS[match[2]]


def seconds(value: Any) -> float:
    """Seconds: `90s`, `5m`, `2h`, `30d` or a plain number. Raises ValueError."""
    match = _TIME.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise ValueError("must be a time such as 5m")
    return float(match[1]) * _TIME_UNITS[match[2]]


def clock(value: Any) -> int:
    """A time of day, `9:00`, in minutes since midnight. Raises ValueError."""
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", str(value).strip())
    if match is None:
        raise ValueError("must be a time of day such as 9:00")
    return int(match[1]) * 60 + int(match[2])


def many(read: Callable[[Any], object]) -> Callable[[Any], tuple[object, ...]]:
    """A list; in the environment comma-separated."""

    def read_many(value: Any) -> tuple[object, ...]:
        if isinstance(value, str):
            value = [item.strip() for item in value.split(",") if item.strip()]
        if not isinstance(value, list):
            raise ValueError("must be a list")
        return tuple(read(item) for item in value)

    return read_many


def address(value: Any) -> tuple[str, int]:
    """`host:port`; an IPv6 host in brackets. Raises ValueError."""
    host, colon, port = text(value).rpartition(":")
    if not colon or not port.isdigit() or not 0 <= int(port) <= 65_535:
        raise ValueError("must be an address such as 127.0.0.1:2525")
    return host.removeprefix("[").removesuffix("]"), int(port)


def domain(value: Any) -> str:
    """In lower case, without a dot at its end. Raises ValueError."""
    name = text(value).lower().rstrip(".")
    if not re.fullmatch(r"(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})*", name):
        raise ValueError("must be a domain such as town.example.jp")
    return name


def choice(*allowed: str) -> Callable[[Any], str]:
    """A reader of one of these words, which raises ValueError for any other."""
    def read_choice(value: Any) -> str:
        if value not in allowed:
            raise ValueError("must be one of " + ", ".join(allowed))
        return str(value)

    return read_choice


# ---------------------------------------------------------------------------------------------------------- the settings

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("service", "hostname", text, "sekisho.localhost", "name in SMTP greetings, Received and notices"),
    Setting("service", "organisation", text, "", "name of the body (団体) that this installation serves, shown in notices"),
    Setting("service", "profile", choice("both", "inbound", "no-lgwan"), "both", "clauses asked of it: both ways, inbound, or no-lgwan"),
    Setting("service", "language", choice("ja", "en"), "ja", "language of notices to people: ja or en"),
    Setting("service", "drain", seconds, "60s", "how long a stop waits for work in hand before it is put back into the queue"),
    Setting("service", "log_level", choice("debug", "info", "warning", "error"), "info", "debug, info, warning or error"),
    Setting("storage", "path", text, "var", "folder of the database and the blobs"),
    Setting("storage", "url", text, "", "a PostgreSQL database (postgresql://…), for several nodes; empty: a file of SQLite"),
    Setting("storage", "database", text, "", "the same under the name that earlier versions gave it"),
    Setting("storage", "blobs", text, "", "an object store (s3://bucket/prefix), for several nodes; empty: files below the path"),
    Setting("storage", "s3_endpoint", text, "", "where it is: https://host[:port]"),
    Setting("storage", "s3_region", text, "us-east-1", "the region that it goes by"),
    Setting("storage", "s3_credentials", text, "", "file of the access key and, in its second line, the secret"),
    Setting("storage", "key", text, "", "blobs are sealed under it: file:PATH, credential:NAME or hook:PROGRAM; empty: kept as they are"),
    Setting("storage", "reserve", size, "1 GiB", "free disk space below which nothing more is taken in"),
    Setting("log", "syslog", text, "", "events also go to a SOC (CEF in RFC 5424): udp://, tcp:// or tls://host:port; empty: none"),
    Setting("log", "syslog_authority", text, "", "certificates (PEM) that may sign that server's, for tls; empty: those of the system"),
    Setting("tracing", "to", text, "", "collector of OpenTelemetry traces (OTLP/HTTP): http://host:4318 or https://…; empty: none"),
    Setting("tracing", "one_in", whole, 1, "of so many transfers one is traced, the same one by every node"),
    Setting("monitor", "listen", text, "", "address of its own for /healthz, /readyz and /metrics; empty: none"),
    Setting("monitor", "clients", many(text), [], "addresses that monitoring comes from, for the packet filter; empty: any"),
    Setting("monitor", "proxy", many(address), [], "where the proxy before the faces takes browsers in, for the packet filter"),
    Setting("monitor", "ssh", many(text), [], "addresses that SSH comes from, for the packet filter; empty: none"),
    Setting("monitor", "time", many(text), [], "servers of time, for the flow table"),
    Setting("lane", "name", text, "inbound", "the direction that this installation serves; policy may say something for it alone"),
    Setting("lane", "source", text, "outer", "zone that things come from"),
    Setting("lane", "target", text, "inner", "zone that things go to"),
    Setting("lane", "target_class", choice("internet", "lgwan", "internal", "mynumber"), "internal", "what kind of zone that is"),
    Setting("lane", "other", text, "", "who serves the other direction, by name; none: nothing goes that way; empty: not said"),
    Setting("lane", "hold", seconds, "0s", "how long what is released waits before it leaves, so that somebody can stop it"),
    Setting("crossing", "to", text, "", "outer side: the inner one's line (https://host:port), a folder or mailto:…; empty: this is both"),
    Setting("crossing", "listen", text, "", "inner side: address of the line; empty: none"),
    Setting("crossing", "folder", text, "", "inner side: folder that the outer side writes into; empty: none"),
    Setting("crossing", "address", text, "", "inner side: mail address at whose door the outer side hands over; empty: none"),
    Setting("crossing", "keys", many(text), [], "inner side: public keys (PEM, receipt.pub) of the outer sides that are believed"),
    Setting("crossing", "from", many(text), [], "inner side: addresses of the outer sides, for the packet filter; empty: any"),
    Setting("crossing", "clients", many(text), [], "inner side: names in the certificates of the outer sides; empty: any of the authority"),
    Setting("crossing", "certificate", text, "", "certificate chain (PEM) that this side shows the other"),
    Setting("crossing", "key", text, "", "its private key (PEM); empty: in the same file"),
    Setting("crossing", "authority", text, "", "certificates (PEM) that may sign the other side's"),
    Setting("crossing", "window", seconds, "7d", "inner side: how old the papers of what comes may be"),
    Setting("crossing", "largest", size, "1 GiB", "inner side: largest content that is taken in"),
    Setting("smtp", "listen", many(address), ["127.0.0.1:2525"], "addresses to receive mail on"),
    Setting("smtp", "domains", many(domain), ["town.example.jp"], "domains of recipients; mail for any other is refused"),
    Setting("smtp", "recipients", text, "", "file of the addresses that exist, one a line; empty: any in the domains"),
    Setting("smtp", "size_limit", size, "20 MiB", "largest mail; larger ones are refused with 552"),
    Setting("smtp", "max_connections", whole, 200, "connections at a time"),
    Setting("smtp", "max_per_client", whole, 50, "connections at a time from one address"),
    Setting("smtp", "trusted_hops", many(text), [], "addresses of mail servers that may speak for others (XFORWARD)"),
    Setting("smtp", "connections_per_minute", count, 0, "new connections from one address in a minute; 0: no limit"),
    Setting("smtp", "messages_per_minute", count, 0, "mails from one address in a minute; 0: no limit"),
    Setting("smtp", "sender_mails_per_hour", count, 0, "mails of one sender in an hour, past which his mail is held; 0: no limit"),
    Setting("smtp", "sender_recipients_per_hour", count, 0, "recipients of his mails in an hour, likewise; 0: no limit"),
    Setting("smtp", "proxy_protocol", flag, False, "trusted hops begin each connection with a PROXY header"),
    Setting("smtp", "strict_pipelining", flag, True, "send away a client that speaks before its turn"),
    Setting("smtp", "tls_certificate", text, "", "certificate chain (PEM); with it STARTTLS is offered"),
    Setting("smtp", "tls_key", text, "", "its private key (PEM); empty: in the same file"),
    Setting("smtp", "bare_newline", choice("reject", "normalize"), "reject", "a line end that is not CR LF: reject or normalize"),
    Setting("mail", "authentication", choice("check", "upstream", "off"), "check", "sender (SPF, DKIM, DMARC): check, upstream or off"),
    Setting("mail", "authserv_id", text, "", "the trusted upstream server's name in Authentication-Results"),
    Setting("mail", "resolvers", many(text), [], "addresses of DNS servers for these checks; empty: those of the system"),
    Setting("mail", "dns_timeout", seconds, "3s", "time for all DNS questions about one mail; what is not known by then is not checked"),
    Setting("relay", "next_hop", address, "127.0.0.1:2526", "mail server that sanitised mail goes to"),
    Setting("relay", "retry", many(seconds), ["1m", "5m", "15m", "30m", "1h", "2h", "4h"], "pauses between attempts; the last one repeats"),
    Setting("relay", "expire", seconds, "5d", "when to give up and tell the sender"),
    Setting("relay", "concurrency", whole, 10, "connections to the next hop at a time"),
    Setting("relay", "tls", choice("never", "opportunistic", "required"), "opportunistic", "STARTTLS towards the next hop"),
    Setting("relay", "notice_sender", text, "", "sender of notices about held mail; empty: postmaster at the first domain"),
    Setting("notices", "at_once", flag, True, "tell the recipients of each held mail at once"),
    Setting("notices", "digest", many(clock), ["9:00", "13:00"], "times of day for a digest of what is held; an empty list: none"),
    Setting("workers", "jobs", whole, 2, "transfers that are sanitised at a time; best one per core"),
    Setting("workers", "attempts", whole, 3, "how often a transfer whose process was lost is tried before it is held"),
    Setting("workers", "reuse", seconds, "7d", "how long a result is given again for another upload of the same file; 0: never"),
    Setting("policy", "file", text, "", "policy document, the first version of an installation; empty: the built-in one"),
    Setting("policy", "rules", text, "", "folder of YARA rules, the first version; empty: those that come with the product"),
    Setting("policy", "four_eyes", flag, True, "rules and policy are published only after another person than their author approved them"),
    Setting("policy", "clean_set", text, "", "folder of files that must stay clean under new rules; empty: only the built samples"),
    Setting("policy", "backtest_days", whole, 7, "a back-test looks at the originals of so many days"),
    Setting("policy", "rescan_days", count, 7, "when rules, lists or signatures change, this many days are scanned again; 0: none"),
    Setting("updates", "key", text, "", "public key (PEM, Ed25519) of those who make update bundles; empty: none is taken"),
    Setting("updates", "clamav", text, "", "folder of ClamAV's databases that a bundle may bring; empty: they are left out"),
    Setting("scanners", "clamd", text, "", "daemon of ClamAV: path of its socket, or host:port; empty: none"),
    Setting("scanners", "icap", text, "", "another engine that speaks ICAP: icap://host:1344/service; empty: none"),
    Setting("scanners", "required", many(text), [], "scanners without whose word nothing passes: clamav, icap"),
    Setting("scanners", "timeout", seconds, "60s", "time of each scanner for one file"),
    Setting("scanners", "stale", seconds, "3d", "age of signatures from which on a scanner's `clean` counts for nothing"),
    Setting("scanners", "largest", size, "25 MiB", "larger files are not handed to clamd; at most its MaxFileSize and StreamMaxLength"),
    Setting("scanners", "deny", many(text), [], "files of SHA-256 digests that are blocked"),
    Setting("scanners", "allow", many(text), [], "files of SHA-256 digests that the other scanners are not asked about"),
    Setting("drop", "listen", address, "127.0.0.1:8080", "address of the web drop (Internet side)"),
    Setting("drop", "classifications", many(text), [], "what a file may be classified as (情報資産の分類); an empty list: not asked"),
    Setting("drop", "approval", choice("never", "unknown", "always"), "never", "files another person approves: never, unknown, always"),
    Setting("drop", "preview", flag, True, "people may see a safe preview (pixels and text) of an original that they brought"),
    Setting("drop", "required", flag, False, "purpose, reason and classification must be given with a file"),
    Setting("shares", "file", text, "", "document of the shares of the inner side that files may be put on; empty: none"),
    Setting("pickup", "listen", address, "127.0.0.1:8081", "address of the pickup (inner side)"),
    Setting("pickup", "days", whole, 14, "how long a delivered file may be fetched, in days"),
    Setting("pickup", "quota", size, "20 GiB", "bytes that may lie in one person's box, with notices at 80 and 100 percent; 0: any number"),
    Setting("pickup", "quota_shared", size, "200 GiB", "the same for the box of a department or a group"),
    Setting("pickup", "url", text, "", "how browsers reach the pickup (https://…), for links in notices; empty: no links"),
    Setting("admin", "listen", address, "127.0.0.1:8082", "address of the administration"),
    Setting("admin", "url", text, "", "address of the administration as people have it in their browser, for letters; empty: not told"),
    Setting("people", "behind_tls", flag, False, "browsers reach the faces by https: `__Host-` cookies and HSTS"),
    Setting("people", "notice", text, "", "text above the log-in"),
    Setting("people", "failures", whole, 5, "wrong passwords that lock an account"),
    Setting("people", "failures_privileged", whole, 3, "the same for privileged roles"),
    Setting("people", "locked", seconds, "15m", "how long it stays locked"),
    Setting("people", "idle", seconds, "30m", "a session that nobody uses ends"),
    Setting("people", "idle_privileged", seconds, "15m", "the same for privileged roles"),
    Setting("people", "longest", seconds, "12h", "every session ends"),
    Setting("people", "temporary", seconds, "72h", "a temporary password that nobody used is void"),
    Setting("people", "second_factor", choice("privileged", "all", "off"), "privileged", "who needs one: privileged, all or off"),
    Setting("people", "visits", flag, True, "a vendor's account (委託事業者) opens only for a visit that another person approved"),
    Setting("people", "elevation", seconds, "30m", "an administrator changes things so long after giving a reason; 0: without"),
    Setting("directory", "url", text, "", "directory (LDAP, Active Directory) that keeps the passwords: ldaps://host; empty: none"),
    Setting("directory", "base", text, "", "distinguished name below which people are"),
    Setting("directory", "bind", text, "", "distinguished name to read with; empty: anonymously"),
    Setting("directory", "password_file", text, "", "file of its password"),
    Setting("directory", "people", text, "(objectClass=person)", "filter of people"),
    Setting("directory", "login", text, "uid", "attribute of the log-in name; sAMAccountName in Active Directory"),
    Setting("directory", "department", text, "ou", "attribute of the departments, the main one first; department in Active Directory"),
    Setting("directory", "groups", many(text), [], "role:distinguished name of a group whose members get it; head: is 所属長"),
    Setting("directory", "start_tls", flag, True, "use StartTLS on ldap://"),
    Setting("directory", "ca", text, "", "certificates that are trusted (PEM); empty: those of the system"),
    Setting("directory", "timeout", seconds, "5s", "for each question"),
    Setting("sso", "issuer", text, "", "provider of single sign-on (OpenID Connect), its issuer: https://…; empty: none"),
    Setting("sso", "client_id", text, "", "what this installation is called there"),
    Setting("sso", "secret_file", text, "", "file of its secret; empty: PKCE alone"),
    Setting("sso", "login", text, "preferred_username", "claim that holds the log-in name"),
    Setting("audit", "anchor_file", text, "", "file in another place to which heads of the audit record are appended; empty: none"),
    Setting("audit", "anchor_syslog", text, "", "syslog server for the same (RFC 5424): udp://host or tcp://host:port; empty: none"),
    Setting("audit", "anchor_timestamp", text, "", "timestamping authority for the same (RFC 3161): http://… or https://…; empty: none"),
    Setting("audit", "anchor_trusted", text, "", "certificates (PEM) of which one stands behind its time stamps; empty: any"),
    Setting("audit", "anchor_every", seconds, "1h", "how often the record is anchored"),
    Setting("audit", "verify_at", clock, "5:00", "time of day at which the whole record is verified against its anchors"),
    Setting("audit", "hours", many(clock), ["8:30", "17:15"], "office hours; administration outside of them is inspected"),
    Setting("audit", "closed", many(text), ["12-29", "12-30", "12-31", "01-02", "01-03"],
            "days on which the office is closed besides Saturdays, Sundays and holidays (国民の祝日): month and day"),
    Setting("audit", "failures", whole, 5, "so many failed log-ins of one account or address on a day are shown by the inspection"),
    Setting("audit", "downloads", whole, 50, "so many files fetched by one person on a day are shown by the inspection"),
    Setting("retention", "audit", count, 1096, "days that the audit record is kept; 0: for good"),
    Setting("retention", "documents", count, 1827, "days that reports and other printed papers are kept; 0: for good"),
    Setting("retention", "transfers", count, 1827,
            "days that what is known of a transfer is kept once its files were disposed of; 0: for good"),
    Setting("reports", "at", clock, "7:00", "time of day at which reports of what is over are made and sent"),
    Setting("reports", "daily", many(text), [], "addresses that get the report of each day"),
    Setting("reports", "monthly", many(text), [], "addresses that get the report of each month, for the security committee"),
    Setting("reports", "yearly", many(text), [], "addresses that get the pack of each fiscal year (April to March), for the audit"),
    Setting("approvals", "patience", seconds, "24h", "a request that nobody answers goes to the next in the chain too"),
    Setting("approvals", "disposal", flag, True, "at the desk an original is disposed of early on another person's word only"),
    Setting("approvals", "unavoidable", flag, True, "an approver may decide his own request, with a reason that is reported upwards"),
    Setting("jail", "required", flag, True, "refuse to start without a working jail; false is for development only"),
)

_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, read. `config["smtp.size_limit"]`; the typed properties below are what the house uses."""

    values: Mapping[str, Any]
    folder: Path = field(default_factory=Path.cwd)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def path(self, name: str) -> Path:
        """A path setting, relative ones taken from the folder of the configuration file."""
        return (self.folder / str(self.values[name])).resolve()


def load(file: Path | None, environment: Mapping[str, str] = os.environ) -> Config:
    """Defaults, then the file, then the environment. Raises ConfigError."""
    given: dict[str, Any] = {}
    folder = Path.cwd()
    if file is not None:
        folder = file.resolve().parent
        given |= _from_file(file)
    known = {setting.environment: setting.name for setting in SETTINGS}
    for variable, value in environment.items():
        if variable in known:
            given[known[variable]] = value
    return Config({name: _read(setting, given.get(name, setting.default)) for name, setting in _BY_NAME.items()}, folder)


def _from_file(file: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file.name}: {error}") from None
    given = {}
    for section, keys in document.items():
        if not isinstance(keys, dict):
            raise ConfigError(f"{section}: not a setting")
        for key, value in keys.items():
            name = f"{section}.{key}"
            if name not in _BY_NAME:
                raise ConfigError(f"{name}: no such setting")
            given[name] = value
    return given


def _read(setting: Setting, value: object) -> object:
    try:
        return setting.read(value)
    except ValueError as error:
        raise ConfigError(f"{setting.name}: {error}, not {value!r}") from None


def commented() -> str:
    """The whole configuration with its defaults as a TOML file with a comment on each key."""
    lines = ["# Sekisho (関所). Every key is shown with its default; remove what you do not change."]
    section = ""
    for setting in SETTINGS:
        if setting.section != section:
            section = setting.section
            lines += ["", f"[{section}]"]
        lines.append(f"# {setting.meaning}")
        lines.append(f"{setting.key} = {written(setting.default)}")
    return "\n".join(lines) + "\n"


def written(value: object) -> str:
    """A value as it stands in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
