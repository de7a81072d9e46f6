# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Some pixels of all views, as the light is fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .map_shader import MapShader, ShadingPoints
from .material_maps import SHADED_COLUMNS, SHADED_WIDTH
from .scene_lights import SceneLights
from .signs import hash_bits, step_seed

Array = NDArray[np.float32]

MOST_VIEWS = 32  # that are drawn anew for each fit of the light while the shape moves, or for a search
# What light adds to surfaces in general is measured on a material that is neither dark, shiny nor metallic.
_NEUTRAL = {"base_color": 0.5, "roughness": 0.8}


@dataclass(frozen=True, eq=False)
class LitPixels:
    """P pixels that show one material and nothing else.

    values: (P, 12) by ``SHADED_COLUMNS``, as the maps stand. target: (P, 3) linear, of the reference.
    weight: (P,) what each counts.
    """

    points: ShadingPoints
    values: Array
    target: Array
    weight: Array

    def taken(self, chosen: NDArray[np.intp]) -> LitPixels:
        """Some of them, in the order given."""
        points = self.points
        return LitPixels(
            ShadingPoints(
                points.position[chosen],
                points.normal[chosen],
                points.tangent[chosen],
                points.to_eye[chosen],
                points.material,
            ),
            self.values[chosen],
            self.target[chosen],
            self.weight[chosen],
        )


class LitPixelReader(Protocol):
    """Knows which pixels show which material, and what they read of its maps."""

    def lit_pixels(self, view: int, count: int, seed: int) -> Sequence[LitPixels]:
        """About ``count`` pixels of a training view, by material; the same for the same seed as long as
        the shape rests. Materials that the view does not show are left out."""
        ...


def chosen(candidates: NDArray[np.int32], count: int, seed: int) -> NDArray[np.int32]:
    """At most ``count`` of them, at random by the seed, in their order."""
    if len(candidates) <= count:
        return candidates
    keys = hash_bits(seed, np.arange(len(candidates), dtype=np.uint32))
    return candidates[np.sort(np.argpartition(keys, count)[:count])]


def views_to_look_through(views: int) -> list[int]:
    """All, or ``MOST_VIEWS`` of them, evenly apart."""
    return [round(float(view)) for view in np.linspace(0, views - 1, min(views, MOST_VIEWS))]


def pixels_of_views(reader: LitPixelReader, views: int, total: int, seed: int) -> list[LitPixels]:
    """About ``total`` pixels, alike from all views or from ``MOST_VIEWS``, those of one material joined."""
    by_material: dict[int, list[LitPixels]] = {}
    looked_through = views_to_look_through(views)
    for view in looked_through:
        for pixels in reader.lit_pixels(view, max(1, total // len(looked_through)), step_seed(seed, view)):
            by_material.setdefault(pixels.points.material, []).append(pixels)
    return [joined(by_material[material]) for material in sorted(by_material)]


class ShadedPixels:
    """Pixels that a shader has been prepared for, to be seen under many lights.

    target: (N, 3) and weight: (N,), over all materials, float64.
    """

    def __init__(self, pixels: Sequence[LitPixels], shader: MapShader) -> None:
        self._shader = shader
        self._prepared: list[tuple[Any, Array]] = [
            (shader.prepare(each.points), np.ascontiguousarray(each.values, np.float32)) for each in pixels
        ]
        empty = np.zeros((0, 3))
        self.target = np.concatenate([empty, *(each.target for each in pixels)], dtype=np.float64)
        self.weight = np.concatenate([empty[:, 0], *(each.weight for each in pixels)], dtype=np.float64)

    def colour(self, lights: SceneLights) -> NDArray[np.float64]:
        """(N, 3): what the pixels show under these lights."""
        return self._seen([values for _, values in self._prepared], lights)

    def neutral_colour(self, lights: SceneLights) -> NDArray[np.float64]:
        """(N, 3): what they would show if all surfaces were grey and rather dull."""
        return self._seen([_neutral(len(values)) for _, values in self._prepared], lights)

    @property
    def base_colour(self) -> NDArray[np.float64]:
        """(3,): weighted mean over the pixels."""
        columns = [values[:, SHADED_COLUMNS["base_color"]] for _, values in self._prepared]
        return self.mean(np.concatenate([np.zeros((0, 3)), *columns], dtype=np.float64))

    @property
    def base_colour_spread(self) -> float:
        """Weighted standard deviation over the pixels, the largest of the channels."""
        columns = [values[:, SHADED_COLUMNS["base_color"]] for _, values in self._prepared]
        colours = np.concatenate([np.zeros((0, 3)), *columns], dtype=np.float64)
        return float(np.sqrt(self.mean(np.square(colours - self.base_colour)).max()))

    def mean(self, colours: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 3) to (3,), weighted."""
        return np.einsum("nc,n->c", colours, self.weight) / max(float(self.weight.sum()), 1e-30)

    def _seen(self, values: Sequence[Array], lights: SceneLights) -> NDArray[np.float64]:
        parts = [
            # A copy: the shader may use the array again.
            self._shader.colour(prepared, of_material, lights).astype(np.float64)
            for (prepared, _), of_material in zip(self._prepared, values, strict=True)
        ]
        return np.concatenate([np.zeros((0, 3)), *parts])


def joined(pixels: Sequence[LitPixels]) -> LitPixels:
    """Those of one material side by side."""
    points = [each.points for each in pixels]
    return LitPixels(
        ShadingPoints(
            np.concatenate([each.position for each in points]),
            np.concatenate([each.normal for each in points]),
            np.concatenate([each.tangent for each in points]),
            np.concatenate([each.to_eye for each in points]),
            points[0].material,
        ),
        np.concatenate([each.values for each in pixels]),
        np.concatenate([each.target for each in pixels]),
        np.concatenate([each.weight for each in pixels]),
    )


def _neutral(count: int) -> Array:
    values = np.zeros((count, SHADED_WIDTH), np.float32)
    for name, value in _NEUTRAL.items():
        values[:, SHADED_COLUMNS[name]] = value
    values[:, SHADED_COLUMNS["normal"].stop - 1] = 1.0
    values[:, SHADED_COLUMNS["alpha"]] = 1.0
    return values
