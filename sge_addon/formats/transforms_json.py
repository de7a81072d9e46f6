# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""transforms.json: cameras and their images as NeRF, instant-ngp and nerfstudio write them.

Matrices are camera-to-world with +X right, +Y up, looking along -Z, as everywhere here, and are
taken as they stand: nothing is re-centred or scaled. Intrinsics are in pixels from the top left
corner, pixel centres at +0.5. The per-frame fields ``normal_file_path`` and ``name`` are ours; other
tools ignore them.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError
from ..core.frame import Frame
from ..core.view import View, perspective
from .fields import Fields, found, load_object
from .image_size import read_image_size

__all__ = ["Frame", "check", "read", "write"]

EXTENSIONS = (".png", ".jpg", ".jpeg", ".exr")  # tried where a file path has none
DISTORTION = ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")
PINHOLE_MODELS = ("PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV")
OTHER_LENSES = ("is_fisheye", "ftheta_p0", "latlong", "equirectangular")
RIGID_TOLERANCE = 1e-3
NETWORK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]|[/\\]{2}")  # a URL or a share; not C:/


def read(path: str | os.PathLike[str]) -> list[Frame]:
    """All frames of a file, in its order. Raises FitError that names file, frame and field.

    A view has the size of its image file where the header can be read (PNG, JPEG, EXR), else the
    size that the file states.
    """
    file = Path(path).expanduser().absolute()
    shared = load_object(file)
    _refuse_other_lenses(shared)
    frames = [_read_frame(fields, shared, file.parent) for fields in shared.frames("frames")]
    return _with_distinct_names(frames)


def _read_frame(fields: Fields, shared: Fields, folder: Path) -> Frame:
    text = fields.text("file_path")
    if text is not None:
        fields = replace(fields, where=f"{fields.where} ({found(text)})")
    image = _find_image(fields, "file_path", folder)
    if image is None:
        raise fields.error("file_path", "it is missing; every frame needs an image.")
    scopes = (fields, shared)  # a frame's own fields come before those of the file
    _refuse_other_lenses(fields)
    width, height = _size(scopes, image)
    stated_width, stated_height = _stated_size(scopes) or (width, height)
    focal_x, focal_y = _focal_lengths(scopes, stated_width, stated_height)
    center_x = _first_number(scopes, "cx")
    center_y = _first_number(scopes, "cy")
    name = fields.text("name") or image.stem
    view = View(
        name=name,
        camera_to_world=_pose(fields),
        projection=perspective(
            focal_x,
            focal_y,
            0.5 * stated_width if center_x is None else center_x,
            0.5 * stated_height if center_y is None else center_y,
            stated_width,
            stated_height,
        ),
        width=width,
        height=height,
    )
    return Frame(view, image, _find_image(fields, "normal_file_path", folder))


def _with_distinct_names(frames: list[Frame]) -> list[Frame]:
    """File stems as names; where two are equal, folder and stem; then a number."""
    names = [frame.view.name for frame in frames]
    repeated = {name for name, count in Counter(names).items() if count > 1}
    names = [
        f"{frame.image.parent.name}/{name}" if name in repeated else name
        for name, frame in zip(names, frames, strict=True)
    ]
    taken: set[str] = set()
    for index, name in enumerate(names):
        number = 1
        while names[index] in taken:
            number += 1
            names[index] = f"{name}.{number}"
        taken.add(names[index])
    return [replace(f, view=replace(f.view, name=n)) for f, n in zip(frames, names, strict=True)]


def _find_image(fields: Fields, name: str, folder: Path) -> Path | None:
    """The existing file that a field names, or None where the field is absent."""
    text = fields.text(name)
    if text is None:
        return None
    if NETWORK.match(text):
        raise fields.error(
            name, f"found {found(text)}; only local files are read: copy the image beside the file."
        )
    path = folder / text.replace("\\", "/")
    try:
        # Appended, not substituted: the name may hold a dot of its own.
        for candidate in (path, *(path.with_name(path.name + extension) for extension in EXTENSIONS)):
            if candidate.is_file():
                return candidate
    except (OSError, ValueError) as error:
        raise fields.error(name, f"found {found(text)}; this cannot be the name of a file.") from error
    raise fields.error(
        name, f"there is no image at {found(str(path), 400)}; put it there or remove the frame."
    )


def _refuse_other_lenses(scope: Fields) -> None:
    model = scope.text("camera_model")
    if model is not None and model.upper() not in PINHOLE_MODELS:
        raise scope.error(
            "camera_model",
            f"found {found(model)}; only pinhole cameras are supported: undistort the images first.",
        )
    for name in OTHER_LENSES:
        if scope.values.get(name):
            raise scope.error(name, "only pinhole cameras are supported: undistort the images first.")
    for name in DISTORTION:
        value = scope.number(name)
        if value:
            raise scope.error(
                name,
                f"the lens is distorted ({name} = {value:g}): undistort the images first, and use the "
                "cameras that the tool writes with them.",
            )


def _stated_size(scopes: Sequence[Fields]) -> tuple[int, int] | None:
    sides: list[int] = []
    for name in ("w", "h"):
        sides += [side for side in (scope.side(name) for scope in scopes) if side is not None][:1]
    if len(sides) == 1:
        raise scopes[0].error("w", "only one of 'w' and 'h' is given; give both or neither.")
    return (sides[0], sides[1]) if sides else None


def _size(scopes: Sequence[Fields], image: Path) -> tuple[int, int]:
    """Size of the image file; stated size where its header is not readable here."""
    stated = _stated_size(scopes)
    try:
        actual = read_image_size(image)
    except FitError as error:
        raise scopes[0].error("file_path", str(error)) from error
    if actual is None:
        if stated is None:
            raise scopes[0].error(
                "w", f"it is missing, and '{image.name}' is not a PNG, JPEG or EXR file; give w and h."
            )
        return stated
    if stated is not None:
        # A smaller copy of the image has the same aspect to within a pixel of rounding.
        ratio = max(stated) / max(actual)
        if max(abs(a * ratio - s) for a, s in zip(actual, stated, strict=True)) > max(1.0, ratio):
            raise scopes[0].error(
                "w",
                f"the camera has {stated[0]} x {stated[1]} pixels, the image {actual[0]} x {actual[1]}: "
                "another aspect. Use the images that belong to these cameras.",
            )
    return actual


def _focal_lengths(scopes: Sequence[Fields], width: int, height: int) -> tuple[float, float]:
    focal_x = _first_focal(scopes, "fl_x", "camera_angle_x", width)
    focal_y = _first_focal(scopes, "fl_y", "camera_angle_y", height)
    known = focal_x if focal_x is not None else focal_y  # pixels are square where one is not said
    if known is None:
        raise scopes[0].error(
            "fl_x", "it is missing, and so is 'camera_angle_x': the focal length is unknown."
        )
    return focal_x or known, focal_y or known


def _first_focal(scopes: Sequence[Fields], name: str, angle_name: str, side: int) -> float | None:
    """Focal length in pixels from the first scope that says it, directly or as a field of view."""
    for scope in scopes:
        focal = scope.number(name, positive=True)
        if focal is not None:
            return focal
        angle = scope.number(angle_name, positive=True)
        if angle is not None:
            if angle >= math.pi:
                raise scope.error(angle_name, f"found {angle:g}; expected radians below pi.")
            return 0.5 * side / math.tan(0.5 * angle)
    return None


def _first_number(scopes: Sequence[Fields], name: str) -> float | None:
    return next((value for value in (scope.number(name) for scope in scopes) if value is not None), None)


def _pose(fields: Fields) -> NDArray[np.float64]:
    """The camera-to-world matrix with the rounding of its rotation removed."""
    name = "transform_matrix"
    matrix = fields.matrix(name)
    if not np.allclose(matrix[3], (0.0, 0.0, 0.0, 1.0), atol=1e-6):
        raise fields.error(name, f"its last row is {found(matrix[3].tolist())}; expected 0, 0, 0, 1.")
    rotation = matrix[:3, :3]
    error = np.abs(rotation.T @ rotation - np.eye(3)).max()
    if error > RIGID_TOLERANCE:
        lengths = ", ".join(f"{length:.4g}" for length in np.linalg.norm(rotation, axis=0))
        raise fields.error(
            name,
            f"it is not a rigid motion (its axes have lengths {lengths} and deviate by {error:.2g}); "
            "remove scale and shear from the camera.",
        )
    left, _, right = np.linalg.svd(rotation)
    if np.linalg.det(left @ right) < 0.0:
        raise fields.error(
            name, "it mirrors the camera; +X is right, +Y is up, and the camera looks along -Z."
        )
    result = np.eye(4)
    result[:3, :3] = left @ right  # the nearest rotation
    result[:3, 3] = matrix[:3, 3]
    return result


def write(path: str | os.PathLike[str], frames: Sequence[Frame]) -> None:
    """Write frames with full intrinsics each, and a global ``camera_angle_x`` where all agree.

    Image paths become relative to the file, with forward slashes. Raises FitError for a camera
    that the format cannot hold (orthographic, sheared) and for a file that cannot be written.
    """
    file = Path(path).expanduser().absolute()
    entries = [_entry(frame, file.parent) for frame in frames]
    content: dict[str, Any] = {"camera_model": "PINHOLE"}
    angles = [2.0 * math.atan(0.5 * entry["w"] / entry["fl_x"]) for entry in entries]
    if angles and max(angles) - min(angles) <= 1e-12:
        content["camera_angle_x"] = angles[0]
    content["frames"] = entries
    try:
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise FitError(f"File '{file}' cannot be written: {error.strerror}.") from error


def check(view: View) -> None:
    """Raise FitError for a camera that ``write`` refuses."""
    if not view.is_perspective:
        raise FitError(
            f"Camera '{view.name}' is orthographic, which transforms.json cannot hold; "
            "make it a perspective camera."
        )
    pinhole = perspective(*view.intrinsics(), view.width, view.height)
    if not np.allclose(view.projection[[0, 1, 3]], pinhole[[0, 1, 3]], atol=1e-9):
        raise FitError(f"Camera '{view.name}' has a sheared projection, which transforms.json cannot hold.")


def _entry(frame: Frame, folder: Path) -> dict[str, Any]:
    view = frame.view
    check(view)
    entry: dict[str, Any] = {"file_path": _relative(frame.image, folder)}
    if frame.normal_image is not None:
        entry["normal_file_path"] = _relative(frame.normal_image, folder)
    if view.name != frame.image.stem:
        entry["name"] = view.name
    entry |= dict(zip(("fl_x", "fl_y", "cx", "cy"), map(float, view.intrinsics()), strict=True))
    return entry | {"w": view.width, "h": view.height, "transform_matrix": view.camera_to_world.tolist()}


def _relative(image: Path, folder: Path) -> str:
    """The path from the folder where that is possible, else (another drive) the whole path."""
    try:
        return Path(os.path.relpath(image, folder)).as_posix()
    except ValueError:
        return image.as_posix()
