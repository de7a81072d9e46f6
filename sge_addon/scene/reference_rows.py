# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of references that a scene stores: rows of ``Scene.sge.references``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..core.errors import FitError, Remedy
from ..core.pixel_store import PixelStore
from ..core.reference import Reference
from .cameras import fills_frame, keep_projection, view_from_camera
from .masks import mask_image
from .references import (
    add_reference_cameras,
    background_image,
    cameras_with_images,
    engines_of_cameras,
    load_references_of_cameras,
    reference_of_camera,
    temporary_folder,
)

if TYPE_CHECKING:
    import bpy

SOURCE = "sge_source"  # on a camera that was made from an object: the object's name


def add_rows_from_cameras(scene: bpy.types.Scene) -> int:
    """A row for every camera with a background image that has none yet; rows of lost cameras go.

    Returns the number of rows added. Raises FitError where no camera has a background image.
    """
    remove_lost_rows(scene)
    rows = scene.sge.references
    listed = {row.camera.name for row in rows}
    cameras = sorted((obj for obj in scene.objects if obj.type == "CAMERA"), key=lambda obj: obj.name)
    shown = [camera for camera in cameras if background_image(camera) is not None]
    if not shown:
        raise FitError(
            "No camera has a background image: add one in the camera's Background Images panel, import "
            "references, or use Make References from Object."
        )
    added = [camera for camera in shown if camera.name not in listed]
    for camera in added:
        add_row(rows, camera)
    return len(added)


def add_row(rows: Any, camera: bpy.types.Object) -> None:
    """List a camera, with the mask image that came with it."""
    row = rows.add()
    row.camera = camera
    row.mask_image = mask_image(camera)


def references_of_scene(scene: bpy.types.Scene, resolution: int) -> list[Reference]:
    """The enabled rows as references; without any row, every camera that has a background image.

    resolution: long side in pixels to which larger images are scaled. Raises FitError where there is
    none, where a row has lost its camera or image, or where nothing is left to fit to.
    """
    return list(load_references(scene, resolution, PixelStore(folder=temporary_folder())))


def load_references(scene: bpy.types.Scene, resolution: int, store: PixelStore) -> Iterator[Reference]:
    """As ``references_of_scene``, one after the other, their pixels where the store keeps them; as many as
    ``count_used`` says."""
    check_any_used(scene)
    rows = scene.sge.references
    if not rows:
        yield from load_references_of_cameras(scene, resolution, store)
    for row in rows:
        if row.enabled:
            yield reference_of_row(scene, row, resolution).stored(store)


def count_used(scene: bpy.types.Scene) -> int:
    """How many references the scene has."""
    rows = scene.sge.references
    return sum(row.enabled for row in rows) if rows else len(cameras_with_images(scene))


def engines_of_scene(scene: bpy.types.Scene) -> set[str]:
    """What rendered the references that the scene trains on; as ``Reference.engine``."""
    rows = scene.sge.references
    used = [row.camera for row in rows if row.enabled and not row.held_out and row.camera is not None]
    return engines_of_cameras(used if rows else cameras_with_images(scene))


def check_any_used(scene: bpy.types.Scene) -> None:
    """Raises FitError where the scene has no reference to fit to."""
    rows = scene.sge.references
    if rows and all(row.held_out or not row.enabled for row in rows):
        raise FitError(
            "All references are switched off or held out: enable at least one in the list.",
            remedy=Remedy.ENABLE_ALL,
        )
    if not rows and not cameras_with_images(scene):
        raise FitError(
            "There are no references: give cameras background images and press Add from Cameras, use "
            "Make References from Object, or name some with --references or --reference-object.",
            remedy=Remedy.ADD_FROM_CAMERAS,
        )


def reference_of_row(scene: bpy.types.Scene, row: Any, resolution: int) -> Reference:
    """What one row says should be seen. Raises FitError as ``image_of_row`` does."""
    camera, image = image_of_row(scene, row)
    reference = reference_of_camera(scene, camera, image, resolution, row.mask_image, row.mask_mode)
    return replace(reference, held_out=row.held_out)


def image_of_row(scene: bpy.types.Scene, row: Any) -> tuple[bpy.types.Object, bpy.types.Image]:
    """A row's camera and its background image. Raises FitError where either is lost or not as it must be."""
    camera = row.camera
    if not _is_in_scene(scene, camera):
        raise FitError(
            "A reference has lost its camera: remove its row from the list, or choose a camera.",
            remedy=Remedy.REMOVE_LOST,
        )
    image = background_image(camera)
    if image is None:
        raise FitError(
            f"Camera '{camera.name}' has no visible background image: give it one, or remove its row.",
            subject=camera.name,
            remedy=Remedy.SWITCH_OFF,
        )
    return camera, image


def remove_lost_rows(scene: bpy.types.Scene) -> int:
    """Remove the rows whose camera is no longer in the scene; how many they were."""
    rows = scene.sge.references
    lost = [index for index in range(len(rows)) if not _is_in_scene(scene, rows[index].camera)]
    for index in reversed(lost):
        rows.remove(index)
    return len(lost)


def _is_in_scene(scene: bpy.types.Scene, camera: bpy.types.Object | None) -> bool:
    """A deleted camera lives on while a row points to it, but in no scene."""
    return camera is not None and scene.objects.get(camera.name) == camera


def use_image_frames(scene: bpy.types.Scene) -> int:
    """Let the image of every listed camera be its frame, whatever the render's shape; how many changed."""
    changed = 0
    for row in scene.sge.references:
        camera = row.camera
        image = background_image(camera) if _is_in_scene(scene, camera) else None
        if image is not None and all(image.size) and not fills_frame(scene, camera, *image.size):
            keep_projection(camera.data, view_from_camera(camera, *image.size))
            changed += 1
    return changed


def store_made_references(
    scene: bpy.types.Scene, source: bpy.types.Object, references: Sequence[Reference]
) -> None:
    """Cameras, images and rows for references rendered from ``source``, in place of its earlier ones."""
    _remove_made_references(scene, source)
    before = set(scene.objects)
    add_reference_cameras(scene, references)
    for camera in sorted(set(scene.objects) - before, key=lambda obj: obj.name):
        camera[SOURCE] = source.name
    add_rows_from_cameras(scene)


def _remove_made_references(scene: bpy.types.Scene, source: bpy.types.Object) -> None:
    import bpy

    for camera in [obj for obj in scene.objects if obj.get(SOURCE) == source.name]:
        data = camera.data
        images = {background.image for background in data.background_images if background.image}
        images |= {value for value in data.values() if isinstance(value, bpy.types.Image)}
        bpy.data.objects.remove(camera)
        if data.users == 0:
            bpy.data.cameras.remove(data)
        for image in images:
            if image.users == 0:
                bpy.data.images.remove(image)


def store_used_references(scene: bpy.types.Scene, used: Sequence[tuple[bpy.types.Object, bool]]) -> None:
    """Make the rows say what a fit used: (camera, held out) pairs; rows of other cameras are switched off."""
    rows = scene.sge.references
    listed = {row.camera for row in rows}
    for camera, _ in used:
        if camera not in listed:
            add_row(rows, camera)
    held_out = dict(used)
    for row in rows:
        row.enabled = row.camera in held_out
        row.held_out = held_out.get(row.camera, row.held_out)


def store_psnr(scene: bpy.types.Scene, views: Sequence[Mapping[str, Any]]) -> None:
    """Show a report's figures in the rows. views: mappings with name, psnr_before, psnr_after."""
    by_name = {view["name"]: view for view in views}
    for row in scene.sge.references:
        view = by_name.get(row.camera.name) if row.camera else None
        figures = (view["psnr_before"], view["psnr_after"]) if view else (None, None)
        row.measured = None not in figures
        if row.measured:
            row.psnr_before, row.psnr_after = figures
