# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gradient source of a material's maps: what pixels read is shaded, its derivatives scattered back.

A pixel is the sum over its materials of coverage x alpha x shade(values) + (1 - alpha) x background. Its
values are those that the footprints of its four samples read, so that each pixel is shaded once, at the mean
of its samples' geometry. The derivative to a texel is that to the value times the footprint's weight
(``footprint``). What is behind a surface that is not opaque is taken for the background: the geometry names
one surface a sample, the nearest, whatever its alpha.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .geometry_buffer import GeometryBuffer
from .map_block import MapBlock, MapSums
from .map_shader import MapShader, Shaded
from .material_maps import SHADED_COLUMNS, LitMaterial
from .material_view import MaterialView, readings_of, view_map
from .pixel_loss import ALPHA_WEIGHT, distances
from .pixel_residual import KNEE, residual_of
from .protocols import Estimate
from .reference import Reference
from .stopwatch import Stopwatch
from .texture_block import Texture
from .texture_source import sample_pattern
from .view_map_cache import ViewMapCache

Array = NDArray[np.float32]
Geometry = Callable[[int, tuple[float, float]], GeometryBuffer]

# Sets of samples kept per view.
PATTERNS = 2


class MaterialSource:
    """Estimates the gradients of all fitted maps at once.

    references: the training views; members of the list may be replaced. geometry: what a view sees, one
    sample a pixel, moved by an offset in pixels; of surfaces as if they were opaque. materials: by the
    assembly's materials. blocks: by the key of their MaterialMap, those that are fitted.
    texture_of_triangle: (F,) int32 into ``materials``. loss: as in FitSettings. background: (3,) linear,
    what is behind a surface; black for references with alpha. cache_bytes: maps are kept until they fill
    this. readings: by material.
    """

    def __init__(
        self,
        references: Sequence[Reference],
        geometry: Geometry,
        materials: Sequence[LitMaterial],
        blocks: Mapping[str, MapBlock],
        texture_of_triangle: NDArray[np.int32],
        shader: MapShader,
        loss: str = "l1",
        background: Array | None = None,
        cache_bytes: int = 1 << 30,
        stopwatch: Stopwatch | None = None,
    ):
        self.references = references
        self.geometry = geometry
        self.shader = shader
        self.loss = loss
        self.background = np.zeros(3, np.float32) if background is None else background
        self.texture_of_triangle = texture_of_triangle
        self._materials = materials
        self._stopwatch = stopwatch or Stopwatch()
        self._maps: ViewMapCache[MaterialView] = ViewMapCache(cache_bytes, PATTERNS)
        textures: dict[str, Texture] = dict(blocks)
        self.readings = [readings_of(material, textures) for material in materials]

    @property
    def keeps_maps(self) -> bool:
        """Not while the shape moves."""
        return self._maps.keeps

    @keeps_maps.setter
    def keeps_maps(self, keeps: bool) -> None:
        self._maps.keeps = keeps

    def forget_maps(self) -> None:
        """Free the memory of the maps; those that are needed again are made again, the very same."""
        self._maps.clear()

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and sums of one view, through the next of its sets of samples."""

        def make(number: int) -> MaterialView:
            return self.map_view(view, [self.geometry(view, offset) for offset in sample_pattern(number)])

        return self.estimate_through(view, self._maps.next(view, self.references[view].view, make))

    def estimate_from(self, view: int, buffers: Sequence[GeometryBuffer]) -> Estimate:
        """Loss and sums of one view through given samples: a joint fit passes the ones of its pair."""
        return self.estimate_through(view, self.map_view(view, buffers))

    def map_view(self, view: int, buffers: Sequence[GeometryBuffer]) -> MaterialView:
        """How one view reads all maps, from its samples."""
        with self._stopwatch.stage("estimate"):
            camera = self.references[view].view
            return view_map(camera, buffers, self.texture_of_triangle, self.readings, self.shader)

    def read(self, mapped: MaterialView) -> list[Array]:
        """The values (P', 12) that the pixels of each part of a view read."""
        return [part.values(self.readings[part.material]) for part in mapped.parts]

    def render(self, mapped: MaterialView) -> Array:
        """The rendered colour of the covered pixels, premultiplied: (P, 3)."""
        planes = np.zeros((3, len(mapped.pixels)), np.float32)
        for part, values in zip(mapped.parts, self.read(mapped), strict=True):
            colour = self.shader.colour(part.prepared, values)
            planes[:, part.place] += self._composed(colour.T, values) * part.coverage
        return planes.T

    def estimate_through(self, view: int, mapped: MaterialView) -> Estimate:
        """Loss and sums of one view through a given map."""
        reference = self.references[view]
        with self._stopwatch.stage("read"):
            values = self.read(mapped)
        rendered = np.zeros((3, len(mapped.pixels)), np.float32)
        opacity = np.zeros(len(mapped.pixels), np.float32)
        slopes = []
        for part, read in zip(mapped.parts, values, strict=True):
            with self._stopwatch.stage("shade"):
                shaded = self.shader.shade(part.prepared, read)
            with self._stopwatch.stage("estimate"):
                rendered[:, part.place] += self._composed(shaded.colour.T, read) * part.coverage
                opacity[part.place] += read[:, SHADED_COLUMNS["alpha"].start] * part.coverage
                slopes.append(self._slopes(part.material, shaded, read))
        with self._stopwatch.stage("estimate"):
            fits_alpha = any(kind == "alpha" for part in slopes for kind in part)
            coverage = mapped.coverage if fits_alpha else np.minimum(opacity, mapped.coverage)
            compared = residual_of(reference, mapped.pixels, coverage, rendered, self.loss)
            weighed = compared.residual * compared.trust  # (3, P)
            loss = compared.loss
            alpha = None
            if fits_alpha and reference.has_alpha:
                alpha, mean = self._alpha_residual(reference, mapped, opacity)
                loss += mean
            return Estimate(loss, self._scatter(mapped, slopes, weighed, compared.trust, alpha))

    def _composed(self, colour: Array, values: Array) -> Array:
        """(3, P) over the background: colour (3, P) where the alpha among the values is 1."""
        alpha = values[:, SHADED_COLUMNS["alpha"].start]
        if not self.background.any():
            return colour * alpha
        return np.add(colour * alpha, np.outer(self.background, np.float32(1) - alpha))

    def _slopes(self, material: int, shaded: Shaded, values: Array) -> dict[str, list[Array]]:
        """By fitted map, for each of its steered channels: (3, P), or (P,) of the same colour channel."""
        alpha = values[:, SHADED_COLUMNS["alpha"].start]
        found: dict[str, list[Array]] = {}
        for reading in self.readings[material]:
            for kind, texture in reading.textures:
                if not isinstance(texture, MapBlock):
                    continue
                if kind == "base_color":
                    found[kind] = list(shaded.base_color.T * alpha)
                elif kind == "emission":
                    found[kind] = [alpha * np.float32(self._materials[material].emission_strength)] * 3
                elif kind == "alpha":
                    found[kind] = [shaded.colour.T - self.background[:, None]]
                elif kind == "normal":
                    found[kind] = list(steered_normal(shaded, values) * alpha)
                else:
                    found[kind] = [getattr(shaded, kind).T * alpha]
        return found

    def _alpha_residual(
        self, reference: Reference, mapped: MaterialView, opacity: Array
    ) -> tuple[Array, float]:
        """(P,) weighed differences of alpha, and what they add to the loss."""
        target = reference.colour.reshape(-1, 4)[:, 3].take(mapped.pixels)
        residual = target - opacity
        trust = (mapped.coverage > 0.999).astype(np.float32)
        if self.loss != "l2":
            trust /= np.maximum(np.abs(residual) / np.float32(KNEE), 1.0)
        error = distances(residual, self.loss)
        if reference.weight is not None:
            weight = reference.weight.ravel().take(mapped.pixels)
            error = error * weight
            trust = trust * weight
        pixels = reference.view.height * reference.view.width
        # A colour's channel counts a third of a pixel's distance, alpha ALPHA_WEIGHT of it.
        return residual * trust * np.float32(3 * ALPHA_WEIGHT), ALPHA_WEIGHT * float(error.sum()) / pixels

    def _scatter(
        self,
        mapped: MaterialView,
        slopes: Sequence[Mapping[str, list[Array]]],
        weighed: Array,
        trust: Array,
        alpha: Array | None,
    ) -> dict[str, MapSums]:
        sums: dict[str, MapSums] = {}
        believed = trust if trust.ndim == 1 else trust.mean(axis=0)
        for part, slopes_of_part in zip(mapped.parts, slopes, strict=True):
            residual, weight = weighed[:, part.place], believed[part.place]
            for reading, footprint in zip(self.readings[part.material], part.footprints, strict=True):
                fitted = [each for each in reading.textures if isinstance(each[1], MapBlock)]
                if not fitted:
                    continue
                columns = [weight]
                for kind, _ in fitted:
                    columns += _columns(slopes_of_part[kind], residual)
                    if kind == "alpha" and alpha is not None:
                        columns[-1] = columns[-1] + alpha[part.place]
                images = part.scatter(footprint, reading.layout, columns)
                start = 1
                for kind, texture in fitted:
                    stop = start + len(slopes_of_part[kind])
                    found = MapSums(images[start:stop], images[0])
                    known = sums.get(texture.name)
                    sums[texture.name] = found if known is None else known + found
                    start = stop
        return sums


def steered_normal(shaded: Shaded, values: Array) -> Array:
    """(2, 3, P): derivatives of the colour to x and y of a unit normal whose z follows.

    The shading knows the normal's direction only: with f its colour, n . df/dn = 0.
    """
    x, y, z = values[:, SHADED_COLUMNS["normal"]].T
    along_x, along_y = shaded.normal_x.T, shaded.normal_y.T  # (3, P)
    inner = (x * along_x + y * along_y) / np.maximum(z * z, np.float32(1e-4))
    return np.stack([along_x + x * inner, along_y + y * inner])


def _columns(slopes: Sequence[Array], residual: Array) -> list[Array]:
    """Of each steered channel: the residual (3, P) times its slope, summed over colours: (P,)."""
    return [
        slope * residual[number] if slope.ndim == 1 else (slope * residual).sum(axis=0)
        for number, slope in enumerate(slopes)
    ]
