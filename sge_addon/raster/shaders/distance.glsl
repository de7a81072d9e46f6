// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The loss of a difference: absolute, or squared with SGE_L2; and how colours are encoded before they are
// compared: with SGE_LOG as sRGB(ln(1 + x)), else as they are. Mirrors core/pixel_loss.py and
// core/colour.py.

vec3 sge_distances(vec3 x)
{
#ifdef SGE_L2
  return x * x;
#else
  return abs(x);
#endif
}

// Mean over the channels.
float sge_distance(vec3 x)
{
  return dot(sge_distances(x), vec3(1.0 / 3.0));
}

vec3 sge_encoded(vec3 linear_colour)
{
#ifdef SGE_LOG
  vec3 x = log(1.0 + max(linear_colour, 0.0));
  vec3 curve = 1.055 * pow(max(x, 0.0031308), vec3(1.0 / 2.4)) - 0.055;
  return mix(curve, x * 12.92, vec3(lessThanEqual(x, vec3(0.0031308))));
#else
  return linear_colour;
#endif
}

// The slope of sge_distance by each channel.
vec3 sge_slopes(vec3 x)
{
#ifdef SGE_L2
  return x * (2.0 / 3.0);
#else
  return sign(x) * (1.0 / 3.0);
#endif
}

// The slope of sge_encoded by each channel.
vec3 sge_encoded_slopes(vec3 linear_colour)
{
#ifdef SGE_LOG
  vec3 x = log(1.0 + max(linear_colour, 0.0));
  vec3 curve = (1.055 / 2.4) * pow(max(x, 0.0031308), vec3(1.0 / 2.4 - 1.0));
  vec3 slope = mix(curve, vec3(12.92), vec3(lessThanEqual(x, vec3(0.0031308))));
  return slope / (1.0 + max(linear_colour, 0.0)) * vec3(greaterThan(linear_colour, vec3(0.0)));
#else
  return vec3(1.0);
#endif
}
