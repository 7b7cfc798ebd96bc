#include "cli/routes_ini.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "temporary_directory.h"

namespace cweb::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(RoutesIniText, names_a_server_and_files_a_line_each) {
  const RoutesIni ini = parse_routes_ini(
      "# where\n"
      "server_url=http://localhost:8080/mgnt\n"
      "\n"
      "[modules]\n"
      "; the first\n"
      "modules/counter.c\n"
      "  modules/chat room.c  \n",
      "routes.ini");
  EXPECT_THAT(ini.problems, IsEmpty());
  EXPECT_EQ(ini.server_url, "http://localhost:8080");
  EXPECT_THAT(ini.files, ElementsAre("modules/counter.c", "modules/chat room.c"));
}

TEST(RoutesIniText, may_come_from_windows_or_without_a_last_line_end) {
  const RoutesIni ini = parse_routes_ini(
      "\xef\xbb\xbfserver_url = https://example.com/mgnt/\r\n[modules]\r\na.c\r\n\r\nb.c", "routes.ini");
  EXPECT_THAT(ini.problems, IsEmpty());
  EXPECT_EQ(ini.server_url, "https://example.com:443");
  EXPECT_THAT(ini.files, ElementsAre("a.c", "b.c"));
}

TEST(RoutesIniText, has_files_relative_to_itself) {
  EXPECT_THAT(parse_routes_ini("[modules]\na.c\n/abs/b.c\n../c.c\n", "site/routes.ini").files,
              ElementsAre("site/a.c", "/abs/b.c", "site/../c.c"));
}

TEST(RoutesIniText, may_give_each_file_a_name_and_a_comment_behind) {
  EXPECT_THAT(parse_routes_ini("[modules]\ncounter=modules/counter.c\nchat = chat.c ; talk\nx.c # y\n", "r.ini").files,
              ElementsAre("modules/counter.c", "chat.c", "x.c"));
  EXPECT_THAT(parse_routes_ini("[modules]\ndir/a=b.c\n\"a #1.c\"\na;b#c.c\n", "r.ini").files,
              ElementsAre("dir/a=b.c", "a #1.c", "a;b#c.c"));
}

TEST(RoutesIniText, may_quote_what_it_names) {
  const RoutesIni ini =
      parse_routes_ini("server_url='http://a:1/mgnt'\n[modules]\n'a b.c' ; c\na='c.c'\n'd.c\n", "r.ini");
  EXPECT_EQ(ini.server_url, "http://a:1");
  EXPECT_THAT(ini.files, ElementsAre("a b.c", "c.c", "'d.c"));
  EXPECT_THAT(parse_routes_ini("server_url = \"http://a:1\"\n", "r.ini").server_url, "http://a:1");
}

TEST(RoutesIniText, may_name_the_server_among_the_files) {
  const RoutesIni ini = parse_routes_ini("[modules]\na.c\nserver_url=http://a:1\n", "r.ini");
  EXPECT_EQ(ini.server_url, "http://a:1");
  EXPECT_THAT(ini.files, ElementsAre("a.c"));
}

TEST(RoutesIniText, says_of_each_bad_line_where_it_is_and_what_is_expected) {
  const RoutesIni ini = parse_routes_ini(
      "port=80\n"
      "[server]\n"
      "server_url=localhost:8080\n"
      "[modules]\n"
      "counter=\n"
      "good.c\n"
      "server_url=http://localhost\n",
      "site/r.ini");
  EXPECT_THAT(ini.problems, ElementsAre(HasSubstr("site/r.ini:1: expected server_url=URL, or [modules]"),
                                        HasSubstr("site/r.ini:2: there is no section [server]: expected [modules]"),
                                        HasSubstr("site/r.ini:3: the server's URL localhost:8080 has no scheme"),
                                        HasSubstr("site/r.ini:5: expected the path of a C file"),
                                        HasSubstr("site/r.ini:7: server_url is given already, in line 3")));
  EXPECT_THAT(ini.files, ElementsAre("site/good.c"));
}

TEST(RoutesIniText, is_no_binary_file) {
  EXPECT_THAT(parse_routes_ini(std::string("[modules]\na\0b.c\n", 16), "r.ini").problems,
              ElementsAre(HasSubstr("r.ini:2: is not text")));
  EXPECT_THAT(parse_routes_ini("[mod\033[31m]\n", "r.ini").problems, ElementsAre(HasSubstr("[mod?[31m]")));
}

TEST(RoutesIniServer, is_found_whatever_else_is_wrong) {
  const TemporaryDirectory directory;
  EXPECT_EQ(server_of_ini(directory.path("none.ini")), "");
  directory.write("r.ini", "nonsense\nserver_url=http://localhost:9\n");
  EXPECT_EQ(server_of_ini(directory.path("r.ini")), "http://localhost:9");
  directory.write("r.ini", "server_url=ftp://localhost\n");
  const auto bad = server_of_ini(directory.path("r.ini"));
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("r.ini:1: "));
  EXPECT_FALSE(server_of_ini(directory.path()));
}

}  // namespace
}  // namespace cweb::cli
