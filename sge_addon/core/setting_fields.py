# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one setting is: a dataclass field with its label, help text, choices and range."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any

from .errors import FitError

LARGEST_INTEGER = 2**31 - 1  # that a Blender property holds
_NO_NOTES: Mapping[str, str] = MappingProxyType({})


def setting(
    default: Any,
    label: str,
    description: str,
    *,
    choices: tuple[str, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    advanced: bool = False,
    notes: Mapping[str, str] = _NO_NOTES,
    texts: bool = False,
) -> Any:
    """A dataclass field with what the command line and the panel need to show it. notes: by choice.
    texts: a tuple of any texts."""
    return field(
        default=default,
        metadata={
            "label": label,
            "description": description,
            "choices": choices,
            "minimum": minimum,
            "maximum": maximum,
            "advanced": advanced,
            "notes": notes,
            "texts": texts,
        },
    )


def range_problems(name: str, value: Any, metadata: Any) -> Iterator[FitError]:
    """What is wrong with the value of one field, by its metadata."""
    flag = name.replace("_", "-")
    if metadata["choices"]:
        for item in value if isinstance(value, tuple) else (value,):
            if item not in metadata["choices"]:
                yield FitError(f"{flag}: '{item}' is not one of {', '.join(metadata['choices'])}.")
    elif metadata["texts"]:
        for text in sorted({text for text in value if value.count(text) > 1}):
            yield FitError(f"{flag}: '{text}' is given twice.")
    elif isinstance(value, tuple):
        if len(value) != 3:
            yield FitError(f"{flag} has {len(value)} values; it must have 3: red, green and blue.")
        for number in value:
            yield from range_problems(name, number, metadata)
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = metadata["minimum"], metadata["maximum"]
        if not math.isfinite(value):
            yield FitError(f"{flag}: {value} is not a finite number.")
        elif low is not None and value < low:
            yield FitError(f"{flag} is {value}; it must be at least {low}.")
        elif high is not None and value > high:
            yield FitError(f"{flag} is {value}; it must be at most {high}.")
