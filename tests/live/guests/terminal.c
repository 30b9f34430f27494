/* A program at a terminal: tells who is in the foreground, waits for keys and signals, or attacks
 * the terminal by ioctl. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/kd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>

#include "tests/live/guests/act.h"

#define ABOVE_32 0x100000000ul

static void print_state(void)
{
	act_value("pid", getpid());
	act_value("group", getpgrp());
	act_value("foreground", tcgetpgrp(0));
}

/* Ends when a line was typed. */
static int run_line(int argc, char **argv)
{
	char line[64];

	(void)argc;
	(void)argv;
	print_state();
	(void)!write(1, "ready\n", 6);
	act_value("typed", fgets(line, sizeof(line), stdin) != NULL);
	return 0;
}

static void print_signal(int number)
{
	act_value("signal", number);
}

/* Ends at SIGINT, which it prints; SIGCONT is only printed. */
static int run_signals(int argc, char **argv)
{
	sigset_t interrupt;
	int number;

	(void)argc;
	(void)argv;
	signal(SIGCONT, print_signal);
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	sigprocmask(SIG_BLOCK, &interrupt, NULL);
	print_state();
	(void)!write(1, "ready\n", 6);
	sigwait(&interrupt, &number);
	print_signal(number);
	return 0;
}

/* Waits for ever with default dispositions. */
static int run_wait(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	print_state();
	(void)!write(1, "ready\n", 6);
	while (pause() < 0) {
	}
	return 0;
}

static int run_state(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	print_state();
	return 0;
}

static int run_attack(int argc, char **argv)
{
	char byte = 'x', selection = 3;
	int discipline = 0, mode = KD_TEXT;

	(void)argc;
	(void)argv;
	act_result("push_input", syscall(SYS_ioctl, 0, TIOCSTI, &byte));
	act_result("push_input_high_bits", syscall(SYS_ioctl, 0, ABOVE_32 | TIOCSTI, &byte));
	act_result("console_selection", syscall(SYS_ioctl, 0, TIOCLINUX, &selection));
	act_result("console_high_bits", syscall(SYS_ioctl, 0, ABOVE_32 | TIOCLINUX, &selection));
	act_result("line_discipline", ioctl(0, TIOCSETD, &discipline));
	act_result("console_redirect", ioctl(0, TIOCCONS));
	act_result("console_mode", ioctl(0, KDSETMODE, mode));
	act_result("steal_terminal", ioctl(0, TIOCSCTTY, 1));
	return 0;
}

/* attack_terminal open PATH: another terminal of the same user. */
static int run_open(int argc, char **argv)
{
	act_result("open_terminal", open(argc < 2 ? "" : argv[1], O_RDWR | O_NOCTTY));
	act_result("open_master", open("/dev/ptmx", O_RDWR | O_NOCTTY));
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act_command commands[] = {
		{ "line", run_line },
		{ "signals", run_signals },
		{ "wait", run_wait },
		{ "state", run_state },
		{ "attack", run_attack },
		{ "open", run_open },
	};

	return act_dispatch(commands, ACT_COUNT(commands), argc, argv);
}
