/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkbundle: command line.
 *
 * Prints one line per error and removes nothing that it did not write. Exit status: 0 done, 1 the input is wrong,
 * 2 the command line is wrong.
 */
#include "mkbundle.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"usage: mkbundle [options] -o bundle.bin profile.dtb      pack a profile compiled by dtc\n"
	"       mkbundle --image camber.bin --bundle bundle.bin -o camber.img\n"
	"       mkbundle --list bundle.bin                        check and show a bundle\n"
	"  -I, --images DIR           look for image files here (repeatable, in order)\n"
	"  -o, --output FILE          what to write\n"
	"  -d, --depfile FILE         write a make rule naming the files read\n"
	"  -b, --board FILE           check against the board's device tree, and pass through its devices\n"
	"  -s, --source FILE          name of the profile in messages (default: profile.dtb)\n"
	"      --limit NAME=N         refuse more than the hypervisor is configured for: vms, cpus, spis\n"
	"      --replace NAME=FILE    use FILE where the profile says NAME\n"
	"      --bootargs LABEL=TEXT  boot arguments of VM LABEL\n"
	"      --dump-dtb LABEL=FILE  write the device tree of VM LABEL too\n";

enum { OPT_IMAGE = 256, OPT_BUNDLE, OPT_LIST, OPT_LIMIT, OPT_REPLACE, OPT_BOOTARGS, OPT_DUMP_DTB };

static const struct option long_options[] = {
	{ "images", required_argument, NULL, 'I' },
	{ "output", required_argument, NULL, 'o' },
	{ "depfile", required_argument, NULL, 'd' },
	{ "board", required_argument, NULL, 'b' },
	{ "source", required_argument, NULL, 's' },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "replace", required_argument, NULL, OPT_REPLACE },
	{ "bootargs", required_argument, NULL, OPT_BOOTARGS },
	{ "dump-dtb", required_argument, NULL, OPT_DUMP_DTB },
	{ "image", required_argument, NULL, OPT_IMAGE },
	{ "bundle", required_argument, NULL, OPT_BUNDLE },
	{ "list", required_argument, NULL, OPT_LIST },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct command {
	const char *output;
	const char *depfile;
	const char *board;
	const char *image;
	const char *bundle;
	const char *list;
	const char *profile;
};

static int add_pair(struct mkbundle *m, struct pairs *p, char *text, const char *option)
{
	char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return diag_fail(m, "%s %s: has no value; write it as NAME=VALUE", option, text);
	if (p->count == OPTION_MAX)
		return diag_fail(m, "%s: given more than %u times; give fewer", option, OPTION_MAX);
	*equals = 0;
	if (pairs_use(p, text))
		return diag_fail(m, "%s %s: given twice; keep one of them", option, text);
	p->item[p->count++] = (struct pair){ .name = text, .value = equals + 1 };
	return 0;
}

static int set_limit(struct mkbundle *m, const char *text)
{
	const struct {
		const char *name;
		uint32_t *value;
		unsigned long max;
	} limits[] = {
		{ "vms=", &m->opt.limits.vms, BUNDLE_VM_MAX },
		{ "cpus=", &m->opt.limits.cpus, PCPU_MAX },
		{ "spis=", &m->opt.limits.spis, SPI_COUNT_MAX },
	};

	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		const char *digits = text + strlen(limits[i].name);
		unsigned long value;
		char *end;

		if (strncmp(text, limits[i].name, strlen(limits[i].name)))
			continue;
		value = strtoul(digits, &end, 10);
		if (*end || end == digits || value < 1 || value > limits[i].max)
			return diag_fail(m, "--limit %s: is no number from 1 to %lu; choose one", text, limits[i].max);
		*limits[i].value = (uint32_t)value;
		return 0;
	}
	return diag_fail(m, "--limit %s: no such limit; write vms=N, cpus=N or spis=N", text);
}

static int parse(struct mkbundle *m, struct command *c, int argc, char **argv)
{
	int option;

	opterr = 0; /* one line per error, and that is ours */
	while ((option = getopt_long(argc, argv, "I:o:d:b:s:h", long_options, NULL)) >= 0) {
		int ret = 0;

		switch (option) {
		case 'I':
			if (m->opt.image_dir_count == OPTION_MAX)
				return diag_fail(m, "-I: given more than %u times; give fewer", OPTION_MAX);
			m->opt.image_dirs[m->opt.image_dir_count++] = optarg;
			break;
		case 'o':
			c->output = optarg;
			break;
		case 'd':
			c->depfile = optarg;
			break;
		case 'b':
			c->board = optarg;
			break;
		case 's':
			m->source = optarg;
			break;
		case OPT_LIMIT:
			ret = set_limit(m, optarg);
			break;
		case OPT_REPLACE:
			ret = add_pair(m, &m->opt.replace, optarg, "--replace");
			break;
		case OPT_BOOTARGS:
			ret = add_pair(m, &m->opt.bootargs, optarg, "--bootargs");
			break;
		case OPT_DUMP_DTB:
			ret = add_pair(m, &m->opt.dump_dtb, optarg, "--dump-dtb");
			break;
		case OPT_IMAGE:
			c->image = optarg;
			break;
		case OPT_BUNDLE:
			c->bundle = optarg;
			break;
		case OPT_LIST:
			c->list = optarg;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		default:
			return diag_fail(m, "%s: no such option, or its value is missing; see mkbundle --help",
					 argv[optind - 1]);
		}
		if (ret)
			return -1;
	}
	c->profile = optind < argc ? argv[optind++] : NULL;
	if (optind < argc)
		return diag_fail(m, "%s: is a second profile; pack one at a time", argv[optind]);
	if (!!c->profile + !!c->list + !!(c->image || c->bundle) != 1 || !c->image != !c->bundle)
		return diag_fail(
			m,
			"command line: nothing to do, or too much; give one profile, --list, or --image with --bundle");
	if (!c->list && !c->output)
		return diag_fail(m, "command line: nothing says what to write; name it with -o");
	return 0;
}

/* The profile's name is the file's, without folder and ".dtb". */
static int set_profile_name(struct mkbundle *m, const char *path)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t length = strlen(base);

	if (length > 4 && !strcmp(base + length - 4, ".dtb"))
		length -= 4;
	if (!length || length >= sizeof(m->profile))
		return diag_fail(m, "%s: a profile's name has 1 to %zu characters; rename it", path,
				 sizeof(m->profile) - 1);
	memcpy(m->profile, base, length);
	return 0;
}

static int check_unused(struct mkbundle *m, const struct pairs *p, const char *option, const char *what)
{
	for (unsigned int i = 0; i < p->count; i++)
		if (!p->item[i].used)
			return diag_fail(m, "%s %s: the profile has no %s of that name; mend it", option,
					 p->item[i].name, what);
	return 0;
}

static void depfile_name(FILE *file, const char *name)
{
	for (; *name; name++) {
		if (*name == ' ' || *name == '#' || *name == '\\')
			fputc('\\', file);
		if (*name == '$')
			fputc('$', file);
		fputc(*name, file);
	}
}

static int write_depfile(struct mkbundle *m, const struct command *c)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&text, &bytes);
	int ret;

	if (!file)
		out_of_memory();
	depfile_name(file, c->output);
	fputc(':', file);
	for (const struct blob *blob = m->blobs; blob; blob = blob->next) {
		if (!blob->path)
			continue;
		fputc(' ', file);
		depfile_name(file, blob->path);
	}
	fputc('\n', file);
	/* An empty rule per file: a deleted one makes the bundle again instead of stopping make. */
	for (const struct blob *blob = m->blobs; blob; blob = blob->next) {
		if (!blob->path)
			continue;
		depfile_name(file, blob->path);
		fputs(":\n", file);
	}
	fclose(file);
	ret = file_write(m, c->depfile, text, bytes);
	free(text);
	return ret;
}

static int pack(struct mkbundle *m, const struct command *c)
{
	uint8_t *fdt;
	uint8_t *out;
	size_t bytes;

	if (!m->source)
		m->source = c->profile;
	if (set_profile_name(m, c->profile) || (c->board && board_read(m, c->board)) ||
	    file_read(m, c->profile, &fdt, &bytes) || profile_read(m, fdt, bytes) || bundle_make(m, &out, &bytes) ||
	    check_unused(m, &m->opt.replace, "--replace", "image") ||
	    check_unused(m, &m->opt.bootargs, "--bootargs", "VM") ||
	    check_unused(m, &m->opt.dump_dtb, "--dump-dtb", "VM") || file_write(m, c->output, out, bytes))
		return -1;
	return c->depfile ? write_depfile(m, c) : 0;
}

static int join(struct mkbundle *m, const struct command *c)
{
	uint8_t *out;
	size_t bytes;

	if (image_join(m, c->image, c->bundle, &out, &bytes))
		return -1;
	return file_write(m, c->output, out, bytes);
}

static int list(struct mkbundle *m, const struct command *c)
{
	uint8_t *data;
	size_t bytes;

	if (file_read(m, c->list, &data, &bytes) || bundle_check(m, c->list, data, bytes))
		return -1;
	bundle_list(data, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static struct mkbundle m;
	struct command c = { NULL };
	int status = 0;

	if (parse(&m, &c, argc, argv))
		status = 2;
	else if (c.list ? list(&m, &c) : c.image ? join(&m, &c) : pack(&m, &c))
		status = 1;
	if (status)
		fprintf(stderr, "mkbundle: %s\n", m.diag.text);
	mkbundle_free(&m);
	return status;
}
