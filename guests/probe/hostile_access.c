/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile accesses: every instruction of access.def at places that aren't the guest's, by EL1 with the MMU off (Device
 * memory) and on (Normal memory), and by EL0; and at devices, of which each takes some sizes only.
 */
#include "hostile.h"

#include "access.h"
#include "dev.h"
#include "gic.h"

#define FSC_ALIGNMENT_ESR(write) (0x96000000ul | FSC_ALIGNMENT | (uint64_t)(write) << 6)

/* Where nothing of the guest's is. Of the hypervisor's memory, what lies at the top of a board with 1 GiB. */
static unsigned int places(uint64_t out[])
{
	unsigned int n = 0;
	static const uint64_t fixed[] = {
		0x00000000,                             /* QEMU's flash; no ROM in this VM */
		0x08010000,                             /* behind the distributor */
		0x08020000,                             /* GICv2m on the real machine */
		0x08080000,                             /* ITS there */
		0x0807fff0,                             /* into the ITS */
		0x08090000,                             /* its translation page */
		0x09001000,                             /* behind the PL011 */
		0x0900ffc0,                             /* into the PL031 */
		0x09020000,                             /* fw_cfg */
		0x09030000,                             /* GPIO */
		0x0a000000,                             /* virtio-mmio */
		NOWHERE,                                /* hole */
		0x10000000,                             /* PCI memory */
		0x3f000000,                             /* PCI configuration */
		0x3ffff000,                             /* below RAM */
		0x42000000,                             /* free memory of the board */
		0x7ff00000,                             /* other VMs' memory, the hypervisor's tables */
		0x7fffe000,                             /* the hypervisor's log */
		0x80000000,                             /* behind the board's memory */
		1ull << 40,                             /* high */
		(1ull << 43) - 64, (1ull << 44) - 4096, /* the last page that stage 2 translates */
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(fixed); i++)
		out[n++] = fixed[i];
	out[n++] = ram_end();
	out[n++] = GUEST_GICR_BASE + (uint64_t)cpu_count * GUEST_GICR_STRIDE; /* redistributor of no CPU */
	return n;
}
#define PLACES_MAX 32

const struct access *access_find(const char *name)
{
	const struct access *a = access_table;

	while (a < access_table_end && strcmp(a->name, name))
		a++;
	return a;
}

/* FEAT_LSE, FEAT_LRCPC (DDI 0487, ID_AA64ISAR0_EL1, ID_AA64ISAR1_EL1) */
static bool exists(const struct access *a)
{
	if (a->flags & ACCESS_RMW)
		return sysreg_read(id_aa64isar0_el1) >> 20 & 0xf;
	if (a->flags & ACCESS_RCPC)
		return sysreg_read(id_aa64isar1_el1) >> 20 & 0xf;
	return true;
}

/* What the guest was told, against what this instruction has to give where nothing is. */
static enum outcome check_told(const struct access *a, uint64_t at, uint64_t pc, const struct el0_exit *x, bool el0)
{
	uint64_t lower = el0 ? ESR_FROM_EL0 : 0, esr = x->esr;

	if (!exists(a) || (el0 && a->flags & ACCESS_EL1_ONLY)) {
		CHECK(esr == ESR_UNDEF, "%s: ESR %lx, want UNDEF", a->name, esr);
		return OUTCOME_OK;
	}
	if (a->flags & ACCESS_MTE && esr == ESR_UNDEF)
		return OUTCOME_OK;
	/* DC ZVA to Device memory is the guest's own alignment fault. */
	if (a->flags & ACCESS_CACHE && esr == FSC_ALIGNMENT_ESR(1) - lower)
		return OUTCOME_OK;
	if (a->flags & ACCESS_RMW)
		esr &= ~ESR_WNR;
	CHECK(esr == ESR_DATA_ABORT(a->flags & ACCESS_STORE ? 1 : 0) - lower, "%s at %lx: ESR %lx, want %lx", a->name,
	      at, x->esr, ESR_DATA_ABORT(a->flags & ACCESS_STORE ? 1 : 0) - lower);
	CHECK(x->elr == pc, "%s at %lx: ELR %lx, want %lx", a->name, at, x->elr, pc);
	/* The first byte that isn't there; of a block that is zeroed, any. */
	if (a->flags & ACCESS_CACHE)
		CHECK((x->far ^ at) < 4096, "%s at %lx: FAR %lx", a->name, at, x->far);
	else
		CHECK(x->far - at < a->bytes, "%s at %lx: FAR %lx", a->name, at, x->far);
	return OUTCOME_OK;
}

/* From the last bytes of RAM across its end: Normal memory takes that, Device memory is never unaligned. */
static bool may_cross(const struct access *a, enum mmu_mode mode)
{
	return mode != MMU_OFF && !(a->flags & (ACCESS_CACHE | ACCESS_RMW | ACCESS_ALIGNED | ACCESS_MTE));
}

static bool may_do_nothing(const struct access *a)
{
	return a->flags & (ACCESS_CACHE | ACCESS_MAYBE | ACCESS_MTE);
}

/* `at`: where the first byte lies, `bad`: the first one that isn't there. */
static enum outcome access_el1(const struct access *a, uint64_t at, uint64_t bad)
{
	struct cpu *c = cpu_self();
	struct el0_exit x;
	uint32_t count;

	trap_expect();
	a->run(at, ~0ull);
	count = trap_done();
	CHECK(count <= 1, "%s at %lx: %u exceptions", a->name, at, count);
	if (!count) {
		CHECK(may_do_nothing(a), "%s at %lx: nobody objects", a->name, at);
		return OUTCOME_OK;
	}
	x = (struct el0_exit){ .esr = c->trap_esr, .far = c->trap_far, .elr = c->trap_elr };
	return check_told(a, bad, (uintptr_t)a->run, &x, false);
}

static enum outcome access_el0(const struct access *a, uint64_t at, uint64_t bad)
{
	struct el0_exit x;

	el0_run((const void *)a->run, at, ~0ull, &x);
	if (ESR_EC(x.esr) == EC_SVC) {
		CHECK(may_do_nothing(a), "%s at %lx by EL0: nobody objects", a->name, at);
		return OUTCOME_OK;
	}
	return check_told(a, bad, el0_address((const void *)a->run), &x, true);
}

static enum outcome access_mode(const struct access *a, enum mmu_mode mode)
{
	enum mmu_mode view = mode == MMU_EL1 && a->flags & ACCESS_USER ? MMU_EL0 : mode;
	uint64_t place[PLACES_MAX], va;
	unsigned int n = places(place);

	for (unsigned int i = 0; i < n; i++) {
		va = mmu_address(view, place[i]);
		TRY(mode == MMU_EL0 ? access_el0(a, va, va) : access_el1(a, va, va));
	}
	va = mmu_address(view, ram_end());
	for (uint64_t before = 1; before < a->bytes && may_cross(a, mode); before *= 2)
		TRY(mode == MMU_EL0 ? access_el0(a, va - before, va) : access_el1(a, va - before, va));
	return OUTCOME_OK;
}

/* `out_<name>`, `el0_<name>`, `dev_<name>` for each instruction. */

static enum outcome outside(const char *name)
{
	const struct access *a = access_find(name);

	TRY(access_mode(a, MMU_OFF));
	mmu_on();
	TRY(access_mode(a, MMU_EL1));
	return OUTCOME_OK;
}

static enum outcome outside_el0(const char *name)
{
	mmu_on();
	return access_mode(access_find(name), MMU_EL0);
}

/* Registers that a store of ones doesn't upset (gic_reset() follows), and the sizes that they take. */
static enum outcome device(const char *name)
{
	static const struct {
		const char *name;
		uint64_t at;
		uint8_t sizes; /* bit n: n bytes */
	} devices[] = {
		{ "GICD_IGROUPR0", GUEST_GICD_BASE + GICD_IGROUPR, 1 << 4 },
		{ "GICD_ICFGR4", GUEST_GICD_BASE + GICD_ICFGR + 16, 1 << 4 },
		{ "GICR_IGROUPR0", GUEST_GICR_BASE + GICR_SGI_FRAME + GICD_IGROUPR, 1 << 4 },
		{ "UARTPeriphID0", GUEST_UART_BASE + UARTPERIPHID0, 1 << 1 | 1 << 2 | 1 << 4 },
		{ "RTCPeriphID0", GUEST_RTC_BASE + RTCPERIPHID0, 1 << 1 | 1 << 2 | 1 << 4 },
	};
	const struct access *a = access_find(name);
	struct cpu *c = cpu_self();

	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++) {
		bool served = !(a->flags & ACCESS_NO_SYNDROME) && exists(a) &&
			      (a->bytes > 7 ? false : devices[i].sizes >> a->bytes & 1);
		struct el0_exit x;
		uint32_t count;

		trap_expect();
		a->run(devices[i].at, ~0ull);
		count = trap_done();
		CHECK(!served || !count, "%s to %s: ESR %lx, want it served", a->name, devices[i].name, c->trap_esr);
		CHECK(served || count || may_do_nothing(a), "%s to %s is served, want an abort", a->name,
		      devices[i].name);
		x = (struct el0_exit){ .esr = c->trap_esr, .far = c->trap_far, .elr = c->trap_elr };
		if (count)
			TRY(check_told(a, devices[i].at, (uintptr_t)a->run, &x, false));
	}
	CHECK(read32(GUEST_UART_BASE + UARTPERIPHID0) == 0x11 && read32(GUEST_RTC_BASE + RTCPERIPHID0) == 0x31,
	      "afterwards the identification of UART or RTC is wrong");
	CHECK((gicd_read(GICD_PIDR2) >> 4 & 0xf) == 3, "GICD_PIDR2 is %x afterwards", gicd_read(GICD_PIDR2));
	return OUTCOME_OK;
}

#define ACCESS(name, flags, bytes, ...)                                                                                \
	enum outcome case_out_##name(void)                                                                             \
	{                                                                                                              \
		return outside(#name);                                                                                 \
	}                                                                                                              \
	enum outcome case_el0_##name(void)                                                                             \
	{                                                                                                              \
		return outside_el0(#name);                                                                             \
	}                                                                                                              \
	enum outcome case_dev_##name(void)                                                                             \
	{                                                                                                              \
		return device(#name);                                                                                  \
	}
#include "access.def"
#undef ACCESS
