# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A JSON object whose values are checked as they are taken, with errors that say where they stand."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError
from .image_size import LARGEST_SIDE

LARGEST = 1e12  # beyond this a length or a focal length is a mistake, and float32 is of no use


def load_object(
    path: Path, expected: str = "an object with a list 'frames'", *, unique: bool = False
) -> Fields:
    """The JSON object in a file. Raises FitError where there is none, with what was expected; if unique, also
    where an object in it names a field twice."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FitError(f"File '{path}' cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise FitError(f"File '{path}' is not UTF-8 text: is it a JSON file?") from error
    try:
        values = json.loads(text, object_pairs_hook=_without_repeats if unique else None)
    except (ValueError, RecursionError) as error:
        raise FitError(f"File '{path}' is not valid JSON: {error}.") from error
    if not isinstance(values, dict):
        raise FitError(f"File '{path}' holds {found(values)}; expected {expected}.")
    return Fields(values, path.name)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(f"field '{name}' stands twice in one object")
        values[name] = value
    return values


def found(value: Any, longest: int = 60) -> str:
    """A value as an error message shows it: short, with unprintable characters escaped."""
    text = repr(value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


@dataclass(frozen=True)
class Fields:
    """The values of one JSON object. where: what error messages begin with.

    A field that is null counts as absent.
    """

    values: dict[str, Any]
    where: str

    def error(self, name: str, problem: str) -> FitError:
        """A FitError that names the place and the field."""
        return FitError(f"{self.where}, field '{name}': {problem}")

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def number(self, name: str, *, positive: bool = False) -> float | None:
        """A finite number, or None where the field is absent."""
        value = self.values.get(name)
        if value is None:
            return None
        number = _finite(value)
        if number is None:
            raise self.error(name, f"found {found(value)}; expected a finite number.")
        if positive and number <= 0.0:
            raise self.error(name, f"found {found(value)}; it must be greater than 0.")
        return number

    def side(self, name: str) -> int | None:
        """A number of pixels, or None where the field is absent."""
        number = self.number(name)
        if number is None:
            return None
        if number != int(number) or not 1 <= number <= LARGEST_SIDE:
            raise self.error(
                name, f"found {found(self.values[name])}; expected whole pixels from 1 to {LARGEST_SIDE}."
            )
        return int(number)

    def text(self, name: str) -> str | None:
        """A text that is not empty, or None where the field is absent."""
        value = self.values.get(name)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise self.error(name, f"found {found(value)}; expected a text.")
        return value

    def matrix(self, name: str) -> NDArray[np.float64]:
        """A (4, 4) matrix of finite numbers."""
        rows = self.values.get(name)
        if rows is None:
            raise self.error(name, "it is missing; expected a 4 x 4 camera-to-world matrix.")
        if (
            not isinstance(rows, list)
            or len(rows) != 4
            or any(not isinstance(r, list) or len(r) != 4 for r in rows)
        ):
            raise self.error(name, f"found {found(rows)}; expected 4 rows of 4 numbers.")
        numbers = [_finite(value) for row in rows for value in row]
        for index, number in enumerate(numbers):
            if number is None:
                value = rows[index // 4][index % 4]
                raise self.error(
                    name,
                    f"row {index // 4 + 1}, column {index % 4 + 1} is {found(value)}; "
                    "expected a finite number.",
                )
        return np.array(numbers, dtype=np.float64).reshape(4, 4)

    def frames(self, name: str) -> list[Fields]:
        """The objects of a list that is not empty."""
        items = self.values.get(name)
        if not isinstance(items, list):
            raise self.error(name, f"found {found(items)}; expected a list of camera frames.")
        if not items:
            raise self.error(name, "the list is empty: there are no cameras to read.")
        result = []
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                raise self.error(name, f"frame {index} is {found(item)}; expected an object.")
            result.append(Fields(item, f"{self.where}, frame {index}"))
        return result


def _finite(value: Any) -> float | None:
    """The value as a float; None where it is no number or beyond reason."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not -LARGEST < value < LARGEST or not math.isfinite(value):
        return None
    return float(value)
