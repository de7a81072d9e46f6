# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of a file say what flags say, in JSON; and no two write the same file."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from sge_addon.command_line import OUTPUTS, PATHS, PERHAPS_PATHS, build_parser, given_settings, parse
from sge_addon.core.errors import FitError
from sge_addon.core.settings import FitSettings
from sge_addon.formats.jobs_file import read_jobs
from sge_addon.headless.job_arguments import Job, job_fields, jobs_of


def plan(folder: Path, *jobs: dict[str, Any], summary: Path | None = None, opened: str = "") -> list[Job]:
    """Jobs of a file in a folder; those without a name are called A, B, C, ..."""
    named = [{"name": chr(ord("A") + index), **job} for index, job in enumerate(jobs)]
    path = folder / "assets.json"
    path.write_text(json.dumps({"jobs": named}))
    return list(jobs_of(read_jobs(path), folder / "fits", summary, opened))


def problem(folder: Path, *jobs: dict[str, Any], summary: Path | None = None) -> str:
    with pytest.raises(FitError) as caught:
        plan(folder, *jobs, summary=summary)
    return str(caught.value)


# --- The same as on the command line


def test_every_flag_of_a_fit_is_a_field_and_no_other() -> None:
    known = set(job_fields(build_parser()))
    assert {item.name for item in fields(FitSettings)} <= known
    assert {"scene", "mesh", "object", "references", "hold_out", "save", "report", "views", "frame"} <= known
    assert not known & {"jobs", "only", "again", "output", "check", "quiet", "help", "version", "label"}
    assert {*PATHS, *PERHAPS_PATHS} <= known


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"steps": 30, "seconds": 2.5, "seed": 0}, ["--steps", "30", "--seconds", "2.5", "--seed", "0"]),
        ({"shape": False, "texture": True, "flat": True}, ["--no-shape", "--texture", "--flat"]),
        ({"flat": False, "steps": None}, []),
        ({"object": ["A", "B"]}, ["--object", "A", "--object", "B"]),
        ({"object": "A"}, ["--object", "A"]),
        ({"match": ["alpha", "normal"], "up_axis": "-y"}, ["--match", "alpha,normal", "--up-axis=-Y"]),
        ({"match": "alpha,normal"}, ["--match", "alpha,normal"]),
        ({"parameters": ['A:modifiers["a;b"].strength', "B:scale"]},
         ["--parameters", r'A:modifiers["a\;b"].strength', "--parameters", "B:scale"]),
        ({"parameters": []}, ["--parameters", ""]),
        ({"hold_out": 8, "reference_object": "High"}, ["--hold-out", "8", "--reference-object", "High"]),
        ({"image_depth": 16, "views": 12}, ["--image-depth", "16", "--views", "12"]),
    ],
)  # fmt: skip
def test_values_mean_what_flags_mean(tmp_path: Path, values: dict[str, Any], words: list[str]) -> None:
    (job,) = plan(tmp_path, values)
    expected = parse(words)
    assert given_settings(job.arguments) == given_settings(expected)
    for name in set(vars(expected)) - set(OUTPUTS):
        assert getattr(job.arguments, name) == getattr(expected, name), name


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"stepps": 3}, "job 'A': there is no field 'stepps'; did you mean 'steps'?"),
        ({"hold-out": 3}, "did you mean 'hold_out'?"),
        ({"no_shape": True}, "did you mean 'shape'?"),
        ({"quiet": True}, "there is no field 'quiet'"),
        ({"sead": None}, "did you mean 'seed'?"),
        ({"steps": "many"}, "field 'steps': invalid int value: 'many'"),
        ({"steps": 2.5}, "field 'steps': invalid int value: '2.5'"),
        ({"steps": True}, "field 'steps': found True; expected a text or a number"),
        ({"steps": [1]}, "field 'steps': found [1]; expected one value, not a list"),
        ({"steps": {"a": 1}}, "field 'steps': found {'a': 1}; expected a text or a number"),
        ({"steps": -1}, "job 'A', steps is -1; it must be at least"),
        ({"shape": "no"}, "field 'shape': found 'no'; expected true or false"),
        ({"hold_out": [8]}, "field 'hold_out': found [8]; expected one value"),
        ({"loss": "huber"}, "field 'loss': invalid choice: 'huber'"),
        ({"match": ["color"]}, "match: 'color' is not one of colour, alpha, normal"),
        ({"scene": 4.0, "mesh": ["a"]}, "field 'mesh': found ['a']"),
    ],
)
def test_what_a_flag_would_not_take_is_refused(tmp_path: Path, values: dict[str, Any], expected: str) -> None:
    message = problem(tmp_path, values)
    assert expected in message
    assert message.startswith("assets.json, job 'A'")


# --- Paths


def test_relative_paths_begin_at_the_file_of_jobs(tmp_path: Path) -> None:
    (tmp_path / "high.obj").touch()
    (job,) = plan(
        tmp_path,
        {"mesh": "a.obj", "references": "../photos", "reference_object": "high.obj", "save": "/x/a.blend"},
    )
    assert Path(job.arguments.mesh) == tmp_path / "a.obj"
    assert Path(job.arguments.references) == tmp_path / "../photos"
    assert Path(job.arguments.reference_object) == tmp_path / "high.obj"
    assert Path(job.arguments.save) == Path("/x/a.blend").absolute()


def test_a_job_that_does_not_say_where_has_a_folder_of_its_name(tmp_path: Path) -> None:
    bare, exporting = plan(tmp_path, {"mesh": "a.obj"}, {"mesh": "a.obj", "export": "a.glb"})
    assert Path(bare.arguments.save) == tmp_path / "fits" / "A" / "A.blend"
    assert Path(bare.arguments.report) == tmp_path / "fits" / "A" / "report.json"
    assert exporting.arguments.save is None
    assert Path(exporting.arguments.report) == tmp_path / "fits" / "B" / "report.json"


def test_the_opened_file_is_the_scene_of_jobs_that_name_none(tmp_path: Path) -> None:
    jobs = plan(tmp_path, {}, {"mesh": "a.obj"}, {"scene": "c.blend"}, opened="/o.blend")
    assert [job.arguments.scene for job in jobs] == ["/o.blend", None, str(tmp_path / "c.blend")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"save": "a.blend"}, {"save": "sub/../a.blend"}),
        ({"save": "Rock.blend"}, {"save": "rock.blend"}),
        ({"report": "r.json"}, {"report": "r.json"}),
        ({"report": "fits/B/report.json"}, {}),
        ({"export": "a.glb"}, {"export": "a.obj"}),  # whose textures are called alike
        ({"export_references": "d"}, {"report": "d/transforms.json"}),
    ],
)
def test_jobs_that_would_write_the_same_are_refused(tmp_path: Path, first: dict, second: dict) -> None:
    message = problem(tmp_path, first, second)
    assert "jobs 'A' (" in message
    assert "would both write" in message


def test_an_export_beside_another_is_allowed(tmp_path: Path) -> None:
    assert len(plan(tmp_path, {"export": "a.glb"}, {"export": "b.glb", "save": "a.blend"})) == 2


def test_a_job_may_read_what_an_earlier_one_writes(tmp_path: Path) -> None:
    coarse, fine = {"scene": "a.blend", "save": "b.blend"}, {"scene": "b.blend", "save": "c.blend"}
    assert len(plan(tmp_path, coarse, fine)) == 2
    assert "which job 'A' (scene) reads before" in problem(tmp_path, fine, coarse)
    assert "which job 'A' (scene) reads before" in problem(tmp_path, {"scene": "a.blend", "save": "a.blend"})


def test_the_file_of_jobs_and_the_summary_are_not_written_over(tmp_path: Path) -> None:
    assert "this very file" in problem(tmp_path, {"report": "assets.json"})
    summary = tmp_path / "all.json"
    assert "the summary of all" in problem(tmp_path, {"report": "all.json"}, summary=summary)


def test_the_example_of_the_readme(repository: Path, tmp_path: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    rock, chair = plan(
        tmp_path, *(row | json.loads(example)["defaults"] for row in json.loads(example)["jobs"])
    )
    assert Path(rock.arguments.export) == tmp_path / "out" / "Rock.glb"
    assert chair.arguments.object == ["Seat", "Back"]


# --- Flags beside --jobs


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--jobs", "a.json", "--steps", "3"], "--steps does not go with --jobs"),
        (["a.blend", "--jobs", "a.json"], "SCENE.blend does not go with --jobs"),
        (["--jobs", "a.json", "--no-shape"], "--shape does not go with --jobs"),
        (["--only", "A"], "--only only goes with --jobs"),
        (["--jobs", "a.json", "--save", "b.blend"], "--save does not go with --jobs"),
        (["a.blend", "--again"], "--again only goes with --jobs"),
    ],
)
def test_flags_of_fits_and_of_batches_do_not_mix(
    words: list[str], expected: str, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    assert expected in capsys.readouterr().err


def test_flags_that_go_with_jobs() -> None:
    words = ["--only", "A", "--only", "B", "--again", "--check", "--quiet", "--report", "r", "--output", "o"]
    assert parse(["--jobs", "a.json", *words]).only == ["A", "B"]
