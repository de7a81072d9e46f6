# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the matrix of a stack of modifiers that is linear in the base mesh, by moving its vertices.

Vertices of the base that no vertex of the surface hangs on together have one colour, and move in one
evaluation. Where the answers to a vertex are parallel to its motion (Subsurf), one number says them, and
three colours move at once, each along an axis of its own; else (Mirror, turned Arrays, Armature) each colour
moves along all three, one after another.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cage import Cage, Stack, TopologyChanged
from .cage_rings import Indices, Lists, base_faces, face_neighbours, faces_at, inverted, vertices_within
from .colouring import colours_of
from .linear_map import FaceRows, LinearMap, linear_map
from .mirror_planes import MirrorRules
from .surface import Surface

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]

TOLERANCE = 1e-5  # of the surface's largest extent
_MOTION = 0.1  # of that extent: random displacements by which the matrix is checked
_PROBE = 0.5  # of that extent: how far a vertex moves to tell its weights
_ROUNDING = 4.0 * 2.0**-23  # of the largest coordinate, in what Blender makes of float32
_RINGS = 3  # faces that an answer may be away from the faces of the vertex that moved
_BATCH = 5_000_000  # vertices that one request makes; with each Blender refines the topology anew
_GENERIC = np.asarray([0.66, 0.58, 0.48])  # about a unit vector, along no axis


class NotLinear(Exception):
    """The surface does not hang linearly on its cage. reason: a clause that goes on a sentence about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def probed_map(cage: Cage, surface: Surface, stack: Stack) -> LinearMap:
    """How ``surface`` follows from ``cage``, as ``probing``; in one go."""
    steps = probing(cage, surface, stack)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: LinearMap = end.value
            return result


def probing(cage: Cage, surface: Surface, stack: Stack) -> Generator[float, None, LinearMap]:
    """Finds S and the surface at rest, by a few dozen evaluations, and checks them on random cages; yields
    the part that is done. Raises NotLinear where vertices of the surface that faces have would be more than
    TOLERANCE away, or moving vertices changes the topology."""
    yield 0.0
    try:
        probe = _Probe(cage, surface, stack)
        probe.check_symmetry()
        rings, is_scalar = probe.felt()
        yield 0.05
        problem: NotLinear | None = None
        for attempt_rings, attempt_scalar in _attempts(rings, is_scalar):
            found = yield from probe.map(attempt_rings, attempt_scalar)
            problem = probe.problem_of(found)
            if problem is None:
                return found
    except TopologyChanged:
        raise NotLinear("moving its vertices changes how many the modifiers make of them") from None
    assert problem is not None
    raise problem


def _attempts(rings: int, is_scalar: bool) -> Iterator[tuple[int, bool]]:
    if is_scalar:
        yield rings, True
        yield rings + 1, True
    else:
        yield rings, False
    yield rings + 1, False


@dataclass(frozen=True, eq=False)
class _Motion:
    """One evaluation of a probe. offsets: (N, 3) of the cage. axes: (N,) along which a vertex moves, -1 where
    it stays; lengths: (N,), how far."""

    offsets: Array
    axes: Indices
    lengths: Doubles


class _Probe:
    def __init__(self, cage: Cage, surface: Surface, stack: Stack) -> None:
        self._cage = cage
        self._stack = stack
        self._rules = MirrorRules(cage)
        both = (surface.positions, cage.positions)
        self._size = max(float(np.ptp(each, axis=0).max()) for each in both)
        farthest = max(float(np.abs(each).max()) for each in both)
        self._rounding = _ROUNDING * (farthest + _PROBE * self._size)
        self._at_surface = faces_at(cage, surface.triangles, len(surface.positions))
        self._is_used = self._at_surface.lengths > 0
        self._neighbours = face_neighbours(cage, self._at_surface)
        rng = np.random.default_rng(0)
        self._random = [self._random_offsets(rng) for _ in range(2)]
        scouts, self._from_scouts = self._scouts()
        # All in one request: each costs Blender a refinement anew.
        still, back = np.zeros_like(cage.positions), -self._random[0]
        offsets = [still, *self._random, back, self._motion(scouts, _GENERIC).offsets]
        self._rest, *self._answers, self._back, self._of_scouts = self._evaluated(offsets)
        if self._rest.shape != surface.positions.shape:
            raise NotLinear("modifiers make another mesh of it each time")

    def check_symmetry(self) -> None:
        """What is linear goes as far back for the opposite motion: most of what is not, does not."""
        bent = 0.5 * (self._answers[0].astype(np.float64) + self._back) - self._rest
        self._raise_if_far(self._worst(bent))

    def felt(self) -> tuple[int, bool]:
        """How many faces beyond its own a vertex's motion is felt, and whether answers are parallel to it."""
        answer = self._of_scouts.astype(np.float64) - self._rest
        felt = (np.abs(answer).max(axis=1) > self._rounding) & self._is_used
        across = answer - (answer @ _GENERIC)[:, None] * _GENERIC / (_GENERIC @ _GENERIC)
        is_parallel = bool(np.abs(across[felt]).max(initial=0.0) <= self._rounding)
        _, faces = self._at_surface.expanded(np.flatnonzero(felt))
        farthest = int(self._from_scouts[faces].max(initial=0))
        if farthest > _RINGS:
            raise NotLinear(f"moving one vertex moves the surface more than {_RINGS} faces away")
        return farthest, is_parallel and not self._cage.planes

    def _scouts(self) -> tuple[Indices, Indices]:
        """A few vertices far from one another, and for each face how far the nearest of them is, up to one
        more than _RINGS."""
        faces_of = inverted(base_faces(self._cage), len(self._cage.positions))
        distance = np.full(len(self._neighbours.lengths), _RINGS + 1)
        is_near = np.zeros(len(distance), bool)
        scouts = []
        for vertex in np.random.default_rng(1).permutation(np.flatnonzero(faces_of.lengths > 0)).tolist():
            around = faces_of.items[faces_of.offsets[vertex] : faces_of.offsets[vertex + 1]]
            if is_near[around].any():
                continue
            scouts.append(vertex)
            for ring in range(2 * _RINGS + 2):
                distance[around] = np.minimum(distance[around], ring)
                is_near[around] = True
                around = np.unique(self._neighbours.expanded(around)[1])
        return np.asarray(scouts, np.int64), distance

    def map(self, rings: int, is_scalar: bool) -> Generator[float, None, LinearMap]:
        """S, if the surface hangs on vertices within so many rings, by one number each or by blocks."""
        reached = vertices_within(self._cage, self._neighbours, rings)
        owners = self._owners(reached)
        order = np.argsort(owners, kind="stable")
        order = order[np.searchsorted(owners[order], 0) :]  # what hangs on no face is left out
        faces = owners[order]
        colours = colours_of(reached, len(self._cage.positions))
        starts = np.cumsum(reached.lengths[faces]) - reached.lengths[faces]  # of each row among the weights
        total = int(reached.lengths[faces].sum())
        weights = np.zeros((total,) if is_scalar else (total, 3, 3), np.float32)
        motions = self._motions(colours, is_scalar)
        at_once = max(_BATCH // len(self._rest), 8)
        for first in range(0, len(motions), at_once):
            batch = motions[first : first + at_once]
            for motion, answer in zip(batch, self._evaluated([each.offsets for each in batch]), strict=True):
                moved = answer[order].astype(np.float64) - self._rest[order]
                for axis in range(3):
                    slots = self._slots(reached, motion.axes == axis)  # (P,), -1 where no vertex moved
                    hit = np.flatnonzero(slots[faces] >= 0)
                    place = starts[hit] + slots[faces[hit]]
                    column = reached.items[reached.offsets[faces[hit]] + slots[faces[hit]]]
                    if is_scalar:
                        weights[place] = moved[hit, axis] / motion.lengths[column]
                    else:
                        weights[place, :, axis] = moved[hit] / motion.lengths[column, None]
            yield 0.05 + 0.95 * (first + len(batch)) / len(motions)
        threshold = self._rounding / (_PROBE * self._size)
        parts = FaceRows(order, faces, reached, weights)
        return linear_map(self._cage.positions, self._rest, parts, threshold)

    def problem_of(self, found: LinearMap) -> NotLinear | None:
        """How far the map is off on random cages, if that is too far."""
        errors = [
            self._worst(found.apply(self._cage.positions + offsets).astype(np.float64) - answer)
            for offsets, answer in zip(self._random, self._answers, strict=True)
        ]
        try:
            self._raise_if_far(max(errors))
        except NotLinear as problem:
            return problem
        return None

    def _raise_if_far(self, error: float) -> None:
        if error > max(TOLERANCE, 2.0 * self._rounding / self._size):
            raise NotLinear(
                f"where its vertices move by {_MOTION:.0%} of its size, the surface is up to {error:.1e} of "
                "that size away from where it would be if it hung linearly on them"
            )

    def _worst(self, errors: Doubles) -> float:
        """The largest of (V, 3) errors, in parts of the size, of vertices that faces have."""
        return float(np.abs(errors[self._is_used]).max(initial=0.0)) / self._size

    def _evaluated(self, offsets: Sequence[Array]) -> list[Array]:
        return self._stack.positions([self._cage.positions + each for each in offsets])

    def _random_offsets(self, rng: np.random.Generator) -> Array:
        """(N, 3), of a length of about _MOTION of the size, within what the planes allow in both senses."""
        offsets = rng.normal(0.0, _MOTION * self._size / 3.0**0.5, self._cage.positions.shape)
        offsets = self._rules.projected(offsets).astype(np.float64)
        room = np.minimum(np.minimum(*self._rules.reach(offsets)), 1.0)
        return (offsets * room[:, None]).astype(np.float32)

    def _motions(self, colours: Indices, is_scalar: bool) -> list[_Motion]:
        """Those that tell all weights."""
        count = int(colours.max()) + 1
        if is_scalar:
            evaluations, axes = np.divmod(colours, 3)
            return [
                self._motion(np.flatnonzero(evaluations == each), np.eye(3)[axes], axes)
                for each in range(-(-count // 3))
            ]
        return [
            self._motion(np.flatnonzero(colours == colour), np.eye(3)[axis], np.full(len(colours), axis))
            for colour in range(count)
            for axis in range(3)
        ]

    def _motion(self, vertices: Indices, directions: Doubles, axes: Indices | None = None) -> _Motion:
        """Of ``vertices`` along directions, (3,) or (N, 3), as far as is good to measure and planes allow."""
        count = len(self._cage.positions)
        full = np.zeros((count, 3))
        full[vertices] = np.broadcast_to(directions, (count, 3))[vertices]
        full = self._rules.projected(full).astype(np.float64)
        forwards, backwards = self._rules.reach(full)
        longest = np.minimum(np.maximum(forwards, backwards), _PROBE * self._size)
        lengths = np.where(forwards >= backwards, longest, -longest)
        of = np.full(count, -1)
        if axes is not None:
            of[vertices] = np.where(lengths[vertices] != 0.0, axes[vertices], -1)
        return _Motion((full * lengths[:, None]).astype(np.float32), of, lengths)

    def _owners(self, reached: Lists) -> Indices:
        """(V,) of the base faces at each vertex of the surface the one that reaches fewest; -1: none."""
        lists = self._at_surface
        keys = reached.lengths[lists.items] * len(reached.lengths) + lists.items
        result = np.full(len(lists.lengths), -1, np.int64)
        if len(keys):
            filled = np.flatnonzero(lists.lengths)
            result[filled] = np.minimum.reduceat(keys, lists.offsets[filled]) % len(reached.lengths)
        return result

    def _slots(self, reached: Lists, moves: NDArray[np.bool_]) -> Indices:
        """(P,) the place in each face's list of the one vertex that moves, -1 where none does."""
        slots = np.full(len(reached.lengths), -1, np.int64)
        hit = np.flatnonzero(moves[reached.items])
        owners = np.searchsorted(reached.offsets, hit, side="right") - 1
        slots[owners] = hit - reached.offsets[owners]
        return slots
