/* A keyed digest of an argument list (SipHash-2-4 with 128 bits). */
// SPDX-License-Identifier: Apache-2.0

#include <endian.h>
#include <string.h>

#include "core/tracee/argv_digest.h"

#define WORD 8

static uint64_t rotate(uint64_t value, unsigned int bits)
{
	return value << bits | value >> (64 - bits);
}

static void mix(uint64_t v[4], unsigned int rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static void take_word(struct argv_digest *digest, uint64_t word)
{
	digest->state[3] ^= word;
	mix(digest->state, 2);
	digest->state[0] ^= word;
}

void argv_digest_begin(struct argv_digest *digest, const struct argv_key *key)
{
	/* The constants are those of the published algorithm. */
	digest->state[0] = key->words[0] ^ 0x736f6d6570736575;
	digest->state[1] = key->words[1] ^ 0x646f72616e646f6d ^ 0xee;
	digest->state[2] = key->words[0] ^ 0x6c7967656e657261;
	digest->state[3] = key->words[1] ^ 0x7465646279746573;
	digest->word = 0;
	digest->length = 0;
}

void argv_digest_add(struct argv_digest *digest, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	const unsigned char *end = at + length;

	while (at < end) {
		if (digest->length % WORD == 0 && end - at >= WORD) {
			uint64_t word;

			memcpy(&word, at, WORD);
			take_word(digest, le64toh(word));
			digest->length += WORD;
			at += WORD;
			continue;
		}
		digest->word |= (uint64_t)*at++ << digest->length % WORD * 8;
		if (++digest->length % WORD == 0) {
			take_word(digest, digest->word);
			digest->word = 0;
		}
	}
}

void argv_digest_add_string(struct argv_digest *digest, const char *string)
{
	argv_digest_add(digest, string, strlen(string) + 1);
}

static uint64_t fold(const uint64_t v[4])
{
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void argv_digest_end(struct argv_digest *digest, struct argv_sum *ret_sum)
{
	take_word(digest, digest->word | digest->length << 56);
	digest->state[2] ^= 0xee;
	mix(digest->state, 4);
	ret_sum->words[0] = fold(digest->state);
	digest->state[1] ^= 0xdd;
	mix(digest->state, 4);
	ret_sum->words[1] = fold(digest->state);
}
