# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry for every kind of references on disk."""

from __future__ import annotations

import os
from pathlib import Path

from ..core.errors import FitError
from ..core.frame import Frames
from . import colmap, transforms_json

TRANSFORMS = ("transforms.json", "transforms_train.json")


def read_references(path: str | os.PathLike[str]) -> Frames:
    """Frames of a transforms.json, of the folder of one, or of a COLMAP model, project or file.

    A folder's transforms.json comes before its COLMAP model. Raises FitError naming what was looked for.
    """
    given = Path(os.path.expanduser(path)).absolute()
    if not os.path.exists(given):  # unlike Path.exists, also where this cannot be a name
        raise FitError(f"References '{given}': there is no such file or folder.")
    if given.suffix.lower() == ".json":
        return transforms_json.read(given)
    for name in TRANSFORMS:
        if os.path.isfile(given / name):
            return transforms_json.read(given / name)
    if colmap.is_model(given):
        return colmap.read(given)
    raise FitError(
        f"References '{given}': there is neither a transforms.json file (.json) nor a COLMAP model (a folder "
        "with cameras and images, .bin or .txt)."
    )
