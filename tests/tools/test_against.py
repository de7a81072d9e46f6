# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How times to levels, ratios and tables come from runs, by hand; nobody is raced here."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import against
import against_cases as cases
import against_environment
import against_results as results
import against_sweep as sweep
import against_tables as tables

TASK = cases.Task("shape", "shape", "ico", 64, (0.02, 0.01))


def run(contestant: str, seed: int, points: list[tuple[int, float, float]]) -> dict:
    """points: steps, seconds and chamfer of each checkpoint."""
    return {
        "contestant": contestant,
        "seed": seed,
        "steps": points[-1][0],
        "setup_s": 0.5,
        "peak_memory_mb": 100.0 + seed,
        "checkpoints": [
            {"steps": steps, "seconds": seconds, "chamfer": chamfer} for steps, seconds, chamfer in points
        ],
    }


OURS = [
    run("edge", 0, [(10, 1.0, 0.03), (20, 2.0, 0.01)]),
    run("edge", 0, [(20, 2.0, 0.02), (40, 4.0, 0.005)]),
    run("edge", 1, [(10, 1.0, 0.02), (20, 3.0, 0.01)]),
]
OTHER = [
    run("other", 0, [(10, 10.0, 0.03), (20, 20.0, 0.01)]),
    run("other", 1, [(10, 10.0, 0.03), (20, 30.0, 0.012)]),
]


def test_a_level_between_two_checkpoints_is_interpolated() -> None:
    points = OURS[0]["checkpoints"]
    assert results.reached(points, 0.02, "chamfer", True) == {"steps": 15.0, "seconds": 1.5}
    assert results.reached(points, 0.01, "chamfer", True) == {"steps": 20.0, "seconds": 2.0}
    assert results.reached(points, 0.009, "chamfer", True) is None


def test_a_level_that_the_first_checkpoint_passes_is_not_dated_before_it() -> None:
    points = [{"steps": 8, "seconds": 0.5, "object_psnr": 31.0}]
    assert results.reached(points, 30.0, "object_psnr", False) == {"steps": 8, "seconds": 0.5}
    assert results.reached(points, 31.5, "object_psnr", False) is None


def test_the_first_crossing_counts_even_where_quality_falls_again() -> None:
    points = [
        {"steps": step, "seconds": float(step), "object_psnr": value}
        for step, value in ((1, 20.0), (2, 40.0), (3, 30.0), (4, 50.0))
    ]
    assert results.reached(points, 30.0, "object_psnr", False) == {"steps": 1.5, "seconds": 1.5}


def test_the_least_over_lengths_counts_and_then_the_median_over_seeds() -> None:
    row = results.contestant_row(TASK, "edge", OURS)
    assert row["seeds"] == [0, 1]
    first, second = row["levels"]
    assert first["seconds"] == {"median": 1.25, "least": 1.0, "most": 1.5}
    assert second["seconds"] == {"median": 2.5, "least": 2.0, "most": 3.0}
    assert second["steps"]["median"] == 20.0
    assert (row["end_steps"], row["end"]["chamfer"]["median"]) == (40, 0.005)
    assert row["peak_memory_mb"] == 101.0
    assert row["ms_per_step"] == pytest.approx(100.0)


def test_a_level_that_a_seed_misses_has_no_median_and_no_ratio() -> None:
    ours, other = (
        results.contestant_row(TASK, name, runs) for name, runs in (("edge", OURS), ("other", OTHER))
    )
    assert other["levels"][1]["missed"] == 1
    assert "seconds" not in other["levels"][1]
    first, second = results.ratios(TASK, ours, other)
    # 15 s against 1.5 s with seed 0; 10 + 20 * 10 / 18 s against 1 s with seed 1.
    assert first["times"]["least"] == pytest.approx(10.0)
    assert first["times"]["most"] == pytest.approx(10.0 + 200.0 / 18.0)
    assert second["times"] is None


def test_checkpoints_end_with_the_last_step() -> None:
    for steps in (1, 7, 16, 100, 1601):
        marks = cases.checkpoints(steps)
        assert marks[-1] == steps
        assert marks == sorted(set(marks))
        assert marks[0] >= 1


def comparison() -> dict:
    rows = [results.contestant_row(TASK, name, runs) for name, runs in (("edge", OURS), ("other", OTHER))]
    return {
        "name": "shape",
        "levels": TASK.levels,
        "resolution": 64,
        "vertices": 12,
        "views": 3,
        "source": "here",
        "figure": "chamfer",
        "floor_ms": 1.5,
        "contestants": rows,
        "ratios": [{"ours": "edge", "other": "other", "levels": results.ratios(TASK, *rows)}],
    }


def test_markdown_tables_have_as_many_cells_in_each_row() -> None:
    text = tables.task_table(comparison(), markdown=True)
    blocks = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 3
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1
        assert set(block.splitlines()[1]) <= set("|-: ")
    assert "not by 1 of 2" in text
    assert "15.6 (10.0-21.1)" in text


def test_quick_takes_one_task_of_each_kind() -> None:
    options = SimpleNamespace(only=None, quick=True, sweep=False)
    assert [task.kind for task in against.chosen_tasks(options)] == ["shape", "texture"]
    options = SimpleNamespace(only="shape", quick=False, sweep=False)
    assert {task.kind for task in against.chosen_tasks(options)} == {"shape"}
    options = SimpleNamespace(only="shape", quick=False, sweep=True)
    assert len(against.chosen_tasks(options)) == 1


def test_every_contestant_has_lengths_and_mitsuba_settings_for_its_tasks() -> None:
    for contestant in cases.CONTESTANTS:
        for kind in contestant.way:
            assert contestant.lengths[kind]
            assert contestant.tool == "ours" or "rate" in contestant.settings[kind]


def test_shapes_meet_mitsuba_with_its_own_momentum_and_with_ours() -> None:
    ways = [each for each in cases.MITSUBA if each.way.get("shape") == "integrator"]
    assert {each.settings["shape"]["momentum"] for each in ways} == {0.9, 0.3}
    assert len({each.name for each in cases.CONTESTANTS}) == len(cases.CONTESTANTS)


SETTINGS = {"rate": [0.2, 0.01], "momentum": 0.9, "smoothing": [9.0, 1.0], "loss": "l1", "samples": 1}


def test_a_sweep_changes_one_setting_at_a_time_and_never_momentum() -> None:
    found = sweep.neighbours(SETTINGS)
    for each in found:
        changed = [name for name in SETTINGS if each[name] != SETTINGS[name]]
        assert len(changed) == 1
        if changed[0] in ("rate", "smoothing"):
            pairs = zip(each[changed[0]], SETTINGS[changed[0]], strict=True)
            assert sum(new != old for new, old in pairs) == 1
    assert {json.dumps(each["smoothing"]) for each in found} == {
        json.dumps(pair) for pair in ([9.0, 1.0], [6.0, 1.0], [14.0, 1.0], [9.0, 0.5], [9.0, 2.0])
    }
    assert {each["momentum"] for each in found} == {0.9}
    assert {each["samples"] for each in found} == {1, 2, 4}
    assert all(set(each) == {"rate"} for each in sweep.neighbours({"rate": [0.1, 0.01]}))


def tried(settings: dict, *chamfers: float) -> dict:
    return {"settings": settings, "merit": sweep.merit(TASK, list(chamfers))}


def test_a_sweep_moves_for_what_is_more_than_chance_and_for_no_more_samples() -> None:
    faster = {**SETTINGS, "rate": [0.3, 0.01]}
    finer = {**SETTINGS, "samples": 4}
    begin = tried(SETTINGS, 0.01, 0.005)
    # 10 % less at one length, as much more at the other: no better.
    assert sweep.best("shape", SETTINGS, [begin, tried(faster, 0.009, 0.0056)]) is None
    assert sweep.best("shape", SETTINGS, [begin, tried(faster, 0.0098, 0.0049)]) is None
    assert sweep.best("shape", SETTINGS, [begin, tried(faster, 0.008, 0.005)]) == faster
    assert sweep.best("shape", SETTINGS, [begin, tried(finer, 0.008, 0.004)]) is None


def test_of_textures_the_greater_psnr_is_better() -> None:
    task = cases.Task("texture", "texture", "suzanne", 64, (30.0,))
    assert sweep.merit(task, [34.0, 36.0]) == 35.0
    pair = [{"settings": {"rate": [rate, 0.01]}, "merit": 35.0 + rate} for rate in (0.1, 0.5)]
    assert sweep.best("texture", {"rate": [0.1, 0.01]}, pair) == {"rate": [0.5, 0.01]}
    assert sweep.best("texture", {"rate": [0.5, 0.01]}, pair) is None


def test_llvm_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRJIT_LIBLLVM_PATH", "/some/where/libLLVM.so")
    assert against_environment.find_llvm() == Path("/some/where/libLLVM.so")


def test_without_llvm_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("find_llvm", "_installed_llvm", "_unpacked_llvm"):
        monkeypatch.setattr(against_environment, name, lambda: None)
    with pytest.raises(against_environment.SetupError, match="libllvm19"):
        against_environment.prepare(Path("python"))
