# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small lit scenes for tests of the maps' estimator: geometry by the oracle, shading by a stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from sge_addon.core.assembly import Assembly, assemble
from sge_addon.core.geometry_buffer import GeometryBuffer
from sge_addon.core.map_shader import DERIVED_MAPS, Shaded, ShadingPoints
from sge_addon.core.material_maps import MAP_KINDS, SHADED_COLUMNS, LitMaterial, MaterialMap
from sge_addon.core.oracle import group_normals, rasterise
from sge_addon.core.surface import Material, Surface, flat_groups
from sge_addon.core.view import View, perspective

# Coloured, so that one pixel tells which way it faces.
LIGHTS = (
    ((0.8, 0.3, 0.7), (2.6, 0.5, 0.3)),
    ((-0.7, 0.5, 0.6), (0.4, 2.3, 0.6)),
    ((0.1, -0.8, 0.6), (0.4, 0.6, 2.6)),
    ((0.2, 0.1, 0.9), (0.7, 0.7, 0.7)),
)


def unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


@dataclass(frozen=True)
class StandInShader:
    """Lambert and Blinn under suns and a sky that is linear in direction; derivatives by differences in
    float64, exact to 1e-6. emission_strength: by material."""

    emission_strength: Sequence[float] = (1.0,)

    def prepare(self, points: ShadingPoints) -> ShadingPoints:
        return points

    def colour(self, prepared, values, lights=None):
        return self._colour(prepared, values.astype(np.float64)).astype(np.float32)

    def _colour(self, points, values):
        base, metallic, roughness = (
            values[:, SHADED_COLUMNS[name]] for name in ("base_color", "metallic", "roughness")
        )
        normal, tangent = points.normal.astype(np.float64), points.tangent.astype(np.float64)
        bitangent = tangent[:, 3:] * np.cross(normal, tangent[:, :3])
        x, y, z = (unit(values[:, SHADED_COLUMNS["normal"]])[:, k, None] for k in range(3))
        normal = unit(x * tangent[:, :3] + y * bitangent + z * normal)
        eye = points.to_eye.astype(np.float64)
        diffuse = 0.5 + 0.2 * normal[:, 2:]
        mirror = 2 * (normal * eye).sum(axis=1, keepdims=True) * normal - eye
        glossy = 0.4 + (1 - roughness) * 0.3 * mirror @ np.array([[0.2], [0.5], [0.8]])
        sharp = 2 / roughness**2
        for direction, power in LIGHTS:
            towards = unit(np.array(direction))
            lit = np.maximum((normal * towards).sum(axis=1, keepdims=True), 0)
            half = unit(towards + eye)
            lobe = np.maximum((normal * half).sum(axis=1, keepdims=True), 0) ** sharp
            diffuse = diffuse + lit * power / np.pi
            glossy = glossy + lit * power * lobe * (sharp + 2) / 8 / np.pi
        specular = 0.04 + metallic * (base - 0.04)
        emission = values[:, SHADED_COLUMNS["emission"]] * self.emission_strength[points.material]
        return base * (1 - metallic) * diffuse + specular * glossy + emission

    def shade(self, prepared, values, lights=None, maps=DERIVED_MAPS):
        values = values.astype(np.float64)

        def slope(kind, place=0):
            if kind not in maps:
                return np.zeros((0, 3), np.float32)
            columns = SHADED_COLUMNS[kind]
            column = columns if kind == "base_color" else columns.start + place
            step = np.zeros_like(values)
            step[:, column] = 1e-5
            above, below = (self._colour(prepared, values + sign * step) for sign in (1, -1))
            return ((above - below) / 2e-5).astype(np.float32)

        return Shaded(
            colour=self._colour(prepared, values).astype(np.float32),
            base_color=slope("base_color"),
            metallic=slope("metallic"),
            roughness=slope("roughness"),
            normal_x=slope("normal"),
            normal_y=slope("normal", 1),
        )


def oracle_geometry(assembly: Assembly, view: View, offset=(0.0, 0.0)) -> GeometryBuffer:
    """What the rasteriser's geometry buffer holds; tangents are those of the triangles."""
    positions = assembly.positions.astype(np.float64)
    fragments = rasterise(positions, assembly.triangles, view, offset)
    seen = fragments.ids > 0
    triangle = fragments.ids[seen].astype(int) - 1
    weights = fragments.barycentrics[seen]
    uvs = assembly.uvs[triangle].astype(np.float64)
    corners = positions[assembly.triangles[triangle]]
    normal = np.einsum(
        "nk,nkc->nc", weights, group_normals(positions, assembly)[assembly.normal_groups[triangle]]
    )
    edges, uv_edges = corners[:, 1:] - corners[:, :1], uvs[:, 1:] - uvs[:, :1]
    area = np.linalg.det(uv_edges)
    along = uv_edges[:, 1, 1:] * edges[:, 0] - uv_edges[:, 0, 1:] * edges[:, 1]
    tangent = unit(np.sign(area)[:, None] * along)

    def image(rows):
        out = np.zeros((*seen.shape, rows.shape[-1]), np.float32)
        out[seen] = rows
        return out

    return GeometryBuffer(
        ids=fragments.ids,
        uv=image(np.einsum("nk,nkc->nc", weights, uvs)),
        uv_slopes=image(
            np.concatenate(
                [np.einsum("nk,nkc->nc", each[seen], uvs) for each in (fragments.right, fragments.up)], axis=1
            )
        ),
        position=image(np.einsum("nk,nkc->nc", weights, corners)),
        normal=image(unit(normal)),
        tangent=image(np.c_[tangent, np.sign(area)]),
    )


def lit_material(name: str, emission_strength: float = 1.0, **maps) -> LitMaterial:
    """A material with the given maps (textures (H, W, C), constants or MaterialMaps); the others as ever."""
    entries = {}
    for kind, columns in SHADED_COLUMNS.items():
        given = maps.get(kind, MAP_KINDS[kind].initial)
        if isinstance(given, np.ndarray):
            given = MaterialMap(f"{name} {kind}", MAP_KINDS[kind].initial, given.astype(np.float32))
        elif not isinstance(given, MaterialMap):
            given = MaterialMap(f"{name} {kind}", tuple(np.broadcast_to(given, columns.stop - columns.start)))
        entries[kind] = given
    return LitMaterial(entries, emission_strength=emission_strength)


def truth(height: int, width: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Smooth maps of every kind, (H, W, C), within their bounds."""
    y, x = np.mgrid[0:height, 0:width] * (2 * np.pi)
    y, x, turn = y / height, x / width, 1.7 * seed

    def wave(low, high, a, b, phase):
        return low + (high - low) * (0.5 + 0.5 * np.sin(a * x + b * y + phase + turn))

    tilt = np.stack([wave(-0.4, 0.4, 1, 1, 0), wave(-0.4, 0.4, -1, 1, 1)], -1)
    return {
        "base_color": np.stack([wave(0.2, 0.8, 1, k - 1, k) for k in range(3)], -1),
        "metallic": wave(0.1, 0.9, 1, 0, 2)[..., None],
        "roughness": wave(0.25, 0.75, 0, 1, 3)[..., None],
        "normal": np.concatenate([tilt, np.sqrt(1 - (tilt**2).sum(-1, keepdims=True))], -1),
        "emission": np.stack([wave(0.0, 0.3, k - 1, 1, k) for k in range(3)], -1),
        "alpha": wave(0.3, 1.0, 1, -1, 4)[..., None],
    }


def card_assembly(names=("one",), mirrored: bool = False, lit: Sequence[LitMaterial] = ()) -> Assembly:
    """A card of 2 x 2 in the plane z = 0, seen from +Z, cut into as many columns as there are materials.

    mirrored: UVs of its right half run back. lit: the materials, where a rasteriser shall know them.
    """
    cuts = np.linspace(-1, 1, 2 * len(names) + 1)
    points = np.array([(x, y, 0.15 * x * x) for x in cuts for y in (-1, 1)], np.float32)
    quads = [(2 * k, 2 * k + 2, 2 * k + 3, 2 * k + 1) for k in range(len(cuts) - 1)]
    triangles = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)
    uv = points[:, :2] * 0.5 + 0.5
    if mirrored:
        uv[:, 0] = np.abs(uv[:, 0] - 0.5) * 2
    surface = Surface(
        "card",
        points,
        triangles,
        flat_groups(np.zeros(len(triangles), np.int32)),
        uvs=uv[triangles].astype(np.float32),
        material_indices=np.arange(len(triangles), dtype=np.int32) // 4,
        materials=tuple(
            Material(name, texture=np.ones((1, 1, 3), np.float32), lit=each)
            for name, each in zip_longest(names, lit)
        ),
    )
    return assemble([surface])


def camera(
    size: int, azimuth: float = 0.0, elevation: float = 0.0, distance: float = 2.0, name="Camera"
) -> View:
    """Looking at the origin; at distance 2 a card of 2 x 2 fills the view."""
    a, e = np.radians((azimuth, elevation))
    back = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
    right = np.array([np.cos(a), 0, -np.sin(a)])
    matrix = np.eye(4)
    matrix[:3, :4] = np.stack([right, np.cross(back, right), back, distance * back], axis=1)
    focal = 1.1 * size
    return View(name, matrix, perspective(focal, focal, size / 2, size / 2, size, size), size, size)
