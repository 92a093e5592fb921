/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles, names, and what the analysis says of small traces that one can follow by hand. */
#include "analysis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "report.h"
/* cmocka.h needs setjmp.h and others first, and has a macro fail(). */
#include <cmocka.h>

#define A 0x0100u /* vCPU 0 of VM 1 */
#define B 0x0200u
#define NOBODY TRACE_NOBODY
enum { RT, BOOST, UNDER, OVER, IDLE };
enum { LEFT_OFF, LEFT_BLOCKED, LEFT_QUEUED, LEFT_NOBODY };

/* --- samples --- */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* As the real-time guest's p1 has it: of the sorted values the one at (count * permille + 999) / 1000 - 1. */
static void nearest_rank(void **state)
{
	static const unsigned int permilles[] = { 1, 10, 250, 500, 900, 990, 999, 1000 };
	static uint64_t values[5000];
	struct samples s = { .slots = NULL };

	(void)state;
	for (size_t n = 1; n < ARRAY_COUNT(values); n = n < 20 ? n + 1 : n * 7 / 4) {
		uint64_t total = 0;

		for (size_t i = 0; i < n; i++) {
			values[i] = (uint64_t)i * i * 7919 % (n % 3 ? 17 : 100003) << (i % 5 ? 0 : 33);
			total += values[i];
			samples_add(&s, values[i]);
			if (i % 100 == 50) /* sorting in between changes nothing */
				samples_sort(&s);
		}
		qsort(values, n, sizeof(values[0]), compare);
		for (size_t k = 0; k < ARRAY_COUNT(permilles); k++)
			assert_int_equal(samples_rank(&s, permilles[k]), values[(n * permilles[k] + 999) / 1000 - 1]);
		assert_int_equal(s.count, n);
		assert_int_equal(s.total, total);
		assert_int_equal(s.max, values[n - 1]);
		samples_clear(&s);
		assert_int_equal(samples_rank(&s, 500), 0);
	}
	samples_free(&s);
}

static void bars(void **state)
{
	struct samples s = { .slots = NULL };
	struct bar bar[REPORT_BARS];
	unsigned int n;

	(void)state;
	samples_add(&s, 1);   /* 16 ns */
	samples_add(&s, 10);  /* 160 */
	samples_add(&s, 12);  /* 192 */
	samples_add(&s, 13);  /* 208: above 200 */
	samples_add(&s, 625); /* 10 us */
	n = report_bars(&s, 62500000, bar);
	assert_int_equal(bar[0].to_ns, 20);
	assert_int_equal(bar[0].count, 1);
	assert_int_equal(bar[3].to_ns, 200);
	assert_int_equal(bar[3].count, 2);
	assert_int_equal(bar[4].count, 1);
	assert_int_equal(bar[n - 1].to_ns, 10000);
	assert_int_equal(bar[n - 1].count, 1);
	samples_free(&s);
}

/* --- names --- */

static void table(void **state)
{
	static struct vm_info vms[HVTRACE_VMS];
	unsigned int events = 0;
	uint32_t classes;
	char text[NAME_ROOM];

	(void)state;
	strcpy(vms[1].label, "rtos");
	for (const struct event *e = event_next(NULL); e; e = event_next(e), events++) {
		unsigned int words = 0;

		assert_ptr_equal(event_find(e->number), e);
		for (unsigned int i = 0; i < e->fields; i++) {
			struct record r = { .event = (uint16_t)e->number, .words = (uint8_t)e->words };

			assert_int_equal(e->field[i].word, words);
			words += e->field[i].words;
			for (unsigned int k = 0; k < 300; k++) { /* whatever is in the words, it is a word */
				for (unsigned int w = 0; w < TRACE_WORDS; w++)
					r.word[w] = k * UINT32_C(2654435761) >> k % 32 ^ w;
				(void)field_text(text, &e->field[i], &r, vms, k % 2 * 1000000);
				assert_null(strpbrk(text, " \"'\\\033\n"));
			}
		}
		assert_int_equal(words, e->words);
	}
	assert_true(events > 15);
	assert_null(event_find(15));
	assert_null(event_find(300));
	assert_int_equal(event_find(TRACE_EXIT)->fields, 4);
	assert_int_equal(event_find(TRACE_COMMAND)->fields, 1);
	assert_string_equal(vcpu_name(text, A, vms), "rtos/0");
	assert_string_equal(vcpu_name(text, B | 3, vms), "2/3");
	assert_string_equal(vcpu_name(text, NOBODY, vms), "idle");
	assert_string_equal(cause_name(text, TRACE_CAUSE_IRQ), "irq");
	assert_string_equal(cause_name(text, TRACE_CAUSE_SERROR), "serror");
	assert_string_equal(cause_name(text, 0x5a000000), "hvc");
	assert_string_equal(cause_name(text, 0x92000046), "dabt");
	assert_string_equal(cause_name(text, 0x02000000), "unknown");
	assert_string_equal(cause_name(text, 0xaa000000), "ec2a");
	assert_int_equal(cause_key(0xfe000000), 63);
	assert_string_equal(cause_key_name(text, cause_key(TRACE_CAUSE_IRQ)), "irq");
	assert_string_equal(cause_key_name(text, cause_key(0x02000000)), "unknown");
	assert_string_equal(psci_name(text, 0xc4000003), "CPU_ON");
	assert_int_equal(trace_classes_parse("sched,rt", &classes), 0);
	assert_int_equal(classes, 1u << TRACE_CLASS_SCHED | 1u << TRACE_CLASS_RT);
	assert_int_equal(trace_classes_parse("all", &classes), 0);
	assert_int_equal(classes, UINT32_MAX);
	assert_int_equal(trace_classes_parse("sched,typo", &classes), -1);
	assert_non_null(strstr(fail_text(), "typo: no such class"));
	fail_clear();
}

static void numbers(void **state)
{
	uint64_t v;
	char text[US_ROOM];

	(void)state;
	assert_true(parse_seconds("1.5", &v) && v == 1500000000);
	assert_true(parse_seconds("0.000000001", &v) && v == 1);
	assert_true(parse_seconds("7", &v) && v == UINT64_C(7000000000));
	assert_false(parse_seconds("", &v) || parse_seconds("1.", &v) || parse_seconds(".5", &v) ||
		     parse_seconds("-1", &v) || parse_seconds("1.0000000001", &v) || parse_seconds("1e3", &v));
	assert_false(parse_number("18446744073709551616", UINT64_MAX, &v));
	assert_true(parse_number("18446744073709551615", UINT64_MAX, &v));
	assert_string_equal(us_text(text, 1234567), "1234.567");
	assert_int_equal(ticks_to_ns(UINT64_C(62500000) * 86400 * 365 * 100, 62500000),
			 UINT64_C(86400) * 365 * 100 * 1000000000);
	assert_int_equal(ticks_to_ns(UINT64_MAX, 1000000), UINT64_MAX);
	assert_int_equal(ticks_to_ns(1, 62500000), 16);
}

/* --- analysis --- */

static struct analysis *a;

static void give(unsigned int cpu, struct record r)
{
	r.cpu = (uint8_t)cpu;
	analysis_record(a, &r, 0);
}

static void give_after_loss(unsigned int cpu, struct record r, uint64_t missing)
{
	r.cpu = (uint8_t)cpu;
	analysis_record(a, &r, missing);
}

static const struct vcpu_stats *vcpu(uint32_t id)
{
	assert_non_null(a->by_id[id]);
	return a->by_id[id];
}

static void run_time(void **state)
{
	(void)state;
	a = analysis_new();
	give(0, RECORD(100, IRQ, 27));
	give(0,
	     RECORD(200, SWITCH, A, LEFT_QUEUED, B, UNDER, 0)); /* A ran since the trace began; its class isn't known */
	give(0, RECORD(250, CLASS, B, UNDER, OVER));
	give(0, RECORD(300, WAKE, B, 1, OVER, 0)); /* it runs: nothing to wait for */
	give(0, RECORD(400, SWITCH, B, LEFT_BLOCKED, A, RT, 7));
	give(0, RECORD(450, WAKE, B, 2, BOOST, 0));
	give(0, RECORD(500, BLOCK, A, 0));
	give(0, RECORD(510, SWITCH, NOBODY, LEFT_NOBODY, B, BOOST, 60));
	give(0, RECORD(600, SWITCH, B, LEFT_BLOCKED, NOBODY, IDLE, 0));
	analysis_until(a, 1000);
	assert_int_equal(vcpu(A)->ran[CLASS_UNKNOWN], 100);
	assert_int_equal(vcpu(A)->ran[RT], 110);
	assert_int_equal(vcpu(B)->ran[UNDER], 50);
	assert_int_equal(vcpu(B)->ran[OVER], 150);
	assert_int_equal(vcpu(B)->ran[BOOST], 90);
	assert_int_equal(vcpu_ran(vcpu(B)), 290);
	assert_int_equal(a->cpu[0].busy, 500);
	assert_int_equal(a->cpu[0].idle, 400);
	assert_int_equal(a->cpu[0].unknown, 0);
	assert_int_equal(a->cpu[0].switches, 4);
	/* A waited from 200 to 400, B from 450 to 510. */
	assert_int_equal(vcpu(A)->waits.count, 1);
	assert_int_equal(vcpu(A)->waits.max, 200);
	assert_int_equal(vcpu(B)->waits.count, 1);
	assert_int_equal(vcpu(B)->waits.max, 60);
	assert_int_equal(vcpu(A)->wake_late.max, 7);
	assert_int_equal(vcpu(B)->wake_late.count, 1);
	assert_int_equal(vcpu(B)->wake_late.max, 60);
	assert_int_equal(vcpu(B)->wakeups[1] + vcpu(B)->wakeups[2], 2);
	assert_int_equal(vcpu(A)->blocks, 1);
	/* Another interval begins; who runs is still known. */
	analysis_clear(a);
	assert_int_equal(vcpu(B)->waits.count, 0);
	analysis_until(a, 1100);
	assert_int_equal(a->cpu[0].idle, 100);
	assert_int_equal(a->cpu[0].busy, 0);
	analysis_free(a);
}

/* While records are missing nothing is known, and nothing is made up. */
static void losses(void **state)
{
	(void)state;
	a = analysis_new();
	give(0, RECORD(100, SWITCH, NOBODY, LEFT_NOBODY, A, RT, 0));
	give(0, RECORD(150, TICK, A, 3));
	give(1, RECORD(160, SWITCH, NOBODY, LEFT_NOBODY, B, UNDER, 0));
	give_after_loss(0, RECORD(300, IRQ, 27), 5);
	give(0, RECORD(350, SWITCH, B | 1, LEFT_BLOCKED, NOBODY, IDLE, 0));
	give_after_loss(0, RECORD(500, SWITCH, A, LEFT_QUEUED, B, UNDER, 0), 1);
	analysis_until(a, 600);
	assert_int_equal(vcpu(A)->ran[RT], 50);                /* 100 to 150 */
	assert_int_equal(vcpu(B | 1)->ran[CLASS_UNKNOWN], 50); /* from 300 on */
	assert_int_equal(vcpu_ran(vcpu(A)), 50);               /* at 500 it left, since when isn't known */
	assert_int_equal(a->cpu[0].unknown, 150 + 150);
	assert_int_equal(a->cpu[0].lost, 6);
	assert_int_equal(a->cpu[0].idle, 0);
	assert_int_equal(a->cpu[0].busy + a->cpu[0].unknown, 500);
	assert_int_equal(a->cpu[1].busy, 440); /* the other CPU is as it was */
	analysis_lost(a, 1);
	analysis_until(a, 700);
	assert_int_equal(a->cpu[1].unknown, 100);
	analysis_free(a);
}

/* A CPU of one vCPU never switches: ends of stays say who runs. */
static void alone(void **state)
{
	(void)state;
	a = analysis_new();
	give(0, RECORD(100, IRQ, 27));
	give(0, RECORD(110, EXIT, A, TRACE_CAUSE_IRQ, 10, 0x1000, 0));
	give(0, RECORD(1000, EXIT, A, 0x5a000000, 40, 0x2000, 0xffff));
	analysis_until(a, 1100);
	assert_int_equal(vcpu_ran(vcpu(A)), 1000);
	assert_int_equal(vcpu(A)->exits[cause_key(0x5a000000)].max, 40);
	assert_int_equal(vcpu(A)->exits[64].count, 1);
	assert_int_equal(vcpu(A)->worst.ticks, 40);
	assert_int_equal(vcpu(A)->worst.pc, UINT64_C(0xffff00002000));
	assert_int_equal(a->cpu[0].stays.count, 2);
	analysis_free(a);
}

/* A stay is whose exit it began with. */
static void stays(void **state)
{
	(void)state;
	a = analysis_new();
	give(0, RECORD(100, EXIT, A, 0x5a000000, 10, 0, 0));
	give(0, RECORD(200, SWITCH, A, LEFT_QUEUED, B, UNDER, 0));
	give(0, RECORD(210, EXIT, B, TRACE_CAUSE_IRQ, 50, 0, 0)); /* A was interrupted */
	give(0, RECORD(300, SWITCH, B, LEFT_BLOCKED, NOBODY, IDLE, 0));
	give(0, RECORD(400, SWITCH, NOBODY, LEFT_NOBODY, A, UNDER, 0));
	give(0, RECORD(410, EXIT, A, 0x07e00000, 20, 0, 0)); /* nobody did, since the CPU was idle: who comes */
	assert_int_equal(vcpu(A)->exits[cause_key(0x5a000000)].count, 1);
	assert_int_equal(vcpu(A)->exits[64].max, 50);
	assert_int_equal(vcpu(A)->exits[1].max, 20);
	assert_int_equal(vcpu(B)->exits[64].count, 0);
	assert_int_equal(a->cpu[0].worst.ticks, 50);
	assert_int_equal(a->cpu[0].worst.vcpu, A);
	analysis_free(a);
}

static void interrupts(void **state)
{
	const struct vcpu_irq *irq;

	(void)state;
	a = analysis_new();
	give(0, RECORD(100, EXIT, A, 0, 10, 0, 0));
	give(0, RECORD(200, IRQ, 40)); /* the guest knows it as 33 */
	give(0, RECORD(204, INJECT, A, 33));
	give(0, RECORD(206, INJECT, A, 33)); /* once more, while pending */
	give(0, RECORD(210, EXIT, A, 0, 10, 0, 0));
	give(0, RECORD(300, EOI, A, 33));
	give(0, RECORD(400, INJECT, A, 5)); /* an SGI: no physical one */
	give(1, RECORD(450, EOI, A, 5));    /* seen elsewhere */
	give(0, RECORD(500, EOI, A, 7));    /* pending before the trace began */
	assert_int_equal(vcpu(A)->irq_count, 3);
	irq = &vcpu(A)->irqs[2];
	assert_int_equal(irq->intid, 33);
	assert_int_equal(irq->injected, 2);
	assert_int_equal(irq->irq_inject.count, 1);
	assert_int_equal(irq->irq_inject.max, 4);
	assert_int_equal(irq->inject_eoi.max, 96);
	assert_int_equal(irq->irq_eoi.max, 100);
	irq = &vcpu(A)->irqs[0];
	assert_int_equal(irq->irq_inject.count + irq->irq_eoi.count, 0);
	assert_int_equal(irq->inject_eoi.max, 50);
	assert_int_equal(vcpu(A)->irqs[1].inject_eoi.count, 0);
	/* Where no ends of stays are recorded only an interrupt of the same number is the cause. */
	analysis_free(a);
	a = analysis_new();
	give(0, RECORD(100, IRQ, 27));
	give(0, RECORD(500, INJECT, A, 5));
	give(0, RECORD(600, IRQ, 27));
	give(0, RECORD(601, INJECT, A, 27));
	assert_int_equal(vcpu(A)->irqs[0].irq_inject.count, 0);
	assert_int_equal(vcpu(A)->irqs[1].irq_inject.max, 1);
	analysis_free(a);
}

static void lateness(void **state)
{
	(void)state;
	a = analysis_new();
	for (unsigned int i = 1; i <= 1000; i++) {
		give(0, RECORD(i * 10, TICK, A, i));
		give(0, RECORD(i * 10 + 1, RT_EXPIRE, B, 1001 - i));
	}
	give(0, RECORD(20000, RT_OVERRUN, B, 1));
	give(0, RECORD(20001, TICK, NOBODY, 1)); /* nonsense isn't anybody's */
	give(0, RECORD(20002, TICK, 0x12345678, 1));
	give(0, RECORD(20003, TIMER_RUN, 77));
	assert_int_equal(samples_rank(&a->by_id[A]->tick_late, 500), 500);
	assert_int_equal(samples_rank(&a->by_id[A]->tick_late, 999), 999);
	assert_int_equal(samples_rank(&a->by_id[B]->expire_late, 990), 990);
	assert_int_equal(vcpu(B)->overruns, 1);
	assert_int_equal(a->cpu[0].timer_late.max, 77);
	assert_int_equal(a->count, 2);
	assert_int_equal(vcpu(A)->entry_late.count, 0);
	/* The guest sees it when it is entered; what another one enters in between is nothing to it, nor is what was lost. */
	give(0, RECORD(30000, TICK, A, 100));
	give(0, RECORD(30010, EXIT, B, 0, 5, 0, 0));
	give(0, RECORD(30015, EXIT, A, 0, 5, 0, 0));
	give(0, RECORD(30025, EXIT, A, 0, 5, 0, 0));
	give(0, RECORD(30030, TICK, A, 100));
	give_after_loss(0, RECORD(30040, EXIT, A, 0, 5, 0, 0), 1);
	assert_int_equal(vcpu(A)->entry_late.count, 1);
	assert_int_equal(vcpu(A)->entry_late.max, 115);
	analysis_free(a);
}

/* Scheduler events off and on again. */
static void classes(void **state)
{
	const uint32_t all = 0x3ff, without = all & ~(1u << TRACE_CLASS_SCHED);

	(void)state;
	a = analysis_new();
	give(0, RECORD(100, SWITCH, NOBODY, LEFT_NOBODY, A, RT, 0));
	give(1, RECORD(100, SWITCH, NOBODY, LEFT_NOBODY, B, RT, 0));
	give(1, RECORD(200, CLASSES, all, without));
	give(0, RECORD(300, CLASSES, without, all));
	give(0, RECORD(400, SWITCH, B, LEFT_QUEUED, A, RT, 0));
	analysis_until(a, 500);
	assert_int_equal(vcpu(A)->ran[RT], 200);
	assert_int_equal(a->cpu[0].unknown, 100);
	assert_int_equal(a->cpu[1].unknown, 300);
	assert_int_equal(vcpu(B)->ran[RT], 100);
	analysis_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearest_rank), cmocka_unit_test(bars),     cmocka_unit_test(table),
		cmocka_unit_test(numbers),      cmocka_unit_test(run_time), cmocka_unit_test(losses),
		cmocka_unit_test(alone),        cmocka_unit_test(stays),    cmocka_unit_test(interrupts),
		cmocka_unit_test(lateness),     cmocka_unit_test(classes),
	};

	return cmocka_run_group_tests_name("hvtrace/analysis", tests, NULL, NULL);
}
