# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fitted height maps back into what displaces the objects: a new image in a Displace modifier or a material.

The meshes themselves stay as they are. Where nothing displaced an object it gets a Displace modifier rather
than a material's displacement: that shows in Solid viewports, in every renderer and to other modifiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import TargetLost
from .displaced_surface import DisplacedObject
from .fitted_images import FittedImage, image_of, new_fitted_image, pack_image, show
from .material_displacement import displacement_node, height_image_node
from .materials import used_slots
from .own_materials import assign_material, own_material
from .traces import Traces, digest, image_traces
from .write_back import Target, object_of, target_of

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float32]

MODIFIER = "Displace"


@dataclass(frozen=True, eq=False)
class FittedHeight:
    """Where one object's height map goes. modifier: its name, or "". material: its name and session id, where
    that displaces. strength, midlevel: of heights as the fit has them."""

    target: Target
    image: FittedImage
    strength: float
    midlevel: float
    modifier: str = ""
    material: tuple[str, int] = ("", 0)


class HeightWriter:
    """Writes the height maps of a fit. notices: what was made single-user for that."""

    def __init__(
        self,
        objects: Sequence[bpy.types.Object],
        displaced: Sequence[DisplacedObject],
        textures: Sequence[Array],
        depth: str,
    ) -> None:
        """textures: (H, W) by object, what is shown at first. depth: '8', '16' or 'float', of the images."""
        self.notices: list[str] = []
        self._fitted = [
            _prepare(obj, of_object, texture, depth, self.notices)
            for obj, of_object, texture in zip(objects, displaced, textures, strict=True)
        ]

    def check(self) -> None:
        """Raises TargetLost for the first thing that is no longer there to be written."""
        for fitted in self._fitted:
            image_of(fitted.image)
            _displacing(fitted)

    def traces(self) -> Traces:
        """What is in the scene of what is written."""
        traces: Traces = {}
        for fitted in self._fitted:
            traces |= image_traces(image_of(fitted.image))
            traces[f"Object '{fitted.target.name}': its displacement"] = digest(_read_scale(fitted))
        return traces

    def write(self, textures: Sequence[Array], final: bool = False) -> None:
        """Write every height map that is still there, (H, W) by object; then raise TargetLost for the first
        that is not. final: keep the images in the file."""
        lost: list[TargetLost] = []
        for fitted, texture in zip(self._fitted, textures, strict=True):
            try:
                write_height(fitted, texture)
                if final:
                    pack_image(fitted.image)
            except TargetLost as error:
                lost.append(error)
        if lost:
            raise lost[0]


def write_height(fitted: FittedHeight, texture: Array) -> None:
    """Displace by (H, W) heights. Raises TargetLost where the image or what it displaces by is gone.

    An image of 8 bits holds the heights' own range as 0 to 1, and strength and midlevel make up for it."""
    low, span = np.float32(0.0), np.float32(1.0)
    if fitted.image.depth == "8":
        low = texture.min()
        span = np.float32(np.ptp(texture) or 1.0)
    displacing = _displacing(fitted)
    fitted.image.pixels[..., :3] = ((texture - low) / span)[..., None]
    show(fitted.image)
    strength = float(fitted.strength * span)
    midlevel = float((fitted.midlevel - low) / span)
    if fitted.modifier:
        displacing.strength, displacing.mid_level = strength, midlevel
        displacing.texture.update_tag()  # or the modifier would not be evaluated again
    else:
        displacing.inputs["Scale"].default_value = strength
        displacing.inputs["Midlevel"].default_value = midlevel


def _prepare(
    obj: bpy.types.Object, displaced: DisplacedObject, texture: Array, depth: str, notices: list[str]
) -> FittedHeight:
    displacement = displaced.displacement
    height, width = texture.shape
    stem = displacement.image.name if displacement.image is not None else f"{obj.name} height"
    pixels = np.ones((height, width, 4), np.float32)
    image = new_fitted_image(stem, pixels, depth=depth, is_data=True)
    modifier, material = "", ("", 0)
    if displacement.kind == "node":
        material = _wire_material(obj, image, notices)
    else:
        modifier = _wire_modifier(obj, displaced, image, notices)
    fitted = FittedHeight(
        target_of(obj), image, displacement.strength, displacement.midlevel, modifier, material
    )
    write_height(fitted, texture)
    return fitted


def _wire_modifier(
    obj: bpy.types.Object, displaced: DisplacedObject, image: FittedImage, notices: list[str]
) -> str:
    """Let the object's Displace modifier, or a new one, read the image; its name."""
    import bpy

    displacement = displaced.displacement
    modifier = (
        obj.modifiers[displacement.name] if displacement.name else obj.modifiers.new(MODIFIER, "DISPLACE")
    )
    texture = modifier.texture
    if texture is None:
        texture = bpy.data.textures.new(image_of(image).name, "IMAGE")
    elif texture.users - texture.use_fake_user > 1 or texture.library or texture.override_library:
        own = texture.copy()
        notices.append(
            f"Texture '{texture.name}': others use it too, so that object '{obj.name}' gets the copy "
            f"'{own.name}'."
        )
        texture = own
    texture.image = image_of(image)
    texture.extension = "REPEAT"  # of which alone Blender reads the outer half texels rightly
    texture.use_interpolation, texture.filter_size, texture.use_clamp = True, 1.0, False
    for axis, size in zip("xy", image.pixels.shape[1::-1], strict=True):
        border = 0.5 / size if displaced.inset else 0.0
        setattr(texture, f"crop_min_{axis}", border)
        setattr(texture, f"crop_max_{axis}", 1.0 - border)
    modifier.texture, modifier.texture_coords, modifier.direction = texture, "UV", "NORMAL"
    modifier.uv_layer = displacement.uv_map
    return modifier.name


def _wire_material(obj: bpy.types.Object, image: FittedImage, notices: list[str]) -> tuple[str, int]:
    """Let the material's displacement read the image; the material's name and session id."""
    slots = used_slots(obj)
    material = own_material(slots[0], slots, notices)
    for slot in slots:
        assign_material(slot, material)
    tree, node = material.node_tree, displacement_node(material)
    reader = height_image_node(node)
    if reader is None or len([link for output in reader.outputs for link in output.links]) > 1:
        old, reader = reader, tree.nodes.new("ShaderNodeTexImage")
        reader.location = node.location.x - 320.0, node.location.y
        if old is not None and old.inputs["Vector"].is_linked:
            tree.links.new(old.inputs["Vector"].links[0].from_socket, reader.inputs["Vector"])
        tree.links.new(reader.outputs["Color"], node.inputs["Height"])
    reader.image = image_of(image)
    reader.extension, reader.interpolation = "EXTEND", "Linear"
    return material.name, material.session_uid


def _displacing(fitted: FittedHeight) -> bpy.types.DisplaceModifier | bpy.types.Node:
    """The modifier or the node. Raises TargetLost where it is gone, or shows another image."""
    import bpy

    image = image_of(fitted.image)
    if fitted.modifier:
        obj = object_of(fitted.target)
        modifier = obj.modifiers.get(fitted.modifier)
        texture = modifier.texture if modifier is not None and modifier.type == "DISPLACE" else None
        if texture is None or texture.type != "IMAGE" or texture.image != image:
            raise TargetLost(
                f"Object '{obj.name}': its modifier '{fitted.modifier}' no longer displaces by "
                f"'{image.name}', which is being fitted."
            )
        return modifier
    name, session_uid = fitted.material
    material = next((each for each in bpy.data.materials if each.session_uid == session_uid), None)
    node = displacement_node(material) if material is not None else None
    reader = height_image_node(node) if node is not None else None
    if reader is None or reader.image != image:
        raise TargetLost(f"Material '{name}' no longer displaces by '{image.name}', which is being fitted.")
    return node


def _read_scale(fitted: FittedHeight) -> tuple[float, float]:
    displacing = _displacing(fitted)
    if fitted.modifier:
        return displacing.strength, displacing.mid_level
    return displacing.inputs["Scale"].default_value, displacing.inputs["Midlevel"].default_value
