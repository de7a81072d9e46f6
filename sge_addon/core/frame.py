# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reference that still lies on disk: a camera and the files of its images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .view import View


@dataclass(frozen=True, eq=False)
class Frame:
    """view: with the size of the image file. image, normal_image: absolute paths of existing files.

    normal_image: world normals as 0.5 + 0.5 n, linear, or None.
    """

    view: View
    image: Path
    normal_image: Path | None = None
