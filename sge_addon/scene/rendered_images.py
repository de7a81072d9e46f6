# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EEVEE or Cycles see through a view, as scene-linear pixels with alpha.

Rendered in a copy of the scene, so that no setting of the user's changes, whatever happens; only which
objects are hidden is set on objects themselves, and set back. The picture goes through an OpenEXR file of
32 bits, which Blender writes scene-linear and premultiplied: no view transform, exposure or look touches it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError
from ..core.view import View
from .cameras import camera_from_view
from .images import load_image

if TYPE_CHECKING:
    import bpy

# What lights a scene without being seen itself, or cannot be seen at all.
NEVER_HIDDEN = ("LIGHT", "LIGHT_PROBE", "CAMERA", "ARMATURE", "LATTICE", "SPEAKER")
ENGINES = {"eevee": ("BLENDER_EEVEE", "BLENDER_EEVEE_NEXT"), "cycles": ("CYCLES",)}
FILTER_WIDTH = 1.0  # pixels: a pixel is the mean over its own area, as in the fit


def render_view(
    scene: bpy.types.Scene,
    view: View,
    parts: Sequence[bpy.types.Object],
    *,
    engine: str,
    samples: int,
    keep_others: bool = False,
    hidden: Collection[bpy.types.Object] = (),
) -> NDArray[np.float32]:
    """(H, W, 4) linear premultiplied colour of ``parts`` under the scene's lights and world.

    engine: 'eevee' or 'cycles'. keep_others: other objects are seen as well, except those in ``hidden``.
    The scene is as it stands, at its current frame. Raises FitError where the engine is not there or fails.
    """
    import bpy

    with _copied(scene) as copy, _shown(copy, parts, keep_others, hidden):
        _set_up(copy, view, engine, samples)
        with tempfile.TemporaryDirectory(prefix="sge_fit_") as folder:
            path = Path(folder, "view.exr")
            copy.render.filepath = str(path)
            try:
                bpy.ops.render.render(write_still=True, scene=copy.name)
            except RuntimeError as error:
                raise FitError(f"Camera '{view.name}': {engine} failed: {str(error).strip()}") from error
            if not path.is_file():
                raise FitError(f"Camera '{view.name}': {engine} was stopped before the picture was done.")
            return load_image(path)[0]


@contextmanager
def _copied(scene: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    """A copy that shares the scene's objects and world, with its own render settings."""
    import bpy

    layer = bpy.context.view_layer.name if bpy.context.scene == scene else scene.view_layers[0].name
    copy = scene.copy()
    cameras = set(bpy.data.cameras)
    try:
        for each in copy.view_layers:
            each.use = each.name == layer
        yield copy
    finally:
        for made in set(bpy.data.cameras) - cameras:
            bpy.data.cameras.remove(made)  # and with it its object
        bpy.data.scenes.remove(copy)


@contextmanager
def _shown(
    scene: bpy.types.Scene,
    parts: Sequence[bpy.types.Object],
    keep_others: bool,
    hidden: Collection[bpy.types.Object],
) -> Iterator[None]:
    """Within it, renders show the parts, and of the others what is asked for."""
    before = {obj: obj.hide_render for obj in scene.objects}
    try:
        for obj, was_hidden in before.items():
            if obj in parts:
                obj.hide_render = False
            elif obj.type not in NEVER_HIDDEN:
                obj.hide_render = was_hidden or not keep_others or obj in hidden
        yield
    finally:
        for obj, was_hidden in before.items():
            if obj.hide_render != was_hidden:
                obj.hide_render = was_hidden


def _set_up(scene: bpy.types.Scene, view: View, engine: str, samples: int) -> None:
    """Settings of the copied scene, and a camera in it."""
    scene.camera = camera_from_view(view, scene.collection, name="sge_view")
    render = scene.render
    _set_engine(scene, engine)
    if engine == "cycles":
        scene.cycles.samples = samples
        scene.cycles.pixel_filter_type = "BOX"  # of one pixel
        scene.cycles.film_transparent_glass = False
        # Noise of many views averages out in a fit; what a denoiser smooths away does not come back.
        scene.cycles.use_denoising = False
    else:
        scene.eevee.taa_render_samples = samples
        render.filter_size = FILTER_WIDTH
    render.film_transparent = True
    render.resolution_x, render.resolution_y, render.resolution_percentage = view.width, view.height, 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    for name in (
        "use_border",
        "use_compositing",
        "use_motion_blur",
        "use_multiview",
        "use_placeholder",
        "use_sequencer",
        "use_stamp",
    ):
        setattr(render, name, False)
    render.use_overwrite = True
    settings = render.image_settings
    if hasattr(settings, "media_type"):  # from Blender 5 on
        settings.media_type = "IMAGE"
    settings.file_format = "OPEN_EXR"
    settings.color_mode, settings.color_depth, settings.exr_codec = "RGBA", "32", "ZIP"
    settings.color_management = "FOLLOW_SCENE"


def _set_engine(scene: bpy.types.Scene, engine: str) -> None:
    for name in ENGINES[engine]:
        try:
            scene.render.engine = name
        except TypeError:  # what this Blender does not have
            continue
        return
    raise FitError(
        f"This Blender has no {engine.title()}: enable it (Edit > Preferences > Add-ons), or choose another "
        "renderer for references."
    )
