/* SPDX-License-Identifier: MIT */
/* The judge of environments from outside, on environments that are known: those built in are as good as it
 * demands, in every instruction set. Faulty ones: test_plugin.py. And the checksum that names a plugin. */
#include "check.h"
#include "core/sha256.h"
#include "env/plugins.h"

#include <stdlib.h>

static void test_built_in(checks *c) {
  for (int isa = 0; isa < PGB_ISA_COUNT; isa++) {
    if (!pgb_isa_supported((pgb_isa)isa))
      continue;
    size_t n = 0;
    for (const pgb_env_class *const *env = pgb_env_table((pgb_isa)isa); *env != NULL; env++, n++)
      CHECK_OK(c, pgb_env_check(*env));
    CHECK(c, n >= 6);
  }
}

static void test_no_plugins(checks *c) {
  pgb_plugins *none = NULL;
  size_t n = 7;
  CHECK_OK(c, pgb_plugins_load(0, NULL, &none));
  CHECK(c, none == NULL);
  CHECK(c, pgb_plugins_classes(none, &n) == NULL && n == 0);
  CHECK(c, strcmp(pgb_plugins_text(none), "") == 0);
  pgb_plugins_destroy(none);
}

/* Sums of so many letters a, by Python's hashlib: about the edges of a block and of its padding. */
static void test_sha256(checks *c) {
  static const struct {
    size_t n;
    const char *sum;
  } known[] = {
      {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {3, "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"},
      {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
      {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
      {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
      {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
      {119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
      {120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"},
      {1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"},
  };
  char path[] = "/tmp/pgb-sha256-XXXXXX";
  const int handle = mkstemp(path);
  FILE *file = handle >= 0 ? fdopen(handle, "w") : NULL;
  char sum[PGB_SHA256_HEX];
  CHECK(c, file != NULL);
  if (file == NULL)
    return;
  size_t written = 0;
  for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
    for (; written < known[k].n; written++)
      CHECK(c, fputc('a', file) == 'a');
    CHECK(c, fflush(file) == 0);
    CHECK_OK(c, pgb_sha256_file(path, sum));
    CHECK(c, strcmp(sum, known[k].sum) == 0);
  }
  CHECK(c, fclose(file) == 0);
  CHECK(c, remove(path) == 0);
  CHECK_REFUSED(c, pgb_sha256_file(path, sum), PGB_USAGE, "cannot be opened");
  CHECK_REFUSED(c, pgb_sha256_file("/tmp", sum), PGB_USAGE, "cannot be read");
}

int main(void) {
  checks c = {0, 0};
  test_built_in(&c);
  test_no_plugins(&c);
  test_sha256(&c);
  return check_end(&c, "test_env_check");
}
