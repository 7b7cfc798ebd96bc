// A key of /mgnt. The admin key is what a request has to know when it does not come straight from this machine, or when
// a key is set; the read key opens less. Only its digest is kept, so that neither a core file nor a module that reads
// wildly finds the key here.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/error.h"

namespace cweb::mgnt {

class AdminKey {
 public:
  /// In production, where the key is all that stands between the network and the account.
  static constexpr size_t shortest_in_production = 16;
  /// A longer one would come near the bound on a request's headers.
  static constexpr size_t longest = 4096;

  /// Fails with what is wrong with the text: empty, too short, too long, or with characters that a header's value
  /// cannot carry unchanged. The message does not show the text; `what` is what it calls the key.
  static Expected<AdminKey> create(std::string_view text, bool production, std::string_view what = "the admin key");

  /// Takes the same time wherever the two differ, and whatever the key's length is: digests are compared.
  bool matches(std::string_view sent) const;
  bool operator==(const AdminKey& other) const = default;

 private:
  using Digest = std::array<unsigned char, 32>;
  static Digest digest_of(std::string_view text);

  explicit AdminKey(std::string_view text) : digest_(digest_of(text)) {}

  Digest digest_;
};

}  // namespace cweb::mgnt
