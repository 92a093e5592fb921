/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions of time. Split, as ticks * 10^9 alone would overflow after 18 s at 1 GHz. Any context. */
#include "arch/port.h"
#include "rtos.h"

#define NS_PER_S UINT64_C(1000000000)
#define US_PER_S UINT64_C(1000000)

uint64_t rtos_now(void)
{
	return port_now();
}

uint64_t rtos_hz(void)
{
	return port_hz();
}

uint64_t rtos_ticks_to_ns(uint64_t ticks)
{
	uint64_t hz = port_hz();

	return ticks / hz * NS_PER_S + ticks % hz * NS_PER_S / hz;
}

uint64_t rtos_us(uint64_t us)
{
	uint64_t hz = port_hz();

	return us / US_PER_S * hz + us % US_PER_S * hz / US_PER_S;
}

uint64_t rtos_in_us(uint64_t us)
{
	return port_now() + rtos_us(us);
}
