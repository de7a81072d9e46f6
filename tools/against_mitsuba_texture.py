# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texture task in Mitsuba: a bitmap on a mesh that stays, Adam, one view a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import drjit as dr
import mitsuba as mi
import numpy as np
from against_mitsuba_views import Views, geometric, on_device, uniform

_GREY = 0.5
_PATTERNS = 4  # of samples a view that are kept

Backward = Callable[[mi.TensorXf, int, int], None]


class TextureRun:
    """way: 'kept' (what samples read is kept: nothing is traced in the loop), 'rays' (traced in each
    step), 'stock' (prb, which sees the texture as light). settings: rate, samples a pixel."""

    def __init__(self, inputs: dict, way: str, settings: dict) -> None:
        self._settings = settings
        self._views = Views(inputs)
        self._shape = (int(inputs["texture_size"]), int(inputs["texture_size"]), 3)
        make = {"kept": _by_kept_rays, "rays": _by_rays, "stock": _by_stock}[way]
        self._backward: Backward = make(inputs, self._views, settings, self._shape)
        self._texture = None

    def steps(self, count: int, seed: int) -> Iterator[None]:
        """The loop, from grey."""
        optimiser = mi.ad.Adam(lr=self._settings["rate"][0])
        optimiser["texture"] = dr.full(mi.TensorXf, _GREY, self._shape)
        for index, view in enumerate(self._views.order(count, seed)):
            optimiser.set_learning_rate(geometric(self._settings["rate"], index / count))
            self._backward(optimiser["texture"], view, seed * 1_000_003 + index)
            optimiser.step()
            optimiser["texture"] = dr.clip(optimiser["texture"], 0.0, 1.0)
            self._texture = optimiser["texture"]
            yield

    def state(self) -> np.ndarray:
        """(T, T, 3), from the bottom."""
        return np.array(dr.detach(self._texture))

    def wait(self) -> None:
        """Until all that was asked for is done."""
        dr.eval(self._texture)
        dr.sync_thread()


def _scene(inputs: dict, as_light: bool) -> mi.Scene:
    """The mesh with corners of its own for each triangle, since UVs have seams."""
    positions = inputs["positions"][inputs["triangles"]].reshape(-1, 3)
    size = int(inputs["texture_size"])
    bitmap = {"type": "bitmap", "data": dr.full(mi.TensorXf, _GREY, (size, size, 3)), "raw": True}
    properties = mi.Properties()
    if as_light:
        properties["emitter"] = mi.load_dict({"type": "area", "radiance": bitmap})
    else:
        properties["bsdf"] = mi.load_dict({"type": "diffuse", "reflectance": bitmap})
    mesh = mi.Mesh("mesh", len(positions), len(positions) // 3, has_vertex_texcoords=True, props=properties)
    parameters = mi.traverse(mesh)
    parameters["vertex_positions"] = mi.Float(np.ascontiguousarray(positions, np.float32).ravel())
    parameters["vertex_texcoords"] = mi.Float(np.ascontiguousarray(inputs["uvs"], np.float32).ravel())
    parameters["faces"] = dr.arange(mi.UInt32, len(positions))
    parameters.update()
    return mi.load_dict({"type": "scene", "mesh": mesh})


def _by_stock(inputs: dict, views: Views, settings: dict, shape: tuple) -> Backward:
    scene = _scene(inputs, as_light=True)
    return _rendered(scene, "mesh.emitter.radiance.data", views, settings, {"type": "prb", "max_depth": 1})


def _rendered(scene: mi.Scene, name: str, views: Views, settings: dict, integrator: dict) -> Backward:
    sensors, images = views.sensors(), views.images()
    renderer, parameters = mi.load_dict(integrator), mi.traverse(scene)

    def backward(texture: mi.TensorXf, view: int, seed: int) -> None:
        parameters[name] = texture
        parameters.update()
        image = mi.render(
            scene,
            parameters,
            sensor=sensors[view],
            integrator=renderer,
            seed=on_device(2 * seed),
            seed_grad=on_device(2 * seed + 1),
            spp=settings["samples"],
        )
        dr.backward(dr.mean(dr.square(image - images[view])))

    return backward


def _by_rays(inputs: dict, views: Views, settings: dict, shape: tuple) -> Backward:
    """Rays of the same samples for the picture and its gradient; the texture is Mitsuba's bitmap."""
    scene = _scene(inputs, as_light=False)
    parameters = mi.traverse(scene)
    name = "mesh.bsdf.reflectance.data"
    count, samples = views.width * views.height, settings["samples"]

    def backward(texture: mi.TensorXf, view: int, seed: int) -> None:
        parameters[name] = texture
        parameters.update()
        view, seed = on_device(view), on_device(seed)
        rotation, eye = views.camera(view)
        pixel = dr.arange(mi.UInt32, count)
        colour = mi.Color3f(0.0)
        for sample in range(samples):
            right, up = uniform(pixel + sample * count, seed)
            x, y = mi.Float(pixel % views.width) + right, mi.Float(pixel // views.width) + up
            ray = mi.Ray3f(eye, views.direction(rotation, x, y))
            seen = scene.ray_intersect(ray, mi.RayFlags.UV, True)
            value = seen.bsdf().eval_diffuse_reflectance(seen, seen.is_valid())
            colour += dr.select(seen.is_valid(), mi.Color3f(value), 0.0) / samples
        reference = mi.Color3f(*views.reference(view, pixel)[:3])
        dr.backward(dr.sum(dr.square(colour - reference)))

    return backward


def _by_kept_rays(inputs: dict, views: Views, settings: dict, shape: tuple) -> Backward:
    """The UVs of the pixels that show the mesh lie ready, a few jittered sets a view."""
    scene = _scene(inputs, as_light=False)
    kept = [
        [_kept(scene, views, view, pattern, settings["samples"]) for pattern in range(_PATTERNS)]
        for view in range(views.count)
    ]
    samples = settings["samples"]

    def backward(texture: mi.TensorXf, view: int, seed: int) -> None:
        pixel, places = kept[view][(seed // views.count) % _PATTERNS]
        flat = texture.array
        colour = mi.Color3f(0.0)
        for place, covered in places:
            colour += dr.select(covered, _bilinear(flat, place, shape[0]), 0.0) / samples
        reference = mi.Color3f(*views.reference(on_device(view), pixel)[:3])
        dr.backward(dr.sum(dr.square(colour - reference)))

    return backward


def _kept(scene: mi.Scene, views: Views, view: int, pattern: int, samples: int) -> tuple:
    """Pixels that show the mesh, and by sample the place in the texture and whether it was hit."""
    count = views.width * views.height
    rotation, eye = views.camera(on_device(view))
    pixel = dr.arange(mi.UInt32, count)
    hits = []
    for sample in range(samples):
        right, up = uniform(pixel + sample * count, on_device(pattern))
        x, y = mi.Float(pixel % views.width) + right, mi.Float(pixel // views.width) + up
        ray = mi.Ray3f(eye, views.direction(rotation, x, y))
        hits.append(scene.ray_intersect(ray, mi.RayFlags.UV, True))
    any_hit = mi.Bool(False)
    for hit in hits:
        any_hit |= hit.is_valid()
    shown = dr.compress(any_hit)
    places = [
        (dr.gather(mi.Point2f, hit.uv, shown), dr.gather(mi.Bool, hit.is_valid(), shown)) for hit in hits
    ]
    dr.eval(shown, places)
    return shown, places


def _bilinear(flat: mi.Float, place: mi.Point2f, size: int) -> mi.Color3f:
    x, y = place.x * size - 0.5, place.y * size - 0.5
    left, low = dr.floor(x), dr.floor(y)
    value = mi.Color3f(0.0)
    for down in (0, 1):
        for right in (0, 1):
            weight = dr.abs(1 - right - (x - left)) * dr.abs(1 - down - (y - low))
            column, row = (mi.UInt32(mi.Int32(each + size) % size) for each in (left + right, low + down))
            value += dr.gather(mi.Color3f, flat, row * size + column) * weight
    return value
