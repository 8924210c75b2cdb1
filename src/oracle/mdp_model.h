/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ORACLE_MDP_MODEL_H
#define PGB_ORACLE_MDP_MODEL_H

#include "oracle/mdp.h"

/* Inside of the tabular oracle. Letters: S states, A actions, T steps, P = S A parameters, k = (s, a) a
 * parameter, V_t and Q_t the values of the policy, H_t = G_t - V_t(s_t). Arrays per parameter are [P][T]: one
 * row is the history of one parameter. */

/* Moments at a visit to the parameter's own state: g_j = E[psi H^j | s], m_j = E[psi^2 H^j | s]. m_0 = pi (1
 * - pi). */
typedef struct pgb_visit {
  double g1, g2, m1, m2;
} pgb_visit;

/* One backward step of value and variance, [S] and [S][A]. */
typedef struct pgb_backup {
  double *q, *var_q; /* [S][A] E[G | s, a], Var(G | s, a) */
  double *v, *var;   /* [S] E[G | s], Var(G | s)          */
} pgb_backup;

/* Per-episode moments of a family of estimators whose scores have weights omega^t:
 * A = sum_t omega^t psi_t (G_t - b_t), Y = sum_t omega^t psi_t, R~ = R - J. */
typedef struct pgb_family {
  double omega;
  double *weight;     /* [T] omega^t                                                           */
  double *mean;       /* [P] E[A]                                                              */
  double *base;       /* [P] E[A^2] at b = V                                                   */
  double *line;       /* [P][T] E[A^2] = base + sum_t weight^2 d m_0 e^2 - 2 e line, e = b - V */
  double *yy, *yr;    /* [P] E[Y^2], E[Y R]                                                    */
  double *yyr, *yyrr; /* [P] E[Y^2 R~], E[Y^2 R~^2]                                            */
  double *cross;      /* [P] E[A Y R~] at b = J                                                */
  double *step;       /* [P] pgb_tabular_step; NULL until asked                                   */
} pgb_family;

/* gae of one V and lambda, kept for the next batch size. */
typedef struct pgb_gae_law {
  struct pgb_gae_law *next;
  double lambda;
  double *table;           /* [T][S] V */
  double *mean, *variance; /* [P]      */
  double *step;            /* [P] pgb_tabular_step_gae; NULL until asked */
} pgb_gae_law;

struct pgb_tabular {
  pgb_tabular_problem of;
  size_t s, a, t, p;
  pgb_arena *arena;
  double *pi;                /* [S][A]                                                                  */
  double *discount;          /* [T+1] gamma^t                                                           */
  size_t *row, *col;         /* [S+1], [nonzeros] pattern of the policy-averaged transition             */
  double *next, *pay;        /* [nonzeros] sum_a pi P, sum_a pi r P                                     */
  double *v, *var;           /* [T+1][S] E[G_t | s], Var(G_t | s)                                       */
  double *d;                 /* [T][S] Pr(s_t = s)                                                      */
  double *g1, *g2, *m1, *m2; /* [P][T] pgb_visit                                                 */
  double *m0;                /* [P]                                                                     */
  double j, var_r;           /* E[R], Var R                                                             */
  /* [P][T], n steps after a visit to the own state: E[psi 1{back}], E[psi (rewards between) 1{back}]; NULL
   * until asked */
  double *back, *back_pay;
  pgb_family *discounted, *plain; /* omega = gamma, omega = 1; NULL until asked */
  pgb_gae_law *gae;
};

pgb_status pgb_doubles(pgb_arena *arena, size_t n, double **out) PGB_MUST_CHECK;

/* Transitions with the reward r + gamma V'(s') - V(s) (V, V' NULL: r alone) and return rho + kappa G'. */
void pgb_tabular_back(const pgb_tabular *o, double kappa, const double *value, const double *next_value,
                      const double *next_v, const double *next_var, const pgb_backup *out);
pgb_visit pgb_tabular_visit(const pgb_tabular *o, const pgb_backup *b, size_t s, size_t a);

/* f_j[t][s] = E[(E[R | history up to t] - b(s_0))^j 1{s_t = s}], j = 1, 2; b [S]. */
void pgb_tabular_forward(const pgb_tabular *o, const double *b, double *f1, double *f2);

/* y = M x and z = K x + kappa M w for [S][columns] blocks, M the policy-averaged transition, K another matrix
 * of its pattern. */
void pgb_tabular_propagate(const pgb_tabular *o, size_t columns, const double *k, double kappa,
                           const double *x, const double *w, double *y, double *z);

/* False where memory is short or the problem is too large to be answered in minutes. */
bool pgb_tabular_lags(pgb_tabular *o);
bool pgb_tabular_family(pgb_tabular *o, double omega, pgb_family **out);
bool pgb_tabular_return_square(pgb_tabular *o, const pgb_family *f, const double *b,
                               double *out); /* E[Y^2 (R-b(s_0))^2] */
bool pgb_tabular_gae(pgb_tabular *o, double lambda, const double *table, pgb_gae_law **out);
/* What time-mean adds to the variance of the batch estimate, times N (N - 1), into *out [P] unless it is
 * there. */
bool pgb_tabular_step(pgb_tabular *o, const double *weight, double **out);
bool pgb_tabular_step_gae(pgb_tabular *o, double lambda, double **out);
/* table[t][s] = E[G_t] for all s. */
void pgb_tabular_step_means(const pgb_tabular *o, double *table);

/* Most multiplications that an answer may take: some ten seconds. */
#define PGB_TABULAR_MOST 2e10

#endif
