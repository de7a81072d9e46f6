# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lights and the world on the GPU: what a program that includes ``lit.glsl`` declares and binds."""

from __future__ import annotations

from functools import cache

import gpu
import numpy as np

from ..core.ggx_polynomials import COEFFICIENTS, COSINE_DEGREE, ROUGHNESS_DEGREE
from ..core.light_rows import LIGHT_ROWS, light_rows
from ..core.scene_lights import Light, SceneLights
from .environment import EnvironmentResources

BLOCK = "lit_light"
_SOURCES = ("lit_ggx", "lit_lights", "lit_principled", "lit")


class LitResources:
    """Of one scene's lights. Programs depend on ``sources``, ``samplers``, ``blocks`` and ``defines`` alone.

    sources: GLSL files in this order, all of what shading needs. samplers: names. blocks: uniform blocks and
    their rows. defines. ``values`` binds them. Besides them a program brings ``lit_constants``, a vec4.
    """

    def __init__(self, lights: SceneLights) -> None:
        self._environment = EnvironmentResources(lights.world)
        self._capacity = _capacity(len(lights.lights))
        self._block = gpu.types.GPUUniformBuf(_buffer(self._rows(lights.lights)))
        self._lights = lights

    @property
    def sources(self) -> tuple[str, ...]:
        return (*self._environment.sources, *_SOURCES)

    @property
    def samplers(self) -> tuple[str, ...]:
        return self._environment.samplers

    @property
    def blocks(self) -> dict[str, int]:
        return self._environment.blocks | {BLOCK: _rows_before(self._capacity)}

    @property
    def defines(self) -> tuple[str, ...]:
        return (*_ggx_defines(), *self._environment.defines)

    def values(self) -> dict[str, object]:
        """By name, what to bind."""
        return self._environment.values() | {BLOCK: self._block}

    def set_lights(self, lights: SceneLights) -> None:
        """Take other lights, as many or fewer, and another world of the same kind: programs stay."""
        if lights is self._lights:
            return
        if len(lights.lights) > self._capacity:
            raise ValueError(f"{len(lights.lights)} lights where there is room for {self._capacity}")
        if lights.world is not self._lights.world:
            self._environment.set_world(lights.world)
        if lights.lights is not self._lights.lights:
            self._block.update(_buffer(self._rows(lights.lights)))
        self._lights = lights

    def _rows(self, lights: tuple[Light, ...]) -> np.ndarray:
        rows = np.zeros((_rows_before(self._capacity), 4), np.float32)
        rows[0], rows[1 : 1 + LIGHT_ROWS * len(lights)] = light_rows(lights)
        return rows


def _capacity(count: int) -> int:
    """Lights that there is room for: a power of two, so that programs are shared."""
    return max(4, 1 << (count - 1).bit_length()) if count else 4


def _rows_before(light: int) -> int:
    return 1 + LIGHT_ROWS * light


@cache
def _ggx_defines() -> tuple[str, ...]:
    """The polynomials of GGX by Horner's scheme in r and c, four columns of coefficients a vec4."""
    shape = (ROUGHNESS_DEGREE + 1, COSINE_DEGREE + 1, 2, 4)
    coefficients = COEFFICIENTS.reshape(shape)
    names = ("SGE_GGX_SHAPE", "SGE_GGX_AMOUNT")
    return tuple(
        f"{name} {_horner('r', [_horner('c', [_vec4(row) for row in power]) for power in columns])}"
        for name, columns in zip(names, np.moveaxis(coefficients, 2, 0), strict=True)
    )


def _horner(variable: str, terms: list[str]) -> str:
    text = terms[-1]
    for each in reversed(terms[:-1]):
        text = f"({each} + {variable} * {text})"
    return text


def _vec4(row: np.ndarray) -> str:
    return "vec4(" + ", ".join(repr(float(value)) for value in row) + ")"


def _buffer(rows: np.ndarray) -> gpu.types.Buffer:
    return gpu.types.Buffer("FLOAT", rows.size, np.ascontiguousarray(rows, np.float32).ravel())
