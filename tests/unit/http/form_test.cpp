#include "http/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cweb::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr const char* multipart_xyz = "multipart/form-data; boundary=xyz";

TEST(PercentDecode, decodes_hex_pairs_and_turns_plus_into_a_space) {
  EXPECT_EQ(percent_decode("a%20b+c%2Bd%2b"), "a b c+d+");
}

TEST(PercentDecode, leaves_plus_alone_in_paths) {
  EXPECT_EQ(percent_decode("a+b%2F", Plus::is_plus), "a+b/");
}

TEST(PercentDecode, leaves_what_is_not_an_escape_as_it_is) {
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%"), "%zz%");
  EXPECT_EQ(percent_decode("%%41"), "%A");
}

TEST(PercentDecode, keeps_a_decoded_nul) {
  EXPECT_EQ(percent_decode("a%00b"), std::string("a\0b", 3));
}

TEST(PercentDecode, in_place_says_the_new_length) {
  std::string text = "x%41y";
  EXPECT_EQ(percent_decode_in_place(text.data(), text.size()), 3U);
  EXPECT_EQ(text.substr(0, 3), "xAy");
}

TEST(ParseUrlencoded, gives_fields_in_order_with_names_and_values_decoded) {
  const auto fields = parse_urlencoded("a=1&b%20c=x+y&a=2&flag&empty=&&=nameless");
  ASSERT_TRUE(fields);
  EXPECT_THAT(*fields, ElementsAre(Pair("a", "1"), Pair("b c", "x y"), Pair("a", "2"), Pair("flag", ""),
                                   Pair("empty", ""), Pair("", "nameless")));
}

TEST(ParseUrlencoded, splits_before_it_decodes) {
  const auto fields = parse_urlencoded("a=1%262%3D3&b=x=y");
  ASSERT_TRUE(fields);
  EXPECT_THAT(*fields, ElementsAre(Pair("a", "1&2=3"), Pair("b", "x=y")));
}

TEST(ParseUrlencoded, of_nothing_is_no_field) {
  EXPECT_TRUE(parse_urlencoded("")->empty());
}

TEST(ParseUrlencoded, refuses_more_fields_than_the_bound) {
  std::string body;
  for (size_t i = 0; i < max_form_fields; ++i) body += "a=1&";
  EXPECT_EQ(parse_urlencoded(body)->size(), max_form_fields);
  const auto beyond = parse_urlencoded(body + "b=2");
  ASSERT_FALSE(beyond);
  EXPECT_THAT(beyond.error().message, HasSubstr("1000 fields"));
}

TEST(MediaType, is_lower_case_and_without_parameters) {
  EXPECT_EQ(media_type(" Multipart/Form-Data ; boundary=X"), "multipart/form-data");
  EXPECT_EQ(media_type("text/plain"), "text/plain");
  EXPECT_EQ(media_type(""), "");
}

TEST(HeaderParameter, understands_tokens_and_quoted_strings) {
  std::string value;
  ASSERT_TRUE(header_parameter(R"(form-data; name="a;b=\"c\"\\"; filename=x.c)", "name", value));
  EXPECT_EQ(value, R"(a;b="c"\)");
  ASSERT_TRUE(header_parameter(R"(form-data; name="a;filename=no"; FileName = x.c )", "filename", value));
  EXPECT_EQ(value, "x.c");
  ASSERT_TRUE(header_parameter(R"(form-data; filename="C:\new\file.c")", "filename", value));
  EXPECT_EQ(value, R"(C:\new\file.c)");
}

TEST(HeaderParameter, says_when_there_is_none) {
  std::string value = "untouched";
  EXPECT_FALSE(header_parameter("form-data", "name", value));
  EXPECT_FALSE(header_parameter("form-data; name", "name", value));
  EXPECT_FALSE(header_parameter("form-data; ;;=; filename=\"name=x", "name", value));
  EXPECT_EQ(value, "untouched");
}

TEST(ParseMultipart, reads_fields_files_and_binary_values) {
  const std::string value("\0\r\n--xy\r\n\r\n--xyzz\xff", 18);
  const std::string body =
      "--xyz\r\n"
      "Content-Disposition: form-data; name=\"title\"\r\n\r\n"
      "a b\r\n"
      "--xyz\r\n"
      "content-disposition: form-data; name=code; filename=\"m.c\"\r\n"
      "Content-Type: text/x-c\r\n\r\n" +
      value + "\r\n--xyz--\r\n";
  const auto fields = parse_multipart(multipart_xyz, body);
  ASSERT_TRUE(fields) << fields.error().message;
  ASSERT_EQ(fields->size(), 2U);
  EXPECT_EQ((*fields)[0].name, "title");
  EXPECT_EQ((*fields)[0].value, "a b");
  EXPECT_EQ((*fields)[0].filename, "");
  EXPECT_EQ((*fields)[1].name, "code");
  EXPECT_EQ((*fields)[1].filename, "m.c");
  EXPECT_EQ((*fields)[1].content_type, "text/x-c");
  EXPECT_EQ((*fields)[1].value, value);
}

TEST(ParseMultipart, ignores_preamble_epilogue_and_padding_behind_the_boundary) {
  const auto fields = parse_multipart("Multipart/form-data; charset=x; boundary=\"x y:z\"",
                                      "hello --x y:z\r\nthere\r\n--x y:z \t\r\n"
                                      "Content-Disposition: form-data; name=a\r\n\r\n1\r\n--x y:z--\r\nbye --x y:z");
  ASSERT_TRUE(fields) << fields.error().message;
  ASSERT_EQ(fields->size(), 1U);
  EXPECT_EQ((*fields)[0].value, "1");
}

TEST(ParseMultipart, an_empty_value_and_an_empty_form_are_fine) {
  const auto fields =
      parse_multipart(multipart_xyz, "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--xyz--");
  ASSERT_TRUE(fields) << fields.error().message;
  ASSERT_EQ(fields->size(), 1U);
  EXPECT_EQ((*fields)[0].value, "");
  EXPECT_TRUE(parse_multipart(multipart_xyz, "--xyz--\r\n")->empty());
}

struct BrokenBody {
  const char* content_type;
  std::string body;
  const char* complaint;
};

TEST(ParseMultipart, says_what_is_wrong_with_a_broken_body) {
  const std::string head = "Content-Disposition: form-data; name=a\r\n\r\n";
  const BrokenBody cases[] = {
      {"multipart/form-data", "--xyz--", "no boundary parameter"},
      {"multipart/form-data; boundary=", "--xyz--", "no boundary parameter"},
      {"multipart/form-data; boundary=\"\"", "--xyz--", "no boundary parameter"},
      {multipart_xyz, "", "does not contain its boundary"},
      {multipart_xyz, "--xy\r\n" + head, "does not contain its boundary"},
      {multipart_xyz, "--xyz", "does not contain its boundary"},
      {multipart_xyz, "--xyz\r\n", "closing boundary is missing"},
      {multipart_xyz, "--xyz\r\n" + head + "value", "closing boundary is missing"},
      {multipart_xyz, "--xyz\r\n" + head + "value--xyz--", "closing boundary is missing"},
      {multipart_xyz, "--xyz\r\n\r\n--xyz--", "no empty line behind its headers"},
      {multipart_xyz, "--xyz\r\nno colon\r\n\r\nv\r\n--xyz--", "without a colon"},
      {multipart_xyz, "--xyz\r\nContent-Type: text/plain\r\n\r\nv\r\n--xyz--", "has no name"},
      {multipart_xyz, "--xyz\r\nX: " + std::string(9'000, 'x') + "\r\n\r\nv\r\n--xyz--", "no empty line behind"},
  };
  for (const BrokenBody& broken : cases) {
    const auto fields = parse_multipart(broken.content_type, broken.body);
    ASSERT_FALSE(fields) << broken.body;
    EXPECT_THAT(fields.error().message, HasSubstr(broken.complaint)) << broken.body;
  }
}

TEST(ParseMultipart, refuses_a_boundary_longer_than_the_standard_allows) {
  const std::string boundary(71, 'b');
  EXPECT_FALSE(parse_multipart("multipart/form-data; boundary=" + boundary, "--" + boundary + "--"));
  const std::string longest(70, 'b');
  EXPECT_TRUE(parse_multipart("multipart/form-data; boundary=" + longest, "--" + longest + "--"));
}

TEST(ParseMultipart, refuses_more_fields_than_the_bound) {
  std::string body = "--xyz\r\n";
  for (size_t i = 0; i <= max_form_fields; ++i) {
    body += "Content-Disposition: form-data; name=a\r\n\r\nv\r\n--xyz";
    body += i == max_form_fields ? "--" : "\r\n";
  }
  const auto fields = parse_multipart(multipart_xyz, body);
  ASSERT_FALSE(fields);
  EXPECT_THAT(fields.error().message, HasSubstr("1000 fields"));
}

TEST(ParseMultipart, survives_every_cut_and_every_flipped_byte) {
  const std::string body =
      "--xyz\r\nContent-Disposition: form-data; name=\"a\\\"\"; filename=\"b\"\r\n\r\n1\r\n--xyz\r\n"
      "Content-Disposition: form-data; name=b\r\n\r\n\r\n--xyz--\r\n";
  size_t whole = 0;
  for (size_t cut = 0; cut <= body.size(); ++cut) {
    if (parse_multipart(multipart_xyz, body.substr(0, cut))) ++whole;
  }
  EXPECT_EQ(whole, 3U);  // up to the closing boundary, and its line end byte by byte
  for (size_t at = 0; at < body.size(); ++at) {
    std::string flipped = body;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x5a);
    const auto fields = parse_multipart(multipart_xyz, flipped);
    if (fields) {
      EXPECT_LE(fields->size(), 2U);
    }
  }
}

}  // namespace
}  // namespace cweb::http
