# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flags: one for every setting, and nothing counts as given that was not."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from sge_addon.command_line import build_parser, given_settings, parse
from sge_addon.core.settings import FitSettings


def given(*flags: str) -> dict:
    return given_settings(parse(flags))


def test_nothing_is_given_where_no_flag_is() -> None:
    """Otherwise defaults would override what the file stores."""
    assert given() == {}
    assert given("scene.blend", "--object", "A", "--quiet") == {}


@pytest.mark.parametrize("item", fields(FitSettings), ids=lambda item: item.name)
def test_every_setting_has_a_flag_that_gives_its_default(item) -> None:
    flag = "--" + item.name.replace("_", "-")
    if isinstance(item.default, bool):
        words = [flag if item.default else flag.replace("--", "--no-")]
    else:
        shown = ",".join(map(str, item.default)) if isinstance(item.default, tuple) else str(item.default)
        words = [flag, shown]
    assert given(*words) == {item.name: item.default}


def test_values_have_the_types_of_the_settings() -> None:
    values = given("--seconds", "2", "--steps", "7", "--match", "alpha, normal", "--no-texture")
    assert values == {"seconds": 2.0, "steps": 7, "match": ("alpha", "normal"), "texture": False}
    assert FitSettings(**values).seconds == 2.0


def test_the_last_of_contrary_flags_counts() -> None:
    assert given("--shape", "--no-shape") == {"shape": False}


def test_parameters_add_up_and_keep_their_commas_and_quotes() -> None:
    first, second, third = 'A:modifiers["a, b"].strength', "B:location", 'C:modifiers["x;y"].width'
    flags = ("--parameters", f"{first}; {second}", "--parameters", third.replace(";", "\\;"))
    assert given(*flags) == {"parameters": (first, second, third)}


def test_an_empty_text_takes_stored_parameters_away() -> None:
    assert given("--parameters", "") == {"parameters": ()}


def test_objects_add_up() -> None:
    assert parse(["--object", "A", "--object", "B"]).object == ["A", "B"]


@pytest.mark.parametrize(("word", "axis"), [("-Y", "-Y"), ("y", "Y"), ("NEGATIVE_Z", "-Z")])
def test_axes_are_written_as_one_likes(word: str, axis: str) -> None:
    assert parse([f"--up-axis={word}"]).up_axis == axis


@pytest.mark.parametrize("value", ["-3", "0", "4", "views.json"])
def test_hold_out_takes_numbers_and_names(value: str) -> None:
    assert parse(["--hold-out", value]).hold_out == value


def test_help_shows_every_setting_with_its_description_and_default() -> None:
    text = re.sub(r"\s+", " ", build_parser().format_help())
    for item in fields(FitSettings):
        assert "--" + item.name.replace("_", "-") in text
        # argparse may break a line after a hyphen
        assert item.metadata["description"].replace(" ", "")[:40] in text.replace(" ", "")
    assert "(default: 1000)" in text
    assert "(default: on)" in text
    assert "exit code: 0 done, 1 failed, 2 bad input" in text


def test_bad_flags_end_with_code_2_and_one_line(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--loss", "huber"])
    assert ended.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert "--loss" in output.err
    assert "l1" in output.err
