#include "mgnt/failed_keys.h"

#include <algorithm>
#include <functional>
#include <string_view>

namespace cweb::mgnt {

using std::chrono::nanoseconds;

nanoseconds FailedKeys::wait_time(const net::PeerAddress& address, nanoseconds now) const {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(network_of(address));
  if (found == index_.end()) return nanoseconds(0);
  // One attempt is there as soon as no more than the others are missing.
  return std::max(nanoseconds(0), found->second->full_at - now - (burst - 1) * refill_time);
}

void FailedKeys::note(const net::PeerAddress& address, nanoseconds now) {
  const Network network = network_of(address);
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(network);
  if (found != index_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
  } else {
    if (entries_.size() == max_addresses) {
      index_.erase(entries_.back().network);
      entries_.pop_back();
    }
    entries_.push_front({network, now});
    index_.emplace(network, entries_.begin());
  }
  Entry& entry = entries_.front();
  entry.full_at = std::max(entry.full_at, now) + refill_time;
}

size_t FailedKeys::addresses() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

size_t FailedKeys::Hash::operator()(const Network& network) const {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(network.data()), network.size()});
}

FailedKeys::Network FailedKeys::network_of(const net::PeerAddress& address) {
  // Whoever is on this machine has all of 127.0.0.0/8 to speak from.
  if (address.is_loopback()) return {};
  Network network = address.bytes();
  if (!address.is_ipv4()) std::fill(network.begin() + 8, network.end(), uint8_t{0});
  return network;
}

}  // namespace cweb::mgnt
