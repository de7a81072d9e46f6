# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings, references and results as they are stored in the file: ``Scene.sge``.

The panel shows them, the headless script reads the same ones. Names, defaults, ranges and texts of
the settings come from the fields of ``FitSettings``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import Field, fields
from typing import Any

import bpy

from ..core.masks import MASK_MODES
from ..core.reference_options import ReferenceOptions
from ..core.setting_fields import LARGEST_INTEGER
from ..core.setting_texts import joined_texts, split_texts
from ..core.settings import FitSettings

# How a choice is written in Blender's interface, where capitals at its beginning are not enough.
CHOICE_LABELS = {
    "colour": "Color",
    "srgb": "sRGB",
    "log_l1": "Log L1",
    "sge": "SGE",
    "eevee": "EEVEE",
    "base_color": "Base Color",
    "scene": "As in Scene",
    "fit": "Fit Scene's",
    "unknown": "Fit Unknown",
    "8": "8 Bit",
    "16": "Half Float",
}


def _is_camera(_self: bpy.types.PropertyGroup, obj: bpy.types.Object) -> bool:
    return obj.type == "CAMERA"


def _has_faces(_self: bpy.types.PropertyGroup, obj: bpy.types.Object) -> bool:
    return obj.type in {"MESH", "CURVE", "SURFACE", "FONT", "META", "EMPTY"}


class SGE_PG_reference(bpy.types.PropertyGroup):
    """A row of the list of references: a camera, whose background image is what it should see."""

    enabled: bpy.props.BoolProperty(
        name="Use", description="Compare the fit with this camera's image", default=True
    )
    held_out: bpy.props.BoolProperty(
        name="Hold Out", description="Measure the fit through this camera, but never fit to it", default=False
    )
    camera: bpy.props.PointerProperty(
        name="Camera",
        description="A camera with one background image",
        type=bpy.types.Object,
        poll=_is_camera,
    )
    mask_mode: bpy.props.EnumProperty(
        name="Mask",
        description="What a mask image, or the image's alpha, says about the object",
        items=[(mode, label, text) for mode, (label, text) in MASK_MODES.items()],
        default="auto",
    )
    mask_image: bpy.props.PointerProperty(
        name="Mask Image",
        description="Black where the image does not count, or where the object is not. Of the image's shape; "
        "its alpha where it has any, else its brightness",
        type=bpy.types.Image,
    )
    measured: bpy.props.BoolProperty(options={"HIDDEN"}, default=False)
    psnr_before: bpy.props.FloatProperty(
        name="Before", description="PSNR over the object before the last fit, in decibels"
    )
    psnr_after: bpy.props.FloatProperty(
        name="After", description="PSNR over the object after the last fit, in decibels"
    )


class SGE_PG_loss(bpy.types.PropertyGroup):
    """A point of the loss curve."""

    step: bpy.props.IntProperty(name="Step", description="Step of the fit")
    value: bpy.props.FloatProperty(name="Loss", description="Loss at that step")


def setting_property(item: Field[Any]) -> Any:
    """The Blender property of one field of FitSettings."""
    shown = {"name": item.metadata["label"], "description": item.metadata["description"]}
    choices = [
        (choice, CHOICE_LABELS.get(choice, choice.title()), _choice_text(item, choice))
        for choice in item.metadata["choices"]
    ]
    default = item.default
    if choices and isinstance(default, tuple):
        return bpy.props.EnumProperty(items=choices, default=set(default), options={"ENUM_FLAG"}, **shown)
    if choices:
        return bpy.props.EnumProperty(items=choices, default=default, **shown)
    if item.metadata["texts"]:
        return bpy.props.StringProperty(default=joined_texts(default), **shown)
    if isinstance(default, tuple):
        return bpy.props.FloatVectorProperty(
            size=len(default),
            subtype="COLOR",
            default=default,
            min=item.metadata["minimum"],
            max=item.metadata["maximum"],
            soft_max=1.0,
            **shown,
        )
    if isinstance(default, bool):
        return bpy.props.BoolProperty(default=default, **shown)
    if isinstance(default, str):
        return bpy.props.StringProperty(default=default, **shown)
    limits = {
        name: item.metadata[key]
        for name, key in (("min", "minimum"), ("max", "maximum"))
        if item.metadata[key] is not None
    }
    if isinstance(default, int):
        whole = {name: int(value) for name, value in limits.items()}
        return bpy.props.IntProperty(default=default, **{"max": LARGEST_INTEGER, **whole}, **shown)
    return bpy.props.FloatProperty(default=default, precision=3, **limits, **shown)


def _choice_text(item: Field[Any], choice: str) -> str:
    """The tooltip of a choice."""
    note = item.metadata["notes"].get(choice)
    return f"{item.metadata['description']}. {note}" if note else item.metadata["description"]


class SGE_PG_fit(bpy.types.PropertyGroup):
    """What ``Scene.sge`` holds: the fields of FitSettings and ReferenceOptions (added below), references,
    results."""

    references: bpy.props.CollectionProperty(type=SGE_PG_reference)
    active_reference: bpy.props.IntProperty(name="Reference", description="The selected reference")
    source: bpy.props.PointerProperty(
        name="Source",
        description="Object from which references are rendered, with its modifiers and its children",
        type=bpy.types.Object,
        poll=_has_faces,
    )
    path_camera: bpy.props.PointerProperty(
        name="Path Camera",
        description="Animated camera whose path references are made along; without one, the scene's camera",
        type=bpy.types.Object,
        poll=_is_camera,
    )
    losses: bpy.props.CollectionProperty(type=SGE_PG_loss)


SGE_PG_fit.__annotations__.update({item.name: setting_property(item) for item in fields(FitSettings)})
SGE_PG_fit.__annotations__.update({item.name: setting_property(item) for item in fields(ReferenceOptions)})

CLASSES = (SGE_PG_reference, SGE_PG_loss, SGE_PG_fit)


def register() -> None:
    """Register the property groups and ``Scene.sge``."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.sge = bpy.props.PointerProperty(type=SGE_PG_fit, name="SGE Fit")


def unregister() -> None:
    """Undo ``register``."""
    del bpy.types.Scene.sge
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)


@contextmanager
def registered() -> Iterator[None]:
    """Within it, ``Scene.sge`` is there, for scripts that run without the add-on as well."""
    if hasattr(bpy.types.Scene, "sge"):
        yield
        return
    register()
    try:
        yield
    finally:
        unregister()


def settings_from_scene(scene: bpy.types.Scene) -> FitSettings:
    """The settings that the file stores. Raises FitError where they contradict each other."""
    return FitSettings(**stored_values(scene))


def stored_values(scene: bpy.types.Scene) -> dict[str, Any]:
    """The settings that the file stores, by field name; together they may contradict each other."""
    values: dict[str, Any] = {}
    for item in fields(FitSettings):
        value = getattr(scene.sge, item.name)
        if item.metadata["texts"]:
            value = split_texts(value)
        elif isinstance(item.default, tuple):
            choices = item.metadata["choices"]
            value = tuple(choice for choice in choices if choice in value) if choices else tuple(value)
        values[item.name] = value
    return values


def stored_reference_values(scene: bpy.types.Scene) -> dict[str, Any]:
    """By field name of ReferenceOptions, how the file stores that references are made."""
    return {item.name: getattr(scene.sge, item.name) for item in fields(ReferenceOptions)}


def store_settings(scene: bpy.types.Scene, settings: FitSettings) -> None:
    """Keep settings in the file, for the panel and for the next run."""
    for item in fields(FitSettings):
        value = getattr(settings, item.name)
        if item.metadata["texts"]:
            value = joined_texts(value)
        elif isinstance(value, tuple) and item.metadata["choices"]:
            value = set(value)
        setattr(scene.sge, item.name, value)


def store_losses(scene: bpy.types.Scene, losses: list[tuple[int, float]]) -> None:
    """Keep the loss curve of the last fit: (step, loss) pairs."""
    scene.sge.losses.clear()
    for step, value in losses:
        point = scene.sge.losses.add()
        point.step, point.value = step, value
