# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The passes over the surfaces: the pair of losses, the picture, and what a texture fit needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.edge_buffers import EdgeBuffers
from ..core.geometry_buffer import GeometryBuffer
from ..core.lookups import UVBuffer
from ..core.perturbation import Perturbation
from ..core.picture_area import Area, whole
from ..core.stopwatch import Stopwatch
from ..core.texel_signs import TexelPerturbation
from ..core.view import View
from .buffers import PairBuffers, Picture, ShapePair, TexelPair, geometry_of
from .geometry import Geometry, Pose
from .program import Program
from .programs_edge import edge_block, edge_formats, edge_program
from .programs_lit import GEOMETRY_OUTPUTS, geometry_program
from .reference_textures import ReferenceTextures
from .shaders import loss_program, render_program, texel_loss_program, uv_program
from .surface_drawing import SurfaceDrawing, clip_matrix
from .targets import Target, channels_of, kind_of

_TILE_SAMPLES = 2048  # samples along a side of what is rendered at once: 150 MB
_LOSS_FORMATS = {"loss": "R32F", "id": "R32UI"}
_GEOMETRY_FORMATS = dict.fromkeys(GEOMETRY_OUTPUTS, "RGBA32F")
_TEXEL_FORMATS = dict.fromkeys(("loss_plus", "loss_minus", "lookup"), "RGBA32F") | {"id": "R32UI"}


class Rasteriser(SurfaceDrawing):
    """The passes over one assembly of surfaces."""

    _turn = 0  # of two targets for UVs, so that one can be drawn while the other is read

    def draw_pair(
        self,
        view: View,
        jitter: tuple[float, float],
        moved: Perturbation | ShapePair,
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

        moved: how the vertices are perturbed, or where they are; IDs are of the assemblies named there.
        background: (3,) linear, behind a reference that is not folded. with_geometry: what the plus image
        shows, as a geometry buffer, where shading is lit. ahead: something else is done before they are read.
        area: that is read; None for the whole.
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
                geometry = self._read_geometry(targets[0], plus[1], 2) if with_geometry else None
            return PairBuffers(
                area,
                loss_plus=plus[0],
                id_plus=plus[1],
                loss_minus=minus[0],
                id_minus=minus[1],
                geometry=geometry,
            )

        return read

    def draw_edges(
        self,
        view: View,
        jitter: tuple[float, float],
        reference: ReferenceTextures,
        match: tuple[str, ...],
        loss: str,
        stopwatch: Stopwatch,
        background: NDArray[np.float32] | None = None,
        use: str = "edges",
        ahead: bool = False,
    ) -> Target:
        """Rasterise once and compare; ``read_edges`` reads it, before the next is drawn for the same ``use``.

        background: (3,) linear, behind a reference that is not folded. ahead: something else is done before
        it is read.
        """
        with stopwatch.stage("raster"):
            behind = not reference.is_folded
            if self._lit is not None:
                program = self._lit.edge_program(match, loss, behind)
                values = self._lit.view_values(view)
            else:
                textured = self._colours.is_textured
                program, values = edge_program(self.shading, match, loss, textured, behind), {}
            target = self._targets.get(use, view.width, view.height, edge_formats(match))
            target.stale = frozenset(target.formats) - {"id"}
            values |= {
                "reference_colour": reference.colour,
                "reference_normal": reference.normal,
                "background": background,
                "marks": self._geometry.marks,
                "edge_view": edge_block(view, jitter),
            }
            hidden = self._hidden_back_faces(view)
            self._draw_unperturbed(target, program, view, jitter, values, without_back_faces=hidden)
            if ahead:
                self._targets.begin()
            if stopwatch.precise:
                self._reader.wait(target)
        return target

    def read_edges(self, target: Target, area: Area, stopwatch: Stopwatch) -> EdgeBuffers:
        """What every pixel of an area says of the surface's motion (core.edge_gradient)."""
        with stopwatch.stage("read"):
            read = self._read_all(target, area)
            np.copyto(read["loss"], 0.0, where=read["id"] == 0)
        return EdgeBuffers(area, **read)

    def _pair_targets(
        self,
        view: View,
        jitter: tuple[float, float],
        moved: Perturbation | ShapePair,
        reference: ReferenceTextures,
        match: tuple[str, ...],
        loss: str,
        background: NDArray[np.float32] | None,
        with_geometry: bool,
        turn: int,
    ) -> list[Target]:
        programs = [
            self._loss_program(match, loss, not reference.is_folded, g) for g in (with_geometry, False)
        ]
        poses = self._poses(moved, normals="normals" in programs[1].samplers)
        shared = {
            "world_to_clip": clip_matrix(view, jitter),
            "reference_colour": reference.colour,
            "reference_normal": reference.normal,
            "background": background,
            **(self._lit.view_values(view, moved.key) if self._lit is not None else {}),
        }
        # Both images treat back faces alike, so that they differ by what has moved alone.
        alike = all(pose.geometry is self._geometry for pose in poses)
        hidden = self._hidden_back_faces(view) if alike else frozenset()
        targets = []
        for program, use, pose in zip(programs, ("plus", "minus"), poses, strict=True):
            formats = _LOSS_FORMATS | (_GEOMETRY_FORMATS if program is not programs[1] else {})
            target = self._targets.get(f"{use} {turn}", view.width, view.height, formats)
            values = shared | {"positions": pose.positions, "normals": pose.normals}
            self._draw(target, program, values, without_back_faces=hidden, geometry=pose.geometry)
            targets.append(target)
        return targets

    def _poses(self, moved: Perturbation | ShapePair, normals: bool) -> list[Pose]:
        if isinstance(moved, Perturbation):
            geometry = self._geometry
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

    def _loss_program(self, match: tuple[str, ...], loss: str, background: bool, geometry: bool) -> Program:
        if self._lit is not None:
            return self._lit.loss_program(match, loss, background, geometry)
        return loss_program(self.shading, match, loss, self._colours.is_textured, background)

    def texel_pair(
        self,
        view: View,
        jitter: tuple[float, float],
        perturbation: TexelPerturbation,
        reference: ReferenceTextures,
        loss: str,
        stopwatch: Stopwatch,
        background: NDArray[np.float32] | None = None,
    ) -> TexelPair:
        """Rasterise once, read both sets of texels, compare the two colours, read losses and lookups.

        reference: not folded. background: (3,) linear, behind it; None: transparent.
        """
        with stopwatch.stage("raster"):
            target = self._targets.get("texels", view.width, view.height, _TEXEL_FORMATS)
            values = {
                "reference_colour": reference.colour,
                "background": (
                    *((0.0, 0.0, 0.0) if background is None else background.tolist()),
                    1.0 if reference.has_alpha or background is not None else 0.0,
                ),
            }
            self._draw_unperturbed(
                target, texel_loss_program(self.shading, loss), view, jitter, values, perturbation
            )
            if stopwatch.precise:
                self._reader.wait(target)
        with stopwatch.stage("read"):
            plus, minus, lookup = (self._reader.read(target, slot, 4, "FLOAT") for slot in range(3))
            ids = self._reader.read(target, 3, 1, "UINT")
        seen = UVBuffer(ids, lookup[..., :2], lookup[..., 2], samples=1)
        return TexelPair(plus[..., :3], minus[..., :3], seen)

    def render(self, view: View, samples: int = 4, normal: bool = False) -> Picture:
        """The view's picture with samples x samples samples a pixel; large ones tile by tile."""
        colour = np.empty((view.height, view.width, 4), np.float32)
        normals = np.empty((view.height, view.width, 3), np.float32) if normal else None
        side = max(1, _TILE_SAMPLES // samples)
        for y in range(0, view.height, side):
            for x in range(0, view.width, side):
                tile = view.tile(x, y, min(side, view.width - x), min(side, view.height - y))
                means = self._render_tile(tile, samples, normal)
                area = np.s_[y : y + tile.height, x : x + tile.width]
                colour[area] = next(means)
                if normals is not None:
                    normals[area] = next(means)[..., :3]
        return Picture(colour, normals)

    def _render_tile(self, view: View, samples: int, normal: bool) -> Iterator[NDArray[np.float32]]:
        """(H, W, 4) of each output; the array is overwritten by the next."""
        wide, high = view.width * samples, view.height * samples
        formats = {"colour": "RGBA32F", "id": "R32UI"} | ({"shaded_normal": "RGBA32F"} if normal else {})
        target = self._targets.get("render", wide, high, formats)
        if self._lit is not None:
            program, values = self._lit.render_program(normal), self._lit.view_values(view, 0, samples)
        else:
            program, values = render_program(self.shading, self._colours.is_textured, normal), {}
        self._draw_unperturbed(target, program, view, (0.0, 0.0), values)
        mean = self._targets.get("mean", view.width, view.height, {"mean": "RGBA32F"}, False)
        for name in ("colour", "shaded_normal") if normal else ("colour",):
            self._geometry.downsample(target.textures[name], mean, samples)
            yield self._reader.read(mean, 0, 4, "FLOAT")

    def uv_buffer(self, view: View, jitter: tuple[float, float], samples: int) -> UVBuffer:
        """Triangle, UV and mip level of each sub-pixel sample. jitter: in sub-pixels."""
        formats = self._uv_formats(slopes=False)
        wide = view.resized(view.width * samples, view.height * samples)
        target = self._targets.get("uv", wide.width, wide.height, formats)
        self._draw_unperturbed(target, uv_program(self.shading), wide, jitter)
        parts = self._read_all(target)
        return _uv_buffer({name: part.copy() for name, part in parts.items()}, samples)

    def draw_uv(
        self, view: View, jitter: tuple[float, float], stopwatch: Stopwatch, slopes: bool = False
    ) -> Callable[[], UVBuffer]:
        """Draw what ``uv_buffer`` tells, of one sample a pixel. What this returns reads it where surfaces can
        be, before the next but one of the same size is drawn; it is anything where there is no triangle.
        The next but one of the same size overwrites what was read. slopes: of UVs, too."""
        self._turn = 1 - self._turn
        target = self._targets.get(f"uv {self._turn}", view.width, view.height, self._uv_formats(slopes))
        target.stale = frozenset(target.formats) - {"id"}
        with stopwatch.stage("raster"):
            self._draw_unperturbed(target, uv_program(self.shading, slopes), view, jitter)
            self._targets.begin()
            if stopwatch.precise:
                self._reader.wait(target)

        area = self.area(view)

        def read() -> UVBuffer:
            with stopwatch.stage("read"):
                return _uv_buffer(self._read_all(target, area), 1, area)

        return read

    def _uv_formats(self, slopes: bool) -> dict[str, str]:
        formats = {"lookup": "RGBA32F", "id": "R32UI"}
        if self.shading == "sun":
            formats["shade"] = "RGBA32F"
        if slopes:
            formats["slopes"] = "RGBA32F"
        return formats

    def _read_all(self, target: Target, area: Area | None = None) -> dict[str, NDArray[Any]]:
        """All attachments by name, whole or in an area; the arrays are overwritten by the next read of such a
        target."""
        return {
            name: self._reader.read(target, slot, channels_of(format), kind_of(format), area)
            for slot, (name, format) in enumerate(target.formats.items())
        }

    def geometry_buffer(
        self, view: View, jitter: tuple[float, float], stopwatch: Stopwatch | None = None
    ) -> GeometryBuffer:
        """What one sample a pixel, moved by ``jitter`` pixels, sees of the shape and its UVs."""
        stopwatch = stopwatch or Stopwatch()
        formats = {"id": "R32UI"} | _GEOMETRY_FORMATS
        target = self._targets.get("geometry", view.width, view.height, formats)
        with stopwatch.stage("raster"):
            program = geometry_program(None) if self._lit is None else self._lit.geometry_program()
            values = {} if self._lit is None else self._lit.view_values(view)
            self._draw_unperturbed(target, program, view, jitter, values)
            if stopwatch.precise:
                self._reader.wait(target)
        with stopwatch.stage("read"):
            ids = self._reader.read(target, 0, 1, "UINT").copy()
            return self._read_geometry(target, ids, 1, copy=True)

    def _read_geometry(
        self, target: Target, ids: NDArray[np.uint32], first: int, copy: bool = False
    ) -> GeometryBuffer:
        """From the four slots from ``first`` on; without ``copy`` overwritten by the next read."""
        parts = [self._reader.read(target, first + slot, 4, "FLOAT") for slot in range(len(GEOMETRY_OUTPUTS))]
        return geometry_of(ids, [part.copy() if copy else part for part in parts])


def _uv_buffer(parts: dict[str, NDArray[Any]], samples: int, area: Area | None = None) -> UVBuffer:
    """parts: by the names of the attachments; area: as of UVBuffer."""
    lookup, shade = parts["lookup"], parts.get("shade")
    shade = None if shade is None else shade[..., :3]
    slopes = parts.get("slopes")
    return UVBuffer(parts["id"], lookup[..., :2], lookup[..., 2], samples, shade, slopes, area)
