# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's world as the shadings know it: a constant colour, or an equirectangular image that is turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FitError
from ..core.scene_lights import World
from .images import image_to_array
from .texture_chain import Obstacle, linked_output, mapping_matrix, title
from .world_tint import is_tint, tint_colour, tint_image

if TYPE_CHECKING:
    import bpy

_BRIGHTEST = 65504.0  # of half floats: what an infinite pixel of an EXR stands for


def read_world(world: bpy.types.World | None, shading: str) -> World:
    """The world's light as ``shading`` takes it: with 'lit' also an image, and a tint of it (``world_tint``).

    Raises FitError by name where it is lit by other things.
    """
    if world is None:
        return World()
    if not uses_nodes(world):
        return World(gain=np.asarray(world.color[:], np.float32))
    background = _background(world, shading)
    if background is None:
        return World()
    if linked_output(background.inputs["Strength"]) is not None:
        raise _refusal(
            world,
            shading,
            f"the Strength of its node '{title(background)}' is linked",
            "Unlink it and set a value",
        )
    strength = np.float32(background.inputs["Strength"].default_value)
    output = linked_output(background.inputs["Color"])
    if output is None:
        colour = np.asarray(background.inputs["Color"].default_value[:3], np.float32)
        return World(gain=colour * strength)
    node = output.node
    if shading != "lit":
        raise _refusal(
            world,
            shading,
            "it is lit by an image or a procedure",
            f"Unlink the Color of its node '{title(background)}'",
        )
    gain = np.full(3, strength, np.float32)
    if is_tint(node):
        gain *= tint_colour(node)
        node = linked_output(tint_image(node)).node
    if node.bl_idname != "ShaderNodeTexEnvironment" or node.mute:
        raise _refusal(
            world,
            shading,
            f"its color comes from the node '{title(node)}' ({'muted' if node.mute else node.bl_label})",
            "Render it into an equirectangular image and link an Environment Texture, or unlink it",
        )
    return World(
        gain=gain,
        image=_radiance(world, node),
        rotation=_rotation(world, node, shading),
    )


def uses_nodes(owner: bpy.types.World | bpy.types.Light) -> bool:
    """Whether a node tree says what a world or a light shines; from Blender 5 on it always does."""
    import bpy

    return owner.node_tree is not None and (bpy.app.version >= (5, 0) or owner.use_nodes)


def _background(world: bpy.types.World, shading: str) -> bpy.types.Node | None:
    """The Background node that is linked to the output; None where nothing shines."""
    tree = world.node_tree
    output = tree.get_output_node("ALL") or tree.get_output_node("EEVEE")
    source = None if output is None else linked_output(output.inputs["Surface"])
    if source is None:
        return None
    if source.node.bl_idname != "ShaderNodeBackground" or source.node.mute:
        raise _refusal(
            world,
            shading,
            f"its surface comes from the node '{title(source.node)}'",
            "Link the Background node that lights the scene straight to the World Output",
        )
    return source.node


def _radiance(world: bpy.types.World, node: bpy.types.Node) -> NDArray[np.float32]:
    """(H, W, 3) of an Environment Texture's image."""
    if node.projection != "EQUIRECTANGULAR":
        raise _refusal(
            world,
            "lit",
            f"its node '{title(node)}' projects a mirror ball",
            "Convert the image to an equirectangular one",
        )
    if node.image is None:
        raise _refusal(world, "lit", f"its node '{title(node)}' has no image", "Open one in it, or unlink it")
    try:
        pixels = image_to_array(node.image)
    except FitError as error:
        raise FitError(f"World '{world.name}': {error}", subject=node.image.name) from error
    if np.isnan(pixels).any():
        raise FitError(
            f"World '{world.name}': image '{node.image.name}' contains NaN pixels; save it again.",
            subject=node.image.name,
        )
    return np.ascontiguousarray(np.clip(pixels[..., :3], 0.0, _BRIGHTEST))


def _rotation(world: bpy.types.World, node: bpy.types.Node, shading: str) -> NDArray[np.float32]:
    """(3, 3) from world directions to those of the image: the Mapping nodes before it."""
    matrix = np.eye(4)
    socket = node.inputs["Vector"]
    while (output := linked_output(socket)) is not None:
        source = output.node
        if source.bl_idname != "ShaderNodeMapping":
            break
        if not source.mute:
            of_node = mapping_matrix(source)
            if isinstance(of_node, Obstacle):
                raise _refusal(
                    world,
                    shading,
                    f"its node '{of_node.node}' {of_node.what}",
                    "Use it as a rotation of points",
                )
            matrix = matrix @ of_node
        socket = source.inputs["Vector"]
    if output is not None:
        is_direction = source.bl_idname == "ShaderNodeTexCoord" and (
            output.name == "Generated" or (output.name == "Object" and source.object is None)
        )
        if not is_direction or source.mute:
            raise _refusal(
                world,
                shading,
                f"its image is laid by '{title(source)}' ({output.name})",
                "Use the Generated output of a Texture Coordinate node",
            )
    elif socket.node.bl_idname == "ShaderNodeMapping":
        raise _refusal(
            world,
            shading,
            f"its node '{title(socket.node)}' has no coordinates linked to it",
            "Link the Generated output of a Texture Coordinate node",
        )
    size = float(np.linalg.norm(matrix[:3, 0]))
    turn = matrix[:3, :3] / max(size, 1e-12)
    if np.abs(turn @ turn.T - np.eye(3)).max() > 1e-4 or np.abs(matrix[:3, 3]).max() > 1e-6:
        raise _refusal(
            world,
            shading,
            "its Mapping node moves or stretches the image",
            "Set its Location to 0 and its Scale to 1; rotation is fine",
        )
    return np.asarray(turn, np.float32)


def _refusal(world: bpy.types.World, shading: str, found: str, remedy: str) -> FitError:
    return FitError(
        f"Shading '{shading}': world '{world.name}' is not one that this shading knows: {found}. "
        f"{remedy}, or choose shading 'unlit'.",
        subject=world.name,
    )
