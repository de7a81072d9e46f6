// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The derivative of the shading by the unit normal, exact: what shading.glsl shades.

// slopes: the loss's by the linear colour.
vec3 sge_shade_turned(vec3 slopes)
{
#if defined(SGE_SHADE_NORMAL)
  return 0.5 * slopes;
#elif defined(SGE_SHADE_SUN)
  vec3 n = sge_unit_normal();
  vec3 by_irradiance = slopes * sge_base_colour();
  vec3 sum = vec3(0.0);
  for (int i = 0; i < light_count; i++) {
    vec3 direction = texelFetch(lights, ivec2(1 + 2 * i, 0), 0).xyz;
    float slope = dot(by_irradiance, texelFetch(lights, ivec2(2 + 2 * i, 0), 0).rgb);
    sum += dot(n, direction) > 0.0 ? slope * direction : vec3(0.0);
  }
  return sum;
#else
  return vec3(0.0);
#endif
}
