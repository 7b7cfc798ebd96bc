// The last of what happened to modules and of what they printed, numbered, for whoever asks or listens. In memory only:
// a server that starts anew begins with none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "mgnt/event_ring.h"
#include "mgnt/event_subscription.h"
#include "mgnt/module_observer.h"

namespace cweb::mgnt {

/// Thread-safe. Those who print hold its lock for the time that a few pointers take.
class EventLog final : public ModuleObserver, public runtime::OutputSink {
 public:
  /// Of one module.
  static constexpr size_t most_lines = 1'000;
  static constexpr size_t most_line_bytes = size_t{256} << 10;
  /// Of everything else.
  static constexpr size_t most_events = 1'000;
  static constexpr size_t most_event_bytes = size_t{4} << 20;
  /// Modules that are gone, or never came to life, whose lines are kept.
  static constexpr size_t most_gone = 100;
  static constexpr size_t most_streams = 64;
  /// What is read at once, and what a reader is sent first, of what is kept; beyond that the oldest are lost to it.
  static constexpr size_t most_read = 10'000;
  static constexpr size_t most_kept_bytes = size_t{8} << 20;

  /// In production no event shows a line of a source.
  explicit EventLog(bool production = false);

  /// Names this life of the process: numbers of another one mean nothing.
  const std::string& run() const { return run_; }

  struct Page {
    uint64_t last_id = 0;
    std::vector<EventPtr> events;  ///< in order
    uint64_t left_out = 0;         ///< older ones that would have been wanted too
    uint64_t dropped = 0;          ///< at least so many beyond `after`, if that is not 0, are no longer kept
  };
  /// The last `limit` of those beyond `after`.
  Page read(const EventFilter& filter, uint64_t after, size_t limit) const;

  /// Ends with the object.
  class Subscription {
   public:
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    /// The number of the last event when it began.
    uint64_t last_id() const { return last_id_; }
    /// `wake` is called when something has come after take() gave nothing, on any thread, and never after the end.
    void wake_by(std::function<void()> wake) { queue_->wake_by(std::move(wake)); }
    std::vector<EventQueue::Item> take(size_t bytes) { return queue_->take(bytes); }

   private:
    friend class EventLog;
    Subscription(EventLog& log, std::shared_ptr<EventQueue> queue, uint64_t last_id, bool is_stream)
        : log_(log), queue_(std::move(queue)), last_id_(last_id), is_stream_(is_stream) {}
    EventLog& log_;
    const std::shared_ptr<EventQueue> queue_;
    const uint64_t last_id_;
    const bool is_stream_;
  };
  enum class Reader {
    stream,  ///< a client's: at most most_streams
    own,     ///< the server's
  };
  /// What happens from now on, behind what is kept beyond `after`, if that is given. Null: there are too many streams.
  std::unique_ptr<Subscription> subscribe(EventFilter filter, std::optional<uint64_t> after, Reader reader);

  void deployed(const std::string& module, unsigned version) override;
  void deploy_failed(const DeployReport& report) override;
  void restarted(const std::string& module, unsigned version) override;
  void removed(const std::string& module, unsigned version) override;
  void faulted(const FaultReport& report, const std::string& kind) override;
  void quarantined(const std::string& module, unsigned version, const std::string& reason) override;
  /// The server process before this one ended, and with it what its log had: the sentence says how. `module` may be
  /// empty.
  void server_died(const std::string& module, const std::string& sentence);

  void printed(const runtime::ModuleVersion& version, runtime::OutputStream stream, std::string_view line,
               bool cut) override;

 private:
  struct Lines {
    EventRing ring{most_lines, most_line_bytes};
    bool live = false;
  };
  void record(std::shared_ptr<Event> event);
  EventRing& ring_locked(const Event& event);
  void note_life_locked(const Event& event);
  void let_go_locked(const std::string& module);
  Page read_locked(const EventFilter& filter, uint64_t after, size_t limit) const;
  uint64_t count_dropped_locked(const EventFilter& filter, uint64_t after) const;
  void unsubscribe(const Subscription& subscription);

  const bool production_;
  const std::string run_;
  mutable std::mutex mutex_;
  uint64_t last_id_ = 0;                              // guarded by mutex_
  std::unordered_map<std::string, Lines> lines_;      // guarded by mutex_
  std::deque<std::string> gone_;                      // guarded by mutex_; names in lines_ that are not live
  uint64_t last_of_gone_ = 0;                         // guarded by mutex_; of the lines that were let go with a module
  EventRing events_{most_events, most_event_bytes};   // guarded by mutex_
  std::vector<std::shared_ptr<EventQueue>> readers_;  // guarded by mutex_
  size_t streams_ = 0;                                // guarded by mutex_
};

}  // namespace cweb::mgnt
