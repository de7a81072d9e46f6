// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Shading normal of each normal group, one group a pixel.
// Reads: positions (xyz world), group_ranges (first row, rows, pivot), group_edges (two edges a row).
// Writes: normal.

void main()
{
  ivec3 range = ivec3(texelFetch(group_ranges, ivec2(gl_FragCoord.xy), 0).xyz);
  vec3 pivot = SGE_TABLE(positions, range.z).xyz;
  vec3 sum = vec3(0.0);
  for (int row = range.x; row < range.x + range.y; row++) {
    ivec4 edges = ivec4(SGE_TABLE(group_edges, row));
    sum += cross(SGE_TABLE(positions, edges.x).xyz - pivot, SGE_TABLE(positions, edges.y).xyz - pivot);
    sum += cross(SGE_TABLE(positions, edges.z).xyz - pivot, SGE_TABLE(positions, edges.w).xyz - pivot);
  }
  normal = sge_unit(sum);
}
