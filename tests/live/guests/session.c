/* The least of a shell: leads the session, runs one command as "script" (in its own group), "job"
 * (a foreground group) or "background", and prints what happens to the terminal.  A job that stops
 * is put to the foreground again once a line was typed. */
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <termios.h>

#include "tests/live/guests/act.h"

static void start(const char *mode, char **command)
{
	if (strcmp(mode, "script") != 0) {
		setpgid(0, 0);
	}
	if (strcmp(mode, "job") == 0) {
		tcsetpgrp(0, getpgrp());
	}
	signal(SIGTTOU, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTSTP, SIG_DFL);
	execv(command[0], command);
	_exit(127);
}

static void resume(pid_t pid)
{
	char line[16];

	tcsetpgrp(0, getpgrp());
	(void)!write(1, "session stopped\n", 16);
	(void)!fgets(line, sizeof(line), stdin);
	tcsetpgrp(0, pid);
	kill(-pid, SIGCONT);
}

/* session MODE COMMAND... */
int main(int argc, char **argv)
{
	int status = 0;
	pid_t pid;

	if (argc < 3) {
		return GUEST_MISUSED;
	}
	/* As shells do, so that taking the terminal back does not stop them. */
	signal(SIGTTOU, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	setvbuf(stdin, NULL, _IONBF, 0);
	act_value("session", getpid());
	pid = fork();
	if (pid == 0) {
		start(argv[1], argv + 2);
	}
	act_value("job", pid);
	while (waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status)) {
		resume(pid);
	}
	act_value("foreground_after", tcgetpgrp(0));
	act_value("signaled", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	act_value("ended", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
