# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests inside a real Blender: the bpy module of the environment, in this very process."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.blender.small_world import SmallWorld

EXIT_STATUS = pytest.StashKey[int]()
HAS_BLENDER = importlib.util.find_spec("bpy") is not None


class _WithoutBlender(pytest.Module):
    """A test module that is not even imported, because it would import bpy."""

    def collect(self) -> Iterator[pytest.Item]:
        pytest.skip("needs the bpy module: run tools/test.py", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Without bpy, put a skip with its reason in the place of every module of this folder."""
    return None if HAS_BLENDER else _WithoutBlender.from_parent(parent, path=module_path)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """As a Python module, Blender ends its GPU threads in an order that may hang (seen with 4.5)."""
    if "bpy" in sys.modules and EXIT_STATUS in config.stash:
        config.get_terminal_writer().flush()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[EXIT_STATUS])


@pytest.fixture(autouse=True)
def empty_file() -> None:
    """Every test starts in a new file without any data."""
    import bpy

    # Leaves the preferences alone, which makes it five times faster than read_factory_settings.
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


@pytest.fixture(scope="session")
def gpu_ready() -> None:
    """A GPU context without a window, started once for the whole run."""
    from sge_addon.raster.context import start_gpu

    start_gpu()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, gpu_ready: None) -> SmallWorld:
    """Files of a scene small enough to fit in a second."""
    from tests.blender.small_world import make_world

    return make_world(tmp_path_factory.mktemp("world"))
