# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SGE Fit: change meshes and textures until what Blender rasterises looks like the references."""

from __future__ import annotations

from typing import Any

_commands: list[Any] = []  # what Blender wants back to unregister the command line entry


def register() -> None:
    """Called by Blender when the extension is enabled."""
    import bpy

    from . import ui

    ui.register()
    _commands.append(bpy.utils.register_cli_command("sge_fit", _run_command))


def unregister() -> None:
    """Called by Blender when the extension is disabled."""
    import bpy

    from . import ui

    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())
    ui.unregister()


def _run_command(arguments: list[str]) -> int:
    """``blender -c sge_fit ...``: the exit code."""
    from .headless import main

    return main(arguments)
