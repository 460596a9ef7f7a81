/* SPDX-License-Identifier: MIT */
#include "err.h"

const char *err_text(enum err err)
{
	switch (err) {
	case ERR_OK:
		return "done";
	case ERR_NOTFOUND:
		return "not found";
	case ERR_EXISTS:
		return "exists already";
	case ERR_INVALID:
		return "not allowed";
	case ERR_INUSE:
		return "in use";
	case ERR_FULL:
		return "no space left";
	case ERR_BUSY:
		return "busy";
	case ERR_DAMAGED:
		return "damaged";
	case ERR_SCHEMA:
		return "another format version";
	case ERR_SYSTEM:
		return "system error";
	}
	return "unknown error";
}
