# SPDX-License-Identifier: BSD-2-Clause
# Compiler flags as targets, and functions that add programs for the kernel and tests that boot it.
include_guard(GLOBAL)

find_program(NOVA_PYTHON python3 REQUIRED)
get_filename_component(NOVA_SDK "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

# The C library of programs with the runtime. `nova build` has made it already and told of it.
set(NOVA_NEWLIB "${NOVA_ROOT}/build/newlib/${NOVA_ARCH}")
if(NOVA_ARCH)
  execute_process(COMMAND "${NOVA_PYTHON}" -X utf8 "${NOVA_SDK}/lib/nova" newlib --arch ${NOVA_ARCH}
    COMMAND_ERROR_IS_FATAL ANY)
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
foreach(language C CXX)
  set(CMAKE_${language}_FLAGS_DEBUG "-Og -g -DNOVA_DEBUG=1")
  set(CMAKE_${language}_FLAGS_RELEASE "-O2 -g -DNDEBUG")
endforeach()
set(CMAKE_ASM_FLAGS_DEBUG "-g -DNOVA_DEBUG=1")
set(CMAKE_ASM_FLAGS_RELEASE "-g -DNDEBUG")

include_directories("${NOVA_ROOT}/hypervisor/abi")

# Warnings for all of our code, errors in gcc and clang.
add_library(nova_warnings INTERFACE)
target_compile_options(nova_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:C,CXX>:-Wall -Wextra -Werror -Wshadow -Wundef -Wvla -Wpointer-arith
                              -Wwrite-strings>
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)

include(NovaPrograms)

# nova_add_boot_test(<name> ROOTTASK <target, file or NONE> [ARGUMENTS <text>] [CPUS <n>]
#   [MEMORY <MiB>] [MACHINE <m>] [CPU <model>] [CMDLINE <text>] [MODULES "<file> <args>"...]
#   [EXPECT <regex>...] [REJECT <regex>...] [TAP] [STATUS <n>] [TIMEOUT <s>] [QEMU <argument>...]
#   [EMULATOR qemu|bochs] [BOOT direct|grub|uefi] [MULTIBOOT 1|2] LABELS <label>...)
# adds a test that boots this build's kernel. EXPECT: each matches, in this order (no semicolons in
# them); REJECT: none does.
# MODULES: a target's name stands for its file; another file's may stand in single quotes.
# BOOT: by the emulator, or by GRUB from a CD, which Bochs always needs; MULTIBOOT: the version that
# GRUB uses.
function(nova_add_boot_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TAP"
    "ROOTTASK;ARGUMENTS;CPUS;MEMORY;MACHINE;CPU;CMDLINE;STATUS;TIMEOUT;EMULATOR;BOOT;MULTIBOOT"
    "MODULES;EXPECT;REJECT;QEMU;LABELS")
  if(NOT arg_ROOTTASK OR NOT arg_LABELS OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nova_add_boot_test(${name}): ROOTTASK and LABELS are needed; "
      "not understood: '${arg_UNPARSED_ARGUMENTS}'.")
  endif()
  if(NOT DEFINED arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()

  set(command "${NOVA_PYTHON}" "${NOVA_SDK}/lib/nova" boot-test --arch ${NOVA_ARCH}
    --kernel "${CMAKE_BINARY_DIR}/nova.elf32" --timeout ${arg_TIMEOUT})
  if(TARGET ${arg_ROOTTASK})
    list(APPEND command --roottask "$<TARGET_FILE:${arg_ROOTTASK}>")
  elseif(NOT arg_ROOTTASK STREQUAL "NONE")
    list(APPEND command --roottask "${arg_ROOTTASK}")
  endif()
  foreach(option ARGUMENTS CPUS MEMORY MACHINE CPU CMDLINE STATUS EMULATOR BOOT MULTIBOOT)
    if(DEFINED arg_${option})
      string(TOLOWER ${option} flag)
      list(APPEND command "--${flag}=${arg_${option}}")
    endif()
  endforeach()
  foreach(module IN LISTS arg_MODULES)
    string(REGEX MATCH "^[^ ]+" file "${module}")
    if(TARGET "${file}")
      string(REGEX REPLACE "^[^ ]+" "'$<TARGET_FILE:${file}>'" module "${module}")
    endif()
    list(APPEND command "--module=${module}")
  endforeach()
  foreach(pattern IN LISTS arg_EXPECT)
    list(APPEND command "--expect=${pattern}")
  endforeach()
  foreach(pattern IN LISTS arg_REJECT)
    list(APPEND command "--reject=${pattern}")
  endforeach()
  foreach(argument IN LISTS arg_QEMU)
    list(APPEND command "--qemu=${argument}")
  endforeach()
  if(arg_TAP)
    list(APPEND command --tap)
  endif()

  math(EXPR limit "${arg_TIMEOUT} + 15")
  add_test(NAME ${name} COMMAND ${command})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${limit})
  if(arg_CPUS GREATER 4)
    set_tests_properties(${name} PROPERTIES PROCESSORS 2)
  endif()
endfunction()
