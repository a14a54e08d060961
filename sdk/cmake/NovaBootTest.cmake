# SPDX-License-Identifier: BSD-2-Clause
# nova_add_boot_test(): tests that boot programs, in NOVA's tree and in projects that use the SDK.
# A file that includes this one must set NOVA_ARCH, NOVA_KERNEL (the bootable kernel) and NOVA_SDK
# (the folder with bin/ and lib/ of the command `nova`), and NOVA_SYSTEM_TOOL if there are systems.
# It must include NovaPrograms first.

# Checks that the roottask or system of a test exists. A system is checked at the end of the
# folder's CMakeLists.txt, so it may be added after the test.
function(nova_check_boot_test name roottask system timeout)
  if((NOT roottask AND NOT system) OR (roottask AND system))
    nova_mistake(nova_add_boot_test "${name}" "give either ROOTTASK or SYSTEM: \
ROOTTASK names a program, SYSTEM a system of nova_add_system().")
  elseif(NOT timeout MATCHES "^[0-9]*$")
    nova_mistake(nova_add_boot_test ${name} "TIMEOUT ${timeout} is not a number of seconds.")
  elseif(system)
    cmake_language(EVAL CODE "cmake_language(DEFER CALL nova_check_bootable
      [[${name}]] SYSTEM [[${system}]])")
  elseif(NOT TARGET ${roottask} AND NOT roottask MATCHES "^NONE$|/")
    nova_check_bootable(${name} ROOTTASK "${roottask}")
  endif()
endfunction()

function(nova_check_bootable name keyword what)
  get_property(known GLOBAL PROPERTY NOVA_BOOT_LISTS)
  if(NOT what IN_LIST known)
    nova_meant(question "${what}" ${known})
    nova_mistake(nova_add_boot_test ${name} "${keyword} names '${what}', which does not \
exist.${question} Add it with nova_add_roottask or nova_add_system before the test.")
  endif()
endfunction()

# Checks the keywords whose value is a number or one of a fixed set. Without this check, an error
# would appear only when the test runs.
function(nova_check_boot_values name)
  foreach(row "CPUS:CPUs, 1 to 64:^([1-9]|[1-5][0-9]|6[0-4])$" "MEMORY:MiB:^[1-9][0-9]*$"
      "STATUS::^[0-9]+$")
    string(REGEX MATCH "^([A-Z]+):(.*):(.*)$" row "${row}")
    set(keyword ${CMAKE_MATCH_1})
    set(unit "${CMAKE_MATCH_2}")
    set(pattern "${CMAKE_MATCH_3}")
    if(unit)
      string(PREPEND unit " of ")
    endif()
    if(DEFINED arg_${keyword} AND NOT arg_${keyword} MATCHES "${pattern}")
      nova_mistake(nova_add_boot_test ${name}
        "${keyword} ${arg_${keyword}} is not a number${unit}.")
    endif()
  endforeach()
  foreach(row "EMULATOR: qemu bochs " "BOOT: direct grub uefi " "MULTIBOOT: 1 2 ")
    string(REGEX MATCH "^([A-Z]+): (.*) $" row "${row}")
    set(keyword ${CMAKE_MATCH_1})
    string(REPLACE " " ";" words "${CMAKE_MATCH_2}")
    if(DEFINED arg_${keyword} AND NOT arg_${keyword} IN_LIST words)
      nova_meant(question "${arg_${keyword}}" ${words})
      list(JOIN words ", " words)
      nova_mistake(nova_add_boot_test ${name}
        "${keyword} ${arg_${keyword}} is unknown.${question} Possible values: ${words}.")
    endif()
  endforeach()
endfunction()

# nova_add_boot_test(<name> ROOTTASK <target, file or NONE> | SYSTEM <target> [ARGUMENTS <text>]
# [CPUS <n>] [MEMORY <MiB>] [MACHINE <m>] [CPU <model>] [CMDLINE <text>] [MODULES "<file>
# <args>"...] [EXPECT <regex>...] [REJECT <regex>...] [TAP] [STATUS <n>] [TIMEOUT <s>] [QEMU
# <argument>...] [DISK <file>] [NET] [EMULATOR qemu|bochs] [BOOT direct|grub|uefi] [MULTIBOOT 1|2]
# [LABELS <label>...])
# adds a test that boots the kernel with a roottask or with a system of nova_add_system().
# CPUS, MEMORY: by default the values in the section `machine` of the system's description, else 4
# and 256. EXPECT: all of these must match, in this order; REJECT: none may match. They are Python's
# regular expressions, where ^ and $ match at each line: "\\(" is a parenthesis, "\\." a dot. They
# must not contain semicolons. MODULES: a target's name stands for its file; the name of another
# file may be in single quotes. guest:NAME is a guest's software, which is made when the test runs.
# A module replaces the system's module that has the same file name. BOOT: the emulator loads the
# kernel (direct), or GRUB loads it from a CD with BIOS (grub) or UEFI (uefi); with Bochs it is
# always GRUB. MULTIBOOT: the version that GRUB uses. DISK: a disk as with `nova run --disk`, but
# the test's writes do not reach the file. The disk's DMA goes through the I/O MMU if QEMU's
# arguments name one. NET: a card as with `nova run --net`. ARGUMENTS: with DISK or NET, the
# arguments of the program whose name the system has; otherwise those of the guest of a sealed
# image, if there is one, else those of the roottask.
function(nova_add_boot_test name)
  set(single ROOTTASK SYSTEM ARGUMENTS CPUS MEMORY MACHINE CPU CMDLINE STATUS TIMEOUT DISK EMULATOR
    BOOT MULTIBOOT)
  set(several MODULES EXPECT REJECT QEMU LABELS)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TAP;NET" "${single}" "${several}")
  nova_check_arguments(nova_add_boot_test "${name}" ${single} ${several} TAP NET)
  nova_check_boot_test("${name}" "${arg_ROOTTASK}" "${arg_SYSTEM}" "${arg_TIMEOUT}")
  nova_check_boot_values("${name}")
  if(NOT arg_LABELS)
    set(arg_LABELS boot)
  endif()
  if(NOT DEFINED arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()

  # -S: the tool needs only the standard library, and starts faster without the search for other
  # packages.
  set(command "${NOVA_PYTHON}" -S "${NOVA_SDK}/lib/nova" boot-test "--name=${name}"
    --arch ${NOVA_ARCH} --kernel "${NOVA_KERNEL}" --timeout ${arg_TIMEOUT})
  if(arg_SYSTEM)
    list(APPEND command --list "${CMAKE_BINARY_DIR}/boot/${arg_SYSTEM}.boot")
  elseif(TARGET ${arg_ROOTTASK})
    list(APPEND command --roottask "$<TARGET_FILE:${arg_ROOTTASK}>")
  elseif(NOT arg_ROOTTASK STREQUAL "NONE")
    list(APPEND command --roottask "${arg_ROOTTASK}")
  endif()
  if(NOVA_SYSTEM_TOOL)
    list(APPEND command --system-tool "${NOVA_SYSTEM_TOOL}")
  endif()
  foreach(option ARGUMENTS CPUS MEMORY MACHINE CPU CMDLINE STATUS EMULATOR BOOT MULTIBOOT)
    if(DEFINED arg_${option})
      string(TOLOWER ${option} flag)
      list(APPEND command "--${flag}=${arg_${option}}")
    endif()
  endforeach()
  set(quote "'")
  if("${CMAKE_BINARY_DIR}${NOVA_SDK}" MATCHES "'")
    set(quote "\"")
  endif()
  foreach(module IN LISTS arg_MODULES)
    string(REGEX MATCH "^[^ ]+" file "${module}")
    if(TARGET "${file}")
      string(REGEX REPLACE "^[^ ]+" "${quote}$<TARGET_FILE:${file}>${quote}" module "${module}")
    endif()
    list(APPEND command "--module=${module}")
  endforeach()
  foreach(pattern IN LISTS arg_EXPECT)
    list(APPEND command "--expect=${pattern}")
  endforeach()
  foreach(pattern IN LISTS arg_REJECT)
    list(APPEND command "--reject=${pattern}")
  endforeach()
  # tests/turns.cmake sets NOVA_TURNS in folders of NOVA's tree whose tests run the CPUs in turns.
  set(turns FALSE)
  if(NOVA_TURNS AND NOT arg_EMULATOR STREQUAL "bochs" AND NOT "${arg_CPUS}" STREQUAL "1"
      AND NOT "${arg_QEMU}" MATCHES "-accel|-icount")
    set(turns TRUE)
    list(APPEND arg_QEMU ${NOVA_TURNS})
  endif()
  foreach(argument IN LISTS arg_QEMU)
    list(APPEND command "--qemu=${argument}")
  endforeach()
  if(arg_DISK)
    get_filename_component(disk "${arg_DISK}" ABSOLUTE)
    string(REPLACE "," ",," disk "${disk}")
    set(device "virtio-blk-pci,drive=nova-disk,disable-legacy=on")
    if("${arg_QEMU}" MATCHES "iommu")
      string(APPEND device ",iommu_platform=on")
    endif()
    list(APPEND command "--qemu=-drive"
      "--qemu=file=${disk},format=raw,if=none,id=nova-disk,snapshot=on"
      "--qemu=-device" "--qemu=${device}")
  endif()
  if(arg_NET)
    list(APPEND command --net)
  endif()
  if(arg_TAP)
    list(APPEND command --tap)
  endif()

  math(EXPR limit "${arg_TIMEOUT} + 15")
  add_test(NAME ${name} COMMAND ${command})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${limit})
  if(arg_CPUS GREATER 4 AND NOT turns)
    set_tests_properties(${name} PROPERTIES PROCESSORS 2)
  endif()
endfunction()
