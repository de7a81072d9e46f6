# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cameras of the training views as parameters, and what is held fixed among them.

Where the shape is fitted, too, it may move, turn and grow together with all cameras without a change in
any picture; where textures are fitted, they may darken as all gains grow. What nothing decides is decided
here: as long as the shape moves, the mean of the cameras' turns stays 0, and their eyes as a whole are
neither shifted nor spread; and the mean of the logarithms of fitted gains stays 0. A mean, not a first
camera, because that one's own error would then pass on to all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .camera_parameters import rotation_matrix, rotation_vector
from .camera_refinement import CameraState
from .reference import Reference
from .view import View

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CameraChange:
    """What a source has found for one view. long_side: of the pictures that it compared."""

    view: int
    state: CameraState
    long_side: int


@dataclass(frozen=True)
class CameraCorrection:
    """How far a camera has come from where it was given: the angle between both orientations, the
    distance between both eyes in scene units, the ratio of focal lengths (of picture sizes, without
    perspective); and the factors of its colours."""

    rotation_degrees: float
    distance: float
    focal_ratio: float
    gain: tuple[float, float, float]


class CameraBlock:
    """A core.protocols.ParameterBlock of the training views' cameras and gains.

    originals: the references as given. references: the same as the fit should see them now, through the
    refined views and with the gain divided out; a list that is kept up to date in place.
    center: (3,) world, the middle of what is fitted. holds_pose, holds_gain: whether the means are held.
    """

    name = "cameras"

    def __init__(
        self,
        originals: Sequence[Reference],
        center: Array,
        *,
        holds_pose: bool = False,
        holds_gain: bool = False,
    ) -> None:
        self.originals = list(originals)
        self.references = list(originals)
        self.states = [CameraState(reference.view, np.ones(3)) for reference in originals]
        # Long side of the pictures that each was last refined with; 0 before the first time.
        self.reached = [0] * len(originals)
        self._center = center
        self._holds_pose = holds_pose
        self._holds_gain = holds_gain
        self._steps = 0

    def at(self, originals: Sequence[Reference]) -> CameraBlock:
        """The same cameras, as they stand, over the same references at another size."""
        other = CameraBlock(originals, self._center, holds_pose=self._holds_pose, holds_gain=self._holds_gain)
        other.reached = list(self.reached)
        for index, state in enumerate(self.states):
            other._assign(index, state)
        return other

    @property
    def value(self) -> NDArray[np.float32]:
        """(N, 10): rotation vector, shift of the middle, log focal ratio, log gains of each camera."""
        rows = []
        for index, state in enumerate(self.states):
            turn, shift = self._moved_by(index)
            focal = np.log(_focal_ratio(self.originals[index].view, state.view))
            rows.append(np.r_[turn, shift, focal, np.log(state.gain)])
        return np.asarray(rows, np.float32)

    def step(self, gradient: CameraChange, progress: float) -> None:
        """Take the state that was found; after each round through the views, restore the means."""
        self._assign(gradient.view, gradient.state)
        self.reached[gradient.view] = gradient.long_side
        self._steps += 1
        if self._steps % len(self.states) == 0 and (self._holds_pose or self._holds_gain):
            self._restore_means()

    def rest(self) -> None:
        """The shape moves no more, so that it tells where the cameras are."""
        self._holds_pose = False

    def finish(self) -> None:
        """Nothing is gathered."""

    def correction(self, index: int) -> CameraCorrection:
        """Of one view."""
        start, state = self.originals[index].view, self.states[index]
        turn, _ = self._moved_by(index)
        moved = state.view.camera_to_world[:3, 3] - start.camera_to_world[:3, 3]
        red, green, blue = state.gain
        return CameraCorrection(
            rotation_degrees=float(np.degrees(np.linalg.norm(turn))),
            distance=float(np.linalg.norm(moved)),
            focal_ratio=_focal_ratio(start, state.view),
            gain=(float(red), float(green), float(blue)),
        )

    def _assign(self, index: int, state: CameraState) -> None:
        original, shown = self.originals[index], self.references[index]
        view = state.view.resized(original.view.width, original.view.height)
        if not np.array_equal(state.gain, self.states[index].gain):
            shown = original.divided(np.append(state.gain, 1.0).astype(np.float32))
        self.states[index] = CameraState(view, state.gain)
        self.references[index] = replace(shown, view=view)

    def _moved_by(self, index: int) -> tuple[Array, Array]:
        """World rotation vector by which a camera has turned, and how far the middle moved along."""
        start = self.originals[index].view.camera_to_world
        motion = self.states[index].view.camera_to_world @ np.linalg.inv(start)  # (4, 4), world
        return rotation_vector(motion[:3, :3]), motion[:3, :3] @ self._center + motion[:3, 3] - self._center

    def _restore_means(self) -> None:
        gain = np.ones(3)
        if self._holds_gain:
            gain = np.exp(np.mean([np.log(state.gain) for state in self.states], axis=0))
        poses = [state.view.camera_to_world for state in self.states]
        if self._holds_pose:
            turns = [self._moved_by(index)[0] for index in range(len(poses))]
            poses = self._carried_back(poses, rotation_matrix(-np.mean(turns, axis=0)))
        for index, (state, pose) in enumerate(zip(self.states, poses, strict=True)):
            view = replace(state.view, camera_to_world=pose)
            self._assign(index, CameraState(view, state.gain / gain))

    def _carried_back(self, poses: list[Array], turn: Array) -> list[Array]:
        """Poses turned about the middle, then shifted and shrunk towards it, as brings their eyes nearest to
        where they were given (least squares)."""
        given = np.array([each.view.camera_to_world[:3, 3] for each in self.originals]) - self._center
        eyes = (np.array([pose[:3, 3] for pose in poses]) - self._center) @ turn.T
        arms, gone = given - given.mean(axis=0), eyes - given
        spread = float(np.square(arms).sum())
        growth = float((gone * arms).sum()) / spread if spread > 0.0 else 0.0
        shift = gone.mean(axis=0) - growth * given.mean(axis=0)
        eyes = (eyes - shift) / (1.0 + growth) + self._center
        carried = []
        for pose, eye in zip(poses, eyes, strict=True):
            back = pose.copy()
            back[:3, :3] = turn @ pose[:3, :3]
            back[:3, 3] = eye
            carried.append(back)
        return carried


def _focal_ratio(start: View, now: View) -> float:
    return float(now.projection[1, 1] / start.projection[1, 1])
