// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The loss of this pixel against the reference, and the triangle's ID.
// Reads: the surface; reference_normal; reference_colour: rgb over the background and encoded, a = what
// covering the pixel costs besides the distances below, less an empty pixel's cost where the silhouette is
// known. With SGE_BACKGROUND, a colour that changes from step to step: linear and premultiplied, a = alpha.
// Writes: loss, so that the cleared value 0 is exact for the background; id = triangle + 1.
// Mirrors core/pixel_loss.py.

void main()
{
#ifdef SGE_LIT_MATERIAL
  sge_begin();
#endif
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  vec4 reference = texelFetch(reference_colour, pixel, 0);
#ifdef SGE_BACKGROUND
  float sum = 0.0;
  reference.rgb = sge_encoded(reference.rgb + (1.0 - reference.a) * background);
#  ifdef SGE_MATCH_ALPHA
  float covered = sge_distance(vec3(1.0 - reference.a));
  sum += SGE_ALPHA_WEIGHT * (covered - sge_distance(vec3(reference.a)));
#  endif
#  ifdef SGE_MATCH_COLOUR
  sum -= sge_distance(sge_encoded(background) - reference.rgb);
#  endif
#else
  float sum = reference.a;
#endif
#ifdef SGE_MATCH_COLOUR
  sum += sge_distance(sge_encoded(sge_colour()) - reference.rgb);
#endif
#ifdef SGE_MATCH_NORMAL
  vec3 target = texelFetch(reference_normal, pixel, 0).rgb;
  sum += sge_distance(0.5 + 0.5 * sge_unit_normal() - target);
#  ifdef SGE_BACKGROUND
  sum -= sge_distance(target);
#  endif
#endif
  loss = sum;
#ifdef SGE_GEOMETRY
  sge_write_geometry(sge_uv_dx, sge_uv_dy);
#endif
  id = uint(gl_PrimitiveID + first_triangle) + 1u;
}
