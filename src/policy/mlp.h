/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_POLICY_MLP_H
#define PGB_POLICY_MLP_H

#include "core/option.h"
#include "core/simd.h"
#include "policy/policy.h"

/* A multilayer perceptron y = W_L f(... f(W_1 x + b_1) ...) + b_L, for the policies whose outputs it makes.
 * theta: W_1 [n_1][n_0] row by row, b_1 [n_1], W_2, b_2, ..., then n_tail parameters that do not depend on x
 * (log sigma). Rows of matrices are padded to whole cache lines, _p beside the own size; padding is zero. */

enum { PGB_MLP_HIDDEN = 8, PGB_MLP_WIDTH = 1024 }; /* hidden layers and units of a layer, at the most */

typedef struct pgb_mlp_layer {
  size_t in, out, in_p, out_p;
  size_t weight, bias;         /* places in theta                                                     */
  size_t forward, start, back; /* places in the packed copy: W' [in][out_p], b [out_p], W [out][in_p] */
  size_t at;                   /* its activations and deltas in rows of all layers'                   */
  bool turned;                 /* its gradient is summed as [in][out_p], which is less padding        */
  size_t raw;                  /* where that is in a row of raw sums                                  */
} pgb_mlp_layer;

typedef struct pgb_mlp {
  const char *hidden, *activation; /* options as given */
  bool relu;
  size_t n_layers, n_out, n_tail, n_theta;
  size_t n_x;    /* floats of a row before the activations: the observation                     */
  size_t n_kept; /* the same with all hidden activations                                      */
  size_t n_top;  /* floats of a row of hidden deltas, where the output's begin                */
  size_t n_row;  /* the same with the output's                                                */
  /* A row of raw sums: matrices as the products leave them, then a row of deltas' sums, the biases. */
  size_t raw_row, n_raw;
  const uint32_t *place; /* [n_theta] where a parameter's sum is among these */
  pgb_mlp_layer layer[PGB_MLP_HIDDEN + 1];
} pgb_mlp;

/* Whether a layer's matrix has the same layout among raw sums and in theta. */
static inline bool pgb_mlp_is_same(const pgb_mlp_layer *l) {
  return !l->turned && l->in == l->in_p;
}

/* Options of the classes, whose params begin with the net. */
#define PGB_MLP_OPTIONS                                                                                      \
  {"hidden",                                                                                                 \
   "unit",                                                                                                   \
   PGB_TYPE_TEXT,                                                                                            \
   offsetof(pgb_mlp, hidden),                                                                                \
   0,                                                                                                        \
   0,                                                                                                        \
   "64x64",                                                                                                  \
   NULL,                                                                                                     \
   "units of each hidden layer, 1 to 1024 each, at most 8 layers: 64 or 64x64 or 128x64x32"},                \
  {                                                                                                          \
    "activation", "1", PGB_TYPE_CHOICE, offsetof(pgb_mlp, activation), 0, 0, "tanh", "tanh|relu",            \
        "what the hidden units do to their sums"                                                             \
  }

/* Fills the net from its options and sizes, and shape for it (words and n_delta are the caller's). PGB_USAGE:
 * "hidden: <why>; <what to do>". Memory, the arena's, may be short. */
pgb_status pgb_mlp_prepare(pgb_mlp *net, size_t n_obs, size_t n_out, size_t n_tail, pgb_arena *arena,
                           pgb_policy_shape *shape) PGB_MUST_CHECK;
/* "W2[3,0]", "b2[3]"; k is not in the tail. */
void pgb_mlp_label(const pgb_mlp *net, size_t k, char *text);
/* Orthogonal matrices (Saxe, McClelland and Ganguli 2014, arXiv:1312.6120, section 3), of gain sqrt(2) and
 * 0.01 in the last layer (Huang et al. 2022, "The 37 implementation details of proximal policy optimization",
 * detail 2), biases zero; the tail is left alone. A pure function of net and seed. PGB_RUNTIME without
 * memory. */
pgb_status pgb_mlp_start(const pgb_mlp *net, uint64_t seed, double *theta) PGB_MUST_CHECK;
void pgb_mlp_pack(const pgb_mlp *net, const float *theta, float *packed);
/* Reference in double: y [n_out] of one observation. */
void pgb_mlp_eval(const pgb_mlp *net, const double *theta, const double *obs, double *y);

/* y [n_out][lanes] of obs [n_obs][lanes] for the lanes of the set `busy`, 0 for the others; kept [busy lanes,
 * in order][n_kept] receives the observation and the hidden activations. */
typedef void pgb_mlp_forward_fn(const pgb_mlp *net, const float *theta, const float *obs, uint64_t busy,
                                float *y, float *kept);
extern pgb_mlp_forward_fn PGB_KERNEL(pgb_mlp_forward);

/* pgb_policy_class.contract, and contract_raw, for a policy whose delta is d log pi / d y [n_out], then that
 * of the tail. */
typedef void pgb_mlp_contract_fn(const pgb_mlp *net, const float *theta, const pgb_rollout *rollout,
                                 size_t first, size_t count, size_t n_w, const float *const *weight,
                                 float *scratch, float *out);
extern pgb_mlp_contract_fn PGB_KERNEL(pgb_mlp_contract), PGB_KERNEL(pgb_mlp_contract_raw);
/* pgb_policy_class.expand. */
void pgb_mlp_expand(const pgb_mlp *net, const double *raw, double *all);

static inline size_t pgb_mlp_packed_at(const pgb_mlp *net) {
  const pgb_policy_shape shape = {.n_theta = net->n_theta};
  return pgb_policy_packed_at(&shape);
}

/* Steps that are propagated back together, whole tiles of rows; their arrays stay in the second-level cache.
 */
enum { PGB_MLP_STEPS = 96 };

#endif
