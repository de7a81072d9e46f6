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

# Of lit_material, in vec4: four a map (UV transform in two, (width, height, levels, 0), the constant), then
# lit_constants (ior, specular level, normal strength, emission strength) and (clip value or -1, 0, 0, 0).
# Mirrored in shaders/lit_maps.glsl and coverage.glsl.
MATERIAL_ROWS = 4 * len(SHADED_COLUMNS) + 2
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
        self._names = [material.key for material in materials]
        self._materials = [_lit(material) for material in materials]
        self._none = upload_image(np.zeros((1, 1, 4), np.float32))
        self._atlases: list[dict[str, gpu.types.GPUTexture]] = [{} for _ in materials]
        self._rows = [_rows(material) for material in self._materials]
        self._blocks: list[gpu.types.GPUUniformBuf | None] = [None] * len(materials)
        shared: dict[str, gpu.types.GPUTexture] = {}
        for index, material in enumerate(self._materials):
            for name, each in material.maps.items():
                if each.texture is not None and name in SHADED_COLUMNS:
                    if each.key not in shared:
                        shared[each.key] = upload_image(pyramid_atlas(each.texture), _format(name))
                    self._show(index, name, shared[each.key], each.texture.shape)

    @property
    def textured(self) -> tuple[str, ...]:
        """The maps that are a texture in any material."""
        return tuple(name for name in SHADED_COLUMNS if any(name in atlases for atlases in self._atlases))

    @property
    def has_alpha(self) -> bool:
        """Whether any material lets something through."""
        return not all(self.is_opaque(index) for index in range(len(self._materials)))

    def is_opaque(self, material: int) -> bool:
        """Whether nothing shows through a material: its alpha is the constant 1."""
        alpha = self._materials[material].maps["alpha"]
        return "alpha" not in self._atlases[material] and alpha.value[0] >= 1.0

    def set_map(self, material: int, name: str, texture: NDArray[np.float32]) -> None:
        """texture: (H, W, C) float32, a map of a material; values as ``core.material_maps`` means them."""
        self._show(material, name, upload_image(pyramid_atlas(texture), _format(name)), texture.shape)

    def values(self, material: int) -> dict[str, object]:
        """What programs read of a material."""
        block = self._blocks[material]
        if block is None:
            rows = self._rows[material]
            block = gpu.types.GPUUniformBuf(gpu.types.Buffer("FLOAT", rows.size, rows))
            self._blocks[material] = block
        atlases = self._atlases[material]
        found: dict[str, object] = {
            atlas_name(name): atlases.get(name, self._none) for name in SHADED_COLUMNS
        }
        return found | {"lit_material": block}

    def _show(self, material: int, name: str, atlas: gpu.types.GPUTexture, shape: tuple[int, ...]) -> None:
        self._atlases[material][name] = atlas
        row = 4 * list(SHADED_COLUMNS).index(name) + 2
        size = np.float32([shape[1], shape[0], level_count(*shape[:2]), 0.0])
        if (self._rows[material][row] != size).any():
            self._rows[material][row] = size
            self._blocks[material] = None


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


def _rows(material: LitMaterial) -> NDArray[np.float32]:
    rows = np.zeros((MATERIAL_ROWS, 4), np.float32)
    for index, name in enumerate(SHADED_COLUMNS):
        each = material.maps[name]
        rows[4 * index : 4 * index + 2, :3] = each.uv_transform
        rows[4 * index + 3, : len(each.value)] = each.value
    rows[-2] = (
        material.ior,
        material.specular_level,
        material.normal_strength,
        material.emission_strength,
    )
    rows[-1, 0] = -1.0 if material.alpha_clip is None else material.alpha_clip
    return rows


def _format(map_name: str) -> str:
    columns = SHADED_COLUMNS[map_name]
    return "R32F" if columns.stop - columns.start == 1 else "RGBA32F"
