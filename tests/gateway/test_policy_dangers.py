"""What a policy says that is unsafe is told, and nothing else is."""

from __future__ import annotations

import pytest

from gateway.policy import Policy, Strength, load
from gateway.policy import warnings as warnings_of


def test_the_builtin_policy_and_the_strengths_need_no_warning() -> None:
    assert warnings_of(Policy()) == ()
    for strength in Strength:
        assert warnings_of(load(f'strength = "{strength}"')) == ()


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ("[treatment]\nlink_schemes = ['https', 'javascript']", "treatment.link_schemes"),
        ("[treatment]\nconfirmed_kinds = ['pe']", "treatment.confirmed_kinds"),
        ("[treatment]\nconfirmed_kinds = ['dwg']", "treatment.confirmed_kinds"),
        ("[treatment]\nmail_links_defanged = false", "treatment.mail_links_defanged"),
        ("[limits]\nexpansion_ratio = 5000", "limits.expansion_ratio"),
        ("[kinds]\nunknown = 'sanitize'", "kinds.unknown"),
        ("[organisations.a.treatment]\nmail_links_defanged = false", "organisations.a.treatment.mail_links_defanged"),
        ("[kinds]\nsvg = 'hold'\n[groups.a]\nsenders = ['x']\nkinds = {svg = 'sanitize'}", "groups.a"),
        ("[groups.a]\nsenders = ['x']\ntreatment = {pdf_attachments = true}", "groups.a"),
    ],
)
def test_what_is_unsafe_is_said(document: str, key: str) -> None:
    said = warnings_of(load(document))
    assert any(line.startswith(f"{key}:") for line in said), said


@pytest.mark.parametrize("scheme", ["javascript", "vbscript", "data", "file", "ms-msdt", "search-ms", "shell", "smb", "SHELL"])
def test_a_scheme_that_readers_run_is_said(scheme: str) -> None:
    (line,) = warnings_of(load(f"[treatment]\nlink_schemes = ['https', '{scheme}']"))
    assert scheme in line


EXECUTABLE = ["pe", "elf", "macho", "class", "jar", "apk", "script", "lnk", "url", "chm", "msi"]


@pytest.mark.parametrize("kind", EXECUTABLE)
def test_a_kind_that_runs_is_said(kind: str) -> None:
    (line,) = warnings_of(load(f"[treatment]\nconfirmed_kinds = ['{kind}']"))
    assert "executable" in line
    (line,) = warnings_of(load(f"[kinds]\n{kind} = 'sanitize'"))
    assert "cannot be rebuilt" in line
    assert warnings_of(load(f"[kinds]\n{kind} = 'hold'")) == ()


def test_other_kinds_are_confirmed_or_rebuilt_without_a_word() -> None:
    assert warnings_of(load("[treatment]\nconfirmed_kinds = ['dxf']")) == ()
    assert warnings_of(load("[kinds]\npdf = 'sanitize'")) == ()
    (line,) = warnings_of(load("[treatment]\nconfirmed_kinds = ['dwg']"))
    assert "cannot be checked" in line


@pytest.mark.parametrize(("times", "said"), [(4, False), (4.01, True)])
def test_limits_of_more_than_four_times_the_builtin_ones_are_said(times: float, said: bool) -> None:
    assert bool(warnings_of(load(f"[limits]\nexpansion_ratio = {int(200 * times)}"))) is said


def test_a_strength_for_a_sender_is_said_and_a_layer_for_members_is_not() -> None:
    (line,) = warnings_of(load("[groups.a]\nsenders = ['x']\nstrength = 'security'"))
    assert "(strength)" in line
    assert warnings_of(load("[groups.a]\nmembers = ['x']\nstrength = 'fidelity'\nkinds = {svg = 'sanitize'}\n[kinds]\nsvg = 'hold'")) == ()
    (line,) = warnings_of(load("[groups.a]\nsenders = ['x']\nkinds = {svg = 'sanitize', pdf = 'sanitize'}\ntreatment = {comments_kept = true}\n[kinds]\nsvg = 'hold'"))
    assert "kinds.svg)" in line
    assert "pdf" not in line


def test_a_sender_may_be_treated_more_strictly_without_a_word() -> None:
    assert warnings_of(load("[groups.a]\nsenders = ['x']\nkinds = {svg = 'hold'}\ntreatment = {pdf_links_removed = true}")) == ()
