# SPDX-License-Identifier: BSD-2-Clause
"""`nova package`: the version and the permissions of the packed files. Starts no CPack."""

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import paths  # noqa: F401
from nova import cli, package
from nova.errors import NovaError


class Package(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)
        self.addCleanup(os.umask, os.umask(0o077))
        self.modes, self.commands = {}, []

    def install(self):
        """Makes an SDK that only its owner can read."""
        for name, text in (("share/nova/version", "0.0.7\n"), ("bin/nova", "#!/bin/sh\n")):
            file = self.folder / "sdk" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        file.chmod(0o700)
        (self.folder / "sdk/bin/link").symlink_to("nova")

    def step(self, command, *_):
        self.commands.append(command)
        (root,) = (self.folder / "out").glob("stage-*/root")
        for file in root.rglob("*"):
            if not file.is_symlink():
                self.modes[str(file.relative_to(root))] = file.stat().st_mode & 0o777

    def pack(self):
        words = ["--from", str(self.folder / "sdk"), "--to", str(self.folder / "out")]
        with mock.patch.object(package.build, "step", self.step), \
                mock.patch.object(package.build, "say") as say:
            self.assertEqual(package.run(cli.parse(["package", *words])), 0)
        return [call.args[0] for call in say.call_args_list]

    def test_the_version_is_that_of_the_packed_installation(self):
        self.install()
        self.assertEqual(self.pack(), [f"made {self.folder}/out/nova_0.0.7_amd64.deb",
                                       f"made {self.folder}/out/nova-0.0.7.tar.gz"])
        for command in self.commands:
            self.assertIn("CPACK_PACKAGE_VERSION=0.0.7", command)

    def test_an_installation_is_not_packed_into_itself(self):
        self.install()
        sdk = self.folder / "sdk"
        (self.folder / "link").symlink_to(sdk)
        for to in (sdk, sdk / "out", self.folder / "link/out"):
            words = ["package", "--from", str(sdk), "--to", str(to)]
            with self.subTest(to=to), mock.patch.object(package.build, "step") as step:
                with self.assertRaisesRegex(NovaError, "inside of .*: name one outside of it"):
                    package.run(cli.parse(words))
                step.assert_not_called()
        self.assertFalse((sdk / "out").exists())

    def test_all_users_can_read_the_files(self):
        self.install()
        self.pack()
        self.assertEqual(self.modes.pop("opt/nova/share/nova/version"), 0o644)
        self.assertEqual(self.modes.pop("opt/nova/bin/nova"), 0o755)
        self.assertEqual(set(self.modes.values()), {0o755}, self.modes)


if __name__ == "__main__":
    unittest.main()
