// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The lobe that GGX reflects, as a linearly transformed cosine, and how much of the light it reflects.
// Mirrors core/ggx_polynomials.py and core/light_response.py. SGE_GGX_SHAPE and SGE_GGX_AMOUNT are polynomials in
// variables r and c that raster/lit_resources.py writes: as constants they are three times as fast as in a block.

#define SGE_MIN_ROUGHNESS 0.03

// albedo: reflected where facets reflect everything; facing: the same times (1 - cosine to the facet)^5;
// dielectric: reflected or let through. shape: width, height, shear, lean of the lobe.
struct SgeGgx {
  vec4 shape;
  float albedo;
  float facing;
  float dielectric;
};

// Rows of the matrix from world directions to those of a cosine about z, and its determinant.
struct SgeLobe {
  vec3 x;
  vec3 y;
  vec3 z;
  float determinant;
};

SgeGgx sge_ggx(float roughness, float cosine)
{
  float r = 2.0 * clamp(roughness, SGE_MIN_ROUGHNESS, 1.0) - 1.0;
  float c = 2.0 * clamp(cosine, 0.0, 1.0) - 1.0;
  vec4 shape = SGE_GGX_SHAPE;
  vec4 amount = SGE_GGX_AMOUNT;
  SgeGgx ggx;
  ggx.shape = vec4(max(shape.x, 0.5), max(shape.y, 0.1), shape.z, clamp(shape.w, 0.0, 1.0));
  ggx.albedo = clamp(amount.x, 0.0, 1.0);
  float root = clamp(amount.y, 0.0, 1.0);
  ggx.facing = root * root * root * root;
  ggx.dielectric = clamp(amount.z, 0.0, 1.0);
  return ggx;
}

SgeLobe sge_lobe(SgeGgx ggx, float roughness, vec3 n, vec3 to_eye)
{
  float r = clamp(roughness, SGE_MIN_ROUGHNESS, 1.0);
  float nv = dot(n, to_eye);
  vec3 along = to_eye - n * nv;
  float sine2 = dot(along, along);
  // Seen along the normal the lobe is round, and any direction will do.
  vec3 any = abs(n.z) < 0.9 ? vec3(n.y, -n.x, 0.0) : vec3(0.0, n.z, -n.y);
  vec3 t = normalize(sine2 > 1e-10 ? along : any);
  vec3 reflected = 2.0 * nv * n - to_eye;
  vec3 z = normalize(mix(n, reflected, ggx.shape.w));
  vec3 y = cross(n, t);
  vec3 x = cross(y, z);
  float width = ggx.shape.x * r * r;
  float ratio = ggx.shape.x / ggx.shape.y;
  SgeLobe lobe;
  lobe.x = x - ggx.shape.z * z;
  lobe.y = ratio * y;
  lobe.z = width * z;
  lobe.determinant = ratio * width;
  return lobe;
}
