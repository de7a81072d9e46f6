# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A grid of spheres, each of its own material, as EEVEE and as our shading see them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import mathutils
import numpy as np

from sge_addon.core.assembly import assemble
from sge_addon.core.material_maps import LitMaterial, MaterialMap
from sge_addon.core.surface import Material, Surface, smooth_groups
from sge_addon.core.view import View, perspective
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.scene.rendered_images import render_view
from sge_addon.scene.scene_lights import scene_lights
from tests.meshes import camera, icosphere

SAMPLES = 8
PIXELS = 64  # of a sphere's square
COLUMNS = 4
RADIUS = 0.85
INSIDE = 2  # pixels from the silhouette to where pictures are compared


@dataclass(frozen=True)
class Ball:
    """Constants of a Principled material."""

    base_color: tuple[float, float, float] = (0.8, 0.5, 0.3)
    metallic: float = 0.0
    roughness: float = 0.5
    ior: float = 1.5
    specular_level: float = 0.5
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    emission_strength: float = 0.0
    distribution: str = "MULTI_GGX"


@dataclass(frozen=True, eq=False)
class Pair:
    """(H, W, 3) of both, and where they are compared."""

    eevee: np.ndarray
    ours: np.ndarray
    inside: np.ndarray
    balls: int = field(default=1)

    def psnr(self, ball: int | None = None) -> float:
        """Linear, peak 1; of one ball, or of all."""
        area = np.s_[:] if ball is None else _square(ball)
        difference = (self.eevee - self.ours)[area][self.inside[area]]
        return float(-10.0 * np.log10(max(float(np.mean(difference**2)), 1e-12)))

    def is_lit(self, ball: int) -> bool:
        """EEVEE shows something there."""
        area = _square(ball)
        return bool(self.eevee[area][self.inside[area]].mean() > 0.01)

    def by_ball(self) -> list[float]:
        return [round(self.psnr(ball), 1) for ball in range(self.balls)]


def add_light(kind: str, place: Sequence[float], energy: float, **settings) -> bpy.types.Object:
    """Aims at the origin; without a shadow."""
    data = bpy.data.lights.new(kind.title(), kind)
    data.energy, data.use_shadow = energy, False
    for name, value in settings.items():
        setattr(data, name, value)
    obj = bpy.data.objects.new(data.name, data)
    obj.location = place
    obj.rotation_euler = mathutils.Vector(place).to_track_quat("Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.view_layer.update()
    return obj


def set_world(colour: Sequence[float]) -> None:
    world = bpy.data.worlds.new("World")
    bpy.context.scene.world = world
    if world.node_tree is None:  # before Blender 5
        world.use_nodes = True
    background = next(node for node in world.node_tree.nodes if node.bl_idname == "ShaderNodeBackground")
    background.inputs["Color"].default_value = (*colour, 1.0)


def compare(name: str, balls: Sequence[Ball], folder: Path) -> Pair:
    """Render the balls under the scene's lights both ways; keep both and ten times their difference."""
    view = _view(len(balls))
    scene = bpy.context.scene
    scene.eevee.use_raytracing = False
    vertices, triangles = icosphere(5, RADIUS)
    objects, surfaces = [], []
    for index, ball in enumerate(balls):
        middle = _middle(index, len(balls))
        objects.append(_object(f"Ball {index}", vertices, triangles, middle, ball))
        surfaces.append(
            Surface(
                f"Ball {index}",
                vertices + middle,
                triangles,
                smooth_groups(triangles),
                materials=(Material(f"Ball {index}", lit=_lit(index, ball)),),
            )
        )
    bpy.context.view_layer.update()
    eevee = render_view(scene, view, objects, engine="eevee", samples=SAMPLES)
    rasteriser = Rasteriser(assemble(surfaces), "lit", scene_lights(scene))
    ours = rasteriser.render(view, samples=2).colour
    inside = _eroded((eevee[..., 3] > 0.999) & (ours[..., 3] > 0.999), INSIDE)
    pair = Pair(eevee[..., :3], ours[..., :3], inside, len(balls))
    _keep(name, pair, folder)
    return pair


def _view(count: int) -> View:
    """From above, far away; pixels of the plane through the spheres' middles are equally large."""
    distance = 12.0
    focal = PIXELS / 2.0 * distance
    width, height = PIXELS * COLUMNS, PIXELS * -(-count // COLUMNS)
    projection = perspective(focal, focal, width / 2.0, height / 2.0, width, height)
    return View("View", camera(distance), projection, width, height)


def _square(ball: int) -> tuple[slice, slice]:
    """Its pixels: balls run from left to right, then upwards."""
    row, column = divmod(ball, COLUMNS)
    return np.s_[row * PIXELS : (row + 1) * PIXELS, column * PIXELS : (column + 1) * PIXELS]


def _middle(ball: int, count: int) -> np.ndarray:
    row, column = divmod(ball, COLUMNS)
    return np.array(
        [2.0 * column - (COLUMNS - 1.0), 2.0 * row - (-(-count // COLUMNS) - 1.0), 0.0], np.float32
    )


def _object(name, vertices, triangles, middle, ball: Ball) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices.tolist(), [], triangles.tolist())
    mesh.shade_smooth()
    mesh.materials.append(_principled(name, ball))
    obj = bpy.data.objects.new(name, mesh)
    obj.location = middle.tolist()
    bpy.context.scene.collection.objects.link(obj)
    return obj


def _principled(name: str, ball: Ball) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    if material.node_tree is None:  # before Blender 5
        material.use_nodes = True
    node = next(node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    node.distribution = ball.distribution
    inputs = node.inputs
    inputs["Base Color"].default_value = (*ball.base_color, 1.0)
    inputs["Metallic"].default_value = ball.metallic
    inputs["Roughness"].default_value = ball.roughness
    inputs["IOR"].default_value = ball.ior
    inputs["Specular IOR Level"].default_value = ball.specular_level
    inputs["Emission Color"].default_value = (*ball.emission, 1.0)
    inputs["Emission Strength"].default_value = ball.emission_strength
    return material


def _lit(index: int, ball: Ball) -> LitMaterial:
    values = {
        "base_color": ball.base_color,
        "metallic": (ball.metallic,),
        "normal": (0.0, 0.0, 1.0),
        "roughness": (ball.roughness,),
        "emission": ball.emission,
        "alpha": (1.0,),
    }
    maps = {name: MaterialMap(f"{name} {index}", value) for name, value in values.items()}
    return LitMaterial(maps, ball.ior, ball.specular_level, emission_strength=ball.emission_strength)


def _eroded(mask: np.ndarray, pixels: int) -> np.ndarray:
    for _ in range(pixels):
        padded = np.pad(mask, 1)
        mask = mask & padded[2:, 1:-1] & padded[:-2, 1:-1] & padded[1:-1, 2:] & padded[1:-1, :-2]
    return mask


def _keep(name: str, pair: Pair, folder: Path) -> None:
    """EEVEE above, ours, and ten times the difference below."""
    folder = Path(os.environ.get("SGE_TEST_OUTPUT", folder))
    folder.mkdir(parents=True, exist_ok=True)
    difference = 10.0 * np.abs(pair.eevee - pair.ours) * pair.inside[..., None]
    rows = np.concatenate([difference, pair.ours, pair.eevee])
    height, width = rows.shape[:2]
    image = bpy.data.images.new("agreement", width, height, float_buffer=True)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = np.clip(rows, 0.0, 1.0) ** (1 / 2.2)
    image.colorspace_settings.name = "Non-Color"
    image.pixels.foreach_set(pixels.ravel())
    image.filepath_raw, image.file_format = str(folder / f"{name}.png"), "PNG"
    image.save()
    bpy.data.images.remove(image)
