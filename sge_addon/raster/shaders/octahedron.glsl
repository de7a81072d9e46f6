// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The sphere on a square: an octahedron unfolded about +Z (Engelhardt, Dachsbacher: Octahedron Environment
// Maps, 2008). And where tiles of prefiltered light lie in their atlas; raster/environment.py mirrors that.

// Unit direction to the square, both coordinates in [0, 1].
vec2 sge_octahedron_uv(vec3 n)
{
  vec2 flat_xy = n.xy / (abs(n.x) + abs(n.y) + abs(n.z));
  vec2 folded = (1.0 - abs(flat_xy.yx)) * vec2(n.x >= 0.0 ? 1.0 : -1.0, n.y >= 0.0 ? 1.0 : -1.0);
  return (n.z >= 0.0 ? flat_xy : folded) * 0.5 + 0.5;
}

// The inverse; beyond the edges (less than half the square), what lies over them on the sphere.
vec3 sge_octahedron_direction(vec2 uv)
{
  vec2 p = uv * 2.0 - 1.0;
  if (abs(p.x) > 1.0) {
    p = vec2(sign(p.x) * 2.0 - p.x, -p.y);
  }
  if (abs(p.y) > 1.0) {
    p = vec2(-p.x, sign(p.y) * 2.0 - p.y);
  }
  vec3 n = vec3(p, 1.0 - abs(p.x) - abs(p.y));
  if (n.z < 0.0) {
    n.xy = (1.0 - abs(p.yx)) * vec2(p.x >= 0.0 ? 1.0 : -1.0, p.y >= 0.0 ? 1.0 : -1.0);
  }
  return normalize(n);
}

// Texels along a side of a level's tile, without the border of one texel.
int sge_tile_size(int level, int octaves)
{
  return SGE_WORLD_SMALLEST_TILE << min(level / 2, octaves);
}

// The texel at the tile's corner, border included. Two tiles a row, rows from the roughest up.
ivec2 sge_tile_corner(int level, int octaves)
{
  int row = level / 2;
  int size = sge_tile_size(level, octaves);
  int y = size - SGE_WORLD_SMALLEST_TILE + 2 * min(row, octaves) + max(row - octaves, 0) * (size + 2);
  return ivec2((level % 2) * (size + 2), y);
}
