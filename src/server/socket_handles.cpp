#include "server/socket_handles.h"

#include <sched.h>
#include <sys/mman.h>

#include <new>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "runtime/websocket_host.h"
#include "server/websocket.h"

namespace cweb::server {
namespace {

/// Sockets that were closed within the last hour, at most: 256 MiB. Beyond that a place is used again sooner.
constexpr uint32_t most = 4 << 20;
constexpr uint32_t rest_s = 3600;

uint32_t now_s() {
  return static_cast<uint32_t>(monotonic_ms() / 1000);
}

/// Held for a few instructions.
class SpinLock {
 public:
  explicit SpinLock(std::atomic<bool>& taken) : taken_(taken) {
    while (taken_.exchange(true, std::memory_order_acquire)) sched_yield();
  }
  ~SpinLock() { taken_.store(false, std::memory_order_release); }
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

 private:
  std::atomic<bool>& taken_;
};

}  // namespace

/// What the module sees comes first.
struct alignas(64) SocketHandles::Handle : websocket {
  std::shared_ptr<WebSocket> socket;  // guarded by taken
  std::atomic<uint64_t> id{0};
  std::atomic<bool> taken{false};
};

SocketHandles::SocketHandles() {
  static_assert(sizeof(Handle) == 64);
  void* const address = mmap(nullptr, size_t{most} * sizeof(Handle), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  // Without the addresses there are no sockets; the server does without.
  if (address != MAP_FAILED) handles_ = static_cast<Handle*>(address);
}

SocketHandles::~SocketHandles() {
  if (handles_ == nullptr) return;
  for (uint32_t i = 0; i < used_.load(); ++i) std::destroy_at(&handles_[i]);
  munmap(handles_, size_t{most} * sizeof(Handle));
}

uint32_t SocketHandles::take_place() {
  const std::lock_guard lock(mutex_);
  const bool rested = !closed_.empty() && now_s() - closed_.front().at_s > rest_s;
  const uint32_t used = used_.load(std::memory_order_relaxed);
  if (!rested && used < most) {
    new (&handles_[used]) Handle();
    used_.store(used + 1, std::memory_order_release);
    return used;
  }
  if (closed_.empty()) return most;
  const uint32_t index = closed_.front().index;
  closed_.pop_front();
  return index;
}

websocket* SocketHandles::take(std::shared_ptr<WebSocket> socket, uint64_t id, int client_fd) {
  const uint32_t place = handles_ == nullptr ? most : take_place();
  if (place == most) return nullptr;
  Handle& handle = handles_[place];
  handle.id.store(id, std::memory_order_relaxed);
  handle.session = nullptr;
  handle.client_fd = client_fd;
  handle.send = runtime::send_text;
  handle.close = runtime::close_normally;
  const SpinLock lock(handle.taken);
  handle.socket = std::move(socket);
  return &handle;
}

void SocketHandles::give_back(const websocket* given) {
  Handle* const handle = handle_of(given);
  CWEB_ASSERT(handle != nullptr);
  std::shared_ptr<WebSocket> socket;  // destroyed without the lock
  {
    const SpinLock lock(handle->taken);
    socket = std::move(handle->socket);
  }
  const std::lock_guard lock(mutex_);
  closed_.push_back({static_cast<uint32_t>(handle - handles_), now_s()});
}

std::shared_ptr<WebSocket> SocketHandles::find(const websocket* given) const {
  Handle* const handle = handle_of(given);
  if (handle == nullptr) return nullptr;
  const SpinLock lock(handle->taken);
  return handle->socket;
}

uint64_t SocketHandles::id_of(const websocket* given) const {
  const Handle* const handle = handle_of(given);
  return handle == nullptr ? 0 : handle->id.load(std::memory_order_relaxed);
}

SocketHandles::Handle* SocketHandles::handle_of(const websocket* given) const {
  const uintptr_t offset = reinterpret_cast<uintptr_t>(given) - reinterpret_cast<uintptr_t>(handles_);
  if (handles_ == nullptr || offset % sizeof(Handle) != 0) return nullptr;
  const size_t index = offset / sizeof(Handle);
  return index < used_.load(std::memory_order_acquire) ? &handles_[index] : nullptr;
}

}  // namespace cweb::server
