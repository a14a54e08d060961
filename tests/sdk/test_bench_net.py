# SPDX-License-Identifier: BSD-2-Clause
"""`nova bench net`: computes figures from counts of instructions."""

import tempfile
import unittest
from pathlib import Path

import paths  # noqa: F401
from nova import bench_io, bench_net
from nova.errors import NovaError


class Network(unittest.TestCase):
    TEXT = (
        "count 10 1 {0} 4096 7 7\ncount 11 1 {1} 0 7 7\ncount 12 1 {2} 0 7 7\n"
        "count 13 1 {3} 0 7 7\n"
    )

    def counts(self, *programs):
        return bench_io.read(self.TEXT.format(*programs))

    def test_figures_are_for_a_frame_a_datagram_and_a_packet(self):
        nova = self.counts(4096 * 9, 4096 * 20, 512 * 30, 4096 * 40)
        found = bench_net.figures(nova, nova, self.counts(1, 1, 512 * 60, 4096 * 160))
        self.assertEqual((found["frame_64"], found["frame_1514"]), (10, 20))
        self.assertEqual((found["echo"], found["echo_linux"], found["echo_ratio"]), (30, 60, 0.5))
        self.assertEqual((found["stream"], found["stream_ratio"]), (40, 0.25))
        guests, large = (self.counts(1, 1, 1, 4096 * count) for count in (26, 9))
        found |= bench_net.guest_figures(guests, large, 4096 * 20)
        self.assertEqual((found["guests"], found["guests_linux"]), (26, 20))
        self.assertEqual((found["guests_large"], found["guests_ratio"]), (9, 1.3))
        self.assertEqual(found["guests_large_ratio"], 0.45)
        keys = {row.key for row in bench_io.read_rows(bench_net.ROWS)}
        self.assertEqual(keys, set(found))

    def test_linux_that_was_not_counted_has_no_figure(self):
        nova = self.counts(1, 1, 1, 1)
        with self.assertRaisesRegex(NovaError, "no instruction of Linux"):
            bench_net.figures(nova, nova, self.counts(1, 1, 0, 1))
        with self.assertRaisesRegex(NovaError, "no instruction of Linux"):
            bench_net.guest_figures(nova, nova, 0)

    def test_a_system_that_sent_nothing_has_no_figure(self):
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results"
            results.write_text("count 10 1 2 3 5 4\n")
            with self.assertRaisesRegex(NovaError, "it sent nothing:\npanic"):
                bench_net._counts(results, "panic", "it", ("10",))
            with self.assertRaisesRegex(NovaError, "it did not mark its operations"):
                bench_net._counts(results, bench_net.DONE, "it", ("10", "11"))


if __name__ == "__main__":
    unittest.main()
