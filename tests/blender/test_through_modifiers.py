# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole fits through modifiers: the cage moves such that what the modifiers make of it matches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.core.metrics import mean_psnr, squared_errors
from sge_addon.core.reference import Reference
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.settings import FitSettings
from sge_addon.job import FitJob, SceneRenderer, make_references, orbit_around
from sge_addon.job.check import check_fit
from sge_addon.job.problem import check_problem
from sge_addon.job.shape_fit import ShapeFit
from sge_addon.scene.files import import_mesh
from sge_addon.scene.stored_settings import registered
from sge_addon.scene.unwrap import unwrap
from tests.blender.displaced_meshes import evaluated_positions
from tests.blender.material_nodes import add_material, image_node, link, principled
from tests.blender.small_world import add_sphere, positions_of, run
from tests.blender.stacks import add_grid, add_inflating_nodes, add_subsurf
from tests.blender.test_objects import add_cube
from tests.meshes import waves

SETTINGS = FitSettings(steps=60, resolution=48, texture_size=32)


@pytest.fixture(autouse=True)
def stored_settings() -> Iterator[None]:
    """Scene.sge, in which the renderer looks for what rendered the references."""
    with registered():
        yield


@pytest.fixture(scope="module")
def references(gpu_ready: None) -> list[Reference]:
    """Six views of a coloured egg."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    source = add_sphere("Egg", (0.8, 0.9, 1.2), colour=waves(32, 32))
    views = orbit_around([source], 6, SETTINGS.resolution)
    return make_references([source], views, SETTINGS, bpy.context.scene)


def add_cage() -> bpy.types.Object:
    """A cube under two levels of subdivision, which make a ball of it."""
    obj = add_cube("Cage")
    unwrap(obj.data, "UVMap", 0.02)
    positions = positions_of("Cage")
    positions *= 1.3 / np.abs(positions).max()
    obj.data.vertices.foreach_set("co", positions.ravel())
    add_subsurf(obj)
    bpy.context.view_layer.update()
    return obj


def fitted(objects: list[bpy.types.Object], references: list[Reference], settings: FitSettings) -> FitJob:
    job = FitJob(bpy.context.scene, objects, references, settings, live=False)
    for _ in job.run():
        pass
    return job


def gain(job: FitJob) -> float:
    figures = job.report["psnr"]["object"]
    return figures["after"] - figures["before"]


def shown_psnr(obj: bpy.types.Object, references: list[Reference], settings: FitSettings) -> float:
    """What the scene's object, evaluated by Blender, shows of the references."""
    bpy.context.view_layer.update()
    renderer = SceneRenderer(bpy.context.scene, [obj], settings)
    return mean_psnr([squared_errors(each, renderer.render(each.view))[0] for each in references])


def test_the_cage_moves_and_the_stack_stays(empty_file: None, references: list[Reference]) -> None:
    obj = add_cage()
    start = positions_of("Cage")
    job = fitted([obj], references, SETTINGS)
    assert gain(job) > 2.0
    assert [each.type for each in obj.modifiers] == ["SUBSURF"]
    assert len(obj.data.vertices) == 8
    assert np.abs(positions_of("Cage") - start).max() > 0.05
    assert not any("modifiers" in notice for notice in job.notices)
    # What was measured in the fit is what Blender makes of the result.
    assert shown_psnr(obj, references, SETTINGS) == pytest.approx(
        job.report["psnr"]["object"]["after"], abs=0.05
    )


def test_without_modifiers_the_base_mesh_is_compared(empty_file: None, references: list[Reference]) -> None:
    settings = replace(SETTINGS, steps=2, through_modifiers=False)
    job = fitted([add_cage()], references, settings)
    assert any("without its modifiers (Subdivision)" in notice for notice in job.notices)


@pytest.mark.parametrize("kind", ["solidify", "nodes"])
def test_what_is_not_linear_is_fitted_as_well(
    kind: str, empty_file: None, references: list[Reference]
) -> None:
    obj = add_cage()
    if kind == "solidify":
        obj.modifiers.new("Shell", "SOLIDIFY").thickness = 0.1
    else:
        add_inflating_nodes(obj, 0.1)
    job = fitted([obj], references, SETTINGS)
    assert gain(job) > 2.0
    (notice,) = (each for each in job.notices if "Blender evaluates its modifiers" in each)
    assert obj.modifiers[-1].name in notice
    assert job.report["stages"]["modifiers"] > 0.0
    assert shown_psnr(obj, references, SETTINGS) == pytest.approx(
        job.report["psnr"]["object"]["after"], abs=0.05
    )


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("estimator", ["paper", "edge"])
def test_estimators_through_modifiers(
    estimator: str, linear: bool, empty_file: None, references: list[Reference]
) -> None:
    """The paper's recipe perturbs cages as they are; the deterministic gradient has to know their map, and
    says by name where it does not."""
    obj = add_cage()
    if not linear:
        obj.modifiers.new("Shell", "SOLIDIFY").thickness = 0.1
    settings = replace(SETTINGS, estimator=estimator, texture=False, match=("alpha",))
    job = fitted([obj], references, settings)
    falls_back = estimator == "edge" and not linear
    assert job.report["estimators"] == ["sge" if falls_back else estimator]
    warnings = check_fit(bpy.context.scene, [obj], references, asdict(settings))
    for texts in (job.notices, [each.text for each in warnings]):
        told = [text for text in texts if "the Estimator 'edge'" in text]
        assert len(told) == falls_back
        assert all("'Cage'" in text and "takes 'sge'" in text for text in told)
    losses = [loss for _, loss in job.report["loss"]]
    assert np.mean(losses[-12:]) < 0.7 * np.mean(losses[:12])


def test_signs_average_over_fewer_steps_where_meshes_are_fitted_alone(
    empty_file: None, references: list[Reference]
) -> None:
    bare, modified = add_sphere("Bare", (1.0, 1.0, 1.0)), add_cage()
    painted = add_sphere("Painted", (1.0, 1.0, 1.0))
    painted.data.materials.clear()
    painted.data.materials.append(paint := add_material("Paint"))
    image = image_node(paint, bpy.data.images.new("Paint", 4, 4))
    link(paint, image, principled(paint), "Base Color")
    alone = replace(SETTINGS, estimator="sge", texture=False)
    momentum = [
        ShapeFit(
            check_problem(bpy.context.scene, [obj], references, settings), ShapeSchedule()
        )._schedule.momentum
        for obj, settings in (
            (bare, alone),
            (painted, replace(alone, match=("alpha",))),
            (painted, alone),
            (bare, replace(alone, texture=True)),
            (modified, alone),
        )
    ]
    assert momentum[0] == momentum[1] < min(momentum[2:]) == ShapeSchedule().momentum


def test_textures_alone_are_fitted_to_the_evaluated_mesh(
    empty_file: None, references: list[Reference]
) -> None:
    obj = add_cage()
    start = positions_of("Cage")
    job = fitted([obj], references, replace(SETTINGS, shape=False))
    assert gain(job) > 1.0
    np.testing.assert_array_equal(positions_of("Cage"), start)


def test_halves_of_a_mirror_stay_joined(empty_file: None, references: list[Reference]) -> None:
    """The vertices on the plane do not leave it by one bit, and none crosses it."""
    obj = add_cage()
    half = bpy.data.objects["Cage"].data
    positions = positions_of("Cage")
    positions[:, 0] = np.maximum(positions[:, 0], 0.0)
    half.vertices.foreach_set("co", positions.ravel())
    face = next(each for each in half.polygons if all(positions[v, 0] == 0.0 for v in each.vertices))
    import bmesh

    edited = bmesh.new()
    edited.from_mesh(half)
    edited.faces.ensure_lookup_table()
    bmesh.ops.delete(edited, geom=[edited.faces[face.index]], context="FACES_ONLY")
    edited.to_mesh(half)
    edited.free()
    mirror = obj.modifiers.new("Mirror", "MIRROR")
    obj.modifiers.move(1, 0)
    on_plane = positions_of("Cage")[:, 0] == 0.0
    assert on_plane.sum() == 4
    count = len(evaluated_positions(obj))
    job = fitted([obj], references, replace(SETTINGS, steps=120))
    assert gain(job) > 1.0
    after = positions_of("Cage")
    assert (after[on_plane, 0] == 0.0).all()
    assert (after[~on_plane, 0] > mirror.merge_threshold).all()
    found = evaluated_positions(obj)
    assert len(found) == count
    flipped = found * (-1.0, 1.0, 1.0)
    distance = np.abs(found[:, None] - flipped[None]).max(axis=2).min(axis=1)
    assert distance.max() < 1e-6


def test_levels_grow_with_the_stages(
    empty_file: None, references: list[Reference], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sge_addon.job import stages

    seen = []
    at_level = stages.at_level

    def noted(*arguments):
        surfaces, stacks = at_level(*arguments)
        seen.append(len(surfaces[0].positions))
        return surfaces, stacks

    monkeypatch.setattr(stages, "at_level", noted)
    obj = add_cage()
    job = fitted([obj], references, replace(SETTINGS, stages=2, coarse_levels=True))
    assert seen == [26, 98]  # a cube under one and under two levels
    assert gain(job) > 2.0


def test_a_stopped_fit_goes_on_as_if_it_had_not_been(empty_file: None, references: list[Reference]) -> None:
    settings = replace(SETTINGS, steps=20)
    whole = fitted([add_cage()], references, settings)
    expected = positions_of("Cage")
    bpy.data.objects.remove(bpy.data.objects["Cage"])
    obj = add_cage()
    job = FitJob(bpy.context.scene, [obj], references, settings, live=True)
    for progress in job.run():
        if progress.step == 7:
            job.stop()
    for _ in job.run():
        pass
    np.testing.assert_array_equal(positions_of(obj.name), expected)
    assert job.report["loss"] == whole.report["loss"]


def test_boundaries_can_be_pinned_with_and_without_modifiers(
    empty_file: None, references: list[Reference]
) -> None:
    for stacked in (False, True):
        obj = add_grid(f"Sheet {stacked}", side=5)
        if stacked:
            add_subsurf(obj, 1)
        start = positions_of(obj.name)
        settings = replace(SETTINGS, steps=10, texture=False, match=("alpha",), pin_boundary=True)
        fitted([obj], references, settings)
        moved = np.abs(positions_of(obj.name) - start).max(axis=1).reshape(5, 5) > 0.0
        assert moved[1:-1, 1:-1].all()
        assert moved.sum() == 9


def test_what_cannot_be_gone_through_is_refused_by_name(
    empty_file: None, references: list[Reference]
) -> None:
    obj = add_cage()
    obj.modifiers.new("Flag", "CLOTH")
    with pytest.raises(FitError, match=r"'Cage'.*'Flag'"):
        FitJob(bpy.context.scene, [obj], references, SETTINGS)
    values = vars(SETTINGS)
    assert any(
        "'Flag'" in each.text and each.is_error
        for each in check_fit(bpy.context.scene, [obj], references, values)
    )
    without = check_fit(bpy.context.scene, [obj], references, values | {"through_modifiers": False})
    assert not any("'Flag'" in each.text and each.is_error for each in without)


def test_headless_saves_the_stack_and_exports_what_it_makes(
    empty_file: None, references: list[Reference], tmp_path: Path
) -> None:
    add_cage()
    add_sphere("Egg", (0.8, 0.9, 1.2), colour=waves(32, 32))
    scene, saved, exported = tmp_path / "scene.blend", tmp_path / "saved.blend", tmp_path / "mesh.obj"
    bpy.ops.wm.save_as_mainfile(filepath=str(scene), check_existing=False)
    common = [scene, "--object", "Cage", "--reference-object", "Egg", "--views", "4", "--steps", "5"]
    common += ["--resolution", "32", "--texture-size", "16", "--quiet"]
    assert run(*common, "--save", saved, "--export", exported) == 0
    (mesh,) = import_mesh(exported)
    assert len(mesh.data.vertices) == 98
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    assert [each.type for each in bpy.data.objects["Cage"].modifiers] == ["SUBSURF"]
    assert len(bpy.data.objects["Cage"].data.vertices) == 8
    assert run(*common, "--no-through-modifiers") == 0
