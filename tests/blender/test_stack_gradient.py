# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gradients of cages are central differences of the loss through the mesh that Blender's modifiers make,
whether they are estimated on the cage or on the surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import bpy
import numpy as np
import pytest

from tests.blender.caged_copies import CagedCopies
from tests.blender.test_raster_gradient import agreement

pytestmark = pytest.mark.usefixtures("gpu_ready")

Modify = Callable[[bpy.types.Object], None]


def ball(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """26 vertices and 24 quads, a little out of shape."""
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
    return points + np.random.default_rng(3).normal(0.0, 0.02, points.shape), np.asarray(quads)


def box(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """8 vertices and 6 quads, out of shape and turned so that three sides are seen."""
    corners = np.asarray([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], np.float64)
    quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
    corners += np.random.default_rng(5).normal(0.0, 0.15, corners.shape)
    across, _ = np.linalg.qr(np.asarray([[1.0, 1.0, 0.4], [-1.0, 1.2, 0.3], [0.2, -0.5, 1.0]]).T)
    return radius / 3**0.5 * corners @ (across * np.sign(np.linalg.det(across))), np.asarray(quads)


def half_box(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A box open at x = 0, where four of its vertices lie exactly."""
    corners, quads = box(radius)
    straight = np.asarray([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (0, 1)], np.float64)
    points = 0.6 * radius * straight + 0.2 * corners
    points[straight[:, 0] == 0.0, 0] = 0.0
    return points, np.delete(quads, 4, axis=0)


def smoothed(obj: bpy.types.Object) -> None:
    obj.modifiers.new("Subdivision", "SUBSURF").levels = 1


def subdivided(levels: int) -> Modify:
    """Some edges of a box are creased, the same of every copy."""

    def modify(obj: bpy.types.Object) -> None:
        mesh = obj.data
        ends = np.empty(2 * len(mesh.edges), np.int32)
        mesh.edges.foreach_get("vertices", ends)
        ends = ends.reshape(-1, 2)
        values = np.where((ends % 8).sum(axis=1) % 6 == 0, 0.8, 0.0)
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
    mesh: tuple[np.ndarray, np.ndarray]
    grid: tuple[int, int] = (16, 16)
    calls: tuple[int, int] = (16, 16)

    def copies(self, epsilon: float = 0.7) -> CagedCopies:
        return CagedCopies(*self.mesh, self.modify, self.grid, epsilon=epsilon)

    def moving(self) -> np.ndarray:
        """Flat indices of the parameters: all but what leads off the mirror's plane."""
        free = np.ones(self.mesh[0].shape, bool)
        free[self.mesh[0][:, 0] == 0.0, 0] = False
        return np.flatnonzero(free)


CASES = {
    "Subsurf": Case(smoothed, ball(0.42), (16, 16), (16, 16)),
    "Subsurf 1": Case(subdivided(1), box(0.5), (12, 12)),
    "Subsurf 2": Case(subdivided(2), box(0.5), (12, 12)),
    "Subsurf 3": Case(subdivided(3), box(0.5), (8, 8), (48, 48)),
    "Mirror and Subsurf": Case(mirrored, half_box(0.42), (1, 64), (64, 64)),
    "Array": Case(repeated, ball(0.3)),
    "Solidify": Case(thickened, ball(0.32)),
    "Geometry Nodes": Case(displaced_by_nodes, ball(0.36), calls=(32, 32)),
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


@pytest.mark.parametrize("name", LINEAR)
def test_gradient_of_the_surface_pulled_back_is_that_of_central_differences(name: str) -> None:
    """Perturbations are small, as the triangles are: those of three levels are 1.5 pixels wide."""
    case = CASES[name]
    copies, moving = case.copies(epsilon=0.3), case.moving()
    found = copies.estimate_of_surface(case.calls[0], copies.linear_map()).ravel()
    expected = copies.central_differences(case.calls[1], moving, of_surface=True)
    assert_agrees(found[moving], expected, length=0.25)


@pytest.mark.parametrize("name", LINEAR)
def test_a_map_in_place_of_blender_gives_the_same_gradient(name: str) -> None:
    copies = replace(CASES[name], grid=(1, 8)).copies()
    mapped = copies.estimate(copies.source(copies.mapped_stack()), 16)
    cosine, length = agreement(copies.estimate(copies.source(), 16).ravel(), mapped.ravel())
    assert cosine >= 0.999
    assert abs(length - 1.0) <= 0.001
