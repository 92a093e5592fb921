/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual watchdog under any sequence of accesses, pauses, restarts and time. What must hold after each step: the
 * interrupt line is WS0, WCV is within the configured limit, and a bite comes when, and only when, that limit has passed
 * since the last refresh of a watchdog that is on, or sooner if the guest asked for it.
 */
#include "fuzz.h"

#include "abi/platform.h"
#include "camber/arch/vcpu.h"
#include "camber/dev.h"

#define LIMIT_MS 200
#define BOOT_MS 1000
#define MS UINT64_C(1000000) /* ticks, at 1 GHz */

#define WCS 0x10000
#define WOR 0x10008
#define WCV 0x10010

static struct vm *vm;
static const struct mmio_region *region;
static struct pcpu cpu;
static uint64_t now;
static uint64_t ran;     /* time that it has run since the last refresh */
static uint64_t allowed; /* the most that may be */
static bool paused, bitten;

void vm_watchdog_bite(struct vm *of, const char *why)
{
	FUZZ_CHECK(of == vm && why && !paused && !bitten);
	bitten = true;
}

static uint64_t access(uint64_t offset, uint32_t bytes, bool write, uint64_t value)
{
	struct mmio_access a = { .offset = offset, .value = value, .bytes = bytes, .write = write };

	FUZZ_CHECK(region->handler(NULL, region->dev, &a));
	FUZZ_CHECK(bytes == 8 || a.value < BIT64(8 * bytes));
	return a.value;
}

static void restart(void)
{
	vm->devices->reset(vm->devices);
	paused = bitten = false;
	ran = 0;
	allowed = BOOT_MS * MS;
}

static void once(void)
{
	static const struct bundle_vm cfg = { .watchdog_ms = LIMIT_MS, .watchdog_boot_ms = BOOT_MS };

	if (vm)
		return;
	time_init(1000000000);
	FUZZ_CHECK(mem_add(host_ram_add(UINT64_C(0x100000)), UINT64_C(0x100000)) == 0);
	pcpu_register(&cpu, 0, 0);
	host_set_pcpu(&cpu);
	vm = arch_vm_alloc();
	vm->label = "fuzz";
	vm->id = 1;
	vm->cfg = &cfg;
	FUZZ_CHECK(vwdt_create(vm) == 0);
	region = mmio_find(&vm->mmio, gpa(GUEST_WDT_BASE), 4);
	FUZZ_CHECK(region != NULL);
}

static void pass(uint64_t ticks)
{
	uint64_t until = now + ticks;
	unsigned int runs = 0;

	while (host_timer(0) <= until) {
		now = MAX(now, host_timer(0));
		host_set_now(now);
		timer_queue_run(&cpu.timers);
		FUZZ_CHECK(++runs < 8);
	}
	now = until;
	host_set_now(now);
	ran += paused ? 0 : ticks;
}

static bool refreshes(uint64_t offset, uint32_t bytes)
{
	return bytes >= 4 && (offset == 0 || offset == WCS || offset == WOR || offset == WOR + 4);
}

static void guest(uint64_t offset, uint32_t bytes, bool write, uint64_t value)
{
	if (paused || bitten)
		return; /* it doesn't run */
	(void)access(offset, bytes, write, bytes == 8 ? value : value & (BIT64(8 * bytes) - 1));
	if (write && refreshes(offset, bytes)) {
		ran = 0;
		allowed = LIMIT_MS * MS;
	}
}

/* A deadline of 0 (the guest may write that to WCV) is left in the hardware, where it fires at once. */
static void check_state(void)
{
	uint64_t wcs = access(WCS, 4, false, 0), wcv = access(WCV, 8, false, 0);

	FUZZ_CHECK(host_irq_level(vm, GUEST_WDT_INTID) == ((wcs & 2) != 0));
	FUZZ_CHECK(access(WOR, 8, false, 0) < BIT64(48));
	FUZZ_CHECK(!bitten || (wcs & 6) == 6);
	if (!(wcs & 1)) {
		FUZZ_CHECK(!(wcs & 2) && (host_timer(0) == TIME_NEVER || host_timer(0) == 0));
		return;
	}
	if (paused || bitten)
		return;
	/* Running, and nobody was there for too long: that is a bite. */
	FUZZ_CHECK(ran < allowed);
	FUZZ_CHECK(host_timer(0) <= wcv);
	FUZZ_CHECK(wcv <= now - ran + ((wcs & 2) ? allowed : allowed / 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t places[] = { 0x000, 0x004, 0x008, 0x00c, 0x010, 0x014, 0x018, 0xfcc };
	struct fuzz_input in = { data, size };

	once();
	access(WCS, 4, true, 0);
	restart();
	while (in.left) {
		uint8_t op = (uint8_t)fuzz_number(&in, 1);
		uint32_t bytes = 1u << (op & 3);
		uint64_t offset;

		if (op < 0x80) { /* registers that exist, mostly as words */
			offset = places[fuzz_number(&in, 1) & 7] | (op & 4 ? 0 : WCS);
			bytes = op & 0x18 ? 4 : bytes;
			guest(offset & ~(uint64_t)(bytes - 1), bytes, op & 0x20,
			      fuzz_number(&in, op & 0x40 ? bytes : 4));
		} else if (op < 0xa0) {
			offset = fuzz_number(&in, 3) % (GUEST_WDT_SIZE - 7);
			guest(offset & ~(uint64_t)(bytes - 1), bytes, op & 0x10, fuzz_number(&in, bytes));
		} else if (op < 0xb0) {
			guest(WCV, 8, true, now + fuzz_number(&in, 4));
		} else if (op < 0xe0) {
			pass(fuzz_number(&in, 1) * MS);
		} else if (op < 0xf8) {
			paused = (op & 1) || bitten; /* whoever crashed isn't resumed */
			vm->devices->pause(vm->devices, paused);
		} else {
			restart();
		}
		check_state();
	}
	FUZZ_CHECK(host_violations() == 0);
	return 0;
}
