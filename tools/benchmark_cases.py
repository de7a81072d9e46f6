# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmark runs, and what must be reached. Standard library only, no syntax newer than 3.8."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SpeedCase:
    """One row of speed. triangles: about so many. resolution: side of the views in pixels.
    texture_size: side of the fitted texture, None where none is fitted. task: 'shape', 'texture', 'both';
    'maps' (all maps of a lit material), 'lit both' (those and the shape). estimator: of the shape, None for
    the default. ahead: whether pictures are rasterised ahead."""

    task: str
    triangles: int
    resolution: int
    texture_size: int | None = None
    estimator: str | None = None
    ahead: bool = False


@dataclass(frozen=True)
class CageCase:
    """One row of cages. faces: of the cage, about so many, quads. levels: of Subdivision Surface above it."""

    faces: int
    levels: int
    resolution: int = 512


@dataclass(frozen=True)
class QualityCase:
    """One row of quality: a fit from ``start`` with ``steps`` steps (None: as many as the demo's).

    targets: by figure, what must be reached: at least, or at most where ``benchmark_metrics`` counts
    the figure as an error.
    """

    task: str
    start: str
    steps: int | None
    targets: dict[str, float] = field(default_factory=dict)


SPEED = (
    SpeedCase("shape", 2_500, 256),
    SpeedCase("shape", 10_000, 256),
    SpeedCase("shape", 10_000, 512),
    SpeedCase("shape", 10_000, 512, ahead=True),
    SpeedCase("shape", 10_000, 1024),
    SpeedCase("shape", 10_000, 1024, ahead=True),
    SpeedCase("shape", 100_000, 512),
    SpeedCase("shape", 1_000_000, 1024),
    SpeedCase("texture", 2_500, 256, 512),
    SpeedCase("texture", 10_000, 512, 512),
    SpeedCase("texture", 100_000, 1024, 2048),
    SpeedCase("both", 2_500, 256, 512),
    SpeedCase("both", 10_000, 512, 512),
    SpeedCase("both", 100_000, 512, 2048),
    SpeedCase("both", 1_000_000, 1024, 2048),
    SpeedCase("maps", 10_000, 512, 1024),
    SpeedCase("maps", 10_000, 1024, 1024),
    SpeedCase("maps", 10_000, 512, 2048),
    SpeedCase("maps", 10_000, 1024, 2048),
    SpeedCase("lit both", 10_000, 512, 1024),
)
QUICK_SPEED = (
    SpeedCase("shape", 2_500, 256),
    SpeedCase("texture", 2_500, 256, 512),
    SpeedCase("both", 2_500, 256, 512),
    SpeedCase("maps", 2_500, 256, 256),
)

CAGES = tuple(CageCase(faces, levels) for faces in (500, 2_000, 10_000) for levels in (1, 2, 3))
QUICK_CAGES = (CageCase(500, 1),)

QUALITY = (
    QualityCase("texture", "grey", 16, {"object_psnr": 35.0}),
    QualityCase("texture", "grey", 32, {"object_psnr": 39.0}),
    QualityCase("texture", "grey", 96, {"object_psnr": 45.0, "texel_psnr": 30.0}),
    QualityCase("texture", "grey", 240, {"object_psnr": 47.5, "texel_psnr": 30.5}),
    QualityCase("shape", "ico_2562", 100, {"chamfer": 0.0050, "iou": 0.985}),
    QualityCase("shape", "ico_2562", 200, {"chamfer": 0.0045, "iou": 0.99, "image_psnr": 34.0}),
    QualityCase("shape", "ico_2562", 400, {"chamfer": 0.0045, "iou": 0.99, "image_psnr": 35.0}),
    QualityCase("shape", "ico_2562", 1600, {"chamfer": 0.0045, "iou": 0.99, "image_psnr": 36.0}),
    QualityCase("shape", "ico_10242", 700, {"chamfer": 0.0045, "iou": 0.99}),
    QualityCase("both", "demo", None, {"object_psnr": 24.0, "object_gain": 12.0}),
)
QUICK_QUALITY = (QUALITY[0], QUALITY[4])
