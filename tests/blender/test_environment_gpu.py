# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The world's light on the GPU is that of the NumPy companion."""

from __future__ import annotations

from dataclasses import replace

import bpy  # noqa: F401 before gpu, which comes with it
import gpu
import numpy as np
import pytest

from sge_addon.core.environment import diffuse, specular
from sge_addon.core.scene_lights import World
from sge_addon.raster.environment import EnvironmentResources
from sge_addon.raster.geometry import screen_batch
from sge_addon.raster.program import Program, shader_source
from sge_addon.raster.tables import Reader, upload_table
from sge_addon.raster.targets import Target, drawing
from tests.skies import rotation, sky

COUNT = 192  # directions, in one row of a table
GAIN = np.float32([0.5, 1.0, 2.0])


@pytest.fixture
def directions() -> np.ndarray:
    """(192, 3) all around, with the poles, the seam and the corners of the octahedron."""
    axes = np.concatenate(
        [np.eye(3), -np.eye(3), [[-1, 1e-6, 0], [-1, -1e-6, 0], [1e-4, 0, 1], [-1e-4, 0, 1]]]
    )
    drawn = np.random.default_rng(1).normal(size=(COUNT - len(axes), 3))
    vectors = np.concatenate([axes, drawn])
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


MAIN = """
void main()
{
  vec4 row = texelFetch(directions, ivec2(int(gl_FragCoord.x), 0), 0);
  diffuse = vec4(sge_world_diffuse(row.xyz), 1.0);
  specular = vec4(sge_world_specular(row.xyz, row.w), 1.0);
}
"""


def looked_up(
    environment: EnvironmentResources, directions: np.ndarray, roughness: float
) -> tuple[np.ndarray, np.ndarray]:
    """(192, 3) diffuse and specular of the shaders."""
    info = gpu.types.GPUShaderCreateInfo()
    for name in environment.defines:
        info.define(*name.split(" ", 1))
    info.vertex_in(0, "VEC2", "corner")
    for slot, name in enumerate(("directions", *environment.samplers)):
        info.sampler(slot, "FLOAT_2D", name)
    for slot, (name, rows) in enumerate(environment.blocks.items()):
        info.typedef_source(f"struct Block{slot} {{ vec4 rows[{rows}]; }};")
        info.uniform_buf(slot, f"Block{slot}", name)
    for slot, name in enumerate(("diffuse", "specular")):
        info.fragment_out(slot, "VEC4", name)
    info.vertex_source(shader_source("screen_vert"))
    info.fragment_source(shader_source(*environment.sources) + MAIN)
    program = Program(
        gpu.shader.create_from_info(info),
        {},
        ("directions", *environment.samplers),
        tuple(environment.blocks),
    )
    table = upload_table(np.concatenate([directions, np.full((COUNT, 1), roughness)], 1).astype(np.float32))
    target = Target(COUNT, 1, {"diffuse": "RGBA32F", "specular": "RGBA32F"}, depth=False)
    batch = screen_batch()
    with drawing(target, "NONE"):
        program.bind({"directions": table} | environment.values())
        batch.draw(program.shader)
    reader = Reader()
    return tuple(reader.read(target, slot, 4, "FLOAT")[0, :, :3].copy() for slot in (0, 1))


def test_a_constant_world(gpu_ready: None, directions: np.ndarray) -> None:
    found = looked_up(EnvironmentResources(World(gain=GAIN)), directions, 0.3)
    np.testing.assert_allclose(found, np.broadcast_to(GAIN, (2, COUNT, 3)))


@pytest.mark.parametrize("roughness", [0.0, 0.2, 0.5, 1.0])
def test_harmonics(gpu_ready: None, directions: np.ndarray, roughness: float) -> None:
    harmonics = np.random.default_rng(2).normal(size=(9, 3)).astype(np.float32)
    world = World(gain=GAIN, harmonics=harmonics, rotation=rotation(0.3, 0.5, -1.0))
    found = looked_up(EnvironmentResources(world), directions, roughness)
    np.testing.assert_allclose(found[0], diffuse(world, directions), atol=1e-5)
    np.testing.assert_allclose(found[1], specular(world, directions, roughness), atol=1e-5)


@pytest.mark.parametrize("roughness", [0.0, 0.1, 0.3, 0.6, 0.85])
@pytest.mark.parametrize("contrast", [20.0, 1000.0])
@pytest.mark.parametrize("as_eevee", [False, True])
def test_an_image(
    gpu_ready: None, directions: np.ndarray, roughness: float, contrast: float, as_eevee: bool
) -> None:
    turn = rotation(0.3, 0.5, -1.0)
    world = World(gain=GAIN, image=sky(contrast=contrast), rotation=turn, as_eevee=as_eevee, brightest=100.0)
    found = looked_up(EnvironmentResources(world), directions, roughness)
    expected = diffuse(world, directions), specular(world, directions, roughness)
    for name, one, other in zip(("diffuse", "specular"), found, expected, strict=True):
        error = np.abs(one - other)
        assert error.max() < 0.05 * other.max(), name
        assert np.sqrt((error**2).mean()) < 0.006 * other.max(), name


def test_another_gain_and_rotation_keep_the_tiles(gpu_ready: None, directions: np.ndarray) -> None:
    """And another image, or another kind of world, do not."""
    world = World(gain=GAIN, image=sky(rows=64), as_eevee=True)
    environment = EnvironmentResources(world)
    atlas = environment.values()["world_atlas"]
    turned = replace(world, gain=2.0 * GAIN, rotation=rotation(0.0, 0.0, 1.0))
    environment.set_world(turned)
    assert environment.values()["world_atlas"] is atlas
    found = looked_up(environment, directions, 0.85)
    for one, other in zip(found, looked_up(EnvironmentResources(turned), directions, 0.85), strict=True):
        np.testing.assert_array_equal(one, other)
    environment.set_world(replace(world, image=sky(rows=64, contrast=5.0)))
    assert environment.values()["world_atlas"] is not atlas
    with pytest.raises(ValueError, match="kind"):
        environment.set_world(World(gain=GAIN))


def test_an_image_is_prefiltered_once_for_all_who_light_by_it(gpu_ready: None) -> None:
    image = sky(rows=64)
    one, two = (EnvironmentResources(World(gain=gain, image=image)) for gain in (GAIN, 2.0 * GAIN))
    assert one.values()["world_atlas"] is two.values()["world_atlas"]
    other = EnvironmentResources(World(gain=GAIN, image=image.copy()))
    assert other.values()["world_atlas"] is not one.values()["world_atlas"]
