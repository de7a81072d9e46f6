# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done in the window: install the zip, make references, fit, and everything that may happen then.

    blender --factory-startup --enable-event-simulate --python window_scenario.py -- ZIP FOLDER

Run by tools/window_test.py, which puts this file and window_session.py beside the zip.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "site")]
import bpy  # noqa: E402
import numpy as np  # noqa: E402
from mathutils import Euler  # noqa: E402
from window_session import Play, Session  # noqa: E402

MODULE = "bl_ext.user_default.sge_fit"
STEPS = 400


class Story:
    """The stages, each a generator of waits. The cage is fitted to views of the statue."""

    def __init__(self, archive: Path, folder: Path) -> None:
        self.archive = archive
        self.session = Session(folder)
        self.check = self.session.check

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
            self.disable_while_fitting,
            self.quit_with_everything_open,
        ]

    def tell(self) -> Play:
        begin = time.perf_counter()
        for stage in self.stages():
            print(f"{time.perf_counter() - begin:6.1f} s", stage.__name__, flush=True)
            yield from stage()

    # --- What the stages look at

    @property
    def sge(self) -> Any:
        return bpy.context.scene.sge

    def ours(self, name: str) -> Any:
        return importlib.import_module(f"{MODULE}.ui.{name}")

    @property
    def fit(self) -> Any:
        return self.ours("running_fit").RunningFit.current

    @property
    def comparison(self) -> Any:
        return self.ours("compare").Comparison.current

    @property
    def step(self) -> int:
        return self.fit.progress.step if self.fit is not None and self.fit.progress else 0

    def positions(self) -> np.ndarray:
        mesh = bpy.data.objects["Cage"].data
        result = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", result)
        return result

    def call(self, operator: Any) -> Any:
        """Call an operator as from the viewport; its result, or its error as text."""
        with self.session.in_viewport():
            try:
                return operator("INVOKE_DEFAULT")
            except RuntimeError as error:
                return str(error)

    def begin(self, operator: Any = None, steps: int = STEPS) -> Play:
        """Begin a fit of the cage alone and wait until it has taken some steps."""
        bpy.ops.object.select_all(action="DESELECT")
        cage = bpy.data.objects["Cage"]
        cage.select_set(True)
        bpy.context.view_layer.objects.active = cage
        self.sge.steps = steps
        result = self.call(operator or bpy.ops.sge.fit)
        self.check("the operator runs on", result == {"RUNNING_MODAL"}, result)
        before = self.step
        yield from self.session.wait_for("the fit takes steps", lambda: self.step > before + 5)

    def ended(self) -> Play:
        """Wait for the end of the fit and of its operator."""
        yield from self.session.wait_for("the fit ends", lambda: self.fit is None)
        yield 1.0

    # --- The stages

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


def add_statue() -> Any:
    """A monkey in two colours."""
    bpy.ops.mesh.primitive_monkey_add(size=2.0)
    statue = bpy.context.object
    statue.name = "Statue"
    statue.modifiers.new("Subdivision", "SUBSURF").levels = 2
    statue.data.polygons.foreach_set("use_smooth", [True] * len(statue.data.polygons))
    material = bpy.data.materials.new("Stripes")
    if material.node_tree is None:  # before Blender 5
        material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = striped_image(256)
    base = material.node_tree.nodes["Principled BSDF"].inputs["Base Color"]
    material.node_tree.links.new(node.outputs["Color"], base)
    statue.data.materials.append(material)
    return statue


def striped_image(size: int) -> Any:
    """Warm and cold waves."""
    y, x = np.mgrid[:size, :size] / size
    wave = 0.5 + 0.5 * np.sin(40.0 * x) * np.cos(34.0 * y)
    warm, cold = np.array([0.95, 0.55, 0.2]), np.array([0.1, 0.3, 0.6])
    pixels = np.ones((size, size, 4), np.float32)
    pixels[..., :3] = wave[..., None] * warm + (1.0 - wave[..., None]) * cold
    image = bpy.data.images.new("Stripes", size, size)
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    return image


def add_cage() -> Any:
    """A sphere with even triangles and a UV map."""
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=5, radius=0.9)
    cage = bpy.context.object
    cage.name = cage.data.name = "Cage"
    cage.data.polygons.foreach_set("use_smooth", [True] * len(cage.data.polygons))
    return cage


def shown_image(name: str) -> Any:
    """The image that an object's first material shows."""
    nodes = bpy.data.objects[name].data.materials[0].node_tree.nodes
    return next(node.image for node in nodes if node.type == "TEX_IMAGE")


if __name__ == "__main__":
    archive, folder = (Path(argument) for argument in sys.argv[sys.argv.index("--") + 1 :])
    bpy.context.preferences.view.show_splash = False
    story = Story(archive, folder)
    story.session.play(story.tell())
