// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Radiance of a Principled material under the scene's lights and world, linear. Mirrors core/lit_shading.py.
// Reads: lit_constants, and what the sources before it read (raster/lit_resources.py).

// normal: unit, towards the viewer's side. tangent: of the UV map, and the sign of the bitangent.
struct SgePoint {
  vec3 position;
  vec3 normal;
  vec4 tangent;
  vec3 to_eye;
};

// normal: in tangent space, of any length.
struct SgeMaterial {
  vec3 base_color;
  float metallic;
  vec3 normal;
  float roughness;
  vec3 emission;
  float alpha;
};

// The normal map's normal in world space.
vec3 sge_mapped_normal(vec3 mapped, SgePoint p)
{
  float strength = max(lit_constants.z, 0.0);
  vec3 bent = normalize(mapped);
  bent = vec3(bent.xy * strength, mix(1.0, bent.z, min(strength, 1.0)));
  vec3 bitangent = p.tangent.w * cross(p.normal, p.tangent.xyz);
  vec3 n = p.tangent.xyz * bent.x + bitangent * bent.y + p.normal * bent.z;
  return n * inversesqrt(max(dot(n, n), 1e-20));
}

// Where the middle of what a rough surface reflects comes from: between mirror and normal.
vec3 sge_reflected(vec3 n, vec3 to_eye, float roughness)
{
  float alpha = roughness * roughness;
  float smoothness = clamp(1.0 - alpha, 0.0, 1.0);
  vec3 mirrored = 2.0 * dot(n, to_eye) * n - to_eye;
  return normalize(mix(n, mirrored, smoothness * (sqrt(smoothness) + alpha)));
}

// Mean radiance over the lobe, of lights and world.
vec3 sge_specular_light(vec3 n, float roughness, SgeGgx ggx, SgePoint p)
{
  SgeLobe lobe = sge_lobe(ggx, roughness, n, p.to_eye);
  vec3 sum = sge_world_specular(sge_reflected(n, p.to_eye, roughness), roughness);
  for (int i = 0; i < SGE_FIRST_BALL; i++) {
    SgeLight light = sge_sun(i);
    sum += light.specular * (sge_facing(light, n) * sge_ball_over(light, lobe));
  }
  for (int i = SGE_FIRST_BALL; i < SGE_FIRST_ELLIPSE; i++) {
    SgeLight light = sge_lamp(i, p.position);
    sum += light.specular * (sge_facing(light, n) * sge_ball_over(light, lobe));
  }
  for (int i = SGE_FIRST_ELLIPSE; i < SGE_FIRST_RECTANGLE; i++) {
    SgeLight light = sge_lamp(i, p.position);
    sum += light.specular * (sge_facing(light, n) * sge_ellipse_over(light, lobe));
  }
  for (int i = SGE_FIRST_RECTANGLE; i < SGE_LIGHT_COUNT; i++) {
    SgeLight light = sge_lamp(i, p.position);
    sum += light.specular * (sge_facing(light, n) * sge_rectangle_over(light, lobe));
  }
  return sum;
}

// Irradiance / pi, of lights and world.
vec3 sge_diffuse_light(vec3 n, SgePoint p)
{
  vec3 sum = sge_world_diffuse(n);
  SgeLobe cosine = sge_cosine(n);
  for (int i = 0; i < SGE_FIRST_BALL; i++) {
    SgeLight light = sge_sun(i);
    sum += light.diffuse * (sge_facing(light, n) * sge_ball_on(light, n));
  }
  for (int i = SGE_FIRST_BALL; i < SGE_FIRST_ELLIPSE; i++) {
    SgeLight light = sge_lamp(i, p.position);
    sum += light.diffuse * (sge_facing(light, n) * sge_ball_on(light, n));
  }
  for (int i = SGE_FIRST_ELLIPSE; i < SGE_FIRST_RECTANGLE; i++) {
    SgeLight light = sge_lamp(i, p.position);
    sum += light.diffuse * (sge_facing(light, n) * sge_ellipse_over(light, cosine));
  }
  for (int i = SGE_FIRST_RECTANGLE; i < SGE_LIGHT_COUNT; i++) {
    SgeLight light = sge_lamp(i, p.position);
    sum += light.diffuse * (sge_facing(light, n) * sge_rectangle_over(light, cosine));
  }
  return sum;
}

// emission aside.
vec3 sge_reflect(SgeMaterial m, SgeGgx ggx, vec3 diffuse, vec3 specular)
{
  vec3 slope;
  float coat = sge_dielectric(ggx);
  vec3 metal = sge_metal(ggx, m.base_color, slope);
  float metallic = clamp(m.metallic, 0.0, 1.0);
  vec3 matter = specular * coat + (1.0 - coat) * max(m.base_color, 0.0) * diffuse;
  return mix(matter, specular * metal, metallic);
}

// alpha ignored.
vec3 sge_radiance(SgeMaterial m, SgePoint p)
{
  vec3 n = sge_mapped_normal(m.normal, p);
  SgeGgx ggx = sge_ggx(m.roughness, dot(n, p.to_eye));
  vec3 diffuse = sge_diffuse_light(n, p);
  vec3 specular = sge_specular_light(n, m.roughness, ggx, p);
  return sge_reflect(m, ggx, diffuse, specular) + m.emission * lit_constants.w;
}
