/* Bad command lines: one clear line for each, naming the thing, the value and the reason. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli/flags.h"

#define WORDS_MAXIMUM 10
#define RUN(...)                                                                                   \
	{                                                                                          \
		"run", __VA_ARGS__, NULL                                                           \
	}

/* A command follows where the option itself is to blame. */
#define OPTION(...) RUN(__VA_ARGS__, "--", "true")

static const struct {
	const char *words[WORDS_MAXIMUM];
	const char *text; /* the whole message */
} rows[] = {
	/* Sizes. */
	{ OPTION("-m", "12X"),
		"--max-memory: \"12X\": unknown byte size suffix (use K, M, G or T)" },
	{ OPTION("-m", "1KB"),
		"--max-memory: \"1KB\": unknown byte size suffix (use K, M, G or T)" },
	{ OPTION("-m", "1 P"),
		"--max-memory: \"1 P\": unknown byte size suffix (use K, M, G or T)" },
	{ OPTION("-m", ""), "--max-memory: \"\": empty byte size string" },
	{ OPTION("--max-memory="), "--max-memory: \"\": empty byte size string" },
	{ OPTION("-m", "  "), "--max-memory: \"  \": empty byte size string" },
	{ OPTION("-m", "G"),
		"--max-memory: \"G\": invalid byte size (a whole number and K, M, G or T)" },
	{ OPTION("-m", "-1"),
		"--max-memory: \"-1\": invalid byte size (a whole number and K, M, G or T)" },
	{ OPTION("-m", "1.5G"),
		"--max-memory: \"1.5G\": invalid byte size (a whole number and K, M, G or T)" },
	{ OPTION("-m", "1 2"),
		"--max-memory: \"1 2\": invalid byte size (a whole number and K, M, G or T)" },
	{ OPTION("-m", "99999999T"), "--max-memory: \"99999999T\": byte size out of range" },
	{ OPTION("-m", "16777216T"), "--max-memory: \"16777216T\": byte size out of range" },
	{ OPTION("-m", "18446744073709551616"),
		"--max-memory: \"18446744073709551616\": byte size out of range" },
	{ OPTION("-m", "0"),
		"--max-memory: max_memory must be at least 1 byte (omit it for no limit), got 0" },
	{ OPTION("--max-output", "lots"),
		"--max-output: \"lots\": invalid byte size (a whole number and K, M, G or T)" },
	{ OPTION("--max-output", "0"),
		"--max-output: max_output must be at least 1 byte (omit it for no limit), got 0" },

	/* Numbers. */
	{ OPTION("-c", "0"), "--cpu: max_cpu must be 1-100, got 0" },
	{ OPTION("-c", "101"), "--cpu: max_cpu must be 1-100, got 101" },
	{ OPTION("--cpu=300"), "--cpu: max_cpu must be 1-100, got 300" },
	{ OPTION("-c", "99999999999999999999999"),
		"--cpu: max_cpu must be 1-100, got 99999999999999999999999" },
	{ OPTION("-c", "50%"), "--cpu: \"50%\": not a number" },
	{ OPTION("-c", "-5"), "--cpu: \"-5\": not a number" },
	{ OPTION("-c", ""), "--cpu: \"\": not a number" },
	{ OPTION("--max-open-files", "0"),
		"--max-open-files: max_open_files must be 1-4294967295 (omit it to inherit the "
		"limit), got 0" },
	{ OPTION("--max-open-files", "4294967296"),
		"--max-open-files: max_open_files must be 1-4294967295 (omit it to inherit the "
		"limit), got 4294967296" },
	{ OPTION("--max-open-files", "many"), "--max-open-files: \"many\": not a number" },
	{ OPTION("--cpu-cores", ""),
		"--cpu-cores: \"\": not a list of numbers up to 1023 (like 0,2-3)" },
	{ OPTION("--cpu-cores", "0,"),
		"--cpu-cores: \"0,\": not a list of numbers up to 1023 (like 0,2-3)" },
	{ OPTION("--cpu-cores", "3-1"),
		"--cpu-cores: \"3-1\": not a list of numbers up to 1023 (like 0,2-3)" },
	{ OPTION("--cpu-cores", "1-2-3"),
		"--cpu-cores: \"1-2-3\": not a list of numbers up to 1023 (like 0,2-3)" },
	{ OPTION("--cpu-cores", "1024"),
		"--cpu-cores: \"1024\": not a list of numbers up to 1023 (like 0,2-3)" },
	{ OPTION("--supervisor-cpus", "all"),
		"--supervisor-cpus: \"all\": not a list of numbers up to 1023 (like 0,2-3)" },
	{ OPTION("--gpu", "All"), "--gpu: \"All\": not \"all\" or a list of numbers (like 0,1)" },
	{ OPTION("--gpu", ""), "--gpu: \"\": not \"all\" or a list of numbers (like 0,1)" },
	{ OPTION("--gpu", "0,,1"), "--gpu: \"0,,1\": not \"all\" or a list of numbers (like 0,1)" },

	/* Words. */
	{ OPTION("--argv-guard", "nonsense"),
		"--argv-guard: \"nonsense\": neither verify nor freeze" },
	{ OPTION("--argv-guard", "freez"), "--argv-guard: \"freez\": neither verify nor freeze" },
	{ OPTION("--argv-guard", "verify|freeze"),
		"--argv-guard: \"verify|freeze\": neither verify nor freeze" },
	{ OPTION("--argv-guard", ""), "--argv-guard: \"\": neither verify nor freeze" },

	/* Durations. */
	{ OPTION("-t", "soon"),
		"--timeout: \"soon\": not a number of seconds (like 90 or 1.5, up to 9 decimals)" },
	{ OPTION("-t", "5s"),
		"--timeout: \"5s\": not a number of seconds (like 90 or 1.5, up to 9 decimals)" },
	{ OPTION("-t", "1."),
		"--timeout: \"1.\": not a number of seconds (like 90 or 1.5, up to 9 decimals)" },
	{ OPTION("-t", "-1"),
		"--timeout: \"-1\": not a number of seconds (like 90 or 1.5, up to 9 decimals)" },
	{ OPTION("-t", ""),
		"--timeout: \"\": not a number of seconds (like 90 or 1.5, up to 9 decimals)" },
	{ OPTION("-t", "4294967296"), "--timeout: \"4294967296\": more than 4294967295 seconds" },
	{ OPTION("-t", "0"), "--timeout: timeout must be above 0 (omit it for none), got 0" },
	{ OPTION("-t", "0.0"), "--timeout: timeout must be above 0 (omit it for none), got 0.0" },
	{ OPTION("-t", "5", "--kill-after", "x"),
		"--kill-after: \"x\": not a number of seconds (like 90 or 1.5, up to 9 decimals)" },
	{ OPTION("--kill-after", "5"), "--kill-after: needs --timeout" },

	/* Paths and names. */
	{ OPTION("-r", ""), "--fs-read: \"\": empty path" },
	{ OPTION("--fs-write="), "--fs-write: \"\": empty path" },
	{ OPTION("--cwd", ""), "--cwd: \"\": empty path" },
	{ OPTION("--stdout", ""), "--stdout: \"\": empty path" },
	{ OPTION("--stderr", ""), "--stderr: \"\": empty path" },
	{ OPTION("--name", ""), "--name: sandbox name must not be empty" },
	{ OPTION("--name", "a/b"), "--name: sandbox name must not contain '/': \"a/b\"" },
	{ OPTION("--name", "a b"),
		"--name: sandbox name must not contain whitespace or control characters: \"a b\"" },
	{ OPTION("--name", "a\nb"),
		"--name: sandbox name must not contain whitespace or control characters: \"a?b\"" },
	{ OPTION("--name", ".."), "--name: sandbox name must not be '.' or '..'" },
	{ OPTION("--name", "0123456789012345678901234567890123456789012345678901234567890123x"),
		"--name: sandbox name must be at most 64 bytes, got 65" },
	{ OPTION("--preset", "biuld"), "--preset: unknown preset \"biuld\" (there is: build)" },
	{ OPTION("--preset", ""), "--preset: unknown preset \"\" (there is: build)" },
	{ OPTION("--extra-deny-syscall", ""), "--extra-deny-syscall: \"\": empty name" },
	{ OPTION("--extra-allow-syscall", ""), "--extra-allow-syscall: \"\": empty name" },
	{ OPTION("--disable", "fs-refer"),
		"--disable: \"fs-refer\": disabling FsRefer is not permitted (files could leave "
		"their grants by rename and link)" },

	/* Environment, identity, capabilities. */
	{ OPTION("--env", "FOO"), "--env requires KEY=VALUE, got \"FOO\"" },
	{ OPTION("--env", "=1"), "--env requires KEY=VALUE, got \"=1\"" },
	{ OPTION("--env", ""), "--env requires KEY=VALUE, got \"\"" },
	{ OPTION("--user", "root"), "--user: \"root\": not UID:GID (two numbers, like 1000:1000)" },
	{ OPTION("--user", "1000"), "--user: \"1000\": not UID:GID (two numbers, like 1000:1000)" },
	{ OPTION("--user", "1000:"),
		"--user: \"1000:\": not UID:GID (two numbers, like 1000:1000)" },
	{ OPTION("--user", "0:4294967295"),
		"--user: \"0:4294967295\": not UID:GID (two numbers, like 1000:1000)" },
	{ OPTION("--keep-cap", "CAP_FLY"),
		"--keep-cap: \"CAP_FLY\": unknown capability (a name of capabilities(7), like "
		"CAP_NET_RAW)" },

	/* Ports. */
	{ OPTION("--net-allow-bind", "http"),
		"--net-allow-bind: invalid port \"http\" (0 to 65535)" },
	{ OPTION("--net-allow-bind", "90-80"), "--net-allow-bind: reversed port range \"90-80\"" },
	{ OPTION("--net-allow-bind", "*,80"),
		"--net-allow-bind: \"*,80\": wildcard `*` cannot be combined with port lists" },
	{ OPTION("--net-allow", "tcp://*:0"), "--net-allow: \"tcp://*:0\": port 0 is not valid" },
	{ OPTION("--net-allow", "example.com:443"),
		"--net-allow: \"example.com:443\": not available in this version (only TCP ports of "
		"any host: tcp://*:443)" },
	{ OPTION("--net-allow", "http://x"),
		"--net-allow: \"http://x\": unknown scheme (use tcp, udp or icmp)" },

	/* Descriptors. */
	{ OPTION("--status-fd", "900"), "--status-fd: 900: not an open descriptor" },
	{ OPTION("--status-fd", "-1"), "--status-fd: \"-1\": not a number" },
	{ OPTION("--status-fd", "2147483648"),
		"--status-fd: must be 0-2147483647, got 2147483648" },
	{ OPTION("--status-fd", "3x"), "--status-fd: \"3x\": not a number" },
	{ OPTION("--keep-fd", "900"), "--keep-fd: 900: not an open descriptor" },
	{ OPTION("--keep-fd", "2"),
		"--keep-fd: must be 3-2147483647 (0, 1 and 2 are always inherited), got 2" },
	{ OPTION("--keep-fd", "900", "--keep-fd", "900"), "--keep-fd: \"900\": given twice" },
	{ OPTION("--record-env"), "--record-env: needs --status-fd, where the record goes" },
	{ OPTION("--args", "900"),
		"--args: 900: cannot read this descriptor: Bad file descriptor" },
	{ OPTION("--args", "1"), "--args: \"1\": must be 0 or 3-2147483647" },
	{ OPTION("--args", "x"), "--args: \"x\": must be 0 or 3-2147483647" },

	/* Words. */
	{ RUN("--max-memroy", "1G"), "--max-memroy: unknown option (did you mean --max-memory?)" },
	{ RUN("--max-mem=1G"), "--max-mem: unknown option (did you mean --max-memory?)" },
	{ RUN("--frobnicate"), "--frobnicate: unknown option (see sandlock run --help)" },
	{ RUN("--=x"), "--: unknown option (see sandlock run --help)" },
	{ RUN("-x"), "-x: unknown option (see sandlock run --help)" },
	{ RUN("-ix"), "-x: unknown option (see sandlock run --help)" },
	{ RUN("-"), "\"-\": not an option; the command follows -- (sandlock run [OPTIONS] -- "
		    "COMMAND)" },
	{ RUN(""), "\"\": not an option; the command follows -- (sandlock run [OPTIONS] -- "
		   "COMMAND)" },
	{ RUN("-r", "/usr", "make", "-j2"),
		"\"make\": not an option; the command follows -- (sandlock run [OPTIONS] -- "
		"COMMAND)" },
	{ RUN("--clean-env", "yes", "--", "true"),
		"\"yes\": not an option; the command follows -- (sandlock run [OPTIONS] -- "
		"COMMAND)" },
	{ OPTION("--clean-env=yes"), "--clean-env: \"yes\": takes no value" },
	{ OPTION("--interactive="), "--interactive: \"\": takes no value" },
	{ OPTION("--version=1"), "--version: \"1\": takes no value" },
	{ OPTION("--explain=yaml"), "--explain: \"yaml\": not text or json" },
	{ RUN("-m"), "--max-memory: needs a value: --max-memory SIZE" },
	{ RUN("--args"), "--args: needs a value: --args FD" },
	{ RUN("--name"), "--name: needs a value: --name NAME" },
	{ RUN("@/nonexistent/options"), "@/nonexistent/options: No such file or directory" },
	{ RUN("@"), "@: No such file or directory" },
	{ RUN("@/"), "@/: Is a directory" },

	/* The command. */
	{ RUN("-m", "1G"), "no command specified (sandlock run [OPTIONS] -- COMMAND, or "
			   "--exec-shell TEXT)" },
	{ RUN("--"), "no command specified (sandlock run [OPTIONS] -- COMMAND, or "
		     "--exec-shell TEXT)" },
	{ RUN("--", ""), "empty command: the word after -- is empty" },
	{ OPTION("-e", "echo"),
		"--exec-shell: cannot be combined with a command after -- (\"true\")" },
	{ OPTION("--no-supervisor", "-m", "1G", "--cwd", "/"),
		"--no-supervisor is incompatible with: --max-memory, --cwd" },

	/* Not built. */
	{ OPTION("-P", "0"),
		"--max-processes: max_processes must be at least 1 (omit it for no limit), got 0" },
	{ OPTION("-Pmany"), "--max-processes: \"many\": not a number" },
	{ RUN("-P"), "--max-processes: needs a value: --max-processes N" },
	{ OPTION("--chroot", "/x"), "--chroot: not available in this version" },
	{ OPTION("--chroot=/x"), "--chroot: not available in this version" },
	{ OPTION("--dry-run"), "--dry-run: not available in this version" },
	{ OPTION("-p", "web"), "--profile: not available in this version" },
	{ OPTION("--http-allow", "GET x"), "--http-allow: not available in this version" },
};

Test(flags, refuse_bad_input_with_one_clear_line)
{
	cr_assert_geq(ARRAY_LEN(rows), 80);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sandbox_policy policy;
		struct run_flags flags = { RUN_VERSION };
		struct error error = { 0 };
		int argc = 0;
		int r;

		while (argc < WORDS_MAXIMUM && rows[i].words[argc] != NULL) {
			argc++;
		}
		policy_init(&policy);
		r = flags_parse(argc, (char **)(void *)rows[i].words, &policy, &flags, &error);

		cr_expect_lt(r, 0, "%s", rows[i].text);
		cr_expect_eq(error.code, -r);
		cr_expect_str_eq(error.text, rows[i].text);
		cr_expect_eq(flags.mode, RUN_VERSION, "%s", rows[i].text);
		policy_finish(&policy);
	}
}

Test(flags, refuse_an_unknown_protection_and_name_the_known_ones)
{
	const char *words[] = OPTION("--allow-degraded", "fs-teleport");
	struct sandbox_policy policy;
	struct run_flags flags;
	struct error error = { 0 };
	int r;

	policy_init(&policy);
	r = flags_parse(5, (char **)(void *)words, &policy, &flags, &error);

	cr_assert_lt(r, 0);
	cr_assert_not_null(strstr(error.text, "--allow-degraded: unknown protection: fs-teleport"),
		"%s", error.text);
	cr_assert_not_null(strstr(error.text, "abstract-unix-socket-scope"), "%s", error.text);
	policy_finish(&policy);
}

Test(flags, refuse_a_path_that_the_kernel_cannot_take)
{
	cleanup_free char *path = must_format("/%04096d", 1);
	const char *words[] = OPTION("-r", path);
	struct sandbox_policy policy;
	struct run_flags flags;
	struct error error = { 0 };

	policy_init(&policy);

	cr_assert_lt(flags_parse(5, (char **)(void *)words, &policy, &flags, &error), 0);
	cr_assert_not_null(strstr(error.text, "--fs-read: path of 4097 bytes (at most 4095)"));
	policy_finish(&policy);
}
