# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node that colors a world's image: a Mix node that multiplies, factor 1, by one color."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .texture_chain import linked_output

if TYPE_CHECKING:
    import bpy

_FACTOR, _IMAGE, _COLOUR, _RESULT = 0, 6, 7, 2  # sockets of a Mix node that mixes colors; others are hidden


def new_tint(tree: bpy.types.NodeTree) -> bpy.types.Node:
    """A tint that leaves colors as they are."""
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type, node.blend_type = "RGBA", "MULTIPLY"
    node.inputs[_FACTOR].default_value = 1.0
    node.inputs[_COLOUR].default_value = (1.0, 1.0, 1.0, 1.0)
    node.label = "Tint"
    return node


def is_tint(node: bpy.types.Node) -> bool:
    """Whether a node multiplies what is linked to A by the color B, and does no more."""
    return (
        node.bl_idname == "ShaderNodeMix"
        and not node.mute
        and (node.data_type, node.blend_type) == ("RGBA", "MULTIPLY")
        and not node.clamp_result
        and linked_output(node.inputs[_FACTOR]) is None
        and node.inputs[_FACTOR].default_value == 1.0
        and linked_output(node.inputs[_IMAGE]) is not None
        and linked_output(node.inputs[_COLOUR]) is None
    )


def tint_image(node: bpy.types.Node) -> bpy.types.NodeSocket:
    """The input that is multiplied."""
    return node.inputs[_IMAGE]


def tint_result(node: bpy.types.Node) -> bpy.types.NodeSocket:
    """The product."""
    return node.outputs[_RESULT]


def tint_colour(node: bpy.types.Node) -> NDArray[np.float32]:
    """(3,) linear."""
    return np.asarray(node.inputs[_COLOUR].default_value[:3], np.float32)


def set_tint_colour(node: bpy.types.Node, colour: NDArray[np.float32]) -> None:
    """colour: (3,) linear."""
    node.inputs[_COLOUR].default_value = (*colour.tolist(), 1.0)
