# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands in the files: frames that can be used, or a FitError that can be read."""

from __future__ import annotations

import copy
import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.formats.image_size import read_image_size
from sge_addon.formats.references import read_references
from tests.formats.colmap_writer import Camera, Image, add_image, write_binary, write_text

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed: run tools/test.py")
st = hypothesis.strategies

RUN = hypothesis.settings(max_examples=150, deadline=None, database=None, derandomize=True)
NASTY_TEXT = st.one_of(
    st.sampled_from(
        [
            *("", ".", "..", "/", "a.png", "images/a.png", "images\\b.png", "C:\\a.png", "\0", "\ud800"),
            *(
                "//s/a.png",
                "\\\\s\\a.png",
                "http://x/a.png",
                "file:/a.png",
                "OPENCV",
                "OPENCV_FISHEYE",
                "nan",
            ),
        ]
    ),
    st.text(max_size=20),
)
NASTY_NUMBER = st.one_of(
    st.floats(),
    st.integers(),
    st.sampled_from([0, -1, 1e308, 1e-308, 10**400, 2**63, -0.0, math.inf, math.nan]),
)
NASTY = st.recursive(
    st.one_of(st.none(), st.booleans(), NASTY_NUMBER, NASTY_TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
OPTIONAL = (
    "k1",
    "k2",
    "k3",
    "k4",
    "k5",
    "k6",
    "p1",
    "p2",
    "camera_angle_x",
    "camera_model",
    "is_fisheye",
    "name",
)
POSE = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]]
CONTENT = {
    "fl_x": 150.0,
    "fl_y": 160.0,
    "cx": 90.0,
    "cy": 40.0,
    "w": 200,
    "h": 100,
    "k1": 0.1,
    "frames": [
        {"file_path": "images/a.png", "transform_matrix": POSE, "mask_path": "images/b.png"},
        {"file_path": "images/b.png", "transform_matrix": POSE, "w": 200, "h": 100},
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fuzz")
    for name in ("a", "b"):
        add_image(path / "images" / f"{name}.png")
    return path


def check_message(text: str) -> None:
    """A message can be printed, and be read to its end."""
    assert text.isprintable()
    assert len(text) < 2000


def read_or_refuse(path: Path) -> bool:
    """Whether frames were read; they are usable then, and otherwise the message can be printed."""
    try:
        frames = read_references(path)
    except FitError as error:
        check_message(str(error))
        return False
    assert frames
    assert len({frame.view.name for frame in frames}) == len(frames)
    for frame in frames:
        assert frame.image.is_file()
        assert frame.view.name.isprintable()
        assert np.isfinite(frame.view.world_to_clip).all()
    assert all(notice.isprintable() for notice in frames.notices)
    return True


def test_transforms_with_any_values(folder: Path) -> None:
    path = folder / "transforms.json"
    outcomes = set()

    @RUN
    @hypothesis.given(st.lists(st.tuples(st.randoms(use_true_random=False), NASTY), min_size=1, max_size=3))
    def run(changes: list[tuple[random.Random, Any]]) -> None:
        content: Any = copy.deepcopy(CONTENT)
        for rng, value in changes:
            target = content
            while True:
                keys = [*target, *OPTIONAL] if isinstance(target, dict) else list(range(len(target)))
                key = rng.choice(keys)
                child = target.get(key) if isinstance(target, dict) else target[key]
                if not isinstance(child, dict | list) or not child or rng.random() < 0.1:
                    target[key] = value
                    break
                target = child
        path.write_text(json.dumps(content))
        outcomes.add(read_or_refuse(path))

    run()
    path.unlink()
    assert outcomes == {True, False}


def test_transforms_of_any_text(folder: Path) -> None:
    path = folder / "transforms.json"

    @RUN
    @hypothesis.given(st.one_of(st.binary(max_size=60), NASTY.map(lambda value: json.dumps(value).encode())))
    def run(data: bytes) -> None:
        path.write_bytes(data)
        assert not read_or_refuse(path)

    run()
    path.unlink()


CAMERAS = {
    1: Camera("OPENCV", 200, 100, (150.0, 160.0, 90.0, 40.0, 0.1, 0.0, 0.0, 0.0)),
    2: Camera("RADIAL", 200, 100, (150.0, 90.0, 40.0, 0.1, 0.0)),
}
IMAGES = [
    Image("a.png", 1, (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 4.0)),
    Image("b.png", 2, (0.5, 0.5, 0.5, 0.5), (0.5, 0.0, 2.0), points=0),
]


def test_binary_models_with_any_bytes_changed_added_or_lost(folder: Path) -> None:
    model = folder / "binary"
    write_binary(model, CAMERAS, IMAGES)
    whole = {name: (model / name).read_bytes() for name in ("cameras.bin", "images.bin")}
    outcomes = set()

    @RUN
    @hypothesis.given(
        st.sampled_from(sorted(whole)), st.floats(0, 1), st.binary(max_size=12), st.integers(0, 12)
    )
    def run(name: str, where: float, inserted: bytes, removed: int) -> None:
        for each, data in whole.items():
            (model / each).write_bytes(data)
        data = whole[name]
        start = round(where * len(data))
        (model / name).write_bytes(data[:start] + inserted + data[start + removed :])
        outcomes.add(read_or_refuse(model))

    run()
    assert outcomes == {True, False}


def test_text_models_with_any_words(folder: Path) -> None:
    model = folder / "text"
    write_text(model, CAMERAS, IMAGES)
    whole = {name: (model / name).read_text() for name in ("cameras.txt", "images.txt")}
    outcomes = set()
    word = st.one_of(NASTY_TEXT, NASTY_NUMBER.map(str), st.just("\n"), st.sampled_from(["1", "PINHOLE", "#"]))

    @RUN
    @hypothesis.given(st.sampled_from(sorted(whole)), st.floats(0, 1), word)
    def run(name: str, where: float, inserted: str) -> None:
        for each, text in whole.items():
            (model / each).write_text(text)
        words = whole[name].split(" ")
        words[min(int(where * len(words)), len(words) - 1)] = inserted
        (model / name).write_bytes(" ".join(words).encode("utf-8", "surrogatepass"))
        outcomes.add(read_or_refuse(model))

    run()
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8",
        b"\x76\x2f\x31\x01",
        b"II*\0",
        b"MM\0*",
        b"BM",
        b"RIFF\0\0\0\0WEBP",
    ],
)
def test_images_of_any_bytes(folder: Path, start: bytes) -> None:
    path = folder / "image"

    @hypothesis.settings(RUN, max_examples=60)
    @hypothesis.given(st.binary(max_size=80))
    def run(rest: bytes) -> None:
        path.write_bytes(start + rest)
        try:
            width, height = read_image_size(path)
        except FitError as error:
            check_message(str(error))
            return
        assert 1 <= width <= 65536
        assert 1 <= height <= 65536

    run()
