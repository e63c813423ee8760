/* SPDX-License-Identifier: MIT */
/* A short queue, and the search for who has lingered longest. */
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

/* The slots whose connections have lingered longest, in that order. */
struct oldest {
    struct slot *slots[PLACE_QUEUE_SIZE];
    uint64_t since_ms[PLACE_QUEUE_SIZE];
    unsigned count, wanted;
};

static void oldest_offer(struct oldest *oldest, struct slot *slot, uint64_t since_ms)
{
    unsigned i = oldest->count < oldest->wanted ? oldest->count++ : oldest->wanted - 1;
    if (i == oldest->wanted - 1 && oldest->slots[i] != NULL && oldest->since_ms[i] <= since_ms) {
        return;
    }
    for (; i > 0 && oldest->since_ms[i - 1] > since_ms; i--) {
        oldest->slots[i] = oldest->slots[i - 1];
        oldest->since_ms[i] = oldest->since_ms[i - 1];
    }
    oldest->slots[i] = slot;
    oldest->since_ms[i] = since_ms;
}

void place_ask(struct shared *shared, size_t first_slot, unsigned count)
{
    struct oldest oldest = {.wanted = count};
    size_t lent = atomic_load_explicit(&shared->slots_lent, memory_order_acquire);
    for (size_t i = first_slot; i < lent && count > 0; i++) {
        struct slot *slot = &shared->slots[i];
        uint64_t since_ms = atomic_load_explicit(&slot->lingering_since_ms, memory_order_relaxed);
        if (since_ms != 0) {
            oldest_offer(&oldest, slot, since_ms);
        }
    }
    for (unsigned i = 0; i < oldest.count; i++) {
        atomic_store_explicit(&oldest.slots[i]->place_wanted, true, memory_order_relaxed);
    }
}
