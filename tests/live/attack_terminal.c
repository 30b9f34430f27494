/* Attacks on the terminal that the command was started from. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/live/acts.h"
#include "tests/live/pty.h"

TestSuite(attack_terminal, .timeout = 60);

/* Runs at a terminal of its own and answers with its transcript as stdout. */
static struct run_result run_at_terminal(struct run_spec spec, struct pty *pty)
{
	struct run_result result;

	spec.terminal = pty->slave;
	result = run_once(&spec);
	pty_drain(pty);
	free(result.out);
	result.out = strdup(pty->transcript);
	return result;
}

/* Console ioctls reach a pty, which has no console, as ENOTTY outside. */
static const struct act table[] = {
	{ "push_input", EPERM, ACT_DONE },
	{ "push_input_high_bits", EPERM, ACT_DONE },
	{ "console_selection", EPERM, ENOTTY },
	{ "console_high_bits", EPERM, ENOTTY },
	{ "line_discipline", EPERM, ACT_DONE },
	{ "console_redirect", EPERM, ACT_NOT_REFUSED },
	{ "console_mode", ACT_ANY, ENOTTY },
	{ "steal_terminal", ACT_ANY, ACT_DONE },
};

static bool typed_bytes_wait(const struct pty *pty)
{
	char bytes[16];
	struct termios settings = pty_settings(pty);
	ssize_t count;

	/* What was pushed is no line yet. */
	settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	settings.c_cc[VMIN] = 0;
	settings.c_cc[VTIME] = 0;
	tcsetattr(pty->slave, TCSANOW, &settings);
	count = read(pty->slave, bytes, sizeof(bytes));
	return count > 0;
}

static void attack(uid_t uid)
{
	cleanup_pty struct pty control = pty_open();
	cleanup_pty struct pty pty = pty_open();
	struct run_spec spec = {
		.outside = true,
		.command = WORDS(guest("terminal"), "attack"),
	};

	cleanup_result struct run_result outside = run_at_terminal(spec, &control);
	spec.outside = false;
	spec.uid = uid;
	cleanup_result struct run_result inside = run_at_terminal(spec, &pty);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	cr_assert(typed_bytes_wait(&control), "the control pushed nothing");
	acts_check_inside(&inside, table, ARRAY_LEN(table));
	cr_assert(!typed_bytes_wait(&pty), "bytes wait for whoever reads the terminal next");
}

Test(attack_terminal, types_nothing_into_it_as_root)
{
	attack(0);
}

Test(attack_terminal, types_nothing_into_it_as_an_ordinary_user)
{
	attack(NOBODY);
}

Test(attack_terminal, opens_no_other_terminal_of_the_user)
{
	static const struct act opening[] = {
		{ "open_terminal", EACCES, ACT_DONE },
		{ "open_master", EACCES, ACT_DONE },
	};
	cleanup_pty struct pty other = pty_open();
	const char *const *command = WORDS(guest("terminal"), "open", ttyname(other.slave));

	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(NULL, command);

	acts_check_outside(&outside, opening, ARRAY_LEN(opening));
	acts_check_inside(&inside, opening, ARRAY_LEN(opening));
}
