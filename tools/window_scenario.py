# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done in the window: install the zip, make references, fit, and everything that may happen then.

    blender --factory-startup --enable-event-simulate --python window_scenario.py -- ZIP FOLDER

Run by tools/window_test.py, which puts this file and those that it imports beside the zip.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "site")]
import bpy  # noqa: E402
import numpy as np  # noqa: E402
from mathutils import Euler  # noqa: E402
from window_interruptions import Interruptions  # noqa: E402
from window_maps import Maps  # noqa: E402
from window_modifiers import Modifiers  # noqa: E402
from window_scene import add_cage, add_statue  # noqa: E402
from window_session import Play  # noqa: E402
from window_stage import MODULE, STEPS  # noqa: E402


class Story(Interruptions, Maps, Modifiers):
    """The stages, each a generator of waits. The cage is fitted to views of the statue."""

    def stages(self) -> list[Callable[[], Play]]:
        return [
            self.install,
            self.make_references,
            self.fit_until_stopped,
            self.undo_and_redo,
            self.go_on,
            self.compare,
            self.compare_while_fitting,
            self.undo_while_fitting,
            self.edit_mode_while_fitting,
            self.delete_while_fitting,
            self.load_while_fitting,
            self.fit_modifiers,
            self.fit_maps,
            self.disable_while_fitting,
            self.quit_with_everything_open,
        ]

    def tell(self) -> Play:
        begin = time.perf_counter()
        for stage in self.stages():
            print(f"{time.perf_counter() - begin:6.1f} s", stage.__name__, flush=True)
            yield from stage()

    # --- What the stages look at

    def install(self) -> Play:
        yield 0.5
        bpy.ops.extensions.package_install_files(
            filepath=str(self.archive), repo="user_default", enable_on_install=True
        )
        self.check("the zip is installed and enabled", MODULE in bpy.context.preferences.addons)
        self.check("nothing but the zip can be imported", importlib.util.find_spec("sge_addon") is None)

    def make_references(self) -> Play:
        with self.session.in_viewport():
            bpy.ops.object.select_all(action="SELECT")
            bpy.ops.object.delete()
            statue = add_statue()
            add_cage()
        self.sge.source = statue
        self.sge.view_count, self.sge.resolution, self.sge.texture_size = 12, 256, 256
        self.sge.match = {"colour", "alpha", "normal"}
        result = self.call(bpy.ops.sge.make_references)
        self.check("references are being made", result <= {"RUNNING_MODAL", "FINISHED"}, result)
        rows = self.sge.references
        yield from self.session.wait_for("one row for each view", lambda: len(rows) == 12)
        yield 0.5
        statue.hide_set(True)
        bpy.ops.object.select_all(action="DESELECT")
        bpy.data.objects["Cage"].select_set(True)
        bpy.context.view_layer.objects.active = bpy.data.objects["Cage"]
        space = self.session.viewport.spaces.active
        space.show_region_ui = True
        space.region_3d.view_distance = 4.6
        space.region_3d.view_rotation = Euler((1.25, 0.0, 0.45)).to_quaternion()
        space.overlay.show_extras = False
        space.shading.color_type = "TEXTURE"
        bpy.ops.ed.undo_push(message="Set up")
        yield 1.0
        self.session.region("UI").active_panel_category = "SGE"
        self.session.viewport.tag_redraw()
        yield 2.0
        self.start = self.positions()
        self.session.screenshot("1_before")

    def fit_until_stopped(self) -> Play:
        session = self.session
        yield from self.begin()
        for name in ("TAB", "X", "G"):
            session.key(name)
        session.key("Z", ctrl=True)
        yield 0.5
        self.check("keys that edit are held back", self.fit is not None)
        self.check("it stays in Object Mode", bpy.context.mode == "OBJECT", bpy.context.mode)
        session.mouse("WHEELUPMOUSE", "PRESS", session.place(0.4, 0.5))
        yield 0.3
        yield from self._other_screens()
        self.saved = session.folder / "saved.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(self.saved), check_existing=False)
        yield 0.5
        self.check("saving does not end it", self.fit is not None)
        session.screenshot("2_during")
        session.key("SPACE")
        yield 0.5
        at = self.step
        self.check("Space pauses", self.fit is not None and self.fit.paused)
        yield 2.0
        session.screenshot("3_paused")
        self.check("paused, it takes no steps", self.step == at, (at, self.step))
        session.key("SPACE")
        yield from session.wait_for("Space resumes", lambda: self.step > at)
        yield from session.wait_for("half of the steps", lambda: self.step >= STEPS // 3)
        session.key("ESC")
        yield from self.ended()
        self.reached = self.positions()
        count = len(self.sge.losses)
        self.check("Esc stops half-way", 0 < self.sge.losses[-1].step < STEPS, self.sge.losses[-1].step)
        self.check("what was reached is kept", not np.array_equal(self.reached, self.start), count)
        self.check("it is measured", all(row.measured for row in self.sge.references))
        session.screenshot("4_stopped")

    def _other_screens(self) -> Play:
        """Other workspaces and an enlarged viewport, while the fit goes on."""
        window = self.session.window
        home, at = window.workspace, self.step
        window.workspace = next(each for each in bpy.data.workspaces if each.name == "Scripting")
        yield 1.0
        window.workspace = home
        yield 0.5
        with self.session.in_viewport():
            bpy.ops.screen.screen_full_area()
        yield 0.7
        with self.session.in_viewport():
            bpy.ops.screen.back_to_previous()
        yield 0.7
        self.check("it goes on in other workspaces and screens", self.step > at, (at, self.step))

    def undo_and_redo(self) -> Play:
        session = self.session
        session.key("Z", ctrl=True)
        yield 1.0
        self.check("one Ctrl-Z brings the mesh back", np.array_equal(self.positions(), self.start))
        self.check("and the list without figures", not any(row.measured for row in self.sge.references))
        self.check("and the material", not bpy.data.objects["Cage"].data.materials)
        refused = self.call(bpy.ops.sge.continue_fit)
        self.check("what was undone does not go on", "cannot go on" in str(refused), refused)
        session.key("Z", ctrl=True, shift=True)
        yield 1.0
        self.check("redo brings the fit back", np.array_equal(self.positions(), self.reached))

    def go_on(self) -> Play:
        figures = [row.psnr_after for row in self.sge.references]
        stopped_at = self.sge.losses[-1].step
        yield from self.begin(bpy.ops.sge.continue_fit)
        fit = self.fit
        self.check("Continue goes on where it was", self.step > stopped_at, (stopped_at, self.step))
        yield from self.ended()
        rate = fit.rate
        self.session.figures["live"] = {
            "seconds": rate.total,
            "shown": rate.shown,
            "one_showing": rate.cost,
            "redrawing": rate.redrawing,
            "writing": rate.writing,
            "share": rate.spent,
            "allowed": rate.share,
        }
        self.check("to the last step", self.sge.losses[-1].step == STEPS, self.sge.losses[-1].step)
        better = np.mean([row.psnr_after for row in self.sge.references]) - np.mean(figures)
        self.check("and is better for it", better > 0.5, f"{better:.2f} dB")
        finished = self.positions()
        self.session.screenshot("5_after")
        self.session.key("Z", ctrl=True)
        yield 1.0
        self.check("undoing that is one step", np.array_equal(self.positions(), self.reached))
        self.session.key("Z", ctrl=True, shift=True)
        yield 1.0
        self.check("and one of redo", np.array_equal(self.positions(), finished))

    def compare(self) -> Play:
        session = self.session
        space = session.viewport.spaces.active
        before = tuple(np.round(np.array(space.region_3d.view_matrix).ravel(), 4))
        self.sge.active_reference = 2
        result = self.call(bpy.ops.sge.compare)
        self.check("Compare opens", result == {"RUNNING_MODAL"}, result)
        yield 1.5
        camera = space.camera
        expected = self.sge.references[2].camera
        self.check("through the reference's camera", camera == expected, camera)
        session.screenshot("6_compare")
        yield from session.drag(self._in_frame(0.5), self._in_frame(0.25))
        wipe = self.comparison.wipe
        self.check("the mouse drags the divider", abs(wipe - 0.25) < 0.02, wipe)
        session.key("D")
        yield 1.0
        session.screenshot("7_compare_difference")
        session.key("S")
        yield 1.0
        session.screenshot("8_compare_side_by_side")
        session.key("S")
        session.key("D")
        session.key("RIGHT_ARROW")
        yield 1.0
        self.check("an arrow shows the next view", self.sge.active_reference == 3)
        self.check("through its camera", space.camera == self.sge.references[3].camera)
        psnr = self.comparison.pictures.psnr
        listed = self.sge.references[3].psnr_after
        self.check("its figure is the list's", abs(psnr - listed) < 0.05, (psnr, listed))
        session.key("ESC")
        yield 1.0
        self.check("Esc closes it", self.comparison is None)
        after = tuple(np.round(np.array(space.region_3d.view_matrix).ravel(), 4))
        self.check("the view is as before", np.allclose(before, after, atol=1e-2), (before, after))

    def _in_frame(self, across: float) -> tuple[int, int]:
        """A point of the compared picture, in the window's pixels."""
        x, y = self.session.place(0.5, 0.5)
        box, inside_x, _ = self.comparison.frame_under(bpy.context, x, y) or (None, 0, 0)
        if box is None:
            return x, y
        return int(x - inside_x + box.x + across * box.width), y

    def compare_while_fitting(self) -> Play:
        session = self.session
        bpy.context.preferences.addons[MODULE].preferences.live_share = 0.5
        yield from self.begin(steps=20 * STEPS)
        self.call(bpy.ops.sge.compare)
        yield 0.5
        first, at = self.comparison.pictures.psnr, self.step
        yield from session.wait_for(
            "Compare follows a running fit", lambda: self.comparison.pictures.psnr != first
        )
        self.check("the fit goes on beneath", self.step > at, (at, self.step))
        yield from session.drag(self._in_frame(0.5), self._in_frame(0.7))
        self.check("its divider still moves", abs(self.comparison.wipe - 0.7) < 0.02, self.comparison.wipe)
        session.screenshot("9_compare_while_fitting")
        session.key("ESC")
        yield 0.7
        self.check("Esc closes Compare first", self.comparison is None and self.fit is not None)
        session.key("ESC")
        yield from self.ended()


if __name__ == "__main__":
    archive, folder = (Path(argument) for argument in sys.argv[sys.argv.index("--") + 1 :])
    bpy.context.preferences.view.show_splash = False
    story = Story(archive, folder)
    story.session.play(story.tell())
