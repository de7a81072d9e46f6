# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""COLMAP models: the folders they come in, and what is refused."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sge_addon.core.distortion import Distortion
from sge_addon.core.errors import FitError
from sge_addon.formats.colmap import read
from sge_addon.formats.references import read_references
from tests.formats.colmap_writer import Camera, Image, add_image, write_binary, write_text

CAMERAS = {1: Camera("PINHOLE", 200, 100, (150.0, 160.0, 90.0, 40.0))}
IMAGES = [
    Image("b.png", 1, (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 4.0)),
    Image("a.png", 1, (math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0), (0.5, 0.0, 2.0), points=0),
]
WRITERS = {"binary": write_binary, "text": write_text}


@pytest.fixture(params=WRITERS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """images/ and sparse/0/, in either form."""
    WRITERS[request.param](tmp_path / "sparse" / "0", CAMERAS, IMAGES)
    for name in ("a", "b"):
        add_image(tmp_path / "images" / f"{name}.png")
    return tmp_path


def test_cameras_stand_and_look_as_computed_by_hand(project: Path) -> None:
    frames = read(project)
    assert [frame.view.name for frame in frames] == ["a", "b"]
    assert frames.missing == ()
    assert frames[1].image == project / "images" / "b.png"
    view = frames[1].view
    # Camera b has COLMAP's axes: it looks along +Z of the world, whose +Y is down, from (0, 0, -4).
    assert np.allclose(view.camera_to_world[:3, 3], (0, 0, -4))
    assert view.intrinsics() == pytest.approx((150, 160, 90, 40))
    # x = cx + fx X / Z; from the top, y = cy + fy Y / Z; from the bottom, 100 less that.
    assert np.allclose(
        view.to_pixels(np.array([[1.0, 0.5, 0.0]])), [[90 + 150 / 4, 100 - (40 + 160 * 0.5 / 4)]]
    )
    # Camera a is turned by 90° about y; its centre is -Rᵀ t = -(-2, 0, 0.5).
    assert np.allclose(frames[0].view.camera_to_world[:3, 3], (2.0, 0.0, -0.5))


@pytest.mark.parametrize("given", [".", "sparse", "sparse/0", "sparse/0/cameras", "sparse/0/images"])
def test_a_model_is_found_from_its_project_folder_and_files(project: Path, given: str) -> None:
    path = project / given
    if not path.is_dir():
        path = next(path.parent.glob(f"{path.name}.*"))
    assert len(read(path)) == 2
    assert len(read_references(path)) == 2


@pytest.mark.parametrize(
    ("model", "photos"),
    [
        (".", "."),
        (".", "images"),
        ("sparse", "images"),
        ("colmap/sparse/0", "images"),
        ("sparse/0", "sparse/0/images"),
        ("sparse/0", "."),
    ],
)
def test_photos_are_found_beside_the_model_and_above(tmp_path: Path, model: str, photos: str) -> None:
    write_binary(tmp_path / model, CAMERAS, IMAGES)
    add_image(tmp_path / photos / "b.png")
    frames = read(tmp_path)
    assert [frame.image for frame in frames] == [tmp_path / photos / "b.png"]
    assert frames.missing == ("a.png",)
    assert "1 of 2 images is not on disk and left out: 'a.png'" in frames.notices[0]


def test_photos_elsewhere_are_taken_where_their_folder_is_named(project: Path, tmp_path: Path) -> None:
    add_image(tmp_path / "photos" / "a.png", 100, 50)
    frames = read(project, images=tmp_path / "photos")
    assert [frame.view.width for frame in frames] == [100]


def test_rigs_and_frames_beside_the_model_change_nothing(project: Path) -> None:
    before = read(project)
    for name in ("rigs.bin", "frames.bin", "rigs.txt", "frames.txt", "points3D.bin"):
        (project / "sparse" / "0" / name).write_bytes(b"\1\0\0\0 whatever")
    for a, b in zip(before, read(project), strict=True):
        assert np.array_equal(a.view.world_to_clip, b.view.world_to_clip)


def test_of_several_models_one_must_be_named(project: Path) -> None:
    write_text(project / "sparse" / "1", CAMERAS, IMAGES[:1])
    with pytest.raises(FitError, match=r"several COLMAP models: name one of .*sparse/0', .*sparse/1'"):
        read(project)
    assert len(read(project / "sparse" / "1")) == 1


def test_folders_without_a_model_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cameras.txt").touch()
    for path in (tmp_path, tmp_path / "cameras.txt", tmp_path / "nowhere"):
        with pytest.raises(FitError, match="no COLMAP model"):
            read(path)
    with pytest.raises(FitError, match=r"neither a transforms.json file .* nor a COLMAP model"):
        read_references(tmp_path)
    for path in ("nowhere", "x" * 5000, "a\0b", "~nobody/x", "https://example.org/transforms.json"):
        with pytest.raises(FitError, match="no such file"):
            read_references(path)


def test_a_transforms_file_in_the_folder_comes_first(project: Path) -> None:
    (project / "transforms.json").write_text("{}")
    with pytest.raises(FitError, match=r"transforms\.json.*'frames'"):
        read_references(project)


def test_what_was_looked_for_is_named_where_there_are_no_photos(tmp_path: Path) -> None:
    write_binary(tmp_path / "sparse" / "0", CAMERAS, IMAGES)
    with pytest.raises(
        FitError, match=r"none of its 2 images.*'b.png', 'a.png'.*Looked in .*0/images'.*images"
    ):
        read(tmp_path)


def test_masks_lie_where_colmap_keeps_them(project: Path) -> None:
    mask = add_image(project / "masks" / "a.png.png", 100, 50)
    assert [frame.mask for frame in read(project)] == [mask, None]
    add_image(mask, 100, 100)
    with pytest.raises(FitError, match=r"'a\.png'.*another aspect"):
        read(project)


def test_folders_separators_and_spaces_in_names(tmp_path: Path) -> None:
    images = [
        replace(IMAGES[0], name=name)
        for name in ("left/my photo 1.png", "right/my photo 1.png", "right\\ü.png")
    ]
    for name in ("left/my photo 1.png", "right/my photo 1.png", "right/ü.png"):
        add_image(tmp_path / "images" / name)
    for write in WRITERS.values():
        write(tmp_path / write.__name__, CAMERAS, images)
        frames = read(tmp_path / write.__name__)
        assert [frame.view.name for frame in frames] == ["left/my photo 1", "right/my photo 1", "ü"]


def test_a_smaller_copy_of_the_photos_scales_the_camera(project: Path) -> None:
    add_image(project / "images" / "a.png", 101, 50)
    view = read(project)[0].view
    assert view.intrinsics() == pytest.approx((75 * 1.01, 80, 45 * 1.01, 20))
    add_image(project / "images" / "a.png", 100, 100)
    with pytest.raises(FitError, match=r"'a\.png'.*200 x 100 pixels, the image 100 x 100.*another aspect"):
        read(project)


@pytest.mark.parametrize(
    ("model", "parameters", "expected"),
    [
        ("SIMPLE_PINHOLE", (150, 90, 40), None),
        ("SIMPLE_RADIAL", (150, 90, 40, 0.1), Distortion((0.1, 0, 0, 0))),
        ("RADIAL", (150, 90, 40, 0.1, -0.02), Distortion((0.1, -0.02, 0, 0))),
        (
            "OPENCV",
            (150, 160, 90, 40, 0.1, -0.02, 0.001, 0.002),
            Distortion((0.1, -0.02, 0, 0), (0.001, 0.002)),
        ),
        ("OPENCV", (150, 160, 90, 40, 0, 0, 0, 0), None),
        (
            "OPENCV_FISHEYE",
            (150, 160, 90, 40, 0.1, 0.2, 0.3, 0.4),
            Distortion((0.1, 0.2, 0.3, 0.4), fisheye=True),
        ),
        (
            "FULL_OPENCV",
            (150, 160, 90, 40, 0.1, 0.2, 0.001, 0.002, 0.3, 0.4, 0.5, 0.6),
            Distortion((0.1, 0.2, 0.3, 0), (0.001, 0.002), (0.4, 0.5, 0.6)),
        ),
        ("SIMPLE_RADIAL_FISHEYE", (150, 90, 40, 0.1), Distortion((0.1, 0, 0, 0), fisheye=True)),
        ("RADIAL_FISHEYE", (150, 90, 40, 0.1, 0.2), Distortion((0.1, 0.2, 0, 0), fisheye=True)),
    ],
)
@pytest.mark.parametrize("form", WRITERS)
def test_camera_models(
    model: str, parameters: tuple[float, ...], expected: Distortion | None, form: str, tmp_path: Path
) -> None:
    WRITERS[form](tmp_path, {1: Camera(model, 200, 100, parameters)}, IMAGES)
    add_image(tmp_path / "a.png")
    frame = read(tmp_path)[0]
    assert frame.distortion == expected
    assert frame.view.intrinsics() == pytest.approx(
        (150, parameters[1] if len(parameters) > 5 else 150, 90, 40)
    )


def wrong(change: object) -> tuple[dict[int, Camera], list[Image]]:
    """The valid model with one camera or image replaced by a changed one."""
    if isinstance(change, Camera):
        return {1: change}, IMAGES
    return CAMERAS, [*IMAGES[:1], change]


CAMERA, IMAGE = CAMERAS[1], IMAGES[1]
WRONG = [
    (
        replace(CAMERA, model="FOV", parameters=(150, 160, 90, 40, 0.9)),
        "camera 1 has the model 'FOV'.*image_undistorter",
    ),
    (replace(CAMERA, width=0), r"camera 1: its size is 0 x 100"),
    (replace(CAMERA, height=2**40), r"camera 1: its size is 200 x \d+; expected 1 to 65536"),
    (replace(CAMERA, parameters=(0.0, 160, 90, 40)), "camera 1: its parameter fx is 0"),
    (replace(CAMERA, parameters=(150, 1e-200, 90, 40)), "camera 1: its parameter fy is 1e-200"),
    (replace(CAMERA, parameters=(150, 160, math.nan, 40)), "camera 1: its parameter cx is nan"),
    (
        replace(CAMERA, model="SIMPLE_RADIAL", parameters=(150, 90, 40, -5)),
        "'a.png'.*folds the image onto itself",
    ),
    (replace(IMAGE, camera=2), "image 'a.png': its camera 2 is not in cameras"),
    (replace(IMAGE, name="b.png"), "image 'b.png': it is there twice"),
    (replace(IMAGE, rotation=(math.nan, 0, 0, 1)), "image 'a.png': its pose holds NaN"),
    (replace(IMAGE, translation=(0, math.inf, 0)), "image 'a.png': its pose holds NaN, infinite"),
    (
        replace(IMAGE, rotation=(0.0, 0.0, 0.0, 0.0)),
        "image 'a.png': its rotation is a quaternion of length 0",
    ),
    (replace(IMAGE, name="//server/share/a.png"), "'//server/share/a.png'.*only local files"),
    (replace(IMAGE, name="\\\\server\\a.png"), "only local files"),
    (replace(IMAGE, name="https://example.org/a.png"), "only local files"),
]


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(("change", "words"), WRONG, ids=[words for _, words in WRONG])
def test_wrong_models_are_refused_by_name(change: object, words: str, form: str, tmp_path: Path) -> None:
    WRITERS[form](tmp_path, *wrong(change))
    for name in ("a", "b"):
        add_image(tmp_path / "images" / f"{name}.png")
    with pytest.raises(FitError, match=words) as caught:
        read(tmp_path)
    assert str(caught.value).isprintable()


def test_absolute_names_of_another_computer_are_missing_images(tmp_path: Path) -> None:
    write_binary(tmp_path, *wrong(replace(IMAGE, name="C:\\photos\\a.png")))
    add_image(tmp_path / "images" / "b.png")
    assert read(tmp_path).missing == ("C:\\photos\\a.png",)


@pytest.mark.parametrize("file", ["cameras.bin", "images.bin"])
def test_binary_files_that_are_cut_short_are_refused_wherever_the_cut_is(file: str, tmp_path: Path) -> None:
    write_binary(tmp_path, CAMERAS, IMAGES)
    add_image(tmp_path / "images" / "a.png")
    path = tmp_path / file
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FitError, match=rf"{file}.*cut short"):
            read(tmp_path)


@pytest.mark.parametrize(
    ("file", "place"), [("cameras.bin", 0), ("images.bin", 0), ("images.bin", 8 + 64 + 6)]
)
def test_counts_beyond_the_file_allocate_nothing(file: str, place: int, tmp_path: Path) -> None:
    write_binary(tmp_path, CAMERAS, IMAGES)
    path = tmp_path / file
    data = bytearray(path.read_bytes())
    for count in (10, 2**40, 2**64 - 1):
        data[place : place + 8] = struct.pack("<Q", count)
        path.write_bytes(data)
        with pytest.raises(
            FitError, match=rf"{file} says that {count} records follow, but only \d+ bytes do"
        ):
            read(tmp_path)


def test_unknown_numbers_and_names_are_refused(tmp_path: Path) -> None:
    write_binary(tmp_path, CAMERAS, IMAGES)
    data = bytearray((tmp_path / "cameras.bin").read_bytes())
    data[12:16] = struct.pack("<i", 99)
    (tmp_path / "cameras.bin").write_bytes(data)
    with pytest.raises(FitError, match="camera 1 has the model 'number 99'; read are SIMPLE_PINHOLE"):
        read(tmp_path)
    write_binary(tmp_path, CAMERAS, IMAGES)
    path = tmp_path / "images.bin"
    path.write_bytes(path.read_bytes().replace(b"a.png", b"a\xff\xfeng"))
    with pytest.raises(FitError, match="is not UTF-8"):
        read(tmp_path)
