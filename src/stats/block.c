/* SPDX-License-Identifier: MIT */
#include "stats/block.h"

#include "core/dispatch.h"

#include <assert.h>
#include <string.h>

PGB_DECLARE_KERNEL(pgb_block_add_fn, pgb_block_add, );

pgb_block_add_fn *pgb_block_add(pgb_isa isa) {
  static pgb_block_add_fn *const copies[PGB_ISA_COUNT] = PGB_DISPATCH(pgb_block_add);
  assert(isa < PGB_ISA_COUNT);
  return copies[isa];
}

enum { LEAST_BLOCKS = 32, WISHED_BYTES = 32 << 20, NODES_BYTES = 1 << 29 };

/* How many times n goes into bytes. */
static size_t fit(size_t bytes, size_t doubles) {
  return bytes / sizeof(double) / (doubles == 0 ? 1 : doubles);
}

static uint64_t most_blocks(size_t doubles) {
  const size_t room = fit(WISHED_BYTES, doubles);
  return room < LEAST_BLOCKS ? LEAST_BLOCKS : room < PGB_MAX_BLOCKS ? room : PGB_MAX_BLOCKS;
}

static uint64_t up(uint64_t n, uint64_t by) {
  return n / by + (n % by != 0);
}

/* Replicates of a block. Rounded up they may leave fewer blocks than the intervals need: then rounded down.
 */
static uint64_t width(uint64_t replicates, size_t doubles) {
  const uint64_t size = up(replicates, most_blocks(doubles));
  return replicates >= LEAST_BLOCKS && up(replicates, size) < LEAST_BLOCKS ? replicates / LEAST_BLOCKS : size;
}

size_t pgb_block_count(uint64_t replicates, size_t doubles) {
  const uint64_t size = width(replicates, doubles);
  return size == 0 ? 0 : (size_t)up(replicates, size);
}

void pgb_block_range(uint64_t replicates, size_t doubles, size_t block, uint64_t *first, uint64_t *end) {
  assert(block < pgb_block_count(replicates, doubles));
  const uint64_t size = width(replicates, doubles);
  *first = size * block;
  *end = replicates - *first < size ? replicates : *first + size;
}

size_t pgb_piece_nodes(size_t pieces) {
  size_t levels = 0;
  while ((size_t)1 << levels < pieces)
    levels++;
  return 2 * levels + 1;
}

size_t pgb_piece_count(uint64_t replicates, size_t doubles) {
  const uint64_t size = width(replicates, doubles);
  const uint64_t blocks = most_blocks(doubles);
  size_t n = 1;
  while (2 * n * PGB_PIECE_LEAST <= size && 2 * n * blocks <= PGB_MAX_PIECES &&
         pgb_piece_nodes(2 * n) <= fit(NODES_BYTES, doubles))
    n *= 2;
  return n;
}

void pgb_piece_range(uint64_t replicates, size_t doubles, size_t piece, uint64_t *first, uint64_t *end) {
  const size_t n = pgb_piece_count(replicates, doubles);
  const size_t at = piece % n;
  pgb_block_range(replicates, doubles, piece / n, first, end);
  const uint64_t each = (*end - *first) / n, more = (*end - *first) % n;
  *end = *first + each * (at + 1) + more * (at + 1) / n;
  *first += each * at + more * at / n;
}

size_t pgb_block_size(size_t d) {
  return PGB_BLOCK_HEAD + 3 * d;
}

void pgb_block_merge(double *block, size_t d, const double *next) {
  const double before = block[PGB_BLOCK_COUNT], count = next[PGB_BLOCK_COUNT];
  if (count == 0)
    return;
  if (before == 0) {
    memcpy(block, next, pgb_block_size(d) * sizeof *block);
    return;
  }
  const double share = count / (before + count);
  double *restrict mean = block + PGB_BLOCK_HEAD;
  const double *restrict other = next + PGB_BLOCK_HEAD;
  block[PGB_BLOCK_COUNT] += count;
  block[PGB_BLOCK_ZEROS] += next[PGB_BLOCK_ZEROS];
  if (next[PGB_BLOCK_PEAK] > block[PGB_BLOCK_PEAK])
    block[PGB_BLOCK_PEAK] = next[PGB_BLOCK_PEAK];
  double far = 0;
  for (size_t k = 0; k < d; k++) {
    const double delta = other[k] - mean[k];
    mean[k] += delta * share;
    mean[d + k] += other[d + k] + delta * delta * before * share;
    mean[2 * d + k] += other[2 * d + k];
    far += delta * delta;
  }
  if ((before == 1 || count == 1) && far > block[PGB_BLOCK_PEAK]) /* a sample that was alone so far */
    block[PGB_BLOCK_PEAK] = far;
}
