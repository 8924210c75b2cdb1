/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STATS_STATS_H
#define PGB_STATS_STATS_H

#include "core/simd.h"

#include <stddef.h>
#include <stdint.h>

/* Moments of vector samples by blocks. The replicates of a cell are cut into G blocks of consecutive
 * replicates by the study alone; ranks fill them, then rank 0 holds all of them, and all figures are computed
 * from the G blocks in block order, so nothing depends on who computed which. Blocks that a rank does not own
 * are zero there, so that the order-free sum of comm.h joins them. Memory does not grow
 * with the replicates. Any non-finite sample makes the figures it enters NaN. */
enum { PGB_MAX_BLOCKS = 256 };

/* G: blocks of ceil(R / most) replicates, the last may be smaller; of floor(R / 32), at most 62 blocks, where
 * that would leave fewer than the 32 that the intervals need and R has. doubles: what one block takes, of all
 * pairs; most is 256, or fewer so that all blocks stay within 32 MiB, but never below 32.
 * Replicates [*first, *end) are those of a block. */
size_t pgb_block_count(uint64_t replicates, size_t doubles);
void pgb_block_range(uint64_t replicates, size_t doubles, size_t block, uint64_t *first, uint64_t *end);

/* Q: pieces of a block, a power of two, so that ranks beyond the blocks find work and the last round is
 * shared evenly. A block is the sum of its pieces in a binary tree (pgb_block_merge), whoever measures them;
 * a rank holds up to pgb_piece_nodes(Q) parts of it at a time. Pieces are as even as can be and have at least
 * PGB_PIECE_LEAST replicates where Q > 1, but for those of a last block that is short, of which some may be
 * empty. At most PGB_MAX_PIECES in all, and fewer of large blocks, whose parts may take 512 MiB. Replicates
 * [*first, *end) are those of a piece, numbered block * Q + its place in it. */
enum { PGB_MAX_PIECES = 4096, PGB_PIECE_LEAST = 8 };
size_t pgb_piece_count(uint64_t replicates, size_t doubles);
void pgb_piece_range(uint64_t replicates, size_t doubles, size_t piece, uint64_t *first, uint64_t *end);
size_t pgb_piece_nodes(size_t pieces);

/* Doubles per block: count, zeros (samples that are the zero vector), peak (largest squared distance of a
 * sample to the mean of those of its piece before it), then mean[d], m2[d] (sum of squared deviations from
 * the block's mean), unit[d] (sum of g/|g|). */
size_t pgb_block_size(size_t d);

/* The blocks of one pair, [n][stride] from the first one's on, wherever they lie; only read. */
typedef struct pgb_blocks {
  const double *first;
  size_t n, stride, d;
} pgb_blocks;

static inline const double *pgb_block_at(pgb_blocks blocks, size_t b) {
  return blocks.first + b * blocks.stride;
}

/* Adds a sample g[d] to a block (zeroed at first), Welford's update in double. */
typedef void pgb_block_add_fn(double *block, size_t d, const double *g);
pgb_block_add_fn *pgb_block_add(pgb_isa isa);
/* Adds the samples of another block, which come after its own; exact in count and zeros (Chan, Golub,
 * LeVeque 1983, Am. Stat. 37:242). Nothing is rounded where either is empty. */
void pgb_block_merge(double *block, size_t d, const double *next);

/* Everything that is reported of one pair. NaN where n is too small (n < 2; cosine: fewer than 2 non-zero
 * samples). */
typedef struct pgb_summary {
  double n;                /* replicates                                                                  */
  double trace, low, high; /* sum of the variances (ddof 1) and its 95 % interval; 0, 0, 0 if constant     */
  double log_se;           /* jackknife standard error of log trace                                       */
  double dof;              /* its effective degrees of freedom, 1 .. G - 1: few when few blocks carry it   */
  double skew;     /* skewness of log trace's jackknife values over sqrt(G), what Hall's correction takes */
  double norm2;    /* |mean|^2                                                                    */
  double signal2;  /* norm2 - trace/n, unbiased for |E g|^2; negative where noise exceeds it       */
  double snr;      /* signal2 / trace, sign kept; inf at zero variance, NaN at 0/0                 */
  double kurtosis; /* E|g-m|^4 / (E|g-m|^2)^2: relative SE of the trace is sqrt((k-1)/n). The plain
                    * sample version for blocks of one replicate; for larger ones from the spread of the
                    * blocks: no bias, relative SD against the plain one < sqrt(2/G) (9 %) of k - 1   */
  double overlap; /* tr(S^2) / (tr S)^2 of the covariance S, 1/d .. 1: 1 where all components move together */
  double peak; /* largest |g - mean|^2 of a sample; for larger blocks an estimate within a factor 2 or so */
  double cosine_pairwise; /* mean cosine between two replicates, zero vectors left out                   */
} pgb_summary;

/* mean[d], variance[d] (ddof 1; NaN for fewer than 2).
 * The interval: jackknife over blocks on the log scale, Student's t with effective degrees of freedom, Hall's
 * (1992, JRSS B 54:221) cubic correction for skewness, never narrower than plain t. Coverage by simulation
 * (table in interval.c): 95 to 97 % at R >= 256 for the Gaussian and bandit problems (94 to 96 % with 32
 * blocks), 86 to 95 % at R = 20;
 * far less where a rare value that makes the trace has not occurred (probability 0.01: 17 % at R = 20, 88 %
 * at R = 256). */
void pgb_summarise(pgb_blocks blocks, double *mean, double *variance, pgb_summary *out);

/* trace(a)/trace(b) and its 95 % interval, paired: both were measured on the same replicates, block by block.
 * Covers 93 to 98 % at R >= 256, 87 to 97 % below. Equal samples give 1, 1, 1. Zero trace(a): 0, 0, 0. Zero
 * trace(b): inf, or NaN at 0/0. */
void pgb_ratio(pgb_blocks a, pgb_blocks b, double *ratio, double *low, double *high);

/* Mean cosine of the replicates to a fixed direction c[d], zero vectors left out; NaN for c = 0. */
double pgb_cosine_to(pgb_blocks blocks, const double *c);

/* Events rarer than one in so many episodes escape the sample kurtosis: that of the heaviest problem we ship.
 */
enum { PGB_RARE = 270 };

/* z-scores on the normal scale that convict at |z| ~ 6 and hold in their tails for heavy-tailed samples: they
 * err towards 0, see judge.c. `batch` is the number of episodes averaged in one
 * replicate, times PGB_RARE p where the problem has events of a probability p < 1/PGB_RARE that matter.
 * scale2 is the square of the size of the terms that cancelled in a sample (E|g|^2 without a baseline, say;
 * 0: unknown): differences that float32 rounding explains (relative 1e-5 of the exact value or of that scale)
 * count as none. */

/* z of the measured trace against its exact value. exact 0: 0 if the trace is 0 up to rounding, else
 * infinite. */
double pgb_z_trace(const pgb_summary *summary, double exact, double batch, double scale2);

/* z of the component of the mean farthest from its expectation (count d tests in the bound). exact_variance
 * [d] of one replicate, or NULL for the measured one. Exact variance 0: 0 or infinite. */
double pgb_z_mean(const pgb_summary *summary, const double *mean, const double *variance, size_t d,
                  const double *exact_mean, const double *exact_variance, double batch, double scale2);

/* One-sided z for a bias spread over many components, too small in each: even blocks give a direction, odd
 * blocks are tested along it. 0 for fewer than 16 blocks. Judge it as one test more. exact_variance [d] or
 * NULL: a component of which less than half the known variance was seen is left out. */
double pgb_z_joint(pgb_blocks blocks, const double *variance, const double *exact_mean,
                   const double *exact_variance, double batch, double scale2);

/* The |z| that n independent tests pass with probability alpha when all is well (Bonferroni, two-sided). */
double pgb_z_bound(double alpha, size_t n);

/* Accurate to 1e-10 relative down to the far lower tail; upper tails by symmetry. */
double pgb_normal_cdf(double z);
double pgb_normal_quantile(double p);
double pgb_student_cdf(double t, double dof);
double pgb_student_quantile(double p, double dof);

#endif
