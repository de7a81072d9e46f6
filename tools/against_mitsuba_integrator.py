# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An integrator of what the eye sees first, and no more: normals as colours, with silhouettes by projective
sampling (Zhang et al. 2023) as Mitsuba's meshes offer it. One sample a pixel, and no film in between.
"""

from __future__ import annotations

import drjit as dr
import mitsuba as mi
import numpy as np
from against_mitsuba_views import Views
from mitsuba.python.ad.integrators.common import ADIntegrator

_SILHOUETTE_SAMPLES = 16_384


class NormalIntegrator(ADIntegrator):
    """Through one camera (4, 4) to world; for mi.render. Images are (H, W, 3), from the top."""

    def __init__(self, views: Views, camera: np.ndarray) -> None:
        super().__init__(mi.Properties())
        self._width, self._height = views.width, views.height
        self._eye = mi.ScalarPoint3f(*(float(each) for each in camera[:3, 3]))
        self._eye_on_device = mi.Point3f(*(dr.opaque(mi.Float, float(each)) for each in camera[:3, 3]))
        self._projective = mi.ad.ProjectiveDetail(self)

    def render(self, scene: mi.Scene, sensor: mi.Sensor, seed: mi.UInt32 = 0, *_: object, **__: object):
        """One sample a pixel, (H, W, 3)."""
        seen = self._seen(scene, sensor, seed)
        return mi.TensorXf(dr.ravel(_shade(seen, seen.is_valid())), (self._height, self._width, 3))

    def render_backward(
        self,
        scene: mi.Scene,
        params: object,
        grad_in: mi.TensorXf,
        sensor: mi.Sensor,
        seed: mi.UInt32 = 0,
        spp: int = 0,
    ) -> None:
        slopes = dr.unravel(mi.Color3f, grad_in.array)
        with dr.resume_grad():
            seen = self._seen(scene, sensor, seed)
            colour = _shade(seen, seen.is_valid())
            dr.set_grad(colour, slopes)
            dr.enqueue(dr.ADMode.Backward, colour)
            dr.traverse(dr.ADMode.Backward)
        self._silhouettes(scene, sensor, seed, slopes)
        dr.eval()

    def _seen(self, scene: mi.Scene, sensor: mi.Sensor, seed: mi.UInt32) -> mi.SurfaceInteraction3f:
        count = self._width * self._height
        pixel = dr.arange(mi.UInt32, count)
        random = mi.PCG32(size=count, initstate=seed)
        x = (mi.Float(pixel % self._width) + random.next_float32()) / self._width
        y = (mi.Float(pixel // self._width) + random.next_float32()) / self._height
        ray, _ = sensor.sample_ray(0.0, 0.0, mi.Point2f(x, y), mi.Point2f(0.5))
        return scene.ray_intersect(ray, mi.RayFlags.ShadingFrame, True)

    def _silhouettes(self, scene: mi.Scene, sensor: mi.Sensor, seed: mi.UInt32, slopes: mi.Color3f) -> None:
        """Add the gradient of moving silhouettes, as ``PSIntegrator`` does with more samples and a film."""
        mesh = scene.shapes()[0]
        with dr.suspend_grad():
            indices, weights = mesh.precompute_silhouette(self._eye)
            random = mi.PCG32(size=_SILHOUETTE_SAMPLES, initstate=seed + 0x9E3779B9)
            place = mi.Float(dr.arange(mi.UInt32, _SILHOUETTE_SAMPLES)) + random.next_float32()
            chosen, chance = mi.DiscreteDistribution(weights).sample_pmf(place / _SILHOUETTE_SAMPLES)
            sample = mesh.sample_precomputed_silhouette(
                self._eye_on_device, dr.gather(mi.UInt32, indices, chosen), random.next_float32()
            )
            density = sample.pdf * chance
            active = sample.is_valid() & (density > 0.0)
            towards_eye = mi.SilhouetteSample3f(sample)
            towards_eye.d = -towards_eye.d
            ray = towards_eye.spawn_ray()
            ray.maxt = dr.norm(self._eye_on_device - ray.o) * (1.0 - mi.math.ShadowEpsilon)
            active &= ~scene.ray_test(ray, active)
            at = dr.zeros(mi.Interaction3f)
            at.p = sample.p
            on_film, _ = sensor.sample_direction(at, mi.Point2f(0.0), active)
            active &= on_film.pdf != 0.0
            behind = scene.ray_intersect(sample.spawn_ray(), mi.RayFlags.ShadingFrame, False, active=active)
            difference = self._shade_edge(sample, active) - _shade(behind, behind.is_valid() & active)
            pixel = mi.UInt32(on_film.uv.y) * self._width + mi.UInt32(on_film.uv.x)
            slope = dr.gather(mi.Color3f, slopes, pixel, active)
            scale = self._projective.sensor_jacobian(sensor, sample) / density
            scale *= self._width * self._height / _SILHOUETTE_SAMPLES
            weight = dr.select(active, dr.sum(slope * difference) * scale, 0.0)
        with dr.resume_grad():
            edge = dr.zeros(mi.SurfaceInteraction3f)
            edge.p, edge.prim_index, edge.uv = sample.p, sample.prim_index, sample.uv
            motion = dr.dot(mesh.differential_motion(dr.detach(edge), active), sample.n)
            dr.set_grad(motion, weight)
            dr.enqueue(dr.ADMode.Backward, motion)
            dr.traverse(dr.ADMode.Backward)

    def _shade_edge(self, sample: mi.SilhouetteSample3f, active: mi.Bool) -> mi.Color3f:
        """The colour of the surface whose edge was sampled."""
        hit = dr.zeros(mi.PreliminaryIntersection3f)
        hit.valid, hit.t, hit.prim_index, hit.prim_uv, hit.shape = (
            active,
            1.0,
            sample.prim_index,
            sample.uv,
            sample.shape,
        )
        ray = mi.Ray3f(sample.p - sample.d, sample.d)
        return _shade(hit.compute_surface_interaction(ray, mi.RayFlags.ShadingFrame, active), active)


def _shade(seen: mi.SurfaceInteraction3f, valid: mi.Bool) -> mi.Color3f:
    return dr.select(valid, 0.5 + 0.5 * mi.Color3f(seen.sh_frame.n), 0.0)
