// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Reads a base colour pyramid: bilinear at one integer mip level, repeating.
// Layout of the atlas and the filter mirror core/texture_pyramid.py and core/footprint.py.

// log2 of the number of texels between neighbouring samples, along the worse screen axis.
float sge_level(vec2 uv, vec2 size)
{
  vec2 dx = dFdx(uv) * size;
  vec2 dy = dFdy(uv) * size;
  return 0.5 * log2(max(max(dot(dx, dx), dot(dy, dy)), 1e-20));
}

#ifdef SGE_ATLAS
vec3 sge_texture(sampler2D atlas, vec2 uv, ivec2 size, int levels)
{
  int level = clamp(int(floor(sge_level(uv, vec2(size)) + 0.5)), 0, levels - 1);
  ivec2 extent = size >> level;
  ivec2 origin = level == 0 ? ivec2(0) : ivec2(size.x, size.y - (size.y >> (level - 1)));
  vec2 texel = fract(uv) * vec2(extent) - 0.5;
  ivec2 low = ivec2(floor(texel));
  vec2 f = texel - vec2(low);
  ivec2 high = low + 1;
  low += ivec2(lessThan(low, ivec2(0))) * extent;
  high -= ivec2(greaterThanEqual(high, extent)) * extent;
  vec3 bottom = mix(texelFetch(atlas, origin + low, 0).rgb,
                    texelFetch(atlas, origin + ivec2(high.x, low.y), 0).rgb, f.x);
  vec3 top = mix(texelFetch(atlas, origin + ivec2(low.x, high.y), 0).rgb,
                 texelFetch(atlas, origin + high, 0).rgb, f.x);
  return mix(bottom, top, f.y);
}
#endif
