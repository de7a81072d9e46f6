// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The normal of a normal group is the sum of its triangles' area vectors, which is that of the edges
// around them, seen from any point: from the pivot, whose own edges add nothing. Made unit here, because
// unnormalised, interpolation would lean towards corners with large triangles.  Mirrors core/oracle.py.

vec4 sge_unit(vec3 v)
{
  return vec4(v * inversesqrt(max(dot(v, v), 1e-30)), 0.0);
}
