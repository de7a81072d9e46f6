# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a material the lit shading refuses, and what it leaves out or does differently and says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FitError
from .material_graph import SOCKETS, STRENGTHS, MapSource, MaterialGraph
from .texture_chain import title
from .uv_maps import corner_uvs, corners_of_slot

if TYPE_CHECKING:
    import bpy

_BEYOND = 1e-4  # of the unit square, by rounding


def source_problems(
    graph: MaterialGraph, material: str, fitted: Sequence[str], owner: str
) -> Iterator[FitError]:
    """What keeps lit shading from reading a material, or a fit from writing one of its maps.

    material, owner: names of the material and the object. fitted: names of maps.
    """
    if graph.obstacle is not None:
        yield FitError(
            f"Material '{material}': its surface is '{graph.obstacle.node}', which {graph.obstacle.what}. "
            "The lit shading knows the Principled, Diffuse and Emission shaders, linked to the output or "
            "mixed with a Transparent BSDF before them: use one of these.",
            subject=owner,
        )
        return
    for name, source in graph.maps.items():
        is_dark = name == "emission" and graph.emission_strength == 0.0
        if name not in fitted:
            if source.obstacle is not None and not is_dark:
                yield FitError(
                    f"Material '{material}': its {_input(graph, name, source)} comes from "
                    f"'{source.obstacle.node}', which {source.obstacle.what}. Bake it into an image and link "
                    f"that, or fit {name}, which puts an image in its place.",
                    subject=owner,
                )
            continue
        if graph.shader is not None and source.socket is None:
            yield FitError(
                f"Material '{material}': its shader '{title(graph.shader)}' has no {name.replace('_', ' ')} "
                f"to fit: leave {name} out of the maps, or use a Principled BSDF.",
                subject=owner,
            )
        elif source.bump:
            yield FitError(
                f"Material '{material}': its Normal comes from the Bump node '{source.bump}', which a fitted "
                "normal map would be mixed with: unlink it, or leave normal out of the maps.",
                subject=owner,
            )
    if graph.emission_strength is None and "emission" not in fitted:
        yield FitError(
            f"Material '{material}': its {STRENGTHS[graph.shader.bl_idname]} is linked, which the lit "
            "shading cannot read: unlink it and link the Emission Color, or fit emission.",
            subject=owner,
        )


def extension_problems(
    graph: MaterialGraph,
    material: str,
    obj: bpy.types.Object,
    slot: int,
    uv_map: str,
) -> Iterator[FitError]:
    """Errors for images that do not repeat and whose UVs leave them, where repeating would show."""
    for name, source in graph.maps.items():
        if source.image is None or source.image.node.extension == "REPEAT":
            continue
        uvs = corner_uvs(obj.data, uv_map)[corners_of_slot(obj.data, slot, len(obj.material_slots))]
        transform = source.image.uv_transform
        uvs = uvs @ transform[:, :2].T + transform[:, 2]
        if uvs.size and (uvs.min() < -_BEYOND or uvs.max() > 1.0 + _BEYOND or not np.isfinite(uvs).all()):
            node = source.image.node
            extension = node.bl_rna.properties["extension"].enum_items[node.extension].name
            yield FitError(
                f"Material '{material}': image node '{title(node)}' of its {name} is set to {extension}, and "
                f"UVs of object '{obj.name}' reach beyond the image; the lit shading knows Repeat alone. Set "
                "the node to Repeat, or move the UVs into the image.",
                subject=obj.name,
            )


def material_notices(graph: MaterialGraph, material: str, fitted: Sequence[str]) -> list[str]:
    """What will be left out, read or written otherwise than one might expect."""
    notices = []
    if graph.left_out:
        notices.append(
            f"Material '{material}': the lit shading leaves out its {_listed(graph.left_out)}; Blender will "
            "show it otherwise."
        )
    for name, source in graph.maps.items():
        where = f"Material '{material}': its {_input(graph, name, source)}"
        if source.bump:
            notices.append(f"{where} is read without the Bump node '{source.bump}'.")
        if name in fitted and source.obstacle is not None:
            notices.append(
                f"{where} came from '{source.obstacle.node}', which {source.obstacle.what}; the fitted map "
                "takes its place."
            )
        if name in fitted and source.image is not None and source.image.factor_node:
            notices.append(
                f"{where} was multiplied by '{source.image.factor_node}'; the fitted map holds that."
            )
        if source.image is not None and source.image.node.interpolation == "Closest":
            notices.append(
                f"{where} is read with linear interpolation, where '{title(source.image.node)}' has Closest."
            )
    if graph.emission_strength is None and "emission" in fitted:
        notices.append(f"Material '{material}': its emission strength was linked; it becomes a number.")
    return notices


def _input(graph: MaterialGraph, name: str, source: MapSource) -> str:
    """What the input of a map is called on the screen."""
    if graph.shader is not None and name in SOCKETS[graph.shader.bl_idname]:
        return SOCKETS[graph.shader.bl_idname][name]
    return source.socket.name if source.socket is not None else name


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
