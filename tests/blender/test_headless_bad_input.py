# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input to the headless fit: exit code 2, one line that names what is wrong, nothing written."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from sge_addon.headless import main
from sge_addon.scene.images import save_exr, save_png
from sge_addon.scene.stored_settings import registered
from tests.blender.small_world import AXES, SmallWorld, add_sphere, run

Edit = Callable[[], object]


@pytest.fixture(autouse=True)
def stored_settings() -> Iterator[None]:
    """Scene.sge outlives the fit, so that a test can look at it."""
    with registered():
        yield


@pytest.fixture
def refused(
    world: SmallWorld, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Runs a fit that must be refused; the message. Nothing may be written, and no job may start."""

    def never(self: object) -> None:
        raise AssertionError("the fit began")

    monkeypatch.setattr("sge_addon.job.FitJob.run", never)

    def check(*arguments: str | Path, outputs: bool = True) -> str:
        folder = tmp_path / "outputs"
        folder.mkdir()
        written = {"--save": "a.blend", "--export": "a.obj", "--report": "a.json", "--export-references": "d"}
        flags = [word for flag, name in written.items() for word in (flag, folder / name)] if outputs else []
        capsys.readouterr()
        assert run(*flags, *arguments) == 2
        assert list(folder.iterdir()) == []
        folder.rmdir()
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("error: ")
        return lines[0]

    return check


@pytest.fixture
def edited(world: SmallWorld, tmp_path: Path) -> Callable[[Edit], Path]:
    """The world's scene, changed by a function and saved elsewhere."""

    def edit_and_save(edit: Edit) -> Path:
        bpy.ops.wm.open_mainfile(filepath=str(world.scene))
        edit()
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edited.blend"), check_existing=False)
        return tmp_path / "edited.blend"

    return edit_and_save


@pytest.fixture
def references(world: SmallWorld, tmp_path: Path) -> Path:
    """A folder of references that a test may spoil."""
    return shutil.copytree(world.references.parent, tmp_path / "references")


def start() -> bpy.types.Object:
    return bpy.data.objects["Start"]


def camera() -> bpy.types.Object:
    return bpy.data.objects["view_000"]


def background() -> bpy.types.Image:
    return camera().data.background_images[0].image


# --- Objects


def deselect() -> None:
    start().select_set(False)


def remove_uvs() -> None:
    start().data.uv_layers.remove(start().data.uv_layers[0])


def remove_faces() -> None:
    start().data.clear_geometry()
    start().data.from_pydata([(0, 0, 0), (1, 0, 0)], [(0, 1)], [])


def make_nan() -> None:
    start().data.vertices[3].co.x = math.nan


def make_infinite() -> None:
    positions = np.zeros(3 * len(start().data.vertices), np.float32)
    positions[10] = math.inf  # one at a time, Blender clamps them
    start().data.attributes["position"].data.foreach_set("vector", positions)


def flatten() -> None:
    start().scale = (1.0, 0.0, 1.0)


def mirror() -> None:
    start().scale = (-1.0, 1.0, 1.0)


def spoil_uvs() -> None:
    start().data.uv_layers[0].uv[0].vector = (math.nan, 0.0)


def lose_texture() -> None:
    material = bpy.data.materials.new("Lost")
    if material.node_tree is None:  # before Blender 5
        material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    lost = bpy.data.images.new("lost.png", 4, 4)
    lost.source = "FILE"
    lost.filepath = "//is/not/there.png"
    node.image = lost
    base = material.node_tree.nodes["Principled BSDF"].inputs["Base Color"]
    material.node_tree.links.new(node.outputs["Color"], base)
    start().data.materials.append(material)


@pytest.mark.parametrize(
    ("edit", "named", "remedy"),
    [
        (deselect, "'Source', 'Start'", "--object"),
        (remove_uvs, "'Start'", "unwrap"),
        (remove_faces, "'Start'", "no faces"),
        (make_nan, "'Start': vertex 3", "delete or mend"),
        (make_infinite, "'Start': vertex 3", "delete or mend"),
        (flatten, "'Start'", "scale other than zero"),
        (mirror, "'Start'", "apply the scale"),
        (spoil_uvs, "'Start'", "unwrap"),
        (lose_texture, "'lost.png'", "find it"),
    ],
)
def test_object_that_cannot_be_fitted(refused, edited, edit: Edit, named: str, remedy: str) -> None:
    message = refused(edited(edit))
    assert named in message
    assert remedy in message


def test_object_that_is_not_there(refused, world: SmallWorld) -> None:
    message = refused(world.scene, "--object", "Monkey")
    assert "'Monkey'" in message
    assert "'Start'" in message


def test_object_that_is_no_mesh(refused, world: SmallWorld) -> None:
    assert "'view_000' is a camera" in refused(world.scene, "--object", "view_000")


def test_vertex_group_that_is_not_there(refused, world: SmallWorld) -> None:
    assert "no vertex group 'Lid'" in refused(world.scene, "--vertex-group", "Lid")


def test_object_that_is_its_own_reference(refused, world: SmallWorld) -> None:
    message = refused(world.scene, "--object", "Start", "--reference-object", "Start")
    assert "'Start' cannot be fitted to references that are made from it" in message


@pytest.mark.parametrize("name", ["Original", "Start.001", "no/such.obj"])
def test_reference_object_that_is_not_there(refused, world: SmallWorld, name: str) -> None:
    assert f"{name}'" in refused(world.scene, "--object", "Start", "--reference-object", name)


def test_reference_object_without_faces(refused, world: SmallWorld) -> None:
    assert "'view_000' has no faces" in refused(world.scene, "--reference-object", "view_000")


# --- References


def no_backgrounds() -> None:
    for obj in bpy.data.objects:
        if obj.type == "CAMERA":
            obj.data.background_images.clear()


def look_away() -> None:
    camera().matrix_world = camera().matrix_world @ Matrix.Rotation(math.pi, 4, "Y")


def lose_image() -> None:
    image = bpy.data.images.new("photo.png", 4, 4)
    image.source = "FILE"
    image.filepath = "//photo.png"
    camera().data.background_images[0].image = image


def mirror_camera() -> None:
    camera().scale.x = -1.0


def flatten_camera() -> None:
    camera().scale.x = 0.0


def nan_pixels() -> None:
    image = bpy.data.images.new("holes", 48, 48, float_buffer=True)
    pixels = np.ones(48 * 48 * 4, np.float32)
    pixels[17] = np.nan
    image.pixels.foreach_set(pixels)
    image.pack()
    camera().data.background_images[0].image = image


def widen_frame() -> None:
    """A camera of the user's own, whose frame is the render's."""
    del camera().data["sge_projection"], camera().data["sge_lens"]
    bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y = 200, 100


def make_orthographic() -> None:
    camera().data.type = "ORTHO"
    camera().data.ortho_scale = 3.0


@pytest.mark.parametrize(
    ("edit", "named", "remedy"),
    [
        (no_backgrounds, "no references", "background images"),
        (look_away, "'view_000' sees nothing of 'Start'", "turn it"),
        (lose_image, "'view_000': image 'photo.png'", "find it"),
        (mirror_camera, "'view_000'", "clear its scale"),
        (flatten_camera, "'view_000'", "scale"),
        (nan_pixels, "'view_000'", "save it again"),
        (widen_frame, "'view_000': its image 'view_000' (48 x 48)", "resolution to 48 x 48"),
        (make_orthographic, "'view_000'", "perspective"),
    ],
)
def test_camera_that_cannot_be_used(refused, edited, edit: Edit, named: str, remedy: str) -> None:
    message = refused(edited(edit))
    assert named in message
    assert remedy in message


def test_orthographic_camera_is_fine_where_it_is_not_exported(world: SmallWorld, edited) -> None:
    assert run(edited(make_orthographic)) == 0


def spoil(path: Path, change: Callable[[dict], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.pop("frames"), "field 'frames'"),
        (lambda c: c["frames"].clear(), "field 'frames'"),
        (lambda c: c["frames"][1].pop("transform_matrix"), "frame 1"),
        (lambda c: c["frames"][1]["transform_matrix"][0].pop(), "field 'transform_matrix'"),
        (lambda c: c["frames"][1].update(fl_x="long"), "field 'fl_x'"),
        (lambda c: c["frames"][1].update(fl_x=0), "field 'fl_x'"),
        (lambda c: c["frames"][1].update(w=96), "another aspect"),
        (lambda c: c["frames"][1].update(file_path="//server/share/none.png"), "only local files"),
        (lambda c: c["frames"][1].update(mask_path="masks/none.png"), "none.png"),
        (lambda c: [frame.update(file_path="images/none.png") for frame in c["frames"]], "none.png"),
        (lambda c: c["frames"][1]["transform_matrix"].__setitem__(3, [0, 0, 0, 2]), "frame 1"),
    ],
)
def test_references_file_that_is_wrong(refused, world, references, change, named: str) -> None:
    path = references / "transforms.json"
    spoil(path, change)
    message = refused("--mesh", world.mesh, *AXES, "--references", path)
    assert named in message
    assert "transforms.json" in message


def test_references_image_that_is_unreadable(refused, world, references: Path) -> None:
    for content in (
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"no image at all",
        (references / "images/view_001.png").read_bytes()[:200],
    ):
        (references / "images" / "view_001.png").write_bytes(content)
        message = refused("--mesh", world.mesh, *AXES, "--references", references / "transforms.json")
        assert "view_001" in message


def test_references_image_of_another_aspect(refused, world, references: Path) -> None:
    save_png(references / "images" / "view_001.png", np.ones((48, 60, 4), np.float32))
    message = refused("--mesh", world.mesh, *AXES, "--references", references / "transforms.json")
    assert "view_001" in message
    assert "60 x 48" in message


def test_references_image_with_nan(refused, world, references: Path) -> None:
    pixels = np.ones((48, 48, 4), np.float32)
    pixels[3, 4, 1] = np.nan
    save_exr(references / "images" / "view_001.exr", pixels)
    spoil(references / "transforms.json", lambda c: c["frames"][1].update(file_path="images/view_001.exr"))
    message = refused("--mesh", world.mesh, *AXES, "--references", references / "transforms.json")
    assert "view_001" in message
    assert "NaN" in message


@pytest.mark.parametrize("content", [None, "", "{", "[1, 2]", "\x00\x01"])
def test_references_file_that_is_none(refused, world, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "none.json"
    if content is not None:
        path.write_text(content)
    for flags in (("--references", path), ("--references", world.references, "--hold-out", path)):
        message = refused("--mesh", world.mesh, *AXES, *flags)
        assert "none.json" in message


def test_references_that_are_no_transforms_json(refused, world, tmp_path: Path) -> None:
    (tmp_path / "cameras.txt").write_text("1 PINHOLE 64 64")
    message = refused("--mesh", world.mesh, *AXES, "--references", tmp_path / "cameras.txt")
    assert "cameras.txt" in message
    assert ".json" in message
    message = refused("--mesh", world.mesh, *AXES, "--references", tmp_path)
    assert "COLMAP" in message
    message = refused("--mesh", world.mesh, *AXES, "--references", tmp_path / "no.blend")
    assert "no.blend" in message


# --- Files


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("no.obj", None),
        ("empty.obj", ""),
        ("a.fbx", "x"),
        ("bad.ply", "no ply"),
        ("bad.glb", "none"),
        ("dir.obj", ...),
    ],
)
def test_mesh_file_that_is_none(refused, world, tmp_path: Path, name: str, content) -> None:
    path = tmp_path / name
    if content is ...:
        path.mkdir()
    elif content is not None:
        path.write_text(content)
    assert name in refused("--mesh", path, "--references", world.references)


@pytest.mark.parametrize("content", [None, "", "no blend file", ...])
def test_scene_that_is_none(refused, tmp_path: Path, content) -> None:
    path = tmp_path / "none.blend"
    if content is ...:
        path.mkdir()
    elif content is not None:
        path.write_text(content)
    assert "none.blend" in refused(path)


@pytest.mark.parametrize(
    "flags",
    [
        ("--save", "{folder}/no/a.blend"),
        ("--save", "{folder}"),
        ("--save", "{folder}/a.obj"),
        ("--export", "{folder}/no/a.obj"),
        ("--export", "{folder}/a.fbx"),
        ("--export", "{folder}/a"),
        ("--report", "{folder}/no/a.json"),
        ("--report", "{folder}"),
        ("--report", ""),
        ("--export-references", "{folder}/file"),
        ("--export-references", "{folder}/file/below"),
        ("--save", "{folder}/a.blend", "--report", "{folder}/a.blend"),
    ],
)
def test_output_that_cannot_be_written(refused, world, tmp_path: Path, flags: tuple) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "file").write_text("kept")
    words = [word.format(folder=folder) for word in flags]
    message = refused(world.scene, *words, outputs=False)
    assert words[-1] in message
    assert sorted(path.name for path in folder.iterdir()) == ["file"]
    assert (folder / "file").read_text() == "kept"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
@pytest.mark.parametrize("flag", ["--save", "--export", "--report", "--export-references"])
def test_folder_without_permission(refused, world, tmp_path: Path, flag: str) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    name = {"--save": "a.blend", "--export": "a.obj", "--report": "a.json", "--export-references": "d"}[flag]
    assert str(folder) in refused(world.scene, flag, folder / name, outputs=False)


def test_references_are_not_overwritten_by_their_export(refused, world) -> None:
    before = world.references.read_bytes()
    folder = world.references.parent
    message = refused(
        *("--mesh", world.mesh, "--references", world.references, "--export-references", folder),
        outputs=False,
    )
    assert "overwrite" in message
    message = refused(
        *("--mesh", world.mesh, "--references", folder, "--export-references", folder), outputs=False
    )
    assert "overwrite" in message
    assert world.references.read_bytes() == before


def test_images_that_are_read_are_not_overwritten_by_their_export(refused, world, tmp_path: Path) -> None:
    for name in ("images", "normals"):
        shutil.copytree(world.references.parent / name, tmp_path / name)
    (tmp_path / "cameras").mkdir()
    cameras = (
        world.references.read_text().replace('"images/', '"../images/').replace('"normals/', '"../normals/')
    )
    (tmp_path / "cameras" / "transforms.json").write_text(cameras)
    message = refused(
        *("--mesh", world.mesh, "--references", tmp_path / "cameras", "--export-references", tmp_path),
        outputs=False,
    )
    assert "overwrite the images" in message


# --- Values


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--steps", "0"), "steps"),
        (("--steps", "-5"), "steps"),
        (("--steps", "99999999999"), "steps"),
        (("--seconds", "-1"), "seconds"),
        (("--seconds", "nan"), "seconds"),
        (("--seconds", "inf"), "seconds"),
        (("--resolution", "0"), "resolution"),
        (("--resolution", "100000"), "resolution"),
        (("--texture-size", "0"), "texture-size"),
        (("--margin", "-1"), "margin"),
        (("--seed", "-1"), "seed"),
        (("--seed", "99999999999"), "seed"),
        (("--match", ""), "match"),
        (("--match", "colour,depth"), "depth"),
        (("--match", "alpha"), "colour"),
        (("--no-shape", "--no-texture"), "Nothing to fit"),
        (("--shading", "normal"), "switch Texture off"),
        (("--hold-out", "1"), "--hold-out 1"),
        (("--hold-out", "0"), "--hold-out 0"),
        (("--hold-out", "-3"), "--hold-out -3"),
        (("--object", "Start", "--reference-object", "Source", "--views", "0"), "--views 0"),
        (
            ("--object", "Start", "--reference-object", "Source", "--views", "1", "--hold-out", "2"),
            "held out",
        ),
    ],
)
def test_value_out_of_range(refused, world, flags: tuple, named: str) -> None:
    assert named in refused(world.scene, *flags)


@pytest.mark.parametrize(
    "flags",
    [
        ("--mesh", "{mesh}", "--object", "Start", "--references", "{references}"),
        ("--references", "{references}", "--reference-object", "Source"),
        ("--references", "{references}"),
        (),
    ],
)
def test_flags_that_do_not_go_together(refused, world, flags: tuple) -> None:
    assert refused(*(word.format(mesh=world.mesh, references=world.references) for word in flags))


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--steps", "many"), "--steps"),
        (("--stepz", "3"), "--stepz"),
        (("--step", "3"), "--step"),
        (("--loss", "l3"), "--loss"),
        (("--steps",), "--steps"),
        (("a.blend", "b.blend"), "b.blend"),
        (("--up-axis", "W"), "--up-axis"),
    ],
)
def test_flag_that_is_malformed(flags: tuple, named: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(flags)
    assert ended.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert named in lines[0]


def test_axes_on_one_line(refused, world) -> None:
    message = refused(
        "--mesh", world.mesh, "--references", world.references, "--forward-axis=Y", "--up-axis=-Y"
    )
    assert "one line" in message


def test_refusal_leaves_an_open_scene_as_it_is(refused, world) -> None:
    """Objects and images are those that were there, also where references had been read before."""
    assert refused(world.scene, "--object", "Start", "--reference-object", "Source", "--shading", "sun")
    assert sorted(obj.name for obj in bpy.data.objects if obj.type == "MESH") == ["Source", "Start"]
    assert not [image for image in bpy.data.images if image.name.endswith(".sge")]
    assert not start().data.materials


def test_bad_mesh_file_leaves_no_half(refused, world, tmp_path: Path) -> None:
    add_sphere("Mine", (1.0, 1.0, 1.0))
    (tmp_path / "lines.obj").write_text("v 0 0 0\nv 1 0 0\nl 1 2\n")
    refused(world.scene, "--mesh", tmp_path / "lines.obj")
    assert sorted(obj.name for obj in bpy.data.objects if obj.type == "MESH") == ["Source", "Start"]
