// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Which fragments of a surface with alpha are there: with a clip value those whose alpha reaches it, else
// each with the probability alpha.
// Reads: lit_material.rows[25].x, the clip value or -1; lit_view.rows[1]: x, y = upper and lower half of the
// seed's key, z = samples along a side of a pixel. The samples of one pixel have evenly spread thresholds, all
// moved round by one random number, so that 4 x 4 of them show alpha to a sixteenth.

#ifdef SGE_ALPHA
bool sge_is_there(float alpha)
{
  float clip = lit_material.rows[25].x;
  if (clip >= 0.0) {
    return alpha >= clip;
  }
#  ifdef SGE_FIRST_LAYER
  return alpha > 0.0;
#  else
  int side = int(lit_view.rows[1].z);
  ivec2 place = ivec2(gl_FragCoord.xy);
  ivec2 pixel = place / side;
  place -= pixel * side;
  // Layers that lie behind one another must not share their thresholds: front and back sides, and
  // materials, have their own.
  uint layer = uint(first_triangle) * 2u + (gl_FrontFacing ? 0u : 1u);
  uint key = sge_hash((uint(lit_view.rows[1].x) << 16u) + uint(lit_view.rows[1].y), layer);
  uint bits = sge_hash(key, uint(pixel.y) * 65536u + uint(pixel.x));
  float stratum = (float(place.y * side + place.x) + 0.5) / float(side * side);
  return alpha > fract(stratum + float(bits >> 8u) * (1.0 / 16777216.0));
#  endif
}
#endif
