// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The reference as passes compare themselves with it. Mirrors core/pixel_loss.py.
// Reads: reference_colour: rgb over the background and encoded, a = what covering the pixel costs besides the
// distances of colour and normal, less an empty pixel's cost where the silhouette is known. With SGE_BACKGROUND,
// a colour that changes from step to step: linear and premultiplied, a = alpha.

// What covering this pixel costs; colour: over the background and encoded.
float sge_covering(out vec3 colour, vec3 target_normal)
{
  vec4 reference = texelFetch(reference_colour, ivec2(gl_FragCoord.xy), 0);
#ifdef SGE_BACKGROUND
  float sum = 0.0;
  colour = sge_encoded(reference.rgb + (1.0 - reference.a) * background);
#  ifdef SGE_MATCH_ALPHA
  float covered = sge_distance(vec3(1.0 - reference.a));
  sum += SGE_ALPHA_WEIGHT * (covered - sge_distance(vec3(reference.a)));
#  endif
#  ifdef SGE_MATCH_COLOUR
  sum -= sge_distance(sge_encoded(background) - colour);
#  endif
#  ifdef SGE_MATCH_NORMAL
  sum -= sge_distance(target_normal);
#  endif
  return sum;
#else
  colour = reference.rgb;
  return reference.a;
#endif
}
