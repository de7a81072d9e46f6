// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// One tile of prefiltered light: mean radiance over the specular lobe (core/specular_lobe.py) about each texel, or
// with SGE_WORLD_EEVEE over two blurs (core/eevee_probe.py).
// Reads: pyramid, the equirectangular image and its halves stacked, each within a border of one texel;
// image_size, tile_corner, tile_size in texels; samples; widths of the lobes and the share of the second. Writes: light.

const float SGE_PI = 3.14159265358979;
const float SGE_GOLDEN_ANGLE = 2.39996322972865;

vec3 sge_image(vec3 n, int level)
{
  vec2 uv = vec2(0.5 - atan(n.y, n.x) / (2.0 * SGE_PI), 0.5 + asin(clamp(n.z, -1.0, 1.0)) / SGE_PI);
  ivec2 size = image_size >> level;
  vec2 at = vec2(1.0, float(2 * (image_size.y - size.y) + 2 * level + 1)) + uv * vec2(size);
  return textureLod(pyramid, at / vec2(textureSize(pyramid, 0)), 0.0).rgb;
}

// One of equally probable half vectors: its cosine to the axis, and the solid angle of directions it stands for.
vec2 sge_half_cosine(float share, float width)
{
#ifdef SGE_WORLD_EEVEE
  float half_cosine = 1.0 + 0.5 * width * width * log(1.0 - share);
  return vec2(half_cosine, 4.0 * SGE_PI * width * width * max(half_cosine, 0.0) / (1.0 - share));
#else
  float tangent2 = width * width * share / (1.0 - share);
  float around = (1.0 + tangent2 / (width * width)) / (1.0 + tangent2);
  return vec2(inversesqrt(1.0 + tangent2), 4.0 * SGE_PI * width * width * around * around);
#endif
}

vec3 sge_mean(vec3 axis, float width)
{
  vec3 across = normalize(cross(abs(axis.z) < 0.9 ? vec3(0.0, 0.0, 1.0) : vec3(1.0, 0.0, 0.0), axis));
  vec3 other = cross(axis, across);
  int last = findMSB(image_size.y) - 2;  // the level of four rows
  float texel = 2.0 * SGE_PI * SGE_PI / float(image_size.x * image_size.y);  // at the equator
  vec3 sum = vec3(0.0);
  float weights = 0.0;
  for (int i = 0; i < samples; i++) {
    vec2 half_vector = sge_half_cosine((float(i) + 0.5) / float(samples), width);
    float cosine = 2.0 * half_vector.x * half_vector.x - 1.0;
#ifdef SGE_WORLD_EEVEE
    float weight = max(half_vector.x, 0.0);
#else
    float weight = max(cosine, 0.0);
#endif
    if (weight > 0.0) {
      float turn = float(i) * SGE_GOLDEN_ANGLE;
      float sine = sqrt(max(1.0 - cosine * cosine, 0.0));
      vec3 n = cosine * axis + sine * (cos(turn) * across + sin(turn) * other);
      // Columns narrow towards the poles.
      float narrow = sqrt(max(1.0 - n.z * n.z, 0.0025));
      float texels = max(half_vector.y / (float(samples) * texel * narrow), 1.0);
      int level = int(clamp(0.5 * log2(texels) + 0.5, 0.0, float(last)));
      sum += weight * sge_image(n, level);
      weights += weight;
    }
  }
  return sum / weights;
}

void main()
{
  vec2 uv = (gl_FragCoord.xy - vec2(tile_corner) - 1.0) / float(tile_size);
  vec3 axis = sge_octahedron_direction(uv);
#ifdef SGE_WORLD_EEVEE
  vec3 mean = sge_mean(axis, widths.x);
  if (widths.z > 0.0) {
    mean = mix(mean, sge_mean(axis, widths.y), widths.z);
  }
#else
  vec3 mean = sge_mean(axis, widths.x);
#endif
  light = vec4(mean, 1.0);
}
