// Notices what is done by hand in the directory of modules, in development: a thread of its own, which waits until a
// file has been left alone for a moment and then has directory_sync look at it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/unique_fd.h"
#include "mgnt/directory_sync.h"

namespace cweb::mgnt {

class DirectoryWatch {
 public:
  /// Starts the thread. What was changed before is looked at once, too: nothing is missed between the start and here.
  static Expected<std::unique_ptr<DirectoryWatch>> start(const std::string& path, DirectorySync& sync);
  /// Begins no other deploy; returns at once.
  void stop();
  /// The same, and waits for a deploy that is under way.
  ~DirectoryWatch();

 private:
  DirectoryWatch(std::string path, DirectorySync& sync, UniqueFd events, UniqueFd wake)
      : path_(std::move(path)), sync_(sync), events_(std::move(events)), wake_(std::move(wake)) {}
  void work();
  /// Waits for `time_ms`, for ever when it is negative. False: the thread is to end.
  bool wait(int time_ms, bool& has_events) const;
  void read_events();
  bool is_complete(const std::string& file) const;

  const std::string path_;
  DirectorySync& sync_;
  const UniqueFd events_, wake_;
  std::set<std::string> touched_;  // the thread's, as is all below
  bool has_lost_events_ = false;
  std::jthread thread_;
};

}  // namespace cweb::mgnt
