/* A keyed digest of an argument list (SipHash-2-4 with 128 bits): who does not know the key cannot
 * find two lists with the same one. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_TRACEE_ARGV_DIGEST_H
#define CORE_TRACEE_ARGV_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct argv_key {
	uint64_t words[2]; /* random */
};

struct argv_sum {
	uint64_t words[2];
};

/* Lives on the stack of who computes. */
struct argv_digest {
	uint64_t state[4];
	uint64_t word;	 /* the bytes that do not fill a word yet, the first lowest */
	uint64_t length; /* of all bytes */
};

void argv_digest_begin(struct argv_digest *digest, const struct argv_key *key);
/* The strings are added one behind the other, each with its NUL; how they are cut into calls does
 * not matter. */
void argv_digest_add(struct argv_digest *digest, const void *bytes, size_t length);
/* One string with its NUL. */
void argv_digest_add_string(struct argv_digest *digest, const char *string);
void argv_digest_end(struct argv_digest *digest, struct argv_sum *ret_sum);

#endif
