# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source of fits through modifiers, beside ordinary surfaces, and where modifiers change topology."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from sge_addon.core.assembly import assemble
from sge_addon.core.background import Background
from sge_addon.core.cage_block import CageBlock
from sge_addon.core.fit import LoopSettings, fit
from sge_addon.core.metrics import squared_errors
from sge_addon.core.orbit import orbit_views
from sge_addon.core.position_block import PositionBlock
from sge_addon.core.reference import Reference
from sge_addon.core.scene_lights import SceneLights
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.stacked_surfaces import StackedSurfaces
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.support import full_support, narrow_support
from sge_addon.core.surface import Material, Surface
from sge_addon.raster.fitted_surfaces import FittedSurfaces
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.raster.shape_source import ShapeSource
from sge_addon.raster.stack_source import StackSource
from sge_addon.scene.stack_evaluator import ModifierStack
from tests.blender.test_raster_gradient import LIGHTS, WAVES, painting
from tests.blender.test_raster_lit_gradient import COARSE
from tests.blender.test_raster_lit_gradient import LIGHTS as LIT_LIGHTS
from tests.blender.test_stack_gradient import ball, displaced_by_nodes, half_box
from tests.meshes import icosphere, orthographic_view, surface

pytestmark = pytest.mark.usefixtures("gpu_ready")

MATCH = ("colour", "alpha")
SCHEDULE = ShapeSchedule(epsilon=(0.7, 0.7))


def add(points: np.ndarray, faces: np.ndarray, name: str = "Cage") -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points.tolist(), [], faces.tolist())
    mesh.shade_smooth()
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def add_decimated(name: str, scale: tuple[float, float, float]) -> bpy.types.Object:
    """A subdivided ball of which Decimate keeps 40 %: which edges go hangs on where vertices are."""
    points, faces = ball(0.4)
    obj = add(points * scale, faces, name)
    obj.modifiers.new("Subdivision", "SUBSURF").levels = 2
    obj.modifiers.new("Decimate", "DECIMATE").ratio = 0.4
    return obj


class Joint:
    """Surfaces, each with its stack or None, and the source of their gradients."""

    def __init__(
        self,
        surfaces: list[Surface],
        stacks: list[ModifierStack | None],
        references: list[Reference],
        shading: str = "sun",
        schedule: ShapeSchedule = SCHEDULE,
        support: str = "full",
        background: Background | None = None,
        lights: SceneLights | None = None,
    ) -> None:
        self.blocks = [
            PositionBlock(each.name, each.positions, each.triangles, schedule)
            if stack is None
            else CageBlock(each.name, each, schedule)
            for each, stack in zip(surfaces, stacks, strict=True)
        ]
        stacked = StackedSurfaces(surfaces, stacks, assemble(surfaces))
        self.start = stacked.start
        rasteriser = Rasteriser(self.start, shading, lights or LIGHTS)
        self.shown = FittedSurfaces(
            rasteriser, self.blocks, [None] * len(self.start.materials), Stopwatch(), stacked
        )
        rest = (references, self.blocks, support, schedule, MATCH, "l1", Stopwatch())
        self.source = StackSource(self.shown, stacked, *rest, background or Background())


def test_without_stacks_gradients_are_those_of_vertices() -> None:
    surfaces = [
        surface(*icosphere(1, 0.3), name="one", materials=(WAVES, Material("dark"))),
        surface(*icosphere(1, 0.2), name="two", smooth=False, materials=(Material("dark"),)),
    ]
    slots = (np.arange(80) % 2).astype(np.int32)
    surfaces[0] = Surface(**{**vars(surfaces[0]), "material_indices": slots})
    references = [Reference(orthographic_view(48, 48, 1 / 48), painting(48, 48), True)]
    for kind, support in (("narrow", narrow_support), ("full", full_support)):
        joint = Joint(surfaces, [None, None], references, support=kind)
        rest = (SCHEDULE, MATCH, "l1", Stopwatch())
        source = ShapeSource(joint.shown, joint.start, references, joint.blocks, support, *rest)
        expected, found = (each.estimate(0, 11, 0.5) for each in (source, joint.source))
        assert found.loss == pytest.approx(expected.loss, rel=1e-4)
        for name, gradient in expected.gradients.items():
            assert found.gradients[name] == pytest.approx(gradient, rel=1e-3, abs=1e-6)


def test_a_surface_beside_another_has_the_gradient_that_it_has_alone() -> None:
    """Apart in the picture, with the signs that it has alone: the first one's."""
    obj = add(*ball(0.2))
    displaced_by_nodes(obj)
    stack = ModifierStack(obj, (WAVES,))
    caged = stack.surface()
    points, faces = icosphere(1, 0.2)
    ordinary = surface(points + np.float32([0.5, 0, 0]), faces, name="ordinary", materials=(WAVES,))
    view = orthographic_view(96, 48, 1 / 48)
    references = [Reference(view, painting(96, 48), True)]
    both = Joint([caged, ordinary], [stack, None], references).source.estimate(0, 5, 0.5)
    alone = Joint([caged], [stack], references).source.estimate(0, 5, 0.5)
    assert both.gradients["Cage"].shape == (26, 3)
    assert both.gradients["Cage"] == pytest.approx(alone.gradients["Cage"], rel=1e-4, abs=1e-7)
    assert np.abs(both.gradients["ordinary"]).max() > 0.0


def test_vertices_on_a_mirror_stay_and_those_beside_it_do_not_merge() -> None:
    points, faces = half_box(0.42)
    points[1, 0] = 0.004  # nearer than a perturbation, farther than Mirror merges
    obj = add(points, faces)
    obj.modifiers.new("Mirror", "MIRROR").merge_threshold = 0.001
    stack = ModifierStack(obj, (WAVES,))
    made = stack.surface()
    references = [Reference(orthographic_view(32, 32, 1 / 32), painting(32, 32), True)]
    joint = Joint([made], [stack], references)
    counts = []
    evaluate = stack.evaluate
    stack.evaluate = lambda cages: [counts.append(len(each.positions)) or each for each in evaluate(cages)]
    gradients = [joint.source.estimate(0, seed, 0.5).gradients["Cage"] for seed in range(12)]
    assert set(counts) == {len(made.positions)}
    on_plane = points[:, 0] == 0.0
    assert (np.asarray(gradients)[:, on_plane, 0] == 0.0).all()
    assert np.abs(np.asarray(gradients)[:, on_plane, 1:]).max() > 0.0


def pictures_of(target: Surface, count: int, pixels: int) -> list[Reference]:
    rasteriser = Rasteriser(assemble([target]), "sun", LIGHTS)
    views = orbit_views(np.zeros(3), 0.5, count, pixels, pixels)
    return [Reference(view, rasteriser.render(view).colour, True) for view in views]


def test_fit_through_modifiers_that_change_what_is_joined() -> None:
    clay = Material("Clay", (0.7, 0.6, 0.5))
    references = pictures_of(ModifierStack(add_decimated("Goal", (1.1, 0.8, 1.0)), (clay,)).surface(), 6, 64)
    stack = ModifierStack(add_decimated("Cage", (0.9, 1.0, 1.0)), (clay,))
    steps = 160
    joint = Joint([stack.surface()], [stack], references, schedule=ShapeSchedule(steps), support="narrow")

    def errors() -> float:
        rasteriser = joint.shown.updated()
        return sum(squared_errors(each, rasteriser.render(each.view).colour)[1] for each in references)

    before, topologies = errors(), set()
    for _ in fit([joint.source], joint.blocks, LoopSettings(steps, len(references)), Stopwatch()):
        topologies.add(joint.shown.assembly)
    assert len(topologies) > 1
    assert errors() < 0.5 * before
    assert len(joint.blocks[0].shown) == len(joint.shown.positions)

    # What textures are read through names triangles of the start, whatever there is now.
    assert joint.shown.assembly is not joint.start
    seen = joint.shown.sample(references[0], (0.0, 0.0))()
    direct = joint.shown.updated().uv_buffer(references[0].view, (0.0, 0.0), 1)
    assert ((seen.ids > 0) == (direct.ids > 0)).all()
    assert seen.ids.max() <= len(joint.start.triangles)


def test_geometry_of_the_pair_serves_lit_maps() -> None:
    obj = add(*ball(0.36))
    displaced_by_nodes(obj)
    mesh = obj.data
    mesh.uv_layers.new(name="UVMap")
    stack = ModifierStack(obj, (COARSE,))
    view = orthographic_view(48, 48, 1 / 48)
    picture = painting(48, 48)
    joint = Joint(
        [stack.surface()],
        [stack],
        [Reference(view, picture, True)],
        shading="lit",
        background=Background(kind="random"),
        lights=LIT_LIGHTS,
    )
    estimate, seen = joint.source.estimate_with_geometry(0, 3, 0.5)
    again = joint.source.estimate(0, 3, 0.5)
    assert np.array_equal(estimate.gradients["Cage"], again.gradients["Cage"])
    resting = joint.shown.geometry(Reference(view, picture, True), (0.0, 0.0))
    covered = (seen.ids > 0) & (resting.ids > 0)
    assert covered.sum() > 0.9 * (resting.ids > 0).sum()
    assert np.abs(seen.position - resting.position)[covered].mean() < 0.05
