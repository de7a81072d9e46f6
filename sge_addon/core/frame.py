# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References that still lie on disk: cameras and the files of their images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .distortion import Distortion
from .view import View

NAMED = 6  # missing images that a notice names


@dataclass(frozen=True, eq=False)
class Frame:
    """view: with the size of the image file. image, normal_image, mask: absolute paths of existing files.

    normal_image: world normals as 0.5 + 0.5 n, linear, or None. mask: an image of the same field of view,
    black where the photo does not count, or None. distortion: what the lens did to all of them, None
    for a pinhole; FitError where it folds the image.
    """

    view: View
    image: Path
    normal_image: Path | None = None
    mask: Path | None = None
    distortion: Distortion | None = None

    def __post_init__(self) -> None:
        if self.distortion is not None:
            self.distortion.check(self.view)


class Frames(list[Frame]):
    """The frames that a reader found, in the file's order.

    missing: images that are named but not on disk, as the file names them; their frames are left out.
    """

    def __init__(self, frames: Iterable[Frame], missing: Iterable[str] = ()) -> None:
        super().__init__(frames)
        self.missing = tuple(missing)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should be told: one sentence, or none."""
        if not self.missing:
            return ()
        count, total = len(self.missing), len(self.missing) + len(self)
        verb = "is" if count == 1 else "are"
        return (f"{count} of {total} images {verb} not on disk and left out: {shortened(self.missing)}.",)


def shortened(names: Iterable[str]) -> str:
    """Names in quotes for a message: the first few, and how many more there are."""
    names = list(names)
    more = len(names) - NAMED
    quoted = ", ".join(repr(name) for name in names[:NAMED])
    return f"{quoted} and {more} more" if more > 0 else quoted
