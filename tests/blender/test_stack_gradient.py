# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gradients of cages are central differences of the loss through the mesh that Blender's modifiers make, whether
they are estimated on the cage or on the surface; both estimates agree where the modifiers are linear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import bpy
import numpy as np
import pytest

from sge_addon.core.stack_probing import probed_map
from tests.blender.caged_copies import CagedCopies, MappedStack
from tests.blender.test_raster_gradient import agreement

pytestmark = pytest.mark.usefixtures("gpu_ready")

Modify = Callable[[bpy.types.Object], None]


def ball(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """26 vertices and 24 quads, a little out of shape; eight vertices lie on the plane x = 0, exactly."""
    places: dict[tuple[int, ...], int] = {}
    quads = []
    for axis in range(3):
        for side in (-1, 1):
            for i in (-1, 0):
                for j in (-1, 0):
                    corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)][::side]
                    quad = []
                    for u, v in corners:
                        place = [0, 0, 0]
                        place[axis], place[(axis + 1) % 3], place[(axis + 2) % 3] = side, u, v
                        quad.append(places.setdefault(tuple(place), len(places)))
                    quads.append(quad)
    points = np.asarray(list(places), np.float64)
    points *= radius / np.linalg.norm(points, axis=1, keepdims=True)
    moved = points + np.random.default_rng(3).normal(0.0, 0.02, points.shape)
    moved[points[:, 0] == 0.0, 0] = 0.0
    return moved, np.asarray(quads)


def half(points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What lies at x >= 0."""
    kept = faces[(points[faces][..., 0] >= 0.0).all(axis=1)]
    used = np.unique(kept)
    return points[used], np.searchsorted(used, kept)


def subdivided(levels: int, creases: float = 0.8) -> Modify:
    """Every ninth edge of a ball is creased, whichever copy it belongs to."""

    def modify(obj: bpy.types.Object) -> None:
        mesh = obj.data
        ends = np.empty(2 * len(mesh.edges), np.int32)
        mesh.edges.foreach_get("vertices", ends)
        ends = ends.reshape(-1, 2) % 26
        values = np.where((26 * ends.min(axis=1) + ends.max(axis=1)) % 9 == 0, creases, 0.0)
        attribute = mesh.attributes.new("crease_edge", "FLOAT", "EDGE")
        attribute.data.foreach_set("value", values.astype(np.float32))
        obj.modifiers.new("Subdivision", "SUBSURF").levels = levels

    return modify


def mirrored(obj: bpy.types.Object) -> None:
    obj.modifiers.new("Mirror", "MIRROR")
    obj.modifiers.new("Subdivision", "SUBSURF").levels = 1


def repeated(obj: bpy.types.Object) -> None:
    array = obj.modifiers.new("Array", "ARRAY")
    array.count = 2
    array.use_relative_offset, array.use_constant_offset = False, True
    array.constant_offset_displace = (0.12, 0.1, 0.3)


def thickened(obj: bpy.types.Object) -> None:
    solidify = obj.modifiers.new("Solidify", "SOLIDIFY")
    solidify.thickness, solidify.offset = 0.08, 1.0


def displaced_by_nodes(obj: bpy.types.Object) -> None:
    """Along the normal by 0.06 sin(9 z)."""
    tree = bpy.data.node_groups.new("Displace", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    names = (
        "NodeGroupInput",
        "NodeGroupOutput",
        "GeometryNodeSetPosition",
        "GeometryNodeInputNormal",
        "GeometryNodeInputPosition",
        "ShaderNodeSeparateXYZ",
    )
    source, sink, place, normal, position, axes = (tree.nodes.new(name) for name in names)
    link = tree.links.new
    link(position.outputs[0], axes.inputs[0])
    height = axes.outputs["Z"]
    for operation, value in (("MULTIPLY", 9.0), ("SINE", 0.0), ("MULTIPLY", 0.06)):
        node = tree.nodes.new("ShaderNodeMath")
        node.operation = operation
        link(height, node.inputs[0])
        node.inputs[1].default_value = value
        height = node.outputs[0]
    scale = tree.nodes.new("ShaderNodeVectorMath")
    scale.operation = "SCALE"
    link(normal.outputs[0], scale.inputs[0])
    link(height, scale.inputs["Scale"])
    link(scale.outputs[0], place.inputs["Offset"])
    link(source.outputs[0], place.inputs["Geometry"])
    link(place.outputs[0], sink.inputs[0])
    obj.modifiers.new("Nodes", "NODES").node_group = tree


@dataclass(frozen=True)
class Case:
    """grid: cells of the picture. calls: pairs for estimates and for central differences."""

    modify: Modify
    grid: tuple[int, int] = (16, 16)
    calls: tuple[int, int] = (16, 24)
    radius: float = 0.36
    is_half: bool = False

    def copies(self, epsilon: float = 0.7) -> CagedCopies:
        points, faces = ball(self.radius)
        if self.is_half:
            points, faces = half(points, faces)
        return CagedCopies(points, faces, self.modify, self.grid, epsilon=epsilon)

    def moving(self) -> np.ndarray:
        """Flat indices of the parameters: all but what leads off the mirror's plane."""
        points, faces = ball(self.radius)
        if not self.is_half:
            return np.arange(points.size)
        points, _ = half(points, faces)
        free = np.ones(points.shape, bool)
        free[points[:, 0] == 0.0, 0] = False
        return np.flatnonzero(free)


CASES = {
    "Subsurf 1": Case(subdivided(1), radius=0.42),
    "Subsurf 2": Case(subdivided(2), (12, 12), (28, 40), radius=0.42),
    "Subsurf 3": Case(subdivided(3), (8, 8), (60, 80), radius=0.42),
    "Mirror and Subsurf": Case(mirrored, (1, 64), (40, 60), radius=0.42, is_half=True),
    "Array": Case(repeated, radius=0.3),
    "Solidify": Case(thickened, radius=0.32),
    "Geometry Nodes": Case(displaced_by_nodes),
}
LINEAR = ("Subsurf 1", "Subsurf 2", "Subsurf 3", "Mirror and Subsurf", "Array")


def assert_agrees(found: np.ndarray, expected: np.ndarray, length: float = 0.05) -> None:
    cosine, ratio = agreement(found, expected)
    assert cosine >= 0.99, f"cosine {cosine:.4f}, length {ratio:.4f}"
    assert abs(ratio - 1.0) <= length, f"cosine {cosine:.4f}, length {ratio:.4f}"


@pytest.mark.parametrize("name", CASES)
def test_gradient_through_modifiers_is_that_of_central_differences(name: str) -> None:
    case = CASES[name]
    copies, moving = case.copies(), case.moving()
    found = copies.estimate(copies.source(), case.calls[0]).ravel()
    assert (np.delete(found, moving) == 0.0).all()
    assert_agrees(found[moving], copies.central_differences(case.calls[1], moving))
