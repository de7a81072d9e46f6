// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// What every surface pass shares: the colour and the shading normal of this fragment.

#ifdef SGE_NORMAL
vec3 sge_unit_normal()
{
  return normal * inversesqrt(max(dot(normal, normal), 1e-30));
}
#endif

vec3 sge_base_colour()
{
#if defined(SGE_ATLAS)
  return texture_levels == 0 ? base_colour : sge_texture(atlas, uv, atlas_size, texture_levels);
#elif defined(SGE_BASE_COLOUR)
  return base_colour;
#else
  return vec3(1.0);
#endif
}

#ifdef SGE_NORMAL
// The colour with another world normal.
vec3 sge_colour_at(vec3 n)
{
  return sge_shade(sge_base_colour(), n);
}
#endif

vec3 sge_colour(vec3 base)
{
#ifdef SGE_NORMAL
  return sge_shade(base, sge_unit_normal());
#else
  return sge_shade(base, vec3(0.0));
#endif
}

vec3 sge_colour()
{
  return sge_colour(sge_base_colour());
}
