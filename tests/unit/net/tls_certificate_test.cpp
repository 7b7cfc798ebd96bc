// What is wrong with a certificate or a key is said in a sentence with the file's name in it.
#include "net/tls_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "certificates.h"
#include "net/tls_context.h"
#include "net/tls_credentials.h"

namespace cweb::net {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::CertificatePair;
using testing_support::make_certificate;
using testing_support::TemporaryDirectory;
using Key = testing_support::CertificateWish::Key;

class TlsCertificateTest : public testing::Test {
 protected:
  /// What creating a context of the two texts fails with; empty when it does not.
  std::string fault_of(const std::string& certificate, const std::string& key) {
    directory_.write("a.crt", certificate);
    directory_.write("a.key", key);
    return fault();
  }
  std::string fault() const {
    const auto context = TlsContext::create(library_.get(), files());
    return context ? "" : context.error().message;
  }
  CertificateFiles files() const { return {.certificate = directory_.path("a.crt"), .key = directory_.path("a.key")}; }

  const TlsLibrary library_ = make_tls_library();
  const TemporaryDirectory directory_;
  const CertificatePair pair_ = make_certificate();
};

TEST_F(TlsCertificateTest, pairs_of_both_kinds_are_taken) {
  EXPECT_EQ(fault_of(pair_.certificate, pair_.key), "");
  const CertificatePair rsa = make_certificate({.key = Key::rsa_2048});
  EXPECT_EQ(fault_of(rsa.certificate, rsa.key), "");
}

TEST_F(TlsCertificateTest, the_certificates_of_signers_may_follow_and_damaged_ones_are_told) {
  const std::string signer = make_certificate({.common_name = "signer"}).certificate;
  EXPECT_EQ(fault_of(pair_.certificate + "some words in between\n" + signer, pair_.key), "");
  std::string damaged = signer;
  damaged.replace(damaged.size() / 2, 4, "!!!!");
  EXPECT_THAT(fault_of(pair_.certificate + damaged, pair_.key), AllOf(HasSubstr("a.crt"), HasSubstr("is damaged")));
}

TEST_F(TlsCertificateTest, a_file_that_is_not_there_or_no_file_is_named_with_the_reason) {
  EXPECT_THAT(fault(), AllOf(HasSubstr("a.crt cannot be read"), HasSubstr("No such file")));
  directory_.write("a.crt", pair_.certificate);
  EXPECT_THAT(fault(), AllOf(HasSubstr("a.key cannot be read"), HasSubstr("No such file")));
  ASSERT_EQ(mkdir(directory_.path("a.key").c_str(), 0700), 0);
  EXPECT_THAT(fault(), AllOf(HasSubstr("a.key"), HasSubstr("no ordinary file")));
}

TEST_F(TlsCertificateTest, a_pipe_without_a_writer_holds_nobody_up) {
  ASSERT_EQ(mkfifo(directory_.path("a.crt").c_str(), 0600), 0);
  EXPECT_THAT(fault(), AllOf(HasSubstr("a.crt"), HasSubstr("no ordinary file")));
}

TEST_F(TlsCertificateTest, what_is_no_pem_is_told_what_pem_looks_like) {
  EXPECT_THAT(fault_of("", pair_.key), AllOf(HasSubstr("a.crt"), HasSubstr("-----BEGIN CERTIFICATE-----")));
  EXPECT_THAT(fault_of(pair_.certificate, "no key"),
              AllOf(HasSubstr("a.key"), HasSubstr("-----BEGIN PRIVATE KEY-----")));
  EXPECT_THAT(fault_of(std::string((size_t{1} << 20) + 1, 'x'), pair_.key), HasSubstr("larger than 1 MiB"));
}

TEST_F(TlsCertificateTest, the_wrong_way_round_is_recognised) {
  EXPECT_THAT(fault_of(pair_.key, pair_.certificate), AllOf(HasSubstr("a.crt"), HasSubstr("wrong way round")));
  EXPECT_THAT(fault_of(pair_.certificate, pair_.certificate), AllOf(HasSubstr("a.key"), HasSubstr("wrong way round")));
}

TEST_F(TlsCertificateTest, an_encrypted_key_is_refused_with_the_way_to_decrypt_it) {
  const CertificatePair encrypted = make_certificate({.passphrase = "secret"});
  EXPECT_THAT(fault_of(encrypted.certificate, encrypted.key),
              AllOf(HasSubstr("a.key is encrypted"), HasSubstr("openssl pkey -in")));
}

TEST_F(TlsCertificateTest, a_key_of_another_certificate_is_no_pair) {
  EXPECT_THAT(fault_of(pair_.certificate, make_certificate().key),
              AllOf(HasSubstr("a.key is not the one of"), HasSubstr("a.crt")));
  EXPECT_THAT(fault_of(pair_.certificate, make_certificate({.key = Key::rsa_2048}).key),
              HasSubstr("is not the one of"));
}

TEST_F(TlsCertificateTest, a_damaged_key_is_told) {
  std::string damaged = pair_.key;
  damaged.replace(damaged.size() / 2, 6, "######");
  EXPECT_THAT(fault_of(pair_.certificate, damaged), AllOf(HasSubstr("a.key"), HasSubstr("is damaged")));
}

TEST_F(TlsCertificateTest, a_short_key_is_refused_with_the_length_that_is_needed) {
  const CertificatePair weak = make_certificate({.key = Key::rsa_1024});
  EXPECT_THAT(fault_of(weak.certificate, weak.key), AllOf(HasSubstr("a.crt"), HasSubstr("2048 bits")));
}

TEST_F(TlsCertificateTest, dates_and_rights_are_warnings) {
  const auto warnings_of = [&](const CertificatePair& pair) {
    EXPECT_EQ(fault_of(pair.certificate, pair.key), "");
    return (*TlsContext::create(library_.get(), files()))->warnings();
  };
  EXPECT_THAT(warnings_of(pair_), IsEmpty());
  EXPECT_THAT(warnings_of(make_certificate({.begins_in_days = -20, .ends_in_days = -10})),
              ElementsAre(AllOf(HasSubstr("a.crt"), HasSubstr("has expired on 20"))));
  EXPECT_THAT(warnings_of(make_certificate({.begins_in_days = 10, .ends_in_days = 20})),
              ElementsAre(AllOf(HasSubstr("a.crt"), HasSubstr("is not valid before 20"))));
  ASSERT_EQ(chmod(directory_.path("a.key").c_str(), 0644), 0);
  EXPECT_THAT(warnings_of(pair_), ElementsAre(AllOf(HasSubstr("a.key"), HasSubstr("chmod 600"))));
}

TEST_F(TlsCertificateTest, a_renewal_takes_what_can_be_used_and_else_leaves_all_as_it_was) {
  ASSERT_EQ(fault_of(pair_.certificate, pair_.key), "");
  const auto credentials = TlsCredentials::load(files());
  ASSERT_TRUE(credentials);
  const auto first = (*credentials)->current();
  EXPECT_EQ(*(*credentials)->renew(), TlsCredentials::Renewal::unchanged);
  EXPECT_EQ((*credentials)->current(), first);
  const CertificatePair next = make_certificate();
  directory_.write("a.crt", next.certificate);
  EXPECT_FALSE((*credentials)->renew()) << "half of a pair was taken";
  EXPECT_EQ((*credentials)->current(), first);
  directory_.write("a.key", next.key);
  EXPECT_EQ(*(*credentials)->renew(), TlsCredentials::Renewal::renewed);
  EXPECT_NE((*credentials)->current(), first);
}

}  // namespace
}  // namespace cweb::net
