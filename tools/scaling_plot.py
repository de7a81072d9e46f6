# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws what ``benchmark.py --scaling`` measured: a figure for each series, as PNG and as SVG.

python scaling_plot.py scaling.json folder
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window

from benchmark_scaling import quantities, size
from matplotlib import pyplot
from matplotlib.axes import Axes

_HEAVY = ("step", "rest", "floor")
_APART = ("memory", "factor")


def main(arguments: list[str]) -> int:
    result, folder = json.loads(Path(arguments[0]).read_text(encoding="utf-8")), Path(arguments[1])
    matplotlib.rcParams["svg.hashsalt"] = "scaling"  # the same file for the same figures
    for series in result["series"]:
        if series["fits"]:
            _figure(series, result["machine"], folder)
    return 0


def _figure(series: dict, machine: str, folder: Path) -> None:
    figure, (times, memory) = pyplot.subplots(1, 2, figsize=(11, 5), width_ratios=(2, 1))
    sizes = [size(series["axis"], row) for row in series["rows"]]
    values = [quantities(row) for row in series["rows"]]
    for name, fits in series["fits"].items():
        ys = [value[name] for value in values]
        label = f"{name}, {fits['all']['exponent']:.2f} / {fits['upper']['exponent']:.2f}"
        if name in _APART:
            if name == "memory":
                memory.plot(sizes, ys, "o-", label=label)
            continue
        (line,) = times.plot(sizes, ys, "o", markersize=5 if name in _HEAVY else 3, label=label)
        colour = line.get_color()
        times.plot(sizes, ys, linewidth=0.5, color=colour)
        _draw_fit(times, sizes, ys, fits["upper"], colour)
    for axes, title in ((times, "milliseconds a step"), (memory, "peak memory, MB")):
        axes.set(xscale="log", yscale="log", xlabel=series["axis"], title=title)
        axes.grid(which="both", linewidth=0.3)
        axes.legend(fontsize=8, title="exponents over all / upper rows", title_fontsize=8)
    figure.suptitle(series["name"])
    figure.text(0.5, 0.005, machine, ha="center", fontsize=6)
    figure.tight_layout(rect=(0.0, 0.02, 1.0, 1.0))
    stem = "scaling_" + series["name"].replace(",", "").replace(" ", "_")
    figure.savefig(folder / f"{stem}.png", dpi=120, metadata={"Software": None})
    figure.savefig(folder / f"{stem}.svg", metadata={"Date": None})
    pyplot.close(figure)


def _draw_fit(axes: Axes, sizes: list[int], ys: list[float], fit: dict, colour: str) -> None:
    """The power law of the upper rows, through their geometric mean."""
    xs, ys = sizes[-fit["rows"] :], ys[-fit["rows"] :]
    scale = 1.0
    for x, y in zip(xs, ys, strict=True):
        scale *= (y / x ** fit["exponent"]) ** (1.0 / len(xs))
    axes.plot(xs, [scale * x ** fit["exponent"] for x in xs], "--", linewidth=1.5, color=colour)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
