// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Both perturbed positions of each vertex, one vertex a pixel.
// Reads: positions (xyz world, w = 1 where movable, else 0), key of the step's signs, the view.
// Writes: plus, minus: xyz world.  Mirrors core/perturbation.py.

void main()
{
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  vec4 position = texelFetch(positions, pixel, 0);
  // One screen pixel in world units, at the vertex's depth but never before the near plane.
  float clip_w = max(dot(depth_row, vec4(position.xyz, 1.0)), nearest);
  float epsilon = pixel_scale * clip_w * position.w;
  vec3 offset = epsilon * sge_signs(uint(key), uint(pixel.y * 1024 + pixel.x));
  plus = vec4(position.xyz + offset, epsilon);
  minus = vec4(position.xyz - offset, epsilon);
}
