# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modifiers of polygon meshes in a few lines each, as stand-ins for Blender's: what follows from a cage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from sge_addon.core.cage import Cage, MirrorPlane, TopologyChanged
from sge_addon.core.surface import Surface


@dataclass(frozen=True, eq=False)
class Polygons:
    """points: (N, 3) float64. faces: vertices of each polygon. origins: of each, a face of the base mesh."""

    points: np.ndarray
    faces: list[tuple[int, ...]]
    origins: list[int]


Modifier = Callable[[Polygons], Polygons]


def catmull_clark(mesh: Polygons) -> Polygons:
    """One level of Catmull and Clark (1978); boundaries as cubic splines."""
    count = len(mesh.points)
    face_points = np.asarray([mesh.points[list(face)].mean(axis=0) for face in mesh.faces])
    at_edge: dict[tuple[int, int], list[int]] = {}
    for index, face in enumerate(mesh.faces):
        for a, b in zip(face, (*face[1:], face[0]), strict=True):
            at_edge.setdefault((min(a, b), max(a, b)), []).append(index)
    edges = list(at_edge)
    middles = np.asarray([mesh.points[list(edge)].mean(axis=0) for edge in edges])
    edge_points = np.asarray(
        [
            middle
            if len(at_edge[edge]) == 1
            else 0.5 * middle + 0.5 * face_points[at_edge[edge]].mean(axis=0)
            for edge, middle in zip(edges, middles, strict=True)
        ]
    )
    vertex_points = mesh.points.copy()
    edges_at: list[list[int]] = [[] for _ in range(count)]
    for i, edge in enumerate(edges):
        for vertex in edge:
            edges_at[vertex].append(i)
    for vertex, around in enumerate(edges_at):
        border = [i for i in around if len(at_edge[edges[i]]) == 1]
        if border:
            vertex_points[vertex] = 0.5 * mesh.points[vertex] + 0.5 * middles[border].mean(axis=0)
        elif around:
            faces = {face for i in around for face in at_edge[edges[i]]}
            of_faces, of_edges = face_points[list(faces)].mean(axis=0), middles[around].mean(axis=0)
            n = len(around)
            vertex_points[vertex] = (of_faces + 2.0 * of_edges + (n - 3.0) * mesh.points[vertex]) / n
    number = {edge: count + len(mesh.faces) + i for i, edge in enumerate(edges)}
    finer, origins = [], []
    for index, face in enumerate(mesh.faces):
        for before, vertex, after in zip((face[-1], *face[:-1]), face, (*face[1:], face[0]), strict=True):
            first = number[min(vertex, after), max(vertex, after)]
            last = number[min(before, vertex), max(before, vertex)]
            finer.append((vertex, first, count + index, last))
            origins.append(mesh.origins[index])
    return Polygons(np.concatenate([vertex_points, face_points, edge_points]), finer, origins)


def mirrored(plane: MirrorPlane) -> Modifier:
    """Vertices within the merge distance of their image become one with it, halfway."""

    def modifier(mesh: Polygons) -> Polygons:
        count = len(mesh.points)
        distances = (mesh.points - plane.point) @ plane.normal
        images = mesh.points - 2.0 * distances[:, None] * plane.normal
        merged = 2.0 * np.abs(distances) < plane.merge
        points = np.where(merged[:, None], 0.5 * (mesh.points + images), mesh.points)
        number = np.where(merged, np.arange(count), count - 1 + np.cumsum(~merged))
        faces = [tuple(int(number[v]) for v in reversed(face)) for face in mesh.faces]
        return Polygons(np.concatenate([points, images[~merged]]), mesh.faces + faces, mesh.origins * 2)

    return modifier


def arrayed(copies: int, matrix: np.ndarray) -> Modifier:
    """Copies, each (4, 4) ``matrix`` times the one before."""

    def modifier(mesh: Polygons) -> Polygons:
        points, count = [mesh.points], len(mesh.points)
        for _ in range(copies - 1):
            points.append(points[-1] @ matrix[:3, :3].T + matrix[:3, 3])
        faces = [tuple(v + k * count for v in face) for k in range(copies) for face in mesh.faces]
        return Polygons(np.concatenate(points), faces, mesh.origins * copies)

    return modifier


def inflated(amount: float) -> Modifier:
    """Not linear: along the directions from the mean."""

    def modifier(mesh: Polygons) -> Polygons:
        away = mesh.points - mesh.points.mean(axis=0)
        return replace(mesh, points=mesh.points + amount * away / np.linalg.norm(away, axis=1, keepdims=True))

    return modifier


def beside(points: np.ndarray, faces: list[tuple[int, ...]]) -> Modifier:
    """A further mesh, which hangs on nothing."""

    def modifier(mesh: Polygons) -> Polygons:
        count = len(mesh.points)
        more = [tuple(v + count for v in face) for face in faces]
        return Polygons(
            np.concatenate([mesh.points, points]), mesh.faces + more, mesh.origins + [-1] * len(more)
        )

    return modifier


@dataclass
class PolygonStack:
    """A core.cage.Stack of such modifiers; counts what it evaluates."""

    faces: list[tuple[int, ...]]
    modifiers: Sequence[Modifier]
    planes: tuple[MirrorPlane, ...] = ()
    mobility: np.ndarray | None = None
    evaluations: int = 0
    _count: int | None = field(default=None, repr=False)

    def evaluate(self, cages: Sequence[np.ndarray]) -> list[Surface]:
        return [self._surface(cage) for cage in cages]

    def positions(self, cages: Sequence[np.ndarray]) -> list[np.ndarray]:
        result = [self._mesh(cage).points.astype(np.float32) for cage in cages]
        self._count = self._count or len(result[0])
        if any(len(each) != self._count for each in result):
            raise TopologyChanged
        return result

    def _mesh(self, cage: np.ndarray) -> Polygons:
        self.evaluations += 1
        mesh = Polygons(cage.astype(np.float64), self.faces, list(range(len(self.faces))))
        for modifier in self.modifiers:
            mesh = modifier(mesh)
        return mesh

    def _surface(self, positions: np.ndarray) -> Surface:
        mesh = self._mesh(positions)
        triangles, polygon = triangulated(mesh.faces)
        cage = Cage(
            positions=positions.astype(np.float32),
            triangles=triangulated(self.faces)[0],
            face_offsets=np.r_[0, np.cumsum([len(face) for face in self.faces])],
            face_vertices=np.concatenate([np.asarray(face) for face in self.faces]).astype(np.int32),
            face_of_triangle=np.asarray(mesh.origins, np.int32)[polygon],
            mobility=self.mobility,
            planes=self.planes,
        )
        points = mesh.points.astype(np.float32)
        return Surface("fake", points, triangles, triangles, polygons=polygon, cage=cage)


def triangulated(faces: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Fans: (F, 3) int32, and (F,) the polygon of each."""
    rows = [(face[0], b, c, i) for i, face in enumerate(faces) for b, c in pairwise(face[1:])]
    table = np.asarray(rows, np.int32)
    return np.ascontiguousarray(table[:, :3]), np.ascontiguousarray(table[:, 3])


def box(side: int) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """The surface of a cube of side 2 about the origin, with side x side quads on each of its faces."""
    quads = []
    for axis in range(3):
        for end in (0, side):
            for i in range(side):
                for j in range(side):
                    corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
                    placed = [tuple(np.roll((end, u, v), axis).tolist()) for u, v in corners]
                    quads.append(placed if end else placed[::-1])
    number: dict[tuple[int, ...], int] = {}
    faces = [tuple(number.setdefault(corner, len(number)) for corner in quad) for quad in quads]
    return np.asarray(list(number), np.float64) * (2.0 / side) - 1.0, faces


def sheet(columns: int, rows: int) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Quads over the square from (0, 0) to (1, 1), bent a little."""
    y, x = np.mgrid[0 : rows + 1, 0 : columns + 1]
    x, y = x / columns, y / rows
    points = np.stack([x, y, 0.2 * np.sin(3.0 * x) * np.cos(2.0 * y)], axis=-1).reshape(-1, 3)
    index = np.arange(len(points)).reshape(rows + 1, columns + 1)
    corners = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    return points, [tuple(int(v) for v in face) for face in np.stack(corners, axis=-1).reshape(-1, 4)]
