# SPDX-License-Identifier: BSD-2-Clause
# Compiler flags and functions for programs: bare roottasks, and programs with the runtime.
# Whoever includes this file has set NOVA_ARCH and NOVA_NEWLIB (folder of the C library), and there
# are targets nova (libnova) and novart (the runtime).
include_guard(GLOBAL)

get_filename_component(NOVA_SDK "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

# User programs without a C library. libgcc serves 64-bit division on x86_32.
add_library(nova_freestanding INTERFACE)
target_compile_options(nova_freestanding INTERFACE
  -ffreestanding -fno-stack-protector -fno-pic -fcf-protection=none -fno-asynchronous-unwind-tables
  -fno-unwind-tables)
target_link_options(nova_freestanding INTERFACE
  -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096
  -Wl,--fatal-warnings)

# Programs with the runtime: newlib's headers and the compiler's own, nothing of the host. Frame
# pointers serve backtraces.
if(NOVA_ARCH)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    separate_arguments(machine NATIVE_COMMAND "${NOVA_MACHINE_FLAGS}")
    execute_process(COMMAND ${CMAKE_C_COMPILER} ${machine} -print-file-name=include
      OUTPUT_VARIABLE nova_compiler_headers OUTPUT_STRIP_TRAILING_WHITESPACE
      COMMAND_ERROR_IS_FATAL ANY)
    set(nova_no_headers -nostdinc $<$<COMPILE_LANGUAGE:CXX>:-nostdinc++>
      "SHELL:-idirafter ${nova_compiler_headers}")
  else()
    set(nova_no_headers -nostdlibinc $<$<COMPILE_LANGUAGE:CXX>:-nostdinc++>)
  endif()
endif()
add_library(nova_hosted INTERFACE)
target_compile_options(nova_hosted INTERFACE
  ${nova_no_headers}
  -U__linux__ -U__gnu_linux__ -fno-stack-protector -fno-pic -fcf-protection=none
  -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-omit-frame-pointer
  -fno-optimize-sibling-calls -ffunction-sections -fdata-sections -ftls-model=local-exec
  $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions> $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
target_include_directories(nova_hosted SYSTEM INTERFACE "${NOVA_NEWLIB}/include")
target_link_directories(nova_hosted INTERFACE "${NOVA_NEWLIB}/lib")
target_link_options(nova_hosted INTERFACE
  -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096
  -Wl,--gc-sections -Wl,--fatal-warnings)

# A program with the linker script SCRIPT in bin/.
function(nova_add_image target script)
  add_executable(${target} ${ARGN})
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin"
    LINK_DEPENDS "${script}")
  target_link_options(${target} PRIVATE -T "${script}")
  if(TARGET nova_warnings)
    target_link_libraries(${target} PRIVATE nova_warnings)
  endif()
endfunction()

# nova_add_program(<target> SOURCES <file>... [LINK <library>...])
# builds bin/<target>, a program with the runtime, in C, C++ (without exceptions) or assembly. Its
# parent starts it, or the kernel as its roottask.
function(nova_add_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nova_add_program(${target}): name the files after SOURCES.")
  endif()
  nova_add_image(${target} "${NOVA_SDK}/linker/program.ld" ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE nova_hosted ${arg_LINK} novart)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${NOVA_NEWLIB}/lib/libc.a")
endfunction()

# nova_add_roottask(<target> SOURCES <file>... [LINK <library>...] [RUNTIME | NO_LIBNOVA])
# builds bin/<target>, a static ELF file that the kernel can start as its roottask: with libnova
# only, with nothing, or with RUNTIME as nova_add_program() does.
function(nova_add_roottask target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_LIBNOVA;RUNTIME" "" "SOURCES;LINK")
  if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nova_add_roottask(${target}): name the files after SOURCES.")
  endif()
  if(arg_RUNTIME)
    nova_add_program(${target} SOURCES ${arg_SOURCES} LINK ${arg_LINK})
    return()
  endif()
  nova_add_image(${target} "${NOVA_SDK}/linker/roottask.ld" ${arg_SOURCES})
  target_link_options(${target} PRIVATE -Wl,--gc-sections)
  target_link_libraries(${target} PRIVATE nova_freestanding ${arg_LINK})
  if(NOT arg_NO_LIBNOVA)
    # The start file is a member of the library: the script's entry symbol pulls it in.
    target_link_libraries(${target} PRIVATE nova)
  endif()
  target_link_libraries(${target} PRIVATE gcc)
endfunction()
