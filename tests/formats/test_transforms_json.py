# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""transforms.json: the flavours of other tools, what is refused and how it is said, and the way back."""

from __future__ import annotations

import copy
import json
import math
import random
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sge_addon.core.distortion import Distortion
from sge_addon.core.errors import FitError
from sge_addon.core.orbit import look_at, orbit_views
from sge_addon.core.view import View, orthographic, perspective
from sge_addon.formats.transforms_json import Frame, read, write

POSE = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]]  # at (0, 0, 4), looking at the origin
POINTS = np.array([[0.0, 0.0, 0.0], [1.0, 0.5, 0.0], [-0.7, 0.2, 1.5]])


def add_image(path: Path, width: int = 200, height: int = 100) -> Path:
    """A file with the header of a PNG: the reader decodes nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    add_image(tmp_path / "images" / "a.png")
    add_image(tmp_path / "images" / "b.png")
    return tmp_path


def valid() -> dict[str, Any]:
    return {
        "fl_x": 150.0,
        "fl_y": 160.0,
        "cx": 90.0,
        "cy": 40.0,
        "w": 200,
        "h": 100,
        "frames": [
            {"file_path": "images/a.png", "transform_matrix": copy.deepcopy(POSE)},
            {"file_path": "./images/b.png", "transform_matrix": copy.deepcopy(POSE)},
        ],
    }


def read_back(folder: Path, content: Any) -> list[Frame]:
    path = folder / "transforms.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read(path)


def test_global_intrinsics_project_as_computed_by_hand(folder: Path) -> None:
    frames = read_back(folder, valid())
    assert [frame.view.name for frame in frames] == ["a", "b"]
    assert frames[0].image == folder / "images" / "a.png"
    assert frames[0].normal_image is None
    view = frames[0].view
    assert (view.width, view.height) == (200, 100)
    # x = cx + fx X / Z; rows counted from the bottom: y = h - cy + fy Y / Z.
    assert np.allclose(view.to_pixels(POINTS[:2]), [[90, 60], [90 + 150 / 4, 60 + 160 * 0.5 / 4]])


def test_frames_override_the_file(folder: Path) -> None:
    add_image(folder / "images" / "b.png", 60, 80)
    content = valid()
    content["frames"][1] |= {"fl_x": 70, "fl_y": 75, "cx": 31, "cy": 42, "w": 60, "h": 80}
    view = read_back(folder, content)[1].view
    assert view.intrinsics() == pytest.approx((70, 75, 31, 42))
    assert (view.width, view.height) == (60, 80)


def test_field_of_view_alone_takes_the_size_from_the_image(folder: Path) -> None:
    content = {"camera_angle_x": 2 * math.atan(0.5), "frames": valid()["frames"]}
    assert read_back(folder, content)[0].view.intrinsics() == pytest.approx((200, 200, 100, 50))
    content["camera_angle_y"] = 2 * math.atan(1.0)
    assert read_back(folder, content)[0].view.intrinsics() == pytest.approx((200, 50, 100, 50))


def test_a_frames_field_of_view_comes_before_the_files_focal_length(folder: Path) -> None:
    content = valid()
    content["frames"][0]["camera_angle_x"] = 2 * math.atan(0.5)
    assert read_back(folder, content)[0].view.intrinsics()[0] == pytest.approx(200)


def test_a_smaller_copy_of_the_image_sees_the_same(folder: Path) -> None:
    content = valid() | {"fl_x": 1500.0, "fl_y": 1600.0, "cx": 900.0, "cy": 400.0, "w": 2001, "h": 999}
    view = read_back(folder, content)[0].view
    assert (view.width, view.height) == (200, 100)
    assert np.allclose(view.intrinsics(), (150, 160, 90, 40), atol=0.2)


@pytest.mark.parametrize("extension", [".png", ".jpg", ".jpeg", ".exr"])
def test_missing_extension_and_dots_in_names(folder: Path, extension: str) -> None:
    (folder / "r.000").with_name(f"r.000{extension}").write_bytes((folder / "images" / "a.png").read_bytes())
    content = valid()
    content["frames"][0]["file_path"] = "./r.000"
    frame = read_back(folder, content)[0]
    assert frame.image.name == f"r.000{extension}"
    assert frame.view.name == "r.000"


def test_windows_separators_and_byte_order_mark(folder: Path) -> None:
    content = valid()
    content["frames"][0]["file_path"] = ".\\images\\a.png"
    assert read_back(folder, "\ufeff" + json.dumps(content))[0].image == folder / "images" / "a.png"


def test_equal_file_names_in_two_folders_give_two_names(folder: Path) -> None:
    add_image(folder / "more" / "a.png")
    content = valid()
    content["frames"][1]["file_path"] = "more/a.png"
    content["frames"].append(content["frames"][1])
    assert [f.view.name for f in read_back(folder, content)] == ["images/a", "more/a", "more/a.2"]


def test_undistorted_models_and_unknown_fields_are_taken(folder: Path) -> None:
    content = valid() | {"camera_model": "OPENCV", "k1": 0.0, "p2": 0, "aabb_scale": 16, "is_fisheye": False}
    content["frames"][0] |= {"sharpness": 12.5, "rotation": 0.1, "fl_x": None}
    assert len(read_back(folder, content)) == 2


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"k1": 0.1, "k2": -0.02, "p1": 0.001}, Distortion((0.1, -0.02, 0, 0), (0.001, 0))),
        ({"k1": 0.1, "k4": 0.02, "camera_model": "OPENCV"}, Distortion((0.1, 0, 0, 0.02))),
        ({"k1": 0.1, "k4": 0.02, "k6": 0.01}, Distortion((0.1, 0, 0, 0), divisor=(0.02, 0, 0.01))),
        ({"k4": 0.02, "camera_model": "FULL_OPENCV"}, Distortion(divisor=(0.02, 0, 0))),
        ({"k1": 0.1, "k4": 0.02, "is_fisheye": True}, Distortion((0.1, 0, 0, 0.02), fisheye=True)),
        ({"k2": 0.1, "camera_model": "opencv_fisheye"}, Distortion((0, 0.1, 0, 0), fisheye=True)),
        ({"camera_model": "OPENCV_FISHEYE"}, Distortion(fisheye=True)),
        ({"k1": 0.0, "p2": 0, "camera_model": "OPENCV"}, None),
    ],
)
def test_lenses_of_other_tools(folder: Path, fields: dict[str, Any], expected: Distortion | None) -> None:
    assert [frame.distortion for frame in read_back(folder, valid() | fields)] == [expected, expected]
    content = valid()
    content["frames"][1] |= fields
    assert [frame.distortion for frame in read_back(folder, content)] == [None, expected]


def test_masks_are_found_beside_the_images(folder: Path) -> None:
    add_image(folder / "masks" / "b.png")
    frames = read_back(folder, changed("frames.1.mask_path", "masks\\b.png"))
    assert [frame.mask for frame in frames] == [None, folder / "masks" / "b.png"]


@pytest.mark.parametrize(
    "name",
    ["images/lost", "images", "a\0b", "x" * 5000, "\ud800", "C:\\photos\\a.png", "C:/b.png", "/no/where.png"],
)
def test_images_that_are_not_on_disk_are_named_and_the_others_read(folder: Path, name: str) -> None:
    frames = read_back(folder, changed("frames.1.file_path", name))
    assert [frame.view.name for frame in frames] == ["a"]
    assert frames.missing == (name,)
    assert frames.notices[0].isprintable()
    content = changed("frames.1.file_path", name)
    content["frames"][0]["file_path"] = "gone.png"
    with pytest.raises(FitError, match=r"none of its 2 images is there.*'gone.png'.*relative to the file"):
        read_back(folder, content)


def test_rounding_is_removed_from_the_rotation(folder: Path) -> None:
    exact = look_at((1.0, 2.0, 3.0), (0.1, 0.2, 0.3))
    content = valid()
    content["frames"][0]["transform_matrix"] = np.round(exact, 5).tolist()
    rotation = read_back(folder, content)[0].view.camera_to_world[:3, :3]
    assert np.allclose(rotation.T @ rotation, np.eye(3), atol=1e-14)
    assert np.allclose(rotation, exact[:3, :3], atol=1e-5)


def changed(where: str, value: Any) -> dict[str, Any]:
    """The valid content with one value replaced, at a place such as "frames.1.file_path"."""
    content = valid()
    *parents, last = [int(part) if part.isdigit() else part for part in where.split(".")]
    target: Any = content
    for part in parents:
        target = target[part]
    target[last] = value
    return content


def matrix(*changes: tuple[int, int, Any]) -> list[list[Any]]:
    result: list[list[Any]] = copy.deepcopy(POSE)
    for row, column, value in changes:
        result[row][column] = value
    return result


MALFORMED = [
    ("not JSON at all", "not valid JSON"),
    ("[" * 100000, "not valid JSON"),
    ("[1, 2]", "expected an object"),
    ('{"w": 1}', "'frames'"),
    (changed("frames", {}), "'frames'"),
    (changed("frames", []), "list is empty"),
    (changed("frames.1", "images/b.png"), "frame 1 is 'images/b.png'"),
    (changed("fl_x", "wide"), "'fl_x': found 'wide'"),
    (changed("fl_x", True), "'fl_x': found True"),
    (changed("fl_x", 0), "'fl_x'.*greater than 0"),
    (changed("fl_y", -3.0), "'fl_y'.*greater than 0"),
    (changed("fl_y", 1e-200), "'fl_y': it comes to 1e-200 pixels"),
    (changed("cx", float("nan")), "'cx': found nan"),
    (changed("cy", 10**400), "'cy'.*finite number"),
    (changed("w", 0), "'w': found 0.*whole pixels"),
    (changed("h", 99.5), "'h': found 99.5.*whole pixels"),
    (changed("w", 100), "frame 0.*100 x 100 pixels, the image 200 x 100.*aspect"),
    (changed("w", None), "only one of 'w' and 'h'"),
    ({"frames": valid()["frames"]}, "frame 0.*focal length is unknown"),
    ({"camera_angle_x": math.pi, "frames": valid()["frames"]}, "'camera_angle_x'.*below pi"),
    (changed("k1", "strong"), "'k1': found 'strong'"),
    (changed("frames.1.p2", float("nan")), "frame 1.*'p2': found nan"),
    (changed("k1", -3.0), "frame 0.*Camera 'a'.*folds the image onto itself"),
    (changed("camera_model", "EQUIRECTANGULAR"), "'camera_model'.*EQUIRECTANGULAR.*undistort"),
    (changed("frames.1.camera_model", "FOV"), "frame 1.*'camera_model'.*FOV.*undistort"),
    (changed("latlong", True), "'latlong'.*undistort"),
    (valid() | {"is_fisheye": True, "p1": 0.1}, "'p1': found 0.1; a fisheye.*undistort"),
    (changed("frames.1.file_path", None), "frame 1, field 'file_path': it is missing"),
    (changed("frames.1.file_path", 7), "frame 1, field 'file_path': found 7"),
    (changed("frames.1.file_path", "  "), "frame 1, field 'file_path'"),
    (changed("frames.1.file_path", "https://example.org/a.png"), "frame 1.*only local files"),
    (changed("frames.1.file_path", "file:///images/a.png"), "frame 1.*only local files"),
    (changed("frames.1.file_path", "//server/share/a.png"), "frame 1.*only local files"),
    (changed("frames.1.file_path", "\\\\server\\share\\a.png"), "frame 1.*only local files"),
    (changed("frames.1.file_path", "/\\server/share/a.png"), "frame 1.*only local files"),
    (changed("frames.1.file_path", "\\/server/share/a.png"), "frame 1.*only local files"),
    (changed("frames.1.file_path", "\\\\?\\UNC\\server\\a.png"), "frame 1.*only local files"),
    (changed("frames.1.file_path", "file:\\images\\a.png"), "frame 1.*only local files"),
    (changed("frames.1.file_path", " //server/share/a.png"), "frame 1.*only local files"),
    (changed("frames.1.mask_path", "smb://server/a.png"), "frame 1.*'mask_path'.*only local files"),
    (changed("frames.1.normal_file_path", "//server/a.exr"), "frame 1.*'normal_file_path'.*only local files"),
    (changed("frames.1.normal_file_path", "images/lost.exr"), "frame 1.*'normal_file_path'.*no image"),
    (changed("frames.1.mask_path", "masks/lost.png"), "frame 1.*'mask_path'.*no image"),
    (changed("frames.1.transform_matrix", None), "frame 1.*'transform_matrix': it is missing"),
    (changed("frames.1.transform_matrix", 3), "frame 1.*4 rows of 4"),
    (changed("frames.1.transform_matrix", POSE[:3]), "frame 1.*4 rows of 4"),
    (changed("frames.1.transform_matrix", [*POSE[:3], [0, 0, 1]]), "frame 1.*4 rows of 4"),
    (changed("frames.1.transform_matrix", matrix((1, 2, "x"))), "row 2, column 3 is 'x'"),
    (changed("frames.1.transform_matrix", matrix((0, 3, math.inf))), "row 1, column 4 is inf"),
    (changed("frames.1.transform_matrix", matrix((3, 3, 2))), "frame 1.*last row"),
    (changed("frames.1.transform_matrix", matrix((0, 0, 0))), "frame 1.*not a rigid motion"),
    (
        changed("frames.1.transform_matrix", matrix((0, 0, 2), (1, 1, 2), (2, 2, 2))),
        "frame 1.*lengths 2, 2, 2",
    ),
    (changed("frames.1.transform_matrix", matrix((0, 1, 0.01))), "frame 1.*not a rigid motion"),
    (changed("frames.1.transform_matrix", matrix((0, 0, -1))), "frame 1.*mirrors the camera"),
]


@pytest.mark.parametrize(("content", "words"), MALFORMED, ids=[words for _, words in MALFORMED])
def test_malformed_input_is_said_with_file_frame_and_field(folder: Path, content: Any, words: str) -> None:
    with pytest.raises(FitError, match=words) as caught:
        read_back(folder, content)
    assert "transforms.json" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 800


def test_missing_and_unreadable_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(FitError, match=r"nowhere\.json"):
        read(tmp_path / "nowhere.json")
    with pytest.raises(FitError, match="cannot be read"):
        read(tmp_path)
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FitError, match="not UTF-8"):
        read(tmp_path / "binary.json")


def test_a_broken_image_names_its_frame(folder: Path) -> None:
    (folder / "images" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    with pytest.raises(FitError, match=r"frame 1.*b\.png.*cut short"):
        read_back(folder, valid())


def test_nothing_but_fit_errors_escapes_from_mutated_files(folder: Path) -> None:
    rng = random.Random(20260401)
    nasty = [
        None,
        True,
        -1,
        0,
        1e308,
        10**30,
        -0.0,
        math.nan,
        math.inf,
        "",
        "..",
        "\ud800",
        "\0",
        "C:/a",
        [],
        {},
        [[]],
    ]
    refused = 0
    for _ in range(1500):
        content = valid()
        for _ in range(rng.randint(1, 3)):
            target: Any = content
            while True:
                key = rng.choice(list(target) if isinstance(target, dict) else range(len(target)))
                if not isinstance(target[key], dict | list) or not target[key] or rng.random() < 0.15:
                    break
                target = target[key]
            target[key] = copy.deepcopy(rng.choice(nasty))
        text = json.dumps(content)
        if rng.random() < 0.2:
            start = rng.randrange(len(text))
            text = text[:start] + text[start + rng.randint(1, 20) :]
        try:
            frames = read_back(folder, text)
        except FitError:
            refused += 1
            continue
        assert all(np.isfinite(frame.view.world_to_clip).all() for frame in frames)
    assert refused > 1000


def shifted(view: View) -> View:
    projection = perspective(700.1, 650.7, 251.3, 262.9, view.width, view.height)
    return replace(view, projection=projection)


def test_writing_and_reading_keeps_projections_names_and_paths(tmp_path: Path) -> None:
    views = [shifted(view) for view in orbit_views((0.3, -0.2, 0.1), 1.3, 6, 512, 512)]
    views[2] = replace(views[2], name="Camera ümlaut/2")
    frames = [
        Frame(
            view,
            add_image(tmp_path / "images" / f"{index}.png", 512, 512),
            add_image(tmp_path / "normals" / f"{index}.png", 512, 512) if index % 2 else None,
            add_image(tmp_path / "masks" / f"{index}.png", 512, 512) if index % 3 else None,
        )
        for index, view in enumerate(views)
    ]
    path = tmp_path / "transforms.json"
    write(path, frames)
    again = read(path)
    for before, after in zip(frames, again, strict=True):
        assert after.view.name == before.view.name
        assert (after.image, after.normal_image) == (before.image, before.normal_image)
        assert after.mask == before.mask
        assert np.abs(after.view.to_pixels(POINTS) - before.view.to_pixels(POINTS)).max() < 1e-9
    content = json.loads(path.read_text())
    assert content["frames"][1]["file_path"] == "images/1.png"
    assert content["camera_angle_x"] == pytest.approx(2 * math.atan(256 / 700.1))


def test_a_global_angle_is_written_only_where_all_cameras_agree(tmp_path: Path) -> None:
    image = add_image(tmp_path / "a.png", 512, 512)
    views = orbit_views((0, 0, 0), 1.0, 2, 512, 512)
    write(tmp_path / "t.json", [Frame(views[0], image), Frame(shifted(views[1]), image)])
    assert "camera_angle_x" not in json.loads((tmp_path / "t.json").read_text())


def test_cameras_that_the_format_cannot_hold_are_refused_by_name(tmp_path: Path) -> None:
    view = orbit_views((0, 0, 0), 1.0, 1, 64, 64)[0]
    flat = replace(view, name="plan", projection=orthographic(0.01, 32, 32, 64, 64))
    with pytest.raises(FitError, match="'plan' is orthographic"):
        write(tmp_path / "t.json", [Frame(flat, tmp_path / "a.png")])
    sheared = view.projection.copy()
    sheared[0, 1] = 0.1
    with pytest.raises(FitError, match=r"'view_000'.*sheared"):
        write(tmp_path / "t.json", [Frame(replace(view, projection=sheared), tmp_path / "a.png")])
    with pytest.raises(FitError, match=r"'view_000'.*distorted"):
        write(tmp_path / "t.json", [Frame(view, tmp_path / "a.png", distortion=Distortion((0.1, 0, 0, 0)))])
    assert not (tmp_path / "t.json").exists()
    with pytest.raises(FitError, match="cannot be written"):
        write(tmp_path / "no folder" / "t.json", [])


def test_files_of_the_data_folder(data: Path) -> None:
    frames = read(data / "t1_512" / "transforms_train.json")
    assert [frame.view.name for frame in frames] == [f"{index:03d}" for index in range(16)]
    focal = 256 / math.tan(0.6981317007977318 / 2)
    assert frames[0].view.intrinsics() == pytest.approx((focal, focal, 256, 256))


def test_a_set_of_photos_of_which_some_are_not_on_disk(data: Path) -> None:
    frames = read(data / "fox" / "transforms.json")
    assert [frame.view.name for frame in frames] == ["0001", "0012", "0030", "0052", "0081", "0110"]
    assert len(frames.missing) == 61
    assert frames.missing[0] == "images/0002.jpg"
    assert frames.notices[0].startswith("61 of 67 images are not on disk")
    assert "'images/0002.jpg'" in frames.notices[0]
    assert len(frames.notices[0]) < 300
    expected = Distortion((0.0578421, -0.0805099, 0.0, 0.0), (-0.000980296, 0.00015575))
    assert all(frame.distortion == expected for frame in frames)
    assert frames[0].view.intrinsics() == pytest.approx((1375.52, 1374.49, 554.558, 965.268))
