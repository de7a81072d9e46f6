# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a picture, or a pair of them, costs against the references: mean losses, differences by pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..core.background import Background
from ..core.pair_buffers import PairBuffers
from ..core.perturbation import Perturbation, PerturbedShape
from ..core.picture_area import Area
from ..core.pixel_loss import background_loss, empty_colour_loss, is_outlined
from ..core.pixels import Pixels
from ..core.reference import Reference
from ..core.signs import sub_pixel_jitter
from ..core.stopwatch import Stopwatch
from ..core.working_memory import WorkingMemory
from .buffers import ShapePair
from .rasteriser import Rasteriser
from .reference_textures import ReferenceTextureCache, ReferenceTextures


class ComparedViews:
    """The references as pictures are compared with them. references: members of the list may be replaced."""

    def __init__(
        self,
        references: Sequence[Reference],
        match: tuple[str, ...],
        loss: str,
        background: Background,
        memory: WorkingMemory,
    ) -> None:
        self._references = references
        self._textures = ReferenceTextureCache(references, match, loss, background)
        self._match = match
        self._loss = loss
        self._background = background
        self._memory = memory
        # By view: mean loss of an empty picture, and the pixels for which it holds.
        self._empty_losses: dict[int, tuple[Pixels, float]] = {}

    def textures(self, view: int) -> ReferenceTextures:
        """The view's reference on the GPU."""
        return self._textures.get(view)

    def prepare(self, view: int) -> None:
        """Make now what a first step of the view would."""
        self.textures(view)
        self._relative_to(view, 0)

    def matched(self, view: int) -> tuple[str, ...]:
        """What this view's reference has of what is to be matched."""
        reference = self._references[view]
        has = {"colour": True, "alpha": reference.has_alpha, "normal": reference.has_normal}
        return tuple(name for name in self._match if has[name])

    def behind(self, view: int, seed: int) -> NDArray[np.float32] | None:
        """(3,) linear: the background in the step of this seed."""
        return self._background.behind(self._references[view], seed)

    def draw_pair(
        self,
        rasteriser: Rasteriser,
        view: int,
        seed: int,
        moved: PerturbedShape | Perturbation | ShapePair,
        stopwatch: Stopwatch,
        with_geometry: bool = False,
        ahead: bool = False,
        turn: int = 0,
        area: Area | None = None,
    ) -> Callable[[], PairBuffers]:
        """Draw both pictures of a step, compared with the view's reference; see ``Rasteriser.draw_pair``."""
        return rasteriser.draw_pair(
            self._references[view].view,
            sub_pixel_jitter(seed),
            moved,
            self.textures(view),
            self.matched(view),
            self._loss,
            stopwatch,
            self.behind(view, seed),
            with_geometry,
            ahead,
            turn,
            area,
        )

    def difference(self, buffers: PairBuffers, view: int, seed: int) -> tuple[NDArray[np.float32], float]:
        """d_p of every pixel of the area, flat, and the mean loss of the two pictures in the step of this
        seed."""
        plus, minus = buffers.loss_plus.ravel(), buffers.loss_minus.ravel()
        difference = np.subtract(plus, minus, out=self._memory.array("difference", plus.size, np.float32))
        reference = self._references[view]
        if not is_outlined(reference, self._background.behind(reference)):
            # Nothing is known of what lies beside the object: a pixel counts where both images cover it.
            difference *= (buffers.id_plus.ravel() > 0) & (buffers.id_minus.ravel() > 0)
        weight = self._references[view].weight
        if weight is None:
            total = 0.5 * float(plus.sum() + minus.sum())
        else:
            flat = buffers.area.part(weight).ravel()
            difference *= flat
            both = np.add(plus, minus, out=self._memory.array("both", plus.size, np.float32))
            both *= flat
            total = 0.5 * float(both.sum())
        return difference, total / self.pixel_count(view) + self._relative_to(view, seed)

    def tilt_difference(self, buffers: PairBuffers, view: int) -> NDArray[np.float32] | None:
        """What the tilts of normals make of every pixel of the area, flat; None where nothing is tilted."""
        weight = self._references[view].weight
        if buffers.tilt_difference is None or weight is None:
            return None if buffers.tilt_difference is None else buffers.tilt_difference.ravel()
        return (buffers.tilt_difference * buffers.area.part(weight)).ravel()

    def mean_loss(self, losses: NDArray[np.float32], area: Area, view: int, seed: int) -> float:
        """Of one picture's losses (H, W) in an area, in the step of this seed."""
        weight = self._references[view].weight
        counted = losses if weight is None else losses * area.part(weight)
        return float(counted.sum()) / self.pixel_count(view) + self._relative_to(view, seed)

    def pixel_count(self, view: int) -> int:
        """Of the whole picture."""
        camera = self._references[view].view
        return camera.width * camera.height

    def _relative_to(self, view: int, seed: int) -> float:
        """The mean loss of an empty picture in the step of this seed, which that of the images leaves out.

        What stays the same of it is kept, until the reference's pixels change, as by a view's gain."""
        reference = self._references[view]
        pixels, steady = self._empty_losses.get(view, (None, 0.0))
        if pixels is not reference.pixels:
            steady = self._steady_loss(view)
            self._empty_losses[view] = reference.pixels, steady
        behind = self._background.behind(reference, seed)
        if self._background.is_random and behind is not None and "colour" in self._match:
            return steady + empty_colour_loss(reference, self._loss, behind)
        return steady

    def _steady_loss(self, view: int) -> float:
        """The mean loss of an empty picture, without colours where they lie over another one in each step."""
        reference, match = self._references[view], self._match
        behind = self._background.behind(reference)
        if self._background.is_random and behind is not None:
            match = tuple(name for name in match if name != "colour")
        return background_loss(reference, match, self._loss, behind)
