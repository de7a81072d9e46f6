# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
import bpy

sge = bpy.context.scene.sge

sge.steps = 1000
sge.resolution = 512
sge.texture_size = 1024
