/* SPDX-License-Identifier: MIT */
#include "policy/mlp.h"

#include "core/vmath.h"
#include "policy/gemm.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t padded(size_t n) {
  return (n + PGB_GEMM_COLUMNS - 1) / PGB_GEMM_COLUMNS * PGB_GEMM_COLUMNS;
}

static pgb_status refuse(const char *text, const char *why) {
  return pgb_fail(
      PGB_USAGE,
      "hidden: '%.40s' %s; write 1 to %d layers of 1 to %d units with x between them, for instance "
      "64x64",
      text, why, (int)PGB_MLP_HIDDEN, (int)PGB_MLP_WIDTH);
}

/* "64x32": units of each layer. */
static pgb_status read_hidden(const char *text, size_t *width, size_t *n) {
  const char *at = text;
  for (*n = 0;; at++) {
    const size_t digits = strspn(at, "0123456789");
    if (digits == 0)
      return refuse(text, *at == '\0' && *n > 0 ? "ends with an x" : "is not a list of layer sizes");
    if (*n == PGB_MLP_HIDDEN)
      return refuse(text, "has too many layers");
    width[*n] = 0;
    for (size_t i = 0; i < digits && width[*n] <= PGB_MLP_WIDTH; i++)
      width[*n] = 10 * width[*n] + (size_t)(at[i] - '0');
    if (width[*n] < 1 || width[*n] > PGB_MLP_WIDTH)
      return refuse(text, width[*n] < 1 ? "has a layer without units" : "has a layer that is too wide");
    (*n)++;
    at += digits;
    if (*at == '\0')
      return pgb_ok();
    if (*at != 'x')
      return refuse(text, "is not a list of layer sizes");
  }
}

static void lay_out(pgb_mlp *net, size_t n_obs, const size_t *width) {
  size_t in = n_obs;
  size_t theta = 0;
  size_t packed = 0;
  size_t raw = 0;
  size_t at = 0;
  for (size_t i = 0; i < net->n_layers; i++) {
    pgb_mlp_layer *l = &net->layer[i];
    const size_t out = i + 1 < net->n_layers ? width[i] : net->n_out;
    *l = (pgb_mlp_layer){.in = in, .out = out, .in_p = padded(in), .out_p = padded(out), .at = at};
    l->weight = theta;
    l->bias = l->weight + in * out;
    theta = l->bias + out;
    l->forward = packed;
    l->start = l->forward + in * l->out_p;
    l->back = l->start + l->out_p;
    packed = l->back + out * l->in_p;
    l->turned = in * l->out_p < out * l->in_p;
    l->raw = raw;
    raw += l->turned ? in * l->out_p : out * l->in_p;
    if (i + 1 < net->n_layers)
      at += l->out_p;
    in = out;
  }
  net->n_x = net->layer[0].in_p;
  net->n_kept = net->n_x + at;
  net->n_top = at;
  net->n_row = at + padded(net->n_out + net->n_tail);
  net->n_theta = theta + net->n_tail;
  net->raw_row = raw;
  net->n_raw = raw + net->n_row;
}

static void find_places(const pgb_mlp *net, uint32_t *place) {
  for (size_t i = 0; i < net->n_layers; i++) {
    const pgb_mlp_layer *l = &net->layer[i];
    for (size_t u = 0; u < l->out; u++) {
      for (size_t k = 0; k < l->in; k++)
        place[l->weight + u * l->in + k] =
            (uint32_t)(l->raw + (l->turned ? k * l->out_p + u : u * l->in_p + k));
      place[l->bias + u] = (uint32_t)(net->raw_row + l->at + u);
    }
  }
  for (size_t k = 0; k < net->n_tail; k++)
    place[net->n_theta - net->n_tail + k] = (uint32_t)(net->raw_row + net->n_top + net->n_out + k);
}

pgb_status pgb_mlp_prepare(pgb_mlp *net, size_t n_obs, size_t n_out, size_t n_tail, pgb_arena *arena,
                           pgb_policy_shape *shape) {
  void *place = NULL;
  size_t width[PGB_MLP_HIDDEN];
  size_t n = 0;
  PGB_TRY(read_hidden(net->hidden, width, &n));
  net->relu = strcmp(net->activation, "relu") == 0;
  net->n_layers = n + 1;
  net->n_out = n_out;
  net->n_tail = n_tail;
  lay_out(net, n_obs, width);
  PGB_TRY(pgb_arena_alloc(arena, net->n_theta, sizeof(uint32_t), &place));
  find_places(net, place);
  net->place = place;
  const pgb_mlp_layer *last = &net->layer[n];
  *shape = (pgb_policy_shape){.n_theta = net->n_theta,
                              .n_packed = last->back + last->out * last->in_p,
                              .n_kept = net->n_kept,
                              .scratch = PGB_MLP_STEPS * 2 * net->n_row + net->n_raw,
                              .n_raw = net->n_raw,
                              .by_episode = true,
                              .fused = true};
  return pgb_ok();
}

void pgb_mlp_expand(const pgb_mlp *net, const double *raw, double *all) {
  size_t k = 0;
  for (size_t i = 0; i < net->n_layers; i++) {
    const pgb_mlp_layer *l = &net->layer[i];
    if (pgb_mlp_is_same(l)) {
      memcpy(all + k, raw + l->raw, (l->bias - k) * sizeof *all);
      k = l->bias;
    }
    for (const size_t end = i + 1 < net->n_layers ? l->bias + l->out : net->n_theta; k < end; k++)
      all[k] = raw[net->place[k]];
  }
}

void pgb_mlp_label(const pgb_mlp *net, size_t k, char *text) {
  size_t i = 0;
  while (k >= net->layer[i].bias + net->layer[i].out)
    i++;
  const pgb_mlp_layer *l = &net->layer[i];
  assert(i < net->n_layers);
  if (k < l->bias)
    (void)snprintf(text, 64, "W%zu[%zu,%zu]", i + 1, (k - l->weight) / l->in, (k - l->weight) % l->in);
  else
    (void)snprintf(text, 64, "b%zu[%zu]", i + 1, k - l->bias);
}

static double dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t k = 0; k < n; k++)
    sum += a[k] * b[k];
  return sum;
}

/* The same in STRANDS interleaved sums, in an order that the code alone fixes: whatever the vectors are. */
static double long_dot(const double *a, const double *b, size_t n) {
  enum { STRANDS = 16 };
  double part[STRANDS] = {0};
  size_t k = 0;
  for (; k + STRANDS <= n; k += STRANDS)
    for (size_t i = 0; i < STRANDS; i++)
      part[i] += a[k + i] * b[k + i];
  for (size_t step = STRANDS / 2; step > 0; step /= 2)
    for (size_t i = 0; i < step; i++)
      part[i] += part[i + step];
  return part[0] + dot(a + k, b + k, n - k);
}

static void remove_share(double *row, const double *other, size_t n) {
  const double share = long_dot(row, other, n);
  for (size_t k = 0; k < n; k++)
    row[k] -= share * other[k];
}

/* Rows [first, end) of v [][n] are made orthogonal to the rows before them and to each other, twice for the
 * digits that the first time loses (Giraud, Langou and Rozloznik 2005), and of length one: a uniformly
 * distributed frame, if v is normal. A few rows at a time, so that the others are fetched once for all. */
static void orthogonalise(double *v, size_t first, size_t end, size_t n) {
  for (int twice = 0; twice < 2; twice++)
    for (size_t j = 0; j < first; j++)
      for (size_t i = first; i < end; i++)
        remove_share(v + i * n, v + j * n, n);
  for (size_t i = first; i < end; i++) {
    double *row = v + i * n;
    for (int twice = 0; twice < 2; twice++)
      for (size_t j = first; j < i; j++)
        remove_share(row, v + j * n, n);
    const double scale = 1 / sqrt(long_dot(row, row, n));
    for (size_t k = 0; k < n; k++)
      row[k] *= scale;
  }
}

pgb_status pgb_mlp_start(const pgb_mlp *net, uint64_t seed, double *theta) {
  enum { ROWS = 8 };
  for (size_t i = 0; i < net->n_layers; i++) {
    const pgb_mlp_layer *l = &net->layer[i];
    const double gain = i + 1 < net->n_layers ? sqrt(2) : 0.01;
    const size_t few = l->in < l->out ? l->in : l->out;
    const size_t n = l->in < l->out ? l->out : l->in;
    void *room = NULL;
    PGB_TRY(pgb_alloc(few * n, sizeof(double), &room));
    double *v = room;
    for (size_t k = 0; k < few * n; k++)
      v[k] = pgb_normal_exact(seed, (uint32_t)i + 1, k);
    for (size_t k = 0; k < few; k += ROWS)
      orthogonalise(v, k, k + ROWS < few ? k + ROWS : few, n);
    for (size_t u = 0; u < l->out; u++)
      for (size_t k = 0; k < l->in; k++)
        theta[l->weight + u * l->in + k] = gain * (l->in < l->out ? v[k * n + u] : v[u * n + k]);
    free(room);
  }
  return pgb_ok();
}

void pgb_mlp_pack(const pgb_mlp *net, const float *theta, float *packed) {
  for (size_t i = 0; i < net->n_layers; i++) {
    const pgb_mlp_layer *l = &net->layer[i];
    memset(packed + l->forward, 0, (l->in * l->out_p + l->out_p + l->out * l->in_p) * sizeof *packed);
    memcpy(packed + l->start, theta + l->bias, l->out * sizeof *packed);
    for (size_t u = 0; u < l->out; u++)
      for (size_t k = 0; k < l->in; k++) {
        const float w = theta[l->weight + u * l->in + k];
        packed[l->forward + k * l->out_p + u] = w;
        packed[l->back + u * l->in_p + k] = w;
      }
  }
}

void pgb_mlp_eval(const pgb_mlp *net, const double *theta, const double *obs, double *y) {
  double room[2][PGB_MLP_WIDTH] = {{0}};
  const double *x = obs;
  for (size_t i = 0; i < net->n_layers; i++) {
    const pgb_mlp_layer *l = &net->layer[i];
    const bool last = i + 1 == net->n_layers;
    double *to = last ? y : room[i % 2];
    for (size_t u = 0; u < l->out; u++) {
      const double sum = theta[l->bias + u] + dot(theta + l->weight + u * l->in, x, l->in);
      to[u] = last ? sum : net->relu ? fmax(sum, 0) : tanh(sum);
    }
    x = to;
  }
}
