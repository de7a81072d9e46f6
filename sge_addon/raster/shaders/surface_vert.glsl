// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Projects one corner. Reads: corner (vertex, normal group, u, v), positions (xyz world), normals, tangents.
// With SGE_EDGE also marks, and edge_view.rows[3]: from a world position to the distance along the view.
// Writes: clip position; uv; world position; edge = mark and depth; world normal, not normalised; tangent,
// w = sign of the bitangent.

void main()
{
  gl_Position = world_to_clip * vec4(SGE_TABLE(positions, int(corner.x)).xyz, 1.0);
#ifdef SGE_UV
  uv = corner.zw;
#endif
#ifdef SGE_NORMAL
  normal = SGE_TABLE(normals, int(corner.y)).xyz;
#endif
#ifdef SGE_WORLD_POSITION
  world_position = SGE_TABLE(positions, int(corner.x)).xyz;
#endif
#ifdef SGE_EDGE
  vec4 place = vec4(SGE_TABLE(positions, int(corner.x)).xyz, 1.0);
  edge = vec3(SGE_TABLE(marks, int(corner.x)).xy, dot(edge_view.rows[3], place));
#endif
#ifdef SGE_TANGENT
  // Where positions are perturbed, tangents are those of the shape at rest: made fit the perturbed normals.
  vec4 resting = SGE_TABLE(tangents, gl_VertexID);
  vec3 across = resting.xyz - normal * dot(resting.xyz, normal);
  tangent = vec4(across * inversesqrt(max(dot(across, across), 1e-30)), resting.w);
#endif
}
