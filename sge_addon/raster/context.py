# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A GPU context, with or without a window."""

from __future__ import annotations

import ctypes
import sys

import bpy
import gpu

from ..core.errors import FitError

_MESA_PLATFORM_SURFACELESS = 0x31DD
_PACKAGES = "libegl1 libgl1 libgl1-mesa-dri libegl-mesa0"


def start_gpu() -> None:
    """Make the gpu module usable, also in background. Raises FitError where there is no GPU context.

    In background Blender aborts the whole process where EGL is missing, so that is asked first.
    """
    if _is_started():
        return
    if sys.platform.startswith("linux") and not _has_egl():
        raise FitError(
            "No GPU context: EGL is missing or has no driver. "
            f"Install it (Debian, Ubuntu: apt install {_PACKAGES})."
        )
    if hasattr(gpu, "init"):  # Blender 5.2 and later
        gpu.init()
    else:
        _start_through_render_engine()
    if not _is_started():
        raise FitError("No GPU context: Blender could not start its GPU module in background.")


def gpu_name() -> str:
    """Renderer and backend as the driver names them."""
    return f"{gpu.platform.renderer_get()} ({gpu.platform.backend_type_get()})"


def _is_started() -> bool:
    try:
        gpu.state.active_framebuffer_get()
    except SystemError:
        return False
    return True


def _has_egl() -> bool:
    try:
        egl = ctypes.CDLL("libEGL.so.1")
    except OSError:
        return False
    get_display = egl.eglGetPlatformDisplay
    get_display.restype = ctypes.c_void_p
    get_display.argtypes = [ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p]
    display = get_display(_MESA_PLATFORM_SURFACELESS, None, None)
    egl.eglInitialize.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    return bool(display) and bool(egl.eglInitialize(display, None, None))


def _start_through_render_engine() -> None:
    """Before 5.2 a context is made for engines that ask for one: render 8 x 8 pixels with such."""

    class SGE_ContextEngine(bpy.types.RenderEngine):
        bl_idname = "SGE_CONTEXT"
        bl_label = "SGE Context"
        bl_use_gpu_context = True

        def render(self, depsgraph: bpy.types.Depsgraph) -> None:
            pass

    scene = bpy.data.scenes.new("SGE Context")
    camera_data = bpy.data.cameras.new("SGE Context")
    camera = bpy.data.objects.new("SGE Context", camera_data)
    bpy.utils.register_class(SGE_ContextEngine)
    try:
        scene.collection.objects.link(camera)
        scene.camera = camera
        scene.render.engine = SGE_ContextEngine.bl_idname
        scene.render.resolution_x = scene.render.resolution_y = 8
        scene.render.resolution_percentage = 100
        bpy.ops.render.render(scene=scene.name)
    finally:
        # Left registered, the class makes Blender hang or crash at exit.
        bpy.utils.unregister_class(SGE_ContextEngine)
        bpy.data.scenes.remove(scene)
        bpy.data.objects.remove(camera)
        bpy.data.cameras.remove(camera_data)
