# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shader program: sources from ``shaders/*.glsl``, and the resources that it declares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gpu

_FOLDER = Path(__file__).parent / "shaders"
_VECTOR_TYPES = {"MAT4", "VEC3", "VEC4", "FLOAT"}


@dataclass(frozen=True)
class Program:
    """A compiled shader with the constants, textures and uniform blocks that it declares."""

    shader: gpu.types.GPUShader
    constants: dict[str, str]
    samplers: tuple[str, ...]
    blocks: tuple[str, ...] = ()

    def bind(self, values: dict[str, object]) -> None:
        """Bind, and set all that it declares from ``values``; others are ignored."""
        self.shader.bind()
        for name, type_name in self.constants.items():
            if type_name in _VECTOR_TYPES:
                self.shader.uniform_float(name, values[name])
            else:
                self.shader.uniform_int(name, values[name])
        for name in self.samplers:
            self.shader.uniform_sampler(name, values[name])
        for name in self.blocks:
            self.shader.uniform_block(name, values[name])


def build_program(
    *,
    sources: tuple[tuple[str, ...], tuple[str, ...]],
    inputs: dict[str, str],
    outputs: dict[str, str],
    samplers: tuple[str, ...],
    constants: dict[str, str] | None = None,
    defines: tuple[str, ...] = (),
    varyings: dict[str, str] | None = None,
    blocks: dict[str, int] | None = None,
) -> Program:
    """Compile a program.

    sources: files of the vertex and of the fragment stage, without their ending. defines: "NAME" or
    "NAME value". blocks: uniform blocks by name, of so many vec4; ``name.rows[i]`` in GLSL.
    """
    info = gpu.types.GPUShaderCreateInfo()
    for name in defines:
        info.define(*name.split(" ", 1))
    for slot, (name, type_name) in enumerate(inputs.items()):
        info.vertex_in(slot, type_name, name)
    if varyings:
        interface = gpu.types.GPUStageInterfaceInfo("sge_varyings")
        for name, type_name in varyings.items():
            interface.smooth(type_name, name)
        info.vertex_out(interface)
    for name, type_name in (constants or {}).items():
        info.push_constant(type_name, name)
    for slot, name in enumerate(samplers):
        info.sampler(slot, "FLOAT_2D", name)
    for slot, name in enumerate(blocks or {}):
        info.uniform_buf(slot, f"SgeBlock{slot}", name)
    if blocks:  # each call forgets the one before
        types = (f"struct SgeBlock{slot} {{ vec4 rows[{n}]; }};" for slot, n in enumerate(blocks.values()))
        info.typedef_source("\n".join(types))
    for slot, (name, type_name) in enumerate(outputs.items()):
        info.fragment_out(slot, type_name, name)
    vertex, fragment = (shader_source(*names) for names in sources)
    info.vertex_source(vertex)
    info.fragment_source(fragment)
    return Program(gpu.shader.create_from_info(info), constants or {}, samplers, tuple(blocks or ()))


def shader_source(*names: str) -> str:
    """The files of ``shaders`` of these names, without their ending, one after the other."""
    return "\n".join((_FOLDER / f"{name}.glsl").read_text(encoding="utf-8") for name in names)
