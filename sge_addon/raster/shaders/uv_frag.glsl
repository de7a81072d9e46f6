// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// What a texture fit needs of each sample. Writes: lookup = (u, v, mip level, 1 of back faces, else 0);
// shade = factor from base colour to pixel colour; id = triangle + 1;
// slopes = du/dx, dv/dx, du/dy, dv/dy from one sample to the next.

void main()
{
  lookup = vec4(uv, sge_level(uv, vec2(atlas_size)), gl_FrontFacing ? 0.0 : 1.0);
#ifdef SGE_SHADE_SUN
  shade = vec4(sge_shade(vec3(1.0), sge_unit_normal()), 1.0);
#endif
#ifdef SGE_SLOPES
  slopes = vec4(dFdx(uv), dFdy(uv));
#endif
  id = uint(gl_PrimitiveID + first_triangle) + 1u;
}
