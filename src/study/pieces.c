/* SPDX-License-Identifier: MIT */
#include "study/pieces.h"

#include "study/measure.h"
#include "study/share.h"

#include <assert.h>
#include <string.h>

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
    if (deal->begin[middle] <= piece)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static void keep(pgb_status *first, pgb_status next) {
  if (first->code == PGB_OK)
    *first = next;
}

/* The rank that has a piece, and hence the node that begins with it once it is whole. */
static int rank_of(const pgb_deal *deal, size_t piece) {
  return pgb_share_rank(place_of(deal, piece), deal->ranks);
}

/* Whether a node is to be merged with one to its left that another rank has. */
static bool leaves(pgb_node node, size_t begin) {
  return node.first / node.width % 2 == 1 && node.first < begin + node.width;
}

/* What is missing to the right of a node comes from where that begins; so a block that many ranks share is
 * added up in as many steps as its tree has levels. */
pgb_status pgb_pieces_join(pgb_pieces *p, const pgb_deal *deal, pgb_comm *comm) {
  const size_t begin = deal->begin[pgb_share_rank(pgb_comm_rank(comm), deal->ranks)];
  pgb_status s = pgb_ok();
  for (size_t sent = 0;;) {
    for (; sent < p->n && leaves(p->node[sent], begin); sent++)
      keep(&s, pgb_comm_send(comm, rank_of(deal, p->node[sent].first - p->node[sent].width),
                             slots_of(p, sent), p->stride));
    if (sent == p->n || s.code != PGB_OK)
      break;
    const pgb_node last = p->node[p->n - 1];
    const pgb_node next = {.first = last.first + last.width, .width = last.width};
    keep(&s, pgb_comm_receive(comm, rank_of(deal, next.first), pgb_pieces_next(p), p->stride));
    take_up(p, next);
  }
  p->n = 0;
  return s.code == PGB_OK ? pgb_comm_sent(comm) : s; /* else nobody may wait for what was sent */
}

size_t pgb_pieces_words(const pgb_pieces *p, size_t from, size_t to, pgb_comm_words *out) {
  size_t n = 0;
  for (size_t i = 0; i < p->n_own; i++)
    if (p->own[i] >= from && p->own[i] < to)
      out[n++] = (pgb_comm_words){(p->own[i] - from) * p->stride, p->stride,
                                  p->block + (p->root ? p->own[i] : i) * p->stride};
  return n;
}
