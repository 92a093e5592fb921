/* SPDX-License-Identifier: Apache-2.0 */
/* Error numbers of the hypervisor's own functions (negative returns); the values are Xen's and Linux's. */
#ifndef CAMBER_ERRNO_H
#define CAMBER_ERRNO_H

#ifndef EPERM
#define EPERM 1
#define ENOENT 2
#define ESRCH 3
#define EIO 5
#define E2BIG 7
#define EAGAIN 11
#define ENOMEM 12
#define EACCES 13
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define ENODEV 19
#define EINVAL 22
#define ENOSPC 28
#define ERANGE 34
#define ENOSYS 38
#endif

#endif
