/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storms: as many exits of one kind as a guest can cause, and interrupts, timers, sleeps, console output without end for a
 * bounded time. Each ends with the VM's own machine sound; that nobody else noticed is for the test to see.
 */
#include "hostile.h"

#include "abi/camber_call.h"
#include "access.h"
#include "dev.h"
#include "gic.h"
#include "psci.h"
#include "timer.h"

#define EXITS 100000u
#define STORM_US 20000u /* of virtual time */

#define STORM_FOR(us) for (uint64_t storm_end = now() + us_to_ticks(us); now() < storm_end;)

/* ---- a hundred thousand exits of each kind ---- */

#define EXITS_CASE(name, action)                                                                                       \
	enum outcome case_exits_##name(void)                                                                           \
	{                                                                                                              \
		for (uint32_t i = 0; i < EXITS; i++) {                                                                 \
			action;                                                                                        \
		}                                                                                                      \
		return still_sound();                                                                                  \
	}

EXITS_CASE(hvc, (void)psci_hvc(PSCI_VERSION, 0, 0, 0))
EXITS_CASE(hvc_unknown, (void)psci_hvc(0x8400ff00u + (i & 0xff), i, i, i))
EXITS_CASE(smc, (void)psci_smc(PSCI_VERSION, 0, 0, 0))
EXITS_CASE(xen, (void)xen_call(XEN_VERSION, 0, 0))
EXITS_CASE(yield, vm_yield())
EXITS_CASE(idreg, (void)sysreg_read(id_aa64pfr0_el1))
EXITS_CASE(cntp, sysreg_write(cntp_cval_el0, i))
EXITS_CASE(debug, sysreg_write(s2_0_c0_c2_2, i))
EXITS_CASE(gicd, (void)gicd_read(GICD_TYPER))
EXITS_CASE(gicd_bank, (void)gicd_read(GICD_ISPENDR + 4))
EXITS_CASE(gicr, (void)read32(GUEST_GICR_BASE + GICR_WAKER))
EXITS_CASE(uart, (void)read32(GUEST_UART_BASE + UARTFR))
EXITS_CASE(rtc, (void)read32(GUEST_RTC_BASE + RTCDR))
EXITS_CASE(sgi_nobody, sysreg_write(icc_sgi1r_el1, 1ull << 16 | 1))
EXITS_CASE(camber_mode, (void)psci_hvc(CAMBER_CALL_RT_MODE, ~i & 3, 0, 0))
EXITS_CASE(camber_sleep, (void)psci_hvc(CAMBER_CALL_RT_SLEEP, i, 0, 0))
EXITS_CASE(affinity, (void)psci_hvc(PSCI_AFFINITY_INFO, i, i & 3, 0))

/* Exceptions that the hypervisor injects, and with them the lines that it would like to write. */
#define TOLD_CASE(name, action, esr_wanted)                                                                            \
	enum outcome case_exits_##name(void)                                                                           \
	{                                                                                                              \
		struct cpu *c = cpu_self();                                                                            \
                                                                                                                       \
		for (uint32_t i = 0; i < EXITS / 4; i++) {                                                             \
			trap_expect();                                                                                 \
			action;                                                                                        \
			CHECK(trap_done() == 1 && c->trap_esr == (esr_wanted), "round %u: ESR %lx, want %lx", i,       \
			      c->trap_esr, (uint64_t)(esr_wanted));                                                    \
		}                                                                                                      \
		return still_sound();                                                                                  \
	}

TOLD_CASE(undef, (void)sysreg_read(s3_0_c5_c4_0), ESR_UNDEF) /* ERXFR_EL1 */
TOLD_CASE(abort, (void)read32(NOWHERE + 4 * (i & 0xff)), ESR_DATA_ABORT(0))
TOLD_CASE(abort_write, write32(NOWHERE + 4 * (i & 0xff), i), ESR_DATA_ABORT(1))
TOLD_CASE(fetch_abort, access_execute(NOWHERE + 4 * (i & 0xff)), ESR_FETCH_ABORT)
TOLD_CASE(no_syndrome, access_find("ldp")->run(GUEST_UART_BASE, 0), ESR_DATA_ABORT(0))
TOLD_CASE(impdef, (void)sysreg_read(s3_1_c15_c2_0), ESR_UNDEF)

/* ---- sleeping ---- */

/* WFI with an interrupt pending that PSTATE masks: it never sleeps. */
enum outcome case_storm_wfi(void)
{
	gic_setup_edge(5, 0x80);
	gic_sgi(cpus[0].mpidr, 5);
	for (uint32_t i = 0; i < EXITS; i++)
		__asm__ volatile("wfi" ::: "memory");
	return still_sound();
}

enum outcome case_storm_wfe(void)
{
	for (uint32_t i = 0; i < EXITS; i++)
		__asm__ volatile("sevl; wfe; sev; wfe" ::: "memory");
	return still_sound();
}

/* Standby by PSCI, likewise. */
enum outcome case_storm_suspend(void)
{
	gic_setup_edge(5, 0x80);
	gic_sgi(cpus[0].mpidr, 5);
	for (uint32_t i = 0; i < EXITS; i++)
		(void)psci_hvc(PSCI_CPU_SUSPEND, 0, 0, 0);
	return still_sound();
}

/* Sleeps of a few microseconds: to sleep and awake again all the time. */
enum outcome case_storm_naps(void)
{
	STORM_FOR(STORM_US)
	timer_nap_us(3);
	return still_sound();
}

/* ---- timers ---- */

static const struct timer *storm_timer;
static uint64_t storm_stop; /* the handler is all that runs, so it looks at the time */

static void on_timer_again(struct cpu *c, uint32_t intid)
{
	if (now() < storm_stop)
		storm_timer->set_cval(now());
	else
		storm_timer->set_ctl(0);
	c->irq_count++;
	gic_eoi(intid);
}

static enum outcome timer_storm(const struct timer *t)
{
	struct cpu *c = cpu_self();

	storm_timer = t;
	storm_stop = now() + us_to_ticks(STORM_US);
	c->on_irq = on_timer_again;
	timer_setup(t);
	t->set_cval(0);
	t->set_ctl(TIMER_ENABLE);
	irq_enable();
	STORM_FOR(STORM_US)
	cpu_yield();
	irq_disable();
	t->set_ctl(0);
	CHECK(c->irq_count > STORM_US / 100, "%u interrupts in %u us", c->irq_count, STORM_US);
	info("%u interrupts in %u us", c->irq_count, STORM_US);
	return still_sound();
}

enum outcome case_storm_vtimer(void)
{
	return timer_storm(&vtimer);
}

enum outcome case_storm_ptimer(void)
{
	return timer_storm(&ptimer);
}

/* A deadline that has always passed and is never moved: the handler is all that runs. */
static void on_vtimer_stuck(struct cpu *c, uint32_t intid)
{
	if (++c->irq_count >= 20000)
		vtimer.set_ctl(0);
	gic_eoi(intid);
}

enum outcome case_storm_timer_stuck(void)
{
	struct cpu *c = cpu_self();

	c->on_irq = on_vtimer_stuck;
	timer_setup(&vtimer);
	vtimer.set_cval(0);
	vtimer.set_ctl(TIMER_ENABLE);
	irq_enable();
	CHECK(WAIT_FOR(c->irq_count >= 20000, PATIENCE_US), "%u interrupts", c->irq_count);
	irq_disable();
	return still_sound();
}

/* Compare values and controls written without end, all around the present. */
enum outcome case_storm_timer_writes(void)
{
	for (uint32_t i = 0; i < EXITS / 2; i++) {
		sysreg_write(cntp_tval_el0, (int32_t)(i * 2654435761u));
		sysreg_write(cntp_ctl_el0, i & 3);
		sysreg_write(cntv_cval_el0, now() + (i & 0xff) - 0x80);
		sysreg_write(cntv_ctl_el0, i & 3);
	}
	vtimer.set_ctl(0);
	ptimer.set_ctl(0);
	return still_sound();
}

/* ---- interrupts ---- */

static void on_count(struct cpu *c, uint32_t intid)
{
	c->irq_count++;
	gic_eoi(intid);
}

enum outcome case_storm_sgi_self(void)
{
	struct cpu *c = cpu_self();
	uint32_t sent = 0;

	c->on_irq = on_count;
	gic_enable(3);
	irq_enable();
	STORM_FOR(STORM_US)
	gic_sgi(c->mpidr, 3), sent++;
	irq_disable();
	CHECK(c->irq_count && c->irq_count <= sent, "%u of %u SGIs", c->irq_count, sent);
	return still_sound();
}

static void send_all_the_time(struct cpu *c)
{
	c->on_irq = on_count;
	for (uint32_t i = 0; i < 15; i++)
		gic_enable(i);
	irq_enable();
	c->stage = 1;
	for (uint32_t i = 0; !cpu_stop && c->stage == 1; i++) {
		gic_sgi_others(i % 15);
		if (!(i & 15))
			cpu_yield();
	}
	irq_disable();
}

/* All CPUs send all SGIs to all others. */
enum outcome case_storm_sgi_all(void)
{
	TRY(others_start(send_all_the_time));
	cpu_self()->on_irq = on_count;
	for (uint32_t i = 0; i < 15; i++)
		gic_enable(i);
	irq_enable();
	STORM_FOR(STORM_US)
	{
		gic_sgi_others(7);
		cpu_yield();
	}
	irq_disable();
	for (uint32_t i = 1; i < cpu_count; i++)
		CHECK(WAIT_FOR(cpus[i].irq_count, PATIENCE_US), "no SGI came to cpu %u", i);
	TRY(others_join());
	return still_sound();
}

static void sleep_once(void)
{
	wfi();
	irq_enable();
	isb();
	irq_disable();
}

/* Asleep until the other one's SGI, which is answered by one. */
static void return_ball(struct cpu *c)
{
	uint32_t seen = 0;

	c->on_irq = on_count;
	gic_enable(4);
	c->stage = 1;
	while (!cpu_stop && c->stage == 1) {
		sleep_once();
		if (c->irq_count != seen)
			gic_sgi(cpus[0].mpidr, 4);
		seen = c->irq_count;
	}
}

/* Two CPUs wake each other, and sleep meanwhile. The timer is for the case that no SGI comes back. */
enum outcome case_storm_wake(void)
{
	struct cpu *c = cpu_self();
	uint32_t seen = 0;

	TRY(cpu_start(1, return_ball));
	CHECK(WAIT_FOR(cpus[1].stage == 1, PATIENCE_US), "cpu 1 does not start");
	c->on_irq = on_count;
	gic_enable(4);
	timer_setup(&vtimer);
	vtimer.set_cval(now() + us_to_ticks(PATIENCE_US));
	vtimer.set_ctl(TIMER_ENABLE);
	STORM_FOR(STORM_US)
	{
		gic_sgi(cpus[1].mpidr, 4);
		while (c->irq_count == seen)
			sleep_once();
		seen = c->irq_count;
		CHECK(now() < vtimer.cval(), "no SGI comes back after %u", seen);
	}
	vtimer.set_ctl(0);
	cpus[1].stage = 2;
	gic_sgi(cpus[1].mpidr, 4);
	TRY(cpu_join(1));
	info("%u wake-ups in %u us", seen, STORM_US);
	return still_sound();
}

enum outcome case_storm_spis(void)
{
	struct cpu *c = cpu_self();

	c->on_irq = on_count;
	for (uint32_t i = 32; i < 96; i++)
		gic_setup_edge(i, (uint8_t)(i & 0xf8));
	irq_enable();
	STORM_FOR(STORM_US)
	{
		gicd_write(GICD_ISPENDR + 4, ~0u);
		gicd_write(GICD_ISPENDR + 8, ~0u);
	}
	irq_disable();
	CHECK(c->irq_count > 64, "%u interrupts", c->irq_count);
	return still_sound();
}

/* A level that nobody takes back: the handler is all that runs. */
static void on_level(struct cpu *c, uint32_t intid)
{
	if (++c->irq_count >= 5000)
		write32(GUEST_UART_BASE + UARTIMSC, 0);
	gic_eoi(intid);
}

enum outcome case_storm_level(void)
{
	struct cpu *c = cpu_self();

	c->on_irq = on_level;
	gic_set_prio(GUEST_UART_INTID, 0x80);
	gic_route(GUEST_UART_INTID, c->mpidr);
	gic_enable(GUEST_UART_INTID);
	write32(GUEST_UART_BASE + UARTDR, '\r');
	write32(GUEST_UART_BASE + UARTIMSC, UARTINT_TX);
	irq_enable();
	CHECK(WAIT_FOR(c->irq_count >= 5000, PATIENCE_US), "%u interrupts", c->irq_count);
	irq_disable();
	return still_sound();
}

static void take_spis(struct cpu *c)
{
	c->on_irq = on_count;
	irq_enable();
	c->stage = 1;
	while (!cpu_stop && c->stage == 1)
		cpu_yield();
	irq_disable();
}

/* An SPI that is raised and routed from CPU to CPU without end. */
enum outcome case_storm_irouter(void)
{
	uint32_t total;

	TRY(others_start(take_spis));
	cpu_self()->on_irq = on_count;
	gic_setup_edge(50, 0x80);
	irq_enable();
	for (uint32_t i = 0; i < 5000; i++) {
		gic_route(50, cpus[i % cpu_count].mpidr);
		gic_set_pending(50);
		if (!(i & 7))
			cpu_yield();
	}
	irq_disable();
	total = cpu_self()->irq_count;
	for (uint32_t i = 1; i < cpu_count; i++) {
		cpus[i].stage = 2;
		TRY(cpu_join(i));
		total += cpus[i].irq_count;
	}
	CHECK(total && total <= 5000, "%u interrupts", total);
	return still_sound();
}

/* What a sibling has in its list registers is asked for all the time: the guest's instruction is retried until it is told. */
enum outcome case_storm_retry(void)
{
	struct cpu *c = &cpus[1];

	TRY(cpu_start(1, send_all_the_time));
	CHECK(WAIT_FOR(c->stage == 1, PATIENCE_US), "cpu 1 does not start");
	for (uint32_t i = 0; i < 3000; i++) {
		uint64_t sgi = GUEST_GICR_BASE + GUEST_GICR_STRIDE + GICR_SGI_FRAME;

		(void)read32(sgi + GICD_ISPENDR);
		(void)read32(sgi + GICD_ISACTIVER);
		write32(sgi + GICD_ISPENDR, 1u << (i & 7));
		gicd_write(GICD_CTLR, GICD_CTLR_ARE | (i & 1 ? GICD_CTLR_GRP1 : 0));
		if (!(i & 15))
			cpu_yield();
	}
	gicd_write(GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	c->stage = 2;
	TRY(cpu_join(1));
	return still_sound();
}

/* ---- CPUs ---- */

static void off_at_once(struct cpu *c)
{
	c->stage = 1;
}

/* All CPUs on and off, without waiting for one before the next. */
enum outcome case_storm_cpu_on(void)
{
	for (uint32_t round = 0; round < 300; round++) {
		for (uint32_t i = 1; i < cpu_count; i++)
			TRY(cpu_start(i, off_at_once));
		for (uint32_t i = 1; i < cpu_count; i++)
			TRY(cpu_join(i));
	}
	return still_sound();
}

/* Every CPU does another thing at once. */
static void mixed(struct cpu *c)
{
	c->on_irq = on_count;
	gic_enable(2);
	irq_enable();
	c->stage = 1;
	for (uint32_t i = 0; !cpu_stop && c->stage == 1; i++) {
		switch ((i + c->index) % 6) {
		case 0:
			(void)psci_hvc(PSCI_AFFINITY_INFO, i & 3, 0, 0);
			break;
		case 1:
			(void)read32(GUEST_GICR_BASE + (uint64_t)(i % cpu_count) * GUEST_GICR_STRIDE + GICR_SGI_FRAME +
				     GICD_ISPENDR);
			break;
		case 2:
			gic_sgi_others(2);
			break;
		case 3:
			sysreg_write(cntp_tval_el0, i & 0xfff);
			break;
		case 4:
			(void)read32(GUEST_RTC_BASE + RTCDR);
			break;
		default:
			vm_yield();
			break;
		}
		if (!(i & 31))
			cpu_yield();
	}
	irq_disable();
}

enum outcome case_storm_mixed(void)
{
	TRY(others_start(mixed));
	cpu_self()->on_irq = on_count;
	gic_enable(2);
	irq_enable();
	STORM_FOR(2 * STORM_US)
	{
		gic_sgi_others(2);
		(void)psci_hvc(PSCI_CPU_ON, cpus[1].mpidr, 0, 0);
		cpu_yield();
	}
	irq_disable();
	TRY(others_join());
	return still_sound();
}

/* ---- console ---- */

static void uart_raw(char c)
{
	write32(GUEST_UART_BASE + UARTDR, (uint8_t)c);
}

/* Text without pause, in lines. */
enum outcome case_storm_console_lines(void)
{
	uint32_t i = 0;

	STORM_FOR(STORM_US / 4)
	uart_raw(i++ % 100 == 99 ? '\n' : (char)('!' + i % 90));
	uart_raw('\n');
	return still_sound();
}

/* Nothing but ends of lines, each of which is put out by itself. */
enum outcome case_storm_console_newlines(void)
{
	for (uint32_t i = 0; i < 2000; i++)
		uart_raw('\n');
	return still_sound();
}

/* One line without end. */
enum outcome case_storm_console_endless(void)
{
	for (uint32_t i = 0; i < 20000; i++)
		uart_raw('x');
	uart_raw('\n');
	return still_sound();
}

/* Every byte there is: control characters, escape sequences, what isn't text at all. */
enum outcome case_storm_console_control(void)
{
	for (uint32_t i = 0; i < 4096; i++)
		uart_raw((char)(i * 7));
	for (uint32_t i = 0; i < 100; i++) {
		uart_raw(0x1b), uart_raw('['), uart_raw('2'), uart_raw('J');
		uart_raw(0x1b), uart_raw(']'), uart_raw('0'), uart_raw(';'), uart_raw('x'), uart_raw(7);
		uart_raw(1), uart_raw(1), uart_raw(1); /* the console's own escape, from the wrong side */
	}
	uart_raw('\n');
	return still_sound();
}

/* A line that looks like another VM's, or the hypervisor's own: it carries this VM's label all the same. */
enum outcome case_console_forged(void)
{
	const char *text = "\r[rtos] rtos: up\n\r[    0.000000] vm rtos: crashed\n\rcamber: ready\n";

	for (; *text; text++)
		uart_raw(*text);
	return OUTCOME_OK;
}
