# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method: NumPy, the standard library and the sparse solver; nothing of Blender."""
