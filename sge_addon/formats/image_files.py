# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image files that other tools' files name: where they lie, their size, the names of their views."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..core.errors import FitError
from ..core.frame import Frame
from .fields import found
from .image_size import read_image_size

EXTENSIONS = (".png", ".jpg", ".jpeg", ".exr")  # tried where a file's name has none
NETWORK = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]+:/|//)")  # a URL or a share, slashes forward; not C:/


def find_image(text: str, folder: Path) -> Path | None:
    """The file that ``text`` names, relative to the folder or absolute; None where none is on disk.

    Windows' separators are understood. Raises FitError for a URL and for a network share, which are
    never opened.
    """
    plain = text.replace("\\", "/")
    if NETWORK.match(plain):
        raise FitError(f"found {found(text)}; only local files are read: copy the image beside the file.")
    path = f"{folder / plain}"
    # Appended, not substituted: the name may hold a dot of its own. Unlike Path.is_file, os.path.isfile
    # says no to names that cannot be.
    for candidate in (path, *(path + extension for extension in EXTENSIONS)):
        if os.path.isfile(candidate):
            return Path(candidate)
    return None


def size_on_disk(image: Path, stated: tuple[int, int] | None) -> tuple[int, int]:
    """(width, height) of an image file. Raises FitError where it is not a scaled copy of what is stated."""
    actual = read_image_size(image)
    if stated is not None:
        # A smaller copy of the image has the same aspect to within a pixel of rounding.
        ratio = max(stated) / max(actual)
        if max(abs(a * ratio - s) for a, s in zip(actual, stated, strict=True)) > max(1.0, ratio):
            raise FitError(
                f"the camera has {stated[0]} x {stated[1]} pixels, the image {actual[0]} x {actual[1]}: "
                "another aspect. Use the images that belong to these cameras."
            )
    return actual


def with_distinct_names(frames: Sequence[Frame]) -> list[Frame]:
    """Names as they are, but printable; where two are equal, after the image's folder; then a number."""
    names = [_printable(frame.view.name) for frame in frames]
    repeated = {name for name, count in Counter(names).items() if count > 1}
    names = [
        f"{_printable(frame.image.parent.name)}/{name}" if name in repeated else name
        for name, frame in zip(names, frames, strict=True)
    ]
    taken: set[str] = set()
    for index, name in enumerate(names):
        number = 1
        while names[index] in taken:
            number += 1
            names[index] = f"{name}.{number}"
        taken.add(names[index])
    return [replace(f, view=replace(f.view, name=n)) for f, n in zip(frames, names, strict=True)]


def _printable(name: str) -> str:
    """Without line breaks, halves of surrogate pairs and the like, which Blender does not take."""
    return "".join(character if character.isprintable() else "_" for character in name) or "_"
