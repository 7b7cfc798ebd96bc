#include "wire_corpus.h"

#include <cstdio>
#include <string_view>
#include <utility>

namespace cweb::tests {
namespace {

using namespace std::string_literals;

/// "bare LF" and "\v5" become parts of a name: what is no letter or digit is written as its number.
std::string as_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    char number[8];
    std::snprintf(number, sizeof number, "_%02x", static_cast<unsigned char>(c));
    name += plain ? std::string(1, c) : number;
  }
  return name;
}

const std::string host = "Host: localhost\r\n";
const std::string get_line = "GET /case HTTP/1.1\r\n";
const std::string post_line = "POST /case HTTP/1.1\r\n";
const std::string chunked = "Transfer-Encoding: chunked\r\n";
const std::string five_chunked = "5\r\nhello\r\n0\r\n\r\n";

class Corpus {
 public:
  void add(std::string name, std::string bytes, int status = 400) {
    cases_.push_back({std::move(name), std::move(bytes), status});
  }
  void served(std::string name, std::string bytes) { add(std::move(name), std::move(bytes), 200); }
  std::vector<WireCase> take() { return std::move(cases_); }

 private:
  std::vector<WireCase> cases_;
};

void add_plain(Corpus& corpus) {
  corpus.served("plain_get", get_line + host + "\r\n");
  corpus.served("plain_post", post_line + host + "Content-Length: 5\r\n\r\nhello");
  corpus.served("plain_post_without_body", post_line + host + "Content-Length: 0\r\n\r\n");
  corpus.served("plain_post_without_length", post_line + host + "\r\n");
  corpus.served("plain_chunked", post_line + host + chunked + "\r\n" + five_chunked);
  corpus.served("plain_get_with_body", get_line + host + "Content-Length: 5\r\n\r\nhello");
  corpus.served("plain_put", "PUT /case HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello");
  corpus.served("plain_delete", "DELETE /case HTTP/1.1\r\n" + host + "\r\n");
  corpus.served("plain_1_0", "GET /case HTTP/1.0\r\nConnection: keep-alive\r\n" + host + "\r\n");
  corpus.served("plain_lower_case_names", get_line + "host: localhost\r\nx-a: b\r\n\r\n");
  corpus.served("plain_query", "GET /case?a=b&c=%20 HTTP/1.1\r\n" + host + "\r\n");
  const std::string inside = "GET /case/inside HTTP/1.1\r\nHost: inside\r\n\r\n";
  corpus.served("plain_body_that_looks_like_a_request",
                post_line + host + "Content-Length: " + std::to_string(inside.size()) + "\r\n\r\n" + inside);
  corpus.served("plain_upgrade_ignored", get_line + host + "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
}

void add_lengths(Corpus& corpus) {
  for (const std::string& value : {"+5"s,
                                   "-5"s,
                                   "--5"s,
                                   "5 5"s,
                                   "5,5"s,
                                   "5, 5"s,
                                   "5,"s,
                                   ",5"s,
                                   "5, 6"s,
                                   "5;6"s,
                                   "0x5"s,
                                   "5x"s,
                                   "5.0"s,
                                   "5e0"s,
                                   "05x"s,
                                   "\"5\""s,
                                   "'5'"s,
                                   "five"s,
                                   ""s,
                                   " "s,
                                   "\v5"s,
                                   "5\v"s,
                                   "\f5"s,
                                   "\0"
                                   "5"s,
                                   "5\0"s,
                                   "\xa0"
                                   "5"s,
                                   "\xd9\xa5"s,
                                   "5_0"s,
                                   "5\r"s,
                                   "18446744073709551616"s,
                                   "18446744073709551621"s,
                                   "99999999999999999999999"s,
                                   "-18446744073709551611"s}) {
    corpus.add("length" + as_name(value), post_line + host + "Content-Length: " + value + "\r\n\r\nhello");
  }
  for (const char* value : {"1048577", "4294967301", "9223372036854775807", "18446744073709551615"}) {
    corpus.add("length_too_large_" + std::string(value),
               post_line + host + "Content-Length: " + value + "\r\n\r\nhello", 413);
  }
  for (const char* value : {"\t5", "  5  ", "05", "0000000005"}) {
    corpus.served("length_fine" + as_name(value), post_line + host + "Content-Length: " + value + "\r\n\r\nhello");
  }
  const std::string five = "Content-Length: 5\r\n";
  corpus.add("length_twice_same", post_line + host + five + five + "\r\nhello");
  corpus.add("length_twice_different", post_line + host + five + "Content-Length: 6\r\n\r\nhello!");
  corpus.add("length_twice_different_reversed", post_line + host + "Content-Length: 6\r\n" + five + "\r\nhello!");
  corpus.add("length_twice_zero_first", post_line + host + "Content-Length: 0\r\n" + five + "\r\nhello");
  corpus.add("length_twice_other_case", post_line + host + five + "content-length: 0\r\n\r\nhello");
  corpus.add("length_twice_apart", post_line + five + host + "CONTENT-LENGTH: 0\r\n\r\nhello");
  corpus.add("length_name_with_space", post_line + host + "Content-Length : 5\r\n\r\nhello");
  corpus.add("length_name_with_tab", post_line + host + "Content-Length\t: 5\r\n\r\nhello");
  corpus.add("length_name_indented", post_line + host + " Content-Length: 5\r\n\r\nhello");
  corpus.add("length_folded", post_line + host + "Content-Length:\r\n 5\r\n\r\nhello");
  corpus.add("length_without_colon", post_line + host + "Content-Length 5\r\n\r\nhello");
  corpus.add("length_behind_a_bare_cr", post_line + host + "X: y\rContent-Length: 5\r\n\r\nhello");
  corpus.add("length_behind_a_bare_lf", post_line + host + "X: y\nContent-Length: 5\r\n\r\nhello");
  corpus.add("length_behind_a_nul", post_line + host + "X: y\0Content-Length: 5\r\n\r\nhello"s);
}

void add_codings(Corpus& corpus) {
  for (const std::string& value : {"chunked, chunked"s,
                                   "chunked,chunked"s,
                                   "chunked chunked"s,
                                   ",chunked"s,
                                   "chunked,"s,
                                   ", chunked"s,
                                   "xchunked"s,
                                   "chunkedx"s,
                                   "x-chunked"s,
                                   "\vchunked"s,
                                   "\fchunked"s,
                                   "chunked\v"s,
                                   "chunked\f"s,
                                   "\0chunked"s,
                                   "chunked\0"s,
                                   "\xa0"
                                   "chunked"s,
                                   "chunked\xa0"s,
                                   "chunked\r"s,
                                   "identity"s,
                                   "identity, chunked"s,
                                   "chunked, identity"s,
                                   "gzip"s,
                                   "gzip, chunked"s,
                                   "chunked, gzip"s,
                                   "deflate, chunked"s,
                                   "compress, chunked"s,
                                   "chunked;q=1"s,
                                   "chunked; a=b"s,
                                   "\"chunked\""s,
                                   "'chunked'"s,
                                   "(chunked)"s,
                                   "cow"s,
                                   "cow, chunked"s,
                                   "chunked, cow"s,
                                   "chunk"s,
                                   "chu nked"s,
                                   "chu\tnked"s,
                                   ""s,
                                   " "s,
                                   "trailers, chunked"s,
                                   "chunked trailers"s,
                                   "0"s,
                                   "5"s,
                                   "Chunked-"s,
                                   "chunked."s,
                                   "chunked/1"s}) {
    corpus.add("coding" + as_name(value), post_line + host + "Transfer-Encoding: " + value + "\r\n\r\n" + five_chunked);
  }
  for (const char* value : {"Chunked", "CHUNKED", "cHuNkEd", "  chunked  ", "\tchunked"}) {
    corpus.served("coding_fine" + as_name(value),
                  post_line + host + "Transfer-Encoding: " + value + "\r\n\r\n" + five_chunked);
  }
  corpus.served("coding_fine_without_space", post_line + host + "Transfer-Encoding:chunked\r\n\r\n" + five_chunked);
  corpus.served("coding_fine_upper_case_name", post_line + host + "TRANSFER-ENCODING: chunked\r\n\r\n" + five_chunked);

  for (const char* length : {"0", "3", "5", "15", "100"}) {
    const std::string line = "Content-Length: "s + length + "\r\n";
    corpus.add("coding_then_length_"s + length, post_line + host + chunked + line + "\r\n" + five_chunked);
    corpus.add("length_"s + length + "_then_coding", post_line + host + line + chunked + "\r\n" + five_chunked);
  }
  const std::string five = "Content-Length: 5\r\n";
  for (const std::string& value :
       {"identity"s, "xchunked"s, "\vchunked"s, "chunked, identity"s, "gzip"s, ""s, "cow"s}) {
    corpus.add("length_then_coding" + as_name(value),
               post_line + host + five + "Transfer-Encoding: " + value + "\r\n\r\nhello");
    corpus.add("coding" + as_name(value) + "_then_length",
               post_line + host + "Transfer-Encoding: " + value + "\r\n" + five + "\r\nhello");
  }
  for (const std::string& second : {"chunked"s, "identity"s, "gzip"s, "x"s, ""s}) {
    const std::string line = "Transfer-Encoding: " + second + "\r\n";
    corpus.add("coding_twice_chunked_then" + as_name(second),
               post_line + host + chunked + line + "\r\n" + five_chunked);
    corpus.add("coding_twice" + as_name(second) + "_then_chunked",
               post_line + host + line + chunked + "\r\n" + five_chunked);
  }
  corpus.add("coding_in_1_0", "POST /case HTTP/1.0\r\n" + host + chunked + "\r\n" + five_chunked);
  corpus.add("coding_in_1_0_keep_alive",
             "POST /case HTTP/1.0\r\nConnection: keep-alive\r\n" + host + chunked + "\r\n" + five_chunked);
  corpus.add("coding_in_1_0_with_length", "POST /case HTTP/1.0\r\n" + host + five + chunked + "\r\nhello");
  corpus.add("coding_folded", post_line + host + "Transfer-Encoding:\r\n chunked\r\n\r\n" + five_chunked);
  corpus.add("coding_folded_behind",
             post_line + host + "Transfer-Encoding: chunked\r\n , identity\r\n\r\n" + five_chunked);
  for (const std::string& name : {"Transfer-Encoding "s, "Transfer-Encoding\t"s, " Transfer-Encoding"s,
                                  "\tTransfer-Encoding"s, "Transfer-Encoding\0"s, "\0Transfer-Encoding"s,
                                  "Transfer-\x80"
                                  "Encoding"s,
                                  "Transfer-Encoding\v"s, "Transfer Encoding"s, "\"Transfer-Encoding\""s,
                                  "Transfer-Encoding:"s, "(Transfer-Encoding"s}) {
    // With a length, so that a server that does not take the line for what it looks like has another end of the body.
    corpus.add("coding_name" + as_name(name), post_line + host + five + name + ": chunked\r\n\r\n0\r\n\r\n");
  }
  corpus.add("coding_behind_a_bare_cr", post_line + host + five + "X: y\rTransfer-Encoding: chunked\r\n\r\nhello");
  corpus.add("coding_behind_a_bare_lf", post_line + host + five + "X: y\nTransfer-Encoding: chunked\r\n\r\nhello");
  corpus.add("coding_behind_lf_cr", post_line + host + five + "X: y\n\rTransfer-Encoding: chunked\r\n\r\nhello");
  corpus.served("coding_with_underscore_is_another_header",
                post_line + host + five + "Transfer_Encoding: chunked\r\n\r\nhello");
}

void add_chunks(Corpus& corpus) {
  const std::string head = post_line + host + chunked + "\r\n";
  for (const std::string& size : {"5 "s,
                                  " 5"s,
                                  "5\t"s,
                                  "\t5"s,
                                  "+5"s,
                                  "-5"s,
                                  "0x5"s,
                                  "0X5"s,
                                  "5h"s,
                                  "5."s,
                                  "5,"s,
                                  "\"5\""s,
                                  "'5'"s,
                                  "five"s,
                                  ""s,
                                  "5\0"s,
                                  "\0"
                                  "5"s,
                                  "5\v"s,
                                  "5\f"s,
                                  "5_"s,
                                  "5:"s,
                                  "5="s,
                                  "5 5"s,
                                  "5 ;a=b"s,
                                  "5\t;a=b"s,
                                  "00000000000000005"s,
                                  "10000000000000005"s,
                                  "fffffffffffffffff"s,
                                  "\xa0"
                                  "5"s,
                                  "g"s,
                                  "5g"s,
                                  "5\r"s,
                                  "5;a=b\r"s,
                                  "5;\0"s,
                                  "5;\x7f"s}) {
    corpus.add("size" + as_name(size), head + size + "\r\nhello\r\n0\r\n\r\n");
  }
  for (const char* size : {"ffffffffffffffff", "8000000000000005", "100001"}) {
    corpus.add("size_too_large_"s + size, head + size + "\r\nhello\r\n0\r\n\r\n", 413);
  }
  for (const char* size : {"5", "05", "0000000000000005", "5;a", "5;a=b", "5;a=\"b;c\""}) {
    corpus.served("size_fine" + as_name(size), head + size + "\r\nhello\r\n0\r\n\r\n");
  }
  corpus.served("size_fine_hexadecimal", head + "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n");
  corpus.served("size_fine_last_with_zeros", head + "5\r\nhello\r\n000\r\n\r\n");
  corpus.served("size_fine_last_with_extension", head + "5\r\nhello\r\n0;last\r\n\r\n");
  corpus.served("size_fine_no_chunk", head + "0\r\n\r\n");

  // In place of each line end of a chunked body: what is not CR LF.
  const std::pair<const char*, std::string> line_ends[] = {
      {"lf", "\n"},   {"cr", "\r"}, {"crcrlf", "\r\r\n"}, {"lfcr", "\n\r"},   {"nothing", ""},
      {"crx", "\rX"}, {"xx", "XX"}, {"space", " \r\n"},   {"nul", "\0\r\n"s}, {"crlflf", "\r\n\n"}};
  for (const auto& [name, end] : line_ends) {
    // A space behind a size is told of above.
    corpus.add("size_line_end_"s + name, head + "5" + end + "hello\r\n0\r\n\r\n");
    corpus.add("extension_line_end_"s + name, head + "5;a=b" + end + "hello\r\n0\r\n\r\n");
    corpus.add("data_line_end_"s + name, head + "5\r\nhello" + end + "0\r\n\r\n");
    corpus.add("last_size_line_end_"s + name, head + "5\r\nhello\r\n0" + end + "\r\n");
    corpus.add("trailer_line_end_"s + name, head + "0\r\nA: b" + end + "\r\n", name == "space"s ? 200 : 400);
  }
  for (const char* end : {"\n", "\r", "\n\n", "\rX", "X", " \r\n"}) {
    corpus.add("body_end" + as_name(end), head + "5\r\nhello\r\n0\r\n" + end);
  }
  corpus.add("data_longer_than_its_size", head + "5\r\nhello!\r\n0\r\n\r\n");
  corpus.add("data_shorter_than_its_size", head + "5\r\nhell\r\n0\r\n\r\n");
  // White space behind these is allowed; the parser does not take a tab, nor a second extension. Nobody sends them.
  corpus.add("size_with_two_extensions", head + "5;a=b;c=d\r\nhello\r\n0\r\n\r\n");
  corpus.add("length_with_a_tab_behind", post_line + host + "Content-Length: 5\t\r\n\r\nhello");
  corpus.add("coding_with_a_tab_behind", post_line + host + "Transfer-Encoding: chunked\t\r\n\r\n" + five_chunked);
  corpus.add("extensions_of_20_kb", head + "5;" + std::string(20'000, 'a') + "\r\nhello\r\n0\r\n\r\n");

  for (const char* line :
       {"Content-Length: 5", "content-length: 0", "Transfer-Encoding: chunked", "Transfer-Encoding: x", "Host: other",
        "HOST: other", "Connection: close", "Connection: keep-alive", "Expect: 100-continue", "Upgrade: h2c",
        "no colon", ": no name", " folded", "A : b", "A\t: b", "A: b\r\n folded", "GET /case/smuggled HTTP/1.1"}) {
    corpus.add("trailer" + as_name(line), head + "5\r\nhello\r\n0\r\n" + line + "\r\n\r\n");
  }
  corpus.add("trailer_with_nul", head + "0\r\nA: \0\r\n\r\n"s);
  corpus.add("trailers_of_20_kb", head + "0\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n", 431);
  corpus.served("trailer_fine", head + "5\r\nhello\r\n0\r\nChecksum: abc\r\n\r\n");
  corpus.served("trailers_fine", head + "5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n");
}

void add_hosts(Corpus& corpus) {
  corpus.add("host_missing", get_line + "\r\n");
  corpus.add("host_twice_same", get_line + host + host + "\r\n");
  corpus.add("host_twice_different", get_line + host + "Host: other\r\n\r\n");
  corpus.add("host_twice_other_case", get_line + host + "hOST: localhost\r\n\r\n");
  corpus.add("host_twice_in_1_0", "GET /case HTTP/1.0\r\n" + host + host + "\r\n");
  for (const std::string& value : {"a b"s,
                                   "a/b"s,
                                   "a?b"s,
                                   "a#b"s,
                                   "a\\b"s,
                                   "user@localhost"s,
                                   "a:b@localhost"s,
                                   ":80"s,
                                   "localhost:x"s,
                                   "localhost:99999"s,
                                   "localhost:-1"s,
                                   "localhost:80:80"s,
                                   "a, b"s,
                                   "localhost\0"s,
                                   "localhost\v"s,
                                   "a\tb"s,
                                   "[::1"s,
                                   "[::1]x"s,
                                   "[x]"s,
                                   "::1"s,
                                   "http://a"s,
                                   "<a>"s,
                                   "\"a\""s,
                                   "a%zz"s,
                                   "a{b}"s,
                                   "a|b"s,
                                   "a^b"s,
                                   "a`b"s,
                                   "b\xc3\xbc"
                                   "cher"s}) {
    corpus.add("host" + as_name(value), get_line + "Host: " + value + "\r\n\r\n");
  }
  for (const char* value : {"localhost:80", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:80", "a.example",
                            "a_b-c.example", "LOCALHOST", "  localhost  ", "a%41", "localhost:"}) {
    corpus.served("host_fine" + as_name(value), get_line + "Host: " + value + "\r\n\r\n");
  }
  corpus.add("host_with_space_before_its_colon", get_line + "Host : localhost\r\n\r\n");
  corpus.add("host_indented", get_line + " Host: localhost\r\n\r\n");
  corpus.add("host_folded", get_line + "Host:\r\n localhost\r\n\r\n");
}

void add_targets(Corpus& corpus) {
  for (const std::string& target : {"case"s,
                                    "*"s,
                                    "?"s,
                                    "/case#fragment"s,
                                    "#"s,
                                    "/case\t"s,
                                    "/ca\tse"s,
                                    "/case\v"s,
                                    "/ca\fse"s,
                                    "/case\0"s,
                                    "/case\r"s,
                                    "/case\x7f"s,
                                    "http://other/case"s,
                                    "http://user@localhost/case"s,
                                    "http:///case"s,
                                    "http:/case"s,
                                    "http:case"s,
                                    "http://"s,
                                    "ftp://localhost/case"s,
                                    "file:///etc/passwd"s,
                                    "javascript:1"s,
                                    "localhost:80"s,
                                    "localhost/case"s,
                                    "http://localhost:99999/case"s,
                                    "http://local host/case"s,
                                    "http://localhost\\/case"s,
                                    "http://localhost#/case"s,
                                    "http://localhost:x/case"s,
                                    "\\case"s,
                                    "%2fcase"s,
                                    "/case /other"s}) {
    corpus.add("target" + as_name(target), "GET " + target + " HTTP/1.1\r\n" + host + "\r\n");
  }
  for (const char* target :
       {"//case", "/case/../case", "/case/./", "/case%2f", "/case%00", "/case%0d%0a", "/case;a=b", "/case?", "/case??",
        "/case?a=/b?c", "/case:80", "/case@x", "http://localhost/case", "HTTP://LOCALHOST/case"}) {
    corpus.served("target_fine" + as_name(target), "GET "s + target + " HTTP/1.1\r\n" + host + "\r\n");
  }
  corpus.add("target_of_9_kb", "GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414);
}

void add_request_lines(Corpus& corpus) {
  for (const std::string& line : {"GET  /case HTTP/1.1"s,
                                  "GET /case  HTTP/1.1"s,
                                  " GET /case HTTP/1.1"s,
                                  "GET /case HTTP/1.1 "s,
                                  "GET /case HTTP/1.1\t"s,
                                  "GET\t/case HTTP/1.1"s,
                                  "GET /case\tHTTP/1.1"s,
                                  "GET\v/case HTTP/1.1"s,
                                  "GET /case"s,
                                  "GET /case "s,
                                  "/case HTTP/1.1"s,
                                  "GET HTTP/1.1"s,
                                  "GET /case http/1.1"s,
                                  "GET /case Http/1.1"s,
                                  "GET /case HTTP/1"s,
                                  "GET /case HTTP/.1"s,
                                  "GET /case HTTP1.1"s,
                                  "GET /case HTTP /1.1"s,
                                  "GET /case HTTP/1 .1"s,
                                  "GET /case HTTP/1.1x"s,
                                  "GET /case HTTP/1.10"s,
                                  "GET /case XHTTP/1.1"s,
                                  "GET /case HTTP/1.1 HTTP/1.1"s,
                                  "GET /case HTTP/0.9"s,
                                  "OPTIONS /case RTSP/1.0"s,
                                  "GET /case\r HTTP/1.1"s,
                                  "\0GET /case HTTP/1.1"s,
                                  "(GET) /case HTTP/1.1"s,
                                  "GET /case HTTP/1.1\r"s,
                                  "GET,POST /case"s,
                                  "GET /case HTTP/1.1\0"s}) {
    corpus.add("line" + as_name(line), line + "\r\n" + host + "\r\n");
  }
  for (const char* version : {"HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9"}) {
    corpus.add("version" + as_name(version), "GET /case "s + version + "\r\n" + host + "\r\n", 505);
  }
  corpus.add("version_2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
  for (const char* method : {"get", "Get", "GETS", "FROB", "G", "X-Y", "TRACE"}) {
    corpus.add("method_"s + as_name(method), std::string(method) + " /case HTTP/1.1\r\n" + host + "\r\n", 501);
  }
  corpus.add("method_connect", "CONNECT localhost:80 HTTP/1.1\r\n" + host + "\r\n", 501);
  corpus.add("garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 what is this\r\n\r\n"s);
  for (const std::string& before : {"\n"s, "\r"s, " \r\n"s, "\n\r\n"s, "\r\r\n"s, "\0\r\n"s, "\t"s}) {
    corpus.add("before_it" + as_name(before), before + get_line + host + "\r\n");
  }
  std::string empty_lines;
  for (int i = 0; i < 20; ++i) empty_lines += "\r\n";
  corpus.add("before_it_twenty_empty_lines", empty_lines + get_line + host + "\r\n");
  corpus.served("before_it_an_empty_line", "\r\n" + get_line + host + "\r\n");
}

void add_headers(Corpus& corpus) {
  corpus.add("header_folded", get_line + host + "A: b\r\n c\r\n\r\n");
  corpus.add("header_folded_with_tab", get_line + host + "A: b\r\n\tc\r\n\r\n");
  corpus.add("header_first_indented", get_line + " A: b\r\n" + host + "\r\n");
  corpus.add("header_first_blank", get_line + " \r\n" + host + "\r\n");
  corpus.add("header_without_colon", get_line + host + "nothing\r\n\r\n");
  corpus.add("header_without_name", get_line + host + ": b\r\n\r\n");
  for (const char c : "\"(),/;<=>?@[\\]{} \t\v\f\x7f\x80\xff\x01"s) {
    const std::string name = {'A', c, 'B'};
    corpus.add("header_name" + as_name(std::string(1, c)), get_line + host + name + ": c\r\n\r\n");
  }
  corpus.add("header_name_with_nul", get_line + host + "A\0B: c\r\n\r\n"s);
  for (const char c : "\x01\x08\v\f\r\x0e\x1b\x1f\x7f"s) {
    corpus.add("header_value" + as_name(std::string(1, c)), get_line + host + "A: b" + c + "c\r\n\r\n");
  }
  corpus.add("header_value_with_nul", get_line + host + "A: b\0c\r\n\r\n"s);
  corpus.served("header_value_above_ascii", get_line + host + "A: \xc3\xa4\r\n\r\n");
  corpus.served("header_value_with_tab", get_line + host + "A: b\tc\r\n\r\n");
  corpus.served("header_value_empty", get_line + host + "A:\r\nB: \r\n\r\n");
  corpus.served("header_value_with_colon", get_line + host + "A: b: c\r\n\r\n");

  const std::string crlf = "\r\n";
  for (const auto& [name, end] : {std::pair{"lf"s, "\n"s},
                                  {"cr"s, "\r"s},
                                  {"crcrlf"s, "\r\r\n"s},
                                  {"lfcr"s, "\n\r"s},
                                  {"crx"s, "\rX"s},
                                  {"nul"s, "\0\r\n"s},
                                  {"crnullf"s, "\r\0\n"s}}) {
    corpus.add("line_end_of_request_line_" + name, "GET /case HTTP/1.1" + end + host + "\r\n");
    corpus.add("line_end_of_header_" + name, get_line + "Host: localhost" + end + "A: b\r\n\r\n");
    corpus.add("line_end_of_last_header_" + name, get_line + host + "A: b" + end + "\r\n");
    if (name != "crcrlf") corpus.add("line_end_of_head_" + name, get_line + host + end + "\r\n");
  }
  for (const std::string& value : {"miracles"s, "100"s, "100-continue, miracles"s, "200-ok"s, ""s}) {
    corpus.add("expect" + as_name(value), post_line + host + "Expect: " + value + "\r\nContent-Length: 5\r\n\r\nhello",
               417);
  }
  std::string many;
  for (int i = 0; i < 600; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  corpus.add("headers_600", get_line + host + many + "\r\n", 431);
  corpus.add("headers_of_70_kb", get_line + host + "A: " + std::string(70'000, 'a') + "\r\n\r\n", 431);
  corpus.add("headers_of_80_kb_of_space", get_line + host + "A:" + std::string(80'000, ' ') + "b\r\n\r\n", 431);
}

std::vector<WireCase> make_corpus() {
  Corpus corpus;
  add_plain(corpus);
  add_lengths(corpus);
  add_codings(corpus);
  add_chunks(corpus);
  add_hosts(corpus);
  add_targets(corpus);
  add_request_lines(corpus);
  add_headers(corpus);
  return corpus.take();
}

}  // namespace

const std::vector<WireCase>& wire_corpus() {
  static const std::vector<WireCase> corpus = make_corpus();
  return corpus;
}

}  // namespace cweb::tests
