# SPDX-License-Identifier: BSD-2-Clause
"""Uses of the installed SDK without the source tree it came from (installed.py)."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import global_names
import installed
import paths
import test_contents
from nova import places

SENTENCE = r"nova: [^\n]+[.]\n\Z"
LIMIT = 600
# All examples are built; these are booted. Of the guests with Debian, one of each kind is booted:
# the tree's tests boot the others on the same kernel.
BOOTED_WITH_GCC = ("boot", "enlightened-hello", "linux-virtio", "vm-device", "vm-firmware")
BOOTED_WITH_CLANG = ("boot", "vm-hello")
ALONE = ("hello", "board", "vm-device", "vm-memtest")
OPTIONS = {"driver": ("--", "-device", "edu,dma_mask=0xffffffff")}  # of `nova run`, by template
TARGET = re.compile(r"nova_add_(?:roottask|program|system)\(([\w-]+)")
USED = re.compile(r"\b(?:MODULES|PROGRAMS|ROOTTASK|SYSTEM)((?:\s+[^A-Z()\s][^()\s]*)+)")
BOOTED_ON_X86_32 = {"hello", "pager", "cxx", "threads", "children", "restart", "notes", "server"}

SYSTEM_CMAKE = """cmake_minimum_required(VERSION 3.25)
project(mine LANGUAGES C)
find_package(Nova REQUIRED)
nova_add_program(greeter SOURCES main.c)
nova_add_system(mine DESCRIPTION system.nova PROGRAMS greeter)
"""
SYSTEM_C = """#include <stdio.h>
int main(int argc, char **argv)
{
        return printf("Good morning, %s.\\n", argc > 1 ? argv[1] : "everyone") < 0;
}
"""
SYSTEM_NOVA = """program first
        file greeter
        arguments Ada
program second
        file greeter
        arguments Grace
"""

ALL_CMAKE = """cmake_minimum_required(VERSION 3.25)
project(all LANGUAGES C CXX)
find_package(Nova REQUIRED)
enable_testing()
"""


class Installed(unittest.TestCase):
    """Each test has a folder of its own, whose path contains a blank, and an empty home."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nova test ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        self.assertFalse(installed.SOURCE.exists(), "the source tree is still there")

    def call(self, *command, cwd=None):
        """Runs a command that must succeed. Returns all of its output."""
        result = self.attempt(*command, cwd=cwd)
        self.assertEqual(result.returncode, 0, f"{command}\n{result.stdout}")
        return result.stdout

    def attempt(self, *command, cwd=None):
        names = ("PATH", "LANG")
        environment = {name: os.environ[name] for name in names if name in os.environ}
        environment.update(
            HOME=str(self.folder / "home"), NOVA_OFFLINE="1", PYTHONDONTWRITEBYTECODE="1"
        )
        return subprocess.run(
            [str(word) for word in command],
            cwd=cwd or self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def refuses(self, *arguments, says, cwd=None):
        result = self.attempt(installed.NOVA, *arguments, cwd=cwd)
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertRegex(result.stdout, SENTENCE)
        self.assertIn(says, result.stdout)


def projects(part):
    place = installed.PREFIX / "share/nova" / part
    return sorted(file.parent for file in place.glob("*/CMakeLists.txt"))


class Projects(Installed):
    """Tests of plain copies of templates or examples."""

    def setUp(self):
        super().setUp()
        cache = self.folder / "home/.cache/nova"
        cache.mkdir(parents=True)
        (cache / "guest").symlink_to(places.guests())

    def passes(self, part, *options):
        found = projects(part)
        self.assertTrue(found)
        for project in found:
            with self.subTest(project=project.name, options=options):
                self.passes_alone(self.copy(project), *options)

    def copy(self, project):
        """Makes a copy of a project, without neighbours."""
        copy = self.folder / f"only {project.name}" / project.name
        shutil.copytree(project, copy, dirs_exist_ok=True)
        return copy

    def passes_alone(self, folder, *options):
        text = self.call(installed.NOVA, "test", *options, cwd=folder)
        self.assertRegex(text, r"\n[1-9]\d* passed, 0 failed\n\Z")


    def all_in_one(self, part):
        """Makes one project with a copy of each project, without neighbours, so that all are
        configured together."""
        found = projects(part)
        self.assertTrue(found)
        text = ALL_CMAKE
        for project in found:
            shutil.copytree(project, self.folder / "all" / f"only {project.name}" / project.name)
            text += f'add_subdirectory("only {project.name}/{project.name}")\n'
        (self.folder / "all/CMakeLists.txt").write_text(text, encoding="utf-8")
        return self.folder / "all"


class Templates(Projects):
    def test_with_gcc(self):
        """Tests each template alone, as users have it."""
        self.passes("templates")

    def test_with_clang(self):
        self.passes_alone(self.all_in_one("templates"), "--compiler", "clang")

    def test_on_x86_32(self):
        self.passes_alone(self.all_in_one("templates"), "--arch", "x86_32")


class Examples(Projects):
    """One build of all examples takes a tenth of the time of separate builds. It shows that no
    example needs the files of its neighbours; test_none_names_a_target_of_another shows that none
    needs their targets."""

    def test_some_alone(self):
        """Tests one example of each kind as a project of its own."""
        found = {project.name: project for project in projects("examples")}
        for name in ALONE:
            with self.subTest(project=name):
                self.passes_alone(self.copy(found[name]))

    def test_with_gcc(self):
        self.passes_alone(self.all_in_one("examples"), *BOOTED_WITH_GCC)

    def test_with_clang(self):
        self.passes_alone(self.all_in_one("examples"), *BOOTED_WITH_CLANG, "--compiler", "clang")

    def test_none_names_a_target_of_another(self):
        texts = {
            project.name: (project / "CMakeLists.txt").read_text(encoding="utf-8")
            for project in projects("examples")
        }
        owners = {name: one for one, text in texts.items() for name in TARGET.findall(text)}
        self.assertLess({"hello", "board-server", "two-vms"}, set(owners))
        for project, text in texts.items():
            for name in " ".join(USED.findall(text)).split():
                with self.subTest(project=project, name=name):
                    self.assertEqual(owners.get(name, project), project)

    def test_on_x86_32(self):
        """Builds all examples; runs the tests of some, including each kind of program."""
        self.assertLessEqual(BOOTED_ON_X86_32, {project.name for project in projects("examples")})
        names = sorted(BOOTED_ON_X86_32)
        self.passes_alone(self.all_in_one("examples"), *names, "--arch", "x86_32")


class Contents(Installed):
    """The installed commands are for the SDK's users."""

    def test_no_archive_takes_a_name_that_belongs_to_programs(self):
        archives = sorted(installed.PREFIX.rglob("*.a"))
        names = {archive.name[3:-2] for archive in archives}
        self.assertEqual(names, {"nova", "novanet", "novart", "novatls", "novavmm", "c", "m"})
        self.assertEqual(len(archives), len(names) * len(installed.PRESETS))
        patterns = [name for _, name in global_names.rows(global_names.LIST.read_text("utf-8"))]
        for archive in archives:
            with self.subTest(archive=archive.relative_to(installed.PREFIX)):
                self.assertEqual(global_names.offenders(archive, patterns)[0], [])

    def test_the_tools_of_the_tree_are_not_there(self):
        folder = installed.PREFIX / "lib/nova"
        self.assertEqual(test_contents.modules(folder), test_contents.needed(folder))
        tools = [file for file in folder.rglob("*") if file.stem in test_contents.TOOLS]
        self.assertEqual(tools, [])

    def test_the_sources_and_tests_of_the_tree_are_not_there(self):
        top = {"bin", "include", "lib", "share"}
        self.assertEqual({file.name for file in installed.PREFIX.iterdir()}, top)
        share = {"docs", "examples", "templates", "linker", "version"}
        share |= {"README.md", "CHANGELOG.md", "LICENSE", "CONTRIBUTING.md", "SECURITY.md"}
        share |= {f"{arch}-{config}" for arch, config in installed.PRESETS}
        found = {file.name for file in (installed.PREFIX / "share/nova").iterdir()}
        self.assertEqual(found, share)

    def test_each_command_explains_itself(self):
        for name in test_contents.cli.MODULES:
            if name not in (*test_contents.cli.SOURCE_ONLY, "boot-test"):
                with self.subTest(command=name):
                    self.assertIn("usage: nova", self.call(installed.NOVA, name, "--help"))


class Commands(Installed):
    def test_new_run_and_test_in_a_project(self):
        for project in projects("templates"):
            name, options = f"my-{project.name}", OPTIONS.get(project.name, ())
            self.call(installed.NOVA, "new", project.name, name)
            self.call(installed.NOVA, "run", "--timeout", "100", f"./{name}", *options)
            self.call(installed.NOVA, "run", "--timeout", "100", *options, cwd=self.folder / name)

    def test_run_knows_the_examples(self):
        text = self.call(installed.NOVA, "run", "hello")
        self.assertIn("Hello from CPU", text)
        self.assertEqual([file.name for file in self.folder.iterdir()], ["home"])

    def test_run_boots_a_roottask_that_is_given_as_a_file(self):
        self.call(installed.NOVA, "new", "bare", "mine")
        self.call(installed.NOVA, "build", cwd=self.folder / "mine")
        program = self.folder / "mine/build/x86_64-release/bin/mine"
        text = self.call(installed.NOVA, "run", "--roottask", program)
        self.assertIn("My portal says 42.", text)

    def test_a_moved_project_is_built_again(self):
        self.call(installed.NOVA, "new", "bare", "mine")
        self.call(installed.NOVA, "build", cwd=self.folder / "mine")
        (self.folder / "mine").rename(self.folder / "yours")
        self.call(installed.NOVA, "run", "./yours")

    def test_an_image_has_the_name_of_what_it_boots(self):
        self.call(installed.NOVA, "new", "bare", "mine")
        self.call(installed.NOVA, "image", cwd=self.folder / "mine")
        self.assertTrue((self.folder / "mine/mine.iso").exists())

    def test_gdb_knows_the_project_and_the_kernel(self):
        self.call(installed.NOVA, "new", "bare", "mine")
        batch = "break nova_main; continue; info symbol nova_main; nova pd"
        text = self.call(
            installed.NOVA, "debug", "--config", "release", "--batch", batch,
            cwd=self.folder / "mine",
        )
        self.assertIn("main.c", text)
        self.assertRegex(text, r"\broot\b")

    def test_a_command_that_needs_the_source_tree_is_refused(self):
        for command in ("bench", "conformance", "install", "package"):
            self.refuses(command, says=f"source tree only: type sdk/bin/nova {command} there.")

    def test_docs_prints_where_the_manual_lies(self):
        page = Path(self.call(installed.NOVA, "docs").strip())
        self.assertEqual(page, installed.PREFIX / "share/doc/nova/html/index.html")
        self.assertIn("NOVA", page.read_text(encoding="utf-8"))
        self.assertTrue(list(page.parent.glob("*first_roottask*.html")))

    def test_without_a_project_it_builds_and_tests_nothing(self):
        for command in ("build", "test"):
            self.refuses(command, says="nova new TEMPLATE DIR")

    def test_an_architecture_that_is_not_there(self):
        self.call(installed.NOVA, "new", "bare", "mine")
        for command in ("build", "run", "test"):
            self.refuses(
                command, "--arch", "x86_32", "--config", "debug",
                says="no kernel for x86_32 debug, only for x86_32-release, x86_64-release",
                cwd=self.folder / "mine",
            )

    def test_a_project_with_nothing_to_boot(self):
        self.call(installed.NOVA, "new", "bare", "mine")
        file = self.folder / "mine/CMakeLists.txt"
        file.write_text(file.read_text(encoding="utf-8").split("nova_add")[0], encoding="utf-8")
        for command, says in (("run", "nothing to boot"), ("test", "has no tests")):
            result = self.attempt(installed.NOVA, command, cwd=self.folder / "mine")
            self.assertEqual(result.returncode, 1)
            self.assertIn(says, result.stdout.splitlines()[-1])

    def test_a_project_with_several_programs_asks_which(self):
        self.call(installed.NOVA, "new", "bare", "mine")
        with open(self.folder / "mine/CMakeLists.txt", "a", encoding="utf-8") as file:
            file.write("nova_add_roottask(other SOURCES main.c)\n")
        self.refuses("run", says="name one of mine, other", cwd=self.folder / "mine")
        self.call(installed.NOVA, "run", "other", cwd=self.folder / "mine")

    def test_a_wrong_name_is_reported_with_those_of_the_project(self):
        self.call(installed.NOVA, "new", "bare", "mine")
        for name, says in (
            ("mien", "the project mine nor the SDK has 'mien'. Did you mean 'mine'? The project "
             "has mine; the examples are in /"),
            ("helo", "Did you mean 'hello'? The project has mine;"),
            ("zzz", "has 'zzz'. The project has mine;"),
        ):
            with self.subTest(name=name):
                self.refuses_to_run(name, says)

    def test_a_wrong_name_of_a_test_is_reported_with_those_of_the_project(self):
        self.call(installed.NOVA, "new", "bare", "mine")
        with open(self.folder / "mine/CMakeLists.txt", "a", encoding="utf-8") as file:
            file.write("nova_add_boot_test(other ROOTTASK mine LABELS slow)\n")
        result = self.attempt(installed.NOVA, "test", "othre", cwd=self.folder / "mine")
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertRegex(
            result.stdout.splitlines()[-1],
            "of the project is called 'othre'. Did you mean 'other'[?] Its tests: mine-.*, other; "
            "labels: boot, slow[.]",
        )
        text = self.call(installed.NOVA, "test", "--help", cwd=self.folder / "mine")
        self.assertIn("LABELS", text)
        self.assertNotIn("mutation", text)

    def test_a_program_that_the_description_no_longer_has_is_not_booted(self):
        self.call(installed.NOVA, "new", "bare", "mine")
        file = self.folder / "mine/CMakeLists.txt"
        text = file.read_text(encoding="utf-8")
        self.call(installed.NOVA, "build", cwd=self.folder / "mine")
        file.write_text(text + "nova_add_roottask(extra SOURCES main.c)\n", encoding="utf-8")
        self.call(installed.NOVA, "run", "extra", cwd=self.folder / "mine")
        file.write_text(text, encoding="utf-8")
        self.refuses_to_run("extra", says="nor the SDK has 'extra'. The project has mine;")
        self.call(installed.NOVA, "run", cwd=self.folder / "mine")

    def refuses_to_run(self, name, says):
        result = self.attempt(installed.NOVA, "run", name, cwd=self.folder / "mine")
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertIn(says, result.stdout)

    def test_a_failing_test_fails(self):
        self.call(installed.NOVA, "new", "bare", "mine")
        file = self.folder / "mine/CMakeLists.txt"
        text = file.read_text(encoding="utf-8").replace("Hello from", "Goodbye from")
        file.write_text(text, encoding="utf-8")
        result = self.attempt(installed.NOVA, "test", cwd=self.folder / "mine")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"\n0 passed, 1 failed\n\Z")


class Systems(Installed):
    """Several programs and the description of their system."""

    def setUp(self):
        super().setUp()
        for name, text in (
            ("CMakeLists.txt", SYSTEM_CMAKE), ("main.c", SYSTEM_C), ("system.nova", SYSTEM_NOVA)
        ):
            (self.folder / name).write_text(text, encoding="utf-8")

    def test_a_system_is_built_and_booted(self):
        for options in ((), ("--compiler", "clang"), ("--arch", "x86_32")):
            with self.subTest(options=options):
                text = self.call(installed.NOVA, "run", "--timeout", "120", *options)
                for greeting in ("first: Good morning, Ada.", "second: Good morning, Grace."):
                    self.assertIn(greeting, text)

    def test_a_boot_test_has_the_machine_of_the_description(self):
        with open(self.folder / "system.nova", "a", encoding="utf-8") as file:
            file.write("machine\n        cpus 2\n        memory 96M\n")
        with open(self.folder / "CMakeLists.txt", "a", encoding="utf-8") as file:
            file.write('enable_testing()\nnova_add_boot_test(it SYSTEM mine EXPECT "never")\n')
        result = self.attempt(installed.NOVA, "test")
        self.assertEqual(result.returncode, 1)
        self.assertIn("-smp 2 -m 96M", result.stdout)

    def test_a_fault_is_reported_with_its_source_line(self):
        file = self.folder / "main.c"
        text = SYSTEM_C.replace("return printf", "*(volatile char *)8 = (char)argc; return printf")
        file.write_text(text, encoding="utf-8")
        text = self.call_ending_with(1, installed.NOVA, "run", "--timeout", "60")
        for program in ("first", "second"):
            self.assertIn(f"nova: the fault of {program}: main.c:4 in main(), called from", text)

    def call_ending_with(self, status, *command):
        result = self.attempt(*command)
        self.assertEqual(result.returncode, status, result.stdout)
        return result.stdout

    def test_a_mistake_in_the_description_stops_the_build(self):
        file = self.folder / "system.nova"
        file.write_text(SYSTEM_NOVA.replace("arguments Ada", "argument Ada"), encoding="utf-8")
        result = self.attempt(installed.NOVA, "build")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"\n[^\n]*system\.nova:3: [^\n]+[.?]\n")

    def test_a_program_that_others_start_is_distinguished_from_what_is_booted(self):
        self.call(installed.NOVA, "build")
        says = "'greeter' is a program that a system starts: boot mine,"
        self.refuses("run", "greeter", says=says)

    def test_a_program_that_is_not_there_is_named(self):
        file = self.folder / "CMakeLists.txt"
        text = SYSTEM_CMAKE.replace("PROGRAMS greeter", "PROGRAMS ghost")
        file.write_text(text, encoding="utf-8")
        result = self.attempt(installed.NOVA, "build")
        self.assertEqual(result.returncode, 1)
        self.assertIn("there is no program 'ghost'", result.stdout)


class CMake(Installed):
    """Tests the CMake package without the command `nova`."""

    def setUp(self):
        super().setUp()
        self.project = self.folder / "mine"
        shutil.copytree(installed.PREFIX / "share/nova/templates/bare", self.project)

    def passes(self, *options):
        self.call("cmake", "-B", "build", *options, cwd=self.project)
        self.call("cmake", "--build", "build", cwd=self.project)
        self.call("ctest", "--test-dir", "build", "--no-tests=error", cwd=self.project)

    def test_the_plain_commands_find_the_sdk_by_a_prefix_path(self):
        self.passes(f"-DCMAKE_PREFIX_PATH={installed.PREFIX}")

    def test_the_plain_commands_build_with_clang_for_x86_32(self):
        self.passes(
            f"-DNova_DIR={installed.PREFIX}/lib/cmake/Nova", "-DCMAKE_C_COMPILER=clang",
            "-DNOVA_ARCH=x86_32",
        )

    def test_a_toolchain_file_chooses_the_architecture(self):
        file = installed.PREFIX / "lib/cmake/Nova/toolchain-x86_32-gcc.cmake"
        self.passes(f"-DCMAKE_PREFIX_PATH={installed.PREFIX}", f"-DCMAKE_TOOLCHAIN_FILE={file}")
        self.assertIn(b"ELF", (self.project / "build/bin/bare").read_bytes()[:4])
        self.assertEqual((self.project / "build/bin/bare").read_bytes()[4], 1)

    def fails(self, *options, says):
        result = self.attempt("cmake", "-B", "build", *options, cwd=self.project)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(says, " ".join(result.stdout.split()))

    def test_an_sdk_that_is_not_found(self):
        self.fails(says='Add the installation prefix of "Nova" to CMAKE_PREFIX_PATH')

    def test_an_architecture_that_is_not_there(self):
        path = f"-DCMAKE_PREFIX_PATH={installed.PREFIX}"
        self.fails(path, "-DNOVA_ARCH=arm", says="this SDK has nothing for arm-release, only for")
        debug = ("-DNOVA_ARCH=x86_64", "-DNOVA_CONFIG=debug")
        self.fails(path, *debug, says="this SDK has nothing for x86_64-debug")

    def test_a_version_that_is_not_there(self):
        file = self.project / "CMakeLists.txt"
        text = file.read_text(encoding="utf-8").replace("(Nova ", "(Nova 99 ")
        file.write_text(text, encoding="utf-8")
        self.fails(f"-DCMAKE_PREFIX_PATH={installed.PREFIX}", says='requested version "99"')

    def test_pkg_config_returns_the_flags_of_libnova(self):
        for name, arch in (("nova", "x86_64"), ("nova-x86_32-release", "x86_32")):
            path = f'PKG_CONFIG_PATH="{installed.PREFIX}/lib/pkgconfig"'
            line = f"eval gcc mine/main.c $({path} pkg-config --cflags --libs {name}) -o {name}"
            self.call("sh", "-ec", line)
            text = self.call(installed.NOVA, "run", "--arch", arch, "--roottask", name)
            self.assertIn("My portal says 42.", text)


    def test_pkg_config_returns_the_flags_of_the_runtime_and_of_vmms(self):
        path = f'PKG_CONFIG_PATH="{installed.PREFIX}/lib/pkgconfig"'
        for name, template, arch, says in (
            ("novart", "roottask", "x86_64", "The sum of 1 to 1000 is 500500."),
            ("novart-x86_32-release", "roottask", "x86_32", "The sum of 1 to 1000 is 500500."),
            ("novavmm", "vmm", "x86_64", "guest: My CPU is called Nova!"),
        ):
            for compiler in ("gcc", "clang"):
                with self.subTest(name=name, compiler=compiler):
                    flags = f"$({path} pkg-config --cflags --libs {name})"
                    source = installed.PREFIX / "share/nova/templates" / template / "main.c"
                    shutil.copy(source, self.folder)
                    self.call("sh", "-ec", f"eval {compiler} -O2 -g main.c {flags} -o {name}")
                    text = self.call(installed.NOVA, "run", "--arch", arch, "--roottask", name)
                    self.assertIn(says, text)


    def test_pkg_config_returns_the_flags_of_cxx(self):
        path = f'PKG_CONFIG_PATH="{installed.PREFIX}/lib/pkgconfig"'
        shutil.copy(installed.PREFIX / "share/nova/templates/cpp/main.cc", self.folder)
        for compiler in ("g++", "clang++"):
            with self.subTest(compiler=compiler):
                flags = f"$({path} pkg-config --cflags --libs novart-cxx)"
                self.call("sh", "-ec", f"eval {compiler} -O2 -g main.cc {flags} -o cxx")
                text = self.call(installed.NOVA, "run", "--roottask", "cxx")
                self.assertIn("12 squared is 144", text)

    def test_the_hosts_cxx_library_is_refused_with_a_sentence(self):
        path = f'PKG_CONFIG_PATH="{installed.PREFIX}/lib/pkgconfig"'
        source = self.folder / "host.cc"
        source.write_text("#include <string>\nint main() { return std::string().size(); }\n")
        line = f"eval g++ -c host.cc $({path} pkg-config --cflags novart) -o host.o"
        result = self.attempt("sh", "-ec", line)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("The SDK has no C++ standard library", result.stdout)
        line = line.replace("novart)", "novart-cxx)")
        result = self.attempt("sh", "-ec", line)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("<string> is not in the SDK", result.stdout)
        source.write_text("#include <new>\nint *p = new int;\n")
        self.call("sh", "-ec", line)


class Tree(Installed):
    def test_nothing_of_the_prefix_names_the_source_tree(self):
        """Files that gdb reads, and the archives with which programs are linked, are exempt."""
        for file in filter(Path.is_file, installed.PREFIX.rglob("*")):
            content = file.read_bytes()
            if not content.startswith((b"\x7fELF", b"!<arch>")) and file.suffix != ".pyc":
                self.assertTrue(installed.SOURCE.is_relative_to(paths.ROOT))
                self.assertFalse(os.fsencode(paths.ROOT) in content, file)

    def test_links_between_its_pages_lead_somewhere(self):
        script = paths.ROOT / "tests/docs/links.py"
        text = self.call("python3", "-B", script, installed.PREFIX / "share/nova")
        self.assertRegex(text, r"\b[1-9]\d* pages, 0 complaints")

    def test_pages_of_projects_name_no_page_by_a_path_of_the_tree(self):
        for page in (installed.PREFIX / "share/nova/templates").rglob("*"):
            if page.is_file():
                self.assertNotIn("docs/", page.read_text(encoding="utf-8"), page)

    def test_the_doctor_asks_for_nothing_that_only_the_tree_needs(self):
        text = self.call(installed.NOVA, "doctor", "--json")
        names = {one["name"] for one in json.loads(text)}
        self.assertLess({"build", "run", "debug", "image", "clang", "bochs"}, names)
        self.assertFalse(names & {"docs", "test", "qemu plugins"})

    def test_without_the_html_manual_docs_names_its_text(self):
        other = self.folder / "other"
        shutil.copytree(installed.PREFIX, other, symlinks=True)
        shutil.rmtree(other / "share/doc/nova/html")
        result = self.attempt(other / "bin/nova", "docs")
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stdout, SENTENCE)
        page = re.search(r"its text begins with ([^;]+);", result.stdout).group(1)
        self.assertIn("First days", Path(page).read_text(encoding="utf-8"))

    def test_a_prefix_can_be_moved(self):
        moved = self.folder / "moved sdk"
        shutil.copytree(installed.PREFIX, moved, symlinks=True)
        self.call(moved / "bin/nova", "new", "bare", "mine")
        text = self.call(moved / "bin/nova", "run", "./mine")
        self.assertIn("My portal says 42.", text)


class Packages(Installed):
    """`nova package`, then the packages alone."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="nova test ")
        cls.addClassCleanup(folder.cleanup)
        cls.packages = Path(folder.name).resolve()
        cls.made = paths.nova("package", "--from", str(installed.PREFIX), "--to", folder.name)

    def setUp(self):
        super().setUp()
        self.assertEqual(self.made.returncode, 0, self.made.stderr)

    def boots(self, nova):
        self.call(nova, "new", "bare", "mine")
        self.assertIn("My portal says 42.", self.call(nova, "run", "./mine"))

    def test_the_deb_works_from_any_root(self):
        (deb,) = self.packages.glob("*.deb")
        root = self.folder / "a root"
        self.call("dpkg-deb", "-x", deb, root)
        self.boots(root / "usr/bin/nova")
        self.assertTrue((root / "usr/lib/cmake/Nova/NovaConfig.cmake").exists())
        self.call("cmake", "-S", "mine", "-B", "out", f"-DCMAKE_PREFIX_PATH={root}/usr")
        self.call("cmake", "--build", "out")
        self.assertRegex(self.call("dpkg-deb", "-f", deb, "Depends"), "cmake.*qemu-system-x86")

    def test_the_tar_works_where_it_is_unpacked(self):
        (tar,) = self.packages.glob("*.tar.gz")
        self.call("tar", "-xf", tar)
        version = self.call(installed.NOVA, "--version").split()[1]
        self.boots(self.folder / f"nova-{version}/bin/nova")


if __name__ == "__main__":
    unittest.main()
