// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// One triangle over the whole target. Reads: the corner (x, y) in clip space.

void main()
{
  gl_Position = vec4(corner, 0.0, 1.0);
}
