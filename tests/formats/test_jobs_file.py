# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a batch: defaults, names, and what is told of a file that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sge_addon.core.errors import FitError
from sge_addon.formats.jobs_file import JobsFile, read_jobs


def read(folder: Path, content: Any) -> JobsFile:
    path = folder / "assets.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_jobs(path)


def problem(folder: Path, content: Any) -> str:
    with pytest.raises(FitError) as caught:
        read(folder, content)
    return str(caught.value)


def test_a_jobs_own_values_are_over_the_defaults(tmp_path: Path) -> None:
    defaults = {"steps": 8, "seed": 1, "references": "photos"}
    jobs = [{"name": "Rock", "seed": 2}, {"name": "Chair", "references": None, "mesh": "a.obj"}]
    file = read(tmp_path, {"defaults": defaults, "jobs": jobs, "output": "out"})
    assert file.path == tmp_path / "assets.json"
    assert file.output == "out"
    assert [job.name for job in file.jobs] == ["Rock", "Chair"]
    assert file.jobs[0].values == {"steps": 8, "seed": 2, "references": "photos"}
    assert file.jobs[1].values == {"steps": 8, "seed": 1, "references": None, "mesh": "a.obj"}


def test_the_placeholder_becomes_the_name_in_texts_and_lists(tmp_path: Path) -> None:
    defaults = {"export": "out/{name}.glb", "object": ["{name}", "Base"], "steps": 3}
    (job,) = read(tmp_path, {"defaults": defaults, "jobs": [{"name": "Old Rock"}]}).jobs
    assert job.values == {"export": "out/Old Rock.glb", "object": ["Old Rock", "Base"], "steps": 3}


def test_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert read(tmp_path, '\ufeff{"jobs": [{"name": "Ä"}]}').jobs[0].name == "Ä"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[1]", "expected an object with a list 'jobs'"),
        ('{"jobs": [}', "is not valid JSON"),
        ({"jobs": []}, "field 'jobs': found []; expected a list of at least one job"),
        ({"defaults": {}}, "field 'jobs': found None"),
        ({"jobs": [{"name": "A"}], "default": {}}, "no field 'default'; did you mean 'defaults'?"),
        ({"jobs": [{"name": "A"}], "defaults": [1]}, "field 'defaults': found [1]; expected an object"),
        ({"jobs": [{"name": "A"}], "defaults": {"name": "B"}}, "a name belongs to one job only"),
        ({"jobs": ["Rock"]}, "job 1 is 'Rock'; expected an object with a 'name'"),
        ({"jobs": [{"name": "A"}, {"mesh": "b.obj"}]}, "job 2, field 'name': it is missing"),
        ({"jobs": [{"name": 7}]}, "job 1, field 'name': found 7; expected a text"),
        ({"jobs": [{"name": "a/b"}]}, "'a/b' cannot be the name of a folder"),
        ({"jobs": [{"name": ".."}]}, "cannot be the name of a folder"),
        ({"jobs": [{"name": "A "}]}, "cannot be the name of a folder"),
        ({"jobs": [{"name": "A"}, {"name": "B"}, {"name": "a"}]}, "jobs 1 and 3 are both called 'a'"),
        ('{"jobs": [{"name": "A", "steps": 1, "steps": 2}]}', "field 'steps' stands twice in one object"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: Any, expected: str) -> None:
    message = problem(tmp_path, content)
    assert expected in message
    assert "assets.json" in message


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FitError, match=r"none\.json' cannot be read"):
        read_jobs(tmp_path / "none.json")
