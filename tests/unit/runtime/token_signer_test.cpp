#include "runtime/token_signer.h"

#include <gtest/gtest.h>

#include <string>

namespace cweb::runtime {
namespace {

std::string signature_of(const TokenSigner& signer, std::string_view text) {
  TokenSigner::Signature signature{};
  EXPECT_TRUE(signer.sign(text, signature));
  return {signature.data(), signature.size()};
}

TEST(TokenSignerTest, is_hmac_sha256_in_base64url) {
  // RFC 4231, test case 2 has a key of 4 bytes; HMAC fills keys up with zeros.
  const TokenSigner::Key key{'J', 'e', 'f', 'e'};
  const auto signer = *TokenSigner::create(key);
  EXPECT_EQ(signature_of(*signer, "what do ya want for nothing?"), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM");
}

TEST(TokenSignerTest, takes_its_own_signature_of_the_text_and_no_other) {
  const auto signer = *TokenSigner::create(*TokenSigner::make_key());
  const std::string text = "user=ann", signature = signature_of(*signer, text);
  EXPECT_TRUE(signer->verify(signature, text));
  for (size_t i = 0; i < signature.size(); ++i) {
    std::string changed = signature;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    // The last letter has two bits that stand for nothing; they are not free to choose either.
    EXPECT_FALSE(signer->verify(changed, text)) << i;
  }
  EXPECT_FALSE(signer->verify(signature, "user=bob"));
  EXPECT_FALSE(signer->verify(signature, ""));
  EXPECT_FALSE(signer->verify("", text));
  EXPECT_FALSE(signer->verify(signature.substr(1), text));
  EXPECT_FALSE(signer->verify(signature + "A", text));
  EXPECT_TRUE(signer->verify(signature_of(*signer, ""), ""));
}

TEST(TokenSignerTest, another_key_makes_another_signature) {
  const auto one = *TokenSigner::create(*TokenSigner::make_key()),
             other = *TokenSigner::create(*TokenSigner::make_key());
  EXPECT_FALSE(other->verify(signature_of(*one, "text"), "text"));
}

}  // namespace
}  // namespace cweb::runtime
