// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Light of one lamp over a cosine or a lobe, linear. Mirrors core/light_response.py.
// Reads: lit_light.rows: the first ball, ellipse, rectangle and their end, and then six rows a light
// (core/light_rows.py). Lights are in order of their kind, and each kind has its own functions and loops:
// software GL runs every branch that any point might take.

#define SGE_PI 3.14159265358979
#define SGE_FIRST_BALL int(lit_light.rows[0].x)
#define SGE_FIRST_ELLIPSE int(lit_light.rows[0].y)
#define SGE_FIRST_RECTANGLE int(lit_light.rows[0].z)
#define SGE_LIGHT_COUNT int(lit_light.rows[0].w)

// diffuse, specular: radiance, as seen from the point without what is between, times the light's factors.
// towards: unit, to the light's middle. extent: sine of the angle from there to its rim. size: of the disc that a
// sun or ball is seen as, at distance 1. centre, right, up: middle and half axes of an area light.
struct SgeLight {
  vec3 diffuse;
  vec3 specular;
  vec3 towards;
  float extent;
  float size;
  vec3 centre;
  vec3 right;
  vec3 up;
};

SgeLight sge_sun(int index)
{
  int row = 1 + 6 * index;
  vec4 shine = lit_light.rows[row + 1];
  vec4 share = lit_light.rows[row + 2];
  SgeLight light;
  light.diffuse = shine.rgb * share.x;
  light.specular = shine.rgb * share.y;
  light.towards = lit_light.rows[row].xyz;
  light.extent = shine.w;
  light.size = shine.w;
  light.centre = light.towards;
  light.right = vec3(0.0);
  light.up = vec3(0.0);
  return light;
}

// Of a point light, spot light or area light.
SgeLight sge_lamp(int index, vec3 position)
{
  int row = 1 + 6 * index;
  vec4 shine = lit_light.rows[row + 1];
  vec4 share = lit_light.rows[row + 2];
  vec4 right = lit_light.rows[row + 3];
  vec4 up = lit_light.rows[row + 4];
  SgeLight light;
  light.centre = lit_light.rows[row].xyz - position;
  float distance2 = max(dot(light.centre, light.centre), 1e-12);
  float near = inversesqrt(distance2);
  light.towards = light.centre * near;
  light.extent = shine.w * near;
  light.size = shine.w * inversesqrt(max(distance2 - share.w * shine.w * shine.w, 1e-8));
  light.right = right.xyz;
  light.up = up.xyz;
  // A light ends at its reach, and shines into its cone: of area lights the half space, of points everywhere.
  float reach = clamp(1.0 - distance2 * distance2 * share.z, 0.0, 1.0);
  float shining = dot(light.towards, lit_light.rows[row + 5].xyz);
  float edge = clamp(shining * right.w + up.w, 0.0, 1.0);
  float strength = reach * reach * edge * edge * (3.0 - 2.0 * edge);
  light.diffuse = shine.rgb * (share.x * strength);
  light.specular = shine.rgb * (share.y * strength);
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
  for (int i = 0; i < 4; i++) {
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

// Mean radiance over a lobe, of lights of radiance 1: of a sun or ball, an ellipse, a rectangle.

float sge_ball_over(SgeLight light, SgeLobe lobe)
{
  float size2 = light.size * light.size;
  vec3 axis = sge_to_lobe(lobe, light.towards);
  vec3 on = size2 * vec3(dot(lobe.x, lobe.x), dot(lobe.y, lobe.y), dot(lobe.z, lobe.z));
  on -= (1.0 + size2) * axis * axis;
  vec3 off = size2 * vec3(dot(lobe.x, lobe.y), dot(lobe.x, lobe.z), dot(lobe.y, lobe.z));
  off -= (1.0 + size2) * axis.xxy * axis.yzz;
  return sge_clipped_cone(on, off, size2 * lobe.determinant, axis);
}

float sge_ellipse_over(SgeLight light, SgeLobe lobe)
{
  vec3 centre = sge_to_lobe(lobe, light.centre);
  vec3 a = sge_to_lobe(lobe, light.right);
  vec3 b = sge_to_lobe(lobe, light.up);
  vec3 on = a * a + b * b - centre * centre;
  vec3 off = a.xxy * a.yzz + b.xxy * b.yzz - centre.xxy * centre.yzz;
  return sge_clipped_cone(on, off, abs(dot(centre, cross(a, b))), centre);
}

float sge_rectangle_over(SgeLight light, SgeLobe lobe)
{
  vec3 centre = sge_to_lobe(lobe, light.centre);
  return sge_rectangle(centre, sge_to_lobe(lobe, light.right), sge_to_lobe(lobe, light.up));
}

// Irradiance / pi of a surface with the normal n, from a sun or ball of radiance 1; that of the others is the mean
// over a cosine.
float sge_ball_on(SgeLight light, vec3 n)
{
  float size2 = light.size * light.size;
  return sge_clipped_ball(dot(n, light.towards), size2 / (1.0 + size2));
}

SgeLobe sge_cosine(vec3 n)
{
  SgeLobe cosine;
  vec3 any = abs(n.z) < 0.9 ? vec3(n.y, -n.x, 0.0) : vec3(0.0, n.z, -n.y);
  cosine.x = normalize(any);
  cosine.y = cross(n, cosine.x);
  cosine.z = n;
  cosine.determinant = 1.0;
  return cosine;
}
