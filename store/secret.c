#include "secret.h"

#include <errno.h>
#include <sodium.h>

enum err secret_start(void)
{
	errno = ENOSYS; /* unless libsodium's failure says another reason */
	return sodium_init() < 0 ? ERR_SYSTEM : ERR_OK;
}

void secret_wipe(void *bytes, size_t len)
{
	sodium_memzero(bytes, len);
}

void secret_wipe_frames(void)
{
	enum { DEEP = 16 << 10 }; /* twice what was seen */

	sodium_stackzero(DEEP);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void secret_random(void *ret_bytes, size_t len)
{
	randombytes_buf(ret_bytes, len);
}

unsigned secret_below(unsigned limit)
{
	return randombytes_uniform(limit);
}
