# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floors: the least that a step's passes and its read cost, whatever is done with them.

Where the shape moves: two indexed draws of the mesh with a constant colour and without normals, into RGBA16F,
R32UI and depth, then one read of 8 bytes a pixel.

Where only a texture is fitted, nothing moves on the screen: what each pixel looks up is known, and one pass
over the screen could do a step's work on the GPU up to its residuals. It does no more than it must: skip what
nothing covers; else fetch the places of four samples (two RGBA32F texels), for each of them the four texels
of the finest level around it, weighed in 32 bits, and the reference; and write the residual. Then one read of
16 bytes a pixel. Texels are fetched one by one because a texture unit cannot do it in one: it weighs in 8
bits on most hardware, and repeats a whole image, not one level of a pyramid. What is left out, and a step has
to do besides: choosing the level, robust weights, and everything from the residuals to the texels.
"""

from __future__ import annotations

from collections.abc import Sequence

import gpu
import mathutils
import numpy as np
from numpy.typing import NDArray

from sge_addon.core.lookups import UVBuffer
from sge_addon.core.view import View
from sge_addon.raster.geometry import screen_batch
from sge_addon.raster.tables import Reader, upload_image, with_alpha
from sge_addon.raster.targets import Target, drawing

COLOUR = (0.5, 0.5, 0.5, 1.0)
_VERTEX = "void main() { gl_Position = world_to_clip * vec4(position, 1.0); }"
_FRAGMENT = f"void main() {{ colour = vec4{COLOUR}; id = uint(gl_PrimitiveID) + 1u; }}"
_SCREEN_VERTEX = "void main() { gl_Position = vec4(corner, 0.0, 1.0); }"
_RESIDUAL_FRAGMENT = """
vec3 read(vec2 uv)
{
  ivec2 size = textureSize(texels, 0);
  vec2 place = fract(uv) * vec2(size) - 0.5;
  ivec2 low = ivec2(floor(place));
  vec2 part = place - vec2(low);
  ivec2 high = low + 1;
  low += ivec2(lessThan(low, ivec2(0))) * size;
  high -= ivec2(greaterThanEqual(high, size)) * size;
  vec3 lower = mix(texelFetch(texels, low, 0).rgb, texelFetch(texels, ivec2(high.x, low.y), 0).rgb, part.x);
  vec3 upper = mix(texelFetch(texels, ivec2(low.x, high.y), 0).rgb, texelFetch(texels, high, 0).rgb, part.x);
  return mix(lower, upper, part.y);
}

void main()
{
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  vec4 first = texelFetch(first_samples, pixel, 0);
  residual = vec4(0.0);
  if (first.x > NOWHERE) {
    vec4 last = texelFetch(last_samples, pixel, 0);
    vec3 seen = 0.25 * (read(first.xy) + read(first.zw) + read(last.xy) + read(last.zw));
    vec4 target = texelFetch(reference, pixel, 0);
    residual = vec4(target.rgb - seen, target.a);
  }
}
"""
_NOWHERE = -1e9  # the u of a pixel that nothing covers


class Floor:
    """The draws and the read, through one view.

    positions: (V, 3) float32, world. triangles: (F, 3) int32. targets: what is drawn into, one a draw.
    """

    def __init__(self, positions: NDArray[np.float32], triangles: NDArray[np.int32], view: View) -> None:
        layout = gpu.types.GPUVertFormat()
        layout.attr_add(id="position", comp_type="F32", len=3, fetch_mode="FLOAT")
        vertices = gpu.types.GPUVertBuf(layout, len(positions))
        vertices.attr_fill("position", np.ascontiguousarray(positions, np.float32))
        self._batch = gpu.types.GPUBatch(
            type="TRIS", buf=vertices, elem=gpu.types.GPUIndexBuf(type="TRIS", seq=triangles)
        )
        self._shader = _shader()
        self._matrix = mathutils.Matrix(view.world_to_clip)
        self.targets = [
            Target(view.width, view.height, {"colour": "RGBA16F", "id": "R32UI"}) for _ in range(2)
        ]
        # 4 bytes a pixel, so twice as high: reading RGBA16F itself would convert, which costs more.
        self._read_target = Target(view.width, 2 * view.height, {"read": "R32F"}, depth=False)
        with self._read_target.framebuffer.bind():
            self._read_target.clear()
        self._reader = Reader()

    def run(self) -> int:
        """Draw twice and read once; returns when all is done. The number of bytes that were read."""
        for target in self.targets:
            with drawing(target, "LESS"):
                target.clear()
                self._shader.bind()
                self._shader.uniform_float("world_to_clip", self._matrix)
                self._batch.draw(self._shader)
        read = self._reader.read(self._read_target, 0, 1, "FLOAT")
        self._reader.wait(self.targets[-1])
        return read.nbytes


class TextureFloor:
    """The pass over the screen and the read, through one view.

    lookups: four samples of one a pixel each. reference: (H, W, 4), linear. texture: (h, w, 3).
    """

    def __init__(
        self, lookups: Sequence[UVBuffer], reference: NDArray[np.float32], texture: NDArray[np.float32]
    ) -> None:
        height, width = reference.shape[:2]
        nothing = np.logical_and.reduce([lookup.ids == 0 for lookup in lookups])
        self._images = {
            "reference": upload_image(reference),
            "texels": upload_image(with_alpha(texture)),
        }
        for name, pair in (("first_samples", lookups[:2]), ("last_samples", lookups[2:])):
            places = np.concatenate([lookup.uv for lookup in pair], axis=-1)
            places[nothing] = _NOWHERE
            self._images[name] = upload_image(places)
        self._screen = screen_batch()
        self._shader = _residual_shader(tuple(self._images))
        self._target = Target(width, height, {"residual": "RGBA32F"}, depth=False)
        self._reader = Reader()

    def run(self) -> NDArray[np.float32]:
        """Draw and read once: (H, W, 4) the residual, and the reference's alpha, 0 where nothing covers."""
        with drawing(self._target, "NONE"):
            self._shader.bind()
            for name, image in self._images.items():
                self._shader.uniform_sampler(name, image)
            self._screen.draw(self._shader)
        return self._reader.read(self._target, 0, 4, "FLOAT")


def _residual_shader(samplers: tuple[str, ...]) -> gpu.types.GPUShader:
    info = gpu.types.GPUShaderCreateInfo()
    info.define("NOWHERE", f"({0.5 * _NOWHERE})")
    info.vertex_in(0, "VEC2", "corner")
    for slot, name in enumerate(samplers):
        info.sampler(slot, "FLOAT_2D", name)
    info.fragment_out(0, "VEC4", "residual")
    info.vertex_source(_SCREEN_VERTEX)
    info.fragment_source(_RESIDUAL_FRAGMENT)
    return gpu.shader.create_from_info(info)


def _shader() -> gpu.types.GPUShader:
    info = gpu.types.GPUShaderCreateInfo()
    info.vertex_in(0, "VEC3", "position")
    info.push_constant("MAT4", "world_to_clip")
    info.fragment_out(0, "VEC4", "colour")
    info.fragment_out(1, "UINT", "id")
    info.vertex_source(_VERTEX)
    info.fragment_source(_FRAGMENT)
    return gpu.shader.create_from_info(info)
