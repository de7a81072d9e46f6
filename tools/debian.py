# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs Debian and Ubuntu packages where we may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable


def install(packages: Iterable[str]) -> bool:
    """Install packages as root, or through a sudo that asks no password. False where we may not or cannot."""
    prefix = _as_root()
    if prefix is None or not shutil.which("apt-get"):
        return False
    names = list(packages)
    print(f"set-up: apt installs {' '.join(names)}", file=sys.stderr, flush=True)
    # Set by env, because sudo drops variables.
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", *names]):
        done = subprocess.run([*apt, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            print(f"set-up: apt-get {command[0]} failed:\n{done.stdout.strip()}", file=sys.stderr, flush=True)
            return False
    return True


def _as_root() -> list[str] | None:
    """The prefix of a command that root shall run, or None where we cannot be root."""
    if not hasattr(os, "geteuid"):
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        return [sudo, "-n"]
    return None
