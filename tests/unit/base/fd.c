/* Owned descriptors. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/base/fd.h"

Test(fd, is_closed_once_and_keeps_errno)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int number = fd;

	errno = EXDEV;
	fd_close(&fd);
	fd_close(&fd);

	cr_assert_eq(fd, -1);
	cr_assert_eq(errno, EXDEV);
	cr_assert_eq(fcntl(number, F_GETFD), -1);
}

Test(fd, outlives_its_scope_when_stolen)
{
	int kept, lost;

	{
		cleanup_close int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
		cleanup_close int second = open("/dev/null", O_RDONLY | O_CLOEXEC);

		lost = first;
		kept = fd_steal(&second);
		cr_assert_eq(second, -1);
	}

	cr_assert_eq(fcntl(lost, F_GETFD), -1);
	cr_assert_geq(fcntl(kept, F_GETFD), 0);
	fd_close(&kept);
}
