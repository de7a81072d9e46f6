# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that results go into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..core.errors import FitError


@contextmanager
def folders_made(wanted: Iterable[Path]) -> Iterator[None]:
    """Within it, these folders are there; those that were made for it and are still empty go at its end.
    Raises FitError where one cannot be made."""
    made: list[Path] = []
    try:
        for folder in wanted:
            made += [each for each in (*reversed(folder.parents), folder) if not each.exists()]
            make_folder(folder)
        yield
    finally:
        for folder in reversed(made):
            with suppress(OSError):  # something is in it
                folder.rmdir()


def make_folder(folder: Path) -> None:
    """Make a folder and those that it lies in, where they are missing. Raises FitError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FitError(f"Folder '{folder}' cannot be made: {error.strerror}.") from error
