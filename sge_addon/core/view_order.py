# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order a fit sees its views."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from .signs import hash_bits, step_seed
from .view import View


def view_of_step(index: int, views: int, seed: int, first_round: Sequence[int] = ()) -> int:
    """Every view once in each round, in an order that is shuffled anew each round. first_round: the order of
    the first, empty for one that is shuffled as well."""
    round_index, place = divmod(index, views)
    if round_index == 0 and first_round:
        return first_round[place]
    return _round(round_index, views, seed)[place]


def far_apart(views: Sequence[View], seed: int) -> list[int]:
    """All views, from one drawn by lot on each the one that stands farthest from all before it: what a few
    steps see is most of what there is to see (farthest-point sampling, Gonzalez 1985)."""
    eyes = np.stack([view.camera_to_world[:3, 3] for view in views])  # (N, 3)
    order = [view_of_step(0, len(views), seed)]
    nearest = np.full(len(views), np.inf)
    while len(order) < len(views):
        nearest = np.minimum(nearest, np.square(eyes - eyes[order[-1]]).sum(axis=1))
        nearest[order] = -1.0  # also where several stand at one place
        order.append(int(nearest.argmax()))
    return order


@lru_cache(maxsize=2)
def _round(index: int, views: int, seed: int) -> list[int]:
    keys = hash_bits(step_seed(seed, 0x80000000 + index), np.arange(views, dtype=np.uint32))
    return np.argsort(keys, kind="stable").tolist()
