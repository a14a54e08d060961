# SPDX-License-Identifier: BSD-2-Clause
"""The messages of the CMake package's functions about wrong arguments, and those of `nova build`
about a failed build. No kernel or program is built."""

import json
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

import paths
from nova import explain, qemu

# A package whose libraries and programs are empty.
HEAD = f"""cmake_minimum_required(VERSION 3.25)
project(mine LANGUAGES NONE)
set(NOVA_ARCH x86_64)
set(NOVA_SDK "{paths.ROOT}/sdk")
set(NOVA_LINKER "${{NOVA_SDK}}/linker")
set(NOVA_KERNEL nova.elf32)
set(NOVA_SYSTEM_TOOL true)
foreach(name nova novart novavmm log timer init)
  add_library(${{name}} INTERFACE)
  add_library(Nova::${{name}} ALIAS ${{name}})
endforeach()
foreach(part Programs BootTest System)
  include("${{NOVA_SDK}}/cmake/Nova${{part}}.cmake")
endforeach()
enable_testing()
"""
FIRST = HEAD.count("\n") + 1

# (the error, line, the message)
WRONG = (
    ("nova_add_program(one)", FIRST,
     "nova_add_program(one): SOURCES is missing: name the files, such as SOURCES main.c."),
    ("nova_add_program(one SOURCES)", FIRST,
     "nova_add_program(one): SOURCES is missing: name the files, such as SOURCES main.c."),
    ("nova_add_program(one main.c)", FIRST,
     "nova_add_program(one): 'main.c' is not understood. Possible here: SOURCES, LINK."),
    ("nova_add_program(one SOURCE main.c)", FIRST,
     "nova_add_program(one): 'SOURCE' is not understood. Did you mean 'SOURCES'? Possible "
     "here: SOURCES, LINK."),
    ("nova_add_program(SOURCES main.c)", FIRST,
     "nova_add_program: a name comes first, before SOURCES."),
    ("nova_add_program(one SOURCES mian.c)", FIRST,
     "nova_add_program(one): the file 'mian.c' of SOURCES is not there. Did you mean 'main.c'?"),
    ("nova_add_program(one SOURCES sub/other.c)", FIRST,
     "nova_add_program(one): the file 'sub/other.c' of SOURCES is not there. Create it, or correct "
     "the name."),
    ("nova_add_program(one SOURCES main.c guest.S)", FIRST,
     "nova_add_program(one): 'guest.S' needs the language ASM: "
     "add it to the LANGUAGES of project()."),
    ("nova_add_roottask(one SOURCES main.cc)", FIRST,
     "nova_add_roottask(one): 'main.cc' needs the language CXX: "
     "add it to the LANGUAGES of project()."),
    ("nova_add_program(test SOURCES main.c)", FIRST,
     "nova_add_program(test): 'test' cannot be a name: use letters, digits, _ and -, and no name "
     "of CMake's own."),
    ("nova_add_program(\"my one\" SOURCES main.c)", FIRST,
     "nova_add_program(my one): 'my one' cannot be a name: use letters, digits, _ and -, and no "
     "name of CMake's own."),
    ("nova_add_program(one SOURCES main.c)\nnova_add_program(one SOURCES main.c)", FIRST + 1,
     "nova_add_program(one): the name 'one' is already taken: give one of the two another "
     "name."),
    ("nova_add_roottask(one RUNTIME SOURCES main.c LINK Nova::novavm)", FIRST,
     "nova_add_roottask(one): there is no library 'Nova::novavm'. Did you mean 'Nova::novavmm'? "
     "The SDK has Nova::nova, Nova::novanet, Nova::novart, Nova::novatls and Nova::novavmm."),
    ("nova_add_roottask(one SOURCES main.c MODULE x)", FIRST,
     "nova_add_roottask(one): 'MODULE' is not understood. Did you mean 'MODULES'? Possible "
     "here: SOURCES, LINK, MODULES, RUNTIME, NO_LIBNOVA."),
    ("nova_add_roottask(one SOURCES main.c MODULES disk.img)", FIRST,
     "nova_add_roottask(one): the file 'disk.img' of MODULES is not there. Create it, or correct "
     "the name."),
    ("nova_add_system(one PROGRAMS log)", FIRST,
     "nova_add_system(one): DESCRIPTION is missing: name the file that describes the system, such "
     "as DESCRIPTION one.nova."),
    ("nova_add_system(one DESCRIPTION PROGRAMS log)", FIRST,
     "nova_add_system(one): DESCRIPTION is missing: name the file that describes the system, such "
     "as DESCRIPTION one.nova."),
    ("nova_add_system(one DESCRIPTION sytem.nova PROGRAMS log)", FIRST,
     "nova_add_system(one): the file 'sytem.nova' of DESCRIPTION is not there. Did you mean "
     "'system.nova'?"),
    ("nova_add_system(one DESCRIPTION system.nova PROGRAM log)", FIRST,
     "nova_add_system(one): 'PROGRAM' is not understood. Did you mean 'PROGRAMS'? Possible "
     "here: DESCRIPTION, SEALED, GUEST, PROGRAMS, MODULES."),
    ("nova_add_system(one DESCRIPTION system.nova PROGRAMS log MODULES disk.img)", FIRST,
     "nova_add_system(one): the file 'disk.img' of MODULES is not there. Create it, or correct "
     "the name."),
    ("nova_add_program(child SOURCES main.c)\n"
     "nova_add_system(one DESCRIPTION system.nova PROGRAMS log MODULES child)", FIRST + 1,
     "nova_add_system(one): 'child' is a program: name it after PROGRAMS, not after MODULES."),
    ("nova_add_system(one DESCRIPTION system.nova MODULES log)", FIRST,
     "nova_add_system(one): 'log' is a program: name it after PROGRAMS, not after MODULES."),
    ("nova_add_system(one DESCRIPTION system.nova PROGRAMS tiemr)", FIRST,
     "nova_add_system(one): there is no program 'tiemr'. Did you mean 'timer'? Add it with "
     "nova_add_program before this line, or put files that are not programs after MODULES."),
    ("nova_add_program(greeter SOURCES main.c)\n"
     "nova_add_system(one DESCRIPTION system.nova PROGRAMS greter)", FIRST + 1,
     "nova_add_system(one): there is no program 'greter'. Did you mean 'greeter'? Add it with "
     "nova_add_program before this line, or put files that are not programs after MODULES."),
    ("nova_add_program(one SOURCES main.c)\n"
     "nova_add_system(one DESCRIPTION system.nova PROGRAMS one)", FIRST + 1,
     "nova_add_system(one): the name 'one' is already taken: give one of the two another name."),
    ("nova_add_system(one DESCRIPTION system.nova PROGRAMS log GUEST log)", FIRST,
     "nova_add_system(one): GUEST is the kernel of a sealed image: write SEALED and the file that "
     "describes this image, such as SEALED guest.seal."),
    ("nova_add_system(one DESCRIPTION system.nova PROGRAMS log SEALED)", FIRST,
     "nova_add_system(one): SEALED has no value: name the file that describes the sealed image, "
     "such as guest.seal."),
    ("nova_add_program(guest SOURCES main.c)\n"
     "nova_add_system(one DESCRIPTION system.nova PROGRAMS log SEALED system.nova GUEST gest)",
     FIRST + 1,
     "nova_add_system(one): there is no program 'gest' for GUEST. Did you mean 'guest'? Add it "
     "with nova_add_secure_guest before this line."),
    ("nova_add_secure_guest(guest)", FIRST,
     "nova_add_secure_guest(guest): SOURCES is missing: name the files, such as SOURCES main.c."),
    ("nova_add_secure_guest(guest SOURCE main.c)", FIRST,
     "nova_add_secure_guest(guest): 'SOURCE' is not understood. Did you mean 'SOURCES'? Possible "
     "here: SOURCES."),
    ("nova_add_boot_test(one EXPECT hello)", FIRST,
     "nova_add_boot_test(one): give either ROOTTASK or SYSTEM: ROOTTASK names a program, "
     "SYSTEM a system of nova_add_system()."),
    ("nova_add_boot_test(one ROOTTASK mine SYSTEM mine)", FIRST,
     "nova_add_boot_test(one): give either ROOTTASK or SYSTEM: ROOTTASK names a program, "
     "SYSTEM a system of nova_add_system()."),
    ("nova_add_roottask(main SOURCES main.c)\nnova_add_boot_test(one ROOTTASK mian)", FIRST + 1,
     "nova_add_boot_test(one): ROOTTASK names 'mian', which does not exist. Did you "
     "mean 'main'? Add it with nova_add_roottask or nova_add_system before the test."),
    ("nova_add_boot_test(one SYSTEM main)", None,
     "nova_add_boot_test(one): SYSTEM names 'main', which does not exist. Add it "
     "with nova_add_roottask or nova_add_system before the test."),
    ("nova_add_boot_test(one ROOTTASK NONE TIMEOUT soon)", FIRST,
     "nova_add_boot_test(one): TIMEOUT soon is not a number of seconds."),
    ("nova_add_boot_test(one ROOTTASK NONE CPUS four)", FIRST,
     "nova_add_boot_test(one): CPUS four is not a number of CPUs, 1 to 64."),
    ("nova_add_boot_test(one ROOTTASK NONE CPUS 0)", FIRST,
     "nova_add_boot_test(one): CPUS 0 is not a number of CPUs, 1 to 64."),
    ("nova_add_boot_test(one ROOTTASK NONE MEMORY 64M)", FIRST,
     "nova_add_boot_test(one): MEMORY 64M is not a number of MiB."),
    ("nova_add_boot_test(one ROOTTASK NONE STATUS bad)", FIRST,
     "nova_add_boot_test(one): STATUS bad is not a number."),
    ("nova_add_boot_test(one ROOTTASK NONE EMULATOR boch)", FIRST,
     "nova_add_boot_test(one): EMULATOR boch is unknown. Did you mean 'bochs'? Possible values: "
     "qemu, bochs."),
    ("nova_add_boot_test(one ROOTTASK NONE MULTIBOOT 3)", FIRST,
     "nova_add_boot_test(one): MULTIBOOT 3 is unknown. Possible values: 1, 2."),
    ("nova_add_boot_test(one ROOTTASK NONE EXPECTS x)", FIRST,
     "nova_add_boot_test(one): 'EXPECTS' is not understood. Did you mean 'EXPECT'? Possible "
     "here: ROOTTASK, SYSTEM, ARGUMENTS, CPUS, MEMORY, MACHINE, CPU, CMDLINE, STATUS, "
     "TIMEOUT, DISK, EMULATOR, BOOT, MULTIBOOT, MODULES, EXPECT, REJECT, QEMU, LABELS, TAP, NET."),
)
RIGHT = """add_custom_command(OUTPUT disk.img COMMAND touch disk.img)
nova_add_boot_test(before SYSTEM one EXPECT x)
nova_add_program(two SOURCES main.c made.c LINK)
nova_add_roottask(three SOURCES "${CMAKE_CURRENT_SOURCE_DIR}/main.c" LINK Nova::nova
  MODULES two guest:vmlinuz)
nova_add_system(one DESCRIPTION system.nova PROGRAMS log two
  MODULES main.c "${CMAKE_CURRENT_BINARY_DIR}/disk.img")
nova_add_secure_guest(guest SOURCES main.c)
nova_add_system(sealed DESCRIPTION system.nova SEALED system.nova GUEST guest)
nova_add_boot_test(after ROOTTASK three TIMEOUT 9 CMDLINE "" EXPECT)
nova_add_boot_test(nothing ROOTTASK NONE DISK later.img)
nova_add_boot_test(file ROOTTASK "${CMAKE_BINARY_DIR}/not-yet")
add_custom_command(OUTPUT made.c COMMAND touch made.c)
message(FATAL_ERROR "All of it was understood.")
"""


class Arguments(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="nova test ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name in ("main.c", "system.nova"):
            (self.folder / name).touch()

    def configure(self, text):
        (self.folder / "CMakeLists.txt").write_text(f"{HEAD}{text}\n", encoding="utf-8")
        result = subprocess.run(
            ["cmake", "-S", ".", "-B", "build"], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )
        self.assertNotEqual(result.returncode, 0)
        return result.stdout

    def test_each_mistake_is_one_sentence_with_the_remedy(self):
        for text, line, sentence in WRONG:
            with self.subTest(text=text):
                place = f"CMakeLists.txt:{line}" if line else "CMakeLists.txt"
                output = self.configure(text)
                self.assertEqual(explain.configuring(output), f"{place}: {sentence}\n", output)

    def test_a_mistake_in_an_included_file_has_its_line_there(self):
        for line, says in (
                ("SEALED gust.seal)", "the file 'gust.seal' of SEALED is not there. Create it, or "
                                      "correct the name."),
                ("SEALED main.seal)", "the file 'main.seal' of SEALED is not there. Did you mean "
                                      "'mine.seal'?"),
                ("SEAL guest.seal)", "'SEAL' is not understood. Did you mean 'SEALED'? Possible "
                                     "here: DESCRIPTION, SEALED, GUEST, PROGRAMS, MODULES.")):
            with self.subTest(line=line):
                (self.folder / "gust.c").touch()
                (self.folder / "mine.seal").touch()
                (self.folder / "the system.cmake").write_text(
                    "# gust.seal, main.seal\n"
                    f"nova_add_system(${{PROJECT_NAME}} DESCRIPTION system.nova\n  {line}\n",
                    encoding="utf-8")
                output = self.configure('include("the system.cmake")')
                number = 2 if "SEAL " in line else 3
                self.assertEqual(explain.configuring(output),
                                 f"the system.cmake:{number}: nova_add_system(mine): {says}\n",
                                 output)

    def test_correct_descriptions_are_accepted(self):
        output = self.configure(RIGHT)
        self.assertIn("All of it was understood.", output)
        self.assertNotIn("nova_add", output.replace("(nova_add", ""))

    def test_a_system_builds_the_guest_of_its_sealed_image(self):
        output = self.configure(
            "add_custom_target(kernel)\n"
            "nova_add_system(one DESCRIPTION system.nova SEALED image.seal GUEST kernel)\n"
            "get_target_property(needed one MANUALLY_ADDED_DEPENDENCIES)\n"
            'message(FATAL_ERROR "needed: ${needed}.")'
        )
        self.assertRegex(output, r"needed: (\w+;)*kernel[;.]")

    def test_a_secure_guest_is_compiled_without_sse_and_finds_its_headers(self):
        output = self.configure(
            "target_include_directories(novavmm INTERFACE vmm/include)\n"
            "nova_add_secure_guest(guest SOURCES main.c)\n"
            "get_target_property(options guest COMPILE_OPTIONS)\n"
            "get_target_property(folders guest INCLUDE_DIRECTORIES)\n"
            'message(FATAL_ERROR "with ${options} from ${folders}")'
        )
        output = "".join(output.split())
        for word in ("-mgeneral-regs-only", "-mno-red-zone", "-fno-stack-protector",
                     "$<TARGET_PROPERTY:Nova::novavmm,INTERFACE_INCLUDE_DIRECTORIES>"):
            self.assertIn(word, output)

    def test_cpus_take_turns_after_nova_take_turns_unless_the_test_chooses(self):
        lists = (
            "nova_add_boot_test(outside ROOTTASK NONE)",
            f'include("{paths.ROOT}/tests/turns.cmake")\nnova_take_turns()',
            "nova_add_boot_test(many ROOTTASK NONE)",
            "nova_add_boot_test(one ROOTTASK NONE CPUS 1)",
            "nova_add_boot_test(races ROOTTASK NONE CPUS 2 QEMU ${NOVA_THREADS})",
            "nova_add_boot_test(counts ROOTTASK NONE CPUS 4 QEMU -icount shift=3)",
            "nova_add_boot_test(bochs ROOTTASK NONE CPUS 4 EMULATOR bochs)",
        )
        (self.folder / "CMakeLists.txt").write_text(HEAD + "\n".join(lists), encoding="utf-8")
        subprocess.run(
            ["cmake", "-S", ".", "-B", "build"], cwd=self.folder, check=True,
            stdout=subprocess.DEVNULL,
        )
        single, multi = "--qemu=tcg,thread=single", "--qemu=tcg,thread=multi"
        shown = subprocess.run(
            ["ctest", "--test-dir", "build", "--show-only=json-v1"], cwd=self.folder, check=True,
            stdout=subprocess.PIPE,
        )
        tests = json.loads(shown.stdout)["tests"]
        for word, names in ((single, ["many"]), (multi, ["races"])):
            self.assertEqual([test["name"] for test in tests if word in test["command"]], names)

    def test_a_project_without_c_gets_the_languages_to_write(self):
        package = f'find_package(Nova REQUIRED PATHS "{paths.ROOT}/sdk/cmake" NO_DEFAULT_PATH)'
        for text, says in (
            (f"project(mine CXX)\n{package}", "write project(mine LANGUAGES C CXX)."),
            (f"project(mine LANGUAGES NONE)\n{package}", "write project(mine LANGUAGES C)."),
            (f"{package}\nproject(mine C)", "find_package(Nova) comes after project("),
        ):
            with self.subTest(text=text):
                (self.folder / "CMakeLists.txt").write_text(
                    f"cmake_minimum_required(VERSION 3.25)\n{text}\n", encoding="utf-8",
                )
                # The command nova names the compilers of all languages.
                for compilers in ([], ["-DCMAKE_C_COMPILER=gcc", "-DCMAKE_CXX_COMPILER=g++"]):
                    result = subprocess.run(
                        ["cmake", "-S", ".", "-B", "build", "--fresh", *compilers],
                        cwd=self.folder, check=False,
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                    )
                    self.assertNotEqual(result.returncode, 0)
                    self.assertIn(says, " ".join(result.stdout.split()))
                    sentence = explain.configuring(result.stdout)
                    self.assertRegex(sentence, r"^CMakeLists.txt:\d: [^\n]*\.\n$")
                    self.assertIn(says, sentence)

    def test_headers_of_cxx_that_are_missing_say_what_to_include(self):
        script, source = self.folder / "make.cmake", self.folder / "main.cc"
        script.write_text('cmake_minimum_required(VERSION 3.25)\n'
                          f'include("{paths.ROOT}/sdk/cmake/NovaCxxHeaders.cmake")\n'
                          'nova_cxx_headers("${CMAKE_CURRENT_LIST_DIR}/cxx")\n', encoding="utf-8")
        subprocess.run(["cmake", "-P", script], check=True)
        only = "is not in the SDK, which has only <new> of the C++ standard library"
        for compiler in ("g++", "clang++"):
            for header, says in (
                ("string", f"<string> {only}: use the headers of C, such as <string.h>."),
                ("cstdio", f"<cstdio> {only}: include <stdio.h>."),
            ):
                source.write_text(f"#include <{header}>\n", encoding="utf-8")
                result = subprocess.run(
                    [compiler, "-fsyntax-only", "-nostdinc++", "-isystem", self.folder / "cxx",
                     source], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                    check=False,
                )
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(says, result.stdout)

    def test_functions_that_are_not_there_are_guessed(self):
        output = self.configure("nova_add_programm(one SOURCES main.c)")
        self.assertEqual(
            explain.configuring(output),
            f"CMakeLists.txt:{FIRST}: there is no function 'nova_add_programm'. Did you mean "
            "'nova_add_program'?\n",
        )

    def test_other_complaints_of_cmake_stay_as_they_are(self):
        output = self.configure("nothing(called so)")
        self.assertIn('Unknown CMake command "nothing"', output)
        self.assertEqual(explain.configuring(output), output)


class Generated(unittest.TestCase):
    """Build and test files of projects that are only configured."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="it's a test ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def configure(self, text):
        (self.folder / "CMakeLists.txt").write_text(text, encoding="utf-8")
        subprocess.run(["cmake", "-G", "Ninja", "-S", ".", "-B", "build"], cwd=self.folder,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)

    def test_tools_of_the_host_depend_on_their_headers(self):
        self.configure(HEAD.replace("set(NOVA_SYSTEM_TOOL true)\n",
                                    f'set(NOVA_ROOT "{paths.ROOT}")\n'))
        build = self.folder / "build"
        text = (build / "build.ninja").read_text(encoding="utf-8")
        for tool in ("nova-acpi", "nova-system"):
            (line,) = re.findall(rf"^build host/{tool} .*: CUSTOM_COMMAND (.*)$", text,
                                 re.MULTILINE)
            (command,) = re.findall(rf"^  COMMAND = .* && (\S*cc .*host/{tool}\b.*)$", text,
                                    re.MULTILINE)
            words = shlex.split(command)
            at = words.index("-o")
            made = subprocess.run([*words[:at], *words[at + 2 :], "-MM"], stdout=subprocess.PIPE,
                                  text=True, check=True).stdout
            needed = {word for word in made.split() if word.startswith("/")}
            self.assertTrue(any(word.endswith(".h") for word in needed))
            self.assertLessEqual({str(Path(word).resolve()) for word in needed}, set(line.split()))

    def test_a_boot_test_in_a_folder_with_an_apostrophe_finds_its_module(self):
        file = self.folder / "dogs' bones/one"
        self.configure(
            f"{HEAD}add_executable(one IMPORTED)\n"
            f'set_target_properties(one PROPERTIES IMPORTED_LOCATION "{file}")\n'
            'nova_add_boot_test(mine ROOTTASK NONE MODULES "one a b")\n')
        shown = subprocess.run(
            ["ctest", "--show-only=json-v1"], cwd=self.folder / "build", stdout=subprocess.PIPE,
            text=True, check=True)
        (test,) = json.loads(shown.stdout)["tests"]
        (module,) = [word for word in test["command"] if word.startswith("--module=")]
        self.assertEqual(qemu.parse_module(module.removeprefix("--module=")),
                         qemu.Module(str(file), "a b"))


class Building(unittest.TestCase):
    OUTPUT = """[1/4] Building C object CMakeFiles/one.dir/one.c.o
one.c: warning: something
[2/4] Building C object CMakeFiles/two.dir/two.c.o
FAILED: CMakeFiles/two.dir/two.c.o
/usr/bin/gcc -c two.c
two.c: error: something else
[3/4] Building C object CMakeFiles/three.dir/three.c.o
ninja: build stopped: subcommand failed.
"""

    def test_only_steps_with_messages_of_the_tools_are_shown(self):
        self.assertEqual(
            explain.building(self.OUTPUT),
            "[1/4] Building C object CMakeFiles/one.dir/one.c.o\n"
            "one.c: warning: something\n[2/4] Building C object CMakeFiles/two.dir/two.c.o\n"
            "two.c: error: something else\n",
        )
        text = "make: *** [all] Error 1\n"
        self.assertEqual(explain.building(text), text)

    def test_a_missing_library_is_named_with_the_remedy(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for library, function in (("novavmm", "nova_vm_run"), ("novart", "nova_thread_create")):
                source = folder / f"{library}.c"
                source.write_text(f"void {function}(void) {{ }}\n", encoding="utf-8")
                subprocess.run(["gcc", "-c", source, "-o", source.with_suffix(".o")], check=True)
                command = ["ar", "rc", folder / f"lib{library}.a", source.with_suffix(".o")]
                subprocess.run(command, check=True)
            for missing, says in (
                ("nova_vm_run", "LINK Nova::novavmm"), ("nova_thread_create", "use RUNTIME or"),
                ("main", r"begins in main\(\)"), ("nova_main", "with RUNTIME"),
            ):
                text = f"x.c:1: undefined reference to `{missing}'\ncollect2: error\n"
                self.assertRegex(explain.undefined(text, folder), says)
            for text in ("undefined reference to `theirs'", "error: x", ""):
                self.assertIsNone(explain.undefined(text, folder))


if __name__ == "__main__":
    unittest.main()
