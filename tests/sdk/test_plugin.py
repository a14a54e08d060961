# SPDX-License-Identifier: BSD-2-Clause
"""The common part of the benchmarks' QEMU plugins (tests/bench/plugin/plugin.h), without QEMU."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import paths  # noqa: F401
from nova import qemu_plugin

PROGRAM = r"""
#include "plugin.h"

static void (*ends)(plugin_id, void *);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                           void (*cb)(plugin_id, struct qemu_plugin_tb *))
{
        (void)id, (void)cb;
}

void qemu_plugin_register_atexit_cb(plugin_id id, void (*cb)(plugin_id, void *), void *data)
{
        (void)id, (void)data;
        ends = cb;
}

static void results(FILE *out)
{
        for (unsigned i = 0; i < 5000; i++)
                fprintf(out, "count %u\n", i);
}

int main(int argc, char **argv)
{
        if (plugin_begin(0, argc, argv, NULL, results))
                return 2;
        ends(0, NULL);
        return 0;
}
"""


class Plugin(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)
        source, self.program = self.folder / "program.c", self.folder / "program"
        source.write_text(PROGRAM, encoding="utf-8")
        subprocess.run(
            ["gcc", "-Wl,--gc-sections", "-ffunction-sections", "-I", str(qemu_plugin.FOLDER),
             "-o", str(self.program), str(source)],
            check=True,
        )

    def end(self, out):
        """Returns the status and the errors of a plugin that writes its results to OUT."""
        done = subprocess.run([self.program, f"out={out}"], capture_output=True, check=False)
        return done.returncode, done.stderr.decode()

    def test_all_results_are_in_the_file(self):
        out = self.folder / "out"
        self.assertEqual(self.end(out), (0, ""))
        self.assertEqual(len(out.read_text(encoding="utf-8").splitlines()), 5000)

    def test_results_that_cannot_be_written_end_qemu(self):
        for out in ("/dev/full", self.folder / "absent/out"):
            status, errors = self.end(out)
            self.assertLess(status, 0, "a signal")
            self.assertIn(str(out), errors)


if __name__ == "__main__":
    unittest.main()
