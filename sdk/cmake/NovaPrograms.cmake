# SPDX-License-Identifier: BSD-2-Clause
# Compiler flags and functions for programs (bare roottasks, and programs with the runtime), in
# NOVA's tree and in a project that uses the SDK. The including file must set NOVA_ARCH,
# NOVA_LINKER (the folder of linker scripts), NOVA_NEWLIB (the folder of the C library) and
# NOVA_MACHINE_FLAGS, and must have the targets Nova::nova (libnova), Nova::novart (the runtime) and
# nova_warnings.

include("${CMAKE_CURRENT_LIST_DIR}/NovaPython.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/NovaArguments.cmake")

# User programs without a C library. libgcc provides 64-bit division on x86_32.
if(NOT TARGET nova_freestanding)
  add_library(nova_freestanding INTERFACE)
  target_compile_options(nova_freestanding INTERFACE
    -ffreestanding -fno-stack-protector -fno-pic -fcf-protection=none
    -fno-asynchronous-unwind-tables -fno-unwind-tables)
  target_link_options(nova_freestanding INTERFACE
    -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096
    -Wl,--fatal-warnings)
endif()

# Programs with the runtime use the headers of newlib and of the compiler, and no headers of the
# host. Backtraces need frame pointers.
if(NOT TARGET nova_hosted)
  if(NOVA_ARCH AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    separate_arguments(machine NATIVE_COMMAND "${NOVA_MACHINE_FLAGS}")
    execute_process(COMMAND ${CMAKE_C_COMPILER} ${machine} -print-file-name=include
      OUTPUT_VARIABLE nova_compiler_headers OUTPUT_STRIP_TRAILING_WHITESPACE
      COMMAND_ERROR_IS_FATAL ANY)
    set(nova_no_headers -nostdinc $<$<COMPILE_LANGUAGE:CXX>:-nostdinc++>
      "SHELL:-idirafter ${nova_compiler_headers}")
  elseif(NOVA_ARCH)
    set(nova_no_headers -nostdlibinc $<$<COMPILE_LANGUAGE:CXX>:-nostdinc++>)
  endif()
  add_library(nova_hosted INTERFACE)
  target_compile_options(nova_hosted INTERFACE
    ${nova_no_headers}
    -U__linux__ -U__gnu_linux__ -fno-stack-protector -fno-pic -fcf-protection=none
    -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-omit-frame-pointer
    -mno-omit-leaf-frame-pointer -fstack-clash-protection
    -fno-optimize-sibling-calls -ffunction-sections -fdata-sections -ftls-model=local-exec
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions> $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
  target_include_directories(nova_hosted SYSTEM INTERFACE "${NOVA_NEWLIB}/include")
  target_link_directories(nova_hosted INTERFACE "${NOVA_NEWLIB}/lib")
  target_link_options(nova_hosted INTERFACE
    -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096
    -Wl,--gc-sections -Wl,--fatal-warnings)
endif()

# The libraries of a program with the runtime. The C library has empty locks of its own, so the
# linker must find the runtime's locks first. Runtime and C library need each other. libnova comes
# last, because it also defines some functions of C.
set(NOVA_RUNTIME_LIBRARIES
  -Wl,-u,__retarget_lock_acquire_recursive
  -Wl,--start-group $<TARGET_FILE:Nova::novart> -lc -lm $<TARGET_FILE:Nova::nova> gcc
  -Wl,--end-group)

# Links a program with the linker script SCRIPT into bin/.
function(nova_add_image target script)
  add_executable(${target} ${ARGN})
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin"
    SKIP_BUILD_RPATH ON
    LINK_DEPENDS "${script}")
  target_link_options(${target} PRIVATE -T "${script}")
  target_link_libraries(${target} PRIVATE nova_warnings)
endfunction()

# An earlier configuration may have left boot lists that this one no longer needs, so all needed
# lists are written again when the configuration is complete.
file(GLOB nova_boot_lists
  "${CMAKE_BINARY_DIR}/boot/*.boot" "${CMAKE_BINARY_DIR}/boot/*.program")
if(nova_boot_lists)
  file(REMOVE ${nova_boot_lists})
endif()

# nova_write_boot_list(<name> ROOTTASK <file> [MODULES "<file><tab><arguments>"...]) writes the boot
# list for `nova run <name>` and boot tests: a line for each boot module, the roottask first, with
# its file and, after a tab, its command line. Generator expressions may stand for files.
function(nova_write_boot_list name)
  set_property(GLOBAL APPEND PROPERTY NOVA_BOOT_LISTS "${name}")
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ROOTTASK" "MODULES")
  # Guests have the word size of their monitors.
  list(TRANSFORM arg_MODULES REPLACE "^guest:" "guest:${NOVA_ARCH}/")
  list(JOIN arg_MODULES "\n" modules)
  file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/boot/${name}.boot"
    CONTENT "${arg_ROOTTASK}\n${modules}\n")
endfunction()

# Checks the arguments of a function that adds a program of any kind.
function(nova_check_program function target sources libraries)
  nova_check_name(${function} "${target}")
  if(NOT sources)
    nova_mistake(${function} ${target}
      "SOURCES is missing: name the files, such as SOURCES main.c.")
  endif()
  nova_check_files(${function} ${target} SOURCES ${sources})
  nova_check_languages(${function} ${target} ${sources})
  nova_check_libraries(${function} ${target} ${libraries})
endfunction()

# nova_add_program(<target> SOURCES <file>... [LINK <library>...])
# builds bin/<target>, a program with the runtime, in C, C++ (without exceptions) or assembly. Its
# parent starts it, or the kernel as its roottask.
function(nova_add_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  nova_check_arguments(nova_add_program "${target}" SOURCES LINK)
  nova_check_program(nova_add_program "${target}" "${arg_SOURCES}" "${arg_LINK}")
  nova_add_image(${target} "${NOVA_LINKER}/program.ld" ${arg_SOURCES})
  # for `nova run`: an entry for a program that exists but cannot be booted
  file(WRITE "${CMAKE_BINARY_DIR}/boot/${target}.program" "")
  target_link_libraries(${target} PRIVATE nova_hosted ${arg_LINK} Nova::novart)
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${NOVA_NEWLIB}/lib/libc.a")
endfunction()

# nova_add_secure_guest(<target> SOURCES <file>...)
# builds <target>, the kernel of a sealed image, for GUEST of nova_add_system(): freestanding code
# without a library, linked at 2 MiB, which begins in _start() and can include <novauv/guest.h>. A
# secure guest begins with SSE off and without a descriptor table for interrupts, so the compiler
# may use neither SSE nor the red zone.
function(nova_add_secure_guest target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  nova_check_arguments(nova_add_secure_guest "${target}" SOURCES)
  nova_check_program(nova_add_secure_guest "${target}" "${arg_SOURCES}" "")
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE nova_warnings nova_freestanding)
  target_include_directories(${target} SYSTEM PRIVATE
    $<TARGET_PROPERTY:Nova::novavmm,INTERFACE_INCLUDE_DIRECTORIES>
    $<TARGET_PROPERTY:Nova::novart,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_options(${target} PRIVATE
    -mgeneral-regs-only -mno-red-zone -fno-stack-protector)
  target_link_options(${target} PRIVATE -static -no-pie -Wl,-Ttext-segment=0x200000)
endfunction()

# nova_add_roottask(<target> SOURCES <file>... [LINK <library>...] [RUNTIME | NO_LIBNOVA] [MODULES
# <program or file>...]) builds bin/<target>, a static ELF file that the kernel can start as its
# roottask: with libnova only, with no library, or, with RUNTIME, like a program of
# nova_add_program(). MODULES are booted with it.
function(nova_add_roottask target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_LIBNOVA;RUNTIME" "" "SOURCES;LINK;MODULES")
  nova_check_arguments(nova_add_roottask "${target}" SOURCES LINK MODULES RUNTIME NO_LIBNOVA)
  nova_check_program(nova_add_roottask "${target}" "${arg_SOURCES}" "${arg_LINK}")
  if(arg_RUNTIME)
    nova_add_program(${target} SOURCES ${arg_SOURCES} LINK ${arg_LINK})
  else()
    nova_add_image(${target} "${NOVA_LINKER}/roottask.ld" ${arg_SOURCES})
    target_link_options(${target} PRIVATE -Wl,--gc-sections)
    target_link_libraries(${target} PRIVATE nova_freestanding ${arg_LINK})
    if(NOT arg_NO_LIBNOVA)
      # The start file is a member of the library: the script's entry symbol pulls it in.
      target_link_libraries(${target} PRIVATE Nova::nova)
    endif()
    target_link_libraries(${target} PRIVATE gcc)
  endif()
  set(modules)
  foreach(module IN LISTS arg_MODULES)
    if(TARGET ${module})
      add_dependencies(${target} ${module})
      list(APPEND modules "$<TARGET_FILE:${module}>")
    elseif(module MATCHES "^guest:")
      list(APPEND modules "${module}") # a guest's software: `nova` makes it when it is booted
    else()
      nova_check_files(nova_add_roottask ${target} MODULES "${module}")
      get_filename_component(file "${module}" ABSOLUTE)
      list(APPEND modules "${file}")
    endif()
  endforeach()
  nova_write_boot_list(${target} ROOTTASK "$<TARGET_FILE:${target}>" MODULES ${modules})
endfunction()
