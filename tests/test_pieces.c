/* SPDX-License-Identifier: MIT */
/* Blocks out of pieces: run with 1, 2, 3, 5 ranks. However pieces are dealt, rank 0 gets the bits that adding
 * up each block's tree by halves gives, and the figures are those of all samples in one block. */
#include "check.h"
#include "comm/comm.h"
#include "study/measure.h"
#include "study/pieces.h"

#include <stdint.h>
#include <stdlib.h>

enum { D = 3, BLOCKS = 7, MOST = 128, SAMPLES = 3, MOST_RANKS = 64 };

static double draw(uint64_t i) {
  uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53 - 0.3;
}

/* Samples of a piece; every fifth is empty. */
static size_t samples_of(size_t piece) {
  return piece % 5 == 4 ? 0 : 1 + piece % SAMPLES;
}

static void fill(double *slots, size_t piece) {
  const size_t pair = pgb_block_size(D), n = samples_of(piece);
  double *figures = slots + 2 * pair;
  for (size_t i = 0; i < n; i++) {
    double g[D];
    for (size_t k = 0; k < D; k++)
      g[k] = draw((piece * SAMPLES + i) * D + k);
    pgb_block_add(PGB_ISA_NONE)(slots, D, g); /* the other pair is not defined */
    const double before = figures[PGB_SLOT_EPISODES]++, far = g[0] - figures[PGB_SLOT_RETURN_MEAN];
    figures[PGB_SLOT_RETURN_MEAN] += far / (before + 1);
    figures[PGB_SLOT_RETURN_M2] += far * far * before / (before + 1);
    figures[PGB_SLOT_STEPS] += 2;
  }
}

typedef struct subject {
  pgb_study study;
  pgb_cell cell;
  size_t stride;
} subject;

/* By halves. */
static void add_up(const subject *x, size_t piece, size_t width, double *out) {
  double right[200] = {0};
  if (width == 1) {
    fill(out, piece);
    return;
  }
  add_up(x, piece, width / 2, out);
  add_up(x, piece + width / 2, width / 2, right);
  pgb_measure_merge(&x->study, &x->cell, out, right);
}

/* Pieces of blocks [from, BLOCKS), as some rank would have them: all ranks the same number, or by speed, or
 * the last rank all. */
enum deal_how { EVENLY, BY_SPEED, TO_LAST, HOWS };

static void deal(checks *c, const subject *x, pgb_comm *comm, size_t per_block, size_t from,
                 enum deal_how how) {
  const int size = pgb_comm_size(comm), rank = pgb_comm_rank(comm);
  const size_t room = rank == 0 || how == TO_LAST ? BLOCKS : pgb_deal_owned(BLOCKS - from, x->stride, size);
  size_t begin[MOST_RANKS + 1] = {0};
  double cost[MOST_RANKS] = {0}, dealt[MOST_RANKS] = {0};
  double *blocks = calloc(room * x->stride + 1, sizeof *blocks);
  double *nodes = calloc(pgb_piece_nodes(per_block) * x->stride, sizeof *nodes);
  pgb_deal d = {.first = from * per_block, .n = (BLOCKS - from) * per_block, .ranks = size, .begin = begin};
  for (int p = 0; p < size && how == BY_SPEED; p++)
    cost[p] = 1 + p % 3;
  pgb_deal_out(&d, 1, pgb_deal_lead(BLOCKS - from, x->stride, size), cost, dealt);
  for (int p = 1; p < size && how == TO_LAST; p++)
    begin[p] = d.first;
  pgb_pieces p = {.study = &x->study,
                  .cell = &x->cell,
                  .stride = x->stride,
                  .per_block = per_block,
                  .slots = nodes,
                  .block = blocks,
                  .root = rank == 0};
  pgb_comm_words mine[PGB_MAX_BLOCKS];
  for (size_t i = begin[rank]; i < begin[rank + 1]; i++) {
    fill(pgb_pieces_next(&p), i);
    pgb_pieces_push(&p, i);
  }
  CHECK_OK(c, pgb_pieces_join(&p, &d, comm));
  CHECK(c, rank == 0 || p.n_own <= room);
  const size_t n = pgb_pieces_words(&p, from, BLOCKS, mine);
  CHECK_OK(c, pgb_comm_bring(comm, mine, n, BLOCKS - from, x->stride,
                             rank == 0 ? blocks + from * x->stride : NULL));
  for (size_t b = from; b < BLOCKS && rank == 0; b++) {
    double want[200] = {0};
    add_up(x, b * per_block, per_block, want);
    CHECK(c, memcmp(want, blocks + b * x->stride, x->stride * sizeof *want) == 0);
  }
  free(blocks);
  free(nodes);
}

/* Trees change nothing but the last digits. */
static void test_figures(checks *c, const subject *x) {
  double tree[200] = {0}, line[200] = {0};
  add_up(x, 0, MOST, tree);
  for (size_t i = 0; i < MOST; i++)
    fill(line, i);
  for (size_t i = 0; i < x->stride; i++)
    if (i != 2) /* the peak is measured from another mean */
      CHECK_NEAR(c, tree[i], line[i], 1e-13, 0);
  CHECK(c, tree[2] > 0.2 * line[2] && tree[2] < 5 * line[2]);
}

/* A sample far from all others, alone in a piece, is not lost. */
static void test_alone(checks *c) {
  const double far[D] = {100, 0, 0}, near[D] = {1, 1, 1};
  for (int first = 0; first < 2; first++) {
    double a[200] = {0}, b[200] = {0};
    for (int i = 0; i < 5; i++)
      pgb_block_add(PGB_ISA_NONE)(first ? b : a, D, near);
    pgb_block_add(PGB_ISA_NONE)(first ? a : b, D, far);
    pgb_block_merge(a, D, b);
    CHECK_NEAR(c, a[2], 99 * 99 + 2, 1e-15, 0);
  }
}

/* Each replicate in one piece, in order, for many sizes; ranks that want work find it. */
static void test_ranges(checks *c) {
  static const uint64_t replicates[] = {1, 2, 255, 256, 257, 1000, 2048, 10000, 123457, 10000000};
  static const size_t doubles[] = {10, 1000, 40000, 3000000, 90000000};
  for (size_t r = 0; r < sizeof replicates / sizeof *replicates; r++)
    for (size_t s = 0; s < sizeof doubles / sizeof *doubles; s++) {
      const size_t each = pgb_piece_count(replicates[r], doubles[s]);
      const size_t n = each * pgb_block_count(replicates[r], doubles[s]);
      uint64_t at = 0, first = 0, end = 0;
      const uint64_t least = each > 1 ? PGB_PIECE_LEAST : 1;
      int ascending = 1;
      for (size_t i = 0; i < n; i++, at = end) {
        pgb_piece_range(replicates[r], doubles[s], i, &first, &end);
        ascending = ascending && first == at && end >= first && (end - first >= least || i + each >= n);
      }
      CHECK(c, ascending && at == replicates[r] && n <= PGB_MAX_PIECES && (each & (each - 1)) == 0);
      CHECK(c, pgb_piece_nodes(each) <= PGB_MAX_NODES);
    }
  CHECK(c, pgb_piece_count(100000, 1000) * pgb_block_count(100000, 1000) > 2048);
  CHECK(c, pgb_piece_count(100000, 3000000) * pgb_block_count(100000, 3000000) >= 2048);
}

int main(int argc, char **argv) {
  checks c = {0};
  pgb_comm *comm = NULL;
  const pgb_status s = pgb_comm_create(&argc, &argv, &comm);
  if (s.code != PGB_OK) {
    fprintf(stderr, "%s\n", s.text);
    return 1;
  }
  subject x = {.study = {.n_estimators = 1, .n_baselines = 2}, .cell = {.actor.shape.n_theta = D}};
  x.stride = pgb_measure_stride(&x.study, &x.cell);
  CHECK(&c, x.stride <= 200 && pgb_comm_size(comm) <= MOST_RANKS);
  for (size_t per_block = 1; per_block <= MOST; per_block *= 2) {
    pgb_comm_limit(comm, per_block % 3 == 1 ? 1 << 20 : 200); /* in one message, and in many */
    for (size_t from = 0; from < BLOCKS; from++)
      for (enum deal_how how = EVENLY; how < HOWS; how++)
        deal(&c, &x, comm, per_block, from, how);
  }
  test_figures(&c, &x);
  test_alone(&c);
  test_ranges(&c);
  const int rank = pgb_comm_rank(comm);
  const pgb_status all = pgb_comm_agree(
      comm, c.failed == 0 ? pgb_ok() : pgb_fail(PGB_RUNTIME, "rank %d: %d checks failed", rank, c.failed));
  pgb_comm_destroy(comm);
  return rank == 0 ? check_end(&c, "test_pieces") || all.code != PGB_OK : c.failed != 0;
}
