// How often an address may be wrong about the key: a bucket of attempts for each address, which wrong keys empty and
// time fills. Time is the caller's, so that a test needs no patience.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>

#include "net/peer_address.h"

namespace cweb::mgnt {

/// Thread-safe. An IPv6 address stands for its /64, the least that anybody is given, and all loopback addresses are
/// one. This machine is counted like any other: whoever guesses may be another user of it, or a proxy in front of the
/// world.
class FailedKeys {
 public:
  static constexpr int64_t burst = 10;  ///< wrong keys in a row until an address has to wait
  static constexpr std::chrono::nanoseconds refill_time = std::chrono::seconds(6);  ///< for one more attempt
  /// Beyond these the address is forgotten that was wrong longest ago. About half a megabyte.
  static constexpr size_t max_addresses = 4096;

  /// How long this address has to wait before another key of it is looked at; 0: it does not. Times are of
  /// CLOCK_MONOTONIC.
  std::chrono::nanoseconds wait_time(const net::PeerAddress& address, std::chrono::nanoseconds now) const;

  /// A key of this address was wrong. Attempts that are looked at at the same time may take more than is there; the
  /// address waits for those as well.
  void note(const net::PeerAddress& address, std::chrono::nanoseconds now);

  size_t addresses() const;

 private:
  using Network = std::array<uint8_t, 16>;
  struct Entry {
    Network network;
    std::chrono::nanoseconds full_at;  ///< when the bucket has all its attempts again
  };
  struct Hash {
    size_t operator()(const Network& network) const;
  };
  static Network network_of(const net::PeerAddress& address);

  mutable std::mutex mutex_;
  std::list<Entry> entries_;                                             // guarded by mutex_; the latest in front
  std::unordered_map<Network, std::list<Entry>::iterator, Hash> index_;  // guarded by mutex_
};

}  // namespace cweb::mgnt
