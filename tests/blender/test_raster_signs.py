# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GPU draws the same signs as NumPy, bit for bit, and perturbs by them."""

from __future__ import annotations

import bpy  # noqa: F401 (the wheel brings gpu along)
import gpu
import numpy as np
import pytest

from sge_addon.core.assembly import Assembly, assemble
from sge_addon.core.oracle import group_normals
from sge_addon.core.perturbation import Axes, even_perturbation, perturbation, pixel_at_centre
from sge_addon.core.signs import hash_bits, seed_key, signs
from sge_addon.raster.geometry import Geometry
from sge_addon.raster.program import shader_source
from sge_addon.raster.tables import Reader
from sge_addon.raster.targets import Target, TargetPool, drawing
from tests.meshes import icosphere, orthographic_view, perspective_view, surface

pytestmark = pytest.mark.usefixtures("gpu_ready")

SEEDS = [0, 1, 12345, 0x7FFFFFFF, 0xFFFFFFFF]
FIRST = [0, 65536 * 3, 2**24 - 100, 2**31 - 2048, 2**32 - 4096]  # beyond what a float carries


def hash_on_the_gpu(seed: int, first: int, count: int = 4096) -> np.ndarray:
    """The bits of ``count`` indices from ``first``, through the shader's own source."""
    info = gpu.types.GPUShaderCreateInfo()
    info.vertex_in(0, "VEC2", "corner")
    info.push_constant("INT", "key")
    info.push_constant("INT", "first")
    info.fragment_out(0, "UINT", "bits")
    info.vertex_source(shader_source("screen_vert"))
    index = "uint(first) + uint(gl_FragCoord.y) * 64u + uint(gl_FragCoord.x)"
    main = f"void main() {{ bits = sge_hash(uint(key), {index}); }}"
    info.fragment_source(shader_source("signs") + main)
    shader = gpu.shader.create_from_info(info)
    layout = gpu.types.GPUVertFormat()
    layout.attr_add(id="corner", comp_type="F32", len=2, fetch_mode="FLOAT")
    corners = gpu.types.GPUVertBuf(layout, 3)
    corners.attr_fill("corner", np.asarray([[-1, -1], [3, -1], [-1, 3]], np.float32))
    target = Target(64, count // 64, {"bits": "R32UI"}, depth=False)
    with drawing(target, "NONE"):
        shader.bind()
        shader.uniform_int("key", int(seed_key(seed).view(np.int32)))
        shader.uniform_int("first", int(np.uint32(first).view(np.int32)))
        gpu.types.GPUBatch(type="TRIS", buf=corners).draw(shader)
    return Reader().read(target, 0, 1, "UINT").ravel()


@pytest.mark.parametrize("seed", SEEDS)
def test_hash_is_the_same_bit_for_bit(seed: int) -> None:
    for first in FIRST:
        indices = (first + np.arange(4096, dtype=np.int64)).astype(np.uint32)
        assert (hash_on_the_gpu(seed, first) == hash_bits(seed, indices)).all()


def read_table(texture: gpu.types.GPUTexture, count: int) -> np.ndarray:
    buffer = texture.read()
    buffer.dimensions = texture.width * texture.height * 4
    return np.asarray(buffer, np.float32).reshape(-1, 4)[:count]


@pytest.mark.parametrize("view", [perspective_view(97, 61, 2.0), orthographic_view(40, 30, 0.07)])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("normals", [False, True])
def test_positions_move_by_epsilon_along_the_signs(view, seed: int, normals: bool) -> None:
    points, faces = icosphere(4)  # 2562 vertices: more than two rows of a table; some beside the camera
    mobility = (np.arange(len(points)) % 5 > 0).astype(np.float32)
    assembly = assemble([surface(points * 2.5, faces, mobility=mobility)])
    geometry = Geometry(assembly, TargetPool())
    geometry.upload(assembly.positions)
    drawn = perturbation(view, 0.8, seed)
    tables = geometry.perturbed(drawn, normals=normals)
    plus, minus = (read_table(tables[name], len(points)) for name in ("plus", "minus"))
    epsilons = drawn.epsilons(assembly.positions, assembly.movable)
    np.testing.assert_allclose(plus[:, 3], epsilons, rtol=1e-6)
    offset = plus[:, 3:] * signs(seed, len(points))
    # With the GPU's own epsilon, which may differ in its last bit, the sums agree exactly.
    assert (plus[:, :3] == assembly.positions + offset).all()
    assert (minus[:, :3] == assembly.positions - offset).all()
    pinned = mobility == 0.0
    assert (plus[pinned, :3] == assembly.positions[pinned]).all()
    assert (epsilons[~pinned] > 0.0).all()


@pytest.mark.parametrize("normals", [False, True])
def test_positions_move_along_axes_of_their_own(normals: bool) -> None:
    points, faces = icosphere(4)
    view = perspective_view(97, 61, 2.0)
    axes = points.copy()
    axes[::3] = 0.0  # in all directions
    lines = Axes(axes)
    assembly = assemble([surface(points * 2.5, faces)])
    geometry = Geometry(assembly, TargetPool())
    geometry.upload(assembly.positions)
    for seed in (3, 4):  # the table of axes is kept
        drawn = perturbation(view, 0.8, seed).along(lines)
        tables = geometry.perturbed(drawn, normals)
        plus, minus = (read_table(tables[name], len(points))[:, :3] for name in ("plus", "minus"))
        offsets = drawn.offsets(assembly.positions, assembly.movable)
        random, epsilons = signs(seed, len(points)), drawn.epsilons(assembly.positions, assembly.movable)
        np.testing.assert_allclose(offsets[::3], epsilons[::3, None] * random[::3], rtol=1e-6)
        np.testing.assert_allclose(offsets[1::3], (epsilons * random[:, 0])[1::3, None] * points[1::3])
        np.testing.assert_allclose(plus - minus, 2.0 * offsets, atol=1e-5)
        np.testing.assert_allclose(plus + minus, 2.0 * assembly.positions, atol=1e-5)
        if normals:
            turned = perturbed_normals(assembly, offsets)
            for name, expected in zip(("normal", "normal_minus"), turned, strict=True):
                found = read_table(tables[name], len(expected))[:, :3]
                np.testing.assert_allclose(found, expected, atol=1e-4)
    geometry.perturbed(perturbation(view, 0.8, 5).along(Axes(axes[::-1].copy())), normals)
    again = read_table(geometry.perturbed(drawn, normals)["plus"], len(points))[:, :3]
    np.testing.assert_array_equal(again, plus)


def perturbed_normals(assembly: Assembly, offsets: np.ndarray) -> list[np.ndarray]:
    """(G, 3) of both images."""
    return [group_normals(assembly.positions + sign * offsets, assembly) for sign in (1.0, -1.0)]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_even_epsilon_moves_all_alike_bit_for_bit(seed: int) -> None:
    points, faces = icosphere(4)
    mobility = (np.arange(len(points)) % 5 > 0).astype(np.float32)
    assembly = assemble([surface(points * 2.5, faces, mobility=mobility)])
    geometry = Geometry(assembly, TargetPool())
    geometry.upload(assembly.positions)
    drawn = even_perturbation(0.0123, seed)
    tables = geometry.perturbed(drawn, normals=False)
    plus, minus = (read_table(tables[name], len(points)) for name in ("plus", "minus"))
    assert (drawn.epsilons(assembly.positions, assembly.movable) == np.float32(0.0123) * mobility).all()
    offsets = drawn.offsets(assembly.positions, assembly.movable)
    assert (plus[:, :3] == assembly.positions + offsets).all()
    assert (minus[:, :3] == assembly.positions - offsets).all()


def test_a_pixel_at_the_centre_is_the_mean_over_the_views() -> None:
    points = np.float32([[-1, 2, 0.5], [1, -2, -0.5]])  # about the origin
    near, far = perspective_view(300, 200, 2.0), perspective_view(300, 200, 6.0)
    pixel = pixel_at_centre([near, far], points)
    for view, distance in ((near, 2.0), (far, 6.0)):
        moved = view.to_pixels(np.float32([[0, 0, 0], [0, pixel, 0]]))
        assert moved[1, 1] - moved[0, 1] == pytest.approx(4.0 / distance, rel=1e-4)
    assert pixel_at_centre([orthographic_view(30, 20, 0.1)], points) == pytest.approx(0.1)


def test_epsilon_is_a_pixel_on_the_screen() -> None:
    view = perspective_view(300, 200, 4.0)
    points = np.float32([[0, 0, 0], [0, 0, 2.5], [0.5, -0.3, -3]])
    epsilons = perturbation(view, 1.0, 0).epsilons(points, np.ones(3, bool))
    moved = points + epsilons[:, None] * np.float32([0, 1, 0])
    pixels = view.to_pixels(moved) - view.to_pixels(points)
    np.testing.assert_allclose(pixels, [[0, 1]] * 3, atol=1e-4)
    flat = orthographic_view(30, 20, 0.1)
    assert perturbation(flat, 0.5, 0).epsilons(points, np.ones(3, bool)) == pytest.approx([0.05] * 3)


def test_epsilon_stops_shrinking_at_the_near_plane() -> None:
    view = perspective_view(300, 200, 4.0)  # near plane at 0.1, camera at z = 4
    points = np.float32([[0, 0, 3.9], [0, 0, 3.95], [0, 0, 4.0], [0, 0, 9.0]])
    epsilons = perturbation(view, 1.0, 0).epsilons(points, np.ones(4, bool))
    np.testing.assert_allclose(epsilons, 0.1 / (1.1 * 200), rtol=1e-4)
