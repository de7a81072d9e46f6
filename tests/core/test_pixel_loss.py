# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loss of a pixel, by hand; alpha counts a quarter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sge_addon.core.pixel_loss import background_loss, covering_loss, distance, pixel_loss, weighted
from sge_addon.core.reference import Reference
from tests.meshes import perspective_view

ALL = ("colour", "alpha", "normal")


@pytest.fixture
def reference() -> Reference:
    """Two pixels: a half-covered orange one, an empty one."""
    colour = np.float32([[[0.4, 0.2, 0.0, 0.5], [0.0, 0.0, 0.0, 0.0]]])
    normal = np.float32([[[0.25, 0.25, 0.5], [0.0, 0.0, 0.0]]])
    return Reference(perspective_view(2, 1), colour, True, normal)


def test_absolute_by_hand(reference: Reference) -> None:
    colour = np.float32([[[0.1, 0.2, 0.6, 1.0], [0.3, 0.0, 0.0, 1.0]]])
    normal = np.float32([[[0.25, 0.85, 0.5], [0.0, 0.0, 0.9]]])
    loss = pixel_loss(reference, colour, normal, ALL, "l1")
    np.testing.assert_allclose(loss, [[0.3 + 0.25 * 0.5 + 0.2, 0.1 + 0.25 * 1.0 + 0.3]], rtol=1e-6)


def test_squared_by_hand(reference: Reference) -> None:
    colour = np.float32([[[0.1, 0.2, 0.6, 1.0], [0.3, 0.0, 0.0, 1.0]]])
    loss = pixel_loss(reference, colour, None, ("colour", "alpha"), "l2")
    np.testing.assert_allclose(loss, [[0.15 + 0.25 * 0.25, 0.03 + 0.25 * 1.0]], rtol=1e-6)


@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_the_reference_itself_costs_nothing(reference: Reference, loss: str) -> None:
    assert not pixel_loss(reference, reference.colour, reference.normal, ALL, loss).any()


def test_only_what_is_matched_counts(reference: Reference) -> None:
    black = np.zeros((1, 2, 4), np.float32)
    parts = [pixel_loss(reference, black, black[..., :3], (name,), "l1") for name in ALL]
    np.testing.assert_allclose(sum(parts), pixel_loss(reference, black, black[..., :3], ALL, "l1"), rtol=1e-6)
    np.testing.assert_allclose([part[0, 0] for part in parts], [0.2, 0.25 * 0.5, 1.0 / 3.0], rtol=1e-6)


def test_what_the_reference_lacks_does_not_count(reference: Reference) -> None:
    photo = replace(reference, has_alpha=False, normal=None)
    black = np.zeros((1, 2, 4), np.float32)
    loss = pixel_loss(photo, black, black[..., :3], ALL, "l1")
    np.testing.assert_allclose(loss, [[0.2, 0.0]], rtol=1e-6)


def test_background_loss_is_that_of_an_empty_picture(reference: Reference) -> None:
    assert background_loss(reference, ("colour", "alpha"), "l1") == pytest.approx(0.5 * (0.2 + 0.25 * 0.5))
    assert background_loss(replace(reference, has_alpha=False), ("colour", "alpha"), "l1") == 0.0


@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_covering_a_pixel_costs_its_distances_and_the_rest(reference: Reference, loss: str) -> None:
    colour = np.float32([[[0.1, 0.2, 0.6, 1.0], [0.3, 0.0, 0.0, 1.0]]])
    normal = np.float32([[[0.25, 0.85, 0.5], [0.0, 0.0, 0.9]]])
    empty = np.zeros_like(colour)
    gained = pixel_loss(reference, colour, normal, ALL, loss)
    gained -= pixel_loss(reference, empty, empty[..., :3], ALL, loss)
    distances = distance(colour[..., :3] - reference.colour[..., :3], loss)
    distances += distance(normal - reference.normal, loss)
    np.testing.assert_allclose(covering_loss(reference, ALL, loss) + distances, gained, atol=1e-6)
    assert not covering_loss(replace(reference, has_alpha=False), ALL, loss).any()


def test_weights_come_on_top() -> None:
    reference = Reference(
        perspective_view(2, 1),
        np.float32([[[0.4, 0.2, 0.0, 0.5], [0.6, 0.6, 0.6, 1.0]]]),
        True,
        weight=np.float32([[1.0, 0.25]]),
    )
    np.testing.assert_allclose(weighted(reference, np.float32([[2.0, 8.0]])), [[2.0, 2.0]])
    by_channel = np.float32([[[2.0, 1.0, 0.0], [8.0, 4.0, 0.0]]])
    np.testing.assert_allclose(weighted(reference, by_channel), [[[2.0, 1.0, 0.0], [2.0, 1.0, 0.0]]])
    assert background_loss(reference, ("colour",), "l1") == pytest.approx(0.5 * (0.2 + 0.25 * 0.6))
