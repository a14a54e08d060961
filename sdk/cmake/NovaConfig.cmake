# SPDX-License-Identifier: BSD-2-Clause
# find_package(Nova): the installed SDK for the architecture NOVA_ARCH (x86_64) and the
# configuration NOVA_CONFIG (release, or debug in a build of type Debug). It provides
# nova_add_roottask, the other functions of NovaPrograms, and nova_add_boot_test.

# In NOVA's own tree, whose examples also search for the package, NovaTargets has already done all
# of this.
if(DEFINED NOVA_ROOT)
  return()
endif()

# Refuses a project without the language C. CMAKE_C_COMPILER does not show whether the project has
# C, because a command line can set this variable for any project.
get_property(NOVA_LANGUAGES GLOBAL PROPERTY ENABLED_LANGUAGES)
if(NOT "C" IN_LIST NOVA_LANGUAGES)
  set(Nova_FOUND FALSE)
  list(REMOVE_ITEM NOVA_LANGUAGES NONE)
  list(JOIN NOVA_LANGUAGES " " NOVA_LANGUAGES)
  if(PROJECT_NAME)
    string(STRIP "C ${NOVA_LANGUAGES}" NOVA_LANGUAGES)
    set(Nova_NOT_FOUND_MESSAGE "the project does not have the language C, which Nova needs: write \
project(${PROJECT_NAME} LANGUAGES ${NOVA_LANGUAGES}).")
  else()
    set(Nova_NOT_FOUND_MESSAGE "find_package(Nova) comes after project(... LANGUAGES C).")
  endif()
  return()
endif()

# The path to lib/cmake/Nova may contain a symbolic link.
get_filename_component(NOVA_SDK "${CMAKE_CURRENT_LIST_FILE}" REALPATH)
get_filename_component(NOVA_SDK "${NOVA_SDK}/../../../.." ABSOLUTE)

if(NOT NOVA_ARCH AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_32")
  set(NOVA_ARCH x86_32) # as the toolchain file says
elseif(NOT NOVA_ARCH)
  set(NOVA_ARCH x86_64)
endif()
if(NOT NOVA_CONFIG AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(NOVA_CONFIG debug)
elseif(NOT NOVA_CONFIG)
  set(NOVA_CONFIG release)
endif()

set(NOVA_PRESET "${NOVA_ARCH}-${NOVA_CONFIG}")
set(NOVA_LIBRARIES "${NOVA_SDK}/lib/${NOVA_PRESET}")
set(NOVA_LINKER "${NOVA_SDK}/share/nova/linker")
set(NOVA_EXAMPLES "${NOVA_SDK}/share/nova/examples") # an example may use files of another one
set(NOVA_NEWLIB "${NOVA_SDK}/lib/newlib/${NOVA_ARCH}")
set(NOVA_KERNEL "${NOVA_SDK}/share/nova/${NOVA_PRESET}/nova.elf32")

if(NOT EXISTS "${NOVA_LIBRARIES}/libnova.a")
  file(GLOB NOVA_KNOWN RELATIVE "${NOVA_SDK}/share/nova" "${NOVA_SDK}/share/nova/x86_*")
  list(JOIN NOVA_KNOWN ", " NOVA_KNOWN)
  set(Nova_FOUND FALSE)
  set(Nova_NOT_FOUND_MESSAGE "this SDK has nothing for ${NOVA_PRESET}, only for ${NOVA_KNOWN}: set \
NOVA_ARCH and NOVA_CONFIG to something that it has.")
  return()
endif()

set(NOVA_OPTIONS_debug -Og -g -DNOVA_DEBUG=1)
set(NOVA_OPTIONS_release -O2 -g -DNDEBUG)
set(NOVA_MACHINE_FLAGS_x86_64 "-m64")
set(NOVA_MACHINE_FLAGS_x86_32 "-m32 -march=i686")
set(NOVA_MACHINE_FLAGS "${NOVA_MACHINE_FLAGS_${NOVA_ARCH}}")

# The users of the SDK choose their own warnings.
if(NOT TARGET nova_warnings)
  add_library(nova_warnings INTERFACE)
  target_compile_options(nova_warnings INTERFACE -Wall -Wextra)
endif()
include("${CMAKE_CURRENT_LIST_DIR}/NovaPrograms.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/NovaBootTest.cmake")
set(NOVA_SYSTEM_TOOL "${NOVA_SDK}/bin/nova-system")
include("${CMAKE_CURRENT_LIST_DIR}/NovaSystem.cmake")

# A project without a build type is compiled as the SDK is.
if(NOT TARGET Nova::nova)
  separate_arguments(NOVA_MACHINE_OPTIONS NATIVE_COMMAND "${NOVA_MACHINE_FLAGS}")
  foreach(NOVA_KIND freestanding hosted)
    target_compile_options(nova_${NOVA_KIND} INTERFACE ${NOVA_MACHINE_OPTIONS}
      "$<$<CONFIG:>:${NOVA_OPTIONS_${NOVA_CONFIG}}>")
    target_link_options(nova_${NOVA_KIND} INTERFACE ${NOVA_MACHINE_OPTIONS})
  endforeach()

  add_library(Nova::nova STATIC IMPORTED)
  set_target_properties(Nova::nova PROPERTIES IMPORTED_LOCATION "${NOVA_LIBRARIES}/libnova.a")
  target_include_directories(Nova::nova INTERFACE "${NOVA_SDK}/include")
  target_compile_features(Nova::nova INTERFACE c_std_11)

  add_library(Nova::novart STATIC IMPORTED)
  # The runtime's headers come before those of the C library, whose pthread.h is empty.
  set_target_properties(Nova::novart PROPERTIES
    IMPORTED_LOCATION "${NOVA_LIBRARIES}/libnovart.a" SYSTEM OFF)
  target_include_directories(Nova::novart INTERFACE "${NOVA_SDK}/include"
    "${NOVA_SDK}/include/libc")
  target_compile_features(Nova::novart INTERFACE c_std_11)
  target_compile_options(Nova::novart INTERFACE
    "$<$<COMPILE_LANGUAGE:CXX>:-isystem${NOVA_SDK}/include/cxx>")
  target_link_libraries(Nova::novart INTERFACE nova_hosted ${NOVA_RUNTIME_LIBRARIES})

  add_library(Nova::novavmm STATIC IMPORTED)
  set_target_properties(Nova::novavmm PROPERTIES
    IMPORTED_LOCATION "${NOVA_LIBRARIES}/libnovavmm.a")
  target_link_libraries(Nova::novavmm INTERFACE Nova::novart)

  # The SDK's build may have had no source of lwIP or mbedTLS.
  if(EXISTS "${NOVA_LIBRARIES}/libnovanet.a")
    add_library(Nova::novanet STATIC IMPORTED)
    set_target_properties(Nova::novanet PROPERTIES
      IMPORTED_LOCATION "${NOVA_LIBRARIES}/libnovanet.a")
    target_include_directories(Nova::novanet INTERFACE "${NOVA_SDK}/include/novanet-posix")
    target_link_libraries(Nova::novanet INTERFACE Nova::novart)
  endif()
  if(EXISTS "${NOVA_LIBRARIES}/libnovatls.a")
    add_library(Nova::novatls STATIC IMPORTED)
    set_target_properties(Nova::novatls PROPERTIES
      IMPORTED_LOCATION "${NOVA_LIBRARIES}/libnovatls.a")
    target_include_directories(Nova::novatls INTERFACE "${NOVA_SDK}/include/novatls-mbedtls")
    target_compile_definitions(Nova::novatls INTERFACE MBEDTLS_CONFIG_FILE="novatls_config.h")
    target_link_libraries(Nova::novatls INTERFACE Nova::novanet)
  endif()
endif()

# The programs that come with the SDK, for systems.
file(GLOB NOVA_PROGRAMS "${NOVA_SDK}/share/nova/${NOVA_PRESET}/programs/*")
foreach(NOVA_PROGRAM IN LISTS NOVA_PROGRAMS)
  get_filename_component(NOVA_NAME "${NOVA_PROGRAM}" NAME)
  if(NOT TARGET Nova::${NOVA_NAME})
    add_executable(Nova::${NOVA_NAME} IMPORTED)
    set_target_properties(Nova::${NOVA_NAME} PROPERTIES IMPORTED_LOCATION "${NOVA_PROGRAM}")
  endif()
endforeach()
