// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Light of one lamp over a cosine or a lobe, linear. Mirrors core/light_response.py.
// Reads: lit_light.rows, six rows a light after the coefficients (core/light_rows.py lays them out).

#define SGE_SUN 0
#define SGE_BALL 1
#define SGE_ELLIPSE 2
#define SGE_RECTANGLE 3
#define SGE_PI 3.14159265358979

// radiance: as seen from the point, without what is between. towards: unit, to the light's middle; size: of the
// disc that a sun or ball is seen as, at distance 1. right, up: half axes of an area light; extent: sine of the
// angle from its middle to its rim.
struct SgeLight {
  vec3 radiance;
  float diffuse;
  float specular;
  int kind;
  vec3 towards;
  float size;
  float extent;
  vec3 centre;
  vec3 right;
  vec3 up;
};

SgeLight sge_light(int index, vec3 position)
{
  int row = SGE_FIRST_LIGHT + 6 * index;
  vec4 place = lit_light.rows[row];
  vec4 shine = lit_light.rows[row + 1];
  vec4 share = lit_light.rows[row + 2];
  SgeLight light;
  light.kind = int(place.w);
  light.radiance = shine.rgb;
  light.diffuse = share.x;
  light.specular = share.y;
  light.right = vec3(0.0);
  light.up = vec3(0.0);
  if (light.kind == SGE_SUN) {
    light.towards = place.xyz;
    light.centre = place.xyz;
    light.size = shine.w;
    light.extent = shine.w;
    return light;
  }
  vec4 right = lit_light.rows[row + 3];
  vec4 up = lit_light.rows[row + 4];
  vec4 back = lit_light.rows[row + 5];
  light.centre = place.xyz - position;
  float distance2 = max(dot(light.centre, light.centre), 1e-12);
  light.towards = light.centre * inversesqrt(distance2);
  light.extent = shine.w * inversesqrt(distance2);
  light.size = shine.w * inversesqrt(max(distance2 - share.w * shine.w * shine.w, 1e-8));
  float reach = clamp(1.0 - distance2 * distance2 * share.z, 0.0, 1.0);
  float shining = dot(light.towards, back.xyz);
  float strength = reach * reach;
  if (light.kind == SGE_BALL) {
    if (back.w > 0.0) {
      float edge = clamp(shining * right.w + up.w, 0.0, 1.0);
      strength *= shining > 0.0 ? edge * edge * (3.0 - 2.0 * edge) : 0.0;
    }
  }
  else {
    light.right = right.xyz;
    light.up = up.xyz;
    strength *= shining > 0.0 ? 1.0 : 0.0;
  }
  light.radiance *= strength;
  return light;
}

// Lights below the horizon fade out, since lobes reach below it.
float sge_facing(SgeLight light, vec3 n)
{
  return clamp(10.0 * (light.extent + dot(light.towards, n)) + 1.0, 0.0, 1.0);
}

// Irradiance / pi from a ball of radiance 1 whose unclipped irradiance / pi, facing it, is ``facing``, in the
// direction with the given cosine: what is below the horizon is cut off.
float sge_clipped_ball(float cosine, float facing)
{
  float c = clamp(cosine, -1.0, 1.0);
  float c2 = c * c;
  float cut = facing - c2;
  if (cut <= 0.0 || facing >= 1.0) {
    return max(c, 0.0) * facing;
  }
  float sine = sqrt(max(1.0 - c2, 1e-12));
  float rest = sqrt(1.0 - facing);
  float root = sqrt(facing);
  float visible = acos(clamp(-c * rest / (root * sine), -1.0, 1.0));
  float sum = facing * c * visible - sqrt(cut * (1.0 - facing)) + atan(sqrt(cut), rest);
  return max(sum, 0.0) / SGE_PI;
}

// The same for a cone x' P^-1 x <= 0 about ``axis``, P = (xx, yy, zz) and (xy, xz, yz) on and off its diagonal,
// with two positive eigenvalues, one negative and the determinant -volume^2: of the ball that looks as large.
float sge_clipped_cone(vec3 on, vec3 off, float volume, vec3 axis)
{
  float trace = on.x + on.y + on.z;
  float minors = on.x * on.y + on.x * on.z + on.y * on.z - dot(off, off);
  float volume2 = volume * volume;
  // Laguerre's steps from below the negative eigenvalue never pass it.
  float root = -dot(axis, axis);
  for (int i = 0; i < 3; i++) {
    float f = ((root - trace) * root + minors) * root + volume2;
    float f1 = (3.0 * root - 2.0 * trace) * root + minors;
    float f2 = 6.0 * root - 2.0 * trace;
    float bend = sqrt(max(4.0 * f1 * f1 - 6.0 * f * f2, 0.0));
    root -= 3.0 * f / max(f1 + bend, 1e-30);
  }
  vec3 d = on - root;
  vec3 first = vec3(d.y * d.z - off.z * off.z, off.y * off.z - off.x * d.z, off.x * off.z - off.y * d.y);
  vec3 second = vec3(first.y, d.x * d.z - off.y * off.y, off.x * off.y - off.z * d.x);
  vec3 third = vec3(first.z, second.z, d.x * d.y - off.x * off.x);
  vec3 v = vec3(dot(first, axis), dot(second, axis), dot(third, axis));
  float cosine = v.z * inversesqrt(max(dot(v, v), 1e-30));
  float facing = volume * inversesqrt(max(-root * (first.x + second.y + third.z), 1e-30));
  return sge_clipped_ball(cosine, min(facing, 1.0));
}

vec3 sge_to_lobe(SgeLobe lobe, vec3 v)
{
  return vec3(dot(lobe.x, v), dot(lobe.y, v), dot(lobe.z, v));
}

// Angle between unit vectors over its sine, times half their cross product: an edge's share of a form factor.
vec3 sge_edge(vec3 a, vec3 b)
{
  vec3 across = cross(a, b);
  float cosine = dot(a, b);
  float sine = length(across);
  float angle = atan(sine, cosine);
  return across * (sine > 1e-6 ? angle / sine : 1.0);
}

float sge_rectangle(vec3 centre, vec3 right, vec3 up)
{
  vec3 a = normalize(centre + right - up);
  vec3 b = normalize(centre + right + up);
  vec3 c = normalize(centre - right + up);
  vec3 d = normalize(centre - right - up);
  vec3 sum = sge_edge(a, b) + sge_edge(b, c) + sge_edge(c, d) + sge_edge(d, a);
  float facing = length(sum);
  float cosine = sum.z / max(facing, 1e-12);
  // Which way the corners turn depends on the side that the light is seen from.
  cosine *= sign(dot(sum, centre));
  return sge_clipped_ball(cosine, min(facing / (2.0 * SGE_PI), 1.0));
}

// Mean radiance over a lobe.
float sge_light_over(SgeLight light, SgeLobe lobe)
{
  vec3 centre = sge_to_lobe(lobe, light.centre);
  if (light.kind == SGE_RECTANGLE) {
    return sge_rectangle(centre, sge_to_lobe(lobe, light.right), sge_to_lobe(lobe, light.up));
  }
  if (light.kind == SGE_ELLIPSE) {
    vec3 a = sge_to_lobe(lobe, light.right);
    vec3 b = sge_to_lobe(lobe, light.up);
    vec3 on = a * a + b * b - centre * centre;
    vec3 off = a.xxy * a.yzz + b.xxy * b.yzz - centre.xxy * centre.yzz;
    return sge_clipped_cone(on, off, abs(dot(centre, cross(a, b))), centre);
  }
  float size2 = light.size * light.size;
  vec3 axis = sge_to_lobe(lobe, light.towards);
  vec3 on = size2 * vec3(dot(lobe.x, lobe.x), dot(lobe.y, lobe.y), dot(lobe.z, lobe.z));
  on -= (1.0 + size2) * axis * axis;
  vec3 off = size2 * vec3(dot(lobe.x, lobe.y), dot(lobe.x, lobe.z), dot(lobe.y, lobe.z));
  off -= (1.0 + size2) * axis.xxy * axis.yzz;
  return sge_clipped_cone(on, off, size2 * lobe.determinant, axis);
}

// Irradiance / pi of a surface with the normal n.
float sge_light_on(SgeLight light, vec3 n)
{
  if (light.kind == SGE_SUN || light.kind == SGE_BALL) {
    float size2 = light.size * light.size;
    return sge_clipped_ball(dot(n, light.towards), size2 / (1.0 + size2));
  }
  SgeLobe cosine;
  vec3 any = abs(n.z) < 0.9 ? vec3(n.y, -n.x, 0.0) : vec3(0.0, n.z, -n.y);
  cosine.x = normalize(any);
  cosine.y = cross(n, cosine.x);
  cosine.z = n;
  cosine.determinant = 1.0;
  return sge_light_over(light, cosine);
}
