/* SPDX-License-Identifier: BSD-2-Clause */
/* The service: sessions of VMMs and their ultracalls. The handlers run in parallel; each takes the
 * service's lock for the data that the lock protects. */
#include "server.h"

#include <errno.h>

#include "session.h"
#include "vm.h"

#define SHARE_PAGES (NOVA_UV_NORMAL_BYTES / FRAME_BYTES)
#define GPA_MAX     (UINT64_C(1) << 38)

_Static_assert(NOVA_UV_NORMAL_BYTES >= SEAL_MEMORY_MAX, "each sealed image can become secure");

/* The slots of a VMM's VMs may have PAGES_FACTOR pages for each frame of secure memory, because
 * each page has a record in the ultravisor's own memory. */
#define PAGES_FACTOR 2
#define SESSION_VMS  NOVA_UV_SESSION_VMS /* limited, so that no VMM takes all records of VMs */

/* State of a session. */
struct session {
        uint8_t *normal; /* the memory that the VMM shares; NULL: none yet */
        uint64_t bytes;
};

/* An ultracall in progress. */
struct call {
        struct session *session;
        struct vm *vm;           /* VM that the first parameter names; NULL: a new one */
        const nova_word_t *word; /* parameters */
        bool stop; /* the machine is to be destroyed after the call, without the lock */
};

static bool is_page(uint64_t value)
{
        return value % FRAME_BYTES == 0;
}

static bool is_secure(const struct call *call)
{
        return call->vm->state == VM_CONVERTING || call->vm->state == VM_SECURE;
}

static bool check_lpid(struct call *call, uint64_t value)
{
        call->vm = vm_find(call->session, value);
        return call->vm;
}

static bool check_secure(struct call *call, uint64_t value)
{
        return check_lpid(call, value) && is_secure(call);
}

static bool check_new(struct call *call, uint64_t value)
{
        call->vm = vm_find(call->session, value);
        return value <= UINT16_MAX;
}

static bool check_dw0(struct call *call, uint64_t value)
{
        return is_page(value) && value < call->session->bytes;
}

static bool check_dw1(struct call *call, uint64_t value)
{
        return is_page(value) && value && value <= call->session->bytes - call->word[1];
}

/* Returns the end of guest-physical memory. The bit that selects a view is not part of a slot. */
static uint64_t gpa_end(void)
{
        return cpu_bit() < GPA_MAX ? cpu_bit() : GPA_MAX;
}

static bool check_start(struct call *call, uint64_t value)
{
        (void)call;
        return is_page(value) && value < gpa_end();
}

static bool check_size(struct call *call, uint64_t value)
{
        const uint64_t start = call->word[1];

        return call->vm && is_page(value) && value && value <= gpa_end() - start &&
               page_slot_is_free(&call->vm->pages, start, value);
}

static bool check_new_slot(struct call *call, uint64_t value)
{
        return call->vm && value < PAGE_SLOTS && !call->vm->pages.slot[value].bytes;
}

static bool check_slot(struct call *call, uint64_t value)
{
        return call->vm && value < PAGE_SLOTS && call->vm->pages.slot[value].bytes &&
               !call->vm->pages.slot[value].closed;
}

static bool check_normal(struct call *call, uint64_t value)
{
        return is_page(value) && value < call->session->bytes;
}

static bool check_gpa(struct call *call, uint64_t value)
{
        return call->vm && is_page(value) && page_find(&call->vm->pages, value);
}

static bool check_flags(uint64_t value, uint64_t known)
{
        return !(value & ~known);
}

/* Returns true if the flags are valid: a page cannot be both cached and not cached. */
static bool check_in_flags(uint64_t value)
{
        const uint64_t cache = NOVA_UV_CACHE_INHIBITED | NOVA_UV_CACHE_ENABLED;

        return check_flags(value, cache | NOVA_UV_WRITE_PROTECTION) && (value & cache) != cache;
}

static bool check_order(uint64_t value, uint64_t most)
{
        return value >= NOVA_UV_ORDER_PAGE && value <= most;
}

/* Returns true if a parameter is valid. */
static bool check(struct call *call, enum nova_uv_parameter kind, uint64_t value)
{
        switch (kind) {
        case NOVA_UV_IS_LPID:
                return check_lpid(call, value);
        case NOVA_UV_IS_SECURE:
                return check_secure(call, value);
        case NOVA_UV_IS_NEW:
                return check_new(call, value);
        case NOVA_UV_IS_DW0:
                return check_dw0(call, value);
        case NOVA_UV_IS_DW1:
                return check_dw1(call, value);
        case NOVA_UV_IS_START:
                return check_start(call, value);
        case NOVA_UV_IS_SIZE:
                return check_size(call, value);
        case NOVA_UV_IS_NEW_SLOT:
                return check_new_slot(call, value);
        case NOVA_UV_IS_SLOT:
                return check_slot(call, value);
        case NOVA_UV_IS_NORMAL:
                return check_normal(call, value);
        case NOVA_UV_IS_GPA:
                return check_gpa(call, value);
        case NOVA_UV_IS_NO_FLAG:
                return check_flags(value, 0);
        case NOVA_UV_IS_OUT_FLAGS:
                return check_flags(value, NOVA_UV_SNAPSHOT);
        case NOVA_UV_IS_IN_FLAGS:
                return check_in_flags(value);
        case NOVA_UV_IS_PAGE_ORDER:
                return check_order(value, NOVA_UV_ORDER_PAGE);
        case NOVA_UV_IS_AREA_ORDER:
                return check_order(value, NOVA_UV_ORDER_MAX);
        default:
                return true; /* there is no such parameter, or a guest makes the call */
        }
}

static enum nova_u_status write_pate(struct call *call)
{
        if (call->vm && call->vm->state != VM_NORMAL)
                return NOVA_U_PERMISSION;
        if (!call->vm && vm_count(call->session) < SESSION_VMS)
                call->vm = vm_add(call->session, (uint16_t)call->word[0]);
        if (!call->vm)
                return NOVA_U_BUSY;
        call->vm->normal = call->session->normal;
        call->vm->pages.normal_pages = (uint32_t)(call->session->bytes / FRAME_BYTES);
        return NOVA_U_SUCCESS;
}

/* Makes the records of the pages without the lock, because other VMs wait for the lock and the
 * records of a slot of 3 GiB take 36 MiB. A call that ends the VM meanwhile waits for this call. */
static enum nova_u_status register_mem_slot(struct call *call)
{
        struct vm *const vm = call->vm;
        const uint64_t start = call->word[1], bytes = call->word[2];
        const unsigned slot = (unsigned)call->word[4];
        struct page *records;

        vm->refused_pages = bytes / FRAME_BYTES;
        if (vm->refused_pages > PAGES_FACTOR * (uint64_t)vm_limit(vm) - vm_pages(vm))
                return NOVA_U_P3;
        page_slot_reserve(&vm->pages, slot, start, bytes);
        vm->users++;
        vm_unlock();
        records = page_records(bytes);
        vm_lock();
        vm->users--;
        if (records)
                vm->refused_pages = 0;
        page_slot_open(&vm->pages, slot, records);
        if (!is_secure(call))
                return NOVA_U_PARAMETER;
        return records ? NOVA_U_SUCCESS : NOVA_U_P3;
}

/* Frees a closed slot in parts. Between two parts another call may end the VM, which frees the
 * rest. If the VM becomes secure again meanwhile, a new slot may be reserved in its place. */
static enum nova_u_status free_slot(struct call *call)
{
        struct pages *const pages = &call->vm->pages;
        const unsigned slot = (unsigned)call->word[1];

        while (is_secure(call) && pages->slot[slot].closed && page_slot_free(pages, slot))
                vm_yield();
        return is_secure(call) ? NOVA_U_SUCCESS : NOVA_U_PARAMETER;
}

/* The memory of the sealed image stays: without it the guest would not be the sealed one. */
static enum nova_u_status unregister_mem_slot(struct call *call)
{
        const struct vm *const vm = call->vm;

        if (vm->seal && vm->pages.slot[call->word[1]].start < vm->seal->memory)
                return NOVA_U_P2;
        if (!page_slot_close(&call->vm->pages, (unsigned)call->word[1]))
                return NOVA_U_BUSY;
        return free_slot(call);
}

/* Moves only one page, because the lock is held: decrypting a page takes up to 490,000
 * instructions. Between two pages another call may end the VM or remove the slot. Blocks of
 * several pages are accepted only in UV_ESM: then no page is out, so a block needs no decryption.
 * The decryption of a block would delay other VMMs on this CPU. */
static enum nova_u_status move_in_page(struct call *call, uint64_t from, uint64_t to)
{
        if (!is_secure(call))
                return NOVA_U_PARAMETER;
        if (call->word[4] > NOVA_UV_ORDER_PAGE && call->vm->state != VM_CONVERTING)
                return NOVA_U_P5;
        return page_in(&call->vm->pages, to, (uint32_t)from, (unsigned)call->word[3]);
}

static enum nova_u_status move_in(struct call *call)
{
        const uint64_t pages = UINT64_C(1) << (call->word[4] - NOVA_UV_ORDER_PAGE);
        const uint64_t from = call->word[1] / FRAME_BYTES, to = call->word[2];
        enum nova_u_status status = NOVA_U_SUCCESS;

        if (pages > call->vm->pages.normal_pages - from)
                return NOVA_U_P2;
        if (!page_has(&call->vm->pages, to, pages))
                return NOVA_U_P3;
        page_expect_block(&call->vm->pages, to, pages);
        for (uint64_t i = 0; i < pages && !status; i++) {
                if (i)
                        vm_yield();
                status = move_in_page(call, from + i, to + i * FRAME_BYTES);
        }
        return status;
}

static enum nova_u_status move_out(struct call *call)
{
        return page_out(&call->vm->pages, call->word[2], (uint32_t)(call->word[1] / FRAME_BYTES),
                        (unsigned)call->word[3]);
}

static enum nova_u_status invalidate(struct call *call)
{
        const uint64_t pages = UINT64_C(1) << (call->word[2] - NOVA_UV_ORDER_PAGE);
        enum nova_u_status status = NOVA_U_SUCCESS;

        if (!page_has(&call->vm->pages, call->word[1], pages))
                return NOVA_U_P2;
        for (uint64_t i = 0; i < pages && !status; i++) {
                if (i && i % PAGE_PART == 0)
                        vm_yield();
                status = is_secure(call) ? page_invalidate(&call->vm->pages,
                                                           call->word[1] + i * FRAME_BYTES)
                                         : NOVA_U_PARAMETER;
        }
        return status;
}

static enum nova_u_status terminate(struct call *call)
{
        if (!is_secure(call))
                return NOVA_U_INVALID;
        call->vm->state = VM_ENDING;
        call->stop = true;
        return NOVA_U_SUCCESS;
}

static enum nova_u_status perform(struct call *call, unsigned number)
{
        switch (number) {
        case NOVA_UV_WRITE_PATE:
                return write_pate(call);
        case NOVA_UV_REGISTER_MEM_SLOT:
                return register_mem_slot(call);
        case NOVA_UV_UNREGISTER_MEM_SLOT:
                return unregister_mem_slot(call);
        case NOVA_UV_PAGE_IN:
                return move_in(call);
        case NOVA_UV_PAGE_OUT:
                return move_out(call);
        case NOVA_UV_PAGE_INVAL:
                return invalidate(call);
        case NOVA_UV_SVM_TERMINATE:
                return terminate(call);
        default:
                return NOVA_U_INVALID; /* UV_RETURN: the VMM answers the call instead */
        }
}

struct row {
        unsigned number;
        enum nova_uv_caller caller;
        enum nova_u_status elsewhere;
        enum nova_uv_parameter kind[NOVA_UV_PARAMETERS];
};

static const struct row rows[] = {
#define CALL(name, function, number, caller, elsewhere, p1, p2, p3, p4, p5) \
        {number,                                                            \
         NOVA_UV_##caller,                                                  \
         NOVA_U_##elsewhere,                                                \
         {NOVA_UV_IS_##p1, NOVA_UV_IS_##p2, NOVA_UV_IS_##p3, NOVA_UV_IS_##p4, NOVA_UV_IS_##p5}},
        NOVA_UV_CALL_ROWS(CALL)
#undef CALL
};

static const struct row *find_row(nova_word_t number)
{
        for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (rows[i].number == number)
                        return &rows[i];
        return NULL;
}

/* Checks the parameters in their order.
 * @return the status of the first one that is invalid */
static enum nova_u_status check_all(struct call *call, const struct row *row)
{
        static const enum nova_u_status status[NOVA_UV_PARAMETERS] = {
                NOVA_U_PARAMETER, NOVA_U_P2, NOVA_U_P3, NOVA_U_P4, NOVA_U_P5};

        for (unsigned i = 0; i < NOVA_UV_PARAMETERS; i++)
                if (!check(call, row->kind[i], call->word[i]))
                        return status[i];
        return NOVA_U_SUCCESS;
}

/* Remembers the memory that the VMM shares. The memory stays shared until the VMM's session
 * ends. */
static void hold(struct nova_request *request)
{
        struct session *const session = request->state;

        if (session->normal)
                return;
        session->normal = nova_request_share_hold(request);
        session->bytes = nova_request_share_bytes(request);
}

static int ultracall(struct nova_request *request)
{
        struct call call = {.session = request->state, .word = &request->word[1]};
        const struct row *const row = find_row(request->word[0]);
        enum nova_u_status status;

        vm_lock();
        hold(request);
        if (!row)
                status = NOVA_U_FUNCTION;
        else if (row->caller != NOVA_UV_BY_VMM)
                status = row->elsewhere;
        else if (!(status = check_all(&call, row)))
                status = perform(&call, row->number);
        vm_unlock();
        if (call.stop)
                vm_stop(call.vm);
        nova_request_answer(request, (nova_word_t)(intptr_t)status);
        return 0;
}

/* Refuses a client without a share: its sessions would use kernel memory of the other shares. */
static int open_session(struct nova_request *request, const char *arguments)
{
        (void)arguments;
        return vm_open(request->client) ? 0 : ENOSPC;
}

static void close_session(struct nova_service *service, void *session)
{
        (void)service;
        vm_close(session);
}

/* Returns the maximum number of sessions of a VMM. With shares, the sessions of all VMMs
 * together must not exceed the number of sessions of the service. */
static unsigned sessions_of_client(void)
{
        const unsigned share = vm_records();

        return share < NOVA_UV_SESSION_VMS ? share : NOVA_UV_SESSION_VMS;
}

int server_start(void)
{
        static const struct nova_service_operation operations[] = {
                {ultracall, 1 + NOVA_UV_PARAMETERS, 1 + NOVA_UV_PARAMETERS, false},
                {session_attach, 3, 3, true},
                {session_esm, 3, 3, false},
                {session_kick, 3, 3, false},
                {session_start, 3, 3, false},
                {session_reset, 3, 3, false},
                {session_state, 1, 1, false},
                {session_attributes, 2, 2, false},
        };
        const struct nova_service_config config = {
                .name = "ultravisor",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .state_bytes = sizeof(struct session),
                .sessions = VM_COUNT,
                .client_sessions = sessions_of_client(),
                .share_pages = SHARE_PAGES,
                .receive_bytes = SERVER_CLIENT_BYTES / sessions_of_client(),
                .parallel = true,
                .proof = vm_is_shared(), /* shares belong to clients */
                .open = open_session,
                .close = close_session,
        };

        return nova_service_start(&vm_service, &config);
}
