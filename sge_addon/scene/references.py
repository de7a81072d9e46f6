# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References from cameras with background images, from files, and back to both.

Which file format is read or written is not known here: frames come from a reader of ``formats`` and go
to a writer that the caller hands over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FitError, Remedy
from ..core.frame import Frame
from ..core.masks import masked
from ..core.pixel_store import PixelStore
from ..core.reference import Reference
from .cameras import camera_from_view, check_frame, view_from_camera
from .images import array_to_image, image_to_array, save_exr, save_png
from .loaded_frames import load_frames
from .masks import MASK_IMAGE, mask_image, mask_pixels, read_mask

if TYPE_CHECKING:
    import bpy

COLLECTION = "References"
NORMAL_IMAGE = "sge_normal_image"  # on the camera's data: its image of world normals
ENGINE = "sge_engine"  # on a background image: what rendered it, 'eevee' or 'cycles'


def references_from_cameras(
    scene: bpy.types.Scene, resolution: int, mask_mode: str = "auto"
) -> list[Reference]:
    """A reference for every camera of the scene that shows a background image, by camera name.

    The image says the size; its own color space and alpha mode say how it is stored. resolution:
    long side to which larger images are scaled, each at once. mask_mode: one of ``core.masks.MASK_MODES``,
    for masks that came with the cameras. An empty list where there are none.
    Raises FitError naming the camera whose image is missing, turned, shifted, scaled or of another shape.
    """
    store = PixelStore(folder=temporary_folder())
    return list(load_references_of_cameras(scene, resolution, store, mask_mode))


def load_references_of_cameras(
    scene: bpy.types.Scene, resolution: int, store: PixelStore, mask_mode: str = "auto"
) -> Iterator[Reference]:
    """As ``references_from_cameras``, one after the other, their pixels where the store keeps them."""
    cameras = sorted((obj for obj in scene.objects if obj.type == "CAMERA"), key=lambda obj: obj.name)
    for camera in cameras:
        image = background_image(camera)
        if image is not None:
            mask = mask_image(camera)
            yield reference_of_camera(scene, camera, image, resolution, mask, mask_mode).stored(store)


def temporary_folder() -> str:
    """Where Blender's preferences want temporary files."""
    import bpy

    return bpy.app.tempdir


def references_from_frames(frames: Sequence[Frame], colorspace: str, resolution: int) -> list[Reference]:
    """References of frames that a reader of ``formats`` gave; see ``load_frames`` for one at a time."""
    store = PixelStore(folder=temporary_folder())
    return [each.stored(store) for each in load_frames(frames, colorspace, resolution)]


def export_references(
    folder: str | os.PathLike[str],
    references: Sequence[Reference],
    write: Callable[[Path, Sequence[Frame]], None],
    *,
    file_name: str = "transforms.json",
    file_format: str = "PNG",
) -> Path:
    """Write images, normals, weights as masks, and the file of cameras into a folder, which is made.

    Returns the file's path. write: of ``formats.transforms_json``; it refuses cameras that its format
    cannot hold. file_format: 'PNG' (8-bit sRGB, straight alpha, clipped to [0, 1]) or 'OPEN_EXR' (without
    loss). Normals are EXR.
    """
    if not references:
        raise FitError("There are no references to export.")
    root = Path(folder).expanduser().absolute()
    suffix = {"PNG": ".png", "OPEN_EXR": ".exr"}[file_format]
    frames = [
        Frame(
            view=reference.view,
            image=root / "images" / f"{name}{suffix}",
            normal_image=None if not reference.has_normal else root / "normals" / f"{name}.exr",
            mask=None if reference.weight is None else root / "masks" / f"{name}.png",
        )
        for reference, name in zip(references, _file_names(references), strict=True)
    ]
    try:
        for frame in frames:
            for path in (frame.image, frame.normal_image, frame.mask):
                if path is not None:
                    path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FitError(f"Folder '{root}' cannot be made: {error.strerror}.") from error
    write(root / file_name, frames)
    for reference, frame in zip(references, frames, strict=True):
        colour = reference.colour
        if not reference.has_alpha:
            colour = colour[..., :3]
        if file_format == "PNG":
            save_png(frame.image, colour)
        else:
            save_exr(frame.image, colour)
        normal, weight = reference.normal, reference.weight
        if normal is not None and frame.normal_image is not None:
            save_exr(frame.normal_image, normal)
        if weight is not None and frame.mask is not None:
            save_png(frame.mask, mask_pixels(weight)[..., :3], encode_srgb=False)
    return root / file_name


def add_reference_cameras(scene: bpy.types.Scene, references: Sequence[Reference]) -> bpy.types.Collection:
    """Cameras with background images, packed as 8-bit sRGB, in a collection "References" of the scene.

    ``references_from_cameras`` gives them back to within 8 bits. A collection of that name that the
    scene has already is added to.
    """
    import bpy

    collection = scene.collection.children.get(COLLECTION)
    if collection is None:
        collection = bpy.data.collections.new(COLLECTION)
        scene.collection.children.link(collection)
    for reference in references:
        camera = camera_from_view(reference.view, collection)
        colour = reference.colour
        if not reference.has_alpha:  # also where it weighs nothing and is empty
            colour = np.concatenate([colour[..., :3], np.ones_like(colour[..., 3:])], axis=2)
        image = array_to_image(reference.view.name, colour, as_bytes=True)
        camera.data.show_background_images = True
        background = camera.data.background_images.new()
        background.image = image
        background.frame_method = "CROP"
        background.show_background_image = True
        made = [image]
        normal = reference.normal
        if normal is not None:
            normals = np.concatenate([normal, reference.colour[..., 3:]], axis=2)
            made.append(array_to_image(f"{reference.view.name} normals", normals))
            camera.data[NORMAL_IMAGE] = made[-1]
        if reference.engine:
            image[ENGINE] = reference.engine
        if reference.weight is not None:
            mask = array_to_image(
                f"{reference.view.name} mask", mask_pixels(reference.weight), as_bytes=True, is_data=True
            )
            camera.data[MASK_IMAGE] = mask
            made.append(mask)
        for each in made:
            each.buffers_free()  # they are packed, and hundreds of them would fill the memory
    return collection


def reference_of_camera(
    scene: bpy.types.Scene,
    camera: bpy.types.Object,
    image: bpy.types.Image,
    resolution: int,
    mask_image: bpy.types.Image | None = None,
    mask_mode: str = "auto",
) -> Reference:
    """The reference of one camera and its background image; see ``references_from_cameras``."""
    pixels = image_to_array(image, camera.name, ignore_alpha=mask_mode == "none")
    check_frame(scene, camera, image)
    height, width = pixels.shape[:2]
    mask = None
    if mask_image is not None and mask_mode != "none":
        mask = read_mask(mask_image, camera.name, (width, height))
    shown = masked(pixels, mask, mask_mode, f"Camera '{camera.name}'")
    normal_image = camera.data.get(NORMAL_IMAGE)
    normal = None if normal_image is None else image_to_array(normal_image, camera.name)[..., :3]
    return Reference(
        view=view_from_camera(camera, width, height),
        colour=shown.colour,
        has_alpha=shown.has_alpha,
        normal=normal,
        weight=shown.weight,
        camera=camera.session_uid,
        engine=engine_of_image(image),
    ).resized(resolution)


def engine_of_image(image: bpy.types.Image) -> str:
    """As of ``Reference.engine``."""
    engine = image.get(ENGINE)
    return engine if engine in ("eevee", "cycles") else ""


def engines_of_cameras(cameras: Iterable[bpy.types.Object]) -> set[str]:
    """Of all their background images."""
    return {engine_of_image(each.image) for camera in cameras for each in _visible_backgrounds(camera)}


def cameras_with_images(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The scene's cameras that show any background image, by name."""
    cameras = sorted((obj for obj in scene.objects if obj.type == "CAMERA"), key=lambda obj: obj.name)
    return [camera for camera in cameras if _visible_backgrounds(camera)]


def _visible_backgrounds(camera: bpy.types.Object) -> list[bpy.types.CameraBackgroundImage]:
    if not camera.data.show_background_images:
        return []
    return [
        background
        for background in camera.data.background_images
        if background.show_background_image and background.source == "IMAGE" and background.image is not None
    ]


def background_image(camera: bpy.types.Object) -> bpy.types.Image | None:
    """The one visible background image of a camera, None where it shows none."""
    visible = _visible_backgrounds(camera)
    if not visible:
        return None
    if len(visible) > 1:
        names = ", ".join(f"'{background.image.name}'" for background in visible)
        raise FitError(
            f"Camera '{camera.name}' shows several background images ({names}); hide all but one.",
            subject=camera.name,
        )
    background = visible[0]
    changed = [
        label
        for label, is_changed in (
            ("Offset", tuple(background.offset) != (0.0, 0.0)),
            ("Rotation", background.rotation != 0.0),
            ("Scale", background.scale != 1.0),
            ("Flip", background.use_flip_x or background.use_flip_y),
        )
        if is_changed
    ]
    if changed:
        raise FitError(
            f"Camera '{camera.name}': its background image '{background.image.name}' has "
            f"{' and '.join(changed)} set; clear them, because references must fill the frame as they are.",
            subject=camera.name,
            remedy=Remedy.CLEAR_BACKGROUND,
        )
    return background.image


def _file_names(references: Sequence[Reference]) -> list[str]:
    """Names of views as file names that every system takes, distinct even where case is ignored."""
    names: list[str] = []
    taken: set[str] = set()
    for reference in references:
        plain = re.sub(r"[^\w.-]+", "_", reference.view.name).strip("._") or "view"
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add(name.lower())
        names.append(name)
    return names
