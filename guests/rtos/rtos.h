/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real-time kernel's whole interface; docs/rtos.md tells how to use it, guests/rtos/app is an application of it.
 *
 * Conventions
 * - One CPU, fixed priorities, pre-emption: of the tasks that can run, the most urgent one does. Equal ones run in the
 *   order in which they became ready, until they wait (or in turns, see rtos_time_slice()).
 * - Time is the virtual counter: "ticks" are counts of it (rtos_hz() per second), "deadlines" are values of it. A call
 *   that may wait takes the deadline of its wait: RTOS_NO_WAIT, RTOS_FOREVER, or a time such as rtos_in_us(500).
 * - Results are RTOS_OK or one of the negative numbers below. A function that says nothing about errors has none.
 * - "Task": may be called by tasks only, with interrupts enabled. "Any": also by interrupt handlers, and with
 *   interrupts masked; with a deadline only if that is RTOS_NO_WAIT.
 * - Objects (tasks, mutexes, ...) are the caller's memory and must stay where they are while in use. An object of
 *   static storage that is all zeroes is a free mutex, or a semaphore of count 0 without limit. Members are the
 *   kernel's.
 */
#ifndef RTOS_H
#define RTOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTOS_TASK_MAX 32u           /* tasks at a time, idle and main included */
#define RTOS_PRIORITY_MAX 31u       /* the most urgent */
#define RTOS_PRIORITY_MIN 1u        /* 0 is the idle task's */
#define RTOS_QUEUE_ITEM_MAX 256u    /* bytes; items are copied with interrupts masked */
#define RTOS_PAGE_BYTES 4096u       /* of a stack's guard */
#define RTOS_STACK_MIN 4096u        /* bytes of stack proper: C library state, an interrupt's registers, and a little */
#define RTOS_INTID_MAX 95u          /* highest interrupt that can be attached to */
#define RTOS_INTID_SOFTWARE_MAX 15u /* 0 to 15 (SGIs) are raised by rtos_irq_raise() */

#define RTOS_NO_WAIT UINT64_C(0)
#define RTOS_FOREVER UINT64_MAX

enum rtos_result {
	RTOS_OK = 0,
	RTOS_ETIMEDOUT = -1, /* the deadline passed, or it would have had to wait and wasn't allowed to */
	RTOS_EINVAL = -2,    /* an argument that can't be right; nothing was done */
	RTOS_ECONTEXT = -3,  /* would wait, but was called by a handler, with interrupts masked, or by the idle task */
	RTOS_EDEADLOCK =
		-4, /* waiting would never end: the mutex's owner waits, perhaps by way of others, for the caller */
	RTOS_EOWNER = -5,  /* the mutex isn't the caller's */
	RTOS_EFULL = -6,   /* no room: semaphore at its limit, table of tasks full */
	RTOS_ENOSYS = -7,  /* this machine can't */
	RTOS_EDENIED = -8, /* this machine could, but doesn't let this guest */
};

/* ---- the kernel's structures; members are private ---- */

struct rtos_task;
struct rtos_mutex;

/* Tasks in order; all zeroes is empty. */
struct rtos_list {
	struct rtos_task *first;
};

struct rtos_deadline {
	uint64_t at;
	void (*expired)(struct rtos_deadline *deadline);
	uint32_t slot; /* in the heap; 0: not in it */
};

enum rtos_task_state {
	RTOS_TASK_ENDED = 0, /* or never created */
	RTOS_TASK_READY,
	RTOS_TASK_SLEEPING,
	RTOS_TASK_WAIT_MUTEX,
	RTOS_TASK_WAIT_SEM,
	RTOS_TASK_WAIT_SEND,
	RTOS_TASK_WAIT_RECEIVE,
	RTOS_TASK_WAIT_NOTIFY,
	RTOS_TASK_WAIT_JOIN,
};

struct rtos_task {
	void *sp;   /* saved stack pointer; assembly knows the place */
	void *libc; /* C library's state of this task; assembly knows the place */
	struct rtos_task *next, *prev;
	struct rtos_list *waiting_in;  /* list that next and prev link it into, unless it is ready */
	struct rtos_mutex *blocked_on; /* the mutex among what it may wait for */
	struct rtos_mutex *held;       /* first of the mutexes that it owns */
	void *item;                    /* queue: where the item goes to or comes from */
	struct rtos_deadline deadline; /* of its wait */
	uint8_t state;                 /* enum rtos_task_state */
	uint8_t priority;              /* with what it inherits */
	uint8_t base_priority;         /* its own */
	int8_t result;                 /* of its wait */
	uint32_t notified;             /* bits that nobody has fetched yet */
	struct rtos_list joiners;
	const char *name;
	void (*entry)(void *arg);
	void *arg;
	uint8_t *stack_base; /* above the guard page */
	size_t stack_bytes;
	uint64_t cpu_ticks;     /* up to its last switch */
	uint64_t turn_end;      /* of its time slice, in cpu_ticks */
	uint64_t watched_ticks; /* cpu_ticks when there was idle time last, as far as the hang watch knows */
	uint64_t switch_count;
};

struct rtos_mutex {
	struct rtos_task *owner;
	struct rtos_list waiters;
	struct rtos_mutex *held_next; /* the next one of the same owner */
};

struct rtos_sem {
	uint32_t count;
	uint32_t limit; /* 0: none */
	struct rtos_list waiters;
};

struct rtos_queue {
	uint8_t *items;
	uint32_t item_bytes, capacity;
	uint32_t count, read, write;
	struct rtos_list senders, receivers; /* never both */
};

/* ---- start ---- */

/*
 * The application's: first task of the machine, called "main", priority RTOS_PRIORITY_MAX, with everything up and
 * interrupts enabled. Creates the other tasks; may wait, and may return.
 */
void app_main(void);

/* Text of /chosen/bootargs in the device tree, "" without one. Any; constant. */
const char *rtos_bootargs(void);

/* End of the RAM that the kernel uses (at most 16 MiB from 0x40000000). Any; constant. */
uint64_t rtos_ram_end(void);

/* ---- tasks ---- */

/*
 * A stack of at least `bytes`, with a guard page below it that is taken from the address map when the task is created.
 * Count on 3 KiB of overhead (C library's state, registers of an interrupt and of a switch), and 1 KiB for a printf.
 */
#define RTOS_STACK_DEFINE(name, bytes)                                                                                 \
	static uint8_t name[RTOS_PAGE_BYTES + (bytes)] __attribute__((aligned(RTOS_PAGE_BYTES), section(".bss.stack")))

struct rtos_task_config {
	const char *name; /* for people; must stay */
	uint32_t priority;
	void (*entry)(void *arg); /* returning ends the task */
	void *arg;
	void *stack;        /* RTOS_STACK_DEFINE's array */
	size_t stack_bytes; /* its sizeof */
};

/*
 * Creates a task, ready to run: if it is more urgent than the caller, it runs at once. *task is any memory that isn't
 * a task now; *config is needed only during the call. Task or, before the start, boot. RTOS_EINVAL: priority, missing
 * entry or name, stack not at a page, smaller than guard + RTOS_STACK_MIN, or no multiple of 16 bytes; task exists.
 * RTOS_EFULL: RTOS_TASK_MAX reached.
 */
int rtos_task_create(struct rtos_task *task, const struct rtos_task_config *config);

/* Ends the calling task; its memory is free once rtos_task_join() says so. It must hold no mutex (fatal). Task. */
_Noreturn void rtos_task_exit(void);

/*
 * Waits for a task's end; RTOS_OK at once if it has ended. RTOS_EINVAL: itself. RTOS_ETIMEDOUT, RTOS_ECONTEXT. Task.
 */
int rtos_task_join(struct rtos_task *task, uint64_t deadline);

/* The running task; of a handler, the one that it interrupted. Any. */
struct rtos_task *rtos_task_self(void);

/*
 * Changes a task's own priority (NULL: the caller's); what it inherits through mutexes stays. May switch. RTOS_EINVAL:
 * not 1 to RTOS_PRIORITY_MAX, or no task. Any.
 */
int rtos_task_set_priority(struct rtos_task *task, uint32_t priority);

/* Lets other ready tasks of the same priority run first. Task. */
void rtos_yield(void);

/*
 * Tasks of equal priority take turns of so many ticks; 0 (the default): each runs until it waits. Any. Costs a timer
 * interrupt a turn, and only while there is somebody to take turns with.
 */
void rtos_time_slice(uint64_t ticks);

struct rtos_task_info {
	const char *name;
	enum rtos_task_state state;
	bool running;
	uint8_t priority, base_priority;
	uint64_t cpu_ticks; /* interrupts during it included */
	uint64_t switch_count;
	size_t stack_bytes, stack_used; /* the most that it ever used; looks at every unused byte */
};

/* Fills info[] with up to count tasks, the idle task first, and returns how many. Task. */
size_t rtos_task_list(struct rtos_task_info info[], size_t count);

/* ---- time ---- */

uint64_t rtos_now(void);                   /* ticks since power-on. Any. */
uint64_t rtos_hz(void);                    /* ticks a second. Any. */
uint64_t rtos_us(uint64_t us);             /* microseconds to ticks, rounded down. Any. */
uint64_t rtos_ticks_to_ns(uint64_t ticks); /* Any. */
uint64_t rtos_in_us(uint64_t us);          /* the deadline that lies so far ahead. Any. */

/* Waits until that time. RTOS_ETIMEDOUT: it had passed already, nothing was waited for. RTOS_ECONTEXT. Task. */
int rtos_sleep_until(uint64_t deadline);

/* ---- announced sleeps: in a VM of Camber that is a real-time one ---- */

/*
 * Whenever all tasks wait, the idle task tells the hypervisor until when: the next deadline of any task. Only the end of such a sleep,
 * or a new period's budget, then gives this guest the CPU with real-time priority. Without this call, or after
 * RTOS_ANNOUNCE_NONE, every interrupt does; a guest needs it only if others must not be able to cause that.
 */
enum rtos_announce {
	RTOS_ANNOUNCE_NONE,
	RTOS_ANNOUNCE_UNTIL, /* by the deadline */
	RTOS_ANNOUNCE_FOR,   /* by the time that is left until then; a little less exact */
};

/*
 * RTOS_ENOSYS: the machine isn't Camber, or has no such calls. RTOS_EDENIED: the VM isn't a real-time one. RTOS_EINVAL. Nothing
 * has changed then. Task.
 */
int rtos_announce_sleep(enum rtos_announce how);

/* Sleeps that the hypervisor refused, too short or too long ones; each was a plain one instead. Any. */
uint32_t rtos_announce_refused(void);

/* ---- mutexes: mutual exclusion of tasks, with priority inheritance ---- */

/*
 * While tasks wait for a mutex, its owner runs with the priority of the most urgent of them, and so does whoever that
 * owner waits for. Locks nest, and may be released in any order. A task doesn't lock what it has locked already.
 */
void rtos_mutex_init(struct rtos_mutex *mutex); /* Any, while nobody uses it. */

/* RTOS_ETIMEDOUT, RTOS_EDEADLOCK (also: is the caller's already), RTOS_ECONTEXT. Task. */
int rtos_mutex_lock(struct rtos_mutex *mutex, uint64_t deadline);

/* Hands it to the most urgent waiter, which may run at once. RTOS_EOWNER, RTOS_ECONTEXT. Task. */
int rtos_mutex_unlock(struct rtos_mutex *mutex);

/* ---- counting semaphores ---- */

/* limit: the count that give() doesn't exceed; 0: none. RTOS_EINVAL: count above limit. Any, while nobody uses it. */
int rtos_sem_init(struct rtos_sem *sem, uint32_t count, uint32_t limit);

/* Takes one, waiting for it if there is none. RTOS_ETIMEDOUT, RTOS_ECONTEXT. Any. */
int rtos_sem_take(struct rtos_sem *sem, uint64_t deadline);

/* Gives one, to the most urgent waiter if there is one. RTOS_EFULL: at its limit, unchanged. Any. */
int rtos_sem_give(struct rtos_sem *sem);

/* ---- message queues: items of one size, copied in and out, in order ---- */

/*
 * `items` is room for capacity × item_bytes bytes, the queue's from now on. RTOS_EINVAL: zero, more than
 * RTOS_QUEUE_ITEM_MAX bytes, or too many. Any, while nobody uses it.
 */
int rtos_queue_init(struct rtos_queue *queue, void *items, uint32_t item_bytes, uint32_t capacity);

/*
 * Copies an item in; waits for room. Senders that wait go by priority, then in order. RTOS_ETIMEDOUT, RTOS_ECONTEXT.
 * Any.
 */
int rtos_queue_send(struct rtos_queue *queue, const void *item, uint64_t deadline);

/* Copies the oldest item out; waits for one. RTOS_ETIMEDOUT: *item unchanged; RTOS_ECONTEXT. Any. */
int rtos_queue_receive(struct rtos_queue *queue, void *item, uint64_t deadline);

/* Items in it now. Any. */
uint32_t rtos_queue_count(const struct rtos_queue *queue);

/* ---- notifications: 32 bits of each task ---- */

/* Sets bits and wakes the task if it waits for some. RTOS_EINVAL: no bits, or the task has ended. Any. */
int rtos_notify(struct rtos_task *task, uint32_t bits);

/*
 * Waits until at least one of the bits in mask is set, and fetches (clears) those: *bits, if not NULL. Others stay
 * set. RTOS_EINVAL: mask 0; RTOS_ETIMEDOUT, RTOS_ECONTEXT. Task.
 */
int rtos_notify_wait(uint32_t mask, uint32_t *bits, uint64_t deadline);

/* ---- interrupts ---- */

/*
 * A handler runs with interrupts masked on a stack of its own (8 KiB). It must not wait, call the C library, or touch
 * FP/SIMD registers, which is fatal: mark it, and what it calls, RTOS_HANDLER, or compile its file with
 * -mgeneral-regs-only, for the compiler uses them of its own accord. What it wakes runs when it returns.
 */
#if defined(__aarch64__)
#define RTOS_HANDLER __attribute__((target("general-regs-only")))
#else
#define RTOS_HANDLER
#endif

typedef void rtos_irq_handler_t(void *arg);

enum rtos_irq_priority {
	RTOS_IRQ_URGENT = 0x60, /* the timer has 0x80 */
	RTOS_IRQ_NORMAL = 0xa0,
};

/*
 * Routes an interrupt (level-triggered if it is from a device) to a handler and enables it. priority orders what is
 * pending together; handlers don't interrupt each other. RTOS_EINVAL: above RTOS_INTID_MAX, the kernel's own, or no
 * handler. Any.
 */
int rtos_irq_attach(uint32_t intid, enum rtos_irq_priority priority, rtos_irq_handler_t *handler, void *arg);

/* Raises interrupt 0 to RTOS_INTID_SOFTWARE_MAX on this CPU. RTOS_EINVAL: another. Any. */
int rtos_irq_raise(uint32_t intid);

/*
 * The counter when the latest interrupt was taken, read by the vector's third instruction. For how late interrupts are: a
 * handler subtracts when its device raised it, a task that rtos_sleep_until() woke its deadline. Any.
 */
uint64_t rtos_irq_entry_time(void);

/*
 * Masks interrupts, and with them every other task, until rtos_irq_restore() of the value. Nests. In between nothing
 * may wait; a task that is woken runs at the (outermost) restore, if it is more urgent. Any.
 */
uint64_t rtos_irq_save(void);
void rtos_irq_restore(uint64_t saved);

/* Interrupts that nobody has attached to; 0 unless something is wrong. Any. */
uint32_t rtos_irq_stray_count(void);

/* ---- console ---- */

/*
 * What was typed, as it comes, through an interrupt and 256 bytes of buffer. Waits for at least one byte; returns how
 * many (at most count) or an error: RTOS_ETIMEDOUT, RTOS_ECONTEXT. Task. stdin reads the same, waiting for ever.
 */
int rtos_console_read(char *text, size_t count, uint64_t deadline);

/* Bytes that found the buffer full. Any. */
uint32_t rtos_console_overrun_count(void);

/* ---- when things go wrong, and the end ---- */

/*
 * Tells the machine's watchdog (Arm Generic Watchdog, in the device tree as arm,sbsa-gwdt) that all is well. It is switched on at
 * boot and ends this guest when it isn't told for two seconds, or for as long as the machine allows if that is less.
 * False: there is none. Any.
 */
bool rtos_watchdog_kick(void);

/* Prints "rtos: fatal: why" with the task's name, and ends the machine. Any. */
_Noreturn void rtos_fatal(const char *why);

_Noreturn void rtos_assert_failed(const char *expression, const char *file, unsigned int line);

/* Stays in every build. "rtos: fatal: assertion 'x' failed ..." */
#define RTOS_ASSERT(expression) ((expression) ? (void)0 : rtos_assert_failed(#expression, __FILE__, __LINE__))

/*
 * Ends the machine, with a line that names the task that took most of the time, once the idle task had no chance to
 * run in `checks` looks in a row that are `ticks` apart; 0 ticks: off (the default). Any.
 */
void rtos_hang_watch(uint64_t ticks, uint32_t checks);

/* Called by the idle task each time before it waits for an interrupt; must not wait. NULL: none. Any. */
void rtos_idle_hook(void (*hook)(void));

/* Power off or reset by PSCI. Return only if the firmware refuses: its error. Any. */
int64_t rtos_off(void);
int64_t rtos_reset(void);

#endif
