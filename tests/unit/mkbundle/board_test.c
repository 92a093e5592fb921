/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board's device tree: what is read from it, and how a device of it reaches the bundle and the guest's tree. The
 * messages about it are compared in tests/system/test_config_mistakes.py.
 */
#include "helper.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

/* Two buses, one of which moves addresses; clocks that are fixed, and one that isn't. */
#define BOARD                                                                                                           \
	"/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&gic>;"                             \
	"aliases { con = \"/bus@0/serial@1000\"; }; chosen { stdout-path = \"con:115200\"; };"                          \
	"memory@80000000 { device_type = \"memory\"; reg = <0 0x80000000 0 0x10000000 1 0 0 0x20000000>; };"            \
	"cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = \"cpu\"; reg = <0>; };"                  \
	"cpu@100 { device_type = \"cpu\"; reg = <0x100>; }; };"                                                         \
	"gic: gic@f0000000 { compatible = \"arm,gic-v3\"; #interrupt-cells = <3>; interrupt-controller;"                \
	"reg = <0 0xf0000000 0 0x10000>; };"                                                                            \
	"slow: slow { compatible = \"fixed-clock\"; #clock-cells = <0>; clock-frequency = <32768>; };"                  \
	"fast: fast { compatible = \"fixed-clock\"; #clock-cells = <0>; clock-frequency = <24000000>; };"               \
	"pll: pll { compatible = \"maker,pll\"; #clock-cells = <1>; };"                                                 \
	"bus@0 { compatible = \"simple-bus\"; #address-cells = <1>; #size-cells = <1>; ranges = <0 2 0x8000 0x100000>;" \
	"serial@1000 { compatible = \"arm,pl011\"; reg = <0x1000 0x1000>; };"                                           \
	"timer@2000 { compatible = \"maker,timer\", \"maker,older\"; reg = <0x2000 0x1000 0x4000 0x2000>;"              \
	"interrupts = <0 40 4 0 41 1>; clocks = <&slow &fast &slow>; clock-names = \"a\", \"b\", \"c\";"                \
	"resets = <&pll 1>; enable-gpios = <&pll 2>; pinctrl-0 = <&pll>; plain; width = <32>; sub { x; }; };"           \
	"inner { #address-cells = <1>; #size-cells = <1>; ranges; gpio@7000 { compatible = \"arm,primecell\";"          \
	"reg = <0x7000 0x1000>; }; }; odd@8000 { reg = <0x8000 0x1000>; clocks = <&pll 3 &pll 4>;"                      \
	"clock-names = \"x\", \"y\"; clock-frequency = <5>; }; };"                                                      \
	"};"

static void use_board(struct mkbundle *m, const char *text)
{
	uint8_t *fdt;
	size_t bytes;

	helper_compile(m, text, &fdt, &bytes);
	helper_put(m, "board.dtb", fdt, bytes);
	if (board_read(m, helper_path(m, "board.dtb")))
		fail_msg("%s", m->diag.text);
}

static void reads(void **state)
{
	struct mkbundle *m = *state;

	use_board(m, BOARD);
	assert_int_equal(m->board.cpu_count, 2);
	assert_int_equal(m->board.ram_count, 2);
	assert_true(m->board.ram[1].base == UINT64_C(0x100000000) && m->board.ram[1].bytes == 512 * MIB);
	assert_true(m->board.ram_bytes == 768 * MIB);
}

/* Through one bus that moves addresses, and one below it that doesn't. */
static void addresses(void **state)
{
	struct mkbundle *m = *state;
	struct range range;
	int node;

	use_board(m, BOARD);
	node = fdt_path_offset(m->board.fdt, "/bus@0/timer@2000");
	assert_int_equal(board_reg(&m->board, node, 1, &range), 1);
	assert_true(range.base == UINT64_C(0x20000c000) && range.bytes == 0x2000);
	assert_int_equal(board_reg(&m->board, node, 2, &range), 0);
	node = fdt_path_offset(m->board.fdt, "/bus@0/inner/gpio@7000");
	assert_int_equal(board_reg(&m->board, node, 0, &range), 1);
	assert_true(range.base == UINT64_C(0x20000f000) && range.bytes == 0x1000);
	assert_int_equal(board_reg(&m->board, fdt_path_offset(m->board.fdt, "/cpus/cpu@100"), 0, &range), 0);
}

#define TIMER                                                                                                          \
	"device@9200000 { path = \"/bus@0/timer@2000\"; reg = <0 0x9200000 0 0x1000 0 0x9300000 0 0x2000>;"            \
	"interrupts = <30 31>; };"
#define ODD "device@9400000 { path = \"/bus@0/odd@8000\"; reg = <0 0x9400000 0 0x1000>; clock-frequency = <77>; };"
#define GPIO "device@9500000 { path = \"/bus@0/inner/gpio@7000\"; reg = <0 0x9500000 0 0x1000>; };"

static const struct bundle_header *header_of(const uint8_t *bundle)
{
	return (const void *)bundle;
}

static void in_the_bundle(void **state)
{
	struct mkbundle *m = *state;
	const struct bundle_device *devices;
	const struct bundle_vm *vms;
	uint8_t *bundle;
	size_t bytes;

	use_board(m, BOARD);
	assert_int_equal(helper_pack(m,
				     ROOT(VM(1, BASIC("a") "kernel = \"linux\"; start-order = <1>;" ODD)
						  VM(2, BASIC("b") "kernel = \"linux\";" TIMER GPIO)),
				     &bundle, &bytes),
			 0);
	assert_int_equal(bundle_check(m, "b", bundle, bytes), 0);
	vms = (const void *)(bundle + header_of(bundle)->vm_offset);
	devices = (const void *)(bundle + header_of(bundle)->device_offset);
	assert_int_equal(header_of(bundle)->device_count, 3);
	assert_string_equal(vms[0].label, "b");
	assert_int_equal(vms[0].device_first, 0);
	assert_int_equal(vms[0].device_count, 2);
	assert_int_equal(vms[1].device_first, 2);
	assert_int_equal(vms[1].device_count, 1);
	assert_string_equal(devices[0].path, "/bus@0/timer@2000");
	assert_int_equal(devices[0].reg_count, 2);
	assert_int_equal(devices[0].reg[0].ipa, 0x9200000);
	assert_int_equal(devices[0].reg[1].ipa, 0x9300000);
	assert_int_equal(devices[0].reg[1].bytes, 0x2000);
	assert_int_equal(devices[0].irq_count, 2);
	assert_int_equal(devices[0].irq[0], 62);
	assert_int_equal(devices[0].irq[1], 63);
	assert_string_equal(devices[2].path, "/bus@0/odd@8000");
	assert_int_equal(devices[2].irq_count, 0);
}

static const void *prop(const void *fdt, const char *path, const char *name, int *bytes)
{
	return fdt_getprop(fdt, fdt_path_offset(fdt, path), name, bytes);
}

static uint32_t cell(const void *fdt, const char *path, const char *name, int index)
{
	int bytes;
	const char *value = prop(fdt, path, name, &bytes);

	assert_non_null(value);
	assert_true(bytes >= 4 * index + 4);
	return fdt32_ld((const fdt32_t *)(const void *)(value + 4 * (size_t)index));
}

static uint32_t rate(const void *fdt, const char *path, int index)
{
	int clock = fdt_node_offset_by_phandle(fdt, cell(fdt, path, "clocks", index));
	int bytes;
	const fdt32_t *hz = fdt_getprop(fdt, clock, "clock-frequency", &bytes);

	assert_non_null(hz);
	return fdt32_ld(hz);
}

static void in_the_guests_tree(void **state)
{
	struct mkbundle *m = *state;
	static const char timer[] = "/timer@9200000";
	static const char *const gone[] = { "resets", "enable-gpios", "pinctrl-0", "phandle" };
	uint8_t *bundle;
	const void *fdt;
	size_t bytes;
	int length;

	use_board(m, BOARD);
	assert_int_equal(helper_pack_vm(m, BASIC("a") "kernel = \"linux\";" TIMER ODD GPIO, &bundle, &bytes), 0);
	fdt = m->vms[0].loads[m->vms[0].load_count - 1].blob->data;
	assert_memory_equal(prop(fdt, timer, "compatible", &length), "maker,timer\0maker,older", 24);
	assert_int_equal(length, 24);
	assert_int_equal(cell(fdt, timer, "reg", 1), 0x9200000);
	assert_int_equal(cell(fdt, timer, "reg", 7), 0x2000);
	assert_int_equal(cell(fdt, timer, "interrupts", 1), 30);
	assert_int_equal(cell(fdt, timer, "interrupts", 2), 4);
	assert_int_equal(cell(fdt, timer, "interrupts", 4), 31);
	assert_int_equal(cell(fdt, timer, "interrupts", 5), 1); /* an edge, as on the board */
	assert_int_equal(cell(fdt, timer, "width", 0), 32);
	assert_non_null(prop(fdt, timer, "plain", &length));
	for (size_t i = 0; i < ARRAY_COUNT(gone); i++)
		assert_null(prop(fdt, timer, gone[i], &length));
	assert_true(fdt_path_offset(fdt, "/timer@9200000/sub") < 0);
	assert_int_equal(rate(fdt, timer, 0), 32768);
	assert_int_equal(rate(fdt, timer, 1), 24000000);
	assert_int_equal(cell(fdt, timer, "clocks", 0), cell(fdt, timer, "clocks", 2));
	/* Two clocks by their names, at the frequency that the profile says. */
	assert_int_equal(rate(fdt, "/odd@9400000", 0), 77);
	assert_int_equal(rate(fdt, "/odd@9400000", 1), 77);
	assert_null(prop(fdt, "/odd@9400000", "clock-frequency", &length));
	assert_string_equal(prop(fdt, "/gpio@9500000", "clock-names", &length), "apb_pclk");
	assert_int_equal(rate(fdt, "/gpio@9500000", 0), GUEST_UART_CLOCK_HZ);
}

/* To the MiB: VMs, bundle rounded up, 2 MiB for the hypervisor. */
static void memory(void **state)
{
	struct mkbundle *m = *state;
	uint8_t *bundle;
	size_t bytes;

	use_board(m, BOARD);
	assert_int_equal(helper_pack_vm(m, "label = \"a\"; cpus = <1>; memory-mib = <764>; kernel = \"linux\";",
					&bundle, &bytes),
			 0);
	helper_expect_error(m,
			    helper_pack_vm(m, "label = \"a\"; cpus = <1>; memory-mib = <766>; kernel = \"linux\";",
					   &bundle, &bytes),
			    "/: memory-mib:", "2 more than", NULL);
}

static void static_memory(void **state)
{
	struct mkbundle *m = *state;
	const struct bundle_vm *vm;
	uint8_t *bundle;
	size_t bytes;

	use_board(m, BOARD);
	assert_int_equal(helper_pack_vm(m,
					BASIC("a") "kernel = \"linux\"; xen,static-mem = <1 0x1c000000 0 0x4000000>;",
					&bundle, &bytes),
			 0);
	vm = (const void *)(bundle + header_of(bundle)->vm_offset);
	assert_int_equal(vm->mem[0].flags, BUNDLE_MEM_STATIC);
	assert_int_equal(vm->mem[0].ipa, GUEST_RAM_BASE);
	assert_true(vm->mem[0].hpa == UINT64_C(0x11c000000));
	helper_expect_error(
		m, helper_read_vm(m, BASIC("a") "kernel = \"linux\"; xen,static-mem = <1 0x1c200000 0 0x4000000>;"),
		"/vm@1: xen,static-mem:", "not in the board's memory", NULL);
}

/* A board's tree is somebody else's: whatever is wrong in it, mkbundle ends, and the bundle that it makes is a right one. */
static void damaged_bytes(void **state)
{
	struct mkbundle *m = *state;
	uint8_t *good, *copy, *profile;
	size_t bytes, profile_bytes;

	helper_compile(m, BOARD, &good, &bytes);
	helper_compile(m, ROOT(VM(1, BASIC("a") "kernel = \"linux\";" TIMER ODD GPIO)), &profile, &profile_bytes);
	copy = malloc(bytes);
	assert_non_null(copy);
	for (size_t at = 0; at < bytes; at++) {
		for (unsigned int flip = 1; flip < 256; flip <<= 2) {
			memcpy(copy, good, bytes);
			copy[at] ^= (uint8_t)flip;
			m->diag.text[0] = 0;
			if (!tree_is_valid(copy, bytes))
				continue;
			board_use(m, copy, "b.dtb");
			if (m->diag.text[0] || profile_read(m, profile, profile_bytes))
				continue;
			for (uint32_t i = 0; i < m->vms[0].device_count; i++)
				assert_in_range(m->vms[0].devices[i].reg_count, 1, BUNDLE_DEVICE_REGS);
		}
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(addresses, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(in_the_bundle, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(in_the_guests_tree, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(memory, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(static_memory, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(damaged_bytes, helper_setup, helper_teardown),
	};

	return cmocka_run_group_tests_name("mkbundle/board", tests, NULL, NULL);
}
