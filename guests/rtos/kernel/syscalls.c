/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newlib's system calls: the console is the only file, the heap the only memory, and a program that exits was an error.
 *
 * Task context only. newlib serialises the callers (libc_lock.c guards malloc and stdio), so there is no lock here.
 * The prototypes are newlib's own (newlib/libc/include/sys/unistd.h under its _name spelling); no header declares them
 * for the implementer.
 */
#include "kernel/libc.h"

#include "kernel/fault.h"
#include "kernel/layout.h"
#include "kernel/uart.h"

#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#undef errno
extern int errno; /* the _r wrappers of newlib copy it into the caller's struct _reent */

int _close(int fd);
void _exit(int status);
int _fstat(int fd, struct stat *st);
int _getpid(void);
int _isatty(int fd);
int _kill(int pid, int signal);
off_t _lseek(int fd, off_t offset, int whence);
ssize_t _read(int fd, void *buffer, size_t bytes);
void *_sbrk(ptrdiff_t increment);
ssize_t _write(int fd, const void *buffer, size_t bytes);

extern char image_end[]; /* rtos.ld */

static char *heap_break, *heap_limit;

void libc_init(uint64_t ram_end)
{
	uint64_t limit = (uint64_t)image_end + LAYOUT_HEAP_BYTES;

	heap_break = image_end;
	heap_limit = (char *)(limit < ram_end ? limit : ram_end);
}

void *_sbrk(ptrdiff_t increment)
{
	char *old = heap_break;

	if (increment > heap_limit - old || increment < image_end - old) {
		errno = ENOMEM;
		return (void *)-1;
	}
	heap_break = old + increment;
	return old;
}

ssize_t _write(int fd, const void *buffer, size_t bytes)
{
	if (fd != STDOUT_FILENO && fd != STDERR_FILENO) {
		errno = EBADF;
		return -1;
	}
	uart_write(buffer, bytes);
	return (ssize_t)bytes;
}

/* Never waits: EAGAIN when no input is there. */
ssize_t _read(int fd, void *buffer, size_t bytes)
{
	char *out = buffer;
	size_t count = 0;
	int c;

	if (fd != STDIN_FILENO) {
		errno = EBADF;
		return -1;
	}
	while (count < bytes && (c = uart_getc()) >= 0)
		out[count++] = (char)c;
	if (count == 0 && bytes != 0) {
		errno = EAGAIN;
		return -1;
	}
	return (ssize_t)count;
}

int _close(int fd)
{
	(void)fd;
	errno = EBADF;
	return -1;
}

/* A character device: stdio then buffers by line. */
int _fstat(int fd, struct stat *st)
{
	if (fd < STDIN_FILENO || fd > STDERR_FILENO) {
		errno = EBADF;
		return -1;
	}
	*st = (struct stat){ .st_mode = S_IFCHR };
	return 0;
}

int _isatty(int fd)
{
	if (fd < STDIN_FILENO || fd > STDERR_FILENO) {
		errno = EBADF;
		return 0;
	}
	return 1;
}

off_t _lseek(int fd, off_t offset, int whence)
{
	(void)fd;
	(void)offset;
	(void)whence;
	errno = ESPIPE;
	return -1;
}

int _getpid(void)
{
	return 1;
}

/* abort() and assert() end here. */
int _kill(int pid, int signal)
{
	(void)pid;
	(void)signal;
	fault_stop("abort");
}

void _exit(int status)
{
	(void)status;
	fault_stop("exit");
}
