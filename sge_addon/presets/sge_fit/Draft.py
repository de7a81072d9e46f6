# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
import bpy

sge = bpy.context.scene.sge

sge.steps = 400
sge.resolution = 256
sge.texture_size = 512
