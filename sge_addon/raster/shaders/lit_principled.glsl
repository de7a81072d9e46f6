// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// How the Principled BSDF shares light among its layers. Mirrors core/principled.py.
// Reads: lit_constants (ior, specular level, strength of the normal map, of emission).

float sge_f0(float ior)
{
  float ratio = (ior - 1.0) / (ior + 1.0);
  return ratio * ratio;
}

// What the dielectric layer reflects of what comes over its lobe.
float sge_dielectric(SgeGgx ggx)
{
  float f0 = sge_f0(lit_constants.x);
  float ior = lit_constants.x;
  if (lit_constants.y != 0.5) {
    f0 *= 2.0 * lit_constants.y;
    float root = sqrt(clamp(f0, 0.0, 0.99));
    ior = (1.0 + root) / (1.0 - root);
    ior = lit_constants.x < 1.0 ? 1.0 / ior : ior;
  }
  f0 = clamp(f0, 0.0, 1.0);
  // Edges reflect everything only from water's index on: an index of 1 is not seen at all.
  float f90 = ior > 1.0 ? clamp(7.060606 * (ior - 1.0) / (ior + 1.0), 0.0, 1.0) : 1.0;
  float once = f0 * (ggx.albedo - ggx.facing) + f90 * ggx.facing;
  float mean = f0 + (f90 - f0) / 21.0;
  return ior == 1.0 ? 0.0 : once / (1.0 - (1.0 - ggx.dielectric) * mean);
}

// What metal of this colour reflects; slope: its derivative by channel.
vec3 sge_metal(SgeGgx ggx, vec3 base, out vec3 slope)
{
  float direct = ggx.albedo - ggx.facing;
  vec3 f0 = clamp(base, 0.0, 1.0);
  float lost = 1.0 - ggx.albedo;
  vec3 rest = 1.0 - lost * (f0 * (20.0 / 21.0) + 1.0 / 21.0);
  vec3 once = f0 * direct + ggx.facing;
  slope = (direct + lost * (20.0 / 21.0) * once / rest) / rest;
  return once / rest;
}
