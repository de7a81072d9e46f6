# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several free texts of one setting, as one line: with semicolons between them, ``\\;`` for one inside."""

from __future__ import annotations

import re
from collections.abc import Iterable

SEPARATOR = ";"


def split_texts(line: str) -> tuple[str, ...]:
    """The texts of a line, without blanks around them and without empty ones."""
    parts = (part.strip().replace("\\;", SEPARATOR) for part in re.split(r"(?<!\\);", line))
    return tuple(part for part in parts if part)


def joined_texts(texts: Iterable[str]) -> str:
    """The line that ``split_texts`` takes apart again."""
    return "; ".join(text.replace(SEPARATOR, "\\;") for text in texts)
