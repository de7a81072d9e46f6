# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The passes over the surfaces: the pair of losses, the picture, and what a texture fit needs."""

from __future__ import annotations

from collections.abc import Iterator

import gpu
import mathutils
import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly
from ..core.closed_surfaces import is_before
from ..core.footprint import UVBuffer
from ..core.geometry_buffer import GeometryBuffer
from ..core.lights import SunLights
from ..core.perturbation import Perturbation
from ..core.scene_lights import SceneLights
from ..core.stopwatch import Stopwatch
from ..core.texel_signs import TexelPerturbation
from ..core.view import View, jittered
from .base_colours import BaseColours
from .buffers import PairBuffers, Picture, ShapePair, TexelPair, geometry_of
from .geometry import Geometry, Pose
from .lit_surfaces import LitSurfaces
from .program import Program
from .programs_lit import GEOMETRY_OUTPUTS, geometry_program
from .reference_textures import ReferenceTextures
from .shaders import loss_program, render_program, texel_loss_program, uv_program
from .tables import Reader, upload_image
from .targets import Target, TargetPool, drawing

_TILE_SAMPLES = 2048  # samples along a side of what is rendered at once: 150 MB
_LOSS_FORMATS = {"loss": "R32F", "id": "R32UI"}
_GEOMETRY_FORMATS = dict.fromkeys(GEOMETRY_OUTPUTS, "RGBA32F")
_TEXEL_FORMATS = dict.fromkeys(("loss_plus", "loss_minus", "lookup"), "RGBA32F") | {"id": "R32UI"}


class Rasteriser:
    """Draws one assembly of surfaces. Base colours come from one atlas a material, or a constant; with the
    shading "lit" all maps of the materials' ``lit``, under SceneLights."""

    def __init__(self, assembly: Assembly, shading: str, lights: SunLights | SceneLights) -> None:
        self.assembly = assembly
        self.shading = shading
        self._targets = TargetPool()
        self._reader = Reader()
        self._geometry = Geometry(assembly, self._targets)
        suns = lights if isinstance(lights, SunLights) else SunLights()
        self._lights = upload_image(suns.table()[None])
        self._light_count = len(suns.directions)
        self._lit = LitSurfaces(assembly.materials, lights) if isinstance(lights, SceneLights) else None
        # Lit fragments are dear: back faces come last, when depth tells that hardly any of them is seen.
        self._sides = ("NONE",) if self._lit is None else ("BACK", "FRONT")
        self._colours = BaseColours(assembly.materials if self._lit is None else ())
        self.set_positions(assembly.positions)

    def set_positions(self, positions: NDArray[np.float32]) -> None:
        """positions: (V, 3) float32, world space, of all surfaces."""
        self._positions = positions
        self._geometry.upload(positions)

    def set_assembly(self, assembly: Assembly) -> None:
        """Other triangles of the same objects, at the positions that they have; what materials and lights
        show stays."""
        self.assembly = assembly
        self._geometry = Geometry(assembly, self._targets)
        self.set_positions(assembly.positions)

    def set_texture(self, material: int, texture: NDArray[np.float32]) -> None:
        """texture: (H, W, 3) float32 linear, base colour of a material of the assembly."""
        self._colours.set_texture(material, texture)

    def set_map(self, material: int, name: str, texture: NDArray[np.float32]) -> None:
        """texture: (H, W, C) float32, one of a material's maps (core.material_maps), where shading is lit."""
        assert self._lit is not None
        self._lit.materials.set_map(material, name, texture)

    def set_lights(self, lights: SceneLights) -> None:
        """The lights with other values, where shading is lit."""
        assert self._lit is not None
        self._lit.set_lights(lights)

    def pair(
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
    ) -> PairBuffers:
        """Rasterise theta plus and theta minus with the same jitter; compare; read losses and IDs.

        moved: how the vertices are perturbed, or where they are; IDs are of the assemblies named there.
        background: (3,) linear, behind a reference that is not folded. with_geometry: what the plus image
        shows, as a geometry buffer, where shading is lit.
        """
        with stopwatch.stage("raster"):
            targets = self._draw_pair(view, jitter, moved, reference, match, loss, background, with_geometry)
            if stopwatch.precise:
                self._reader.wait(targets[1])
        # Both draws are queued before the first read waits for them.
        with stopwatch.stage("read"):
            plus, minus = (
                (self._reader.read(t, 0, 1, "FLOAT"), self._reader.read(t, 1, 1, "UINT")) for t in targets
            )
            geometry = self._read_geometry(targets[0], plus[1], 2) if with_geometry else None
        return PairBuffers(
            loss_plus=plus[0], id_plus=plus[1], loss_minus=minus[0], id_minus=minus[1], geometry=geometry
        )

    def _draw_pair(
        self,
        view: View,
        jitter: tuple[float, float],
        moved: Perturbation | ShapePair,
        reference: ReferenceTextures,
        match: tuple[str, ...],
        loss: str,
        background: NDArray[np.float32] | None,
        with_geometry: bool,
    ) -> list[Target]:
        programs = [
            self._loss_program(match, loss, not reference.is_folded, g) for g in (with_geometry, False)
        ]
        poses = self._poses(moved, normals="normals" in programs[1].samplers)
        shared = {
            "world_to_clip": _matrix(view, jitter),
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
            target = self._targets.get(use, view.width, view.height, formats)
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

    def uv_buffer(
        self,
        view: View,
        jitter: tuple[float, float],
        samples: int,
        stopwatch: Stopwatch | None = None,
    ) -> UVBuffer:
        """Triangle, UV and mip level of each sub-pixel sample. jitter: in sub-pixels."""
        stopwatch = stopwatch or Stopwatch()
        wide, high = view.width * samples, view.height * samples
        formats = {"lookup": "RGBA32F", "id": "R32UI"}
        if self.shading == "sun":
            formats["shade"] = "RGBA32F"
        target = self._targets.get("uv", wide, high, formats)
        with stopwatch.stage("raster"):
            self._draw_unperturbed(target, uv_program(self.shading), view.resized(wide, high), jitter)
            if stopwatch.precise:
                self._reader.wait(target)
        with stopwatch.stage("read"):
            lookup = self._reader.read(target, 0, 4, "FLOAT")
            ids = self._reader.read(target, 1, 1, "UINT").copy()
            is_shaded = "shade" in formats
            shade = self._reader.read(target, 2, 4, "FLOAT")[..., :3].copy() if is_shaded else None
            return UVBuffer(ids, lookup[..., :2].copy(), lookup[..., 2].copy(), samples, shade)

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

    def _hidden_back_faces(self, view: View) -> frozenset[int]:
        """The materials whose back faces nothing shows in this view; holes show those of all."""
        has_holes = self._lit is not None and self._lit.materials.has_alpha
        hides = is_before(view, self._positions) and not has_holes
        return self._geometry.closed_materials if hides else frozenset()

    def _draw_unperturbed(
        self,
        target: Target,
        program: Program,
        view: View,
        jitter: tuple[float, float],
        values: dict[str, object] | None = None,
        texels: TexelPerturbation | None = None,
    ) -> None:
        positions = self._geometry.positions
        normals = self._geometry.normals() if "normals" in program.samplers else None
        surface: dict[str, object] = {
            "world_to_clip": _matrix(view, jitter),
            "positions": positions,
            "normals": normals,
        }
        self._draw(target, program, surface | (values or {}), texels)

    def _draw(
        self,
        target: Target,
        program: Program,
        values: dict[str, object],
        texels: TexelPerturbation | None = None,
        without_back_faces: frozenset[int] = frozenset(),
        geometry: Geometry | None = None,
    ) -> None:
        """without_back_faces: materials whose back faces nothing shows. geometry: None for the own one."""
        geometry = geometry or self._geometry
        values = values | {"lights": self._lights, "light_count": self._light_count}
        if "tangents" in program.samplers:
            values["tangents"] = geometry.tangents()
        if self._lit is not None:
            values |= self._lit.light_values()
        materials = self._colours if self._lit is None else self._lit.materials
        with drawing(target, "LESS"):
            target.clear()
            for culled in self._sides:
                for material, first, count in geometry.draw_ranges:
                    if culled == "FRONT" and material in without_back_faces:
                        continue
                    values |= materials.values(material)
                    values["first_triangle"] = first
                    if texels is not None:
                        values["texel_key"], values["texel_epsilon"] = texels.constants(material)
                    program.bind(values)
                    gpu.state.face_culling_set("BACK" if material in without_back_faces else culled)
                    geometry.batch.draw_range(program.shader, elem_start=3 * first, elem_count=3 * count)


def _matrix(view: View, jitter: tuple[float, float]) -> mathutils.Matrix:
    return mathutils.Matrix(jittered(view.world_to_clip, *jitter, view.width, view.height))
