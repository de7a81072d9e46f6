# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both tasks share in Mitsuba: its variant, the training views as sensors and as arrays, their order.

Images keep our order of rows, the bottom one first. Cameras are symmetrical pinholes with square pixels, as
those of the data and of the demo are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import drjit as dr
import mitsuba as mi
import numpy as np

mi.set_variant("llvm_ad_rgb")


class Views:
    """The training views of the inputs' arrays."""

    def __init__(self, inputs: dict) -> None:
        training = ~inputs["held_out"]
        self.cameras = inputs["cameras"][training]  # (N, 4, 4)
        self.colour = inputs["colour"][training]  # (N, H, W, 4)
        self.count, self.height, self.width = self.colour.shape[:3]
        x, y = inputs["projections"][0, 0, 0], inputs["projections"][0, 1, 1]
        self.focal = float(0.5 * x * self.width)  # in pixels
        if not math.isclose(x * self.width, y * self.height, rel_tol=1e-6):
            raise ValueError(f"Pixels must be square, focal lengths are {x} and {y}.")
        self._matrices = mi.Float(self.cameras[:, :3].astype(np.float32).ravel())
        self.pixels = mi.Float(np.ascontiguousarray(self.colour, np.float32).ravel())

    def camera(self, view: mi.UInt32) -> tuple[list[list[mi.Float]], mi.Point3f]:
        """Rotation, rows of a (3, 3) matrix, and place of a view; by an index on the device, so that one
        kernel serves all of them."""
        numbers = [dr.gather(mi.Float, self._matrices, view * 12 + index) for index in range(12)]
        return [numbers[4 * row : 4 * row + 3] for row in range(3)], mi.Point3f(*numbers[3::4])

    def direction(self, rotation: list[list[mi.Float]], x: mi.Float, y: mi.Float) -> mi.Vector3f:
        """Through (x, y) in pixels from the bottom left, of length 1 along the viewing axis."""
        across, up = (x - 0.5 * self.width) / self.focal, (y - 0.5 * self.height) / self.focal
        return mi.Vector3f(*[row[0] * across + row[1] * up - row[2] for row in rotation])

    def reference(self, view: mi.UInt32, pixel: mi.UInt32) -> list[mi.Float]:
        """Red, green, blue, alpha."""
        base = (view * (self.width * self.height) + pixel) * 4
        return [dr.gather(mi.Float, self.pixels, base + channel) for channel in range(4)]

    def sensors(self) -> list[mi.Sensor]:
        """Mitsuba's cameras; their images begin at the top."""
        flip = np.diag([-1.0, 1.0, -1.0, 1.0])  # Mitsuba's look along +z, with +x to the left
        return [
            mi.load_dict(
                {
                    "type": "perspective",
                    "fov": math.degrees(2.0 * math.atan(0.5 * self.width / self.focal)),
                    "fov_axis": "x",
                    "near_clip": 0.01,
                    "far_clip": 1000.0,
                    "to_world": mi.ScalarTransform4f(camera @ flip),
                    "film": {
                        "type": "hdrfilm",
                        "width": self.width,
                        "height": self.height,
                        "pixel_format": "rgb",
                        "component_format": "float32",
                        "rfilter": {"type": "box"},
                    },
                    "sampler": {"type": "independent", "sample_count": 1},
                }
            )
            for camera in self.cameras
        ]

    def images(self) -> list[mi.TensorXf]:
        """The references in colour, (H, W, 3), from the top, as films give them."""
        return [mi.TensorXf(np.ascontiguousarray(each[::-1, :, :3])) for each in self.colour]

    def order(self, steps: int, seed: int) -> Iterator[int]:
        """The view of each step: all once a round, shuffled."""
        random = np.random.default_rng(seed)
        rounds = [random.permutation(self.count) for _ in range(-(-steps // self.count))]
        return iter(np.concatenate(rounds)[:steps].tolist())


def uniform(index: mi.UInt32, seed: mi.UInt32) -> tuple[mi.Float, mi.Float]:
    """Two numbers in [0, 1) by a hash; the seed lies on the device, so that kernels are reused."""
    first, second = mi.sample_tea_32(index, seed)
    return tuple(mi.Float(each >> 8) * (1.0 / 16777216.0) for each in (first, second))


def on_device(value: int) -> mi.UInt32:
    """A number that no kernel is compiled for."""
    return dr.opaque(mi.UInt32, value)


def geometric(ends: list[float], part: float) -> float:
    """From the first to the second as part goes from 0 to 1."""
    return float(ends[0] * (ends[1] / ends[0]) ** part)
