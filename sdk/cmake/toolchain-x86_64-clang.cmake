# SPDX-License-Identifier: BSD-2-Clause
# Freestanding x86_64 code with clang: kernel, libnova and everything that runs on them.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER clang)
set(CMAKE_CXX_COMPILER clang++)
set(CMAKE_ASM_COMPILER clang)
set(NOVA_MACHINE_FLAGS "-m64")
foreach(language C CXX ASM)
  set(CMAKE_${language}_FLAGS_INIT "${NOVA_MACHINE_FLAGS}")
endforeach()
# CMake's test programs cannot be linked, because there are no system libraries.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
