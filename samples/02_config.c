/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 02_config: a configuration that several programs share.
 *
 *     ./02_config [FILE]        prints it; the first time it makes the file with defaults
 *     mm3 set app.config debug_mode true timeout_ms 250        changes it from the shell, also while programs run
 */
#include <errno.h>
#include <mm3.h>
#include <stdio.h>

#define CONFIG(FIELD)          \
  FIELD(max_connections, u32)  \
  FIELD(timeout_ms, u32)       \
  FIELD(debug_mode, bool)      \
  FIELD(server_name, string(64))
MM3_STRUCT(config, CONFIG);

int main(int argc, char **argv) {
  const char *path = argc > 1 ? argv[1] : "app.config";
  struct mm3_error err;

  /* mm3_create refuses an existing file, so what follows it runs once in the file's life. */
  struct mm3_file *file = mm3_create(path, MM3_TYPE(config), NULL, &err);
  if (file) {
    struct config *fresh = mm3_root(file, config);
    fresh->max_connections = 1000; /* plain fields are plain memory */
    fresh->timeout_ms = 5000;
    mm3_string_set(&fresh->server_name, "production-server");
    printf("%s: made with defaults\n", path);
  } else if (err.code == -EEXIST) {
    file = mm3_open(path, MM3_TYPE(config), NULL, &err);
    printf("%s: found\n", path);
  }
  if (!file) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }

  struct config *c = mm3_root(file, config);
  char name[65]; /* a copy that is whole even while another process sets it */
  mm3_string_get(&c->server_name, name, sizeof name, NULL);
  printf("max_connections %u, timeout_ms %u, debug_mode %s, server_name %s\n", c->max_connections, c->timeout_ms,
         c->debug_mode ? "yes" : "no", name);
  return mm3_close(file) != 0;
}
