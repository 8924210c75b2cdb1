/* SPDX-License-Identifier: MIT */
#include "study/pieces.h"

#include "study/measure.h"
#include "study/share.h"

#include <assert.h>
#include <string.h>

size_t pgb_pieces_owned(size_t n_blocks, int ranks) {
  return (n_blocks + (size_t)ranks - 1) / (size_t)ranks;
}

size_t pgb_deal_begin(const pgb_deal *deal, int place) {
  return deal->first + pgb_share_begin(deal->n, place, deal->ranks);
}

static double *slots_of(const pgb_pieces *p, size_t node) {
  return p->slots + node * p->stride;
}

double *pgb_pieces_next(pgb_pieces *p) {
  assert(p->n < pgb_piece_nodes(p->per_block));
  memset(slots_of(p, p->n), 0, p->stride * sizeof *p->slots);
  return slots_of(p, p->n);
}

/* Takes up the node whose slots lie behind those of the others: merges what is complete, and a whole block
 * goes to its place. */
static void take_up(pgb_pieces *p, pgb_node node) {
  p->node[p->n++] = node;
  while (p->n > 1) {
    pgb_node *left = &p->node[p->n - 2];
    if (left->width == p->per_block || left->width != p->node[p->n - 1].width ||
        left->first % (2 * left->width) != 0)
      break;
    pgb_measure_merge(p->study, p->cell, slots_of(p, p->n - 2), slots_of(p, p->n - 1));
    left->width *= 2;
    p->n--;
  }
  const pgb_node *last = &p->node[p->n - 1];
  if (last->width < p->per_block)
    return;
  const size_t block = last->first / p->per_block;
  const size_t place = p->root ? block : p->n_own;
  p->n--;
  memcpy(p->block + place * p->stride, slots_of(p, p->n), p->stride * sizeof *p->block);
  p->own[p->n_own++] = block;
}

void pgb_pieces_push(pgb_pieces *p, size_t piece) {
  take_up(p, (pgb_node){.first = piece, .width = 1});
}

/* The place whose part a piece is in. */
static int place_of(const pgb_deal *deal, size_t piece) {
  int low = 0, high = deal->ranks;
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    if (pgb_deal_begin(deal, middle) <= piece)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* The largest node that begins at a piece and ends before `end`. */
static size_t width_at(const pgb_pieces *p, size_t piece, size_t end) {
  size_t width = 1;
  while (2 * width <= p->per_block && piece % (2 * width) == 0 && piece + 2 * width <= end)
    width *= 2;
  return width;
}

static void keep(pgb_status *first, pgb_status next) {
  if (first->code == PGB_OK)
    *first = next;
}

/* The nodes of the block that this rank begins in the middle of, to its owner; their number. */
static size_t pass_on(const pgb_pieces *p, const pgb_deal *deal, pgb_comm *comm, size_t begin,
                      pgb_status *s) {
  const size_t block = begin / p->per_block;
  size_t n = 0;
  if (begin % p->per_block == 0)
    return 0;
  const int owner = pgb_share_rank(place_of(deal, block * p->per_block), deal->ranks);
  for (; n < p->n && p->node[n].first / p->per_block == block; n++)
    keep(s, pgb_comm_send(comm, owner, slots_of(p, n), p->stride));
  return n;
}

/* What is missing of the block that this rank leaves in the middle of: the following places have it. */
static pgb_status complete(pgb_pieces *p, const pgb_deal *deal, pgb_comm *comm, int place) {
  pgb_status s = pgb_ok();
  size_t at = pgb_deal_begin(deal, place + 1);
  const size_t end = at - at % p->per_block + (at % p->per_block == 0 ? 0 : p->per_block);
  for (place++; at < end; place++) {
    const size_t next = pgb_deal_begin(deal, place + 1);
    const size_t stop = next < end ? next : end;
    for (size_t width = 0; at < stop; at += width) {
      width = width_at(p, at, stop);
      keep(&s, pgb_comm_receive(comm, pgb_share_rank(place, deal->ranks), pgb_pieces_next(p), p->stride));
      take_up(p, (pgb_node){.first = at, .width = width});
    }
  }
  return s;
}

pgb_status pgb_pieces_join(pgb_pieces *p, const pgb_deal *deal, pgb_comm *comm) {
  const int place = pgb_share_rank(pgb_comm_rank(comm), deal->ranks);
  const size_t begin = pgb_deal_begin(deal, place);
  const size_t passed_by = begin + (p->per_block - begin % p->per_block) % p->per_block; /* the next block */
  pgb_status s = pgb_ok();
  if (pgb_deal_begin(deal, place + 1) == begin)
    return s;
  const size_t passed = pass_on(p, deal, comm, begin, &s);
  if (passed_by < pgb_deal_begin(deal, place + 1))
    keep(&s, complete(p, deal, comm, place));
  keep(&s, pgb_comm_sent(comm));
  assert(p->n == passed);
  p->n = 0;
  return s;
}

size_t pgb_pieces_words(const pgb_pieces *p, size_t from, size_t to, pgb_comm_words *out) {
  size_t n = 0;
  for (size_t i = 0; i < p->n_own; i++)
    if (p->own[i] >= from && p->own[i] < to)
      out[n++] = (pgb_comm_words){(p->own[i] - from) * p->stride, p->stride,
                                  p->block + (p->root ? p->own[i] : i) * p->stride};
  return n;
}
