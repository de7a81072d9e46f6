// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The colour of this fragment under the lights of the scene.
// Reads: world_position and what facing.glsl reads; lit_view.rows[0]: the eye, w = 1, or, where the view is
// orthographic, the direction towards it, w = 0.

vec3 sge_colour()
{
  SgePoint point;
  point.position = world_position;
  point.normal = sge_seen_normal();
  point.tangent = sge_seen_tangent();
  point.to_eye = normalize(lit_view.rows[0].xyz - lit_view.rows[0].w * world_position);
  SgeMaterial material;
  material.base_color = sge_map_base_color();
  material.metallic = sge_map_metallic();
  material.normal = sge_map_normal();
  material.roughness = sge_map_roughness();
  material.emission = sge_map_emission();
  material.alpha = 1.0;
  return sge_radiance(material, point);
}
