# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender's modifiers do to a base mesh, as a sparse matrix: the same positions for any cage."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np
import pytest

from sge_addon.core.mirror_planes import MirrorRules
from sge_addon.core.stack_probing import NotLinear, probed_map
from sge_addon.core.vertex_normals import VertexNormals
from sge_addon.scene.stack_evaluator import ModifierStack
from tests.blender.stacks import add_armature, add_grid, add_inflating_nodes, add_subsurf

TOLERANCE = 1e-5  # of the object's size


def add_monkey() -> bpy.types.Object:
    """Suzanne: quads and triangles, vertices of 3 to 8 edges, turned, moved, scaled unevenly."""
    bpy.ops.mesh.primitive_monkey_add(location=(0.3, -0.2, 0.5), rotation=(0.4, 0.2, 1.0))
    obj = bpy.context.object
    obj.scale = (1.0, 0.8, 1.3)
    bpy.context.view_layer.update()
    return obj


def crease(obj: bpy.types.Object) -> None:
    """Some edges sharp, some half, some vertices as well."""
    rng = np.random.default_rng(3)
    for name, domain, data in (
        ("crease_edge", "EDGE", obj.data.edges),
        ("crease_vert", "POINT", obj.data.vertices),
    ):
        weights = rng.choice([0.0, 0.0, 0.0, 0.4, 1.0], len(data)).astype(np.float32)
        obj.data.attributes.new(name, "FLOAT", domain).data.foreach_set("value", weights)


def add_mirror(obj: bpy.types.Object, **settings: object) -> bpy.types.MirrorModifier:
    modifier = obj.modifiers.new("Mirror", "MIRROR")
    for name, value in settings.items():
        setattr(modifier, name, value)
    return modifier


def subdivided(levels: int, **settings: str) -> bpy.types.Object:
    obj = add_monkey()
    modifier = add_subsurf(obj, levels)
    for name, value in settings.items():
        setattr(modifier, name, value)
    return obj


def creased() -> bpy.types.Object:
    obj = subdivided(2)
    crease(obj)
    return obj


def mirrored(merge: bool) -> bpy.types.Object:
    """Half a sheet, its border on the plane but for a vertex that is near enough to merge all the same."""
    obj = add_grid(side=6)
    obj.location, obj.rotation_euler = (0.2, 0.5, -0.1), (0.3, 0.2, 0.1)
    obj.data.vertices[6].co.x = 3e-4
    add_mirror(obj, use_mirror_merge=merge, merge_threshold=1e-3)
    add_subsurf(obj, 2)
    bpy.context.view_layer.update()
    return obj


def mirrored_twice() -> bpy.types.Object:
    obj = add_grid(side=5)
    add_mirror(obj, use_axis=(True, True, False))
    add_subsurf(obj, 1)
    return obj


def arrayed() -> bpy.types.Object:
    obj = add_monkey()
    modifier = obj.modifiers.new("Array", "ARRAY")
    modifier.count, modifier.use_relative_offset, modifier.use_constant_offset = 3, False, True
    modifier.constant_offset_displace = (2.5, 0.3, 0.0)
    return obj


def turned_array() -> bpy.types.Object:
    """Copies about another object, each turned against the one before; smoothed."""
    obj = add_grid(side=5)
    turn = bpy.data.objects.new("Turn", None)
    bpy.context.scene.collection.objects.link(turn)
    turn.location, turn.rotation_euler = (0.1, 0.0, 0.4), (0.0, 0.3, 0.7)
    modifier = obj.modifiers.new("Array", "ARRAY")
    modifier.use_relative_offset, modifier.use_object_offset, modifier.offset_object = False, True, turn
    add_subsurf(obj, 1)
    bpy.context.view_layer.update()
    return obj


def posed() -> bpy.types.Object:
    obj = add_grid(side=6)
    add_armature(obj)
    add_subsurf(obj, 2)
    bpy.context.view_layer.update()
    return obj


LINEAR: dict[str, Callable[[], bpy.types.Object]] = {
    "one level": lambda: subdivided(1),
    "two levels": lambda: subdivided(2),
    "three levels": lambda: subdivided(3),
    "simple": lambda: subdivided(2, subdivision_type="SIMPLE"),
    "UVs kept, borders sharp": lambda: subdivided(2, uv_smooth="NONE", boundary_smooth="PRESERVE_CORNERS"),
    "creases": creased,
    "mirror": lambda: mirrored(merge=True),
    "mirror without merging": lambda: mirrored(merge=False),
    "two mirrors": mirrored_twice,
    "array": arrayed,
    "turned array": turned_array,
    "armature": posed,
}


def moved_cage(stack: ModifierStack, size: float, seed: int) -> np.ndarray:
    """(N, 3) moved at random by about a tenth of the size, as far as mirrors allow."""
    cage = stack.surface().cage
    rules = MirrorRules(cage)
    noise = np.random.default_rng(seed).normal(0.0, 0.06 * size, cage.positions.shape)
    return rules.enforced((cage.positions + rules.projected(noise)).astype(np.float32))


@pytest.mark.parametrize("kind", LINEAR)
def test_matrix_gives_the_positions_that_blender_gives(kind: str) -> None:
    stack = ModifierStack(LINEAR[kind]())
    surface = stack.surface()
    found = probed_map(surface.cage, surface, stack)
    size = np.ptp(surface.positions, axis=0).max()
    for seed in range(2):
        cage = moved_cage(stack, size, seed)
        shown = stack.positions([cage])[0]
        assert np.abs(shown - surface.positions).max() > 0.05 * size
        assert np.abs(found.apply(cage) - shown).max() < TOLERANCE * size
    rng = np.random.default_rng(9)
    motion = rng.normal(size=cage.shape).astype(np.float32)
    gradient = rng.normal(size=shown.shape).astype(np.float32)
    along = ((found.apply(found.origin + motion) - found.rest) * gradient).sum(dtype=np.float64)
    back = (motion * found.pulled_back(gradient)).sum(dtype=np.float64)
    assert along == pytest.approx(back, rel=1e-4, abs=1e-2)


def solidified() -> bpy.types.Object:
    obj = add_grid(side=5)
    obj.modifiers.new("Solidify", "SOLIDIFY").thickness = 0.1
    return obj


def bevelled() -> bpy.types.Object:
    obj = add_grid(side=5)
    modifier = obj.modifiers.new("Bevel", "BEVEL")
    modifier.affect, modifier.width = "VERTICES", 0.05
    return obj


def inflated() -> bpy.types.Object:
    obj = add_grid(side=5)
    add_inflating_nodes(obj)
    return obj


def welded() -> bpy.types.Object:
    obj = add_grid(side=5)
    obj.modifiers.new("Weld", "WELD").merge_threshold = 0.15
    return obj


@pytest.mark.parametrize("make", [solidified, bevelled, inflated, welded])
def test_what_is_not_linear_is_refused_with_its_reason(make: Callable[[], bpy.types.Object]) -> None:
    stack = ModifierStack(make())
    surface = stack.surface()
    with pytest.raises(NotLinear, match=r"of that size away|how many the modifiers make") as caught:
        probed_map(surface.cage, surface, stack)
    assert caught.value.reason == str(caught.value)


@pytest.mark.parametrize("levels", [0, 1])
def test_normals_of_vertices_are_blenders(levels: int) -> None:
    obj = add_monkey()
    obj.scale = (1.0, 1.0, 1.0)
    add_subsurf(obj, levels)
    bpy.context.view_layer.update()
    surface = ModifierStack(obj).surface()
    evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    normals = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.vertex_normals.foreach_get("vector", normals.ravel())
    evaluated.to_mesh_clear()
    shown = normals @ np.array(obj.matrix_world.to_3x3().normalized()).T
    assert VertexNormals(surface).of(surface.positions) == pytest.approx(shown, abs=2e-3)
