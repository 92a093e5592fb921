/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways to end, to get stuck and to misbehave for ever: the options crash= and role=flood, alive, spin. A kind whose
 * exception comes back to the guest says so in one line and hangs, as a kernel does after its panic, for a watchdog to
 * find; what comes after `told` can be chosen by then=.
 */
#include "life.h"

#include "access.h"
#include "gic.h"
#include "mmu.h"
#include "psci.h"
#include "timer.h"

#define NOWHERE 0x0b000000ull
#define NAP_US 10000u
#define ALIVE_TICKS 100u

/* ---- crash= ---- */

static void crash_data(void)
{
	(void)read32(NOWHERE);
}

static void crash_write(void)
{
	write32(NOWHERE + 4, 1);
}

static void crash_fetch(void)
{
	((void (*)(void))NOWHERE)();
}

/* insn=<name of access.def> at=<address> */
static void crash_access(void)
{
	access_find(option_text("insn"))->run(option_number("at", NOWHERE), ~0ull);
}

static void crash_access_el0(void)
{
	struct el0_exit x;

	mmu_on();
	el0_run((const void *)access_find(option_text("insn"))->run, mmu_address(MMU_EL0, option_number("at", NOWHERE)),
		0, &x);
}

/* A table of stage 1 where nothing is: of the addresses above, and of those that the code itself lies at. */
static void crash_walk(void)
{
	mmu_on();
	mmu_set_high(NOWHERE);
	(void)read64(MMU_HIGH);
}

static void crash_ttbr(void)
{
	mmu_on();
	sysreg_write(ttbr0_el1, option_number("at", NOWHERE));
	isb();
	__asm__ volatile("tlbi vmalle1; dsb sy; isb" ::: "memory");
}

static void crash_undef(void)
{
	__asm__ volatile(".inst 0x00000000" ::: "memory");
}

static void crash_sleep(void)
{
	irq_disable();
	vtimer.set_ctl(0);
	ptimer.set_ctl(0);
	for (;;)
		wfi();
}

static void crash_reset(void)
{
	(void)psci_hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
}

static void crash_off(void)
{
	(void)psci_hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
}

static void crash_cpu_off(void)
{
	(void)psci_hvc(PSCI_CPU_OFF, 0, 0, 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "data", crash_data },          /* a load where nothing is */
	{ "write", crash_write },        /* a store there */
	{ "fetch", crash_fetch },        /* a branch there */
	{ "access", crash_access },      /* any instruction of access.def */
	{ "el0", crash_access_el0 },     /* likewise from EL0 */
	{ "walk", crash_walk },          /* a load by a table where nothing is */
	{ "ttbr", crash_ttbr },          /* the same for the code itself, with the MMU on */
	{ "undef", crash_undef },        /* UDF */
	{ "loop", life_vbar_outside },   /* exceptions for ever, each by way of the hypervisor */
	{ "loop-el1", life_vbar_undef }, /* exceptions for ever that never leave EL1 */
	{ "stack", life_sp_outside },    /* a stack pointer where nothing is */
	{ "hang", life_spin_masked },    /* spins with interrupts masked */
	{ "sleep", crash_sleep },        /* WFI with nothing that could wake it */
	{ "reset", crash_reset },        /* PSCI SYSTEM_RESET */
	{ "off", crash_off },            /* PSCI SYSTEM_OFF */
	{ "cpu-off", crash_cpu_off },    /* PSCI CPU_OFF of this CPU */
};

static void (*crash_run)(void);
static volatile bool crash_over;

static void crash_here(struct cpu *c)
{
	uint32_t traps;

	trap_expect();
	crash_run();
	traps = trap_done();
	c->result[0] = traps;
	dsb();
	crash_over = true;
}

/* cpu= chooses who does it; the boot CPU then only waits. */
static void crash_on(uint32_t index)
{
	if (!index) {
		crash_here(cpu_self());
		return;
	}
	if (index >= cpu_count || cpu_start(index, crash_here) != OUTCOME_OK) {
		print("probe: FAIL cpu %u can't be started: %s\n", index, case_why);
		return;
	}
	for (uint64_t n = 0, last = option_number("stop_ms", 0) * 1000 / NAP_US; !crash_over; n++) {
		timer_nap_us(NAP_US);
		if (last && n >= last)
			return;
	}
	(void)cpu_join(index);
}

/* Mistyped names must not look like something that was survived. */
static bool usable(const char *kind)
{
	const char *insn = option_text("insn");

	if (strcmp(kind, "access") && strcmp(kind, "el0"))
		return true;
	return insn && access_find(insn) < access_table_end;
}

/*
 * others=chaos: the other CPUs start each other, go off, send SGIs, look at each other's interrupts, arm timers, sleep; whatever
 * the VM's end finds them at.
 */
static void chaos(struct cpu *c)
{
	uint64_t x = c->index + 1, sgi = GUEST_GICR_BASE + GICR_SGI_FRAME;

	for (uint32_t i = 0; i < 200; i++) {
		uint32_t other;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		other = (uint32_t)(x >> 8) % cpu_count;
		switch (x % 8) {
		case 0:
			(void)psci_hvc(PSCI_CPU_ON, cpus[other].mpidr, (uintptr_t)secondary_start, other);
			break;
		case 1:
			gic_sgi_others((uint32_t)x & 15);
			break;
		case 2:
			(void)read32(sgi + other * GUEST_GICR_STRIDE + GICD_ISPENDR);
			break;
		case 3:
			write32(sgi + other * GUEST_GICR_STRIDE + GICD_ICPENDR, (uint32_t)x);
			break;
		case 4:
			vtimer.set_cval(now() + (x & 0xffff));
			vtimer.set_ctl(TIMER_ENABLE);
			break;
		case 5:
			vm_yield();
			break;
		case 6:
			gic_route(40 + (uint32_t)x % 8, cpus[other].mpidr);
			break;
		default:
			gic_set_pending(40 + (uint32_t)x % 8);
			break;
		}
		cpu_yield();
	}
}

static void chaos_start(void)
{
	for (uint32_t i = 1; i < cpu_count; i++)
		cpus[i].index = i, cpus[i].work = chaos;
	dsb();
	for (uint32_t i = 1; i < cpu_count; i++)
		(void)psci_hvc(PSCI_CPU_ON, cpus[i].mpidr, (uintptr_t)secondary_start, i);
}

/* As long as after_ms= says; with chaos, CPU 0 starts those again that went off. */
static void wait_ms(uint64_t ms)
{
	const char *others = option_text("others");
	uint64_t start = now();

	while (now() - start < us_to_ticks(ms * 1000)) {
		if (others && !strcmp(others, "chaos"))
			chaos_start(), delay_us(100);
		else
			timer_nap_us(NAP_US);
	}
}

bool life_crash(const char *kind)
{
	uint64_t ms = option_number("after_ms", 0);
	uint32_t index = (uint32_t)option_number("cpu", 0);
	struct cpu *c = &cpus[index % CPU_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kind, kinds[i].name) || !usable(kind))
			continue;
		print("probe: crash %s on cpu %u after %lu ms\n", kind, index, ms);
		wait_ms(ms);
		crash_run = kinds[i].run;
		crash_on(index);
		if (!crash_over)
			print("probe: crash %s goes on, without it\n", kind);
		else if (c->result[0])
			print("probe: crash %s told ESR %lx FAR %lx\n", kind, c->trap_esr, c->trap_far);
		else
			print("probe: crash %s had no effect\n", kind);
		if (!option_text("then"))
			life_spin_masked();
		return true;
	}
	return false;
}

/* ---- roles ---- */

/* As much console output as the guest can make, in numbered lines. */
static void round_flood(uint64_t i)
{
	print("probe: flood %lu 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789\n", i);
}

static volatile uint32_t alive_ticks;
static uint64_t alive_deadline, alive_late;

static void on_tick(struct cpu *c, uint32_t intid)
{
	uint64_t late = now() - alive_deadline;

	(void)c;
	if (late > alive_late)
		alive_late = late;
	alive_ticks++;
	alive_deadline += us_to_ticks(10000);
	vtimer.set_cval(alive_deadline);
	gic_eoi(intid);
}

/* A tick of the virtual timer every 10 ms; after each 100 of them a line with the latest one's lateness. */
static void round_alive(uint64_t i)
{
	if (!i) {
		cpu_self()->on_irq = on_tick;
		timer_setup(&vtimer);
		alive_deadline = now() + us_to_ticks(10000);
		vtimer.set_cval(alive_deadline);
		vtimer.set_ctl(TIMER_ENABLE);
	}
	alive_late = 0;
	while (alive_ticks < (i + 1) * ALIVE_TICKS) {
		wfi();
		irq_enable();
		isb();
		irq_disable();
	}
	print("probe: alive %lu at %lu ms, late at most %lu us\n", i, ticks_to_ns(now()) / 1000000,
	      ticks_to_ns(alive_late) / 1000);
}

/* Computes for ever with interrupts open, and says nothing. */
static void round_spin(uint64_t i)
{
	volatile uint64_t sink = i;

	for (unsigned int n = 0; n < 1000; n++)
		sink += n;
}

static const struct {
	const char *name;
	void (*round)(uint64_t i);
} roles[] = {
	{ "flood", round_flood },
	{ "alive", round_alive },
	{ "spin", round_spin },
};

bool life_role(const char *role)
{
	uint64_t rounds = option_number("rounds", 0);

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		if (strcmp(role, roles[i].name))
			continue;
		for (uint64_t n = 0; !rounds || n < rounds; n++)
			roles[i].round(n);
		return true;
	}
	return false;
}
