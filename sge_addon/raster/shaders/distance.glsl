// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The loss of a difference: absolute, or squared with SGE_L2. Mirrors core/pixel_loss.py.

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
