#include "mgnt/admin_key.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

namespace cweb::mgnt {

Expected<AdminKey> AdminKey::create(std::string_view text, bool production, std::string_view what) {
  if (text.empty()) return fail(fmt::format("{} is empty: set it to a secret, or do not set it at all", what));
  if (text.size() > longest) return fail(fmt::format("{} has more than {} characters", what, longest));
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; })) {
    return fail(fmt::format("{} may have letters, digits and punctuation of ASCII only: it travels in a header", what));
  }
  if (production && text.size() < shortest_in_production) {
    return fail(fmt::format("in production {} needs at least {} characters; `openssl rand -hex 32` makes one", what,
                            shortest_in_production));
  }
  return AdminKey(text);
}

bool AdminKey::matches(std::string_view sent) const {
  const Digest digest = digest_of(sent);
  return CRYPTO_memcmp(digest.data(), digest_.data(), digest.size()) == 0;
}

AdminKey::Digest AdminKey::digest_of(std::string_view text) {
  Digest digest{};
  unsigned length = 0;
  CWEB_ASSERT(EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1);
  CWEB_ASSERT(length == digest.size());
  return digest;
}

}  // namespace cweb::mgnt
