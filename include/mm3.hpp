/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * mm3.hpp: mm3 for C++17: handles that close themselves, errors as exceptions, and `<<`.
 *
 *     #include <mm3.hpp>
 *     #define GAME(FIELD) FIELD(level, u32) FIELD(score, u64) FIELD(player_name, string(32)) FIELD(best, vec(u64, 10))
 *     MM3_STRUCT(game, GAME);
 *
 *     using namespace mm3::operators;
 *     auto file = mm3::file<game>::open_or_create("game.mm3");
 *     file->level = 5;
 *     file->player_name << "Player1";         // replaces the string
 *     file->best << 12345u << 999u;           // pushes
 *     std::cout << mm3::str(file->player_name);
 *
 * It is a thin layer: the handle is mm3_open's, `->` is a pointer into the mapping, each `<<` is one operation of the
 * kind's C header, with its cost and its promise. A refused operation throws mm3::error, whose code is the C code.
 * Kinds that grow want the file as well: `file.in(file->events) << 1u`, `file.in(file->cache) << std::pair("k", "v")`,
 * and `file.in(file->cache)["k"] << "v"`.
 * Include the header of each kind that you use, as in C (mm3.h has those that need no other library).
 */
#ifndef MM3_HPP
#define MM3_HPP

#include <mm3.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace mm3 {

/* What an operation refused. what() is the sentence. */
class error : public std::runtime_error {
 public:
  explicit error(int code) : std::runtime_error(mm3_strerror(code)), code_(code) {}
  explicit error(const mm3_error &from) : std::runtime_error(from.text), code_(from.code), field_(from.field) {}
  int code() const noexcept { return code_; }
  const std::string &field() const noexcept { return field_; }

 private:
  int code_;
  std::string field_;
};

/* A C result: returned when it is none of the negative codes, else thrown. */
inline int check(int result) {
  if (result < 0) throw error(result);
  return result;
}

namespace detail {
template <class F>
using tag = std::remove_cv_t<std::remove_pointer_t<std::remove_cv_t<decltype(std::declval<F &>().mm3_tag)>>>;
template <class F, class Tag>
using if_kind = std::enable_if_t<std::is_same<tag<F>, Tag>::value, int>;
template <class F>
using item = std::remove_cv_t<std::remove_reference_t<decltype(std::declval<F &>().at[0])>>;
template <class F>
using key_of = std::remove_cv_t<std::remove_reference_t<decltype(*std::declval<F &>().mm3_key.of)>>;
template <class F>
using value_of = std::remove_cv_t<std::remove_reference_t<decltype(*std::declval<F &>().mm3_value.of)>>;
/* What a map takes for a key or value of C type Wanted: numbers as they are, strings as their bytes, a struct
 * by its address. */
template <class Wanted>
inline mm3_str given(std::string_view text) { return mm3_str_n(text.data(), text.size()); }
template <class Wanted, class Number, std::enable_if_t<std::is_arithmetic<Number>::value, int> = 0>
Number given(Number number) {
  return number;
}
template <class Wanted, class Struct,
          std::enable_if_t<std::is_same<Struct, Wanted>::value && std::is_class<Struct>::value, int> = 0>
const void *given(const Struct &value) {
  return &value;
}
}  // namespace detail

/* A key of a map, which may have an entry: `file.in(file->cache)["k"] << "v"`. */
template <class F, class K>
struct entry {
  mm3_file *file;
  F *field;
  K key;
};

/* A field that grows, with its file. */
template <class F>
struct bound {
  mm3_file *file;
  F *field;

  template <class K, class G = F, detail::if_kind<G, mm3_k_hashmap> = 0>
  entry<F, std::decay_t<K>> operator[](K &&key) const {
    return {file, field, std::forward<K>(key)};
  }
};

/* An open file whose root is T; const T for a reader, which never writes to the mapping. Moves, does not copy. */
template <class T>
class file {
  using plain = std::remove_const_t<T>;

 public:
  static file create(const char *path, mm3_options options = {}) { return file(mm3_create, path, options); }
  static file open(const char *path, mm3_options options = {}) { return file(mm3_open, path, options); }
  static file open_or_create(const char *path, mm3_options options = {}) {
    return file(mm3_open_or_create, path, options);
  }

  file(file &&from) noexcept : handle_(std::exchange(from.handle_, nullptr)), root_(std::exchange(from.root_, nullptr)) {}
  file &operator=(file &&from) noexcept {
    std::swap(handle_, from.handle_);
    std::swap(root_, from.root_);
    return *this;
  }
  file(const file &) = delete;
  file &operator=(const file &) = delete;
  ~file() { close(); }

  T *operator->() const noexcept { return root_; }
  T &operator*() const noexcept { return *root_; }
  mm3_file *get() const noexcept { return handle_; }

  template <class F>
  bound<F> in(F &field) const noexcept {
    return {handle_, &field};
  }

  void sync() { check(mm3_sync(handle_)); }

  /* The file's lock for a scope; recovered() says whether a dead owner's work was finished or undone. */
  class guard {
   public:
    explicit guard(mm3_file *of) : of_(of), result_(check(mm3_lock(of))) {}
    guard(const guard &) = delete;
    guard &operator=(const guard &) = delete;
    ~guard() { mm3_unlock(of_); }
    bool recovered() const noexcept { return result_ == 1; }

   private:
    mm3_file *of_;
    int result_;
  };
  guard lock() const { return guard(handle_); }

 private:
  template <class Open>
  file(Open call, const char *path, mm3_options options) {
    mm3_error why = {};
    options.size = sizeof options;
    if (std::is_const<T>::value) options.flags |= MM3_READ_ONLY;
    handle_ = call(path, mm3_desc_of(static_cast<const plain *>(nullptr)), &options, &why);
    if (!handle_) throw error(why);
    const mm3_desc *desc = mm3_desc_of(static_cast<const plain *>(nullptr));
    if constexpr (std::is_const<T>::value) root_ = static_cast<T *>(mm3_root_const_of(handle_, desc));
    else root_ = static_cast<T *>(mm3_root_of(handle_, desc));
  }

  void close() noexcept {
    if (handle_ && mm3_close(handle_) == -EBUSY) { /* the lock outlived its guard: let it go */
      mm3_unlock(handle_);
      mm3_close(handle_);
    }
    handle_ = nullptr;
  }

  mm3_file *handle_ = nullptr;
  T *root_ = nullptr;
};

/* mm3::str: a string field's value, whole. */
template <class F, detail::if_kind<F, mm3_k_string> = 0>
std::string str(const F &field) {
  std::string text(mm3_string_capacity(&field), '\0');
  size_t length = 0;
  check(mm3_string_get(&field, &text[0], text.size() + 1, &length));
  text.resize(length);
  return text;
}

namespace operators {

/* string(N): replaces the value. */
template <class F, detail::if_kind<F, mm3_k_string> = 0>
F &operator<<(F &field, std::string_view text) {
  check(mm3_string_set_n(&field, text.data(), text.size()));
  return field;
}

/* vec(T, N): pushes an item. */
template <class F, detail::if_kind<F, mm3_k_vec> = 0>
F &operator<<(F &field, const detail::item<F> &item) {
  check(mm3_vec_push_from(&field, &item));
  return field;
}

/* segmented(T): appends an item. */
template <class F, detail::if_kind<F, mm3_k_segmented> = 0, class Item>
bound<F> operator<<(bound<F> to, const Item &item) {
  check(mm3_segmented_append(to.file, to.field, item));
  return to;
}

/* text: replaces the value. */
template <class F, detail::if_kind<F, mm3_k_text> = 0>
bound<F> operator<<(bound<F> to, std::string_view text) {
  check(mm3_text_set_n(to.file, to.field, text.data(), text.size()));
  return to;
}

/* hashmap(K, V): adds an entry, or replaces its value: `<< std::pair("alice", 42)`. */
template <class F, detail::if_kind<F, mm3_k_hashmap> = 0, class K, class V>
bound<F> operator<<(bound<F> to, const std::pair<K, V> &entry) {
  check(mm3_hashmap_set(to.file, to.field, detail::given<detail::key_of<F>>(entry.first),
                        detail::given<detail::value_of<F>>(entry.second)));
  return to;
}

/* The same by the key: `file.in(file->cache)["k"] << "v"`. */
template <class F, class K, class V>
const entry<F, K> &operator<<(const entry<F, K> &to, const V &value) {
  check(mm3_hashmap_set(to.file, to.field, detail::given<detail::key_of<F>>(to.key),
                        detail::given<detail::value_of<F>>(value)));
  return to;
}

}  // namespace operators

/* mm3::str(file.in(file->note)): a text's value, whole. */
template <class F, detail::if_kind<F, mm3_k_text> = 0>
std::string str(bound<F> from) {
  std::string text(64, '\0');
  size_t length = 0;
  int result;
  while ((result = mm3_text_get(from.file, from.field, &text[0], text.size() + 1, &length)) == -ERANGE) text.resize(length);
  check(result);
  text.resize(length);
  return text;
}

/* for (auto &item : mm3::items(file->best)): the items of a vec as they lie, for who knows that nobody writes. */
template <class F, detail::if_kind<F, mm3_k_vec> = 0>
auto items(F &field) {
  struct range {
    decltype(&field.at[0]) first, last;
    auto begin() const { return first; }
    auto end() const { return last; }
  };
  return range{&field.at[0], &field.at[0] + mm3_vec_len(&field)};
}

}  // namespace mm3

#endif
