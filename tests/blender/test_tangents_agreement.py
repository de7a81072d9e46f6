# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tangents are Blender's own: quads, seams and mirrored UVs included."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.assembly import Assembly, assemble
from sge_addon.core.material_maps import LitMaterial
from sge_addon.core.surface import Material
from sge_addon.core.tangents import CornerTangents
from sge_addon.scene.objects import surface_from_object

LIT = Material("lit", lit=LitMaterial({}))


def suzanne() -> bpy.types.Object:
    bpy.ops.mesh.primitive_monkey_add(calc_uvs=True)
    return bpy.context.object


def spot(data: Path) -> bpy.types.Object:
    bpy.ops.wm.obj_import(filepath=str(data / "spot" / "spot_quadrangulated.obj"))
    return bpy.context.object


def mirror_half_of_the_uvs(mesh: bpy.types.Mesh) -> None:
    """The UVs of faces at x < 0 are turned over in place, as where both sides share one half of a texture."""
    for polygon in mesh.polygons:
        if polygon.center.x < 0.0:
            for loop in polygon.loop_indices:
                uv = mesh.uv_layers.active.uv[loop].vector
                mesh.uv_layers.active.uv[loop].vector = (1.0 - uv.x, uv.y)


def blender_tangents(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    """(L, 4) tangent and sign, (L, 3) normal of each loop."""
    mesh.calc_tangents()
    loops = mesh.loops
    tangents, normals, signs = np.empty((len(loops), 3)), np.empty((len(loops), 3)), np.empty(len(loops))
    loops.foreach_get("tangent", tangents.ravel())
    loops.foreach_get("normal", normals.ravel())
    loops.foreach_get("bitangent_sign", signs)
    return np.c_[tangents, signs], normals


def our_tangents(assembly: Assembly, triangle_normals: np.ndarray) -> np.ndarray:
    """(F, 3, 4), with Blender's normals: (F, 3, 3)."""
    normals = np.empty((len(assembly.corners), 3), np.float32)
    normals[assembly.corner_indices] = triangle_normals
    frames = CornerTangents(
        assembly.triangles, assembly.uvs, assembly.corner_indices, assembly.corner_signs, assembly.polygons
    )
    return frames.at(assembly.positions, normals)[assembly.corner_indices]


@pytest.mark.parametrize("mirrored", [False, True], ids=["as unwrapped", "half mirrored"])
@pytest.mark.parametrize("name", ["suzanne", "spot"])
def test_tangents_are_blenders(name: str, mirrored: bool, request: pytest.FixtureRequest) -> None:
    obj = suzanne() if name == "suzanne" else spot(request.getfixturevalue("data"))
    mesh = obj.data
    mesh.shade_smooth()
    obj.matrix_world.identity()
    if mirrored:
        mirror_half_of_the_uvs(mesh)
    assembly = assemble([surface_from_object(obj, (LIT,))])
    tangents, normals = blender_tangents(mesh)
    loops = np.empty((len(mesh.loop_triangles), 3), np.int32)
    mesh.loop_triangles.foreach_get("loops", loops.ravel())

    found, expected = our_tangents(assembly, normals[loops]), tangents[loops]
    assert (found[..., 3] == expected[..., 3]).mean() > 0.999
    assert (np.unique(expected[..., 3]).size == 2) == mirrored or name == "spot"
    cosine = (found[..., :3] * expected[..., :3]).sum(axis=-1)
    degrees = np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0)))
    assert np.quantile(degrees, 0.99) < 1.0, np.quantile(degrees, [0.5, 0.9, 0.99, 1.0])
