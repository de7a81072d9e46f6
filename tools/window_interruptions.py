# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may happen while a fit runs: undo, Edit Mode, deletion, another file, disabling, quitting."""

from __future__ import annotations

import bpy
import numpy as np
from window_scene import shown_image
from window_session import Play
from window_stage import MODULE, Stage


class Interruptions(Stage):
    """Each stage begins a fit and interrupts it."""

    def undo_while_fitting(self) -> Play:
        start = self.positions()
        bpy.ops.ed.undo_push(message="Before")
        yield from self.begin()
        yield 1.0
        with self.session.in_viewport():
            bpy.ops.ed.undo()
        yield 1.0
        self.check("Edit > Undo ends a running fit", self.fit is None)
        self.check("and takes back the fit, no more", np.array_equal(self.positions(), start))
        with self.session.in_viewport():
            bpy.ops.ed.redo()
        yield 0.5
        self.check("redo brings what it reached", not np.array_equal(self.positions(), start))

    def edit_mode_while_fitting(self) -> Play:
        yield from self.begin()
        with self.session.in_viewport():
            bpy.ops.object.mode_set(mode="EDIT")
        yield from self.ended()
        self.check("Edit Mode ends it", bpy.context.mode == "EDIT_MESH", bpy.context.mode)
        self.session.screenshot("10_edit_mode")
        with self.session.in_viewport():
            bpy.ops.object.mode_set(mode="OBJECT")
        yield 0.5

    def delete_while_fitting(self) -> Play:
        for what, remove in (
            ("camera", lambda: bpy.data.objects.remove(self.sge.references[0].camera)),
            ("image", lambda: bpy.data.images.remove(shown_image("Cage"))),
            ("object", lambda: bpy.data.objects.remove(bpy.data.objects["Cage"])),
        ):
            yield from self.begin()
            yield 0.5
            remove()
            yield from self.ended()
            self.check(f"deleting its {what} ends it", self.fit is None)
            if what == "camera":
                self.sge.active_reference = 0
                bpy.ops.sge.remove_reference()

    def load_while_fitting(self) -> Play:
        bpy.ops.wm.open_mainfile(filepath=str(self.saved))
        yield 1.5
        image = shown_image("Cage")
        pixels = np.empty(len(image.pixels), np.float32)
        image.pixels.foreach_get(pixels)
        spread = float(pixels.reshape(-1, 4)[:, :3].std())
        self.check("a file saved during a fit holds its texture", spread > 0.01, spread)
        yield from self.begin()
        self.call(bpy.ops.sge.compare)
        yield 0.5
        bpy.ops.wm.open_mainfile(filepath=str(self.saved))
        yield 1.5
        self.check("loading a file ends the fit", self.fit is None)
        self.check("and closes Compare", self.comparison is None)
        self.check("the loaded mesh is the saved one", len(self.positions()) == len(self.start))

    def disable_while_fitting(self) -> Play:
        yield from self.begin()
        self.call(bpy.ops.sge.compare)
        yield 1.0
        before = self.positions()
        running = self.ours("running_fit").RunningFit
        bpy.ops.preferences.addon_disable(module=MODULE)
        yield 1.0
        self.check("disabling the extension ends the fit", running.current is None)
        self.check("what it reached stays", not np.array_equal(before, self.start))
        self.check("no class of ours is left", [n for n in dir(bpy.types) if n.startswith("SGE_")] == [])
        self.session.screenshot("11_disabled")

    def quit_with_everything_open(self) -> Play:
        """A fit that could go on, one that runs, and Compare; the exit code says how it went."""
        bpy.ops.preferences.addon_enable(module=MODULE)
        yield 0.5
        yield from self.begin()
        self.session.key("ESC")
        yield from self.ended()
        yield from self.begin()
        self.call(bpy.ops.sge.compare)
        yield 1.0
