# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender cameras as views and back.

A camera that was made here also carries the exact numbers of its view, because Blender's own are
32-bit, and cannot hold fx != fy: ``sge_projection`` on the camera's data (16 numbers) with the lens
settings that belong to it in ``sge_lens``, and ``sge_pose`` on the object (16 numbers). They count only
as long as they agree with what Blender shows: an edited lens, sensor or shift, another aspect or a
moved object makes the stored numbers void, and Blender's own are read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError, Remedy
from ..core.view import View, orthographic, perspective

if TYPE_CHECKING:
    import bpy

PROJECTION = "sge_projection"  # on the camera's data, of cameras that were made or imported here

SENSOR_WIDTH = 36.0  # millimetres, Blender's default
SHEAR_TOLERANCE = 1e-4
FLOAT_ROUNDING = 2e-6  # of a 32-bit matrix that Blender put together from location and rotation


def view_from_camera(camera: bpy.types.Object, width: int, height: int) -> View:
    """The view of a camera object on an image of ``width`` x ``height`` pixels.

    The scene's render resolution and pixel aspect play no part. Scale is removed from the object's
    matrix, as Blender does. Raises FitError for panoramic, mirrored and sheared cameras.
    """
    import bpy

    if camera.type != "CAMERA":
        raise FitError(f"Object '{camera.name}' is not a camera.")
    evaluated = camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
    projection = _stored_projection(evaluated, width, height)
    if projection is None:
        projection = _projection(evaluated, width, height)
    view = View(camera.name, _pose(evaluated), projection, width, height)
    return view.with_clip_range(evaluated.data.clip_start, evaluated.data.clip_end)


def camera_from_view(
    view: View, collection: bpy.types.Collection, name: str | None = None
) -> bpy.types.Object:
    """A new camera object that sees what the view sees, linked to ``collection``.

    ``view_from_camera`` gives the view back exactly, save for its clip range, which is 32-bit. Where
    fx and fy differ, Blender's own picture uses fx for both. Raises FitError for a sheared projection.
    """
    import bpy
    from mathutils import Matrix

    name = name or view.name
    focal_x, focal_y, center_x, center_y = view.intrinsics()
    if view.is_perspective:
        plain = perspective(focal_x, focal_y, center_x, center_y, view.width, view.height)
    else:
        plain = orthographic(1.0 / focal_x, center_x, center_y, view.width, view.height)
        plain[1, 1] = view.projection[1, 1]
    if not np.allclose(plain[[0, 1, 3]], view.projection[[0, 1, 3]], atol=1e-9):
        raise FitError(f"Camera '{view.name}' has a sheared projection, which a Blender camera cannot hold.")
    data = bpy.data.cameras.new(name)
    long_side = max(view.width, view.height)
    data.sensor_fit = "AUTO"
    data.sensor_width = SENSOR_WIDTH
    if view.is_perspective:
        data.lens = focal_x * SENSOR_WIDTH / long_side
    else:
        data.type = "ORTHO"
        data.ortho_scale = long_side / focal_x
    data.shift_x = (0.5 * view.width - center_x) / long_side
    data.shift_y = (center_y - 0.5 * view.height) / long_side
    data.clip_start, data.clip_end = view.clip_range()
    keep_projection(data, view)
    camera = bpy.data.objects.new(name, data)
    camera.matrix_world = Matrix(view.camera_to_world.tolist())
    camera["sge_pose"] = view.camera_to_world.ravel().tolist()
    collection.objects.link(camera)
    return camera


def keep_projection(data: bpy.types.Camera, view: View) -> None:
    """Store a view's projection and size with a camera: from now on its frame is of that shape."""
    data[PROJECTION] = view.projection.ravel().tolist()
    data["sge_lens"] = [*_lens_settings(data), float(view.width), float(view.height)]


def stored_frame(data: bpy.types.Camera) -> tuple[int, int] | None:
    """Width and height of the view that is stored with a camera, None where there is none."""
    stored = data.get("sge_lens")
    return (int(stored[8]), int(stored[9])) if stored is not None and len(stored) == 10 else None


def check_frame(
    scene: bpy.types.Scene,
    camera: bpy.types.Object,
    image: bpy.types.Image,
    size: tuple[int, int] | None = None,
) -> None:
    """Raises FitError where the image has another shape than the camera's frame.

    size: (width, height) where it is known without loading the image.
    """
    width, height = size or image.size
    if not fills_frame(scene, camera, width, height):
        raise FitError(
            f"Camera '{camera.name}': its image '{image.name}' ({width} x {height}) has another shape than "
            f"its frame ({' x '.join(f'{side:g}' for side in _frame(scene, camera))}). Set the render's "
            f"resolution to {width} x {height}, or press Use Image Frames in the list of references.",
            subject=camera.name,
            remedy=Remedy.USE_IMAGE_FRAMES,
        )


def fills_frame(scene: bpy.types.Scene, camera: bpy.types.Object, width: int, height: int) -> bool:
    """Whether an image has the shape of the camera's frame."""
    return _same_shape((width, height), _frame(scene, camera))


def _frame(scene: bpy.types.Scene, camera: bpy.types.Object) -> tuple[float, float]:
    """Width and height that are stored with the camera, whatever its lens is now, else the render's."""
    stored = camera.data.get("sge_lens")
    if stored is not None and len(stored) == 10:
        return stored[8], stored[9]
    render = scene.render
    return (
        render.resolution_x * render.pixel_aspect_x,
        render.resolution_y * render.pixel_aspect_y,
    )


def _same_shape(a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Scaling to whole pixels changes the shape by up to a pixel of either."""
    return abs(a[0] * b[1] - a[1] * b[0]) <= max(*a, *b)


def _projection(camera: bpy.types.Object, width: int, height: int) -> NDArray[np.float64]:
    """(4, 4) from Blender's lens settings. Lens, sensor and shift refer to the fitted side."""
    data = camera.data
    if data.type not in ("PERSP", "ORTHO"):
        raise FitError(
            f"Camera '{camera.name}' is of type {data.type.title()}, which no flat projection can render; "
            "set its Type to Perspective or Orthographic.",
            subject=camera.name,
        )
    horizontal = data.sensor_fit == "HORIZONTAL" or (data.sensor_fit == "AUTO" and width >= height)
    side = width if horizontal else height
    center_x = 0.5 * width - data.shift_x * side
    center_y = 0.5 * height + data.shift_y * side
    clip = (data.clip_start, data.clip_end)
    if data.type == "ORTHO":
        return orthographic(data.ortho_scale / side, center_x, center_y, width, height, *clip)
    # With AUTO the sensor's width counts on whichever side is longer.
    sensor = data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width
    focal = data.lens / sensor * side
    return perspective(focal, focal, center_x, center_y, width, height, *clip)


def _stored_projection(camera: bpy.types.Object, width: int, height: int) -> NDArray[np.float64] | None:
    """The projection kept by ``camera_from_view``, or None where the lens or the aspect is another now."""
    numbers, lens = camera.data.get(PROJECTION), camera.data.get("sge_lens")
    if numbers is None or lens is None or len(numbers) != 16 or len(lens) != 10:
        return None
    if list(lens)[:8] != _lens_settings(camera.data) or not _same_shape((width, height), (lens[8], lens[9])):
        return None
    return np.array(numbers, dtype=np.float64).reshape(4, 4)


def _lens_settings(data: bpy.types.Camera) -> list[float]:
    return [
        float(("PERSP", "ORTHO").index(data.type)) if data.type in ("PERSP", "ORTHO") else -1.0,
        float(("AUTO", "HORIZONTAL", "VERTICAL").index(data.sensor_fit)),
        data.lens,
        data.sensor_width,
        data.sensor_height,
        data.ortho_scale,
        data.shift_x,
        data.shift_y,
    ]


def _pose(camera: bpy.types.Object) -> NDArray[np.float64]:
    """Camera-to-world (4, 4) without scale: the stored one where the object still stands there."""
    matrix = np.array(camera.matrix_world, dtype=np.float64)
    stored = camera.get("sge_pose")
    if stored is not None and len(stored) == 16:
        exact = np.array(stored, dtype=np.float64).reshape(4, 4)
        if np.abs(matrix - exact).max() <= FLOAT_ROUNDING * max(1.0, np.abs(exact).max()):
            return exact
    if not np.isfinite(matrix).all():
        raise FitError(
            f"Camera '{camera.name}' stands at a NaN or infinite position; clear its transforms.",
            subject=camera.name,
        )
    axes = matrix[:3, :3]
    scale = np.linalg.norm(axes, axis=0)
    if scale.min() <= 1e-12:
        raise FitError(
            f"Camera '{camera.name}' has a scale of zero; apply or clear its scale.", subject=camera.name
        )
    axes = axes / scale
    if np.linalg.det(axes) < 0.0:
        raise FitError(
            f"Camera '{camera.name}' is mirrored by a negative scale; clear its scale and its parents'.",
            subject=camera.name,
        )
    if np.abs(axes.T @ axes - np.eye(3)).max() > SHEAR_TOLERANCE:
        raise FitError(
            f"Camera '{camera.name}' is sheared by its parents; clear the parent and keep the transform.",
            subject=camera.name,
        )
    left, _, right = np.linalg.svd(axes)
    pose = np.eye(4)
    pose[:3, :3] = left @ right  # the nearest rotation
    pose[:3, 3] = matrix[:3, 3]
    return pose
