# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""COLMAP models: cameras that were calibrated from photos, with the photos beside them.

COLMAP's poses are world-to-camera with +Y down and +Z forward; principal points are measured from the top
left corner with pixel centres at +0.5, as here. The world stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError
from ..core.frame import Frame, Frames, shortened
from ..core.view import View, perspective
from .colmap_model import Camera, Image, has_model, read_model
from .fields import found
from .image_files import find_image, size_on_disk, with_distinct_names
from .lenses import lens_of_model

MODEL_FOLDERS = (
    "sparse",
    "colmap/sparse",
    "colmap",
    ".",
)  # below the folder of a project; also their children
ABOVE = 3  # folders above the model where the photos may lie: project/sparse/0, project/colmap/sparse/0
UNIT_TOLERANCE = 0.1  # of a quaternion's length
FROM_COLMAP = np.diag([1.0, -1.0, -1.0, 1.0])  # our camera's axes in COLMAP's


def read(path: str | os.PathLike[str], images: str | os.PathLike[str] | None = None) -> Frames:
    """The frames of a model whose images are on disk, by name; the others are named in ``missing``.

    path: the folder of a model or of a project, or one of the model's files. images: the folder of the
    photos, None to look for it beside the model and above. Masks are taken from a folder "masks" beside
    that, as ``<image name>.png``, which is where COLMAP keeps them. A view has the size of its image file.
    Raises FitError that names file and image.
    """
    folder = find_model(Path(os.path.expanduser(path)).absolute())
    cameras, listed = read_model(folder)
    if not listed:
        raise FitError(
            f"COLMAP model '{folder}' holds no images: take the model of a finished reconstruction."
        )
    photos = _find_photos(folder, listed) if images is None else Path(os.path.expanduser(images)).absolute()
    frames: list[Frame] = []
    missing: list[str] = []
    for image in sorted(listed, key=lambda image: image.name):
        file = _find_image(image, photos)
        if file is None:
            missing.append(image.name)
        else:
            frames.append(_read_frame(image, cameras[image.camera], file, photos))
    if not frames:
        raise FitError(
            f"COLMAP model '{folder}': none of its {len(missing)} images is in the folder '{photos}': "
            f"{shortened(missing)}."
        )
    return Frames(with_distinct_names(frames), missing)


def is_model(path: Path) -> bool:
    """Whether ``read`` would find a model, or several, at this path."""
    return bool(_models(path))


def find_model(path: Path) -> Path:
    """The folder of the one model that a path means. Raises FitError where there is none, or several."""
    models = _models(path)
    if not models:
        raise FitError(
            f"'{path}' holds no COLMAP model: looked for cameras and images, .bin or .txt, in it and in its "
            f"folders {', '.join(MODEL_FOLDERS[:-1])} and theirs."
        )
    if len(models) > 1:
        names = ", ".join(f"'{model}'" for model in models)
        raise FitError(f"'{path}' holds several COLMAP models: name one of {names}.")
    return models[0]


def _models(path: Path) -> list[Path]:
    if os.path.isfile(path):
        is_part = path.stem in ("cameras", "images", "points3D", "rigs", "frames")
        return [path.parent] if is_part and has_model(path.parent) else []
    if has_model(path):
        return [path]
    for name in MODEL_FOLDERS:
        folder = path / name
        if not os.path.isdir(folder):
            continue
        if has_model(folder):
            return [folder]
        try:
            children = sorted(child for child in folder.iterdir() if os.path.isdir(child))
        except OSError as error:
            raise FitError(f"Folder '{folder}' cannot be read: {error.strerror}.") from error
        if models := [child for child in children if has_model(child)]:
            return models
    return []


def _find_photos(model: Path, listed: Sequence[Image]) -> Path:
    """The nearest folder "images", at the model or above, that has any image; else such a folder itself."""
    above = [model, *model.parents[:ABOVE]]
    candidates = [*(folder / "images" for folder in above), *above]
    for folder in candidates:
        if os.path.isdir(folder) and any(_find_image(image, folder) for image in listed):
            return folder
    looked = ", ".join(f"'{folder}'" for folder in candidates[: len(above)])
    raise FitError(
        f"COLMAP model '{model}': none of its {len(listed)} images was found "
        f"({shortened(image.name for image in listed)}). Looked in {looked} and in the folders that hold "
        "these; put the photos into a folder 'images' beside the model."
    )


def _find_image(image: Image, folder: Path) -> Path | None:
    try:
        return find_image(image.name, folder)
    except FitError as error:
        raise FitError(f"COLMAP image {found(image.name)}: {error}") from error


def _read_frame(image: Image, camera: Camera, file: Path, photos: Path) -> Frame:
    where = f"COLMAP image {found(image.name)}"
    lens = lens_of_model(camera.model, camera.parameters)
    center = (lens.center_x, lens.center_y)
    projection = perspective(lens.focal_x, lens.focal_y, *center, camera.width, camera.height)
    try:
        width, height = size_on_disk(file, (camera.width, camera.height))
        mask = find_image(f"{image.name}.png", photos.parent / "masks")
        if mask is not None:
            size_on_disk(mask, (width, height))
        return Frame(
            View(file.stem, _pose(image), projection, width, height),
            file,
            mask=mask,
            distortion=lens.distortion,
        )
    except FitError as error:
        raise FitError(f"{where}: {error}") from error


def _pose(image: Image) -> NDArray[np.float64]:
    """Camera-to-world (4, 4)."""
    length = float(np.linalg.norm(image.rotation))
    if abs(length - 1.0) > UNIT_TOLERANCE:
        raise FitError(
            f"its rotation is a quaternion of length {length:.3g} instead of 1; export the model again."
        )
    w, x, y, z = np.array(image.rotation) / length
    world_to_camera = np.eye(4)
    world_to_camera[:3, :3] = [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)],
        [2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)],
        [2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)],
    ]
    world_to_camera[:3, 3] = image.translation
    return np.asarray(np.linalg.inv(world_to_camera) @ FROM_COLMAP)
