# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gradients of heights are right, and a fit of heights finds those that its references were made with."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from sge_addon.core.assembly import Assembly, assemble
from sge_addon.core.fit import LoopSettings, fit
from sge_addon.core.height_block import HeightBlock
from sge_addon.core.height_field import HeightField
from sge_addon.core.orbit import orbit_views
from sge_addon.core.perturbation import perturbation
from sge_addon.core.reference import Reference
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.settings import FitSettings
from sge_addon.core.signs import signs, step_seed, sub_pixel_jitter
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.support import full_support, narrow_support
from sge_addon.job import FitJob, make_references, orbit_around
from sge_addon.raster.fitted_surfaces import FittedSurfaces
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.raster.reference_textures import ReferenceTextureCache
from sge_addon.raster.shape_source import ShapeSource
from sge_addon.scene.displaced_surface import displaced_object
from sge_addon.scene.height_write_back import HeightWriter
from tests.blender.displaced_meshes import add_barrel, add_displace, add_suns, bumps, evaluated_positions
from tests.blender.test_raster_gradient import LIGHTS, WAVES, agreement, draw_at, painting
from tests.meshes import icosphere, perspective_view, surface

pytestmark = pytest.mark.usefixtures("gpu_ready")

MATCH = ("colour", "alpha")


def source_of(
    rasteriser: Rasteriser,
    assembly: Assembly,
    references: list[Reference],
    block: HeightBlock,
    schedule: ShapeSchedule,
    full: bool,
) -> ShapeSource:
    support = full_support if full else narrow_support
    surfaces = FittedSurfaces(rasteriser, [block], [None], Stopwatch())
    return ShapeSource(surfaces, assembly, references, [block], support, schedule, MATCH, "l1", Stopwatch())


def test_pulled_back_gradient_is_that_of_finite_differences() -> None:
    """The mean of estimates, pulled back to heights, against central differences in each height of the loss
    averaged over signs and jitters."""
    view = perspective_view(40, 30, 1.7, 0.8)
    points, faces = icosphere(0, 0.6)
    rng = np.random.default_rng(5)
    lines = (points + rng.normal(0.0, 0.1, points.shape)).astype(np.float32) * rng.uniform(0.3, 0.9, (12, 1))
    field = HeightField(
        points,
        lines.astype(np.float32),
        0.5,
        np.linspace(0.6, 1.0, 12, dtype=np.float32),
        np.zeros((len(faces), 3, 2), np.float32),
        np.zeros((4, 4), np.float32),
    )
    positions = field.positions(field.heights)
    assembly = assemble([surface(positions, faces, materials=(WAVES,))])
    rasteriser = Rasteriser(assembly, "sun", LIGHTS)
    reference = Reference(view, painting(40, 30), True)
    schedule = ShapeSchedule(epsilon=(0.7, 0.7))
    block = HeightBlock("height", positions, faces, schedule, field)
    source = source_of(rasteriser, assembly, [reference], block, schedule, full=True)
    count = 2000
    found = (
        sum(
            field.pulled_back(source.estimate(0, step_seed(3, call), 0.5).gradients["height"])
            for call in range(count)
        )
        / count
    )

    epsilons = perturbation(view, 0.7, 0).epsilons(positions, assembly.movable)
    textures = ReferenceTextureCache([reference], MATCH, "l1").get(0)
    expected, rounds = np.zeros(12), 100
    lengths = np.linalg.norm(field.directions, axis=1)
    for call in range(12 * rounds):
        vertex, seed = call % 12, step_seed(4, call)
        others = epsilons[:, None] * signs(seed, 12)
        step = np.zeros(12)
        step[vertex] = epsilons[vertex] / lengths[vertex]
        moved = [field.positions(field.heights + sign * step) + others for sign in (1.0, -1.0)]
        draw_at(rasteriser, *moved)
        buffers = rasteriser.draw_pair(
            view, sub_pixel_jitter(seed), perturbation(view, 0.7, 0), textures, MATCH, "l1", Stopwatch()
        )()
        difference = (buffers.loss_plus.astype(float) - buffers.loss_minus).sum()
        expected[vertex] += difference / (2.0 * step[vertex] * view.width * view.height * rounds)
    cosine, length = agreement(found, expected)
    assert cosine >= 0.99, f"cosine {cosine:.4f}, length {length:.4f}"
    assert abs(length - 1.0) <= 0.05, f"cosine {cosine:.4f}, length {length:.4f}"


def references_of(assembly: Assembly, shading: str, count: int, pixels: int) -> list[Reference]:
    """Pictures from all around, as the fit's own rasteriser takes them."""
    rasteriser = Rasteriser(assembly, shading, LIGHTS)
    low, high = assembly.positions.min(axis=0), assembly.positions.max(axis=0)
    views = orbit_views(0.5 * (low + high), 0.5 * float(np.linalg.norm(high - low)), count, pixels, pixels)
    return [Reference(view, rasteriser.render(view).colour, True) for view in views]


@pytest.mark.parametrize(("shading", "bound"), [("normal", 0.2), ("sun", 0.33)])  # 0.14 and 0.24 measured
def test_fit_finds_the_heights_of_its_references(shading: str, bound: float) -> None:
    """A barrel displaced by a known image; one that is not finds its heights, and Blender shows them."""
    obj = add_barrel(levels=2)
    amplitude = 0.3
    modifier = add_displace(obj, bumps(64, seed=3), amplitude, 0.5)
    bpy.context.view_layer.update()
    truth = displaced_object(obj, texture_size=128).surface
    references = references_of(assemble([truth]), shading, 12, 128)

    modifier.texture = None
    modifier.mid_level = 1.0  # without a texture, heights are 1
    displaced = displaced_object(obj, texture_size=128)
    start = displaced.surface
    error = np.linalg.norm(start.positions - truth.positions, axis=1)
    assembly = assemble([start])
    steps = 240
    schedule = ShapeSchedule(steps)
    block = HeightBlock("height", start.positions, start.triangles, schedule, start.height)
    writer = HeightWriter([obj], [displaced], [block.texture()], "float")
    rasteriser = Rasteriser(assembly, shading, LIGHTS)
    source = source_of(rasteriser, assembly, references, block, schedule, full=False)
    for _ in fit([source], [block], LoopSettings(steps, len(references)), Stopwatch()):
        pass
    after = np.linalg.norm(block.value - truth.positions, axis=1)
    assert after.mean() < bound * error.mean()
    writer.write([block.texture()])
    assert evaluated_positions(obj) == pytest.approx(block.value, abs=1e-5)


def test_job_moves_the_surface_by_its_height_map_alone() -> None:
    """A whole fit under the lit shading: the mesh keeps its vertices, and the picture gets better."""
    obj = add_barrel(levels=2)
    modifier = add_displace(obj, bumps(64, seed=3), 0.3, 0.5)
    obj.data.materials.append(bpy.data.materials.new("Clay"))
    scene = bpy.context.scene
    add_suns()
    truth = evaluated_positions(obj)
    settings = FitSettings(
        shape=False,
        shading="lit",
        maps=("height",),
        steps=48,
        resolution=64,
        texture_size=96,
        image_depth="16",
    )
    references = make_references([obj], orbit_around([obj], 12, 96), settings, scene)
    modifier.texture, modifier.mid_level = None, 1.0
    start = evaluated_positions(obj)
    vertices = np.asarray([vertex.co[:] for vertex in obj.data.vertices])
    job = FitJob(scene, [obj], references, settings)
    for _ in job.run():
        pass
    assert (np.asarray([vertex.co[:] for vertex in obj.data.vertices]) == vertices).all()
    assert modifier.texture.image.name == "Barrel height.sge"
    assert modifier.texture.image.packed_file is not None
    errors = [np.linalg.norm(each - truth, axis=1).mean() for each in (start, evaluated_positions(obj))]
    assert errors[1] < 0.8 * errors[0]
    assert job.report["psnr"]["object"]["after"] > job.report["psnr"]["object"]["before"] + 1.0
