# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finer meshes for coarse ones: what stays, what is refused, and fits in stages that use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.assembly import assemble
from sge_addon.core.errors import FitError
from sge_addon.core.lights import SunLights
from sge_addon.core.pixel_scale import edge_pixels
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.job import FitJob, make_references, orbit_around
from sge_addon.job.live import LiveWriter, Reached
from sge_addon.job.problem import check_problem
from sge_addon.job.remeshing import Remeshing
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.scene.files import import_mesh
from sge_addon.scene.objects import surface_from_object
from sge_addon.scene.remesh import subdivide_long_edges, voxel_size
from sge_addon.scene.remesh_check import open_edges
from sge_addon.scene.stored_settings import registered
from sge_addon.scene.unwrap import unwrap
from tests.blender.small_world import SmallWorld, add_sphere, pixels_of, positions_of, read_json, run
from tests.meshes import perspective_view, waves

SIZE = 48
COMMON = {"steps": 40, "stages": 2, "resolution": SIZE, "texture_size": 64, "edge_length": 4.0}
MODES = ("subdivide", "voxel")


@pytest.fixture(scope="module")
def references(gpu_ready: None) -> list[Reference]:
    """Six views of a longer, coloured sphere."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    source = add_sphere("Source", (0.8, 0.8, 1.1), colour=waves(16, 16))
    views = orbit_around([source], 6, SIZE)
    return make_references([source], views, FitSettings(resolution=SIZE), bpy.context.scene)


def unwrapped_sphere(name: str = "Start") -> bpy.types.Object:
    """Its UV map repeats nowhere, unlike that of ``add_sphere``."""
    obj = add_sphere(name, (0.9, 0.9, 0.9))
    unwrap(obj.data, "UVMap", 0.02)
    return obj


def job_on(obj: bpy.types.Object, references: list[Reference], **settings) -> FitJob:
    return FitJob(bpy.context.scene, [obj], references, FitSettings(**{**COMMON, **settings}), live=False)


def finish(job: FitJob) -> dict:
    for _ in job.run():
        pass
    return job.report


# --- The tools


def test_subdividing_keeps_uv_map_materials_groups_and_place() -> None:
    obj = add_sphere("Sphere", (1.0, 1.0, 1.0), colour=waves(8, 8))
    group = obj.vertex_groups.new(name="All")
    group.add(list(range(162)), 0.5, "REPLACE")
    before = surface_from_object(obj)
    views = [perspective_view(64, 64)]
    added = subdivide_long_edges(obj, views, 4.0)
    mesh = obj.data
    assert added > 0
    assert len(mesh.vertices) == 162 + added
    after = surface_from_object(obj)
    edges = np.asarray([edge.vertices[:] for edge in mesh.edges])
    assert edge_pixels(after.positions, edges, views).max() <= 4.0 * 4.0 / 3.0 + 1e-3
    assert np.array_equal(after.positions[:162], before.positions)
    assert (mesh.name, mesh.materials[0].name, mesh.uv_layers[0].name) == ("Sphere", "Sphere", "UVMap")
    assert all(vertex.groups[0].weight == pytest.approx(0.5) for vertex in mesh.vertices)
    assert open_edges(mesh) == 0
    # UVs are the map of positions that the sphere was given, linear on each old triangle.
    plane = np.asarray([[0.37, 0.11], [-0.15, 0.41], [0.29, -0.23]], np.float32)
    expected = after.positions[after.triangles] @ plane + np.float32(0.45)
    assert after.uvs == pytest.approx(expected, abs=1e-5)


def test_subdividing_makes_no_slivers_and_no_fins() -> None:
    """Where neighbours' edges are halved or not, in every round."""
    obj = add_sphere("Uneven", (1.0, 1.0, 1.0))
    mesh = obj.data
    for vertex in mesh.vertices:
        vertex.co *= 1.0 + 0.4 * np.sin(5.0 * vertex.co.x) * np.cos(4.0 * vertex.co.y)
    for size in (32, 64, 128):
        bpy.context.view_layer.update()
        subdivide_long_edges(obj, [perspective_view(size, size)], 4.0)
        made = surface_from_object(obj)
        corners = made.positions[made.triangles].astype(np.float64)
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
        assert (area > 0.02 * longest**2).all()
        assert len(np.unique(np.sort(made.triangles, axis=1), axis=0)) == len(made.triangles)


def test_subdividing_leaves_what_is_outside_the_vertex_group() -> None:
    obj = add_sphere("Sphere", (1.0, 1.0, 1.0))
    above = [vertex.index for vertex in obj.data.vertices if vertex.co.z > 0.0]
    obj.vertex_groups.new(name="Above").add(above, 1.0, "REPLACE")
    lowest = sorted(vertex.co.z for vertex in obj.data.vertices)[:60]
    assert subdivide_long_edges(obj, [perspective_view(64, 64)], 4.0, "Above") > 0
    assert sorted(vertex.co.z for vertex in obj.data.vertices)[:60] == lowest


def test_unwrapping_leaves_scene_and_selection_alone() -> None:
    chosen, obj = add_sphere("Chosen", (1, 1, 1)), add_sphere("Sphere", (1, 1, 1))
    chosen.select_set(True)
    bpy.context.view_layer.objects.active = chosen
    unwrap(obj.data, "New", 0.01)
    assert bpy.context.view_layer.objects.active == chosen
    assert list(bpy.context.selected_objects) == [chosen]
    assert (bpy.context.mode, len(bpy.data.scenes)) == ("OBJECT", 1)
    assert {each.name for each in bpy.data.objects} == {"Chosen", "Sphere"}
    layer = obj.data.uv_layers["New"]
    uvs = np.empty((len(obj.data.loops), 2), np.float32)
    layer.uv.foreach_get("vector", uvs.ravel())
    assert layer.active_render
    assert uvs.min() >= 0.0
    assert uvs.max() <= 1.0
    assert np.ptp(uvs) > 0.5


# --- Fits


@pytest.mark.parametrize("mode", MODES)
def test_fit_with_remeshing_comes_closer_with_more_vertices(references: list[Reference], mode: str) -> None:
    obj = unwrapped_sphere()
    report = finish(job_on(obj, references, remesh=mode, steps=150))
    assert len(obj.data.vertices) > 162
    assert open_edges(obj.data) == 0
    assert (report["steps"], [step for step, _ in report["loss"]]) == (150, list(range(1, 151)))
    figures = report["psnr"]["object"]
    assert figures["after"] > figures["before"] + 8.0
    assert obj.data.uv_layers[0].name == "UVMap"
    assert [image.name for image in bpy.data.images] == ["Start.sge"]


@pytest.mark.parametrize("mode", MODES)
def test_same_seed_gives_the_same_bits(references: list[Reference], mode: str) -> None:
    for name in ("A", "B"):
        finish(job_on(unwrapped_sphere(name), references, remesh=mode))
    assert positions_of("A").tobytes() == positions_of("B").tobytes()
    assert pixels_of("A.sge").tobytes() == pixels_of("B.sge").tobytes()


@pytest.mark.parametrize("mode", MODES)
def test_stopping_in_any_stage_keeps_what_is_reached_and_goes_on(
    references: list[Reference], mode: str
) -> None:
    """Stopped in the first, in the second and right after remeshing; then continued to the very same end."""
    finish(job_on(unwrapped_sphere("Whole"), references, remesh=mode))
    job = job_on(unwrapped_sphere("Stopped"), references, remesh=mode)
    for stop_at in (2, 6, 20):
        for progress in job.run():
            if progress.stage == "Fitting" and progress.step == stop_at:
                job.stop()
        assert job.report["steps"] == stop_at
        assert job.report["psnr"]["object"]["after"] is not None
    finish(job)
    assert positions_of("Stopped").tobytes() == positions_of("Whole").tobytes()
    assert pixels_of("Stopped.sge").tobytes() == pixels_of("Whole.sge").tobytes()


def test_progress_rises_over_all_stages(references: list[Reference]) -> None:
    job = job_on(unwrapped_sphere(), references, remesh="subdivide", stages=3)
    fitting = [progress for progress in job.run() if progress.stage == "Fitting"]
    assert [progress.step for progress in fitting] == list(range(1, 41))
    assert [progress.fraction for progress in fitting] == pytest.approx([step / 40 for step in range(1, 41)])


def test_voxels_carry_colour_materials_groups_and_shading_over(references: list[Reference]) -> None:
    """A sphere, red above and blue below, in two materials; the fit stops right after remeshing."""
    obj = unwrapped_sphere("Two")
    mesh = obj.data
    for name, colour in (("Above", (0.8, 0.1, 0.1, 1.0)), ("Below", (0.1, 0.1, 0.8, 1.0))):
        material = bpy.data.materials.new(name)
        if material.node_tree is None:  # before Blender 5
            material.use_nodes = True
        material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = colour
        mesh.materials.append(material)
    for polygon in mesh.polygons:
        polygon.material_index = int(polygon.center.z < 0.0)
        polygon.use_smooth = polygon.center.z >= 0.0
    obj.vertex_groups.new(name="Unused")
    group = obj.vertex_groups.new(name="Height")
    for vertex in mesh.vertices:
        group.add([vertex.index], 0.5 + 0.5 * vertex.co.z, "REPLACE")
    finish(job_on(obj, references, remesh="voxel", texture=False, steps=2))
    assert obj.data == mesh
    assert [material.name for material in mesh.materials] == ["Above", "Below"]
    assert [each.name for each in obj.vertex_groups] == ["Unused", "Height"]
    assert len(mesh.vertices) != 162
    clear = [polygon for polygon in mesh.polygons if abs(polygon.center.z) > 0.25]
    assert all(polygon.material_index == int(polygon.center.z < 0.0) for polygon in clear)
    assert all(polygon.use_smooth == (polygon.center.z >= 0.0) for polygon in clear)
    weights = {vertex.index: {e.group: e.weight for e in vertex.groups} for vertex in mesh.vertices}
    for vertex in mesh.vertices:
        assert weights[vertex.index][1] == pytest.approx(0.5 + 0.5 * vertex.co.z, abs=0.1)


def test_voxels_carry_the_texture_over(references: list[Reference]) -> None:
    """Onto a new UV map, so that pictures of the old and of the new mesh agree."""
    obj = add_sphere("Start", (0.9, 0.9, 0.9), colour=waves(32, 32))
    settings = FitSettings(**COMMON, remesh="voxel")
    problem = check_problem(bpy.context.scene, [obj], references, settings)
    textures = {material.key: material.texture for material in problem.surfaces[0].materials}
    writer = LiveWriter(problem, Reached([], textures))
    surfaces, known = Remeshing(writer, [])(problem, {key: np.zeros((64, 64)) for key in textures})
    assert [evidence.shape for evidence in known.values()] == [(64, 64)]
    assert 0.3 < np.mean(next(iter(known.values()))) < 1.0
    view = references[0].view
    pictures = [
        Rasteriser(assemble(each), "unlit", SunLights()).render(view).colour
        for each in (problem.surfaces, surfaces)
    ]
    inside = (pictures[0][..., 3] > 0.99) & (pictures[1][..., 3] > 0.99)
    assert inside.sum() > 300
    assert np.abs(pictures[0] - pictures[1])[inside].mean() < 0.02
    assert pictures[0][inside].std(axis=0)[:3].min() > 0.1, "there is colour to carry"
    writer.write(Reached([surface.positions for surface in surfaces], {}), final=True)


def test_transformed_object_is_remeshed_in_its_own_space(references: list[Reference]) -> None:
    plain, moved = unwrapped_sphere("Plain"), unwrapped_sphere("Moved")
    moved.location, moved.rotation_euler, moved.scale = (0.1, 0.0, 0.0), (0.3, 0.2, 0.1), (0.5, 0.5, 0.5)
    bpy.context.view_layer.update()
    moved.data.transform(moved.matrix_world.inverted())
    for obj in (plain, moved):
        finish(job_on(obj, references, remesh="voxel", texture=False, steps=4))
    one, other = (surface_from_object(obj).positions for obj in (plain, moved))
    assert len(one) == pytest.approx(len(other), rel=0.05)
    assert other.min(axis=0) == pytest.approx(one.min(axis=0), abs=0.05)
    assert other.max(axis=0) == pytest.approx(one.max(axis=0), abs=0.05)
    assert tuple(moved.scale) == pytest.approx((0.5, 0.5, 0.5))


# --- What is refused


def give_shape_key(obj: bpy.types.Object) -> None:
    obj.shape_key_add(name="Basis")


def give_modifier(obj: bpy.types.Object) -> None:
    obj.modifiers.new("Bend", "SIMPLE_DEFORM")


def share_mesh(obj: bpy.types.Object) -> None:
    bpy.context.collection.objects.link(bpy.data.objects.new("Twin", obj.data))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (give_shape_key, "'Start' has shape keys"),
        (give_modifier, r"'Start' has modifiers \(Bend\)"),
        (share_mesh, "'Start' and 'Twin' share the mesh"),
    ],
)
def test_meshes_that_must_keep_their_topology_are_refused(
    references: list[Reference], mode: str, change: Callable, message: str
) -> None:
    obj = unwrapped_sphere()
    change(obj)
    with pytest.raises(FitError, match=message):
        job_on(obj, references, remesh=mode)
    assert len(obj.data.vertices) == 162
    job_on(obj, references, remesh="off")


def test_voxels_refuse_what_they_cannot_keep(references: list[Reference]) -> None:
    group = unwrapped_sphere("Grouped")
    group.vertex_groups.new(name="Part").add([0, 1, 2], 1.0, "REPLACE")
    with pytest.raises(FitError, match="outside the vertex group 'Part'"):
        job_on(group, references, remesh="voxel", vertex_group="Part")
    textured = add_sphere("Textured", (0.9, 0.9, 0.9), colour=waves(8, 8))
    with pytest.raises(FitError, match="'Textured' shows the image 'Textured'"):
        job_on(textured, references, remesh="voxel", texture=False)
    opened = unwrapped_sphere("Opened")
    mesh = bpy.data.meshes.new("Opened")
    faces = [tuple(polygon.vertices) for polygon in opened.data.polygons][:-1]
    mesh.from_pydata([vertex.co for vertex in opened.data.vertices], [], faces)
    mesh.uv_layers.new(name="UVMap")
    opened.data = mesh
    with pytest.raises(FitError, match=r"'Opened' is not closed \(3 edges"):
        job_on(opened, references, remesh="voxel")
    job_on(opened, references, remesh="subdivide")


def test_two_objects_with_one_texture_keep_their_uv_maps(references: list[Reference]) -> None:
    first, second = (add_sphere(name, (0.9, 0.9, 0.9), colour=waves(8, 8)) for name in ("One", "Two"))
    second.data.materials[0] = first.data.materials[0]
    with pytest.raises(FitError, match="'One' and 'Two' share a texture"):
        FitJob(bpy.context.scene, [first, second], references, FitSettings(**COMMON, remesh="voxel"))


def test_what_voxels_lose_is_told(references: list[Reference]) -> None:
    obj = unwrapped_sphere()
    obj.data.uv_layers.new(name="Lightmap")
    obj.data.color_attributes.new("Paint", "FLOAT_COLOR", "POINT")
    job = job_on(obj, references, remesh="voxel")
    assert any("UV map 'Lightmap'" in notice and "'Paint'" in notice for notice in job.notices)


@pytest.mark.parametrize("values", [{"stages": 1}, {"shape": False, "stages": 2}])
def test_remeshing_needs_shape_and_stages(values: dict) -> None:
    with pytest.raises(FitError, match="Remesh 'voxel' works on the shape between stages"):
        FitSettings(**{"remesh": "voxel", **values})


# --- Without a window


@pytest.mark.parametrize("mode", MODES)
def test_headless_fit_saves_exports_and_reports_the_finer_mesh(
    world: SmallWorld, tmp_path: Path, mode: str
) -> None:
    saved, exported, report = (tmp_path / name for name in ("fit.blend", "fit.ply", "fit.json"))
    flags = ("--stages", "2", "--remesh", mode, "--edge-length", "3", "--steps", "12", "--texture-size", "64")
    assert run(world.scene, *flags, "--save", saved, "--export", exported, "--report", report) == 0
    figures = read_json(report)
    assert figures["steps"] == 12
    assert len(figures["loss"]) == 12
    assert None not in (figures["psnr"]["object"]["before"], figures["psnr"]["object"]["after"])
    assert (figures["settings"]["stages"], figures["settings"]["remesh"]) == (2, mode)
    (again,) = import_mesh(exported, "Y", "Z")
    count = len(again.data.vertices)
    with registered():
        bpy.ops.wm.open_mainfile(filepath=str(saved))
        assert len(bpy.data.objects["Start"].data.vertices) == count > 162
        assert (bpy.context.scene.sge.stages, bpy.context.scene.sge.remesh) == (2, mode)
    assert bpy.data.images["Start.sge"].packed_file is not None


def test_headless_remeshing_that_is_refused_writes_nothing(
    world: SmallWorld, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert world.from_files("--remesh", "voxel", "--save", tmp_path / "fit.blend") == 2
    assert "set Stages to 2 or more" in capsys.readouterr().err
    assert not (tmp_path / "fit.blend").exists()


def test_mesh_that_is_fine_already_is_told(references: list[Reference]) -> None:
    obj = unwrapped_sphere()
    job = job_on(obj, references, remesh="subdivide", edge_length=30.0, steps=4, stages=3)
    finish(job)
    assert len(obj.data.vertices) == 162
    assert [notice for notice in job.notices if "nothing was subdivided" in notice] == job.notices


def test_finished_fit_goes_on_with_the_finer_mesh(references: list[Reference]) -> None:
    obj = unwrapped_sphere()
    job = job_on(obj, references, remesh="voxel")
    finish(job)
    reached = len(obj.data.vertices)
    job.more = 5
    finish(job)
    assert job.report["steps"] == 45
    assert len(obj.data.vertices) == reached > 162
    assert [step for step, _ in job.report["loss"]] == list(range(1, 46))


def test_voxels_need_a_view_that_tells_their_size() -> None:
    obj = add_sphere("Aside", (0.1, 0.1, 0.1))
    obj.location.x = 50.0
    bpy.context.view_layer.update()
    with pytest.raises(FitError, match="No reference shows a vertex of 'Aside'"):
        voxel_size([obj], [perspective_view(64, 64)], 4.0)
