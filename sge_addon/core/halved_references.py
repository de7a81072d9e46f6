# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References at half the resolution, made when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from .reference import Reference


class HalvedReferences(Sequence[Reference]):
    """Each of ``references`` with half as many pixels on each side; its members may be replaced."""

    def __init__(self, references: Sequence[Reference]) -> None:
        self._references = references
        self._made: dict[int, tuple[Reference, Reference]] = {}

    def __len__(self) -> int:
        return len(self._references)

    def __getitem__(self, index: int) -> Reference:  # type: ignore[override]
        whole = self._references[index]
        made_of, made = self._made.get(index, (None, None))
        if made is None or made_of is not whole:
            made = whole.resized((max(whole.view.width, whole.view.height) + 1) // 2)
            self._made[index] = whole, made
        return made
