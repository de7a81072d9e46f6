// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Mean over samples x samples sub-pixels. Reads: source. Writes: mean.

void main()
{
  ivec2 corner = ivec2(gl_FragCoord.xy) * samples;
  vec4 sum = vec4(0.0);
  for (int y = 0; y < samples; y++) {
    for (int x = 0; x < samples; x++) {
      sum += texelFetch(source, corner + ivec2(x, y), 0);
    }
  }
  mean = sum / float(samples * samples);
}
