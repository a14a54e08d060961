# SPDX-License-Identifier: BSD-2-Clause
# VMMs that test the ultravisor, and the guest that they drive.
include("${NOVA_ROOT}/tests/changed.cmake")

nova_add_secure_guest(secure-probe SOURCES guest.c guest_debug.c guest_exits.c guest_flood.c
  guest_harm.c guest_interrupt.c guest_marks.c guest_msr.c guest_user.c guest_vectors.c
  guest_view.c)

# nova_add_secure_test(<name> SOURCES <file>... EXPECT <regex>... [REJECT <regex>...]
#   [DESCRIPTION <file.in>] [ULTRAVISOR <program>] [BESIDE <program>...]
#   [KERNEL_MEMORY <of the ultravisor>] [MEMORY <of the ultravisor>] [ARGUMENTS <of the VMM>]
#   [CPU <model>] [LABEL <label>] [CMDLINE <of the kernel>] [QEMU <argument>...]
#   [SEALED <description of the image>] [TIMEOUT <seconds>] [VMX <CPUs>]): a VMM, and other programs
#   of its description. VMX: a second test, NAME-vmx, boots it under Bochs.
function(nova_add_secure_test name)
  # The last value of an option counts, so the defaults come first.
  cmake_parse_arguments(arg ""
    "ARGUMENTS;CMDLINE;CPU;DESCRIPTION;KERNEL_MEMORY;LABEL;MEMORY;SEALED;TIMEOUT;ULTRAVISOR;VMX"
    "SOURCES;EXPECT;REJECT;BESIDE;QEMU"
    ARGUMENTS none CPU qemu64,+svm,+npt,+rdrand DESCRIPTION probe.nova.in KERNEL_MEMORY 2M
    LABEL secure MEMORY 32M SEALED probe.seal TIMEOUT 60 ULTRAVISOR ultravisor ${ARGN})
  if(arg_CMDLINE)
    list(PREPEND arg_QEMU CMDLINE "${arg_CMDLINE}" QEMU)
  else()
    list(PREPEND arg_QEMU QEMU)
  endif()
  set(vmm secure-vmm-${name})
  nova_add_program(${vmm} SOURCES ${arg_SOURCES} LINK Nova::novavmm)
  configure_file(${arg_DESCRIPTION} ${name}.nova @ONLY)
  nova_add_system(secure-${name} DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/${name}.nova"
    PROGRAMS ${arg_ULTRAVISOR} ${vmm} ${arg_BESIDE} SEALED ${arg_SEALED} GUEST secure-probe)
  nova_add_boot_test(secure.${name} SYSTEM secure-${name} CPU ${arg_CPU}
    LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} EXPECT ${arg_EXPECT}
    ${arg_QEMU} REJECT "not ok [0-9]" ${arg_REJECT})
  if(arg_VMX)
    nova_add_boot_test(secure.${name}-vmx SYSTEM secure-${name} EMULATOR bochs CPUS ${arg_VMX}
      LABELS secure bochs TIMEOUT 300 EXPECT ${arg_EXPECT} REJECT "not ok [0-9]" ${arg_REJECT})
  endif()
endfunction()

nova_add_secure_test(statuses SOURCES statuses.c VMX 1 EXPECT "^vmm: 1[.][.]87$"
  REJECT "cannot continue")
# A VMM that tries to pass a PCI function through.
nova_add_secure_test(passed SOURCES passed.c EXPECT
  "^vmm: The device nic .*: a guest that can become secure has only virtual devices[.]$")
# A guest that needs more than the secure memory.
nova_add_secure_test(pressure SOURCES pressure.c MEMORY 13M VMX 1 EXPECT
  "^ultravisor: 4 MiB of secure memory" "^vmm: 1[.][.]6$")
# A guest that needs more than the secure memory, and whose monitor adds a part of the guest's
# memory later.
nova_add_secure_test(added SOURCES added.c MEMORY 15M TIMEOUT 120
  EXPECT "^ultravisor: 6 MiB of secure memory"
         "^ultravisor: .* its VMM does not provide the page at 0x800000" "^vmm: 1[.][.]8$")
nova_add_secure_test(kept SOURCES kept.c MEMORY 15M TIMEOUT 120
  EXPECT "^ultravisor: 6 MiB of secure memory" "^vmm: 1[.][.]6$" REJECT "moves no page out")
# A guest with 2 GiB, more than the secure memory.
nova_add_secure_test(large SOURCES large.c DESCRIPTION large.nova.in SEALED large.seal MEMORY 1300M
  KERNEL_MEMORY 8M EXPECT "^vmm: 1[.][.]5$")
# With 36 bits of physical addresses.
nova_add_secure_test(narrow SOURCES narrow.c CPU qemu64,+svm,+npt,+rdrand,phys-bits=36
  EXPECT "^vmm: 1[.][.]3$")
# An ultravisor that reports its memory and selectors to a test.
get_target_property(ultravisor_dir ultravisor SOURCE_DIR)
get_target_property(ultravisor_sources ultravisor SOURCES)
list(FILTER ultravisor_sources INCLUDE REGEX "^[a-z_]+[.]c$")
list(TRANSFORM ultravisor_sources PREPEND "${ultravisor_dir}/")
nova_add_program(secure-counted SOURCES counts.c ${ultravisor_sources}
  LINK ultravisor-seal Nova::novavmm)
nova_avoid_fpu(secure-counted)
target_link_options(secure-counted PRIVATE -Wl,--wrap=server_start,--wrap=crypto_gcm_begin)
nova_add_program(ultravisor-dry SOURCES dry.c ${ultravisor_sources}
  LINK ultravisor-seal Nova::novavmm)
nova_avoid_fpu(ultravisor-dry)
target_link_options(ultravisor-dry PRIVATE -Wl,--wrap=crypto_random)
nova_add_secure_test(dry SOURCES refused.c ARGUMENTS dry ULTRAVISOR ultravisor-dry
  EXPECT "A VM cannot become secure: the CPU returns no random number[.]$" "^vmm: 1[.][.]3$")
nova_add_program(ultravisor-numberless SOURCES numberless.c ${ultravisor_sources}
  LINK ultravisor-seal Nova::novavmm)
nova_avoid_fpu(ultravisor-numberless)
target_link_options(ultravisor-numberless PRIVATE -Wl,--wrap=crypto_random)
nova_add_secure_test(numbers SOURCES numbers.c ULTRAVISOR ultravisor-numberless VMX 1
  EXPECT "^ultravisor: A secure guest gets no random number: the CPU returns none[.]$"
         "^vmm: 1[.][.]3$")
# Secure guests that begin and end.
set(rounds SOURCES rounds.c DESCRIPTION counted.nova.in ULTRAVISOR secure-counted
  EXPECT "^vmm: 1[.][.]8$")
nova_add_secure_test(rounds ${rounds} ARGUMENTS 20 TIMEOUT 120)
nova_add_secure_test(rounds-long ${rounds} ARGUMENTS 1000 LABEL endurance TIMEOUT 3600)
# The test has two VMs at once. The account of each VM gets half of the kernel memory that is left,
# so the ultravisor needs 4 MiB.
nova_add_secure_test(hostile SOURCES hostile.c KERNEL_MEMORY 4M VMX 1 EXPECT
  "^ultravisor: A VM cannot become secure: its VMM does not provide the page at 0x[0-9a-f]+[.]$"
  "^ultravisor: .* its memory slots do not have the [0-9]+ KiB of its image"
  "^ultravisor: .* it has [0-9]+ virtual CPUs, and its image allows [0-9]+"
  "^ultravisor: .* a write to the page at 0x500000, which its VMM has protected"
  "^ultravisor: .* a write to the page at 0x500000, which its VMM has protected"
  "^ultravisor: .* a write to the page at 0x500000, which its VMM has protected"
  "^ultravisor: .* its VMM does not provide the page at 0x500000 .status -"
  "^ultravisor: .* its VMM does not provide the page at 0x501000 .status -"
  "^ultravisor: .* its VMM does not provide the page at 0x500000 .status 0"
  "^ultravisor: .* its VMM does not provide the page at 0x501000 .status 0"
  "^ultravisor: .* its VMM does not provide the page at 0x500000 .status -11"
  "^ultravisor: .* its VMM does not provide the page at 0x500000 .status 0"
  "^ultravisor: .* no secure memory is left for it, and its VMM moves no page out"
  "^ultravisor: .* an instruction for devices cannot access the page at 0x801000"
  "^ultravisor: .* a write to the page at 0x500000, which its VMM has protected"
  "^ultravisor: A VM .* the address 0x500000 for its blob, and the sealed one is 0x30000[.]$"
  "^ultravisor: A VM .* it names the address 0x11000 for its boot parameters, .* one is 0x10000[.]$"
  "^ultravisor: A VM .* it names the address 0x[0-9a-f]+ for its blob, and has no pages there[.]$"
  "^ultravisor: A VM .* the address 0x30001 for its boot parameters, and has no pages there[.]$"
  "^ultravisor: A VM cannot become secure: there is no blob"
  "^ultravisor: Further reports of VM 0 are left out for a moment"
  "^ultravisor: VM: guest vmm-3, vCPU 0 .* an access to the page at 0x800000 in the secure view"
  "^vmm: 1[.][.]95$")
# A VMM that sends each vector again and again. In the first test the policy permits vector 128, in
# the second test it does not.
nova_add_secure_test(vectors SOURCES vectors.c ARGUMENTS 1 SEALED vectors.seal VMX 1
  EXPECT "^vmm: 1[.][.]15$" REJECT "sends vector 128")
nova_add_secure_test(vectors-no-128 SOURCES vectors.c ARGUMENTS 0 VMX 1
  EXPECT "^ultravisor: .* sends vector 128, which the sealed image does not permit. if the guest"
         "^vmm: 1[.][.]15$")
nova_add_secure_test(secrets SOURCES secrets.c VMX 1 EXPECT "^vmm: 1[.][.]10$")

# Guests that end at each step of UV_ESM and in each ultracall. The ultravisor has 1,536 frames.
nova_add_secure_test(steps SOURCES steps.c TIMEOUT 120 DESCRIPTION pair.nova.in MEMORY 15M
  EXPECT "^ultravisor: 6 MiB of secure memory"
         "^ultravisor: .* its VMM does not answer" "^vmm: 1[.][.]8$")

# A VMM that names pages, virtual CPUs and VMs that belong to others or do not exist any more.
nova_add_secure_test(dishonest SOURCES dishonest.c DESCRIPTION pair.nova.in VMX 2
  EXPECT "^ultravisor: .* its VMM does not answer" "^vmm: 1[.][.]32$")

# A VMM that changes normal pages in another thread while ultracalls use these pages.
nova_add_secure_test(moving SOURCES moving.c DESCRIPTION pair.nova.in VMX 2
  EXPECT "^ultravisor: .* the page at 0x601000 cannot be mapped: its VMM takes it away[.]"
         "^vmm: 1[.][.]10$")

# A VMM whose portals lead elsewhere.
nova_add_secure_test(portals SOURCES portals.c DESCRIPTION pair.nova.in
  EXPECT "^ultravisor: .* its VMM does not answer .no words"
         "^ultravisor: .* its VMM does not answer .invalid capability" "^vmm: 1[.][.]7$")

# A VMM that ends its VM from inside of a call.
nova_add_secure_test(inside SOURCES inside.c DESCRIPTION pair.nova.in TIMEOUT 120
  EXPECT "^vmm: 1[.][.]8$")

nova_add_secure_test(held SOURCES held.c DESCRIPTION pair.nova.in TIMEOUT 120
  EXPECT "^vmm: 1[.][.]2$")

# A writer to the pages that become secure.
nova_add_secure_test(writer SOURCES writer.c DESCRIPTION pair.nova.in TIMEOUT 120
  EXPECT "^ultravisor: A VM cannot become secure: its part at 0x[0-9a-f]+ is not the sealed one"
         "^vmm: A thread writes to the kernel" "^vmm: A virtual CPU writes to the kernel"
         "^vmm: 1[.][.]21$")

# A VMM whose normal memory has pages of a device: the frame buffer of QEMU's screen.
nova_add_secure_test(device SOURCES device.c DESCRIPTION device.nova.in EXPECT "^vmm: 1[.][.]7$")

# Guests that share or discard what they use.
nova_add_secure_test(selves SOURCES selves.c DESCRIPTION pair.nova.in VMX 2
  EXPECT "^ultravisor: .* code in the page at 0x20[0-9a-f]*, which it shares with its VMM"
         "^ultravisor: .*cannot continue" "^vmm: 1[.][.]17$")

# VMMs that exit, hang or are killed at each call of the ultravisor and in each ultracall. The
# ultravisor has 2,048 frames.
nova_add_program(secure-ender SOURCES ender.c)
target_link_libraries(secure-ender PRIVATE Nova::novavmm)
nova_add_secure_test(ends SOURCES ends.c DESCRIPTION ends.nova.in BESIDE secure-ender MEMORY 18M
  KERNEL_MEMORY 3M TIMEOUT 900 ULTRAVISOR secure-counted
  EXPECT "^ultravisor: 8 MiB of secure memory" "^vmm: 1[.][.]8$")

# A VMM that is killed while it ends its VM. Time is counted in instructions, so that the bound does
# not depend on the host.
nova_add_secure_test(settled SOURCES settled.c DESCRIPTION ends.nova.in BESIDE secure-ender
  TIMEOUT 120 KERNEL_MEMORY 3M ULTRAVISOR secure-counted QEMU -icount "shift=0,sleep=off"
  EXPECT "^vmm: 1[.][.]3$")

# Guests that harm themselves by shared pages.
nova_add_secure_test(harm SOURCES harm.c DESCRIPTION pair.nova.in VMX 2
  EXPECT "^ultravisor: .* code in the page at 0x500000, which it shares with its VMM"
         "^ultravisor: .* code in the page at 0x500000, which it shares" "^vmm: 1[.][.]27$"
  REJECT "cannot be mapped")
nova_add_secure_test(startup SOURCES startup.c DESCRIPTION pair.nova.in EXPECT "^vmm: 1[.][.]27$")
nova_add_secure_test(late SOURCES late.c DESCRIPTION pair.nova.in EXPECT "^vmm: 1[.][.]6$")
# A normal guest with two virtual CPUs that becomes secure.
nova_add_secure_test(left SOURCES left.c DESCRIPTION left.nova.in EXPECT "^vmm: 1[.][.]6$")
nova_add_secure_test(views SOURCES views.c DESCRIPTION pair.nova.in EXPECT "^vmm: 1[.][.]10$")
# An image whose digest takes a while.
string(REPEAT "x" 4194304 large)
file(CONFIGURE OUTPUT pauses.bin CONTENT "${large}")
configure_file(pauses.seal.in pauses.seal @ONLY)
nova_add_secure_test(pauses SOURCES pauses.c DESCRIPTION pair.nova.in
  SEALED "${CMAKE_CURRENT_BINARY_DIR}/pauses.seal" EXPECT "^vmm: 1[.][.]3$")
nova_add_secure_test(leaks SOURCES leaks.c VMX 1 EXPECT "^vmm: 1[.][.]14$")
# Each instruction that the ultravisor answers. Guests with SVM under QEMU have no XSAVE, and Bochs
# resets the machine if a guest with SVM has a triple fault.
nova_add_secure_test(exits SOURCES exits.c CPU qemu64,+svm,+npt,+rdrand,+monitor
  EXPECT "^vmm: The guest has no XSAVE"
    "^ultravisor: .* it halted with interrupts off, and nothing can wake it"
    "^ultravisor: .* a triple fault" "^vmm: 1[.][.]16$")
nova_add_boot_test(secure.exits-vmx SYSTEM secure-exits EMULATOR bochs CPUS 1
  LABELS secure bochs TIMEOUT 300 REJECT "not ok [0-9]"
  EXPECT "^vmm: The guest has XSAVE" "ok 8 - XSETBV with a valid value sets XCR0"
         "^ultravisor: .* it halted with interrupts off, and nothing can wake it"
         "^ultravisor: .* a triple fault" "^vmm: 1[.][.]16$")
# A guest that uses its debug registers. The policy's bit for debugging, which only debug.seal sets,
# makes no difference.
nova_add_secure_test(debug SOURCES debug.c ARGUMENTS 1 SEALED debug.seal VMX 1
  EXPECT "^vmm: 1[.][.]14$")
nova_add_secure_test(debug-off SOURCES debug.c ARGUMENTS 0 VMX 1 EXPECT "^vmm: 1[.][.]14$")
nova_add_secure_test(sharing SOURCES sharing.c VMX 1 EXPECT "^vmm: 1[.][.]11$")
# A VMM with two sessions that share the same memory.
nova_add_secure_test(overlap SOURCES overlap.c EXPECT
  "^ultravisor: .* the page at 0x500000 cannot be mapped: its VMM takes it away[.]"
  "^vmm: 1[.][.]7$")

# A guest that uses up its account of kernel memory.
set(account SOURCES account.c KERNEL_MEMORY 1M MEMORY 48M EXPECT
  "^ultravisor: .* cannot be mapped: too little kernel memory is left. enlarge 'kernel-memory' in"
  "^vmm: 1[.][.]4$")
nova_add_secure_test(account ${account})
nova_add_secure_test(account-secure ${account} ARGUMENTS secure)

# A guest that cannot become secure continues as a normal one.
nova_add_secure_test(refused SOURCES refused.c
  EXPECT "its part at 0x200000 is not the sealed one" "^vmm: 1[.][.]3$")
nova_add_secure_test(uncalled SOURCES refused.c ARGUMENTS portal
  EXPECT "^ultravisor: .* its VMM does not answer .invalid capability" "^vmm: 1[.][.]3$")
nova_add_secure_test(short SOURCES refused.c ARGUMENTS short MEMORY 11M
  EXPECT "^ultravisor: 2 MiB of secure memory"
         "its 8192 KiB of memory are too much for the 2048 KiB of secure memory that its VMM can \
have .a VMM's guests have at most twice as much.. enlarge 'memory' of the ultravisor[.]$"
         "^vmm: 1[.][.]3$")
# There are records for the guest's pages, but too few frames for its image.
string(REPEAT "nova" 1310720 tight) # 5 MiB
file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/tight.img" CONTENT "${tight}" @ONLY)
file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/tight.seal" CONTENT
  "# An image with more parts than there is secure memory.\nmemory 8\ninitrd tight.img\n" @ONLY)
nova_add_secure_test(tight SOURCES refused.c ARGUMENTS short MEMORY 13M
  SEALED "${CMAKE_CURRENT_BINARY_DIR}/tight.seal"
  EXPECT "it needs [0-9]+ KiB of secure memory at once, and 4[0-9]+ are free" "^vmm: 1[.][.]3$")

# An ultravisor in which other threads act at the worst moment.
nova_add_program(secure-racing SOURCES race.c counts.c ${ultravisor_sources}
  LINK ultravisor-seal Nova::novavmm)
nova_avoid_fpu(secure-racing)
target_link_options(secure-racing PRIVATE -Wl,--wrap=server_start,--wrap=crypto_gcm_begin
  -Wl,--wrap=convert,--wrap=frame_take,--wrap=frame_take_block
  -Wl,--wrap=memory_unmap_ahead,--wrap=memory_exit,--wrap=memory_get,--wrap=reflect
  -Wl,--wrap=nova_mutex_lock_until)
set(busy "^ultravisor: A VM cannot become secure: the machine of another VM is being created. try")
nova_add_secure_test(raced SOURCES raced.c DESCRIPTION counted.nova.in ULTRAVISOR secure-racing
  EXPECT "${busy}" "^ultravisor: .* its VMM takes the page at 0x75000 away each time"
         "^vmm: 1[.][.]13$")
nova_add_secure_test(busy SOURCES refused.c ARGUMENTS busy DESCRIPTION counted.nova.in
  ULTRAVISOR secure-racing EXPECT "${busy}" "^vmm: 1[.][.]3$")

# One changed bit in each part of an image and in its blob.
nova_add_secure_test(bits SOURCES bits.c SEALED bits.seal EXPECT "^vmm: 1[.][.]13$")

# Damaged blobs, and the tool's sentence for each. Their image has a key of its own.
set(damaged "${CMAKE_CURRENT_BINARY_DIR}/damaged")
set(library "${NOVA_SDK}/lib/nova")
add_custom_command(OUTPUT "${damaged}/blobs" "${damaged}/sealed.img" "${damaged}/machine.key"
  COMMAND "${NOVA_PYTHON}" -B "${CMAKE_CURRENT_SOURCE_DIR}/damaged.py" "${damaged}"
          "${NOVA_ACPI_TOOL}"
  DEPENDS damaged.py "${NOVA_ROOT}/tests/sdk/sealing.py" "${NOVA_ACPI_TOOL}"
          "${library}/machine_key.py" "${library}/seal_blob.py" "${library}/seal_guest.py"
          "${library}/seal_image.py"
  VERBATIM)
add_custom_target(secure-damaged-blobs ALL DEPENDS "${damaged}/blobs")
add_dependencies(secure-damaged-blobs nova-acpi)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS damaged.py "${library}/seal_blob.py")
execute_process(COMMAND "${NOVA_PYTHON}" -B "${CMAKE_CURRENT_SOURCE_DIR}/damaged.py" --sentences
  OUTPUT_VARIABLE sentences OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" sentences "${sentences}")
list(LENGTH sentences blobs)
math(EXPR cases "${blobs} + 3")
set(vmm secure-vmm-damaged)
set(arg_MEMORY 32M)
set(arg_KERNEL_MEMORY 2M)
set(arg_ARGUMENTS none)
nova_add_program(${vmm} SOURCES damaged.c LINK Nova::novavmm)
configure_file(damaged.nova.in damaged.nova @ONLY)
nova_add_system(secure-damaged DESCRIPTION "${CMAKE_CURRENT_BINARY_DIR}/damaged.nova"
  PROGRAMS ultravisor ${vmm} MODULES "${damaged}/blobs" "${damaged}/sealed.img"
  "${damaged}/machine.key")
nova_add_boot_test(secure.damaged SYSTEM secure-damaged CPU qemu64,+svm,+npt,+rdrand
  LABELS secure TIMEOUT 120 EXPECT ${sentences} "^vmm: 1[.][.]${cases}$"
  REJECT "not ok [0-9]" "are left out")

# Two boots of one guest: with a disabled ultravisor, and without an ultravisor.
set(uses "uses          ultravisor")
set(files)
set(ultravisor "program ultravisor\n        provides      ultravisor\n\
        arguments     disabled\n        modules       machine.key\n\
        memory        1M\n        kernel-memory 1M\n\n")
nova_add_secure_test(disabled SOURCES disabled.c DESCRIPTION disabled.nova.in
  EXPECT "^ultravisor: It is disabled: all guests stay normal\\.$" "^vmm: 1[.][.]6$")
set(uses)
set(files "machine.key ultravisor") # files of the system; no ultravisor runs
set(ultravisor)
nova_add_secure_test(absent SOURCES disabled.c DESCRIPTION disabled.nova.in ARGUMENTS absent
  EXPECT "asks for the service 'ultravisor', which no program provides. write 'provides ultravisor'"
         "^vmm: 1[.][.]5$")

# A program that never waits, with the priority of the VMM, on the CPU of the guest.
nova_add_program(secure-spinner SOURCES spinner.c)
nova_add_secure_test(beside SOURCES beside.c DESCRIPTION spinner.nova.in BESIDE secure-spinner
  EXPECT "^vmm: 1[.][.]3$")
# A VMM that takes all secure memory that it can, beside another VMM.
nova_add_program(secure-greedy SOURCES greedy.c)
target_link_libraries(secure-greedy PRIVATE Nova::novavmm)
nova_add_program(ultravisor-divided SOURCES divided.c ${ultravisor_sources}
  LINK ultravisor-seal Nova::novavmm)
nova_avoid_fpu(ultravisor-divided)
target_link_options(ultravisor-divided PRIVATE -Wl,--wrap=server_start)
nova_add_secure_test(share SOURCES share.c DESCRIPTION share.nova.in BESIDE secure-greedy
  ULTRAVISOR ultravisor-divided
  EXPECT "^ultravisor: A VM cannot become secure: it needs 68 KiB of secure memory at once, and 0 \
are free for its VMM; enlarge 'memory' of the ultravisor[.]$"
         "^greedy: ok 4 .* UV_ESM is U_RETRY if secure memory is missing$"
         "^ultravisor: A VM cannot become secure: the VMM.s share of kernel memory is used up"
         "^greedy: [34] of 4 VMs hold kernel memory" "^greedy: 1[.][.]4$" "^vmm: 1[.][.]6$"
         "^third: 1[.][.]2$"
  REJECT "^greedy: not ok" "^third: not ok")
# Each share has a part of the ultravisor's records and sessions.
foreach(vmms 3 5)
  set(arg_VMMS ${vmms})
  nova_add_secure_test(parts-${vmms} SOURCES parts.c DESCRIPTION parts.nova.in ARGUMENTS ${vmms}
    KERNEL_MEMORY 16M MEMORY 64M EXPECT "^vmm: 1[.][.]4$")
endforeach()
# A VMM that starts when all sessions, VMs or virtual CPUs are taken.
nova_add_program(secure-crowd SOURCES crowd.c)
target_link_libraries(secure-crowd PRIVATE Nova::novavmm)
nova_add_secure_test(limits SOURCES limits.c DESCRIPTION limits.nova.in BESIDE secure-crowd
  KERNEL_MEMORY 4M EXPECT
  "^vmm: The ninth machine cannot be created: the ultravisor's table has no room for it: all \
programs together can have 8 machines, .*. destroy one of them first[.]$"
  "^ultravisor: A VM cannot become secure: it has [0-9]+ virtual CPUs, and its image allows [0-9]+"
  "^vmm: 1[.][.]14$" REJECT "^[a-z]+: not ok")
# A guest that makes ultracalls without a pause, beside two VMs that boot.
nova_add_program(secure-flooder SOURCES flooder.c)
target_link_libraries(secure-flooder PRIVATE Nova::novavmm)
nova_add_program(secure-ordinary SOURCES ordinary.c)
target_link_libraries(secure-ordinary PRIVATE Nova::novavmm)
set(flood SOURCES flood.c DESCRIPTION flood.nova.in BESIDE secure-flooder secure-ordinary
  QEMU -icount "shift=0,sleep=off" EXPECT "^vmm: 1[.][.]5$")
nova_add_secure_test(flood ${flood} ARGUMENTS 20000 TIMEOUT 300)
nova_add_secure_test(flood-long ${flood} ARGUMENTS 10000000 LABEL endurance TIMEOUT 14400)
# A device that is told the addresses of secure frames, with each I/O MMU and with none.
nova_add_program(secure-edu SOURCES edu.c)
set(dma DESCRIPTION dma.nova.in BESIDE pci secure-edu TIMEOUT 120)
set(dma_qemu -device "edu,addr=03.0,dma_mask=0xffffffff" -icount "shift=0,sleep=off")
set(dma_machine iommu)
set(dma_device)
nova_add_secure_test(dma-intel SOURCES dma.c ${dma} ARGUMENTS protected CMDLINE serial
  QEMU -device "intel-iommu,intremap=on" ${dma_qemu}
  EXPECT "the I/O MMU stopped device 00:03.0 at address 0x[0-9a-f]+, read" "^vmm: 1[.][.]4$")
# QEMU's AMD-Vi writes no usable log of the accesses that it blocks.
nova_add_secure_test(dma-amd SOURCES dma.c ${dma} ARGUMENTS protected
  QEMU -device "amd-iommu,intremap=on" ${dma_qemu} EXPECT "^vmm: 1[.][.]4$")
set(dma_machine)
set(dma_device dma-unprotected)
nova_add_secure_test(dma-open SOURCES dma.c ${dma} ARGUMENTS open QEMU ${dma_qemu}
  EXPECT "^vmm: 1[.][.]4$")
# Random ultracalls on four CPUs, beside the guests of another VMM.
nova_add_program(secure-bystander SOURCES bystander.c)
target_link_libraries(secure-bystander PRIVATE Nova::novavmm)
set(storm SOURCES storm.c DESCRIPTION storm.nova.in BESIDE secure-bystander KERNEL_MEMORY 4M
  EXPECT "^vmm: 1[.][.]6$" REJECT "^bystander: not ok")
nova_add_secure_test(storm ${storm} ARGUMENTS 40000 TIMEOUT 120)
nova_add_secure_test(storm-long ${storm} ARGUMENTS 1000000 LABEL endurance TIMEOUT 14400)

# Checks which files of novavmm the ultravisor contains.
add_test(NAME secure.linked COMMAND "${NOVA_PYTHON}" -B "${CMAKE_CURRENT_SOURCE_DIR}/linked.py"
  $<TARGET_FILE:ultravisor> $<TARGET_FILE:novavmm> "${NOVA_ROOT}/roottask/vmm/src")
set_tests_properties(secure.linked PROPERTIES LABELS secure TIMEOUT 30)

include(mappings.cmake)

# The monitor of secure-linux looks for the phrase and for the content of the disk, which the guest
# reads and writes: in the virtio devices' requests as they pass, and in its memory and on the disk
# at the end. It must find the disk's header. It also looks for a marker (search.c).
set(example "${NOVA_ROOT}/examples/secure-linux")
nova_add_program(secure-search SOURCES "${example}/main.c" "${NOVA_ROOT}/examples/linux/terminal.c"
  attack.c search.c scan.c LINK Nova::novavmm)
target_include_directories(secure-search PRIVATE "${NOVA_ROOT}/examples/linux")
target_link_options(secure-search PRIVATE -Wl,--wrap=nova_virtio_serve -Wl,--wrap=nova_virtio_give)
set_source_files_properties("${example}/main.c" PROPERTIES COMPILE_DEFINITIONS
  "nova_vm_wait=search_wait;nova_virtio_block_init=search_block_init;\
nova_pc_add_console=search_add_console")

# The example linux, a monitor of normal guests, runs secure ones after a change of a few lines.
set(patched "${CMAKE_CURRENT_BINARY_DIR}/linux.c")
add_custom_command(OUTPUT "${patched}" COMMAND "${NOVA_PYTHON}" -B
    "${CMAKE_CURRENT_SOURCE_DIR}/patched.py" "${NOVA_ROOT}" "${patched}"
  DEPENDS patched.py linux.patch "${NOVA_ROOT}/examples/linux/main.c" VERBATIM)
nova_add_program(secure-patched SOURCES "${patched}" "${NOVA_ROOT}/examples/linux/terminal.c"
  LINK Nova::novavmm)
target_include_directories(secure-patched PRIVATE "${NOVA_ROOT}/examples/linux")
target_compile_definitions(secure-patched PRIVATE VCPUS=1)
nova_change_description(description debian-linux "${example}/secure-linux.nova"
  "secure-monitor" "secure-patched" " secret.img" "")
nova_add_system(secure-debian-linux DESCRIPTION "${description}"
  PROGRAMS ultravisor secure-patched SEALED linux.seal)
nova_add_boot_test(secure.debian-linux SYSTEM secure-debian-linux CPU qemu64,+svm,+npt,+rdrand
  LABELS secure TIMEOUT 300
  ARGUMENTS "run=dmesg|grep,-o,Memory.Encryption.Features.active:.AMD.SEV+poweroff,-f"
  EXPECT "^Memory Encryption Features active: AMD SEV$" "^The guest ended after .* switched itself")

# With the key of another machine, the guests of the examples and of the template stay normal, and
# their monitors end with status 1.
set(other "${CMAKE_CURRENT_BINARY_DIR}/other/machine.key")
file(WRITE "${other}" "NOVA-MACHINE-KEY0123456789abcdef0123456789abcdef")
set(refused "^ultravisor: A VM cannot become secure: the image is not sealed for this machine[.]")
set(see "The guest has not become secure. see the reason above[.]$")
foreach(system secure-hello secure-two secure-vmm)
  set(said "^monitor: ${see}")
  if(system STREQUAL "secure-two")
    set(said "It makes its guest secure: U_NO_KEY .-76. instead of U_SUCCESS[.]" "^hostile: ${see}"
      "^first: The first guest has not become secure. see the reason above[.]$")
  endif()
  nova_add_boot_test(secure.other-key.${system} SYSTEM ${system} MODULES "'${other}'"
    CPU qemu64,+svm,+npt,+rdrand LABELS secure STATUS 1 EXPECT ${refused} ${said})
endforeach()
# When a guest halts, the monitor of Debian prints its registers, unless the guest has said why it
# halts.
nova_add_boot_test(secure.other-key.secure-linux SYSTEM secure-linux MODULES "'${other}'"
  CPU qemu64,+svm,+npt,+rdrand LABELS secure STATUS 1 TIMEOUT 120 EXPECT ${refused}
  "^The VM cannot become secure: the image is not sealed for this machine .UV_ESM returned \
U_NO_KEY.[.]$" "^The normal guest halted[.]$" REJECT "code at ip")
# In the attack `measure`, where UV_ESM must fail, the monitor gives a normal guest no task, either.
nova_add_boot_test(secure.other-key.measure SYSTEM secure-two MODULES "'${other}'"
  ARGUMENTS attack=measure CPU qemu64,+svm,+npt,+rdrand LABELS secure STATUS 1
  EXPECT "instead of U_PERMISSION" "^hostile: ${see}")

# A monitor with too little kernel memory for the image, wherever the image begins (at a boundary of
# 2 MiB, it needs fewer page tables); and a monitor with room in `memory` for the guest, but not for
# the disk.
set(scarce "300M\n        kernel-memory 8M" "300M\n        kernel-memory 192K"
  "^The boot module sealed.img cannot be read: .*. enlarge 'kernel-memory'")
set(scarce-memory "memory        300M" "memory        260M" "^The machine cannot be created: \
[0-9]+ MiB of memory are needed, but [0-9]+ MiB are free. enlarge 'memory'")
foreach(name scarce scarce-memory)
  list(POP_BACK ${name} sentence)
  nova_change_description(description ${name} "${example}/secure-linux.nova" ${${name}})
  nova_add_system(secure-${name} DESCRIPTION "${description}" PROGRAMS ultravisor secure-monitor
    MODULES guest:secret.img SEALED "${example}/secure-linux.seal")
  nova_add_boot_test(secure.${name} SYSTEM secure-${name} CPU qemu64,+svm,+npt,+rdrand LABELS secure
    TIMEOUT 120 STATUS 1 EXPECT "${sentence} in the description of program monitor[.]$")
endforeach()
# An ultravisor that may not use the CPU of a virtual CPU.
nova_change_description(description fewer-cpus "${NOVA_ROOT}/examples/secure-two/secure-two.nova"
  "20000\n        cpus          all" "20000\n        cpus          0")
nova_add_system(secure-fewer-cpus DESCRIPTION "${description}" PROGRAMS ultravisor two-first
  two-hostile SEALED "${NOVA_ROOT}/examples/secure-two/secure-two.seal" GUEST two-guest)
nova_add_boot_test(secure.fewer-cpus SYSTEM secure-fewer-cpus CPU qemu64,+svm,+npt,+rdrand
  LABELS secure CPUS 2 STATUS 1
  EXPECT "hostile: The ultravisor refuses the virtual CPU: it may not use CPU 1. write 'cpus all' \
in its description[.]$")

# nova_add_debian_test(<name> ARGUMENTS <words> EXPECT <regex>... [LABEL <label>]
#   [CHANGES <word> <other>...] [SEALED <description>] [TIMEOUT <seconds>] [ULTRAVISOR <program>]):
# Debian as a secure guest of the monitor secure-search, from the image of the example's
# <description>.seal.
function(nova_add_debian_test name)
  cmake_parse_arguments(arg "" "ARGUMENTS;LABEL;SEALED;TIMEOUT;ULTRAVISOR" "EXPECT;CHANGES"
    LABEL secure SEALED secure-linux TIMEOUT 300 ULTRAVISOR ultravisor ${ARGN})
  nova_change_description(description ${name} "${example}/secure-linux.nova"
    "secure-monitor" "secure-search" ${arg_CHANGES})
  nova_add_system(secure-${name}-system DESCRIPTION "${description}"
    PROGRAMS ${arg_ULTRAVISOR} secure-search MODULES guest:secret.img
    SEALED "${example}/${arg_SEALED}.seal")
  nova_add_boot_test(secure.${name} SYSTEM secure-${name}-system CPU qemu64,+svm,+npt,+rdrand
    LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} ARGUMENTS "${arg_ARGUMENTS}"
    EXPECT ${arg_EXPECT} "^The secure guest switched itself off" REJECT "cannot be used")
endfunction()

set(nowhere "0 times in the memory, 0 times in the monitor's other pages, 0 times on the disk, \
0 times in the disk's requests, 0 in the")
nova_add_debian_test(search ARGUMENTS "run=sha256sum,/secret/motd+cp,/secret/motd,/secret/copy\
+sync+grep,-l,0x0004,/sys/bus/virtio/devices/*/device\
+echo,Source:,$(cat,/sys/class/misc/hw_random/rng_current)+poweroff,-f"
  EXPECT "18aee85171716d99dd37408899d6959d307c5eacf599ad29d55c35fd5bf0511d  /secret/motd"
         "/sys/bus/virtio/devices/virtio[0-9]/device$" "Source: none$"
         "^header: [1-9][0-9]* times in the memory, \
[1-9][0-9]* times in the monitor's other pages, \
[1-9][0-9]* times on the disk, \
[1-9][0-9]* times in the disk's requests, 0 in the console's[.]$"
         "^phrase: ${nowhere} console's[.]$" "^text: ${nowhere} console's[.]$"
         "^requests of the disk: [1-9][0-9]* bytes from the guest, [1-9][0-9]* bytes to it[.]$"
         "^requests of the console: [1-9][0-9]* bytes from the guest")
# The monitor controls the console, so a guest with secrets starts no shell on the console unless
# its sealed command line permits it.
file(READ "${example}/secure-linux.seal" no_shell)
string(REPLACE "timer_check shell" "timer_check" no_shell "${no_shell}")
file(CONFIGURE OUTPUT no-shell.seal CONTENT "${no_shell}" @ONLY)
nova_add_system(secure-no-shell DESCRIPTION "${example}/secure-linux.nova"
  PROGRAMS ultravisor secure-monitor MODULES guest:secret.img
  SEALED "${CMAKE_CURRENT_BINARY_DIR}/no-shell.seal")
nova_add_boot_test(secure.no-shell SYSTEM secure-no-shell CPU qemu64,+svm,+npt,+rdrand
  LABELS secure TIMEOUT 300 REJECT "built-in shell"
  EXPECT "^The guest starts no shell: its command line has neither run= nor shell[.]$"
         "^The secure guest switched itself off")
# The search of requests finds the text if the guest writes it to its console. Then the devices
# answer wrongly: Debian ignores wrong lengths of the disk, and gives up the disk after a wrong
# number, and the console after an index that jumps. Its files stay right.
set(read "dd,if=/dev/vda,bs=65536,count=8,2>/dev/null|sha256sum")
nova_add_debian_test(search-shown ARGUMENTS "run=cat,/secret/motd\
+busybox,dd,if=/dev/urandom,of=/m,bs=1048576,count=4,2>/dev/null+busybox,cp,/m,/n\
+${read},>/a+echo,3,>/proc/sys/vm/drop_caches+echo,Attack,1+${read},>/b\
+busybox,cmp,/a,/b&&echo,The,disk,is,right.\
+echo,3,>/proc/sys/vm/drop_caches+echo,Attack,2+${read},>/c&+busybox,sleep,1\
+dmesg|grep,-o,id.4660.out.of.range+busybox,cmp,/m,/n&&echo,The,files,are,right.\
+echo,Attack,3+echo,This,line,is,lost.+busybox,cmp,/m,/n&&busybox,poweroff,-f,-n"
  EXPECT "The disk is right[.]$" "^id 4660 out of range$" "The files are right[.]$"
         "^phrase: ${nowhere} console's[.]$"
         "^text: [0-9]+ times in the memory, [1-9][0-9]* times in the monitor's other pages, \
0 times on the disk, 0 times in the disk's requests, \
1 in the console's[.]$"
         "^Wrong answers: [1-9][0-9]* lengths, [1-9][0-9]* numbers, [1-9][0-9]* indexes[.]$")
# The disk's index wraps: the guest makes more than 65,536 requests, and each answer has a wrong
# length. The index has 16 bits, and driver and device have no other number for their place in a
# queue. So after 65,536 requests they are where they began, and the rest repeats the first ones.
nova_add_debian_test(wraps LABEL endurance TIMEOUT 1800 ARGUMENTS "run=${read},>/a\
+echo,0,>/sys/block/vda/queue/read_ahead_kb+echo,Attack,1\
+for,i,in,$(busybox,seq,60)+do,echo,3,>/proc/sys/vm/drop_caches\
+dd,if=/dev/vda,of=/dev/null,bs=4096,2>/dev/null+done+echo,3,>/proc/sys/vm/drop_caches+${read},>/b\
+busybox,cmp,/a,/b&&echo,The,disk,is,right.+poweroff,-f"
  EXPECT "The disk is right[.]$"
         "^Wrong answers: (6[6-9][0-9][0-9][0-9]|7[0-9][0-9][0-9][0-9]) lengths, 0 numbers, 0 ind")
# The guest fills its memory with a marker. Then it writes the marker to its console, by a shared
# page. The monitor must find it there, and in its own copy of what the guest wrote.
nova_add_debian_test(scan ULTRAVISOR secure-counted
  CHANGES "provides      ultravisor" "file secure-counted\n        provides ultravisor counts"
          "uses          ultravisor" "uses ultravisor counts"
  ARGUMENTS "run=sha256sum,/secret/motd,>/m\
+for,i,in,1,2,3,4,5,6,7,8,9,10,11,12,13,14+do,cat,/m,/m,>/n+cat,/n,>/m+done\
+free=$(($(grep,MemFree,/proc/meminfo|tr,-dc,0-9)-8000))k+mount,-t,tmpfs,-o,size=$free,t,/tmp\
+while,cat,/m,>>/tmp/f,2>/dev/null+do,:+done\
+echo,Marked:,$(wc,-c,</tmp/f),bytes.+sha256sum,/secret/motd\
+poweroff,-f"
  EXPECT "Scan of a full guest: marker not found in the 65536 pages of normal memory, not found in \
[1-9][0-9]+ other pages[.]"
         "Scan of all secure pages: marker not found in the 65536 pages of normal memory, not found"
         "^All 6[345][0-9][0-9][0-9] secure pages had the marker. 0 pages have only a shared place"
         "Marked: 1[01][0-9][0-9][0-9][0-9][0-9][0-9][0-9] bytes[.]"
         "Scan of a shared page: marker found in the 65536 pages of normal memory, found in")
# The secure memory has about half of what the guest needs: pages of a file tree move out and back.
set(pressure LABEL endurance TIMEOUT 1800
  CHANGES "memory        340M" "memory        150M" "kernel-memory 8M" "kernel-memory 24M"
  ARGUMENTS "run=mount,-t,tmpfs,-o,size=110M,t,/tmp\
+for,i,in,1,2,3,4+do,busybox,mkdir,/tmp/$i+for,j,in,1,2,3,4,5,6\
+do,dd,if=/dev/urandom,of=/tmp/$i/$j,bs=1048576,count=4,2>/dev/null+done+done\
+busybox,md5sum,/tmp/*/*,>/sums+echo,$(wc,-l,</sums),files.\
+busybox,md5sum,-c,-s,/sums&&echo,The,tree,is,right.+poweroff,-f"
  EXPECT "^ultravisor: 132 MiB of secure memory" "24 files[.]" "The tree is right[.]"
         "^pages: [1-9][0-9][0-9][0-9]+ moved out, [1-9][0-9][0-9][0-9]+ came back[.]$")
nova_add_debian_test(debian-pressure ${pressure})
# One of two CPUs computes without a pause, in pages that cannot move out meanwhile.
list(TRANSFORM pressure REPLACE "^run=" "run=busybox,md5sum,/dev/zero&+")
nova_add_debian_test(debian-pressure-smp SEALED secure-linux-smp ${pressure})

include(no_start.cmake)
