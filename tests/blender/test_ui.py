# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration, stored settings and operators, driven without a window."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar

import bpy
import numpy as np
import pytest

import sge_addon
import sge_addon.job.check  # stays itself where the job is a double
from sge_addon.core.errors import FitError, TargetLost
from sge_addon.core.orbit import orbit_views
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.scene import stored_settings
from sge_addon.scene.images import array_to_image
from sge_addon.scene.reference_rows import references_of_scene
from sge_addon.scene.references import add_reference_cameras
from sge_addon.scene.stored_settings import settings_from_scene, store_settings
from sge_addon.ui.loss_plot import LINE, plot
from sge_addon.ui.running_fit import RunningFit


@pytest.fixture(autouse=True)
def registered(empty_file: None) -> Iterator[None]:
    """The add-on, enabled for one test."""
    sge_addon.register()
    yield
    sge_addon.unregister()


@dataclass(frozen=True)
class Progress:
    stage: str
    fraction: float
    step: int
    steps: int
    loss: float | None


class JobDouble:
    """Stands in for the real job: halves the loss with every step, and can lose its target."""

    lost_at: ClassVar[int | None] = None
    last: ClassVar[JobDouble | None] = None

    def __init__(self, scene, objects, references, settings) -> None:
        self.arguments = (scene, objects, references, settings)
        self.notices = []
        self.report = {}
        self.steps_run = 0
        self.closed = False
        self._stopped = False
        JobDouble.last = self

    def run(self) -> Iterator[Progress]:
        settings = self.arguments[3]
        try:
            yield Progress("Setting up", 0.0, 0, settings.steps, None)
            for step in range(1, settings.steps + 1):
                if self._stopped:
                    break
                if step == JobDouble.lost_at:
                    raise TargetLost("Object 'Quad' was deleted while it was being fitted.")
                self.steps_run = step
                yield Progress("Fitting", step / settings.steps, step, settings.steps, 0.5**step)
        finally:
            self.closed = True
        names = [reference.view.name for reference in self.arguments[2]]
        self.report = {"views": [{"name": n, "psnr_before": 10.0, "psnr_after": 30.0} for n in names]}

    def stop(self) -> None:
        self._stopped = True

    seconds_writing = 0.0
    has_ended = True

    def release(self) -> None:
        """Nothing is kept open."""

    def check_targets(self) -> None:
        """Nothing goes away but at ``lost_at``."""

    def traces(self) -> dict[str, bytes]:
        return {}


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> type[JobDouble]:
    double = types.ModuleType("sge_addon.job")
    double.FitJob = JobDouble
    double.place_views = lambda _objects, options, _scene, resolution, _camera: orbit_views(
        (0, 0, 0), 2.0, options.view_count, resolution, resolution
    )
    double.references_one_by_one = lambda _objects, views, *_rest: (grey(view) for view in views)
    monkeypatch.setitem(sys.modules, "sge_addon.job", double)
    monkeypatch.setattr(sge_addon, "job", double, raising=False)
    monkeypatch.setattr(JobDouble, "lost_at", None)
    return JobDouble


def grey(view) -> Reference:
    colour = np.full((view.height, view.width, 4), 0.25, np.float32)
    colour[..., 3] = 0.5
    return Reference(view=view, colour=colour, has_alpha=True)


def add_references(count: int = 3) -> None:
    views = orbit_views((0, 0, 0), 1.0, count, 16, 16, prefix="view")
    add_reference_cameras(bpy.context.scene, [grey(view) for view in views])


def add_quad(name: str = "Quad") -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new()
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj
    return obj


def test_use_image_frames_lets_photos_of_any_shape_be_references():
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 100
    for name, width in (("Square", 8), ("Wide", 12)):
        camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
        scene.collection.objects.link(camera)
        camera.data.show_background_images = True
        image = array_to_image(name, np.ones((8, width, 4), np.float32), as_bytes=True)
        camera.data.background_images.new().image = image
    bpy.ops.sge.add_from_cameras()
    with pytest.raises(FitError, match="'Wide'"):
        references_of_scene(scene, 512)
    bpy.ops.sge.use_image_frames()
    assert [r.view.width for r in references_of_scene(scene, 512)] == [8, 12]
    assert "sge_projection" not in bpy.data.cameras["Square"]


def test_unregistering_leaves_nothing_behind():
    assert hasattr(bpy.types.Scene, "sge")
    sge_addon.unregister()
    assert not [name for name in dir(bpy.types) if name.startswith("SGE_")]
    assert not hasattr(bpy.types.Scene, "sge")
    assert not [name for name in dir(bpy.ops.sge) if not name.startswith("_")]
    lists = [getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)]
    handlers = [handler for each in lists if isinstance(each, list) for handler in each]
    ours = [handler for handler in handlers if handler.__module__.startswith("sge_addon")]
    assert ours == []
    menus = bpy.types.TOPBAR_MT_file_import._dyn_ui_initialize()
    assert not [draw for draw in menus if draw.__module__.startswith("sge_addon")]
    assert not bpy.utils.preset_paths("sge_fit")
    sge_addon.register()
    assert [draw for draw in menus if draw.__module__.startswith("sge_addon")]


def test_every_setting_is_shown_with_the_texts_and_defaults_of_its_field():
    shown = bpy.context.scene.sge.bl_rna.properties
    for item in fields(FitSettings):
        assert shown[item.name].name == item.metadata["label"]
        assert shown[item.name].description == item.metadata["description"]
        if item.metadata["choices"]:
            assert tuple(shown[item.name].enum_items.keys()) == item.metadata["choices"]
            for choice in shown[item.name].enum_items:
                assert choice.description.startswith(item.metadata["description"])
                assert choice.description.endswith(item.metadata["notes"].get(choice.identifier, ""))
        for limit, name in (("hard_min", "minimum"), ("hard_max", "maximum")):
            if item.metadata[name] is not None:
                assert getattr(shown[item.name], limit) == item.metadata[name]
    for name in ("maps", "constant_maps"):
        assert "is taken for the background" in shown[name].enum_items["alpha"].description
        assert "background" not in shown[name].enum_items["roughness"].description
    assert settings_from_scene(bpy.context.scene) == FitSettings()


def test_everything_shown_has_a_tooltip():
    for group in stored_settings.CLASSES:
        for item in group.bl_rna.properties:
            hidden = item.is_hidden or item.identifier in ("rna_type", "name", "references", "losses")
            assert hidden or item.description, item.identifier
    for name in dir(bpy.ops.sge):
        operator = getattr(bpy.ops.sge, name).get_rna_type()
        assert len(operator.description) > 20, name
        for item in operator.properties:
            assert item.is_hidden or item.identifier == "rna_type" or item.description, (
                name,
                item.identifier,
            )


def test_settings_survive_the_file(tmp_path: Path):
    settings = replace(
        FitSettings(),
        steps=7,
        match=("colour", "normal"),
        seconds=2.5,
        shading="sun",
        seed=3,
        vertex_group="Nose",
    )
    store_settings(bpy.context.scene, settings)
    path = str(tmp_path / "settings.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert settings_from_scene(bpy.context.scene) == settings


def test_contradictory_settings_are_refused():
    bpy.context.scene.sge.shape = bpy.context.scene.sge.texture = False
    with pytest.raises(FitError, match="Nothing to fit"):
        settings_from_scene(bpy.context.scene)


def test_add_from_cameras_lists_each_camera_once():
    with pytest.raises(RuntimeError, match="No camera has a background image"):
        bpy.ops.sge.add_from_cameras()
    add_references(3)
    bare = bpy.data.objects.new("Bare", bpy.data.cameras.new("Bare"))
    bpy.context.scene.collection.objects.link(bare)
    for _ in range(2):
        assert bpy.ops.sge.add_from_cameras() == {"FINISHED"}
    rows = bpy.context.scene.sge.references
    assert [row.camera.name for row in rows] == ["view_000", "view_001", "view_002"]


def test_rows_decide_what_is_compared():
    add_references(3)
    scene = bpy.context.scene
    assert len(references_of_scene(scene, 16)) == 3  # without a list, every camera
    bpy.ops.sge.add_from_cameras()
    scene.sge.references[0].enabled = False
    scene.sge.references[1].held_out = True
    found = references_of_scene(scene, 8)
    assert [(r.view.name, r.held_out, r.view.width) for r in found] == [
        ("view_001", True, 8),
        ("view_002", False, 8),
    ]
    scene.sge.references[2].enabled = False
    with pytest.raises(FitError, match="switched off or held out"):
        references_of_scene(scene, 8)
    scene.sge.active_reference = 0
    bpy.ops.sge.remove_reference()
    assert [row.camera.name for row in scene.sge.references] == ["view_001", "view_002"]


def test_a_reference_that_lost_its_camera_is_refused_and_dropped_when_adding():
    add_references(2)
    scene = bpy.context.scene
    bpy.ops.sge.add_from_cameras()
    scene.collection.children["References"].objects.unlink(scene.objects["view_000"])
    with pytest.raises(FitError, match="lost its camera"):
        references_of_scene(scene, 16)
    bpy.ops.sge.add_from_cameras()
    assert [row.camera.name for row in scene.sge.references] == ["view_001"]


def test_export_writes_what_the_list_holds(tmp_path: Path):
    add_references(3)
    bpy.ops.sge.add_from_cameras()
    bpy.context.scene.sge.references[1].enabled = False
    bpy.ops.sge.export_references(directory=str(tmp_path / "set"))
    written = json.loads((tmp_path / "set" / "transforms.json").read_text())
    assert [Path(frame["file_path"]).stem for frame in written["frames"]] == ["view_000", "view_002"]
    assert all((tmp_path / "set" / frame["file_path"]).exists() for frame in written["frames"])


def test_import_takes_back_what_export_wrote(tmp_path: Path):
    add_references(2)
    before = references_of_scene(bpy.context.scene, 16)
    bpy.ops.sge.export_references(directory=str(tmp_path))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.sge.import_references(filepath=str(tmp_path / "transforms.json"))
    assert [row.camera.name for row in bpy.context.scene.sge.references] == ["view_000", "view_001"]
    for old, new in zip(before, references_of_scene(bpy.context.scene, 16), strict=True):
        assert np.allclose(old.view.world_to_clip[[0, 1, 3]], new.view.world_to_clip[[0, 1, 3]])
        assert np.allclose(old.colour, new.colour, atol=0.01)
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(RuntimeError, match=r"broken\.json"):
        bpy.ops.sge.import_references(filepath=str(tmp_path / "broken.json"))


def test_references_made_again_replace_the_earlier_ones(job: type[JobDouble]):
    scene = bpy.context.scene
    scene.sge.source, scene.sge.resolution = add_quad("Statue"), 16
    for count in (4, 2):
        scene.sge.view_count = count
        bpy.ops.sge.make_references()
        assert [row.camera.name for row in scene.sge.references] == [f"Statue_{i:03}" for i in range(count)]
        assert len([obj for obj in scene.objects if obj.type == "CAMERA"]) == count
    assert len(bpy.data.images) == 2


def test_fit_runs_to_its_end_and_keeps_figures(job: type[JobDouble]):
    add_references(2)
    bpy.ops.sge.add_from_cameras()
    quad = add_quad()
    scene = bpy.context.scene
    scene.sge.steps = 1000
    assert bpy.ops.sge.fit() == {"FINISHED"}
    _, objects, references, settings = job.last.arguments
    assert objects == [quad]
    assert [reference.view.name for reference in references] == ["view_000", "view_001"]
    assert settings.steps == job.last.steps_run == 1000
    assert [(row.measured, row.psnr_before, row.psnr_after) for row in scene.sge.references] == [
        (True, 10, 30)
    ] * 2
    steps = [point.step for point in scene.sge.losses]
    assert steps == sorted(set(steps))
    assert 100 <= len(steps) <= 512
    assert RunningFit.current is None


def test_fit_needs_a_selected_mesh_that_is_not_the_source(job: type[JobDouble]):
    add_references(1)
    bpy.context.scene.sge.source = add_quad("Statue")
    with pytest.raises(RuntimeError, match="poll"):
        bpy.ops.sge.fit()


def test_fit_without_references_says_what_to_do(job: type[JobDouble]):
    add_quad()
    with pytest.raises(RuntimeError, match=r"There are no references.*Add from Cameras"):
        bpy.ops.sge.fit()
    assert RunningFit.current is None


def test_a_lost_target_ends_the_fit_with_a_message(job: type[JobDouble]):
    add_references(1)
    add_quad()
    job.lost_at = 5
    with pytest.raises(RuntimeError, match="'Quad' was deleted"):
        bpy.ops.sge.fit()
    assert RunningFit.current is None
    assert len(bpy.context.scene.sge.losses) == 4


def test_stopping_winds_up_and_stopping_twice_ends_at_once(job: type[JobDouble]):
    add_references(1)
    add_quad()
    fit = RunningFit(bpy.context)
    fit.advance(0.0)
    fit.advance(0.0)
    assert fit.status() == "SGE 1/1000 · loss 0.5000 · Space: pause · Esc: stop"
    bpy.ops.sge.stop()
    while not fit.finished:
        fit.advance(1.0)
    assert job.last.steps_run == 1
    assert job.last.report["views"]

    fit = RunningFit(bpy.context)
    fit.advance(0.0)
    bpy.ops.sge.stop()
    bpy.ops.sge.stop()
    assert fit.finished
    assert job.last.closed
    assert job.last.report == {}


def test_loading_a_file_ends_the_fit(job: type[JobDouble]):
    add_references(1)
    add_quad()
    fit = RunningFit(bpy.context)
    fit.advance(0.0)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert fit.finished
    assert job.last.closed


def test_disabling_the_add_on_ends_the_fit(job: type[JobDouble]):
    add_references(1)
    add_quad()
    fit = RunningFit(bpy.context)
    fit.advance(0.0)
    sge_addon.unregister()
    assert fit.finished
    assert job.last.closed
    sge_addon.register()


def test_the_plot_falls_from_top_left_to_bottom_right():
    image = plot([(0, 1.0), (50, 0.1), (100, 0.01)], size=64)
    rows, columns = np.nonzero((image == np.float32(LINE)).all(axis=2))
    assert rows[columns == 0].max() >= 61
    assert rows[columns == 63].min() <= 1
    assert abs(rows[columns == 32].mean() - 31) < 3  # a logarithm: a tenth lies halfway to a hundredth


def add_sphere(name: str, radius: float, subdivisions: int) -> bpy.types.Object:
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=subdivisions, radius=radius)
    obj = bpy.context.object
    obj.name = name
    obj.data.polygons.foreach_set("use_smooth", [True] * len(obj.data.polygons))
    return obj


def test_a_real_fit_moves_the_mesh_and_one_undo_brings_it_back(gpu_ready: None):
    scene = bpy.context.scene
    scene.sge.source = add_sphere("Statue", 1.0, 3)
    scene.sge.view_count, scene.sge.resolution, scene.sge.steps = 6, 48, 40
    scene.sge.shading, scene.sge.texture = "normal", False
    assert bpy.ops.sge.make_references() == {"FINISHED"}
    assert all(reference.normal is not None for reference in references_of_scene(scene, 48))
    add_sphere("Cage", 0.6, 3)
    bpy.ops.ed.undo_push(message="Before")
    assert bpy.ops.sge.fit() == {"FINISHED"}
    reached = np.linalg.norm([v.co for v in bpy.data.objects["Cage"].data.vertices], axis=1)
    assert reached.mean() > 0.7
    assert all(row.psnr_after > row.psnr_before + 1.0 for row in scene.sge.references)
    bpy.ops.ed.undo_push(message="Fit")
    bpy.ops.ed.undo()
    undone = np.linalg.norm([v.co for v in bpy.data.objects["Cage"].data.vertices], axis=1)
    assert np.allclose(undone, 0.6)
