/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_RESULT_H
#define PGB_STUDY_RESULT_H

#include "stats/stats.h"
#include "study/plan.h"

/* What one cell yields. E estimators, B baselines, N batch sizes, P parameters; NaN where a pair is not
 * defined or the figure not known. The lists below are the one description of every figure: name in the file,
 * unit, long name. */

#define PGB_FIGURES(X) /* [E][B][N] */                                                                       \
  X(VARIANCE_TRACE, "variance_trace", "(return/parameter)^2",                                                \
    "sum over parameters of the variance of one batch estimate")                                             \
  X(VARIANCE_TRACE_LOW, "variance_trace_low", "(return/parameter)^2",                                        \
    "lower end of its 95 % interval (jackknife over replicate blocks, log scale, skewness-corrected)")       \
  X(VARIANCE_TRACE_HIGH, "variance_trace_high", "(return/parameter)^2",                                      \
    "upper end of its 95 % interval (jackknife over replicate blocks, log scale, skewness-corrected)")       \
  X(VARIANCE_RATIO, "variance_ratio", "1", "variance_trace over that of baseline none, same estimator")      \
  X(VARIANCE_RATIO_LOW, "variance_ratio_low", "1", "lower end of its 95 % interval, paired")                 \
  X(VARIANCE_RATIO_HIGH, "variance_ratio_high", "1", "upper end of its 95 % interval, paired")               \
  X(SNR, "snr", "1",                                                                                         \
    "squared norm of the true gradient over variance_trace (estimated without bias if unknown)")             \
  X(NOISE_SCALE, "noise_scale", "episode", "batch over snr: episodes at which signal and noise are equal")   \
  X(COSINE_PAIRWISE, "cosine_pairwise", "1", "mean cosine between two batch estimates")                      \
  X(COSINE_TRUE, "cosine_true", "1", "mean cosine of a batch estimate to the true gradient")                 \
  X(BIAS_NORM, "bias_norm", "return/parameter", "norm of gradient_mean less the true gradient")              \
  X(KURTOSIS, "kurtosis", "1", "E|g-m|^4 / (E|g-m|^2)^2 of one batch estimate")                              \
  X(EXACT_TRACE, "exact_trace", "(return/parameter)^2", "sum over parameters of exact_variance")             \
  X(Z_BIAS, "z_bias", "1", "z of the component of gradient_mean farthest from its expectation")              \
  X(Z_JOINT, "z_joint", "1", "one-sided z of a bias spread over many parameters")                            \
  X(Z_VARIANCE, "z_variance", "1", "z of variance_trace against exact_trace")

#define PGB_VECTORS(X) /* [E][B][N][P] */                                                                    \
  X(GRADIENT_MEAN, "gradient_mean", "return/parameter", "mean over replicates of one batch estimate")        \
  X(GRADIENT_VARIANCE, "gradient_variance", "(return/parameter)^2",                                          \
    "unbiased variance (ddof 1) over replicates of one batch estimate")                                      \
  X(EXACT_GRADIENT_MEAN, "exact_gradient_mean", "return/parameter", "expectation of the batch estimate")     \
  X(EXACT_VARIANCE, "exact_variance", "(return/parameter)^2", "variance of the batch estimate")

#define PGB_ROLLS(X) /* [N] */                                                                               \
  X(RETURN_MEAN, "return_mean", "return", "mean discounted return of the episodes")                          \
  X(RETURN_VARIANCE, "return_variance", "return^2", "variance of the discounted return, ddof 1")             \
  X(EPISODE_LENGTH_MEAN, "episode_length_mean", "step", "mean length of the episodes")                       \
  X(EPISODES, "episodes", "episode", "episodes rolled out")                                                  \
  X(STEPS, "steps", "step", "environment steps taken")

#define PGB_ENUM(name, file, unit, text) PGB_##name,
typedef enum pgb_figure { PGB_FIGURES(PGB_ENUM) PGB_FIGURE_COUNT } pgb_figure;
typedef enum pgb_vector { PGB_VECTORS(PGB_ENUM) PGB_VECTOR_COUNT } pgb_vector;
typedef enum pgb_roll { PGB_ROLLS(PGB_ENUM) PGB_ROLL_COUNT } pgb_roll;
#undef PGB_ENUM

typedef struct pgb_description {
  const char *name, *unit, *long_name;
} pgb_description;
extern const pgb_description pgb_figure_table[PGB_FIGURE_COUNT];
extern const pgb_description pgb_vector_table[PGB_VECTOR_COUNT];
extern const pgb_description pgb_roll_table[PGB_ROLL_COUNT];

typedef struct pgb_cell_result {
  const char *oracle;               /* its name, or "none"                    */
  double *figure[PGB_FIGURE_COUNT]; /* [E][B][N]                              */
  double *vector[PGB_VECTOR_COUNT]; /* [E][B][N][P]                           */
  double *roll[PGB_ROLL_COUNT];     /* [N]                                    */
  double *exact_gradient;           /* [P]                                    */
  double exact_return;              /* J                                      */
  double *biased;                   /* [E][B] 1, 0, NaN where not defined     */
  const char **reason;              /* [E][B] "" where there is nothing to say */
  pgb_summary *summary;             /* [E][B][N], n 0 where not measured      */
} pgb_cell_result;

/* Filled with NaN, in the arena. */
pgb_status pgb_result_create(const pgb_study *study, const pgb_cell *cell, pgb_arena *arena,
                             pgb_cell_result *out) PGB_MUST_CHECK;

/* Exact figures of one pair and batch size: [P] mean, [P] variance, NaN where not known. The mean is known
 * where the oracle knows it, and equals the exact gradient wherever the pair is unbiased. */
void pgb_exact_pair(const pgb_study *study, const pgb_plan *plan, size_t pair, size_t batch,
                    const double *gradient, double *out);
/* Takes exact [pair][N][2*P] of all pairs, before anything is measured. */
void pgb_result_exact(const pgb_study *study, size_t cell, const double *exact, pgb_cell_result *result);
/* Everything of one batch size, from the blocks [n_blocks][stride], z-scores too. */
void pgb_result_measured(const pgb_study *study, size_t cell, size_t batch, const pgb_plan *plan,
                         const double *blocks, size_t n_blocks, pgb_cell_result *result);
/* The z-scores of one pair and batch size from its own blocks, once it and baseline none are summarised. */
void pgb_result_judged(const pgb_study *study, size_t cell, size_t pair, size_t batch, pgb_blocks blocks,
                       pgb_cell_result *result);

/* VALID, or INVALID with the first z-score beyond the family-wise bound of 1e-6 named. */
typedef struct pgb_verdict {
  bool valid;
  size_t tests;   /* z-scores judged                     */
  double bound;   /* of |z|                              */
  double worst;   /* largest |z|                         */
  char text[256]; /* "VALID: ..." or "INVALID: ..."      */
} pgb_verdict;
pgb_verdict pgb_judge(const pgb_study *study, const pgb_cell_result *results);

#endif
