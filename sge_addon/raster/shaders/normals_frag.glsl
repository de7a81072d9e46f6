// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Shading normal of each normal group, one group a pixel: the sum of its triangles' area vectors.
// Reads: positions (xyz world), group_ranges (first entry, count), group_triangles (three vertices).
// Writes: normal, unit: unnormalised, interpolation would lean towards corners with large triangles.
// Mirrors core/oracle.py.

vec4 sge_unit(vec3 v)
{
  return vec4(v * inversesqrt(max(dot(v, v), 1e-30)), 0.0);
}

void main()
{
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  vec2 range = texelFetch(group_ranges, pixel, 0).xy;
  int first = int(range.x);
  int count = int(range.y);
  vec3 sum = vec3(0.0);
#ifdef SGE_PAIR
  vec3 sum_minus = vec3(0.0);
#endif
  for (int i = 0; i < count; i++) {
    vec3 triangle = SGE_TABLE(group_triangles, first + i).xyz;
    ivec3 v = ivec3(triangle);
    vec3 a = SGE_TABLE(positions, v.x).xyz;
    sum += cross(SGE_TABLE(positions, v.y).xyz - a, SGE_TABLE(positions, v.z).xyz - a);
#ifdef SGE_PAIR
    a = SGE_TABLE(positions_minus, v.x).xyz;
    sum_minus += cross(SGE_TABLE(positions_minus, v.y).xyz - a, SGE_TABLE(positions_minus, v.z).xyz - a);
#endif
  }
  normal = sge_unit(sum);
#ifdef SGE_PAIR
  normal_minus = sge_unit(sum_minus);
#endif
}
