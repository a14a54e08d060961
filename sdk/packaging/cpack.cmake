# SPDX-License-Identifier: BSD-2-Clause
# For CPack: names and dependencies of the SDK's packages. `nova package` adds the folder of their
# files (CPACK_INSTALLED_DIRECTORIES), the version and the name of the package's file.
set(CPACK_PACKAGE_NAME nova)
set(CPACK_PACKAGE_VENDOR NOVA)
set(CPACK_PACKAGE_CONTACT "NOVA <nova@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "SDK of the NOVA microhypervisor")
set(CPACK_PACKAGE_DESCRIPTION "Kernel, libraries, tools, templates and examples: all that is needed
to build programs for the NOVA microhypervisor on x86-64 and x86-32.")
set(CPACK_INCLUDE_TOPLEVEL_DIRECTORY ON)
set(CPACK_PACKAGING_INSTALL_PREFIX "/")
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES OFF)

set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE amd64)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
  "libc6, python3 (>= 3.10), cmake (>= 3.25), ninja-build, gcc, g++, gcc-multilib, qemu-system-x86")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
  "clang, cryptsetup-bin, gdb, grub-pc-bin, grub-common, python3-cryptography, xorriso")
