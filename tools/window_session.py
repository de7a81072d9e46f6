# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside a Blender with a window: simulated keys and mouse, screenshots, waiting, and a record of checks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import bpy

PATIENCE = 120.0  # seconds that anything may take
Play = Generator[float, None, None]


class Session:
    """Plays a generator of waits in Blender's own event loop; what it checks goes into checks.json."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checks: list[dict[str, Any]] = []
        self.figures: dict[str, Any] = {}

    def play(self, story: Play) -> None:
        """Run the story's pieces between Blender's events, then end the process."""

        def turn() -> float | None:
            is_well = False
            try:
                pause = next(story, None)
                is_well = True
            finally:
                if not is_well:  # whatever it was, the process must end and say it
                    traceback.print_exc()
                    self.check("the story was told to its end", False, traceback.format_exc())
                    self.screenshot("error")
                    self._leave(1)
            if pause is None:
                self._store()
                bpy.ops.wm.quit_blender()
            return pause

        bpy.app.timers.register(turn, first_interval=2.0, persistent=True)

    def _leave(self, code: int) -> None:
        self._store()
        sys.stdout.flush()
        os._exit(code)

    def check(self, what: str, is_so: object, detail: object = "") -> None:
        """Record whether something is as it should be."""
        self.checks.append({"what": what, "passed": bool(is_so), "detail": str(detail)})
        self._store()

    def _store(self) -> None:
        record = {"blender": bpy.app.version_string, "checks": self.checks, "figures": self.figures}
        (self.folder / "checks.json").write_text(json.dumps(record, indent=1), encoding="utf-8")

    def screenshot(self, name: str) -> None:
        """The whole screen as a PNG."""
        path = str(self.folder / f"{name}.png")
        if shutil.which("import"):
            subprocess.run(["import", "-window", "root", path], check=False)
        else:
            with bpy.context.temp_override(window=self.window):
                bpy.ops.screen.screenshot(filepath=path)

    def wait_for(self, what: str, condition: Callable[[], object]) -> Iterator[float]:
        """Wait until something is so. Raises TimeoutError where it never was."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"not within {PATIENCE:g} seconds: {what}")
            yield 0.1
        self.check(what, True)

    @property
    def window(self) -> bpy.types.Window:
        return bpy.context.window_manager.windows[0]

    @property
    def viewport(self) -> bpy.types.Area:
        areas = [area for area in self.window.screen.areas if area.type == "VIEW_3D"]
        return max(areas, key=lambda area: area.width * area.height)

    def region(self, kind: str = "WINDOW") -> bpy.types.Region:
        """A region of the viewport."""
        return next(region for region in self.viewport.regions if region.type == kind)

    def in_viewport(self) -> Any:
        """A context as if the mouse were over the viewport."""
        return bpy.context.temp_override(
            window=self.window, screen=self.window.screen, area=self.viewport, region=self.region()
        )

    def key(self, name: str, **modifiers: bool) -> None:
        """Press and release, over the middle of the viewport."""
        x, y = self.place(0.4, 0.5)
        self.window.event_simulate(type=name, value="PRESS", x=x, y=y, **modifiers)
        self.window.event_simulate(type=name, value="RELEASE", x=x, y=y, **modifiers)

    def place(self, across: float, up: float) -> tuple[int, int]:
        """A point of the viewport by fractions of its width and height, in the window's pixels."""
        region = self.region()
        return int(region.x + across * region.width), int(region.y + up * region.height)

    def mouse(self, kind: str, value: str, place: tuple[int, int]) -> None:
        """A mouse event at a point of the window."""
        self.window.event_simulate(type=kind, value=value, x=place[0], y=place[1])

    def drag(self, begin: tuple[int, int], end: tuple[int, int]) -> Iterator[float]:
        """Drag with the left button, in a few steps."""
        self.mouse("MOUSEMOVE", "NOTHING", begin)
        yield 0.2
        self.mouse("LEFTMOUSE", "PRESS", begin)
        for step in range(1, 6):
            place = tuple(int(a + (b - a) * step / 5) for a, b in zip(begin, end, strict=True))
            self.mouse("MOUSEMOVE", "NOTHING", place)
            yield 0.1
        self.mouse("LEFTMOUSE", "RELEASE", end)
        yield 0.5
