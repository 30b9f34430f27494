/* Runs sandlock around guest programs, and the same programs outside it for the positive control.
 * Every run carries a marker of its own in the environment, by which what it left behind is found.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_LIVE_HARNESS_H
#define TESTS_LIVE_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/base/attributes.h"

/* A NULL-terminated list of words, alive until the end of the enclosing block. */
#define WORDS(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

#define RUN_LIMIT_SECONDS 30 /* the default of run_spec.limit_seconds */
#define NOBODY		  65534

/* What to run.  Zero-initialised members have the meaning of their comment's "0" or "NULL". */
struct run_spec {
	const char *const *options; /* flags of `sandlock run`; NULL: none */
	const char *const *command; /* what stands after `--`; NULL: no `--` either */
	bool outside;		    /* the positive control: the command alone, without sandlock */
	bool plain;		    /* neither `run`, nor the guests' read grant, nor --status-fd */
	bool no_status;		    /* no --status-fd; run_result.status_json is then empty */
	const char *binary;	    /* NULL: sandlock_path() */
	const char *input;	    /* all of stdin; NULL: stdin stays open for run_write() */
	const char *const *env;	    /* KEY=VALUE added to the environment; NULL: none */
	uid_t uid;		    /* user and group to become before anything starts; 0: stay */
	int terminal;	 /* a pty's slave for 0, 1, 2 and as controlling terminal; 0: none */
	bool background; /* with terminal: a group of its own that is not the foreground */
	void (*prepare)(void *); /* called in the new process just before its exec; NULL: none */
	void *prepare_argument;
	int limit_seconds; /* then the run is killed and timed_out set; 0: the default */
};

struct run_result {
	int status;	   /* as waitpid() tells it */
	int exit_code;	   /* 0..255; -1 when a signal ended the started process itself */
	bool timed_out;	   /* the harness's own limit, not sandlock's */
	char *out, *err;   /* owned, NUL-terminated, never NULL */
	char *status_json; /* owned: all bytes written to the status descriptor, never NULL */
	size_t out_length, err_length;
	char marker[64]; /* KEY=VALUE as it stands in the environment */
	double seconds;	 /* from start to the end of the started process */
};

/* A run under way.  Filled by run_start(), emptied by run_finish(). */
struct run {
	pid_t pid; /* the started process: sandlock, or outside the command */
	int input, out, err, status;
	char marker[64];
	char *text[3]; /* owned: what was read from out, err, status */
	size_t length[3];
	double started_at;
	double limit_at;
	bool timed_out;
};

/* SANDLOCK_TEST_FLAGS="-P 100000 …": words that every `sandlock run` gets before its own.
 *
 * Start, talk to, and end a run.  Failures of the harness itself fail the test. */
void run_start(const struct run_spec *spec, struct run *ret_run);
void run_write(struct run *run, const char *text);
/* Closes the command's stdin. */
void run_end_input(struct run *run);
/* Reads until a line of stdout equals `line`; false at the end of the output or at the limit. */
bool run_wait_line(struct run *run, const char *line);
/* Waits for the end of the started process and collects what it wrote. */
void run_finish(struct run *run, struct run_result *ret_result);
/* Orphans of ended runs become children of the test, which is a subreaper: collects those that
 * ended. Done while a run is waited for, too. */
void orphans_reap(void);
/* All of it: start, close stdin, finish. */
struct run_result run_once(const struct run_spec *spec);
void run_result_finish(struct run_result *result);
#define cleanup_result cleanup(run_result_finish)

/* The usual pair: the same command inside, with flags, and outside. */
struct run_result run_inside(const char *const *options, const char *const *command);
struct run_result run_outside(const char *const *command);

/* Absolute path of the binary under test, of the build with fault points, of a guest, and of the
 * directory of the guests.  guest() answers from a small ring: at most 64 are alive at once. */
const char *sandlock_path(void);
const char *sandlock_faults_path(void);
const char *guest(const char *name);
const char *guests_directory(void);
/* The binary under test reads SANDLOCK_FAULT. */
bool sandlock_has_faults(void);

/* A directory of the test's own below /tmp, mode 0777, removed with all that is in it. */
struct scratch {
	char path[64];
};
struct scratch scratch_create(void);
void scratch_destroy(struct scratch *scratch);
#define cleanup_scratch cleanup(scratch_destroy)
/* "PATH/NAME", from the same ring as guest(). */
const char *scratch_file(const struct scratch *scratch, const char *name);
/* printf into the same ring; for short words of a command line. */
const char *word(const char *format, ...) printf_like(1, 2);

/* Writes and reads whole small files; reading answers NULL when the file cannot be opened. */
void file_write(const char *path, const char *text);
char *file_read(const char *path);

/* Held by tests that measure time or load the machine, so that they do not disturb each other;
 * closing the descriptor releases it. */
int machine_lock(void);

double now_seconds(void);
/* `few` by default, `many` with SANDLOCK_COUNTS=full. */
int count_choose(int few, int many);

#endif
