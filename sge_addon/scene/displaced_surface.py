# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Displaced objects as surfaces: Blender evaluates them without displacement, which the fit adds itself."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.colour import straight
from ..core.errors import FitError, Remedy
from ..core.height_field import HeightField
from ..core.height_texture import bilinear_taps
from ..core.laplacian import edges_of
from ..core.pixel_scale import edge_pixels
from ..core.reference import resize_area
from ..core.surface import Material, Surface
from ..core.texture_bake import texel_places
from ..core.uv_coverage import uv_areas
from ..core.view import View
from .displacement import Displacement, displacement_of, shown_displace_modifiers
from .images import stored_pixels
from .materials import straight_pixels
from .objects import mobility_of_group, surface_from_object, world_matrix
from .stand_in import stand_in

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float32]

LUMINANCE = np.float32([0.2126, 0.7152, 0.0722])  # a shader's color as a number
OUTSIDE = 1e-4  # UV units: rounding of unwrappers at the border of the unit square
OVERLAP = 0.02  # of the area; less may be the count's own error
COUNTED_TEXELS, FINEST_COUNT = 1 << 18, 8192
TEXELS_PER_VERTEX = 3  # with fewer, bilinear reads cannot return all heights
COARSE_EDGES, FINE_EDGES = 12.0, 6.0  # pixels: longer edges hide detail; with these shapes are fitted


@dataclass(frozen=True, eq=False)
class DisplacedObject:
    """An object whose height map is fitted.

    surface: as evaluated, displaced, with its ``height``. inset: the texture is read from the centres of its
    outer texels on, since UVs touch its border, where Blender would read the opposite one.
    """

    surface: Surface
    displacement: Displacement
    inset: bool


@dataclass(frozen=True, eq=False)
class _Evaluated:
    """surface: of the whole stack. normals: (V, 3) of vertices, object space. uvs: (F, 3, 2) of the height.
    matrix: (4, 4) to world space."""

    surface: Surface
    normals: NDArray[np.float64]
    uvs: Array
    matrix: NDArray[np.float64]


def displaced_object(
    obj: bpy.types.Object,
    materials: tuple[Material, ...] = (),
    *,
    texture_size: int,
    vertex_group: str = "",
) -> DisplacedObject:
    """The object as viewports evaluate it, ready to have its heights fitted; nothing in the file changes.

    texture_size: of the height map, in texels. Raises FitError as ``height_problems`` and
    ``surface_from_object`` do; also where later modifiers move what was displaced, or UVs overlap.
    """
    displacement, bare = _undisplaced(obj, materials, vertex_group)
    inset = displacement.kind != "node" and _touches_border(bare.uvs, texture_size)
    directions = _directions(bare, displacement)
    field = HeightField(
        base=bare.surface.positions,
        directions=directions,
        midlevel=displacement.midlevel,
        heights=np.full(len(directions), displacement.midlevel, np.float32),
        uvs=_inset(bare.uvs, texture_size) if inset else np.clip(bare.uvs, 0.0, 1.0),
        content=np.zeros((texture_size, texture_size), np.float32),
        frame=None if displacement.in_world_space else bare.matrix[:3, :3],
    )
    if displacement.kind == "modifier":
        displaced = _evaluate(obj, materials, set(), displacement.uv_map).surface.positions
        field = replace(field, heights=field.heights_at(displaced))
    content = _content(obj, displacement, field, inset)
    field = replace(field, content=content)
    if displacement.kind == "node" and displacement.image is not None:
        field = replace(field, heights=_read_at_vertices(field, bare.surface.triangles))
    surface = replace(bare.surface, positions=field.positions(field.heights), height=field)
    return DisplacedObject(surface, displacement, inset)


def check_displaced(obj: bpy.types.Object, *, vertex_group: str = "") -> Surface:
    """The surface without its displacement; raises what ``displaced_object`` would, and decodes no image."""
    return _undisplaced(obj, (), vertex_group)[1].surface


def coarse_notices(surface: Surface, views: Sequence[View]) -> list[str]:
    """Where a displaced surface has too long edges for a height map to show, or the map has fewer texels than
    it has vertices: the remedies."""
    return [*_mesh_notices(surface, views), *_texture_notices(surface)]


def _texture_notices(surface: Surface) -> list[str]:
    field, count = surface.height, len(surface.positions)
    texels = int(uv_areas(field.uvs).sum() * field.content.size)
    if texels >= TEXELS_PER_VERTEX * count:
        return []
    return [
        f"Object '{surface.name}': its height map gives it {texels} texels for {count} vertices, which "
        "cannot all be as high as they should: choose a larger Texture Size, or fewer levels of subdivision."
    ]


def _mesh_notices(surface: Surface, views: Sequence[View]) -> list[str]:
    lengths = edge_pixels(surface.positions, edges_of(surface.triangles), views)
    lengths = lengths[lengths > 0.0]
    middle = float(np.median(lengths)) if len(lengths) else 0.0
    if middle <= COARSE_EDGES:
        return []
    levels = math.ceil(math.log2(middle / FINE_EDGES))
    return [
        f"Object '{surface.name}': its edges are {middle:.0f} pixels long, so that a height map can show "
        f"little: give it a Subdivision Surface modifier of {levels} levels, or its own so many more."
    ]


def _undisplaced(
    obj: bpy.types.Object, materials: tuple[Material, ...], vertex_group: str
) -> tuple[Displacement, _Evaluated]:
    displacement = displacement_of(obj)
    muted = {displacement.name} if displacement.kind == "modifier" else set()
    bare = _evaluate(obj, materials, muted, displacement.uv_map, vertex_group)
    if muted:
        bare = replace(bare, normals=_normals_before_later_modifiers(obj, bare, muted))
    _check_uvs(obj, bare.uvs, displacement.uv_map)
    return displacement, bare


def _evaluate(
    obj: bpy.types.Object,
    materials: tuple[Material, ...],
    muted: Collection[str],
    uv_map: str,
    vertex_group: str = "",
) -> _Evaluated:
    with stand_in(obj, muted=muted) as copy:
        evaluated = copy.evaluated()
        depsgraph = copy.view_layer.depsgraph
        surface = surface_from_object(obj, materials, depsgraph=depsgraph, stand_in=copy.object)
        mesh = evaluated.to_mesh()
        try:
            if vertex_group:
                surface = replace(surface, mobility=mobility_of_group(obj, vertex_group, mesh))
            uvs = np.zeros((len(mesh.loops), 2), np.float32)
            layer = mesh.uv_layers.get(uv_map)
            if layer is not None:
                layer.uv.foreach_get("vector", uvs.ravel())
            elif uv_map:
                raise FitError(
                    f"Object '{obj.name}': its modifiers leave no UV map '{uv_map}' to read a height map "
                    "through: apply them, or choose another map.",
                    subject=obj.name,
                )
            normals = np.empty((len(mesh.vertices), 3), np.float32)
            mesh.vertex_normals.foreach_get("vector", normals.ravel())
            mesh.calc_loop_triangles()
            corners = np.empty((len(mesh.loop_triangles), 3), np.int32)
            mesh.loop_triangles.foreach_get("loops", corners.ravel())
            matrix = world_matrix(evaluated)
        finally:
            evaluated.to_mesh_clear()
    if np.linalg.det(matrix[:3, :3]) < 0.0:
        corners = corners[:, ::-1]  # as the surface has its triangles
    return _Evaluated(surface, normals.astype(np.float64), uvs[corners], matrix)


def _normals_before_later_modifiers(
    obj: bpy.types.Object, bare: _Evaluated, muted: set[str]
) -> NDArray[np.float64]:
    """(V, 3) along which the modifier displaces. What comes after it may cut faces or say how they shade,
    which turns normals, but must not move vertices: else raises FitError."""
    names = [modifier.name for modifier in obj.modifiers if modifier.show_viewport]
    later = names[names.index(shown_displace_modifiers(obj)[0].name) + 1 :]
    if not later:
        return bare.normals
    without = _evaluate(obj, (), {*muted, *later}, "")
    if not np.array_equal(without.surface.positions, bare.surface.positions):
        listed = ", ".join(f"'{name}'" for name in later)
        raise FitError(
            f"Object '{obj.name}': modifiers after its displacement change the mesh ({listed}): drag "
            "Displace below them, or remove them.",
            subject=obj.name,
        )
    return without.normals


def _check_uvs(obj: bpy.types.Object, uvs: Array, uv_map: str) -> None:
    owner = f"Object '{obj.name}': its UV map '{uv_map}'"
    if not np.isfinite(uvs).all() or uvs.min() < -OUTSIDE or uvs.max() > 1.0 + OUTSIDE:
        raise FitError(
            f"{owner} leaves the unit square, where a height map repeats: pack its islands.",
            subject=obj.name,
            remedy=Remedy.UNWRAP,
        )
    area = float(uv_areas(uvs).sum())
    if area == 0.0:
        raise FitError(f"{owner} has no area: unwrap it.", subject=obj.name, remedy=Remedy.UNWRAP)
    shared = _shared_area(uvs, area)
    if shared > OVERLAP:
        raise FitError(
            f"{owner} has faces that lie on each other ({shared:.0%} of it), which one height map cannot "
            "move apart: unwrap it.",
            subject=obj.name,
            remedy=Remedy.UNWRAP,
        )


def _shared_area(uvs: Array, area: float) -> float:
    """Part of the triangles' area that lies on other triangles, as counted by texels of a size of its own."""
    side = min(int(math.sqrt(COUNTED_TEXELS / area)), FINEST_COUNT)
    return 1.0 - len(texel_places(uvs, (side, side)).texels) / (area * side * side)


def _directions(bare: _Evaluated, displacement: Displacement) -> Array:
    """(V, 3) world: how far one unit of height moves a vertex."""
    linear = bare.matrix[:3, :3]
    if displacement.in_world_space:
        normals = bare.normals @ np.linalg.inv(linear)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    else:
        normals = bare.normals @ linear.T
    return (displacement.strength * normals).astype(np.float32)


def _touches_border(uvs: Array, size: int) -> bool:
    """Whether a bilinear read reaches over the texture's border."""
    return bool(uvs.min() < 0.5 / size or uvs.max() > 1.0 - 0.5 / size)


def _inset(uvs: Array, size: int) -> Array:
    """Where a texture is read of which the outer texels' centres are the corners."""
    return (0.5 + np.clip(uvs, 0.0, 1.0) * (size - 1)) / np.float32(size)


def _content(obj: bpy.types.Object, displacement: Displacement, field: HeightField, inset: bool) -> Array:
    """(H, W) of the texture at the start, at its new size and place; vertices may read a little else."""
    size = len(field.content)
    image = displacement.image
    if image is None:
        return np.full((size, size), field.heights.mean(), np.float32)
    crop = (0.0, 0.0, 1.0, 1.0)
    if displacement.kind == "modifier":
        pixels = stored_pixels(image)
        texture = obj.modifiers[displacement.name].texture
        values = (straight(pixels) if image.is_float else pixels)[..., :3].mean(axis=2)
        values = np.maximum(values, 0.0) if texture.use_clamp else values
        crop = (texture.crop_min_x, texture.crop_min_y, texture.crop_max_x, texture.crop_max_y)
    else:
        values = straight_pixels(image) @ LUMINANCE
    rows, columns = (min(size, side) for side in values.shape)
    values = resize_area(values[..., None].astype(np.float32), columns, rows)[..., 0]
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    if inset:
        x, y = ((each * size - 0.5) / (size - 1) for each in (x, y))
    low, high = np.asarray(crop[:2]), np.asarray(crop[2:])
    places = low + np.stack([x, y], axis=-1).reshape(-1, 2) * (high - low)
    taps, weights = bilinear_taps(places, (rows, columns))
    return (values.ravel()[taps] * weights).sum(axis=1).reshape(size, size).astype(np.float32)


def _read_at_vertices(field: HeightField, triangles: NDArray[np.int32]) -> Array:
    """(V,) what the content reads at the vertices; where a vertex has several UVs, at one of them."""
    uvs = np.full((len(field.base), 2), 0.5, np.float32)
    uvs[triangles.ravel()[::-1]] = field.uvs.reshape(-1, 2)[::-1]
    taps, weights = bilinear_taps(uvs, field.content.shape)
    return (field.content.ravel()[taps] * weights).sum(axis=1).astype(np.float32)
