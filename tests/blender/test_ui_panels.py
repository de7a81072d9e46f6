# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels show: every setting and row property, findings with their buttons, 200 references."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import bpy
import numpy as np
import pytest

import sge_addon
from sge_addon.core.material_maps import MAP_NAMES
from sge_addon.core.orbit import orbit_views
from sge_addon.core.reference import Reference
from sge_addon.core.settings import FitSettings
from sge_addon.scene.reference_rows import add_rows_from_cameras
from sge_addon.scene.references import add_reference_cameras
from sge_addon.ui import panels
from sge_addon.ui.checked import Checked
from sge_addon.ui.reference_list import SGE_UL_references, matches, places
from tests.blender.recorded_layout import RecordedLayout, Stand, drawn

HIDDEN = {"rna_type", "name"}


@pytest.fixture(autouse=True)
def registered(empty_file: None) -> Iterator[None]:
    sge_addon.register()
    yield
    sge_addon.unregister()


def add_references(count: int, size: int = 8) -> list[bpy.types.Object]:
    views = orbit_views((0, 0, 0), 1.0, count, size, size, prefix="view")
    colour = np.full((size, size, 4), 0.5, np.float32)
    references = [Reference(view=view, colour=colour, has_alpha=True) for view in views]
    add_reference_cameras(bpy.context.scene, references)
    add_rows_from_cameras(bpy.context.scene)
    return [row.camera for row in bpy.context.scene.sge.references]


def add_quad() -> bpy.types.Object:
    mesh = bpy.data.meshes.new("Quad")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [], [(0, 1, 2, 3)])
    obj = bpy.data.objects.new("Quad", mesh)
    bpy.context.scene.collection.objects.link(obj)
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj
    return obj


def all_drawn() -> list[RecordedLayout]:
    return [drawn(cls) for cls in panels.CLASSES if issubclass(cls, bpy.types.Panel)]


def draw_row(index: int, context: Any = None) -> RecordedLayout:
    layout = RecordedLayout()
    row = bpy.context.scene.sge.references[index]
    Stand(SGE_UL_references, layout).draw_item(context or bpy.context, layout, None, row, 0, None, "", index)
    return layout


def test_every_setting_and_property_is_drawn_exactly_once():
    add_references(1)
    add_quad()
    found = [pair for layout in all_drawn() for pair in layout.properties]
    found += draw_row(0).properties
    scene = bpy.context.scene.sge
    settings = {item.name for item in fields(FitSettings)}
    for group, own in ((scene, "SGE_PG_fit"), (scene.references[0], "SGE_PG_reference")):
        names = set(group.bl_rna.properties.keys()) - HIDDEN
        # The list's selection, the curve and the figures are drawn as list, picture and text.
        names -= {"active_reference", "losses", "measured", "psnr_before", "psnr_after"}
        for name in names:
            assert found.count((own, name)) == 1, name
    assert settings <= {name for _, name in found}


def test_every_map_can_be_ticked_and_made_a_constant():
    chosen = drawn(panels.SGE_PT_material).choices
    assert sorted(chosen) == sorted((name, each) for name in ("maps", "constant_maps") for each in MAP_NAMES)


def test_material_panel_is_there_for_lit_shading_only():
    assert not panels.SGE_PT_material.poll(bpy.context)
    bpy.context.scene.sge.shading = "lit"
    assert panels.SGE_PT_material.poll(bpy.context)


def test_panels_draw_without_anything_in_the_scene():
    assert all(layout is not None for layout in all_drawn())
    assert "Select a mesh to fit" in drawn(panels.SGE_PT_main).texts


def test_main_panel_names_the_targets():
    add_quad()
    assert "Quad" in drawn(panels.SGE_PT_main).texts


def test_row_shows_camera_size_and_figure_and_leads_to_its_camera():
    camera = add_references(2, size=8)[1]
    row = bpy.context.scene.sge.references[1]
    row.measured, row.psnr_after = True, 31.25
    layout = draw_row(1)
    assert layout.texts == [camera.name, "31.2"]  # the sidebar begins too narrow for more
    region = types.SimpleNamespace(width=500)
    wide = types.SimpleNamespace(scene=bpy.context.scene, region=region, preferences=bpy.context.preferences)
    assert draw_row(1, wide).texts == [camera.name, "8 × 8", "31.2"]
    bpy.context.scene.sge.active_reference = 1
    assert "8 × 8 pixels" in drawn(panels.SGE_PT_references).texts
    ((idname, properties),) = layout.operators
    assert (idname, properties.index) == ("sge.look_through", 1)
    assert bpy.ops.sge.look_through(index=1) == {"FINISHED"}
    assert bpy.context.scene.camera == camera
    assert bpy.context.scene.sge.active_reference == 1
    with pytest.raises(RuntimeError, match="no reference 7"):
        bpy.ops.sge.look_through(index=7)


def test_row_of_a_lost_camera_says_so():
    bpy.data.objects.remove(add_references(1)[0])
    assert draw_row(0).texts == ["Camera is lost"]


def test_drawing_a_row_loads_no_image():
    image = add_references(1)[0].data.background_images[0].image
    image.buffers_free()
    draw_row(0)
    assert not image.has_data


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("LIST", ["cam10", "Cam2", "cam1", "b"]),
        ("NAME", ["b", "cam1", "cam10", "Cam2"]),
        ("PSNR", ["Cam2", "b", "cam10", "cam1"]),
    ],
)
def test_order_puts_the_worst_first_and_the_unmeasured_last(order: str, expected: list[str]):
    names = ["cam10", "Cam2", "cam1", "b"]
    figures = [30.0, 12.0, None, 20.0]
    result = places(names, figures, order) or range(4)
    shown = [name for _, name in sorted(zip(result, names, strict=True))]
    assert shown == expected


def test_names_are_filtered_as_in_blender():
    names = ["Cam_01", "cam_02", "Key"]
    assert matches(names, "CAM") == [True, True, False]
    assert matches(names, "m*2") == [False, True, False]
    assert matches(names, "") == [True] * 3


def test_two_hundred_references_are_filtered_and_sorted_in_the_list():
    add_references(200, size=2)
    scene = bpy.context.scene.sge
    for index, row in enumerate(scene.references):
        row.measured, row.psnr_after = True, float((7 * index) % 200)
    stand = Stand(SGE_UL_references, RecordedLayout())
    stand.filter_name, stand.order, stand.bitflag_filter_item = "view_00", "PSNR", 1 << 30
    flags, order = stand.filter_items(bpy.context, scene, "references")
    assert sum(flag != 0 for flag in flags) == 10
    assert sorted(order) == list(range(200))
    assert [order[index] for index in (0, 1, 2)] == [0, 7, 14]


def test_check_panel_shows_each_finding_with_its_button():
    add_quad()
    bpy.context.scene.sge.vertex_group = "Nose"
    assert bpy.ops.sge.check() == {"FINISHED"}
    layout = drawn(panels.SGE_PT_check)
    text = " ".join(layout.texts)
    for needle in ("no UV map", "no vertex group 'Nose'", "There are no references"):
        assert needle in text
    mends = [(p.remedy, p.subject) for idname, p in layout.operators if idname == "sge.mend"]
    assert ("unwrap", "Quad") in mends
    assert ("clear_vertex_group", "Quad") in mends
    assert drawn(panels.SGE_PT_check, method="draw_header_preset").texts == [str(len(Checked.findings))]


def test_a_fit_is_refused_with_the_number_of_errors_before_it_begins():
    add_quad()
    with pytest.raises(RuntimeError, match=r"2 errors, listed under Check\. The first: .*no UV map"):
        bpy.ops.sge.fit()
    assert len([finding for finding in Checked.findings if finding.is_error]) == 2


def test_findings_are_forgotten_with_the_file_and_belong_to_their_scene():
    add_quad()
    bpy.ops.sge.check()
    assert Checked.is_of(bpy.context.scene)
    assert not Checked.is_of(bpy.data.scenes.new("Other"))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert Checked.findings == ()
    assert len(drawn(panels.SGE_PT_check).texts) == 0


def test_modifiers_are_listed_with_what_a_fit_makes_of_each():
    obj = add_quad()
    assert "No modifiers to fit through" in drawn(panels.SGE_PT_modifiers).texts
    for name, kind in (("Smoother", "SUBSURF"), ("Thicker", "SOLIDIFY"), ("Cubes", "REMESH")):
        obj.modifiers.new(name, kind)
    obj.modifiers.new("Later", "SUBSURF").show_viewport = False
    texts = drawn(panels.SGE_PT_modifiers).texts
    for name, kind in (
        ("Smoother", "Linear"),
        ("Thicker", "Black Box"),
        ("Cubes", "Not Supported"),
        ("Later", "Hidden"),
    ):
        assert texts[texts.index(name) + 1] == kind
    bpy.context.scene.sge.level = "render"
    texts = drawn(panels.SGE_PT_modifiers).texts
    assert texts[texts.index("Later") + 1] == "Linear"
