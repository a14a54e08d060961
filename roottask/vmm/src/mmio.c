/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulates instructions of a guest: those that access devices in memory, and string accesses to
 * ports. */
#include <string.h>

#include "novavmm/access.h"
#include "novavmm/registers.h"
#include "vm.h"

#define VECTOR_DB 1
#define DR6_STEP  0x4000
#define VECTOR_UD 6
#define VECTOR_PF 14

/* Bit of the first qualification: the access is a write. The bit is common to SVM and VMX; APM 2,
 * 15.25.6; SDM 3C, table 28-7. */
#define QUAL_WRITE 0x2

#define AR_DPL_SHIFT 5 /* of a segment's rights */

/* Number of rounds of a string instruction after which the guest can take interrupts. */
#define ROUNDS 512

struct nova_access novavmm_vcpu_access(const struct nova_vcpu *vcpu)
{
        const struct nova_vm *const vm = vcpu->vm;
        const struct nova_access access = {&vm->memory, &vm->mmio, &vm->ports, vcpu->state,
                                           vcpu->more->efer};

        return access;
}

/* Ends the machine because an unknown instruction has accessed a port (@p port) or memory. The
 * length of the instruction is unknown, so the report shows all bytes at its address. */
static void fail_unknown(struct nova_vcpu *vcpu, bool port, uint64_t where)
{
        const char *const kind = vcpu->state->qual[0] & QUAL_WRITE ? "write to" : "read of";

        if (port)
                nova_vcpu_fail(vcpu,
                               "a string access to port 0x%llx by an instruction that the library "
                               "does not know",
                               (unsigned long long)where);
        else
                nova_vcpu_fail(vcpu,
                               "a %s 0x%llx, beyond the end of its memory at 0x%llx, by an "
                               "instruction that the library does not know",
                               kind, novavmm_report_address(vcpu->vm, where),
                               (unsigned long long)vcpu->vm->memory.bytes);
}

/* Fetches the guest's instruction, once for each exit. */
static void fetch(const struct nova_access *access, struct nova_code *code)
{
        memset(code, 0, sizeof(*code));
        code->count = (uint8_t)nova_access_fetch(access, code->byte);
        code->bits = nova_access_bits(access);
}

/* Ends the machine because an instruction of the guest cannot be decoded. @p where: an address that
 * the instruction accesses */
static void fail_decode(struct nova_vcpu *vcpu, const struct nova_code *code, bool port,
                        uint64_t where)
{
        if (code->count)
                fail_unknown(vcpu, port, where);
        else
                nova_vcpu_fail(vcpu, "a jump to 0x%llx, where there is no memory",
                               novavmm_report_address(vcpu->vm, where));
}

static void raise(struct nova_vcpu *vcpu, const struct nova_fault *fault)
{
        if (fault->vector == VECTOR_PF) {
                vcpu->state->cr2 = (nova_word_t)fault->address;
                vcpu->changed |= NOVA_MTD_CR;
        }
        nova_vcpu_raise_error(vcpu, fault->vector, fault->error);
}

/* An injected exception does not write DR6. */
void novavmm_vcpu_raise_step(struct nova_vcpu *vcpu)
{
        vcpu->more->dr6 |= DR6_STEP;
        vcpu->changed |= NOVA_MTD_DEBUG;
        nova_vcpu_raise(vcpu, VECTOR_DB);
}

/* Skips an instruction. Uses the decoder's length, because not every CPU reports it. */
static void skip(struct nova_vcpu *vcpu, const struct nova_instruction *in)
{
        vcpu->state->inst_len = in->length;
        nova_vcpu_skip(vcpu, in->length);
}

/* Executes some rounds of a string instruction. If more remain, the guest executes the instruction
 * again. A single-stepping guest gets its #DB after each round. */
static void run_string(struct nova_vcpu *vcpu, const struct nova_access *access,
                       const struct nova_instruction *in)
{
        const bool steps = vcpu->state->flags & NOVA_FLAG_TF;
        struct nova_fault fault;

        switch (nova_string_run(access, in, steps ? 1 : ROUNDS, &vcpu->changed, &fault)) {
        case NOVA_STRING_DONE:
                skip(vcpu, in);
                break;
        case NOVA_STRING_GOES_ON:
                if (steps)
                        novavmm_vcpu_raise_step(vcpu);
                break;
        case NOVA_STRING_FAULT:
                raise(vcpu, &fault);
        }
}

static const char *what_is_at(const struct nova_vm *vm, uint64_t address)
{
        for (unsigned i = 0; i < vm->mmio.count; i++)
                if (address >= vm->mmio.range[i].first && address <= vm->mmio.range[i].last)
                        return "a device is";
        return "there is none";
}

/* Returns true for INT3, INT n, INTO and INT1, whose delivery SVM does not report. */
static bool is_software_interrupt(const struct nova_code *code)
{
        const size_t at = nova_decode_prefixes(code->byte, code->count, code->bits);

        return at < code->count &&
               ((code->byte[at] >= 0xcc && code->byte[at] <= 0xce) || code->byte[at] == 0xf1);
}

/* Ends the machine because the CPU needs memory to deliver an event. */
static void fail_delivery(struct nova_vcpu *vcpu, uint64_t address)
{
        nova_vcpu_fail(vcpu,
                       "an interrupt or exception whose delivery needs memory at 0x%llx, where %s",
                       novavmm_report_address(vcpu->vm, address), what_is_at(vcpu->vm, address));
}

static bool is_user(const struct nova_vcpu *vcpu)
{
        return (vcpu->state->ss.ar >> AR_DPL_SHIFT & 3) == 3;
}

/* A program of the guest must not end the machine. If its code has vanished, it gets its page fault
 * when it continues. */
static void refuse_user(struct nova_vcpu *vcpu, const struct nova_code *code)
{
        if (code->count)
                nova_vcpu_raise(vcpu, VECTOR_UD);
}

static bool is_port_string(const struct nova_instruction *in)
{
        return in->operation == NOVA_OP_INS || in->operation == NOVA_OP_OUTS;
}

void novavmm_mmio_access(struct nova_vcpu *vcpu, uint64_t address)
{
        const struct nova_access access = novavmm_vcpu_access(vcpu);
        const struct nova_instruction *in;
        struct nova_fault fault;
        struct nova_code code;

        fetch(&access, &code);
        in = nova_decode_again(&vcpu->decoded, &code);
        if (vcpu->state->inj_info & NOVA_INJ_VALID)
                fail_delivery(vcpu, address);
        else if (!in && is_user(vcpu)) /* another thread of the program may change the code */
                refuse_user(vcpu, &code);
        else if (!in && is_software_interrupt(&code))
                fail_delivery(vcpu, address);
        else if (!in)
                fail_decode(vcpu, &code, false, address);
        else if (is_port_string(in))
                ; /* the port would have caused an exit first, so the code has changed: retry */
        else if (nova_is_string(in))
                run_string(vcpu, &access, in);
        else if (nova_access_perform(&access, in, address, &vcpu->changed, &fault))
                skip(vcpu, in);
        else
                raise(vcpu, &fault);
}

/* Returns true if an instruction accesses the ports that the CPU has checked before the exit. */
static bool is_that_of_exit(const struct nova_instruction *in, const struct nova_vm_exit_port *at)
{
        return is_port_string(in) && in->bytes == at->bytes &&
               (in->operation == NOVA_OP_INS) == at->in;
}

/* Another virtual CPU may have changed the code since the exit. Then the guest executes the new
 * code, and the CPU checks the guest's right to use the ports. */
void novavmm_port_string(struct nova_vcpu *vcpu)
{
        const struct nova_access access = novavmm_vcpu_access(vcpu);
        struct nova_instruction in;
        struct nova_code code;

        fetch(&access, &code);
        if (nova_decode(code.byte, code.count, code.bits, &in)) {
                if (is_that_of_exit(&in, &vcpu->port))
                        run_string(vcpu, &access, &in);
        } else if (is_user(vcpu)) {
                refuse_user(vcpu, &code);
        } else {
                fail_decode(vcpu, &code, true, vcpu->port.port);
        }
}
