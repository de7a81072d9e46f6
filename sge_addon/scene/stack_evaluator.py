# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender's modifiers make of an object's base mesh, at any positions of its vertices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from copy import copy as shallow_copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.cage import Cage, TopologyChanged
from ..core.errors import FitError
from ..core.surface import Material, Surface
from .mesh_boundary import on_boundary
from .mirror_planes import mirror_planes, on_planes
from .objects import (
    mesh_positions,
    mobility_of_group,
    surface_of_mesh,
    to_world,
    unmirrored_matrix,
    world_matrix,
)
from .stack_losses import mark_faces, marks_of_faces, stack_losses
from .stand_in import Level, StandIn, stand_in
from .write_back import object_of, target_of, write_shape

if TYPE_CHECKING:
    import bpy

Array = NDArray[np.float32]

_KEPT_LAYOUTS = 2  # what a step evaluates


@dataclass(frozen=True, eq=False)
class _Layout:
    """A surface, its cage, and the corners, (L,) vertex indices, of the mesh that they were read from."""

    surface: Surface
    cage: Cage
    corners: NDArray[np.int32]


# From positions of the base mesh to the evaluated mesh, which is valid until the next call; and the name of
# the attribute that tells base faces.
_Evaluation = tuple[Callable[[Array], "bpy.types.Mesh"], str]
# Sets other values on a stand-in, and takes away what it made for that.
Pose = Callable[[StandIn], AbstractContextManager[None]]


class _KeptOpen:
    """Stand-ins that stay open from one call to the next, by their number of fewer levels."""

    def __init__(self) -> None:
        self.keeps = False
        self._contexts = ExitStack()
        self._evaluations: dict[int, _Evaluation] = {}

    def entered(
        self, key: int, make: Callable[[], AbstractContextManager[_Evaluation]]
    ) -> AbstractContextManager[_Evaluation]:
        """What ``make`` opens, closed with the context or, where it is kept, by ``close``."""
        if not self.keeps:
            return make()
        if key not in self._evaluations:
            self._evaluations[key] = self._contexts.enter_context(make())
        return nullcontext(self._evaluations[key])

    def close(self) -> None:
        self._evaluations.clear()
        self._contexts.close()


class ModifierStack:
    """The modifiers of one object: ``core.cage.Stack``.

    Every call evaluates a copy of the object in a scene of its own, which is gone when it returns, since
    between two calls the user may save or undo; with ``keep_open`` it stays until ``release``. Frame,
    simplification and all that modifiers refer to are the object's. Shape keys take part: what is moved is
    the active one, as ``write_positions`` moves it.

    start: (N, 3) float32 world, the base mesh's positions when this was made. muted: names of modifiers that
    are left out.
    """

    def __init__(
        self,
        obj: bpy.types.Object,
        materials: tuple[Material, ...] = (),
        *,
        level: Level = "viewport",
        muted: frozenset[str] = frozenset(),
        vertex_group: str = "",
        pin_boundary: bool = False,
        fewer_levels: int = 0,
    ) -> None:
        """muted: names of modifiers to leave out. vertex_group, pin_boundary: hold vertices of the base mesh,
        those on its open edges except where a Mirror modifier closes them. fewer_levels: taken off every
        subdivision. Raises FitError: a mirrored transform, a missing vertex group, a base mesh without faces.
        """
        self._matrix = unmirrored_matrix(obj)
        self._materials, self._level = materials, level
        self.muted, self._fewer_levels = muted, fewer_levels
        self._target = target_of(obj)
        self.start = self._target.start_world
        self._cage = _base_cage(obj, self.start)
        planes = mirror_planes(obj, level, muted)
        mobility = mobility_of_group(obj, vertex_group) if vertex_group else None
        if pin_boundary:
            free = ~on_boundary(obj.data, on_planes(self.start, planes))
            mobility = free.astype(np.float32) if mobility is None else mobility * free
        self._cage = replace(self._cage, planes=planes, mobility=mobility)
        self._pose: Pose | None = None
        self._layouts: list[_Layout] = []
        self._vertices: int | None = None
        self._open = _KeptOpen()

    def keep_open(self) -> None:
        """From now on leave open what a call opens, and what this one ``with_fewer_levels`` opens: the first
        evaluation of a new copy costs up to ten times what the next ones do, where a cage has triangles."""
        self._open.keeps = True

    def release(self) -> None:
        """Close what was left open, before anything else may look at the file."""
        self._open.close()

    @property
    def name(self) -> str:
        """Of the object."""
        return self._target.name

    def pose(self, pose: Pose | None) -> None:
        """Evaluate with other values of the object and of its modifiers from now on. Cages are still given as
        they are in world space where the object was when this was made."""
        self.release()
        self._pose = pose

    @property
    def fewer_levels(self) -> int:
        """Taken off every subdivision."""
        return self._fewer_levels

    def with_fewer_levels(self, count: int) -> ModifierStack:
        """The same with so many levels taken off every subdivision, down to one."""
        other = shallow_copy(self)
        other._fewer_levels = count
        other._layouts, other._vertices = [], None
        return other

    def surface(self) -> Surface:
        """The object as it was when this was made, with its cage."""
        return self.evaluate([self.start])[0]

    def evaluate(self, cages: Sequence[Array]) -> list[Surface]:
        """A Surface with its cage for each (N, 3) float32 world positions of the base mesh.

        While vertices and faces connect as before, all arrays but the positions are those of the surface
        before, also UVs and sharp edges. Raises FitError where the modifiers yield no faces, or no longer
        tell which face came from where, with the modifier's name; TargetLost as ``object_of`` does.
        """
        with self._opened() as (mesh_at, marks):
            return [self._surface_of(cage, mesh_at(cage), marks) for cage in cages]

    def positions(self, cages: Sequence[Array]) -> list[Array]:
        """(V, 3) float32 world of each. Raises TopologyChanged where a number of vertices differs from the
        first evaluation's."""
        with self._opened() as (mesh_at, _):
            return [self._positions_of(mesh_at(cage)) for cage in cages]

    def _opened(self) -> AbstractContextManager[_Evaluation]:
        return self._open.entered(self._fewer_levels, self._stand_in)

    @contextmanager
    def _stand_in(self) -> Iterator[_Evaluation]:
        obj = object_of(self._target)
        options = {"muted": self.muted, "level": self._level, "fewer_levels": self._fewer_levels}
        with (
            stand_in(obj, **options, own_mesh=True) as copy,
            nullcontext() if self._pose is None else self._pose(copy),
        ):
            marks = mark_faces(copy.object.data)

            def mesh_at(cage: Array) -> bpy.types.Mesh:
                write_shape(copy.object, self._target, cage)
                evaluated = copy.evaluated()
                if self._pose is not None:
                    self._matrix = world_matrix(evaluated)
                return evaluated.to_mesh()

            yield mesh_at, marks

    def _positions_of(self, mesh: bpy.types.Mesh) -> Array:
        count = len(mesh.vertices)
        if self._vertices is None:
            self._vertices = count
        if count != self._vertices:
            raise TopologyChanged(
                f"Object '{self._target.name}': its modifiers make {count} vertices instead of "
                f"{self._vertices}."
            )
        return to_world(mesh_positions(mesh), self._matrix)

    def _surface_of(self, cage: Array, mesh: bpy.types.Mesh, marks: str) -> Surface:
        if self._vertices is None:
            self._vertices = len(mesh.vertices)
        corners = np.empty(len(mesh.loops), np.int32)
        if len(corners):
            mesh.attributes[".corner_vert"].data.foreach_get("value", corners)
        layout = next((each for each in self._layouts if self._fits(each, mesh, corners)), None)
        if layout is None:
            layout = _Layout(*self._read(mesh, marks), corners)
            self._layouts = [layout, *self._layouts][:_KEPT_LAYOUTS]
        own = replace(layout.cage, positions=np.asarray(cage, np.float32))
        return replace(layout.surface, positions=to_world(mesh_positions(mesh), self._matrix), cage=own)

    @staticmethod
    def _fits(layout: _Layout, mesh: bpy.types.Mesh, corners: NDArray[np.int32]) -> bool:
        same_count = len(layout.surface.positions) == len(mesh.vertices)
        return same_count and np.array_equal(layout.corners, corners)

    def _read(self, mesh: bpy.types.Mesh, marks: str) -> tuple[Surface, Cage]:
        obj = object_of(self._target)
        of_polygon = marks_of_faces(mesh, marks)
        if of_polygon is None:
            for loss in stack_losses(obj, self._level, self.muted):
                raise loss
            raise FitError(
                f"Object '{obj.name}': moved as the fit moved it, its modifiers leave no faces.",
                subject=obj.name,
            )
        surface = surface_of_mesh(obj, mesh, self._matrix, self._materials)
        return surface, replace(self._cage, face_of_triangle=of_polygon[surface.polygons])


def _base_cage(obj: bpy.types.Object, start: Array) -> Cage:
    mesh = obj.data
    if not mesh.polygons:
        raise FitError(
            f"Object '{obj.name}': its base mesh has no faces, and a fit through modifiers moves such: apply "
            "the modifiers that make them.",
            subject=obj.name,
        )
    mesh.calc_loop_triangles()
    triangles = np.empty((len(mesh.loop_triangles), 3), np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles.ravel())
    totals = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", totals)
    vertices = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", vertices)
    return Cage(
        positions=start,
        triangles=triangles,
        face_offsets=np.concatenate([[0], np.cumsum(totals, dtype=np.int64)]),
        face_vertices=vertices,
        face_of_triangle=np.empty(0, np.int32),  # of the surface, which is not there yet
    )
