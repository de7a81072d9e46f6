// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Both perturbed positions of each vertex, one vertex a pixel; with SGE_NORMAL also both normals of each
// normal group, one group a pixel.
// Reads: positions (xyz world, w = 1 where movable, else 0), key of the step's signs, the view; with
// SGE_AXES axes (xyz the line along which a vertex is perturbed, zeros for all three directions).
// Writes: plus, minus: xyz world, w = epsilon; normal, normal_minus.  Mirrors core/perturbation.py.

// xyz: offset of a vertex; w: epsilon, one screen pixel in world units at the vertex's depth, but never
// before the near plane.
vec4 sge_offset(vec4 position, int vertex)
{
  float clip_w = max(dot(depth_row, vec4(position.xyz, 1.0)), nearest);
  float epsilon = pixel_scale * clip_w * position.w;
  vec3 direction = sge_signs(uint(key), uint(vertex));
#ifdef SGE_AXES
  vec3 axis = SGE_TABLE(axes, vertex).xyz;
  if (axis != vec3(0.0)) {
    direction = axis * direction.x;
  }
#endif
  return vec4(epsilon * direction, epsilon);
}

#ifdef SGE_NORMAL
struct SgePair {
  vec3 plus;
  vec3 minus;
};

// Two fetches fewer than from the tables that this pass writes, and no pass to wait for.
SgePair sge_pair(int vertex)
{
  vec4 position = SGE_TABLE(positions, vertex);
  vec3 offset = sge_offset(position, vertex).xyz;
  return SgePair(position.xyz + offset, position.xyz - offset);
}

void sge_add_edge(ivec2 edge, SgePair pivot, inout SgePair sum)
{
  SgePair tail = sge_pair(edge.x);
  SgePair head = sge_pair(edge.y);
  sum.plus += cross(tail.plus - pivot.plus, head.plus - pivot.plus);
  sum.minus += cross(tail.minus - pivot.minus, head.minus - pivot.minus);
}
#endif

void main()
{
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  plus = minus = vec4(0.0);
  if (pixel.y < textureSize(positions, 0).y) {
    vec4 position = texelFetch(positions, pixel, 0);
    vec4 offset = sge_offset(position, pixel.y * 1024 + pixel.x);
    plus = vec4(position.xyz + offset.xyz, offset.w);
    minus = vec4(position.xyz - offset.xyz, offset.w);
  }
#ifdef SGE_NORMAL
  SgePair sum = SgePair(vec3(0.0), vec3(0.0));
  if (pixel.y < textureSize(group_ranges, 0).y) {
    ivec3 range = ivec3(texelFetch(group_ranges, pixel, 0).xyz);
    SgePair pivot = sge_pair(range.z);
    for (int row = range.x; row < range.x + range.y; row++) {
      ivec4 edges = ivec4(SGE_TABLE(group_edges, row));
      sge_add_edge(edges.xy, pivot, sum);
      sge_add_edge(edges.zw, pivot, sum);
    }
  }
  normal = sge_unit(sum.plus);
  normal_minus = sge_unit(sum.minus);
#endif
}
