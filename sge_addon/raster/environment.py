# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The world's light on the GPU: harmonics, and of an image tiles that are prefiltered once."""

from __future__ import annotations

from functools import cache
from weakref import WeakValueDictionary

import gpu
import numpy as np

from ..core.eevee_probe import HARMONICS_ALONE, HARMONICS_FROM, ROUGHEST_BLUR, blurs_of, damped
from ..core.environment import image_pyramid, reflected_image, world_harmonics
from ..core.scene_lights import World
from ..core.spherical_harmonics import project, shader_rows, specular_polynomials
from .geometry import screen_batch
from .program import Program, build_program
from .tables import upload_image, with_alpha
from .targets import Target, drawing

BLOCK = "world_light"
ATLAS = "world_atlas"
_ROWS = 13  # of the uniform block
_SMALLEST_TILE = 32  # texels along a side, of the two roughest levels: a tenth of their lobes' width
_LARGEST_TILE = 1024
_SPARE_ROWS = 2  # of tiles as large as the largest, for lobes that are sharper still
_MIRROR_SAMPLES = 8
_BRIGHTEST = 65504.0  # that a half float holds
_TILE_DEFINES = (f"SGE_WORLD_SMALLEST_TILE {_SMALLEST_TILE}", f"SGE_WORLD_SPARE_ROWS {_SPARE_ROWS}")
_EEVEE_DEFINES = (
    "SGE_WORLD_EEVEE",
    f"SGE_ROUGHEST_BLUR {ROUGHEST_BLUR}",
    f"SGE_HARMONICS_FROM {HARMONICS_FROM}",
    f"SGE_HARMONICS_ALONE {HARMONICS_ALONE}",
)


class EnvironmentResources:
    """What a program needs to include ``environment.glsl``, for one world.

    sources: GLSL files in this order. samplers: names. blocks: uniform blocks and their rows. defines.
    ``values`` binds them. Another gain, rotation or other harmonics cost no more than the upload of 13
    rows: ``set_world``.
    """

    sources = ("octahedron", "environment")

    def __init__(self, world: World) -> None:
        self._world = world
        self._image = _prefiltered(world)
        self._block = gpu.types.GPUUniformBuf(_buffer(self._rows()))

    @property
    def samplers(self) -> tuple[str, ...]:
        return () if self._image is None else (ATLAS,)

    @property
    def blocks(self) -> dict[str, int]:
        return {BLOCK: _ROWS}

    @property
    def defines(self) -> tuple[str, ...]:
        return world_defines(self._world)

    def values(self) -> dict[str, object]:
        """By name, what to bind."""
        values: dict[str, object] = {BLOCK: self._block}
        return values if self._image is None else values | {ATLAS: self._image.atlas}

    def set_world(self, world: World) -> None:
        """Take another world of the same kind: programs stay. Only another image is prefiltered anew."""
        if world_defines(world) != self.defines:
            raise ValueError(f"a world of other kind: {world_defines(world)[0]}, not {self.defines[0]}")
        self._world, self._image = world, _prefiltered(world)
        self._block.update(_buffer(self._rows()))

    def _rows(self) -> np.ndarray:
        world = self._world
        if self._image is None:
            harmonics = world_harmonics(world)
        elif world.as_eevee:
            harmonics = damped(self._image.harmonics, world)
        else:
            harmonics = self._image.harmonics
        rows = np.zeros((_ROWS, 4), np.float32)
        rows[0, :3] = world.gain
        rows[1:4, :3] = world.rotation
        rows[4:, :3] = shader_rows(harmonics) * world.gain
        return rows


class PrefilteredImage:
    """What is made of a world's image, whatever its gain and rotation: harmonics (9, 3), and the atlas."""

    def __init__(self, world: World) -> None:
        self.image = world.image  # alive as long as this is, so that its id is nobody else's
        self.harmonics = project(world.image)
        self.atlas = prefiltered_atlas(world)


# The rasteriser and the maps' shader light by one image, in each stage anew: it is made once, in seconds.
_shared: WeakValueDictionary[tuple, PrefilteredImage] = WeakValueDictionary()


def _prefiltered(world: World) -> PrefilteredImage | None:
    """None where the world has no image. The same as long as anybody keeps it."""
    if world.image is None:
        return None
    key = (id(world.image), world.as_eevee, world.brightest)
    made = _shared.get(key)
    if made is None:
        made = _shared[key] = PrefilteredImage(world)
    return made


def world_defines(world: World) -> tuple[str, ...]:
    """Of the GLSL for worlds of this kind, without any resource."""
    if world.image is not None:
        return ("SGE_WORLD_IMAGE", *_TILE_DEFINES, *(_EEVEE_DEFINES if world.as_eevee else ()))
    if world.harmonics is not None:
        first, second = specular_polynomials()
        bands = (f"SGE_LOBE_BAND_1 {_horner(first)}", f"SGE_LOBE_BAND_2 {_horner(second)}")
        return ("SGE_WORLD_HARMONICS", *_TILE_DEFINES, *bands)
    return ("SGE_WORLD_CONSTANT", *_TILE_DEFINES)


def prefiltered_atlas(world: World) -> gpu.types.GPUTexture:
    """Tiles of mean radiance over specular lobes, of a world's image before its gain, as half floats.

    Two octahedral tiles a row, each in a border of one texel, alpha falling by the square root of a half from
    tile to tile, their size doubling every second one; last a mirror's.
    """
    pyramid = image_pyramid(reflected_image(world))
    rows, columns = pyramid[0].shape[:2]
    source = upload_image(with_alpha(_stacked(pyramid)))
    octaves = int(np.log2(min(rows, _LARGEST_TILE) // _SMALLEST_TILE))
    levels = 2 * (octaves + _SPARE_ROWS + 1) + 1
    corners = [_tile(level, octaves) for level in range(levels)]
    largest = _SMALLEST_TILE << octaves
    height = corners[-1][1] + largest + 2
    target = Target(2 * (largest + 2), height, {"light": "RGBA16F"}, depth=False)
    program = _prefilter_program(world.as_eevee)
    batch = screen_batch()
    with drawing(target, "NONE"):
        for level, (x, y, size) in enumerate(corners):
            is_mirror = level == levels - 1
            gpu.state.viewport_set(x, y, size + 2, size + 2)
            program.bind(
                {
                    "pyramid": source,
                    "image_size": (columns, rows),
                    "tile_corner": (x, y),
                    "tile_size": size,
                    "widths": _widths(world.as_eevee, size, level, is_mirror),
                    "samples": _MIRROR_SAMPLES if is_mirror else int(np.clip(16384 // size, 16, 512)),
                }
            )
            batch.draw(program.shader)
    return target.textures["light"]


def _widths(as_eevee: bool, size: int, level: int, is_mirror: bool) -> tuple[float, float, float]:
    """Of two lobes and the second one's share; none narrower than a texel's."""
    if is_mirror or not as_eevee:
        return (1.0 / size if is_mirror else 2.0 ** (-level / 2.0)), 1.0, 0.0
    (first, _), (second, share) = blurs_of(2.0 ** (-level / 4.0))
    return max(first, 1.0 / size), second, share


def _tile(level: int, octaves: int) -> tuple[int, int, int]:
    """Corner x, y and size of a level's tile in the atlas; mirrors octahedron.glsl."""
    row = level // 2
    size = _SMALLEST_TILE << min(row, octaves)
    y = size - _SMALLEST_TILE + 2 * min(row, octaves) + max(row - octaves, 0) * (size + 2)
    return (level % 2) * (size + 2), y, size


def _stacked(pyramid: list[np.ndarray]) -> np.ndarray:
    """(2 H + 2 levels, W + 2, 3): levels from the bottom up, each in a border that goes on over the edges."""
    rows, columns = pyramid[0].shape[:2]
    stack = np.zeros((2 * rows - pyramid[-1].shape[0] + 2 * len(pyramid), columns + 2, 3), np.float32)
    bottom = 0
    for level in pyramid:
        height, width = level.shape[:2]
        turned = np.roll(level[[0, -1]], width // 2, axis=1)  # what lies beyond a pole
        whole = np.concatenate([turned[:1], level, turned[1:]])
        stack[bottom : bottom + height + 2, : width + 2] = np.concatenate(
            [whole[:, -1:], whole, whole[:, :1]], 1
        )
        bottom += height + 2
    return stack


def _horner(coefficients: tuple[float, ...]) -> str:
    """A polynomial in the GLSL variable ``roughness``."""
    text = repr(coefficients[-1])
    for each in reversed(coefficients[:-1]):
        text = f"({each!r} + roughness * {text})"
    return text


def _buffer(rows: np.ndarray) -> gpu.types.Buffer:
    return gpu.types.Buffer("FLOAT", rows.size, np.ascontiguousarray(rows, np.float32).ravel())


@cache
def _prefilter_program(as_eevee: bool) -> Program:
    return build_program(
        sources=(("screen_vert",), ("octahedron", "prefilter_frag")),
        inputs={"corner": "VEC2"},
        outputs={"light": "VEC4"},
        samplers=("pyramid",),
        constants={
            "image_size": "IVEC2",
            "tile_corner": "IVEC2",
            "tile_size": "INT",
            "widths": "VEC3",
            "samples": "INT",
        },
        defines=(*_TILE_DEFINES, *(_EEVEE_DEFINES if as_eevee else ())),
    )
