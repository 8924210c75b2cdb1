/* SPDX-License-Identifier: MIT */
#include "cli/explain.h"

#include "envs/gaussian.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Prints a paragraph in lines of at most 99 characters, indented as its first line; ~ is a blank that stays
 * in its line. */
static void say(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(FILE *out, const char *format, ...) {
  enum { COLUMNS = 99 };
  char text[2000];
  va_list list;
  va_start(list, format);
  (void)vsnprintf(text, sizeof text, format, list);
  va_end(list);
  const int indent = (int)strspn(text, " ");
  size_t column = (size_t)fprintf(out, "%*s", indent, "");
  bool first = true;
  for (char *word = text + indent; *word != '\0';) {
    const size_t n = strcspn(word, " ");
    const bool last = word[n] == '\0';
    word[n] = '\0';
    for (char *c = word; *c != '\0'; c++)
      *c = *c == '~' ? ' ' : *c;
    if (!first && column + 1 + n > COLUMNS) {
      column = (size_t)fprintf(out, "\n%*s", indent + 2, "") - 1;
      first = true;
    }
    (void)fprintf(out, "%s%s", first ? "" : " ", word);
    column += n + !first;
    first = false;
    word += n + !last;
  }
  (void)fprintf(out, "\n");
}

typedef struct figure {
  char s[64];
} figure;

/* For figures inside a sentence. */
static figure fig(double x) {
  figure f;
  const double size = fabs(x);
  if (size < 1e-12)
    x = 0;
  (void)snprintf(f.s, sizeof f.s, size >= 1e-12 && (size < 1e-4 || size >= 1e4) ? "%.3e" : "%.5f", x);
  return f;
}

static figure brief(double x) {
  figure f;
  (void)snprintf(f.s, sizeof f.s, "%.4g", x);
  return f;
}

static figure theta_name(const pgb_explanation *e) {
  figure f = {"theta"};
  if (e->kind != PGB_EXPLAIN_GAUSSIAN)
    (void)snprintf(f.s, sizeof f.s, "theta_%zu", e->k);
  return f;
}

static void title(FILE *out, const pgb_explanation *e, const char *text) {
  figure command;
  (void)snprintf(command.s, sizeof command.s, "pgbench explain %s", pgb_explain_name(e->kind));
  (void)fprintf(out, "WHY THE LOG?  %-58s %26s\n", text, command.s);
}

static void question(FILE *out, const pgb_explanation *e) {
  say(out, "Wanted: the gradient dJ, the slope of J along %s (d:~derivative by %s%s).", theta_name(e).s,
      theta_name(e).s, e->kind == PGB_EXPLAIN_GAUSSIAN ? "" : ", the rest fixed");
}

static void bandit_problem(FILE *out, const pgb_explanation *e) {
  figure text;
  (void)snprintf(text.s, sizeof text.s, "One choice among %zu actions", e->n_choices);
  title(out, e, text.s);
  say(out,
      "The policy (the rule that acts) picks action a with probability pi(a) = exp(theta_a) / sum of all "
      "exp(theta). "
      "Action a pays r(a)%s. The mean reward is J = sum of pi(a) r(a) = %s.",
      e->noisy ? " on average, give or take noise" : "", fig(e->j).s);
  question(out, e);
  say(out, "1 Directly: J is a sum, so dJ is the sum of dpi(a) r(a): left half of the table.");
  say(out,
      "2 The trick: multiply and divide by pi(a). dpi = pi * (dpi/pi), and dpi/pi is the derivative of log "
      "pi "
      "(here 1 - pi(%zu) for a = %zu, -pi(%zu) for the others). Product: pi * d~log~pi * r. Same terms, same "
      "sum.",
      e->k, e->k, e->k);
}

static void gaussian_problem(FILE *out, const pgb_explanation *e) {
  const pgb_gaussian *env = e->study->cells[0].actor.env_params;
  title(out, e, "A continuous action with a linear mean");
  say(out,
      "The policy (the rule that acts) sees x = 1 and takes a = theta x + noise: theta = %s, and the noise "
      "is normal "
      "with standard deviation sigma = %s. So pi(a), the density of a, is a bell around theta x. Action a "
      "pays r(a) = "
      "-(%s/2)~(a~%s~%s)^2%s. The mean reward is J = integral of pi(a) r(a) da = %s.",
      brief(e->centre).s, brief(e->sigma).s, brief(env->curvature).s, env->c[0] < 0 ? "+" : "-",
      brief(fabs(env->c[0])).s, e->noisy ? ", give or take noise" : "", fig(e->j).s);
  question(out, e);
  say(out,
      "1 Directly: dJ is the integral of dpi(a) r(a) da: left half of the table, %zu points da = sigma "
      "apart.",
      e->n_terms);
  say(out, "2 The trick: multiply and divide by pi(a). dpi = pi * (dpi/pi), and dpi/pi is the derivative of "
           "log pi: the "
           "log undoes the bell's exp and leaves x~(a - theta~x) / sigma^2 = x~noise / sigma^2. Product: pi "
           "* d~log~pi "
           "* r * da. Same terms, same sum.");
}

static void chain_problem(FILE *out, const pgb_explanation *e) {
  figure text, gamma = {""};
  (void)snprintf(text.s, sizeof text.s, "A sequence of %zu step%s", e->horizon, e->horizon == 1 ? "" : "s");
  if (e->study->gamma < 1)
    (void)snprintf(gamma.s, sizeof gamma.s, ", r_t counted %.4g^t times", e->study->gamma);
  title(out, e, text.s);
  say(out,
      "At each step t the policy (the rule that acts) picks one of %zu actions, a with probability pi(a) = "
      "exp(theta_a) / sum of all exp(theta), and is paid r_t%s. A path lists its actions; its return R is "
      "the sum of "
      "its rewards%s, its probability P the product of its pi(a_t). J = sum of P R over the %zu paths = %s.",
      e->n_choices, e->noisy ? ", give or take noise" : "", gamma.s, e->n_terms, fig(e->j).s);
  question(out, e);
  say(out, "1 Directly: dJ is the sum of dP R: left half of the table.");
  say(out,
      "2 The trick: multiply and divide by P. dP = P * (dP/P) = P * d log P, and the log makes a sum of P, a "
      "product: d~log~P is the sum of the steps' d~log~pi(a_t). Product: P * d~log~P * R. Same sum.");
}

static void finite_difference(FILE *out, const pgb_explanation *e) {
  say(out, "Check: J is %.8g at %s + %s and %.8g at - %s: slope %s. Exact: %s.", e->up, theta_name(e).s,
      brief(e->step).s, e->down, brief(e->step).s, fig((e->up - e->down) / (2 * e->step)).s,
      fig(e->gradient).s);
}

/* " + 0.1", " - 0.1". */
static void signed_figure(FILE *out, bool first, double x) {
  (void)fprintf(out, "%s%s", x < 0 ? first ? "-" : " - " : first ? "" : " + ", fig(fabs(x)).s);
}

/* One path in full: the product, its log, what the environment adds. */
static void path(FILE *out, const pgb_explanation *e) {
  enum { MOST = 6 };
  const size_t at = e->n_terms * 5 / 8, steps = e->horizon < MOST ? e->horizon : MOST;
  const char *more = e->horizon > MOST ? " ..." : "";
  const pgb_explain_term *term = &e->terms[at];
  size_t action[MOST] = {0};
  for (size_t t = e->horizon, left = at; t-- > 0; left /= e->n_choices)
    if (t < MOST)
      action[t] = left % e->n_choices;
  (void)fprintf(out, "  Path");
  for (size_t t = 0; t < steps; t++)
    (void)fprintf(out, " %zu", action[t]);
  (void)fprintf(out, "%s:  P =", more);
  for (size_t t = 0; t < steps; t++)
    (void)fprintf(out, "%s%s", t > 0 ? " * " : " ", fig(e->pi[action[t]]).s);
  (void)fprintf(out, "%s = %s\n      log P = ", more, fig(term->p).s);
  for (size_t t = 0; t < steps; t++)
    signed_figure(out, t == 0, log(e->pi[action[t]]));
  (void)fprintf(out, "%s = %s\n    d log P = ", more, fig(log(term->p)).s);
  for (size_t t = 0; t < steps; t++)
    signed_figure(out, t == 0, e->dlog[action[t]]);
  (void)fprintf(out, "%s = %s\n", more, fig(term->dlog).s);
  say(out,
      "  What the environment draws (next state, noise) is a factor of P too, but has no theta: its log has "
      "derivative 0 and drops out. No model of the environment is needed.");
}

static void expectation(FILE *out, const pgb_explanation *e) {
  const bool chain = e->kind == PGB_EXPLAIN_CHAIN;
  say(out,
      "3 The products are a probability times something: their sum is an average (E), which playing can "
      "measure: dJ = "
      "E[%s] = %s. The left half is no average: %s is negative in places and adds up to %s.",
      chain ? "R d~log~P" : "r(a)~d~log~pi(a)", fig(e->sums.p_dlog_r).s, chain ? "dP" : "dpi",
      fig(e->sums.dp).s);
}

/* E[gamma^s r_s d log pi(a_t)] of the first steps. */
static void pairing(FILE *out, const pgb_explanation *e) {
  enum { MOST = 3 };
  const size_t steps = e->horizon < MOST ? e->horizon : MOST;
  say(out, "  R d log P has all pairs r_s d~log~pi(a_t). Reward-to-go leaves out those whose reward r_s came "
           "before "
           "a_t: they average 0. (Here later ones do too: no action changes a later reward.)");
  for (size_t s = 0; s < steps; s++) {
    (void)fprintf(out, "    E[r_%zu d log pi(a_t)], t = 0, 1, ...:", s);
    for (size_t t = 0; t < steps; t++)
      pgb_explain_figure(out, 11, e->pairing[s * e->horizon + t]);
    (void)fprintf(out, "%s\n", e->horizon > steps ? " ..." : "");
  }
}

/* What the baseline is, in words. */
static const char *baseline_words(const pgb_explanation *e) {
  if (strcmp(e->baseline, "value") == 0)
    return e->kind == PGB_EXPLAIN_CHAIN ? "the mean of the rewards still to come" : "the mean reward J";
  return strcmp(e->baseline, "optimal") == 0 ? "the constant of least spread over all parameters"
                                             : "the constant of least spread for this parameter";
}

static void sampling(FILE *out, const pgb_explanation *e) {
  const bool chain = e->kind == PGB_EXPLAIN_CHAIN;
  say(out,
      "4 Play N %s and average the %s. One has standard deviation sd~=~%s; the average is off by about "
      "sd~/~sqrt(N).",
      chain ? "paths" : "times", chain ? "R d~log~P" : "r d~log~pi", fig(e->sd[PGB_EXPLAIN_PLAIN]).s);
  if (chain) {
    figure b = {""};
    for (size_t t = 0; t < e->horizon && t < 3; t++)
      (void)snprintf(b.s + strlen(b.s), sizeof b.s - strlen(b.s), "%s%.4g", t > 0 ? ", " : "", e->b[t]);
    say(out,
        "5 The same paths with reward-to-go (sd~=~%s), and with a baseline b_t, %s, taken off it: b_t~= %s%s "
        "(sd~=~%s).",
        fig(e->sd[PGB_EXPLAIN_TOGO]).s, baseline_words(e), b.s, e->horizon > 3 ? " ..." : "",
        fig(e->sd[PGB_EXPLAIN_BASELINE]).s);
  } else
    say(out, "5 The same plays with a baseline taken off each reward: b~=~%s, %s (sd~=~%s).", fig(e->b[0]).s,
        baseline_words(e), fig(e->sd[PGB_EXPLAIN_BASELINE]).s);
  pgb_explain_estimates(out, e);
  say(out, "  %stypical: root mean square of %llu errors (seed %llu); predicted: sd / sqrt(N)",
      chain ? "" : "error: estimate - dJ; ", (unsigned long long)e->study->replicates,
      (unsigned long long)e->study->seed);
}

static void mean_unmoved(FILE *out, const pgb_explanation *e) {
  const pgb_explain_batch *last = &e->batches[e->n_batches - 1];
  const char *sum = e->kind == PGB_EXPLAIN_GAUSSIAN ? "integral" : "sum";
  say(out,
      "Why does the mean stay? E[b d log pi] = b * %s of pi d~log~pi = b * %s of dpi = b * d(1) = 0, for "
      "probabilities always add up to 1%s:",
      sum, sum, e->kind == PGB_EXPLAIN_CHAIN ? " (shown for b_0)" : "");
  double all = e->sums.dp;
  (void)fprintf(out, "    %s * ", fig(e->b[0]).s);
  if (e->pi != NULL && e->n_choices <= 4) {
    all = 0;
    (void)fprintf(out, "(");
    for (size_t a = 0; a < e->n_choices; a++) {
      signed_figure(out, a == 0, e->dpi[a]);
      all += e->dpi[a];
    }
    (void)fprintf(out, ")");
  } else
    (void)fprintf(out, "%s", fig(all).s);
  (void)fprintf(out, " = %s;  in the last sample: %s\n", fig(e->b[0] * all).s,
                fig(last->way[PGB_EXPLAIN_TOGO].one - last->way[PGB_EXPLAIN_BASELINE].one).s);
}

/* The sentence on the best constant, or nothing. */
static void best_constant(const pgb_explanation *e, char *text, size_t size) {
  text[0] = '\0';
  if (!isfinite(e->best) || !isfinite(e->best_sd) || strcmp(e->baseline, "optimal-component") == 0)
    return;
  (void)snprintf(text, size,
                 e->kind == PGB_EXPLAIN_CHAIN ? " The best constant for all steps, b = %s, has sd~=~%s."
                                              : " The best b here, %s, has sd~=~%s.",
                 brief(e->best).s, fig(e->best_sd).s);
}

static void error_changed(FILE *out, const pgb_explanation *e) {
  const double before = e->sd[PGB_EXPLAIN_TOGO], after = e->sd[PGB_EXPLAIN_BASELINE];
  const double factor = e->sd[PGB_EXPLAIN_PLAIN] / after;
  const bool chain = e->kind == PGB_EXPLAIN_CHAIN;
  char best[128];
  best_constant(e, best, sizeof best);
  if (after < before * 1e-6)
    say(out, "Why is no error left? With this b every single play gives dJ itself: sd goes from %s to 0.",
        fig(before).s);
  else if (after > before * (1 - 1e-9))
    say(out,
        "Why is the error no smaller? This b does not bring the rewards nearer to 0: sd goes from %s to "
        "%s.%s",
        fig(before).s, fig(after).s, best);
  else if (chain)
    say(out,
        "Why does the error shrink? Earlier rewards are only noise to an action: sd from %s to %s. Taking "
        "off b_t "
        "makes the rest small: sd~=~%s, worth %s times as many paths in all.%s",
        fig(e->sd[PGB_EXPLAIN_PLAIN]).s, fig(before).s, fig(after).s, brief(factor * factor).s, best);
  else
    say(out,
        "Why does the error shrink? (r - b) is nearer to 0 than r, so the summands swing less: sd from %s to "
        "%s, worth "
        "%s times as many plays.%s",
        fig(before).s, fig(after).s, brief(factor * factor).s, best);
}

void pgb_print_explanation(FILE *out, const pgb_explanation *e) {
  static void (*const problem[PGB_EXPLAIN_KINDS])(FILE *, const pgb_explanation *) = {
      bandit_problem, gaussian_problem, chain_problem};
  problem[e->kind](out, e);
  pgb_explain_table(out, e);
  finite_difference(out, e);
  if (e->kind == PGB_EXPLAIN_CHAIN)
    path(out, e);
  expectation(out, e);
  if (e->kind == PGB_EXPLAIN_CHAIN)
    pairing(out, e);
  sampling(out, e);
  mean_unmoved(out, e);
  error_changed(out, e);
}
