# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs have reached at their checkpoints: a process, with the same measures for every tool."""

from __future__ import annotations

import sys
from collections.abc import Callable

import benchmark_process
import numpy as np
from against_inputs import Inputs
from benchmark_metrics import ChamferDistance, coverage_iou, texel_psnr, texel_weights
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from sge_addon.core.assembly import assemble
from sge_addon.core.lights import SunLights
from sge_addon.core.metrics import mean_psnr, squared_errors
from sge_addon.core.reference import Reference
from sge_addon.core.surface import Surface
from sge_addon.core.view import View
from sge_addon.raster.rasteriser import Rasteriser

_SAMPLES = 4  # a pixel, along a side
Figures = Callable[[NDArray[np.float32], bool], dict]


def measure(case: dict) -> dict:
    """{"kind", "inputs", "outputs"}: by output file, the figures of its checkpoints."""
    inputs = Inputs.read(case["inputs"])
    figures = _shape(inputs) if case["kind"] == "shape" else _texture(inputs)
    found = []
    for path in case["outputs"]:
        with np.load(path) as arrays:
            states = arrays["states"]
        found.append([figures(state, index == len(states) - 1) for index, state in enumerate(states)])
    return {"figures": found}


def _shape(inputs: Inputs) -> Figures:
    """Chamfer distance; at the end IoU and PSNR of the views that are held out, too."""
    chamfer = ChamferDistance(inputs.target(), inputs.training_views())
    held_out = [each for each in inputs.references() if each.held_out]

    def figures(positions: NDArray[np.float32], is_last: bool) -> dict:
        surface = inputs.surface(positions)
        made = {"chamfer": chamfer(surface)}
        return made | _seen(surface, held_out) if is_last else made

    return figures


def _seen(surface: Surface, held_out: list[Reference]) -> dict:
    rasteriser = Rasteriser(assemble([surface]), "normal", SunLights())
    drawn = [rasteriser.render(each.view, _SAMPLES).colour.copy() for each in held_out]
    pairs = list(zip(drawn, held_out, strict=True))
    ious = [coverage_iou(colour[..., 3], each.colour[..., 3]) for colour, each in pairs]
    errors = [squared_errors(each, colour) for colour, each in pairs]
    return {"iou": float(np.mean(ious)), "image_psnr": mean_psnr([image for _, image in errors])}


def _texture(inputs: Inputs) -> Figures:
    """PSNR over the object in the views that are held out; at the end that of the texels, too."""
    surface = inputs.surface(inputs.positions)
    size = int(inputs.texture_size)
    rasteriser = Rasteriser(assemble([surface]), "unlit", SunLights())
    held_out = [each for each in inputs.references() if each.held_out]
    reads = [reading(rasteriser, each.view, size) for each in held_out]
    weights = texel_weights(surface, inputs.training_views(), size) if inputs.truth.size else None

    def figures(texture: NDArray[np.float32], is_last: bool) -> dict:
        errors = []
        for reference, (read, alpha) in zip(held_out, reads, strict=True):
            colour = (read @ texture.reshape(-1, 3)).reshape(*alpha.shape, 3)
            errors.append(squared_errors(reference, np.dstack([colour, alpha]).astype(np.float32)))
        made = {"object_psnr": mean_psnr([over_object for over_object, _ in errors])}
        if is_last and weights is not None:
            made["texel_psnr"] = texel_psnr(texture, inputs.truth, weights)
        return made

    return figures


def reading(rasteriser: Rasteriser, view: View, size: int) -> tuple[csr_matrix, NDArray[np.float32]]:
    """How a view's pixels read a texture of size x size texels, bilinear, with 4 x 4 samples a pixel:
    (pixels, texels), and alpha (H, W)."""
    samples = _SAMPLES * _SAMPLES
    buffer = rasteriser.uv_buffer(view, (0.0, 0.0), _SAMPLES)
    row, column = np.nonzero(buffer.ids)
    pixel = (row // _SAMPLES) * view.width + column // _SAMPLES
    place = buffer.uv[row, column].astype(np.float64) * size - 0.5  # (N, 2)
    corner = np.floor(place)
    fraction = place - corner
    read = csr_matrix((view.width * view.height, size * size))
    for down in (0, 1):
        for right in (0, 1):
            weight = np.abs(1 - right - fraction[:, 0]) * np.abs(1 - down - fraction[:, 1])
            texel = (corner + (right, down)).astype(np.int64) % size
            index = (pixel, texel[:, 1] * size + texel[:, 0])
            read += csr_matrix((weight / samples, index), read.shape)
    alpha = np.bincount(pixel, minlength=read.shape[0]).reshape(view.height, view.width) / samples
    return read, alpha.astype(np.float32)


if __name__ == "__main__":
    benchmark_process.answer(measure, sys.argv)
