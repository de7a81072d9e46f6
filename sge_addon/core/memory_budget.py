# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory goes to what could be read or made again: the one place that knows.

What a fit needs in any case, mesh, textures and pictures of one step, comes on top. None of this changes
what is drawn from the same pixels; of lit maps, ``maps`` says how many sets of samples a view has.
"""

from __future__ import annotations

# References that stay as arrays: 48 of 1024 x 1024. What is beyond is packed into a temporary file.
REFERENCES = 3 << 28
# Of those in the file, what was unpacked last: a step asks several times, a search goes over eight views.
UNPACKED = 1 << 27
# References on the GPU as half floats, 64 of 1024 x 1024; without a graphics card that is the same memory.
REFERENCE_TEXTURES = 1 << 29
# Maps from texels to pixels where the shape rests, 148 bytes a pixel that shows one texture: of 36 views of
# 1024 x 1024, or nine of 2048 x 2048, four tenths of them covered; and beside a shape that moves, whose mesh
# may be large.
MAPS = 9 << 28
JOINT_MAPS = 1 << 28
