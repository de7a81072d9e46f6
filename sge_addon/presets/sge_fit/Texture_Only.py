# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
import bpy

sge = bpy.context.scene.sge

sge.shape = False
sge.texture = True
sge.match = {"colour"}
sge.shading = "unlit"
sge.steps = 400
sge.texture_estimator = "filtered"
