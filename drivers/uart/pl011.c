/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arm PL011 (DDI 0183 G): the physical console. Never waits: transmission ends where the FIFO is full, and goes on with the
 * interrupt that it raises when it is nearly empty. Locking is the console's.
 */
#include "camber/uart_pl011.h"

#define UARTDR 0x00
#define UARTFR 0x18
#define UARTLCR_H 0x2c
#define UARTCR 0x30
#define UARTIFLS 0x34
#define UARTIMSC 0x38
#define UARTICR 0x44

#define FR_RXFE BIT32(4)
#define FR_TXFF BIT32(5)
#define FR_TXFE BIT32(7)
#define FIFO_DEPTH 16u /* the least that any revision has */
#define LCR_H_8N1_FIFO 0x70u
#define CR_ENABLE 0x301u
#define INT_RX BIT32(4)
#define INT_TX BIT32(5)
#define INT_RT BIT32(6)
#define INT_ALL 0x7ffu
#define DR_ERRORS 0xf00u

static uint32_t reg_read(void *dev, uint32_t reg)
{
	return *(volatile uint32_t *)((char *)dev + reg);
}

static void reg_write(void *dev, uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)((char *)dev + reg) = value;
}

void *pl011_init(uint64_t base)
{
	void *dev = (void *)(uintptr_t)base;

	reg_write(dev, UARTIMSC, 0);
	reg_write(dev, UARTICR, INT_ALL);
	reg_write(dev, UARTLCR_H, LCR_H_8N1_FIFO);
	reg_write(dev, UARTIFLS, 0);
	reg_write(dev, UARTCR, CR_ENABLE);
	return dev;
}

static size_t put(void *dev, const char *text, size_t n)
{
	size_t done = 0, fits;
	uint32_t fr;

	while (done < n) {
		fr = reg_read(dev, UARTFR);
		if (fr & FR_TXFF)
			break;
		fits = fr & FR_TXFE ? MIN(n - done, FIFO_DEPTH) : 1;
		while (fits--)
			reg_write(dev, UARTDR, (uint8_t)text[done++]);
	}
	return done;
}

static int get(void *dev)
{
	uint32_t data;

	if (reg_read(dev, UARTFR) & FR_RXFE)
		return -1;
	data = reg_read(dev, UARTDR);
	return data & DR_ERRORS ? 0 : (int)(data & 0xff);
}

static void irq_enable(void *dev)
{
	reg_write(dev, UARTIMSC, INT_RX | INT_RT);
}

/* The level is passed on the way down only (2.8.2): put() has filled the FIFO before. */
static void irq_transmit(void *dev, bool on)
{
	reg_write(dev, UARTIMSC, INT_RX | INT_RT | (on ? INT_TX : 0));
}

static void irq_ack(void *dev)
{
	reg_write(dev, UARTICR, INT_RX | INT_TX | INT_RT);
}

const struct uart_ops pl011_ops = {
	.put = put,
	.get = get,
	.irq_enable = irq_enable,
	.irq_transmit = irq_transmit,
	.irq_ack = irq_ack,
};
