/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual devices: PL011 (DDI 0183) and PL031 (DDI 0224). Nothing is expected from the other end of the line.
 */
#include "cases.h"

#include "dev.h"
#include "gic.h"
#include "psci.h"
#include "timer.h"

static uint32_t uart(uint32_t reg)
{
	return read32(GUEST_UART_BASE + reg);
}

static uint32_t rtc(uint32_t reg)
{
	return read32(GUEST_RTC_BASE + reg);
}

static void uart_write(uint32_t reg, uint32_t value)
{
	write32(GUEST_UART_BASE + reg, value);
}

static void rtc_write(uint32_t reg, uint32_t value)
{
	write32(GUEST_RTC_BASE + reg, value);
}

/* PeriphID0..3, PCellID0..3; the revision in PeriphID2[7:4] may be any. */
static enum outcome check_ids(const char *name, uint64_t at, const uint8_t want[8])
{
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t id = read32(at + 4 * i) & (i == 2 ? 0x0f : ~0u);

		CHECK(id == want[i], "%s: identification word %u is %x, want %x", name, i, id, want[i]);
	}
	return OUTCOME_OK;
}

enum outcome case_pl011_regs(void)
{
	static const uint8_t ids[8] = { 0x11, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
	uint32_t saved_lcr = uart(UARTLCR_H), saved_ifls = uart(UARTIFLS);

	TRY(check_ids("PL011", GUEST_UART_BASE + UARTPERIPHID0, ids));
	CHECK(WAIT_FOR(uart(UARTFR) & UARTFR_TXFE, SECOND_US), "UARTFR %x: transmitter never empty", uart(UARTFR));
	CHECK(!(uart(UARTFR) & UARTFR_TXFF), "UARTFR %x: full and empty", uart(UARTFR));
	uart_write(UARTIBRD, 13);
	uart_write(UARTFBRD, 2);
	CHECK(uart(UARTIBRD) == 13 && uart(UARTFBRD) == 2, "baud rate reads %u, %u; wrote 13, 2", uart(UARTIBRD),
	      uart(UARTFBRD));
	uart_write(UARTIFLS, 0x24);
	CHECK(uart(UARTIFLS) == 0x24, "UARTIFLS %x, wrote 24", uart(UARTIFLS));
	uart_write(UARTIFLS, saved_ifls);
	CHECK(saved_lcr == (UARTLCR_H_8BIT | UARTLCR_H_FEN), "UARTLCR_H %x, wrote %x", saved_lcr,
	      UARTLCR_H_8BIT | UARTLCR_H_FEN);
	uart_write(UARTIMSC, 0x7ff);
	CHECK((uart(UARTIMSC) & 0x50) == 0x50, "UARTIMSC %x after all ones", uart(UARTIMSC));
	uart_write(UARTIMSC, 0);
	CHECK(!uart(UARTIMSC) && !uart(UARTMIS), "UARTIMSC %x, UARTMIS %x after 0", uart(UARTIMSC), uart(UARTMIS));
	return OUTCOME_OK;
}

enum outcome case_pl011_rx_empty(void)
{
	if (!(uart(UARTFR) & UARTFR_RXFE))
		return skip("somebody types");
	/* Reading an empty FIFO is harmless and gives no errors. */
	for (unsigned int i = 0; i < 40; i++)
		(void)uart(UARTDR);
	CHECK(uart(UARTFR) & UARTFR_RXFE, "UARTFR %x: receiver not empty", uart(UARTFR));
	CHECK(!(uart(UARTRSR) & 0xf), "UARTRSR %x", uart(UARTRSR));
	return OUTCOME_OK;
}

static void on_uart(struct cpu *c, uint32_t intid)
{
	gic_log(c, intid);
	uart_write(UARTICR, UARTINT_TX);
	gic_eoi(intid);
}

/* A transmission raises TX; clearing it in the handler ends it. */
enum outcome case_pl011_tx_irq(void)
{
	struct cpu *c = cpu_self();
	uint32_t after;

	gic_route(GUEST_UART_INTID, c->mpidr);
	gic_set_edge(GUEST_UART_INTID, false);
	gic_enable(GUEST_UART_INTID);
	c->on_irq = on_uart;
	uart_write(UARTICR, 0x7ff);
	uart_write(UARTIMSC, UARTINT_TX);
	irq_enable();
	print("probe: info pl011_tx_irq a line to transmit with its interrupt enabled\n");
	CHECK(WAIT_FOR(c->irq_count, SECOND_US), "no transmit interrupt; UARTRIS %x", uart(UARTRIS));
	CHECK(c->irq_log[0] == GUEST_UART_INTID, "interrupt %u, want %u", c->irq_log[0], GUEST_UART_INTID);
	CHECK(WAIT_FOR(!(uart(UARTRIS) & UARTINT_TX), SECOND_US), "UARTRIS %x after UARTICR", uart(UARTRIS));
	after = c->irq_count;
	delay_us(1000);
	CHECK(c->irq_count == after, "%u more interrupts after the last was cleared", c->irq_count - after);
	irq_disable();
	uart_write(UARTIMSC, 0);
	return OUTCOME_OK;
}

/* 2020-01-01; a clock before it was not set by anybody. */
#define PLAUSIBLE 1577836800u

enum outcome case_pl031_time(void)
{
	static const uint8_t ids[8] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
	uint32_t start, seconds;
	uint64_t begin;

	TRY(check_ids("PL031", GUEST_RTC_BASE + RTCPERIPHID0, ids));
	CHECK(rtc(RTCCR) & 1, "RTCCR %x: clock off", rtc(RTCCR));
	start = rtc(RTCDR);
	CHECK(start > PLAUSIBLE, "RTCDR %u is before 2020", start);
	/*
	 * It advances, and under a hypervisor with the counter. The bare machine's clock may be the host's, which has
	 * nothing to do with the time of a deterministic run.
	 */
	begin = now();
	CHECK(WAIT_ASLEEP(rtc(RTCDR) >= start + 3, 10 * SECOND_US), "RTCDR stands at %u", rtc(RTCDR));
	seconds = (uint32_t)((now() - begin) / tick_hz);
	CHECK(!under_hypervisor() || (seconds >= 2 && seconds <= 3), "RTCDR: 3 seconds took %u by the counter",
	      seconds);
	return OUTCOME_OK;
}

enum outcome case_pl031_set(void)
{
	uint32_t before = rtc(RTCDR);
	uint64_t begin = now();

	rtc_write(RTCLR, 1000000000);
	CHECK(rtc(RTCDR) - 1000000000 < 2, "RTCDR %u after RTCLR = 1000000000", rtc(RTCDR));
	CHECK(rtc(RTCLR) == 1000000000, "RTCLR reads %u", rtc(RTCLR));
	CHECK(WAIT_ASLEEP(rtc(RTCDR) >= 1000000001, 3 * SECOND_US), "RTCDR stands at %u", rtc(RTCDR));
	rtc_write(RTCLR, before + (uint32_t)((now() - begin) / tick_hz));
	CHECK(rtc(RTCDR) >= before, "RTCDR %u after setting it back to %u", rtc(RTCDR), before);
	return OUTCOME_OK;
}

static void on_rtc(struct cpu *c, uint32_t intid)
{
	gic_log(c, intid);
	rtc_write(RTCICR, 1);
	gic_eoi(intid);
}

/* The match register raises the interrupt once, when its second comes. */
enum outcome case_pl031_alarm(void)
{
	struct cpu *c = cpu_self();
	uint32_t alarm;

	gic_route(GUEST_RTC_INTID, c->mpidr);
	gic_set_edge(GUEST_RTC_INTID, false);
	gic_enable(GUEST_RTC_INTID);
	c->on_irq = on_rtc;
	rtc_write(RTCIMSC, 0);
	rtc_write(RTCICR, 1);
	alarm = rtc(RTCDR) + 2;
	rtc_write(RTCMR, alarm);
	CHECK(rtc(RTCMR) == alarm, "RTCMR %u, wrote %u", rtc(RTCMR), alarm);
	rtc_write(RTCIMSC, 1);
	gic_take_pending();
	CHECK(c->irq_count == 0, "alarm two seconds early");
	CHECK(WAIT_ASLEEP(rtc(RTCRIS), 5 * SECOND_US), "no alarm: RTCDR %u, RTCMR %u, RTCRIS %x", rtc(RTCDR), alarm,
	      rtc(RTCRIS));
	gic_take_pending();
	CHECK(c->irq_count == 1, "%u interrupts at the alarm, want 1", c->irq_count);
	CHECK(rtc(RTCDR) >= alarm, "alarm at %u, want %u", rtc(RTCDR), alarm);
	CHECK(c->irq_log[0] == GUEST_RTC_INTID, "interrupt %u, want %u", c->irq_log[0], GUEST_RTC_INTID);
	CHECK(!rtc(RTCRIS) && !rtc(RTCMIS), "RTCRIS %x, RTCMIS %x after RTCICR", rtc(RTCRIS), rtc(RTCMIS));
	irq_enable();
	delay_us(2000);
	irq_disable();
	CHECK(c->irq_count == 1, "%u alarms, want 1", c->irq_count);
	rtc_write(RTCIMSC, 0);
	return OUTCOME_OK;
}
