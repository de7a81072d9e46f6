# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps that are read at the same places, stepped together: Gauss-Newton by texel.

Base colour, metallic, roughness and normal of one texel explain the same few pixels, and each alone explains
some of what another should. So each texel has a system of equations over all its channels: curvature times
change = slope. Slopes and evidence are summed by texel. Curvature, which need not be exact, is summed over
2 x 2 texels as if a pixel read one point, and divided by what was summed; so it takes less time than the
slopes, and one decomposition serves four texels.

Sums are kept for about as long as it takes to see all views once. A step takes out of them what it has
explained to first order, so that the next needs not wait for all views. From the coarsest level down, a
texel's step is pulled to that of the coarser level by the damping: strongly at first, when coarse values
come into place, and in the end only where the pixels do not tell, or no view has been.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cell_sums import CellGrid
from .map_block import MapBlock
from .material_maps import SHADED_COLUMNS, LitMaterial
from .texel_systems import multiply_systems, solve_systems
from .texture_block import neighbour_mean
from .texture_pyramid import double, halve, level_count

Array = NDArray[np.float32]

# Relative to the mean curvature, at the start and from the given progress on: the damping, and the pull to
# the mean of a texel's neighbours. Where less has been seen than elsewhere both weigh as much more.
DAMPING = (5.0, 5e-3)
SMOOTHNESS = (0.5, 5e-2)
SETTLED = 0.5
# Views to a step, once there have been as many.
BATCH = 8
# No step changes a value by more.
LONGEST = 0.15
# Evidence, in pixels, below which a texel follows the coarser level.
FAINT = 0.02


@dataclass(frozen=True, eq=False)
class GroupSums:
    """What one view says of a group's C steered channels.

    slopes: (C, H, W), A^T (J w r): half the negative gradient of the squared loss. weight: (H, W), A^T w:
    evidence in pixels. cells: (K,) of the curvature's grid. curvature: (K, 1 + T): sums of w, and of J w J of
    the pairs of channels.
    """

    slopes: Array
    weight: Array
    cells: NDArray[np.intp]
    curvature: Array

    def __add__(self, other: GroupSums) -> GroupSums:
        both = np.concatenate([self.cells, other.cells])
        cells, place = np.unique(both, return_inverse=True)
        curvature = np.zeros((len(cells), self.curvature.shape[1]), np.float32)
        curvature[place[: len(self.cells)]] = self.curvature
        curvature[place[len(self.cells) :]] += other.curvature
        return GroupSums(self.slopes + other.slopes, self.weight + other.weight, cells, curvature)


@dataclass(frozen=True)
class GroupChannels:
    """The steered channels of a group's maps laid side by side.

    maps: (kind, channels). colours: by channel, the only colour channel it bears on, None for all.
    """

    maps: tuple[tuple[str, int], ...]

    @property
    def colours(self) -> tuple[int | None, ...]:
        return tuple(
            number if kind in ("base_color", "emission") else None
            for kind, count in self.maps
            for number in range(count)
        )

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Pairs of channels (a <= b) that can bear on the same colour channel."""
        colours = list(enumerate(self.colours))
        return [
            (a, b)
            for a, of_a in colours
            for b, of_b in colours[a:]
            if of_a is None or of_b is None or of_a == of_b
        ]


def curvature_grid(height: int, width: int) -> CellGrid:
    """The cells over which curvature is summed: 2 x 2 texels where both sides are even."""
    return CellGrid(height // 2, width // 2) if level_count(height, width) > 1 else CellGrid(height, width)


class MapGroup:
    """A core.protocols.ParameterBlock of the maps that are read at the same places. name: their keys."""

    def __init__(self, blocks: Sequence[MapBlock], view_count: int):
        """blocks: of one size, in the order of the source's ``GroupChannels``."""
        self.name = group_name(blocks)
        self.blocks = tuple(blocks)
        self.view_count = view_count
        self.channels = GroupChannels(tuple((block.kind, block.steered) for block in blocks))
        self._size = (blocks[0].layout.height, blocks[0].layout.width)
        self._grid = curvature_grid(*self._size)
        self._pairs = self.channels.pairs
        self._slopes = np.zeros((len(self.channels.colours), *self._size), np.float32)
        self._weight = np.zeros(self._size, np.float32)
        self._curvature = np.zeros((self._grid.length, 1 + len(self._pairs)), np.float32)
        self._evidence = np.zeros(self._size, np.float32)
        self._views = self._pending = 0
        self._progress = self._remembered = 0.0

    @property
    def value(self) -> Array:
        """(H, W, C) all channels of all maps, side by side."""
        return np.concatenate([block.value for block in self.blocks], axis=-1)

    def step(self, gradient: GroupSums, progress: float) -> None:
        """Take the sums of one view; values change once there are enough."""
        self._slopes += gradient.slopes
        self._weight += gradient.weight
        self._curvature[gradient.cells] += gradient.curvature
        self._evidence = self._evidence + gradient.weight
        for block in self.blocks:
            block.weight = self._evidence
        self._progress = progress
        self._pending += 1
        self._remembered += 1.0
        if self._pending >= min(BATCH, self.view_count, max(1, self._views)):
            count = self._pending
            self._forget(*self._solve(), count)

    def finish(self) -> None:
        """Step by what was gathered since the last step."""
        if self._pending:
            self._solve()

    def _solve(self) -> tuple[Array, Array]:
        """Step all maps. Returns the change (C, H, W), and the curvature it was found by, (T, N)."""
        self._views += self._pending
        self._pending = 0
        wanted, entries = self._change()
        np.clip(wanted, -LONGEST, LONGEST, out=wanted)
        start = 0
        for block in self.blocks:
            mine = wanted[start : start + block.steered]
            before = block.planes[: block.steered]
            block.move(mine)
            np.subtract(block.planes[: block.steered], before, out=mine)
            start += block.steered
        return wanted, entries

    def _forget(self, change: Array, entries: Array, count: int) -> None:
        """Take out what the step has explained, and let the sums fade. count: views since the last step."""
        kept = np.float32(1.0 - count / self.view_count)
        if kept > 0.0:
            explained = multiply_systems(entries, self._pairs, self._by_cell(change))
            self._slopes -= self._weight * self._by_texel(explained)
        self._remembered *= float(kept)
        self._slopes *= kept
        self._weight *= kept
        self._curvature *= kept

    def _change(self) -> tuple[Array, Array]:
        """The step of all channels (C, H, W), and the curvature of each cell, (T, N)."""
        sums = [np.concatenate([self._slopes, self._weight[None]]).transpose(1, 2, 0)]  # (H, W, C + 1)
        rows = [self._grid.finest(self._curvature)]  # (h, w, 1 + T)
        while level_count(*sums[-1].shape[:2]) > 1:
            sums.append(halve(sums[-1]))
        while level_count(*rows[-1].shape[:2]) > 1:
            rows.append(halve(rows[-1]))
        whole = rows[-1].sum(axis=(0, 1))
        mean = whole[1:] / max(float(whole[0]), 1e-12)
        own = np.array([mean[t] for t, (a, b) in enumerate(self._pairs) if a == b], np.float32)  # (C,)
        scale = float(own.mean()) + 1e-12
        stiffness = np.float32(self._scheduled(SMOOTHNESS)) * own
        usual = self._usual_evidence()

        entries = np.broadcast_to(mean, (*rows[-1].shape[:2], len(mean)))
        change = np.zeros((*sums[-1].shape[:2], len(self._slopes)), np.float32)
        for level in reversed(range(len(sums))):
            size = (sums[level].shape[0], sums[level].shape[1])
            if rows:
                known = rows.pop()
                if known.shape[0] > entries.shape[0]:
                    entries = double(entries)
                faint = np.float32(FAINT)
                entries = (known[..., 1:] + faint * entries) / (known[..., :1] + faint)
                planes = np.ascontiguousarray(np.moveaxis(entries, -1, 0).reshape(len(mean), -1))
                texels = self._size[0] * self._size[1] / (known.shape[0] * known.shape[1])
                # By how much less has been seen here than elsewhere.
                rarity = np.clip(usual * texels / np.maximum(known[..., :1], faint), 1.0, 1e3)
            if size[0] > change.shape[0]:
                change = double(change)
            slopes, weight = sums[level][..., :-1], sums[level][..., -1:]
            damping = np.float32(scale * self._scheduled(DAMPING)) * rarity
            pull = stiffness * rarity if not level else np.zeros_like(stiffness * rarity)
            wide = [each if each.shape[:2] == size else double(each) for each in (damping, pull)]
            # The Laplacian's largest eigenvalue is 2, as in ``texture_block``.
            sides = slopes / (weight + np.float32(FAINT)) + (wide[0] + 2 * wide[1]) * change
            if not level:
                sides += wide[1] * self._unevenness()
            diagonal = np.moveaxis(damping + 2 * pull, -1, 0).reshape(len(own), -1)
            by_cell = self._by_cell(np.moveaxis(sides, -1, 0), planes.shape[1])
            found = solve_systems(planes, self._pairs, diagonal, by_cell)
            wanted = np.moveaxis(self._by_texel(found, size), 0, -1)
            change += (wanted - change) * (weight / (weight + np.float32(FAINT)))
        return np.ascontiguousarray(np.moveaxis(change, -1, 0)), planes

    def _scheduled(self, ends: tuple[float, float]) -> float:
        """Between the values at the start and at ``SETTLED``, exponentially."""
        return float(ends[0] * (ends[1] / ends[0]) ** min(self._progress / SETTLED, 1.0))

    def _usual_evidence(self) -> float:
        """Pixels in which all views together show a texel that is seen, in the mean."""
        seen = self._weight > FAINT
        if not seen.any():
            return 1.0
        return float(self._weight.mean(where=seen, dtype=np.float64)) * self.view_count / self._remembered

    def _unevenness(self) -> Array:
        """(H, W, C): from each texel's values to the mean of its neighbours'."""
        values = [block.value[..., : block.steered] for block in self.blocks]
        return np.concatenate([neighbour_mean(value) - value for value in values], axis=-1)

    def _by_cell(self, planes: Array, cells: int | None = None) -> Array:
        """(C, H, W) to (C, R, N): the R texels of each of N cells of the curvature."""
        count, height, width = planes.shape
        side = 1 if height * width == (cells or self._grid.starts[1]) else 2
        split = planes.reshape(count, height // side, side, width // side, side)
        return np.ascontiguousarray(split.transpose(0, 2, 4, 1, 3)).reshape(count, side * side, -1)

    def _by_texel(self, cells: Array, size: tuple[int, int] | None = None) -> Array:
        """The inverse of ``_by_cell``. size: (H, W)."""
        height, width = size or self._size
        side = 1 if cells.shape[1] == 1 else 2
        split = cells.reshape(-1, side, side, height // side, width // side)
        return split.transpose(0, 3, 1, 4, 2).reshape(-1, height, width)


def group_name(blocks: Sequence[MapBlock]) -> str:
    """The name of the group of some maps: what they are called, one after the other."""
    return " + ".join(block.name for block in blocks)


def grouped_blocks(materials: Sequence[LitMaterial], blocks: Mapping[str, MapBlock]) -> list[list[MapBlock]]:
    """Fitted maps that all materials read at the same places as one another, by group.

    materials: by the assembly's materials. blocks: by the key of their MaterialMap.
    """
    places: dict[str, list[tuple[int, bytes]]] = {}
    for number, material in enumerate(materials):
        for kind in SHADED_COLUMNS:
            entry = material.maps[kind]
            block = blocks.get(entry.key)
            if block is not None:
                is_constant = block.value.shape[:2] == (1, 1)
                place = b"" if is_constant else entry.uv_transform.tobytes()
                places.setdefault(entry.key, []).append((number, place))
    groups: dict[tuple[object, ...], list[MapBlock]] = {}
    for key, where in places.items():
        groups.setdefault((blocks[key].value.shape[:2], *where), []).append(blocks[key])
    return list(groups.values())


def map_groups(
    materials: Sequence[LitMaterial], blocks: Mapping[str, MapBlock], view_count: int
) -> list[MapGroup]:
    """What steps the blocks: the gradients of a MaterialSource of the same materials bear their names."""
    return [MapGroup(group, view_count) for group in grouped_blocks(materials, blocks)]
