// Shows what modules print where the server's log goes: who debugs with printf sees it in the terminal. One thread
// reads the event log and writes; a terminal that stands still keeps nobody else waiting, and what it misses is
// counted.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "mgnt/event_log.h"

namespace cweb::mgnt {

class OutputPrinter {
 public:
  /// Writes to `fd`, which it does not own, in the form of the server's log. `events` outlives it.
  OutputPrinter(EventLog& events, int fd);
  ~OutputPrinter();

  /// Writes what is there, for a second at most, and ends.
  void finish();

 private:
  void work();
  bool is_late();
  void write_items(const std::vector<EventQueue::Item>& items);
  void write_text(std::string_view text);

  const int fd_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;                                            // guarded by mutex_
  std::optional<std::chrono::steady_clock::time_point> ends_at_;  // guarded by mutex_; set when it is to finish
  // Ends before what its wake uses.
  const std::unique_ptr<EventLog::Subscription> events_;
  std::thread thread_;
};

/// As the printer shows it, with its line end.
void append_log_line(std::string& out, const EventQueue::Item& item);

}  // namespace cweb::mgnt
