# SPDX-License-Identifier: BSD-2-Clause
"""The set-up on machines that lack packages, shown by a PATH with few commands."""

import os
import pty
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import paths

# The commands that exist before any package is installed, beside the shell's own.
BARE = ("sh", "cat", "chmod", "dirname", "env", "grep", "head", "mktemp", "readlink", "rm")
BARE += ("sleep", "tail", "touch")
ALL = ("python3", "gcc", "g++", "clang", "make", "cmake", "ninja", "clang-format", "clang-tidy")
BUILD = ("gcc", "g++", "make", "cmake", "ninja")

APT = """#!/bin/sh
echo "$@" >> "$LOG"
case "$*" in
*update*) touch "$LOG.updated" ;;
*) [ -z "$NEEDS_UPDATE" ] || [ -e "$LOG.updated" ] || { echo "no such package"; exit 100; }
   [ -z "$NEVER" ] || { echo "E: Failed to fetch one"; echo "E: Failed to fetch two"; exit 100; } ;;
esac
for made in $MAKES; do
        printf '#!/bin/sh\\necho made "$@"\\n' > "$BIN/$made"
        chmod +x "$BIN/$made"
done
"""


class Setup(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.bin = Path(folder.name) / "bin"
        self.bin.mkdir()
        self.log = Path(folder.name) / "log"
        self.add(*BARE)
        self.script("id", "#!/bin/sh\necho 0\n")

    def add(self, *names):
        for name in names:
            # The interpreter itself: the one in PATH may be a script that looks for it.
            found = sys.executable if name == "python3" else shutil.which(name)
            (self.bin / name).symlink_to(found)

    def script(self, name, text):
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def nova(self, *arguments, **variables):
        environment = {"PATH": str(self.bin), "LOG": str(self.log), "BIN": str(self.bin)}
        environment.update(HOME=os.environ.get("HOME", "/"), **variables)
        return paths.nova(*arguments, env=environment)

    def calls(self):
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []

    def test_the_package_manager_is_not_called_if_no_package_is_missing(self):
        self.add(*ALL)
        self.script("apt-get", APT)
        result = self.nova("build", "--arch", "wrong")
        self.assertEqual(result.returncode, 2)
        self.assertIn("wrong", result.stderr)
        self.assertEqual(self.calls(), [])

    def test_help_needs_only_python(self):
        self.add("python3")
        for arguments in (["--help"], ["run", "--help"], ["test", "-h"]):
            self.assertEqual(self.nova(*arguments).returncode, 0)

    def test_help_installs_nothing(self):
        self.script("apt-get", APT)
        for arguments in (["--help"], ["run", "--help"], ["test", "-h"]):
            result = self.nova(*arguments)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("boot an example", result.stdout)
        result = self.nova("--version")
        self.assertEqual(result.returncode, 2)
        self.assertIn("python3", result.stderr)
        self.assertEqual(self.calls(), [])

    def test_missing_packages_are_named_with_a_reason_and_installed(self):
        self.add(*BUILD)
        self.script("apt-get", APT)
        result = self.nova("build", MAKES="python3")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("made", result.stdout)
        self.assertRegex(result.stderr, "python3: [a-z]")
        self.assertEqual(len(self.calls()), 1)
        self.assertRegex(self.calls()[0], "install .*python3")

    def at_a_terminal(self, answer, *arguments):
        """Returns nova's output and status for a user who types an answer."""
        self.add(*BUILD)
        self.script("apt-get", APT)
        environment = {"PATH": str(self.bin), "LOG": str(self.log), "BIN": str(self.bin)}
        environment.update(HOME="/", MAKES="python3")
        child, terminal = pty.fork()
        if child == 0:
            os.execve("/bin/sh", ["sh", str(paths.NOVA), *arguments], environment)
        os.write(terminal, answer.encode())
        said = b""
        while True:
            try:
                part = os.read(terminal, 4096)
            except OSError:
                break
            if not part:
                break
            said += part
        return said.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def test_a_person_at_the_terminal_is_asked_first_and_sees_the_command(self):
        said, status = self.at_a_terminal("n\n", "build")
        self.assertIn("the command is: apt-get install --no-install-recommends python3", said)
        self.assertIn("nothing was installed", said)
        self.assertEqual((status, self.calls()), (2, []))

    def test_after_a_yes_the_packages_are_installed(self):
        said, status = self.at_a_terminal("y\n", "build")
        self.assertIn("run it now? [Y/n]", said)
        self.assertEqual((status, len(self.calls())), (0, 1), said)

    def test_with_yes_there_is_no_question_and_the_command_does_not_see_the_word(self):
        said, status = self.at_a_terminal("", "build", "--yes", "hello", "--", "--yes")
        self.assertNotIn("[Y/n]", said)
        self.assertEqual((status, len(self.calls())), (0, 1), said)
        self.assertRegex(said, "made .* build hello -- --yes")

    def test_each_command_asks_for_what_it_uses(self):
        def named(*arguments):
            return self.nova(*arguments, NOVA_OFFLINE="1").stderr

        self.assertNotIn("qemu", named("build"))
        self.assertIn("ninja-build", named("build"))
        self.assertNotIn("clang", named("build"))
        self.assertIn("clang", named("build", "--compiler", "clang"))
        self.assertIn("qemu-system-x86", named("run"))
        self.assertNotIn("gdb", named("run"))
        self.assertIn("gdb", named("debug"))
        self.assertIn("qemu-system-x86", named("debug"))
        self.assertNotIn("clang", named("run", "--", "clang"))
        self.assertIn("clang-tidy", named("test"))
        self.assertIn("nodejs", named("test"))
        self.assertIn("graphviz", named("docs"))
        self.assertNotIn("ninja-build", named("docs"))
        self.assertIn("doxygen", named("install", "/nowhere"))

    def test_a_users_project_needs_no_packages_of_the_suite(self):
        project = self.bin.parent / "project"
        (project / "src/deep").mkdir(parents=True)
        environment = {"PATH": str(self.bin), "NOVA_OFFLINE": "1"}

        def needs_tidy(folder):
            command = ["sh", str(paths.NOVA), "test"]
            done = subprocess.run(command, env=environment, cwd=folder, capture_output=True,
                                  text=True, check=False)
            self.assertIn("qemu-system-x86", done.stderr)
            return "clang-tidy" in done.stderr

        (project / "CMakeLists.txt").write_text("project(own)\n", encoding="utf-8")
        self.assertTrue(needs_tidy(project / "src"))
        (project / "CMakeLists.txt").write_text(
            "project (own)\n\tfind_package( Nova REQUIRED)\n", encoding="utf-8")
        for folder in (project, project / "src", project / "src/deep"):
            self.assertFalse(needs_tidy(folder), folder)
        (project / "CMakeLists.txt").write_text(
            "project(own)\nadd_subdirectory(src)\n", encoding="utf-8")
        (project / "src/CMakeLists.txt").write_text("find_package(Nova)\n", encoding="utf-8")
        self.assertFalse(needs_tidy(project / "src/deep"))
        self.assertTrue(needs_tidy("/"))

    def test_an_installed_sdk_does_not_ask_for_packages_that_only_its_build_needs(self):
        prefix = self.bin.parent / "prefix"
        (prefix / "bin").mkdir(parents=True)
        shutil.copy(paths.NOVA, prefix / "bin/nova")
        command = ["sh", str(prefix / "bin/nova"), "run", "hello"]
        environment = {"PATH": str(self.bin), "NOVA_OFFLINE": "1"}
        for installed in (False, True):
            if installed:
                (prefix / "share/nova").mkdir(parents=True)
                (prefix / "share/nova/version").touch()
            result = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
            self.assertEqual(result.returncode, 2)
            self.assertIn("cmake", result.stderr)
            self.assertEqual(" make:" in result.stderr, not installed, result.stderr)
        self.assertNotIn("newlib", result.stderr)

    def test_an_old_list_of_packages_is_updated_once(self):
        self.add(*BUILD)
        self.script("apt-get", APT)
        result = self.nova("build", MAKES="python3", NEEDS_UPDATE="1")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(self.calls()), 3)
        self.assertIn("update", self.calls()[1])

    def test_a_failing_installation_shows_why(self):
        self.script("apt-get", APT)
        result = self.nova("build", NEVER="1")
        self.assertEqual(result.returncode, 2)
        self.assertIn("(Failed to fetch one)", result.stderr)
        self.assertIn("network", result.stderr)
        self.assertNotIn("fetch two", result.stderr)

    def test_what_the_installation_did_not_bring_is_named(self):
        self.add(*BUILD)
        self.script("apt-get", APT)
        result = self.nova("build", MAKES="")
        self.assertEqual((result.returncode, len(self.calls())), (2, 1))
        self.assertRegex(result.stderr.splitlines()[-1], "still missing: python3[.] .*PATH")

    def test_a_virtual_environment_without_cryptography_is_named(self):
        self.script("apt-get", APT)
        self.script("python3", "#!/bin/sh\nexit 1\n")
        result = self.nova("machine-key", "mine")
        self.assertEqual((result.returncode, len(self.calls())), (2, 1))
        self.assertEqual(
            result.stderr.splitlines()[-1],
            f"nova: {self.bin}/python3 lacks the library cryptography, although "
            "python3-cryptography is installed: leave the virtual environment, or install "
            "cryptography in it")

    def test_offline_installs_nothing(self):
        self.script("apt-get", APT)
        result = self.nova("build", NOVA_OFFLINE="1")
        self.assertEqual(result.returncode, 2)
        self.assertIn("python3", result.stderr)
        self.assertEqual(self.calls(), [])

    def test_other_systems_get_the_names(self):
        result = self.nova("test")
        self.assertEqual(result.returncode, 2)
        last = result.stderr.splitlines()[-1]
        self.assertRegex(last, "nova: there is no apt-get.*qemu-system-x86")

    def test_without_root_sudo_is_used(self):
        self.script("id", "#!/bin/sh\necho 1000\n")
        self.script("apt-get", APT)
        self.add(*BUILD)
        self.assertIn("apt-get install python3", self.nova("build").stderr)
        self.script("sudo", '#!/bin/sh\necho "sudo $*" >> "$LOG"\n[ "$1" = -v ] || "$@"\n')
        result = self.nova("build", MAKES="python3")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex("\n".join(self.calls()), "sudo env DEBIAN_FRONTEND=noninteractive apt-get")

    def test_the_command_works_through_a_link(self):
        self.add("python3")
        link = self.bin / "nova"
        link.symlink_to(paths.NOVA)
        original, paths.NOVA = paths.NOVA, link
        try:
            self.assertEqual(self.nova("--version").returncode, 0)
        finally:
            paths.NOVA = original


if __name__ == "__main__":
    unittest.main()
