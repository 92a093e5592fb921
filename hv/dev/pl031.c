/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual PL031: a VM's real-time clock, after Arm's PrimeCell Real Time Clock (PL031), DDI 0224C.
 *
 * Shows the platform's wall clock plus an offset of this VM: a guest that sets its clock changes nobody else's. The match
 * interrupt comes from a timer of the hypervisor; because the platform's clock has whole seconds only, the last second
 * before a match is looked at in eighths.
 * Locking: rtc->lock for everything; its holder calls the virtual interrupt controller and the timer queue.
 */
#include "camber/dev.h"

#include "camber/arch/vcpu.h"

#include "abi/platform.h"

/* Registers, DDI 0224C table 3-1. */
#define RTC_DR 0x000
#define RTC_MR 0x004
#define RTC_LR 0x008
#define RTC_CR 0x00c
#define RTC_IMSC 0x010
#define RTC_RIS 0x014
#define RTC_MIS 0x018
#define RTC_ICR 0x01c
#define RTC_ID_FIRST 0xfe0

#define CR_START 1u
#define INT_MATCH 1u

static const uint8_t id_bytes[8] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

struct vpl031 {
	struct spinlock lock;
	struct vm *vm;
	struct vm_device device;
	/* Under lock: */
	uint32_t offset; /* guest's time - platform's time, modulo 2^32 as all of this clock */
	uint32_t mr, lr, imsc, ris;
	uint32_t waited; /* seconds to the match when the timer was armed */
	bool line;
	struct timer match;
};

static uint64_t (*wall_seconds)(void);

void vpl031_set_source(uint64_t (*seconds)(void))
{
	wall_seconds = seconds;
}

/* Without a clock on the board, time since power-on: it goes on, at least. */
static uint32_t rtc_now(const struct vpl031 *rtc)
{
	uint64_t now = wall_seconds ? wall_seconds() : time_ticks_to_ns(arch_now()) / 1000000000;

	return (uint32_t)now + rtc->offset;
}

static void settle(struct vpl031 *rtc)
{
	bool line = (rtc->ris & rtc->imsc) != 0;

	if (line != rtc->line) {
		rtc->line = line;
		arch_vm_irq_line(rtc->vm, GUEST_RTC_INTID, line);
	}
}

/* Arms the timer for a match `seconds` ahead. */
static void match_arm(struct vpl031 *rtc, uint32_t seconds)
{
	uint64_t ticks = seconds > 1 ? (seconds - UINT64_C(1)) * time_hz() : time_hz() / 8;

	rtc->waited = seconds;
	timer_arm(&rtc->match, &arch_pcpu()->timers, arch_now() + ticks);
}

/* The clock or the match register was written: when will they be equal? */
static void match_restart(struct vpl031 *rtc)
{
	uint32_t seconds = rtc->mr - rtc_now(rtc);

	if (seconds == 0) {
		timer_cancel(&rtc->match);
		rtc->ris |= INT_MATCH;
	} else {
		match_arm(rtc, seconds);
	}
}

static void match_fired(struct timer *t)
{
	struct vpl031 *rtc = container_of(t, struct vpl031, match);
	uint32_t seconds;

	spin_lock(&rtc->lock);
	seconds = rtc->mr - rtc_now(rtc);
	/* Armed again by a register write just now, on another CPU: that timer counts. */
	if (!timer_armed(t)) {
		/* More to wait than at the beginning: the match has gone by. */
		if (seconds == 0 || seconds > rtc->waited)
			rtc->ris |= INT_MATCH;
		else
			match_arm(rtc, seconds);
		settle(rtc);
	}
	spin_unlock(&rtc->lock);
}

static uint32_t read_register(const struct vpl031 *rtc, uint64_t reg)
{
	switch (reg) {
	case RTC_DR:
		return rtc_now(rtc);
	case RTC_MR:
		return rtc->mr;
	case RTC_LR:
		return rtc->lr;
	case RTC_CR:
		return CR_START; /* runs from reset on; the bit can't be cleared (3.3.4) */
	case RTC_IMSC:
		return rtc->imsc;
	case RTC_RIS:
		return rtc->ris;
	case RTC_MIS:
		return rtc->ris & rtc->imsc;
	default:
		return reg >= RTC_ID_FIRST && reg < RTC_ID_FIRST + 4 * sizeof(id_bytes) ?
			       id_bytes[(reg - RTC_ID_FIRST) / 4] :
			       0;
	}
}

static void write_register(struct vpl031 *rtc, uint64_t reg, uint32_t value)
{
	switch (reg) {
	case RTC_MR:
		rtc->mr = value;
		match_restart(rtc);
		break;
	case RTC_LR:
		rtc->lr = value;
		rtc->offset += value - rtc_now(rtc);
		match_restart(rtc);
		break;
	case RTC_IMSC:
		rtc->imsc = value & INT_MATCH;
		break;
	case RTC_ICR:
		rtc->ris &= ~value;
		break;
	default:
		break; /* read-only and reserved: ignored */
	}
}

static bool vpl031_access(struct vcpu *v, void *dev, struct mmio_access *a)
{
	struct vpl031 *rtc = dev;

	(void)v;
	if (a->bytes > 4)
		return false;
	spin_lock(&rtc->lock);
	if (!a->write)
		a->value = (uint64_t)read_register(rtc, a->offset & ~UINT64_C(3)) >> (8 * (a->offset & 3));
	else if (a->bytes == 4)
		/* A part of a time would be no time: narrower writes are ignored. */
		write_register(rtc, a->offset, (uint32_t)a->value);
	settle(rtc);
	spin_unlock(&rtc->lock);
	if (!a->write && a->bytes < 4)
		a->value &= BIT64(8 * a->bytes) - 1;
	return true;
}

static void vpl031_reset(struct vm_device *device)
{
	struct vpl031 *rtc = container_of(device, struct vpl031, device);

	spin_lock(&rtc->lock);
	timer_cancel(&rtc->match);
	rtc->offset = 0;
	rtc->mr = rtc->lr = rtc->imsc = rtc->ris = 0;
	settle(rtc);
	spin_unlock(&rtc->lock);
}

int vpl031_create(struct vm *vm)
{
	struct vpl031 *rtc = mem_alloc_zeroed(sizeof(*rtc), "a virtual PL031");
	int err = mmio_add(&vm->mmio, gpa(GUEST_RTC_BASE), GUEST_RTC_SIZE, vpl031_access, rtc);

	if (err)
		return err;
	rtc->vm = vm;
	rtc->device.reset = vpl031_reset;
	timer_init(&rtc->match, match_fired);
	vm_add_device(vm, &rtc->device);
	return 0;
}
