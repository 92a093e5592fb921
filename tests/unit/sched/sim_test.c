/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler in virtual time: many seeds of every scene (sim_scene.c), all properties (sim_check.c). `make unit`
 * plays until there were three million events; in the environment,
 *   CAMBER_SIM_EVENTS=100000000   plays on until there were as many
 *   CAMBER_SIM_FIRST=1000         begins with this round's seeds
 *   CAMBER_SIM=chaos:17           plays one scene with one seed, and prints what its CPUs do
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/common_interface_defs.h>

#define EVENTS UINT64_C(3000000)

static void on_fail(const char *property)
{
	host_end_to = NULL;
	fail_msg("property %s is broken", property);
}

/* What a sanitizer found ends the program. */
static void on_death(void)
{
	printf("sim: in scene %s, seed %llu\n", sim.scene, (unsigned long long)sim.seed);
	(void)fflush(stdout);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void properties_hold(void **state)
{
	uint64_t wanted = setting("CAMBER_SIM_EVENTS", EVENTS), round = setting("CAMBER_SIM_FIRST", 1), events = 0;
	uint64_t of[16] = { 0 };

	(void)state;
	assert_true(sim_scene_count <= ARRAY_SIZE(of));
	sim.trace = setting("CAMBER_SIM_TRACE", 0);
	for (; events < wanted; round++)
		for (unsigned int i = 0; i < sim_scene_count; i++)
			for (unsigned int j = 0; j < sim_scenes[i].weight; j++) {
				uint64_t n = sim_play(&sim_scenes[i], round * sim_scenes[i].weight + j);

				events += n;
				of[i] += n;
			}
	for (unsigned int i = 0; i < sim_scene_count; i++)
		printf("%12llu events of %s\n", (unsigned long long)of[i], sim_scenes[i].name);
}

static void one_again(void **state)
{
	const char *which = getenv("CAMBER_SIM");
	const char *seed = strchr(which, ':');

	(void)state;
	sim.trace = true;
	for (unsigned int i = 0; i < sim_scene_count; i++)
		if (seed && !strncmp(which, sim_scenes[i].name, (size_t)(seed - which)))
			(void)sim_play(&sim_scenes[i], strtoull(seed + 1, NULL, 10));
}

int main(void)
{
	const struct CMUnitTest all[] = { cmocka_unit_test(properties_hold) };
	const struct CMUnitTest one[] = { cmocka_unit_test(one_again) };

	sim_on_fail = on_fail;
	__sanitizer_set_death_callback(on_death);
	return getenv("CAMBER_SIM") ? cmocka_run_group_tests(one, NULL, NULL) : cmocka_run_group_tests(all, NULL, NULL);
}
