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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cell_sums import CellGrid
from .footprint import CornerSums
from .map_block import MapBlock
from .material_maps import SHADED_COLUMNS, LitMaterial
from .texel_systems import multiply_systems, solve_systems
from .texture_pyramid import halve, level_count

Array = NDArray[np.float32]

# Relative to the mean curvature, at the start and from the given progress on: the damping, and the pull to
# the mean of a texel's neighbours. Where less has been seen than elsewhere, the damping weighs as much more,
# the pull its square.
DAMPING = (5.0, 5e-4)
NEAR_DAMPING = 0.1  # at the start where a search has brought the maps near
SMOOTHNESS = (0.5, 1e-2)
SETTLED = 0.5
# Views to a step, once there have been as many.
BATCH = 8
# Cells handled at once.
STRIP = 4096
# No step changes a value by more.
LONGEST = 0.15
# Evidence, in pixels, below which a texel follows the coarser level.
FAINT = 0.02


@dataclass(frozen=True, eq=False)
class GroupSums:
    """What one view says of a group's C steered channels, in one part or several that add up.

    texels: of C + 1 columns: A^T (J w r), half the negative gradient of the squared loss, and A^T w: evidence
    in pixels. curvature: cells (K,) of the curvature's grid, and (K, 1 + T) sums of w and of J w J of the
    pairs of channels.
    """

    texels: tuple[CornerSums, ...]
    curvature: tuple[tuple[NDArray[np.intp], Array], ...]

    def __add__(self, other: GroupSums) -> GroupSums:
        return GroupSums(self.texels + other.texels, self.curvature + other.curvature)


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
        self._layout = blocks[0].layout
        self._size = (self._layout.height, self._layout.width)
        self._grid = curvature_grid(*self._size)
        self._pairs = self.channels.pairs
        channels = len(self.channels.colours)
        # Sums since the last step, as pyramids; before it, by texel: slopes and evidence.
        self._gathered = np.zeros((self._layout.length, channels + 1), np.float32)
        self._levels = 0
        self._sums = np.zeros((channels + 1, *self._size), np.float32)
        self._curvature = np.zeros((self._grid.length, 1 + len(self._pairs)), np.float32)
        self._views = self._pending = 0
        self._progress = self._remembered = 0.0
        self._damping = DAMPING

    @property
    def value(self) -> Array:
        """(H, W, C) all channels of all maps, side by side."""
        return np.concatenate([block.value for block in self.blocks], axis=-1)

    def step(self, gradient: GroupSums, progress: float) -> None:
        """Take the sums of one view; values change once there are enough."""
        for texels in gradient.texels:
            texels.add_to(self._gathered)
            self._levels = max(self._levels, texels.level_count)
        for cells, rows in gradient.curvature:
            self._curvature[cells] += rows
        self._progress = progress
        self._pending += 1
        self._remembered += 1.0
        if self._pending >= min(BATCH, self.view_count, max(1, self._views)):
            self._sums += self._unpacked()
            self._gathered[:] = 0.0
            self._levels, count = 0, self._pending
            self._forget(*self._solve(self._sums), count)

    def begin_near(self) -> None:
        """The maps have been brought near to what they should be: coarse values need not come first."""
        self._damping = (NEAR_DAMPING, DAMPING[1])

    def finish(self) -> None:
        """Step by what was gathered since the last step."""
        if self._pending:
            self._solve(self._sums + self._unpacked())

    def _unpacked(self) -> Array:
        """(C + 1, H, W): what was gathered since the last step, by texel."""
        unpacked = np.empty_like(self._sums)
        for image, plane in zip(unpacked, self._gathered.T.copy(), strict=True):
            image[:] = self._layout.unpack_sums(plane, max(self._levels, 1))
        weight = self.blocks[0].weight + unpacked[-1]
        for block in self.blocks:
            block.weight = weight
        return unpacked

    def _solve(self, sums: Array) -> tuple[Array, Array]:
        """Step all maps. Returns the change (C, H, W), and the curvature it was found by, (T, h, w)."""
        self._views += self._pending
        self._pending = 0
        change, entries = self._change(sums)
        np.clip(change, -LONGEST, LONGEST, out=change)
        start = 0
        for block in self.blocks:
            mine = change[start : start + block.steered]
            before = block.planes[: block.steered]
            block.move(mine)
            np.subtract(block.planes[: block.steered], before, out=mine)
            start += block.steered
        return change, entries

    def _forget(self, change: Array, entries: Array, count: int) -> None:
        """Take out what the step has explained, and let the sums fade. count: views since the last step."""
        kept = np.float32(1.0 - count / self.view_count)
        self._remembered *= float(kept)
        self._curvature *= kept
        if kept <= 0.0:
            self._sums[:] = 0.0
            return
        for rows, cells in _strips(self._size, entries.shape[1:]):
            mine = entries[:, cells].reshape(len(entries), -1)
            explained = multiply_systems(mine, self._pairs, _by_cell(change[:, rows], mine.shape[1]))
            sums = self._sums[:, rows]
            sums[:-1] -= sums[-1] * _by_texel(explained, sums.shape[1:])
            sums *= kept

    def _change(self, sums: Array) -> tuple[Array, Array]:
        """The step of all channels (C, H, W), and the curvature, (T, h, w)."""
        levels = [sums]
        while level_count(*levels[-1].shape[1:]) > 1:
            levels.append(_halved(levels[-1]))
        rows = [np.ascontiguousarray(np.moveaxis(self._grid.finest(self._curvature), -1, 0))]
        while level_count(*rows[-1].shape[1:]) > 1:
            rows.append(_halved(rows[-1]))
        whole = rows[-1].sum(axis=(1, 2))
        mean = whole[1:] / max(float(whole[0]), 1e-12)
        own = np.array([mean[t] for t, (a, b) in enumerate(self._pairs) if a == b], np.float32)  # (C,)
        stiffness = (np.float32(self._scheduled(SMOOTHNESS)) * own)[:, None, None]
        least = np.float32((float(own.mean()) + 1e-12) * self._scheduled(self._damping))
        usual = self._usual_evidence(sums[-1])
        faint = np.float32(FAINT)

        entries = np.broadcast_to(mean[:, None, None], (len(mean), *rows[-1].shape[1:]))
        change = np.zeros((len(own), *rows[-1].shape[1:]), np.float32)
        for level in reversed(range(len(levels))):
            if rows:
                known = rows.pop()
                evidence = known[0]
                if evidence.shape != entries.shape[1:]:
                    entries, change = _doubled(entries), _doubled(change)
                entries = entries * faint
                entries += known[1:]
                entries /= evidence + faint
                texels = self._size[0] * self._size[1] / evidence.size
                # By how much less has been seen here than elsewhere.
                rarity = np.clip(usual * texels / np.maximum(evidence, faint), 1.0, 1e3)
            pull = None if level else stiffness * rarity**2
            change = self._level_change(levels[level], entries, least * rarity, pull, change)
        return change, entries

    def _level_change(
        self, sums: Array, entries: Array, damping: Array, pull: Array | None, coarser: Array
    ) -> Array:
        """The step (C, H, W) of one level.

        sums: (C + 1, H, W). entries: (T, h, w) curvature, each of 1 or 2 x 2 texels. damping: (h, w), pull:
        (C, h, w), to the neighbours' mean. coarser: (C, h, w), the step of the coarser level.
        """
        size, faint = (sums.shape[1], sums.shape[2]), np.float32(FAINT)
        found = np.empty((len(coarser), *size), np.float32)
        for rows, cells in _strips(size, entries.shape[1:]):
            mine = entries[:, cells].reshape(len(entries), -1)  # (T, N)
            count = mine.shape[1]
            split = _by_cell(sums[:, rows], count)  # (C + 1, R, N)
            weight, prior = split[-1], coarser[:, cells].reshape(len(coarser), 1, count)
            diagonal = np.broadcast_to(damping[cells].reshape(1, count), (len(coarser), count))
            sides = split[:-1] / (weight + faint)
            if pull is not None:
                held = pull[:, cells].reshape(len(coarser), count)
                # The Laplacian's largest eigenvalue is 2, as in ``texture_block``.
                diagonal = diagonal + 2 * held
                sides += held[:, None] * _by_cell(self._unevenness(rows), count)
            sides += diagonal[:, None] * prior
            step = solve_systems(mine, self._pairs, diagonal, sides)
            step -= prior
            step *= weight / (weight + faint)
            step += prior
            found[:, rows] = _by_texel(step, (rows.stop - rows.start, size[1]))
        return found

    def _scheduled(self, ends: tuple[float, float]) -> float:
        """Between the values at the start and at ``SETTLED``, exponentially."""
        return float(ends[0] * (ends[1] / ends[0]) ** min(self._progress / SETTLED, 1.0))

    def _usual_evidence(self, weight: Array) -> float:
        """Pixels in which all views together show a texel that is seen, in the mean. weight: (H, W)."""
        count = np.count_nonzero(weight > FAINT)
        if not count:
            return 1.0
        return float(weight.sum(dtype=np.float64)) / count * self.view_count / self._remembered

    def _unevenness(self, rows: slice) -> Array:
        """(C, R, W): in some rows, from each texel's values to the mean of its neighbours'."""
        around = np.arange(rows.start - 1, rows.stop + 1) % self._size[0]
        parts = []
        for block in self.blocks:
            value = block.planes[: block.steered].take(around, axis=1)
            mean = value[:, :-2] + value[:, 2:]
            mean += np.roll(value[:, 1:-1], 1, axis=2)
            mean += np.roll(value[:, 1:-1], -1, axis=2)
            parts.append(np.float32(0.25) * mean - value[:, 1:-1])
        return np.concatenate(parts)


def _strips(size: tuple[int, int], cells: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Rows of texels and of cells, in parts that stay in the processor's cache."""
    side = size[0] // cells[0]
    rows = max(1, STRIP // cells[1])
    for start in range(0, cells[0], rows):
        stop = min(start + rows, cells[0])
        yield slice(side * start, side * stop), slice(start, stop)


def _by_cell(planes: Array, cells: int) -> Array:
    """(C, H, W) to (C, R, N): the R = 1 or 4 texels of each of N cells."""
    count, height, width = planes.shape
    side = 1 if height * width == cells else 2
    split = planes.reshape(count, height // side, side, width // side, side)
    return np.ascontiguousarray(split.transpose(0, 2, 4, 1, 3)).reshape(count, side * side, cells)


def _by_texel(cells: Array, size: tuple[int, ...]) -> Array:
    """The inverse of ``_by_cell``. size: (H, W)."""
    height, width = size
    side = 1 if cells.shape[1] == 1 else 2
    split = cells.reshape(-1, side, side, height // side, width // side)
    return split.transpose(0, 3, 1, 4, 2).reshape(-1, height, width)


def _halved(planes: Array) -> Array:
    """(C, H, W) to (C, H / 2, W / 2): sums of 2 x 2 neighbours."""
    return np.moveaxis(halve(np.moveaxis(planes, 0, -1)), -1, 0)


def _doubled(planes: Array) -> Array:
    """(C, H, W) to (C, 2 H, 2 W)."""
    return np.repeat(np.repeat(planes, 2, axis=1), 2, axis=2)


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
