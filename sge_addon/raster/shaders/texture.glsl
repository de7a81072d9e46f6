// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Reads a pyramid of a texture: bilinear at one integer mip level, repeating.
// Layout of the atlas and the filter mirror core/texture_pyramid.py and core/footprint.py.

// log2 of the number of texels between neighbouring samples, along the worse screen axis. dx, dy: texels
// from one pixel to the next.
float sge_level_of(vec2 dx, vec2 dy)
{
  return 0.5 * log2(max(max(dot(dx, dx), dot(dy, dy)), 1e-20));
}

float sge_level(vec2 uv, vec2 size)
{
  return sge_level_of(dFdx(uv) * size, dFdy(uv) * size);
}

#ifdef SGE_ATLAS
// The 2 x 2 texels that a sample reads: its mip level, the corners' columns and rows, the fractions.
struct SgeFootprint {
  int level;
  ivec2 low;
  ivec2 high;
  vec2 fraction;
};

SgeFootprint sge_footprint_at(float level, vec2 uv, ivec2 size, int levels)
{
  SgeFootprint taps;
  taps.level = clamp(int(floor(level + SGE_LEVEL_ROUNDING)), 0, levels - 1);
  ivec2 extent = size >> taps.level;
  vec2 texel = fract(uv) * vec2(extent) - 0.5;
  taps.low = ivec2(floor(texel));
  taps.fraction = texel - vec2(taps.low);
  taps.high = taps.low + 1;
  taps.low += ivec2(lessThan(taps.low, ivec2(0))) * extent;
  taps.high -= ivec2(greaterThanEqual(taps.high, extent)) * extent;
  return taps;
}

SgeFootprint sge_footprint(vec2 uv, ivec2 size, int levels)
{
  return sge_footprint_at(sge_level(uv, vec2(size)), uv, size, levels);
}

vec3 sge_bilinear(vec3 low_low, vec3 high_low, vec3 low_high, vec3 high_high, vec2 f)
{
  return mix(mix(low_low, high_low, f.x), mix(low_high, high_high, f.x), f.y);
}

vec3 sge_read(sampler2D atlas, SgeFootprint taps, ivec2 size)
{
  int level = taps.level;
  ivec2 origin = level == 0 ? ivec2(0) : ivec2(size.x, size.y - (size.y >> (level - 1)));
  return sge_bilinear(texelFetch(atlas, origin + taps.low, 0).rgb,
                      texelFetch(atlas, origin + ivec2(taps.high.x, taps.low.y), 0).rgb,
                      texelFetch(atlas, origin + ivec2(taps.low.x, taps.high.y), 0).rgb,
                      texelFetch(atlas, origin + taps.high, 0).rgb,
                      taps.fraction);
}

vec3 sge_texture(sampler2D atlas, vec2 uv, ivec2 size, int levels)
{
  return sge_read(atlas, sge_footprint(uv, size, levels), size);
}
#endif
