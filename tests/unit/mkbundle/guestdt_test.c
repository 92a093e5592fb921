/* SPDX-License-Identifier: Apache-2.0 */
/* The generated device tree, read back with libfdt: it says what hv/include/abi/platform.h says, and nothing more. */
#include "helper.h"

#include <libfdt.h>
#include <string.h>

static const void *tree(struct mkbundle *m, const char *body)
{
	const struct load *load;
	uint8_t *bundle;
	size_t bytes;

	if (helper_pack_vm(m, body, &bundle, &bytes))
		fail_msg("%s", m->diag.text);
	load = &m->vms[0].loads[m->vms[0].load_count - 1];
	assert_int_equal(load->kind, BUNDLE_LOAD_DTB);
	assert_int_equal(load->ipa, GUEST_RAM_BASE);
	assert_int_equal(fdt_check_full(load->blob->data, load->blob->bytes), 0);
	return load->blob->data;
}

static void expect_text(const void *fdt, const char *path, const char *prop, const char *value)
{
	const char *have = fdt_getprop(fdt, fdt_path_offset(fdt, path), prop, NULL);

	if (!have)
		fail_msg("%s has no %s", path, prop);
	assert_string_equal(have, value);
}

static void expect_cells(const void *fdt, const char *path, const char *prop, const uint32_t *cells, size_t count)
{
	int bytes;
	const char *have = fdt_getprop(fdt, fdt_path_offset(fdt, path), prop, &bytes);

	if (!have)
		fail_msg("%s has no %s", path, prop);
	assert_int_equal(bytes, count * 4);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(fdt32_ld((const fdt32_t *)(const void *)(have + 4 * i)), cells[i]);
}

#define EXPECT_CELLS(fdt, path, prop, ...)                                                                             \
	expect_cells(fdt, path, prop, (const uint32_t[]){ __VA_ARGS__ },                                               \
		     sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void platform(void **state)
{
	struct mkbundle *m = *state;
	const void *fdt =
		tree(m, "label = \"a\"; cpus = <2>; memory-mib = <4096>; kernel = \"linux\"; initrd = \"initrd\";"
			"bootargs = \"console=ttyAMA0\";");
	uint32_t gic = fdt_get_phandle(fdt, fdt_path_offset(fdt, "/intc@8000000"));

	EXPECT_CELLS(fdt, "/", "interrupt-parent", gic);
	assert_int_not_equal(gic, 0);
	EXPECT_CELLS(fdt, "/memory@40000000", "reg", 0, 0x40000000, 1, 0);
	expect_text(fdt, "/chosen", "bootargs", "console=ttyAMA0");
	expect_text(fdt, "/chosen", "stdout-path", "/pl011@9000000");
	EXPECT_CELLS(fdt, "/chosen", "linux,initrd-start", 0, 0x41c00000);
	EXPECT_CELLS(fdt, "/chosen", "linux,initrd-end", 0, 0x41c00000 + 777);
	/* Distributor, then two redistributors of 128 KiB. */
	EXPECT_CELLS(fdt, "/intc@8000000", "reg", 0, 0x08000000, 0, 0x10000, 0, 0x080a0000, 0, 0x40000);
	EXPECT_CELLS(fdt, "/intc@8000000", "#interrupt-cells", 3);
	/* Secure, non-secure, virtual, hypervisor: PPIs 13, 14, 11, 10, level high. */
	EXPECT_CELLS(fdt, "/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
	EXPECT_CELLS(fdt, "/pl011@9000000", "reg", 0, 0x09000000, 0, 0x1000);
	EXPECT_CELLS(fdt, "/pl011@9000000", "interrupts", 0, 1, 4);
	EXPECT_CELLS(fdt, "/pl031@9010000", "interrupts", 0, 2, 4);
	EXPECT_CELLS(fdt, "/apb-pclk", "clock-frequency", 24000000);
	expect_text(fdt, "/psci", "method", "hvc");
	EXPECT_CELLS(fdt, "/cpus/cpu@1", "reg", 1);
	expect_text(fdt, "/cpus/cpu@1", "enable-method", "psci");
	assert_true(fdt_path_offset(fdt, "/cpus/cpu@2") < 0);
}

/* Interrupts and clocks refer to nodes that exist: each phandle used is defined once. */
static void references(void **state)
{
	struct mkbundle *m = *state;
	const void *fdt = tree(m, BASIC("a") "kernel = \"linux\";");
	static const char *const users[] = { "/pl011@9000000", "/pl031@9010000" };

	for (size_t i = 0; i < ARRAY_COUNT(users); i++) {
		int bytes;
		const fdt32_t *clocks = fdt_getprop(fdt, fdt_path_offset(fdt, users[i]), "clocks", &bytes);

		assert_non_null(clocks);
		for (int c = 0; c < bytes / 4; c++)
			assert_int_equal(fdt_node_offset_by_phandle(fdt, fdt32_ld(&clocks[c])),
					 fdt_path_offset(fdt, "/apb-pclk"));
	}
}

static void left_out(void **state)
{
	struct mkbundle *m = *state;
	const void *fdt = tree(m, BASIC("a") "kernel = \"linux\"; no-vpl011; no-rtc;");

	assert_true(fdt_path_offset(fdt, "/pl011@9000000") < 0);
	assert_true(fdt_path_offset(fdt, "/pl031@9010000") < 0);
	assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "stdout-path", NULL));
	assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "bootargs", NULL));
	assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "linux,initrd-start", NULL));
	assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "kaslr-seed", NULL));
	assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "rng-seed", NULL));
}

/* Linux' binding arm,sbsa-gwdt: control frame, refresh frame. */
static void watchdog(void **state)
{
	struct mkbundle *m = *state;
	const void *fdt = tree(m, BASIC("a") "kernel = \"linux\"; watchdog-ms = <2500>;");

	expect_text(fdt, "/watchdog@9100000", "compatible", "arm,sbsa-gwdt");
	EXPECT_CELLS(fdt, "/watchdog@9100000", "reg", 0, 0x09110000, 0, 0x10000, 0, 0x09100000, 0, 0x10000);
	EXPECT_CELLS(fdt, "/watchdog@9100000", "interrupts", 0, 10, 4);
	EXPECT_CELLS(fdt, "/watchdog@9100000", "timeout-sec", 2);
	fdt = tree(m, BASIC("a") "kernel = \"linux\"; watchdog-ms = <10>;");
	EXPECT_CELLS(fdt, "/watchdog@9100000", "timeout-sec", 1);
	fdt = tree(m, BASIC("a") "kernel = \"linux\"; watchdog-ms = <0>;");
	assert_true(fdt_path_offset(fdt, "/watchdog@9100000") < 0);
}

static void reserved_memory(void **state)
{
	struct mkbundle *m = *state;
	const void *fdt = tree(m, BASIC("a") "kernel = \"linux\"; reserved@43000000 { size-mib = <2>; };"
					     "reserved@43f00000 { reg = <0 0x43f00000 0 0x3000>; label = \"ramoops\";"
					     "no-map; compatible = \"ramoops\"; record-size = <0x1000>; };");

	EXPECT_CELLS(fdt, "/reserved-memory", "#address-cells", 2);
	EXPECT_CELLS(fdt, "/reserved-memory", "#size-cells", 2);
	assert_non_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/reserved-memory"), "ranges", NULL));
	EXPECT_CELLS(fdt, "/reserved-memory/reserved@43000000", "reg", 0, 0x43000000, 0, 0x200000);
	assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/reserved-memory/reserved@43000000"), "no-map", NULL));
	EXPECT_CELLS(fdt, "/reserved-memory/ramoops@43f00000", "reg", 0, 0x43f00000, 0, 0x3000);
	EXPECT_CELLS(fdt, "/reserved-memory/ramoops@43f00000", "record-size", 0x1000);
	expect_text(fdt, "/reserved-memory/ramoops@43f00000", "compatible", "ramoops");
	assert_non_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/reserved-memory/ramoops@43f00000"), "no-map", NULL));
}

/* The largest tree that a profile can ask for fits the buffer. */
static void largest(void **state)
{
	struct mkbundle *m = *state;
	char text[BOOTARGS_MAX + 1];
	const void *fdt;

	memset(text, 'x', BOOTARGS_MAX);
	text[BOOTARGS_MAX] = 0;
	fdt = tree(m, pool_printf(m,
				  "label = \"a\"; cpus = <8>; memory-mib = <261120>; kernel = \"linux\";"
				  "initrd = \"initrd\"; bootargs = \"%s\";",
				  text));
	expect_text(fdt, "/chosen", "bootargs", text);
	EXPECT_CELLS(fdt, "/cpus/cpu@7", "reg", 7);
	EXPECT_CELLS(fdt, "/memory@40000000", "reg", 0, 0x40000000, 0x3f, 0xc0000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(platform, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(references, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(left_out, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(watchdog, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(reserved_memory, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(largest, helper_setup, helper_teardown),
	};

	return cmocka_run_group_tests_name("mkbundle/guestdt", tests, NULL, NULL);
}
