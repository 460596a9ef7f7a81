/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cores.h"
#include "store.h"

/* A chunk's rows are 10 KiB of pointers. The first chunks are small: a list that is
 * full after 20 rows looks at few more. Threads are worth their start (some
 * 50 us) once there is as much as in the small chunks to do. */
enum {
	CHUNK = 256,
	CHUNK_FIRST = 16,
	RING = 8,
	HELPERS_MAX = 7, /* one thread walks as fast as so many judge */
	HELPERS_FROM = 1024, /* rows */
	STACK = 1 << 20,
};

enum state { EMPTY, FILLED, TAKEN, JUDGED };

struct chunk {
	enum state state;
	size_t count;
	enum err end; /* of the walk, behind the last row; ERR_OK: it goes on */
	uint64_t sum;
	struct scan_row row[CHUNK];
};

struct scan {
	struct scan_order order;
	struct db_walk walk;
	uint8_t after[STORE_KEY_MAX], head[STORE_KEY_MAX];
	/* The caller's thread alone. */
	size_t used;  /* chunks from the first on that are not EMPTY */
	size_t at;    /* the row of the first that is next */
	size_t walked;
	bool walk_ended;
	uint64_t sum;
	pthread_t helper[HELPERS_MAX];
	unsigned helpers;
	bool helpers_asked;
	/* Below the lock: the state of each chunk, and these. Of the first only the
	 * caller's thread makes another. */
	pthread_mutex_t lock;
	pthread_cond_t filled, judged;
	size_t first; /* of the ring, in the order of keys */
	bool end;
	struct chunk chunk[RING];
};

static struct chunk *nth(struct scan *scan, size_t n)
{
	return &scan->chunk[(scan->first + n) % RING];
}

static void judge(const struct scan_order *order, struct chunk *chunk)
{
	chunk->sum = 0;
	for (size_t i = 0; i < chunk->count; i++) {
		struct scan_row *row = &chunk->row[i];

		row->verdict = order->judge(order->arg, row->key, row->value,
					    &chunk->sum);
	}
}

/* The lock is held, but not while it judges. False: nothing is to be judged. */
static bool judge_one(struct scan *scan)
{
	struct chunk *chunk = NULL;

	for (size_t i = 0; !chunk && i < RING; i++) {
		if (nth(scan, i)->state == FILLED)
			chunk = nth(scan, i);
	}
	if (!chunk)
		return false;
	chunk->state = TAKEN;
	/* Unlocking what is locked, and locking again, cannot fail. */
	(void)pthread_mutex_unlock(&scan->lock);
	judge(&scan->order, chunk);
	(void)pthread_mutex_lock(&scan->lock);
	chunk->state = JUDGED;
	(void)pthread_cond_signal(&scan->judged);
	return true;
}

static void *help(void *arg)
{
	struct scan *scan = arg;

	(void)pthread_mutex_lock(&scan->lock);
	while (!scan->end) {
		if (!judge_one(scan))
			(void)pthread_cond_wait(&scan->filled, &scan->lock);
	}
	(void)pthread_mutex_unlock(&scan->lock);
	return NULL;
}

/* Fewer than there could be, or none, only take more time. */
static void start_helpers(struct scan *scan)
{
	unsigned want = cores_count() - 1;
	pthread_attr_t attr;

	scan->helpers_asked = true;
	if (pthread_attr_init(&attr) != 0)
		return;
	(void)pthread_attr_setstacksize(&attr, STACK); /* a valid size */
	if (want > HELPERS_MAX)
		want = HELPERS_MAX;
	while (scan->helpers < want &&
	       pthread_create(&scan->helper[scan->helpers], &attr, help,
			      scan) == 0)
		scan->helpers++;
	(void)pthread_attr_destroy(&attr); /* of our own */
}

static bool is_behind(const struct scan *scan)
{
	const struct db_bytes head = scan->order.head, key = scan->walk.key;

	return head.len && (key.len < head.len ||
			    memcmp(key.at, head.at, head.len) != 0);
}

static size_t room_of(const struct scan *scan)
{
	const size_t room = scan->walked + CHUNK_FIRST;

	return room < CHUNK ? room : CHUNK;
}

/* The walk goes on into the next chunk of the ring, which is empty. */
static void fill(struct scan *scan)
{
	struct chunk *chunk = nth(scan, scan->used);
	const size_t room = room_of(scan);

	chunk->count = 0;
	chunk->end = ERR_OK;
	while (chunk->end == ERR_OK && chunk->count < room) {
		chunk->end = db_walk_next(&scan->walk);
		if (chunk->end == ERR_OK && is_behind(scan))
			chunk->end = ERR_NOTFOUND;
		if (chunk->end == ERR_OK)
			chunk->row[chunk->count++] = (struct scan_row){
				scan->walk.key, scan->walk.value, 0};
	}
	scan->walk_ended = chunk->end != ERR_OK;
	scan->walked += chunk->count;
	scan->used++;
	(void)pthread_mutex_lock(&scan->lock);
	chunk->state = FILLED;
	(void)pthread_cond_signal(&scan->filled);
	(void)pthread_mutex_unlock(&scan->lock);
}

/* Until the first chunk is judged. */
static void judge_first(struct scan *scan)
{
	(void)pthread_mutex_lock(&scan->lock);
	while (nth(scan, 0)->state != JUDGED) {
		if (!judge_one(scan))
			(void)pthread_cond_wait(&scan->judged, &scan->lock);
	}
	(void)pthread_mutex_unlock(&scan->lock);
	scan->sum += nth(scan, 0)->sum;
}

/* The next row of the first chunk that is handed out; NULL: none is left. */
static const struct scan_row *take(struct scan *scan)
{
	const struct chunk *chunk = nth(scan, 0);

	while (scan->at < chunk->count && !chunk->row[scan->at].verdict)
		scan->at++;
	return scan->at < chunk->count ? &chunk->row[scan->at++] : NULL;
}

/* Drops the first chunk, and judges the one behind it. */
static void go_on(struct scan *scan)
{
	const bool ahead = scan->walked >= HELPERS_FROM;

	if (scan->used) {
		(void)pthread_mutex_lock(&scan->lock);
		nth(scan, 0)->state = EMPTY;
		scan->first = (scan->first + 1) % RING;
		(void)pthread_mutex_unlock(&scan->lock);
		scan->used--;
	}
	scan->at = 0;
	if (ahead && !scan->helpers_asked)
		start_helpers(scan);
	while (!scan->walk_ended &&
	       scan->used < (ahead && scan->helpers ? RING : 1))
		fill(scan);
	judge_first(scan);
}

enum err scan_next(struct scan *scan, struct scan_row *ret_row)
{
	const struct scan_row *row = scan->used ? take(scan) : NULL;

	while (!row && !(scan->used && nth(scan, 0)->end != ERR_OK)) {
		go_on(scan);
		row = take(scan);
	}
	if (!row)
		return nth(scan, 0)->end;
	*ret_row = *row;
	return ERR_OK;
}

uint64_t scan_sum(const struct scan *scan)
{
	return scan->sum;
}

static struct db_bytes keep(uint8_t room[STORE_KEY_MAX], struct db_bytes key)
{
	if (key.len)
		memcpy(room, key.at, key.len);
	return (struct db_bytes){room, key.len};
}

enum err scan_begin(const struct scan_order *order, struct scan **ret_scan)
{
	struct scan *scan = calloc(1, sizeof *scan);

	if (!scan)
		return ERR_SYSTEM;
	scan->order = *order;
	scan->order.after = keep(scan->after, order->after);
	scan->order.head = keep(scan->head, order->head);
	scan->walk = (struct db_walk){.txn = order->txn,
				      .table = order->table,
				      .after = scan->order.after,
				      .alone = true};
	/* With the attributes that all have these cannot fail. */
	(void)pthread_mutex_init(&scan->lock, NULL);
	(void)pthread_cond_init(&scan->filled, NULL);
	(void)pthread_cond_init(&scan->judged, NULL);
	*ret_scan = scan;
	return ERR_OK;
}

void scan_end(struct scan **scan)
{
	struct scan *s = *scan;

	if (!s)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->end = true;
	(void)pthread_cond_broadcast(&s->filled);
	(void)pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < s->helpers; i++)
		(void)pthread_join(s->helper[i], NULL); /* ours, once */
	db_walk_end(&s->walk);
	(void)pthread_cond_destroy(&s->judged);
	(void)pthread_cond_destroy(&s->filled);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
	*scan = NULL;
}
