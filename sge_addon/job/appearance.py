# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a solver needs to know of how surfaces look: which textures there are, and who estimates them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly
from ..core.joint_source import JointParts
from ..core.light_block import LightBlock
from ..core.protocols import GradientSource, ParameterBlock
from ..core.reference import Reference
from ..raster.fitted_surfaces import FittedSurfaces


class FittedTexture(Protocol):
    """Texels that are fitted. value: (H, W, C). weight: (H, W), how well the views have shown each."""

    name: str

    @property
    def value(self) -> NDArray[np.float32]: ...

    @property
    def weight(self) -> NDArray[np.float32]: ...


class Appearance(Protocol):
    """The materials of a fit. shown: by material of the assembly, what ``FittedSurfaces`` uploads.
    light: that is fitted; None where it stays as it is."""

    shown: Sequence[Any]
    light: LightBlock | None

    @property
    def textures(self) -> Sequence[FittedTexture]:
        """What is fitted."""
        ...

    @property
    def blocks(self) -> Sequence[ParameterBlock]:
        """What steps them in the loop: the textures themselves, or groups of maps; and the light."""
        ...

    def source(self, surfaces: FittedSurfaces, references: list[Reference]) -> GradientSource:
        """Where the shape stays. references: members of the list may be replaced."""
        ...

    def joint(self, surfaces: FittedSurfaces, references: list[Reference], interval: int) -> JointParts:
        """Where the shape moves. interval: steps of the shape to one of the textures, at the most."""
        ...

    def light_source(self, surfaces: FittedSurfaces, references: list[Reference]) -> GradientSource | None:
        """The source of the light's changes; None where it stays as it is."""
        ...

    def begin(self, surfaces: FittedSurfaces, references: list[Reference]) -> Generator[float]:
        """What comes before the first step where the shape stays; yields the fraction done."""
        ...

    def forget_maps(self) -> None:
        """Free the memory of what is kept by view."""
        ...

    def complete(self, evidence: dict[str, NDArray[np.float32]], assembly: Assembly) -> None:
        """Fill what no view saw and extend the islands by the margin. evidence: (H, W) by block name.
        assembly: of what is shown at the end."""
        ...
