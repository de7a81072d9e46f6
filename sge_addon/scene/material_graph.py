# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A material's node tree as the lit shading sees it: its shader, and what feeds each of its maps.

Nothing is refused here: what cannot be read is an Obstacle, and who needs the map says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..core.material_maps import SHADED_COLUMNS
from .texture_chain import ImageSource, Obstacle, image_source, linked_output, title

if TYPE_CHECKING:
    import bpy

# Inputs of the maps, by shader.
SOCKETS: Mapping[str, Mapping[str, str]] = {
    "ShaderNodeBsdfPrincipled": {
        "base_color": "Base Color",
        "metallic": "Metallic",
        "roughness": "Roughness",
        "normal": "Normal",
        "emission": "Emission Color",
        "alpha": "Alpha",
    },
    "ShaderNodeBsdfDiffuse": {"base_color": "Color", "normal": "Normal"},
    "ShaderNodeEmission": {"emission": "Color"},
}
STRENGTHS = {"ShaderNodeBsdfPrincipled": "Emission Strength", "ShaderNodeEmission": "Strength"}
# Of an input that nobody has touched; Blender's own, but for a colour before the strength of emission.
DEFAULTS: Mapping[str, tuple[float, ...]] = {
    "base_color": (0.8, 0.8, 0.8),
    "metallic": (0.0,),
    "roughness": (0.5,),
    "normal": (0.0, 0.0, 1.0),
    "emission": (1.0, 1.0, 1.0),
    "alpha": (1.0,),
}
# Of the Principled BSDF, what the lit shading leaves out: inputs, and the value at which they do nothing.
_LEFT_OUT = {
    "Subsurface Weight": 0.0,
    "Coat Weight": 0.0,
    "Sheen Weight": 0.0,
    "Transmission Weight": 0.0,
    "Anisotropic": 0.0,
    "Thin Film Thickness": 0.0,
    "Diffuse Roughness": 0.0,
    "Specular Tint": (1.0, 1.0, 1.0),
}


@dataclass(frozen=True, eq=False)
class MapSource:
    """What feeds one map.

    value: of the input itself, decoded where it is a normal. image: what is linked, where it can be read.
    obstacle: what is linked, where it cannot. socket: into which images go: the shader's, that of its Normal
    Map node, or the factor of the Mix Shader that cuts the surface out; None where the shader has none.
    bump: name of a Bump node that is left out.
    """

    value: tuple[float, ...]
    image: ImageSource | None = None
    obstacle: Obstacle | None = None
    socket: bpy.types.NodeSocket | None = None
    bump: str = ""


@dataclass(frozen=True, eq=False)
class MaterialGraph:
    """A material as the lit shading sees it.

    shader: Principled, Diffuse or Emission, or None where the surface has no shader. obstacle: what stands
    in the place of these. maps: by the names in SHADED_COLUMNS. emission_strength: None where it is linked.
    flips_green: its normal map has the green channel of DirectX. left_out: inputs that matter in Blender
    and that the shading does not know.
    """

    shader: bpy.types.Node | None
    maps: Mapping[str, MapSource]
    obstacle: Obstacle | None = None
    ior: float = 1.5
    specular_level: float = 0.5
    normal_strength: float = 1.0
    emission_strength: float | None = 0.0
    alpha_clip: float | None = None
    flips_green: bool = False
    left_out: tuple[str, ...] = field(default=())


def read_graph(material: bpy.types.Material | None) -> MaterialGraph:
    """What there is to know of a material before any pixel is read."""
    if material is None or material.node_tree is None:
        return _without_nodes(material)
    shader, alpha = _shader(material.node_tree)
    if isinstance(shader, Obstacle):
        return MaterialGraph(None, _constants({}), obstacle=shader)
    if shader is None:
        return MaterialGraph(None, _constants({}))
    if shader.bl_idname == "ShaderNodeBsdfDiffuse":
        maps = _constants({"roughness": (1.0,)})
    elif shader.bl_idname == "ShaderNodeEmission":
        maps = _constants({"base_color": (0.0, 0.0, 0.0), "roughness": (1.0,)})
    else:
        maps = _constants({})
    clip, strength, flips = None, 1.0, False
    sockets = {name: shader.inputs[of_map] for name, of_map in SOCKETS[shader.bl_idname].items()}
    if alpha is not None:
        sockets["alpha"] = alpha
    for name, socket in sockets.items():
        if name == "normal":
            maps[name], strength, flips = _normal(socket)
        elif name == "alpha":
            maps[name], clip = _alpha(socket)
        else:
            maps[name] = _source(socket, len(DEFAULTS[name]))
    is_principled = shader.bl_idname == "ShaderNodeBsdfPrincipled"
    return MaterialGraph(
        shader,
        maps,
        ior=shader.inputs["IOR"].default_value if is_principled else 1.0,
        specular_level=shader.inputs["Specular IOR Level"].default_value if is_principled else 0.0,
        normal_strength=strength,
        emission_strength=_emission_strength(shader),
        alpha_clip=clip,
        flips_green=flips,
        left_out=_left_out(shader) if is_principled else (),
    )


def _without_nodes(material: bpy.types.Material | None) -> MaterialGraph:
    """As Blender renders them: with the settings of the viewport, a missing material as a new one's."""
    if material is None:
        return MaterialGraph(None, _constants({"roughness": (0.4,)}))
    values = {
        "base_color": tuple(material.diffuse_color[:3]),
        "metallic": (material.metallic,),
        "roughness": (material.roughness,),
    }
    return MaterialGraph(None, _constants(values), specular_level=material.specular_intensity)


def _constants(values: Mapping[str, tuple[float, ...]]) -> dict[str, MapSource]:
    return {name: MapSource(values.get(name, DEFAULTS[name])) for name in SHADED_COLUMNS}


def _shader(
    tree: bpy.types.NodeTree,
) -> tuple[bpy.types.Node | Obstacle | None, bpy.types.NodeSocket | None]:
    """The shader of the surface, and the factor of a Mix Shader that cuts it out against transparency."""
    output = tree.get_output_node("EEVEE") or tree.get_output_node("ALL")
    source = linked_output(output.inputs["Surface"]) if output else None
    if source is None:
        return None, None
    node, factor = source.node, None
    if node.bl_idname == "ShaderNodeMixShader" and not node.mute:
        clear, solid = (linked_output(node.inputs[index]) for index in (1, 2))
        cuts_out = clear is not None and clear.node.bl_idname == "ShaderNodeBsdfTransparent"
        if not cuts_out or solid is None:
            return Obstacle(
                title(node), "mixes shaders other than a Transparent BSDF with one after it"
            ), None
        node, factor = solid.node, node.inputs["Fac" if "Fac" in node.inputs else 0]
    if node.mute:
        return Obstacle(title(node), "is muted"), None
    if node.bl_idname not in SOCKETS:
        return Obstacle(title(node), f"is of the kind {node.bl_label}"), None
    if factor is not None and node.bl_idname == "ShaderNodeBsdfPrincipled":
        alpha = node.inputs["Alpha"]
        if linked_output(alpha) is not None or alpha.default_value != 1.0:
            return Obstacle(title(node), "has an alpha of its own behind a Mix Shader"), None
    return node, factor


def _source(socket: bpy.types.NodeSocket, channels: int) -> MapSource:
    """Of an input whose values are taken as they are."""
    found = image_source(socket)
    value = socket.default_value
    constant = tuple(value[:channels]) if hasattr(value, "__len__") else (value,)
    if isinstance(found, Obstacle):
        return MapSource(constant, obstacle=found, socket=socket)
    return MapSource(constant, found, socket=socket)


def _normal(socket: bpy.types.NodeSocket) -> tuple[MapSource, float, bool]:
    """The source of the normal, the strength of its Normal Map node, and whether its green is flipped."""
    flat = DEFAULTS["normal"]
    output, bump = linked_output(socket), ""
    if output is not None and output.node.bl_idname == "ShaderNodeBump" and not output.node.mute:
        bump = title(output.node)
        output = linked_output(output.node.inputs["Normal"])
    if output is None:
        return MapSource(flat, socket=socket, bump=bump), 1.0, False
    node = output.node
    if node.bl_idname != "ShaderNodeNormalMap" or node.mute:
        what = "is muted" if node.mute else f"is of the kind {node.bl_label}, not a Normal Map"
        return MapSource(flat, obstacle=Obstacle(title(node), what), socket=socket, bump=bump), 1.0, False
    obstacle = None
    if node.space != "TANGENT":
        space = node.bl_rna.properties["space"].enum_items[node.space].name
        obstacle = Obstacle(title(node), f"is in {space}, not Tangent Space")
    elif linked_output(node.inputs["Strength"]) is not None:
        obstacle = Obstacle(title(node), "has its Strength linked")
    if obstacle is not None:
        return MapSource(flat, obstacle=obstacle, socket=socket, bump=bump), 1.0, False
    flips = getattr(node, "convention", "OPENGL") == "DIRECTX"
    colour = _source(node.inputs["Color"], 3)
    x, y, z = (2.0 * value - 1.0 for value in colour.value)
    decoded = (x, -y if flips else y, z)
    source = MapSource(decoded, colour.image, colour.obstacle, node.inputs["Color"], bump)
    return source, node.inputs["Strength"].default_value, flips


def _alpha(socket: bpy.types.NodeSocket) -> tuple[MapSource, float | None]:
    """The source of alpha, and the threshold where Math nodes clip it as Blender's glTF importer does."""
    output = linked_output(socket)
    node = output.node if output is not None else None
    if node is None or node.bl_idname != "ShaderNodeMath" or node.mute:
        return _source(socket, 1), None
    first, second = node.inputs[:2]
    operation = node.operation
    if operation == "SUBTRACT" and linked_output(first) is None and first.default_value == 1.0:
        inner = linked_output(second)  # 1 - (alpha < threshold)
        if inner is not None and inner.node.bl_idname == "ShaderNodeMath" and not inner.node.mute:
            operation = {"LESS_THAN": "GREATER_THAN", "GREATER_THAN": "LESS_THAN"}.get(inner.node.operation)
            first, second = inner.node.inputs[:2]
    if operation == "LESS_THAN":
        first, second = second, first
    if operation == "ROUND":
        return _source(first, 1), 0.5
    if operation in ("GREATER_THAN", "LESS_THAN") and linked_output(second) is None:
        return _source(first, 1), second.default_value
    return _source(socket, 1), None


def _emission_strength(shader: bpy.types.Node) -> float | None:
    name = STRENGTHS.get(shader.bl_idname)
    if name is None:
        return 0.0
    socket = shader.inputs[name]
    return None if linked_output(socket) is not None else socket.default_value


def _left_out(shader: bpy.types.Node) -> tuple[str, ...]:
    """Inputs of the Principled BSDF that would be seen in Blender and are not in the lit shading."""
    names = [
        name
        for name, neutral in _LEFT_OUT.items()
        if name in shader.inputs and not _is_neutral(shader.inputs[name], neutral)
    ]
    names += [name for name in ("IOR", "Specular IOR Level") if linked_output(shader.inputs[name])]
    if shader.distribution != "MULTI_GGX":
        names.append("Distribution")
    return tuple(names)


def _is_neutral(socket: bpy.types.NodeSocket, neutral: float | tuple[float, ...]) -> bool:
    if linked_output(socket) is not None:
        return False
    value = socket.default_value
    return tuple(value[:3]) == neutral if isinstance(neutral, tuple) else value == neutral
