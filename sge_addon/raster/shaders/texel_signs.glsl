// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The signs of the texels that a sample reads, through the same filter as their colours. The filter
// is linear: colour +- epsilon signs is what perturbed texels would give.
// Texels are numbered by rows, one level after the other, the finest first: mirrors
// core/texel_signs.py.

vec3 sge_texel_signs(uint key, vec2 uv, ivec2 size, int levels)
{
  SgeFootprint taps = sge_footprint(uv, size, levels);
  int first = 0;
  for (int level = 0; level < taps.level; level++) {
    first += (size.x >> level) * (size.y >> level);
  }
  ivec2 rows = first + ivec2(taps.low.y, taps.high.y) * (size.x >> taps.level);
  return sge_bilinear(sge_signs(key, uint(rows.x + taps.low.x)),
                      sge_signs(key, uint(rows.x + taps.high.x)),
                      sge_signs(key, uint(rows.y + taps.low.x)),
                      sge_signs(key, uint(rows.y + taps.high.x)),
                      taps.fraction);
}
