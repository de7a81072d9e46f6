# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The materials of lit surfaces on the GPU: a pyramid a map, and one block of numbers a material."""

from __future__ import annotations

from collections.abc import Sequence

import gpu
import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError
from ..core.material_maps import SHADED_COLUMNS, LitMaterial, MaterialMap
from ..core.surface import Material
from ..core.texture_pyramid import level_count, pyramid_atlas
from ..core.view import View
from .tables import upload_image

Array = NDArray[np.float32]

# Of lit_material, in vec4: four a map (UV transform in two, (width, height, levels, how), the constant), then
# lit_constants (ior, specular level, normal strength, emission strength) and (clip value or -1, 0, 0, 0).
# Mirrored in shaders/lit_maps.glsl and coverage.glsl.
MATERIAL_ROWS = 4 * len(SHADED_COLUMNS) + 2
# How a map is read. Packed: with another one, which must be textures of one size, at one place.
PACKED, READ_AS_BASE = 1.0, 2.0
_HOSTS = {"metallic": "base_color", "roughness": "normal"}
VIEW_ROWS = 2  # of lit_view: the eye, and (upper, lower half of the key of alpha's seed, samples, 0)


def atlas_name(map_name: str) -> str:
    """The sampler of a map's pyramid."""
    return f"atlas_{map_name}"


# What Blender shows where an object has no material.
_NO_MATERIAL = LitMaterial(
    {
        "base_color": MaterialMap("base_color", (0.8, 0.8, 0.8)),
        "metallic": MaterialMap("metallic", (0.0,)),
        "normal": MaterialMap("normal", (0.0, 0.0, 1.0)),
        "roughness": MaterialMap("roughness", (0.5,)),
        "emission": MaterialMap("emission", (0.0, 0.0, 0.0)),
        "alpha": MaterialMap("alpha", (1.0,)),
    }
)


class LitMaterials:
    """Textures, and uniform blocks, of the materials of an assembly."""

    def __init__(self, materials: Sequence[Material]) -> None:
        self._materials = [_lit(material) for material in materials]
        self._none = upload_image(np.zeros((1, 1, 4), np.float32))
        self._textures = [_textures(material) for material in self._materials]
        self._atlases: list[dict[str, gpu.types.GPUTexture]] = [{} for _ in materials]
        self._rows = [_rows(material) for material in self._materials]
        self._blocks: list[gpu.types.GPUUniformBuf | None] = [None] * len(materials)
        for index in range(len(materials)):
            self._lay_out(index)

    @property
    def textured(self) -> tuple[str, ...]:
        """The maps that have an atlas of their own in any material."""
        return tuple(
            name
            for name in SHADED_COLUMNS
            if any(
                name in textures and not self._is(PACKED, index, name)
                for index, textures in enumerate(self._textures)
            )
        )

    @property
    def has_alpha(self) -> bool:
        """Whether any material lets something through."""
        return not all(self.is_opaque(index) for index in range(len(self._materials)))

    def is_opaque(self, material: int) -> bool:
        """Whether nothing shows through a material: its alpha is the constant 1."""
        alpha = self._materials[material].maps["alpha"]
        return "alpha" not in self._textures[material] and alpha.value[0] >= 1.0

    def set_map(self, material: int, name: str, texture: Array) -> None:
        """texture: (H, W, C) float32, a map of a material; values as ``core.material_maps`` means them."""
        before = self._textures[material].get(name)
        self._textures[material][name] = texture
        self._atlases[material].pop(
            _HOSTS.get(name, name) if self._is(PACKED, material, name) else name, None
        )
        if before is None or before.shape != texture.shape:
            self._lay_out(material)

    def values(self, material: int) -> dict[str, object]:
        """What programs read of a material; what has changed is uploaded."""
        block = self._blocks[material]
        if block is None:
            rows = self._rows[material]
            block = gpu.types.GPUUniformBuf(gpu.types.Buffer("FLOAT", rows.size, rows))
            self._blocks[material] = block
        textures, atlases = self._textures[material], self._atlases[material]
        for name in textures:
            if name not in atlases and not self._is(PACKED, material, name):
                atlases[name] = self._uploaded(material, name)
        found: dict[str, object] = {
            atlas_name(name): atlases.get(name, self._none) for name in SHADED_COLUMNS
        }
        return found | {"lit_material": block}

    def _uploaded(self, material: int, name: str) -> gpu.types.GPUTexture:
        texture = self._textures[material][name]
        guest = next((each for each, host in _HOSTS.items() if host == name), "")
        if guest in self._textures[material] and self._is(PACKED, material, guest):
            texture = np.concatenate([texture, self._textures[material][guest]], axis=2)
        return upload_image(pyramid_atlas(texture), "R32F" if texture.shape[2] == 1 else "RGBA32F")

    def _lay_out(self, material: int) -> None:
        """Decide how each map is read, by its size and place."""
        maps, textures, rows = self._materials[material].maps, self._textures[material], self._rows[material]

        def are_alike(name: str, other: str) -> bool:
            if name not in textures or other not in textures:
                return False
            placed = (maps[name].uv_transform == maps[other].uv_transform).all()
            return bool(placed) and textures[name].shape[:2] == textures[other].shape[:2]

        for name, texture in textures.items():
            way = 0.0
            if name in _HOSTS and are_alike(name, _HOSTS[name]):
                way = PACKED
            elif name not in ("base_color", "alpha") and are_alike(name, "base_color"):
                way = READ_AS_BASE
            height, width = texture.shape[:2]
            rows[_row(name) + 2] = (width, height, level_count(height, width), way)
        self._blocks[material] = None
        self._atlases[material].clear()

    def _is(self, way: float, material: int, name: str) -> bool:
        return bool(self._rows[material][_row(name) + 2, 3] == way)


def view_block(view: View, key: int = 0, samples: int = 1) -> gpu.types.GPUUniformBuf:
    """lit_view. key: 32 bits, of the seed by which alpha is drawn. samples: along a side of a pixel."""
    rows = np.zeros((VIEW_ROWS, 4), np.float32)
    column = 3 if view.is_perspective else 2
    rows[0, :3] = view.camera_to_world[:3, column]
    rows[0, 3] = float(view.is_perspective)
    rows[1] = ((key >> 16) & 0xFFFF, key & 0xFFFF, samples, 0)
    return gpu.types.GPUUniformBuf(gpu.types.Buffer("FLOAT", rows.size, rows))


def _lit(material: Material) -> LitMaterial:
    if material.lit is None and not material.key:
        return _NO_MATERIAL
    if material.lit is None:
        raise FitError(
            f"Material '{material.key}' was not read with all of its maps: lit shading needs a material "
            "with a Principled BSDF.",
            subject=material.key,
        )
    missing = [name for name in SHADED_COLUMNS if name not in material.lit.maps]
    if missing:
        raise FitError(
            f"Material '{material.key}' lacks {', '.join(missing)}: lit shading needs each as a texture "
            "or a constant.",
            subject=material.key,
        )
    return material.lit


def _textures(material: LitMaterial) -> dict[str, Array]:
    given = {name: material.maps[name].texture for name in SHADED_COLUMNS}
    return {name: texture for name, texture in given.items() if texture is not None}


def _rows(material: LitMaterial) -> NDArray[np.float32]:
    rows = np.zeros((MATERIAL_ROWS, 4), np.float32)
    for name in SHADED_COLUMNS:
        each, row = material.maps[name], _row(name)
        rows[row : row + 2, :3] = each.uv_transform
        rows[row + 3, : len(each.value)] = each.value
    rows[-2] = (
        material.ior,
        material.specular_level,
        material.normal_strength,
        material.emission_strength,
    )
    rows[-1, 0] = -1.0 if material.alpha_clip is None else material.alpha_clip
    return rows


def _row(map_name: str) -> int:
    """The first of a map's four rows."""
    return 4 * list(SHADED_COLUMNS).index(map_name)
