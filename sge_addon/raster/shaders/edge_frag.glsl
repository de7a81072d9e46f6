// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// What this pixel says of the surface's motion: the derivatives of its loss, by where the surface is and by its
// normal; and what its neighbours need to know to tell what the outline between them and it is worth.
// Reads: the surface; edge = the vertex mark and the depth, interpolated; edge_view.rows: those of world_to_clip
// that give clip x, y, w, then what surface_vert.glsl reads, then the picture's size in pixels; reference_normal
// and what matched.glsl reads.
// Writes: loss, id as loss_frag.glsl; force.xyz: the loss's gradient by the position, in world space, of the
// point that is seen, as far as it carries colours and normals with it; force.w, turn.xy: the gradient by the
// interpolated normal, not normalised; turn.zw = the mark; seen = encoded colour, depth;
// seen_normal = 0.5 + 0.5 n.  core/edge_gradient.py sums them, by pairs.

void main()
{
#ifdef SGE_LIT_MATERIAL
  sge_begin();
#endif
  vec3 target = vec3(0.0), colour;
#ifdef SGE_MATCH_NORMAL
  target = texelFetch(reference_normal, ivec2(gl_FragCoord.xy), 0).rgb;
#endif
  loss = sge_covering(colour, target);
  seen = vec4(0.0, 0.0, 0.0, edge.z);
  vec2 pull = vec2(0.0);  // the loss's gradient by a motion of the surface, in pixels
  vec3 turned = vec3(0.0);
#ifdef SGE_MATCH_COLOUR
  vec3 shaded = sge_colour();
  seen.rgb = sge_encoded(shaded);
  vec3 slopes = sge_slopes(seen.rgb - colour);
  loss += sge_distance(seen.rgb - colour);
  pull -= vec2(dot(slopes, dFdx(seen.rgb)), dot(slopes, dFdy(seen.rgb)));
#  if defined(SGE_NORMAL) && !defined(SGE_SHADE_UNLIT)
  turned += sge_shade_turned(slopes * sge_encoded_slopes(shaded));
#  endif
#endif
#ifdef SGE_MATCH_NORMAL
  seen_normal = vec4(0.5 + 0.5 * sge_unit_normal(), 1.0);
  vec3 tilts = sge_slopes(seen_normal.rgb - target);
  loss += sge_distance(seen_normal.rgb - target);
  pull -= vec2(dot(tilts, dFdx(seen_normal.rgb)), dot(tilts, dFdy(seen_normal.rgb)));
  turned += 0.5 * tilts;
#endif
  vec2 size = edge_view.rows[4].xy;
  vec2 ndc = 2.0 * gl_FragCoord.xy / size - 1.0;
  vec2 scaled = 0.5 * size * pull * gl_FragCoord.w;
  force.xyz = scaled.x * (edge_view.rows[0].xyz - ndc.x * edge_view.rows[2].xyz) +
              scaled.y * (edge_view.rows[1].xyz - ndc.y * edge_view.rows[2].xyz);
#ifdef SGE_NORMAL
  vec3 n = sge_unit_normal();
  // Within measure also where corners' normals point opposite ways and cancel, as in a fold.
  turned = (turned - n * dot(n, turned)) * inversesqrt(max(dot(normal, normal), 0.0025));
#endif
  force.w = turned.x;
  turn = vec4(turned.yz, edge.xy);
  id = uint(gl_PrimitiveID + first_triangle) + 1u;
}
