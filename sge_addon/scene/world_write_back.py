# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fitted world back into Blender: its strength, color and turn, or a new world for an unknown light."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.equirectangular import pixel_directions
from ..core.scene_lights import World
from ..core.spherical_harmonics import basis
from .animation import is_animated
from .fitted_images import SUFFIX
from .texture_chain import Obstacle, linked_output, mapping_matrix
from .world import uses_nodes
from .world_tint import is_tint, new_tint, set_tint_colour, tint_image, tint_result

if TYPE_CHECKING:
    import bpy

WIDTH, HEIGHT = 64, 32  # of the image of an unknown light, which has no details
SAME_TURN = 1e-5
_GREY = 1e-4  # relative: channels that differ by less are one strength


def reason_against_world(world: bpy.types.World) -> str:
    """Why a world cannot be changed, as the end of a sentence with the remedy; "" where it can."""
    if is_animated(world) or (world.node_tree is not None and is_animated(world.node_tree)):
        return "it is animated or driven; clear its animation"
    return ""


def write_world(scene: bpy.types.Scene, fitted: World, notices: list[str]) -> None:
    """Give the scene's world the fitted gain and rotation, where it can be changed."""
    world = scene.world
    if world is None or reason_against_world(world):
        return
    world = _own_world(scene, notices)
    if not uses_nodes(world):
        world.color = fitted.gain.tolist()
        return
    background = _background(world)
    if background is None:
        return
    if linked_output(background.inputs["Color"]) is None:
        strength = float(np.abs(fitted.gain).max())
        background.inputs["Strength"].default_value = strength
        if strength > 0.0:
            background.inputs["Color"].default_value = (*(fitted.gain / strength).tolist(), 1.0)
        return
    _tint(world.node_tree, background, fitted.gain)
    _turn(world.node_tree, _environment(background), fitted.rotation)


class UnknownWorldWriter:
    """Shows an unknown light as a world of its own, made at the first time and changed from then on."""

    def __init__(self, scene: bpy.types.Scene, notices: list[str]) -> None:
        self._scene = scene
        self._notices = notices
        self._world_uid = self._image_uid = 0

    def write(self, fitted: World) -> None:
        """fitted: with harmonics."""
        import bpy

        world = next((each for each in bpy.data.worlds if each.session_uid == self._world_uid), None)
        image = next((each for each in bpy.data.images if each.session_uid == self._image_uid), None)
        if world is None or image is None:
            world, image = self._make()
        pixels = np.ones((HEIGHT, WIDTH, 4), np.float32)
        pixels[..., :3] = harmonic_image(fitted)
        image.pixels.foreach_set(pixels.ravel())
        image.update()
        image.update_tag()
        image.pack()

    def _make(self) -> tuple[bpy.types.World, bpy.types.Image]:
        import bpy

        scene, before = self._scene, self._scene.world
        # A second fit starts from "World.sge" and must not make "World.sge.sge".
        stem = re.sub(rf"({re.escape(SUFFIX)})?(\.\d{{3,}})?$", "", before.name if before else "World")
        image = bpy.data.images.new(stem + SUFFIX, WIDTH, HEIGHT, alpha=False, float_buffer=True)
        image.use_half_precision = False
        world = bpy.data.worlds.new(stem + SUFFIX)
        if not uses_nodes(world):
            world.use_nodes = True
        world.sun_threshold = 0.0  # the light of harmonics comes from everywhere, without a sun in it
        tree = world.node_tree
        tree.nodes.clear()
        output, background, environment = (
            tree.nodes.new(kind)
            for kind in ("ShaderNodeOutputWorld", "ShaderNodeBackground", "ShaderNodeTexEnvironment")
        )
        environment.image = image
        for place, node in enumerate((environment, background, output)):
            node.location = 280.0 * (place - 2), 0.0
        tree.links.new(environment.outputs["Color"], background.inputs["Color"])
        tree.links.new(background.outputs["Background"], output.inputs["Surface"])
        self._notice(world, before)
        scene.world = world
        self._world_uid, self._image_uid = world.session_uid, image.session_uid
        return world, image

    def _notice(self, world: bpy.types.World, before: bpy.types.World | None) -> None:
        kept = ""
        if before is not None:
            if before.library is None:
                before.use_fake_user = True  # else the file forgets it, once no scene shows it
            kept = f" World '{before.name}' is kept; choose it in the World properties to go back."
        lamps = [obj.name for obj in self._scene.objects if obj.type == "LIGHT" and not obj.hide_render]
        others = ""
        if lamps:
            named = ", ".join(f"'{name}'" for name in lamps[:3]) + (" and others" if len(lamps) > 3 else "")
            others = (
                f" The scene's lights ({named}) add to it: disable them in renders to see what was fitted."
            )
        self._notices.append(
            f"Scene '{self._scene.name}': the references were lit by the fitted world '{world.name}' alone."
            + others
            + kept
        )


def harmonic_image(world: World) -> NDArray[np.float32]:
    """(HEIGHT, WIDTH, 3) radiance of a world's harmonics, row 0 at the bottom; nothing is below 0."""
    if world.harmonics is None:
        raise ValueError("the world has no harmonics")
    directions = pixel_directions(HEIGHT, WIDTH)
    radiance = np.einsum("hwk,kc->hwc", basis(directions), world.harmonics.astype(np.float64)) * world.gain
    return np.maximum(radiance, 0.0).astype(np.float32)


def _own_world(scene: bpy.types.Scene, notices: list[str]) -> bpy.types.World:
    """The scene's world where it alone uses it, else a copy, which it gets."""
    world = scene.world
    is_foreign = world.library is not None or world.override_library is not None
    if not is_foreign and world.users - world.use_fake_user <= 1:
        return world
    scene.world = world.copy()
    reason = "it is linked from another file" if is_foreign else "others use it, too"
    notices.append(
        f"World '{world.name}': {reason}, so scene '{scene.name}' gets the copy '{scene.world.name}'."
    )
    return scene.world


def _background(world: bpy.types.World) -> bpy.types.Node | None:
    tree = world.node_tree
    output = tree.get_output_node("ALL") or tree.get_output_node("EEVEE")
    source = None if output is None else linked_output(output.inputs["Surface"])
    return None if source is None or source.node.bl_idname != "ShaderNodeBackground" else source.node


def _environment(background: bpy.types.Node) -> bpy.types.Node:
    """The Environment Texture of a Background, past the node that tints it."""
    node = linked_output(background.inputs["Color"]).node
    return linked_output(tint_image(node)).node if is_tint(node) else node


def _tint(tree: bpy.types.NodeTree, background: bpy.types.Node, gain: NDArray[np.float32]) -> None:
    """Strength, and a node that multiplies colors where channels differ, or where there is one already."""
    output = linked_output(background.inputs["Color"])
    strength = float(gain[np.abs(gain).argmax()])
    background.inputs["Strength"].default_value = strength
    tint = gain / strength if strength != 0.0 else np.ones(3, np.float32)
    node = output.node if is_tint(output.node) else None
    if node is None and np.abs(tint - 1.0).max() <= _GREY:
        return
    if node is None:
        node = new_tint(tree)
        node.location = background.location.x - 200.0, background.location.y
        output.node.location.x -= 200.0
        tree.links.new(output, tint_image(node))
        tree.links.new(tint_result(node), background.inputs["Color"])
    set_tint_colour(node, tint)


def _turn(tree: bpy.types.NodeTree, environment: bpy.types.Node, rotation: NDArray[np.float32]) -> None:
    """Let the Mapping nodes before an image add up to a rotation, by the one next to the coordinates."""
    from mathutils import Matrix

    matrix = of_last = np.eye(3)
    last = None
    socket = environment.inputs["Vector"]
    while (output := linked_output(socket)) is not None and output.node.bl_idname == "ShaderNodeMapping":
        last = output.node
        of_node = np.eye(4) if last.mute else mapping_matrix(last)
        if isinstance(of_node, Obstacle):
            return  # such a world is not read in the first place
        of_last = of_node[:3, :3] / np.linalg.norm(of_node[:3, 0])
        matrix = matrix @ of_last
        socket = last.inputs["Vector"]
    change = matrix.T @ rotation
    if np.abs(change - np.eye(3)).max() < SAME_TURN:
        return
    if last is None or last.mute:
        last = _new_mapping(tree, socket, output)
    else:
        change = of_last @ change
    if last.vector_type == "TEXTURE":
        change = change.T
    last.inputs["Rotation"].default_value = Matrix(change.tolist()).to_euler("XYZ")


def _new_mapping(
    tree: bpy.types.NodeTree, socket: bpy.types.NodeSocket, output: bpy.types.NodeSocket | None
) -> bpy.types.Node:
    """A Mapping between the coordinates and what reads them, and the coordinates where there are none."""
    mapping = tree.nodes.new("ShaderNodeMapping")
    mapping.vector_type = "POINT"
    mapping.location = socket.node.location.x - 220.0, socket.node.location.y
    if output is None:
        coordinates = tree.nodes.new("ShaderNodeTexCoord")
        coordinates.location = mapping.location.x - 220.0, mapping.location.y
        output = coordinates.outputs["Generated"]
    tree.links.new(output, mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], socket)
    return mapping
