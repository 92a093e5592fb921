/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduling: what reaches the bundle, and which sets of real-time VMs are refused. The CPU that a real-time vCPU is judged on
 * is the hypervisor's choice foretold, so it is compared with a second, plain statement of the rule.
 */
#include "helper.h"

#include <stdlib.h>
#include <string.h>

static void percentages(void **state)
{
	static const struct {
		uint32_t ppm;
		const char *text;
	} cases[] = {
		{ 0, "0.0" },
		{ 1, "0.0001" },
		{ 100, "0.01" },
		{ 1000, "0.1" },
		{ 10000, "1.0" },
		{ 375000, "37.5" },
		{ 333334, "33.3334" },
		{ 1000000, "100.0" },
		{ 1000001, "100.0001" },
		{ 128000000, "12800.0" },
		{ UINT32_MAX, "429496.7295" },
	};
	struct rt_percent_text text;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_string_equal(rt_percent(&text, cases[i].ppm), cases[i].text);
}

static void exact(void **state)
{
	struct rt_share third[] = { { 1000, 3000, 1 }, { 2000, 6000, 1 }, { 3333333, 9999999, 1 } };
	struct rt_share primes[BUNDLE_VM_MAX], same[BUNDLE_VM_MAX];
	const struct rt_share most = { BUNDLE_RT_PERIOD_MAX_US, BUNDLE_RT_PERIOD_MAX_US, BUNDLE_VCPU_MAX };

	(void)state;
	assert_int_equal(rt_compare(third, 0, 0), 0);
	assert_int_equal(rt_ppm(third, 0), 0);
	assert_int_equal(rt_compare(third, 3, 1000000), 0);
	assert_int_equal(rt_ppm(third, 3), 1000000);
	assert_int_equal(rt_ppm(third, 1), 333334);
	third[2].period_us--; /* a thirtieth of a millionth more */
	assert_true(rt_compare(third, 3, 1000000) > 0);
	assert_int_equal(rt_ppm(third, 3), 1000001);
	third[2].period_us += 2;
	assert_true(rt_compare(third, 3, 1000000) < 0);
	assert_int_equal(rt_ppm(third, 3), 1000000);

	/* The largest numbers there can be. */
	for (uint32_t i = 0; i < BUNDLE_VM_MAX; i++) {
		primes[i] = (struct rt_share){ BUNDLE_RT_PERIOD_MAX_US - i, BUNDLE_RT_PERIOD_MAX_US - i,
					       BUNDLE_VCPU_MAX };
		same[i] = most;
	}
	assert_int_equal(rt_ppm(primes, BUNDLE_VM_MAX), 128000000);
	assert_int_equal(rt_compare(primes, BUNDLE_VM_MAX, 128000000), 0);
	primes[15].budget_us--;
	assert_true(rt_compare(primes, BUNDLE_VM_MAX, 128000000) < 0);
	assert_true(rt_compare(primes, BUNDLE_VM_MAX, 127999999) > 0);
	assert_int_equal(rt_ppm(same, BUNDLE_VM_MAX), 128000000);
}

/* Shares whose sum is 1 for certain, cut from a whole by chance, in unlike denominators; then a microsecond more. */
static void random_wholes(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct rt_share shares[BUNDLE_VM_MAX];
		uint32_t whole = 1000 + (uint32_t)rand_r(&seed) % 1000;
		uint32_t left = whole;
		uint32_t count = 0;

		while (left && count < BUNDLE_VM_MAX - 1) {
			uint32_t part = 1 + (uint32_t)rand_r(&seed) % left;
			uint32_t factor = 1 + (uint32_t)rand_r(&seed) % 5000;

			shares[count++] = (struct rt_share){ part * factor, whole * factor, 1 };
			left -= part;
		}
		if (left)
			shares[count++] = (struct rt_share){ left, whole, 1 };
		assert_int_equal(rt_compare(shares, count, 1000000), 0);
		assert_int_equal(rt_ppm(shares, count), 1000000);
		shares[(uint32_t)rand_r(&seed) % count].budget_us++;
		assert_int_equal(rt_compare(shares, count, 1000000), 1);
	}
}

/* A VM "a" with this in its node and in its 'sched'. */
static const struct vm *read_one(struct mkbundle *m, const char *text, const char *sched)
{
	assert_int_equal(helper_read_vm(m, pool_printf(m,
						       "label = \"a\"; memory-mib = <64>; kernel = \"linux\"; %s"
						       "sched { %s };",
						       text, sched)),
			 0);
	return &m->vms[0];
}

static void weights(void **state)
{
	struct mkbundle *m = *state;

	assert_int_equal(read_one(m, "cpus = <1>;", "")->weight, 256);
	assert_int_equal(read_one(m, "cpus = <1>;", "weight = <1>;")->weight, 1);
	assert_int_equal(read_one(m, "cpus = <1>;", "weight = <65535>;")->weight, 65535);
	assert_int_equal(read_one(m, "cpus = <1>;", "rt; rt-budget-us = <10>; rt-period-us = <100>;")->weight, 0);
	assert_int_equal(
		read_one(m, "cpus = <1>;", "rt; rt-budget-us = <10>; rt-period-us = <100>; weight = <0>;")->weight, 0);
	assert_int_equal(
		read_one(m, "cpus = <1>;", "rt; rt-budget-us = <10>; rt-period-us = <100>; weight = <7>;")->weight, 7);
}

static void caps(void **state)
{
	struct mkbundle *m = *state;
	static const char rt[] = "label = \"a\"; memory-mib = <64>; kernel = \"linux\"; cpus = <3>; sched { rt;"
				 "rt-budget-us = <%u>; rt-period-us = <3000>; cap-percent = <%u>; };";

	assert_int_equal(read_one(m, "cpus = <3>;", "cap-percent = <300>;")->cap_percent, 300);
	assert_int_equal(read_one(m, "cpus = <3>;", "cap-percent = <1>;")->cap_percent, 1);
	assert_int_equal(helper_read_vm(m, pool_printf(m, rt, 1000, 100)), 0);
	helper_expect_error(m, helper_read_vm(m, pool_printf(m, rt, 1000, 99)),
			    "/vm@1/sched: cap-percent:", "3 vCPU(s) with 1000 of 3000 us each are promised 100.0 %;",
			    NULL);
	helper_expect_error(m, helper_read_vm(m, pool_printf(m, rt, 1001, 100)), "promised 100.1 %;", NULL);
}

static void in_the_bundle(void **state)
{
	struct mkbundle *m = *state;
	const struct bundle_vm *vm;
	uint8_t *bundle;
	size_t bytes;

	assert_int_equal(helper_pack_vm(m,
					BASIC("a") "kernel = \"linux\"; sched { rt; rt-budget-us = <2000>;"
						   "rt-period-us = <10000>; cap-percent = <50>; };",
					&bundle, &bytes),
			 0);
	vm = (const void *)(bundle + ((const struct bundle_header *)(const void *)bundle)->vm_offset);
	assert_int_equal(vm->flags & BUNDLE_VM_RT, BUNDLE_VM_RT);
	assert_int_equal(vm->weight, 0);
	assert_int_equal(vm->cap_percent, 50);
	assert_int_equal(vm->rt_budget_us, 2000);
	assert_int_equal(vm->rt_period_us, 10000);
}

/* Fields of struct bundle_vm that no mkbundle writes. */
static void damaged_bundles(void **state)
{
	struct mkbundle *m = *state;
	static const struct {
		const char *sched;
		uint32_t weight, cap, budget, period;
	} cases[] = {
		{ "", 0, 0, 0, 0 },
		{ "", 65536, 0, 0, 0 },
		{ "", 256, 101, 0, 0 },
		{ "", 256, 0, 10, 0 },
		{ "", 256, 0, 0, 100 },
		{ "rt; rt-budget-us = <10>; rt-period-us = <100>;", 0, 0, 9, 100 },
		{ "rt; rt-budget-us = <10>; rt-period-us = <100>;", 0, 0, 101, 100 },
		{ "rt; rt-budget-us = <10>; rt-period-us = <100>;", 0, 0, 10, 99 },
		{ "rt; rt-budget-us = <10>; rt-period-us = <100>;", 0, 0, 10, 10000001 },
		{ "rt; rt-budget-us = <10>; rt-period-us = <100>;", 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct bundle_header *header;
		struct bundle_vm *vm;
		uint8_t *bundle;
		size_t bytes;

		m->diag.text[0] = 0;
		assert_int_equal(helper_pack_vm(m,
						pool_printf(m, BASIC("a") "kernel = \"linux\"; sched { %s };",
							    cases[i].sched),
						&bundle, &bytes),
				 0);
		header = (void *)bundle;
		vm = (void *)(bundle + header->vm_offset);
		assert_int_equal(bundle_check(m, "b", bundle, bytes), 0);
		vm->weight = cases[i].weight;
		vm->cap_percent = cases[i].cap;
		vm->rt_budget_us = cases[i].budget;
		vm->rt_period_us = cases[i].period;
		header->header_crc = 0;
		header->header_crc = crc32(0, bundle, header->head_bytes);
		helper_expect_error(m, bundle_check(m, "b", bundle, bytes), "b: VM 0: its scheduling is out of range;",
				    NULL);
	}
}

/* A board with CPUs of these kinds; NULL: the tree doesn't say. */
static void use_board(struct mkbundle *m, uint32_t count, const char *const *kinds)
{
	const char *cpus = "";
	uint8_t *fdt;
	size_t bytes;

	for (uint32_t i = 0; i < count; i++)
		cpus = pool_printf(m, "%s cpu@%u { device_type = \"cpu\"; reg = <%u>; %s%s%s };", cpus, i, i,
				   kinds && kinds[i] ? "compatible = \"" : "", kinds && kinds[i] ? kinds[i] : "",
				   kinds && kinds[i] ? "\";" : "");
	helper_compile(m,
		       pool_printf(m,
				   "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&gic>;"
				   "memory { device_type = \"memory\"; reg = <0 0x80000000 0 0x80000000>; };"
				   "cpus { #address-cells = <1>; #size-cells = <0>; %s };"
				   "gic: gic { interrupt-controller; #interrupt-cells = <3>; }; };",
				   cpus),
		       &fdt, &bytes);
	assert_true(tree_is_valid(fdt, bytes));
	if (board_use(m, fdt, "board.dtb"))
		fail_msg("%s", m->diag.text);
}

struct rt_vm {
	uint32_t vcpus, budget, period;
	uint32_t mask; /* of each vCPU */
};

static int read_rt(struct mkbundle *m, const struct rt_vm *vms, uint32_t count)
{
	const char *text = "";

	for (uint32_t i = 0; i < count; i++)
		text = pool_printf(
			m,
			"%s vm@%x { compatible = \"camber,vm\"; label = \"v%u\"; cpus = <%u>; memory-mib = <64>;"
			"kernel = \"linux\"; pcpu-masks = <0x%x>; sched { rt; rt-budget-us = <%u>;"
			"rt-period-us = <%u>; }; };",
			text, i + 1, i, vms[i].vcpus, vms[i].mask, vms[i].budget, vms[i].period);
	m->diag.text[0] = 0;
	return helper_read(m, pool_printf(m, ROOT("%s"), text));
}

static void on_which_cpu(void **state)
{
	struct mkbundle *m = *state;
	const struct rt_vm spread[] = { { 2, 50, 100, 3 }, { 2, 50, 100, 3 } };
	const struct rt_vm full[] = { { 2, 50, 100, 3 }, { 2, 50, 100, 3 }, { 1, 10, 1000, 3 } };
	const struct rt_vm lowest[] = { { 1, 60, 100, ~0u }, { 1, 60, 100, 1 } };
	const struct rt_vm least[] = { { 1, 30, 100, 1 }, { 1, 20, 100, 2 }, { 1, 75, 100, 3 }, { 1, 26, 100, 2 } };
	/* Less than a millionth between two CPUs is nothing: it goes to the lower one. */
	const struct rt_vm equal[] = { { 1, 1000, 3000, 1 },
				       { 1, 3333333, 10000000, 2 },
				       { 1, 1999, 3000, ~0u },
				       { 1, 2001, 3000, 1 } };

	use_board(m, 2, NULL);
	assert_int_equal(read_rt(m, spread, 2), 0);
	helper_expect_error(m, read_rt(m, full, 3), "/vm@3/sched: rt-budget-us: CPU 0 is promised 50.0 % to vm@1",
			    " (50 of 100 us), 50.0 % to vm@2 (50 of 100 us) and 1.0 % to vm@3 (10 of 1000 us), 101.0 %",
			    NULL);
	helper_expect_error(m, read_rt(m, lowest, 2), "/vm@2/sched: rt-budget-us: CPU 0 is promised", NULL);
	assert_int_equal(read_rt(m, least, 3), 0);
	helper_expect_error(m, read_rt(m, least, 4), "/vm@4/sched: rt-budget-us: CPU 1 is promised 20.0 % to vm@2",
			    NULL);
	assert_int_equal(read_rt(m, equal, 3), 0);
	helper_expect_error(m, read_rt(m, equal, 4), "/vm@4/sched: rt-budget-us: CPU 0 is promised 33.3334 % to vm@1",
			    "66.6334 % to vm@3", NULL);
}

/* Without the board's tree a vCPU with a choice isn't judged, one without is; mkbundle's --limit takes CPUs away. */
static void cpus_unknown(void **state)
{
	struct mkbundle *m = *state;
	const struct rt_vm choice[] = { { 8, 100, 100, 3 }, { 8, 100, 100, ~0u } };
	const struct rt_vm none[] = { { 1, 100, 100, 8 }, { 8, 100, 100, 3 }, { 1, 10, 10000000, 8 } };
	const struct rt_vm three[] = { { 3, 100, 100, 7 } };

	assert_int_equal(read_rt(m, choice, 2), 0);
	assert_int_equal(read_rt(m, none, 2), 0);
	helper_expect_error(m, read_rt(m, none, 3), "/vm@3/sched: rt-budget-us: CPU 3 is promised 100.0 % to vm@1",
			    "and 0.0001 % to vm@3 (10 of 10000000 us), 100.0001 % in all;", NULL);
	use_board(m, 3, NULL);
	assert_int_equal(read_rt(m, three, 1), 0);
	m->opt.limits.cpus = 2;
	helper_expect_error(m, read_rt(m, three, 1), "/vm@1/sched: rt-budget-us: CPU 0 is promised 200.0 % to vm@1",
			    "(2 vCPUs, each 100 of 100 us)", NULL);
}

/* The longest message comes whole. */
static void sixteen(void **state)
{
	struct mkbundle *m = *state;
	struct rt_vm vms[BUNDLE_VM_MAX];

	for (uint32_t i = 0; i < BUNDLE_VM_MAX; i++)
		vms[i] = (struct rt_vm){ BUNDLE_VCPU_MAX, 78124, 9999999, 1 };
	vms[15].budget = 79000;
	helper_expect_error(m, read_rt(m, vms, BUNDLE_VM_MAX),
			    "/vm@10/sched: rt-budget-us: CPU 0 is promised 6.25 % to vm@1 (8",
			    ", 6.25 % to vm@f (8 vCPUs, each 78124 of 9999999 us) and 6.3201 % to vm@10 (8 vCPUs",
			    "100.0689 % in all; lower a budget, lengthen a period, or use another CPU", NULL);
}

/* The same rule, said once more in doubles far from the limits: which profiles are refused, and because of which VM. */
static void random_sets(void **state)
{
	struct mkbundle *m = *state;
	uint32_t refused = 0;
	unsigned int seed = 7;

	use_board(m, 4, NULL);
	for (int round = 0; round < 300; round++) {
		double sum[4] = { 0, 0, 0, 0 };
		struct rt_vm vms[6];
		uint32_t count = 1 + (uint32_t)rand_r(&seed) % ARRAY_COUNT(vms);
		uint32_t bad = 0;
		int ret;

		for (uint32_t i = 0; i < count; i++) {
			/* 1 % steps: no two sums are nearly equal. */
			vms[i] = (struct rt_vm){ 1 + (uint32_t)rand_r(&seed) % 3, 1 + (uint32_t)rand_r(&seed) % 60, 100,
						 1 + (uint32_t)rand_r(&seed) % 15 };
			vms[i].period *= 10;
			vms[i].budget *= 10;
			for (uint32_t v = 0; !bad && v < vms[i].vcpus; v++) {
				int best = -1;

				for (int cpu = 0; cpu < 4; cpu++)
					if ((vms[i].mask >> cpu & 1) && (best < 0 || sum[cpu] < sum[best] - 0.001))
						best = cpu;
				sum[best] += vms[i].budget / 1000.0;
				bad = sum[best] > 1.001 ? i + 1 : 0;
			}
		}
		ret = read_rt(m, vms, count);
		if (bad)
			helper_expect_error(m, ret, pool_printf(m, "/vm@%u/sched: rt-budget-us: CPU", bad), NULL);
		else
			assert_int_equal(ret, 0);
		refused += bad > 0;
	}
	assert_in_range(refused, 50, 250);
}

static void kinds_of_core(void **state)
{
	static const char *const kinds[] = { "big", "big", "small", "small", "tiny" };
	static const char *const untold[] = { "big", "small", NULL, "small", "tiny" };
	static const char bad[] = "label = \"a\"; cpus = <2>; pcpus = <1 3>; memory-mib = <64>; kernel = \"linux\";";
	struct mkbundle *m = *state;
	const struct rt_vm follows[] = { { 1, 60, 100, 8 }, { 1, 70, 100, 4 }, { 2, 60, 100, 0x1c } };
	const struct rt_vm fits[] = { { 1, 10, 100, 0x10 }, { 1, 80, 100, 4 }, { 2, 50, 100, 0x1c } };

	use_board(m, 5, untold);
	assert_int_equal(helper_read_vm(m, bad), 0);
	use_board(m, 5, kinds);
	helper_expect_error(m, helper_read_vm(m, bad),
			    "/vm@1: pcpus: vCPU 1 may run on CPU 3 (small) only, those before it on CPU 1 (big):",
			    NULL);
	read_one(m, "cpus = <2>; pcpus = <2 3>;", "");
	assert_int_equal(vm_pcpu_mask(read_one(m, "cpus = <2>;", ""), 1), BUNDLE_PCPU_ANY);
	/* vCPU 0 may not go where vCPU 1 can't follow. */
	assert_int_equal(vm_pcpu_mask(read_one(m, "cpus = <2>; pcpu-masks = <0x1f 0x15>;", ""), 0), 0x1f);
	assert_int_equal(vm_pcpu_mask(read_one(m, "cpus = <2>; pcpu-masks = <0x1f 0x14>;", ""), 0), 0x1c);
	assert_int_equal(vm_pcpu_mask(read_one(m, "cpus = <2>; pcpu-masks = <0xffffffff 0x10>;", ""), 0), 0xfffffff0);
	assert_int_equal(vm_pcpu_mask(read_one(m, "cpus = <2>; pcpu-masks = <0x4 0x1f>;", ""), 1), 0xc);
	/* Two by two they have a kind in common, but not all three. */
	helper_expect_error(m,
			    helper_read_vm(m, "label = \"a\"; cpus = <3>; pcpu-masks = <0x5 0x14 0x11>;"
					      "memory-mib = <64>; kernel = \"linux\";"),
			    "/vm@1: pcpu-masks: vCPU 2 may run on CPU 0 (big), CPU 4 (tiny) only, those before it on ",
			    "on CPU 2 (small): a VM stays", NULL);
	/* The first vCPU takes the CPU that has promised least, the others follow it to its kind. */
	helper_expect_error(m, read_rt(m, follows, 3), "/vm@3/sched: rt-budget-us: CPU 4 is promised 120.0 % to vm@3",
			    "(2 vCPUs, each 60 of 100 us)", NULL);
	assert_int_equal(read_rt(m, fits, 3), 0);
}

static void listed(void **state)
{
	struct mkbundle *m = *state;
	char *text = NULL;
	uint8_t *bundle;
	size_t bytes, length;
	FILE *out;

	assert_int_equal(
		helper_pack(
			m,
			ROOT(VM(1, BASIC("one") "kernel = \"linux\"; pcpus = <1>; sched { rt; rt-budget-us = <1000>;"
						"rt-period-us = <3000>; };")
				     VM(2,
					"label = \"two\"; cpus = <2>; pcpus = <0 1>; memory-mib = <64>;"
					"kernel = \"linux\"; sched { rt; rt-budget-us = <100>; rt-period-us = <1000>;"
					"weight = <9>; };")
					     VM(3, "label = \"any\"; cpus = <2>; memory-mib = <64>; kernel = \"linux\";"
						   "sched { rt; rt-budget-us = <10>; rt-period-us = <1000>; };")
						     VM(4, BASIC("some") "kernel = \"linux\"; pcpu-masks = <6>;"
									 "sched { rt; rt-budget-us = <50>;"
									 "rt-period-us = <1000>; };")
							     VM(5, BASIC("not") "kernel = \"linux\"; pcpus = <7>;"
										"sched { cap-percent = <30>; };")),
			&bundle, &bytes),
		0);
	assert_int_equal(bundle_check(m, "b", bundle, bytes), 0);
	out = open_memstream(&text, &length);
	assert_non_null(out);
	bundle_list(bundle, out);
	fclose(out);
	assert_non_null(strstr(text, "\n  weight 0, cap 0 %, rt 1000 of 3000 us: 33.3334 %\n"));
	assert_non_null(strstr(text, "\n  weight 9, cap 0 %, rt 100 of 1000 us: 10.0 % for each vCPU\n"));
	assert_non_null(strstr(text, "\n  weight 256, cap 30 %\n"));
	assert_non_null(strstr(text, "\ncpu 0: real time 10.0 %: two 1 x 100 of 1000 us\n"
				     "cpu 1: real time 43.3334 %: one 1 x 1000 of 3000 us, two 1 x 100 of 1000 us\n"
				     "any cpu, chosen at boot: real time 2.0 %: any 2 x 10 of 1000 us\n"
				     "cpus 0x6, chosen at boot: real time 5.0 %: some 1 x 50 of 1000 us\n"));
	assert_null(strstr(text, "cpu 7"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentages),
		cmocka_unit_test(exact),
		cmocka_unit_test(random_wholes),
		cmocka_unit_test_setup_teardown(weights, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(caps, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(in_the_bundle, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(damaged_bundles, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(on_which_cpu, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(cpus_unknown, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(sixteen, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(random_sets, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(kinds_of_core, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(listed, helper_setup, helper_teardown),
	};

	return cmocka_run_group_tests_name("mkbundle/sched", tests, NULL, NULL);
}
