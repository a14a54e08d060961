# SPDX-License-Identifier: BSD-2-Clause
# Freestanding x86_32 code with gcc: kernel, libnova and everything that runs on them.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR x86_32)
set(CMAKE_C_COMPILER gcc)
set(CMAKE_CXX_COMPILER g++)
set(CMAKE_ASM_COMPILER gcc)
set(NOVA_MACHINE_FLAGS "-m32 -march=i686")
foreach(language C CXX ASM)
  set(CMAKE_${language}_FLAGS_INIT "${NOVA_MACHINE_FLAGS}")
endforeach()
# CMake's test programs cannot be linked, because there are no system libraries.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
