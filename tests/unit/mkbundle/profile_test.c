/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile reader: what a profile may say arrives in struct vm, and every mistake is one line that names node, property
 * and remedy.
 */
#include "helper.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

static void defaults(void **state)
{
	struct mkbundle *m = *state;
	const struct vm *vm = &m->vms[0];

	assert_int_equal(helper_read_vm(m, BASIC("a") "kernel = \"linux\";"), 0);
	assert_int_equal(m->vm_count, 1);
	assert_int_equal(vm->id, 1);
	assert_string_equal(vm->label, "a");
	assert_int_equal(vm->flags, BUNDLE_VM_AUTOSTART | BUNDLE_VM_UART | BUNDLE_VM_RTC | BUNDLE_VM_XEN);
	assert_int_equal(vm->spi_count, 64);
	assert_int_equal(vm->weight, 256);
	assert_int_equal(vm->on_crash, BUNDLE_ON_STOP);
	assert_int_equal(vm->on_reboot, BUNDLE_ON_RESTART);
	assert_int_equal(vm->pcpus_count, 0);
	assert_null(vm->bootargs);
}

static void everything(void **state)
{
	struct mkbundle *m = *state;
	const struct vm *vm = &m->vms[0];

	assert_int_equal(
		helper_read_vm(
			m,
			"label = \"ivi-0_a\"; cpus = <2>; pcpus = <3 1>; memory-mib = <128>;"
			"kernel = \"raw.bin\"; load = <0x1 0x40000000>; entry = <0x1 0x40000040>;"
			"bootargs = \"a=b c\"; on-crash = \"restart\"; on-reboot = \"stop\";"
			"stray-access = \"stop\"; watchdog-ms = <2000>; nr_spis = <96>; no-autostart;"
			"watchdog-boot-ms = <60000>; restart-delay-ms = <20>; crash-limit = <3>;"
			"start-order = <7>; scrub; xen,static-mem = <0x1 0x200000 0 0x8000000>;"
			"no-vpl011; no-rtc; xen,enhanced = \"disabled\"; sched { weight = <512>; cap-percent = <150>; rt;"
			"rt-budget-us = <2000>; rt-period-us = <10000>; };"),
		0);
	assert_string_equal(vm->label, "ivi-0_a");
	assert_int_equal(vm->flags, BUNDLE_VM_STRAY_STOP | BUNDLE_VM_RT);
	assert_int_equal(vm->vcpu_count, 2);
	assert_int_equal(vm->pcpus[0], 3);
	assert_int_equal(vm->pcpus[1], 1);
	assert_int_equal(vm->memory_mib, 128);
	assert_true(vm->has_load && vm->has_entry);
	assert_true(vm->load_ipa == UINT64_C(0x140000000));
	assert_true(vm->raw_entry == UINT64_C(0x140000040));
	assert_string_equal(vm->bootargs, "a=b c");
	assert_int_equal(vm->on_crash, BUNDLE_ON_RESTART);
	assert_int_equal(vm->on_reboot, BUNDLE_ON_STOP);
	assert_int_equal(vm->watchdog_ms, 2000);
	assert_int_equal(vm->watchdog_boot_ms, 60000);
	assert_int_equal(vm->restart_delay_ms, 20);
	assert_int_equal(vm->crash_limit, 3);
	assert_int_equal(vm->start_order, 7);
	assert_int_equal(vm->scrub, 1);
	assert_true(vm->static_mem.base == UINT64_C(0x100200000) && vm->static_mem.bytes == 128 * MIB);
	assert_int_equal(vm->spi_count, 96);
	assert_int_equal(vm->weight, 512);
	assert_int_equal(vm->cap_percent, 150);
	assert_int_equal(vm->rt_budget_us, 2000);
	assert_int_equal(vm->rt_period_us, 10000);
}

static void xen_enhanced(void **state)
{
	struct mkbundle *m = *state;
	static const struct {
		const char *text;
		uint32_t flag;
	} cases[] = {
		{ "", BUNDLE_VM_XEN },
		{ "xen,enhanced;", BUNDLE_VM_XEN },
		{ "xen,enhanced = \"enabled\";", BUNDLE_VM_XEN },
		{ "xen,enhanced = \"disabled\";", 0 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(helper_read_vm(m, pool_printf(m, BASIC("a") "kernel = \"linux\"; %s", cases[i].text)),
				 0);
		assert_int_equal(m->vms[0].flags & BUNDLE_VM_XEN, cases[i].flag);
	}
	helper_expect_error(m, helper_read_vm(m, BASIC("a") "kernel = \"linux\"; xen,enhanced = \"no-xenstore\";"),
			    "/vm@1: xen,enhanced:", "choose \"enabled\" or \"disabled\"", NULL);
}

/* Ascending; the file's order among equals; labels stay with their VMs. */
static void start_order(void **state)
{
	struct mkbundle *m = *state;
	static const char *const labels[] = { "b", "d", "a", "c", "e" };
	static const uint32_t orders[] = { 2, 0, 2, 1, 65535 };
	const char *vms = "";

	for (uint32_t i = 0; i < ARRAY_COUNT(orders); i++)
		vms = pool_printf(m,
				  "%s vm@%u { compatible = \"camber,vm\"; label = \"%c\"; cpus = <1>;"
				  "memory-mib = <64>; kernel = \"linux\"; start-order = <%u>; };",
				  vms, i + 1, 'a' + (int)i, orders[i]);
	assert_int_equal(helper_read(m, pool_printf(m, ROOT("%s"), vms)), 0);
	assert_int_equal(m->vm_count, ARRAY_COUNT(labels));
	for (uint32_t i = 0; i < m->vm_count; i++)
		assert_string_equal(m->vms[i].label, labels[i]);
	assert_int_equal(m->vms[0].id, 2);
}

static void start_delay(void **state)
{
	struct mkbundle *m = *state;

	assert_int_equal(helper_read_vm(m, BASIC("a") "kernel = \"linux\"; start-delay-ms = <86400000>;"), 0);
	assert_int_equal(m->vms[0].start_delay_ms, 86400000);
	helper_expect_error(m, helper_read_vm(m, BASIC("a") "kernel = \"linux\"; start-delay-ms = <86400001>;"),
			    "/vm@1: start-delay-ms:", "from 0 to 86400000", NULL);
}

/* The nearest name is offered, and none if nothing is near. */
static void misspelt(void **state)
{
	struct mkbundle *m = *state;
	static const struct {
		const char *wrong;
		const char *right;
	} cases[] = {
		{ "on-crsh", "'on-crash'" },
		{ "oncrash", "'on-crash'" },
		{ "lable", "'label'" },
		{ "memory-mb", "'memory-mib'" },
		{ "pcpu", "'pcpus'" },
		{ "pcpu-mask", "'pcpu-masks'" },
		{ "nr-spis", "'nr_spis'" },
		{ "kernal", "'kernel'" },
		{ "bootarg", "'bootargs'" },
		{ "load2", "'load'" },
		{ "xen,enhance", "'xen,enhanced'" },
		{ "watchdog", "remove it" },
		{ "x", "remove it" },
		{ "name-longer-than-any-of-ours-is", "remove it" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		helper_expect_error(m, helper_read_vm(m, pool_printf(m, "%s = <1>;", cases[i].wrong)),
				    "/vm@1: ", cases[i].wrong, "no such property here; ", cases[i].right, NULL);
}

static void bootargs_option(void **state)
{
	struct mkbundle *m = *state;

	m->opt.bootargs.item[m->opt.bootargs.count++] = (struct pair){ "a", "other", false };
	assert_int_equal(helper_read_vm(m, BASIC("a") "kernel = \"linux\"; bootargs = \"own\";"), 0);
	assert_string_equal(m->vms[0].bootargs, "other");
	assert_true(m->opt.bootargs.item[0].used);
}

/* A body of /vm@1, the place that the message has to name, and words of its rule or remedy. */
static const struct mistake {
	const char *body;
	const char *place;
	const char *words;
} mistakes[] = {
	{ "cpus = <1>; memory-mib = <64>; kernel = \"linux\";", "/vm@1: label:", "missing" },
	{ "label = \"UP\"; cpus = <1>; memory-mib = <64>; kernel = \"linux\";", "/vm@1: label:", "start with a-z" },
	{ "label = \"-a\"; cpus = <1>; memory-mib = <64>; kernel = \"linux\";", "/vm@1: label:", "start with a-z" },
	{ "label = \"a b\"; cpus = <1>; memory-mib = <64>; kernel = \"linux\";", "/vm@1: label:", "start with a-z" },
	{ "label = \"0123456789abcdef\"; cpus = <1>; memory-mib = <64>;", "/vm@1: label:", "at most 15" },
	{ "label = \"\"; cpus = <1>;", "/vm@1: label:", "one string" },
	{ "label = \"a\", \"b\"; cpus = <1>;", "/vm@1: label:", "one string" },
	{ "label = <1>; cpus = <1>;", "/vm@1: label:", "one string" },
	{ "label = [61 07 00];", "/vm@1: label:", "printable" },
	{ "label = \"a\"; memory-mib = <64>; kernel = \"linux\";", "/vm@1: cpus:", "missing" },
	{ "cpus = <0>;", "/vm@1: cpus:", "from 1 to 8" },
	{ "cpus = <9>;", "/vm@1: cpus:", "from 1 to 8" },
	{ "cpus = <1 2>;", "/vm@1: cpus:", "at most 1" },
	{ "cpus = \"2\";", "/vm@1: cpus:", "write 'cpus = <2>;'" },
	{ "cpus = \"100\";", "/vm@1: cpus:", "write 'cpus = <100>;'" },
	{ "cpus;", "/vm@1: cpus:", "must be a number" },
	{ "cpus = [01 02 03];", "/vm@1: cpus:", "must be a number" },
	{ BASIC("a") "kernel = \"linux\"; pcpus = <0 1>;", "/vm@1: pcpus:", "2 entries for 1 vCPUs" },
	{ BASIC("a") "kernel = \"linux\"; pcpus = <32>;", "/vm@1: pcpus:", "from 0 to 31" },
	{ BASIC("a") "kernel = \"linux\"; pcpus = <0 0 0 0 0 0 0 0 0>;", "/vm@1: pcpus:", "at most 8" },
	{ BASIC("a") "kernel = \"linux\"; pcpus = <0>; pcpu-masks = <1>;",
	  "/vm@1: pcpu-masks:", "contradicts 'pcpus'" },
	{ BASIC("a") "kernel = \"linux\"; pcpu-masks = <1 2>;", "/vm@1: pcpu-masks:", "2 entries for 1 vCPUs" },
	{ BASIC("a") "kernel = \"linux\"; pcpu-masks = <0>;", "/vm@1: pcpu-masks:", "never run" },
	{ "label = \"a\"; cpus = <1>; kernel = \"linux\";", "/vm@1: memory-mib:", "missing" },
	{ "memory-mib = <0>;", "/vm@1: memory-mib:", "from 2 to 261120" },
	{ "memory-mib = <261122>;", "/vm@1: memory-mib:", "from 2 to 261120" },
	{ "label = \"a\"; cpus = <1>; memory-mib = <63>; kernel = \"linux\";", "/vm@1: memory-mib:", "choose 64" },
	{ BASIC("a"), "/vm@1: kernel:", "missing" },
	{ BASIC("a") "kernel = \"linux\"; rom = \"rom.bin\";", "/vm@1: rom:", "contradicts 'kernel'" },
	{ BASIC("a") "rom = \"rom.bin\"; load = <0>;", "/vm@1: load:", "remove it" },
	{ BASIC("a") "rom = \"rom.bin\"; entry = <0>;", "/vm@1: entry:", "remove it" },
	{ BASIC("a") "rom = \"rom.bin\"; initrd = \"initrd\";", "/vm@1: initrd:", "remove it" },
	{ BASIC("a") "kernel = \"raw.bin\"; entry = <0x40200000>;", "/vm@1: entry:", "needs 'load'" },
	{ "load = <0 1 2>;", "/vm@1: load:", "at most 2" },
	{ "on-crash = \"explode\";", "/vm@1: on-crash:", "\"stop\" or \"restart\"" },
	{ "on-reboot;", "/vm@1: on-reboot:", "one string" },
	{ "stray-access = \"ignore\";", "/vm@1: stray-access:", "\"abort\" or \"stop\"" },
	{ "nr_spis = <33>;", "/vm@1: nr_spis:", "multiple" },
	{ "nr_spis = <0>;", "/vm@1: nr_spis:", "from 32 to 960" },
	{ "nr_spis = <992>;", "/vm@1: nr_spis:", "from 32 to 960" },
	{ "no-vpl011 = <1>;", "/vm@1: no-vpl011:", "takes no value" },
	{ "vpl011; no-vpl011;", "/vm@1: no-vpl011:", "contradicts 'vpl011'" },
	{ "xen,enhanced = <1>;", "/vm@1: xen,enhanced:", "one string" },
	{ "memory = <1>;", "/vm@1: memory:", "no such property" },
	{ "net@0 { };", "/vm@1/net@0:", "not supported yet" },
	{ "pci@0 { };", "/vm@1/pci@0:", "not supported yet" },
	{ "disk { };", "/vm@1/disk:", "no such node" },
	{ "sched { deep { }; };", "/vm@1/sched:", "must not have nodes" },
	{ "sched { weight = <65536>; };", "/vm@1/sched: weight:", "from 0 to 65535" },
	{ BASIC("a") "kernel = \"linux\"; sched { weight = <0>; };", "/vm@1/sched: weight:", "from 1 to 65535" },
	{ "sched { cap-percent = <0>; };", "/vm@1/sched: cap-percent:", "from 1 to 800" },
	{ "sched { rt-budget-us = <9>; };", "/vm@1/sched: rt-budget-us:", "from 10 to 10000000" },
	{ "sched { rt-period-us = <99>; };", "/vm@1/sched: rt-period-us:", "from 100 to 10000000" },
	{ "sched { rt-period-us = <10000001>; };", "/vm@1/sched: rt-period-us:", "from 100 to 10000000" },
	{ "sched { priority = <0>; };", "/vm@1/sched: priority:", "no such property" },
	{ "sched { rt = <1>; };", "/vm@1/sched: rt:", "takes no value" },
	{ BASIC("a") "kernel = \"linux\"; sched { cap-percent = <101>; };",
	  "/vm@1/sched: cap-percent:", "at most 100" },
	{ BASIC("a") "kernel = \"linux\"; sched { rt; };", "/vm@1/sched: rt-budget-us:", "missing" },
	{ BASIC("a") "kernel = \"linux\"; sched { rt; rt-budget-us = <10>; };",
	  "/vm@1/sched: rt-period-us:", "missing" },
	{ BASIC("a") "kernel = \"linux\"; sched { rt-period-us = <100>; };",
	  "/vm@1/sched: rt-period-us:", "without 'rt'" },
	{ BASIC("a") "kernel = \"linux\"; sched { rt; rt-budget-us = <101>; rt-period-us = <100>; };",
	  "/vm@1/sched: rt-budget-us:", "more than the period" },
};

static void each_mistake(void **state)
{
	struct mkbundle *m = *state;

	for (size_t i = 0; i < ARRAY_COUNT(mistakes); i++)
		helper_expect_error(m, helper_read_vm(m, mistakes[i].body), "test.dts: ", mistakes[i].place,
				    mistakes[i].words, NULL);
}

static void long_bootargs(void **state)
{
	struct mkbundle *m = *state;
	char text[BOOTARGS_MAX + 2];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	helper_expect_error(m,
			    helper_read_vm(m,
					   pool_printf(m, BASIC("a") "kernel = \"linux\"; bootargs = \"%s\";", text)),
			    "/vm@1: bootargs:", "2048", NULL);
	text[BOOTARGS_MAX] = 0;
	assert_int_equal(helper_read_vm(m, pool_printf(m, BASIC("a") "kernel = \"linux\"; bootargs = \"%s\";", text)),
			 0);
}

/* The hypervisor's own limits, when they are known. */
static void configured_limits(void **state)
{
	struct mkbundle *m = *state;
	static const char two[] = ROOT(VM(1, BASIC("a") "kernel = \"linux\"; nr_spis = <96>; pcpus = <3>;")
					       VM(2, BASIC("b") "kernel = \"linux\"; pcpu-masks = <0xc>;"));

	m->opt.limits = (struct limits){ .vms = 2, .cpus = 4, .spis = 96 };
	assert_int_equal(helper_read(m, two), 0);
	m->opt.limits = (struct limits){ .vms = 1, .cpus = 4, .spis = 96 };
	helper_expect_error(m, helper_read(m, two), "/: has 2 VMs", "CONFIG_VM_MAX", NULL);
	m->opt.limits = (struct limits){ .vms = 2, .cpus = 4, .spis = 64 };
	helper_expect_error(m, helper_read(m, two), "/vm@1: nr_spis:", "CONFIG_SPI_MAX", NULL);
	m->opt.limits = (struct limits){ .vms = 2, .cpus = 3, .spis = 96 };
	helper_expect_error(m, helper_read(m, two), "/vm@1: pcpus: names CPU 3", "CONFIG_CPU_MAX", NULL);
	m->opt.limits = (struct limits){ .cpus = 2 };
	helper_expect_error(m, helper_read_vm(m, BASIC("b") "kernel = \"linux\"; pcpu-masks = <0xc>;"),
			    "/vm@1: pcpu-masks: mask 0xc", "CONFIG_CPU_MAX", NULL);
	m->opt.limits = (struct limits){ .cpus = 32 };
	assert_int_equal(helper_read_vm(m, BASIC("b") "kernel = \"linux\"; pcpu-masks = <0x80000000>;"), 0);
}

static void wrong_trees(void **state)
{
	struct mkbundle *m = *state;
	static const char junk[100] = "junk";

	helper_expect_error(m, profile_read(m, junk, sizeof(junk)), "not a compiled device tree", NULL);
	helper_expect_error(m, profile_read(m, junk, 3), "not a compiled device tree", NULL);
	helper_expect_error(m, helper_read(m, "/dts-v1/; / { };"), "/: compatible:", "camber,config", NULL);
	helper_expect_error(m, helper_read(m, ROOT("")), "no VM", NULL);
	helper_expect_error(m, helper_read(m, ROOT("cpus = <1>;")), "/: cpus:", "no such property", NULL);
	helper_expect_error(m, helper_read(m, ROOT("other { };")), "/other:", "no such node", NULL);
	helper_expect_error(m, helper_read(m, ROOT("sw0: switch { compatible = \"camber,switch\"; };")),
			    "/switch:", "not supported yet", NULL);
	helper_expect_error(m, helper_read(m, ROOT("lan { compatible = \"camber,switch\"; };")),
			    "/lan:", "not supported yet", NULL);
	helper_expect_error(m, helper_read(m, ROOT("vm@1 { label = \"a\"; };")), "/vm@1: compatible:", "camber,vm",
			    NULL);
	helper_expect_error(m, helper_read(m, ROOT("vm { };")), "/vm:", "vm@<number>", NULL);
	helper_expect_error(m, helper_read(m, ROOT("vm@0 { };")), "/vm@0:", "1 to 10", NULL);
	helper_expect_error(m, helper_read(m, ROOT("vm@11 { };")), "/vm@11:", "1 to 10", NULL);
	helper_expect_error(m, helper_read(m, ROOT("vm@ffffffffffffffffff { };")), "vm@<number>", NULL);
}

static void duplicates(void **state)
{
	struct mkbundle *m = *state;

	helper_expect_error(m,
			    helper_read(m, ROOT(VM(1, BASIC("a") "kernel = \"linux\";")
							VM(2, BASIC("a") "kernel = \"linux\";"))),
			    "/vm@2: label:", "taken by /vm@1", NULL);
	helper_expect_error(m,
			    helper_read(m, ROOT(VM(1, BASIC("a") "kernel = \"linux\";")
							VM(01, BASIC("b") "kernel = \"linux\";"))),
			    "/vm@01:", "taken by /vm@1", NULL);
}

/* Whatever one damaged byte does to the tree, the reader ends, and what it accepts obeys its own limits. */
static void damaged_bytes(void **state)
{
	struct mkbundle *m = *state;
	uint8_t *good;
	uint8_t *copy;
	size_t bytes;

	helper_compile(m, ROOT(VM(1, BASIC("a") "kernel = \"linux\"; sched { weight = <1>; };")), &good, &bytes);
	copy = malloc(bytes);
	assert_non_null(copy);
	for (size_t at = 0; at < bytes; at++) {
		for (unsigned int flip = 1; flip < 256; flip <<= 1) {
			memcpy(copy, good, bytes);
			copy[at] ^= (uint8_t)flip;
			m->diag.text[0] = 0;
			if (profile_read(m, copy, bytes)) {
				assert_int_not_equal(m->diag.text[0], 0);
				continue;
			}
			assert_in_range(m->vms[0].vcpu_count, 1, BUNDLE_VCPU_MAX);
			assert_in_range(m->vms[0].memory_mib, 2, MEMORY_MIB_MAX);
		}
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(everything, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(xen_enhanced, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(start_order, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(start_delay, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(misspelt, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(bootargs_option, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(each_mistake, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(long_bootargs, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(configured_limits, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(wrong_trees, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(duplicates, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(damaged_bytes, helper_setup, helper_teardown),
	};

	return cmocka_run_group_tests_name("mkbundle/profile", tests, NULL, NULL);
}
