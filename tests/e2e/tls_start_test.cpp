// What the server says and does at its start about TLS, with the exit code that scripts look at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "child_process.h"
#include "http_client.h"
#include "https_server.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing_support::CertificatePair;
using testing_support::make_certificate;
using testing_support::TemporaryDirectory;
using Key = testing_support::CertificateWish::Key;

constexpr const char* admin_key = "CWEB_ADMIN_KEY=0123456789abcdef0123456789";

/// Runs `cweb serve` in this directory until it ends by itself.
Finished serve(std::vector<std::string> options, const std::string& directory = ".") {
  std::vector<std::string> command{"env", "-C", directory, admin_key, cweb_binary(), "serve", "--port", "0"};
  command.insert(command.end(), options.begin(), options.end());
  return run_program(command);
}

/// The start is refused with this exit code, and one sentence that has this in it.
void expect_refused(const Finished& finished, int exit_code, const std::string& says) {
  EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
  // In production it is a line of the JSON log.
  EXPECT_THAT(finished.err, AllOf(AnyOf(HasSubstr("cweb: "), HasSubstr("\"level\":\"error\"")), HasSubstr(says),
                                  Not(HasSubstr("serving"))));
}

TEST(TlsStartTest, options_that_contradict_each_other_are_usage_errors) {
  const CertificateFolder folder;
  expect_refused(serve({"--cert", folder.certificate()}), 2, "--cert and --key belong together");
  expect_refused(serve({"--key", folder.key()}), 2, "--cert and --key belong together");
  expect_refused(serve(folder.options({"--plain-http"})), 2, "exclude each other");
  expect_refused(serve({"--redirect-http", "0"}), 2, "--redirect-http leads to HTTPS");
  expect_refused(serve({"--hsts", "60"}), 2, "--hsts is for HTTPS alone");
  expect_refused(serve({"--hsts", "-1"}), 2, "--hsts");
  expect_refused(serve({"--redirect-http", "65536"}), 2, "--redirect-http");
}

TEST(TlsStartTest, what_cannot_be_used_is_named_with_and_without_a_parent) {
  const CertificateFolder folder;
  const CertificatePair pair = make_certificate();
  const auto refused = [&](const CertificatePair& put, const std::string& says) {
    folder.put(put);
    for (const char* option : {"--no-supervisor", "--compile-in-process"}) {
      const Finished finished = serve(folder.options({option}));
      expect_refused(finished, 2, says);
      EXPECT_THAT(finished.err, HasSubstr(folder.directory().path()));
    }
  };
  refused(make_certificate({.passphrase = "secret"}), "is encrypted");
  refused({pair.certificate, make_certificate().key}, "is not the one of the certificate");
  refused({pair.key, pair.certificate}, "wrong way round");
  refused({"nothing", pair.key}, "holds no certificate in PEM form");
  refused(make_certificate({.key = Key::rsa_1024}), "2048 bits");
  std::filesystem::remove(folder.key());
  expect_refused(serve(folder.options()), 2, "server.key cannot be read: No such file");
}

TEST(TlsStartTest, an_expired_certificate_is_served_with_a_warning_that_names_it) {
  const CertificateFolder folder({.begins_in_days = -20, .ends_in_days = -10});
  ServerProcess server(folder.options());
  EXPECT_THAT(server.log(), AllOf(HasSubstr(folder.certificate()), HasSubstr("has expired on")));
  EXPECT_EQ(HttpClient(server.port(), "https").get("/mgnt/health").status, 200);
}

TEST(TlsStartTest, the_ready_line_and_the_log_say_https) {
  const CertificateFolder folder;
  ServerProcess server(folder.options({"--redirect-http", "0"}));
  EXPECT_THAT(server.ready_line(), AllOf(HasSubstr(R"("scheme":"https")"), HasSubstr("\"redirect_port\":")));
  EXPECT_THAT(server.log(), HasSubstr("https://127.0.0.1:"));
  ServerProcess plain;
  EXPECT_THAT(plain.ready_line(), AllOf(HasSubstr(R"("scheme":"http")"), Not(HasSubstr("redirect_port"))));
}

TEST(TlsStartTest, production_without_tls_does_not_start_and_says_how_to_make_a_certificate) {
  const TemporaryDirectory empty;
  const Finished finished = serve({"--production"}, empty.path());
  expect_refused(finished, 2, "production needs TLS");
  EXPECT_THAT(finished.err, AllOf(HasSubstr("openssl req -x509"), HasSubstr("--plain-http")));
}

TEST(TlsStartTest, production_takes_the_pair_of_the_working_directory_and_misses_a_half) {
  const CertificateFolder folder;
  std::filesystem::rename(folder.key(), folder.key() + ".away");
  expect_refused(serve({"--production"}, folder.directory().path()), 2, "server.key cannot be read");
  std::filesystem::rename(folder.key() + ".away", folder.key());
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.directory().path());
  ServerProcess server({"--production"}, {admin_key});
  std::filesystem::current_path(before);
  EXPECT_EQ(server.scheme(), "https");
  EXPECT_EQ(HttpClient(server.port(), "https").get("/mgnt/health").status, 200);
}

TEST(TlsStartTest, production_behind_a_proxy_speaks_plain_http_when_told_to) {
  ServerProcess server({"--production", "--plain-http"}, {admin_key});
  EXPECT_EQ(server.scheme(), "http");
  EXPECT_EQ(HttpClient(server.port()).get("/mgnt/health").status, 200);
}

}  // namespace
}  // namespace cweb::e2e
