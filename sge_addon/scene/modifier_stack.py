# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a fit goes through each modifier of an object: exactly and fast, by evaluating it, or not at all.

A modifier is linear where its vertices are weighted sums of those it gets, with weights that do not hang on
where these are. What is said here is for people; what a fit does is decided by measuring.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .node_groups import moves_geometry, remembers_frames
from .stand_in import WITHOUT_EFFECT, Level, is_shown

if TYPE_CHECKING:
    import bpy

Kind = Literal["linear", "black box", "shading only", "hidden", "unsupported"]
Verdict = tuple[Kind, str]

_LINEAR: Verdict = ("linear", "")
_BY_SHAPE = "makes vertices and faces by what the mesh looks like"
_ALONG_NORMALS = "moves vertices along normals"
_BY_PLACE = "moves vertices by where they are"
_SIMULATED: Verdict = ("unsupported", "it is simulated from frame to frame")
_FROM_FILE: Verdict = ("unsupported", "it takes vertices from a file, frame by frame, not from the mesh")
_BY_PARTICLES: Verdict = ("unsupported", "it follows particles, from frame to frame")
_WITHOUT_ORIGIN: Verdict = ("unsupported", "its faces do not tell from which of the base mesh's they come")
_SHADING: Verdict = ("shading only", "moves no vertex; a fit shades by its own smooth normals")
_COORDINATES: Verdict = ("shading only", "changes UV maps, moves no vertex")
_WEIGHTS: Verdict = ("shading only", "changes weights, moves no vertex")


@dataclass(frozen=True)
class DescribedModifier:
    """kind: 'black box' is evaluated by Blender in each step, 'hidden' takes no part at the level.
    reason: why, "" where there is nothing to say."""

    name: str
    kind: Kind
    reason: str


def described_stack(obj: bpy.types.Object, level: Level = "viewport") -> list[DescribedModifier]:
    """Each modifier of a mesh object, in their order. What is unknown counts as a black box."""
    return [DescribedModifier(each.name, *_verdict(each, level)) for each in obj.modifiers]


def _verdict(modifier: bpy.types.Modifier, level: Level) -> Verdict:
    if not is_shown(modifier, level):
        return "hidden", f"switched off in {level}s"
    if modifier.type in WITHOUT_EFFECT:
        return "shading only", "leaves the mesh as it is"
    if modifier.type in _BY_OPTIONS:
        return _BY_OPTIONS[modifier.type](modifier)
    return _BY_TYPE.get(modifier.type, ("black box", ""))


_BY_TYPE: dict[str, Verdict] = {
    "SUBSURF": _LINEAR,
    "SMOOTH": _LINEAR,
    "MASK": _LINEAR,
    "TRIANGULATE": ("linear", "diagonals stay as they are at the start"),
    "SOLIDIFY": ("black box", _ALONG_NORMALS),
    "WIREFRAME": ("black box", _ALONG_NORMALS),
    "BEVEL": ("black box", _BY_SHAPE),
    "BOOLEAN": ("black box", _BY_SHAPE),
    "DECIMATE": ("black box", _BY_SHAPE),
    "REMESH": _WITHOUT_ORIGIN,
    "SKIN": _WITHOUT_ORIGIN,
    "VOLUME_TO_MESH": _WITHOUT_ORIGIN,
    "WELD": ("black box", "joins vertices that come near one another"),
    "CAST": ("black box", _BY_PLACE),
    "CURVE": ("black box", _BY_PLACE),
    "LATTICE": ("black box", _BY_PLACE),
    "SIMPLE_DEFORM": ("black box", _BY_PLACE),
    "SHRINKWRAP": ("black box", _BY_PLACE),
    "WARP": ("black box", _BY_PLACE),
    "WAVE": ("black box", _BY_PLACE),
    "LAPLACIANSMOOTH": ("black box", "weights vertices by the mesh's angles"),
    "LAPLACIANDEFORM": ("black box", "keeps details relative to the mesh's shape"),
    "VERTEX_WEIGHT_PROXIMITY": ("black box", "weights vertices by where they are"),
    "WEIGHTED_NORMAL": _SHADING,
    "NORMAL_EDIT": _SHADING,
    "UV_PROJECT": _COORDINATES,
    "UV_WARP": _COORDINATES,
    "DATA_TRANSFER": ("shading only", "takes over data, moves no vertex"),
    "VERTEX_WEIGHT_EDIT": _WEIGHTS,
    "VERTEX_WEIGHT_MIX": _WEIGHTS,
    "BUILD": ("unsupported", "it shows other faces at every frame"),
    "MESH_CACHE": _FROM_FILE,
    "MESH_SEQUENCE_CACHE": _FROM_FILE,
    "CLOTH": _SIMULATED,
    "SOFT_BODY": _SIMULATED,
    "FLUID": _SIMULATED,
    "DYNAMIC_PAINT": _SIMULATED,
    "EXPLODE": _BY_PARTICLES,
    "PARTICLE_INSTANCE": _BY_PARTICLES,
}


def _mirror(modifier: bpy.types.MirrorModifier) -> Verdict:
    if any(modifier.use_bisect_axis):
        return "black box", "cuts faces at the plane of its Bisect"
    return _LINEAR


def _array(modifier: bpy.types.ArrayModifier) -> Verdict:
    if modifier.use_relative_offset and any(modifier.relative_offset_displace):
        return "black box", "its Relative Offset hangs on the bounds of the mesh"
    if modifier.use_merge_vertices:
        return "black box", "its Merge joins vertices that come near one another"
    return _LINEAR


def _screw(modifier: bpy.types.ScrewModifier) -> Verdict:
    if modifier.use_merge_vertices:
        return "black box", "its Merge joins vertices that come near one another"
    return _LINEAR


def _armature(modifier: bpy.types.ArmatureModifier) -> Verdict:
    # With Preserve Volume a vertex turns by weights alone, too: measured to be linear.
    if modifier.use_bone_envelopes:
        return "black box", "its Bone Envelopes weight vertices by where they are"
    rig = modifier.object
    if rig is not None and rig.type == "ARMATURE" and any(bone.bbone_segments > 1 for bone in rig.data.bones):
        return "black box", "bendy bones move vertices by where they are along the bone"
    return _LINEAR


def _hook(modifier: bpy.types.HookModifier) -> Verdict:
    if modifier.falloff_type != "NONE":
        return "black box", "its Falloff weights vertices by where they are"
    return _LINEAR


def _displace(modifier: bpy.types.DisplaceModifier) -> Verdict:
    if modifier.direction in {"NORMAL", "CUSTOM_NORMAL"}:
        return "black box", _ALONG_NORMALS
    if modifier.texture is not None and modifier.texture_coords != "UV":
        return "black box", "reads its texture by where vertices are"
    return _LINEAR


def _corrective_smooth(modifier: bpy.types.CorrectiveSmoothModifier) -> Verdict:
    if modifier.use_only_smooth and modifier.smooth_type == "SIMPLE":
        return _LINEAR
    return "black box", "keeps details relative to the mesh's shape"


def _edge_split(modifier: bpy.types.EdgeSplitModifier) -> Verdict:
    return ("black box", "splits edges by their angle") if modifier.use_edge_angle else _LINEAR


def _mesh_deform(modifier: bpy.types.MeshDeformModifier) -> Verdict:
    return ("black box", _BY_PLACE) if modifier.use_dynamic_bind else _LINEAR


def _surface_deform(modifier: bpy.types.SurfaceDeformModifier) -> Verdict:
    if modifier.is_bound and modifier.strength == 1.0 and not modifier.vertex_group:
        return "unsupported", "it holds vertices where they were bound, wherever the base mesh's move"
    return _LINEAR


def _multires(modifier: bpy.types.MultiresModifier) -> Verdict:
    return ("black box", "moves sculpted details with the normals") if modifier.total_levels else _LINEAR


def _ocean(modifier: bpy.types.OceanModifier) -> Verdict:
    if modifier.geometry_mode == "GENERATE":
        return "unsupported", "it makes a mesh of its own, with Geometry set to Generate"
    return "black box", _BY_PLACE


def _nodes(modifier: bpy.types.NodesModifier) -> Verdict:
    if modifier.node_group is None:
        return _LINEAR
    if remembers_frames(modifier.node_group):
        return "unsupported", "its Simulation Zone is simulated from frame to frame"
    return ("black box", "Geometry Nodes") if moves_geometry(modifier.node_group) else _SHADING


_BY_OPTIONS: dict[str, Callable[[Any], Verdict]] = {
    "MIRROR": _mirror,
    "ARRAY": _array,
    "SCREW": _screw,
    "ARMATURE": _armature,
    "HOOK": _hook,
    "DISPLACE": _displace,
    "CORRECTIVE_SMOOTH": _corrective_smooth,
    "EDGE_SPLIT": _edge_split,
    "MESH_DEFORM": _mesh_deform,
    "SURFACE_DEFORM": _surface_deform,
    "MULTIRES": _multires,
    "OCEAN": _ocean,
    "NODES": _nodes,
}
