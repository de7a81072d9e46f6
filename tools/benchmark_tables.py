# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's results for people. Standard library only, no syntax newer than Python 3.8."""

from __future__ import annotations

from benchmark_cases import QualityCase

STAGES = ("raster", "read", "shade", "estimate", "optimise", "solve", "upload")
# Figures of quality: name, heading, format, and whether less is better.
FIGURES = (
    ("object_psnr", "object dB", ".2f", False),
    ("object_gain", "gain dB", ".2f", False),
    ("image_psnr", "image dB", ".2f", False),
    ("texel_psnr", "texels dB", ".2f", False),
    ("chamfer", "chamfer", ".5f", True),
    ("iou", "IoU", ".4f", False),
    ("seconds", "seconds", ".1f", True),
)

SPEED_NOTE = """\
Milliseconds. Step, floor and ratio: medians (both: means over its kinds of steps; textures and maps alone:
medians of the means over all views) of so many samples, taken in turn. 'ahead': each picture is rasterised
while the one before is estimated (but not in 'stages'). Floor: two plain draws and one read of 8 bytes a
pixel; of 'texture' rows one pass over the screen that makes residuals of cached lookups, and a read of 16
bytes a pixel (benchmark_floor.py). Stages: of a second, instrumented run; 'solve' is the two sparse solves,
without which the second ratio is. Apart: 'factor', one factorisation, up to five of which make a fit, or the
multigrid of a large mesh, made once; 'first', a texture step through samples of a view not seen before.
Steps of shapes are those of whole pictures; 'of fit' is the mean over a fit whose pictures begin small,
without factorisations, and the ratio beside it is that over the same floor, of whole pictures.
"""
CAGE_NOTE = """\
Spheres of quads with UVs under Subdivision Surface; fits of the shape. Milliseconds, medians, taken in turn.
'probe': seconds, once, in so many evaluations by Blender. 'two': two evaluations by Blender in a stand-in
that stays open; 'apply' and 'back': the linear map and its transpose; 'times': how many times the
sum of these goes into the former. Then whole steps: linear, by Blender's evaluations, and their ratio.
"""
QUALITY_NOTE = "Worst of the seeds, on held-out views, with what must be reached.\n"

_SPEED_COLUMNS = (
    ("task", 12),
    ("triangles", 10),
    ("vertices", 9),
    ("pixels", 7),
    ("texture", 8),
    ("step", 9),
    ("floor", 8),
    ("ratio", 6),
    ("w/o solve", 10),
    ("of fit", 8),
    ("ratio", 6),
    *((name, 9) for name in STAGES),
    ("factor", 8),
    ("first", 8),
    ("samples", 8),
    ("peak MB", 8),
)
CAGE_FIGURES = (
    "probe_s",
    "two_evaluations_ms",
    "apply_ms",
    "pull_back_ms",
    "times_faster",
    "linear_step_ms",
    "black_box_step_ms",
    "step_ratio",
    "floor_ms",
    "peak_memory_mb",
)
_CAGE_COLUMNS = (
    ("faces", 7),
    ("levels", 6),
    ("vertices", 9),
    ("triangles", 10),
    ("evaluations", 11),
    ("probe s", 8),
    ("two", 9),
    ("apply", 8),
    ("back", 8),
    ("times", 7),
    ("linear", 9),
    ("black box", 10),
    ("ratio", 7),
    ("floor", 8),
    ("peak MB", 8),
)
_QUALITY_COLUMNS = (("task", 8), ("start", 10), ("steps", 6), *((each[1], 21) for each in FIGURES))


def speed_head() -> str:
    return _line([name for name, _ in _SPEED_COLUMNS], _SPEED_COLUMNS)


def speed_line(row: dict) -> str:
    """One row of ``benchmark_speed`` under ``speed_head``."""
    values = [
        row["task"] + (", ahead" if row["ahead"] else ""),
        str(row["triangles"]),
        str(row["vertices"]),
        str(row["resolution"]),
        str(row["texture_size"] or "-"),
        _number(row["ms_per_step"], ".2f"),
        _number(row["floor_ms"], ".2f"),
        _number(row["ratio"], ".2f"),
        _number(row["ratio_without_solves"], ".2f"),
        _number(row["fit_ms"], ".2f"),
        _number(row["fit_ratio"], ".2f"),
        *(_number(row["stages"].get(name), ".2f") for name in STAGES),
        _number(row["factorise_ms"], ".0f"),
        _number(row["first_visit_ms"], ".1f"),
        str(row["samples"]),
        _number(row["peak_memory_mb"], ".0f"),
    ]
    return _line(values, _SPEED_COLUMNS)


def cage_head() -> str:
    return _line([name for name, _ in _CAGE_COLUMNS], _CAGE_COLUMNS)


def cage_line(row: dict) -> str:
    """One row of ``benchmark_cages`` under ``cage_head``."""
    values = [str(row[name]) for name in ("faces", "levels", "vertices", "triangles", "evaluations")]
    values += [_number(row[name], ".2f") for name in CAGE_FIGURES]
    return _line(values, _CAGE_COLUMNS)


def quality_row(case: QualityCase, runs: list[dict]) -> dict:
    """The runs of one case as a row, with the worst of each figure and whether the targets are reached."""
    worst: dict = {}
    for name, _, _, is_error in FIGURES:
        values = [run[name] for run in runs if run.get(name) is not None]
        if values:
            worst[name] = max(values) if is_error else min(values)
    missed = [name for name, target in case.targets.items() if not _reached(name, worst[name], target)]
    return {
        "task": case.task,
        "start": case.start,
        "steps": runs[0]["steps"],
        "seeds": [run["seed"] for run in runs],
        "worst": worst,
        "targets": case.targets,
        "missed": missed,
        "runs": runs,
    }


def quality_head() -> str:
    return _line([name for name, _ in _QUALITY_COLUMNS], _QUALITY_COLUMNS)


def quality_line(row: dict) -> str:
    """One row of ``quality_row`` under ``quality_head``; what misses its target is marked with '!'."""
    values = [row["task"], row["start"], str(row["steps"])]
    for name, _, style, is_error in FIGURES:
        value = _number(row["worst"].get(name), style)
        if name in row["targets"]:
            mark = "! " if name in row["missed"] else ""
            value = f"{mark}{value} ({'<=' if is_error else '>='} {row['targets'][name]:g})"
        values.append(value)
    return _line(values, _QUALITY_COLUMNS)


def _reached(name: str, value: float, target: float) -> bool:
    is_error = next(each[3] for each in FIGURES if each[0] == name)
    return value <= target if is_error else value >= target


def _line(values: list[str], columns: tuple[tuple[str, int], ...]) -> str:
    style = " ".join(f"{{:{'>' if number else '<'}{width}}}" for number, (_, width) in enumerate(columns))
    return style.format(*values)


def _number(value: float | None, style: str) -> str:
    return "-" if value is None else format(value, style)
