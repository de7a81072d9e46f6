# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the outlines of one picture are worth: the derivative of the loss by the motion of the nearer surface.

Where neighbouring pixels show different surfaces, the outline between them runs somewhere in between, and the
jitter puts it anywhere: an outline that moves by a pixel from A to B turns B into what A shows. So the loss
changes by f_B(A) - f_B(B), and by f_A(A) - f_A(B) the other way round; the mean of both is the derivative. It
belongs to the nearer surface (after Pidhorskyi et al. 2024, Rasterized Edge Gradients, who take the slope of
the loss instead, which at |x| says little of what happens in a jump); where a crease of one surface or a
border of materials is the reason, half to each side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly
from .edge_buffers import EdgeBuffers
from .pixel_loss import ALPHA_WEIGHT, distance, encoded, is_outlined
from .reference import Reference
from .surface_ends import SurfaceEnds
from .view import View

Array = NDArray[np.float32]
Indices = NDArray[np.intp]
Clip = NDArray[np.float64]
_STEP = 8.0  # pixels of depth between neighbours, over which they are on different surfaces
_NOWHERE = np.float32(-1e30)  # a depth that is apart from all others


@dataclass(frozen=True, eq=False)
class Matched:
    """How a picture is compared. match: of FitSettings, as far as the reference has it; loss: likewise.
    background: (3,) linear or None."""

    reference: Reference
    match: tuple[str, ...]
    loss: str
    background: Array | None

    def losses(self, at: Indices, colour: Array, normal: Array | None) -> Array:
        """(N,) what the pixels ``at`` would cost if these showed there, relative to empty ones where the
        silhouette is known. at: (N,) flat indices. colour: (N, 3) encoded; normal: (N, 3) as 0.5 + 0.5 n."""
        reference, outlined = self.reference, is_outlined(self.reference, self.background)
        total = np.zeros(len(at), np.float32)
        target = reference.colour_at(at)
        if "colour" in self.match:
            behind = target[:, :3]
            if self.background is not None:
                behind = behind + (1.0 - target[:, 3:]) * self.background
            behind = encoded(behind, self.loss)
            total += distance(colour - behind, self.loss)
            if outlined:
                empty = 0.0 if self.background is None else encoded(self.background, self.loss)
                total -= distance(empty - behind, self.loss)
        if "alpha" in self.match:
            alpha = target[:, 3:]
            total += ALPHA_WEIGHT * (distance(1.0 - alpha, self.loss) - distance(alpha, self.loss))
        wanted = reference.normal_at(at) if "normal" in self.match and normal is not None else None
        if normal is not None and wanted is not None:
            total += distance(normal - wanted, self.loss)
            if outlined:
                total -= distance(wanted, self.loss)
        return total


class Outlines:
    """Of one topology. shaded: whether pictures depend on normals, so that creases show."""

    def __init__(self, assembly: Assembly, shaded: bool) -> None:
        self._triangles = assembly.triangles
        self._ends = SurfaceEnds(assembly.triangles)
        self._groups = assembly.normal_groups
        self._materials = assembly.texture_of_triangle
        group_of_vertex = np.zeros(len(assembly.positions), np.int32)
        group_of_vertex[assembly.triangles] = assembly.normal_groups
        # A vertex with several normals is on a crease.
        creased = (group_of_vertex[assembly.triangles] != assembly.normal_groups).any()
        self._shows_creases = shaded and bool(creased)
        self._shows_borders = len(assembly.materials) > 1

    def forces(
        self, buffers: EdgeBuffers, columns: Array, view: View, clip: Clip, matched: Matched
    ) -> tuple[NDArray[np.int32], Array]:
        """(3, N) vertices and (3, 3 N) the gradient of the picture's summed loss by their positions; a vertex
        may occur more than once. columns: (3, V) positions, and clip: (4, 4) world to clip, as the picture
        was drawn."""
        owner, other, worth = self._pairs(buffers, view, matched)
        triangle = buffers.id.ravel().take(owner).astype(np.intp) - 1
        start, goal = (buffers.area.in_picture(pixels) for pixels in (owner, other))
        ends = self._ends.find(columns, view, clip, triangle, start, goal)
        pulls = (worth * ends.gradient)[:, None] * ends.places
        return self._triangles.take(ends.triangle, axis=0).T, pulls.reshape(3, -1)

    def _pairs(self, buffers: EdgeBuffers, view: View, matched: Matched) -> tuple[Indices, Indices, Array]:
        """(N,) pixels of the area whose surface has an outline towards a neighbour, (N,) these neighbours,
        and (N,) what it costs when the outline moves there by a pixel."""
        ids = buffers.id.ravel()
        depth = np.where(ids > 0, buffers.seen[..., 3].ravel(), _NOWHERE)
        first, second = self._neighbours(ids, depth, buffers.area.width, view)
        id_first, id_second = ids.take(first), ids.take(second)
        depth_first, depth_second = depth.take(first), depth.take(second)
        empty = (id_first == 0) | (id_second == 0)
        inside = np.flatnonzero(~empty)
        a, b = id_first[inside].astype(np.intp) - 1, id_second[inside].astype(np.intp) - 1
        apart = empty & is_outlined(matched.reference, matched.background)
        jumps = are_apart(depth_first[inside], depth_second[inside], view, _STEP)
        apart[inside] = jumps & ~_share(self._triangles, a, b)
        creased = np.zeros(len(first), bool)
        if self._shows_borders:
            creased[inside] = self._materials.take(a) != self._materials.take(b)
        if self._shows_creases:
            creased[inside] |= ~_share(self._groups, a, b)
        creased &= ~apart
        chosen = np.flatnonzero(apart | creased)
        # The nearer surface moves the outline; nothing is infinitely far.
        first_is_near = ((id_first > 0) & ((id_second == 0) | (depth_first < depth_second)))[chosen]
        first, second, creased = first[chosen], second[chosen], np.flatnonzero(creased[chosen])
        owner, other = np.where(first_is_near, first, second), np.where(first_is_near, second, first)
        worth = _worth(buffers, owner, other, matched)
        if len(creased):
            worth[creased] *= 0.5
            owner, other, worth = (
                np.concatenate([owner, other[creased]]),
                np.concatenate([other, owner[creased]]),
                np.concatenate([worth, -worth[creased]]),
            )
        return owner, other, worth

    def _neighbours(
        self, ids: NDArray[np.uint32], depth: Array, width: int, view: View
    ) -> tuple[Indices, Indices]:
        """Flat indices of pixels where an outline towards the neighbour to the right or above may be, and of
        these neighbours. ids, depth: (P,), 0 and _NOWHERE where nothing is, of an area of that width."""
        found = []
        for offset in (1, width):
            differs = ids[:-offset] != ids[offset:]
            if not self._shows_creases and not self._shows_borders:
                differs &= are_apart(depth[:-offset], depth[offset:], view, _STEP)
            found.append(np.flatnonzero(differs))
        right, above = found
        right = right[right % width != width - 1]
        return np.concatenate([right, above]), np.concatenate([right + 1, above + width])


def _worth(buffers: EdgeBuffers, first: Indices, second: Indices, matched: Matched) -> Array:
    """(N,): the loss's derivative by a motion of the outline from ``first`` to ``second``, a pixel."""
    loss, ids = buffers.loss.ravel(), buffers.id.ravel()
    seen = buffers.seen.reshape(-1, 4)
    normals = None if buffers.seen_normal is None else buffers.seen_normal.reshape(-1, 4)

    at, shown = np.concatenate([second, first]), np.concatenate([first, second])
    normal = None if normals is None else normals.take(shown, axis=0)[:, :3]
    in_picture = buffers.area.in_picture(at)
    losses = matched.losses(in_picture, seen.take(shown, axis=0)[:, :3], normal)
    losses[ids.take(shown) == 0] = 0.0  # an empty pixel's loss is what losses are relative to
    losses -= loss.take(at)
    if matched.reference.weight is not None:
        losses *= matched.reference.weight.ravel().take(in_picture)
    return 0.5 * (losses[: len(first)] - losses[len(first) :])


def are_apart(first: Array, second: Array, view: View, pixels: float) -> NDArray[np.bool_]:
    """(N,) whether distances along the view differ by more than so many pixels, as wide as they are there."""
    step = np.float32(pixels * view.world_per_pixel)
    apart: NDArray[np.bool_] = np.abs(first - second) > (
        step * np.minimum(first, second) if view.is_perspective else step
    )
    return apart


def _share(lists: NDArray[np.int32], a: Indices, b: Indices) -> NDArray[np.bool_]:
    """(N,) whether the triangles a and b have a number in common. lists: (F, 3)."""
    first, second = lists.take(a, axis=0), lists.take(b, axis=0)
    return (first[:, :, None] == second[:, None, :]).any(axis=(1, 2))
