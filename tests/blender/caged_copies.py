# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many copies of a small cage in cells of one picture, all of them the base mesh of one object: a pair of
rasterisations gives as many estimates as there are copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import bpy
import numpy as np

from sge_addon.core.assembly import assemble
from sge_addon.core.cage import CageMap, Stack
from sge_addon.core.mapped_stack import MappedStack
from sge_addon.core.reference import Reference
from sge_addon.core.schedule import ShapeSchedule
from sge_addon.core.signs import signs, step_seed, sub_pixel_jitter
from sge_addon.core.stack_probing import probed_map
from sge_addon.core.stacked_surfaces import StackedSurfaces
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.support import full_support
from sge_addon.raster.buffers import ShapePair
from sge_addon.raster.fitted_surfaces import FittedSurfaces
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.raster.reference_textures import ReferenceTextureCache
from sge_addon.raster.shape_source import ShapeSource
from sge_addon.raster.stack_source import StackSource
from sge_addon.scene.stack_evaluator import ModifierStack
from tests.blender.test_raster_gradient import LIGHTS, WAVES, painting
from tests.meshes import orthographic_view

SIDE = 32  # pixels of a cell, which is one unit wide
MATCH = ("colour", "alpha")


def even_seeds(count: int) -> list[int]:
    """Seeds whose jitters cover the pixel evenly: so many times each of 16 squares."""
    found, squares = [], [0] * 16
    for seed in map(partial(step_seed, 3), range(100 * count)):
        x, y = (int(4.0 * (each + 0.5)) for each in sub_pixel_jitter(seed))
        if 16 * squares[4 * y + x] < count:
            squares[4 * y + x] += 1
            found.append(seed)
    return found


@dataclass
class Held:
    """A block that never steps."""

    name: str
    value: np.ndarray
    shown: np.ndarray


class CagedCopies:
    """points, faces: (N, 3) and (P, 4) of one copy, about its cell's centre. modify: adds the modifiers.
    grid: cells along x and y. epsilon: pixels."""

    def __init__(
        self,
        points: np.ndarray,
        faces: np.ndarray,
        modify: Callable[[bpy.types.Object], None],
        grid: tuple[int, int] = (16, 16),
        shading: str = "sun",
        epsilon: float = 0.7,
    ) -> None:
        columns, rows = grid
        self.copies = columns * rows
        self.grid, self.pixels, self.shading = grid, epsilon, shading
        y, x = np.divmod(np.arange(self.copies), columns)
        centres = np.c_[x + 0.5 - columns / 2, y + 0.5 - rows / 2, np.zeros(self.copies)]
        every = (points[None] + centres[:, None]).reshape(-1, 3)
        each = (faces[None] + len(points) * np.arange(self.copies)[:, None, None]).reshape(-1, faces.shape[1])
        mesh = bpy.data.meshes.new("Cage")
        mesh.from_pydata(every.tolist(), [], each.tolist())
        mesh.shade_smooth()
        self.object = bpy.data.objects.new("Cage", mesh)
        bpy.context.scene.collection.objects.link(self.object)
        modify(self.object)
        bpy.context.view_layer.update()
        self.stack = ModifierStack(self.object, (WAVES,))
        self.surface = self.stack.surface()
        self.view = orthographic_view(SIDE * columns, SIDE * rows, 1.0 / SIDE)
        picture = np.tile(painting(SIDE, SIDE), (rows, columns, 1))
        self.reference = Reference(self.view, picture, True)
        self.count = len(points)

    def linear_map(self) -> CageMap:
        """What probing finds."""
        return probed_map(self.surface.cage, self.surface, self.stack)

    def mapped_stack(self) -> MappedStack:
        """The modifiers as that map has them."""
        return MappedStack(self.surface, replace(self.surface.cage, map=self.linear_map()))

    def source(self, stack: Stack | None = None, support: str = "full") -> StackSource:
        """Of the cage's gradients. stack: None for Blender's own modifiers."""
        cage = self.surface.cage
        stacked = StackedSurfaces([self.surface], [stack or self.stack], assemble([self.surface]))
        block = Held("cage", cage.positions, self.surface.positions)
        surfaces = FittedSurfaces(
            Rasteriser(stacked.start, self.shading, LIGHTS), [block], [None], Stopwatch(), stacked
        )
        schedule = ShapeSchedule(epsilon=(self.pixels, self.pixels))
        return StackSource(
            surfaces, stacked, [self.reference], [block], support, schedule, MATCH, "l1", Stopwatch()
        )

    def estimate(self, source: StackSource, calls: int) -> np.ndarray:
        """(N, 3): mean gradient of one copy's loss over its own pixels."""
        total = np.zeros((self.count, 3))
        for seed in even_seeds(calls):
            gradient = source.estimate(0, seed, 0.5).gradients["cage"]
            total += gradient.reshape(self.copies, -1, 3).sum(axis=0)
        return total / calls  # the loss is a mean over all copies' pixels

    def estimate_of_surface(self, calls: int, found: CageMap) -> np.ndarray:
        """As ``estimate``, with the surface's own vertices perturbed and the gradient pulled back."""
        assembly = assemble([self.surface])
        block = Held("cage", self.surface.cage.positions, self.surface.positions)
        surfaces = FittedSurfaces(Rasteriser(assembly, self.shading, LIGHTS), [block], [None], Stopwatch())
        schedule = ShapeSchedule(epsilon=(self.pixels, self.pixels))
        source = ShapeSource(
            surfaces,
            assembly,
            [self.reference],
            [block],
            full_support,
            schedule,
            MATCH,
            "l1",
            Stopwatch(),
        )
        total = np.zeros_like(self.surface.positions)
        for seed in even_seeds(calls):
            total += source.estimate(0, seed, 0.5).gradients["cage"]
        return found.pulled_back(total / calls).reshape(self.copies, -1, 3).sum(axis=0)

    def central_differences(self, calls: int, moving: np.ndarray, of_surface: bool = False) -> np.ndarray:
        """(M,) of the given parameters, flat indices of (N, 3): each copy moves one of them up and down, the
        others by random signs alike in both, through Blender's own modifiers. of_surface: those signs move
        the surface's vertices instead."""
        epsilon = self.pixels / SIDE
        start = self.surface.cage.positions
        stacked = StackedSurfaces([self.surface], [self.stack], assemble([self.surface]))
        rasteriser = Rasteriser(stacked.start, self.shading, LIGHTS)
        textures = ReferenceTextureCache([self.reference], MATCH, "l1").get(0)
        mask = np.zeros(3 * self.count)
        mask[moving] = 1.0
        if of_surface:
            mask[:] = 0.0
        total, count = np.zeros(3 * self.count), np.zeros(3 * self.count)
        copies = np.arange(self.copies)
        columns, rows = self.grid
        for call, seed in enumerate(even_seeds(calls)):
            offset = epsilon * signs(step_seed(seed, 1), len(start)).reshape(self.copies, -1) * mask
            # Every parameter meets every jitter.
            parameter = moving[(copies + call * self.copies + call // 16) % len(moving)]
            moved = []
            for sign in (1.0, -1.0):
                offset[copies, parameter] = sign * epsilon
                moved.append([(start + offset.reshape(-1, 3)).astype(np.float32)])
            shapes = stacked.at(moved)
            if of_surface:
                others = np.float32(epsilon) * signs(step_seed(seed, 1), len(self.surface.positions))
                shapes = [replace(shape, positions=shape.positions + others) for shape in shapes]
            buffers = rasteriser.draw_pair(
                self.view, sub_pixel_jitter(seed), ShapePair(*shapes, 0), textures, MATCH, "l1", Stopwatch()
            )()
            difference = buffers.loss_plus.astype(float) - buffers.loss_minus
            by_cell = difference.reshape(rows, SIDE, columns, SIDE).sum(axis=(1, 3)).ravel()
            np.add.at(total, parameter, by_cell / (2.0 * epsilon * SIDE * SIDE))
            np.add.at(count, parameter, 1)
        return total[moving] / count[moving]
