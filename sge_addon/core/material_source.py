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

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from .geometry_buffer import GeometryBuffer
from .map_block import MapBlock
from .map_group import GroupChannels, GroupSums, group_name, grouped_blocks
from .map_shader import DERIVED_MAPS, MapShader, Shaded
from .map_slopes import curvature_columns, slope_columns, slopes_of_map
from .material_maps import SHADED_COLUMNS, LitMaterial
from .material_view import MaterialPart, MaterialView, readings_of, view_map
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
# Brightness, in linear colour, from which a difference counts relative to it: where a highlight ends, the
# mean of what a pixel shades and what it shades at its mean differ by a part of its height.
BRIGHT = 0.25


class MaterialSource:
    """Estimates the gradients of all fitted maps at once.

    references: the training views; members of the list may be replaced. geometry: what a view sees, one
    sample a pixel, moved by an offset in pixels; of surfaces as if they were opaque. materials: by the
    assembly's materials. blocks: by the key of their MaterialMap, those that are fitted.
    texture_of_triangle: (F,) int32 into ``materials``. loss: as in FitSettings. background: (3,) linear,
    what is behind a surface; black for references with alpha. cache_bytes: maps are kept until they fill
    this. bright: brightness from which differences count relative to it, infinite for never.
    readings, materials: by material. maps: of views; not kept while the shape moves.
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
        bright: float = BRIGHT,
    ):
        self.references = references
        self.geometry = geometry
        self.shader = shader
        self.loss = loss
        self._bright = np.float32(bright)
        self.background = np.zeros(3, np.float32) if background is None else background
        self.texture_of_triangle = texture_of_triangle
        self.materials = materials
        self._stopwatch = stopwatch or Stopwatch()
        self.maps: ViewMapCache[MaterialView] = ViewMapCache(cache_bytes, PATTERNS)
        textures: dict[str, Texture] = dict(blocks)
        self.readings = [readings_of(material, textures) for material in materials]
        self._groups = [self._groups_of(number, blocks) for number in range(len(materials))]

    def _groups_of(
        self, material: int, blocks: Mapping[str, MapBlock]
    ) -> list[tuple[int, list[str], GroupChannels, str]]:
        """Of a material: number of the reading, kinds, channels and name of each group."""
        found = []
        for group in grouped_blocks(self.materials, blocks):
            for number, reading in enumerate(self.readings[material]):
                kinds = {texture.name: kind for kind, texture in reading.textures}
                if group[0].name in kinds:
                    channels = GroupChannels(tuple((block.kind, block.steered) for block in group))
                    found.append(
                        (number, [kinds[block.name] for block in group], channels, group_name(group))
                    )
        return found

    def estimate(self, view: int, seed: int, progress: float) -> Estimate:
        """Loss and sums of one view, through the next of its sets of samples."""

        def make(number: int) -> MaterialView:
            made = self.map_view(view, [self.geometry(view, offset) for offset in sample_pattern(number)])
            if self.maps.keeps and self.maps.nbytes == 0:
                # One pattern that is kept is better than two of which some are made anew at each visit.
                fitting = self.maps.limit // max(1, made.nbytes * len(self.references))
                self.maps.patterns = min(max(1, fitting), PATTERNS)
            return made

        return self.estimate_through(view, self.maps.next(view, self.references[view].view, make))

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
        shades = []
        for part, read in zip(mapped.parts, values, strict=True):
            with self._stopwatch.stage("shade"):
                wanted = {kind for _, names, _, _ in self._groups[part.material] for kind in names}
                shaded = self.shader.shade(part.prepared, read, maps=wanted & set(DERIVED_MAPS))
                if len(mapped.parts) > 1:  # the next call may overwrite it
                    shaded = Shaded(*(getattr(shaded, each.name).copy() for each in fields(shaded)))
                shades.append(shaded)
            rendered[:, part.place] += self._composed(shaded.colour.T, read) * part.coverage
            opacity[part.place] += read[:, SHADED_COLUMNS["alpha"].start] * part.coverage
        with self._stopwatch.stage("estimate"):
            seen = {part.material for part in mapped.parts}
            fits_alpha = any("alpha" in names for m in seen for _, names, _, _ in self._groups[m])
            coverage = mapped.coverage if fits_alpha else np.minimum(opacity, mapped.coverage)
            compared = residual_of(
                reference, mapped.pixels, coverage, rendered, self.loss, is_opaque=not fits_alpha
            )
            trust = compared.trust
            for part in mapped.parts:
                trust[..., part.place] *= part.likeness
            evidence = trust if trust.ndim == 1 else trust.mean(axis=0)
            trust = trust / (1.0 + np.square(_brightness(compared.residual, rendered) / self._bright))
            weighed = compared.residual * trust
            loss, alpha = compared.loss, None
            if fits_alpha and reference.has_alpha:
                alpha_loss, *alpha = self._alpha_residual(reference, mapped, opacity)
                loss += alpha_loss
            gradients: dict[str, GroupSums] = {}
            for part, shaded, read in zip(mapped.parts, shades, values, strict=True):
                mine = part.place
                of_alpha = None if alpha is None else (alpha[0][mine], alpha[1][mine])
                sums = self._sums_of_part(
                    part, shaded, read, weighed[:, mine], trust[..., mine], evidence[mine], of_alpha
                )
                for name, found in sums:
                    gradients[name] = gradients[name] + found if name in gradients else found
            return Estimate(loss, gradients)

    def _composed(self, colour: Array, values: Array) -> Array:
        """(3, P) over the background: colour (3, P) where the alpha among the values is 1."""
        alpha = values[:, SHADED_COLUMNS["alpha"].start]
        if not self.background.any():
            return colour * alpha
        return np.add(colour * alpha, np.outer(self.background, np.float32(1) - alpha))

    def _alpha_residual(
        self, reference: Reference, mapped: MaterialView, opacity: Array
    ) -> tuple[float, Array, Array]:
        """What differences of alpha add to the loss; (P,) those differences, weighed; (P,) their weights."""
        target = reference.colour.reshape(-1, 4)[:, 3].take(mapped.pixels)
        residual = target - opacity
        # A colour's channel counts a third of a pixel's distance, alpha ALPHA_WEIGHT of it.
        trust = (mapped.coverage > 0.999) * np.float32(3 * ALPHA_WEIGHT)
        if self.loss != "l2":
            trust /= np.maximum(np.abs(residual) / np.float32(KNEE), 1.0)
        error = distances(residual, self.loss)
        if reference.weight is not None:
            weight = reference.weight.ravel().take(mapped.pixels)
            error = error * weight
            trust = trust * weight
        pixels = reference.view.height * reference.view.width
        return ALPHA_WEIGHT * float(error.sum(dtype=np.float64)) / pixels, residual * trust, trust

    def _sums_of_part(
        self,
        part: MaterialPart,
        shaded: Shaded,
        values: Array,
        residual: Array,
        trust: Array,
        evidence: Array,
        alpha: tuple[Array, Array] | None,
    ) -> Iterator[tuple[str, GroupSums]]:
        """By group. residual: (3, P'), weighed. trust: (P',) or (3, P'). evidence: (P',), in pixels.
        alpha: the same as residual and trust, of alpha."""
        material = self.materials[part.material]
        groups = self._groups[part.material]
        for number, names, channels, name in groups:
            reading = self.readings[part.material][number]
            slopes = [
                slope
                for kind in names
                for slope in slopes_of_map(kind, shaded, values, material.emission_strength, self.background)
            ]
            columns = slope_columns(slopes, channels, residual)
            curvature = curvature_columns(slopes, channels, trust)
            if alpha is not None and "alpha" in names:
                place = sum(count for _, count in channels.maps[: names.index("alpha")])
                columns[place] = columns[place] + alpha[0]
                curvature[channels.pairs.index((place, place))] += alpha[1]
            texels = part.scatter(part.footprints[number], reading.layout, [*columns, evidence])
            # Each group explains the same residual: the sum of their steps must not overshoot.
            rows = np.concatenate([evidence[None], curvature * np.float32(len(groups))]) * part.coverage
            cells, sums = part.sum_curvature(part.cells[number], rows)
            yield name, GroupSums((texels,), ((cells, sums),))


def _brightness(residual: Array, rendered: Array) -> Array:
    """(P,): the largest channel of what a pixel shows or should show."""
    return np.maximum(rendered, rendered + residual).max(axis=0)
