/* SPDX-License-Identifier: MIT */
#include "words.h"

const char *word_kind(enum store_kind kind)
{
	switch (kind) {
	case STORE_POP:
		return "pop";
	case STORE_ALIAS:
		return "alias";
	case STORE_RELAY:
		return "relay";
	case STORE_BACKUP:
		return "backup";
	case STORE_DIALUP:
		return "dialup";
	}
	return "?";
}

const char *word_delivery(enum store_delivery delivery)
{
	switch (delivery) {
	case STORE_DELIVER:
		return "on";
	case STORE_BOUNCE:
		return "off";
	case STORE_HOLD:
		return "hold";
	}
	return "?";
}

const char *word_op(enum store_op op)
{
	switch (op) {
	case STORE_ADD:
		return "add";
	case STORE_SET:
		return "set";
	case STORE_PASSWORD:
		return "password";
	case STORE_OWED:
		return "owed";
	case STORE_DEL:
		return "del";
	case STORE_PURGE:
		return "purge";
	}
	return "?";
}

const char *word_table(enum store_table table)
{
	switch (table) {
	case STORE_HANDLES:
		return "handle";
	case STORE_DOMAINS:
		return "domain";
	case STORE_BOXES:
		return "box";
	case STORE_ADDRESSES:
		return "address";
	}
	return "?";
}
