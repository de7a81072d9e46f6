# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job type for Flamenco: which tasks it makes, with which commands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sge_addon.command_line import build_parser, parse
from tests.flamenco.compiled import SCRIPT, command_line, compiled

OUTPUT = "/studio/fits/Rocks/{timestamp}"
STAMPED = "/studio/fits/Rocks/2026-11-22_183005"
FIT = ["--python", "{sgeFit}", "--"]


def flags_of(**settings: Any) -> dict[str, list[str]]:
    """The flags of the fit that each task runs, by the task's name."""
    result = compiled(output_path=OUTPUT, **settings)
    found = {}
    for task in result["tasks"]:
        words = task["commands"][0]["parameters"]["args"]
        assert words[:3] == FIT
        found[task["name"]] = words[3:]
    return found


# --- Tasks


def test_a_blend_file_alone_is_one_task() -> None:
    result = compiled(output_path=OUTPUT)
    expected = {
        "exe": "{blender}",
        "exeArgs": "{blenderArgs}",
        "argsBefore": ["--background", "--python-exit-code", "1"],
        "blendfile": "/studio/rocks.blend",
        "args": [*FIT, f"--output={STAMPED}/all"],
    }
    (task,) = result["tasks"]
    assert (task["name"], task["type"], task["dependencies"]) == ("fit-all", "blender", [])
    assert task["commands"] == [{"name": "blender-render", "parameters": expected}]
    assert result["settings"]["output_path"] == STAMPED


def test_a_task_for_each_object_and_frame() -> None:
    found = flags_of(objects="Rock, Old Chair", frames="3-4")
    assert list(found) == ["fit-Rock-0003", "fit-Rock-0004", "fit-Old Chair-0003", "fit-Old Chair-0004"]
    output = f"--output={STAMPED}/Old Chair-0004"
    assert found["fit-Old Chair-0004"] == ["--object=Old Chair", "--frame=4", output]


def test_names_as_a_json_list_keep_their_commas_and_come_once() -> None:
    assert list(flags_of(objects='["a, b", "c", "c"]')) == ["fit-a, b", "fit-c"]


def test_flags_are_split_as_by_a_shell_and_filled() -> None:
    found = flags_of(
        objects="Rock",
        frames="7",
        flags="--steps 80 --references '/my photos/{object}/{frame4}' --seed {frame} --save={other}",
    )
    words = ["--steps", "80", "--references", "/my photos/Rock/0007", "--seed", "7", "--save={other}"]
    assert found["fit-Rock-0007"][:7] == words


def test_a_task_for_each_job_of_a_file() -> None:
    result = compiled(jobs_path="/studio/assets.json", job_names='["Rock", "Old Chair"]', output_path="")
    assert [task["name"] for task in result["tasks"]] == ["fit-Rock", "fit-Old Chair"]
    parameters = result["tasks"][1]["commands"][0]["parameters"]
    assert parameters["blendfile"] == ""
    assert parameters["args"] == [*FIT, "--jobs=/studio/assets.json", "--only=Old Chair"]


def test_jobs_of_a_file_go_where_the_farm_says() -> None:
    found = flags_of(jobs_path="/studio/assets.json", job_names='["Rock"]')
    assert found["fit-Rock"][-1] == f"--output={STAMPED}"


def test_paths_of_windows_stay_such() -> None:
    result = compiled(output_path="F:\\fits\\Rocks", objects="Rock")
    assert result["tasks"][0]["commands"][0]["parameters"]["args"][-1] == "--output=F:\\fits\\Rocks\\Rock"


def test_script_and_arguments_of_blender_can_be_others() -> None:
    result = compiled(output_path=OUTPUT, fit_script="/sge/tools/fit.py", blender_args="--gpu-backend opengl")
    parameters = result["tasks"][0]["commands"][0]["parameters"]
    assert parameters["args"][1] == "/sge/tools/fit.py"
    assert parameters["argsBefore"][-2:] == ["--gpu-backend", "opengl"]


def test_every_parameter_is_what_a_worker_takes() -> None:
    """Texts, and lists of texts: a worker refuses numbers among arguments."""
    for task in compiled(output_path=OUTPUT, objects="A,B", frames="1-3")["tasks"]:
        for value in task["commands"][0]["parameters"].values():
            assert isinstance(value, str) or all(isinstance(word, str) for word in value)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "set 'output_root'"),
        ({"output_path": OUTPUT, "objects": "a/b, a:b"}, "'a/b' and 'a:b' would write into one folder"),
        ({"output_path": OUTPUT, "objects": "[1,"}, "'objects' is not a list as in JSON"),
        ({"output_path": OUTPUT, "frames": "1..x"}, "invalid range"),
        ({"jobs_path": "/a.json", "job_names": "[]"}, "no job in /a.json"),
        (
            {"jobs_path": "/a.json", "job_names": '["A"]', "flags": "--steps 3"},
            "'flags' goes with a blend file",
        ),
    ],
)
def test_what_cannot_be_compiled_is_said_at_submission(settings: dict[str, Any], expected: str) -> None:
    assert expected in compiled(**settings)["error"]


def test_flags_of_all_tasks_are_known_to_the_command_line() -> None:
    words = [*flags_of(objects="-odd", frames="2").values(), *flags_of().values()]
    words += flags_of(jobs_path="/a.json", job_names='["-odd"]').values()
    for flags in words[:2]:
        assert parse(flags).output.startswith(STAMPED)
    assert parse(words[0]).object == ["-odd"]
    assert parse(words[2]).only == ["-odd"]


# --- The job type itself


def test_settings_are_such_as_flamenco_knows() -> None:
    """The fields and values of its API's schema AvailableJobSetting."""
    settings = compiled(output_path=OUTPUT)["type"]["settings"]
    known = {"key", "type", "subtype", "choices", "propargs", "description", "label", "default", "eval"}
    known |= {"evalInfo", "visible", "required", "editable"}
    keys = [setting["key"] for setting in settings]
    assert len(set(keys)) == len(keys)
    assert "blendfile" in keys  # which the add-on fills in
    for setting in settings:
        assert set(setting) <= known
        assert re.fullmatch("[a-z_]+", setting["key"])
        assert setting["type"] in {"string", "int32", "float", "bool"}
        assert setting.get("subtype", "file_path") in {
            "file_path",
            "dir_path",
            "file_name",
            "hashed_file_path",
        }
        assert setting.get("visible", "visible") in {"visible", "hidden", "submission", "web"}
        assert not setting.get("required") or "default" in setting or setting["key"] == "blendfile"


def test_evaluated_settings_are_what_the_script_expects(tmp_path: Path) -> None:
    """With the names that Flamenco's add-on offers, on jobs as ``tools/fit.py --jobs`` reads them."""
    jobs = tmp_path / "assets.json"
    jobs.write_text(json.dumps({"jobs": [{"name": "Rock, old"}, {"name": "Ä"}]}), encoding="utf-8")
    settings = SimpleNamespace(jobs_file=str(jobs), output_root=str(tmp_path))
    names = {
        "Path": Path,
        "abspath": lambda path: Path(path).absolute(),
        "jobname": "Rocks",
        "settings": settings,
    }
    evaluated = {
        setting["key"]: setting["eval"]
        for setting in compiled(output_path=OUTPUT)["type"]["settings"]
        if "eval" in setting
    }
    values = {key: eval(text, {}, names) for key, text in evaluated.items()}
    assert values["jobs_path"] == str(jobs)
    assert json.loads(values["job_names"]) == ["Rock, old", "Ä"]
    assert values["output_path"] == str(tmp_path / "Rocks" / "{timestamp}")
    settings.jobs_file = settings.output_root = ""
    empty = {key: eval(text, {}, names) for key, text in evaluated.items()}
    assert empty == {"jobs_path": "", "job_names": "", "output_path": ""}
    assert [task["name"] for task in compiled(**{**empty, "output_path": OUTPUT})["tasks"]] == ["fit-all"]


def test_script_keeps_to_what_the_managers_engine_knows() -> None:
    """goja: ES6 without modules, and none of what came later."""
    text = re.sub(r"//.*", "", SCRIPT.read_text(encoding="utf-8"))
    code = re.sub(r'"(\\.|[^"\\])*"', '""', text)
    for newer in (
        r"\?\.",
        r"\?\?",
        r"\*\*",
        r"\basync\b",
        r"\bawait\b",
        r"^\s*(im|ex)port\b",
        r"\.\.\.",
        r"#\w",
    ):
        assert not re.search(newer, code, re.MULTILINE), newer


def test_readme_names_the_flags_that_are_there(repository: Path) -> None:
    text = (repository / "tools" / "flamenco" / "README.md").read_text(encoding="utf-8")
    options = {option for action in build_parser()._actions for option in action.option_strings}
    options |= {"--background", "--python"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= options


def test_words_of_a_worker() -> None:
    task = compiled(output_path="/out", objects="A")["tasks"][0]
    words = command_line(task, {"blender": "/b/blender", "blenderArgs": "-b -y", "sgeFit": "/s/fit.py"})
    assert words[:6] == ["/b/blender", "-b", "-y", "--background", "--python-exit-code", "1"]
    assert words[6:] == [
        "/studio/rocks.blend",
        "--python",
        "/s/fit.py",
        "--",
        "--object=A",
        "--output=/out/A",
    ]
