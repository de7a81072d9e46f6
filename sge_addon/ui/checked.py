# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check, run on demand and before every fit, and what it found the last time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import bpy
from bpy.app.translations import pgettext_rpt as rpt_

from ..core.errors import FitError
from ..scene.stored_settings import stored_values
from .error_report import reported_errors
from .running_fit import targets

if TYPE_CHECKING:
    from ..job.check import Finding


class Checked:
    """The last check of this session. scene: its session id, 0 before the first; others have none."""

    scene: ClassVar[int] = 0
    findings: ClassVar[tuple[Finding, ...]] = ()
    subjects: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def is_of(cls, scene: bpy.types.Scene) -> bool:
        """Whether the findings are about this scene."""
        return cls.scene == scene.session_uid

    @classmethod
    def keep(cls, scene: bpy.types.Scene, findings: list[Finding]) -> None:
        """Show these findings from now on."""
        cls.scene, cls.findings = scene.session_uid, tuple(findings)
        cls.subjects = frozenset(finding.subject for finding in findings if finding.subject)

    @classmethod
    def forget(cls) -> None:
        """As before the first check."""
        cls.scene, cls.findings, cls.subjects = 0, (), frozenset()


def run_check(context: bpy.types.Context) -> list[Finding]:
    """Check what Fit would do now, and keep the findings for the panel."""
    from ..job.check import check_scene  # late: with it comes the rasteriser

    context.view_layer.update()  # transforms set by a script would be stale
    findings = check_scene(context.scene, targets(context), stored_values(context.scene))
    Checked.keep(context.scene, findings)
    return findings


def refuse_if_wrong(context: bpy.types.Context) -> None:
    """Run the check. Raises FitError where there are errors; the panel shows all of them."""
    errors = [finding for finding in run_check(context) if finding.is_error]
    if len(errors) > 1:
        raise FitError(
            rpt_("{:d} errors, listed under Check. The first: {:s}").format(len(errors), errors[0].text)
        )
    if errors:
        raise FitError(errors[0].text, subject=errors[0].subject, remedy=errors[0].remedy)


class SGE_OT_check(bpy.types.Operator):
    """List everything that keeps the fit from running or would spoil it, with what to do about it"""

    bl_idname = "sge.check"
    bl_label = "Check"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        with reported_errors(self):
            findings = run_check(context)
            for finding in findings:
                self.report({"INFO"}, finding.text)  # for the info log
            errors = sum(finding.is_error for finding in findings)
            if findings:
                text = rpt_("Check: {:d} error(s), {:d} warning(s)").format(errors, len(findings) - errors)
                self.report({"WARNING"}, text)
            else:
                self.report({"INFO"}, rpt_("Check: nothing wrong was found"))
            return {"FINISHED"}
        return {"CANCELLED"}


@bpy.app.handlers.persistent
def forget_before_load(*_arguments: object) -> None:
    """Findings are about objects of the file that goes away."""
    Checked.forget()


def register() -> None:
    """Ask Blender to be told of file loads."""
    bpy.app.handlers.load_pre.append(forget_before_load)


def unregister() -> None:
    """Undo ``register``."""
    bpy.app.handlers.load_pre.remove(forget_before_load)
    Checked.forget()


CLASSES = (SGE_OT_check,)
