# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs against whom, on which tasks. Standard library only, no syntax newer than Python 3.8.

The settings of Mitsuba are the best of a sweep (``--sweep`` repeats it). What counts there is the quality
after so many steps, which no other load of the machine can change.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Task:
    """kind: 'shape' or 'texture'. start: the mesh that is fitted. levels: of quality, easiest first.
    seeds: of how many at most. is_error: whether less is better. figure: what is measured against the
    levels."""

    name: str
    kind: str
    start: str
    resolution: int
    levels: tuple[float, ...]
    seeds: int = 1_000

    @property
    def is_error(self) -> bool:
        return self.kind == "shape"

    @property
    def figure(self) -> str:
        return "chamfer" if self.kind == "shape" else "object_psnr"


@dataclass(frozen=True)
class Contestant:
    """tool: 'ours' or 'mitsuba'. way: which estimator, or which gradient of Mitsuba's, lengths: of its runs,
    settings: of its loop, all by kind of task. seeds: of how many at most."""

    name: str
    tool: str
    way: dict[str, str]
    lengths: dict[str, tuple[int, ...]]
    seeds: int = 1_000
    settings: dict[str, dict] = field(default_factory=dict)


_CHAMFER = (0.02, 0.015, 0.01, 0.008, 0.006, 0.005, 0.0045)
_DECIBEL = (25.0, 30.0, 35.0, 40.0, 45.0, 47.5)
TASKS = (
    Task("shape 256", "shape", "ico_2562", 256, _CHAMFER),
    Task("shape 512", "shape", "ico_2562", 512, _CHAMFER, seeds=2),
    Task("shape 256, 10 k", "shape", "ico_10242", 256, _CHAMFER, seeds=2),
    Task("texture 512", "texture", "suzanne", 512, _DECIBEL),
)

# rate: learning rate, first and last; of shapes for 100 steps. smoothing: lambda, first and last. Both are
# for a mesh of 2 562 vertices. momentum: Adam's beta_1, whose default is 0.9.
# samples: a pixel. One fits the aliasing of the samples into textures: such runs end at 34 dB.
_OWN_MOMENTUM = {"rate": [0.2, 0.01], "momentum": 0.9, "smoothing": [14.0, 0.5], "loss": "l1"}
_OUR_MOMENTUM = {"rate": [0.2, 0.01], "momentum": 0.3, "smoothing": [10.0, 1.0], "loss": "l1"}
_STOCK = {"rate": [0.2, 0.01], "momentum": 0.3, "smoothing": [15.0, 1.0], "loss": "l1", "samples": 1}
_RAYS = {"rate": [0.1, 0.01], "samples": 2}
_KEPT = {"rate": [0.1, 0.01], "samples": 4}
SWEPT_LENGTHS = {"shape": (50, 100), "texture": (48, 128)}

OURS = (
    Contestant("edge", "ours", {"shape": "edge"}, {"shape": (30, 40, 60, 100, 200)}),
    Contestant("sge", "ours", {"shape": "sge"}, {"shape": (40, 44, 60, 100, 200)}),
    Contestant("ours", "ours", {"texture": "texture"}, {"texture": (12, 32, 96, 240)}),
)
MITSUBA = (
    # Shapes: an integrator of ours for primary visibility, through mi.render, with Mitsuba's momentum and
    # with the one that was found for our estimators.
    Contestant(
        "mitsuba, beta 0.9",
        "mitsuba",
        {"shape": "integrator"},
        {"shape": (40, 50, 120, 200)},
        settings={"shape": _OWN_MOMENTUM},
    ),
    Contestant(
        "mitsuba, beta 0.3",
        "mitsuba",
        {"shape": "integrator"},
        {"shape": (30, 40, 60, 100, 200)},
        settings={"shape": _OUR_MOMENTUM},
    ),
    # Textures: rays in each step. Since the mesh stays, what they meet can also be kept: the fastest way to a
    # texture, which takes writing.
    Contestant(
        "mitsuba, rays",
        "mitsuba",
        {"texture": "rays"},
        {"texture": (48, 64, 128)},
        settings={"texture": _RAYS},
    ),
    Contestant(
        "mitsuba, kept rays",
        "mitsuba",
        {"texture": "kept"},
        {"texture": (48, 64, 128)},
        settings={"texture": _KEPT},
    ),
    # What comes with Mitsuba: direct_projective for shapes, prb for textures.
    Contestant(
        "mitsuba, stock",
        "mitsuba",
        {"shape": "stock", "texture": "stock"},
        {"shape": (30, 100), "texture": (128,)},
        seeds=1,
        settings={"shape": _STOCK, "texture": _RAYS},
    ),
)
CONTESTANTS = (*OURS, *MITSUBA)


def checkpoints(steps: int, count: int = 6) -> list[int]:
    """After which steps of a run its quality is looked at: ``count`` or fewer, the last always."""
    return sorted({max(1, round(steps * part / count)) for part in range(1, count + 1)})
