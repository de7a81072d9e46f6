// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// One tile of prefiltered light: mean radiance over the specular lobe (core/specular_lobe.py) about each texel.
// Reads: pyramid, the equirectangular image and its halves stacked, each within a border of one texel;
// image_size, tile_corner, tile_size in texels; alpha; samples. Writes: light.

const float SGE_PI = 3.14159265358979;
const float SGE_GOLDEN_ANGLE = 2.39996322972865;

vec3 sge_image(vec3 n, int level)
{
  vec2 uv = vec2(0.5 - atan(n.y, n.x) / (2.0 * SGE_PI), 0.5 + asin(clamp(n.z, -1.0, 1.0)) / SGE_PI);
  ivec2 size = image_size >> level;
  vec2 at = vec2(1.0, float(2 * (image_size.y - size.y) + 2 * level + 1)) + uv * vec2(size);
  return textureLod(pyramid, at / vec2(textureSize(pyramid, 0)), 0.0).rgb;
}

void main()
{
  vec2 uv = (gl_FragCoord.xy - vec2(tile_corner) - 1.0) / float(tile_size);
  vec3 axis = sge_octahedron_direction(uv);
  vec3 across = normalize(cross(abs(axis.z) < 0.9 ? vec3(0.0, 0.0, 1.0) : vec3(1.0, 0.0, 0.0), axis));
  vec3 other = cross(axis, across);
  int levels = findMSB(image_size.y) - 1;  // the last has four rows
  // Columns narrow towards the poles: a sample covers as much of the image as at the equator, in both axes' mean.
  float narrow = max(1.0 - axis.z * axis.z, 1e-6);
  float texel = 2.0 * SGE_PI * SGE_PI / float(image_size.x * image_size.y) * sqrt(narrow);
  vec3 sum = vec3(0.0);
  float weights = 0.0;
  for (int i = 0; i < samples; i++) {
    float share = (float(i) + 0.5) / float(samples);
    float tangent2 = alpha * alpha * share / (1.0 - share);
    float cosine = (1.0 - tangent2) / (1.0 + tangent2);
    float weight = max(cosine, 0.0);
    if (weight > 0.0) {
      float turn = float(i) * SGE_GOLDEN_ANGLE;
      float sine = sqrt(max(1.0 - cosine * cosine, 0.0));
      vec3 n = cosine * axis + sine * (cos(turn) * across + sin(turn) * other);
      // The solid angle of a sample: of equal probability, which has the density D(h) / 4.
      float spread = 1.0 + tangent2 / (alpha * alpha);
      float cell = 4.0 * SGE_PI * alpha * alpha * spread * spread / float(samples);
      cell *= 1.0 / ((1.0 + tangent2) * (1.0 + tangent2));
      int level = int(clamp(0.5 * log2(max(cell / texel, 1.0)) + 0.5, 0.0, float(levels - 1)));
      sum += weight * sge_image(n, level);
      weights += weight;
    }
  }
  light = vec4(sum / weights, 1.0);
}
