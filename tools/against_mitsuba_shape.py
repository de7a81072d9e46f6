# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape task in Mitsuba: its own Large Steps and uniform Adam, around one of two gradients.

Learning rate and lambda are annealed as ours are: the rate exponentially, lambda in five geometric stages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import drjit as dr
import mitsuba as mi
import numpy as np
from against_mitsuba_integrator import NormalIntegrator
from against_mitsuba_views import Views, geometric, on_device
from mitsuba.ad import LargeSteps

_STAGES = 5
_VERTICES = 2562  # of the mesh for which smoothing and rate are given
_STEPS = 100  # of the run for which the rate is given: of 50 and of 100, those swept best are as far apart

# Adds the gradient of a view's loss to that of attached positions, (3 V,), flat.
Backward = Callable[[mi.Float, int, int], None]


class ShapeRun:
    """way: 'integrator', 'stock'. settings: rate, momentum, smoothing, loss ('l1', 'l2'), samples."""

    def __init__(self, inputs: dict, way: str, settings: dict) -> None:
        self._settings = settings
        self._views = Views(inputs)
        self._start = np.ascontiguousarray(inputs["positions"], np.float32)
        triangles = np.ascontiguousarray(inputs["triangles"], np.uint32)
        self._faces = mi.UInt32(triangles.ravel())
        mesh = _mesh(self._start, triangles, way)
        make = {"integrator": _by_integrator, "stock": _by_stock}[way]
        self._backward: Backward = make(mesh, self._views, triangles, settings)
        self._positions = mi.Float(self._start.ravel())

    def steps(self, count: int, seed: int) -> Iterator[None]:
        """The loop, from the start."""
        fineness = len(self._start) / _VERTICES
        first, last = self._settings["smoothing"]
        smoothing = [first * fineness, last * fineness**0.5]  # as ours go with the mesh
        scale = (max(fineness, 1.0) * count / _STEPS) ** -0.5
        rate = [each * scale for each in self._settings["rate"]]
        positions = mi.Float(self._start.ravel())
        optimiser = mi.ad.Adam(lr=rate[0], beta_1=self._settings["momentum"], uniform=True)
        large_steps, last_stage = None, None
        for index, view in enumerate(self._views.order(count, seed)):
            progress = index / count
            stage = min(int(progress * _STAGES), _STAGES - 1)
            if stage != last_stage:
                last_stage = stage
                weight = geometric(smoothing, stage / (_STAGES - 1))
                large_steps = LargeSteps(positions, self._faces, weight)
                _replace(optimiser, large_steps.to_differential(positions))
            optimiser.set_learning_rate(geometric(rate, progress))
            attached = large_steps.from_differential(optimiser["u"])
            self._backward(attached, view, seed * 1_000_003 + index)
            optimiser.step()
            with dr.suspend_grad():
                positions = large_steps.from_differential(dr.detach(optimiser["u"]))
            self._positions = positions
            yield

    def state(self) -> np.ndarray:
        """(V, 3)."""
        return np.array(self._positions).reshape(-1, 3)

    def wait(self) -> None:
        """Until all that was asked for is done."""
        dr.eval(self._positions)
        dr.sync_thread()


def _replace(optimiser: mi.ad.Adam, value: mi.Float) -> None:
    """Go on from another u, with the moments that there are."""
    value = dr.detach(value)
    dr.eval(value)
    if "u" not in optimiser:
        optimiser["u"] = value
        return
    dr.enable_grad(value)
    optimiser.state["u"] = (value, *optimiser.state["u"][1:])


def _mesh(positions: np.ndarray, triangles: np.ndarray, way: str) -> mi.Mesh:
    properties = mi.Properties()
    if way == "stock":
        # Light of the colour of its normals: what an emitter shows needs no material and no other light.
        properties["emitter"] = mi.load_dict(
            {"type": "area", "radiance": {"type": "mesh_attribute", "name": "vertex_color"}}
        )
    mesh = mi.Mesh(
        "mesh", len(positions), len(triangles), has_vertex_normals=way == "integrator", props=properties
    )
    if way == "stock":
        mesh.add_attribute("vertex_color", 3, [0.5] * positions.size)
    parameters = mi.traverse(mesh)
    parameters["vertex_positions"] = mi.Float(positions.ravel())
    parameters["faces"] = mi.UInt32(triangles.ravel())
    parameters.update()
    return mesh


def _by_integrator(mesh: mi.Mesh, views: Views, triangles: np.ndarray, settings: dict) -> Backward:
    scene = mi.load_dict({"type": "scene", "mesh": mesh})
    parameters = mi.traverse(scene)
    sensors, images = views.sensors(), views.images()
    integrators = [NormalIntegrator(views, camera) for camera in views.cameras]

    def backward(positions: mi.Float, view: int, seed: int) -> None:
        parameters["mesh.vertex_positions"] = positions
        parameters.update()
        image = mi.render(
            scene,
            parameters,
            sensor=sensors[view],
            integrator=integrators[view],
            seed=on_device(2 * seed),
            seed_grad=on_device(2 * seed + 1),
            spp=1,
        )
        dr.backward(_loss(image, images[view], settings))

    return backward


def _by_stock(mesh: mi.Mesh, views: Views, triangles: np.ndarray, settings: dict) -> Backward:
    scene = mi.load_dict({"type": "scene", "mesh": mesh})
    parameters = mi.traverse(scene)
    sensors, images = views.sensors(), views.images()
    corners = [mi.UInt32(np.ascontiguousarray(triangles[:, corner])) for corner in range(3)]
    integrator = mi.load_dict({"type": "direct_projective", "sppi": 0})
    integrator.max_depth = 1  # what the mesh casts on itself is not in the references, and takes rays
    samples = settings["samples"]

    def backward(positions: mi.Float, view: int, seed: int) -> None:
        parameters["mesh.vertex_positions"] = positions
        # Not by dr.unravel: its gradient replaces what the array has of others, here that of the mesh.
        a, b, c = (dr.gather(mi.Point3f, positions, corner) for corner in corners)
        normal = mi.Point3f(dr.cross(b - a, c - a))
        normals = dr.zeros(mi.Point3f, len(positions) // 3)
        for corner in corners:
            dr.scatter_reduce(dr.ReduceOp.Add, normals, normal, corner)
        parameters["mesh.vertex_color"] = dr.ravel(0.5 + 0.5 * dr.normalize(normals))
        parameters.update()
        image = mi.render(
            scene,
            parameters,
            sensor=sensors[view],
            integrator=integrator,
            seed=on_device(2 * seed),
            seed_grad=on_device(2 * seed + 1),
            spp=samples,
        )
        dr.backward(_loss(image, images[view], settings))

    return backward


def _loss(image: mi.TensorXf, reference: mi.TensorXf, settings: dict) -> mi.Float:
    difference = image - reference
    return dr.mean(dr.abs(difference) if settings["loss"] == "l1" else dr.square(difference))
