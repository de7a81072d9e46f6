# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gradient made by hand from Mitsuba's rays in Dr.Jit: the most that an expert could get out of it.

Normals, shading and the places of edges are differentiated by Dr.Jit. Silhouettes after Li et al. 2018: for
samples on the edges between a triangle that faces the eye and one that does not, the colours on both sides
are looked up by rays; where an edge is hidden they are the same.
"""

from __future__ import annotations

import drjit as dr
import mitsuba as mi
import numpy as np
from against_mitsuba_views import Views, uniform

_SAMPLES = 2  # on an edge
_ASIDE = 0.02  # pixels from an edge to where the colours beside it are looked up
_SAME = 1e-6  # colours that differ by less have no gradient


class HandMadeGradient:
    """Of the loss of one view over colour and alpha, by positions. samples: a pixel."""

    def __init__(self, scene: mi.Scene, views: Views, triangles: np.ndarray, samples: int, loss: str) -> None:
        self._scene, self._views, self._samples, self._loss = scene, views, samples, loss
        self._corners = [mi.UInt32(np.ascontiguousarray(triangles[:, corner])) for corner in range(3)]
        self._vertices = int(triangles.max()) + 1
        ends, sides = edges_between(triangles)
        self._edges = len(ends)
        self._ends = [mi.UInt32(np.ascontiguousarray(column)) for column in ends.T]
        self._sides = [mi.UInt32(np.ascontiguousarray(column)) for column in sides.T]

    def __call__(self, positions: mi.Float, view: mi.UInt32, seed: mi.UInt32) -> mi.Float:
        """positions: (3 V,) flat, as the scene has them. The gradient, (3 V,)."""
        inside = mi.Float(positions)
        dr.enable_grad(inside)
        loss, slopes = self._picture(inside, view, seed)
        dr.backward(loss)
        gradient = dr.grad(inside)
        dr.eval(gradient, slopes)
        outlines = mi.Float(positions)
        dr.enable_grad(outlines)
        dr.backward(self._outlines(outlines, view, seed, slopes))
        return gradient + dr.grad(outlines)

    def _normals(self, points: mi.Point3f) -> tuple[mi.Vector3f, mi.Vector3f]:
        """Of vertices, weighted by area, and of triangles; neither of length 1."""
        a, b, c = (dr.gather(mi.Point3f, points, corner) for corner in self._corners)
        of_triangles = mi.Vector3f(dr.cross(b - a, c - a))
        of_vertices = dr.zeros(mi.Vector3f, self._vertices)
        for corner in self._corners:
            dr.scatter_reduce(dr.ReduceOp.Add, of_vertices, of_triangles, corner)
        return of_vertices, of_triangles

    def _shade(
        self,
        points: mi.Point3f,
        normals: mi.Vector3f,
        ray: mi.Ray3f,
        hit: mi.PreliminaryIntersection3f,
        active: mi.Bool,
    ) -> mi.Vector3f:
        """0.5 + 0.5 n where the ray meets the plane of the triangle that it hit, black elsewhere."""
        corners = [dr.gather(mi.UInt32, corner, hit.prim_index, active) for corner in self._corners]
        a, b, c = (mi.Vector3f(dr.gather(mi.Point3f, points, corner, active)) for corner in corners)
        across, down = b - a, c - a
        side = dr.cross(ray.d, down)
        from_corner = mi.Vector3f(ray.o) - a
        inverse = 1.0 / dr.dot(across, side)
        u = dr.dot(from_corner, side) * inverse
        v = dr.dot(ray.d, dr.cross(from_corner, across)) * inverse
        at_corners = [dr.gather(mi.Vector3f, normals, corner, active) for corner in corners]
        normal = dr.normalize(at_corners[0] * (1.0 - u - v) + at_corners[1] * u + at_corners[2] * v)
        return dr.select(active, 0.5 + 0.5 * normal, 0.0)

    def _picture(self, positions: mi.Float, view: mi.UInt32, seed: mi.UInt32) -> tuple[mi.Float, list]:
        """The loss by pixel, and its slope by channel."""
        views = self._views
        rotation, eye = views.camera(view)
        points = dr.unravel(mi.Point3f, positions)
        normals, _ = self._normals(points)
        count = views.width * views.height
        pixel = dr.arange(mi.UInt32, count)
        x, y = mi.Float(pixel % views.width), mi.Float(pixel // views.width)
        colour, alpha = mi.Vector3f(0.0), mi.Float(0.0)
        for sample in range(self._samples):
            right, up = uniform(pixel + sample * count, seed)
            ray = mi.Ray3f(eye, views.direction(rotation, x + right, y + up))
            hit = self._scene.ray_intersect_preliminary(ray, coherent=True)
            colour += self._shade(points, normals, ray, hit, hit.is_valid()) / self._samples
            alpha += dr.select(hit.is_valid(), 1.0 / self._samples, 0.0)
        drawn = [*colour, alpha]
        difference = [own - other for own, other in zip(drawn, views.reference(view, pixel), strict=True)]
        if self._loss == "l2":
            return sum(dr.square(each) for each in difference), [2.0 * dr.detach(each) for each in difference]
        slopes = [
            dr.select(dr.abs(dr.detach(each)) > _SAME, dr.sign(dr.detach(each)), 0.0) for each in difference
        ]
        return sum(dr.abs(each) for each in difference), slopes

    def _outlines(self, positions: mi.Float, view: mi.UInt32, seed: mi.UInt32, slopes: list) -> mi.Float:
        """By sample on an edge: what has the gradient of the loss by moving edges."""
        views = self._views
        rotation, eye = views.camera(view)
        attached = dr.unravel(mi.Point3f, positions)
        points = dr.detach(attached)
        with dr.suspend_grad():
            normals, of_triangles = self._normals(points)
            facing = dr.dot(of_triangles, eye - dr.gather(mi.Point3f, points, self._corners[0]))
            dr.eval(normals, facing)
        index = dr.arange(mi.UInt32, self._edges * _SAMPLES)
        edge = index // _SAMPLES
        sides = [dr.gather(mi.Float, facing, dr.gather(mi.UInt32, side, edge)) for side in self._sides]
        active = sides[0] * sides[1] < 0.0
        first, second = (
            dr.gather(mi.Point3f, attached, dr.gather(mi.UInt32, end, edge), active) for end in self._ends
        )
        part = (mi.Float(index % _SAMPLES) + uniform(index, seed + 0x5BD1E995)[0]) / _SAMPLES

        def projected(point: mi.Point3f) -> mi.Point2f:
            place = point - eye
            x, y, z = (sum(rotation[row][axis] * place[row] for row in range(3)) for axis in range(3))
            return mi.Point2f(
                0.5 * views.width - views.focal * x / z, 0.5 * views.height - views.focal * y / z
            )

        moving = projected(first * (1.0 - part) + second * part)
        with dr.suspend_grad():
            along = projected(dr.detach(second)) - projected(dr.detach(first))
            length = dr.norm(along)
            aside = mi.Vector2f(along.y, -along.x) / length
            place = dr.detach(moving)
            active &= (place.x > 0.0) & (place.x < views.width) & (place.y > 0.0) & (place.y < views.height)
            before, after = (
                self._colours(points, normals, rotation, eye, place + sign * _ASIDE * aside, active)
                for sign in (-1.0, 1.0)
            )
            pixel = mi.UInt32(place.y) * views.width + mi.UInt32(place.x)
            change = sum(
                dr.gather(mi.Float, slope, pixel, active) * (one - other)
                for slope, one, other in zip(slopes, before, after, strict=True)
            )
            weight = dr.select(active, change * length / _SAMPLES, 0.0)
        return weight * (moving.x * aside.x + moving.y * aside.y)

    def _colours(
        self,
        points: mi.Point3f,
        normals: mi.Vector3f,
        rotation: list,
        eye: mi.Point3f,
        place: mi.Point2f,
        active: mi.Bool,
    ) -> list[mi.Float]:
        """Red, green, blue, alpha of what is seen at places in pixels."""
        ray = mi.Ray3f(eye, self._views.direction(rotation, place.x, place.y))
        hit = self._scene.ray_intersect_preliminary(ray, active=active)
        valid = hit.is_valid() & active
        return [*self._shade(points, normals, ray, hit, valid), dr.select(valid, 1.0, 0.0)]


def edges_between(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges with a triangle on either side: their ends (E, 2) and those triangles (E, 2), uint32."""
    pairs = np.sort(
        np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1
    )
    owner = np.tile(np.arange(len(triangles)), 3)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs, owner = pairs[order], owner[order]
    same = np.flatnonzero((pairs[1:] == pairs[:-1]).all(axis=1))
    return pairs[same].astype(np.uint32), np.stack([owner[same], owner[same + 1]], axis=1).astype(np.uint32)
