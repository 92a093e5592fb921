/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual watchdog: Arm's Generic Watchdog, architecture version 1 (Arm BSA, DEN0094, "Generic Watchdog"). The first timeout
 * raises WS0, the guest's interrupt; the second one, WS1, ends the VM.
 *
 * The guest may ask for less time between two refreshes than its configuration gives it, never for more, whatever it
 * writes to WOR or WCV; it may switch the watchdog off, as on a machine. With watchdog_boot_ms it runs from the start on.
 * The life after WS1 finds it still set, until the first refresh: that is how a driver learns why it was started.
 * Compare values are of the system counter, which goes on while the VM is paused; what is left is kept, so they move.
 *
 * Never acts on a VM under its own lock: that VM's lock is the outer one.
 * Locking: wdt->lock for everything; its holder calls the virtual interrupt controller and the timer queue.
 */
#include "camber/dev.h"

#include "camber/arch/vcpu.h"

#include "abi/platform.h"

/* The control frame begins with three registers of 64 bits, of which WCS uses 32 (BSA, watchdog control frame). */
enum { WCS, WOR, WCV, REG_COUNT };

#define REFRESH_WRR 0x000
#define RESERVED 0x004    /* upper half of WCS */
#define W_IIDR_PAIR 0xfc8 /* in both frames; its upper half is W_IIDR */

#define WCS_EN 1u
#define WCS_WS0 2u
#define WCS_WS1 4u
#define WOR_MASK (BIT64(48) - 1)
#define W_IIDR 0x0001043bu /* architecture version 1; Arm Limited; product and revision of no silicon */

struct vwdt {
	struct spinlock lock;
	struct vm *vm;
	struct vm_device device;
	uint64_t most[2]; /* ticks of each of the two timeouts, at most: before the first refresh, and from then on */
	/* Under lock: */
	uint64_t reg[REG_COUNT];
	uint64_t latest; /* what WCV can be */
	bool refreshed;  /* since the start */
	bool paused;     /* or off: no time passes, WCV and latest are what is left */
	struct timer expiry;
};

static void rearm(struct vwdt *w)
{
	if ((w->reg[WCS] & WCS_EN) && !w->paused)
		timer_arm(&w->expiry, &arch_pcpu()->timers, w->reg[WCV]);
	else
		timer_cancel(&w->expiry);
}

static void settle(struct vwdt *w)
{
	rearm(w);
	arch_vm_irq_line(w->vm, GUEST_WDT_INTID, w->reg[WCS] & WCS_WS0);
}

/* A timeout begins. */
static void load(struct vwdt *w)
{
	uint64_t now = arch_now(), most = w->most[w->refreshed];

	w->latest = now + most;
	w->reg[WCV] = now + (w->refreshed ? MIN(w->reg[WOR], most) : most);
	settle(w);
}

static void expired(struct timer *t)
{
	struct vwdt *w = container_of(t, struct vwdt, expiry);
	bool bite = false;

	spin_lock(&w->lock);
	/* Refreshed, switched off or paused just now, by another CPU: that counts. */
	if (!timer_armed(t) && (w->reg[WCS] & WCS_EN) && !w->paused) {
		bite = w->reg[WCS] & WCS_WS0;
		w->reg[WCS] |= bite ? WCS_WS1 : WCS_WS0;
		if (!bite)
			load(w);
	}
	spin_unlock(&w->lock);
	if (bite)
		vm_watchdog_bite(w->vm, w->refreshed ? "not refreshed in time" : "not refreshed since the start");
}

/* All writes but those to WCV are an explicit refresh (BSA, "Watchdog operation"), which takes both signals away. */
static void written(struct vwdt *w, uint64_t index)
{
	w->reg[WOR] &= WOR_MASK;
	if (index == WCV) {
		w->reg[WCV] = MIN(w->reg[WCV], w->latest);
		rearm(w);
		return;
	}
	w->reg[WCS] &= WCS_EN;
	w->refreshed = true;
	load(w);
}

static bool vwdt_access(struct vcpu *v, void *dev, struct mmio_access *a)
{
	struct vwdt *w = dev;
	uint64_t offset = a->offset - GUEST_WDT_FRAME; /* beyond the registers for the refresh frame */
	uint64_t other = (a->offset & (GUEST_WDT_FRAME - 8)) == W_IIDR_PAIR ? (uint64_t)W_IIDR << 32 : 0;
	char *at = offset < sizeof(w->reg) ? (char *)w->reg + offset : (char *)&other + offset % 8;

	(void)v;
	spin_lock(&w->lock);
	/* Guests, and all that this runs on, are little endian. */
	if (!a->write) {
		a->value = 0;
		memcpy(&a->value, at, a->bytes);
	} else if (a->bytes >= 4 && (a->offset == REFRESH_WRR || (offset < sizeof(w->reg) && offset != RESERVED))) {
		/* Registers are words: narrower writes are ignored, as are those to what is read-only or reserved. */
		memcpy(at, &a->value, a->bytes);
		written(w, offset / 8);
	}
	spin_unlock(&w->lock);
	return true;
}

static void vwdt_pause(struct vm_device *device, bool paused)
{
	struct vwdt *w = container_of(device, struct vwdt, device);
	uint64_t now = arch_now();

	spin_lock(&w->lock);
	if (w->paused != paused) {
		w->paused = paused;
		now = paused ? -now : now;
		w->reg[WCV] += now;
		w->latest += now;
		rearm(w);
	}
	spin_unlock(&w->lock);
}

static void vwdt_reset(struct vm_device *device)
{
	struct vwdt *w = container_of(device, struct vwdt, device);

	spin_lock(&w->lock);
	w->reg[WCS] = (w->reg[WCS] & WCS_WS1) | (w->most[0] ? WCS_EN : 0);
	w->reg[WOR] = w->most[1]; /* architecturally unknown; enough for a guest that only refreshes */
	w->paused = w->refreshed = false;
	load(w);
	spin_unlock(&w->lock);
}

int vwdt_create(struct vm *vm)
{
	struct vwdt *w = mem_alloc_zeroed(sizeof(*w), "a watchdog");

	w->vm = vm;
	w->most[0] = time_ns_to_ticks(vm->cfg->watchdog_boot_ms * UINT64_C(500000));
	w->most[1] = time_ns_to_ticks(vm->cfg->watchdog_ms * UINT64_C(500000));
	w->device.reset = vwdt_reset;
	w->device.pause = vwdt_pause;
	timer_init(&w->expiry, expired);
	vm_add_device(vm, &w->device);
	return mmio_add(&vm->mmio, gpa(GUEST_WDT_BASE), GUEST_WDT_SIZE, vwdt_access, w);
}
