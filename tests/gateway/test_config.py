"""Settings: defaults, file, environment, and one clear line for whatever is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gateway import config
from gateway.config import ConfigError


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "sekisho.toml"
    file.write_text(text, "utf-8")
    return file


def test_the_printed_configuration_is_the_default_one(tmp_path: Path) -> None:
    assert config.load(written(tmp_path, config.commented()), {}).values == config.load(None, {}).values


def test_every_setting_is_documented_once() -> None:
    names = [setting.name for setting in config.SETTINGS]
    assert len(names) == len(set(names))
    assert all((setting.meaning and setting.meaning[0].islower()) or setting.meaning.startswith("STARTTLS") for setting in config.SETTINGS)


def test_the_contract_keys_have_their_contract_defaults() -> None:
    defaults = config.load(None, {})
    assert defaults["smtp.listen"] == (("127.0.0.1", 2525),)
    assert defaults["smtp.size_limit"] == 20 << 20
    assert defaults["smtp.domains"] == ("town.example.jp",)
    assert defaults["relay.next_hop"] == ("127.0.0.1", 2526)
    assert defaults["relay.retry"] == (60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0)
    assert [defaults[f"{face}.listen"][1] for face in ("drop", "pickup", "admin")] == [8080, 8081, 8082]
    assert defaults["jail.required"] is True
    assert tomllib.loads(config.commented())["storage"]["path"] == "var"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, '[smtp]\nsize_limit = "1 MiB"\ndomains = ["a.example"]\n')
    read = config.load(file, {"SEKISHO_SMTP_SIZE_LIMIT": "2 MiB", "SEKISHO_SMTP_LISTEN": "127.0.0.1:25, [::1]:26"})
    assert read["smtp.size_limit"] == 2 << 20
    assert read["smtp.domains"] == ("a.example",)
    assert read["smtp.listen"] == (("127.0.0.1", 25), ("::1", 26))


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    assert config.load(written(tmp_path, ""), {}).path("storage.path") == tmp_path / "var"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[smtp]\nsizelimit = 1", "smtp.sizelimit: no such setting"),
        ("x = 1", "x: not a setting"),
        ('[smtp]\nsize_limit = "many"', "smtp.size_limit: must be a size"),
        ('[smtp]\nlisten = ["nowhere"]', "smtp.listen: must be an address"),
        ('[smtp]\nlisten = ["127.0.0.1:99999"]', "smtp.listen: must be an address"),
        ('[smtp]\ndomains = ["two words"]', "smtp.domains: must be a domain"),
        ('[smtp]\ndomains = "a b"', "smtp.domains: must be a domain"),
        ("[smtp]\nmax_connections = 0", "smtp.max_connections: must be a whole number"),
        ("[smtp]\nmax_connections = true", "smtp.max_connections: must be a whole number"),
        ('[relay]\nretry = ["soon"]', "relay.retry: must be a time"),
        ('[relay]\ntls = "maybe"', "relay.tls: must be one of"),
        ('[jail]\nrequired = "perhaps"', "jail.required: must be true or false"),
        ("[smtp", "sekisho.toml: "),
        ("[service]\nhostname = 7", "service.hostname: must be text"),
        ('[reports]\nat = "25:00"', "reports.at: must be a time of day"),
        ("[smtp]\ndomains = 7", "smtp.domains: must be a list"),
    ],
)
def test_a_bad_setting_is_named_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.load(written(tmp_path, text), {})
    assert str(error.value).startswith(says)
    assert "\n" not in str(error.value)


def test_a_number_may_come_as_letters(tmp_path: Path) -> None:
    """The environment knows nothing else."""
    assert config.load(None, {"SEKISHO_SMTP_MAX_CONNECTIONS": "7"})["smtp.max_connections"] == 7
    with pytest.raises(ConfigError, match=r"smtp\.max_connections: must be a whole number"):
        config.load(None, {"SEKISHO_SMTP_MAX_CONNECTIONS": "七"})
