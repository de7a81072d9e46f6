# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The headless fit: what each flag does, what is written, what the report holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.formats import transforms_json
from sge_addon.scene.files import import_mesh
from sge_addon.scene.stored_settings import registered
from tests.blender.small_world import (
    AXES,
    VIEWS,
    SmallWorld,
    add_sphere,
    pixels_of,
    positions_of,
    read_json,
    run,
)
from tests.meshes import icosphere

REPORT_FIELDS = {
    "version": str,
    "settings": dict,
    "estimators": list,
    "blender": str,
    "gpu": str,
    "steps": int,
    "seconds": dict,
    "stages": dict,
    "psnr": dict,
    "views": list,
    "loss": list,
    "peak_memory_mb": (float, type(None)),
}
START = (icosphere(2)[0] * (0.9, 0.9, 0.9)).astype(np.float32)
PSNR = {"before", "after", "held_out_before", "held_out_after"}


@pytest.fixture(autouse=True)
def stored_settings() -> Iterator[None]:
    """Scene.sge outlives the fit, so that a test can look at it."""
    with registered():
        yield


def fitted_report(code: int, path: Path) -> dict:
    assert code == 0
    return read_json(path)


def edited_scene(world: SmallWorld, path: Path, edit) -> Path:
    """A copy of the world's scene, changed by a function."""
    bpy.ops.wm.open_mainfile(filepath=str(world.scene))
    edit()
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    return path


# --- The report


def test_report_has_the_fields_that_are_promised(world: SmallWorld, tmp_path: Path) -> None:
    report = fitted_report(
        world.from_files("--hold-out", "2", "--report", tmp_path / "r.json"), tmp_path / "r.json"
    )
    assert set(report) == set(REPORT_FIELDS)
    for name, kind in REPORT_FIELDS.items():
        assert isinstance(report[name], kind), name
    assert set(report["seconds"]) == {"total", "setup", "per_step_median"}
    assert set(report["stages"]) == {"raster", "read", "estimate", "optimise", "upload", "write_back"}
    assert set(report["psnr"]) == {"object", "image"}
    assert all(set(figures) == PSNR for figures in report["psnr"].values())
    assert all(set(view) == {"name", "held_out", "psnr_before", "psnr_after"} for view in report["views"])
    assert report["steps"] == 6
    assert [step for step, _ in report["loss"]] == [1, 2, 3, 4, 5, 6]
    assert report["blender"] == bpy.app.version_string
    assert report["settings"]["texture_size"] == 16
    assert report["settings"]["match"] == ["colour", "alpha"]


def test_psnr_of_the_report_is_that_of_its_views(world: SmallWorld, tmp_path: Path) -> None:
    """The mean is taken over errors, not over decibels."""
    report = fitted_report(
        world.from_files("--hold-out", "2", "--report", tmp_path / "r.json"), tmp_path / "r.json"
    )
    for held_out, name in ((False, "after"), (True, "held_out_after")):
        views = [10 ** (-v["psnr_after"] / 10) for v in report["views"] if v["held_out"] == held_out]
        assert report["psnr"]["object"][name] == pytest.approx(-10 * np.log10(np.mean(views)), abs=1e-9)


def test_a_longer_fit_comes_closer(world: SmallWorld, tmp_path: Path) -> None:
    report = fitted_report(
        world.from_files("--steps", "150", "--report", tmp_path / "r.json"), tmp_path / "r.json"
    )
    figures = report["psnr"]["object"]
    assert figures["after"] > figures["before"] + 6.0
    assert report["loss"][-1][1] < 0.5 * report["loss"][0][1]


# --- Held-out views


def test_without_hold_out_nothing_is_held_out(world: SmallWorld, tmp_path: Path) -> None:
    report = fitted_report(world.from_files("--report", tmp_path / "r.json"), tmp_path / "r.json")
    assert not any(view["held_out"] for view in report["views"])
    assert report["psnr"]["image"]["held_out_before"] is None
    assert report["psnr"]["object"]["held_out_after"] is None


def test_every_kth_view_in_file_order_is_held_out(world: SmallWorld, tmp_path: Path) -> None:
    report = fitted_report(
        world.from_files("--hold-out", "3", "--report", tmp_path / "r.json"), tmp_path / "r.json"
    )
    assert [view["held_out"] for view in report["views"]] == [i % 3 == 0 for i in range(VIEWS)]


def test_views_of_another_file_are_held_out(world: SmallWorld, tmp_path: Path) -> None:
    """They do not change the fit, only the report."""
    plain = fitted_report(
        world.from_files("--report", tmp_path / "a.json", "--save", tmp_path / "a.blend"), tmp_path / "a.json"
    )
    report = fitted_report(
        world.from_files("--hold-out", world.references, "--report", tmp_path / "b.json"), tmp_path / "b.json"
    )
    assert [view["held_out"] for view in report["views"]] == [False] * VIEWS + [True] * VIEWS
    assert report["loss"] == plain["loss"]
    assert report["psnr"]["object"]["held_out_after"] == plain["psnr"]["object"]["after"]


# --- Determinism


def test_same_seed_gives_the_same_bits(world: SmallWorld) -> None:
    results = []
    for seed in (3, 3, 4):
        assert world.from_scene("--seed", str(seed), "--steps", "24") == 0
        results.append((positions_of("Start"), pixels_of("Start.sge")))
    assert results[0][0].tobytes() == results[1][0].tobytes()
    assert results[0][1].tobytes() == results[1][1].tobytes()
    assert not np.array_equal(results[0][0], results[2][0])
    assert not np.array_equal(results[0][1], results[2][1])


@pytest.mark.parametrize("seed", ["0", "2147483647"])
def test_every_seed_works(world: SmallWorld, seed: str) -> None:
    assert world.from_files("--seed", seed, "--steps", "1") == 0


def test_seconds_end_a_fit(world: SmallWorld, tmp_path: Path) -> None:
    report = fitted_report(
        world.from_files("--steps", "1000000", "--seconds", "0.3", "--report", tmp_path / "r.json"),
        tmp_path / "r.json",
    )
    assert 0 < report["steps"] < 1000000


# --- Shape and texture


def test_shape_alone_leaves_the_material(world: SmallWorld) -> None:
    assert world.from_scene("--no-texture") == 0
    assert not bpy.data.objects["Start"].data.materials
    assert not np.array_equal(positions_of("Start"), START)


def test_texture_alone_leaves_every_vertex(world: SmallWorld) -> None:
    assert world.from_scene("--no-shape") == 0
    assert np.array_equal(positions_of("Start"), START)
    assert tuple(bpy.data.images["Start.sge"].size) == (16, 16)
    assert np.ptp(pixels_of("Start.sge").reshape(-1, 4)[:, 0]) > 0.1


def test_vertex_group_limits_the_shape(world: SmallWorld, tmp_path: Path) -> None:
    def add_group() -> None:
        obj = bpy.data.objects["Start"]
        upper = [vertex.index for vertex in obj.data.vertices if vertex.co.z > 0.0]
        obj.vertex_groups.new(name="Upper").add(upper, 1.0, "REPLACE")

    scene = edited_scene(world, tmp_path / "group.blend", add_group)
    before = positions_of("Start")
    assert run(scene, "--vertex-group", "Upper") == 0
    moved = (positions_of("Start") != before).any(axis=1)
    assert moved.any()
    assert not moved[before[:, 2] <= 0.0].any()


def test_full_support_and_squared_loss_and_normals(world: SmallWorld, tmp_path: Path) -> None:
    report = fitted_report(
        world.from_files(
            *("--support", "full", "--loss", "l2", "--match", "colour,alpha,normal"),
            *("--report", tmp_path / "r.json"),
        ),
        tmp_path / "r.json",
    )
    assert report["settings"]["support"] == "full"
    assert report["settings"]["loss"] == "l2"
    assert report["settings"]["match"] == ["colour", "alpha", "normal"]


@pytest.mark.parametrize("estimator", ["paper", "sge", "edge"])
def test_every_estimator_lowers_the_loss(estimator: str, world: SmallWorld, tmp_path: Path) -> None:
    flags = ("--no-texture", "--match", "alpha", "--steps", "100", "--resolution", "48")
    code = world.from_files(*flags, "--estimator", estimator, "--report", tmp_path / "r.json")
    report = fitted_report(code, tmp_path / "r.json")
    assert report["estimators"] == [estimator]
    losses = [loss for _, loss in report["loss"]]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


def test_the_shapes_estimator_says_nothing_of_textures(world: SmallWorld, tmp_path: Path) -> None:
    results = []
    for estimator in ("paper", "sge"):
        code = world.from_scene("--no-shape", "--estimator", estimator, "--report", tmp_path / "r.json")
        assert fitted_report(code, tmp_path / "r.json")["estimators"] == []
        results.append(pixels_of("Start.sge"))
    np.testing.assert_array_equal(*results)


def test_texels_as_in_the_paper(world: SmallWorld) -> None:
    assert world.from_scene("--texture-estimator", "texel", "--no-shape") == 0
    assert np.ptp(pixels_of("Start.sge").reshape(-1, 4)[:, 0]) > 0.01


def test_margin_extends_the_islands(world: SmallWorld, tmp_path: Path) -> None:
    """With a margin, texels outside the islands repeat those inside."""
    results = []
    for margin in ("0", "4"):
        assert world.from_scene("--no-shape", "--margin", margin) == 0
        results.append(pixels_of("Start.sge"))
    assert not np.array_equal(*results)


def test_sun_shading_needs_and_takes_a_sun(world: SmallWorld, tmp_path: Path, capsys) -> None:
    assert world.from_scene("--shading", "sun") == 2
    assert "sun" in capsys.readouterr().err

    def add_sun() -> None:
        sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
        bpy.context.collection.objects.link(sun)

    assert run(edited_scene(world, tmp_path / "sun.blend", add_sun), "--shading", "sun") == 0


# --- What is fitted


def test_objects_by_name_are_fitted_and_no_other(world: SmallWorld, tmp_path: Path) -> None:
    def add_two() -> None:
        add_sphere("Second", (0.4, 0.4, 0.4)).location.x = 0.8  # so that it shows beside the first
        add_sphere("Third", (0.4, 0.4, 0.4))

    scene = edited_scene(world, tmp_path / "three.blend", add_two)
    third, source = positions_of("Third"), positions_of("Source")
    before = positions_of("Second")
    assert run(scene, "--object", "Start", "--object", "Second", "--object", "Start") == 0
    assert not np.array_equal(positions_of("Second"), before)
    assert not np.array_equal(positions_of("Start"), START)
    assert np.array_equal(positions_of("Third"), third)
    assert np.array_equal(positions_of("Source"), source)
    assert {"Start.sge", "Second.sge"} <= set(bpy.data.images.keys())
    assert "Third.sge" not in bpy.data.images


def test_every_material_of_an_object_gets_its_image(world: SmallWorld, tmp_path: Path) -> None:
    def two_materials() -> None:
        mesh = bpy.data.objects["Start"].data
        for name in ("Upper", "Lower"):
            mesh.materials.append(bpy.data.materials.new(name))
        for polygon in mesh.polygons:
            polygon.material_index = int(polygon.center.z < 0.0)

    scene = edited_scene(world, tmp_path / "two.blend", two_materials)
    assert run(scene, "--steps", "24") == 0
    assert {"Upper.sge", "Lower.sge"} <= set(bpy.data.images.keys())
    assert not np.array_equal(pixels_of("Upper.sge"), pixels_of("Lower.sge"))


def test_mesh_file_is_alone_in_the_scene(world: SmallWorld) -> None:
    """Neither the cube of Blender's startup file nor anything of the last file is in it."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert "Cube" in bpy.data.objects
    assert world.from_files() == 0
    assert [obj.name for obj in bpy.data.objects] == ["Start"]


def test_mesh_file_beside_the_cameras_of_a_scene(world: SmallWorld, tmp_path: Path) -> None:
    assert run(world.scene, "--mesh", world.mesh, *AXES) == 0
    assert bpy.data.objects["Start.001"].data.materials
    assert np.array_equal(positions_of("Start"), START)


@pytest.mark.parametrize(("flag", "smooth"), [((), True), (("--flat",), False)])
def test_flat_sets_a_mesh_file_flat(world: SmallWorld, tmp_path: Path, flag: tuple, smooth: bool) -> None:
    points, triangles = icosphere(1)
    path = tmp_path / "bare.ply"
    head = f"ply\nformat ascii 1.0\nelement vertex {len(points)}\nproperty float x\nproperty float y\n"
    head += f"property float z\nelement face {len(triangles)}\nproperty list uchar int vertex_indices\n"
    rows = [f"{x} {y} {z}" for x, y, z in points] + [f"3 {a} {b} {c}" for a, b, c in triangles]
    path.write_text(head + "end_header\n" + "\n".join(rows) + "\n")
    assert run("--mesh", path, "--references", world.references, "--no-texture", *flag) == 0
    assert bpy.data.objects["bare"].data.polygons[0].use_smooth == smooth


# --- Where references come from


def test_references_from_an_object_of_the_scene(world: SmallWorld, tmp_path: Path) -> None:
    code = world.from_scene(
        *("--object", "Start", "--reference-object", "Source", "--views", "3"),
        *("--report", tmp_path / "r.json"),
    )
    assert len(fitted_report(code, tmp_path / "r.json")["views"]) == 3


def test_source_is_not_fitted_even_where_it_is_selected(world: SmallWorld, tmp_path: Path) -> None:
    scene = edited_scene(world, tmp_path / "both.blend", lambda: bpy.data.objects["Source"].select_set(True))
    before = positions_of("Source")
    assert run(scene, "--reference-object", "Source", "--views", "2") == 0
    assert np.array_equal(positions_of("Source"), before)


def test_references_from_an_object_with_its_children(world: SmallWorld, tmp_path: Path) -> None:
    """An empty has no faces of its own; its children are seen."""

    def parent() -> None:
        empty = bpy.data.objects.new("Group", None)
        bpy.context.collection.objects.link(empty)
        bpy.data.objects["Source"].parent = empty

    scene = edited_scene(world, tmp_path / "parent.blend", parent)
    assert run(scene, "--reference-object", "Group", "--views", "2") == 0


def test_references_from_a_mesh_file_leave_nothing_in_the_scene(world: SmallWorld) -> None:
    code = run("--mesh", world.mesh, "--reference-object", world.mesh, "--views", "2", "--no-texture")
    assert code == 0
    assert [obj.name for obj in bpy.data.objects] == ["Start"]
    assert len(bpy.data.meshes) == 1


def test_references_of_mixed_sizes(world: SmallWorld, tmp_path: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(world.scene))
    for index, obj in enumerate(obj for obj in bpy.data.objects if obj.type == "CAMERA"):
        del obj.data["sge_normal_image"]
        obj.data.background_images[0].image.scale(20 + 6 * index, 20 + 6 * index)
        obj.data.background_images[0].image.pack()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mixed.blend"))
    assert run(tmp_path / "mixed.blend", "--export-references", tmp_path / "out") == 0
    sizes = [frame.view.width for frame in transforms_json.read(tmp_path / "out" / "transforms.json")]
    assert sizes == [20, 26, 32, 32, 32]


# --- What is written


def test_saved_scene_holds_the_fit_and_can_fit_again(world: SmallWorld, tmp_path: Path) -> None:
    saved = tmp_path / "saved.blend"
    assert world.from_files("--hold-out", "2", "--seed", "7", "--save", saved) == 0
    positions, pixels = positions_of("Start"), pixels_of("Start.sge")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    assert np.array_equal(positions_of("Start"), positions)
    assert np.array_equal(pixels_of("Start.sge"), pixels)
    stored = bpy.context.scene.sge
    assert stored.seed == 7
    assert stored.steps == 6
    assert [row.held_out for row in stored.references] == [i % 2 == 0 for i in range(VIEWS)]
    assert all(row.enabled and row.measured for row in stored.references)
    assert len(stored.losses) == 6
    assert run(saved, "--report", tmp_path / "r.json") == 0
    assert sum(view["held_out"] for view in read_json(tmp_path / "r.json")["views"]) == 3


def test_saving_switches_off_the_references_that_were_not_used(world: SmallWorld, tmp_path: Path) -> None:
    saved = tmp_path / "saved.blend"
    assert world.from_scene("--save", saved) == 0
    assert run(saved, "--references", world.references, "--save", saved) == 0
    rows = bpy.context.scene.sge.references
    assert [row.enabled for row in rows] == [False] * VIEWS + [True] * VIEWS
    assert run(saved, "--report", tmp_path / "r.json") == 0
    assert len(read_json(tmp_path / "r.json")["views"]) == VIEWS


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb", ".stl"])
def test_export_can_be_read_again(world: SmallWorld, tmp_path: Path, suffix: str) -> None:
    """World space, the axes of the file that was read."""
    exported = tmp_path / f"fit{suffix}"
    assert world.from_files("--export", exported) == 0
    fitted = positions_of("Start")
    matrix = np.array(bpy.data.objects["Start"].matrix_world)
    world_space = fitted @ matrix[:3, :3].T + matrix[:3, 3]
    (again,) = import_mesh(exported, "Y", "Z")
    read = np.array([again.matrix_world @ vertex.co for vertex in again.data.vertices])
    assert np.abs(read.max(axis=0) - world_space.max(axis=0)).max() < 1e-5
    assert np.abs(read.min(axis=0) - world_space.min(axis=0)).max() < 1e-5
    if suffix != ".stl":
        assert (tmp_path / "fit_Start.sge.png").is_file()


def test_exported_references_are_those_that_were_fitted(world: SmallWorld, tmp_path: Path) -> None:
    assert world.from_scene("--export-references", tmp_path / "out", "--report", tmp_path / "a.json") == 0
    first = read_json(tmp_path / "a.json")
    exported = tmp_path / "out" / "transforms.json"
    code = run(world.scene, "--references", exported, "--report", tmp_path / "b.json")
    second = fitted_report(code, tmp_path / "b.json")
    assert second["psnr"]["object"]["before"] == pytest.approx(first["psnr"]["object"]["before"], abs=0.1)


def test_output_is_a_folder_that_is_made_for_what_has_no_place(world: SmallWorld, tmp_path: Path) -> None:
    assert world.from_files("--output", tmp_path / "new" / "Rock") == 0
    written = sorted(path.name for path in (tmp_path / "new" / "Rock").iterdir())
    assert written == ["report.json", "start.blend"]
    assert world.from_scene("--output", tmp_path / "b", "--export", tmp_path / "b.glb") == 0
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["report.json"]
    assert run("--mesh", "none.obj", "--output", tmp_path / "c") == 2
    assert not (tmp_path / "c").exists()


# --- Settings that the file stores


def test_stored_settings_count_and_flags_override_them(world: SmallWorld, tmp_path: Path) -> None:
    def store() -> None:
        stored = bpy.context.scene.sge
        stored.texture, stored.seed, stored.loss, stored.match = False, 11, "l2", {"alpha"}

    scene = edited_scene(world, tmp_path / "stored.blend", store)
    code = run(scene, "--seed", "12", "--report", tmp_path / "r.json")
    settings = fitted_report(code, tmp_path / "r.json")["settings"]
    assert (settings["texture"], settings["loss"], settings["match"]) == (False, "l2", ["alpha"])
    assert settings["seed"] == 12


def test_flags_mend_stored_settings_that_contradict_each_other(
    world: SmallWorld, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    def store() -> None:
        bpy.context.scene.sge.shading = "normal"  # while Texture is on

    scene = edited_scene(world, tmp_path / "contradiction.blend", store)
    assert run(scene) == 2
    assert "switch Texture off" in capsys.readouterr().err
    assert run(scene, "--no-texture") == 0
    assert run(scene, "--shading", "unlit") == 0


# --- What is printed


def test_progress_lines_and_summary(world: SmallWorld, capfd: pytest.CaptureFixture) -> None:
    from sge_addon.headless import main

    flags = ["--steps", "3", "--resolution", "32", "--texture-size", "16"]
    assert main(["--mesh", str(world.mesh), *AXES, "--references", str(world.references), *flags]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert any(line.startswith("SGE Fitting 100% | step 3/3 | loss 0.") for line in lines)
    assert lines[-1].startswith("SGE done | ")


def test_quiet_prints_nothing_not_even_blenders_own_lines(
    world: SmallWorld, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    outputs = ("--save", tmp_path / "a.blend", "--export", tmp_path / "a.glb")
    assert world.from_files(*outputs, "--quiet") == 0
    assert world.from_scene(*outputs, "--quiet") == 0
    print("after")
    assert capfd.readouterr().out == "after\n"


def test_notes_are_told_on_standard_error(
    world: SmallWorld, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    scene = edited_scene(
        world,
        tmp_path / "subsurf.blend",
        lambda: bpy.data.objects["Start"].modifiers.new("Smooth", "SUBSURF"),
    )
    assert run(scene) == 0
    assert "note: Object 'Start'" in capsys.readouterr().err
