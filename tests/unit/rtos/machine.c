/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See machine.h. Tasks are user contexts, and the sanitizer is told about each change of stack. One thread; no locks.
 */
#include "machine.h"

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "arch/port.h"
#include "kernel/sched.h"

#define TASKS 16u
#define STACK_BYTES (256u * 1024)
#define TIME_LIMIT UINT64_C(1000000000)

struct fiber {
	ucontext_t context;
	void *fake_stack; /* the sanitizer's */
	const void *bottom;
	size_t bytes;
	struct rtos_task *task; /* NULL: the test itself */
};

bool machine_masked;
uint64_t machine_time, machine_timer, machine_time_limit;
char notes[65536];

static size_t notes_used;
static struct fiber fibers[RTOS_TASK_MAX * 2], *running;
static unsigned int fiber_count;
static struct rtos_task idle, tasks[TASKS];
static uint8_t idle_stack[STACK_BYTES] __attribute__((aligned(RTOS_PAGE_BYTES)));
static uint8_t stacks[TASKS][STACK_BYTES] __attribute__((aligned(RTOS_PAGE_BYTES)));
static void (*boot_function)(void);
static const char *fatal_text;

static void fiber_switch(struct fiber *to)
{
	struct fiber *from = running;

	running = to;
	__sanitizer_start_switch_fiber(&from->fake_stack, to->bottom, to->bytes);
	swapcontext(&from->context, &to->context);
	__sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
}

static void idle_life(void)
{
	__sanitizer_finish_switch_fiber(NULL, &fibers[0].bottom, &fibers[0].bytes);
	sched_init(&idle);
	machine_masked = false;
	boot_function();
	machine_masked = true;
	sched_idle();
}

static void task_life(void)
{
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
	sched_task_begin();
}

static struct fiber *fiber_make(struct rtos_task *task, void (*life)(void))
{
	struct fiber *fiber = &fibers[fiber_count++];

	if (fiber_count > sizeof(fibers) / sizeof(fibers[0]))
		abort();
	getcontext(&fiber->context);
	fiber->task = task;
	fiber->bottom = task->stack_base + sizeof(uint64_t) * 8; /* the mark below stays */
	fiber->bytes = task->stack_bytes - sizeof(uint64_t) * 8;
	/* Whoever had this stack before ended in the middle of functions. */
	__asan_unpoison_memory_region(fiber->bottom, fiber->bytes);
	fiber->context.uc_stack.ss_sp = (void *)(uintptr_t)fiber->bottom;
	fiber->context.uc_stack.ss_size = fiber->bytes;
	fiber->context.uc_link = NULL;
	makecontext(&fiber->context, life, 0);
	task->sp = fiber;
	return fiber;
}

static void machine_stop(void)
{
	fiber_switch(&fibers[0]);
	abort(); /* nobody comes back */
}

static void timer_interrupt(void *arg)
{
	(void)arg;
	deadline_run(machine_time);
}

void machine_interrupt(void (*fn)(void *arg), void *arg)
{
	bool masked = machine_masked;

	if (masked) {
		note("BROKEN: interrupt while masked;");
		return;
	}
	machine_masked = true;
	sched.in_interrupt = true;
	fn(arg);
	sched.in_interrupt = false;
	if (sched_top() != sched.current)
		sched_switch(sched_top());
	machine_masked = false;
}

/* Reached when nobody can run: the kernel has nothing to do until the timer. */
void port_wait_for_interrupt(void)
{
	if (machine_timer == UINT64_MAX || machine_timer > machine_time_limit)
		machine_stop();
	if (machine_time < machine_timer)
		machine_time = machine_timer;
	machine_interrupt(timer_interrupt, NULL);
}

void machine_work(uint64_t ticks)
{
	while (ticks) {
		uint64_t part = ticks;

		if (machine_timer <= machine_time) {
			machine_interrupt(timer_interrupt, NULL);
			continue;
		}
		if (machine_timer - machine_time < part)
			part = machine_timer - machine_time;
		machine_time += part;
		ticks -= part;
	}
	if (machine_timer <= machine_time)
		machine_interrupt(timer_interrupt, NULL);
}

void port_task_init(struct rtos_task *task)
{
	fiber_make(task, task_life);
}

void port_task_done(struct rtos_task *task)
{
	(void)task;
}

void port_switch(struct rtos_task *from, struct rtos_task *to)
{
	if (from->sp != running || !machine_masked)
		note("BROKEN: switch from another task, or with interrupts;");
	fiber_switch(to->sp);
}

void port_guard_page(const void *page)
{
	if ((uintptr_t)page % RTOS_PAGE_BYTES)
		note("BROKEN: guard page;");
}

_Noreturn void port_fatal(const char *why)
{
	fatal_text = why;
	fiber_switch(&fibers[0]);
	abort();
}

_Noreturn void port_fatal_task(const char *why, const struct rtos_task *task)
{
	static char text[160];

	(void)snprintf(text, sizeof(text), "%s in task '%s'", why, task->name);
	port_fatal(text);
}

const char *machine_run(void (*boot)(void))
{
	memset(fibers, 0, sizeof(fibers));
	memset(tasks, 0, sizeof(tasks));
	notes[0] = '\0';
	notes_used = 0;
	fatal_text = NULL;
	machine_time = 0;
	machine_time_limit = TIME_LIMIT;
	machine_masked = true;
	boot_function = boot;
	idle = (struct rtos_task){ .name = "idle", .stack_base = idle_stack, .stack_bytes = sizeof(idle_stack) };
	running = &fibers[0];
	fiber_count = 1;
	fiber_switch(fiber_make(&idle, idle_life));
	return fatal_text;
}

int machine_task(unsigned int n, unsigned int priority, void (*entry)(void *arg))
{
	static char names[TASKS][2];
	struct rtos_task_config config = { .name = names[n],
					   .priority = priority,
					   .entry = entry,
					   .arg = (void *)(uintptr_t)n,
					   .stack = stacks[n],
					   .stack_bytes = sizeof(stacks[n]) };

	names[n][0] = (char)('a' + n);
	return rtos_task_create(&tasks[n], &config);
}

struct rtos_task *machine_get(unsigned int n)
{
	return &tasks[n];
}

void note(const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(notes + notes_used, sizeof(notes) - notes_used, fmt, ap);
	va_end(ap);
	notes_used += (size_t)length;
	if (notes_used >= sizeof(notes))
		abort();
}

char me(void)
{
	return rtos_task_self()->name[0];
}

/* ---- invariants ---- */

static uint8_t owed(const struct rtos_task *task)
{
	uint8_t priority = task->base_priority;

	for (const struct rtos_mutex *m = task->held; m; m = m->held_next) {
		const struct rtos_task *waiter = m->waiters.first;

		if (m->owner != task)
			note("BROKEN: %s holds what isn't its;", task->name);
		if (!waiter)
			continue;
		do {
			if (waiter->priority > priority)
				priority = waiter->priority;
			if (waiter->next != m->waiters.first && waiter->next->priority > waiter->priority)
				note("BROKEN: waiters out of order;");
			if (waiter->blocked_on != m)
				note("BROKEN: waiter elsewhere;");
			waiter = waiter->next;
		} while (waiter != m->waiters.first);
	}
	return priority;
}

static bool in_list(const struct rtos_list *list, const struct rtos_task *task)
{
	const struct rtos_task *place = list->first;

	if (!place)
		return false;
	do {
		if (place->next->prev != place)
			note("BROKEN: links;");
		if (place == task)
			return true;
		place = place->next;
	} while (place != list->first);
	return false;
}

void machine_check(void)
{
	for (uint32_t i = 0; i < sched.task_count; i++) {
		const struct rtos_task *task = sched.tasks[i];

		if (task->priority != owed(task))
			note("BROKEN: %s has %u, should have %u;", task->name, task->priority, owed(task));
		if (task->state == RTOS_TASK_READY && !in_list(&sched.ready[task->priority], task))
			note("BROKEN: %s isn't in its ready list;", task->name);
		if (task->waiting_in && !in_list(task->waiting_in, task))
			note("BROKEN: %s isn't in its list;", task->name);
		if (task->state == RTOS_TASK_READY && (task->waiting_in || task->blocked_on || task->deadline.slot))
			note("BROKEN: %s is ready and waits;", task->name);
	}
	for (uint32_t p = 0; p < PRIORITY_COUNT; p++) {
		if (!sched.ready[p].first != !(sched.ready_map & 1u << p))
			note("BROKEN: bit %u of the map;", p);
	}
	if (sched_top() != sched.current)
		note("BROKEN: %s runs instead of %s;", sched.current->name, sched_top()->name);
	if (machine_masked)
		note("BROKEN: masked;");
}
