// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// What is seen of the surfaces, without their shading. Writes: what geometry.glsl writes; id = triangle + 1.

void main()
{
  vec2 dx = dFdx(uv), dy = dFdy(uv);
#ifdef SGE_ALPHA
  sge_begin();
#endif
  sge_write_geometry(dx, dy);
  id = uint(gl_PrimitiveID + first_triangle) + 1u;
}
