/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual PL011: a VM's serial port, after Arm's PrimeCell UART (PL011), DDI 0183G, revision r1p5.
 *
 * Complete as seen by its drivers (Linux amba-pl011, U-Boot, EDK2): FIFOs or holding registers, trigger levels, receive
 * timeout, transmit interrupt, loop back, overrun. What cannot be seen through a virtual line is simplified: a byte is sent
 * the moment it is written unless the console holds this port, then it waits in a transmit FIFO as on a slow line; received data times out at once, line parameters are kept but have no effect, and UARTEN, TXE
 * and RXE don't gate data, because guests' early consoles rely on a firmware that has switched the UART on.
 * A backlog stands before the receive FIFO: text pasted or sent by a script arrives faster than a guest that isn't
 * running can read. Guest input never does more than change this VM's own device.
 * Locking: uart->lock for everything, but the flag register, which is one word that readers take as it is. Its holder
 * calls the console and the virtual interrupt controller. The console calls back: hold() within a call of ours.
 */
#include "camber/dev.h"

#include "camber/arch/vcpu.h"

#include "abi/platform.h"
#include "camber/console.h"

/* Registers, DDI 0183G table 3-1. */
#define UART_DR 0x000
#define UART_RSR_ECR 0x004
#define UART_FR 0x018
#define UART_ILPR 0x020
#define UART_IBRD 0x024
#define UART_FBRD 0x028
#define UART_LCR_H 0x02c
#define UART_CR 0x030
#define UART_IFLS 0x034
#define UART_IMSC 0x038
#define UART_RIS 0x03c
#define UART_MIS 0x040
#define UART_ICR 0x044
#define UART_DMACR 0x048
#define UART_ID_FIRST 0xfe0 /* UARTPeriphID0 .. UARTPCellID3, one byte in each word */

/* Data and status, 3.3.1 and 3.3.2. */
#define DR_OE BIT32(11)
#define RSR_OE BIT32(3)

/* Flags, 3.3.3. */
#define FR_CTS BIT32(0)
#define FR_DSR BIT32(1)
#define FR_DCD BIT32(2)
#define FR_BUSY BIT32(3)
#define FR_RXFE BIT32(4)
#define FR_TXFF BIT32(5)
#define FR_RXFF BIT32(6)
#define FR_TXFE BIT32(7)
#define FR_RI BIT32(8)

#define LCR_H_FEN BIT32(4)

/* Control, 3.3.8. */
#define CR_LBE BIT32(7)
#define CR_TXE BIT32(8)
#define CR_RXE BIT32(9)
#define CR_DTR BIT32(10)
#define CR_RTS BIT32(11)
#define CR_OUT1 BIT32(12)
#define CR_OUT2 BIT32(13)

/* Interrupts, 3.3.10 to 3.3.13. */
#define INT_RX BIT32(4)
#define INT_TX BIT32(5)
#define INT_RT BIT32(6)
#define INT_OE BIT32(10)

/* Bits that exist. */
#define LCR_H_MASK 0xffu
#define CR_MASK 0xff87u
#define IFLS_MASK 0x3fu
#define INT_MASK 0x7ffu
#define DMACR_MASK 0x7u

#define FIFO_DEPTH 16u
#define TX_FIFO_DEPTH 32u   /* as drivers expect of r1p5 */
#define BACKLOG_BYTES 1024u /* a power of two */

/* Receive levels of UARTIFLS bits 5:3 in bytes, 3.3.9; reserved values act as the deepest. */
static const uint8_t rx_levels[8] = { 2, 4, 8, 12, 14, 14, 14, 14 };

/* Transmit levels of bits 2:0: at or below it the interrupt is raised. */
static const uint8_t tx_levels[8] = { 4, 8, 16, 24, 28, 28, 28, 28 };

static const uint8_t id_bytes[8] = { 0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

struct vpl011 {
	uint32_t fr; /* first: the register that is polled. Written under the lock, read without. */
	struct spinlock lock;
	struct vm *vm;
	struct vm_device device;
	/* Under lock: */
	bool slow; /* a byte written can't just go out: loop back, or the console holds this port */
	bool held;
	uint32_t rsr;
	uint32_t ilpr, ibrd, fbrd, lcr_h, cr, ifls, dmacr;
	uint32_t imsc, ris;
	bool line;       /* level of the interrupt as last told */
	bool dr_overrun; /* data was lost behind what is in the FIFO: marked in UARTDR */
	uint32_t fifo_first, fifo_count;
	uint32_t tx_first, tx_count; /* only while held */
	uint32_t backlog_first, backlog_count;
	uint8_t fifo[FIFO_DEPTH];
	uint8_t tx_fifo[TX_FIFO_DEPTH];
	uint8_t backlog[BACKLOG_BYTES];
	struct console_port port;
};

static inline uint32_t fifo_depth(const struct vpl011 *u)
{
	return u->lcr_h & LCR_H_FEN ? FIFO_DEPTH : 1;
}

static inline uint32_t tx_depth(const struct vpl011 *u)
{
	return u->lcr_h & LCR_H_FEN ? TX_FIFO_DEPTH : 1;
}

/* Modem inputs, 3.3.3: idle, or in loop back what UARTCR drives (2.4.9). */
static uint32_t modem_flags(const struct vpl011 *u)
{
	if (!(u->cr & CR_LBE))
		return 0;
	return (u->cr & CR_RTS ? FR_CTS : 0) | (u->cr & CR_DTR ? FR_DSR : 0) | (u->cr & CR_OUT1 ? FR_DCD : 0) |
	       (u->cr & CR_OUT2 ? FR_RI : 0);
}

/* Recomputes what follows from the state: the flags, and the interrupt's level if it changed. Ends every change. */
static void settle(struct vpl011 *u)
{
	uint32_t fr = modem_flags(u);
	bool line = (u->ris & u->imsc) != 0;

	u->slow = u->held || (u->cr & CR_LBE);
	if (u->held)
		fr |= FR_BUSY;
	if (u->tx_count == 0)
		fr |= FR_TXFE;
	if (u->tx_count >= tx_depth(u))
		fr |= FR_TXFF;
	if (u->fifo_count == 0)
		fr |= FR_RXFE;
	if (u->fifo_count >= fifo_depth(u))
		fr |= FR_RXFF;
	WRITE_ONCE(u->fr, fr);
	if (line != u->line) {
		u->line = line;
		arch_vm_irq_line(u->vm, GUEST_UART_INTID, line);
	}
}

/* --- receive -------------------------------------------------------------------------------------------------------- */

static void rx_overrun(struct vpl011 *u)
{
	u->dr_overrun = true;
	u->rsr |= RSR_OE;
	u->ris |= INT_OE;
}

/* The FIFO has room. */
static void fifo_push(struct vpl011 *u, uint8_t byte)
{
	uint32_t level = u->lcr_h & LCR_H_FEN ? rx_levels[(u->ifls >> 3) & 7] : 1;

	u->fifo[(u->fifo_first + u->fifo_count++) % FIFO_DEPTH] = byte;
	if (u->fifo_count >= level)
		u->ris |= INT_RX;
	/* A line this fast is idle for 32 bit times as soon as nothing follows (2.8.1). */
	u->ris |= INT_RT;
}

static void backlog_to_fifo(struct vpl011 *u)
{
	while (u->backlog_count && u->fifo_count < fifo_depth(u)) {
		fifo_push(u, u->backlog[u->backlog_first]);
		u->backlog_first = (u->backlog_first + 1) % BACKLOG_BYTES;
		u->backlog_count--;
	}
}

/* Input from the console. */
static void vpl011_receive(struct console_port *port, char c)
{
	struct vpl011 *u = container_of(port, struct vpl011, port);

	spin_lock(&u->lock);
	/* In loop back the receive line is cut (2.4.9). */
	if (!(u->cr & CR_LBE)) {
		if (u->backlog_count == BACKLOG_BYTES) {
			rx_overrun(u);
		} else {
			u->backlog[(u->backlog_first + u->backlog_count++) % BACKLOG_BYTES] = (uint8_t)c;
			backlog_to_fifo(u);
		}
		/* Also when the FIFO was full before and the guest has cleared the interrupt without reading. */
		u->ris |= INT_RT;
		settle(u);
	}
	spin_unlock(&u->lock);
}

static uint32_t read_dr(struct vpl011 *u)
{
	uint32_t level = u->lcr_h & LCR_H_FEN ? rx_levels[(u->ifls >> 3) & 7] : 1;
	uint32_t value = u->fifo[u->fifo_first];

	if (u->dr_overrun)
		value |= DR_OE;
	if (u->fifo_count == 0)
		return value; /* the last byte once more, as the hardware gives */
	u->fifo_first = (u->fifo_first + 1) % FIFO_DEPTH;
	u->fifo_count--;
	u->dr_overrun = false;
	if (u->fifo_count < level)
		u->ris &= ~INT_RX;
	if (u->fifo_count == 0)
		u->ris &= ~INT_RT;
	backlog_to_fifo(u);
	return value;
}

/* --- transmit ------------------------------------------------------------------------------------------------------- */

/*
 * After a byte was written or left. Above the level writing clears the interrupt (2.8.2); else the byte that was written, and
 * left for the line, made the level be passed on the way down.
 */
static void tx_level(struct vpl011 *u)
{
	uint32_t level = u->lcr_h & LCR_H_FEN ? tx_levels[u->ifls & 7] : 0;

	if (u->tx_count > level)
		u->ris &= ~INT_TX;
	else
		u->ris |= INT_TX;
}

/* From within console_port_put(), so under the lock. */
static void vpl011_hold(struct console_port *port)
{
	struct vpl011 *u = container_of(port, struct vpl011, port);

	u->held = u->slow = true;
	WRITE_ONCE(u->fr, u->fr | FR_BUSY);
}

static void vpl011_ready(struct console_port *port)
{
	struct vpl011 *u = container_of(port, struct vpl011, port);

	spin_lock(&u->lock);
	u->held = false;
	while (u->tx_count && !u->held) {
		console_port_put(port, (char)u->tx_fifo[u->tx_first]);
		u->tx_first = (u->tx_first + 1) % TX_FIFO_DEPTH;
		u->tx_count--;
		tx_level(u);
	}
	settle(u);
	spin_unlock(&u->lock);
}

/* Full: the byte is gone, as it would be from the hardware's. */
static void tx_push(struct vpl011 *u, uint8_t byte)
{
	if (u->tx_count < tx_depth(u))
		u->tx_fifo[(u->tx_first + u->tx_count++) % TX_FIFO_DEPTH] = byte;
}

static void write_dr(struct vpl011 *u, uint8_t byte)
{
	if (u->cr & CR_LBE) {
		if (u->fifo_count < fifo_depth(u))
			fifo_push(u, byte);
		else
			rx_overrun(u);
	} else if (u->held) {
		tx_push(u, byte);
	} else {
		console_port_put(&u->port, (char)byte);
	}
	tx_level(u);
}

/* --- registers ------------------------------------------------------------------------------------------------------ */

static uint32_t read_register(struct vpl011 *u, uint64_t reg)
{
	switch (reg) {
	case UART_DR:
		return read_dr(u);
	case UART_RSR_ECR:
		return u->rsr;
	case UART_FR:
		return u->fr;
	case UART_ILPR:
		return u->ilpr;
	case UART_IBRD:
		return u->ibrd;
	case UART_FBRD:
		return u->fbrd;
	case UART_LCR_H:
		return u->lcr_h;
	case UART_CR:
		return u->cr;
	case UART_IFLS:
		return u->ifls;
	case UART_IMSC:
		return u->imsc;
	case UART_RIS:
		return u->ris;
	case UART_MIS:
		return u->ris & u->imsc;
	case UART_DMACR:
		return u->dmacr;
	default:
		/* Write-only and reserved registers read as zero. */
		return reg >= UART_ID_FIRST && reg < UART_ID_FIRST + 4 * sizeof(id_bytes) ?
			       id_bytes[(reg - UART_ID_FIRST) / 4] :
			       0;
	}
}

static void write_lcr_h(struct vpl011 *u, uint32_t value)
{
	/* Switching the FIFOs on or off empties them (3.3.7); what is on the line behind them isn't lost. */
	if ((u->lcr_h ^ value) & LCR_H_FEN) {
		u->fifo_first = 0;
		u->fifo_count = 0;
		u->tx_count = 0;
		u->ris &= ~(INT_RX | INT_RT);
	}
	u->lcr_h = value & LCR_H_MASK;
	backlog_to_fifo(u);
}

static void write_register(struct vpl011 *u, uint64_t reg, uint32_t value)
{
	switch (reg) {
	case UART_DR:
		write_dr(u, (uint8_t)value);
		break;
	case UART_RSR_ECR:
		u->rsr = 0; /* whatever is written (3.3.2) */
		break;
	case UART_ILPR:
		u->ilpr = value & 0xff;
		break;
	case UART_IBRD:
		u->ibrd = value & 0xffff;
		break;
	case UART_FBRD:
		u->fbrd = value & 0x3f;
		break;
	case UART_LCR_H:
		write_lcr_h(u, value);
		break;
	case UART_CR:
		u->cr = value & CR_MASK;
		break;
	case UART_IFLS:
		u->ifls = value & IFLS_MASK;
		break;
	case UART_IMSC:
		u->imsc = value & INT_MASK;
		break;
	case UART_ICR:
		u->ris &= ~value;
		break;
	case UART_DMACR:
		u->dmacr = value & DMACR_MASK;
		break;
	default:
		break; /* read-only and reserved: ignored */
	}
}

static __cold bool access_locked(struct vpl011 *u, struct mmio_access *a)
{
	if (a->bytes > 4)
		return false;
	spin_lock(&u->lock);
	if (!a->write)
		a->value = (uint64_t)read_register(u, a->offset & ~UINT64_C(3)) >> (8 * (a->offset & 3));
	else if ((a->offset & 3) == 0)
		/* Bytes behind the first of a register exist only as part of a wider write: the bus has no byte lanes. */
		write_register(u, a->offset, (uint32_t)a->value);
	settle(u);
	spin_unlock(&u->lock);
	if (!a->write && a->bytes < 4)
		a->value &= BIT64(8 * a->bytes) - 1;
	return true;
}

/* What a console's output consists of: a byte to UARTDR. Nothing follows from it but the transmit interrupt. */
static bool transmit(struct vpl011 *u, uint8_t byte)
{
	bool done;

	spin_lock(&u->lock);
	done = !u->slow && (u->ris | ~u->imsc) & INT_TX;
	if (likely(done)) {
		console_port_put(&u->port, (char)byte);
		u->ris |= INT_TX;
	}
	spin_unlock(&u->lock);
	return done;
}

static bool vpl011_access(struct vcpu *v, void *dev, struct mmio_access *a)
{
	struct vpl011 *u = dev;

	(void)v;
	/* Early consoles and polling drivers read the flags before every byte, 2 or 4 bytes wide. */
	if (likely(a->offset == UART_FR && !a->write && (a->bytes & 9) == 0)) {
		a->value = READ_ONCE(u->fr);
		return true;
	}
	if (likely(a->offset == UART_DR && a->write && !(a->bytes & 8) && transmit(u, (uint8_t)a->value)))
		return true;
	return access_locked(u, a);
}

/* Reset values of table 3-1. */
static void reset_registers(struct vpl011 *u)
{
	u->rsr = 0;
	u->ilpr = u->ibrd = u->fbrd = 0;
	u->lcr_h = 0;
	u->cr = CR_RXE | CR_TXE;
	u->ifls = 0x12;
	u->imsc = u->ris = 0;
	u->dmacr = 0;
	u->dr_overrun = false;
	u->fifo_first = u->fifo_count = 0;
	u->tx_count = 0;
	u->backlog_first = u->backlog_count = 0;
	settle(u);
}

static void vpl011_reset(struct vm_device *device)
{
	struct vpl011 *u = container_of(device, struct vpl011, device);

	spin_lock(&u->lock);
	/* A line that the last life left unfinished isn't the first one of this. */
	if (u->port.used && !u->held)
		console_port_put(&u->port, '\n');
	reset_registers(u);
	spin_unlock(&u->lock);
}

static const struct console_port_ops port_ops = {
	.rx = vpl011_receive,
	.hold = vpl011_hold,
	.ready = vpl011_ready,
};

int vpl011_create(struct vm *vm)
{
	struct vpl011 *u = mem_alloc_zeroed(sizeof(*u), "a virtual PL011");
	int err = mmio_add(&vm->mmio, gpa(GUEST_UART_BASE), GUEST_UART_SIZE, vpl011_access, u);

	if (err)
		return err;
	u->vm = vm;
	u->device.reset = vpl011_reset;
	reset_registers(u);
	vm_add_device(vm, &u->device);
	console_port_add(&u->port, vm->label, &port_ops);
	return 0;
}
