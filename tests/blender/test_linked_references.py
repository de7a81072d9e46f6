# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""References from the cameras of another .blend file, of which nothing stays."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from sge_addon.core.errors import FitError
from sge_addon.scene.linked_references import references_from_blend
from sge_addon.scene.references import add_reference_cameras, references_from_cameras
from tests.blender.test_references import references


def empty_file() -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def test_another_files_cameras_see_what_they_see_there(tmp_path: Path) -> None:
    """Also a camera that moves with its parent, one in two scenes, and one without an image."""
    scene = bpy.context.scene
    add_reference_cameras(scene, references())
    parent = bpy.data.objects.new("Rig", None)
    parent.location = (1.0, 2.0, 3.0)
    scene.collection.objects.link(parent)
    bpy.data.objects["view_001"].parent = parent
    plain = bpy.data.objects.new("Plain", bpy.data.cameras.new("Plain"))
    scene.collection.objects.link(plain)
    other = bpy.data.scenes.new("Other")
    other.collection.objects.link(bpy.data.objects["view_000"])
    bpy.context.view_layer.update()
    expected = references_from_cameras(scene, 12)
    path = tmp_path / "cameras.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    before = path.read_bytes()
    empty_file()
    found = references_from_blend(path, 12)
    assert [each.view.name for each in found] == ["view_000", "view_001", "view_002"]
    for a, b in zip(expected, found, strict=True):
        assert np.array_equal(a.view.world_to_clip, b.view.world_to_clip)
        assert np.array_equal(a.colour, b.colour)
        assert a.has_alpha == b.has_alpha
    for kind in ("libraries", "objects", "cameras", "images", "collections", "meshes"):
        assert not len(getattr(bpy.data, kind)), kind
    assert len(bpy.data.scenes) == 1
    assert path.read_bytes() == before


def test_images_on_network_shares_are_never_opened(tmp_path: Path) -> None:
    add_reference_cameras(bpy.context.scene, references(1))
    image = bpy.data.images["view_000"]
    image.unpack(method="REMOVE")
    image.filepath = "\\\\server\\share\\photo.png"
    path = tmp_path / "shared.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), relative_remap=False)
    empty_file()
    with pytest.raises(FitError, match=r"camera 'view_000': its image .*server.*only local files"):
        references_from_blend(path, 64)
    assert not bpy.data.libraries


def test_files_that_give_no_references_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "empty.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    with pytest.raises(FitError, match=r"empty\.blend' is the open one"):
        references_from_blend(path, 64)
    empty_file()
    with pytest.raises(FitError, match=r"empty\.blend': none of its cameras shows a background image"):
        references_from_blend(path, 64)
    with pytest.raises(FitError, match=r"none\.blend' does not exist"):
        references_from_blend(tmp_path / "none.blend", 64)
    (tmp_path / "broken.blend").write_bytes(b"BLENDER-v405")
    with pytest.raises(FitError, match=r"broken\.blend' cannot be read"):
        references_from_blend(tmp_path / "broken.blend", 64)
    assert not bpy.data.libraries
