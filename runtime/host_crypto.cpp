// The signatures of cweb.h, for C.
#include <cweb.h>

#include "runtime/fault_guard.h"
#include "runtime/host_functions.h"
#include "runtime/host_memory_check.h"
#include "runtime/host_objects.h"
#include "runtime/primitives.h"

namespace cweb::runtime {
namespace {

static_assert(CWEB_SIGNATURE_SIZE == TokenSigner::signature_length + 1);

int host_sign_token(const char* token, char* out, unsigned out_len) {
  Primitives* const all = primitives();
  if (all == nullptr || token == nullptr || out == nullptr || out_len < CWEB_SIGNATURE_SIZE) return -1;
  const std::string_view text(token, read_through(token));
  TokenSigner::Signature signature{};
  {
    const HostSection section;
    if (!all->signer->sign(text, signature)) return -1;
  }
  std::memcpy(out, signature.data(), signature.size());
  out[signature.size()] = 0;
  return 0;
}

int host_verify_token(const char* signature, char* token, size_t token_len) {
  Primitives* const all = primitives();
  if (all == nullptr || signature == nullptr || token == nullptr) return -1;
  const std::string_view given(signature, strnlen(signature, CWEB_SIGNATURE_SIZE));
  const std::string_view text(token, strnlen(token, token_len));
  const HostSection section;
  return all->signer->verify(given, text) ? 0 : -1;
}

}  // namespace

void fill_in(struct crypto& crypto, struct crypto_ops& operations) {
  operations = {.sign_token = host_sign_token, .verify_token = host_verify_token};
  crypto = {.ops = &operations, .sign_token = host_sign_token, .verify_token = host_verify_token};
}

std::span<const HostSymbol> crypto_functions() {
  static const HostSymbol functions[] = {{"crypto", const_cast<struct crypto**>(&host_objects().crypto)}};
  return functions;
}

}  // namespace cweb::runtime
