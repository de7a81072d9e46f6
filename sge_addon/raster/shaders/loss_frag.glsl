// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The loss of this pixel against the reference, and the triangle's ID.
// Reads: the surface; reference_normal and what matched.glsl reads.
// Writes: loss, so that the cleared value 0 is exact for the background; id = triangle + 1.

void main()
{
#ifdef SGE_LIT_MATERIAL
  sge_begin();
#endif
  vec3 target = vec3(0.0), colour;
#ifdef SGE_MATCH_NORMAL
  target = texelFetch(reference_normal, ivec2(gl_FragCoord.xy), 0).rgb;
#endif
  float sum = sge_covering(colour, target);
#ifdef SGE_MATCH_COLOUR
  sum += sge_distance(sge_encoded(sge_colour()) - colour);
#endif
#ifdef SGE_MATCH_NORMAL
  sum += sge_distance(0.5 + 0.5 * sge_unit_normal() - target);
#endif
  loss = sum;
#ifdef SGE_GEOMETRY
  sge_write_geometry(sge_uv_dx, sge_uv_dy);
#endif
  id = uint(gl_PrimitiveID + first_triangle) + 1u;
}
