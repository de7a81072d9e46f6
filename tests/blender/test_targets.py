# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which framebuffers stay from one pass to the next."""

from __future__ import annotations

import weakref

import bpy  # noqa: F401 (the wheel brings gpu along)
import pytest

from sge_addon.raster.targets import TargetPool

pytestmark = pytest.mark.usefixtures("gpu_ready")
FORMATS = {"colour": "RGBA32F"}


def test_a_target_stays_while_it_is_asked_for_again() -> None:
    pool = TargetPool(patience=3)
    kept = pool.get("picture", 4, 4, FORMATS)
    for size in range(1, 20):
        pool.get("other", size, 1, FORMATS)
        if size % 3 == 0:
            assert pool.get("picture", 4, 4, FORMATS) is kept


def test_a_target_that_nobody_asks_for_goes() -> None:
    pool = TargetPool(patience=3)
    unused = weakref.ref(pool.get("picture", 4, 4, FORMATS))
    for _ in range(3):
        pool.get("other", 4, 4, FORMATS)
    assert unused() is not None
    pool.get("other", 4, 4, FORMATS)
    assert unused() is None


def test_of_many_the_most_recent_stay() -> None:
    pool = TargetPool(capacity=2)
    first, second = pool.get("picture", 1, 1, FORMATS), pool.get("picture", 2, 2, FORMATS)
    assert pool.get("picture", 1, 1, FORMATS) is first
    pool.get("picture", 3, 3, FORMATS)
    assert pool.get("picture", 1, 1, FORMATS) is first
    assert pool.get("picture", 2, 2, FORMATS) is not second
