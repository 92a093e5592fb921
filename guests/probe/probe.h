/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common declarations of the probe guest: outcome of a case, per-CPU data, traps, output, options, waiting.
 *
 * The MMU is off: all memory is Device memory, coherent and strictly ordered per CPU, and exclusives are not used.
 * A flag has one writing CPU; `dmb` orders it against its data. Every wait has a bound (WAIT_FOR).
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asm.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF(a, b) __attribute__((format(printf, a, b)))

/* ---- cases and benchmarks: the registries are in cases.c and bench.c ---- */

enum outcome { OUTCOME_OK, OUTCOME_FAIL, OUTCOME_SKIP };

#define CASE_NAMED_ONLY (1u << 0) /* not part of run=all: needs a partner VM or an operator */
#define CASE_UNDER_HV (1u << 1)   /* about the hypervisor itself: skipped without one */
#define CASE_HOSTILE (1u << 2)    /* part of run=hostile, not of run=all */

struct probe_case {
	const char *name;
	enum outcome (*run)(void);
	uint8_t cpus; /* at least this many, else skipped */
	uint8_t flags;
	const char *what;
};

extern const struct probe_case probe_cases[];
extern const unsigned int probe_case_count;

/* Say why and return the outcome: `return fail("pending %u, want 0", n);` */
enum outcome fail(const char *fmt, ...) PRINTF(1, 2);
enum outcome skip(const char *fmt, ...) PRINTF(1, 2);
/* A line of facts about the running case: "probe: info <case> ...". */
void info(const char *fmt, ...) PRINTF(1, 2);

#define CHECK(cond, ...)                                                                                               \
	do {                                                                                                           \
		if (!(cond))                                                                                           \
			return fail(__VA_ARGS__);                                                                      \
	} while (0)

/* For helpers that answer an outcome. */
#define TRY(expr)                                                                                                      \
	do {                                                                                                           \
		enum outcome try_outcome = (expr);                                                                     \
		if (try_outcome != OUTCOME_OK)                                                                         \
			return try_outcome;                                                                            \
	} while (0)

extern const char *case_name; /* of the running case or benchmark: info() prints it */
extern char case_why[];       /* what fail() or skip() said last */

void cases_run(const char *list, unsigned int *ok, unsigned int *failed, unsigned int *skipped);
void bench_run(const char *list, unsigned int *failed);
/* Partner in a pair of VMs; returns after rounds= rounds, or never. False: no such role. */
bool peer_run(const char *role);

/* ---- per-CPU data ---- */

/* Where trap_mark() was called: what the ABI keeps over a call. */
struct trap_mark {
	uint64_t reg[13];
};

#define IRQ_LOG 256

struct cpu {
	volatile uint64_t irq_stamp; /* counter at the first instruction of the last IRQ: vectors.S, CPU_IRQ_STAMP */
	uint32_t index;
	uint64_t mpidr; /* affinity bits as in the device tree */

	/* Interrupts, written by this CPU's handler. */
	void (*on_irq)(struct cpu *c, uint32_t intid); /* NULL: gic_irq_default */
	volatile uint32_t irq_count;
	volatile uint32_t spurious_count;
	volatile uint16_t irq_log[IRQ_LOG];
	volatile uint8_t irq_rpr[IRQ_LOG];

	/* Exceptions expected by trap_expect(). */
	volatile bool trap_armed;
	volatile uint32_t trap_count;
	volatile uint64_t trap_esr, trap_far, trap_elr;

	/* At EL0 by el0_run(): whatever happens there comes back to the mark. */
	volatile bool el0;
	volatile uint64_t el0_x0;
	struct trap_mark el0_mark;

	/* Start by PSCI, written by the boot CPU before CPU_ON. */
	void (*work)(struct cpu *c);
	volatile uint32_t stage;                                  /* free for the running case */
	volatile uint64_t result[4];                              /* likewise */
	volatile bool done;                                       /* by the CPU itself, before its CPU_OFF */
	volatile bool crashed;                                    /* it took an exception nobody expected */
	bool started;                                             /* by cpu_start and cpu_join */
	volatile uint64_t start_context, start_daif, start_sctlr; /* as found at the entry point */
};
_Static_assert(offsetof(struct cpu, irq_stamp) == CPU_IRQ_STAMP, "vectors.S");

extern struct cpu cpus[CPU_MAX];
extern uint32_t cpu_count; /* from the device tree, at most CPU_MAX */

static inline struct cpu *cpu_self(void)
{
	struct cpu *c;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(c));
	return c;
}

void cpu_init(uint32_t index);
/* Start a CPU at work(); it switches itself off when work() returns. The boot CPU only. */
enum outcome cpu_start(uint32_t index, void (*work)(struct cpu *c));
/* Wait until a started CPU is off again. */
enum outcome cpu_join(uint32_t index);
/* After a failed case: make the CPUs that are still on see `stop`, and wait for them. False if one stays on. */
bool cpu_stop_all(void);
extern volatile bool cpu_stop; /* loops of secondary CPUs end when it is set */
void cpu_secondary_main(uint64_t index, uint64_t daif, uint64_t sctlr);
void secondary_start(void);

/* ---- exceptions (trap.c, vectors.S) ---- */

struct frame {
	uint64_t x[31];
	uint64_t unused;
	uint64_t elr;
	uint64_t spsr;
};
_Static_assert(offsetof(struct frame, elr) == FRAME_ELR, "vectors.S");
_Static_assert(offsetof(struct frame, spsr) == FRAME_SPSR, "vectors.S");
_Static_assert(sizeof(struct frame) == FRAME_SIZE, "vectors.S");

int trap_mark(struct trap_mark *m) __attribute__((returns_twice));
void trap_return(struct trap_mark *m) __attribute__((noreturn));
void trap_handle(struct frame *f, unsigned int kind);
extern struct trap_mark trap_case_mark; /* where an unexpected exception of the boot CPU continues */
extern volatile bool trap_case_mark_valid;

/* Between the two, a synchronous exception is counted and its instruction skipped. trap_done() returns the count. */
void trap_expect(void);
uint32_t trap_done(void);

#define ESR_EC(esr) ((uint32_t)((esr) >> 26) & 0x3f)
#define ESR_FSC(esr) ((uint32_t)(esr)&0x3f)
#define EC_UNKNOWN 0x00u
#define EC_SVC 0x15u
#define EC_ILLEGAL_STATE 0x0eu
#define EC_SVE 0x19u
#define EC_FETCH_ABORT 0x21u
#define EC_PC_ALIGNMENT 0x22u
#define EC_DATA_ABORT 0x25u
#define ESR_UNDEF 0x02000000ul                                        /* EC 0, IL */
#define ESR_DATA_ABORT(write) (0x96000010ul | (uint64_t)(write) << 6) /* EC 0x25, IL, synchronous external abort */
#define ESR_FETCH_ABORT 0x86000010ul                                  /* EC 0x21, IL, the same */
#define ESR_FROM_EL0 (1ul << 26)                                      /* to be subtracted: EC 0x24, 0x20 */
#define ESR_WNR (1ul << 6)
#define FSC_SYNC_EXTERNAL 0x10u
#define FSC_ALIGNMENT 0x21u

/* ---- output (print.c) and memory functions (string.c) ---- */

void print(const char *fmt, ...) PRINTF(1, 2);
void print_init(void);
int format(char *buf, size_t size, const char *fmt, __builtin_va_list ap);

void *memcpy(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/* ---- options: /chosen/bootargs, words of the form key=value ---- */

void options_init(const char *bootargs);
/* Value of a key, or NULL. Lives as long as the program. */
const char *option_text(const char *key);
/* Decimal, or hexadecimal with 0x and small letters. */
uint64_t option_number(const char *key, uint64_t otherwise);
/* Does a comma-separated list hold the word? */
bool list_has(const char *list, const char *word);
/* Copies the next word of the list and advances; false at the end. Words are cut at size. */
bool list_next(const char **list, char *word, size_t size);

/* ---- device tree (fdt.c) ---- */

struct fdt_info {
	char bootargs[1024];
	uint32_t cpu_count;
	uint64_t mpidr[CPU_MAX];
	uint64_t ram_base, ram_bytes;
};

extern struct fdt_info machine; /* of this machine; all zero without a tree */

/* False with *why set when there is no usable tree at the address. */
bool fdt_read(uint64_t address, struct fdt_info *out, const char **why);

/* ---- processor ---- */

#define sysreg_read(name)                                                                                              \
	({                                                                                                             \
		uint64_t sysreg_value;                                                                                 \
		__asm__ volatile("mrs %0, " #name : "=r"(sysreg_value)::"memory");                                     \
		sysreg_value;                                                                                          \
	})
#define sysreg_write(name, value) __asm__ volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

static inline void isb(void)
{
	__asm__ volatile("isb" ::: "memory");
}

static inline void dsb(void)
{
	__asm__ volatile("dsb sy" ::: "memory");
}

static inline void irq_enable(void)
{
	__asm__ volatile("msr daifclr, #2" ::: "memory");
}

static inline void irq_disable(void)
{
	__asm__ volatile("msr daifset, #2" ::: "memory");
}

static inline void wfi(void)
{
	__asm__ volatile("dsb sy; wfi" ::: "memory");
}

static inline void cpu_yield(void)
{
	__asm__ volatile("yield" ::: "memory");
}

static inline uint64_t now(void)
{
	isb();
	return sysreg_read(cntvct_el0);
}

extern uint64_t tick_hz; /* CNTFRQ_EL0 */

static inline uint64_t us_to_ticks(uint64_t us)
{
	return us * tick_hz / 1000000;
}

static inline uint64_t ticks_to_ns(uint64_t ticks)
{
	return tick_hz == 1000000000 ? ticks : ticks / tick_hz * 1000000000 + ticks % tick_hz * 1000000000 / tick_hz;
}

/* Poll with YIELD (under -icount only YIELD lets another CPU run). True if the condition held in time. */
#define WAIT_FOR(cond, us)                                                                                             \
	({                                                                                                             \
		uint64_t wait_end = now() + us_to_ticks(us);                                                           \
		bool wait_ok;                                                                                          \
		while (!(wait_ok = (cond)) && now() < wait_end)                                                        \
			cpu_yield();                                                                                   \
		wait_ok || (cond);                                                                                     \
	})

#define SECOND_US 1000000ull
/* Longer than any time slice or wake-up in a loaded machine; a passing run never waits so long. */
extern uint64_t patience_us; /* patience_ms= */
#define PATIENCE_US patience_us

static inline void delay_us(uint64_t us)
{
	(void)WAIT_FOR(false, us);
}

/* One aligned access of exactly this width with a plain, syndrome-carrying instruction. */
static inline uint32_t read32(uint64_t addr)
{
	uint32_t value;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(addr) : "memory");
	return value;
}

static inline void write32(uint64_t addr, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(addr) : "memory");
}

static inline uint64_t read64(uint64_t addr)
{
	uint64_t value;

	__asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(addr) : "memory");
	return value;
}

static inline void write64(uint64_t addr, uint64_t value)
{
	__asm__ volatile("str %0, [%1]" ::"r"(value), "r"(addr) : "memory");
}

static inline uint8_t read8(uint64_t addr)
{
	uint32_t value;

	__asm__ volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(addr) : "memory");
	return (uint8_t)value;
}

static inline void write8(uint64_t addr, uint8_t value)
{
	__asm__ volatile("strb %w0, [%1]" ::"r"(value), "r"(addr) : "memory");
}

static inline uint16_t read16(uint64_t addr)
{
	uint32_t value;

	__asm__ volatile("ldrh %w0, [%1]" : "=r"(value) : "r"(addr) : "memory");
	return (uint16_t)value;
}

static inline void write16(uint64_t addr, uint16_t value)
{
	__asm__ volatile("strh %w0, [%1]" ::"r"((uint32_t)value), "r"(addr) : "memory");
}

#endif
