# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor: the least that two rasterisations and a read cost, whatever is done with them.

Two indexed draws of the mesh with a constant colour and without normals, into RGBA16F, R32UI and
depth, then one read of 8 bytes a pixel.
"""

from __future__ import annotations

import gpu
import mathutils
import numpy as np
from numpy.typing import NDArray

from sge_addon.core.view import View
from sge_addon.raster.tables import Reader
from sge_addon.raster.targets import Target, drawing

COLOUR = (0.5, 0.5, 0.5, 1.0)
_VERTEX = "void main() { gl_Position = world_to_clip * vec4(position, 1.0); }"
_FRAGMENT = f"void main() {{ colour = vec4{COLOUR}; id = uint(gl_PrimitiveID) + 1u; }}"


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


def _shader() -> gpu.types.GPUShader:
    info = gpu.types.GPUShaderCreateInfo()
    info.vertex_in(0, "VEC3", "position")
    info.push_constant("MAT4", "world_to_clip")
    info.fragment_out(0, "VEC4", "colour")
    info.fragment_out(1, "UINT", "id")
    info.vertex_source(_VERTEX)
    info.fragment_source(_FRAGMENT)
    return gpu.shader.create_from_info(info)
