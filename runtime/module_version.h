// One version of one module: its image, its heap, its configuration, and where it stands in life.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/call_counters.h"
#include "runtime/calling_thread.h"
#include "runtime/code_image.h"
#include "runtime/emulated_tls.h"
#include "runtime/heap.h"
#include "runtime/module_config.h"
#include "runtime/module_counters.h"
#include "runtime/output_files.h"
#include "runtime/thread_share.h"

struct cweb_context;

namespace cweb::runtime {

/// The states a version goes through, in this order; `failed` instead of `live` when a step of the deploy fails.
enum class VersionState : uint8_t {
  linked,     ///< code is in memory, nothing ran yet
  loading,    ///< constructors and onload are running
  live,       ///< its routes are published
  draining,   ///< replaced or removed; calls that began on it are finishing
  unloading,  ///< nobody is inside; unload runs
  retired,    ///< memory is given back
  failed,     ///< never went live
};
const char* to_string(VersionState state);

/// What is learnt about a route while it runs.
struct RouteState {
  /// Above 0: recent calls blocked, so the loop is handed over before the next one. Falls with each fast call.
  std::atomic<int> blocking{0};
};

class ModuleVersion : public std::enable_shared_from_this<ModuleVersion> {
 public:
  /// `memory_limit` in bytes, of what the module may have allocated at a time.
  ModuleVersion(uint64_t id, std::unique_ptr<CodeImage> image, size_t memory_limit = ModuleHeap::default_limit);
  ~ModuleVersion();
  ModuleVersion(const ModuleVersion&) = delete;
  ModuleVersion& operator=(const ModuleVersion&) = delete;

  /// Unique in the life of the process; never reused.
  uint64_t id() const { return id_; }
  const CodeImage& image() const { return *image_; }
  ModuleHeap& heap() { return *heap_; }
  EmulatedTls& tls() { return tls_; }
  /// What its callbacks of the context-first generation are given. It lives as long as the version does, since a
  /// module may keep it.
  cweb_context& context() { return *context_; }
  OutputFiles& output_files() { return output_files_; }
  const OutputFiles& output_files() const { return output_files_; }

  VersionState state() const { return state_.load(std::memory_order_acquire); }
  void set_state(VersionState state) { state_.store(state, std::memory_order_release); }

  // What the deploy fills in before the version is published; immutable afterwards.
  ModuleConfig config;
  std::string source;       ///< as posted (after repair)
  std::string hash;         ///< SHA-256 of source, hex
  unsigned number = 0;      ///< counts the versions of one module from 1
  std::string deployed_at;  ///< UTC, ISO 8601

  // Made when the version is claimed.
  std::unique_ptr<RouteState[]> route_states;   ///< one for each of config.routes
  std::unique_ptr<RouteState[]> socket_states;  ///< for each of config.websockets its three callbacks, on_open first
  std::unique_ptr<CallCounters> counters;
  std::shared_ptr<ModuleCounters> module_counters;  ///< of its module: what counters holds at the end goes there

  /// Of its module: set when the name is known, before code of the version can run on a thread.
  std::shared_ptr<ThreadShare> threads = std::make_shared<ThreadShare>();

  /// How long a call may take.
  int64_t deadline_ns = default_deadline_ns;
  static constexpr int64_t default_deadline_ns = 10'000'000'000;

  /// Its module has failed too often, its calls are stuck, or calls of it are forbidden for another reason: they are
  /// refused until the next deploy or restart.
  std::atomic<bool> quarantined{false};
  /// Why: a sentence. Written before `quarantined` is set, once, and not read before.
  std::string quarantine_reason;
  /// A call into it has faulted, so that a lock of its own may be held, or something half written.
  std::atomic<bool> suspect{false};

  /// It has called jobs_create, which was said in the log.
  std::atomic<bool> asked_for_jobs{false};

  /// Threads that the module started itself and that are still running, or about to begin.
  std::atomic<int> own_threads{0};
  /// Those of them that run code of the module's now, for whoever wants to know where they are.
  void add_own_thread(std::shared_ptr<CallingThread> thread);
  void remove_own_thread(const CallingThread* thread);
  std::vector<std::shared_ptr<CallingThread>> running_own_threads();

  /// A thread-specific key that code of this version made: deleted with the version.
  struct ThreadKey {
    pthread_key_t key;
    void (*destructor)(void*);  ///< the version's code; may be null
  };
  void add_thread_key(ThreadKey key);
  std::vector<ThreadKey> thread_keys();
  /// The module deleted it itself.
  void forget_thread_key(pthread_key_t key);

 private:
  const uint64_t id_;
  std::atomic<VersionState> state_{VersionState::linked};
  std::mutex mutex_;
  std::vector<ThreadKey> thread_keys_;                           // guarded by mutex_
  std::vector<std::shared_ptr<CallingThread>> running_threads_;  // guarded by mutex_
  EmulatedTls tls_;
  const std::unique_ptr<cweb_context> context_;
  OutputFiles output_files_;
  std::unique_ptr<ModuleHeap> heap_;
  std::unique_ptr<CodeImage> image_;
};

}  // namespace cweb::runtime
