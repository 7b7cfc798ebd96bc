#include "server/deflaters.h"

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "http/websocket_deflate.h"

namespace cweb::server {
namespace {

constexpr int least_window_bits = 9;
constexpr size_t window_sizes = 15 - least_window_bits + 1;

/// Those that nobody uses now.
class Spares {
 public:
  std::unique_ptr<http::MessageDeflater> take(int window_bits) {
    {
      const std::lock_guard lock(mutex_);
      auto& spares = spares_of(window_bits);
      if (!spares.empty()) {
        auto spare = std::move(spares.back());
        spares.pop_back();
        return spare;
      }
    }
    return std::make_unique<http::MessageDeflater>(window_bits);
  }
  void give_back(int window_bits, std::unique_ptr<http::MessageDeflater> spare) {
    const std::lock_guard lock(mutex_);
    auto& spares = spares_of(window_bits);
    if (spares.size() < most_kept) spares.push_back(std::move(spare));
  }

 private:
  using List = std::vector<std::unique_ptr<http::MessageDeflater>>;
  List& spares_of(int window_bits) { return spares_.at(static_cast<size_t>(window_bits - least_window_bits)); }

  static constexpr size_t most_kept = 8;
  std::mutex mutex_;
  std::array<List, window_sizes> spares_;  // guarded by mutex_
};

Spares& spares() {
  // Never destroyed: threads of modules may still send while the process ends.
  static Spares* const spares = new Spares();
  return *spares;
}

}  // namespace

std::string deflate(std::string_view message, int window_bits) {
  std::string payload;
  auto deflater = spares().take(window_bits);
  deflater->deflate(message, payload);
  spares().give_back(window_bits, std::move(deflater));
  return payload;
}

}  // namespace cweb::server
