/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's state between its control block and a message. */
#ifndef VIRT_SVM_STATE_H
#define VIRT_SVM_STATE_H

#include "virt/svm/svm.h"
#include "virt/vcpu.h"

#define DR6_STEP 0x4000

/** The event that the last exit interrupted and that has to be injected for it to arrive; 0: none.
 *  A guest's own INT n, INT3 or INTO is none: its instruction is executed again. */
uint64_t svm_interrupted_event(const struct vcpu *vcpu);

/** The length of the instruction that exited. The CPU reports it as the address of the next one, if
 * it can; of port accesses always. @return 0: not reported */
word_t svm_instruction_length(const struct vmcb *vmcb);

/** The step over an instruction that the VMM asked for is over, or will not happen: where the guest
 *  is still at the instruction, TF is the guest's again. */
void svm_end_step(struct vcpu *vcpu);

/** Whether an interrupt window is wanted. */
static inline bool svm_has_window(const struct vmcb *vmcb)
{
        return vmcb->ctrl[0] & SVM_CTRL0_VINTR;
}

/** No interrupt window is wanted any more. */
void svm_close_window(struct vmcb *vmcb);

#endif
