/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STUDY_PIECES_H
#define PGB_STUDY_PIECES_H

#include "comm/comm.h"
#include "stats/stats.h"
#include "study/deal.h"
#include "study/study.h"

/* What one rank has of a cell and batch size: blocks that it owns, and nodes of the binary trees of blocks
 * that it shares with neighbours. The rank that measures the first piece of a node, or of a whole block, has
 * it in the end; where its right half is another's, that one passes it on. Equal neighbours are merged as
 * soon as both are there, so that a rank holds few nodes, and any deal of the pieces adds up in the same
 * order. */

/* At most log2 Q nodes of the block that a rank begins in the middle of, as many of the one it leaves in the
 * middle, and the piece under way or a node that comes in. */
enum { PGB_MAX_NODES = 2 * 7 + 1 };

typedef struct pgb_node {
  size_t first, width; /* pieces of it; width is a power of two that divides first */
} pgb_node;

typedef struct pgb_pieces {
  const pgb_study *study;
  const pgb_cell *cell;
  size_t stride, per_block;
  double *slots; /* [n][stride] of the nodes, then of the piece under way: pgb_piece_nodes in all */
  double *block; /* [..][stride] rank 0: every block at its place; else the owned ones in their order */
  bool root;
  pgb_node node[PGB_MAX_NODES];
  size_t n;
  size_t own[PGB_MAX_BLOCKS], n_own; /* owned blocks that are whole, ascending */
} pgb_pieces;

/* Slots [stride] of the next piece, zero. */
double *pgb_pieces_next(pgb_pieces *pieces);
/* They are complete. Pieces come in ascending order. */
void pgb_pieces_push(pgb_pieces *pieces, size_t piece);

/* Collective, once a deal is measured on all ranks: its shared blocks come to their owners. */
pgb_status pgb_pieces_join(pgb_pieces *pieces, const pgb_deal *deal, pgb_comm *comm) PGB_MUST_CHECK;

/* Owned blocks of [from, to) as words of a row that begins with block `from`; their number. out
 * [PGB_MAX_BLOCKS]. */
size_t pgb_pieces_words(const pgb_pieces *pieces, size_t from, size_t to, pgb_comm_words *out);

#endif
