/* SPDX-License-Identifier: MIT */
#include "core/option.h"

#include "check.h"

#include <float.h>
#include <locale.h>
#include <stdlib.h>

typedef struct thing {
  bool flag;
  int64_t count;
  double rate, sigma, limit;
  const char *mode;
  pgb_array values, optional;
} thing;

static const pgb_option table[] = {
    {"flag", "1", PGB_TYPE_BOOL, offsetof(thing, flag), 0, 1, "true", NULL, "a flag"},
    {"count", "step", PGB_TYPE_INT, offsetof(thing, count), 1, 100, "7", NULL, "how many"},
    {"rate", "1", PGB_TYPE_REAL, offsetof(thing, rate), 0, 1, "0.5", NULL, "a rate"},
    {"sigma", "1", PGB_TYPE_REAL, offsetof(thing, sigma), DBL_MIN, DBL_MAX, NULL, NULL, "a deviation"},
    {"limit", "s", PGB_TYPE_REAL, offsetof(thing, limit), 0, INFINITY, "inf", NULL, "a limit"},
    {"mode", "1", PGB_TYPE_CHOICE, offsetof(thing, mode), 0, 0, "none", "none|normal|uniform", "a mode"},
    {"values", "1", PGB_TYPE_ARRAY, offsetof(thing, values), -10, 10, "[[1, 2], [3, 4]]", NULL, "numbers"},
    {"optional", "1", PGB_TYPE_ARRAY, offsetof(thing, optional), -1e300, 1e300, NULL, NULL, "more numbers"},
};

enum { N = sizeof table / sizeof *table };

static pgb_status read(const char *text, pgb_arena *arena, thing *out) {
  pgb_yaml *map = NULL;
  memset(out, 0, sizeof *out);
  PGB_TRY(pgb_yaml_read_text(text, "t", arena, &map));
  return pgb_options_read(table, N, map, "name|other", arena, out);
}

static void test_values(checks *c, pgb_arena *arena) {
  thing t;
  CHECK_OK(c, read("{sigma: 2}", arena, &t));
  CHECK(c, t.flag && t.count == 7 && t.rate == 0.5 && t.sigma == 2 && isinf(t.limit));
  CHECK(c, strcmp(t.mode, "none") == 0 && t.optional.size == 0 && t.optional.rank == 0);
  CHECK(c, t.values.rank == 2 && t.values.size == 4 && t.values.dim[0] == 2 && t.values.dim[1] == 2);
  CHECK(c, t.values.data[0] == 1 && t.values.data[1] == 2 && t.values.data[2] == 3 && t.values.data[3] == 4);
  CHECK_OK(
      c,
      read(
          "{name: x, other: [1], flag: false, count: +100, rate: 1e-3, sigma: .5, limit: 1., mode: 'normal', "
          "values: -3, optional: [[[1],[2]],[[3],[4]],[[5],[6]]]}",
          arena, &t));
  CHECK(c, !t.flag && t.count == 100 && t.rate == 1e-3 && t.sigma == 0.5 && t.limit == 1);
  CHECK(c, strcmp(t.mode, "normal") == 0);
  CHECK(c, t.values.rank == 0 && t.values.size == 1 && t.values.data[0] == -3);
  CHECK(c,
        t.optional.rank == 3 && t.optional.dim[0] == 3 && t.optional.dim[1] == 2 && t.optional.dim[2] == 1);
  CHECK(c, t.optional.size == 6 && t.optional.data[5] == 6);
}

static void test_refused(checks *c, pgb_arena *arena) {
  static const char *const cases[][2] = {
      {"{sigma: 1, cuont: 3}", "t:1:12: unknown key 'cuont': did you mean 'count'?; valid: flag, count,"},
      {"{sigma: 1, zzzzzz: 3}", "t:1:12: unknown key 'zzzzzz': no such name; valid: flag"},
      {"{sigma: 1, zzzzzz: 3}", "optional, name, other"},
      {"{rate: 0.1}", "t:1:1: missing key 'sigma'"},
      {"[1, 2]", "t:1:1: a list stands where keys"},
      {"sigma:\n  [1]", "t:2:3: sigma: a list stands here; give a number"},
      {"sigma: {a: 1}", "t:1:8: sigma: a map stands here"},
      {"sigma:", "sigma: the value is missing"},
      {"sigma: abc", "t:1:8: sigma: 'abc' is not a number"},
      {"sigma: '1'", "is text because of its quotes"},
      {"sigma: 1.5x", "is not a number"},
      {"sigma: 1 2", "is not a number"},
      {"sigma: 0x10", "is not a number"},
      {"sigma: 1_000", "is not a number"},
      {"sigma: 1,5", "is not a number"},
      {"sigma: nan", "is not a number"},
      {"sigma: .nan", "is not a number"},
      {"sigma: infinity", "is not a number"},
      {"sigma: 1e999", "is not a number"},
      {"sigma: 1e", "is not a number"},
      {"sigma: .", "is not a number"},
      {"sigma: inf", "sigma: inf is out of range; give a number above 0"},
      {"sigma: 0", "sigma: 0 is out of range; give a number above 0"},
      {"{sigma: 1, rate: -0.1}", "t:1:18: rate: -0.1 is out of range; give a number in [0, 1]"},
      {"{sigma: 1, rate: 1.1}", "in [0, 1]"},
      {"{sigma: 1, limit: -1}", "give a number at least 0"},
      {"{sigma: 1, count: 1e1}", "'1e1' is not a whole number"},
      {"{sigma: 1, count: 7.0}", "is not a whole number"},
      {"{sigma: 1, count: 0}", "in [1, 100]"},
      {"{sigma: 1, count: 101}", "in [1, 100]"},
      {"{sigma: 1, count: 99999999999999999999}", "count: 99999999999999999999 is out of range"},
      {"{sigma: 1, count: x}", "is not a whole number"},
      {"{sigma: 1, flag: yes}", "flag: 'yes' is neither true nor false"},
      {"{sigma: 1, flag: 'true'}", "is text because of its quotes"},
      {"{sigma: 1, mode: nomal}",
       "t:1:18: unknown mode 'nomal': did you mean 'normal'?; valid: none, normal, uniform"},
      {"{sigma: 1, mode: [none]}", "mode: a list stands here"},
      {"{sigma: 1, values: []}", "t:1:20: values: the list is empty"},
      {"{sigma: 1, values: [[1, 2], [3]]}", "t:1:29: values: ragged: this list has 1 values"},
      {"{sigma: 1, values: [[1, 2], [3, 4, 5]]}", "ragged"},
      {"{sigma: 1, values: [[1, 2], 3]}", "t:1:29: values: a scalar stands where a list of 2 is due"},
      {"{sigma: 1, values: [1, [2]]}", "values: a list stands here; give a number"},
      {"{sigma: 1, values: [[[[1]]]]}", "nested deeper than 3"},
      {"{sigma: 1, values: [1, {a: 2}]}", "values: a map stands here"},
      {"{sigma: 1, values: [[1], {a: 2}]}", "values: a map stands where a list of 1"},
      {"{sigma: 1, values: [1, 11]}", "t:1:24: values: 11 is out of range"},
      {"{sigma: 1, values: [1, x]}", "t:1:24: values: 'x' is not a number"},
      {"{sigma: 1, values: [1, ]}", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    thing t;
    if (cases[i][1] != NULL)
      CHECK_REFUSED(c, read(cases[i][0], arena, &t), PGB_USAGE, cases[i][1]);
    else
      CHECK_OK(c, read(cases[i][0], arena, &t));
  }
  thing t;
  CHECK_REFUSED(c, pgb_options_read(table, N, NULL, NULL, arena, &t), PGB_USAGE, "missing key 'sigma'");
}

/* Every option's text is read back as the same bits. */
static void check_round(checks *c, pgb_arena *arena, const char *text) {
  thing t;
  thing again;
  char copy[2000] = "{";
  CHECK_OK(c, read(text, arena, &t));
  for (size_t i = 0; i < N; i++) {
    char *value = NULL;
    CHECK_OK(c, pgb_option_text(&table[i], &t, arena, &value));
    if (value != NULL && value[0] != '\0') {
      const size_t used = strlen(copy);
      (void)snprintf(copy + used, sizeof copy - used, "%s%s: %s", used > 1 ? ", " : "", table[i].name, value);
    }
  }
  (void)strncat(copy, "}", 2);
  CHECK_OK(c, read(copy, arena, &again));
  CHECK(c, t.flag == again.flag && t.count == again.count && strcmp(t.mode, again.mode) == 0);
  CHECK(c, memcmp(&t.rate, &again.rate, sizeof t.rate) == 0 &&
               memcmp(&t.sigma, &again.sigma, sizeof t.sigma) == 0);
  CHECK(c, t.limit == again.limit && t.values.size == again.values.size &&
               t.optional.size == again.optional.size);
  CHECK(c, memcmp(t.values.dim, again.values.dim, sizeof t.values.dim) == 0 &&
               t.values.rank == again.values.rank);
  CHECK(c, memcmp(t.optional.dim, again.optional.dim, sizeof t.optional.dim) == 0);
  CHECK(c, memcmp(t.values.data, again.values.data, t.values.size * sizeof(double)) == 0);
  if (t.optional.size != 0)
    CHECK(c, memcmp(t.optional.data, again.optional.data, t.optional.size * sizeof(double)) == 0);
}

static void test_text(checks *c, pgb_arena *arena) {
  check_round(c, arena, "{sigma: 1}");
  check_round(c, arena, "{sigma: 0.1, rate: 0.30000000000000004, flag: false, mode: uniform, values: 3}");
  check_round(c, arena, "{sigma: 1e-5, values: [1], optional: [[[1e-5, -0.0]], [[1e300, 5e-324]]]}");
  char text[PGB_REAL_TEXT];
  static const struct {
    double value;
    const char *text;
  } cases[] = {{0.1, "0.1"},          {1, "1"},
               {1e-5, "1.0e-05"},     {1e20, "1.0e+20"},
               {-2.5e-7, "-2.5e-07"}, {INFINITY, ".inf"},
               {-INFINITY, "-.inf"},  {1.0 / 3, "0.3333333333333333"},
               {100000, "100000"},    {0.5477225575051661, "0.5477225575051661"},
               {-0.0, "-0"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    pgb_real_text(cases[i].value, text);
    CHECK(c, strcmp(text, cases[i].text) == 0);
  }
}

/* Random bit patterns survive text, whatever the locale. */
static void test_bits(checks *c) {
  uint64_t x = 88172645463325252u;
  int lost = 0;
  for (int i = 0; i < 20000; i++) {
    x ^= x << 13; /* Marsaglia 2003, xorshift */
    x ^= x >> 7;
    x ^= x << 17;
    double value = 0;
    double back = 0;
    char text[PGB_REAL_TEXT];
    memcpy(&value, &x, sizeof value);
    if (!isfinite(value))
      continue;
    pgb_real_text(value, text);
    lost += !pgb_parse_real(text, &back) || memcmp(&value, &back, sizeof value) != 0;
  }
  CHECK(c, lost == 0);
}

static void test_parse(checks *c) {
  double r = 0;
  int64_t i = 0;
  uint64_t u = 0;
  CHECK(c, pgb_parse_real("-1.25E+2", &r) && r == -125 && pgb_parse_real("-.inf", &r) && r < 0 && isinf(r));
  CHECK(c, !pgb_parse_real("", &r) && !pgb_parse_real(" 1", &r) && !pgb_parse_real("1 ", &r));
  CHECK(c, !pgb_parse_real("+-1", &r) && !pgb_parse_real("e5", &r) && !pgb_parse_real("1e+", &r));
  CHECK(c, pgb_parse_int("-9223372036854775808", &i) && i == INT64_MIN &&
               !pgb_parse_int("9223372036854775808", &i));
  CHECK(c, !pgb_parse_int("", &i) && !pgb_parse_int("-", &i) && !pgb_parse_int(" 1", &i));
  CHECK(c, pgb_parse_unsigned("18446744073709551615", &u) && u == UINT64_MAX);
  CHECK(c, !pgb_parse_unsigned("18446744073709551616", &u) && !pgb_parse_unsigned("-1", &u));
  CHECK(c, !pgb_parse_unsigned("+1", &u) && !pgb_parse_unsigned("", &u));
}

static void test_nearest(checks *c) {
  static const char *const words[] = {"bandit", "gaussian", "mdp", "chain", "lqr", "cartpole", "A", "B"};
  static const char *const cases[][2] = {{"bandti", "bandit"},
                                         {"Cart-Pole", "cartpole"},
                                         {"mpd", "mdp"},
                                         {"gausian", "gaussian"},
                                         {"a", "A"},
                                         {"lqg", "lqr"},
                                         {"x", NULL},
                                         {"breakout", NULL},
                                         {"", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *got = pgb_nearest(cases[i][0], words, sizeof words / sizeof *words);
    CHECK(c, cases[i][1] == NULL ? got == NULL : got != NULL && strcmp(got, cases[i][1]) == 0);
  }
  char longer[200];
  memset(longer, 'b', sizeof longer);
  longer[sizeof longer - 1] = '\0';
  CHECK(c, pgb_nearest(longer, words, 8) == NULL && pgb_nearest("x", NULL, 0) == NULL);
  CHECK(c, strcmp(pgb_unknown(NULL, 0, "env", "bandti", words, 3).text,
                  "unknown env 'bandti': did you mean 'bandit'?; valid: bandit, gaussian, mdp") == 0);
}

static void test_words(checks *c) {
  char text[] = "rloo|leave-one-out|x";
  const char *word[2];
  CHECK(c, pgb_is_word("rloo", text) && pgb_is_word("leave-one-out", text) && pgb_is_word("x", text));
  CHECK(c, !pgb_is_word("loo", text) && !pgb_is_word("rloo|x", text) && !pgb_is_word("", text));
  CHECK(c, !pgb_is_word("leave", text) && !pgb_is_word("x", NULL) && !pgb_is_word("x", ""));
  CHECK(c, pgb_cut_words(text, word, 2) == 2 && strcmp(word[0], "rloo") == 0);
  CHECK(c, strcmp(word[1], "leave-one-out") == 0);
  CHECK(c, pgb_cut_words(NULL, word, 2) == 0);
}

/* One line, and the advice at its end, whatever a name holds. */
static void test_messages(checks *c) {
  const pgb_status odd = pgb_fail(PGB_USAGE, "a\nb\x1B[2J\x7F\tc \xCE\xBB: why; what to do");
  CHECK(c, strcmp(odd.text, "a?b?[2J??c \xCE\xBB: why; what to do") == 0);
  for (int n = PGB_TEXT - 30; n < 5000; n += n < PGB_TEXT ? 1 : 97) {
    const pgb_status s = pgb_fail(PGB_USAGE, "%0*d: why; what to do", n, 7);
    const size_t length = strlen(s.text);
    CHECK(c, length == (size_t)(n + 17 < PGB_TEXT ? n + 17 : PGB_TEXT - 1));
    CHECK(c, strcmp(s.text + length - 18, "7: why; what to do") == 0);
    CHECK(c, (strstr(s.text, "0 ... 0") != NULL) == (n + 17 >= PGB_TEXT));
  }
}

int main(void) {
  checks c = {0};
  pgb_arena *arena = NULL;
  CHECK_OK(&c, pgb_arena_create(&arena));
  test_values(&c, arena);
  test_refused(&c, arena);
  test_text(&c, arena);
  test_parse(&c);
  test_nearest(&c);
  test_bits(&c);
  if (setlocale(LC_ALL, "de_DE.UTF-8") != NULL) { /* a decimal comma, where the machine has it */
    test_values(&c, arena);
    test_text(&c, arena);
    test_bits(&c);
  }
  pgb_arena_destroy(arena);
  test_words(&c);
  test_messages(&c);
  return check_end(&c, "option");
}
