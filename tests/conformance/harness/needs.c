/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions for features of the machine or the kernel that a case may need. Each returns NULL if
 * its feature is present, else a text that names the feature. */
#include "harness.h"

static const char *unless(bool there, const char *what)
{
        return there ? NULL : what;
}

static uint32_t features(uint32_t leaf, unsigned which)
{
        uint32_t r[4];
        cpuid(leaf, 0, r);
        return r[which];
}

const char *needs_2_cpus(void)
{
        return unless(cpu_count >= 2, "needs 2 CPUs");
}

const char *needs_x86_64(void)
{
        return unless(NOVA_WORD_BITS == 64, "needs x86-64");
}

const char *needs_x86_32(void)
{
        return unless(NOVA_WORD_BITS == 32, "needs x86-32");
}

const char *needs_virtualization(void)
{
        return unless(hip->features & (NOVA_HIP_VMX | NOVA_HIP_SVM), "needs SVM or VMX");
}

const char *needs_no_virtualization(void)
{
        return unless(needs_virtualization() != NULL, "needs a CPU without virtualization");
}

/* Requires more than QEMU's own emulation (TCG), which does not raise all exceptions. CPUID shows
 * the name of TCG. */
const char *needs_hardware(void)
{
        const bool guest = features(1, 2) >> 31;
        return unless(!guest || features(0x40000000, 1) != 0x54474354,
                      "needs more than QEMU's TCG");
}

const char *needs_sse(void)
{
        return unless(features(1, 3) & 1u << 25, "needs SSE");
}

/* Requires AVX, which the kernel must have enabled, too. */
const char *needs_avx(void)
{
        const uint32_t osxsave_and_avx = 3u << 27;

        return unless((features(1, 2) & osxsave_and_avx) == osxsave_and_avx, "needs AVX");
}

const char *needs_nx(void)
{
        return unless(features(0x80000001, 3) & 1u << 20, "needs NX");
}

const char *needs_pd_destroy(void)
{
        return unless(hip->features & NOVA_HIP_DESTROY, "needs the extension pd_destroy");
}

const char *needs_pd_destroy_and_2_cpus(void)
{
        const char *missing = needs_2_cpus();

        return missing ? missing : needs_pd_destroy();
}

const char *needs_deadlock_flag(void)
{
        return unless(hip->features & NOVA_HIP_DL, "needs the extension of call flag DL");
}

static const char *unless_announced(uint32_t feature, const char *what)
{
        return unless(hip->features & feature, what);
}

const char *needs_r8_r15(void)
{
        return unless_announced(NOVA_HIP_R8_R15, "needs the extension of MTD bit R8_R15");
}

const char *needs_boot_info(void)
{
        return unless_announced(NOVA_HIP_BOOT, "needs the extension of boot information");
}

const char *needs_timeout(void)
{
        return unless_announced(NOVA_HIP_TIMEOUT, "needs the extension of down with a deadline");
}

const char *needs_quota(void)
{
        return unless_announced(NOVA_HIP_QUOTA, "needs the extension of accounts");
}

const char *needs_exit(void)
{
        return unless_announced(NOVA_HIP_EXIT,
                                "needs the extension of threads that end themselves");
}

const char *needs_names(void)
{
        return unless_announced(NOVA_HIP_NAME, "needs the extension of names");
}

const char *needs_tls(void)
{
        return unless_announced(NOVA_HIP_TLS, "needs the extension of storage bases");
}

const char *needs_machine(void)
{
        return unless_announced(NOVA_HIP_MACHINE, "needs the extension of reset and power-off");
}

const char *needs_limit(void)
{
        return unless_announced(NOVA_HIP_LIMIT, "needs the extension of limits");
}

const char *needs_log(void)
{
        return unless_announced(NOVA_HIP_LOG, "needs the extension of the kernel's log");
}

/* Returns the size of kernel memory: the pool, the image and copies of the roottask. */
static uint64_t kernel_memory(void)
{
        uint64_t size = 0;
        for (unsigned at = hip->mem_offset; at < hip->length; at += hip->mem_size) {
                const struct nova_hip_mem *m = (const void *)((const char *)hip + at);
                if (m->type == NOVA_MEM_KERNEL)
                        size += m->size;
        }
        return size;
}

/* Requires a pool so small that a case can use it up. */
const char *needs_small_pool(void)
{
        return unless(kernel_memory() <= 6u << 20, "needs a kernel pool of 4 MiB");
}

const char *needs_large_pool(void)
{
        return unless(kernel_memory() >= 64u << 20, "needs a kernel pool of 64 MiB");
}
