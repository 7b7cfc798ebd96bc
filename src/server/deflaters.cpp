#include "server/deflaters.h"

#include <memory>
#include <mutex>
#include <vector>

#include "http/websocket_deflate.h"

namespace cweb::server {
namespace {

constexpr int usual_window_bits = 15;

/// Those with the usual window that nobody uses now.
class Spares {
 public:
  std::unique_ptr<http::MessageDeflater> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!spares_.empty()) {
        auto spare = std::move(spares_.back());
        spares_.pop_back();
        return spare;
      }
    }
    return std::make_unique<http::MessageDeflater>(usual_window_bits);
  }
  void give_back(std::unique_ptr<http::MessageDeflater> spare) {
    const std::lock_guard lock(mutex_);
    if (spares_.size() < most_kept) spares_.push_back(std::move(spare));
  }

 private:
  static constexpr size_t most_kept = 16;
  std::mutex mutex_;
  std::vector<std::unique_ptr<http::MessageDeflater>> spares_;
};

Spares& spares() {
  // Never destroyed: threads of modules may still send while the process ends.
  static Spares* const spares = new Spares();
  return *spares;
}

}  // namespace

std::string deflate(std::string_view message, int window_bits) {
  std::string payload;
  if (window_bits != usual_window_bits) {
    http::MessageDeflater(window_bits).deflate(message, payload);
    return payload;
  }
  auto deflater = spares().take();
  deflater->deflate(message, payload);
  spares().give_back(std::move(deflater));
  return payload;
}

}  // namespace cweb::server
