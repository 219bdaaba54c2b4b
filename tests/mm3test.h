/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * mm3test.h: the harness of our test programs, a thin layer over CUnit. C only.
 *
 *     #include "mm3test.h"
 *
 *     static void keeps_a_value(void) {
 *       struct mm3_error err;
 *       struct mm3_file *file = mm3_create(mm3test_path("a.mm3"), MM3_TYPE(counter), NULL, &err);
 *       if (!CHECK(file != NULL)) return;
 *       CHECK_EQ(mm3_atomic_load(&mm3_root(file, counter)->value), 0);
 *       CHECK_OK(mm3_sync(file), err);
 *     }
 *
 *     MM3_TEST_SUITE("file", {"a new counter is zero", keeps_a_value}, {"...", ...})
 *
 * One program holds one suite; each case is a sentence and a function. A program prints a sentence for each failed
 * case and, last, `N passed, N failed` (`, N skipped` where there are any), and exits 1 when a case failed or none ran.
 * A case that checks nothing has failed: a test that cannot fail is worth nothing.
 *
 *     ./test_file              all cases              ./test_file -l       lists their sentences
 *     ./test_file counter      those whose sentence has this word; -v prints each as it runs
 *     MM3TEST_TIMEOUT=60       seconds that a case may take before the program fails (300; under a tool 3000)
 *     MM3TEST_KEEP=1           leaves the folder of temporary files
 *     MM3TEST_TOOL=valgrind    says what the program runs under (asan and tsan are known from the compiler)
 *
 * Checks print the expression, the file and the line, go on after a failure, and return whether they passed. They may
 * be used from any thread, and in forked children, where a failed one makes the child exit with MM3TEST_CHILD_FAILED.
 */
#ifndef MM3_MM3TEST_H
#define MM3_MM3TEST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mm3test_case {
  const char *sentence;
  void (*run)(void);
};

#define MM3_TEST_SUITE(area, ...)                                                                                  \
  int main(int argc, char **argv) {                                                                                \
    static const struct mm3test_case cases[] = {__VA_ARGS__};                                                      \
    return mm3test_main(argc, argv, (area), cases, sizeof cases / sizeof cases[0]);                                \
  }

/* CHECK(x): x is true. CHECK_EQ(a, b): two integers, of any types, are the same number. CHECK_STR, CHECK_MEM: the same
 * characters, the same bytes. CHECK_HAS(text, part): the text contains the part. */
#define CHECK(x) mm3test_check(__FILE__, __LINE__, #x, !!(x))
#define CHECK_EQ(a, b) mm3test_check_eq(__FILE__, __LINE__, #a, #b, MM3TEST_NUMBER(a), MM3TEST_NUMBER(b))
#define CHECK_STR(a, b) mm3test_check_str(__FILE__, __LINE__, #a, #b, (a), (b))
#define CHECK_MEM(a, b, size) mm3test_check_mem(__FILE__, __LINE__, #a, #b, (a), (b), (size))
#define CHECK_HAS(text, part) mm3test_check_has(__FILE__, __LINE__, #text, (text), (part))

/* CHECK_OK(call, err): the call returned 0 or more. CHECK_FAILS(call, code, err): it returned this negative code.
 * `err` is the struct mm3_error that the call filled; its sentence is printed when the check fails. */
#define CHECK_OK(call, err) mm3test_check_ok(__FILE__, __LINE__, #call, (call), (err).text)
#define CHECK_FAILS(call, code, err) mm3test_check_fails(__FILE__, __LINE__, #call, #code, (call), (code), (err).text)

/* mm3test_path: a path for `name` in a folder that is new for each case and removed at exit ($TMPDIR or /tmp). The
 * string lives until the case ends; 64 of them at a time. NULL gives the folder itself. */
const char *mm3test_path(const char *name);

/* mm3test_fork: runs `run(arg)` in a child and waits. Returns its exit code, which is what `run` returned (0..125), or
 * minus the number of the signal that killed it. A child leaves by _exit: nothing of the parent is cleaned twice.
 * mm3test_spawn starts one and returns its id; mm3test_wait waits for it. */
enum { MM3TEST_CHILD_FAILED = 126 };
int mm3test_fork(int (*run)(void *), void *arg);
pid_t mm3test_spawn(int (*run)(void *), void *arg);
int mm3test_wait(pid_t child);

/* mm3test_fork_mounted: mm3test_fork, with the folder covered by a mount that goes away with the child: tmpfs of a size
 * ("size=1m"), or "ro", the folder itself read-only. Works for root, in a chroot, and for others where they may have a
 * user namespace. Returns MM3TEST_NO_MOUNT where the system does not let us. */
enum { MM3TEST_NO_MOUNT = 127 };
int mm3test_fork_mounted(const char *folder, const char *how, int (*run)(void *), void *arg);

/* mm3test_skip: this case cannot run here, and why; return from it then. Skips are counted apart, and CI has none. */
void mm3test_skip(const char *why);

/* mm3test_tool: "asan", "tsan", "valgrind" or "": for loops that a tool makes a hundred times slower. */
const char *mm3test_tool(void);

/* mm3test_sleep_ms: sleeps so long, whatever signals come. mm3test_now_ns: the monotonic clock. */
void mm3test_sleep_ms(unsigned milliseconds);
uint64_t mm3test_now_ns(void);

/* What the macros call. */
struct mm3test_number {
  int negative;
  unsigned long long magnitude;
};

#define MM3TEST_NUMBER(x)                                                                                          \
  _Generic((x),                                                                                                    \
    char: mm3test_signed, signed char: mm3test_signed, short: mm3test_signed, int: mm3test_signed,                 \
    long: mm3test_signed, long long: mm3test_signed, default: mm3test_unsigned)(x)

struct mm3test_number mm3test_signed(long long value);
struct mm3test_number mm3test_unsigned(unsigned long long value);
int mm3test_main(int argc, char **argv, const char *area, const struct mm3test_case *cases, size_t count);
int mm3test_check(const char *file, int line, const char *text, int passed);
int mm3test_check_eq(const char *file, int line, const char *a_text, const char *b_text, struct mm3test_number a,
                     struct mm3test_number b);
int mm3test_check_str(const char *file, int line, const char *a_text, const char *b_text, const char *a, const char *b);
int mm3test_check_mem(const char *file, int line, const char *a_text, const char *b_text, const void *a, const void *b,
                      size_t size);
int mm3test_check_has(const char *file, int line, const char *text, const char *all, const char *part);
int mm3test_check_ok(const char *file, int line, const char *text, long long result, const char *sentence);
int mm3test_check_fails(const char *file, int line, const char *text, const char *code_text, long long result,
                        long long code, const char *sentence);

#endif
