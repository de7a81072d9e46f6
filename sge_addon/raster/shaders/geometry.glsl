// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Visibility and geometry of this fragment, as core/geometry_buffer.py names them.
// Reads: uv, world_position and what facing.glsl reads.
// Writes: geometry_slopes = du/dx, dv/dx, du/dy, dv/dy; geometry_position, w = u; geometry_normal, w = v;
// geometry_tangent.

void sge_write_geometry(vec2 dx, vec2 dy)
{
  geometry_slopes = vec4(dx, dy);
  geometry_position = vec4(world_position, uv.x);
  geometry_normal = vec4(sge_seen_normal(), uv.y);
  geometry_tangent = sge_seen_tangent();
}
