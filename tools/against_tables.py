# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison for people, as plain text or as Markdown. Standard library only, no syntax newer than
Python 3.8."""

from __future__ import annotations

from collections.abc import Sequence

NOTE = """\
Against Mitsuba {0} (llvm_ad_rgb, {1}).
Seconds and steps to each level of quality: medians over seeds of the least over runs of several lengths, in
brackets least to most; interpolated between checkpoints, for which the clock stops. A step is one view. What
counts is the loop: reading, set-up and the compilation of kernels and shaders are left out on both sides.
For shapes Mitsuba is an integrator of primary visibility only, with its LargeSteps and Adam, rate and lambda
swept and annealed: 'beta 0.9' with Adam's own momentum, 'beta 0.3' with that of our estimators. For textures:
rays in each step, or kept between steps (which the set-up makes), and Adam. 'stock' is what comes with
Mitsuba (direct_projective and prb), of one seed.
"""
_END_FIGURES = (
    ("chamfer", "chamfer", ".5f"),
    ("iou", "IoU", ".4f"),
    ("image_psnr", "image dB", ".2f"),
    ("object_psnr", "object dB", ".2f"),
    ("texel_psnr", "texels dB", ".2f"),
)


def task_table(row: dict, markdown: bool = False) -> str:
    """All of one task: times to levels, ratios, and how runs end."""
    floor = "-" if row["floor_ms"] is None else f"{row['floor_ms']:.2f} ms"
    head = (
        f"{row['name']}: {row['vertices']} vertices, {row['views']} views of {row['resolution']} x "
        f"{row['resolution']} pixels, from {row['source']}; floor of two draws and a read: {floor}"
    )
    parts = [head, _grid(level_rows(row), markdown), _grid(ratio_rows(row), markdown)]
    return "\n\n".join([*parts, _grid(end_rows(row), markdown)]) + "\n"


def level_rows(row: dict) -> list[list[str]]:
    """Seconds and steps of each contestant to each level."""
    heading = [row["figure"]]
    for each in row["contestants"]:
        heading += [f"{each['contestant']}, s", "steps"]
    rows = [heading]
    for index, level in enumerate(row["levels"]):
        cells = [f"{level:g}"]
        for each in row["contestants"]:
            reached = each["levels"][index]
            if "seconds" in reached:
                cells += [spread(reached["seconds"], ".2f"), f"{reached['steps']['median']:.0f}"]
            else:
                cells += [f"not by {reached['missed']} of {len(each['seeds'])}", "-"]
        rows.append(cells)
    return rows


def ratio_rows(row: dict) -> list[list[str]]:
    """How many times as long others take as we."""
    rows = [["times as long", *(f"{level:g}" for level in row["levels"])]]
    for pair in row["ratios"]:
        cells = ["-" if each["times"] is None else spread(each["times"], ".1f") for each in pair["levels"]]
        rows.append([f"{pair['other']} / {pair['ours']}", *cells])
    return rows


def end_rows(row: dict) -> list[list[str]]:
    """The end of the longest runs, milliseconds a step, set-up and memory."""
    there = [
        figure for figure in _END_FIGURES if any(figure[0] in each["end"] for each in row["contestants"])
    ]
    rows = [["at the end", "steps", *(label for _, label, _ in there), "ms a step", "set-up s", "peak MB"]]
    for each in row["contestants"]:
        cells = [spread(each["end"][name], style) if name in each["end"] else "-" for name, _, style in there]
        tail = [f"{each['ms_per_step']:.1f}", f"{each['setup_s']:.2f}", f"{each['peak_memory_mb']:.0f}"]
        rows.append([each["contestant"], str(each["end_steps"]), *cells, *tail])
    return rows


def spread(values: dict, style: str) -> str:
    """The median, and in brackets least to most where there is a difference."""
    middle, least, most = (format(values[name], style) for name in ("median", "least", "most"))
    return middle if least == most else f"{middle} ({least}-{most})"


def _grid(rows: Sequence[Sequence[str]], markdown: bool) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for index, row in enumerate(rows):
        cells = [
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))  # noqa: B905 - strict is newer than 3.8
        ]
        lines.append("| " + " | ".join(cells) + " |" if markdown else "  ".join(cells))
        if markdown and index == 0:
            marks = [
                ("-" * (width - 1) + ":") if column else "-" * width for column, width in enumerate(widths)
            ]
            lines.append("|" + "|".join(f" {mark} " for mark in marks) + "|")
    return "\n".join(lines)
