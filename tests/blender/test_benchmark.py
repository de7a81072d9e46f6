# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark measures what it says; how long anything takes is not a fact to test."""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import bpy  # noqa: F401 - brings gpu, which the modules below import
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import benchmark
import benchmark_cages as cages
import benchmark_metrics as metrics
import benchmark_speed as speed
import benchmark_tables as tables
from benchmark_cases import CageCase, QualityCase, SpeedCase
from benchmark_floor import COLOUR, Floor, TextureFloor
from benchmark_meshes import cube_sphere

from sge_addon.core.assembly import assemble
from sge_addon.core.footprint import Footprint
from sge_addon.core.lights import SunLights
from sge_addon.core.lookups import covered_pixels, drawn_lookups
from sge_addon.core.orbit import orbit_views
from sge_addon.core.surface import Surface, smooth_groups
from sge_addon.core.texture_pyramid import PyramidLayout
from sge_addon.core.texture_source import sample_pattern
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.raster.tables import Reader
from sge_addon.raster.targets import TargetPool

pytestmark = pytest.mark.usefixtures("gpu_ready")

# As the issue that asked for the benchmark lists them.
FIELDS = {"task", "triangles", "vertices", "resolution", "texture_size", "ms_per_step", "stages"}
FIELDS |= {"floor_ms", "ratio", "peak_memory_mb"}
VIEW = orbit_views((0.0, 0.0, 0.0), 1.0, 3, 96, 64)[1]


def surface(triangles: int, radius: float = 1.0) -> Surface:
    sphere = cube_sphere(triangles, radius)
    return Surface("sphere", sphere.positions, sphere.triangles, smooth_groups(sphere.triangles), sphere.uvs)


def test_sphere_is_closed_faces_outwards_and_has_a_chart_a_side() -> None:
    sphere = cube_sphere(300, radius=2.0)
    faces = sphere.triangles
    assert len(faces) == 300
    assert np.allclose(np.linalg.norm(sphere.positions, axis=1), 2.0, atol=1e-6)
    directed = Counter(
        (int(a), int(b)) for face in faces for a, b in zip(face, np.roll(face, -1), strict=True)
    )
    assert set(directed.values()) == {1}
    assert all((b, a) in directed for a, b in directed)
    assert len(sphere.positions) - len(directed) // 2 + len(faces) == 2  # Euler
    a, b, c = sphere.positions[faces].transpose(1, 0, 2)
    assert (np.cross(b - a, c - a) * a).sum(axis=1).min() > 0.0
    u, v = (sphere.uvs[:, 1:] - sphere.uvs[:, :1]).transpose(2, 1, 0)
    area = 0.5 * np.abs(u[0] * v[1] - u[1] * v[0])
    assert np.isclose(area.sum(), (1.0 - 2.0 * 0.02) ** 2)  # six charts fill all but their margins
    assert sphere.uvs.min() > 0.0
    assert sphere.uvs.max() < 1.0


def test_floor_draws_the_mesh_twice_in_one_colour_and_reads_8_bytes_a_pixel() -> None:
    shown = surface(108)
    floor = Floor(shown.positions, shown.triangles, VIEW)
    for target in floor.targets:
        with target.framebuffer.bind():
            target.clear()
    assert floor.run() == 8 * VIEW.width * VIEW.height
    ids = Rasteriser(assemble([shown]), "unlit", SunLights()).uv_buffer(VIEW, (0.0, 0.0), 1).ids
    assert ids.any()
    assert not ids.all()
    assert len(floor.targets) == 2
    for target in floor.targets:
        assert target.formats == {"colour": "RGBA16F", "id": "R32UI"}
        assert np.array_equal(Reader().read(target, 1, 1, "UINT"), ids)
        colour = Reader().read(target, 0, 4, "FLOAT")
        assert np.array_equal(colour, np.where(ids[..., None] > 0, np.float32(COLOUR), np.float32(0.0)))


def test_texture_floor_makes_the_residuals_of_a_texture_step() -> None:
    shown = surface(108)
    random = np.random.default_rng(0)
    texture = random.random((16, 32, 3), dtype=np.float32)
    reference = random.random((VIEW.height, VIEW.width, 4), dtype=np.float32)
    rasteriser = Rasteriser(assemble([shown]), "unlit", SunLights())
    lookups = [
        replace(lookup, level=np.full_like(lookup.level, -9.0))  # the finest
        for lookup in (rasteriser.uv_buffer(VIEW, offset, 1) for offset in sample_pattern(0))
    ]
    found = TextureFloor(lookups, reference, texture).run().reshape(-1, 4)
    pixels = np.unique(np.concatenate([covered_pixels(lookup) for lookup in lookups]))
    layout = PyramidLayout(16, 32)
    always = [replace(lookup, ids=np.maximum(lookup.ids, 1)) for lookup in lookups]
    footprint = Footprint(drawn_lookups(always, pixels), np.zeros(108, np.int32), 0, layout)
    expected = reference.reshape(-1, 4)[pixels, :3] - footprint.read(layout.pack(texture))
    np.testing.assert_allclose(found[pixels, :3], expected, atol=1e-5)
    assert not np.delete(found, pixels, axis=0).any()


@pytest.mark.parametrize("task", ["shape", "texture", "both"])
def test_row_has_its_fields_and_its_stages_make_up_the_steps(task: str) -> None:
    row = speed.measure(SpeedCase(task, 100, 32, None if task == "shape" else 16), budget=0.0)
    assert set(row) >= FIELDS
    assert json.loads(json.dumps(row)) == row
    assert (row["task"], row["triangles"], row["vertices"]) == (task, 108, 56)
    assert row["texture_size"] == (None if task == "shape" else 16)
    assert row["ratio"] == pytest.approx(row["ms_per_step"] / row["floor_ms"])
    solves = row["stages"].get("solve", 0.0)
    assert row["ratio_without_solves"] == pytest.approx((row["ms_per_step"] - solves) / row["floor_ms"])
    phases = 2 if task == "both" else 1
    assert row["samples"] == phases * speed.LEAST
    moves = task != "texture"
    assert {"raster", "read", "solve"} <= set(row["stages"]) or not moves
    assert (row["factorise_ms"] is not None) == moves
    assert (row["first_visit_ms"] is not None) == (task != "shape")
    assert all(math.isfinite(ms) for ms in row["stages"].values())
    assert len(tables.speed_line(row)) == len(tables.speed_head())


@pytest.mark.parametrize("estimator", ["edge", "sge", "paper"])
def test_rows_may_rasterise_ahead(estimator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[TargetPool] = []
    monkeypatch.setattr(TargetPool, "begin", lambda pool: begun.append(pool))
    for ahead in (False, True):
        begun.clear()
        row = speed.measure(SpeedCase("shape", 100, 32, None, estimator, ahead), budget=0.0)
        assert row["ahead"] is ahead
        assert bool(begun) is (ahead and estimator != "paper")  # which stays as it was published
        assert ("ahead" in tables.speed_line(row)) is ahead
        assert row["samples"] == speed.LEAST


def test_fits_that_begin_with_small_pictures_are_measured_in_all_their_parts() -> None:
    solver = speed.PhasedSolver(speed.make_problem(SpeedCase("shape", 100, 256)), speed.Stopwatch())
    parts = solver.parts()
    source = solver._source()
    assert [source.halvings(0, part.progress) for part in parts] == [2, 1, 0]
    assert sum(part.share for part in parts) == pytest.approx(1.0)
    for part, following in itertools.pairwise(parts):
        assert part.progress + 0.5 * part.share == pytest.approx(following.progress - 0.5 * following.share)
    (whole,) = solver.phases()
    assert source.halvings(0, whole.progress) == 0
    row = speed.measure(SpeedCase("shape", 100, 128), budget=0.0)
    assert row["fit_ratio"] == pytest.approx(row["fit_ms"] / row["floor_ms"])
    assert len(tables.speed_line(row)) == len(tables.speed_head())
    sges = speed.PhasedSolver(
        speed.make_problem(SpeedCase("shape", 100, 256, None, "sge")), speed.Stopwatch()
    )
    assert len(sges.parts()) == 3
    for case in (SpeedCase("shape", 100, 128, None, "paper"), SpeedCase("both", 100, 128, 16)):
        assert speed.PhasedSolver(speed.make_problem(case), speed.Stopwatch()).parts() == []


def test_joint_fit_is_measured_in_both_of_its_phases() -> None:
    problem = speed.make_problem(SpeedCase("both", 100, 32, 16))
    solver = speed.PhasedSolver(problem, speed.Stopwatch())
    moving, resting = solver.phases()
    assert moving.share + resting.share == pytest.approx(1.0)
    for phase in (moving, resting):
        before = solver.shape.positions()[0]
        steps = solver.steps_of(phase)
        next(steps)
        assert (solver.shape.positions()[0] is not before) == phase.moves


def test_seen_points_of_a_sphere_are_those_that_face_the_camera() -> None:
    sphere = surface(1200)
    points, triangle = metrics.surface_points(sphere, 4000, seed=0)
    seen = metrics.seen_by_any(sphere, points, triangle, [VIEW])
    to_eye = VIEW.camera_to_world[:3, 3] - points
    facing = (points * to_eye).sum(axis=1) / np.linalg.norm(to_eye, axis=1)  # cosine
    certain = np.abs(facing) > 0.1  # the triangles of the outline are partly seen
    assert certain.mean() > 0.8
    assert np.array_equal(seen[certain], facing[certain] > 0.0)


def test_chamfer_distance_of_concentric_spheres_is_the_difference_of_their_radii() -> None:
    chamfer = metrics.ChamferDistance(surface(2700, 2.0), orbit_views((0.0, 0.0, 0.0), 2.0, 6, 64, 64))
    assert chamfer(surface(2700, 2.2)) == pytest.approx(0.1, rel=0.01)  # of a radius of 2
    assert chamfer(surface(2700, 2.0)) < 0.01


def test_texel_weights_sum_to_the_covered_pixels() -> None:
    sphere = surface(108)
    weights = metrics.texel_weights(sphere, [VIEW, VIEW], 32)
    ids = Rasteriser(assemble([sphere]), "unlit", SunLights()).uv_buffer(VIEW, (0.0, 0.0), 2).ids
    assert weights.sum() == pytest.approx(2.0 * (ids > 0).sum() / 4.0)
    assert weights.min() >= 0.0


def test_texel_psnr_counts_seen_texels_only() -> None:
    truth = np.zeros((2, 2, 3), np.float32)
    texture = truth.copy()
    texture[0, 0] = 0.1
    texture[1, 1] = 1.0
    weights = np.asarray([[1.0, 0.3], [0.3, 0.25]])  # the last does not lie above 0.25
    assert metrics.texel_psnr(texture, truth, weights) == pytest.approx(
        -10.0 * math.log10(0.01 / 3.0), abs=1e-4
    )


def test_iou_by_hand() -> None:
    first = np.asarray([[1.0, 0.6, 0.5], [0.0, 0.9, 0.0]])
    second = np.asarray([[1.0, 0.2, 0.7], [0.0, 0.9, 0.0]])
    assert metrics.coverage_iou(first, second) == pytest.approx(2.0 / 4.0)


def test_worst_seed_counts_and_what_is_missed_is_named() -> None:
    case = QualityCase("shape", "ico", 10, {"chamfer": 0.01, "iou": 0.9})
    runs = [
        {"seed": 0, "steps": 10, "chamfer": 0.008, "iou": 0.95, "seconds": 2.0},
        {"seed": 1, "steps": 10, "chamfer": 0.011, "iou": 0.93, "seconds": 1.0},
    ]
    row = tables.quality_row(case, runs)
    assert row["worst"] == {"chamfer": 0.011, "iou": 0.93, "seconds": 2.0}
    assert row["missed"] == ["chamfer"]
    line = tables.quality_line(row)
    assert "! 0.01100 (<= 0.01)" in line
    assert len(line) == len(tables.quality_head())


def test_json_file_holds_machine_and_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = speed.measure(SpeedCase("shape", 100, 32), budget=0.0)
    asked = []

    def run_row(python: Path, script: str, case: dict) -> dict:
        asked.append((script, SpeedCase(**case)))
        return {"machine": "this one", "row": row}

    monkeypatch.setattr(benchmark, "run_row", run_row)
    monkeypatch.setattr(
        benchmark.environment, "prepare", lambda needed: SimpleNamespace(python=Path("python"))
    )
    target = tmp_path / "speed.json"
    assert benchmark.main(["--quick", "--json", str(target)]) == 0
    assert json.loads(target.read_text(encoding="utf-8")) == {
        "machine": "this one",
        "rows": [row] * len(asked),
    }
    assert {case.task for _, case in asked} == {"shape", "texture", "both", "maps"}


def test_a_cage_s_row_holds_both_ways_of_evaluating_it(empty_file: None) -> None:
    row = cages.measure(CageCase(24, 2, resolution=32), budget=0.0)
    assert (row["faces"], row["cage_vertices"], row["vertices"]) == (24, 26, 386)
    assert row["triangles"] == 768
    assert 5 < row["evaluations"] < 60
    assert len(tables.cage_line(row)) == len(tables.cage_head())
    assert all(row[name] > 0.0 for name in tables.CAGE_FIGURES)


def test_cages_are_asked_for_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def run_row(python: Path, script: str, case: dict) -> dict:
        asked.append((script, case["faces"], case["levels"]))
        raise benchmark.RowFailed(1, "not now")

    monkeypatch.setattr(benchmark, "run_row", run_row)
    monkeypatch.setattr(
        benchmark.environment, "prepare", lambda needed: SimpleNamespace(python=Path("python"))
    )
    assert benchmark.main(["--cages"]) == 1
    rows = [(faces, levels) for faces in (500, 2_000, 10_000) for levels in (1, 2, 3)]
    assert asked == [("benchmark_cages.py", *row) for row in rows]


def test_missing_data_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark_quality import measure

    from sge_addon.core.errors import FitError

    monkeypatch.setenv("SGE_DATA", str(tmp_path))
    with pytest.raises(FitError, match="SGE_DATA"):
        measure("shape", "ico_2562", 1, 0)
