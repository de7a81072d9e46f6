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
from ..core.picture_area import Area
from ..core.stopwatch import Stopwatch
from ..core.texel_signs import TexelPerturbation
from ..core.view import View
from .buffers import Picture, TexelPair
from .pair_drawing import GEOMETRY_FORMATS, PairDrawing
from .programs_edge import edge_block, edge_formats, edge_program
from .programs_lit import geometry_program
from .reference_textures import ReferenceTextures
from .shaders import render_program, texel_loss_program, uv_program
from .targets import Target, channels_of, kind_of

_TILE_SAMPLES = 2048  # samples along a side of what is rendered at once: 150 MB
_TEXEL_FORMATS = dict.fromkeys(("loss_plus", "loss_minus", "lookup"), "RGBA32F") | {"id": "R32UI"}


class Rasteriser(PairDrawing):
    """The passes over one assembly of surfaces."""

    _turn = 0  # of two targets for UVs, so that one can be drawn while the other is read

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
        The next but one of the same size overwrites what was read. slopes: of UVs, too, at the pixels'
        centres, which tells as well which materials' back faces other samples of the view need not show."""
        self._turn = 1 - self._turn
        target = self._targets.get(f"uv {self._turn}", view.width, view.height, self._uv_formats(slopes))
        target.stale = frozenset(target.formats) - {"id"}
        with stopwatch.stage("raster"):
            hidden = self._unseen_back_faces.get(view, frozenset())
            program = uv_program(self.shading, slopes)
            self._draw_unperturbed(target, program, view, jitter, without_back_faces=hidden)
            self._targets.begin()
            if stopwatch.precise:
                self._reader.wait(target)

        area = self.area(view)

        def read() -> UVBuffer:
            with stopwatch.stage("read"):
                parts = self._read_all(target, area)
                if slopes:
                    is_back = (parts["lookup"][..., 3] > 0.0) & (parts["id"] != 0)
                    self._learn_back_faces(view, parts["id"][is_back])
                return _uv_buffer(parts, 1, area)

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
        formats = {"id": "R32UI"} | GEOMETRY_FORMATS
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


def _uv_buffer(parts: dict[str, NDArray[Any]], samples: int, area: Area | None = None) -> UVBuffer:
    """parts: by the names of the attachments; area: as of UVBuffer."""
    lookup, shade = parts["lookup"], parts.get("shade")
    shade = None if shade is None else shade[..., :3]
    slopes = parts.get("slopes")
    return UVBuffer(parts["id"], lookup[..., :2], lookup[..., 2], samples, shade, slopes, area)
