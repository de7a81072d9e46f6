# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures side by side: what a fit started from, what it reached, what it should, and the difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sge_addon.core.reference import Reference

_BACKGROUND = np.asarray([0.05, 0.05, 0.06], np.float32)
_GAP = 4


def contact_sheet(
    before: Sequence[Reference], after: Sequence[Reference], references: Sequence[Reference]
) -> np.ndarray:
    """One row a view: start, result, reference, difference; with normals, a second row of those.

    (H, W, 3) float32 linear, row 0 at the bottom.
    """
    rows = []
    for start, result, reference in zip(before, after, references, strict=True):
        rows.append(_row(start.colour[..., :3], result.colour, reference.colour, start.colour[..., 3:]))
        if reference.normal is not None:
            alphas = [made.colour[..., 3:] for made in (start, result, reference)]
            normals = [made.normal for made in (start, result, reference)]
            images = [np.concatenate(pair, axis=2) for pair in zip(normals, alphas, strict=True)]
            rows.append(_row(images[0][..., :3], images[1], images[2], alphas[0]))
    gap = np.tile(_BACKGROUND, (_GAP, rows[0].shape[1], 1))
    stacked = [part for row in reversed(rows) for part in (row, gap)]  # the first row on top
    return np.concatenate([gap, *stacked])


def _row(start: np.ndarray, result: np.ndarray, reference: np.ndarray, start_alpha: np.ndarray) -> np.ndarray:
    shown = [_over(start, start_alpha), _over(result[..., :3], result[..., 3:])]
    shown.append(_over(reference[..., :3], reference[..., 3:]))
    shown.append(np.abs(result[..., :3] - reference[..., :3]))
    gap = np.tile(_BACKGROUND, (start.shape[0], _GAP, 1))
    return np.concatenate([part for image in shown for part in (image, gap)], axis=1)


def _over(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return colour + (1.0 - alpha) * _BACKGROUND
