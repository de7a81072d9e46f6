# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets, which panel and command line share, and preferences, with which new scenes begin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import bpy
import pytest
from bl_operators.presets import AddPresetBase

import sge_addon
from sge_addon.core.errors import FitError
from sge_addon.core.settings import FitSettings
from sge_addon.formats.preset_files import BUNDLED, SUBFOLDER, find_preset, read_preset
from sge_addon.scene.stored_settings import settings_from_scene, stored_values
from sge_addon.ui import panels, preferences
from sge_addon.ui.placement import NOT_PORTABLE, portable_fields
from tests.blender.recorded_layout import drawn

NAMES = ["Draft", "Fine", "LOD", "Standard", "Texture Only"]


@pytest.fixture(autouse=True)
def registered(empty_file: None) -> Iterator[None]:
    sge_addon.register()
    yield
    sge_addon.unregister()


@pytest.fixture
def installed() -> Iterator[preferences.SGE_AP_preferences]:
    """The preferences, as of an enabled add-on."""
    addon = bpy.context.preferences.addons.new()
    addon.module = preferences.PACKAGE
    yield addon.preferences
    bpy.context.preferences.addons.remove(addon)


@pytest.fixture
def own_presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Blender's folder of the user's presets, put elsewhere."""
    folder = tmp_path / "presets" / SUBFOLDER
    folder.mkdir(parents=True)
    monkeypatch.setattr(bpy.utils, "user_resource", lambda *_a, **_k: str(folder))
    bpy.utils.register_preset_path(str(tmp_path))
    yield folder
    bpy.utils.unregister_preset_path(str(tmp_path))


def execute(path: Path) -> None:
    bpy.ops.script.execute_preset(filepath=str(path), menu_idname="SGE_PT_presets")


def test_blender_finds_the_presets_that_come_with_the_extension():
    found = {path.stem.replace("_", " ") for path in BUNDLED.glob("*.py")}
    assert sorted(found) == NAMES
    assert str(BUNDLED) in bpy.utils.preset_paths(SUBFOLDER)
    sge_addon.unregister()
    assert str(BUNDLED) not in bpy.utils.preset_paths(SUBFOLDER)
    sge_addon.register()


@pytest.mark.parametrize("name", NAMES)
def test_command_line_reads_from_a_preset_what_the_menu_sets(name: str):
    path = find_preset(name, [BUNDLED])
    values = read_preset(path)
    assert values
    assert set(values) <= set(portable_fields())
    scene = bpy.context.scene
    scene.sge.seed, scene.sge.steps = 5, 3
    before = stored_values(scene)
    execute(path)
    assert stored_values(scene) == {**before, **values}
    FitSettings(**stored_values(scene))


def test_standard_is_what_the_settings_default_to():
    defaults = FitSettings()
    values = read_preset(find_preset("standard", [BUNDLED]))
    assert values == {name: getattr(defaults, name) for name in values}


def test_names_are_found_as_people_write_them():
    for name in ("texture-only", "Texture_Only", " TEXTURE ONLY"):
        assert find_preset(name, [BUNDLED]).stem == "Texture_Only"
    with pytest.raises(FitError, match=r"no preset 'Best' \(there are: Draft, Fine, LOD"):
        find_preset("Best", [BUNDLED])


def test_a_preset_of_ones_own_is_written_read_and_removed(own_presets: Path):
    scene = bpy.context.scene
    scene.sge.steps, scene.sge.match, scene.sge.vertex_group = 77, {"alpha", "normal"}, "Nose"
    scene.sge.texture = False
    assert bpy.ops.sge.preset_add(name="My Own") == {"FINISHED"}
    path = own_presets / (AddPresetBase.as_filename("My Own") + ".py")
    values = read_preset(path)
    assert set(values) == set(portable_fields())
    assert (values["steps"], values["match"]) == (77, ("alpha", "normal"))
    expected = settings_from_scene(scene)
    bpy.ops.sge.reset_settings()
    scene.sge.vertex_group = "Nose"
    execute(path)
    assert settings_from_scene(scene) == expected
    bpy.types.SGE_PT_presets.bl_label = "My Own"
    bpy.ops.sge.preset_add(remove_active=True)
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sge.speed = 3", "'speed', which is no setting"),
        ("sge.steps = 'many'", "steps to 'many'"),
        ("sge.steps = open('x')", "not to a value"),
        ("sge.steps = (", "cannot be read"),
    ],
)
def test_presets_that_are_broken_are_named(tmp_path: Path, text: str, message: str):
    path = tmp_path / "Bad.py"
    path.write_text(text)
    with pytest.raises(FitError, match=r"Bad\.py") as refused:
        read_preset(path)
    assert message in str(refused.value)


def test_presets_are_read_without_running_them(tmp_path: Path):
    path = tmp_path / "Sly.py"
    path.write_text("raise SystemExit\nbpy.context.scene.sge.steps = 3\n")
    assert read_preset(path) == {"steps": 3}


def test_settings_are_portable_or_belong_to_the_file():
    names = {item.name for item in fields(FitSettings)}
    assert set(portable_fields()) | set(NOT_PORTABLE) >= names
    assert set(NOT_PORTABLE) <= names


def test_new_files_and_scenes_begin_with_the_preferences(installed, tmp_path: Path):
    old = str(tmp_path / "old.blend")
    bpy.ops.wm.save_as_mainfile(filepath=old)
    installed.steps, installed.match = 123, {"colour"}
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert (bpy.context.scene.sge.steps, bpy.context.scene.sge.match) == (123, {"colour"})
    bpy.ops.wm.open_mainfile(filepath=old)
    assert settings_from_scene(bpy.context.scene) == FitSettings()  # a file on disk says what it said
    drawn(panels.SGE_PT_main)
    assert not bpy.app.timers.is_registered(preferences._begin_shown_scenes)
    added = bpy.data.scenes.new("Added")
    bpy.context.window.scene = added
    drawn(panels.SGE_PT_main)
    assert bpy.app.timers.is_registered(preferences._begin_shown_scenes)
    preferences._begin_shown_scenes()
    assert added.sge.steps == 123
    added.sge.steps = 5
    preferences._begin_shown_scenes()
    assert added.sge.steps == 5


def test_preferences_are_taken_from_a_scene_and_reset(installed):
    scene = bpy.context.scene.sge
    scene.steps, scene.shading, scene.texture = 42, "sun", False
    bpy.ops.sge.take_defaults()
    scene.steps = 1
    bpy.ops.sge.reset_settings()
    assert (scene.steps, scene.shading, scene.texture) == (42, "sun", False)
    bpy.ops.sge.reset_defaults()
    bpy.ops.sge.reset_settings()
    assert settings_from_scene(bpy.context.scene) == FitSettings()


def test_without_preferences_factory_settings_count():
    assert preferences.preferences() is None
    assert preferences.live_share() == preferences.LIVE_SHARE
    bpy.context.scene.sge.steps = 3
    bpy.ops.sge.reset_settings()
    assert settings_from_scene(bpy.context.scene) == FitSettings()


def test_preferences_show_every_portable_setting_and_the_installation(installed, gpu_ready: None):
    layout = drawn(type("Double", (), {**vars(preferences.SGE_AP_preferences)}), method="draw")
    assert {name for _, name in layout.properties} == {*portable_fields(), "live_share"}
    text = " ".join(layout.texts)
    assert "Solver: cholespy" in text
    assert "GPU: " in text


def test_a_missing_solver_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch, gpu_ready: None):
    monkeypatch.setattr(preferences, "SOLVER", "no_such_package")
    (text, is_good), _ = preferences.installation()
    assert not is_good
    assert "Reinstall the extension" in text


def test_live_share_is_taken_from_the_preferences(installed):
    installed.live_share = 0.03
    assert preferences.live_share() == pytest.approx(0.03)


def test_presets_may_hold_texts_as_the_file_stores_them(tmp_path: Path):
    path = tmp_path / "Texts.py"
    path.write_text("bpy.context.scene.sge.parameters = 'A:location; B:modifiers[\"a\"].width'\n")
    assert read_preset(path) == {"parameters": ("A:location", 'B:modifiers["a"].width')}
