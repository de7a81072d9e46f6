// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The maps of a lit material as this fragment reads them.
// Reads: uv; lit_material, the rows of raster/lit_materials.py: of each map two of its UV transform, its size in
// texels, number of levels (0: a constant) and how it is read, and its constant; atlas_<map> where any material
// has a texture. SGE_PACKED: in the alpha channel of the map before it. SGE_READ_AS_BASE: at the same texels as
// the base colour, which is read before it.
// Mirrors core/geometry_buffer.py's lookup and core/footprint.py.

// How far the mesh's UVs go from this pixel to the next, in x and in y: taken before anything is discarded.
vec2 sge_uv_dx = vec2(0.0);
vec2 sge_uv_dy = vec2(0.0);

#ifdef SGE_ATLAS
SgeFootprint sge_base_taps;

SgeFootprint sge_taps(int row, vec4 size)
{
  vec4 u = lit_material.rows[row], v = lit_material.rows[row + 1];
  vec2 place = vec2(dot(u.xyz, vec3(uv, 1.0)), dot(v.xyz, vec3(uv, 1.0)));
  vec2 dx = vec2(dot(u.xy, sge_uv_dx), dot(v.xy, sge_uv_dx)) * size.xy;
  vec2 dy = vec2(dot(u.xy, sge_uv_dy), dot(v.xy, sge_uv_dy)) * size.xy;
  return sge_footprint_at(sge_level_of(dx, dy), place, ivec2(size.xy), int(size.z));
}

vec4 sge_map(sampler2D atlas, int row)
{
  vec4 size = lit_material.rows[row + 2];
  if (size.z == 0.0) {
    return lit_material.rows[row + 3];
  }
  SgeFootprint taps;
  if (size.w == SGE_READ_AS_BASE) {
    taps = sge_base_taps;
  }
  else {
    taps = sge_taps(row, size);
  }
  if (row == 0) {
    sge_base_taps = taps;
  }
  ivec2 extent = ivec2(size.xy);
  ivec2 origin = taps.level == 0 ? ivec2(0) : ivec2(extent.x, extent.y - (extent.y >> (taps.level - 1)));
  vec4 low = mix(texelFetch(atlas, origin + taps.low, 0),
                 texelFetch(atlas, origin + ivec2(taps.high.x, taps.low.y), 0),
                 taps.fraction.x);
  vec4 high = mix(texelFetch(atlas, origin + ivec2(taps.low.x, taps.high.y), 0),
                  texelFetch(atlas, origin + taps.high, 0),
                  taps.fraction.x);
  return mix(low, high, taps.fraction.y);
}
#endif

#define SGE_CONSTANT(row) lit_material.rows[(row) + 3]
#define SGE_IS_PACKED(row) (lit_material.rows[(row) + 2].w == SGE_PACKED)

// rgb: base colour; a: metallic, where it is packed.
vec4 sge_map_base_color()
{
#ifdef SGE_ATLAS_BASE_COLOR
  return sge_map(atlas_base_color, 0);
#else
  return SGE_CONSTANT(0);
#endif
}

float sge_map_metallic(float beside)
{
  if (SGE_IS_PACKED(4)) {
    return beside;
  }
#ifdef SGE_ATLAS_METALLIC
  return sge_map(atlas_metallic, 4).r;
#else
  return SGE_CONSTANT(4).r;
#endif
}

// rgb: the normal; a: roughness, where it is packed.
vec4 sge_map_normal()
{
#ifdef SGE_ATLAS_NORMAL
  return sge_map(atlas_normal, 8);
#else
  return SGE_CONSTANT(8);
#endif
}

float sge_map_roughness(float beside)
{
  if (SGE_IS_PACKED(12)) {
    return beside;
  }
#ifdef SGE_ATLAS_ROUGHNESS
  return sge_map(atlas_roughness, 12).r;
#else
  return SGE_CONSTANT(12).r;
#endif
}

vec3 sge_map_emission()
{
#ifdef SGE_ATLAS_EMISSION
  return sge_map(atlas_emission, 16).rgb;
#else
  return SGE_CONSTANT(16).rgb;
#endif
}

float sge_map_alpha()
{
#ifdef SGE_ATLAS_ALPHA
  return sge_map(atlas_alpha, 20).r;
#else
  return SGE_CONSTANT(20).r;
#endif
}

// To be called first.
void sge_begin()
{
#ifdef SGE_UV
  sge_uv_dx = dFdx(uv);
  sge_uv_dy = dFdy(uv);
#endif
#ifdef SGE_ALPHA
  if (!sge_is_there(sge_map_alpha())) {
    discard;
  }
#endif
}
