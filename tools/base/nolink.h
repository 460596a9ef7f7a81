/* nolink.h: opening what lies in a tree of somebody else's. Who owns it could put
 * a link, a pipe or a device into any place of it, and lead root anywhere.
 */
#ifndef POPBOX_NOLINK_H
#define POPBOX_NOLINK_H

/* Opens path, which begins with top, for reading, with these flags beside. Links
 * are followed in top alone, which the administrator named; "" = in none. What is
 * behind a link is ELOOP. Never waits for a pipe. A descriptor, or -1: errno. */
int nolink_open(const char *top, const char *path, int flags);

#endif
