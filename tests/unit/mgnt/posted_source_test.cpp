#include "mgnt/posted_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cweb::mgnt {
namespace {

using testing::HasSubstr;

constexpr const char* urlencoded = "application/x-www-form-urlencoded";

server::ManagementRequest post(std::string content_type, std::string body) {
  server::ManagementRequest request;
  request.method = "POST";
  request.path = "/mgnt";
  request.headers = {{"Host", "localhost:8080"}};
  if (!content_type.empty()) request.headers.emplace_back("Content-Type", std::move(content_type));
  request.body = std::move(body);
  return request;
}

TEST(PostedSource, is_the_body_itself_under_any_content_type) {
  for (const char* type : {"", "text/plain", "text/x-c; charset=utf-8", urlencoded, "nonsense"}) {
    const auto posted = read_posted_source(post(type, "int a;\nint b;\n"));
    ASSERT_TRUE(posted) << type;
    EXPECT_EQ(posted->code, "int a;\nint b;\n") << type;
    EXPECT_FALSE(posted->repaired);
  }
}

TEST(PostedSource, is_the_field_code_of_a_multipart_form) {
  const auto posted =
      read_posted_source(post("multipart/form-data; boundary=b",
                              "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n"
                              "--b\r\nContent-Disposition: form-data; name=\"code\"; filename=\"a.c\"\r\n"
                              "Content-Type: application/octet-stream\r\n\r\nint a;\n\r\n--b--\r\n"));
  ASSERT_TRUE(posted) << posted.error().message;
  EXPECT_EQ(posted->code, "int a;\n");
}

TEST(PostedSource, is_the_field_code_of_an_urlencoded_form) {
  const auto posted = read_posted_source(post(urlencoded, "code=int+a%3B%0Aint+b%3B%0A&x=1"));
  ASSERT_TRUE(posted) << posted.error().message;
  EXPECT_EQ(posted->code, "int a;\nint b;\n");
}

TEST(PostedSource, gets_its_newlines_back_after_curl_d) {
  const auto posted = read_posted_source(post(urlencoded, "#include <cweb.h>int a;"));
  ASSERT_TRUE(posted) << posted.error().message;
  EXPECT_TRUE(posted->repaired);
  EXPECT_THAT(posted->code, HasSubstr("#include <cweb.h>\n"));
}

TEST(PostedSource, is_repaired_only_when_the_body_came_as_curl_d_sends_it) {
  const auto posted = read_posted_source(post("text/plain", "#include <cweb.h>int a;"));
  ASSERT_TRUE(posted);
  EXPECT_FALSE(posted->repaired);
}

TEST(PostedSource, that_cannot_be_repaired_is_a_422_that_names_a_way_that_works) {
  const auto posted = read_posted_source(post(urlencoded, "#include <cweb.h>// a comment int a;"));
  ASSERT_FALSE(posted);
  EXPECT_EQ(posted.error().status, 422);
  EXPECT_THAT(posted.error().message, HasSubstr("--data-binary"));
}

TEST(PostedSource, of_nothing_is_a_400_that_shows_a_working_command) {
  for (const auto& request :
       {post("", ""), post(urlencoded, "code="),
        post("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=code\r\n\r\n\r\n--b--")}) {
    const auto posted = read_posted_source(request);
    ASSERT_FALSE(posted);
    EXPECT_EQ(posted.error().status, 400);
    EXPECT_THAT(posted.error().message, HasSubstr("curl --data-binary @modules/counter.c http://localhost:8080/mgnt"));
  }
}

TEST(PostedSource, of_a_broken_form_is_a_400) {
  for (const auto& request :
       {post("multipart/form-data", "x"), post("multipart/form-data; boundary=b", "--b"),
        post("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--b--")}) {
    const auto posted = read_posted_source(request);
    ASSERT_FALSE(posted);
    EXPECT_EQ(posted.error().status, 400);
  }
}

TEST(PostedSource, of_more_than_four_mebibytes_is_a_413_that_names_the_limit) {
  EXPECT_TRUE(read_posted_source(post("", std::string(size_t{4} << 20, 'a'))));
  const auto posted = read_posted_source(post("", std::string((size_t{4} << 20) + 1, 'a')));
  ASSERT_FALSE(posted);
  EXPECT_EQ(posted.error().status, 413);
  EXPECT_THAT(posted.error().message, HasSubstr("4194304"));
}

}  // namespace
}  // namespace cweb::mgnt
