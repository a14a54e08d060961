# SPDX-License-Identifier: BSD-2-Clause
# NOVA's own tree: languages, warnings, and the locations for NovaPrograms and NovaBootTest.
# NovaConfig does this for an installed SDK.
include_guard(GLOBAL)

get_filename_component(NOVA_SDK "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(NOVA_LINKER "${NOVA_SDK}/linker")
set(NOVA_EXAMPLES "${NOVA_ROOT}/examples")
set(NOVA_KERNEL "${CMAKE_BINARY_DIR}/nova.elf32")
# The package that find_package(Nova) of examples and templates finds; it does nothing in the tree.
set(Nova_DIR "${CMAKE_CURRENT_LIST_DIR}")

include("${CMAKE_CURRENT_LIST_DIR}/NovaPython.cmake")

# The C library of programs with the runtime. `nova build` has built and announced it already.
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
# Programs do not depend on the location of the tree: file names in their output are relative to its
# root.
add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX>:-fmacro-prefix-map=${NOVA_ROOT}/=>")

# Warnings for all of our code; gcc and clang treat them as errors.
add_library(nova_warnings INTERFACE)
target_compile_options(nova_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:C,CXX>:-Wall -Wextra -Werror -Wshadow -Wundef -Wvla -Wpointer-arith
                              -Wwrite-strings>
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)

include(NovaPrograms)
include(NovaBootTest)
include(NovaInstall)
include(NovaCxxHeaders)
if(NOVA_ARCH)
  include(NovaSystem)
endif()
