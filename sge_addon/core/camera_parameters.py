# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pose and focal length of a view as seven numbers, and what each of them does on the screen.

A change is (rotation 3, translation 3, log focal 1): the rotation vector, in radians, turns the camera
about a pivot in front of it, which should be the middle of what it sees; the translation is in world
units. Both are along the camera's own axes. Turned about the pivot rather than about its eye, rotating
and shifting do different things on the screen, so that they can be told apart; and along its own axes
only the distance resembles the focal length.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .view import View

Array = NDArray[np.float64]

POSE, FOCAL = slice(0, 6), 6  # places in a change
SIZE = 7


def rotation_matrix(vector: Array) -> Array:
    """(3, 3) of a rotation vector (Rodrigues' formula): angle in radians times unit axis."""
    angle = float(np.linalg.norm(vector))
    x, y, z = vector
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    # sin(a) / a and (1 - cos(a)) / a^2, both finite at 0.
    return (
        np.eye(3) + np.sinc(angle / np.pi) * cross + 0.5 * np.sinc(0.5 * angle / np.pi) ** 2 * cross @ cross
    )


def rotation_vector(matrix: Array) -> Array:
    """The inverse of ``rotation_matrix``, for angles below pi."""
    twice_sine = np.array(
        [matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]]
    )
    angle = np.arctan2(np.linalg.norm(twice_sine), np.trace(matrix) - 1.0)
    return 0.5 * twice_sine / np.sinc(angle / np.pi)


def moved(view: View, change: Array, pivot: Array) -> View:
    """The view after a change (7,). pivot: (3,) world."""
    axes, eye = view.camera_to_world[:3, :3], view.camera_to_world[:3, 3]
    turn = rotation_matrix(axes @ change[:3])
    pose = view.camera_to_world.copy()
    pose[:3, :3] = turn @ axes
    pose[:3, 3] = pivot + axes @ change[3:6] + turn @ (eye - pivot)
    projection = view.projection.copy()
    projection[:2, :2] *= np.exp(change[FOCAL])
    return replace(view, camera_to_world=pose, projection=projection)


def screen_derivative(view: View, points: Array, pivot: Array) -> Array:
    """(N, 2, 7): derivative of ``view.to_pixels(points)`` by a change, where it is 0."""
    axes, eye = view.camera_to_world[:3, :3], view.camera_to_world[:3, 3]
    seen = (points - eye) @ axes  # (N, 3), camera space
    clip = np.c_[seen, np.ones(len(seen))] @ view.projection.T  # (N, 4)
    movement = np.zeros((len(points), 3, SIZE))  # of the points, as the camera sees it
    arms = (points - pivot) @ axes
    for axis in range(3):
        movement[:, :, axis] = -np.cross(np.eye(3)[axis], arms)
    movement[:, :, 3:6] = -np.eye(3)
    by_clip = np.einsum("rc,ncj->nrj", view.projection[:, :3], movement)  # (N, 4, 7)
    by_clip[:, :2, FOCAL] = seen[:, :2] @ view.projection[:2, :2].T
    w = clip[:, 3, None, None]
    by_ndc = by_clip[:, :2] / w - clip[:, :2, None] * by_clip[:, 3:] / w**2
    return 0.5 * np.array([view.width, view.height])[:, None] * by_ndc


def in_view(view: View, points: Array) -> NDArray[np.bool_]:
    """(N,): points in front of the camera and within its image."""
    clip = np.c_[points, np.ones(len(points))] @ view.world_to_clip.T
    return (np.abs(clip[:, :3]) <= clip[:, 3:]).all(axis=1) & (clip[:, 3] > 0.0)


def screen_units(view: View, points: Array, pivot: Array, pixels: float) -> Array:
    """(7,): the size of each change that moves the points by ``pixels`` (rms); 0 where none does, as
    along the axis of a parallel projection. Infinity never comes out; nothing seen gives zeros."""
    if not len(points):
        return np.zeros(SIZE)
    effect = np.sqrt(np.square(screen_derivative(view, points, pivot)).sum(axis=1).mean(axis=0))  # (7,)
    return np.divide(pixels, effect, out=np.zeros(SIZE), where=effect > 1e-9 * effect.max())
