/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * struct.h: a struct declared once: the C struct, its descriptor and its compile-time checks from one list.
 *
 *     #define COUNTER(FIELD)            \
 *         FIELD(value, atomic(u64))     \
 *         FIELD(name,  string(32))
 *     MM3_STRUCT(counter, COUNTER);
 *
 * gives `struct counter` with the members `value` and `name`, and MM3_TYPE(counter), its descriptor: what mm3_create
 * and mm3_open compare with the file and with the modules. Include the header of each kind that a list uses.
 *
 *     FIELD(c_name, type)              the schema's name is the C name
 *     FIELD(default_, type, "default") another name in the schema, for words that C keeps to itself
 *
 * Types are written as in a schema. A number may be any integer constant expression (`vec(u32, CAP)`): the file
 * stores its value. Words of types are only stringified and pasted, so macros of yours called `string`, `bool` or
 * `u32` do no harm. A struct declared before by MM3_STRUCT is a type by its name.
 *
 * A kind within a kind works three deep (`vec(vec(vec(u16, 2), 3), 2)`); deeper wants a name:
 *
 *     MM3_TYPEDEF(row, vec(u32, 4));   then   FIELD(table, vec(row, 4))
 *
 * and the file stores the expanded text. MM3_VALUE(type) is the C type of such a field on its own, for values
 * outside a file: `MM3_VALUE(string(64)) name;` (zeroed bytes are a valid empty value unless its kind says not).
 *
 * For authors of kinds: kind K(args) supplies three families of macros in its public header, which MM3_STRUCT reaches
 * by pasting the kind's name (two families are enough for kinds whose field and element form are the same C type):
 *
 *     MM3_C1_K(args)                         C type of the field form
 *     MM3_C2_K, MM3_C3_K, MM3_C4_K(args)     C type of the element form; an inner type T is MM3_C3_##T in MM3_C2_K,
 *                                            MM3_C4_##T in MM3_C3_K; a kind that takes a type leaves out MM3_C4_K
 *     MM3_A1_K .. MM3_A4_K(args)             its items: MM3_ITEM_KIND(layout version of this header), then for each
 *                                            argument in order: MM3_A2_##T (in MM3_A1_K), MM3_ITEM_NUMBER(N), or
 *                                            MM3_ITEM_WORD for a bare word
 *
 * Levels exist because the preprocessor does not expand a macro within itself. The first word of a kind's C type is
 *     __extension__ union { uint64_t ...; struct mm3_k_K *mm3_tag; };
 * and its operations are macros that go through MM3_TAGGED(K, pointer), so that an operation on a field of another
 * kind does not compile. mm3/string.h is a short example.
 *
 * Facts behind this: what C and C++ preprocessors allow was tried with gcc and clang, C11 to C17, C++17.
 */
#ifndef MM3_STRUCT_H
#define MM3_STRUCT_H

#include <mm3/error.h>
#include <mm3/scalar.h>
#include <mm3/words.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
#include <type_traits>
extern "C" {
#endif

struct mm3_desc;

/* A descriptor is reached through a function, because C lets a function name its struct where a list cannot. The same
 * type carries the items of a type, which are led by the markers below. */
typedef const struct mm3_desc *mm3_desc_fn(void);

struct mm3_desc_field {
  const char *text;          /* the type as written, then optionally `, "schema name"` */
  const char *name;          /* the C name */
  mm3_desc_fn *const *items; /* ended by mm3_item_end */
  uint64_t offset, size;     /* as this compiler laid the member out */
};

/* What a program says about a struct of its own. Static, const, built by MM3_STRUCT; the address of it may differ
 * from one source file to another. name is NULL for MM3_TYPEDEF, whose only field is the type that it names. */
struct mm3_desc {
  uint32_t size;             /* of this struct: grows at its end */
  uint32_t nfields;
  const char *name;
  uint64_t bytes, align;     /* of the C struct */
  const struct mm3_desc_field *fields;
};

/* Markers in a list of items. They are compared by address and never called. */
MM3_API const struct mm3_desc *mm3_item_kind(void);   /* the next item is a layout version */
MM3_API const struct mm3_desc *mm3_item_number(void); /* the next item is a number */
MM3_API const struct mm3_desc *mm3_item_rest(void);   /* the remaining arguments stand as they are written */
MM3_API const struct mm3_desc *mm3_item_end(void);

#ifdef __cplusplus
}
#endif

#define MM3_ITEM_WORD 0
#define MM3_ITEM_NUMBER(N) mm3_item_number, (mm3_desc_fn *)(uintptr_t)(N)
#define MM3_ITEM_KIND(layout_version) mm3_item_kind, (mm3_desc_fn *)(uintptr_t)(layout_version)

/* MM3_TYPE(name): the descriptor of a struct declared by MM3_STRUCT, as `const struct mm3_desc *`. */
#define MM3_TYPE(name) MM3_A1_##name()

#define MM3_VALUE(...) MM3_C1_##__VA_ARGS__

#define MM3_STRUCT(name, LIST)                                                                          \
  struct name {                                                                                         \
    LIST(MM3_I_MEMBER)                                                                                  \
  };                                                                                                    \
  MM3_I_EVAL(LIST(MM3_I_WORDS_OF(name)))                                                                \
  MM3_UNUSED static inline const struct mm3_desc *MM3_A1_##name(void) {                                 \
    typedef struct name mm3_self;                                                                       \
    LIST(MM3_I_ITEMS)                                                                                   \
    static const struct mm3_desc_field mm3_fields[] = {LIST(MM3_I_FIELD)};                              \
    static const struct mm3_desc mm3_desc = {                                                           \
        sizeof mm3_desc, sizeof mm3_fields / sizeof mm3_fields[0], #name, sizeof(mm3_self),             \
        __alignof__(mm3_self), mm3_fields};                                                             \
    return &mm3_desc;                                                                                   \
  }                                                                                                     \
  typedef struct name MM3_C1_##name, MM3_C2_##name, MM3_C3_##name, MM3_C4_##name;                       \
  MM3_I_LEVELS(name)                                                                                    \
  MM3_I_CXX(name)                                                                                       \
  struct name

#define MM3_TYPEDEF(name, ...)                                                                          \
  typedef MM3_C1_##__VA_ARGS__ MM3_C1_##name;                                                           \
  typedef MM3_C2_##__VA_ARGS__ MM3_C2_##name, MM3_C3_##name, MM3_C4_##name;                             \
  MM3_UNUSED static inline const struct mm3_desc *MM3_A1_##name(void) {                                 \
    static mm3_desc_fn *const mm3_items_only[] = {MM3_A1_##__VA_ARGS__, mm3_item_end};                  \
    static const struct mm3_desc_field mm3_fields[] = {                                                 \
        {#__VA_ARGS__, #name, mm3_items_only, 0, sizeof(MM3_C1_##name)}};                               \
    static const struct mm3_desc mm3_desc = {sizeof mm3_desc, 1, 0, sizeof(MM3_C1_##name), 0, mm3_fields}; \
    return &mm3_desc;                                                                                   \
  }                                                                                                     \
  MM3_I_LEVELS(name)                                                                                    \
  typedef MM3_C1_##name MM3_C1_##name

/* MM3_TAGGED(kind, p): p itself, if *p is a field of that kind; otherwise it does not compile. p is evaluated once. */
#ifdef __cplusplus
extern "C++" {
template <class Tag, class Field>
inline __attribute__((always_inline)) Field *mm3_tagged(Field *field) {
  static_assert(std::is_same<typename std::remove_cv<decltype(field->mm3_tag)>::type, Tag *>::value,
                "this operation belongs to another kind of field");
  return field;
}
}
#define MM3_TAGGED(kind, p) (mm3_tagged<struct mm3_k_##kind>(p))
#else
#define MM3_TAGGED(kind, p) (_Generic((p)->mm3_tag, struct mm3_k_##kind * : (p)))
#endif

/* In C++ a struct's descriptor is also found from its type: mm3_desc_of((counter *)nullptr). mm3.hpp uses it. */
#ifdef __cplusplus
#define MM3_I_CXX(name) \
  extern "C++" { inline const struct mm3_desc *mm3_desc_of(const struct name *) { return MM3_A1_##name(); } }
#else
#define MM3_I_CXX(name)
#endif

/* MM3_REQUIRE(condition): 0; does not compile unless the constant condition holds. */
#ifdef __cplusplus /* g++ folds what it does not call a constant expression */
#define MM3_REQUIRE(condition) (__extension__(0 * (int)sizeof(char[(condition) ? 1 : -1])))
#else
#define MM3_REQUIRE(condition) (0 * (int)sizeof(char[(condition) ? 1 : -1]))
#endif

/* The rest is the machinery of MM3_STRUCT. */
#define MM3_I_MEMBER(c_name, ...) MM3_I_MEMBER_(c_name, MM3_C1_##__VA_ARGS__, ~)
#define MM3_I_MEMBER_(c_name, type, ...) type c_name;
#define MM3_I_ITEMS(c_name, ...) MM3_I_ITEMS_(c_name, MM3_A1_##__VA_ARGS__, ~)
#define MM3_I_ITEMS_(c_name, items, ...) static mm3_desc_fn *const mm3_items_##c_name[] = {items, mm3_item_end};
#define MM3_I_FIELD(c_name, ...) \
  {#__VA_ARGS__, #c_name, mm3_items_##c_name, offsetof(mm3_self, c_name), sizeof(((mm3_self *)0)->c_name)},
#define MM3_I_LEVELS(name)                                                                              \
  MM3_UNUSED static inline const struct mm3_desc *MM3_A2_##name(void) { return MM3_A1_##name(); }       \
  MM3_UNUSED static inline const struct mm3_desc *MM3_A3_##name(void) { return MM3_A1_##name(); }       \
  MM3_UNUSED static inline const struct mm3_desc *MM3_A4_##name(void) { return MM3_A1_##name(); }

/* Words of enum fields. A list calls FIELD with two arguments and cannot pass the struct's name; so FIELD becomes
 * `MM3_I_WORDS (name,` with its invocation put off by two scans, and each field's arguments supply the rest. */
#define MM3_I_EVAL(...) __VA_ARGS__
#define MM3_I_STRIP(...) __VA_ARGS__
#define MM3_I_EMPTY()
#define MM3_I_END )
#define MM3_I_WORDS_OF(name) MM3_I_WORDS MM3_I_EMPTY MM3_I_EMPTY()() (name, MM3_I_WORDS_ARGS
#define MM3_I_WORDS_ARGS(c_name, ...) c_name, MM3_E1_##__VA_ARGS__, ~ MM3_I_END
#define MM3_I_WORDS(name, c_name, kind, ...) \
  MM3_I_SECOND(MM3_I_IS_##kind, MM3_I_WORDS_NONE, ~)(name, c_name, __VA_ARGS__)
#define MM3_I_IS_MM3_I_ENUM ~, MM3_I_WORDS_SOME
#define MM3_I_SECOND(...) MM3_I_SECOND_(__VA_ARGS__)
#define MM3_I_SECOND_(first, second, ...) second
#define MM3_I_WORDS_NONE(name, c_name, ...)
#define MM3_I_WORDS_SOME(name, c_name, words, ...) enum { MM3_I_EACH(name, c_name, MM3_I_STRIP words) };
#define MM3_I_WORD(name, c_name, word) name##_##c_name##_##word

#endif
