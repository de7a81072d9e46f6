# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Something stands before the object: masked, the fit comes out as if it were not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import bpy
import numpy as np
import pytest

from sge_addon.core.assembly import assemble
from sge_addon.core.lights import SunLights
from sge_addon.core.masks import masked
from sge_addon.core.pixel_loss import over
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.job import FitJob, make_references, orbit_around
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.scene.objects import surface_from_object
from tests.blender.small_world import add_sphere
from tests.meshes import waves

pytestmark = pytest.mark.usefixtures("gpu_ready")

PIXELS = 64
# Number and radius of the balls, in a ring around the egg.
MANY, LARGE = (6, 0.35), (2, 0.6)
SEEDS = range(3)
SHAPE_SEEDS = range(9)  # single fits differ by a decibel: medians of three leave half of it to chance
BACKDROP = np.float32([0.1, 0.3, 0.15])
SHAPE = FitSettings(texture=False, shading="normal", steps=150, resolution=PIXELS)
TEXTURE = FitSettings(shape=False, steps=64, resolution=PIXELS, texture_size=32, margin=2)


class Scene:
    """An egg, and pictures of it: alone, and with balls before it that the masks name.

    photos: without alpha, before a backdrop whose colour is known.
    """

    def __init__(self, settings: FitSettings, views: int, ring: tuple[int, float], photos: bool) -> None:
        egg = add_sphere("Egg", (0.7, 0.8, 1.0), colour=waves(32, 32))
        balls = [self._ball(turn, *ring) for turn in range(ring[0])]
        bpy.context.view_layer.update()
        around = orbit_around([egg], views, PIXELS)
        scene = bpy.context.scene
        self.clean = make_references([egg], around, settings, scene)
        both = make_references([egg, *balls], around, settings, scene)
        alone = Rasteriser(assemble([surface_from_object(ball) for ball in balls]), "unlit", SunLights())
        masks = [(alone.render(view).colour[..., 3] == 0.0).astype(np.float32) for view in around]
        if photos:
            self.clean, both = ([self._photo(each) for each in these] for these in (self.clean, both))
        self.unmasked = [replace(each, normal=None) for each in both]
        self.ignoring = [
            replace(each, colour=shown.colour, has_alpha=shown.has_alpha, weight=shown.weight)
            for each, mask in zip(self.unmasked, masks, strict=True)
            for shown in [masked(each.colour, mask, "ignore", each.view.name)]
        ]
        self.settings = settings
        if photos:
            colour = tuple(float(value) for value in BACKDROP)
            self.settings = replace(settings, background="colour", background_colour=colour)

    @staticmethod
    def _ball(turn: int, count: int, radius: float) -> bpy.types.Object:
        ball = add_sphere(f"Ball {turn}", (radius, radius, radius), colour=np.float32([[[1.0, 0.0, 0.6]]]))
        angle = 2.0 * np.pi * turn / count
        ball.location = (1.7 * np.cos(angle), 1.7 * np.sin(angle), 0.5 * (-1) ** turn)
        return ball

    @staticmethod
    def _photo(reference: Reference) -> Reference:
        colour = np.ones_like(reference.colour)
        colour[..., :3] = over(reference.colour, BACKDROP)
        return replace(reference, colour=colour, has_alpha=False)

    def psnr(self, references: Sequence[Reference], seeds: Sequence[int] = SEEDS) -> float:
        """Of the clean pictures after a fit to these, the median of the seeds."""
        return median(self._psnr(references, seed) for seed in seeds)

    def _psnr(self, references: Sequence[Reference], seed: int) -> float:
        size = (0.9, 0.9, 0.9) if self.settings.shape else (0.7, 0.8, 1.0)
        start = add_sphere("Start", size)
        held_out = [replace(each, held_out=True) for each in self.clean]
        settings = replace(self.settings, seed=seed)
        job = FitJob(bpy.context.scene, [start], [*references, *held_out], settings, live=False)
        for _ in job.run():
            pass
        bpy.data.objects.remove(start)
        assert job.report is not None
        region = "image" if settings.shape else "object"
        return job.report["psnr"][region]["held_out_after"]


def test_the_balls_hide_a_part_in_many_views() -> None:
    scene = Scene(TEXTURE, 16, MANY, photos=False)
    hidden = []
    for clean, ignoring in zip(scene.clean, scene.ignoring, strict=True):
        inside = clean.colour[..., 3] > 0.5
        hidden.append(0.0 if ignoring.weight is None else (ignoring.weight[inside] == 0.0).mean())
    assert 0.05 < np.mean(hidden) < 0.2
    assert np.count_nonzero(hidden) > 5


@pytest.mark.parametrize("photos", [False, True])
def test_a_texture_is_fitted_as_if_nothing_stood_before_it(photos: bool) -> None:
    scene = Scene(TEXTURE, 16, MANY, photos=photos)
    clean = scene.psnr(scene.clean)
    assert scene.psnr(scene.ignoring) > clean - 0.5
    assert scene.psnr(scene.unmasked, [0]) < clean - 5.0


@pytest.mark.parametrize("photos", [False, True])
def test_a_shape_is_fitted_as_if_nothing_stood_before_it(photos: bool) -> None:
    scene = Scene(SHAPE, 6, LARGE, photos=photos)
    clean = scene.psnr(scene.clean, SHAPE_SEEDS)
    assert scene.psnr(scene.ignoring, SHAPE_SEEDS) > clean - 1.0
    assert scene.psnr(scene.unmasked, SHAPE_SEEDS) < clean - 2.5
