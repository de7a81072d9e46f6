# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches the sparse solver's wheels for every platform and Python of the supported Blenders.

cholespy has one wheel for CPython 3.11 and one with the stable ABI for 3.12 and later. Blender takes
a list that names both for "Python 3.11 only": its ``python_versions_from_wheels`` drops the stable
ABI's "3" as soon as some wheel names a minor version, and Blender 5.1 and later (Python 3.13) refuse
the extension. The stable wheel is therefore retagged for the Python of those Blenders, which is a
narrower claim and still true; so one zip serves all.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

REQUIREMENT = "cholespy==2.2.0"
PYTHONS = ("3.11", "3.13")  # of Blender 4.5 and 5.0, of 5.1 and 5.2

# Blender's names of platforms, and the wheel tags to accept for each.
PLATFORMS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_11_0_arm64",),
    "macos-x64": ("macosx_10_15_x86_64", "macosx_10_14_x86_64"),
}


class WheelError(Exception):
    """A wheel that could not be fetched."""


def fetch(python: Path, folder: Path) -> list[Path]:
    """The wheels, one for each platform and Python; downloaded into ``folder`` unless they are there.

    python: an interpreter with pip. Raises WheelError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheels = []
    for platform in PLATFORMS:
        for version in PYTHONS:
            wheel = _kept(folder, platform, version) or _download(python, folder, platform, version)
            wheels.append(wheel)
    return wheels


def platform_of(wheel: Path) -> str:
    """Blender's name of the platform that a wheel is for."""
    tags = wheel.stem.split("-")[-1].split(".")
    for platform, accepted in PLATFORMS.items():
        if set(tags) & set(accepted):
            return platform
    raise WheelError(f"{wheel.name} is for no platform of Blender's.")


def _kept(folder: Path, platform: str, version: str) -> Path | None:
    name = REQUIREMENT.replace("==", "-")
    for wheel in folder.glob(f"{name}-{_tag(version)}-{_tag(version)}-*.whl"):
        if set(wheel.stem.split("-")[-1].split(".")) & set(PLATFORMS[platform]):
            return wheel
    return None


def _download(python: Path, folder: Path, platform: str, version: str) -> Path:
    accepted = [argument for tag in PLATFORMS[platform] for argument in ("--platform", tag)]
    with tempfile.TemporaryDirectory(prefix="sge_fit_") as temporary:
        command = [str(python), "-m", "pip", "download", "-q", "--disable-pip-version-check", "-d", temporary]
        command += [
            "--only-binary",
            ":all:",
            "--no-deps",
            "--python-version",
            version,
            *accepted,
            REQUIREMENT,
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        found = list(Path(temporary).glob("*.whl"))
        if done.returncode or not found:
            raise WheelError(
                f"{REQUIREMENT} for {platform} and Python {version} could not be fetched (--without-wheels "
                f"builds without it):\n{done.stdout.strip()}"
            )
        return _retagged(found[0], folder, version)


def _retagged(wheel: Path, folder: Path, version: str) -> Path:
    """Copy a wheel, claiming exactly one Python: in its name, its WHEEL file and its RECORD."""
    distribution, release, python_tag, abi_tag, platform_tag = wheel.stem.split("-")
    tag = _tag(version)
    if (python_tag, abi_tag) == (tag, tag):
        return Path(shutil.copy(wheel, folder))
    target = folder / f"{distribution}-{release}-{tag}-{tag}-{platform_tag}.whl"
    info = f"{distribution}-{release}.dist-info"
    old, new = f"{python_tag}-{abi_tag}".encode(), f"{tag}-{tag}".encode()
    partial = target.with_suffix(".part")
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as copy:
        claim = source.read(f"{info}/WHEEL").replace(old, new)
        for item in source.infolist():
            content = source.read(item)
            if item.filename == f"{info}/WHEEL":
                content = claim
            elif item.filename == f"{info}/RECORD":
                content = _with_entry(content.decode(), f"{info}/WHEEL", claim).encode()
            copy.writestr(item, content)
    partial.replace(target)
    return target


def _with_entry(record: str, name: str, content: bytes) -> str:
    """RECORD with the line of one file made anew: name, sha256 in URL-safe base64, size."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    lines = [
        f"{name},sha256={digest},{len(content)}" if line.startswith(f"{name},") else line
        for line in record.splitlines()
    ]
    return "\n".join(lines) + "\n"


def _tag(version: str) -> str:
    return "cp" + version.replace(".", "")
