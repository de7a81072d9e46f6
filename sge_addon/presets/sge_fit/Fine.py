# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
import bpy

sge = bpy.context.scene.sge

sge.steps = 1600
sge.resolution = 1024
sge.texture_size = 2048
