# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What benchmarks are asked for that cannot be measured is refused before anything is set up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import benchmark
import benchmark_memory
import benchmark_scaling


@pytest.mark.parametrize(
    ("main", "arguments", "said"),
    [
        (benchmark.main, ["--scaling", "--only", "maps"], "--scaling has rows of texture and shape only"),
        (benchmark.main, ["--seeds", "0"], "--seeds must be at least 1"),
        (benchmark.main, ["--sweep"], "--sweep needs --against"),
        (benchmark.main, ["--markdown", "--quality"], "--markdown needs --against"),
        (benchmark.main, ["--scaling", "--quality"], "--scaling and --quality are measured one at a time"),
        (benchmark_memory.main, ["--triangles", "-5"], "--triangles must be at least 1"),
        (benchmark_memory.main, ["--texture-size", "0"], "--texture-size must be at least 1"),
    ],
)
def test_what_cannot_be_measured_is_refused(main, arguments, said, monkeypatch, capsys) -> None:
    def unexpected(*_: object) -> None:
        raise AssertionError("something was set up")

    monkeypatch.setattr(benchmark.environment, "prepare", unexpected)
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_all_tasks_of_the_scaling_are_named() -> None:
    assert {series.task for series in benchmark_scaling.series(False)} == set(benchmark_scaling.TASKS)
