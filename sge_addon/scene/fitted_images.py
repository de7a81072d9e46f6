# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that a fit writes: new ones, wired in place of what was there.

Blender's undo restores which image a node shows, but no pixels. So the user's own image is never
written; undoing a fit brings its pointer back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.colour import linear_to_srgb
from ..core.errors import TargetLost
from ..core.reference import resize_area
from .materials import Slot, base_colour_socket, image_node, source_node, used_slots, uses_uv_map
from .own_materials import assign_material, new_shader, own_material, with_nodes

if TYPE_CHECKING:
    import bpy

SUFFIX = ".sge"
_LARGEST_HALF = 65504.0


@dataclass(frozen=True, eq=False)
class FittedImage:
    """An image under fit, remembered by name and session id.

    pixels: (H, W, 4) float32, row 0 at the bottom: what an Image Texture node puts out, linear. depth: '8',
    '16' (half floats) or 'float'. is_data: no colour, so that 8 bits are not encoded as sRGB.
    """

    name: str
    session_uid: int
    pixels: NDArray[np.float32]
    depth: str = "float"
    is_data: bool = False


def prepare_fitted_images(
    objects: Sequence[bpy.types.Object], textures: dict[str, NDArray[np.float32]], depth: str = "float"
) -> tuple[dict[str, FittedImage], list[str]]:
    """Make and wire the images of the objects' fitted textures; return them by key, and notices.

    textures: (H, W, 3) linear start content by ``Material.key``, as ``materials_of_objects`` gives it.
    depth: as in ``FittedImage``. Materials that others use as well become single-user copies.
    """
    slots: dict[str, list[Slot]] = {}
    for obj in objects:
        for slot in used_slots(obj):
            of_key = slots.setdefault(slot.key, [])
            if all((slot.owner, slot.index) != (other.owner, other.index) for other in of_key):
                of_key.append(slot)
    images: dict[str, FittedImage] = {}
    notices: list[str] = []
    for key, of_key in slots.items():
        if key in textures:
            images[key] = _prepare(of_key, textures[key], depth, notices)
    return images, notices


def write_image(fitted: FittedImage, colours: NDArray[np.float32]) -> None:
    """Show (H, W, 3) linear colours in the image. Raises TargetLost where it is gone."""
    fitted.pixels[..., :3] = colours
    show(fitted)


def new_fitted_image(
    stem: str,
    pixels: NDArray[np.float32],
    *,
    depth: str = "float",
    is_data: bool = False,
    is_shown: bool = True,
) -> FittedImage:
    """A new image with ``pixels``, (H, W, 4); they become the FittedImage's own. stem: of its name.
    is_shown: the pixels are in the image at once, which costs time; else from the first ``show`` on."""
    import bpy

    # A second fit starts from "wood.sge" or "wood.sge.001" and must not make "wood.sge.sge".
    stem = re.sub(rf"({re.escape(SUFFIX)})?(\.\d{{3,}})?$", "", stem)
    stem = re.sub(r"\.(png|jpe?g|exr|tiff?|tga|bmp|hdr|webp)$", "", stem, flags=re.IGNORECASE)
    height, width = pixels.shape[:2]
    is_float = depth != "8"
    image = bpy.data.images.new(
        stem + SUFFIX, width, height, alpha=True, float_buffer=is_float, is_data=is_data
    )
    if is_float:
        image.use_half_precision = depth == "16"
    image.alpha_mode = "CHANNEL_PACKED"  # straight float pixels would be multiplied when loaded again
    fitted = FittedImage(image.name, image.session_uid, pixels, depth, is_data)
    if is_shown:
        show(fitted)
    return fitted


def show(fitted: FittedImage) -> None:
    """Put ``fitted.pixels`` into the image. Raises TargetLost where it is gone."""
    image = image_of(fitted)
    pixels = fitted.pixels
    if fitted.depth == "8" and not fitted.is_data:
        pixels = pixels.copy()
        pixels[..., :3] = linear_to_srgb(pixels[..., :3])
    elif fitted.depth == "16":  # packed, the file would hold what viewports do not show, in twice the room
        if pixels.max() > _LARGEST_HALF:
            pixels = np.minimum(pixels, np.float32(_LARGEST_HALF))
        pixels = pixels.astype(np.float16).astype(np.float32)
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    image.update_tag()  # or viewports would blend old and new over several redraws, or not redraw at all


def pack_image(fitted: FittedImage) -> None:
    """Keep the pixels in the .blend file (as EXR, with 8 bits as PNG), once the fit is over."""
    image_of(fitted).pack()


def image_of(fitted: FittedImage) -> bpy.types.Image:
    """The image as it is now. Raises TargetLost where it was deleted or scaled."""
    import bpy

    image = bpy.data.images.get(fitted.name)
    if image is None or image.session_uid != fitted.session_uid:
        image = next((i for i in bpy.data.images if i.session_uid == fitted.session_uid), None)
    if image is None:
        raise TargetLost(f"Image '{fitted.name}' was deleted while it was being fitted.")
    if tuple(image.size) != fitted.pixels.shape[1::-1]:
        raise TargetLost(f"Image '{image.name}' was scaled while it was being fitted.")
    return image


def _prepare(slots: list[Slot], texture: NDArray[np.float32], depth: str, notices: list[str]) -> FittedImage:
    original = next((image_node(slot.material) for slot in slots if slot.material), None)
    original_image = original.image if original else None
    if original_image is not None:
        stem = original_image.name
    else:
        stem = slots[0].material.name if slots[0].material else slots[0].owner.name
    height, width = texture.shape[:2]
    pixels = np.empty((height, width, 4), np.float32)
    pixels[..., :3] = texture
    pixels[..., 3] = _alpha(original, width, height) if original else 1.0
    fitted = new_fitted_image(stem, pixels, depth=depth)
    image = image_of(fitted)
    own: dict[bpy.types.Material | None, bpy.types.Material] = {}
    for slot in slots:
        if slot.material not in own:
            own[slot.material] = own_material(slot, slots, notices)
            _wire(own[slot.material], image, slot.uv_map, notices)
        assign_material(slot, own[slot.material])
    return fitted


def _alpha(
    node: bpy.types.ShaderNodeTexImage, new_width: int, new_height: int
) -> NDArray[np.float32] | float:
    """Alpha to keep in the new image: the old one's where the material uses it (cut-outs), else 1."""
    width, height = node.image.size
    if not node.outputs["Alpha"].is_linked or node.image.channels != 4:
        return 1.0
    pixels = np.empty(width * height * 4, np.float32)
    node.image.pixels.foreach_get(pixels)
    return resize_area(pixels.reshape(height, width, 4)[..., 3:], new_width, new_height)[..., 0]


def _wire(material: bpy.types.Material, image: bpy.types.Image, uv_map: str, notices: list[str]) -> None:
    """Show the image as the material's base colour; make nodes where there are none."""
    tree = with_nodes(material)
    node = image_node(material)
    if node is not None and uses_uv_map(node, uv_map):
        node.image = image
        tree.nodes.active = node  # what Solid shading shows as Texture
        return
    socket = base_colour_socket(material)
    if socket is None:
        socket = new_shader(tree).inputs["Base Color"]
    replaced = source_node(socket)
    if replaced is not None:
        notices.append(
            f"Material '{material.name}': its {socket.name} came from '{replaced.label or replaced.name}'; "
            "the fitted image takes its place."
        )
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    node.location = socket.node.location.x - 320.0, socket.node.location.y
    tree.links.new(node.outputs["Color"], socket)
    tree.nodes.active = node
