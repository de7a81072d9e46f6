# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References at half the resolution."""

from __future__ import annotations

import numpy as np

from sge_addon.core.halved_references import HalvedReferences
from sge_addon.core.reference import Reference
from tests.meshes import perspective_view


def reference(seed: int) -> Reference:
    view = perspective_view(12, 8)
    return Reference(view, np.random.default_rng(seed).random((8, 12, 4), dtype=np.float32), True)


def test_each_pixel_is_the_mean_of_four() -> None:
    whole = reference(0)
    halved = HalvedReferences([whole])[0]
    assert (halved.view.width, halved.view.height) == (6, 4)
    means = whole.colour.reshape(4, 2, 6, 2, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(halved.colour, means, atol=1e-6)
    quarter = HalvedReferences(HalvedReferences([whole]))[0]
    assert (quarter.view.width, quarter.view.height) == (3, 2)


def test_they_are_made_once_and_again_when_a_reference_is_replaced() -> None:
    whole = [reference(0), reference(1)]
    halved = HalvedReferences(whole)
    assert len(halved) == 2
    first = halved[1]
    assert halved[1] is first
    whole[1] = reference(2)
    assert halved[1] is not first
    assert not np.array_equal(halved[1].colour, first.colour)
