// The parent: holds what has to outlive a server process, starts one, and starts another when it dies. One thread, one
// object, made by main. After create() it takes no memory, and it never calls into the compiler or a module.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "net/listener.h"
#include "supervisor/child_setup.h"
#include "supervisor/service_manager.h"

namespace cweb::supervisor {

struct SupervisorOptions {
  char** arguments = nullptr;         ///< of main; every child gets them as they are
  net::Listeners listeners;           ///< that every child serves
  net::Listeners redirect_listeners;  ///< that lead to HTTPS; may be none
  std::optional<std::string> admin_key;
  std::optional<std::string> read_key;
  bool key_was_made = false;  ///< the admin key, and the log has it
  int ready_fd = -1;          ///< left to the children until one is ready; -1: none
  ServiceManager service_manager;
};

class Supervisor {
 public:
  /// The environment that the children get is the one of now.
  static Expected<std::unique_ptr<Supervisor>> create(SupervisorOptions options);

  /// Returns the exit code when a child has ended by itself, or was asked to, or when starting one makes no sense.
  int run();

 private:
  explicit Supervisor(SupervisorOptions options);
  Expected<void> make_descriptors();
  void set_up_environment();

  void start_child();
  [[noreturn]] void become_child();
  void put_keys();
  void forget_keys();
  int look_after_children();
  void wait_for_event() const;
  void look_at_status();
  void look_at_signals();
  void take_signal(int number);
  void begin_end();
  /// The exit code, when this was the end.
  std::optional<int> look_after_child();
  std::optional<int> child_ended(int wait_status);
  bool take_crash_note();
  bool finds_culprits(bool is_named);
  void say_died(int wait_status, bool is_named) const;
  void plan_restart();

  char** const arguments_;
  std::optional<std::string> admin_key_, read_key_;
  net::Listeners listeners_, redirect_listeners_;
  const ServiceManager service_manager_;
  UniqueFd ready_fd_;
  std::vector<char*> environment_;
  std::string setup_text_;  ///< "CWEB_SUPERVISED=7"
  ChildSetup setup_;
  UniqueFd setup_file_, crash_note_, status_, status_for_child_, key_, key_for_child_, signals_;
  std::array<UniqueFd, 2> journals_;
  sigset_t child_mask_{};

  pid_t child_ = -1;  ///< -1: none is there
  bool child_is_ready_ = false;
  bool is_ending_ = false;  ///< somebody asked for the end; no other child is started
  int failed_starts_ = 0;   ///< one after the other, of which nothing was learnt
  int times_named_ = 0;     ///< one after the other in which the same module was named: setup_.died_in, or last_named_
  std::array<char, most_name_bytes + 1> last_named_{};
  int64_t started_ms_ = 0;
  int64_t start_at_ms_ = 0;  ///< of the next child, while none is there
  int64_t pause_ms_ = 0;     ///< before it
};

}  // namespace cweb::supervisor
