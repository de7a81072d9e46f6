# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The border of open meshes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import bpy


def on_boundary(mesh: bpy.types.Mesh, joined: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """(V,) whether a vertex is on an edge that has a single face.

    joined: (V,) vertices that modifiers join to others; edges between two such do not count.
    """
    edges = np.empty((len(mesh.edges), 2), np.int32)
    mesh.edges.foreach_get("vertices", edges.ravel())
    of_corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("edge_index", of_corners)
    is_open = np.bincount(of_corners, minlength=len(edges)) == 1
    if joined is not None:
        is_open &= ~joined[edges].all(axis=1)
    found = np.zeros(len(mesh.vertices), bool)
    found[edges[is_open]] = True
    return found
