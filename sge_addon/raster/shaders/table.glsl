// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Long tables live in textures 1024 texels wide. Mirrors raster/tables.py.

#define SGE_TABLE(table, index) texelFetch(table, ivec2((index) & 1023, (index) >> 10), 0)
