// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Shades the points of a table and differentiates by what their maps say; core/lit_shading.py mirrors it.
// Reads: points, four rows a point (position and sign of the bitangent, normal, tangent, towards the eye);
// values, three rows (base colour and metallic, normal and roughness, emission); point_count.
// Writes: colour, and for each SGE_D_<map> that is defined d_base_color, d_metallic, d_roughness, d_normal_x,
// d_normal_y: derivatives of each channel of the colour to the map's value (to the same channel of a colour).
// Base colour and metallic exactly, others by central differences over SGE_STEP_ROUGHNESS, SGE_STEP_NORMAL.

#if defined(SGE_D_NORMAL)
#  define SGE_BENT 4
#else
#  define SGE_BENT 0
#endif
#if defined(SGE_D_ROUGHNESS)
#  define SGE_ROUGHER 2
#else
#  define SGE_ROUGHER 0
#endif
#define SGE_VARIANTS (1 + SGE_BENT + SGE_ROUGHER)

void main()
{
  int point = int(gl_FragCoord.y) * 1024 + int(gl_FragCoord.x);
  if (point >= point_count) {
    return;
  }
  vec4 place = SGE_TABLE(points, 4 * point);
  SgePoint p;
  p.position = place.xyz;
  p.normal = SGE_TABLE(points, 4 * point + 1).xyz;
  p.tangent = vec4(SGE_TABLE(points, 4 * point + 2).xyz, place.w);
  p.to_eye = SGE_TABLE(points, 4 * point + 3).xyz;
  vec4 row = SGE_TABLE(values, 3 * point);
  SgeMaterial m;
  m.base_color = row.rgb;
  m.metallic = row.a;
  row = SGE_TABLE(values, 3 * point + 1);
  m.normal = row.xyz;
  m.roughness = row.w;
  m.emission = SGE_TABLE(values, 3 * point + 2).rgb;
  m.alpha = 1.0;

  // Variant 0 is the point itself; then x + step, x - step, y + step, y - step of the normal; then of roughness.
  vec3 normals[SGE_VARIANTS];
  float roughnesses[SGE_VARIANTS];
  for (int i = 0; i < SGE_VARIANTS; i++) {
    roughnesses[i] = m.roughness;
    normals[i] = sge_mapped_normal(m.normal, p);
  }
#ifdef SGE_D_NORMAL
  float bend = SGE_STEP_NORMAL * max(length(m.normal), 1e-6);
  normals[1] = sge_mapped_normal(m.normal + vec3(bend, 0.0, 0.0), p);
  normals[2] = sge_mapped_normal(m.normal - vec3(bend, 0.0, 0.0), p);
  normals[3] = sge_mapped_normal(m.normal + vec3(0.0, bend, 0.0), p);
  normals[4] = sge_mapped_normal(m.normal - vec3(0.0, bend, 0.0), p);
#endif
#ifdef SGE_D_ROUGHNESS
  float rougher = min(m.roughness + SGE_STEP_ROUGHNESS, 1.0);
  float smoother = max(m.roughness - SGE_STEP_ROUGHNESS, SGE_MIN_ROUGHNESS);
  roughnesses[SGE_BENT + 1] = rougher;
  roughnesses[SGE_BENT + 2] = smoother;
#endif

  SgeGgx ggx[SGE_VARIANTS];
  SgeLobe lobes[SGE_VARIANTS];
  vec3 specular[SGE_VARIANTS];
  vec3 diffuse[1 + SGE_BENT];
  for (int i = 0; i < SGE_VARIANTS; i++) {
    ggx[i] = sge_ggx(roughnesses[i], dot(normals[i], p.to_eye));
    lobes[i] = sge_lobe(ggx[i], roughnesses[i], normals[i], p.to_eye);
    specular[i] = sge_world_specular(sge_reflected(normals[i], p.to_eye, roughnesses[i]), roughnesses[i]);
  }
  for (int i = 0; i <= SGE_BENT; i++) {
    diffuse[i] = sge_world_diffuse(normals[i]);
  }
  for (int k = 0; k < SGE_FIRST_BALL; k++) {
    SgeLight light = sge_sun(k);
    for (int i = 0; i < SGE_VARIANTS; i++) {
      specular[i] += light.specular * (sge_facing(light, normals[i]) * sge_ball_over(light, lobes[i]));
    }
    for (int i = 0; i <= SGE_BENT; i++) {
      diffuse[i] += light.diffuse * (sge_facing(light, normals[i]) * sge_ball_on(light, normals[i]));
    }
  }
  for (int k = SGE_FIRST_BALL; k < SGE_FIRST_ELLIPSE; k++) {
    SgeLight light = sge_lamp(k, p.position);
    for (int i = 0; i < SGE_VARIANTS; i++) {
      specular[i] += light.specular * (sge_facing(light, normals[i]) * sge_ball_over(light, lobes[i]));
    }
    for (int i = 0; i <= SGE_BENT; i++) {
      diffuse[i] += light.diffuse * (sge_facing(light, normals[i]) * sge_ball_on(light, normals[i]));
    }
  }
  for (int k = SGE_FIRST_ELLIPSE; k < SGE_FIRST_RECTANGLE; k++) {
    SgeLight light = sge_lamp(k, p.position);
    for (int i = 0; i < SGE_VARIANTS; i++) {
      specular[i] += light.specular * (sge_facing(light, normals[i]) * sge_ellipse_over(light, lobes[i]));
    }
    for (int i = 0; i <= SGE_BENT; i++) {
      diffuse[i] += light.diffuse * (sge_facing(light, normals[i]) * sge_ellipse_over(light, sge_cosine(normals[i])));
    }
  }
  for (int k = SGE_FIRST_RECTANGLE; k < SGE_LIGHT_COUNT; k++) {
    SgeLight light = sge_lamp(k, p.position);
    for (int i = 0; i < SGE_VARIANTS; i++) {
      specular[i] += light.specular * (sge_facing(light, normals[i]) * sge_rectangle_over(light, lobes[i]));
    }
    for (int i = 0; i <= SGE_BENT; i++) {
      diffuse[i] += light.diffuse * (sge_facing(light, normals[i]) * sge_rectangle_over(light, sge_cosine(normals[i])));
    }
  }

  vec3 slope;
  vec3 metal = sge_metal(ggx[0], m.base_color, slope);
  float coat = sge_dielectric(ggx[0]);
  float metallic = clamp(m.metallic, 0.0, 1.0);
  vec3 shaded = sge_reflect(m, ggx[0], diffuse[0], specular[0]);
  colour = vec4(shaded + m.emission * lit_constants.w, 1.0);
#ifdef SGE_D_BASE_COLOR
  d_base_color = vec4(mix((1.0 - coat) * diffuse[0], specular[0] * slope, metallic), 0.0);
#endif
#ifdef SGE_D_METALLIC
  vec3 matter = specular[0] * coat + (1.0 - coat) * max(m.base_color, 0.0) * diffuse[0];
  d_metallic = vec4(specular[0] * metal - matter, 0.0);
#endif
#ifdef SGE_D_NORMAL
  vec3 right = sge_reflect(m, ggx[1], diffuse[1], specular[1]);
  vec3 left = sge_reflect(m, ggx[2], diffuse[2], specular[2]);
  vec3 upper = sge_reflect(m, ggx[3], diffuse[3], specular[3]);
  vec3 lower = sge_reflect(m, ggx[4], diffuse[4], specular[4]);
  d_normal_x = vec4((right - left) / (2.0 * bend), 0.0);
  d_normal_y = vec4((upper - lower) / (2.0 * bend), 0.0);
#endif
#ifdef SGE_D_ROUGHNESS
  vec3 rough = sge_reflect(m, ggx[SGE_BENT + 1], diffuse[0], specular[SGE_BENT + 1]);
  vec3 glossy = sge_reflect(m, ggx[SGE_BENT + 2], diffuse[0], specular[SGE_BENT + 2]);
  d_roughness = vec4((rough - glossy) / max(rougher - smoother, 1e-6), 0.0);
#endif
}
