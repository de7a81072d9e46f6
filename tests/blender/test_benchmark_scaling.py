# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exponents of made-up rows, whose laws are known; what is measured differs in one size alone."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import benchmark_scaling as scaling


def row(triangles: int, raster: float, solve: float, overhead: float) -> dict:
    return {
        "triangles": triangles,
        "resolution": 512,
        "texture_size": None,
        "ms_per_step": raster + solve + overhead,
        "stages": {"raster": raster, "solve": solve, "read": 0.0},
        "floor_ms": raster,
        "factorise_ms": None,
        "peak_memory_mb": 500.0,
    }


def test_a_power_law_is_found_exactly() -> None:
    fit = scaling.power_law([10, 100, 1000, 10000], [3.0 * n**0.7 for n in (10, 100, 1000, 10000)])
    assert fit.exponent == pytest.approx(0.7)
    assert fit.error == pytest.approx(0.0, abs=1e-9)
    assert fit.rows == 4


def test_the_error_is_that_of_textbooks() -> None:
    """x = 0, 1, 2, y = 0, 1, 1: slope 1/2, and 1/6, -1/3, 1/6 left: one degree of freedom, spread 2."""
    e = 2.718281828459045
    fit = scaling.power_law([1, e, e**2], [1.0, e, e])
    assert fit.exponent == pytest.approx(0.5)
    assert fit.error == pytest.approx((1 / 6 / 2) ** 0.5)


def test_overhead_flattens_all_rows_more_than_the_upper_ones() -> None:
    sizes = [1_000 * 4**k for k in range(6)]
    rows = [row(n, 1e-3 * n, 1e-6 * n**1.2, overhead=20.0) for n in sizes]
    fits = scaling.exponents("triangles", rows)
    assert fits["rest"]["all"].exponent < fits["rest"]["upper"].exponent < 1.0
    assert fits["raster"]["all"].exponent == pytest.approx(1.0)
    assert fits["solve"]["upper"].exponent == pytest.approx(1.2)
    assert fits["memory"]["all"].exponent == pytest.approx(0.0)
    assert "read" not in fits


def test_what_is_too_steep_is_marked() -> None:
    series = next(each for each in scaling.series(quick=False) if each.axis == "triangles")
    steep = scaling.exponents("triangles", [row(n, 1e-6 * n**1.2, 1.0, 0.0) for n in (10**4, 10**5, 10**6)])
    marked = [line for line in scaling.lines(series, steep) if "!" in line]
    assert len(marked) == 1
    assert marked[0].split()[0] == "rest"


@pytest.mark.parametrize("quick", [True, False])
def test_series_differ_in_their_axis_alone(quick: bool) -> None:
    names = {"pixels": "resolution", "texels": "texture_size", "triangles": "triangles"}
    series = scaling.series(quick)
    assert len({each.name for each in series}) == len(series)
    for each in series:
        assert len(each.cases) >= 3
        cases = [asdict(case) for case in each.cases]
        sizes = [case.pop(names[each.axis]) for case in cases]
        assert sizes == sorted(set(sizes))
        assert all(case == cases[0] for case in cases)
