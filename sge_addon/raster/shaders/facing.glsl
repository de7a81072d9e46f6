// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// This fragment's normal and tangent. Reads: normal and tangent, world, not normalised.

vec3 sge_unit_normal()
{
  return normal * inversesqrt(max(dot(normal, normal), 1e-30));
}

// Turned towards the viewer, as Blender does: normal, tangent and bitangent of a back face point the other way.
vec3 sge_seen_normal()
{
  return gl_FrontFacing ? sge_unit_normal() : -sge_unit_normal();
}

vec4 sge_seen_tangent()
{
#ifdef SGE_TANGENT
  vec4 seen = vec4(tangent.xyz, tangent.w < 0.0 ? -1.0 : 1.0);
  return gl_FrontFacing ? seen : -seen;
#else
  return vec4(0.0, 0.0, 0.0, 1.0);
#endif
}
