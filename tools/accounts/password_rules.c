/* SPDX-License-Identifier: MIT */
#include "password_rules.h"

#include "base/say.h"
#include "store/secret.h"

/* Without look-alikes: no 0 O o, 1 l I. */
void password_generate(char *ret_bytes, size_t len)
{
	static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz"
				       "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

	for (size_t i = 0; i < len; i++)
		ret_bytes[i] = alphabet[secret_below(sizeof alphabet - 1)];
}

bool password_is_ascii(const char *bytes, size_t len)
{
	while (len && !(bytes[len - 1] & 0x80))
		len--;
	return len == 0;
}

int password_unmade(const struct pwhash_cost *cost, enum pwhash answer)
{
	if (answer == PWHASH_NOMEM)
		return say_error(CODE_LATER, "no memory for a password hash (%u "
					     "KiB): nothing was changed",
				 cost->kib);
	return say_error(CODE_LATER,
			 "no login would compute a password hash of %u KiB and "
			 "%u passes, which cost more than %u KiB in all: "
			 "nothing was changed (lower the setting "
			 "'argon2_passes' or 'argon2_kib')",
			 cost->kib, cost->passes,
			 (unsigned)PWHASH_ARGON2_WORK_MAX);
}
