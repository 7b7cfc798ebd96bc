// The objects of cweb.h that all modules share: `cache`, `scheduler`, `database`, `symbols`, `crypto`.
#pragma once

#include <cweb.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace cweb::runtime {

/// In pages of their own, which nobody can write to: a module that does faults, and others do not notice. Modules link
/// to the first five; the context has the same pointers.
struct HostObjects {
  struct container* cache;
  struct scheduler* scheduler;
  struct sqldb* database;
  struct symbols* symbols;
  struct crypto* crypto;
  struct container cache_object;
  struct scheduler scheduler_object;
  struct sqldb database_object;
  struct symbols symbols_object;
  struct crypto crypto_object;
  struct crypto_ops crypto_ops;
};

/// Constant for the life of the process, but for show_database().
const HostObjects& host_objects();

/// What modules find as `database->db`. Not while module code runs.
void show_database(sqlite3* handle);

// What the objects' functions are: each in the host_* file of its name.
void fill_in(struct container& cache);
void fill_in(struct scheduler& scheduler);
void fill_in(struct sqldb& database);
void fill_in(struct symbols& symbols);
void fill_in(struct crypto& crypto, struct crypto_ops& operations);

/// A function as the type that cweb.h declares the member with, which may have no parameters.
template <class Member, class Function>
void set_member(Member& member, Function* function) {
  member = reinterpret_cast<Member>(reinterpret_cast<void (*)()>(function));
}

/// The arguments of a function of cweb.h that may have one of the shared objects in front, which tells the two
/// generations apart: no text, statement, name or function of a module has the address of such an object. Whoever is
/// called takes as many parameters as the longer form has. Those that the caller did not pass are whatever its
/// registers hold, and are not looked at: up to six integers and pointers are passed in registers on x86-64 (System V
/// ABI, 3.2.3), with a prototype or without. Of an int the upper half of the register is not defined.
template <size_t count>
class Arguments {
 public:
  static_assert(count <= 6);
  template <class... Pointer>
  explicit Arguments(const void* object, Pointer... given)
      : given_{given..., nullptr}, first_(given_[0] == object ? 1U : 0U) {}

  /// The one at `index`, counted without the object.
  template <class Type>
  Type at(size_t index) const {
    void* const value = given_[first_ + index];
    if constexpr (std::is_pointer_v<Type>)
      return reinterpret_cast<Type>(value);
    else
      return static_cast<Type>(reinterpret_cast<uintptr_t>(value));
  }

 private:
  void* given_[count + 1];
  const size_t first_;
};

}  // namespace cweb::runtime
