# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GPU draws what the oracle says, at every pixel that is not on an edge."""

from __future__ import annotations

from dataclasses import dataclass, replace

import bpy  # noqa: F401 (the wheel brings gpu along)
import numpy as np
import pytest

from sge_addon.core.assembly import Assembly, assemble
from sge_addon.core.background import Background
from sge_addon.core.lights import SunLights
from sge_addon.core.lookups import UVBuffer
from sge_addon.core.oracle import OracleImage, rasterise, relative_loss, render
from sge_addon.core.perturbation import perturbation
from sge_addon.core.reference import Reference
from sge_addon.core.stopwatch import Stopwatch
from sge_addon.core.surface import Material, Surface
from sge_addon.core.view import View
from sge_addon.raster.rasteriser import Rasteriser
from sge_addon.raster.reference_textures import ReferenceTextureCache
from tests.meshes import icosphere, orthographic_view, perspective_view, surface, waves

pytestmark = pytest.mark.usefixtures("gpu_ready")

LIGHTS = SunLights(
    world=np.float32([0.1, 0.15, 0.2]),
    directions=np.float32([[0.0, 0.6, 0.8], [-0.8, 0.0, 0.6]]),
    irradiance=np.float32([[2.0, 1.5, 1.0], [0.3, 0.6, 1.2]]),
)
VIEWS = {
    "perspective": perspective_view(61, 43, 3.0),
    "upright": perspective_view(34, 57, 2.6, 0.9),
    "orthographic": orthographic_view(50, 37, 0.07),
}
SHADINGS = ["unlit", "normal", "sun"]


def scene() -> Assembly:
    """Meshes and materials mixed as a user might, with everything that makes a rasteriser stumble."""
    wide, square = Material("wide", texture=waves(16, 64)), Material("square", texture=waves(24, 24)[::-1])
    plain = Material("plain", (0.7, 0.3, 0.1))
    points, faces = icosphere(1, 0.55)
    slots = (np.arange(len(faces)) % 3).astype(np.int32)
    smooth = surface(points + np.float32([-0.6, 0.2, 0.0]), faces, "smooth", materials=(square, plain, wide))
    smooth = replace(smooth, material_indices=slots)
    flat = surface(points + np.float32([0.6, 0.1, 0.1]), faces, "flat", smooth=False, materials=(wide,))
    # A bowl, seen from inside: its outer half is cut away; half its triangles are smooth.
    points, faces = icosphere(2, 0.5)
    faces = faces[points[faces].mean(axis=1)[:, 2] < 0.1]
    bowl = surface(points + np.float32([0.0, -0.5, 0.4]), faces, "bowl", materials=(plain, square))
    groups = bowl.normal_groups.copy()
    groups[::2] = len(points) + np.arange(len(groups[::2]))[:, None]
    slots = (np.arange(len(faces)) % 2).astype(np.int32)
    bowl = replace(bowl, normal_groups=groups, material_indices=slots)
    # A floor that passes below the camera and ends far behind it: minified far off, cut by the near plane.
    corners = np.float32([[-20, -1.2, 15], [20, -1.2, 15], [20, -1.0, -40], [-20, -1.0, -40]])
    floor = np.int32([[0, 1, 2], [0, 2, 3]])
    uvs = (corners[:, [0, 2]] * np.float32([0.3, 0.17]))[floor]
    ground = Surface("ground", corners, floor, floor, uvs, materials=(square,))
    # Triangles without area, one of them through the camera, and one wholly behind it.
    line = [[0, 0, 0], [1, 1, 0], [0.5, 0.5, 0], [0, 0, 3], [0.3, 0.1, 1]]
    points = np.float32([*line, [-5, -5, 30], [5, -5, 30], [0, 5, 30]])
    faces = np.int32([[0, 1, 2], [0, 0, 1], [1, 1, 1], [5, 6, 7], [0, 3, 0]])
    waste = surface(points, faces, "waste", materials=(plain,))
    return assemble([smooth, ground, waste, flat, bowl])


@dataclass
class Pictured:
    """What the oracle sees, and where it may be compared."""

    image: OracleImage
    steady: np.ndarray  # no edge within a fiftieth of a pixel
    same_level: np.ndarray  # and no change of mip level near


_SEEN: dict[tuple, Pictured] = {}


def look(assembly: Assembly, positions: np.ndarray, view: View, shading: str, jitter=(0.0, 0.0)) -> Pictured:
    """The oracle takes its time, so it is asked the same thing once."""
    key = (assembly, positions.tobytes(), view, shading, jitter)
    if key not in _SEEN:
        _SEEN[key] = _look(assembly, positions, view, shading, jitter)
    return _SEEN[key]


def _look(assembly: Assembly, positions: np.ndarray, view: View, shading: str, jitter) -> Pictured:
    image = render(assembly, positions, view, shading, LIGHTS, jitter)
    steady = np.ones(image.level.shape, bool)
    for x, y in ((-0.02, -0.02), (0.02, -0.02), (-0.02, 0.02), (0.02, 0.02)):
        moved = rasterise(positions, assembly.triangles, view, (jitter[0] + x, jitter[1] + y))
        steady &= moved.ids == image.fragments.ids
    between = np.abs((image.level + 0.5) - np.round(image.level + 0.5)) < 0.05
    return Pictured(image, steady, steady & ~(between & (image.level > 0.0)))


@pytest.fixture(scope="module")
def mixed() -> Assembly:
    return scene()


def test_the_scene_has_what_it_is_for(mixed: Assembly) -> None:
    for name, view in VIEWS.items():
        pictured = look(mixed, mixed.positions, view, "sun")
        ids = pictured.image.fragments.ids
        assert pictured.steady.mean() > 0.85
        assert pictured.same_level.mean() > 0.7
        assert 0.02 < (ids == 0).mean() < 0.8
        seen = np.unique(ids[pictured.steady])
        materials = mixed.texture_of_triangle[seen[seen > 0].astype(int) - 1]
        assert set(materials) == {0, 1, 2}
        depth = (np.c_[mixed.positions, np.ones(len(mixed.positions))] @ view.world_to_clip.T)[:, 3]
        crossing = np.flatnonzero((depth[mixed.triangles] < 0.0).any(axis=1)) + 1
        if view.is_perspective:
            assert np.isin(crossing, seen).any(), name
            assert pictured.image.level.max() > 2.0
            assert (pictured.image.normal[..., 2] < -0.1).sum() > 20  # back faces: the bowl's inside


@pytest.mark.parametrize("jitter", [(0.0, 0.0), (0.37, -0.21)])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_ids_uvs_levels_and_shade(mixed: Assembly, view: View, jitter: tuple[float, float]) -> None:
    expected = look(mixed, mixed.positions, view, "sun", jitter)
    found = Rasteriser(mixed, "sun", LIGHTS).uv_buffer(view, jitter, 1)
    image, steady = expected.image, expected.steady
    assert (found.ids == image.fragments.ids)[steady].all()
    seen = steady & (image.fragments.ids > 0)
    textured = [m.texture is not None for m in mixed.materials]
    sizes = [(1, 1) if m.texture is None else m.texture.shape[1::-1] for m in mixed.materials]
    material = mixed.texture_of_triangle[image.fragments.ids[seen].astype(int) - 1]
    texels = np.abs(found.uv[seen] - image.uv[seen]) * np.asarray(sizes)[material]
    # GPUs snap corners to 1/256 of a pixel; a level says how many texels a pixel is.
    allowed = 0.02 * np.exp2(np.maximum(image.level[seen], 0.0)) + 0.002
    assert (texels.max(axis=1) <= allowed).all()
    shown = np.asarray(textured)[material]
    np.testing.assert_allclose(found.level[seen][shown], image.level[seen][shown], atol=0.03)
    np.testing.assert_allclose(found.shade[seen], image.shade[seen], atol=3e-3)


@pytest.mark.parametrize("shading", SHADINGS)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_colours_and_normals(mixed: Assembly, view: View, shading: str) -> None:
    expected = look(mixed, mixed.positions, view, shading)
    picture = Rasteriser(mixed, shading, LIGHTS).render(view, samples=1, normal=True)
    where = expected.same_level
    np.testing.assert_allclose(picture.colour[where], expected.image.colour[where], atol=6e-3)
    covered = expected.image.fragments.ids[where] > 0
    normal = (0.5 + 0.5 * expected.image.normal[where]) * covered[:, None]
    np.testing.assert_allclose(picture.normal[where], normal, atol=3e-3)


BACKGROUNDS = {
    "transparent": Background(),
    "colour": Background("colour", (0.9, 0.25, 0.5)),
    "random": Background("random"),
}


@pytest.mark.parametrize("background", BACKGROUNDS.values(), ids=BACKGROUNDS)
@pytest.mark.parametrize("loss", ["l1", "l2", "log_l1"])
@pytest.mark.parametrize(
    ("shading", "match"),
    [
        ("unlit", ("colour", "alpha")),
        ("sun", ("colour", "alpha", "normal")),
        ("normal", ("colour", "alpha")),
        ("unlit", ("alpha",)),
        ("unlit", ("normal",)),
        ("sun", ("colour",)),
    ],
)
@pytest.mark.parametrize("has_alpha", [True, False])
def test_losses_of_the_perturbed_pair(
    mixed: Assembly,
    shading: str,
    match: tuple[str, ...],
    loss: str,
    has_alpha: bool,
    background: Background,
) -> None:
    if not has_alpha:
        match = tuple(name for name in match if name != "alpha") or ("colour",)
    view, jitter = VIEWS["perspective"], (-0.3, 0.12)
    rng = np.random.default_rng(0)
    shape = (view.height, view.width)
    noise = rng.random((*shape, 7)).astype(np.float16).astype(np.float32)  # exact in half floats
    if not has_alpha:
        noise[..., 3] = 1.0
    reference = Reference(view, noise[..., :4], has_alpha, noise[..., 4:])
    behind = background.behind(reference, 99)
    rasteriser = Rasteriser(mixed, shading, LIGHTS)
    drawn = perturbation(view, 0.7, 99)
    textures = ReferenceTextureCache([reference], match, loss, background).get(0)
    pair = rasteriser.draw_pair(view, jitter, drawn, textures, match, loss, Stopwatch(), behind)()
    offsets = drawn.offsets(mixed.positions, mixed.movable)
    for sign, found, ids in ((1, pair.loss_plus, pair.id_plus), (-1, pair.loss_minus, pair.id_minus)):
        expected = look(mixed, mixed.positions + sign * offsets, view, shading, jitter)
        assert (ids == expected.image.fragments.ids)[expected.steady].all()
        where = expected.same_level if "colour" in match else expected.steady
        wanted = relative_loss(reference, expected.image, match, loss, behind)
        np.testing.assert_allclose(found[where], wanted[where], atol=1.2e-2)
        assert np.abs(found[where] - wanted[where]).mean() < 3e-4
        assert not found[ids == 0].any()


@pytest.mark.parametrize("slopes", [False, True])
def test_one_picture_of_uvs_is_drawn_while_another_waits(mixed: Assembly, slopes: bool) -> None:
    rasteriser = Rasteriser(mixed, "sun", LIGHTS)
    view = perspective_view(48, 40)
    jitters = [(0.1, 0.2), (-0.3, 0.4), (0.25, -0.45)]
    wanted = [rasteriser.uv_buffer(view, jitter, 1) for jitter in jitters]
    read_first = rasteriser.draw_uv(view, jitters[0], Stopwatch(), slopes)
    read_second = rasteriser.draw_uv(view, jitters[1], Stopwatch(), slopes)
    first = read_first()
    second = read_second()
    for found, own in ((first, wanted[0]), (second, wanted[1])):
        assert_same_where_covered(found, own)
    third = rasteriser.draw_uv(view, jitters[2], Stopwatch(), slopes)()
    assert_same_where_covered(third, wanted[2])
    assert_same_where_covered(second, wanted[1])  # what was read last stays
    assert (third.slopes is not None) == slopes


def test_uvs_are_read_where_surfaces_can_be() -> None:
    points, faces = icosphere(2, 0.4)
    rasteriser = Rasteriser(assemble([surface(points, faces, "ball")]), "sun", LIGHTS)
    view, jitter = perspective_view(256, 200), (0.4, -0.4)
    for move in (np.float32([0.5, -0.3, 0.0]), np.float32([-0.5, 0.3, 0.0])):
        rasteriser.set_positions(points + move)
        whole = rasteriser.uv_buffer(view, jitter, 1)
        found = rasteriser.draw_uv(view, jitter, Stopwatch(), slopes=True)()
        assert found.area is not None
        assert found.ids.size < 0.3 * whole.ids.size
        assert np.count_nonzero(found.ids) == np.count_nonzero(whole.ids) > 2000
        parts = {name: found.area.part(getattr(whole, name)) for name in ("ids", "uv", "level", "shade")}
        assert_same_where_covered(found, UVBuffer(**parts, samples=1))


@pytest.mark.parametrize("from_behind", [False, True])
def test_back_faces_that_no_centre_shows_are_left_out(from_behind: bool) -> None:
    """Half a ball, whose opening the camera sees or not, beside a ball that is turned inside out."""
    points, faces = icosphere(2, 0.4)
    half = faces[points[faces][..., 2].mean(axis=1) * (-1.0 if from_behind else 1.0) > 0.0]
    behind = points * np.float32(0.5) + np.float32([0.9, 0.0, 0.0])
    surfaces = [
        surface(points, half, "half", materials=(Material("half", texture=waves(16, 16)),)),
        surface(behind, faces[:, ::-1], "inside out", materials=(Material("other", texture=waves(8, 8)),)),
    ]
    rasteriser, fresh = (Rasteriser(assemble(surfaces), "sun", LIGHTS) for _ in range(2))
    view, jitter = perspective_view(128, 100), (0.3, -0.4)
    rasteriser.draw_uv(view, (0.0, 0.0), Stopwatch(), slopes=True)()
    left_out = rasteriser._unseen_back_faces[view]
    found, whole = (each.draw_uv(view, jitter, Stopwatch())() for each in (rasteriser, fresh))
    assert_same_where_covered(found, whole)
    assert np.array_equal(found.ids, whole.ids)
    assert left_out == (frozenset() if from_behind else frozenset({0}))
    rasteriser.set_positions(rasteriser.assembly.positions)  # which may have moved
    assert view not in rasteriser._unseen_back_faces


def assert_same_where_covered(found: UVBuffer, own: UVBuffer) -> None:
    """Elsewhere anything may be in what is read at once."""
    assert (found.ids == own.ids).all()
    covered = own.ids > 0
    assert covered.any()
    assert (found.uv[covered] == own.uv[covered]).all()
    assert (found.level[covered] == own.level[covered]).all()
    assert found.shade is not None
    assert own.shade is not None
    assert (found.shade[covered] == own.shade[covered]).all()


def test_view_sizes_may_change_from_call_to_call(mixed: Assembly) -> None:
    rasteriser = Rasteriser(mixed, "sun", LIGHTS)
    first = [rasteriser.uv_buffer(view, (0.1, 0.2), 1) for view in VIEWS.values()]
    for _ in range(3):  # also more sizes than are kept
        for side in range(20, 30):
            rasteriser.uv_buffer(perspective_view(side, 31), (0.0, 0.0), 1)
    for view, before in zip(VIEWS.values(), first, strict=True):
        again = rasteriser.uv_buffer(view, (0.1, 0.2), 1)
        assert (again.ids == before.ids).all()
        assert (again.uv == before.uv).all()
        assert before.ids.shape == (view.height, view.width)


def test_arrays_of_one_call_outlive_the_next(mixed: Assembly) -> None:
    rasteriser = Rasteriser(mixed, "unlit", LIGHTS)
    view = VIEWS["perspective"]
    before = rasteriser.render(view, 2).colour
    kept = before.copy()
    rasteriser.set_positions(mixed.positions + np.float32(0.2))
    after = rasteriser.render(view, 2).colour
    assert (before == kept).all()
    assert np.abs(after - before).max() > 0.1


def test_two_runs_give_the_same_bits(mixed: Assembly) -> None:
    view = VIEWS["perspective"]
    one, two = (Rasteriser(mixed, "sun", LIGHTS).render(view, 2, normal=True) for _ in range(2))
    assert (one.colour.view(np.uint32) == two.colour.view(np.uint32)).all()
    assert (one.normal.view(np.uint32) == two.normal.view(np.uint32)).all()


def test_samples_are_averaged(mixed: Assembly) -> None:
    view = VIEWS["perspective"]
    rasteriser = Rasteriser(mixed, "sun", LIGHTS)
    fine = rasteriser.render(view.resized(view.width * 3, view.height * 3), 1).colour
    coarse = rasteriser.render(view, 3).colour
    mean = fine.reshape(view.height, 3, view.width, 3, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(coarse, mean, atol=1e-5)


def test_a_new_texture_is_seen(mixed: Assembly) -> None:
    material = next(i for i, m in enumerate(mixed.materials) if m.key == "square")
    changed = np.full((8, 8, 3), 0.25, np.float32)
    rasteriser = Rasteriser(mixed, "unlit", LIGHTS)
    rasteriser.set_texture(material, changed)
    view = VIEWS["orthographic"]
    ids = rasteriser.uv_buffer(view, (0.0, 0.0), 1).ids
    colour = rasteriser.render(view, 1).colour
    mine = (ids > 0) & (mixed.texture_of_triangle[ids.astype(int) - 1] == material)
    np.testing.assert_allclose(colour[mine], [[0.25, 0.25, 0.25, 1.0]] * int(mine.sum()), atol=1e-6)
    assert mine.any()
