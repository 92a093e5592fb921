/* SPDX-License-Identifier: Apache-2.0 */
/* The host's models of TLB and caches: each rule is broken once on purpose and must be noticed. */
#include "support.h"

#include <string.h>

#include "camber/arch/cache.h"
#include "camber/arch/stage2.h"
#include "camber/arch/vcpu.h"
#include "camber/guestmem.h"

#define MIB UINT64_C(0x100000)

static struct vm *vm;
static struct vcpu *vcpu;
static hpa_t ram;
static uint64_t *slot; /* the level-2 entry of the VM's RAM at 0 */
static uint64_t other;

static int begin(void **state)
{
	(void)state;
	(void)host_take_violations();
	return 0;
}

static void stale_translation_is_seen(void **state)
{
	hpa_t pa;
	unsigned int prot;

	(void)state;
	arch_stage2_set(slot, 0);
	/* The tables say no, the TLB still says yes. */
	assert_true(host_stage2_access(&vm->map, gpa(0x1234), &pa, &prot));
	assert_int_equal(pa.addr, ram.addr + 0x1234);
	arch_vcpu_switch(NULL, vcpu);
	assert_int_equal(host_take_violations(), 1);
	arch_stage2_flush_addr(vm->id + 1, gpa(0));   /* another VM's */
	arch_stage2_flush_addr(vm->id, gpa(2 * MIB)); /* another address */
	host_stage2_check(&vm->map);
	assert_int_equal(host_take_violations(), 1);
	arch_stage2_flush_addr(vm->id, gpa(2 * MIB - 1));
	assert_false(host_stage2_access(&vm->map, gpa(0x1234), &pa, &prot));
	arch_vcpu_switch(NULL, vcpu);
	arch_stage2_set(slot, arch_stage2_leaf(ram, GMAP_R | GMAP_W, 2));
	assert_int_equal(host_take_violations(), 0);
}

static void break_before_make_is_demanded(void **state)
{
	(void)state;
	arch_stage2_set(slot, other);
	assert_int_equal(host_take_violations(), 1);
	arch_stage2_flush_all(vm->id);
	/* Broken, but made again without the invalidation between. */
	arch_stage2_set(slot, 0);
	arch_stage2_set(slot, other);
	assert_int_equal(host_take_violations(), 1);
	arch_stage2_flush_all(vm->id);
	/* As it has to be. */
	arch_stage2_set(slot, 0);
	arch_stage2_flush_all(vm->id);
	arch_stage2_set(slot, arch_stage2_leaf(ram, GMAP_R | GMAP_W, 2));
	host_stage2_check(&vm->map);
	assert_int_equal(host_take_violations(), 0);
}

static void plain_stores_are_seen(void **state)
{
	uint64_t was = *slot;

	(void)state;
	*slot = other;
	host_stage2_check(&vm->map);
	assert_int_equal(host_take_violations(), 1);
	*slot = was;
	host_stage2_check(&vm->map);
	assert_int_equal(host_take_violations(), 0);
}

static void uncleaned_bytes_are_seen(void **state)
{
	(void)state;
	assert_int_equal(guestmem_write(&vm->map, gpa(100), "code", 4), 0);
	arch_vcpu_set_entry(vcpu, gpa(100), 0);
	arch_vcpu_switch(NULL, vcpu);
	assert_int_equal(host_take_violations(), 1);
	/* Once it runs, its caches are its own business. */
	arch_vcpu_switch(NULL, vcpu);
	assert_int_equal(host_take_violations(), 0);
	/* Cleaned, but the instruction caches may hold what was there before. */
	arch_cache_clean(hpa_to_ptr(hpa(ram.addr + 100)), 4);
	arch_vcpu_set_entry(vcpu, gpa(100), 0);
	arch_vcpu_switch(NULL, vcpu);
	assert_int_equal(host_take_violations(), 1);
	assert_int_equal(guestmem_load(&vm->map, gpa(100), "more", 4, NULL), 0);
	arch_vcpu_set_entry(vcpu, gpa(100), 0);
	arch_vcpu_switch(NULL, vcpu);
	assert_int_equal(host_take_violations(), 0);
	assert_int_equal(host_memory_byte(hpa(ram.addr + 100)), 'm');
}

static void bulk_hooks_demand_alignment(void **state)
{
	static char buffer[256] __aligned(64);

	(void)state;
	arch_zero(buffer + 8, 1);
	(void)arch_copy_crc32(buffer + 1, buffer + 128, 1, 0);
	(void)arch_copy_crc32(buffer, buffer + 129, 1, 0);
	assert_int_equal(host_take_violations(), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(stale_translation_is_seen, begin),
		cmocka_unit_test_setup(break_before_make_is_demanded, begin),
		cmocka_unit_test_setup(plain_stores_are_seen, begin),
		cmocka_unit_test_setup(uncleaned_bytes_are_seen, begin),
		cmocka_unit_test_setup(bulk_hooks_demand_alignment, begin),
	};

	unit_memory(4 * MIB);
	vm = unit_vm("model", 3);
	vcpu = arch_vcpu_alloc();
	vcpu->vm = vm;
	ram = host_ram_add(2 * MIB);
	other = arch_stage2_leaf(hpa(0x80000000), GMAP_R, 2);
	if (gmap_map(&vm->map, gpa(0), ram, 2 * MIB, GMAP_R | GMAP_W | GMAP_X))
		return 1;
	slot = hpa_to_ptr(arch_stage2_addr(vm->map.root[0]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
