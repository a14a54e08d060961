# SPDX-License-Identifier: BSD-2-Clause
"""An installed SDK has the modules that its commands need, and none of the tree's own tools."""

import ast
import re
import subprocess
import sys
import unittest

import paths
from nova import cli

LIBRARY = paths.ROOT / "sdk/lib/nova"
INSTALL = paths.ROOT / "sdk/cmake/NovaInstall.cmake"
TOOLS = ("bench", "conformance", "docs", "install", "mutation", "newlib", "package", "stretch")
# Modules that take long to load, and that a boot under QEMU does not need.
SLOW = {"dataclasses", "difflib", "hashlib", "inspect", "shutil", "tempfile"}


def imported(nodes):
    """Returns the modules of `nova` that the NODES of a syntax tree import."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module == "nova":
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nova."):
            found.add(node.module.removeprefix("nova.").split(".")[0])
    return found


def needed_by(file):
    """Returns the modules of `nova` that a file needs: all that it imports when it is loaded, and
    the installed ones that it imports inside functions."""
    syntax = ast.parse(file.read_text(encoding="utf-8"))
    return imported(syntax.body) | (imported(ast.walk(syntax)) - left_out())


def needed(folder):
    """Returns all modules that the commands of an installed SDK load from FOLDER."""
    commands = {module for name, module in cli.MODULES.items() if name not in cli.SOURCE_ONLY}
    found, left = {"__init__"}, {"__main__", "cli"} | commands
    while left:
        name = left.pop()
        found.add(name)
        left |= needed_by(folder / f"{name}.py") - found
    return found


def modules(folder):
    return {file.stem for file in folder.glob("*.py")}


def left_out():
    """Returns the modules of the tree that are not installed."""
    text = INSTALL.read_text(encoding="utf-8").replace("\\\n", "")
    pattern = re.compile(re.search(r'NOVA_TREE_MODULES "(.*?)"', text).group(1))
    return {name for name in modules(LIBRARY) if pattern.fullmatch(name)}


class Contents(unittest.TestCase):
    def test_no_command_needs_what_is_left_out(self):
        self.assertEqual(needed(LIBRARY) & left_out(), set())

    def test_files_that_no_command_needs_are_left_out(self):
        self.assertEqual(modules(LIBRARY) - needed(LIBRARY) - left_out(), set())

    def test_the_tools_of_the_tree_are_left_out(self):
        self.assertEqual(set(TOOLS) - left_out(), set())

    def test_a_boot_loads_no_slow_module_that_it_does_not_need(self):
        """A test run boots 1,600 times, and each boot loads these modules."""
        command = [sys.executable, "-S", "-X", "importtime", LIBRARY, "boot-test", "--arch=none"]
        result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        found = set(re.findall(r"\| +([\w.]+)$", result.stderr, re.MULTILINE))
        self.assertLess({"nova.runner", "nova.qemu", "subprocess"}, found)
        self.assertEqual(found & SLOW, set())


if __name__ == "__main__":
    unittest.main()
