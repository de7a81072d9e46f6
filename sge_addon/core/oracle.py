# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oracle: a slow, obvious NumPy rasteriser, against which the one on the GPU is tested.

Everything in float64, one triangle after the other, one sample a pixel. A triangle is rasterised in
homogeneous coordinates (Olano, Greer 1997): with its corners' clip x, y, w as the columns of M, the
sample (x, y) has b = M^-1 (x, y, 1), which are the perspective-correct barycentrics over w. It is
covered where no b is negative, also where corners lie behind the camera; near and far planes are
then a question to the sample's depth. So nothing need be clipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .assembly import Assembly
from .lights import SunLights
from .pixel_loss import is_outlined, pixel_loss
from .reference import Reference
from .texture_pyramid import LEVEL_ROUNDING, build_levels
from .view import View

Array = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Fragments:
    """What the samples of one view see; zeros where they see nothing.

    ids: (H, W) uint32, triangle + 1. barycentrics: (H, W, 3), perspective-correct. depth: (H, W) in
    [-1, 1]. right, up: (H, W, 3), barycentrics of the same triangle's plane one pixel further, minus
    one pixel back: differences within the 2 x 2 block of pixels to which the pixel belongs, as a GPU
    takes them.
    """

    ids: NDArray[np.uint32]
    barycentrics: Array
    depth: Array
    right: Array
    up: Array


@dataclass(frozen=True, eq=False)
class OracleImage:
    """fragments; uv: (H, W, 2); level: (H, W), log2 of texels per pixel; base_colour, shade, normal
    (unit, world): (H, W, 3); colour: (H, W, 4), premultiplied. Zeros beside the surfaces."""

    fragments: Fragments
    uv: Array
    level: Array
    base_colour: Array
    shade: Array
    normal: Array
    colour: Array


def rasterise(
    positions: Floats,
    triangles: NDArray[np.int32],
    view: View,
    jitter: Sequence[float] = (0.0, 0.0),
) -> Fragments:
    """positions: (V, 3) world. triangles: (F, 3). jitter: pixels by which the image moves."""
    height, width = view.height, view.width
    clip = np.c_[positions.astype(np.float64), np.ones(len(positions))] @ view.world_to_clip.T  # (V, 4)
    row, column = np.mgrid[0:height, 0:width]
    ids = np.zeros((height, width), np.uint32)
    nearest = np.full((height, width), np.inf)
    barycentrics, right, up = np.zeros((3, height, width, 3))

    def samples(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Array:
        """(..., 3): clip x, y over w of the samples, and 1."""
        x = (columns + 0.5 - jitter[0]) * (2.0 / width) - 1.0
        y = (rows + 0.5 - jitter[1]) * (2.0 / height) - 1.0
        return np.stack([x, y, np.ones_like(x)], axis=-1)

    here = samples(row, column)
    for index, corners in enumerate(clip[triangles]):
        matrix = corners[:, [0, 1, 3]].T
        if abs(np.linalg.det(matrix)) < 1e-14 * np.abs(matrix).max() ** 3:
            continue  # without area, or seen edge-on
        inverse = np.linalg.inv(matrix).T
        over_w = here @ inverse  # (H, W, 3)
        depth = over_w @ corners[:, 2]
        covered = (over_w >= 0.0).all(axis=-1) & (over_w.sum(axis=-1) > 0.0)
        covered &= (np.abs(depth) <= 1.0) & (depth < nearest)
        if not covered.any():
            continue

        def on_plane(rows: NDArray[np.int64], columns: NDArray[np.int64], inverse: Array = inverse) -> Array:
            over_w: Array = samples(rows, columns) @ inverse
            return np.divide(over_w, over_w.sum(axis=-1, keepdims=True))

        y, x = row[covered], column[covered]
        below, left = y & ~1, x & ~1

        ids[covered] = index + 1
        nearest[covered] = depth[covered]
        barycentrics[covered] = on_plane(y, x)
        right[covered] = on_plane(y, left + 1) - on_plane(y, left)
        up[covered] = on_plane(below + 1, x) - on_plane(below, x)
    return Fragments(ids, barycentrics, np.where(ids > 0, nearest, 0.0), right, up)


def group_normals(positions: Floats, assembly: Assembly) -> Array:
    """(G, 3) unit: of each normal group, the mean of its triangles' normals, weighted by area.

    A triangle counts once in each group that it has corners in.
    """
    points = positions.astype(np.float64)[assembly.triangles]  # (F, 3, 3)
    area_vectors = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    sums = np.zeros((int(assembly.normal_groups.max()) + 1, 3))
    a, b, c = assembly.normal_groups.T
    for groups, once in ((a, a == a), (b, b != a), (c, (c != a) & (c != b))):
        np.add.at(sums, groups[once], area_vectors[once])
    return _unit(sums)


def read_texture(texture: NDArray[np.float32], uv: Array, level: Array) -> Array:
    """Bilinear, repeating, at the nearest whole mip level: uv (N, 2), level (N,) to (N, C)."""
    levels = build_levels(texture)
    chosen = np.clip(np.floor(level + LEVEL_ROUNDING), 0, len(levels) - 1)
    out = np.zeros((len(uv), texture.shape[2]))
    for index, image in enumerate(levels):
        height, width = image.shape[:2]
        mine = chosen == index
        x, y = (uv[mine] * (width, height) - 0.5).T
        left, low = np.floor(x).astype(int), np.floor(y).astype(int)
        for j, weight_y in ((low, low + 1 - y), (low + 1, y - low)):
            for i, weight_x in ((left, left + 1 - x), (left + 1, x - left)):
                out[mine] += (weight_x * weight_y)[:, None] * image[j % height, i % width]
    return out


def render(
    assembly: Assembly,
    positions: Floats,
    view: View,
    shading: str,
    lights: SunLights,
    jitter: Sequence[float] = (0.0, 0.0),
) -> OracleImage:
    """One sample a pixel of an assembly at ``positions``; shading as in FitSettings."""
    fragments = rasterise(positions, assembly.triangles, view, jitter)
    seen = fragments.ids > 0
    triangle = fragments.ids[seen].astype(np.int64) - 1  # (N,)
    weights = fragments.barycentrics[seen]  # (N, 3)
    corner_uv = assembly.uvs[triangle].astype(np.float64)  # (N, 3, 2)
    uv, right, up = (
        np.einsum("nk,nkc->nc", each, corner_uv)
        for each in (weights, fragments.right[seen], fragments.up[seen])
    )
    level, base = np.empty(len(triangle)), np.empty((len(triangle), 3))
    material_of_sample = assembly.texture_of_triangle[triangle]
    for index, material in enumerate(assembly.materials):
        mine = material_of_sample == index
        size = (1, 1) if material.texture is None else material.texture.shape[1::-1]
        spacing = np.maximum(*(np.linalg.norm(each[mine] * size, axis=1) for each in (right, up)))
        level[mine] = np.log2(np.maximum(spacing, 1e-10))
        if material.texture is None:
            base[mine] = material.colour
        else:
            base[mine] = read_texture(material.texture, uv[mine], level[mine])
    corner_normals = group_normals(positions, assembly)[assembly.normal_groups[triangle]]
    normal = _unit(np.einsum("nk,nkc->nc", weights, corner_normals))
    shade = lights.shade(normal.astype(np.float32)) if shading == "sun" else np.ones_like(base)
    rgb = 0.5 + 0.5 * normal if shading == "normal" else base * shade

    def image(values: Floats) -> Array:
        out = np.zeros((*seen.shape, *values.shape[1:]))
        out[seen] = values
        return out

    return OracleImage(
        fragments=fragments,
        uv=image(uv),
        level=image(level),
        base_colour=image(base),
        shade=image(shade),
        normal=image(normal),
        colour=image(np.c_[rgb, np.ones(len(rgb))]),
    )


def relative_loss(
    reference: Reference,
    image: OracleImage,
    match: tuple[str, ...],
    loss: str,
    background: NDArray[np.float32] | None = None,
) -> NDArray[np.float64]:
    """(H, W): the loss of each pixel less, where the silhouette is known, an empty pixel's; 0 beside
    the surfaces. What the rasteriser's loss pass leaves in its target."""
    covered = image.fragments.ids > 0
    colour = image.colour.astype(np.float32)
    normal = ((0.5 + 0.5 * image.normal) * covered[..., None]).astype(np.float32)
    total = pixel_loss(reference, colour, normal, match, loss, background).astype(np.float64)
    if is_outlined(reference, background):
        total -= pixel_loss(reference, 0.0 * colour, 0.0 * normal, match, loss, background)
    return np.where(covered, total, 0.0)


def _unit(vectors: Array) -> Array:
    return np.divide(vectors, np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-15))
