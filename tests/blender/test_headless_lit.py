# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The headless fit of lit materials: maps into files and the material, light into the scene, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.headless import main
from sge_addon.scene.files import import_mesh
from sge_addon.scene.images import load_image
from sge_addon.scene.stored_settings import registered
from tests.blender.material_nodes import add_material, node_of, principled
from tests.blender.small_world import add_sphere, read_json
from tests.meshes import waves

SHORT = (
    "--object",
    "Start",
    "--reference-object",
    "Source",
    "--views",
    "4",
    "--no-shape",
    "--shading",
    "lit",
)
SMALL = ("--match", "colour", "--resolution", "48", "--texture-size", "32", "--steps", "24", "--quiet")


@pytest.fixture(autouse=True)
def stored_settings() -> Iterator[None]:
    with registered():
        yield


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A patterned, half rough ball under two suns, and another with a plain material."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    source = add_sphere("Source", (1.0, 1.0, 1.0), colour=0.2 + 0.6 * waves(16, 16))
    principled(source.data.materials[0]).inputs["Roughness"].default_value = 0.4
    add_sphere("Start", (1.0, 1.0, 1.0)).data.materials.append(add_material("Plain"))
    for number, turn in enumerate(((0.5, 0.2, 0.0), (2.2, 0.4, 1.0))):
        light = bpy.data.lights.new(f"Sun {number}", "SUN")
        light.energy, light.angle = 2.0, 0.3
        obj = bpy.data.objects.new(light.name, light)
        obj.rotation_euler = turn
        bpy.context.collection.objects.link(obj)
    bpy.context.view_layer.update()
    path = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    return path


def fit(scene: Path, *more: str | Path) -> int:
    return main([str(scene), *SHORT, *SMALL, *(str(each) for each in more)])


def edited(scene: Path, edit) -> Path:
    bpy.ops.wm.open_mainfile(filepath=str(scene))
    edit()
    bpy.ops.wm.save_as_mainfile(filepath=str(scene), check_existing=False)
    return scene


def refused(capsys: pytest.CaptureFixture[str], scene: Path, *more: str) -> str:
    """What a fit says that is refused."""
    assert fit(scene, *more) == 2
    return capsys.readouterr().err


def test_fit_gains_and_writes_every_map_that_is_asked_for(scene: Path, tmp_path: Path) -> None:
    report, exported = tmp_path / "r.json", tmp_path / "ball.glb"
    saved = tmp_path / "saved.blend"
    maps = ("base_color", "roughness", "emission")
    flags = ("--maps", ",".join(maps), "--export", exported, "--report", report, "--save", saved)
    assert fit(scene, *flags) == 0
    figures = read_json(report)
    assert figures["psnr"]["object"]["after"] > figures["psnr"]["object"]["before"] + 6.0
    assert figures["stages"]["shade"] > 0.0
    assert {path.name for path in tmp_path.glob("Start_*")} == {f"Start_{name}.png" for name in maps}
    assert load_image(tmp_path / "Start_base_color.png")[0].std() > 0.05

    bpy.ops.wm.open_mainfile(filepath=str(saved))
    shader = principled(bpy.data.objects["Start"].data.materials[0])
    for socket in ("Base Color", "Roughness", "Emission Color"):
        assert shader.inputs[socket].is_linked, socket
    assert not shader.inputs["Metallic"].is_linked
    (reopened,) = import_mesh(exported)
    assert principled(reopened.data.materials[0]).inputs["Roughness"].is_linked


def test_constants_become_values_of_the_material(scene: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.blend"
    constants = ("--constant-maps", "roughness,base_color")
    assert fit(scene, "--maps", "base_color,roughness", *constants, "--save", saved) == 0
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    shader = principled(bpy.data.objects["Start"].data.materials[0])
    assert not any(shader.inputs[socket].is_linked for socket in ("Base Color", "Roughness"))
    assert abs(shader.inputs["Roughness"].default_value - 0.4) < 0.12
    truth = (0.2 + 0.6 * waves(16, 16)).mean(axis=(0, 1))
    np.testing.assert_allclose(shader.inputs["Base Color"].default_value[:3], truth, atol=0.1)


def test_lights_are_fitted_written_back_and_reported(scene: Path, tmp_path: Path) -> None:
    """References show suns of 2 W/m2; then one of them is dimmed, and the material is known."""

    def render_and_dim() -> None:
        bpy.data.objects["Start"].data.materials[0] = bpy.data.objects["Source"].data.materials[0]

    edited(scene, render_and_dim)
    references = tmp_path / "references"
    assert fit(scene, "--maps", "base_color", "--export-references", references, "--steps", "1") == 0
    edited(scene, lambda: setattr(bpy.data.lights["Sun 0"], "energy", 0.7))
    report, saved = tmp_path / "r.json", tmp_path / "saved.blend"
    flags = [
        "--object",
        "Start",
        "--references",
        references,
        "--no-shape",
        "--no-texture",
        *SHORT[-2:],
        *SMALL,
    ]
    flags += ["--light", "fit", "--report", report, "--save", saved]
    assert main([str(scene), *(str(flag) for flag in flags)]) == 0
    found = {light["name"]: light for light in read_json(report)["light"]["lights"]}
    np.testing.assert_allclose(found["Sun 0"]["power_before"], 0.7, rtol=1e-4)
    np.testing.assert_allclose(found["Sun 0"]["power_after"], 2.0, rtol=0.1)
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    assert abs(bpy.data.lights["Sun 0"].energy - 2.0) < 0.2


def test_unknown_light_needs_no_lights_and_becomes_a_world(scene: Path, tmp_path: Path) -> None:
    references, saved = tmp_path / "references", tmp_path / "saved.blend"
    assert fit(scene, "--steps", "1", "--export-references", references) == 0

    def darken() -> None:
        for light in list(bpy.data.lights):
            bpy.data.lights.remove(light)

    edited(scene, darken)
    flags = ("--object", "Start", "--references", references, "--no-shape", *SHORT[-2:], *SMALL)
    flags += ("--maps", "base_color", "--light", "unknown", "--save", saved)
    assert main([str(scene), *(str(flag) for flag in flags)]) == 0
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    assert bpy.context.scene.world.name.endswith(".sge")


def test_what_cannot_be_shown_is_refused_by_name(scene: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "'gloss' is not one of base_color" in refused(capsys, scene, "--maps", "gloss")
    for check in ((), ("--check",)):
        said = refused(capsys, scene, "--texture-estimator", "texel", *check)
        assert "Texture Estimator 'texel'" in said
        assert "set it to 'filtered'" in said

    def add_noise() -> None:
        material = bpy.data.materials["Plain"]
        noise = node_of(material, "ShaderNodeTexNoise")
        material.node_tree.links.new(noise.outputs[0], principled(material).inputs["Metallic"])

    edited(scene, add_noise)
    said = refused(capsys, scene, "--maps", "base_color")
    assert "'Plain'" in said
    assert "Noise" in said
    edited(scene, lambda: [bpy.data.lights.remove(light) for light in list(bpy.data.lights)])
    assert "everything would be black" in refused(capsys, scene)


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_a_map_that_cannot_be_written_is_refused_before_the_fit(
    scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], check: tuple[str, ...]
) -> None:
    folder = tmp_path / "out"
    (folder / "Start_roughness.png").mkdir(parents=True)
    flags = ("--export", str(folder / "ball.glb"), *check)
    said = refused(capsys, scene, "--maps", "base_color,roughness", *flags)
    assert "Start_roughness.png" in said
    assert [path.name for path in folder.iterdir()] == ["Start_roughness.png"]
    assert fit(scene, "--maps", "base_color", "--steps", "1", *flags) == 0


def test_height_and_shape_are_refused_together(scene: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, scene, "--shape", "--maps", "base_color,height")
    assert "Height" in said
    assert "Shape" in said
