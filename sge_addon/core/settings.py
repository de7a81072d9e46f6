# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a fit: the one place that knows names, defaults, ranges and help texts.

The command line, the panel and the report are generated from these fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from .errors import FitError
from .material_maps import MAP_NAMES
from .setting_fields import LARGEST_INTEGER, range_problems, setting
from .setting_rules import contradictions

_ESTIMATOR_NOTES = {
    "paper": "The recipe as it was published (Deliot, Heitz, Belcour 2024), as a baseline: one pair of "
    "renderings a step with random signs, perturbed by one length for all vertices and steps, and plain Adam",
    "sge": "The published estimator with what this extension adds: perturbed by a pixel of each view, steps "
    "smoothed over the surface (Large Steps), less and less so towards the end",
    "edge": "Deterministic: in one rendering as it is, differences between neighbouring pixels move "
    "the outlines of what is in front, and the derivative of the normals moves the shading",
}
_ALPHA_NOTE = (
    "What shows through a surface is taken for the background, also where other surfaces are behind it"
)


@dataclass(frozen=True)
class FitSettings:
    """What a fit does. ``metadata`` of each field: label, description, choices, minimum, maximum,
    advanced (kept out of the main panel and listed apart by ``--help``), notes (what else the tooltip of a
    choice says)."""

    shape: bool = setting(True, "Shape", "Move the vertices")
    texture: bool = setting(True, "Texture", "Fit the base colour texture")
    match: tuple[str, ...] = setting(
        ("colour", "alpha"),
        "Match",
        "What is compared with the references; normals only where the references were made from an object",
        choices=("colour", "alpha", "normal"),
    )
    shading: str = setting(
        "unlit",
        "Shading",
        "How colour is rendered: the base colour as it is (honest for photos, whose light is baked in), the "
        "world normal, the base colour under the suns, or the whole Principled material under the lights",
        choices=("unlit", "normal", "sun", "lit"),
    )
    maps: tuple[str, ...] = setting(
        ("base_color", "metallic", "roughness", "normal"),
        "Maps",
        "Of shading 'lit': the maps of the material that are fitted; the others stay as they are",
        choices=MAP_NAMES,
        notes={"alpha": _ALPHA_NOTE},
    )
    constant_maps: tuple[str, ...] = setting(
        (),
        "Constants",
        "Fitted maps that are one value for the whole material instead of a texture",
        choices=MAP_NAMES,
        notes={"alpha": _ALPHA_NOTE},
    )
    light: str = setting(
        "scene",
        "Light",
        "Of shading 'lit': the scene's lights and world as they are; those with energies, colors and the "
        "world's strength fitted; or an unknown light from everywhere, fitted with the maps. Photos alone "
        "cannot tell a dark material in bright light from a bright one in dim light, nor a tinted lamp from "
        "a tinted material: the material's mean is held at a neutral grey, and shadows stay in its colors",
        choices=("scene", "fit", "unknown"),
    )
    search: bool = setting(
        True,
        "Search Start",
        "Before the first step of shading 'lit' under the scene's light, try many normals, roughnesses and "
        "metals on every part of the surface, and begin with what explains the references best where that "
        "is far better than the material as it stands. Takes seconds; finds what gradients alone do not",
    )
    image_depth: str = setting(
        "float",
        "Image Depth",
        "Of fitted images: 8 bits, half floats, or floats for each channel",
        choices=("8", "16", "float"),
    )
    loss: str = setting(
        "l1",
        "Loss",
        "Difference of a pixel: absolute (robust), squared, or absolute between log-encoded colors, for EXR "
        "and HDR images with highlights far above 1",
        choices=("l1", "l2", "log_l1"),
    )
    background: str = setting(
        "transparent",
        "Background",
        "What is seen beside the object: nothing, one color, or a random color in each step. Photos without "
        "alpha, taken before a plain backdrop of the given color, tell the outline by it; a random color "
        "makes images with alpha tell it more strongly",
        choices=("transparent", "colour", "random"),
    )
    background_colour: tuple[float, ...] = setting(
        (0.0, 0.0, 0.0),
        "Background Color",
        "The color, linear, where Background is Color",
        minimum=0.0,
        maximum=65504.0,
    )
    steps: int = setting(
        1000, "Steps", "Steps of the fit; every schedule runs over them", minimum=1, maximum=LARGEST_INTEGER
    )
    stages: int = setting(
        1,
        "Stages",
        "From coarse to fine in so many stages; in each the references have twice the resolution of those "
        "before. 1 for full resolution throughout",
        minimum=1,
        maximum=6,
    )
    remesh: str = setting(
        "off",
        "Remesh",
        "Between stages: keep the mesh; subdivide where its edges are long; or replace it by a mesh of even "
        "voxels with a new UV map, which undoing the fit takes back. Off for authored meshes",
        choices=("off", "subdivide", "voxel"),
    )
    edge_length: float = setting(
        6.0,
        "Edge Length",
        "Length in pixels of the references that remeshing gives to edges, at the most",
        minimum=1.0,
        maximum=256.0,
    )
    seconds: float = setting(
        0.0, "Time Limit", "Stop after this many seconds, with all schedules run; 0 for no limit", minimum=0.0
    )
    resolution: int = setting(
        512,
        "Resolution",
        "Long side in pixels to which larger references are scaled; smaller ones stay",
        minimum=8,
        maximum=8192,
    )
    texture_size: int = setting(
        1024, "Texture Size", "Width and height of a fitted texture in texels", minimum=4, maximum=8192
    )
    margin: int = setting(
        16,
        "Margin",
        "Texels by which the finished texture is extended beyond the UV islands",
        minimum=0,
        maximum=8192,
    )
    seed: int = setting(
        0, "Seed", "Same file, settings and seed give the same result", minimum=0, maximum=LARGEST_INTEGER
    )
    refine_cameras: bool = setting(
        False,
        "Refine Cameras",
        "Also move and turn the references' cameras until the pictures match: for photos whose cameras are "
        "off by up to two degrees. Best with Shape off, since a shape that moves explains wrong cameras "
        "itself. Cameras of held-out references stay",
    )
    refine_focal: bool = setting(
        False, "Refine Focal Lengths", "Also change each camera's focal length, by up to a few percent"
    )
    refine_gain: str = setting(
        "off",
        "Per-View Gain",
        "A factor for each reference, by which its photo was exposed otherwise than the rest: none, one for "
        "all channels, or one for each channel, where the white balance changed, too",
        choices=("off", "exposure", "channels"),
    )
    vertex_group: str = setting(
        "", "Vertex Group", "Move only the vertices of this group, in proportion to their weight"
    )
    pin_boundary: bool = setting(
        False, "Pin Boundary", "Leave the vertices on the border of open meshes where they are"
    )
    through_modifiers: bool = setting(
        True,
        "Through Modifiers",
        "Compare objects as their modifiers make them, and move their base meshes such that this matches; "
        "the modifiers stay. Off: base meshes are compared and fitted as if there were no modifiers",
    )
    level: str = setting(
        "viewport",
        "Level",
        "The modifiers, and levels of subdivision, of viewports or those of renders",
        choices=("viewport", "render"),
    )
    coarse_levels: bool = setting(
        False,
        "Coarse Levels",
        "With several stages, each begins with one level of Subdivision Surface less than the next",
    )
    parameters: tuple[str, ...] = setting(
        (),
        "Parameters",
        "Values of modifiers, objects, shape keys and bones that are fitted, each as OBJECT:PATH with the "
        'data path that Blender shows, such as Cup:modifiers["Solidify"].thickness or Cup:location',
        texts=True,
    )
    colorspace: str = setting(
        "srgb",
        "Color Space",
        "Encoding of PNG and JPEG references: sRGB, or linear values stored as they are. Renders saved "
        "through AgX or Filmic are neither: save them with the view transform Standard, or as EXR, which is "
        "linear and needs no choice",
        choices=("srgb", "linear"),
    )
    estimator: str = setting(
        "edge",
        "Estimator",
        "How the gradient of a shape is estimated and followed. Textures have an estimator of their own",
        choices=("paper", "sge", "edge"),
        advanced=True,
        notes=_ESTIMATOR_NOTES,
    )
    pipelined: bool = setting(
        False,
        "Rasterise Ahead",
        "With the shape alone, rasterise the next view while this one is estimated, with the estimator "
        "'edge', and 'sge' where no textures show, in the second half of the fit. For long fits to large "
        "references: steps are shorter, but each follows a gradient that is one step old",
        advanced=True,
    )
    support: str = setting(
        "narrow",
        "Support",
        "With the estimator 'paper', and with 'sge' where textures show or through modifiers, triangles "
        "whose pixels a vertex listens to: those that contain it (less noise), or also their neighbours "
        "(unbiased)",
        choices=("narrow", "full"),
        advanced=True,
    )
    texture_estimator: str = setting(
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
    yield from contradictions(values)
