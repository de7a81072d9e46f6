// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The loss of this pixel against the reference, and the triangle's ID.
// Reads: the surface, reference_colour (premultiplied), reference_normal (premultiplied).
// Writes: loss, relative to that of an empty pixel where the silhouette is known, so that the
// cleared value 0 is exact for the background; id = triangle + 1.  Mirrors core/oracle.py.

void main()
{
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  float sum = 0.0;
#if defined(SGE_MATCH_COLOUR) || defined(SGE_MATCH_ALPHA)
  vec4 reference = texelFetch(reference_colour, pixel, 0);
#endif
#ifdef SGE_MATCH_COLOUR
  sum += sge_distance(sge_colour() - reference.rgb) - background * sge_distance(reference.rgb);
#endif
#ifdef SGE_MATCH_ALPHA
  sum += SGE_ALPHA_WEIGHT * (sge_distance(1.0 - reference.a) - background * sge_distance(reference.a));
#endif
#ifdef SGE_MATCH_NORMAL
  vec3 target = texelFetch(reference_normal, pixel, 0).rgb;
  sum += sge_distance(0.5 + 0.5 * sge_unit_normal() - target) - background * sge_distance(target);
#endif
  loss = sum;
  id = uint(gl_PrimitiveID + first_triangle) + 1u;
}
