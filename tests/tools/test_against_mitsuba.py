# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mitsuba's gradients of a view, those of its stock integrator and of ours in it: the same, but for noise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import against_environment

TOOLS = Path(against_environment.__file__).parent

# In Mitsuba's environment: a sphere under one camera, and a loss that is linear in the picture, so that
# more samples change nothing but the noise.
SCRIPT = """
import json
import sys

sys.path.insert(0, sys.argv[1])
import against_mitsuba_shape as shape
import numpy as np
from against_mitsuba_shape import dr, mi
from against_mitsuba_views import Views

SIZE, REPEATS = 48, 12
corners = [[x, y, z] for x in (1, -1) for y in (1, -1) for z in (1, -1)]
faces = np.array([np.diag(each)[:: int(np.prod(each))] for each in corners], float)  # (8, 3, 3)
for _ in range(3):
    a, b, c = faces.transpose(1, 0, 2)
    ab, bc, ca = a + b, b + c, c + a
    parts = [(a, ab / 2, ca / 2), (ab / 2, b, bc / 2), (ca / 2, bc / 2, c), (ab / 2, bc / 2, ca / 2)]
    faces = np.concatenate([np.stack(part, 1) for part in parts])
    faces /= np.linalg.norm(faces, axis=2, keepdims=True)
positions, triangles = np.unique(faces.reshape(-1, 3).round(6), axis=0, return_inverse=True)
positions, triangles = positions.astype(np.float32), triangles.reshape(-1, 3).astype(np.uint32)
turn = np.array([[0.8, -0.36, 0.48], [0.6, 0.48, -0.64], [0.0, 0.8, 0.6]])
camera = np.eye(4)
camera[:3, :3], camera[:3, 3] = turn, 4.0 * turn[:, 2]
weight = np.random.default_rng(0).normal(size=(SIZE, SIZE, 3)) + np.linspace(-1, 1, SIZE)[:, None]
inputs = {
    "positions": positions,
    "triangles": triangles,
    "held_out": np.array([False]),
    "cameras": camera[None],
    "projections": np.diag([3.0, 3.0, 1.0, 1.0])[None],
    "colour": np.zeros((1, SIZE, SIZE, 4), np.float32),
}
shape._loss = lambda image, *_: dr.sum(image * mi.TensorXf(weight.astype(np.float32)))
views, found = Views(inputs), {}
for way, make in (("integrator", shape._by_integrator), ("stock", shape._by_stock)):
    backward = make(shape._mesh(positions, triangles, way), views, triangles, {"samples": 4})
    total = 0.0
    for repeat in range(REPEATS):
        attached = mi.Float(positions.ravel())
        dr.enable_grad(attached)
        backward(attached, 0, repeat)
        total = total + np.array(dr.grad(attached), np.float64) / REPEATS
    found[way] = total.tolist()
print("\\n" + json.dumps(found))
"""


def test_the_stock_integrator_has_the_gradient_of_ours() -> None:
    python = against_environment.FOLDER / "bin/python"
    llvm = against_environment.find_llvm()
    if not python.exists() or llvm is None:
        pytest.skip("Mitsuba is set up by tools/benchmark.py --against mitsuba")
    done = subprocess.run(
        [str(python), "-c", SCRIPT, str(TOOLS)],
        env={**os.environ, "DRJIT_LIBLLVM_PATH": str(llvm)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    ours, stock = found["integrator"], found["stock"]
    apart = sum((a - b) ** 2 for a, b in zip(ours, stock, strict=True)) ** 0.5
    assert apart < 0.15 * sum(each**2 for each in ours) ** 0.5
