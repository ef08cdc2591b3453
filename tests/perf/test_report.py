"""What turns measurements into a report: nothing here is timed."""

from __future__ import annotations

import importlib
import math
import time
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from perf import aims, flame, floor, growth, load_cli, peers, percentiles, plots, report, stalls, start
from perf.growth import Curve
from perf.plots import Bar
from perf.traffic import File

SCRIPTS = sorted(path.stem for path in Path(report.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_loads_and_says_what_it_measures(name: str) -> None:
    module: ModuleType = importlib.import_module(f"perf.{name}")
    assert module.__doc__
    assert f"`{name}.py`" in (Path(report.__file__).with_name("README.md")).read_text("utf-8"), "perf/README.md names every script"


# ---------------------------------------------------------------------------------------------------------- percentiles


def test_a_client_that_waited_ten_turns_counts_for_those_it_did_not_send() -> None:
    seen = [0.1] * 99 + [1.0]
    fair = percentiles.corrected(seen, 0.1)
    assert len(fair) == 99 + 10
    assert percentiles.waits(seen).p95 == 0.1
    assert percentiles.waits(fair).p95 == pytest.approx(0.5, abs=0.11)


def test_an_open_loop_is_left_as_it_is() -> None:
    assert percentiles.corrected([0.3, 2.0], 0.0) == [0.3, 2.0]


def test_nothing_measured_is_not_zero() -> None:
    assert math.isnan(percentiles.waits([]).p95)


# --------------------------------------------------------------------------------------------------------------- growth


@pytest.mark.parametrize(("power", "straight"), [(1.0, True), (2.0, False)])
def test_a_square_is_told_from_a_line(power: float, straight: bool) -> None:
    curve = Curve("pages", tuple((count, 0.001 * count**power) for count in (25, 50, 100, 200)))
    assert curve.power == pytest.approx(power)
    assert (curve.power <= growth.STRAIGHT) is straight
    assert (curve.fit > 0.999) is straight


# ---------------------------------------------------------------------------------------------------------------- plots


def test_half_the_work_is_half_as_wide() -> None:
    drawn = plots.flames({"before": {"a (gateway/x.py);b (y.py)": 10.0}, "after": {"a (gateway/x.py)": 5.0}}, "ms")
    boxes = [box for box in ET.fromstring(drawn).iter() if box.tag.endswith("rect")]
    assert [float(box.attrib["width"]) for box in boxes] == [1200.0, 1200.0, 600.0]


def test_thin_frames_are_left_out() -> None:
    drawn = plots.flames({"now": {"wide": 999.0, "thin": 1.0}}, "ms")
    assert "wide" in drawn
    assert "thin" not in drawn


def test_names_from_files_are_text_in_a_drawing() -> None:
    drawn = plots.bars([Bar("<b>&", 1.0, 2.0)]) + plots.curves({"<i>": [(1.0, 1.0), (2.0, 2.0)]}, {"<i>": "&"})
    assert "<b>" not in drawn
    assert "<i>" not in drawn


def test_stacks_are_named_by_room_and_added_up() -> None:
    raw = "run (/some/where/gateway/road/pipeline.py:12);read (/usr/lib/json.py) 3\nrun (/x/gateway/road/pipeline.py:40);read (/usr/lib/json.py) 4\nnoise\n"
    assert flame.collapsed(raw) == {"run (gateway/road/pipeline.py);read (json.py)": 7}


# --------------------------------------------------------------------------------------------------------------- stalls


def test_a_stall_is_explained_by_what_took_most_of_it() -> None:
    told = {"beats": 9, "seconds": 3.0, "stalls": [
        [0.1, 0.5, 0.5, 0.0, "start"], [1.0, 0.030, 0.025, 0.001, "a"], [1.2, 0.060, 0.002, 0.050, "b"], [1.5, 0.040, 0.004, 0.001, "c"],
    ]}  # fmt: skip
    found = stalls.explained(told, since=0.5)
    assert found["by cause"] == {"ours": 1, "machine": 1, "waiting": 1}
    assert found["longest of ours ms"] == 25.0
    assert found["places"] == ["a: 1 ×, longest 25 ms"]


# -------------------------------------------------------------------------------------------------------------- command


def test_an_output_that_is_not_right_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"other")
    lines = b'{"path": "a.txt", "verdict": "clean", "reason": null, "output": {"name": "a.txt", "path": "a.txt", "sha256": "00"}}\n'
    files = {"a.txt": File("a.txt", b"x"), "lost.txt": File("lost.txt", b"y")}
    assert sorted(load_cli.faults(files, tmp_path, lines)) == ["a.txt: another digest than reported", "lost.txt: no report"]


def test_a_file_that_must_stay_inside_may_not_come_out(tmp_path: Path) -> None:
    (tmp_path / "left over").write_bytes(b"")
    lines = b'{"path": "bomb.zip", "verdict": "held", "reason": "limit_exceeded", "output": null}\n'
    assert load_cli.faults({"bomb.zip": File("bomb.zip", b"", delivers=False)}, tmp_path, lines) == ["left over: nobody's output"]
    assert load_cli.faults({"bomb.zip": File("bomb.zip", b"")}, tmp_path, lines)[0] == "bomb.zip: held limit_exceeded"


# ----------------------------------------------------------------------------------------------------------------- aims


def test_a_row_that_was_not_measured_is_neither_met_nor_missed() -> None:
    assert {stand.said for stand in aims.stands({"ratios": {}})} == {"not measured"}


def test_where_each_stands_is_said_by_factor() -> None:
    slow, much = aims.AIMS[0]._replace(bound=2.0), aims.AIMS[0]._replace(bound=2.0, least=True)
    assert aims.Stand(slow, 3.0).said == "missed by a factor of 1.50"
    assert aims.Stand(much, 1.0).said == "missed by a factor of 2.00"
    assert aims.Stand(slow, 2.0).said == aims.Stand(much, 2.0).said == "met"
    assert "| ≤ 2 " in aims.table([aims.Stand(slow, 3.0)])[-1]


# --------------------------------------------------------------------------------------------------------------- report


def test_the_gate_names_what_is_a_quarter_above_its_baseline() -> None:
    assert report.worse({"a": 1.24, "b": 1.26, "new": 9.0}, {"a": 1.0, "b": 1.0, "gone": 1.0}) == ["b: 1.26 against 1.0 in the baseline"]


def test_old_formats_stand_apart_from_the_ratio() -> None:
    rows = {"pdf": floor.Row(1, 10, 1.0, 2.0), "doc": floor.Row(1, 10, 0.0, 50.0)}
    assert report.ratios({"rows": rows})["engine/floor all"] == 2.0


def test_a_part_without_time_is_named_and_left_out() -> None:
    parts = [report.Part("curves", 0.0, lambda _: []), report.Part("long", 10_000.0, lambda _: pytest.fail("no time for it"))]
    found = report.measured(parts, time.monotonic() + 60)
    assert found["left_out"] == ["long"]
    assert "Left out, no time: long." in report.markdown(found, aims.stands(found))


def test_the_page_holds_the_tables_and_text_of_others_stays_text() -> None:
    page = report.page("# Title\n\n| a | b |\n| --- | --- |\n| <script> | 1 |\n\n* one & two\n", {"plot": "<svg/>"})
    assert "<h1>Title</h1>" in page
    assert "<td>&lt;script&gt;</td>" in page
    assert "<li>one &amp; two</li>" in page
    assert "<svg/>" in page


def test_a_whole_report_is_told_with_its_pictures_and_no_script_output() -> None:
    waits = percentiles.waits([0.1, 0.2])._asdict()
    memory = {"service and warm parent": 99.0, "child p99": 60.0}
    one = {
        "mails_per_second": 40.0, "of_floor": 0.7, "cpu_ms_per_mail": 9.0, "floor_ms_per_mail": 3.0, "way": waits, "memory": memory,
        "faults": ["lost"],
    }  # fmt: skip
    found: report.Found = {
        "rows": {"pdf": floor.Row(1, 10, 1.0, 1.5)}, "loads": {"mixed": one, "texts": one | {"mails_per_second": 500.0}, "half": one}, "left_out": [], "seconds": {},
        "servers": {"Postfix, accepts and relays": {"mails_per_second": 80.0, "cpu_ms_per_mail": 4.5, "ours_over_theirs": 0.5}},
        "jail": {"text of 10 KB": {"more": 3.0}}, "scaling": {"ratio": 1.9}, "repeats": {"200 KiB": {"p50": 2.0}},
        "start": {"service again": start.Began(1.0, 1.5, 2.0)}, "archive": {"child largest": 325.0}, "curves": [Curve("pages", ((1, 1.0), (2, 2.0), (4, 4.0)))],
        "programs": [peers.Beside("pdf", "qpdf", 0.2)], "benches": [("bench_x", "much output")],
    }  # fmt: skip
    found["ratios"] = report.ratios(found)
    stands, drawn = aims.stands(found), report.drawings(found)
    assert {stand.said for stand in stands} == {"met"}
    assert found["ratios"]["mixed mails/floor"] == 3.0
    assert found["ratios"]["text mails/Postfix"] == 2.0
    assert report.wrong(found) == ["mixed: lost", "texts: lost", "half: lost"]
    text = report.kept(found, stands, drawn)
    assert "much output" not in text
    assert "much output" in report.markdown(found, stands)
    assert "qpdf | 0.20 | writes the file anew" in text
    for name, svg in drawn.items():
        assert f"](pictures/{name}.svg)" in text
        ET.fromstring(svg)
    assert set(drawn) == {"engine-over-floor", "growth", "programs"}


def test_what_a_program_writes_stays_in_the_folder_of_its_run() -> None:
    places = {"IN": "/f/in.pdf", "OUT": "/f/out"}
    words = [word for commands in peers._PROGRAMS.values() for command in commands.values() for word in command]
    filled = [peers._filled(word, places) for word in words]
    assert "-sOutputFile=/f/out.pdf" in filled
    assert not [word for word in filled if "OUT" in word]
