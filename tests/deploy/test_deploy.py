"""What stands in deploy/ is true of the product: units, samples, alert rules, dashboard, proxy, container file, scripts, run book."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway import cli, config, fittings, policy
from gateway.crossing import segments
from gateway.doctor import flows
from gateway.house import ROLES
from gateway.publishing import rescan
from gateway.road import results
from gateway.scanners import panel
from gateway.shares import document as shares
from gateway.telemetry import metrics
from gateway.telling import alarm

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SAMPLES = sorted(path.name for path in (DEPLOY / "settings").glob("*.toml") if path.name not in ("shares.toml", "outbound-policy.toml"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
BACKUP, ONE, SOME = UNITS

_METRIC = re.compile(r"\b(?:sekisho|process|python)_[a-z_]+\b")
_EXPORTERS = (alarm, metrics, panel, rescan, results)


def exported() -> set[str]:
    assert all(_EXPORTERS), "loaded, so that their meters are registered"
    names = {item.name for item in metrics.monitored()}
    histograms = {item.name for item in metrics.monitored() if item.kind == "histogram"}
    return names | {f"{name}_{end}" for name in histograms for end in ("bucket", "sum", "count")}


# ----------------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_read_and_says_nothing_that_is_not_so(name: str) -> None:
    given = config.load(DEPLOY / "settings" / name, {})
    assert segments.lane(given).source.name
    assert given["people.behind_tls"]
    assert given["jail.required"]
    table = flows.flows(given, frozenset(ROLES), {})
    assert all(row.port for row in table)
    assert "monitor.proxy" in {row.setting for row in table}
    assert given["monitor.listen"]


def test_there_is_a_sample_for_each_size() -> None:
    assert {"village.toml", "city-outer.toml", "city-inner.toml", "city-outbound.toml", "prefecture.toml"} == set(SAMPLES)


def test_the_two_halves_of_the_city_fit_together() -> None:
    outer, inner = (config.load(DEPLOY / "settings" / f"city-{side}.toml", {}) for side in ("outer", "inner"))
    assert segments.lane(outer) == segments.lane(inner)
    assert outer["crossing.to"] == f"https://{inner['crossing.listen']}"
    assert inner["crossing.clients"] == (outer["service.hostname"],)


def test_what_leaves_outbound_is_stripped_approved_and_held() -> None:
    given = config.load(DEPLOY / "settings/city-outbound.toml", {})
    assert given["drop.approval"] == "always"
    assert segments.post_way(given).hold == 0, "only bounces go by post"
    assert given["lane.hold"] == 600
    chosen = policy.load((DEPLOY / "settings" / given["policy.file"]).read_text("utf-8"))
    (layer,) = [layer for layer in chosen.layers if layer.lane == given["lane.name"]]
    assert layer.treatment["pdf_properties_kept"] == ()
    assert layer.treatment["comments_kept"] is False
    assert fittings.sender_limits(given) == (200, 1_000)
    assert chosen.treatment.mail_forwards_held
    assert chosen.treatment.mail_author_domains
    excepted = policy.load(policy.dump(chosen) + '[groups.list]\nsenders = ["a@b"]\n[groups.list.treatment]\nmail_forwards_held = false\n')
    for sender, held in (("a@b", False), ("c@d", True)):
        holds = policy.effective(excepted, policy.Facts(lane=given["lane.name"], door="smtp", sender=sender))
        assert holds.treatment.mail_forwards_held is held, "as the comment there says"


def test_the_sample_of_shares_is_read() -> None:
    assert set(shares.load(DEPLOY / "settings/shares.toml")) == {"zeimu"}


# ------------------------------------------------------------------------------------------------------------- units


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_as_closed_as_the_jail_allows(unit: Path) -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )
    level = re.search(r"Overall exposure level for .*: ([0-9.]+)", said.stdout)
    if level is None:
        pytest.skip(f"this systemd cannot: {said.stderr[:200]}")
    assert float(level[1]) <= 2.0
    assert "Unknown" not in said.stderr
    assert "ignoring" not in said.stderr


def directives(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text("utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_two_units_differ_in_their_roles_alone() -> None:
    one, some = directives(ONE), directives(SOME)
    assert [unit.name for unit in UNITS] == ["sekisho-backup.service", "sekisho.service", "sekisho@.service"]
    differ = {name for name in one | some if one.get(name) != some.get(name)}
    assert differ == {"Description", "ExecStart"}
    assert some["ExecStart"][0] == one["ExecStart"][0] + " --role %i"


def syscalls(unit: Path) -> set[str]:
    """What its filter lets pass, as this systemd knows the groups."""
    said = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, check=True, timeout=60).stdout
    groups: dict[str, list[str]] = {}
    for line in said.splitlines():
        if line.startswith("@"):
            name = line.split()[0]
            groups[name] = []
        elif line.startswith("    ") and groups and not line.strip().startswith("#"):
            groups[name].append(line.strip())

    def members(name: str) -> set[str]:
        return set[str]().union(*(members(one) for one in groups[name])) if name.startswith("@") else {name}

    allowed: set[str] = set()
    for value in directives(unit)["SystemCallFilter"]:
        named = set[str]().union(*(members(name) for name in value.lstrip("~").split()))
        allowed = allowed - named if value.startswith("~") else allowed | named
    return allowed


@pytest.mark.skipif(not (shutil.which("systemd-analyze") and shutil.which("strace")), reason="systemd or strace is not here")
def test_the_filter_of_the_unit_lets_the_whole_road_pass(tmp_path: Path) -> None:
    """Every system call of a run, the warm parent's and the jailed child's too. Only root drops its rights, and the service is not root."""
    (tmp_path / "a.txt").write_text("hello", "utf-8")
    trace, top = tmp_path / "trace", DEPLOY.parent
    command = ["strace", "-f", "-qq", "-o", str(trace), str(top / ".venv/bin/python"), "-m", "gateway.cli", "sanitize"]
    subprocess.run([*command, "a.txt", "-o", "out", "--report", "rep", "--no-progress"], cwd=tmp_path, check=False, capture_output=True,
                   timeout=120, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(top)})  # fmt: skip
    used = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", trace.read_text("utf-8", "replace"), re.MULTILINE))
    if "ptrace" in used or len(used) < 40:
        pytest.skip("nothing can be traced here")
    assert {"seccomp", "unshare"} & used, "the jail was put up"
    assert used - syscalls(ONE) <= {"setgroups", "setresuid", "setresgid"}


def test_the_timer_makes_a_backup_that_can_be_restored(tmp_path: Path) -> None:
    """The command of the unit itself, at other places; and its filter lets every system call of it pass."""
    top, home, key, settings = DEPLOY.parent, tmp_path / "var", tmp_path / "backup.key", tmp_path / "sekisho.toml"
    key.write_text("a long password of a backup\n")
    settings.write_text(f'[storage]\npath = "{home}"\n')
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(top), "SEKISHO_STORAGE_PATH": str(home)}
    sekisho = [str(top / ".venv/bin/python"), "-m", "gateway.cli"]
    made = subprocess.run([*sekisho, "user", "add", "kakari", "--role", "staff", "--config", str(settings)], env=environment, check=False, capture_output=True)
    assert made.returncode == 0, made.stderr
    (line,) = directives(BACKUP)["ExecStart"]
    words = shlex.split(line.replace("%%", "%"))
    command = words[-1].replace("/opt/sekisho/.venv/bin/sekisho", " ".join(sekisho)).replace("/var/backups/sekisho", str(tmp_path))
    command = command.replace("/etc/sekisho", str(tmp_path))
    tracing = ["strace", "-f", "-qq", "-o", str(tmp_path / "trace")] if shutil.which("strace") and shutil.which("systemd-analyze") else []
    done = subprocess.run([*tracing, *words[:-1], command], env=environment, check=False, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (sealed,) = tmp_path.glob("sekisho-[1-7].sealed")
    other = tmp_path / "other.toml"
    other.write_text(f'[storage]\npath = "{tmp_path / "back"}"\n')
    back = subprocess.run([*sekisho, "restore", str(sealed), "--password-file", str(key), "--config", str(other), "--json"],
                          env=environment | {"SEKISHO_STORAGE_PATH": str(tmp_path / "back")}, check=False, capture_output=True, timeout=120)  # fmt: skip
    assert back.returncode == 0, back.stderr
    assert (tmp_path / "back/sekisho.db").exists()
    used = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", (tmp_path / "trace").read_text("utf-8", "replace"), re.MULTILINE)) if tracing else set()
    assert used - syscalls(BACKUP) <= {"fchown"}, "SQLite gives its files to the owner of the folder where it is root, and only there"


def test_the_timer_runs_the_backup_every_day() -> None:
    timer = directives(DEPLOY / "systemd/sekisho-backup.timer")
    assert timer["OnCalendar"] == ["*-*-* 02:30:00"]
    assert timer["Persistent"] == ["yes"], "a machine that was off makes up for it"


# ---------------------------------------------------------------------------------------------------------- monitoring


def test_every_metric_of_the_alert_rules_is_exported() -> None:
    text = (DEPLOY / "monitoring/alerts.yml").read_text("utf-8")
    expressions = re.findall(r"^        expr: (.+)$", text, re.MULTILINE)
    assert len(expressions) == text.count("- alert: ") >= 20
    named = set(_METRIC.findall(" ".join(expressions)))
    assert len(named) >= 15
    assert named <= exported(), named - exported()
    assert len(re.findall(r"^        labels: \{severity: (?:warning|critical)\}$", text, re.MULTILINE)) == len(expressions)
    assert len(re.findall(r'^        annotations: \{summary: "[^"]+ / [^"]+"\}$', text, re.MULTILINE)) == len(expressions)


def test_every_metric_of_the_dashboard_is_exported() -> None:
    dashboard = json.loads((DEPLOY / "monitoring/dashboard.json").read_text("utf-8"))
    expressions = [target["expr"] for panel_ in dashboard["panels"] for target in panel_["targets"]]
    named = set().union(*(set(_METRIC.findall(expression)) for expression in expressions))
    assert named <= exported(), named - exported()
    places = [(panel_["gridPos"]["x"], panel_["gridPos"]["y"]) for panel_ in dashboard["panels"]]
    assert len(set(places)) == len(places)


def test_what_goes_wrong_most_has_an_alert() -> None:
    text = (DEPLOY / "monitoring/alerts.yml").read_text("utf-8")
    for name in ("sekisho_ready", "sekisho_required_scanner_silent", "sekisho_crossings_refused_total", "sekisho_disk_free_bytes",
                 "sekisho_certificate_expires_timestamp_seconds", "sekisho_clock_synchronised", "sekisho_late_hits_total"):  # fmt: skip
        assert name in text


# ------------------------------------------------------------------------------------------------ container and scripts


def test_the_container_file_copies_what_there_is_and_runs_as_nobody_special() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    lines = re.sub(r"\\\n", " ", text).splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    assert {step[0] for step in steps} <= {
        "FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"
    }  # fmt: skip
    for name, rest in steps:
        if name == "COPY" and "--from" not in rest:
            assert all((DEPLOY.parent / source).exists() for source in rest.split()[:-1]), rest
        if name == "RUN" and "apt-get install" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists" in rest
    packages = {line.split()[0] for line in (DEPLOY / "packages.txt").read_text("utf-8").splitlines() if line.split()[1:2] == ["run"]}
    assert all(package in text for package in packages)
    last = [rest for name, rest in steps if name == "USER"][-1]
    assert last not in ("0", "root")
    assert "--require-hashes" in text
    from_ = [rest for name, rest in steps if name == "FROM"]
    assert all(":" in one and ":latest" not in one for one in from_)


@pytest.mark.parametrize("script", ["install.sh", "uninstall.sh"])
def test_the_scripts_are_right_as_far_as_a_shell_can_tell(script: str) -> None:
    text = (DEPLOY / script).read_text("utf-8")
    assert "set -eu" in text
    subprocess.run(["sh", "-n", str(DEPLOY / script)], check=True, timeout=20)


# -------------------------------------------------------------------------------------------------------------- proxy


def test_the_proxy_leads_to_the_faces_and_hides_what_is_for_machines() -> None:
    text = (DEPLOY / "proxy/nginx.conf").read_text("utf-8")
    given = config.load(None, {})
    for face in ("drop", "pickup", "admin"):
        assert f"proxy_pass http://127.0.0.1:{given[f'{face}.listen'][1]};" in text
    assert text.count("location ~ ^/(metrics|readyz|healthz)$ { return 404; }") == 3


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here")
def test_nginx_reads_it(tmp_path: Path) -> None:
    (tmp_path / "sekisho").mkdir()
    for name in ("proxy.conf", "tls.conf"):
        text = (DEPLOY / "proxy" / name).read_text("utf-8")
        (tmp_path / "sekisho" / name).write_text(re.sub(r"^ssl_certificate.*$", "", text, flags=re.MULTILINE))
    sites = (DEPLOY / "proxy/nginx.conf").read_text("utf-8").replace("/etc/nginx/sekisho", str(tmp_path / "sekisho"))
    (tmp_path / "sites.conf").write_text(sites)
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ include {tmp_path}/sites.conf; }}\n")
    said = subprocess.run(["nginx", "-t", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True, check=False, timeout=30)
    assert "[emerg]" not in said.stderr or 'no "ssl_certificate" is defined' in said.stderr, said.stderr


# ------------------------------------------------------------------------------------------------------------ run book


@pytest.mark.parametrize("book", ["RUNBOOK.ja.md", "RUNBOOK.md"])
def test_the_run_book_names_commands_and_files_that_there_are(book: str) -> None:
    text = (DEPLOY / book).read_text("utf-8")
    for command in set(re.findall(r"^\s*(?:sudo -u sekisho )?sekisho ([a-z]+)", text, re.MULTILINE)):
        assert command in cli._COMMANDS, command
    for name in set(re.findall(r"\bdeploy/([A-Za-z0-9_./@-]+\.[a-z]+)", text)):
        assert (DEPLOY / name).exists(), name
    known = {setting.name for setting in config.SETTINGS}
    for name in set(re.findall(r"`\[([a-z0-9]+)\] ([a-z0-9_]+)`", text)):
        assert ".".join(name) in known, name


def test_both_run_books_have_the_same_chapters() -> None:
    ja, en = ((DEPLOY / book).read_text("utf-8") for book in ("RUNBOOK.ja.md", "RUNBOOK.md"))
    assert len(re.findall(r"^## ", ja, re.MULTILINE)) == len(re.findall(r"^## ", en, re.MULTILINE)) >= 9
    blocks = [re.findall(r"```(?:sh|toml)\n(.*?)```", text, re.DOTALL) for text in (ja, en)]
    plain = [[re.sub(r"\s*#.*", "", block).strip() for block in some] for some in blocks]
    assert plain[0] == plain[1], "the same is typed in both"
