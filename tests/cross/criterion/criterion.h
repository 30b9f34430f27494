/* A stand-in for the part of Criterion's interface that our tests use, for other processors: Debian
 * has Criterion for its own only, and its way of starting a test in a copy of the program at a
 * fixed address does not run under qemu-user.  The tests stay the same. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CROSS_CRITERION_CRITERION_H
#define TESTS_CROSS_CRITERION_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The options of Test() and TestSuite() under the names that Criterion gives them. */
struct standin_options {
	int sentinel_; /* lets a list of options be empty */
	void (*init)(void);
	void (*fini)(void);
	int signal;    /* the test passes if this signal ends it */
	int exit_code; /* the test passes if it exits with this code */
	bool disabled;
	double timeout; /* seconds; 0: none */
	const char *description;
};

/* What ParameterizedTestParameters() returns: one test for each element. */
struct criterion_test_params {
	size_t size;
	void *params;
	size_t length;
	void (*cleanup)(struct criterion_test_params *params);
};

struct standin_test {
	const char *suite;
	const char *name;
	void (*run)(void); /* NULL: run_with */
	void (*run_with)(void *parameter);
	struct criterion_test_params (*parameters)(void);
	struct standin_options options;
	struct standin_test *next; /* the registry's */
};

struct standin_suite {
	const char *name;
	struct standin_options options;
	struct standin_suite *next;
};

void standin_add_test(struct standin_test *test);
void standin_add_suite(struct standin_suite *suite);

/* Notes a failure of the running test; does not return if it is fatal. */
void standin_fail(
	bool fatal, const char *file, int line, const char *text, const char *format, ...);
/* Ends the running test as skipped, which the runner counts as a failure of the whole run. */
_Noreturn void standin_skip(const char *format, ...);

#define STANDIN_TEST(Suite, Name, Members, ...)                                                    \
	static struct standin_test Suite##_##Name##_test = {                                       \
		.suite = #Suite,                                                                   \
		.name = #Name,                                                                     \
		Members.options = { .sentinel_ = 0, ##__VA_ARGS__ },                               \
	};                                                                                         \
	__attribute__((constructor)) static void Suite##_##Name##_register(void)                   \
	{                                                                                          \
		standin_add_test(&Suite##_##Name##_test);                                          \
	}

#define STANDIN_PLAIN(Suite, Name) .run = Suite##_##Name##_impl,
#define STANDIN_WITH(Suite, Name)                                                                  \
	.run_with = Suite##_##Name##_with, .parameters = Suite##_##Name##_params,

#define Test(Suite, Name, ...)                                                                     \
	static void Suite##_##Name##_impl(void);                                                   \
	STANDIN_TEST(Suite, Name, STANDIN_PLAIN(Suite, Name), ##__VA_ARGS__)                       \
	static void Suite##_##Name##_impl(void)

#define TestSuite(Name, ...)                                                                       \
	static struct standin_suite Name##_suite = {                                               \
		.name = #Name,                                                                     \
		.options = { .sentinel_ = 0, ##__VA_ARGS__ },                                      \
	};                                                                                         \
	__attribute__((constructor)) static void Name##_register(void)                             \
	{                                                                                          \
		standin_add_suite(&Name##_suite);                                                  \
	}                                                                                          \
	struct standin_suite

#define ParameterizedTestParameters(Suite, Name)                                                   \
	static struct criterion_test_params Suite##_##Name##_params(void)

#define ParameterizedTest(Parameter, Suite, Name, ...)                                             \
	static void Suite##_##Name##_impl(Parameter);                                              \
	static void Suite##_##Name##_with(void *parameter)                                         \
	{                                                                                          \
		Suite##_##Name##_impl(parameter);                                                  \
	}                                                                                          \
	STANDIN_TEST(Suite, Name, STANDIN_WITH(Suite, Name), ##__VA_ARGS__)                        \
	static void Suite##_##Name##_impl(Parameter)

/* The length may be followed by a function that frees the parameters. */
#define STANDIN_PARAMS(Type, Array, Length, Cleanup, ...)                                          \
	((struct criterion_test_params){ sizeof(Type), (void *)(Array), Length, Cleanup })
#define cr_make_param_array(Type, Array, ...) STANDIN_PARAMS(Type, Array, __VA_ARGS__, NULL, )

/* A message is optional, and a literal where it is given. */
#define STANDIN_CHECK(fatal, condition, text, ...)                                                 \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			standin_fail(fatal, __FILE__, __LINE__, text, "" __VA_ARGS__);             \
		}                                                                                  \
	} while (0)
#define STANDIN_RELATION(fatal, left, relation, right, ...)                                        \
	STANDIN_CHECK(fatal, (left)relation(right), #left " " #relation " " #right, ##__VA_ARGS__)
#define STANDIN_STRINGS(fatal, left, relation, right, ...)                                         \
	STANDIN_CHECK(fatal, standin_compare(left, right) relation 0,                              \
		#left " " #relation " " #right " as text", ##__VA_ARGS__)
#define STANDIN_BYTES(fatal, left, relation, right, size, ...)                                     \
	STANDIN_CHECK(fatal, memcmp(left, right, size) relation 0,                                 \
		#left " " #relation " " #right " as bytes", ##__VA_ARGS__)

/* strcmp() on two texts that must be there. */
static inline int standin_compare(const char *left, const char *right)
{
	if (left == NULL || right == NULL) {
		return (left != NULL) - (right != NULL);
	}
	return strcmp(left, right);
}

static inline bool standin_is_empty(const char *text)
{
	return text != NULL && text[0] == '\0';
}

#define cr_assert(condition, ...) STANDIN_CHECK(true, condition, #condition, ##__VA_ARGS__)
#define cr_expect(condition, ...) STANDIN_CHECK(false, condition, #condition, ##__VA_ARGS__)
#define cr_assert_not(condition, ...)                                                              \
	STANDIN_CHECK(true, !(condition), "not " #condition, ##__VA_ARGS__)
#define cr_expect_not(condition, ...)                                                              \
	STANDIN_CHECK(false, !(condition), "not " #condition, ##__VA_ARGS__)
#define cr_assert_eq(left, right, ...)	STANDIN_RELATION(true, left, ==, right, ##__VA_ARGS__)
#define cr_assert_neq(left, right, ...) STANDIN_RELATION(true, left, !=, right, ##__VA_ARGS__)
#define cr_assert_lt(left, right, ...)	STANDIN_RELATION(true, left, <, right, ##__VA_ARGS__)
#define cr_assert_leq(left, right, ...) STANDIN_RELATION(true, left, <=, right, ##__VA_ARGS__)
#define cr_assert_gt(left, right, ...)	STANDIN_RELATION(true, left, >, right, ##__VA_ARGS__)
#define cr_assert_geq(left, right, ...) STANDIN_RELATION(true, left, >=, right, ##__VA_ARGS__)
#define cr_expect_eq(left, right, ...)	STANDIN_RELATION(false, left, ==, right, ##__VA_ARGS__)
#define cr_expect_neq(left, right, ...) STANDIN_RELATION(false, left, !=, right, ##__VA_ARGS__)
#define cr_expect_lt(left, right, ...)	STANDIN_RELATION(false, left, <, right, ##__VA_ARGS__)
#define cr_expect_leq(left, right, ...) STANDIN_RELATION(false, left, <=, right, ##__VA_ARGS__)
#define cr_expect_gt(left, right, ...)	STANDIN_RELATION(false, left, >, right, ##__VA_ARGS__)
#define cr_expect_geq(left, right, ...) STANDIN_RELATION(false, left, >=, right, ##__VA_ARGS__)
#define cr_assert_null(value, ...)                                                                 \
	STANDIN_CHECK(true, (value) == NULL, #value " is NULL", ##__VA_ARGS__)
#define cr_assert_not_null(value, ...)                                                             \
	STANDIN_CHECK(true, (value) != NULL, #value " is not NULL", ##__VA_ARGS__)
#define cr_expect_null(value, ...)                                                                 \
	STANDIN_CHECK(false, (value) == NULL, #value " is NULL", ##__VA_ARGS__)
#define cr_expect_not_null(value, ...)                                                             \
	STANDIN_CHECK(false, (value) != NULL, #value " is not NULL", ##__VA_ARGS__)
#define cr_assert_str_eq(left, right, ...)  STANDIN_STRINGS(true, left, ==, right, ##__VA_ARGS__)
#define cr_assert_str_neq(left, right, ...) STANDIN_STRINGS(true, left, !=, right, ##__VA_ARGS__)
#define cr_assert_str_lt(left, right, ...)  STANDIN_STRINGS(true, left, <, right, ##__VA_ARGS__)
#define cr_assert_str_leq(left, right, ...) STANDIN_STRINGS(true, left, <=, right, ##__VA_ARGS__)
#define cr_assert_str_gt(left, right, ...)  STANDIN_STRINGS(true, left, >, right, ##__VA_ARGS__)
#define cr_assert_str_geq(left, right, ...) STANDIN_STRINGS(true, left, >=, right, ##__VA_ARGS__)
#define cr_expect_str_eq(left, right, ...)  STANDIN_STRINGS(false, left, ==, right, ##__VA_ARGS__)
#define cr_expect_str_neq(left, right, ...) STANDIN_STRINGS(false, left, !=, right, ##__VA_ARGS__)
#define cr_assert_str_empty(text, ...)                                                             \
	STANDIN_CHECK(true, standin_is_empty(text), #text " is empty", ##__VA_ARGS__)
#define cr_assert_str_not_empty(text, ...)                                                         \
	STANDIN_CHECK(true, !standin_is_empty(text), #text " is not empty", ##__VA_ARGS__)
#define cr_expect_str_empty(text, ...)                                                             \
	STANDIN_CHECK(false, standin_is_empty(text), #text " is empty", ##__VA_ARGS__)
#define cr_expect_str_not_empty(text, ...)                                                         \
	STANDIN_CHECK(false, !standin_is_empty(text), #text " is not empty", ##__VA_ARGS__)
#define cr_assert_arr_eq(left, right, size, ...)                                                   \
	STANDIN_BYTES(true, left, ==, right, size, ##__VA_ARGS__)
#define cr_assert_arr_neq(left, right, size, ...)                                                  \
	STANDIN_BYTES(true, left, !=, right, size, ##__VA_ARGS__)
#define cr_expect_arr_eq(left, right, size, ...)                                                   \
	STANDIN_BYTES(false, left, ==, right, size, ##__VA_ARGS__)
#define cr_expect_arr_neq(left, right, size, ...)                                                  \
	STANDIN_BYTES(false, left, !=, right, size, ##__VA_ARGS__)
#define cr_assert_float_eq(left, right, within, ...)                                               \
	STANDIN_CHECK(true, (left) - (right) <= (within) && (right) - (left) <= (within),          \
		#left " is about " #right, ##__VA_ARGS__)
#define cr_assert_fail(...) standin_fail(true, __FILE__, __LINE__, "reached", "" __VA_ARGS__)
#define cr_expect_fail(...) standin_fail(false, __FILE__, __LINE__, "reached", "" __VA_ARGS__)
#define cr_fatal(...)	    standin_fail(true, __FILE__, __LINE__, "fatal", "" __VA_ARGS__)
#define cr_fail(...)	    standin_fail(false, __FILE__, __LINE__, "failed", "" __VA_ARGS__)
#define cr_skip_test(...)   standin_skip("" __VA_ARGS__)
#define cr_skip(...)	    standin_skip("" __VA_ARGS__)
#define cr_log_info(...)    ((void)fprintf(stderr, "[----] " __VA_ARGS__), (void)fputc('\n', stderr))
#define cr_log_warn(...)    cr_log_info(__VA_ARGS__)
#define cr_log_error(...)   cr_log_info(__VA_ARGS__)
#define cr_malloc	    malloc
#define cr_calloc	    calloc
#define cr_realloc	    realloc
#define cr_free		    free

#endif
