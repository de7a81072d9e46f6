# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings: what they allow, and that every field says what generated interfaces need."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields

import pytest

from sge_addon.core.errors import FitError
from sge_addon.core.setting_fields import LARGEST_INTEGER
from sge_addon.core.settings import FitSettings


def test_defaults_are_those_that_people_know() -> None:
    settings = FitSettings()
    assert (settings.steps, settings.seed, settings.resolution, settings.margin) == (1000, 0, 512, 16)
    assert settings.shape
    assert settings.texture


@pytest.mark.parametrize("item", fields(FitSettings), ids=lambda item: item.name)
def test_every_field_describes_itself(item) -> None:
    assert item.metadata["label"]
    assert item.metadata["description"]
    assert not item.metadata["description"].endswith(".")
    chosen = item.default if isinstance(item.default, tuple) else (item.default,)
    assert not item.metadata["choices"] or set(chosen) <= set(item.metadata["choices"])


@pytest.mark.parametrize("item", fields(FitSettings), ids=lambda item: item.name)
def test_limits_belong_to_the_range_and_what_is_beyond_does_not(item) -> None:
    for limit, beyond in (("minimum", -1), ("maximum", 1)):
        value = item.metadata[limit]
        if value is None:
            continue
        if isinstance(item.default, tuple):
            inside, outside = (value,) * 3, (value, value + beyond, value)
        else:
            inside = type(item.default)(value)
            outside = inside + beyond
        assert getattr(FitSettings(**{item.name: inside}), item.name) == inside
        with pytest.raises(FitError, match=item.name.replace("_", "-")):
            FitSettings(**{item.name: outside})


def test_integers_fit_into_a_blender_property() -> None:
    """They are 32-bit there; a larger one could not be stored in the file."""
    integers = [item for item in fields(FitSettings) if type(item.default) is int]
    assert integers
    assert all(item.metadata["maximum"] <= LARGEST_INTEGER for item in integers)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(FitError, match="seconds"):
        FitSettings(seconds=value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shape": False, "texture": False}, "Nothing to fit"),
        ({"match": ()}, "Nothing to match"),
        ({"shading": "lit", "maps": ()}, "no map to fit"),
        ({"shading": "lit", "texture_estimator": "texel"}, "set it to 'filtered'"),
        ({"shading": "lit", "stages": 2, "remesh": "voxel"}, "new UV map"),
        (
            {"shading": "lit", "texture": False, "light": "fit", "match": ("alpha",)},
            "Light 'fit' needs colour",
        ),
        ({"maps": ("colour",)}, "'colour' is not one of base_color"),
        ({"shading": "normal"}, "does not show the texture"),
        ({"match": ("alpha",)}, "needs colour"),
        ({"parameters": ("A:location", "A:location")}, "'A:location' is given twice"),
        ({"loss": "l3"}, "'l3' is not one of l1, l2"),
        ({"match": ("colour", "depth")}, "'depth' is not one of"),
        ({"background_colour": (0.5, 0.5)}, "background-colour has 2 values; it must have 3"),
        ({"background_colour": (0.5, 0.5, math.nan)}, "background-colour: nan is not a finite number"),
    ],
)
def test_contradictions_are_named(values: dict, message: str) -> None:
    with pytest.raises(FitError, match=message):
        FitSettings(**values)


def test_what_contradicts_the_texture_is_fine_without_it() -> None:
    assert FitSettings(texture=False, shading="normal").shading == "normal"
    assert FitSettings(texture=False, match=("alpha",)).match == ("alpha",)
    without = FitSettings(texture=False, shading="lit", texture_estimator="texel")
    assert without.texture_estimator == "texel"


def test_parameters_alone_are_something_to_fit() -> None:
    assert FitSettings(shape=False, texture=False, parameters=("A:location",)).parameters == ("A:location",)


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        FitSettings().steps = 2
