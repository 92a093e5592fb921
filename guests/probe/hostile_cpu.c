/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile use of what a guest's own CPU gives it: cache and TLB maintenance, MMU and caches on and off, the other
 * endianness; and of the virtual UART, clock and watchdog. None of it may reach further than the guest.
 */
#include "hostile.h"

#include "access.h"
#include "dev.h"
#include "gic.h"
#include "psci.h"
#include "timer.h"

/* ---- caches and TLBs ---- */

#define PATTERN_WORDS 512u

static uint64_t pattern[PATTERN_WORDS];

static void pattern_write(uint64_t seed)
{
	for (unsigned int i = 0; i < PATTERN_WORDS; i++)
		pattern[i] = seed * 0x9e3779b97f4a7c15ull + i;
	dsb();
}

static enum outcome pattern_check(const char *after, uint64_t seed)
{
	for (unsigned int i = 0; i < PATTERN_WORDS; i++)
		CHECK(pattern[i] == seed * 0x9e3779b97f4a7c15ull + i, "%s: word %u is %lx", after, i, pattern[i]);
	return OUTCOME_OK;
}

enum set_way { DC_ISW, DC_CSW, DC_CISW };

/* Every set and way of every level that CLIDR_EL1 names (DDI 0487, D7.5). */
static void set_way_all(enum set_way op)
{
	uint64_t clidr = sysreg_read(clidr_el1);

	for (uint32_t level = 0; level < 7; level++) {
		uint64_t ccsidr, line, sets, ways, way_shift;

		if ((clidr >> 3 * level & 7) < 2)
			continue;
		sysreg_write(csselr_el1, level << 1);
		isb();
		ccsidr = sysreg_read(ccsidr_el1);
		line = (ccsidr & 7) + 4;
		ways = ccsidr >> 3 & 0x3ff;
		sets = ccsidr >> 13 & 0x7fff;
		way_shift = ways ? (uint64_t)__builtin_clz((uint32_t)ways) : 32;
		for (uint64_t set = 0; set <= sets; set++) {
			for (uint64_t way = 0; way <= ways; way++) {
				uint64_t arg = way << way_shift | set << line | level << 1;

				if (op == DC_ISW)
					__asm__ volatile("dc isw, %0" ::"r"(arg) : "memory");
				else if (op == DC_CSW)
					__asm__ volatile("dc csw, %0" ::"r"(arg) : "memory");
				else
					__asm__ volatile("dc cisw, %0" ::"r"(arg) : "memory");
			}
		}
	}
	dsb();
}

static enum outcome set_way_case(enum set_way op, const char *name)
{
	pattern_write(op + 1);
	trap_expect();
	for (unsigned int i = 0; i < 10; i++)
		set_way_all(op);
	TRY(want_nothing(name));
	TRY(pattern_check(name, op + 1));
	return still_sound();
}

enum outcome case_cache_isw(void)
{
	return set_way_case(DC_ISW, "DC ISW");
}

enum outcome case_cache_csw(void)
{
	return set_way_case(DC_CSW, "DC CSW");
}

enum outcome case_cache_cisw(void)
{
	return set_way_case(DC_CISW, "DC CISW");
}

/* Sets, ways and levels that don't exist. */
enum outcome case_cache_set_way_garbage(void)
{
	pattern_write(9);
	trap_expect();
	for (unsigned int bit = 0; bit < 64; bit++) {
		uint64_t arg = 1ull << bit;

		__asm__ volatile("dc isw, %0; dc csw, %0; dc cisw, %0" ::"r"(arg) : "memory");
		__asm__ volatile("dc isw, %0; dc csw, %0; dc cisw, %0" ::"r"(~arg) : "memory");
		sysreg_write(csselr_el1, arg);
		isb();
		(void)sysreg_read(ccsidr_el1);
	}
	dsb();
	TRY(want_nothing("set/way garbage"));
	TRY(pattern_check("set/way garbage", 9));
	return still_sound();
}

/* By address over all of the VM's memory, and over what isn't the VM's. */
enum outcome case_cache_by_address(void)
{
	static const uint64_t outside[] = { 0x3fff0000, 0x42000000, 0x7ff00000 };

	pattern_write(10);
	mmu_on();
	trap_expect();
	for (uint64_t at = (uintptr_t)pattern; at < ram_end(); at += 64)
		__asm__ volatile("dc civac, %0" ::"r"(at) : "memory");
	for (unsigned int i = 0; i < ARRAY_SIZE(outside); i++)
		for (uint64_t at = 0; at < 0x10000; at += 64) {
			uint64_t va = mmu_address(MMU_EL1, outside[i] + at);

			__asm__ volatile("dc civac, %0; dc cvac, %0; ic ivau, %0" ::"r"(va) : "memory");
		}
	dsb();
	/* Nothing to maintain, or told: but never more than one exception each, and no other kind. */
	if (trap_done())
		CHECK(ESR_EC(cpu_self()->trap_esr) == EC_DATA_ABORT, "ESR %lx", cpu_self()->trap_esr);
	mmu_off();
	return pattern_check("maintenance by address", 10);
}

enum outcome case_cache_icache_storm(void)
{
	trap_expect();
	for (unsigned int i = 0; i < 20000; i++)
		__asm__ volatile("ic ialluis; ic iallu" ::: "memory");
	dsb();
	isb();
	TRY(want_nothing("IC IALLUIS"));
	return still_sound();
}

static void tlb_round(uint64_t arg)
{
	__asm__ volatile("tlbi vmalle1is; tlbi vmalle1; tlbi vae1is, %0; tlbi vae1, %0; tlbi aside1is, %0; "
			 "tlbi aside1, %0; tlbi vaae1is, %0; tlbi vale1is, %0; tlbi vaale1is, %0" ::"r"(arg)
			 : "memory");
}

enum outcome case_tlb_storm(void)
{
	mmu_on();
	trap_expect();
	for (uint64_t i = 0; i < 10000; i++)
		tlb_round(i * 0x1234567ull << 16 | i);
	dsb();
	isb();
	TRY(want_nothing("TLBI"));
	mmu_off();
	return still_sound();
}

static void tlb_worker(struct cpu *c)
{
	mmu_on();
	c->stage = 1;
	while (!cpu_stop && c->stage == 1) {
		tlb_round(c->result[0]++);
		dsb();
		cpu_yield();
	}
	mmu_off();
}

/* Broadcast invalidations by all CPUs at once. */
enum outcome case_tlb_storm_cpus(void)
{
	for (uint32_t i = 1; i < cpu_count; i++)
		cpus[i].result[0] = 0;
	TRY(others_start(tlb_worker));
	for (uint64_t i = 0; i < 3000; i++) {
		tlb_round(i);
		dsb();
	}
	for (uint32_t i = 1; i < cpu_count; i++)
		CHECK(WAIT_FOR(cpus[i].result[0], PATIENCE_US), "cpu %u does nothing", i);
	TRY(others_join());
	return still_sound();
}

/* ---- MMU ---- */

enum outcome case_mmu_toggle(void)
{
	for (uint64_t i = 0; i < 5000; i++) {
		mmu_on();
		CHECK(read32(GUEST_UART_BASE + UARTPERIPHID0) == 0x11, "round %lu: the UART is gone", i);
		mmu_off();
	}
	return still_sound();
}

/* Caches on and off with the MMU off and on; the hypervisor's own view of guest memory doesn't depend on it. */
enum outcome case_mmu_caches(void)
{
	uint64_t sctlr;

	pattern_write(11);
	for (uint64_t i = 0; i < 2000; i++) {
		if (i & 4)
			mmu_on();
		sctlr = sysreg_read(sctlr_el1);
		sysreg_write(sctlr_el1, sctlr | (i & 1 ? 1ull << 2 : 0) | (i & 2 ? 1ull << 12 : 0));
		isb();
		CHECK(psci_hvc(PSCI_VERSION, 0, 0, 0) > 0, "round %lu: no answer", i);
		sysreg_write(sctlr_el1, sctlr);
		isb();
		mmu_off();
	}
	return pattern_check("caches on and off", 11);
}

/* Attributes, sizes and bases of translation that mean nothing, with the MMU off. */
enum outcome case_mmu_registers(void)
{
	static const uint64_t values[] = { 0,         ~0ull, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa, 0x00ff44ff00ff44ff,
					   1ull << 47 };

	trap_expect();
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		sysreg_write(mair_el1, values[i]);
		sysreg_write(tcr_el1, values[i]);
		sysreg_write(ttbr0_el1, values[i]);
		sysreg_write(ttbr1_el1, values[i]);
		sysreg_write(contextidr_el1, values[i]);
		sysreg_write(amair_el1, values[i]);
		isb();
		__asm__ volatile("tlbi vmalle1; dsb sy; isb" ::: "memory");
		CHECK(psci_hvc(PSCI_VERSION, 0, 0, 0) > 0, "no answer with %lx", values[i]);
	}
	sysreg_write(ttbr1_el1, 0);
	TRY(want_nothing("translation registers"));
	return still_sound();
}

/* A big-endian load gets the bytes of a device in the other order (DDI 0487, B2.6.2). */
enum outcome case_big_endian(void)
{
	uint32_t got;

	/* SCTLR_EL1.EE on a CPU without mixed endianness is fixed. */
	if (!(sysreg_read(id_aa64mmfr0_el1) >> 8 & 0xf))
		return skip("no big-endian data here");
	got = read32_swapped(GUEST_UART_BASE + UARTPERIPHID0);
	CHECK(got == 0x11000000, "UARTPeriphID0 read big-endian is %x, want 11000000", got);
	got = read32_swapped((uintptr_t)&pattern[0]);
	CHECK(got == __builtin_bswap32((uint32_t)pattern[0]), "memory read big-endian is %x", got);
	return OUTCOME_OK;
}

/* ---- UART and clock ---- */

static enum outcome sweep_device(uint64_t base, uint32_t first, uint32_t last)
{
	trap_expect();
	for (uint32_t at = first; at < last; at++) {
		(void)read8(base + at);
		if (!(at & 1))
			(void)read16(base + at);
		if (!(at & 3))
			(void)read32(base + at);
	}
	return want_nothing("a read");
}

enum outcome case_uart_read_all(void)
{
	return sweep_device(GUEST_UART_BASE, 0, GUEST_UART_SIZE);
}

/* Every register but UARTDR written with ones and zeroes; then it prints as before. */
enum outcome case_uart_write_all(void)
{
	static const uint32_t values[] = { ~0u, 0, 0xa5a5a5a5 };

	trap_expect();
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		for (uint32_t at = 4; at < GUEST_UART_SIZE; at += 4) {
			write32(GUEST_UART_BASE + at, values[i]);
			write8(GUEST_UART_BASE + at + 1, (uint8_t)values[i]);
			write16(GUEST_UART_BASE + at + 2, (uint16_t)values[i]);
		}
	}
	print_init();
	TRY(want_nothing("a write to the UART"));
	return still_sound();
}

/* 64 bits are more than any of its registers has. */
enum outcome case_uart_sizes(void)
{
	for (uint32_t at = 0; at < GUEST_UART_SIZE; at += 8) {
		trap_expect();
		(void)read64(GUEST_UART_BASE + at);
		TRY(want_trap("a double word", ESR_DATA_ABORT(0), GUEST_UART_BASE + at));
		trap_expect();
		write64(GUEST_UART_BASE + at, 0);
		TRY(want_trap("a double word", ESR_DATA_ABORT(1), GUEST_UART_BASE + at));
	}
	return OUTCOME_OK;
}

/* Loop back beyond the FIFO, both depths, read out again: overruns, and never more bytes than were kept. */
enum outcome case_uart_loop_back(void)
{
	for (uint32_t fifo = 0; fifo < 2; fifo++) {
		uint32_t count = 0;

		write32(GUEST_UART_BASE + UARTLCR_H, UARTLCR_H_8BIT | (fifo ? UARTLCR_H_FEN : 0));
		write32(GUEST_UART_BASE + UARTCR, 1u << 7 | UARTCR_UARTEN | UARTCR_TXE | UARTCR_RXE);
		for (uint32_t i = 0; i < 5000; i++)
			write32(GUEST_UART_BASE + UARTDR, i & 0xff);
		CHECK(read32(GUEST_UART_BASE + UARTRSR) & 1u << 3, "no overrun");
		while (!(read32(GUEST_UART_BASE + UARTFR) & UARTFR_RXFE) && count < 100) {
			uint32_t byte = read32(GUEST_UART_BASE + UARTDR) & 0xff;

			CHECK(byte == count, "byte %u reads %x", count, byte);
			count++;
		}
		CHECK(count == (fifo ? 16 : 1), "%u bytes were kept", count);
		write32(GUEST_UART_BASE + UARTRSR, 0);
	}
	print_init();
	return still_sound();
}

/* The interrupt's line up and down by mask and clear, 10000 times. */
enum outcome case_uart_line(void)
{
	for (uint32_t i = 0; i < 10000; i++) {
		write32(GUEST_UART_BASE + UARTIMSC, i & 1 ? 0x7ff : 0);
		write32(GUEST_UART_BASE + UARTICR, i & 2 ? 0x7ff : 0);
	}
	write32(GUEST_UART_BASE + UARTIMSC, 0);
	return still_sound();
}

enum outcome case_rtc_read_all(void)
{
	return sweep_device(GUEST_RTC_BASE, 0, GUEST_RTC_SIZE);
}

enum outcome case_rtc_write_all(void)
{
	static const uint32_t values[] = { ~0u, 0, 0xa5a5a5a5, 0x80000000 };

	trap_expect();
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		for (uint32_t at = 0; at < GUEST_RTC_SIZE; at += 4) {
			write32(GUEST_RTC_BASE + at, values[i]);
			write8(GUEST_RTC_BASE + at + 1, (uint8_t)values[i]);
		}
	}
	TRY(want_nothing("a write to the clock"));
	write32(GUEST_RTC_BASE + RTCIMSC, 0);
	write32(GUEST_RTC_BASE + RTCICR, 1);
	return still_sound();
}

/* Alarms at, before and long after the time, and the time set back and forth. */
enum outcome case_rtc_extremes(void)
{
	static const uint32_t times[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };

	for (unsigned int round = 0; round < 50; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(times); i++) {
			write32(GUEST_RTC_BASE + RTCLR, times[i]);
			CHECK(read32(GUEST_RTC_BASE + RTCDR) - times[i] <= 1, "the time is %x, set to %x",
			      read32(GUEST_RTC_BASE + RTCDR), times[i]);
			for (unsigned int j = 0; j < ARRAY_SIZE(times); j++)
				write32(GUEST_RTC_BASE + RTCMR, times[j] + round);
		}
	}
	write32(GUEST_RTC_BASE + RTCICR, 1);
	return still_sound();
}

enum outcome case_rtc_sizes(void)
{
	for (uint32_t at = 0; at < GUEST_RTC_SIZE; at += 8) {
		trap_expect();
		(void)read64(GUEST_RTC_BASE + at);
		TRY(want_trap("a double word", ESR_DATA_ABORT(0), GUEST_RTC_BASE + at));
		trap_expect();
		write64(GUEST_RTC_BASE + at, 0);
		TRY(want_trap("a double word", ESR_DATA_ABORT(1), GUEST_RTC_BASE + at));
	}
	return OUTCOME_OK;
}

/* ---- watchdog (Arm BSA, Generic Watchdog): refresh frame, then control frame ---- */

#define WDT_WRR GUEST_WDT_BASE
#define WDT_WCS (GUEST_WDT_BASE + GUEST_WDT_FRAME)
#define WDT_WOR (WDT_WCS + 0x08)
#define WDT_WCV (WDT_WCS + 0x10)
#define WDT_MOST_US (4000000u / 2) /* boards/<board>/hostile.dts: watchdog-ms, in two timeouts */

enum outcome case_wdt_read_all(void)
{
	TRY(sweep_device(GUEST_WDT_BASE, 0, 0x1000));
	return sweep_device(WDT_WCS, 0, 0x1000);
}

/* Everything written, all sizes; switched off again each time. */
enum outcome case_wdt_write_all(void)
{
	static const uint64_t values[] = { ~0ull, 0, 0xa5a5a5a5a5a5a5a5, 0x5a5a5a5a5a5a5a5a };

	trap_expect();
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		for (uint64_t at = GUEST_WDT_BASE; at < GUEST_WDT_BASE + GUEST_WDT_SIZE; at += 0x88) {
			write64(at, values[i]);
			write32(at + 4, (uint32_t)values[i]);
			write16(at + 2, (uint16_t)values[i]);
			write8(at + 1, (uint8_t)values[i]);
			write32(WDT_WCS, 0);
		}
	}
	TRY(want_nothing("a write to the watchdog"));
	return still_sound();
}

/* However long a time is asked for, by offset or by compare value: the configured one is the longest. */
enum outcome case_wdt_longest(void)
{
	/* The offset has 48 bits; none of these is 0 in them, which would be at once. */
	static const uint64_t long_times[] = { ~0ull, 1ull << 47, 0xffffffffffff, 1ull << 63 | 1ull << 46 };
	uint64_t most = us_to_ticks(WDT_MOST_US);

	for (unsigned int i = 0; i < ARRAY_SIZE(long_times); i++) {
		write64(WDT_WOR, long_times[i]);
		write32(WDT_WCS, 1);
		CHECK(read64(WDT_WCV) - now() <= most, "WOR %lx: %lu ticks to go, at most %lu", long_times[i],
		      read64(WDT_WCV) - now(), most);
		write64(WDT_WCV, long_times[i]);
		CHECK(read64(WDT_WCV) - now() <= most, "WCV %lx: %lu ticks to go, at most %lu", long_times[i],
		      read64(WDT_WCV) - now(), most);
		write32(WDT_WCS, 0);
	}
	return still_sound();
}

/* On and off, refreshed, moved, without end. */
enum outcome case_wdt_storm(void)
{
	for (uint32_t i = 0; i < 20000; i++) {
		write32(WDT_WCS, i & 1);
		write32(WDT_WRR, i);
		write64(WDT_WOR, us_to_ticks(100000) + i);
		write64(WDT_WCV, now() + us_to_ticks(50000));
	}
	write32(WDT_WCS, 0);
	return still_sound();
}
