// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The colour of this fragment under the lights of the scene.
// Reads: world_position and what facing.glsl reads; lit_view.rows[0]: the eye, w = 1, or, where the view is
// orthographic, the direction towards it, w = 0.

SgePoint sge_point()
{
  SgePoint point;
  point.position = world_position;
  point.normal = sge_seen_normal();
  point.tangent = sge_seen_tangent();
  point.to_eye = normalize(lit_view.rows[0].xyz - lit_view.rows[0].w * world_position);
  return point;
}

// The point with a normal nearby, with which the tangent tilts.
SgePoint sge_tilted(SgePoint point, vec3 n)
{
  point.tangent.xyz -= point.normal * dot(point.tangent.xyz, n - point.normal);
  point.normal = n;
  return point;
}

SgeMaterial sge_material()
{
  SgeMaterial material;
  vec4 first = sge_map_base_color();
  material.base_color = first.rgb;
  material.metallic = sge_map_metallic(first.a);
  vec4 second = sge_map_normal();
  material.normal = second.rgb;
  material.roughness = sge_map_roughness(second.a);
  material.emission = sge_map_emission();
  material.alpha = 1.0;
  return material;
}

vec3 sge_colour()
{
  return sge_radiance(sge_material(), sge_point());
}

// The colour with another world normal.
vec3 sge_colour_at(vec3 n)
{
  return sge_radiance(sge_material(), sge_tilted(sge_point(), gl_FrontFacing ? n : -n));
}
