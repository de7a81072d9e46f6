// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Shading normal of each normal group, one group a pixel: the sum of its triangles' area vectors, which
// is that of the edges around them, seen from any point: from the pivot, whose own edges add nothing.
// Reads: positions (xyz world), group_ranges (first row, rows, pivot), group_edges (two edges a row).
// Writes: normal, unit: unnormalised, interpolation would lean towards corners with large triangles.
// Mirrors core/oracle.py.

vec4 sge_unit(vec3 v)
{
  return vec4(v * inversesqrt(max(dot(v, v), 1e-30)), 0.0);
}

#define SGE_AREA(table, edge, pivot) \
  cross(SGE_TABLE(table, (edge).x).xyz - (pivot), SGE_TABLE(table, (edge).y).xyz - (pivot))

void main()
{
  ivec3 range = ivec3(texelFetch(group_ranges, ivec2(gl_FragCoord.xy), 0).xyz);
  vec3 pivot = SGE_TABLE(positions, range.z).xyz;
  vec3 sum = vec3(0.0);
#ifdef SGE_PAIR
  vec3 pivot_minus = SGE_TABLE(positions_minus, range.z).xyz;
  vec3 sum_minus = vec3(0.0);
#endif
  for (int row = range.x; row < range.x + range.y; row++) {
    ivec4 edges = ivec4(SGE_TABLE(group_edges, row));
    sum += SGE_AREA(positions, edges.xy, pivot) + SGE_AREA(positions, edges.zw, pivot);
#ifdef SGE_PAIR
    sum_minus += SGE_AREA(positions_minus, edges.xy, pivot_minus);
    sum_minus += SGE_AREA(positions_minus, edges.zw, pivot_minus);
#endif
  }
  normal = sge_unit(sum);
#ifdef SGE_PAIR
  normal_minus = sge_unit(sum_minus);
#endif
}
