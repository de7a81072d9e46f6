# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lit surfaces as the GPU draws them are what the oracles say: geometry, maps, shading, alpha."""

from __future__ import annotations

from dataclasses import replace

import bpy  # noqa: F401 (the wheel brings gpu along)
import numpy as np
import pytest

from sge_addon.core.assembly import Assembly, assemble
from sge_addon.core.errors import FitError
from sge_addon.core.geometry_buffer import GeometryBuffer, to_eye
from sge_addon.core.lit_shading import LitOracle
from sge_addon.core.map_shader import ShadingPoints
from sge_addon.core.material_maps import MAP_KINDS, SHADED_COLUMNS, SHADED_WIDTH, LitMaterial, MaterialMap
from sge_addon.core.oracle import Fragments, group_normals, rasterise, read_texture
from sge_addon.core.perturbation import perturbation
from sge_addon.core.reference import Reference
from sge_addon.core.scene_lights import Light, SceneLights, World
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.surface import Material
from sge_addon.core.tangents import CornerTangents
from sge_addon.core.texture_block import Texture
from sge_addon.core.view import View
from sge_addon.raster.fitted_surfaces import FittedSurfaces
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.raster.reference_textures import ReferenceTextureCache
from tests.meshes import icosphere, orthographic_view, perspective_view, surface, waves

pytestmark = pytest.mark.usefixtures("gpu_ready")

VIEWS = {
    "perspective": perspective_view(61, 43, 3.0),
    "orthographic": orthographic_view(50, 37, 0.07),
}
CONSTANTS = {
    "base_color": (0.8, 0.5, 0.3),
    "metallic": (0.1,),
    "normal": (0.0, 0.0, 1.0),
    "roughness": (0.4,),
    "emission": (0.0, 0.0, 0.0),
    "alpha": (1.0,),
}


def axes_towards(direction: tuple[float, float, float]) -> np.ndarray:
    """Axes of a lamp that stands there and shines at the origin."""
    z = np.float32(direction) / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    return np.float32([x, np.cross(z, x), z])


LIGHTS = SceneLights(
    (
        Light(
            "sun", "Sun", np.zeros(3, np.float32), axes_towards((1, 1, 2)), np.float32([2.0, 1.8, 1.5]), 0.2
        ),
        Light(
            "point",
            "Lamp",
            np.float32([-1.5, 0.5, 2]),
            np.eye(3, dtype=np.float32),
            np.float32([30, 40, 50]),
            0.3,
        ),
        Light(
            "area",
            "Panel",
            np.float32([1, -2, 2]),
            axes_towards((1, -2, 2)),
            np.float32([60, 40, 30]),
            size=(1.0, 0.5),
        ),
    ),
    World(np.float32([0.2, 0.25, 0.3])),
)


def turned(angle: float, scale: tuple[float, float], offset: tuple[float, float]) -> np.ndarray:
    """(2, 3) of a Mapping node that scales, turns and moves."""
    c, s = np.cos(angle), np.sin(angle)
    return np.float32(np.c_[np.array([[c, -s], [s, c]]) @ np.diag(scale), offset])


def lit(key: str, clip: float | None = None, strength: float = 1.0, **maps: object) -> Material:
    """A material; of each map a constant, a texture, or a MaterialMap."""
    made = {}
    for name, constant in CONSTANTS.items():
        given = maps.get(name, constant)
        if isinstance(given, np.ndarray):
            given = MaterialMap(f"{key}.{name}", constant, given)
        elif not isinstance(given, MaterialMap):
            given = MaterialMap(f"{key}.{name}", given)
        made[name] = given
    material = LitMaterial(
        made,
        ior=1.45,
        specular_level=0.6,
        normal_strength=strength,
        emission_strength=1.5,
        alpha_clip=clip,
    )
    return Material(key, lit=material)


def bumps(height: int, width: int, tilt: float = 0.6) -> np.ndarray:
    """(H, W, 3) a smooth normal map."""
    sideways = (waves(height, width)[..., :2] - 0.5) * tilt
    return np.concatenate([sideways, np.ones((height, width, 1), np.float32)], axis=-1)


def one_channel(height: int, width: int, low: float, high: float) -> np.ndarray:
    return low + (high - low) * waves(height, width)[..., 1:2]


ROUGH = lit(
    "rough",
    base_color=waves(16, 64),
    roughness=MaterialMap("r", (0.5,), one_channel(24, 8, 0.2, 0.9), turned(0.7, (2.0, -1.5), (0.3, 0.1))),
    normal=bumps(32, 32),
    strength=0.8,
)
METAL = lit(
    "metal",
    base_color=(0.9, 0.7, 0.4),
    metallic=one_channel(20, 12, 0.0, 1.0),
    normal=MaterialMap("n", (0.0, 0.0, 1.0), bumps(16, 16), turned(-0.4, (1.0, 3.0), (0.0, 0.7))),
    emission=MaterialMap("e", (0.0,) * 3, 0.2 * waves(8, 8), turned(0.0, (4.0, 4.0), (0.0, 0.0))),
)
EVEN = lit(  # maps of one size at one place, which are packed and share their lookups
    "even",
    base_color=waves(24, 16),
    metallic=one_channel(24, 16, 0.1, 0.8),
    normal=bumps(24, 16),
    roughness=one_channel(24, 16, 0.3, 0.9)[::-1].copy(),
    emission=0.1 * waves(24, 16)[:, ::-1],
)


def scene() -> Assembly:
    """A sphere whose UVs are mirrored on one half, a bowl that shows its inside, and a flat-shaded ball."""
    points, faces = icosphere(2, 0.6)
    slots = (points[faces].mean(axis=1)[:, 1] > 0.2).astype(np.int32)
    ball = surface(points + np.float32([-0.55, 0.1, 0]), faces, "ball", materials=(ROUGH, METAL))
    ball = replace(ball, material_indices=slots)
    shell = faces[points[faces].mean(axis=1)[:, 2] < 0.1]
    bowl = surface(points + np.float32([0.6, -0.3, 0.2]), shell, "bowl", materials=(METAL,))
    points, faces = icosphere(1, 0.3)
    flat = surface(points + np.float32([0.5, 0.6, 0]), faces, "flat", smooth=False, materials=(EVEN,))
    return assemble([ball, bowl, flat])


@pytest.fixture(scope="module")
def mixed() -> Assembly:
    return scene()


@pytest.fixture(scope="module")
def rasteriser(mixed: Assembly, gpu_ready: None) -> Rasteriser:
    return Rasteriser(mixed, "lit", LIGHTS)


def oracle_tangents(assembly: Assembly, positions: np.ndarray) -> np.ndarray:
    """(F, 3, 4)."""
    normals = group_normals(positions, assembly)[assembly.corners[:, 1].astype(int)].astype(np.float32)
    frames = CornerTangents(
        assembly.triangles, assembly.uvs, assembly.corner_indices, assembly.corner_signs, assembly.polygons
    )
    return frames.at(positions, normals)[assembly.corner_indices]


def steady(assembly: Assembly, view: View, jitter: tuple[float, float], fragments: Fragments) -> np.ndarray:
    """Where no edge is within a fiftieth of a pixel."""
    result = fragments.ids > 0
    for x, y in ((-0.02, -0.02), (0.02, -0.02), (-0.02, 0.02), (0.02, 0.02)):
        moved = rasterise(assembly.positions, assembly.triangles, view, (jitter[0] + x, jitter[1] + y))
        result &= moved.ids == fragments.ids
    return result


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_the_geometry_buffer_is_the_oracles(mixed: Assembly, rasteriser: Rasteriser, view: View) -> None:
    jitter = (0.37, -0.21)
    found = rasteriser.geometry_buffer(view, jitter)
    fragments = rasterise(mixed.positions, mixed.triangles, view, jitter)
    safe = steady(mixed, view, jitter, fragments)
    assert safe.sum() > 0.15 * safe.size
    assert (found.ids[safe] == fragments.ids[safe]).all()

    triangle = fragments.ids[safe].astype(int) - 1
    weights = fragments.barycentrics[safe]

    def interpolated(corners: np.ndarray, by: np.ndarray = weights) -> np.ndarray:
        return np.einsum("nk,nkc->nc", by, corners)

    a, b, c = mixed.positions[mixed.triangles[triangle]].transpose(1, 0, 2).astype(float)
    position = interpolated(mixed.positions[mixed.triangles[triangle]])
    facing = np.sign((np.cross(b - a, c - a) * to_eye(view, position.astype(np.float32))).sum(axis=1))
    assert (facing < 0).sum() > 20  # the bowl's inside
    normal = interpolated(group_normals(mixed.positions, mixed)[mixed.normal_groups[triangle]])
    normal *= (facing / np.linalg.norm(normal, axis=1))[:, None]
    tangent = interpolated(oracle_tangents(mixed, mixed.positions)[triangle]) * facing[:, None]
    assert min((tangent[:, 3] > 0).sum(), (tangent[:, 3] < 0).sum()) > 20
    slopes = [interpolated(mixed.uvs[triangle], each[safe]) for each in (fragments.right, fragments.up)]

    for name, expected in {
        "position": position,
        "normal": normal,
        "tangent": tangent,
        "uv": interpolated(mixed.uvs[triangle]),
        "uv_slopes": np.concatenate(slopes, axis=1),
    }.items():
        np.testing.assert_allclose(getattr(found, name)[safe], expected, atol=2e-3, err_msg=name)
    nothing = found.ids == 0
    for name in ("uv", "uv_slopes", "position", "normal", "tangent"):
        assert not getattr(found, name)[nothing].any()


def values_read(material: LitMaterial, buffer: GeometryBuffer, mine: np.ndarray) -> np.ndarray:
    """(P, 12): the maps at the pixels ``mine``, by NumPy."""
    values = np.empty((mine.sum(), SHADED_WIDTH), np.float32)
    for name, columns in SHADED_COLUMNS.items():
        each = material.maps[name]
        if each.texture is None:
            values[:, columns] = each.value
            continue
        lookup = buffer.lookup(each.uv_transform, each.texture.shape[:2])
        values[:, columns] = read_texture(each.texture, lookup.uv[mine].astype(float), lookup.level[mine])
    return values


def shaded(assembly: Assembly, buffer: GeometryBuffer, view: View, lights: SceneLights) -> np.ndarray:
    """(H, W, 3): the oracle's picture on a geometry buffer."""
    materials = [material.lit for material in assembly.materials]
    oracle = LitOracle(materials, lights)
    picture = np.zeros((*buffer.ids.shape, 3), np.float32)
    shown = np.concatenate(([-1], assembly.texture_of_triangle))[buffer.ids]
    for index, material in enumerate(materials):
        mine = shown == index
        position = buffer.position[mine]
        points = ShadingPoints(
            position, buffer.normal[mine], buffer.tangent[mine], to_eye(view, position), index
        )
        picture[mine] = oracle.colour(oracle.prepare(points), values_read(material, buffer, mine))
    return picture


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_picture_is_the_oracles_on_the_geometry_buffer(
    mixed: Assembly, rasteriser: Rasteriser, view: View
) -> None:
    """Same samples in both, so that edges agree as well; at a change of mip level they may differ."""
    buffer = rasteriser.geometry_buffer(view, (0.0, 0.0))
    found = rasteriser.render(view, 1, normal=True)
    expected = shaded(mixed, buffer, view, LIGHTS)
    assert ((found.colour[..., 3] > 0) == (buffer.ids > 0)).all()
    difference = np.abs(found.colour[..., :3] - expected).max(axis=-1)
    shown = buffer.ids > 0
    assert expected[shown].std() > 0.1
    assert np.quantile(difference[shown], 0.99) < 3e-3 * expected.max()
    assert np.median(difference[shown]) < 1e-4
    # The normal that is matched is the mesh's, on back faces as well.
    front = 0.5 + 0.5 * buffer.normal
    back = 0.5 - 0.5 * buffer.normal
    apart = np.minimum(np.abs(found.normal - front).max(axis=-1), np.abs(found.normal - back).max(axis=-1))
    assert apart[shown].max() < 1e-5


def test_without_textures_and_lights_only_emission_is_left() -> None:
    glowing = lit("glow", emission=(0.2, 0.3, 0.4))
    view = VIEWS["perspective"]
    rasteriser = Rasteriser(
        assemble([surface(*icosphere(1, 0.6), materials=(glowing,))]), "lit", SceneLights()
    )
    colour = rasteriser.render(view, 1).colour
    np.testing.assert_allclose(
        colour[colour[..., 3] > 0][:, :3], [[0.3, 0.45, 0.6]] * (colour[..., 3] > 0).sum(), rtol=1e-5
    )


@pytest.mark.parametrize("background", [None, np.float32([0.3, 0.1, 0.6])], ids=["known", "random"])
def test_the_loss_of_a_pair_is_that_of_the_pictures(
    mixed: Assembly, rasteriser: Rasteriser, background: np.ndarray | None
) -> None:
    view = VIEWS["perspective"]
    picture = np.ones((view.height, view.width, 4), np.float32)
    picture[..., :3] = waves(view.height, view.width)
    reference = Reference(view, picture, False)
    textures = ReferenceTextureCache([reference], ("colour",), "l1", fold=background is None).get(0)
    still = perturbation(view, 0.0, 0)
    pair = rasteriser.draw_pair(
        view, (0.0, 0.0), still, textures, ("colour",), "l1", Stopwatch(), background, with_geometry=True
    )()
    colour = rasteriser.render(view, 1).colour[..., :3]
    shown = pair.id_plus > 0
    expected = np.abs(colour - picture[..., :3]).mean(axis=-1)
    if background is not None:
        expected -= np.abs(background - picture[..., :3]).mean(axis=-1)
    np.testing.assert_allclose(pair.loss_plus[shown], expected[shown], atol=2e-3)
    np.testing.assert_array_equal(pair.loss_plus, pair.loss_minus)
    alone = rasteriser.geometry_buffer(view, (0.0, 0.0))
    for name in ("ids", "uv", "uv_slopes", "position", "normal", "tangent"):
        np.testing.assert_allclose(
            getattr(pair.geometry, name), getattr(alone, name), atol=1e-5, err_msg=name
        )


def test_the_geometry_of_a_pair_is_that_of_the_plus_image(mixed: Assembly) -> None:
    view, jitter = VIEWS["perspective"], (0.2, -0.4)
    rasteriser = Rasteriser(mixed, "lit", LIGHTS)
    reference = Reference(view, np.zeros((view.height, view.width, 4), np.float32), True)
    textures = ReferenceTextureCache([reference], ("colour", "alpha"), "l1").get(0)
    moved = perturbation(view, 0.5, 7)
    plain, seen = (
        rasteriser.draw_pair(
            view, jitter, moved, textures, ("colour", "alpha"), "l1", Stopwatch(), None, geometry
        )()
        for geometry in (False, True)
    )
    assert plain.geometry is None
    for name in ("loss_plus", "loss_minus", "id_plus", "id_minus"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(seen, name))
    rasteriser.set_positions(mixed.positions + moved.offsets(mixed.positions, mixed.movable))
    expected = rasteriser.geometry_buffer(view, jitter)
    same = seen.geometry.ids == expected.ids
    assert same.mean() > 0.998  # back faces of closed parts are left out of pairs
    for name in ("uv", "position", "normal"):
        np.testing.assert_allclose(
            getattr(seen.geometry, name)[same], getattr(expected, name)[same], atol=2e-4, err_msg=name
        )
    # Tangents are those of the shape at rest, laid across the perturbed normals.
    shown = same & (expected.ids > 0)
    here, there = seen.geometry.tangent[shown], expected.tangent[shown]
    assert np.median((here[:, :3] * there[:, :3]).sum(axis=1)) > 0.95


@pytest.mark.parametrize("size", [(24, 16), (8, 32)], ids=["same size", "other size"])
def test_maps_and_lights_can_be_replaced(mixed: Assembly, size: tuple[int, int]) -> None:
    """What is shown then is what a new rasteriser shows, wherever maps were packed or no longer can be."""
    view = VIEWS["perspective"]
    rasteriser = Rasteriser(mixed, "lit", LIGHTS)
    before = rasteriser.render(view, 2).colour
    fitted = {
        "roughness": Texture("roughness", one_channel(*size, 0.1, 1.0)),
        "normal": Texture("normal", bumps(*size, 0.2)),
        "alpha": Texture("alpha", one_channel(*size, 0.2, 1.0)),
    }
    surfaces = FittedSurfaces(
        rasteriser, [], [fitted if each is EVEN else {} for each in mixed.materials], Stopwatch()
    )
    surfaces.updated()
    dimmed = replace(LIGHTS, world=World(np.float32([0.0, 0.1, 0.0])))
    rasteriser.set_lights(dimmed)
    found = rasteriser.render(view, 2).colour

    wanted = {name: replace(EVEN.lit.maps[name], texture=texture.value) for name, texture in fitted.items()}
    other = replace(EVEN, lit=replace(EVEN.lit, maps={**EVEN.lit.maps, **wanted}))
    materials = tuple(other if each is EVEN else each for each in mixed.materials)
    changed = replace(mixed, materials=materials)
    expected = Rasteriser(changed, "lit", dimmed).render(view, 2).colour
    np.testing.assert_array_equal(found, expected)
    assert np.abs(found - before).max() > 0.02
    uploads = []
    rasteriser.set_map = lambda *_: uploads.append(1)
    surfaces.updated()
    assert not uploads
    reference = Reference(view, np.zeros((view.height, view.width, 4), np.float32), True)
    np.testing.assert_array_equal(
        surfaces.geometry(reference, (0.1, 0.2)).uv, rasteriser.geometry_buffer(view, (0.1, 0.2)).uv
    )


def card(material: Material, z: float = 0.0, side: float = 4.0) -> object:
    """A square across the whole view, its UVs from 0 to 1."""
    corners = np.float32([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * (0.5 * side) + np.float32(
        [0, 0, z]
    )
    faces = np.int32([[0, 1, 2], [0, 2, 3]])
    made = surface(corners, faces, f"card {z}", materials=(material,))
    return replace(made, uvs=(corners[:, :2] / side + np.float32(0.5))[faces])


FRONT = orthographic_view(64, 48, 0.05)


def test_alpha_clip_cuts_where_alpha_is_below(rasteriser: Rasteriser) -> None:
    alpha = one_channel(16, 16, 0.0, 1.0)
    cut = assemble([card(lit("leaf", clip=0.4, alpha=alpha, emission=(0.5, 0.5, 0.5)))])
    drawn = Rasteriser(cut, "lit", LIGHTS)
    whole = replace(cut, materials=(lit("leaf", alpha=(1.0,)),))
    buffer = Rasteriser(whole, "lit", LIGHTS).geometry_buffer(FRONT, (0.0, 0.0))
    read = values_read(cut.materials[0].lit, buffer, buffer.ids > 0)[:, 11].reshape(buffer.ids.shape)
    sure = np.abs(read - 0.4) > 1e-3
    expected = read >= 0.4
    assert 0.2 < expected.mean() < 0.8
    assert ((drawn.render(FRONT, 1).colour[..., 3] == 1.0) == expected)[sure].all()
    assert ((drawn.geometry_buffer(FRONT, (0.0, 0.0)).ids > 0) == expected)[sure].all()


def coverage_of_pairs(assembly: Assembly, view: View, count: int) -> np.ndarray:
    """(H, W): how often the pixels are covered, over seeds; checks that both images draw the same lots."""
    rasteriser = Rasteriser(assembly, "lit", SceneLights())
    reference = Reference(view, np.zeros((view.height, view.width, 4), np.float32), True)
    textures = ReferenceTextureCache([reference], ("colour", "alpha"), "l1").get(0)
    total = np.zeros((view.height, view.width))
    for seed in range(count):
        still = perturbation(view, 0.0, seed)
        pair = rasteriser.draw_pair(
            view, (0.0, 0.0), still, textures, ("colour", "alpha"), "l1", Stopwatch()
        )()
        np.testing.assert_array_equal(pair.id_plus, pair.id_minus)
        total += pair.id_plus > 0
    return total / count


def test_a_pair_covers_with_the_probability_alpha() -> None:
    alpha = one_channel(16, 16, 0.0, 1.0)
    assembly = assemble([card(lit("veil", alpha=alpha))])
    count = 200
    found = coverage_of_pairs(assembly, FRONT, count)
    whole = replace(assembly, materials=(lit("veil"),))
    buffer = Rasteriser(whole, "lit", SceneLights()).geometry_buffer(FRONT, (0.0, 0.0))
    read = values_read(assembly.materials[0].lit, buffer, buffer.ids > 0)[:, 11].reshape(found.shape)
    spread = np.sqrt(np.maximum(read * (1.0 - read), 1e-4) / count)
    assert abs(((found - read) / spread).mean()) < 0.1
    assert 0.9 < ((found - read) / spread).std() < 1.1
    # The first layer is there whatever its alpha, unless that is nothing at all.
    first = Rasteriser(assembly, "lit", SceneLights()).geometry_buffer(FRONT, (0.0, 0.0)).ids
    assert ((first > 0) == (read > 0)).all()


def test_a_closed_surface_with_alpha_shows_its_inside() -> None:
    """Behind the front there is the back: 1 - (1 - a)^2 is covered, by independent lots."""
    assembly = assemble([surface(*icosphere(2, 0.9), materials=(lit("glass", alpha=(0.4,)),))])
    view = orthographic_view(24, 24, 0.04)
    assert coverage_of_pairs(assembly, view, 40)[6:18, 6:18].mean() == pytest.approx(1.0 - 0.6**2, abs=0.015)


def test_sixteen_samples_show_sixteen_levels_of_alpha() -> None:
    alpha = 0.3
    assembly = assemble([card(lit("veil", alpha=(alpha,), emission=(1.0, 1.0, 1.0)))])
    rasteriser = Rasteriser(assembly, "lit", SceneLights())
    found = rasteriser.render(FRONT, 4).colour
    levels = found[..., 3] * 16
    assert set(np.unique(levels)) == {4.0, 5.0}  # 0.3 is 4.8 sixteenths
    assert found[..., 3].mean() == pytest.approx(alpha, abs=0.003)
    np.testing.assert_allclose(found[..., 0], 1.5 * found[..., 3], rtol=1e-5)
    np.testing.assert_array_equal(rasteriser.render(FRONT, 4).colour, found)


def test_layers_of_two_materials_are_composed() -> None:
    near = lit("near", alpha=(0.5,), emission=(1.0, 0.0, 0.0), base_color=(0.0, 0.0, 0.0))
    far = lit("far", alpha=(0.6,), emission=(0.0, 1.0, 0.0), base_color=(0.0, 0.0, 0.0))
    found = Rasteriser(assemble([card(near, 0.5), card(far)]), "lit", SceneLights()).render(FRONT, 4).colour
    np.testing.assert_allclose(found.mean(axis=(0, 1)), [1.5 * 0.5, 1.5 * 0.5 * 0.6, 0.0, 0.8], atol=0.01)


def test_a_material_without_its_maps_is_refused_by_name() -> None:
    points, faces = icosphere(0)
    bare = assemble([surface(points, faces, materials=(Material("Brass"),))])
    with pytest.raises(FitError, match="Brass"):
        Rasteriser(bare, "lit", SceneLights())
    unassigned = assemble([surface(points, faces)])
    assert Rasteriser(unassigned, "lit", LIGHTS).render(VIEWS["perspective"], 1).colour[..., :3].max() > 0.1


def test_there_is_a_constant_for_every_shaded_map() -> None:
    assert set(CONSTANTS) == set(SHADED_COLUMNS) <= set(MAP_KINDS)
