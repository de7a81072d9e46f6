# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Geometry Nodes do, as far as their nodes tell: move geometry, look at the time, read other objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import bpy

# Nodes that give geometry on without moving it, as in Blender's own Smooth by Angle.
_LEAVES_PLACES = {
    "NodeGroupInput",
    "NodeReroute",
    "GeometryNodeSetShadeSmooth",
    "GeometryNodeSetMaterial",
    "GeometryNodeSetMaterialIndex",
    "GeometryNodeSwitch",
    "GeometryNodeGroup",  # whose own nodes are looked at
    "GeometryNodeViewer",
}


def moves_geometry(tree: bpy.types.NodeTree) -> bool:
    """Whether any node may give out other geometry than it gets, shading and materials apart."""
    return any(
        node.bl_idname not in _LEAVES_PLACES and any(socket.type == "GEOMETRY" for socket in node.outputs)
        for node in _nodes_of(tree)
    )


def remembers_frames(tree: bpy.types.NodeTree) -> bool:
    """Whether it simulates from frame to frame."""
    return any(node.bl_idname == "GeometryNodeSimulationInput" for node in _nodes_of(tree))


def reads_time(tree: bpy.types.NodeTree) -> bool:
    """Whether it asks for the scene's time."""
    return any(node.bl_idname == "GeometryNodeInputSceneTime" for node in _nodes_of(tree))


def ids_read(modifier: bpy.types.NodesModifier) -> Iterator[bpy.types.ID]:
    """Objects and collections that a modifier's inputs and its nodes name."""
    tree = modifier.node_group
    if tree is None:
        return
    sockets = [socket for node in _nodes_of(tree) for socket in node.inputs]
    named = [socket.default_value for socket in sockets if socket.type in {"OBJECT", "COLLECTION"}]
    yield from (each for each in [*named, *_inputs(modifier, tree)] if each is not None)


def _inputs(modifier: bpy.types.NodesModifier, tree: bpy.types.NodeTree) -> Iterator[bpy.types.ID | None]:
    for item in tree.interface.items_tree:
        is_input = item.item_type == "SOCKET" and item.in_out == "INPUT"
        if is_input and item.socket_type in {"NodeSocketObject", "NodeSocketCollection"}:
            if hasattr(modifier, "properties"):  # from Blender 5.2 on
                yield getattr(modifier.properties.inputs, item.identifier).value
            else:
                yield modifier.get(item.identifier)


def _nodes_of(tree: bpy.types.NodeTree, seen: frozenset[str] = frozenset()) -> Iterator[bpy.types.Node]:
    """All nodes that take part, those of groups included."""
    for node in tree.nodes:
        if node.mute:
            continue
        yield node
        inner = node.node_tree if node.bl_idname == "GeometryNodeGroup" else None
        if inner is not None and inner.name_full not in seen:
            yield from _nodes_of(inner, seen | {inner.name_full})
