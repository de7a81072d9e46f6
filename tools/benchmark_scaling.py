# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How time and memory of a step grow with pixels, texels and triangles: exponents, by least squares.

A power law y = a x^p is a line in logarithms. What every step costs whatever its size flattens that
line at the small end, so that the exponent over all rows flatters; the one over the upper rows, the
larger half and three at least, is nearer to what still larger sizes would take. Both are shown, with their
standard errors. Standard library only, no syntax newer than Python 3.8.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmark_cases import SpeedCase

ESTIMATORS = ("edge", "sge", "paper")
TASKS = ("texture", "shape")
LIMIT = 1.05  # of exponents in pixels and texels, and in triangles without the solves
SOLVE_LIMIT = 1.3
_NEGLIGIBLE = 0.02  # of the largest row's step: a stage below it is not worth an exponent
_ALWAYS = ("solve", "factor", "floor", "memory")  # but these are

NOTE = f"""\
Exponents p of y = a x^p, with standard errors: over all rows, where what every step costs flattens the
line, and over the upper ones. 'rest' is the step without its two solves. Limits: {LIMIT} for the step in
pixels and texels and for the rest in triangles, {SOLVE_LIMIT} for the solve; '!': above it in either fit.
Memory is the process's peak, with Blender itself.
"""


@dataclass(frozen=True)
class Series:
    """Rows that differ in one size. axis: 'pixels', 'texels' or 'triangles'."""

    axis: str
    task: str
    estimator: str
    cases: tuple[SpeedCase, ...]

    @property
    def name(self) -> str:
        return f"{self.axis}, {self.task}" + (f" by {self.estimator}" if self.task == "shape" else "")


class Fit(NamedTuple):
    """exponent of the first rows or of the last; error: its standard error, None from two rows."""

    exponent: float
    error: float | None
    rows: int


def series(quick: bool) -> list[Series]:
    """What is measured; quick: three small rows each, by the default estimator."""
    sides = (64, 128, 256) if quick else (256, 362, 512, 724, 1024, 1448, 2048)
    texture_sides = (128, 256, 512) if quick else (256, 512, 1024, 2048, 4096)
    texture_views = sides if quick else sides[::2]
    triangles = (2_500, 5_000, 10_000) if quick else (2_500, 8_300, 27_000, 91_000, 300_000, 1_000_000)
    few, resolution = (2_500, 128) if quick else (10_000, 512)
    made = [
        Series(
            "pixels", "texture", "", tuple(SpeedCase("texture", few, side, 1024) for side in texture_views)
        ),
        Series(
            "texels", "texture", "", tuple(SpeedCase("texture", few, resolution, n) for n in texture_sides)
        ),
    ]
    for estimator in ESTIMATORS[: 1 if quick else None]:
        by_pixels = tuple(SpeedCase("shape", few, side, None, estimator) for side in sides)
        by_triangles = tuple(SpeedCase("shape", n, resolution, None, estimator) for n in triangles)
        made += [
            Series("pixels", "shape", estimator, by_pixels),
            Series("triangles", "shape", estimator, by_triangles),
        ]
    return made


def size(axis: str, row: dict) -> int:
    """How many pixels, texels or triangles a row of ``benchmark_speed`` has."""
    if axis == "triangles":
        return int(row["triangles"])
    return int(row["resolution" if axis == "pixels" else "texture_size"]) ** 2


def quantities(row: dict) -> dict[str, float]:
    """What of a row may grow: milliseconds by name, and megabytes as 'memory'."""
    stages = {name: ms for name, ms in row["stages"].items() if ms > 0.0}
    values = {"step": row["ms_per_step"], "rest": row["ms_per_step"] - stages.get("solve", 0.0)}
    if "solve" not in stages:
        del values["rest"]
    values.update(stages, floor=row["floor_ms"])
    if row["factorise_ms"] and row["factorise_ms"] > 0.0:
        values["factor"] = row["factorise_ms"]
    if row["peak_memory_mb"]:
        values["memory"] = row["peak_memory_mb"]
    return values


def exponents(axis: str, rows: list[dict]) -> dict[str, dict[str, Fit]]:
    """By quantity the fit over all rows and over the upper ones, of quantities that all rows have."""
    values = [quantities(row) for row in rows]
    sizes = [size(axis, row) for row in rows]
    upper = max(3, (len(rows) + 1) // 2)
    fits = {}
    for name, last in values[-1].items():
        if any(name not in value for value in values) or (name == "factor" and axis != "triangles"):
            continue
        if name not in _ALWAYS and last < _NEGLIGIBLE * values[-1]["step"]:
            continue
        ys = [value[name] for value in values]
        fits[name] = {
            "all": power_law(sizes, ys),
            "upper": power_law(sizes[-upper:], ys[-upper:]),
        }
    return fits


def power_law(sizes: Sequence[float], values: Sequence[float]) -> Fit:
    """Least squares of log value over log size."""
    xs, ys = [math.log(x) for x in sizes], [math.log(y) for y in values]
    count = len(xs)
    middle_x, middle_y = sum(xs) / count, sum(ys) / count
    spread = sum((x - middle_x) ** 2 for x in xs)
    exponent = sum((xs[i] - middle_x) * (ys[i] - middle_y) for i in range(count)) / spread
    left = sum((ys[i] - middle_y - exponent * (xs[i] - middle_x)) ** 2 for i in range(count))
    return Fit(exponent, math.sqrt(left / (count - 2) / spread) if count > 2 else None, count)


def limit_of(axis: str, task: str, name: str) -> float | None:
    """What an exponent must not be above, None where nothing is asked for."""
    if name == "solve" and axis == "triangles":
        return SOLVE_LIMIT
    judged = "rest" if axis == "triangles" and task == "shape" else "step"
    return LIMIT if name == judged else None


def lines(of: Series, fits: dict[str, dict[str, Fit]]) -> list[str]:
    """A series' exponents for people."""
    made = [of.name]
    for name, parts in fits.items():
        limit = limit_of(of.axis, of.task, name)
        over = limit is not None and any(fit.exponent > limit for fit in parts.values())
        texts = [f"{which} {_text(fit):<22}" for which, fit in parts.items()]
        made.append(f"  {name:<10} {'  '.join(texts)} {'! ' if over else ''}{f'<= {limit}' if limit else ''}")
    return [line.rstrip() for line in made]


def _text(fit: Fit) -> str:
    error = "" if fit.error is None else f" +- {fit.error:.2f}"
    return f"{fit.exponent:.2f}{error} ({fit.rows} rows)"
