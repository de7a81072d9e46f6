// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Fragment functions: from base colour and world normal to scene-linear colour (design: Shading).
// A new shading is another branch here and another name in core/settings.py.

vec3 sge_shade(vec3 base_colour, vec3 n)
{
#if defined(SGE_SHADE_NORMAL)
  return 0.5 + 0.5 * n;
#elif defined(SGE_SHADE_SUN)
  vec3 irradiance = texelFetch(lights, ivec2(0), 0).rgb;
  for (int i = 0; i < light_count; i++) {
    vec3 direction = texelFetch(lights, ivec2(1 + 2 * i, 0), 0).xyz;
    irradiance += texelFetch(lights, ivec2(2 + 2 * i, 0), 0).rgb * max(dot(n, direction), 0.0);
  }
  return base_colour * irradiance;
#else
  return base_colour;
#endif
}
