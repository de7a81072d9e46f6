// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The loss of this pixel against the reference, and the triangle's ID; with SGE_TILTED the mean loss with the
// normal tilted by the pixel's signs and by the opposite ones, and the difference of both.
// Reads: the surface; reference_normal and what matched.glsl reads; with SGE_TILTED tilt, tilt_key.
// Writes: loss, so that the cleared value 0 is exact for the background; id = triangle + 1; tilt_difference.

#ifdef SGE_TILTED
// The mean distances of what this fragment would show with the world normal n.
float sge_mismatch(vec3 n, vec3 colour, vec3 target_normal)
{
  float sum = 0.0;
#  ifdef SGE_MATCH_COLOUR
  sum += sge_distance(sge_encoded(sge_colour_at(n)) - colour);
#  endif
#  ifdef SGE_MATCH_NORMAL
  sum += sge_distance(0.5 + 0.5 * n - target_normal);
#  endif
  return sum;
}
#endif

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
#ifdef SGE_TILTED
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  vec3 n = sge_unit_normal();
  vec3 turn = tilt * sge_signs(uint(tilt_key), uint(pixel.y * textureSize(reference_colour, 0).x + pixel.x));
  float tilted = sge_mismatch(normalize(n + turn), colour, target);
  float other = sge_mismatch(normalize(n - turn), colour, target);
  tilt_difference = tilted - other;
  sum += 0.5 * (tilted + other);
#else
#  ifdef SGE_MATCH_COLOUR
  sum += sge_distance(sge_encoded(sge_colour()) - colour);
#  endif
#  ifdef SGE_MATCH_NORMAL
  sum += sge_distance(0.5 + 0.5 * sge_unit_normal() - target);
#  endif
#endif
  loss = sum;
#ifdef SGE_GEOMETRY
  sge_write_geometry(sge_uv_dx, sge_uv_dy);
#endif
  id = uint(gl_PrimitiveID + first_triangle) + 1u;
}
