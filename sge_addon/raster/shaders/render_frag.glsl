// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The picture itself, for evaluation and for references made from an object.
// Writes: colour, linear, premultiplied, alpha 1; world normal as 0.5 + 0.5 n; id = triangle + 1.

void main()
{
#ifdef SGE_LIT_MATERIAL
  sge_begin();
#endif
  colour = vec4(sge_colour(), 1.0);
#ifdef SGE_OUTPUT_NORMAL
  shaded_normal = vec4(0.5 + 0.5 * sge_unit_normal(), 1.0);
#endif
  id = uint(gl_PrimitiveID + first_triangle) + 1u;
}
