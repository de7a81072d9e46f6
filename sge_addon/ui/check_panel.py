# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the findings of the check are drawn: a box each, with its button."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import bpy
from bpy.app.translations import pgettext_iface as iface_

from .checked import Checked
from .remedies import ACTIONS

if TYPE_CHECKING:
    from ..job.check import Finding

SHOWN = 12  # more are counted
CHARACTER = 6.5  # pixels, about, of Blender's interface font at its usual size
BORDER = 80.0  # pixels that icon, box and margins take
NARROWEST = 20  # characters


def draw_findings(context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
    """The button that checks, and what it found the last time in this scene."""
    layout.operator("sge.check", icon="CHECKMARK")
    if not Checked.is_of(context.scene):
        return
    if not Checked.findings:
        layout.label(text="Nothing wrong was found", icon="INFO")
    width = characters(context)
    for finding in Checked.findings[:SHOWN]:
        _draw(finding, layout.box().column(align=True), width)
    more = len(Checked.findings) - SHOWN
    if more > 0:
        layout.label(text=iface_("… and {:d} more").format(more), translate=False)


def characters(context: bpy.types.Context) -> int:
    """How many characters of a finding fit into a line of the region."""
    region = context.region
    scale = context.preferences.system.ui_scale or 1.0  # 0 without a window
    width = (region.width if region else 0.0) / scale
    return max(NARROWEST, int((width - BORDER) / CHARACTER))


def _draw(finding: Finding, box: bpy.types.UILayout, width: int) -> None:
    icon = "CANCEL" if finding.is_error else "ERROR"  # Blender calls the warning triangle ERROR
    for line in textwrap.wrap(finding.text, width):
        box.label(text=line, translate=False, icon=icon)
        icon = "BLANK1"
    action = ACTIONS.get(finding.remedy)
    if action is not None:
        button = box.operator("sge.mend", text=action.label)
        button.remedy, button.subject = finding.remedy.value, finding.subject
