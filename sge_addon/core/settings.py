# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a fit: the one place that knows names, defaults, ranges and help texts.

The command line, the panel and the report are generated from these fields.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from .errors import FitError
from .material_maps import MAP_NAMES

LARGEST_INTEGER = 2**31 - 1  # that a Blender property holds
_ALPHA_NOTE = (
    "What shows through a surface is taken for the background, also where other surfaces are behind it"
)
_NO_NOTES: Mapping[str, str] = MappingProxyType({})


def _setting(
    default: Any,
    label: str,
    description: str,
    *,
    choices: tuple[str, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    advanced: bool = False,
    notes: Mapping[str, str] = _NO_NOTES,
    texts: bool = False,
) -> Any:
    """A dataclass field with what the command line and the panel need to show it. notes: by choice.
    texts: a tuple of any texts."""
    return field(
        default=default,
        metadata={
            "label": label,
            "description": description,
            "choices": choices,
            "minimum": minimum,
            "maximum": maximum,
            "advanced": advanced,
            "notes": notes,
            "texts": texts,
        },
    )


@dataclass(frozen=True)
class FitSettings:
    """What a fit does. ``metadata`` of each field: label, description, choices, minimum, maximum,
    advanced (kept out of the main panel and listed apart by ``--help``), notes (what else the tooltip of a
    choice says)."""

    shape: bool = _setting(True, "Shape", "Move the vertices")
    texture: bool = _setting(True, "Texture", "Fit the base colour texture")
    match: tuple[str, ...] = _setting(
        ("colour", "alpha"),
        "Match",
        "What is compared with the references; normals only where the references were made from an object",
        choices=("colour", "alpha", "normal"),
    )
    shading: str = _setting(
        "unlit",
        "Shading",
        "How colour is rendered: the base colour as it is (honest for photos, whose light is baked in), the "
        "world normal, the base colour under the suns, or the whole Principled material under the lights",
        choices=("unlit", "normal", "sun", "lit"),
    )
    maps: tuple[str, ...] = _setting(
        ("base_color", "metallic", "roughness", "normal"),
        "Maps",
        "Of shading 'lit': the maps of the material that are fitted; the others stay as they are",
        choices=MAP_NAMES,
        notes={"alpha": _ALPHA_NOTE},
    )
    constant_maps: tuple[str, ...] = _setting(
        (),
        "Constants",
        "Fitted maps that are one value for the whole material instead of a texture",
        choices=MAP_NAMES,
        notes={"alpha": _ALPHA_NOTE},
    )
    light: str = _setting(
        "scene",
        "Light",
        "Of shading 'lit': the scene's lights and world as they are; those with energies, colors and the "
        "world's strength fitted; or an unknown light from everywhere, fitted with the maps. Photos alone "
        "cannot tell a dark material in bright light from a bright one in dim light, nor a tinted lamp from "
        "a tinted material: the material's mean is held at a neutral grey, and shadows stay in its colors",
        choices=("scene", "fit", "unknown"),
    )
    search: bool = _setting(
        True,
        "Search Start",
        "Before the first step of shading 'lit' under the scene's light, try many normals, roughnesses and "
        "metals on every part of the surface, and begin with what explains the references best where that "
        "is far better than the material as it stands. Takes seconds; finds what gradients alone do not",
    )
    image_depth: str = _setting(
        "float",
        "Image Depth",
        "Of fitted images: 8 bits, half floats, or floats for each channel",
        choices=("8", "16", "float"),
    )
    loss: str = _setting(
        "l1",
        "Loss",
        "Difference of a pixel: absolute (robust), squared, or absolute between log-encoded colors, for EXR "
        "and HDR images with highlights far above 1",
        choices=("l1", "l2", "log_l1"),
    )
    background: str = _setting(
        "transparent",
        "Background",
        "What is seen beside the object: nothing, one color, or a random color in each step. Photos without "
        "alpha, taken before a plain backdrop of the given color, tell the outline by it; a random color "
        "makes images with alpha tell it more strongly",
        choices=("transparent", "colour", "random"),
    )
    background_colour: tuple[float, ...] = _setting(
        (0.0, 0.0, 0.0),
        "Background Color",
        "The color, linear, where Background is Color",
        minimum=0.0,
        maximum=65504.0,
    )
    steps: int = _setting(
        1000, "Steps", "Steps of the fit; every schedule runs over them", minimum=1, maximum=LARGEST_INTEGER
    )
    stages: int = _setting(
        1,
        "Stages",
        "From coarse to fine in so many stages; in each the references have twice the resolution of those "
        "before. 1 for full resolution throughout",
        minimum=1,
        maximum=6,
    )
    remesh: str = _setting(
        "off",
        "Remesh",
        "Between stages: keep the mesh; subdivide where its edges are long; or replace it by a mesh of even "
        "voxels with a new UV map, which undoing the fit takes back. Off for authored meshes",
        choices=("off", "subdivide", "voxel"),
    )
    edge_length: float = _setting(
        6.0,
        "Edge Length",
        "Length in pixels of the references that remeshing gives to edges, at the most",
        minimum=1.0,
        maximum=256.0,
    )
    seconds: float = _setting(
        0.0, "Time Limit", "Stop after this many seconds, with all schedules run; 0 for no limit", minimum=0.0
    )
    resolution: int = _setting(
        512,
        "Resolution",
        "Long side in pixels to which larger references are scaled; smaller ones stay",
        minimum=8,
        maximum=8192,
    )
    texture_size: int = _setting(
        1024, "Texture Size", "Width and height of a fitted texture in texels", minimum=4, maximum=8192
    )
    margin: int = _setting(
        16,
        "Margin",
        "Texels by which the finished texture is extended beyond the UV islands",
        minimum=0,
        maximum=8192,
    )
    seed: int = _setting(
        0, "Seed", "Same file, settings and seed give the same result", minimum=0, maximum=LARGEST_INTEGER
    )
    refine_cameras: bool = _setting(
        False,
        "Refine Cameras",
        "Also move and turn the references' cameras until the pictures match: for photos whose cameras are "
        "off by up to two degrees. Best with Shape off, since a shape that moves explains wrong cameras "
        "itself. Cameras of held-out references stay",
    )
    refine_focal: bool = _setting(
        False, "Refine Focal Lengths", "Also change each camera's focal length, by up to a few percent"
    )
    refine_gain: str = _setting(
        "off",
        "Per-View Gain",
        "A factor for each reference, by which its photo was exposed otherwise than the rest: none, one for "
        "all channels, or one for each channel, where the white balance changed, too",
        choices=("off", "exposure", "channels"),
    )
    vertex_group: str = _setting(
        "", "Vertex Group", "Move only the vertices of this group, in proportion to their weight"
    )
    pin_boundary: bool = _setting(
        False, "Pin Boundary", "Leave the vertices on the border of open meshes where they are"
    )
    through_modifiers: bool = _setting(
        True,
        "Through Modifiers",
        "Compare objects as their modifiers make them, and move their base meshes such that this matches; "
        "the modifiers stay. Off: base meshes are compared and fitted as if there were no modifiers",
    )
    level: str = _setting(
        "viewport",
        "Level",
        "The modifiers, and levels of subdivision, of viewports or those of renders",
        choices=("viewport", "render"),
    )
    coarse_levels: bool = _setting(
        False,
        "Coarse Levels",
        "With several stages, each begins with one level of Subdivision Surface less than the next",
    )
    parameters: tuple[str, ...] = _setting(
        (),
        "Parameters",
        "Values of modifiers, objects, shape keys and bones that are fitted, each as OBJECT:PATH with the "
        'data path that Blender shows, such as Cup:modifiers["Solidify"].thickness or Cup:location',
        texts=True,
    )
    colorspace: str = _setting(
        "srgb",
        "Color Space",
        "Encoding of PNG and JPEG references: sRGB, or linear values stored as they are. Renders saved "
        "through AgX or Filmic are neither: save them with the view transform Standard, or as EXR, which is "
        "linear and needs no choice",
        choices=("srgb", "linear"),
    )
    support: str = _setting(
        "narrow",
        "Support",
        "Triangles whose pixels a vertex listens to: those that contain it (less noise), "
        "or also their neighbours (unbiased)",
        choices=("narrow", "full"),
        advanced=True,
    )
    texture_estimator: str = _setting(
        "filtered",
        "Texture Estimator",
        "Differences over the colour that a pixel reads, or over randomly perturbed texels as in the paper "
        "(not with shading 'lit')",
        choices=("filtered", "texel"),
        advanced=True,
    )

    @property
    def fits_height(self) -> bool:
        """Whether height maps are fitted, which move the surface."""
        return self.texture and self.shading == "lit" and "height" in self.maps

    @property
    def moves_surface(self) -> bool:
        """Whether the fit moves vertices, by shape or by height."""
        return self.shape or self.fits_height

    @property
    def fits_look(self) -> bool:
        """Whether textures are fitted that do not move the surface."""
        return self.texture and (self.shading != "lit" or self.maps != ("height",))

    def __post_init__(self) -> None:
        for problem in setting_problems({item.name: getattr(self, item.name) for item in fields(self)}):
            raise problem


def setting_problems(values: Mapping[str, Any]) -> Iterator[FitError]:
    """Every error that making FitSettings of all these values could raise."""
    for item in fields(FitSettings):
        yield from range_problems(item.name, values[item.name], item.metadata)
    refines = values["refine_cameras"] or values["refine_focal"] or values["refine_gain"] != "off"
    lights = values["shading"] == "lit" and values["light"] != "scene"
    if not (values["shape"] or values["texture"] or refines or lights or values["parameters"]):
        yield FitError("Nothing to fit: switch on Shape, Texture or both, or choose Parameters.")
    if values["refine_gain"] != "off" and values["shading"] == "normal":
        yield FitError("Per-View Gain means colors, which shading 'normal' does not show: switch it off.")
    if values["refine_gain"] != "off" and values["match"] and "colour" not in values["match"]:
        yield FitError("Per-View Gain needs colour among what is matched.")
    if not values["match"]:
        yield FitError("Nothing to match: choose colour, alpha or normal.")
    if values["texture"] and values["shading"] == "normal":
        yield FitError(
            "Shading 'normal' does not show the texture: choose another shading, or switch Texture off."
        )
    if values["remesh"] != "off" and not (values["shape"] and values["stages"] > 1):
        yield FitError(
            f"Remesh '{values['remesh']}' works on the shape between stages: set Stages to 2 or more and "
            "switch Shape on, or set Remesh to off."
        )
    if values["texture"] and values["match"] and "colour" not in values["match"]:
        yield FitError("Fitting a texture needs colour among what is matched.")
    yield from _lit_problems(values)


def _lit_problems(values: Mapping[str, Any]) -> Iterator[FitError]:
    """What contradicts the shading 'lit'."""
    if values["shading"] != "lit":
        return
    if values["texture"] and not values["maps"]:
        yield FitError("Shading 'lit': no map to fit is chosen: choose some, or switch Texture off.")
    if values["texture"] and values["texture_estimator"] == "texel":
        yield FitError(
            "Texture Estimator 'texel' perturbs base colours alone, not the maps of shading 'lit': set it to "
            "'filtered', or choose shading 'unlit' or 'sun'."
        )
    if values["texture"] and values["remesh"] == "voxel":
        yield FitError(
            "Remesh 'voxel' makes a new UV map, into which the maps of shading 'lit' cannot be taken over: "
            "fit the shape first, with Texture off."
        )
    if values["light"] != "scene" and values["match"] and "colour" not in values["match"]:
        yield FitError(f"Light '{values['light']}' needs colour among what is matched.")


def range_problems(name: str, value: Any, metadata: Any) -> Iterator[FitError]:
    """What is wrong with the value of one field, by its metadata."""
    flag = name.replace("_", "-")
    if metadata["choices"]:
        for item in value if isinstance(value, tuple) else (value,):
            if item not in metadata["choices"]:
                yield FitError(f"{flag}: '{item}' is not one of {', '.join(metadata['choices'])}.")
    elif metadata["texts"]:
        for text in sorted({text for text in value if value.count(text) > 1}):
            yield FitError(f"{flag}: '{text}' is given twice.")
    elif isinstance(value, tuple):
        if len(value) != 3:
            yield FitError(f"{flag} has {len(value)} values; it must have 3: red, green and blue.")
        for number in value:
            yield from range_problems(name, number, metadata)
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = metadata["minimum"], metadata["maximum"]
        if not math.isfinite(value):
            yield FitError(f"{flag}: {value} is not a finite number.")
        elif low is not None and value < low:
            yield FitError(f"{flag} is {value}; it must be at least {low}.")
        elif high is not None and value > high:
            yield FitError(f"{flag} is {value}; it must be at most {high}.")
