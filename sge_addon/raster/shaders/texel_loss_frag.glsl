// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The losses of this pixel with all texels moved by + and by - epsilon times their signs. Texels move
// no edges, so both images show the same triangles and one rasterisation serves both.
// Reads: the surface, reference_colour (premultiplied), background (rgb behind it, a = 1 where the silhouette
// is known, else 0), texel_key, texel_epsilon (0: not fitted).
// Writes: loss_plus, loss_minus: the channels' losses, whose mean is the colour's, relative to those of
// an empty pixel where the silhouette is known; lookup = (u, v, mip level, 0); id = triangle + 1.
// Mirrors core/pixel_loss.py.

vec3 sge_channel_losses(vec3 base, vec3 target)
{
  vec3 covered = sge_distances(sge_encoded(sge_colour(base)) - target);
  return covered - background.a * sge_distances(sge_encoded(background.rgb) - target);
}

void main()
{
  vec4 reference = texelFetch(reference_colour, ivec2(gl_FragCoord.xy), 0);
  vec3 target = sge_encoded(reference.rgb + (1.0 - reference.a) * background.rgb);
  vec3 base = sge_base_colour();
  vec3 offset = vec3(0.0);
  if (texture_levels > 0) {
    offset = texel_epsilon * sge_texel_signs(uint(texel_key), uv, atlas_size, texture_levels);
  }
  loss_plus = vec4(sge_channel_losses(base + offset, target), 1.0);
  loss_minus = vec4(sge_channel_losses(base - offset, target), 1.0);
  lookup = vec4(uv, sge_level(uv, vec2(atlas_size)), 0.0);
  id = uint(gl_PrimitiveID + first_triangle) + 1u;
}
