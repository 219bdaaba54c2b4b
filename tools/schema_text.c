/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* schema_text.c: a schema as a C header and as JSON. */
#include "schema_text.h"
#include <ctype.h>
#include <string.h>

struct schema_line schema_next(const char **at) {
  struct schema_line line = {.is = LINE_DONE};
  const char *text = *at + strspn(*at, " \n");
  size_t length = strcspn(text, "\n");
  if (!*text) return line;
  *at = text + length;
  line.name = text;
  if (*text == '}') {
    line.is = LINE_END;
  } else if (strncmp(text, "struct ", 7) == 0 && text[length - 1] == '{') {
    line.is = LINE_STRUCT;
    line.name = text + 7;
    line.name_length = (int)strcspn(line.name, " {");
  } else {
    line.is = LINE_FIELD;
    line.name_length = (int)strcspn(text, ":");
    line.type = text + line.name_length + 1 + strspn(text + line.name_length + 1, " ");
    line.type_length = (int)(text + length - line.type);
  }
  return line;
}

static bool is_c_word(const char *name, int length) {
  static const char words[] =
      " alignas alignof asm auto bool break case catch char class const constexpr continue default delete do double else "
      "enum errno explicit export extern false float for friend goto if inline int linux long mutable namespace new "
      "noexcept nullptr operator private protected public register restrict return short signed sizeof static "
      "static_assert struct switch template this thread_local throw true try typedef typeid typename typeof union unix "
      "unsigned using virtual void volatile wchar_t while and or xor not NULL ";
  char word[80];
  snprintf(word, sizeof word, " %.*s ", length, name);
  return strstr(words, word) != NULL;
}

/* Headers of kinds that mm3.h does not bring: asked of the compiler, since any kind may be a module of its own. */
static void put_includes(const char *schema, FILE *out) {
  char seen[4096] = " ", word[72];
  fputs("#include <mm3.h>\n", out);
  const char *at = schema;
  for (struct schema_line line; (line = schema_next(&at)).is != LINE_DONE;) {
    if (line.is != LINE_FIELD) continue;
    for (const char *c = line.type, *end = c + line.type_length; c < end; c++) {
      size_t length = strspn(c, "abcdefghijklmnopqrstuvwxyz0123456789_");
      if (!length) continue;
      snprintf(word, sizeof word, " %.*s ", (int)(length > 63 ? 63 : length), c);
      bool kind = islower((unsigned char)*c) && c[length] == '(' && !strstr(seen, word);
      if (kind && strlen(seen) + sizeof word < sizeof seen) {
        strcat(seen, word + 1);
        word[strlen(word) - 1] = 0;
        fprintf(out, "#if __has_include(<mm3/%s.h>)\n#include <mm3/%s.h>\n#endif\n", word + 1, word + 1);
      }
      c += length - 1;
    }
  }
}

static void put_upper(const char *name, int length, FILE *out) {
  for (int i = 0; i < length; i++) putc(toupper((unsigned char)name[i]), out);
}

static void put_struct(struct schema_line head, const char **at, FILE *out) {
  fputs("\n#define ", out);
  put_upper(head.name, head.name_length, out);
  fputs("_FIELDS(FIELD)", out);
  for (struct schema_line line; (line = schema_next(at)).is == LINE_FIELD;) {
    bool taken = is_c_word(line.name, line.name_length);
    fprintf(out, " \\\n  FIELD(%.*s%s, %.*s", line.name_length, line.name, taken ? "_" : "", line.type_length, line.type);
    if (taken) fprintf(out, ", \"%.*s\"", line.name_length, line.name);
    putc(')', out);
  }
  fprintf(out, "\nMM3_STRUCT(%.*s, ", head.name_length, head.name);
  put_upper(head.name, head.name_length, out);
  fputs("_FIELDS);\n", out);
}

int schema_to_c(const char *schema, const char *origin, FILE *out) {
  struct schema_line root = {0};
  const char *at = schema;
  for (struct schema_line line; (line = schema_next(&at)).is != LINE_DONE;)
    if (line.is == LINE_STRUCT) root = line;
  int n = root.name_length;
  fprintf(out, "/* Made by `mm3 schema --to c` from ");
  print_safe(out, origin);
  fprintf(out, ".\n *\n *   struct mm3_file *file = mm3_open(path, MM3_TYPE(%.*s), NULL, &err);\n"
               " *   struct %.*s *root = mm3_root(file, %.*s);\n */\n", n, root.name, n, root.name, n, root.name);
  fputs("#ifndef MM3_SCHEMA_", out);
  put_upper(root.name, n, out);
  fputs("_H\n#define MM3_SCHEMA_", out);
  put_upper(root.name, n, out);
  fputs("_H\n\n", out);
  put_includes(schema, out);
  at = schema;
  for (struct schema_line line; (line = schema_next(&at)).is != LINE_DONE;)
    if (line.is == LINE_STRUCT) put_struct(line, &at, out);
  fputs("\n#endif\n", out);
  return ferror(out) ? EXIT_SYSTEM : EXIT_DONE;
}

static int text_n(struct mm3j_writer *w, const char *key, const char *text, int length) {
  int result = out_key(w, key);
  return result ? result : w->sink.text(&w->sink, text, (size_t)length);
}

int schema_to_json(struct call *call, const char *schema) {
  struct mm3j_writer w;
  const char *at = schema;
  out_begin(call, &w);
  w.style = MM3J_JSON;
  int result = out_open(&w, NULL, '{');
  if (!result) result = out_number(&w, "version", 1);
  if (!result) result = out_text(&w, "schema", schema);
  if (!result) result = out_open(&w, "structs", '[');
  for (struct schema_line line; !result && (line = schema_next(&at)).is != LINE_DONE;) {
    if (line.is == LINE_END) {
      result = out_close(&w, ']');
      if (!result) result = out_close(&w, '}');
      continue;
    }
    result = out_open(&w, NULL, '{');
    if (!result) result = text_n(&w, "name", line.name, line.name_length);
    if (line.is == LINE_STRUCT) {
      if (!result) result = out_open(&w, "fields", '[');
      continue;
    }
    if (!result) result = text_n(&w, "type", line.type, line.type_length);
    if (!result) result = out_close(&w, '}');
  }
  if (!result) result = out_close(&w, ']');
  return out_end(call, &w, result ? result : out_close(&w, '}'));
}
