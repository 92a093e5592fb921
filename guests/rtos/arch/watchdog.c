/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's watchdog: Arm's Generic Watchdog (Arm BSA, DEN0094), which a VM has when its profile says so.
 *
 * Half the time that the caller gives passes before the first signal, which nobody takes, and the other half before the
 * second, which is the end of this guest. Any context; no state but the frames' addresses.
 */
#include "arch/watchdog.h"

#include "arch/layout.h"
#include "rtos.h"

#define WRR 0x000 /* refresh frame */
#define WCS 0x000 /* control frame */
#define WOR_LOW 0x008
#define WCS_ENABLE 1u

static uint64_t refresh;

static void write32(uint64_t addr, uint32_t value)
{
	*(volatile uint32_t *)addr = value;
}

static bool mapped(uint64_t frame)
{
	return frame >= LAYOUT_DEVICE_BASE && frame < LAYOUT_RAM_BASE;
}

void watchdog_init(uint64_t control_frame, uint64_t refresh_frame)
{
	if (!mapped(control_frame) || !mapped(refresh_frame))
		return;
	/* Its offset register has at least 32 bits; what is longer stays as it is after reset. */
	if (rtos_hz() <= UINT32_MAX)
		write32(control_frame + WOR_LOW, (uint32_t)rtos_hz());
	write32(control_frame + WCS, WCS_ENABLE);
	refresh = refresh_frame;
}

bool rtos_watchdog_kick(void)
{
	if (refresh)
		write32(refresh + WRR, 1);
	return refresh;
}
