// What the parent hands to each child it starts: descriptors by number and a few facts, in a file in memory that the
// child inherits. Plain data; both sides are the same binary.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace cweb::supervisor {

/// The environment variable that tells a child the descriptor of its setup.
inline constexpr const char* setup_variable = "CWEB_SUPERVISED";

inline constexpr size_t most_listeners = 64;
/// Bytes of a module's name that are passed on; longer ones lose their end.
inline constexpr size_t most_name_bytes = 255;
/// A pipe holds two as long without a reader, and no key is nearly as long.
inline constexpr size_t most_key_bytes = 16 * 1024;

/// What a child tells its parent, each at most once.
enum class StatusByte : char {
  noted = 'n',   ///< the death that it was told of stands in the journal
  ready = 'r',   ///< requests are answered
  ending = 'e',  ///< it was asked to end, by a module perhaps, and takes no more connections
};

struct ChildSetup {
  static constexpr uint64_t expected_magic = 0x6377'6562'6368'6c64;  // "cwebchld"

  uint64_t magic = expected_magic;
  pid_t parent = -1;
  bool is_restart = false;  ///< an earlier child has been ready
  int failed_starts = 0;    ///< children before this one that died before they were ready, one after the other
  uint16_t port = 0;
  size_t listener_count = 0;
  std::array<int, most_listeners> listeners{};
  uint16_t redirect_port = 0;
  size_t redirect_listener_count = 0;  ///< of those that lead to HTTPS
  std::array<int, most_listeners> redirect_listeners{};
  std::array<int, 2> journals{-1, -1};
  int status = -1;              ///< pipe: the child writes what it has come to, a StatusByte at a time
  int crash_note = -1;          ///< file: a dying child writes the name of the module whose call was running
  int key = -1;                 ///< pipe: the admin key, and the read key behind it
  ssize_t key_bytes = -1;       ///< -1: there is no admin key
  ssize_t read_key_bytes = -1;  ///< -1: there is no read key
  bool key_was_made = false;    ///< by the parent, which has printed it
  /// What modules' tokens are signed with where no file keeps a key: the same for all children.
  std::array<unsigned char, 32> token_key{};
  /// That name, of the last death that no child has noted yet; empty when there is none.
  std::array<char, most_name_bytes + 1> died_in{};
  /// How the child before this one ended, as wait(2) tells; -1: there was none.
  int last_end = -1;
  bool last_end_is_named = false;  ///< in a call of the module died_in
};

/// False when the file cannot be written. Calls nothing but write(2)'s kin.
bool write_setup(int file, const ChildSetup& setup);
/// False when it is no setup that the parent of this process wrote.
bool read_setup(int file, ChildSetup& setup);

}  // namespace cweb::supervisor
