/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timed events: uint64_t event(void) = counter ticks between two CNTVCT_EL0 reads around one event.
 *
 * Each bracket has a fixed length in instructions (the counter's difference on a CPU that executes one instruction
 * per tick and traps nothing). The lengths are those of the payload with which the other hypervisors in
 * docs/measurements.md were measured, so that columns can be laid side by side: NOPs fill what the event leaves.
 * Changing a length changes every figure.
 */
#include "asm.h"
#include "abi/platform.h"

#define POLLS 0x10000000 /* of a spin loop: longer than any sound wait, so that a lost interrupt ends the run */

/* length: total of the bracket; insns: instructions of the event between the ISBs, its set-up included. */
.macro BRACKET length, insns
	isb
	mrs	x9, cntvct_el0
	isb
	.rept	\length - \insns - 3
	nop
	.endr
.endm

.macro BRACKET_END
	isb
	mrs	x10, cntvct_el0
	sub	x0, x10, x9
	ret
.endm

	.text

FUNC(event_empty)
	BRACKET	13, 0
	BRACKET_END
END(event_empty)

FUNC(event_hvc_null)			/* Xen's xen_version, subcommand 0 */
	BRACKET	16, 3
	mov	x16, #17
	mov	x0, #0
	hvc	#0xea1
	BRACKET_END
END(event_hvc_null)

FUNC(event_yield)			/* Xen's sched_op, SCHEDOP_yield */
	BRACKET	16, 3
	mov	x16, #29
	mov	x0, #0
	hvc	#0xea1
	BRACKET_END
END(event_yield)

FUNC(event_hvc_psci_version)
	mov	x0, #0x84000000
	BRACKET	19, 4
	mov	x1, #0
	mov	x2, #0
	mov	x3, #0
	hvc	#0
	BRACKET_END
END(event_hvc_psci_version)

FUNC(event_mmio_gicd)
	mov	x1, #GUEST_GICD_BASE
	BRACKET	11, 1
	ldr	w0, [x1, #4]		/* GICD_TYPER */
	BRACKET_END
END(event_mmio_gicd)

/* x0 = this CPU's redistributor */
FUNC(event_mmio_gicr_at)
	BRACKET	15, 1
	ldr	x2, [x0, #8]		/* GICR_TYPER */
	BRACKET_END
END(event_mmio_gicr_at)

FUNC(event_mmio_isenabler)
	mov	x1, #GUEST_GICD_BASE
	mov	w2, #(1 << 8)
	BRACKET	12, 1
	str	w2, [x1, #0x104]	/* GICD_ISENABLER1: INTID 40, which nothing raises */
	BRACKET_END
END(event_mmio_isenabler)

FUNC(event_mmio_uart)
	mov	x1, #GUEST_UART_BASE
	BRACKET	13, 1
	ldr	w0, [x1, #0x18]		/* UARTFR */
	BRACKET_END
END(event_mmio_uart)

FUNC(event_sysreg_pmccntr)
	BRACKET	6, 1
	mrs	x0, pmccntr_el0
	BRACKET_END
END(event_sysreg_pmccntr)

FUNC(event_sysreg_idreg)
	BRACKET	6, 1
	mrs	x0, id_aa64pfr0_el1
	BRACKET_END
END(event_sysreg_idreg)

FUNC(event_sysreg_cntp)
	BRACKET	9, 1
	mrs	x0, cntp_ctl_el0
	BRACKET_END
END(event_sysreg_cntp)

/*
 * uint64_t event_sgi_start(uint64_t sgi1r): time before the SGI to the own CPU; IRQs are open. The length to the stamp
 * in the vector is 5.
 */
FUNC(event_sgi_start)
	isb
	mrs	x9, cntvct_el0
	msr	icc_sgi1r_el1, x0
	isb
	mov	x0, x9
	ret
END(event_sgi_start)

/*
 * uint64_t event_sgi_cross(uint64_t sgi1r, volatile uint64_t *start, volatile uint32_t *stage, uint32_t want): the SGI
 * to another CPU; returns the cost of the write, when *stage has become `want` or POLLS looks were too few (the
 * caller looks again). Length of the send: 4; to the stamp in the target's vector, when the target runs at the sender's
 * first YIELD (-icount): 12.
 */
FUNC(event_sgi_cross)
	mov	w5, #POLLS
	isb
	mrs	x9, cntvct_el0
	isb
	msr	icc_sgi1r_el1, x0
	isb
	mrs	x10, cntvct_el0
	str	x9, [x1]
	sub	x0, x10, x9
	nop				/* the twelfth */
1:	yield
	ldr	w4, [x2]
	cmp	w4, w3
	b.eq	2f
	subs	w5, w5, #1
	b.ne	1b
2:	ret
END(event_sgi_cross)

/* void event_spin(volatile uint32_t *flag): until the handler has set it, at most POLLS looks. */
FUNC(event_spin)
	mov	w2, #POLLS
1:	ldr	w1, [x0]
	cbnz	w1, 2f
	subs	w2, w2, #1
	b.ne	1b
2:	ret
END(event_spin)

/* void event_spin_yield(volatile uint32_t *flag): likewise, and lets other CPUs run under -icount. */
FUNC(event_spin_yield)
	mov	w2, #POLLS
1:	yield
	ldr	w1, [x0]
	cbnz	w1, 2f
	subs	w2, w2, #1
	b.ne	1b
2:	ret
END(event_spin_yield)

/*
 * void event_sleep(volatile uint32_t *flag): WFI until the handler has set it. IRQs are masked around the test, so
 * that none comes between test and WFI; a WFI returns for a masked one.
 */
FUNC(event_sleep)
1:	msr	daifset, #2
	ldr	w1, [x0]
	cbnz	w1, 2f
	dsb	sy
	wfi
	msr	daifclr, #2
	isb
	b	1b
2:	msr	daifclr, #2
	ret
END(event_sleep)
