// What somebody else's scanner finds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "child_process.h"
#include "https_server.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;
using Key = testing_support::CertificateWish::Key;

class TlsScanTest : public testing::TestWithParam<Key> {};

TEST_P(TlsScanTest, finds_no_old_version_no_weak_cipher_and_no_renegotiation) {
  const CertificateFolder folder({.key = GetParam()});
  ServerProcess server(folder.options());
  const Finished scan = run_program({"sslscan", "--no-colour", "127.0.0.1:" + std::to_string(server.port())});
  ASSERT_EQ(scan.exit_code, 0) << scan.err << "\nis sslscan missing? cmake/install-dependencies test";
  for (const char* version : {"SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"}) {
    EXPECT_TRUE(std::regex_search(scan.out, std::regex(std::string(version) + " +disabled"))) << version << scan.out;
  }
  for (const char* version : {"TLSv1.2", "TLSv1.3"}) {
    EXPECT_TRUE(std::regex_search(scan.out, std::regex(std::string(version) + " +enabled"))) << version << scan.out;
  }
  EXPECT_THAT(scan.out, HasSubstr("Session renegotiation not supported"));
  EXPECT_THAT(scan.out, Not(HasSubstr("Compression enabled")));
  EXPECT_THAT(scan.out, HasSubstr("Server supports TLS Fallback SCSV"));
  EXPECT_THAT(scan.out, Not(HasSubstr("Insecure")));
  const std::regex accepted("(?:Preferred|Accepted) +(TLSv1\\.[0-9]) +[0-9]+ bits +(\\S+)");
  int ciphers = 0;
  for (auto at = std::sregex_iterator(scan.out.begin(), scan.out.end(), accepted); at != std::sregex_iterator(); ++at) {
    ++ciphers;
    EXPECT_TRUE(std::regex_match((*at)[2].str(), std::regex("TLS_.*(GCM|POLY1305).*|ECDHE-.*(GCM|POLY1305).*")))
        << (*at)[2];
  }
  EXPECT_GE(ciphers, 6) << scan.out;
}

INSTANTIATE_TEST_SUITE_P(Keys, TlsScanTest, testing::Values(Key::ec_p256, Key::rsa_2048),
                         [](const auto& info) { return info.param == Key::ec_p256 ? "ecdsa" : "rsa"; });

}  // namespace
}  // namespace cweb::e2e
