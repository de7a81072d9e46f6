// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The derivative of the lit shading by the unit normal: central differences along two tangents.

const float sge_turn = 0.02;

// slopes: the loss's by the linear colour.
vec3 sge_shade_turned(vec3 slopes)
{
  SgeMaterial material = sge_material();
  SgePoint point = sge_point();
  vec3 n = point.normal;
  vec3 across = normalize(abs(n.z) < 0.7 ? vec3(n.y, -n.x, 0.0) : vec3(0.0, n.z, -n.y));
  vec3 sum = vec3(0.0);
  for (int i = 0; i < 2; i++) {
    vec3 difference = sge_radiance(material, sge_tilted(point, normalize(n + sge_turn * across)));
    difference -= sge_radiance(material, sge_tilted(point, normalize(n - sge_turn * across)));
    sum += across * (dot(slopes, difference) / (2.0 * sge_turn));
    across = cross(n, across);
  }
  return gl_FrontFacing ? sum : -sum;
}
