# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's lights and world as the shadings take them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.eevee_probe import without_sun
from ..core.errors import FitError
from ..core.scene_lights import Light, LightKind, SceneLights, World
from .texture_chain import linked_output, title
from .world import read_world, uses_nodes

if TYPE_CHECKING:
    import bpy

KINDS: dict[str, LightKind] = {"SUN": "sun", "POINT": "point", "SPOT": "spot", "AREA": "area"}
_TITLES = {"eevee": "EEVEE", "cycles": "Cycles"}
# How far the scales of a spot light's axes may be apart; beyond, its cone is no cone.
_UNEVEN = 1e-3


def scene_lights(
    scene: bpy.types.Scene,
    *,
    hidden: Collection[bpy.types.Object] = (),
    whole_world: bool = False,
    engines: Collection[str] = (),
) -> SceneLights:
    """What lights renders of the scene as it stands.

    Unless Cycles renders, surfaces receive of an image world what EEVEE makes of it, and what is brighter in
    it than the world's Sun Threshold is a sun by the world's name. hidden: objects that are not to be seen.
    whole_world: no sun is drawn out of it, because it is fitted. engines: what rendered the references, as
    ``Reference.engine``; the scene's own where that does not decide. Raises FitError by name for what the lit
    shading does not know, and where everything would be black.
    """
    lights = tuple(read_light(scene, obj) for obj in seen_lights(scene) if obj not in hidden)
    world = read_world(scene.world, "lit")
    if world.image is not None and _engine(scene, engines) == "eevee":
        world, sun = _as_eevee(scene, world, 0.0 if whole_world else scene.world.sun_threshold)
        lights += () if sun is None else (sun,)
    is_dark = not world.gain.any() or (world.image is not None and not world.image.any())
    if not any(light.power.any() for light in lights) and is_dark:
        raise FitError(
            f"Shading 'lit': scene '{scene.name}' has no light that shines and a black world, so everything "
            "would be black. Add a light (Add > Light), choose light 'unknown', or shading 'unlit'."
        )
    return SceneLights(lights, world)


def engine_notices(scene: bpy.types.Scene, lights: SceneLights, engines: Collection[str]) -> list[str]:
    """What to know where references were rendered otherwise than the scene is, and an image lights it."""
    known = sorted(set(engines) - {""})
    if lights.world.image is None or not known or known == [_engine(scene)]:
        return []
    own = _TITLES[_engine(scene)]
    if len(known) > 1:
        return [
            f"World '{scene.world.name}': its image lights as in {own}, the scene's engine; references were "
            "rendered by EEVEE and by Cycles, in which it lights differently. Make all by one of them."
        ]
    theirs = _TITLES[_engine(scene, engines)]
    return [
        f"World '{scene.world.name}': its image lights as in {theirs}, which rendered the references; {own}, "
        "the scene's engine, shows it differently."
    ]


def _engine(scene: bpy.types.Scene, engines: Collection[str] = ()) -> str:
    """The only one known of those that rendered references, else the scene's; 'eevee' for others, too."""
    known = set(engines) - {""}
    if len(known) == 1:
        return known.pop()
    return "cycles" if scene.render.engine == "CYCLES" else "eevee"


def _as_eevee(scene: bpy.types.Scene, world: World, threshold: float) -> tuple[World, Light | None]:
    """The world as EEVEE sees it, and the sun that it draws out of its image."""
    import bpy

    limit = scene.eevee.clamp_surface_indirect
    strength = float(world.gain.max())
    if limit > 0.0 and strength > 0.0:
        world = replace(world, brightest=limit / strength)
    world = replace(world, as_eevee=True, damps_by_axes=bpy.app.version < (5, 2))
    return without_sun(world, threshold, scene.world.sun_angle, scene.world.name)


def seen_lights(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Light objects that renders of the scene see, in the order of their names.

    Raises FitError where lights come from an instance of a collection.
    """
    import bpy

    is_current = bpy.context.scene == scene
    layer = bpy.context.view_layer if is_current else scene.view_layers[0]
    found: dict[str, bpy.types.Object] = {}
    for obj in _seen_objects(layer.layer_collection):
        if obj.type == "LIGHT":
            found[obj.name_full] = obj
        elif obj.instance_type == "COLLECTION" and obj.instance_collection is not None:
            inside = next(
                (each for each in obj.instance_collection.all_objects if each.type == "LIGHT"), None
            )
            if inside is not None:
                raise FitError(
                    f"Light '{inside.name}' shines through '{obj.name}', an instance of a collection, which "
                    "is not read. Make it real (Object > Apply > Make Instances Real), or disable it in "
                    "renders.",
                    subject=obj.name,
                )
    return [found[name] for name in sorted(found)]


def read_light(scene: bpy.types.Scene, obj: bpy.types.Object) -> Light:
    """One light. Raises FitError by name where it is more than the lit shading knows."""
    data = obj.data
    linking = obj.light_linking.receiver_collection
    if linking is not None:
        raise FitError(
            f"Light '{obj.name}' shines on the objects of '{linking.name}' alone (light linking), which the "
            "lit shading does not know. Clear it (Object properties > Shading > Light Linking), or disable "
            "the light in renders.",
            subject=obj.name,
        )
    axes, scale = object_axes(obj)
    if data.type == "SPOT" and np.abs(scale / scale.max() - 1.0).max() > _UNEVEN:
        raise FitError(
            f"Spot light '{obj.name}' has the scale ({scale[0]:.3g}, {scale[1]:.3g}, {scale[2]:.3g}), so "
            "that its cone is not round. Give its axes the same scale.",
            subject=obj.name,
        )
    diffuse = data.diffuse_factor if obj.visible_diffuse else 0.0
    specular = data.specular_factor if obj.visible_glossy else 0.0
    light = Light(
        KINDS[data.type],
        obj.name,
        position=np.asarray(obj.matrix_world.translation[:], np.float32),
        axes=axes,
        power=light_power(obj),
        diffuse=diffuse,
        specular=specular,
    )
    if data.type == "SUN":
        return replace(light, radius=data.angle / 2.0)
    reach = _reach(scene, data, max(diffuse, specular))
    light = replace(light, reach=reach, reach_is_set=data.use_custom_distance)
    if data.type == "AREA":
        return replace(light, size=area_size(obj), is_ellipse=data.shape in ("DISK", "ELLIPSE"))
    light = replace(light, radius=data.shadow_soft_size, soft_falloff=data.use_soft_falloff)
    if data.type == "SPOT":
        return replace(light, spot_angle=data.spot_size, spot_blend=data.spot_blend)
    return light


def light_power(obj: bpy.types.Object) -> NDArray[np.float32]:
    """(3,) linear: watts, of a sun watts per square metre, as of a light whose power is normalized.

    Raises FitError where nodes say more about the light than a constant.
    """
    data = obj.data
    power = np.asarray(data.color[:], np.float64) * data.energy * 2.0**data.exposure
    if data.use_temperature:
        power *= np.asarray(data.temperature_color[:])
    if not data.normalize:
        power *= _surface(obj)
    return (power * _emission(obj)).astype(np.float32)


def object_axes(obj: bpy.types.Object) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """(3, 3) unit axes x, y, z as rows, right-handed, and their lengths (3,)."""
    axes = np.array(obj.matrix_world.to_3x3().transposed())
    scale = np.linalg.norm(axes, axis=1)
    if not (scale > 0.0).all():
        raise FitError(f"Light '{obj.name}' has a scale of 0. Give it another.", subject=obj.name)
    axes /= scale[:, None]
    if np.dot(np.cross(axes[0], axes[1]), axes[2]) < 0.0:
        axes[1] = -axes[1]
    return axes.astype(np.float32), scale


def area_size(obj: bpy.types.Object) -> tuple[float, float]:
    """Width and height of an area light, with its object's scale."""
    data, scale = obj.data, object_axes(obj)[1]
    height = data.size_y if data.shape in ("RECTANGLE", "ELLIPSE") else data.size
    return float(data.size * scale[0]), float(height * scale[1])


def _surface(obj: bpy.types.Object) -> float:
    """Area of what shines, by which a power that is not normalized is multiplied."""
    data = obj.data
    if data.type == "AREA":
        width, height = area_size(obj)
        return width * height * (np.pi / 4.0 if data.shape in ("DISK", "ELLIPSE") else 1.0)
    if data.type == "SUN":
        return float(np.pi * np.sin(data.angle / 2.0) ** 2) if data.angle > 0.0 else 1.0
    radius = data.shadow_soft_size
    return 4.0 * np.pi * radius**2 if radius > 0.0 else 4.0


def _reach(scene: bpy.types.Scene, data: bpy.types.Light, factor: float) -> float:
    """Where EEVEE ends a light."""
    if data.use_custom_distance:
        return float(data.cutoff_distance)
    colour = np.asarray(data.color[:]) * (data.temperature_color[:] if data.use_temperature else 1.0)
    power = colour.max() * abs(data.energy * 2.0**data.exposure) / 100.0
    return float(np.sqrt(power * factor / max(scene.eevee.light_threshold, 1e-16)))


def _emission(obj: bpy.types.Object) -> NDArray[np.float64]:
    """(3,) factor that the light's nodes give: of an Emission node with constants."""
    if not uses_nodes(obj.data):
        return np.ones(3)
    output = obj.data.node_tree.get_output_node("ALL")
    source = None if output is None else linked_output(output.inputs["Surface"])
    if source is None:
        return np.zeros(3)
    node = source.node
    linked = [each.name for each in node.inputs if linked_output(each) is not None]
    if node.bl_idname != "ShaderNodeEmission" or node.mute or linked:
        found = f"'{title(node)}'" + (f", whose {linked[0]} is linked" if linked else "")
        raise FitError(
            f"Light '{obj.name}' shines by the node {found}, which the lit shading does not know. Use an "
            "Emission node with a constant color and strength, or no nodes.",
            subject=obj.name,
        )
    colour = np.asarray(node.inputs["Color"].default_value[:3], np.float64)
    return colour * node.inputs["Strength"].default_value


def _seen_objects(collection: bpy.types.LayerCollection) -> Iterator[bpy.types.Object]:
    """Of a view layer's collection and those in it, what renders show."""
    if collection.exclude or collection.collection.hide_render:
        return
    yield from (obj for obj in collection.collection.objects if not obj.hide_render)
    for child in collection.children:
        yield from _seen_objects(child)
