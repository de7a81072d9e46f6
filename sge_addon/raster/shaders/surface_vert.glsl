// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Projects one corner. Reads: corner (vertex, normal group, u, v), positions (xyz world), normals.
// Writes: clip position; uv; world normal, not normalised.

void main()
{
  gl_Position = world_to_clip * vec4(SGE_TABLE(positions, int(corner.x)).xyz, 1.0);
#ifdef SGE_UV
  uv = corner.zw;
#endif
#ifdef SGE_NORMAL
  normal = SGE_TABLE(normals, int(corner.y)).xyz;
#endif
}
