// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// What a surface receives from the world, linear; mirrors core/environment.py. Resources: raster/environment.py.
// Reads: world_light, rows of a uniform block: 0 gain, 1 to 3 the rotation from world directions to the image's
// or the harmonics', 4 to 12 harmonics with their factors and the gain; with SGE_WORLD_IMAGE world_atlas, radiance
// prefiltered for levels of roughness, level k for alpha = 2^(-k / 2), the last one a mirror's.
// An including source puts octahedron.glsl first. With SGE_WORLD_EEVEE as core/eevee_probe.py says.

vec3 sge_world_turned(vec3 n)
{
  return vec3(dot(world_light.rows[1].xyz, n), dot(world_light.rows[2].xyz, n), dot(world_light.rows[3].xyz, n));
}

// What a lobe about n that scales the three bands by 1, band_1, band_2 makes of the harmonics.
vec3 sge_world_bands(vec3 n, float band_1, float band_2)
{
  vec3 first = world_light.rows[5].rgb * n.y + world_light.rows[6].rgb * n.z + world_light.rows[7].rgb * n.x;
  vec3 second = world_light.rows[8].rgb * (n.x * n.y) + world_light.rows[9].rgb * (n.y * n.z) +
                world_light.rows[10].rgb * (3.0 * n.z * n.z - 1.0) + world_light.rows[11].rgb * (n.x * n.z) +
                world_light.rows[12].rgb * (n.x * n.x - n.y * n.y);
  return world_light.rows[4].rgb + band_1 * first + band_2 * second;
}

#ifdef SGE_WORLD_IMAGE
int sge_world_octaves()
{
  return findMSB(textureSize(world_atlas, 0).x / 2 - 2) - findMSB(SGE_WORLD_SMALLEST_TILE);
}

vec3 sge_world_tile(vec2 uv, int level, int octaves)
{
  vec2 at = vec2(sge_tile_corner(level, octaves)) + 1.0 + uv * float(sge_tile_size(level, octaves));
  return textureLod(world_atlas, at / vec2(textureSize(world_atlas, 0)), 0.0).rgb;
}
#endif

// Irradiance / pi of a surface with the unit world normal n. The widest specular lobe is Lambert's.
vec3 sge_world_diffuse(vec3 n)
{
#if defined(SGE_WORLD_CONSTANT)
  return world_light.rows[0].rgb;
#elif defined(SGE_WORLD_EEVEE)
  return max(sge_world_bands(sge_world_turned(n), 2.0 / 3.0, 0.25), 0.0);
#elif defined(SGE_WORLD_IMAGE)
  return sge_world_tile(sge_octahedron_uv(sge_world_turned(n)), 0, sge_world_octaves()) * world_light.rows[0].rgb;
#else
  return sge_world_bands(sge_world_turned(n), 2.0 / 3.0, 0.25);
#endif
}

#ifdef SGE_WORLD_EEVEE
// Mirrors eevee_probe.blur_level, up to a factor.
float sge_blur_level(float roughness)
{
  float ratio = clamp(roughness / SGE_ROUGHEST_BLUR, 0.0, 1.0);
  return 0.6 * ratio + 0.4 * sqrt(ratio);
}
#endif

// Mean radiance over the specular lobe about a unit direction; roughness as of the Principled BSDF.
vec3 sge_world_specular(vec3 reflected, float roughness)
{
#if defined(SGE_WORLD_IMAGE)
  int octaves = sge_world_octaves();
  int mirror = 2 * (octaves + SGE_WORLD_SPARE_ROWS + 1);
  float alpha = roughness * roughness;
  float sharpest = exp2(-0.5 * float(mirror - 1));
  // Between the sharpest lobe that was prefiltered and the mirror, in proportion to alpha; or as EEVEE does.
#ifdef SGE_WORLD_EEVEE
  float sharp_share = sge_blur_level(roughness) / sge_blur_level(sqrt(sharpest));
#else
  float sharp_share = alpha / sharpest;
#endif
  float level = alpha < sharpest ? float(mirror) - sharp_share : max(-2.0 * log2(alpha), 0.0);
  int low = min(int(level), mirror - 1);
  vec2 uv = sge_octahedron_uv(sge_world_turned(reflected));
  vec3 rough = sge_world_tile(uv, low, octaves);
  vec3 sharp = sge_world_tile(uv, low + 1, octaves);
  vec3 light = mix(rough, sharp, level - float(low)) * world_light.rows[0].rgb;
#ifdef SGE_WORLD_EEVEE
  float share = clamp((roughness - SGE_HARMONICS_FROM) / (SGE_HARMONICS_ALONE - SGE_HARMONICS_FROM), 0.0, 1.0);
  light = mix(light, sge_world_diffuse(reflected), share * share);
#endif
  return light;
#elif defined(SGE_WORLD_CONSTANT)
  return world_light.rows[0].rgb;
#else
  return sge_world_bands(sge_world_turned(reflected), SGE_LOBE_BAND_1, SGE_LOBE_BAND_2);
#endif
}
