/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newlib's system calls: the console is the only file, the heap the only memory, and a program that exits was an
 * error.
 *
 * The reentrant forms, which newlib calls: an error goes to the caller's own errno. Tasks only. A write is whole:
 * another task's comes before or after it, and stdio writes by line.
 */
#include "libc/libc.h"

#include "arch/layout.h"
#include "arch/uart.h"
#include "rtos.h"

#include <assert.h>
#include <errno.h>
#include <reent.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

void _exit(int status);

extern char image_end[]; /* rtos.ld */

static char *heap_break, *heap_limit;
static struct rtos_mutex console;

void libc_init(uint64_t ram_end)
{
	uint64_t limit = (uint64_t)image_end + LAYOUT_HEAP_BYTES;

	heap_break = image_end;
	heap_limit = (char *)(limit < ram_end ? limit : ram_end);
}

/* malloc's lock is held. */
void *_sbrk_r(struct _reent *reent, ptrdiff_t increment)
{
	char *old = heap_break;

	if (increment > heap_limit - old || increment < image_end - old) {
		reent->_errno = ENOMEM;
		return (void *)-1;
	}
	heap_break = old + increment;
	return old;
}

/* Somebody who can't wait (the idle task) writes all the same. */
_ssize_t _write_r(struct _reent *reent, int fd, const void *buffer, size_t bytes)
{
	bool locked;

	if (fd != STDOUT_FILENO && fd != STDERR_FILENO) {
		reent->_errno = EBADF;
		return -1;
	}
	locked = rtos_mutex_lock(&console, RTOS_FOREVER) == RTOS_OK;
	uart_write(buffer, bytes);
	if (locked)
		rtos_mutex_unlock(&console);
	return (_ssize_t)bytes;
}

/* Waits for a byte, then takes what there is. */
_ssize_t _read_r(struct _reent *reent, int fd, void *buffer, size_t bytes)
{
	int count;

	if (fd != STDIN_FILENO) {
		reent->_errno = EBADF;
		return -1;
	}
	count = rtos_console_read(buffer, bytes, RTOS_FOREVER);
	if (count < 0) {
		reent->_errno = EAGAIN;
		return -1;
	}
	return count;
}

int _close_r(struct _reent *reent, int fd)
{
	(void)fd;
	reent->_errno = EBADF;
	return -1;
}

/* A character device: stdio then buffers by line. */
int _fstat_r(struct _reent *reent, int fd, struct stat *st)
{
	if (fd < STDIN_FILENO || fd > STDERR_FILENO) {
		reent->_errno = EBADF;
		return -1;
	}
	*st = (struct stat){ .st_mode = S_IFCHR };
	return 0;
}

int _isatty_r(struct _reent *reent, int fd)
{
	if (fd < STDIN_FILENO || fd > STDERR_FILENO) {
		reent->_errno = EBADF;
		return 0;
	}
	return 1;
}

_off_t _lseek_r(struct _reent *reent, int fd, _off_t offset, int whence)
{
	(void)fd;
	(void)offset;
	(void)whence;
	reent->_errno = ESPIPE;
	return -1;
}

int _getpid_r(struct _reent *reent)
{
	(void)reent;
	return 1;
}

/* abort() ends here. */
int _kill_r(struct _reent *reent, int pid, int signal)
{
	(void)reent;
	(void)pid;
	(void)signal;
	rtos_fatal("abort()");
}

void _exit(int status)
{
	(void)status;
	rtos_fatal("exit()");
}

/* assert() of <assert.h>. */
void __assert_func(const char *file, int line, const char *function, const char *expression)
{
	(void)function;
	rtos_assert_failed(expression, file, (unsigned int)line);
}
