#include "cli/server_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cweb::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ServerUrl, has_one_form_however_it_is_written) {
  for (const char* text : {"http://localhost:8080", "http://localhost:8080/", "HTTP://LocalHost:8080/mgnt",
                           "http://localhost:8080/mgnt/", "http://localhost:08080//"}) {
    EXPECT_EQ(parse_server_url(text), "http://localhost:8080") << text;
  }
  EXPECT_EQ(parse_server_url("http://example.com"), "http://example.com:80");
  EXPECT_EQ(parse_server_url("https://example.com/mgnt"), "https://example.com:443");
  EXPECT_EQ(parse_server_url("https://[::1]:8443"), "https://[::1]:8443");
  EXPECT_EQ(parse_server_url("https://[::1]"), "https://[::1]:443");
}

TEST(ServerUrl, that_is_none_is_explained) {
  const auto sentence = [](const char* text) {
    const auto url = parse_server_url(text);
    EXPECT_FALSE(url) << text << ": " << *url;
    return url ? "" : url.error().message;
  };
  EXPECT_THAT(sentence(""), HasSubstr("is empty"));
  EXPECT_THAT(sentence("localhost:8080"), HasSubstr("has no scheme: write http://localhost:8080 or https://"));
  EXPECT_THAT(sentence("ftp://localhost"), HasSubstr("neither http:// nor https://"));
  EXPECT_THAT(sentence("http://localhost:8080/cweb"), HasSubstr("has a path"));
  EXPECT_THAT(sentence("http://localhost:8080/mgnt?x=1"), HasSubstr("has a path"));
  EXPECT_THAT(sentence("http://user:secret@localhost"), HasSubstr("user name or password"));
  EXPECT_THAT(sentence("http://user:secret@localhost"), Not(HasSubstr("secret")));
  EXPECT_THAT(sentence("http://"), HasSubstr("no host name"));
  EXPECT_THAT(sentence("http://a b"), HasSubstr("no host name"));
  EXPECT_THAT(sentence("http://[::1"), HasSubstr("no host name"));
  EXPECT_THAT(sentence("http://a\r\nX: y"), HasSubstr("no host name"));
  for (const char* text : {"http://a:", "http://a:0", "http://a:65536", "http://a:8x", "http://::1:80"}) {
    EXPECT_THAT(sentence(text), HasSubstr("the server's URL")) << text;
  }
  EXPECT_THAT(sentence("http://a\033[2J"), Not(HasSubstr("\033")));
}

TEST(ServerUrl, of_this_machine_is_known_by_its_host_alone) {
  for (const char* url : {"http://localhost:80", "https://127.0.0.1:1", "http://127.9.9.9:1", "http://[::1]:80"}) {
    EXPECT_TRUE(is_loopback_url(url)) << url;
  }
  for (const char* url : {"http://localhost.example.com:80", "http://127.0.0.1.example.com:80", "http://10.0.0.1:80",
                          "http://127.example.com:80", "http://[::2]:80"}) {
    EXPECT_FALSE(is_loopback_url(url)) << url;
  }
}

TEST(PercentEncoding, leaves_what_every_path_may_hold) {
  EXPECT_EQ(percent_encoded("counter-2_a.b~"), "counter-2_a.b~");
  EXPECT_EQ(percent_encoded("a/b c+%?#\xc3\xa4"), "a%2Fb%20c%2B%25%3F%23%C3%A4");
}

}  // namespace
}  // namespace cweb::cli
