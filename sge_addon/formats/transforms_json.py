# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""transforms.json: cameras and their images as NeRF, instant-ngp and nerfstudio write them.

Matrices are camera-to-world with +X right, +Y up, looking along -Z, as everywhere here, and are
taken as they stand: nothing is re-centred or scaled. Intrinsics are in pixels from the top left
corner, pixel centres at +0.5. Lens distortion is OpenCV's, except that a k4 without k5 and k6 belongs
to r⁸, as in nerfstudio. The per-frame fields ``normal_file_path`` and ``name`` are ours; other tools
ignore them.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.distortion import Distortion
from ..core.errors import FitError
from ..core.frame import Frame, Frames, shortened
from ..core.view import View, perspective
from .fields import Fields, found, load_object
from .image_files import find_image, size_on_disk, with_distinct_names
from .lenses import FISHEYE, RATIONAL, READ, SHORTEST_FOCAL, distortion

__all__ = ["Frame", "check", "read", "write"]

COEFFICIENTS = ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")
OTHER_LENSES = ("ftheta_p0", "latlong", "equirectangular")
RIGID_TOLERANCE = 1e-3

_Scopes = tuple[Fields, Fields]  # a frame's own fields, which come before those of the file


def read(path: str | os.PathLike[str]) -> Frames:
    """The frames of a file whose images are on disk, in its order; the others are named in ``missing``.

    A view has the size of its image file. Raises FitError that names file, frame and field, also where
    no image at all is there.
    """
    file = Path(os.path.expanduser(path)).absolute()
    shared = load_object(file)
    _refuse_other_lenses(shared)
    frames: list[Frame] = []
    missing: list[str] = []
    for fields in shared.frames("frames"):
        text = fields.text("file_path")
        if text is None:
            raise fields.error("file_path", "it is missing; every frame needs an image.")
        fields = replace(fields, where=f"{fields.where} ({found(text)})")
        image = _find_image(fields, "file_path", text, file.parent)
        if image is None:
            missing.append(text)
        else:
            frames.append(_read_frame((fields, shared), image, file.parent))
    if not frames:
        raise FitError(
            f"{file.name}: none of its {len(missing)} images is there; looked in "
            f"{found(str(file.parent), 400)} for {shortened(missing)}. Put the images there, or write paths "
            "relative to the file."
        )
    return Frames(with_distinct_names(frames), missing)


def _read_frame(scopes: _Scopes, image: Path, folder: Path) -> Frame:
    fields = scopes[0]
    _refuse_other_lenses(fields)
    stated = _stated_size(scopes)
    try:
        width, height = size_on_disk(image, stated)
    except FitError as error:
        raise fields.error("file_path", str(error)) from error
    stated_width, stated_height = stated or (width, height)
    focal_x, focal_y = _focal_lengths(scopes, stated_width, stated_height)
    center_x = _first_number(scopes, "cx")
    center_y = _first_number(scopes, "cy")
    view = View(
        name=fields.text("name") or image.stem,
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
    frame = Frame(
        view,
        image,
        normal_image=_companion(fields, "normal_file_path", folder, view),
        mask=_companion(fields, "mask_path", folder, view),
    )
    lens = _distortion(scopes)
    try:
        return replace(frame, distortion=lens)
    except FitError as error:  # a lens that folds the image
        raise FitError(f"{fields.where}: {error}") from error


def _companion(fields: Fields, name: str, folder: Path, view: View) -> Path | None:
    """The existing file of the image's shape that a field names, or None where the field is absent."""
    text = fields.text(name)
    if text is None:
        return None
    path = _find_image(fields, name, text, folder)
    if path is None:
        raise fields.error(
            name, f"there is no image at {found(str(folder / text), 400)}; put it there or remove the field."
        )
    try:
        size_on_disk(path, (view.width, view.height))
    except FitError as error:
        raise fields.error(name, str(error)) from error
    return path


def _find_image(fields: Fields, name: str, text: str, folder: Path) -> Path | None:
    try:
        return find_image(text, folder)
    except FitError as error:
        raise fields.error(name, str(error)) from error


def _refuse_other_lenses(scope: Fields) -> None:
    model = scope.text("camera_model")
    if model is not None and model.upper() not in READ:
        raise scope.error(
            "camera_model",
            f"found {found(model)}; read are {', '.join(READ)}: undistort the images first.",
        )
    for name in OTHER_LENSES:
        if scope.values.get(name):
            raise scope.error(name, "this lens is not read: undistort the images first.")


def _distortion(scopes: _Scopes) -> Distortion | None:
    named = {name: _first_number(scopes, name) or 0.0 for name in COEFFICIENTS}
    model = next(
        (text.upper() for text in (scope.text("camera_model") for scope in scopes) if text), "OPENCV"
    )
    if model not in FISHEYE and any(scope.values.get("is_fisheye") for scope in scopes):
        model = "OPENCV_FISHEYE"
    if named["k5"] or named["k6"]:
        model = RATIONAL if model not in FISHEYE else model
    for name in ("k5", "k6", "p1", "p2") if model in FISHEYE else ():
        if named[name]:
            raise scopes[0].error(
                name, f"found {named[name]:g}; a fisheye has k1 to k4 alone: undistort the images first."
            )
    return distortion(named, model)


def _stated_size(scopes: _Scopes) -> tuple[int, int] | None:
    sides: list[int] = []
    for name in ("w", "h"):
        sides += [side for side in (scope.side(name) for scope in scopes) if side is not None][:1]
    if len(sides) == 1:
        raise scopes[0].error("w", "only one of 'w' and 'h' is given; give both or neither.")
    return (sides[0], sides[1]) if sides else None


def _focal_lengths(scopes: _Scopes, width: int, height: int) -> tuple[float, float]:
    focal_x = _first_focal(scopes, "fl_x", "camera_angle_x", width)
    focal_y = _first_focal(scopes, "fl_y", "camera_angle_y", height)
    known = focal_x if focal_x is not None else focal_y  # pixels are square where one is not said
    if known is None:
        raise scopes[0].error(
            "fl_x", "it is missing, and so is 'camera_angle_x': the focal length is unknown."
        )
    for name, focal in (("fl_x", focal_x), ("fl_y", focal_y)):
        if focal is not None and focal < SHORTEST_FOCAL:
            raise scopes[0].error(
                name, f"it comes to {focal:g} pixels; expected at least {SHORTEST_FOCAL:g}."
            )
    return focal_x or known, focal_y or known


def _first_focal(scopes: _Scopes, name: str, angle_name: str, side: int) -> float | None:
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


def _first_number(scopes: _Scopes, name: str) -> float | None:
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
    that the format cannot hold (orthographic, sheared), for images that are still distorted, and for a
    file that cannot be written.
    """
    file = Path(os.path.expanduser(path)).absolute()
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
    if frame.distortion is not None:
        raise FitError(f"Camera '{view.name}': its image is distorted; only undistorted images are written.")
    entry: dict[str, Any] = {"file_path": _relative(frame.image, folder)}
    if frame.normal_image is not None:
        entry["normal_file_path"] = _relative(frame.normal_image, folder)
    if frame.mask is not None:
        entry["mask_path"] = _relative(frame.mask, folder)
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
