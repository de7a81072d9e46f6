# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many fits in one process: each as if alone, one bad one costs no other, what is done is not done again."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from sge_addon.headless import main
from sge_addon.job import FitJob
from tests.blender.material_nodes import add_material
from tests.blender.small_world import SmallWorld, pixels_of, positions_of, read_json

SHORT = {"steps": 6, "resolution": 32, "texture_size": 16}
AXES = {"forward_axis": "Y", "up_axis": "Z"}
ENDLESS = 100000000
PATIENCE = 90  # seconds, before a process that does not end is killed


@pytest.fixture
def jobs_file(world: SmallWorld, tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of jobs, which are short; returns its path."""

    def write(*jobs: dict[str, Any], **more: Any) -> Path:
        path = tmp_path / "assets.json"
        path.write_text(json.dumps({"defaults": SHORT, "jobs": jobs, **more}))
        return path

    return write


def from_files(world: SmallWorld, name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "mesh": str(world.mesh), **AXES, "references": str(world.references), **more}


def from_scene(world: SmallWorld, name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "scene": str(world.scene), **more}


def run(path: Path, *flags: str) -> int:
    return main(["--jobs", str(path), "--quiet", *flags])


def statuses(path: Path) -> dict[str, str]:
    rows = read_json(path.parent / f"{path.stem}_fits" / "summary.json")["jobs"]
    return {row["name"]: row["status"] for row in rows}


def saved(folder: Path, name: str) -> tuple[bytes, bytes]:
    """The bits of a fit that was saved: positions and texture."""
    bpy.ops.wm.open_mainfile(filepath=str(folder / f"{name}.blend"))
    return positions_of("Start").tobytes(), pixels_of("Start.sge").tobytes()


# --- Each as if alone


def test_a_fit_after_others_gives_the_same_bits_as_alone(
    world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path
) -> None:
    """Also after one that fails, one of other settings, and one that leaves another scene behind."""
    alone = ["--steps", "6", "--resolution", "32", "--texture-size", "16", "--quiet", "--seed", "5"]
    axes = ["--forward-axis=Y", "--up-axis=Z"]
    inputs = ["--mesh", str(world.mesh), *axes, "--references", str(world.references)]
    assert main([*alone, *inputs, "--save", str(tmp_path / "alone.blend")]) == 0
    before = [
        from_scene(world, "Scene", shape=False),
        from_files(world, "Broken", references="nowhere"),
        from_files(world, "Flat", flat=True, texture=False, loss="l2", match=["alpha"]),
        from_scene(world, "Made", reference_object="Source", views=3, object="Start"),
    ]
    path = jobs_file(*before, from_files(world, "Last", seed=5))
    assert run(path) == 1
    fits = tmp_path / "assets_fits"
    assert saved(fits / "Last", "Last") == saved(tmp_path, "alone")
    assert [obj.name for obj in bpy.data.objects if obj.type == "MESH"] == ["Start"]


def test_nothing_of_a_fit_outlives_it(world: SmallWorld, jobs_file: Callable[..., Path]) -> None:
    """What a job holds, its textures on the GPU with it, goes before the next begins."""
    kept = {id(each) for each in gc.get_objects() if isinstance(each, FitJob)}
    assert run(jobs_file(*(from_files(world, name) for name in "AB"))) == 0
    assert [each for each in gc.get_objects() if isinstance(each, FitJob) and id(each) not in kept] == []


def test_jobs_of_the_opened_file(world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path) -> None:
    """As in ``blender --background scene.blend --python tools/fit.py -- --jobs assets.json``."""
    bpy.ops.wm.open_mainfile(filepath=str(world.scene))
    path = jobs_file({"name": "A", "texture": False}, {"name": "B", "seed": 3}, from_files(world, "C"))
    assert run(path) == 0
    assert all((tmp_path / "assets_fits" / name / f"{name}.blend").is_file() for name in "ABC")


def test_a_frame_of_the_scene(world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path) -> None:
    """The object has gone by frame 9, so its references are met better at frame 1."""
    bpy.ops.wm.open_mainfile(filepath=str(world.scene))
    start = bpy.data.objects["Start"]
    for frame, x in ((1, 0.0), (9, 1.0)):
        start.location.x = x
        start.keyframe_insert("location", frame=frame)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "moving.blend"), check_existing=False)
    jobs = [{"name": f"F{frame}", "scene": "moving.blend", "frame": frame} for frame in (1, 9)]
    assert run(jobs_file(*jobs)) == 0
    before = [
        read_json(tmp_path / "assets_fits" / job["name"] / "report.json")["psnr"]["object"]["before"]
        for job in jobs
    ]
    assert before[0] > before[1] + 1.0


# --- One bad one


def test_bad_jobs_cost_no_other(
    world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "file").touch()
    path = jobs_file(
        from_files(world, "First"),
        from_files(world, "NoMesh", mesh="none.obj"),
        from_files(world, "NoFolder", save="file/a.blend"),
        {"name": "Nothing"},
        from_files(world, "Last", seed=1),
    )
    assert run(path) == 1
    expected = dict.fromkeys(("NoMesh", "NoFolder", "Nothing"), "failed") | {"First": "done", "Last": "done"}
    assert statuses(path) == expected
    errors = capsys.readouterr().err
    assert "error: [2/5] NoMesh: Mesh file" in errors
    assert "error: [3/5] NoFolder: Folder" in errors
    assert "error: [4/5] Nothing: Nothing to fit" in errors
    summary = read_json(tmp_path / "assets_fits" / "summary.json")
    assert summary["counts"] == {
        "done": 2,
        "done before": 0,
        "failed": 3,
        "interrupted": 0,
        "not run": 0,
        "running": 0,
    }
    assert sorted(each.name for each in (tmp_path / "assets_fits").iterdir()) == [
        "First",
        "Last",
        "summary.json",
    ]
    assert "none.obj" in summary["jobs"][1]["problems"][0]
    assert summary["jobs"][0]["psnr"]["object"]["after"] is not None


def test_a_defect_costs_no_other_job(
    world: SmallWorld, jobs_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """One that our own code did not foresee."""
    import sge_addon.headless.single_fit as single_fit

    once = iter([ZeroDivisionError("by zero")])
    fitted = single_fit.FitJob

    def defective(*arguments: Any, **more: Any) -> FitJob:
        for error in once:
            raise error
        return fitted(*arguments, **more)

    monkeypatch.setattr(single_fit, "FitJob", defective)
    path = jobs_file(from_files(world, "A"), from_files(world, "B"))
    assert run(path) == 1
    assert statuses(path) == {"A": "failed", "B": "done"}
    assert "ZeroDivisionError: by zero" in capsys.readouterr().err


def test_maps_of_objects_that_have_one_name_are_not_written_over(
    world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """What they are called is known only when a job opens its scene; also where the first is done already."""
    bpy.ops.wm.open_mainfile(filepath=str(world.scene))
    bpy.data.objects["Start"].data.materials.append(add_material("Plain"))
    bpy.context.scene.world = bpy.data.worlds.new("Grey")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "lit.blend"), check_existing=False)
    lit = {
        "scene": "lit.blend",
        "shading": "lit",
        "maps": ["base_color"],
        "search": False,
        "match": ["colour"],
    }
    rows = [{"name": name, "export": "out/{name}.glb", **lit} for name in "AB"]
    path = jobs_file(*rows)
    for first in ("done", "done before"):
        assert run(path) == 1
        assert statuses(path) == {"A": first, "B": "failed"}
        assert "'Start_base_color.png' would be written over that of job 'A'" in capsys.readouterr().err
    rows[1]["export"] = "out/B/b.glb"
    assert run(jobs_file(*rows)) == 0


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([{"name": "A"}, {"name": "B", "stepps": 1}], "job 'B': there is no field 'stepps'"),
        ([{"name": "A", "save": "x.blend"}, {"name": "B", "save": "x.blend"}], "would both write"),
    ],
)
def test_nothing_runs_where_the_file_is_wrong(
    jobs_file: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture, jobs: list, expected: str
) -> None:
    assert run(jobs_file(*jobs)) == 2
    assert expected in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["assets.json"]


def test_check_tells_of_all_jobs_and_writes_nothing(
    world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = jobs_file(from_files(world, "A"), from_files(world, "B", mesh="none.obj"), from_scene(world, "C"))
    assert run(path, "--check") == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert errors[0].startswith("error: [2/3] B: ")
    assert [each.name for each in tmp_path.iterdir()] == ["assets.json"]
    assert run(jobs_file(from_files(world, "A")), "--check") == 0


def test_check_leaves_out_what_an_earlier_job_is_to_write(
    world: SmallWorld, jobs_file: Callable[..., Path], capsys: pytest.CaptureFixture
) -> None:
    path = jobs_file(
        from_scene(world, "Coarse", save="coarse.blend"), {"name": "Fine", "scene": "coarse.blend"}
    )
    assert run(path, "--check") == 0
    assert "note: [2/2] Fine: " in capsys.readouterr().err


# --- What is done


def test_only_what_changed_runs_again(
    world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path
) -> None:
    mesh = tmp_path / "own.obj"
    mesh.write_bytes(world.mesh.read_bytes())
    rows = [from_files(world, "Same"), from_files(world, "Seed"), from_files(world, "Mesh", mesh="own.obj")]
    rows += [from_files(world, "Gone"), from_files(world, "Cut")]
    assert run(jobs_file(*rows)) == 0
    assert set(statuses(tmp_path / "assets.json").values()) == {"done"}

    rows[1]["seed"] = 8
    os.utime(mesh, (1, 1))
    fits = tmp_path / "assets_fits"
    (fits / "Gone" / "Gone.blend").unlink()
    cut = (fits / "Cut" / "report.json").read_text()
    (fits / "Cut" / "report.json").write_text(cut[: len(cut) // 2])
    assert run(jobs_file(*rows)) == 0
    again = {"Same": "done before", "Seed": "done", "Mesh": "done", "Gone": "done", "Cut": "done"}
    assert statuses(tmp_path / "assets.json") == again
    assert run(tmp_path / "assets.json", "--again") == 0
    assert set(statuses(tmp_path / "assets.json").values()) == {"done"}


def test_an_image_of_the_references_that_changed_counts(
    world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path
) -> None:
    """Also where they are given by their folder, and where by their file."""
    import shutil

    shutil.copytree(world.references.parent, tmp_path / "photos")
    rows = [from_files(world, "Folder", references="photos")]
    rows.append(from_files(world, "File", references="photos/transforms.json"))
    path = jobs_file(*rows)
    assert run(path) == 0
    image = next(each for each in (tmp_path / "photos").rglob("*") if each.suffix in {".exr", ".png"})
    os.utime(image, (1, 1))
    assert run(path) == 0
    assert set(statuses(path).values()) == {"done"}
    assert run(path) == 0
    assert set(statuses(path).values()) == {"done before"}


def test_a_job_goes_on_from_what_an_earlier_one_wrote(
    world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path
) -> None:
    coarse = from_scene(world, "Coarse", save="coarse.blend")
    fine = {"name": "Fine", "scene": "coarse.blend", "seed": 1}
    path = jobs_file(coarse, fine)
    assert run(path) == 0
    reports = [read_json(tmp_path / "assets_fits" / name / "report.json") for name in ("Coarse", "Fine")]
    after, before = reports[0]["psnr"]["object"]["after"], reports[1]["psnr"]["object"]["before"]
    assert before == pytest.approx(after, abs=1e-3)
    assert run(path) == 0
    assert set(statuses(path).values()) == {"done before"}


def test_only_runs_what_it_names(
    world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """And leaves the summary of all alone, since others may run the other jobs."""
    path = jobs_file(from_files(world, "Rock"), from_files(world, "Chair"))
    assert run(path, "--only", "Rock") == 0
    assert [each.name for each in (tmp_path / "assets_fits").iterdir()] == ["Rock"]
    assert run(path, "--only", "Rok") == 2
    assert "no job 'Rok'; did you mean 'Rock'?" in capsys.readouterr().err
    assert run(path, "--only", "Chair", "--report", str(tmp_path / "own.json")) == 0
    assert [row["name"] for row in read_json(tmp_path / "own.json")["jobs"]] == ["Chair"]


def test_output_by_flag_and_by_file(
    world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path
) -> None:
    path = jobs_file(from_files(world, "A"), output="deep/er")
    assert run(path) == 0
    assert (tmp_path / "deep" / "er" / "A" / "A.blend").is_file()
    assert run(path, "--output", str(tmp_path / "flag")) == 0
    assert (tmp_path / "flag" / "A" / "report.json").is_file()
    assert (tmp_path / "flag" / "summary.json").is_file()


def test_lines_name_the_job_and_a_table_ends(
    world: SmallWorld, jobs_file: Callable[..., Path], capfd: pytest.CaptureFixture
) -> None:
    path = jobs_file(from_files(world, "Rock", hold_out=2), from_files(world, "Chair", mesh="none.obj"))
    assert main(["--jobs", str(path)]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert any(line.startswith("[1/2] Rock: Fitting 100% | step 6/6 | loss 0.") for line in lines)
    assert any(line.startswith("[1/2] Rock: done | ") for line in lines)
    assert lines[-5].split() == ["job", "status", "dB", "over", "the", "object", "held", "out", "seconds"]
    assert lines[-4].startswith("Rock   done    ")
    assert lines[-3].startswith("Chair  failed")
    assert "none.obj" in lines[-2]
    assert lines[-1] == "1 done, 1 failed"


# --- Stopped


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_stopped_batch_goes_on_with_what_is_left(
    world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path, repository: Path
) -> None:
    """What the stopped job has reached is there meanwhile; it begins anew, since it is not whole."""
    rows = [from_files(world, "First"), from_files(world, "Long", seconds=3600), from_files(world, "Last")]
    rows[1]["steps"] = ENDLESS
    path = jobs_file(*rows)
    process = subprocess.Popen(
        [sys.executable, str(repository / "tools" / "fit.py"), "--jobs", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("[2/3] Long: Fitting"):
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert statuses(path) == {"First": "done", "Long": "interrupted", "Last": "not run"}
    fits = tmp_path / "assets_fits"
    report = read_json(fits / "Long" / "report.json")
    assert report["job"]["complete"] is False
    assert report["steps"] > 0
    assert (fits / "Long" / "Long.blend").is_file()
    assert not (fits / "Last").exists()

    rows[1]["steps"] = 6
    assert run(jobs_file(*rows)) == 0
    assert statuses(path) == {"First": "done before", "Long": "done", "Last": "done"}
    assert read_json(fits / "Long" / "report.json")["job"]["complete"] is True
    assert saved(fits / "Long", "Long") == saved(fits / "First", "First")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_job_that_ends_the_process_comes_last(
    world: SmallWorld, jobs_file: Callable[..., Path], tmp_path: Path, repository: Path
) -> None:
    """As a crash of Blender does: what else is in the file gets its turn when it is run again."""
    rows = [from_files(world, "Crash", steps=ENDLESS, seconds=3600), from_files(world, "Other")]
    path = jobs_file(*rows)
    command = [sys.executable, str(repository / "tools" / "fit.py"), "--jobs", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in process.stdout:
        if line.startswith("[1/2] Crash: Fitting"):
            break
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert statuses(path) == {"Crash": "running", "Other": "not run"}
    assert not list((tmp_path / "assets_fits" / "Crash").iterdir())
    rows[0]["steps"] = 6
    assert run(jobs_file(*rows)) == 0
    assert list(statuses(path).items()) == [("Other", "done"), ("Crash", "done")]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_signal_before_the_first_step_stops_the_batch(
    world: SmallWorld, jobs_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sge_addon.headless.single_fit as single_fit

    def stopped(*_arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    path = jobs_file(from_files(world, "A"), from_files(world, "B"))
    monkeypatch.setattr(single_fit, "objects_to_fit", stopped)
    assert run(path) == 130
    assert statuses(path) == {"A": "interrupted", "B": "not run"}
    monkeypatch.undo()
    assert run(path) == 0
    assert np.all([status == "done" for status in statuses(path).values()])
