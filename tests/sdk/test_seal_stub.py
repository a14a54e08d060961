# SPDX-License-Identifier: BSD-2-Clause
"""The stub of a sealed image: its assembled bytes, and its sentences."""

import re
import struct
import subprocess
from pathlib import Path

import paths
import test_seal
from nova import seal_image
from sealing import PAGE

STUB = paths.ROOT / "sdk/lib/nova/seal_stub.S"
CALLS = paths.ROOT / "roottask/include/novart/service/ultravisor_calls.h"


class Stub(test_seal.Folder):
    def test_the_stub_in_the_image_is_the_assembled_source(self):
        object_file = self.path("stub.o")
        subprocess.run(["gcc", "-m32", "-c", "-o", object_file, str(STUB)], check=True)
        subprocess.run(["objcopy", "-O", "binary", "-j", ".text", object_file,
                        self.path("stub")], check=True)
        stub = Path(self.path("stub")).read_bytes()
        self.assertEqual(stub.hex(), seal_image.STUB.hex())
        at = seal_image.STUB_OFFSET
        self.assertEqual(Path(self.sealed()).read_bytes()[at:at + len(stub)], stub)

    def test_the_stub_knows_each_status_by_its_value(self):
        values = dict(re.findall(r"ROW\((\w+), (-?\d+), ", CALLS.read_text().split("_H_STATUS")[0]))
        rows = re.findall(r'^ +status +(-?\d+), "(.*)", "U_(\w+)"$', STUB.read_text(), re.M)
        self.assertEqual(len(rows), 7)
        for value, cause, name in rows:
            self.assertEqual(values[name], value)
            entry = bytes([int(value) & 0xFF]) + f"{cause} (UV_ESM returned U_{name}).\n".encode()
            self.assertIn(b"\0" + entry + b"\0", seal_image.STUB)

    def test_the_start_page_has_the_fields_that_the_stub_reads(self):
        page = Path(self.sealed()).read_bytes()[:PAGE]
        self.assertEqual(struct.unpack_from("<Q", page, 0x30), (seal_image.BLOB_AT,))
        self.assertEqual(struct.unpack_from("<Q", page, 0x40), (seal_image.PARAMS_AT,))
