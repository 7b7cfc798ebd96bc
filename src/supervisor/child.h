// The child's side: what a server process that was started by the parent has from it. Main thread, at the start.
#pragma once

#include <sys/types.h>

#include <array>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "net/listener.h"

namespace cweb::supervisor {

class Child {
 public:
  /// Empty when this process has no parent that looks after it. Call first of all: takes CWEB_SUPERVISED out of the
  /// environment and keeps the descriptors from being inherited any further.
  static Expected<std::optional<Child>> adopt();

  pid_t supervisor() const { return supervisor_; }
  /// Has a child before this one been ready? Then whoever started the server has been told.
  bool is_restart() const { return is_restart_; }
  /// Did the child before this one die before it was ready? Perhaps of a module that it was bringing back.
  bool follows_failed_start() const { return follows_failed_start_; }
  /// The module whose call was running when a child before died, unless it is noted; empty when there is none, or it
  /// is not known.
  const std::string& died_in() const { return died_in_; }
  /// What became of the child before this one, as a sentence; empty when this is the first.
  const std::string& last_end() const { return last_end_; }
  /// The module in whose call that was, if it is known.
  const std::string& last_end_in() const { return last_end_in_; }
  /// Where a fault handler writes the name of the module in whose call the process dies.
  int crash_note_fd() const { return crash_note_.get(); }

  /// Sockets that listen already. Once.
  net::Listeners take_listeners() { return std::move(listeners_); }
  /// Those that lead to HTTPS. Once.
  net::Listeners take_redirect_listeners() { return std::move(redirect_listeners_); }
  /// The two files of the deploy journal. Once.
  std::array<UniqueFd, 2> take_journals() { return std::move(journals_); }
  /// The admin key as the parent keeps it. Once.
  std::optional<std::string> take_admin_key() { return std::exchange(admin_key_, std::nullopt); }
  std::optional<std::string> take_read_key() { return std::exchange(read_key_, std::nullopt); }
  /// Was the admin key made at the start, and printed to the log?
  bool key_was_made() const { return key_was_made_; }
  /// The key that all children of this parent sign modules' tokens with.
  const std::array<unsigned char, 32>& token_key() const { return token_key_; }

  /// Tells the parent that the death in died_in() stands in the journal: the next child needs not be told of it.
  void say_noted() const;
  /// Tells the parent that requests are answered now.
  void say_ready() const;
  /// Tells the parent that this process has been asked to end: whoever connects from now on is refused, not left
  /// waiting.
  void say_ending() const;

 private:
  Child() = default;
  void say(char what) const;

  pid_t supervisor_ = -1;
  bool is_restart_ = false;
  bool follows_failed_start_ = false;
  std::string died_in_;
  std::string last_end_, last_end_in_;
  net::Listeners listeners_;
  net::Listeners redirect_listeners_;
  std::array<UniqueFd, 2> journals_;
  UniqueFd status_;
  UniqueFd crash_note_;
  std::optional<std::string> admin_key_, read_key_;
  bool key_was_made_ = false;
  std::array<unsigned char, 32> token_key_{};
};

}  // namespace cweb::supervisor
