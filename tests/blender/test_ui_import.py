# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import of references: what is made, what is told, and that nothing stays of an import that fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest

import sge_addon
from sge_addon.core.errors import FitError
from sge_addon.core.orbit import orbit_views
from sge_addon.core.reference import Reference
from sge_addon.formats import transforms_json
from sge_addon.formats.references import read_references
from sge_addon.scene.imported_references import ImportedReferences
from sge_addon.scene.reference_rows import references_of_scene
from sge_addon.scene.references import export_references
from sge_addon.ui.import_references import SGE_FH_references, SGE_OT_load_references

SIZE = 16


@pytest.fixture(autouse=True)
def registered(empty_file: None) -> Iterator[None]:
    sge_addon.register()
    yield
    sge_addon.unregister()


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A transforms.json of three views with masks, images of different greys."""
    references = []
    for index, view in enumerate(orbit_views((0, 0, 0), 1.0, 3, SIZE, SIZE, prefix="view")):
        colour = np.full((SIZE, SIZE, 4), 0.2 * (index + 1), np.float32)
        colour[..., 3] = 1.0
        weight = np.ones((SIZE, SIZE), np.float32)
        weight[: SIZE // 2] = 0.0
        references.append(Reference(view=view, colour=colour, has_alpha=False, weight=weight))
    return export_references(tmp_path / "set", references, transforms_json.write)


def contents() -> tuple[int, ...]:
    return tuple(
        len(kind) for kind in (bpy.data.objects, bpy.data.cameras, bpy.data.images, bpy.data.collections)
    )


def test_import_makes_cameras_images_masks_and_rows_and_leaves_the_world(dataset: Path):
    scene = bpy.context.scene
    before = (scene.world, scene.camera, scene.render.resolution_x, scene.render.resolution_y)
    assert bpy.ops.sge.import_references(filepath=str(dataset)) == {"FINISHED"}
    assert (scene.world, scene.camera, scene.render.resolution_x, scene.render.resolution_y) == before
    collection = scene.collection.children["References"]
    assert len(collection.objects) == len(scene.sge.references) == 3
    for row in scene.sge.references:
        (background,) = row.camera.data.background_images
        assert background.frame_method == "CROP"
        assert background.image.packed_file is not None
        assert not background.image.has_data  # hundreds of photos would fill the memory
        assert row.mask_image is not None
    for index, reference in enumerate(references_of_scene(scene, SIZE)):
        assert reference.colour[-1, 0, :3] == pytest.approx(0.2 * (index + 1), abs=0.01)
        assert reference.weight.mean() == pytest.approx(0.5)


def test_images_are_scaled_as_asked(dataset: Path):
    bpy.ops.sge.import_references(filepath=str(dataset), resolution=SIZE // 2)
    image = bpy.context.scene.sge.references[0].camera.data.background_images[0].image
    assert tuple(image.size) == (SIZE // 2, SIZE // 2)


def test_importing_twice_adds_rows_for_the_new_cameras_only(dataset: Path):
    for _ in range(2):
        bpy.ops.sge.import_references(filepath=str(dataset))
    cameras = [row.camera.name for row in bpy.context.scene.sge.references]
    assert len(cameras) == len(set(cameras)) == 6


def test_a_broken_image_is_named_and_nothing_stays(dataset: Path):
    image = sorted((dataset.parent / "images").iterdir())[2]
    image.write_bytes(image.read_bytes()[:60])
    before = contents()
    with pytest.raises(RuntimeError, match=image.stem):
        bpy.ops.sge.import_references(filepath=str(dataset))
    assert contents() == before
    assert len(bpy.context.scene.sge.references) == 0


def test_frames_that_are_missing_on_disk_are_named(dataset: Path, capfd: pytest.CaptureFixture):
    image = sorted((dataset.parent / "images").iterdir())[1]
    image.unlink()
    assert bpy.ops.sge.import_references(filepath=str(dataset)) == {"FINISHED"}
    assert len(bpy.context.scene.sge.references) == 2
    told = capfd.readouterr().out
    assert "2 reference(s) imported" in told
    assert image.name in told


def test_without_any_image_on_disk_the_import_is_refused(dataset: Path):
    for image in (dataset.parent / "images").iterdir():
        image.unlink()
    with pytest.raises(RuntimeError, match="none of its 3 images"):
        bpy.ops.sge.import_references(filepath=str(dataset))
    assert len(bpy.context.scene.sge.references) == 0


def test_stopping_half_way_takes_everything_back(dataset: Path):
    kept = bpy.data.collections.new("References")
    bpy.context.scene.collection.children.link(kept)
    before = contents()
    imported = ImportedReferences(bpy.context.scene, read_references(dataset), 0)
    loading = imported.load()
    assert [next(loading), next(loading)] == [1, 2]
    assert contents() != before
    loading.close()
    assert contents() == before
    assert len(bpy.context.scene.sge.references) == 0


def test_folders_and_colmap_files_go_through_the_same_reader(dataset: Path, tmp_path: Path):
    assert bpy.ops.sge.import_colmap(directory=str(dataset.parent)) == {"FINISHED"}
    assert len(bpy.context.scene.sge.references) == 3
    with pytest.raises(RuntimeError, match=r"neither a transforms\.json"):
        bpy.ops.sge.import_colmap(directory=str(tmp_path))


def test_files_are_taken_where_they_are_dropped_into_a_viewport():
    area = type("Area", (), {"type": "VIEW_3D"})
    context = type("Context", (), {"area": area})
    assert SGE_FH_references.poll_drop(context)
    area.type = "TEXT_EDITOR"
    assert not SGE_FH_references.poll_drop(context)
    context.area = None
    assert not SGE_FH_references.poll_drop(context)
    assert not SGE_OT_load_references.poll(bpy.context)  # nothing waits to be loaded


def test_import_errors_name_the_frame(dataset: Path):
    written = json.loads(dataset.read_text())
    written["frames"][1]["transform_matrix"][0][0] = float("nan")
    dataset.write_text(json.dumps(written))
    with pytest.raises(RuntimeError, match=r"frame|view_001"):
        bpy.ops.sge.import_references(filepath=str(dataset))
    with pytest.raises(FitError):
        read_references(dataset)
