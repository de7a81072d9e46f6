// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Random signs from a counter-based hash. Mirrors core/signs.py bit for bit.

uint sge_mix(uint bits)
{
  bits ^= bits >> 16u;
  bits *= 0x7FEB352Du;
  bits ^= bits >> 15u;
  bits *= 0x846CA68Bu;
  return bits ^ (bits >> 16u);
}

uint sge_hash(uint key, uint index)
{
  return sge_mix(index * 0x9E3779B9u + key);
}

// Three signs, -1 or +1, of parameter `index`; key = sge_mix(seed).
vec3 sge_signs(uint key, uint index)
{
  uint bits = sge_hash(key, index);
  return vec3((bits >> 31u) & 1u, (bits >> 30u) & 1u, (bits >> 29u) & 1u) * 2.0 - 1.0;
}
