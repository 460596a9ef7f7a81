/* SPDX-License-Identifier: MIT */
#include "password_common.h"

#include <ctype.h>
#include <string.h>

#include "store/secret.h"

/* Words at the head of every published count of leaked passwords; as they
 * stand and with digits and marks behind them. */
static const char *const words[] = {
	"password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "pa$$word",
	"motdepasse", "contrasena", "wachtwoord", "letmein", "welcome",
	"willkommen", "bienvenue", "iloveyou", "ichliebedich", "jetaime",
	"teamo", "sunshine", "princess", "dragon", "monkey", "football",
	"baseball", "basketball", "fussball", "soccer", "superman", "batman",
	"spiderman", "pokemon", "starwars", "trustno1", "whatever", "master",
	"shadow", "michael", "jessica", "jennifer", "charlie", "ashley",
	"daniel", "thomas", "andrew", "joshua", "matthew", "nicole",
	"michelle", "computer", "internet", "hello", "hallo", "bonjour",
	"freedom", "killer", "hunter", "summer", "sommer", "winter", "spring",
	"autumn", "herbst", "january", "february", "october", "november",
	"december", "monday", "friday", "sunday", "secret", "geheim",
	"admin", "administrator", "postmaster", "webmaster", "root", "toor",
	"test", "tester", "testing", "guest", "gast", "user", "login",
	"changeme", "default", "temp", "temporary", "mail", "email",
	"qazwsx", "qazwsxedc", "asdfghjkl", "asdfgh", "zxcvbnm", "qwerty",
	"qwertyuiop", "qwertz", "qwertzuiop", "azerty", "azertyuiop",
	"yxcvbnm", "abc", "abcd", "abcdef", "abcdefg", "abcdefgh",
	"abcdefghij", "1q2w3e4r", "1q2w3e4r5t", "1qaz2wsx", "zaq12wsx",
	"q1w2e3r4", "google", "facebook", "linkedin", "microsoft", "windows",
	"samsung", "liverpool", "chelsea", "arsenal", "ferrari", "mercedes",
	"porsche", "harley", "corvette", "mustang", "yankees", "cowboys",
	"access", "flower", "cheese", "cookie", "chocolate", "butterfly",
	"purple", "orange", "banana", "pepper", "ginger", "maggie", "buster",
	"tigger", "ninja", "naruto", "loveme", "lovely", "babygirl",
	"blink", "metallica", "nirvana", "slipknot", "mynoob", "passpass",
	"correcthorsebatterystaple", "opensesame", "abracadabra",
	"qwertyqwerty", "passwordpassword", "adminadmin", "rootroot",
	"testtest", "hellohello", "iloveyouiloveyou",
};

/* Rows in which neighbours make a run. */
static const char *const runs[] = {
	"01234567890123456789", "98765432109876543210",
	"abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba",
	"qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm",
	"!@#$%^&*()_+", "!\"$%&/()=?",
};

/* One part over and over: "aaaaaaaaaa", "abcabcabcabc". */
static bool repeats(const char *text, size_t len)
{
	for (size_t part = 1; part <= 4 && part * 2 <= len; part++) {
		if (memcmp(text, text + part, len - part) == 0)
			return true;
	}
	return false;
}

static bool in_run(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
		if (memmem(runs[i], strlen(runs[i]), text, len))
			return true;
	}
	return false;
}

static bool is_word(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strlen(words[i]) == len &&
		    memcmp(words[i], text, len) == 0)
			return true;
	}
	return false;
}

static bool is_common(const char *text, size_t len)
{
	size_t word = len;

	if (repeats(text, len) || in_run(text, len) || is_word(text, len))
		return true;
	while (word && !isalpha((unsigned char)text[word - 1]))
		word--;
	return is_word(text, word);
}

bool password_common(const char *bytes, size_t len)
{
	char text[256];
	bool common;

	if (len == 0 || len >= sizeof text)
		return false;
	for (size_t i = 0; i < len; i++)
		text[i] = (char)tolower((unsigned char)bytes[i]);
	common = is_common(text, len);
	secret_wipe(text, sizeof text);
	return common;
}
