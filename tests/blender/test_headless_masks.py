# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks, backgrounds and losses from the command line."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from sge_addon.scene.stored_settings import registered
from tests.blender.small_world import VIEWS, SmallWorld, read_json


@pytest.mark.parametrize("loss", ["l2", "log_l1"])
@pytest.mark.parametrize("estimator", ["filtered", "texel"])
@pytest.mark.parametrize("background", ["transparent", "random", "colour"])
def test_every_loss_and_background_fits(
    world: SmallWorld, loss: str, estimator: str, background: str, tmp_path: Path
) -> None:
    flags = ("--loss", loss, "--texture-estimator", estimator, "--background", background)
    flags += ("--background-colour", "0.2,0.4,0.1", "--steps", "40", "--report", str(tmp_path / "a.json"))
    assert world.from_files(*flags) == 0
    report = read_json(tmp_path / "a.json")
    assert report["settings"]["background_colour"] == [0.2, 0.4, 0.1]
    figures = report["psnr"]["object"]
    assert figures["after"] > figures["before"] + 2.0


@pytest.mark.parametrize("mode", ["silhouette", "ignore", "none"])
def test_the_mode_of_all_references_is_kept_in_the_saved_file(
    world: SmallWorld, mode: str, tmp_path: Path
) -> None:
    with registered():
        assert world.from_scene("--mask", mode, "--save", tmp_path / "a.blend") == 0
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
        modes = [row.mask_mode for row in bpy.context.scene.sge.references]
    assert modes == [mode] * VIEWS


def test_a_mode_changes_what_is_measured(world: SmallWorld, tmp_path: Path) -> None:
    """With alpha ignored, everything beside the object is black paint that does not fit."""
    figures = {}
    for mode in ("auto", "silhouette", "ignore"):
        report = tmp_path / f"{mode}.json"
        assert world.from_files("--mask", mode, "--report", report) == 0
        figures[mode] = read_json(report)["psnr"]["image"]["before"]
    assert figures["auto"] == figures["silhouette"]
    assert figures["ignore"] != figures["silhouette"]


@pytest.mark.parametrize("given", ["0.5,0.5", "0.5,0.5,-1", "0.5,0.5,nan"])
def test_colours_that_are_none_are_refused(
    world: SmallWorld, given: str, capsys: pytest.CaptureFixture
) -> None:
    assert world.from_files(f"--background-colour={given}") == 2
    assert "background-colour" in capsys.readouterr().err
