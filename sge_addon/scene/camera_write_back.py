# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refined views back into Blender's cameras, and which cameras cannot take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core.view import View
from .animation import is_animated
from .cameras import PROJECTION, keep_projection, stored_frame, view_from_camera

if TYPE_CHECKING:
    import bpy


SAME = 1e-12  # relative: what a pose that is not refined may differ by


def camera_of(session_uid: int) -> bpy.types.Object | None:
    """The camera of a session id (``Reference.camera``); None for 0 and for one that is gone."""
    import bpy

    found = (obj for obj in bpy.data.objects if obj.session_uid == session_uid and obj.type == "CAMERA")
    return next(found, None) if session_uid else None


def fixed_camera_notices(session_uids: Sequence[int]) -> list[str]:
    """For each camera that cannot be changed, why not and what to do."""
    notices = []
    for camera in filter(None, map(camera_of, session_uids)):
        reason = _reason_against(camera)
        if reason:
            notices.append(
                f"Camera '{camera.name}' is refined for this fit, but stays as it is in the scene: {reason}."
            )
    return notices


def write_camera(camera: bpy.types.Object, view: View) -> bool:
    """Let a camera see what the view sees; False, and nothing is changed, where it cannot be changed.

    Lens, place and stored numbers change, its clip planes, shift, sensor and scale do not. Where nothing
    is to be changed, not a bit is.
    """
    from mathutils import Matrix

    if _reason_against(camera):
        return False
    now = view_from_camera(camera, view.width, view.height)
    ratio = view.projection[1, 1] / now.projection[1, 1]
    if ratio != 1.0:
        frame = stored_frame(camera.data)
        camera.data.lens *= ratio
        camera.data.ortho_scale /= ratio
        if frame is not None and camera.data.get(PROJECTION) is not None:
            keep_projection(camera.data, view.resized(*frame))
    moved = np.abs(view.camera_to_world - now.camera_to_world).max()
    if moved > SAME * max(1.0, np.abs(now.camera_to_world).max()):
        pose = view.camera_to_world.copy()
        pose[:3, :3] *= np.linalg.norm(np.array(camera.matrix_world)[:3, :3], axis=0)
        camera.matrix_world = Matrix(pose.tolist())
        if camera.get("sge_pose") is not None:
            camera["sge_pose"] = view.camera_to_world.ravel().tolist()
    return True


def _reason_against(camera: bpy.types.Object) -> str:
    """Why a camera cannot be changed, as the end of a sentence with the remedy; "" where it can."""
    data = camera.data
    if camera.library or data.library:
        return "it is linked from another file; make it local (Object > Relations > Make Local)"
    if camera.override_library or data.override_library:
        return "it is a library override; make it local (Object > Relations > Make Local)"
    if any(constraint.enabled for constraint in camera.constraints):
        return "constraints hold it; apply or remove them"
    if any(is_animated(each) for each in (camera, data)):
        return "it is animated or driven; clear its animation"
    if data.users > 1:
        return f"its lens '{data.name}' is shared with others (Object > Relations > Make Single User)"
    return ""
