# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare: a reference against the render through its camera, drawn over that camera's frame."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy
import gpu

from ..core.errors import FitError
from . import compare_drawing as draw
from .compare_camera import ViewportBefore, free_box, look_through, looks_through, remember
from .compare_layout import Box, frame_in_region, side_by_side
from .compare_pictures import Pictures, PictureSource
from .redraw import redraw_regions, viewports

_LABELS = {"reference": "Reference", "render": "Render", "difference": "Difference"}
_HINT = "Drag: wipe  ·  D: difference  ·  S: side by side  ·  Left, Right: other views  ·  Esc: close"


class Comparison:
    """What is open of Compare; at most one at a time, seen in every viewport that looks through its camera.

    current: the one that is open. wipe: where the divider is, a fraction of the width. against: what is
    right of it, 'render' or 'difference'. is_side_by_side: the three pictures in a row instead.
    Holds no area, region or object of Blender's, which may go away at any time.
    """

    current: ClassVar[Comparison | None] = None

    def __init__(self, context: bpy.types.Context) -> None:
        """Opens it in the context's viewport, or in another of its window. Raises FitError where there is
        nothing to compare or no viewport; nothing has changed then."""
        area = _viewport(context)
        self.wipe = 0.5
        self.against = "render"
        self.is_side_by_side = self.is_dragging = False
        self._scene = context.scene.session_uid
        self._source = PictureSource(context)
        self._row = context.scene.sge.active_reference
        self._pictures: Pictures = self._source.pictures(context.scene, self._row)
        self._before: list[ViewportBefore] = [remember(area)]
        self._look_through(context)
        # The handler is kept, so that it can be taken away even after everything else is gone.
        self._handler = bpy.types.SpaceView3D.draw_handler_add(self._draw, (), "WINDOW", "POST_PIXEL")
        bpy.app.handlers.depsgraph_update_post.append(_note_changes)
        Comparison.current = self
        redraw_regions(context.window_manager, "WINDOW")

    def close(self, manager: bpy.types.WindowManager) -> None:
        """Take it off the screen; the viewport looks as it did before."""
        if Comparison.current is not self:
            return
        Comparison.current = None
        bpy.types.SpaceView3D.draw_handler_remove(self._handler, "WINDOW")
        bpy.app.handlers.depsgraph_update_post.remove(_note_changes)
        for before in self._before:
            before.restore(manager)
        redraw_regions(manager, "WINDOW")
        redraw_regions(manager, "UI")

    @property
    def pictures(self) -> Pictures:
        """What is shown now."""
        return self._pictures

    def scene_changed(self) -> None:
        """Something of the scene is not what it was."""
        self._source.scene_changed()

    def refresh(self, context: bpy.types.Context) -> bool:
        """Make the pictures anew where something has changed, or another row of the list is selected.

        Whether that was so. Raises FitError where they cannot be made any more.
        """
        scene = context.scene
        if scene.session_uid != self._scene:
            raise FitError("Compare was closed, because its scene is no longer shown.")
        row = scene.sge.active_reference
        if row == self._row and not self._is_camera_there(scene):
            raise FitError("Compare was closed, because its camera is gone.")
        if not self._source.is_stale(row):
            return False
        self._pictures = self._source.pictures(scene, row)
        if row != self._row:
            self._row = row
            self._look_through(context)
        redraw_regions(context.window_manager, "WINDOW")
        return True

    def _is_camera_there(self, scene: bpy.types.Scene) -> bool:
        rows = scene.sge.references
        camera = rows[self._row].camera if self._row < len(rows) else None
        return camera is not None and scene.objects.get(camera.name) == camera

    def frame_under(self, context: bpy.types.Context, x: float, y: float) -> tuple[Box, float, float] | None:
        """The picture's box in the viewport under a point of the window, and the point in its region; None
        where a panel or something else is there."""
        for area in context.screen.areas if context.screen else ():
            if area.type != "VIEW_3D" or not _holds(area, x, y):
                continue
            window = next(region for region in area.regions if region.type == "WINDOW")
            if any(_holds(region, x, y) for region in area.regions if region.type != "WINDOW"):
                return None
            box = self._frame(area.spaces.active, context.scene, window)
            return None if box is None else (box, x - window.x, y - window.y)
        return None

    def _look_through(self, context: bpy.types.Context) -> None:
        """Let the viewports that show the comparison look through its camera."""
        camera = context.scene.sge.references[self._row].camera
        for area in viewports(context.window_manager):
            if area.as_pointer() in {before.area for before in self._before}:
                look_through(area, camera, self._pictures.reference.view)
        self._camera = camera.session_uid

    def _frame(self, space: Any, scene: bpy.types.Scene, window: bpy.types.Region) -> Box | None:
        if not looks_through(space, scene, self._camera):
            return None
        view = self._pictures.reference.view
        return frame_in_region(view, space.region_3d.perspective_matrix, window.width, window.height)

    def _draw(self) -> None:
        context = bpy.context
        window = context.region
        frame = self._frame(context.space_data, context.scene, window)
        if frame is None:
            return
        pixel = context.preferences.system.ui_scale
        if self.is_side_by_side:
            self._draw_side_by_side(context.area, window, frame, pixel)
        else:
            self._draw_wipe(frame, pixel)
        gpu.state.blend_set("NONE")

    def _draw_wipe(self, frame: Box, pixel: float) -> None:
        textures = self._pictures.textures
        draw.picture(textures["reference"], frame, 0.0, self.wipe)
        draw.picture(textures[self.against], frame, self.wipe, 1.0)
        draw.divider(frame, self.wipe, pixel)
        top = frame.top - draw.caption_height(pixel)
        draw.caption(_LABELS["reference"], frame.x, top, pixel)
        draw.caption(self._caption(self.against), frame.right, top, pixel, "RIGHT")
        if self.against == "difference":
            draw.colour_scale(frame.right, top - draw.caption_height(pixel), self._pictures.scale, pixel)
        draw.caption(_HINT, frame.x, frame.y, pixel)

    def _draw_side_by_side(
        self, area: bpy.types.Area, window: bpy.types.Region, frame: Box, pixel: float
    ) -> None:
        draw.rectangle(Box(0, 0, window.width, window.height), draw.BACKDROP)
        line = draw.caption_height(pixel)
        boxes = side_by_side(free_box(area), frame.width / frame.height, len(_LABELS), line)
        for name, box in zip(_LABELS, boxes, strict=True):
            draw.picture(self._pictures.textures[name], box)
            draw.caption(self._caption(name), box.x, box.top, pixel)
        draw.colour_scale(boxes[-1].right, boxes[-1].top, self._pictures.scale, pixel)
        draw.caption(_HINT, boxes[0].x, boxes[0].y - line, pixel)

    def _caption(self, name: str) -> str:
        if name != "render":
            return _LABELS[name]
        return f"{_LABELS[name]}  {self._pictures.psnr:.1f} dB"


def _viewport(context: bpy.types.Context) -> bpy.types.Area:
    """The context's viewport, else the largest of its window."""
    if context.area is not None and context.area.type == "VIEW_3D":
        return context.area
    areas = [area for area in context.window.screen.areas if area.type == "VIEW_3D"]
    if not areas:
        raise FitError("There is no 3D Viewport to compare in: open one.")
    return max(areas, key=lambda area: area.width * area.height)


def _holds(box: bpy.types.Area | bpy.types.Region, x: float, y: float) -> bool:
    return Box(box.x, box.y, box.width, box.height).holds(x, y)


def _note_changes(_scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    if Comparison.current is None:
        return
    for update in depsgraph.updates:
        is_moved = update.is_updated_geometry or update.is_updated_transform
        if is_moved or isinstance(update.id, bpy.types.Material | bpy.types.Image | bpy.types.NodeTree):
            Comparison.current.scene_changed()
            return
