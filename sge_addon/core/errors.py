# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that carries a message for the person at the screen."""

from __future__ import annotations

from enum import StrEnum


class Remedy(StrEnum):
    """What the interface can do about an error at the press of a button; its text says what to do without."""

    NONE = ""
    UNWRAP = "unwrap"
    OBJECT_MODE = "object_mode"
    SINGLE_USER = "single_user"
    APPLY_SCALE = "apply_scale"
    CLEAR_VERTEX_GROUP = "clear_vertex_group"
    MAKE_MATERIAL = "make_material"
    ADD_FROM_CAMERAS = "add_from_cameras"
    ENABLE_ALL = "enable_all"
    REMOVE_LOST = "remove_lost"
    SWITCH_OFF = "switch_off"
    CLEAR_BACKGROUND = "clear_background"
    USE_IMAGE_FRAMES = "use_image_frames"


class FitError(ValueError):
    """Bad input, said for people: which object, image or camera, what was found, what to do.

    subject: the name of the object, camera or image that it is about, where it is about one. remedy: what
    a button can do about it. The interface turns it into ``self.report({'ERROR'}, ...)``, the headless
    script into a message and exit code 2. Anything else that escapes is a defect of ours.
    """

    def __init__(self, message: str, *, subject: str = "", remedy: Remedy = Remedy.NONE) -> None:
        super().__init__(message)
        self.subject = subject
        self.remedy = remedy


class TargetLost(FitError):
    """What is being fitted was deleted, or changed so that results no longer belong to it."""


class PixelsLost(TargetLost):
    """What a reference shows can no longer be read. What was reached is kept all the same."""
