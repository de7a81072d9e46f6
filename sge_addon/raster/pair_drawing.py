# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pair of pictures of a stochastic step: two shapes, compared with a reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..core.geometry_buffer import GeometryBuffer
from ..core.pair_buffers import PairBuffers
from ..core.perturbation import Perturbation, PerturbedShape
from ..core.picture_area import Area, whole
from ..core.stopwatch import Stopwatch
from ..core.view import View
from .buffers import ShapePair, geometry_of
from .geometry import Geometry, Pose
from .program import Program
from .programs_lit import GEOMETRY_OUTPUTS
from .reference_textures import ReferenceTextures
from .shaders import loss_program
from .surface_drawing import SurfaceDrawing, clip_matrix
from .targets import Target

GEOMETRY_FORMATS = dict.fromkeys(GEOMETRY_OUTPUTS, "RGBA32F")
_LOSS_FORMATS = {"loss": "R32F", "id": "R32UI"}
_TILT_FORMATS = {"tilt_difference": "R32F"}


class PairDrawing(SurfaceDrawing):
    """Draws one assembly of surfaces perturbed both ways, or two."""

    def draw_pair(
        self,
        view: View,
        jitter: tuple[float, float],
        moved: PerturbedShape | Perturbation | ShapePair,
        reference: ReferenceTextures,
        match: tuple[str, ...],
        loss: str,
        stopwatch: Stopwatch,
        background: NDArray[np.float32] | None = None,
        with_geometry: bool = False,
        ahead: bool = False,
        turn: int = 0,
        area: Area | None = None,
    ) -> Callable[[], PairBuffers]:
        """Rasterise theta plus and theta minus with the same jitter and compare. What this returns reads
        losses and IDs, before the next of the same ``turn`` are drawn.

        moved: how vertices are perturbed, or normals, too, or where vertices are; IDs are of the assemblies
        named there. background: (3,) linear, behind a reference that is not folded. with_geometry: what the
        plus image shows, as a geometry buffer, where shading is lit. ahead: something else is done before
        they are read. area: that is read; None for the whole.
        """
        area = area or whole(view)
        with stopwatch.stage("raster"):
            targets = self._pair_targets(
                view, jitter, moved, reference, match, loss, background, with_geometry, turn
            )
            if ahead:
                self._targets.begin()
            if stopwatch.precise:
                self._reader.wait(targets[1])

        def read() -> PairBuffers:
            # Both draws are queued before the first read waits for them.
            with stopwatch.stage("read"):
                plus, minus = (
                    (self._reader.read(t, 0, 1, "FLOAT", area), self._reader.read(t, 1, 1, "UINT", area))
                    for t in targets
                )
                tilt, first = None, 2
                if "tilt_difference" in targets[0].formats:
                    tilt, first = self._reader.read(targets[0], 2, 1, "FLOAT", area), 3
                geometry = self._read_geometry(targets[0], plus[1], first) if with_geometry else None
            return PairBuffers(
                area,
                loss_plus=plus[0],
                id_plus=plus[1],
                loss_minus=minus[0],
                id_minus=minus[1],
                tilt_difference=tilt,
                geometry=geometry,
            )

        return read

    def _pair_targets(
        self,
        view: View,
        jitter: tuple[float, float],
        moved: PerturbedShape | Perturbation | ShapePair,
        reference: ReferenceTextures,
        match: tuple[str, ...],
        loss: str,
        background: NDArray[np.float32] | None,
        with_geometry: bool,
        turn: int,
    ) -> list[Target]:
        tilted = isinstance(moved, PerturbedShape) and self.shows_normals(match)
        programs = [
            self._loss_program(match, loss, not reference.is_folded, geometry, tilted)
            for geometry in (with_geometry, False)
        ]
        poses = self._poses(moved, normals="normals" in programs[1].samplers)
        key = (moved.perturbation if isinstance(moved, PerturbedShape) else moved).key
        shared = {
            "world_to_clip": clip_matrix(view, jitter),
            "reference_colour": reference.colour,
            "reference_normal": reference.normal,
            "background": background,
            **(self._lit.view_values(view, key) if self._lit is not None else {}),
            **({"tilt": moved.tilt, "tilt_key": moved.tilt_key} if tilted else {}),
        }
        # Both images treat back faces alike, so that they differ by what has moved alone.
        alike = all(pose.geometry is self._geometry for pose in poses)
        hidden = self._hidden_back_faces(view) if alike else frozenset()
        targets = []
        for program, use, pose in zip(programs, ("plus", "minus"), poses, strict=True):
            formats = _LOSS_FORMATS | (_TILT_FORMATS if tilted else {})
            if with_geometry and use == "plus":
                formats |= GEOMETRY_FORMATS
            target = self._targets.get(f"{use} {turn}", view.width, view.height, formats)
            values = shared | {"positions": pose.positions, "normals": pose.normals}
            self._draw(target, program, values, without_back_faces=hidden, geometry=pose.geometry)
            targets.append(target)
        return targets

    def _poses(self, moved: PerturbedShape | Perturbation | ShapePair, normals: bool) -> list[Pose]:
        geometry = self._geometry
        if isinstance(moved, PerturbedShape):
            return geometry.sides(moved, normals)
        if isinstance(moved, Perturbation):
            tables = geometry.perturbed(moved, normals)
            names = (("plus", "normal"), ("minus", "normal_minus"))
            return [Pose(geometry, tables[name], tables.get(normal)) for name, normal in names]
        poses = []
        for shape, use in ((moved.plus, "normals plus"), (moved.minus, "normals minus")):
            geometry = self._geometry
            if shape.assembly is not self.assembly:
                geometry = Geometry(shape.assembly, self._targets)
                geometry.upload(shape.positions)  # for its tangents
            poses.append(geometry.pose(shape.positions, normals, use))
        return poses

    def _loss_program(
        self, match: tuple[str, ...], loss: str, background: bool, geometry: bool, tilted: bool
    ) -> Program:
        if self._lit is not None:
            return self._lit.loss_program(match, loss, background, geometry, tilted)
        return loss_program(self.shading, match, loss, self._colours.is_textured, background, tilted)

    def _read_geometry(
        self, target: Target, ids: NDArray[np.uint32], first: int, copy: bool = False
    ) -> GeometryBuffer:
        """From the four slots from ``first`` on; without ``copy`` overwritten by the next read."""
        parts = [self._reader.read(target, first + slot, 4, "FLOAT") for slot in range(len(GEOMETRY_OUTPUTS))]
        return geometry_of(ids, [part.copy() if copy else part for part in parts])
