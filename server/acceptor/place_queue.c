/* SPDX-License-Identifier: MIT */
/* A short queue, and the search for the connections that have lingered longest. */
#include "server/acceptor/place_queue.h"

#include <string.h>

void place_queue_put(struct place_queue *queue, const struct accepted *accepted, uint64_t now_ms)
{
    queue->items[queue->count] = *accepted;
    queue->since_ms[queue->count] = now_ms;
    queue->count++;
}

void place_queue_drop(struct place_queue *queue)
{
    queue->count--;
    memmove(queue->items, queue->items + 1, queue->count * sizeof queue->items[0]);
    memmove(queue->since_ms, queue->since_ms + 1, queue->count * sizeof queue->since_ms[0]);
}

/* The counters of the connections that have lingered longest, the longest first. */
struct oldest {
    struct counters *counters[PLACE_QUEUE_SIZE];
    uint64_t since_ms[PLACE_QUEUE_SIZE];
    unsigned count, wanted;
};

static void oldest_offer(struct oldest *oldest, struct counters *counters, uint64_t since_ms)
{
    unsigned i = oldest->count < oldest->wanted ? oldest->count++ : oldest->wanted - 1;
    if (i == oldest->wanted - 1 && oldest->counters[i] != NULL && oldest->since_ms[i] <= since_ms) {
        return;
    }
    for (; i > 0 && oldest->since_ms[i - 1] > since_ms; i--) {
        oldest->counters[i] = oldest->counters[i - 1];
        oldest->since_ms[i] = oldest->since_ms[i - 1];
    }
    oldest->counters[i] = counters;
    oldest->since_ms[i] = since_ms;
}

void place_ask(struct scoreboard *scoreboard, size_t first, unsigned count)
{
    struct oldest oldest = {.wanted = count};
    size_t lent = atomic_load_explicit(&scoreboard->counters_claimed, memory_order_acquire);
    for (size_t i = first; i < lent && count > 0; i++) {
        struct counters *counters = &scoreboard->counters[i];
        uint64_t since_ms = atomic_load_explicit(&counters->lingering_since_ms, memory_order_relaxed);
        if (since_ms != 0) {
            oldest_offer(&oldest, counters, since_ms);
        }
    }
    for (unsigned i = 0; i < oldest.count; i++) {
        atomic_store_explicit(&oldest.counters[i]->place_wanted, true, memory_order_relaxed);
    }
}
