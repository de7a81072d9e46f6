# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rasteriser needs where shading is lit: materials, lights, and programs that suit both."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.scene_lights import SceneLights
from ..core.surface import Material
from ..core.view import View
from .lit_materials import LitMaterials, view_block
from .lit_resources import LitResources
from .program import Program
from .programs_lit import LitVariant, geometry_program, lit_edge_program, lit_loss_program, lit_render_program


class LitSurfaces:
    """The materials of an assembly under the lights of a scene."""

    def __init__(self, materials: Sequence[Material], lights: SceneLights) -> None:
        self.materials = LitMaterials(materials)
        self._lights = LitResources(lights)

    def set_lights(self, lights: SceneLights) -> None:
        """As many lights as before or fewer, with another position or power, and the world likewise."""
        self._lights.set_lights(lights)

    def light_values(self) -> dict[str, object]:
        """What programs read of the lights."""
        return self._lights.values()

    def view_values(self, view: View, key: int = 0, samples: int = 1) -> dict[str, object]:
        """What programs read of a view. key: of the seed by which alpha is drawn; samples: along a side
        of a pixel."""
        return {"lit_view": view_block(view, key, samples)}

    def loss_program(
        self, match: tuple[str, ...], loss: str, background: bool, geometry: bool, tilted: bool
    ) -> Program:
        """Of the pair of losses."""
        return lit_loss_program(self._variant, match, loss, background, geometry, tilted)

    def edge_program(self, match: tuple[str, ...], loss: str, background: bool) -> Program:
        """Of the deterministic gradient."""
        return lit_edge_program(self._variant, match, loss, background)

    def render_program(self, normal: bool) -> Program:
        """Of the picture."""
        return lit_render_program(self._variant, normal)

    def geometry_program(self) -> Program:
        """Of the geometry buffer; the lights have no part in it."""
        return geometry_program(self._shape if self.materials.has_alpha else None)

    @property
    def _shape(self) -> LitVariant:
        """Of programs that shade nothing."""
        materials = self.materials
        reads_alpha = materials.has_alpha and "alpha" in materials.textured
        return LitVariant(("alpha",) if reads_alpha else (), materials.has_alpha)

    @property
    def _variant(self) -> LitVariant:
        lights = self._lights
        return LitVariant(
            textured=self.materials.textured,
            has_alpha=self.materials.has_alpha,
            sources=tuple(lights.sources),
            samplers=tuple(lights.samplers),
            blocks=tuple(lights.blocks.items()),
            defines=("SGE_SHADE_LIT", *lights.defines),
        )
