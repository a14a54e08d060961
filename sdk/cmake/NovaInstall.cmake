# SPDX-License-Identifier: BSD-2-Clause
# Selects the files that `cmake --install` copies from NOVA's tree. Each build adds the parts of its
# architecture and configuration; all builds share the other files. NovaConfig finds the installed
# files.

set(NOVA_PRESET "${NOVA_ARCH}-${NOVA_CONFIG}")
# The tree's own tools, as a regular expression of modules: benchmarks, mutation, conformance and
# coverage, the builds of newlib and of the pages, packages and installation.
# tests/sdk/test_contents.py compares it with the imports of an installed SDK's commands.
set(NOVA_TREE_MODULES "bench.*|conformance|coverage|debian_source|doc_.*|docs|install|mutation.*|\
newlib.*|package|qemu_plugin|stretch|table")
# Everything that must be built before the build can be installed.
add_custom_target(nova-sdk)

# nova_install_library(<target>): installs a static library of the SDK as Nova::<target>, for
# programs.
function(nova_install_library target)
  add_library(Nova::${target} ALIAS ${target})
  add_dependencies(nova-sdk ${target})
  install(TARGETS ${target} ARCHIVE DESTINATION "lib/${NOVA_PRESET}")
endfunction()

# nova_install_program(<target>): installs a program of the SDK as Nova::<target>, for systems.
function(nova_install_program target)
  add_executable(Nova::${target} ALIAS ${target})
  add_dependencies(nova-sdk ${target})
  install(PROGRAMS "$<TARGET_FILE:${target}>" DESTINATION "share/nova/${NOVA_PRESET}/programs")
endfunction()

# nova_install_common(): installs the files that do not belong to a single target.
function(nova_install_common)
  if(TARGET nova_kernel)
    add_dependencies(nova-sdk nova_kernel)
  endif()
  install(FILES "${CMAKE_BINARY_DIR}/nova.elf32" "${CMAKE_BINARY_DIR}/nova.elf"
    DESTINATION "share/nova/${NOVA_PRESET}")

  install(DIRECTORY "${NOVA_ROOT}/hypervisor/abi/" "${NOVA_ROOT}/libnova/include/"
    DESTINATION include FILES_MATCHING PATTERN "*.h")
  install(DIRECTORY "${NOVA_ROOT}/roottask/include/" "${NOVA_ROOT}/roottask/vmm/include/"
    DESTINATION include)
  install(DIRECTORY "${NOVA_NEWLIB}/" DESTINATION "lib/newlib/${NOVA_ARCH}"
    PATTERN "built.json" EXCLUDE)

  install(PROGRAMS "${NOVA_SDK}/bin/nova" "${NOVA_SYSTEM_TOOL}" "${NOVA_ACPI_TOOL}"
    DESTINATION bin)
  add_dependencies(nova-sdk nova-system nova-acpi)
  install(DIRECTORY "${NOVA_SDK}/lib/nova" DESTINATION lib PATTERN "__pycache__" EXCLUDE
    REGEX "/lib/nova/(${NOVA_TREE_MODULES})\\.py$" EXCLUDE)
  install(DIRECTORY "${NOVA_SDK}/linker" DESTINATION share/nova)
  install(DIRECTORY "${NOVA_ROOT}/examples" "${NOVA_ROOT}/templates" DESTINATION share/nova
    PATTERN "build" EXCLUDE PATTERN "templates/service" EXCLUDE)
  # In the tree this template is a link to the example.
  install(DIRECTORY "${NOVA_ROOT}/examples/server/" DESTINATION share/nova/templates/service
    PATTERN "build" EXCLUDE)
  install(FILES "${NOVA_ROOT}/LICENSE" "${NOVA_ROOT}/CHANGELOG.md" DESTINATION share/doc/nova)
  nova_install_manual()
  nova_install_package()
endfunction()

# Installs the pages, with the same relative paths to examples and templates as in the tree, so that
# links work; and their HTML, which `nova docs` makes.
function(nova_install_manual)
  install(DIRECTORY "${NOVA_ROOT}/docs" DESTINATION share/nova
    FILES_MATCHING PATTERN "*.md" PATTERN "*.svg" PATTERN "docs/doxygen" EXCLUDE
    PATTERN "docs/README.md" EXCLUDE PATTERN "docs/manual/README.md" EXCLUDE)
  # An installation contains no tests, so its pages name the tests' sources instead of linking to
  # them.
  install(CODE [=[
    set(page "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/share/nova/docs/promises.md")
    file(READ "${page}" text)
    string(REGEX REPLACE "\\[[^]]*\\]\\(\\.\\./(tests[^)]*)\\)" "`\\1`" text "${text}")
    file(WRITE "${page}" "${text}")]=])
  install(FILES "${NOVA_ROOT}/README.md" "${NOVA_ROOT}/CHANGELOG.md" "${NOVA_ROOT}/LICENSE"
    "${NOVA_ROOT}/CONTRIBUTING.md" "${NOVA_ROOT}/SECURITY.md"
    DESTINATION share/nova)
  install(DIRECTORY "${NOVA_ROOT}/build/docs/html" DESTINATION share/doc/nova OPTIONAL)
  install(CODE "if(NOT EXISTS \"${NOVA_ROOT}/build/docs/html/index.html\")
    message(\"The manual is installed without its HTML: sdk/bin/nova docs makes that, then install \
again.\")
  endif()")
endfunction()

# Installs the CMake package, the files for pkg-config, and the version for other tools.
function(nova_install_package)
  include(CMakePackageConfigHelpers)
  set(generated "${CMAKE_BINARY_DIR}/package")
  write_basic_package_version_file("${generated}/NovaConfigVersion.cmake"
    VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
  install(DIRECTORY "${NOVA_SDK}/cmake/" DESTINATION lib/cmake/Nova
    PATTERN "NovaTargets.cmake" EXCLUDE PATTERN "NovaInstall.cmake" EXCLUDE
    PATTERN "NovaCxxHeaders.cmake" EXCLUDE)
  install(FILES "${generated}/NovaConfigVersion.cmake" DESTINATION lib/cmake/Nova)

  file(CONFIGURE OUTPUT "${generated}/version" CONTENT "@PROJECT_VERSION@\n" @ONLY)
  install(FILES "${generated}/version" DESTINATION share/nova)

  install(FILES "${NOVA_SDK}/pkgconfig/c++config.h" DESTINATION include/libc/bits)
  set(machine_flags "${NOVA_MACHINE_FLAGS}")
  foreach(name nova novart novart-cxx novavmm)
    set(file "${generated}/${name}-${NOVA_PRESET}.pc")
    configure_file("${NOVA_SDK}/pkgconfig/${name}.pc.in" "${file}" @ONLY)
    install(FILES "${file}" DESTINATION lib/pkgconfig)
    if(NOVA_PRESET STREQUAL "x86_64-release")
      install(FILES "${file}" DESTINATION lib/pkgconfig RENAME ${name}.pc)
    endif()
  endforeach()
endfunction()
