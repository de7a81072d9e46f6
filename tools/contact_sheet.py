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
    """One row a view: start, result, reference, difference of colour, then the same of normals.

    (H, W, 3) float32 linear, row 0 at the bottom.
    """
    rows = []
    for made in zip(before, after, references, strict=True):
        alphas = [each.colour[..., 3:] for each in made]
        parts = [_row([each.colour[..., :3] for each in made], alphas)]
        normals = [each.normal for each in made if each.normal is not None]
        if len(normals) == len(made):
            parts.append(_row(normals, alphas))
        rows.append(np.concatenate(parts, axis=1))
    gap = np.tile(_BACKGROUND, (_GAP, rows[0].shape[1], 1))
    stacked = [part for row in reversed(rows) for part in (row, gap)]  # the first row on top
    return np.concatenate([gap, *stacked])


def _row(images: Sequence[np.ndarray], alphas: Sequence[np.ndarray]) -> np.ndarray:
    """Start, result and reference over the background, and result less reference."""
    shown = [image + (1.0 - alpha) * _BACKGROUND for image, alpha in zip(images, alphas, strict=True)]
    shown.append(np.abs(images[1] - images[2]))
    gap = np.tile(_BACKGROUND, (shown[0].shape[0], _GAP, 1))
    return np.concatenate([part for image in shown for part in (image, gap)], axis=1)
