# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The surfaces as they stand, and how any program draws them."""

from __future__ import annotations

from typing import Self
from weakref import WeakKeyDictionary

import gpu
import mathutils
import numpy as np
from numpy.typing import NDArray

from ..core.assembly import Assembly
from ..core.closed_surfaces import is_before
from ..core.group_normals import GroupAreas
from ..core.lights import SunLights
from ..core.picture_area import Area, seen_area
from ..core.scene_lights import SceneLights
from ..core.texel_signs import TexelPerturbation
from ..core.view import View, jittered
from .base_colours import BaseColours
from .geometry import Geometry
from .lit_surfaces import LitSurfaces
from .program import Program
from .tables import Reader, upload_image
from .targets import Target, TargetPool, drawing


class SurfaceDrawing:
    """Draws one assembly of surfaces. Base colours come from one atlas a material, or a constant; with the
    shading "lit" all maps of the materials' ``lit``, under SceneLights."""

    def __init__(self, assembly: Assembly, shading: str, lights: SunLights | SceneLights) -> None:
        self.assembly = assembly
        self.shading = shading
        self._targets = TargetPool()
        self._reader = Reader()
        self._geometry = Geometry(assembly, self._targets)
        self._given_lights = lights
        suns = lights if isinstance(lights, SunLights) else SunLights()
        self._lights = upload_image(suns.table()[None])
        self._light_count = len(suns.directions)
        self._lit = LitSurfaces(assembly.materials, lights) if isinstance(lights, SceneLights) else None
        # Lit fragments are dear: back faces come last, when depth tells that hardly any of them is seen.
        self._sides = ("NONE",) if self._lit is None else ("BACK", "FRONT")
        self._colours = BaseColours(assembly.materials if self._lit is None else ())
        self.set_positions(assembly.positions)

    def of(self, assembly: Assembly) -> Self:
        """What draws another assembly likewise."""
        return type(self)(assembly, self.shading, self._given_lights)

    @property
    def shows_textures(self) -> bool:
        """Whether what is drawn may differ from place to place by more than the shape."""
        return self._lit is not None or (self._colours.is_textured and self.shading != "normal")

    def shows_normals(self, match: tuple[str, ...]) -> bool:
        """Whether what is matched of pictures depends on normals. match: of FitSettings."""
        return ("colour" in match and self.shading != "unlit") or "normal" in match

    @property
    def group_areas(self) -> GroupAreas | None:
        """Of the normals of the positions as they are, where they were worked out here to be drawn."""
        return self._geometry.group_areas

    def set_positions(self, positions: NDArray[np.float32]) -> None:
        """positions: (V, 3) float32, world space, of all surfaces."""
        self._positions = positions
        self._areas: WeakKeyDictionary[View, Area] = WeakKeyDictionary()
        self._unseen_back_faces: WeakKeyDictionary[View, frozenset[int]] = WeakKeyDictionary()
        self._geometry.upload(positions)

    def area(self, view: View) -> Area:
        """Where the view can show the surfaces as they are, with pixels moved by up to one."""
        if view not in self._areas:
            self._areas[view] = seen_area(view, self._positions, 1.0)
        return self._areas[view]

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

    def _hidden_back_faces(self, view: View) -> frozenset[int]:
        """The materials whose back faces nothing shows in this view; holes show those of all."""
        has_holes = self._lit is not None and self._lit.materials.has_alpha
        hides = is_before(view, self._positions) and not has_holes
        return self._geometry.closed_materials if hides else frozenset()

    def _learn_back_faces(self, view: View, seen: NDArray[np.uint32]) -> None:
        """Which materials show none in a view. seen: (N,) the triangles + 1 whose back faces all pixels'
        centres show."""
        self._unseen_back_faces[view] = frozenset(
            material
            for material, first, count in self._geometry.draw_ranges
            if not ((seen > first) & (seen <= first + count)).any()
        )

    def _draw_unperturbed(
        self,
        target: Target,
        program: Program,
        view: View,
        jitter: tuple[float, float],
        values: dict[str, object] | None = None,
        texels: TexelPerturbation | None = None,
        without_back_faces: frozenset[int] = frozenset(),
    ) -> None:
        positions = self._geometry.positions
        normals = self._geometry.normals() if "normals" in program.samplers else None
        surface: dict[str, object] = {
            "world_to_clip": clip_matrix(view, jitter),
            "positions": positions,
            "normals": normals,
        }
        self._draw(target, program, surface | (values or {}), texels, without_back_faces)

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


def clip_matrix(view: View, jitter: tuple[float, float]) -> mathutils.Matrix:
    return mathutils.Matrix(jittered(view.world_to_clip, *jitter, view.width, view.height))
